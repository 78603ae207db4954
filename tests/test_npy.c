/* test_npy.c -- .npy files: what is read, what is refused and why, what is written. The headers here are
 * bytes that NumPy wrote, or that somebody could have; tests/memory_numpy.py asks NumPy itself. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sheaf/array.h>

#include "memory/array.h"
#include "memory/npy.h"

static const char *file_of(const char *name)
{
    static char paths[4][300];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "/tmp/%s.npy", check_key(name));
    return path;
}

static void write_file(const char *path, const void *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
    close(fd);
}

/* A file of one version with this dict, as it stands, and `elements` bytes after it. */
static size_t pack(unsigned char *file, int version, const char *dict, size_t elements)
{
    size_t before = version == 1 ? 10 : 12;
    size_t length = strlen(dict);
    static const unsigned char magic[12] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    memcpy(file, magic, sizeof magic);
    file[6] = (unsigned char)version;
    file[8] = (unsigned char)length;
    file[9] = (unsigned char)(length >> 8);
    for (size_t i = 0; i < length; i++)
        file[before + i] = (unsigned char)dict[i];
    memset(file + before + length, 0, elements);
    return before + length + elements;
}

static sheaf_status decode(struct npy *npy, int version, const char *dict, size_t elements)
{
    unsigned char file[4096];
    return npy_decode(npy, file, pack(file, version, dict, elements), "test.npy");
}

static void dicts_in_any_order_and_spacing_are_read(void)
{
    static const struct {
        const char *dict;
        sheaf_dtype dtype;
        size_t ndim;
        size_t shape[3];
    } good[] = {
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }\n", SHEAF_F64, 2, {3, 4}},
        {"{'shape': (3, 4), 'fortran_order': False, 'descr': '<f8'}", SHEAF_F64, 2, {3, 4}},
        {"{\"shape\":(5,),\"descr\":\"<i4\",\"fortran_order\":False}", SHEAF_I32, 1, {5}},
        {" {\t'descr' : '<i8' ,\n'fortran_order' : False , 'shape' : ( ) }   \n",
         SHEAF_I64,
         0,
         {0}},
        {"{'descr': '=f4', 'fortran_order': False, 'shape': (2, 3, 4,)}", SHEAF_F32, 3, {2, 3, 4}},
        {"{'descr': '|f8', 'fortran_order': False, 'shape': (1,)}", SHEAF_F64, 1, {1}},
        {"{'descr': 'f8', 'fortran_order': False, 'shape': (1,)}", SHEAF_F64, 1, {1}},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 4L)}", SHEAF_F64, 2, {3, 4}},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 99999999999)}",
         SHEAF_F64,
         2,
         {0, 99999999999}},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (7,)}", SHEAF_F64, 1, {7}},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': ()}", SHEAF_F64, 0, {0}},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (1, 7, 1)}", SHEAF_F64, 3, {1, 7, 1}},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 0, 3)}", SHEAF_F64, 3, {2, 0, 3}},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        for (int version = 1; version <= 3; version++) {
            struct npy npy;
            CHECK_OK(decode(&npy, version, good[i].dict, 192));
            CHECK(npy.dtype == good[i].dtype && npy.ndim == good[i].ndim);
            CHECK(memcmp(npy.shape, good[i].shape, npy.ndim * sizeof(size_t)) == 0);
            CHECK(npy.offset == strlen(good[i].dict) + (version == 1 ? 10 : 12));
        }
}

static void bad_headers_are_refused_and_the_text_says_why(void)
{
    static const struct {
        const char *dict;
        sheaf_status status;
        const char *says;
    } bad[] = {
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3)}", SHEAF_ERR_FORMAT,
         "np.save(f, np.ascontiguousarray(a))"},
        {"{'descr': '>f8', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_FORMAT,
         "a.astype(a.dtype.newbyteorder('<'))"},
        {"{'descr': '>i4', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_FORMAT, "big-endian"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_FORMAT, "objects"},
        {"{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (2,)}",
         SHEAF_ERR_FORMAT, "structured"},
        {"{'descr': '<c16', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_DTYPE,
         "to an integer or float type of up to 8 bytes"},
        {"{'descr': '|S5', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_DTYPE, "'|S5'"},
        {"{'descr': '<U3', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_DTYPE, "'<U3'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_DTYPE, "''"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1000,)}", SHEAF_ERR_FORMAT,
         "promises 8000 bytes of elements, the file has 192"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952,)}",
         SHEAF_ERR_FORMAT, "overflows"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
         SHEAF_ERR_FORMAT, "overflows"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551617,)}",
         SHEAF_ERR_FORMAT, "too large"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", SHEAF_ERR_FORMAT, "no number"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2.0,)}", SHEAF_ERR_FORMAT, "tuple"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2)}", SHEAF_ERR_FORMAT, "tuple"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': 2}", SHEAF_ERR_FORMAT, "tuple"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (,)}", SHEAF_ERR_FORMAT, "number"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3", SHEAF_ERR_FORMAT, "tuple"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
         "1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
         SHEAF_ERR_FORMAT, "more than 32"},
        {"{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}", SHEAF_ERR_FORMAT, "neither True"},
        {"{'descr': '<f8', 'shape': (2,)}", SHEAF_ERR_FORMAT, "lacks"},
        {"{}", SHEAF_ERR_FORMAT, "lacks"},
        {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}",
         SHEAF_ERR_FORMAT, "twice"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}", SHEAF_ERR_FORMAT,
         "none of"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} 1", SHEAF_ERR_FORMAT, "after"},
        {"{'descr': '<f8' 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_FORMAT, "comma"},
        {"{'descr': '<f8\\x00', 'fortran_order': False, 'shape': (2,)}", SHEAF_ERR_FORMAT, "descr"},
        {"['descr']", SHEAF_ERR_FORMAT, "no dict"},
        {"", SHEAF_ERR_FORMAT, "no dict"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int version = 1; version <= 3; version++) {
            struct npy npy;
            CHECK_STATUS(bad[i].status, decode(&npy, version, bad[i].dict, 192));
            if (strstr(sheaf_last_error(), bad[i].says) == NULL)
                check_failed(__FILE__, __LINE__, bad[i].says);
        }
}

static void lengths_that_lie_are_refused(void)
{
    static unsigned char file[NPY_HEADER_MAX];
    const char *dict = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}";
    struct npy npy;
    size_t count = pack(file, 1, dict, 16);
    for (size_t cut = 0; cut < count; cut++) { /* every truncation, in a buffer of that size */
        unsigned char *copy = malloc(cut + 1);
        memcpy(copy, file, cut);
        CHECK_STATUS(SHEAF_ERR_FORMAT, npy_decode(&npy, copy, cut, "cut.npy"));
        free(copy);
    }
    file[8] = file[9] = 0xff;
    CHECK_STATUS(SHEAF_ERR_FORMAT, npy_decode(&npy, file, count, "long.npy"));
    CHECK_ERROR_SAYS("longer than the file");
    pack(file, 2, dict, 16);
    memset(file + 8, 0xff, 4);
    CHECK_STATUS(SHEAF_ERR_FORMAT, npy_decode(&npy, file, 1ull << 40, "long.npy"));
    CHECK_ERROR_SAYS("longer than 64 KiB");
    pack(file, 1, dict, 16);
    file[6] = 4;
    CHECK_STATUS(SHEAF_ERR_FORMAT, npy_decode(&npy, file, count, "v4.npy"));
    CHECK_ERROR_SAYS("version is 4.0");
    file[6] = 1;
    file[7] = 1;
    CHECK_STATUS(SHEAF_ERR_FORMAT, npy_decode(&npy, file, count, "v1.1.npy"));
    file[0] = 0x94;
    CHECK_STATUS(SHEAF_ERR_FORMAT, npy_decode(&npy, file, count, "magic.npy"));
    CHECK_ERROR_SAYS("is no .npy file");
}

/* What NumPy 1.24 wrote, character by character. */
static void what_is_written_is_what_numpy_writes(void)
{
    static const size_t shape[] = {3, 4};
    unsigned char head[NPY_WRITE_MAX];
    char expected[128];
    memset(expected, ' ', sizeof expected);
    memcpy(expected, "\x93NUMPY\x01\x00\x76\x00", 10);
    memcpy(expected + 10, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }", 59);
    expected[127] = '\n';
    CHECK(npy_encode(head, SHEAF_F64, 2, shape) == 128 && memcmp(head, expected, 128) == 0);
    /* NumPy pads this one, which with room for its first extent is aligned already, by 64 bytes. */
    static const size_t aligned[] = {3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 100};
    CHECK(npy_encode(head, SHEAF_F64, 14, aligned) == 192 && head[8] == 182 && head[9] == 0);
    size_t widest[32];
    for (size_t i = 0; i < 32; i++)
        widest[i] = SIZE_MAX;
    size_t bytes = npy_encode(head, SHEAF_F64, 32, widest);
    CHECK(bytes % 64 == 0 && bytes < NPY_WRITE_MAX && head[bytes - 1] == '\n');
}

static void saved_and_loaded_is_the_same(void)
{
    static const size_t shapes[][3] = {{3, 5, 2}, {0, 5, 2}, {1, 1, 1}, {1000, 1, 7}};
    static const sheaf_dtype dtypes[] = {SHEAF_I32, SHEAF_I64, SHEAF_F32, SHEAF_F64};
    const char *file = file_of("roundtrip");
    unsigned long long state = 2;
    for (size_t s = 0; s < 4; s++)
        for (size_t ndim = 0; ndim <= 3; ndim++)
            for (size_t t = 0; t < 4; t++) {
                sheaf_array *saved;
                sheaf_array *loaded;
                CHECK_OK(sheaf_create_anonymous(&saved, dtypes[t], ndim, shapes[s]));
                unsigned char *data = sheaf_array_data(saved);
                for (size_t i = 0; i < sheaf_array_bytes(saved); i++)
                    data[i] = (unsigned char)check_random(&state);
                CHECK_OK(sheaf_save(saved, file));
                CHECK_OK(sheaf_load(&loaded, file, check_key("roundtrip"), NULL));
                CHECK(sheaf_array_dtype(loaded) == dtypes[t] && sheaf_array_ndim(loaded) == ndim);
                CHECK(memcmp(sheaf_array_shape(loaded), shapes[s], ndim * sizeof(size_t)) == 0);
                CHECK(sheaf_array_bytes(loaded) == sheaf_array_bytes(saved));
                if (sheaf_array_bytes(saved) > 0)
                    CHECK(memcmp(sheaf_array_data(loaded), data, sheaf_array_bytes(saved)) == 0);
                sheaf_detach(saved);
                sheaf_detach(loaded);
                CHECK_OK(sheaf_unlink(check_key("roundtrip")));
            }
    CHECK(unlink(file) == 0);
}

static void a_failed_load_leaves_no_key(void)
{
    static unsigned char bytes[4096];
    sheaf_array *array;
    const char *key = check_key("noload");
    const char *file = file_of("noload");
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_load(&array, "/tmp/no/such/file.npy", key, NULL));
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_load(&array, "/tmp", key, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_load(&array, NULL, key, NULL));
    write_file(file, bytes, 100);
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_load(&array, file, key, NULL));
    write_file(file, bytes,
               pack(bytes, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 16));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_load(&array, file, "no/key", NULL));
    CHECK_OK(sheaf_load(&array, file, key, NULL)); /* elements at byte 65 do not matter to a copy */
    sheaf_detach(array);
    CHECK_STATUS(SHEAF_ERR_EXISTS, sheaf_load(&array, file, key, NULL));
    CHECK_OK(sheaf_unlink(key));
    CHECK(unlink(file) == 0);
    CHECK(mkfifo(file, 0600) == 0); /* must not make us wait */
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_load(&array, file, key, NULL));
    CHECK(unlink(file) == 0);
}

static void a_file_is_mapped_where_it_lies(void)
{
    static const size_t shape[] = {4, 3};
    char key[400];
    const char *file = file_of("mapped");
    sheaf_array *array;
    sheaf_array_info info;
    sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY, .dtype = SHEAF_I32};
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 2, shape));
    ((int32_t *)sheaf_array_data(array))[11] = 11;
    CHECK_OK(sheaf_save(array, file));
    sheaf_detach(array);
    snprintf(key, sizeof key, "file://%s", file);
    CHECK_OK(sheaf_attach(&array, key, &read_only));
    CHECK(array->offset == 128 && !array->segment->is_writable);
    CHECK(array->segment->bytes == 128 + 48 && strcmp(array->segment->path, file) == 0);
    CHECK(strcmp(sheaf_array_key(array), key) == 0);
    CHECK(((const int32_t *)sheaf_array_data(array))[11] == 11);
    sheaf_detach(array);
    CHECK_OK(sheaf_attach(&array, key, NULL));
    ((int32_t *)sheaf_array_data(array))[0] = 5;
    sheaf_detach(array);
    CHECK_OK(sheaf_load(&array, file, check_key("mapped"), NULL));
    CHECK(((const int32_t *)sheaf_array_data(array))[0] == 5);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(check_key("mapped")));
    CHECK_OK(sheaf_info(&info, key));
    CHECK(strcmp(info.key, strrchr(file, '/') + 1) == 0 && info.is_foreign && info.ndim == 2);
    CHECK(info.dtype == SHEAF_I32 && info.data_bytes == 48 && info.segment_bytes == 128 + 48);
    CHECK(unlink(file) == 0);
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_attach(&array, key, NULL));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_info(&info, key));
}

static void elements_that_are_not_aligned_are_loaded_not_mapped(void)
{
    unsigned char bytes[4096];
    char key[400];
    const char *file = file_of("unaligned");
    sheaf_array *array;
    write_file(file, bytes,
               pack(bytes, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 16));
    snprintf(key, sizeof key, "file://%s", file);
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
    CHECK_ERROR_SAYS("sheaf_load");
    CHECK(unlink(file) == 0);
}

/* Whether there is a file in the folder whose size is not `bytes`. */
static bool has_other_file(const char *folder, size_t bytes)
{
    char command[500];
    snprintf(command, sizeof command, "find %s -type f ! -size %zuc 2>/dev/null | grep -q .",
             folder, bytes);
    return system(command) == 0;
}

static void a_save_replaces_whole_or_not_at_all(void)
{
    static const size_t shape[] = {1 << 16};
    const char *folder = file_of("replace");
    char file[320];
    char link[320];
    sheaf_array *array;
    struct stat before;
    struct stat after;
    CHECK(mkdir(folder, 0700) == 0);
    snprintf(file, sizeof file, "%s/file", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, shape));
    CHECK_OK(sheaf_save(array, file));
    CHECK(chmod(file, 0640) == 0 && stat(file, &before) == 0);
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) { /* a file may not become longer than that */
        struct rlimit limit = {.rlim_cur = 1 << 16, .rlim_max = 1 << 16};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(1);
        _exit(sheaf_save(array, file) == SHEAF_ERR_NO_SPACE ? 0 : 2);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(stat(file, &after) == 0 && after.st_ino == before.st_ino);
    CHECK_OK(sheaf_save(array, file));
    CHECK(stat(file, &after) == 0 && after.st_ino != before.st_ino);
    CHECK((after.st_mode & 07777) == 0640 && after.st_size == 128 + (8 << 16));
    CHECK(symlink(file, link) == 0);
    CHECK_OK(sheaf_save(array, link)); /* what the link names is replaced, not the link */
    CHECK(lstat(link, &after) == 0 && S_ISLNK(after.st_mode));
    CHECK(unlink(link) == 0 && unlink(file) == 0);
    CHECK_STATUS(SHEAF_ERR_SYSTEM, sheaf_save(array, "/tmp"));
    CHECK_STATUS(SHEAF_ERR_SYSTEM, sheaf_save(array, "/dev/null"));
    CHECK_STATUS(SHEAF_ERR_SYSTEM, sheaf_save(array, "/tmp/no/such/file.npy"));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_save(NULL, file));
    sheaf_detach(array);
    CHECK(rmdir(folder) == 0); /* no part of a file is left */
}

static void a_name_can_be_as_long_as_names_can_be(void)
{
    static const size_t shape[] = {2};
    char path[300];
    sheaf_array *array;
    sheaf_array *back;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, shape));
    int folder = snprintf(path, sizeof path, "/tmp/%s", check_key("long-"));
    memset(path + folder, 'x', sizeof path - (size_t)folder);
    path[5 + 255] = '\0';
    CHECK_OK(sheaf_save(array, path));
    CHECK_OK(sheaf_load(&back, path, check_key("long"), NULL));
    CHECK(sheaf_array_bytes(back) == 16);
    sheaf_detach(back);
    CHECK_OK(sheaf_unlink(check_key("long")));
    CHECK(unlink(path) == 0);
    path[5 + 255] = 'x';
    path[5 + 256] = '\0';
    CHECK_STATUS(SHEAF_ERR_SYSTEM, sheaf_save(array, path));
    sheaf_detach(array);
}

static void a_save_killed_at_any_time_leaves_the_old_file_or_the_new(void)
{
    static const size_t shape[] = {1 << 19}; /* 4 MiB */
    const char *folder = file_of("killed");
    char file[320];
    unsigned long long state = 4;
    sheaf_array *array;
    struct stat st;
    CHECK(mkdir(folder, 0700) == 0);
    snprintf(file, sizeof file, "%s/file", folder);
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, shape));
    CHECK_OK(sheaf_save(array, file));
    int nameless = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (nameless >= 0)
        close(nameless);
    for (int round = 0; round < 40; round++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            for (;;)
                if (sheaf_save(array, file) != SHEAF_OK)
                    _exit(1);
        struct timespec time = {.tv_nsec = (long)(check_random(&state) % 15000000)};
        nanosleep(&time, NULL);
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        CHECK(stat(file, &st) == 0 && st.st_size == 128 + (8 << 19));
        if (nameless >= 0) /* it has no name before it is whole */
            CHECK(!has_other_file(folder, 128 + (8 << 19)));
    }
    char command[400];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
    sheaf_detach(array);
}

CHECK_MAIN(CASE(dicts_in_any_order_and_spacing_are_read),
           CASE(bad_headers_are_refused_and_the_text_says_why), CASE(lengths_that_lie_are_refused),
           CASE(what_is_written_is_what_numpy_writes), CASE(saved_and_loaded_is_the_same),
           CASE(a_failed_load_leaves_no_key), CASE(a_file_is_mapped_where_it_lies),
           CASE(elements_that_are_not_aligned_are_loaded_not_mapped),
           CASE(a_save_replaces_whole_or_not_at_all), CASE(a_name_can_be_as_long_as_names_can_be),
           CASE(a_save_killed_at_any_time_leaves_the_old_file_or_the_new))
