/* test_memory_format.c -- the bytes of a segment: ours, as the essay in memory/footer.h gives them, and
 * SharedArray's, packed here from the published table, never by the library. */
#include "check.h"
#include "crc32c.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sheaf/array.h>

/* With the zeros that strncpy() puts after it. */
static const unsigned char foreign_magic[16] = "[SharedArray]\0\0";

static uint64_t get(const unsigned char *from, size_t bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | from[bytes];
    return value;
}

static void put(unsigned char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, value >>= 8)
        to[i] = (unsigned char)value;
}

static const char *path_of(const char *key)
{
    static char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", key);
    return path;
}

static void write_segment(const char *key, const void *bytes, size_t count)
{
    int fd = open(path_of(key), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
    close(fd);
}

static size_t read_segment(const char *key, unsigned char *bytes, size_t capacity)
{
    int fd = open(path_of(key), O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    ssize_t count = read(fd, bytes, capacity);
    close(fd);
    CHECK(count > 0 && (size_t)count < capacity);
    return (size_t)count;
}

static void the_crc_of_this_test_is_the_published_one(void)
{
    CHECK(crc32c((const unsigned char *)"123456789", 9) == 0xe3069283); /* RFC 3720's polynomial */
}

static void make_35(const char *key, sheaf_lifetime lifetime)
{
    static const size_t shape[] = {3, 5};
    sheaf_create_options options = {.lifetime = lifetime};
    sheaf_array *array;
    CHECK_OK(sheaf_create(&array, key, SHEAF_F64, 2, shape, &options));
    for (size_t i = 0; i < 15; i++)
        ((double *)sheaf_array_data(array))[i] = (double)i;
    sheaf_detach(array);
}

static void our_footer_lies_as_the_essay_says(void)
{
    static _Alignas(8) unsigned char bytes[20000];
    const char *key = check_key("bytes");
    make_35(key, SHEAF_PERSISTENT);
    size_t count = read_segment(key, bytes, sizeof bytes);
    const unsigned char *record = bytes + count - 4096;
    CHECK(count == 8192);
    for (size_t i = 0; i < 15; i++)
        CHECK(((const double *)(const void *)bytes)[i] == (double)i);
    CHECK(memcmp(record, "\x89SHEAF\n\x1a", 8) == 0);
    CHECK(get(record + 8, 2) == 1 && get(record + 10, 2) == 0 && get(record + 12, 4) == 0);
    CHECK(get(record + 16, 4) == 13 && get(record + 20, 4) == 2 && get(record + 24, 8) == 120);
    CHECK(get(record + 32, 8) > 1500000000ull * 1000000000);
    CHECK(get(record + 40, 4) == 0 && get(record + 44, 4) == (uint64_t)getpid());
    CHECK(get(record + 48, 8) > 0 && get(record + 72, 8) == 0);
    CHECK(get(record + 80, 8) == 3 && get(record + 88, 8) == 5 && get(record + 96, 8) == 0);
    CHECK(get(record + 336, 4) == crc32c(record, 336));
    for (size_t i = 340; i < 4096 - 548; i++)
        CHECK(record[i] == 0);
    CHECK_OK(sheaf_unlink(key));
}

static void the_creator_is_the_one_that_proc_shows(void)
{
    unsigned char bytes[20000];
    char text[64] = "";
    char hex[33];
    const char *key = check_key("creator");
    make_35(key, SHEAF_PERSISTENT);
    const unsigned char *record = bytes + read_segment(key, bytes, sizeof bytes) - 4096;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    CHECK(file != NULL && fgets(text, sizeof text, file) != NULL);
    fclose(file);
    for (size_t i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", record[56 + i]);
    for (size_t i = 0, k = 0; text[i] != '\0' && text[i] != '\n'; i++)
        if (text[i] != '-')
            CHECK(text[i] == hex[k++]);
    CHECK_OK(sheaf_unlink(key));
}

/* What a build of SharedArray with shape[dims] sees: it reads its own struct at the end, no more. */
static bool sharedarray_sees(const unsigned char *bytes, size_t count, size_t dims, size_t ndim,
                             const size_t *shape, int typenum, size_t itemsize)
{
    const unsigned char *at = bytes + count - (36 + 8 * dims);
    size_t product = itemsize;
    if (memcmp(at, foreign_magic, 16) != 0)
        return false;
    for (size_t i = 0; i < ndim; i++) {
        CHECK(get(at + 36 + 8 * i, 8) == shape[i]);
        product *= shape[i];
    }
    return get(at + 16, 8) == product && get(at + 24, 4) == (uint64_t)typenum &&
           get(at + 28, 4) == itemsize && get(at + 32, 4) == ndim;
}

static void both_builds_of_sharedarray_see_ours(void)
{
    static const struct {
        sheaf_dtype dtype;
        int typenum;
        size_t itemsize;
    } types[] = {{SHEAF_I32, 5, 4}, {SHEAF_I64, 7, 8}, {SHEAF_F32, 11, 4}, {SHEAF_F64, 12, 8}};
    static const size_t ndims[] = {0, 1, 2, 26, 27, 28, 32};
    static unsigned char bytes[20000];
    const char *key = check_key("dual");
    size_t shape[32];
    sheaf_array *array;
    for (size_t i = 0; i < 32; i++)
        shape[i] = i % 9 == 0 ? 2 : 1;
    for (size_t t = 0; t < 4; t++)
        for (size_t n = 0; n < sizeof ndims / sizeof ndims[0]; n++) {
            CHECK_OK(sheaf_create(&array, key, types[t].dtype, ndims[n], shape, NULL));
            sheaf_detach(array);
            size_t count = read_segment(key, bytes, sizeof bytes);
            CHECK(sharedarray_sees(bytes, count, 64, ndims[n], shape, types[t].typenum,
                                   types[t].itemsize));
            CHECK(sharedarray_sees(bytes, count, 32, ndims[n], shape, types[t].typenum,
                                   types[t].itemsize) == (ndims[n] <= 27));
            CHECK_OK(sheaf_unlink(key));
        }
}

/* A segment as SharedArray makes it: the elements, then the trailer of a build with shape[dims]. */
static size_t pack_foreign(unsigned char *bytes, size_t dims, bool has_itemsize, uint64_t typenum,
                           uint64_t itemsize)
{
    static const size_t shape[] = {3, 7};
    size_t data_bytes = (size_t)(21 * itemsize);
    size_t ndim_at = has_itemsize ? 32 : 28;
    unsigned char *at = bytes + data_bytes;
    memset(bytes, 0, data_bytes + 36 + 8 * dims);
    for (size_t i = 0; i < 21; i++)
        bytes[i * itemsize] = (unsigned char)i;
    memcpy(at, foreign_magic, 16);
    put(at + 16, data_bytes, 8);
    put(at + 24, typenum, 4);
    if (has_itemsize)
        put(at + 28, itemsize, 4);
    put(at + ndim_at, 2, 4);
    put(at + ndim_at + 4, shape[0], 8);
    put(at + ndim_at + 12, shape[1], 8);
    return data_bytes + ndim_at + 4 + 8 * dims;
}

static void segments_of_every_sharedarray_attach(void)
{
    static const struct {
        size_t dims;
        bool has_itemsize;
        size_t trailer;
    } builds[] = {{64, true, 548}, {32, true, 292}, {32, false, 288}, {16, false, 160}};
    static const size_t shape[] = {3, 7};
    unsigned char bytes[2000];
    const char *key = check_key("foreign");
    for (size_t b = 0; b < 4; b++)
        for (uint64_t typenum = 7; typenum <= 9; typenum += 2) { /* long, long long */
            sheaf_array *array;
            sheaf_array_info info;
            sheaf_attach_options expected = {.dtype = SHEAF_I64, .shape = shape, .ndim = 2};
            size_t count = pack_foreign(bytes, builds[b].dims, builds[b].has_itemsize, typenum, 8);
            CHECK(count == (size_t)21 * 8 + builds[b].trailer);
            write_segment(key, bytes, count);
            CHECK_OK(sheaf_attach(&array, key, &expected));
            for (int64_t i = 0; i < 21; i++)
                CHECK(((const int64_t *)sheaf_array_data(array))[i] == i);
            CHECK_OK(sheaf_info(&info, key));
            CHECK(info.is_foreign && !info.is_orphan && info.creator_pid == 0);
            CHECK(info.created_unix_ns == 0 && info.segment_bytes == count);
            sheaf_detach(array);
            CHECK_OK(sheaf_unlink(key));
        }
}

static void foreign_types_that_we_lack_are_a_dtype_error_but_can_be_removed(void)
{
    unsigned char bytes[2000];
    sheaf_array *array;
    const char *key = check_key("complex");
    write_segment(key, bytes, pack_foreign(bytes, 64, true, 15, 16));
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_attach(&array, key, NULL));
    CHECK_ERROR_SAYS("type number 15");
    CHECK_OK(sheaf_unlink(key));
}

static void foreign_trailers_that_lie_are_refused(void)
{
    static const struct {
        size_t at;
        size_t bytes;
        uint64_t value;
        const char *says;
    } lies[] = {
        {16, 8, 0, "other bytes of elements"},  {16, 8, 1 << 20, "more bytes of elements"},
        {16, 8, UINT64_MAX, "more bytes"},      {28, 4, 4, "another size of an element"},
        {32, 4, 65, "more dimensions"},         {32, 4, 33, "more than 32 dimensions"},
        {32, 4, UINT32_MAX, "more dimensions"}, {36, 8, UINT64_MAX, "overflows"},
        {36, 8, 1ull << 61, "overflows"},       {32, 4, 0, "other bytes of elements"},
    };
    unsigned char bytes[2000];
    sheaf_array *array;
    const char *key = check_key("lies");
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        size_t count = pack_foreign(bytes, 64, true, 12, 8);
        put(bytes + (size_t)21 * 8 + lies[i].at, lies[i].value, lies[i].bytes);
        write_segment(key, bytes, count);
        CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
        if (strstr(sheaf_last_error(), lies[i].says) == NULL)
            check_failed(__FILE__, __LINE__, lies[i].says);
    }
    CHECK(unlink(path_of(key)) == 0);
}

/* One field of our record overwritten, and the CRC made right again. */
static void lie_in_record(size_t at, size_t bytes, uint64_t value, sheaf_status expected,
                          const char *says)
{
    unsigned char segment[20000];
    sheaf_array *array;
    const char *key = check_key("record");
    make_35(key, SHEAF_PERSISTENT);
    size_t count = read_segment(key, segment, sizeof segment);
    unsigned char *record = segment + count - 4096;
    put(record + at, value, bytes);
    if (at != 336)
        put(record + 336, crc32c(record, 336), 4);
    write_segment(key, segment, count);
    CHECK_STATUS(expected, sheaf_attach(&array, key, NULL));
    if (strstr(sheaf_last_error(), says) == NULL)
        check_failed(__FILE__, __LINE__, says);
    CHECK(unlink(path_of(key)) == 0);
}

static void records_that_lie_are_refused_and_the_text_says_why(void)
{
    lie_in_record(8, 2, 2, SHEAF_ERR_FORMAT, "a newer version of sheaf");
    lie_in_record(12, 4, 1, SHEAF_ERR_FORMAT, "a newer version of sheaf");
    lie_in_record(12, 4, 1u << 31, SHEAF_ERR_FORMAT, "must-understand flags 0x80000000");
    lie_in_record(16, 4, 14, SHEAF_ERR_DTYPE, "type code 14");
    lie_in_record(16, 4, UINT32_MAX, SHEAF_ERR_DTYPE, "type code 4294967295");
    lie_in_record(20, 4, 33, SHEAF_ERR_FORMAT, "ndim 33");
    lie_in_record(20, 4, 3, SHEAF_ERR_FORMAT, "its shape makes 0");
    lie_in_record(24, 8, 112, SHEAF_ERR_FORMAT, "112 bytes of elements, its shape makes 120");
    lie_in_record(40, 4, 2, SHEAF_ERR_FORMAT, "lifetime 2");
    lie_in_record(80, 8, UINT64_MAX, SHEAF_ERR_FORMAT, "overflows");
    lie_in_record(80, 8, 1ull << 60, SHEAF_ERR_FORMAT, "overflows");
    lie_in_record(336, 4, 0, SHEAF_ERR_FORMAT, "CRC");
}

static void a_later_minor_version_is_read(void)
{
    unsigned char segment[20000];
    sheaf_array *array;
    const char *key = check_key("minor");
    make_35(key, SHEAF_PERSISTENT);
    size_t count = read_segment(key, segment, sizeof segment);
    put(segment + count - 4096 + 10, 7, 2);
    put(segment + count - 4096 + 340, 12345, 8);
    put(segment + count - 4096 + 336, crc32c(segment + count - 4096, 336), 4);
    write_segment(key, segment, count);
    CHECK_OK(sheaf_attach(&array, key, NULL));
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(key));
}

static void data_may_end_long_before_the_footer(void)
{
    static unsigned char segment[40000];
    sheaf_array *array;
    const char *key = check_key("between");
    make_35(key, SHEAF_PERSISTENT);
    size_t count = read_segment(key, segment, sizeof segment);
    memmove(segment + 30001, segment + count - 4096, 4096); /* anything may lie between */
    memset(segment + 120, 0xee, 30001 - 120);
    write_segment(key, segment, 30001 + 4096);
    CHECK_OK(sheaf_attach(&array, key, NULL));
    CHECK(((const double *)sheaf_array_data(array))[14] == 14);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(key));
}

static void what_is_no_array_is_refused_and_left_alone(void)
{
    static unsigned char bytes[9000];
    static const size_t counts[] = {0, 1, 159, 160, 291, 292, 548, 4095, 4096, 4097, 9000};
    unsigned long long state = 3;
    sheaf_array *array;
    sheaf_array_info info;
    const char *key = check_key("noise");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)check_random(&state);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        write_segment(key, bytes, counts[i]);
        CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
        CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_info(&info, key));
        CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_unlink(key));
        CHECK_ERROR_SAYS("is no array");
    }
    CHECK(unlink(path_of(key)) == 0);
    CHECK(mkfifo(path_of(key), 0600) == 0); /* must not make us wait */
    CHECK_STATUS(SHEAF_ERR_FORMAT,
                 sheaf_attach(&array, key, &(sheaf_attach_options){.access = SHEAF_READ_ONLY}));
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_unlink(key));
    CHECK(unlink(path_of(key)) == 0);
    CHECK(symlink("/etc/passwd", path_of(key)) == 0);
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
    CHECK_ERROR_SAYS("symbolic link");
    CHECK(unlink(path_of(key)) == 0);
    CHECK(mkdir(path_of(key), 0700) == 0);
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_unlink(key));
    CHECK(rmdir(path_of(key)) == 0);
}

static void a_segment_that_was_cut_is_refused(void)
{
    static unsigned char segment[20000];
    static const size_t shape[] = {1000};
    sheaf_array *array;
    const char *key = check_key("cut");
    CHECK_OK(sheaf_create(&array, key, SHEAF_F64, 1, shape, NULL));
    sheaf_detach(array);
    size_t count = read_segment(key, segment, sizeof segment);
    for (size_t left = 0; left < count; left += left < count - 600 ? 509 : 1) {
        write_segment(key, segment, left);
        CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
    }
    write_segment(key, segment + 4096, count - 4096); /* the front cut off: the footer is whole */
    CHECK_STATUS(SHEAF_ERR_FORMAT, sheaf_attach(&array, key, NULL));
    CHECK_ERROR_SAYS("it was cut");
    CHECK(unlink(path_of(key)) == 0);
}

/* Whatever attaches after bytes were changed can be read to its last byte. */
static void thousands_of_mutations_neither_crash_nor_map_beyond(void)
{
    static unsigned char original[20000];
    static unsigned char segment[20000];
    unsigned long long state = 11;
    size_t attached[2] = {0};
    const char *key = check_key("mutant");
    make_35(key, SHEAF_PERSISTENT);
    size_t ours = read_segment(key, original, sizeof original);
    for (int round = 0; round < 6000; round++) {
        bool is_foreign = round % 3 == 2;
        size_t count = is_foreign ? pack_foreign(segment, 64, true, 12, 8) : ours;
        if (!is_foreign)
            memcpy(segment, original, count);
        unsigned char *record = segment + count - (is_foreign ? 548 : 4096);
        for (unsigned long long n = check_random(&state) % 4 + 1; n > 0; n--)
            record[check_random(&state) % (is_foreign ? 548 : 340)] ^=
                (unsigned char)(1u << (check_random(&state) % 8));
        if (round % 3 == 1)
            put(record + 336, crc32c(record, 336), 4);
        bool is_cut = check_random(&state) % 8 == 0;
        size_t kept = is_cut ? (size_t)(check_random(&state) % count) : count;
        write_segment(key, segment + (count - kept), kept);
        sheaf_array *array;
        sheaf_status status = sheaf_attach(&array, key, NULL);
        if (status == SHEAF_OK) {
            volatile unsigned char sum = 0;
            const unsigned char *data = sheaf_array_data(array);
            CHECK(sheaf_array_bytes(array) <= kept);
            for (size_t i = 0; i < sheaf_array_bytes(array); i++)
                sum = (unsigned char)(sum + data[i]);
            sheaf_detach(array);
            attached[is_foreign]++;
        } else {
            CHECK(status == SHEAF_ERR_FORMAT || status == SHEAF_ERR_DTYPE);
        }
    }
    /* the creator's bits, and the shape beyond ndim, are free */
    CHECK(attached[0] > 100 && attached[1] > 100);
    CHECK(unlink(path_of(key)) == 0);
}

static void info_and_list_say_what_is_there(void)
{
    sheaf_array_info info;
    sheaf_array_info *list;
    size_t count;
    size_t seen = 0;
    make_35(check_key("list-b"), SHEAF_PERSISTENT);
    make_35(check_key("list-a"), SHEAF_PERSISTENT);
    write_segment(check_key("list-c"), "noise", 5);
    CHECK_OK(sheaf_info(&info, check_key("list-a")));
    CHECK(strcmp(info.key, check_key("list-a")) == 0 && info.dtype == SHEAF_F64 && info.ndim == 2);
    CHECK(info.shape[0] == 3 && info.shape[1] == 5 && info.data_bytes == 120);
    CHECK(info.segment_bytes == 8192 && info.lifetime == SHEAF_PERSISTENT && !info.is_foreign);
    CHECK(!info.is_orphan && info.creator_pid == getpid());
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_info(&info, check_key("list-x")));
    CHECK_OK(sheaf_list(&list, &count));
    CHECK_ERROR_SAYS("list-x"); /* what list passed over did not replace the text */
    for (size_t i = 0; i < count; i++) {
        CHECK(i == 0 || strcmp(list[i - 1].key, list[i].key) < 0);
        CHECK(strcmp(list[i].key, check_key("list-c")) != 0);
        if (strcmp(list[i].key, check_key("list-a")) == 0)
            CHECK(memcmp(&list[i].shape, &info.shape, sizeof info.shape) == 0 && ++seen > 0);
        if (strcmp(list[i].key, check_key("list-b")) == 0)
            seen++;
    }
    CHECK(seen == 2);
    sheaf_list_free(list);
    CHECK_OK(sheaf_unlink(check_key("list-a")));
    CHECK_OK(sheaf_unlink(check_key("list-b")));
    CHECK(unlink(path_of(check_key("list-c"))) == 0);
}

static void another_users_segment_is_not_ours(void)
{
    sheaf_array *array;
    const char *key = check_key("stranger");
    if (geteuid() != 0) {
        printf("  (needs root to give a file away: not checked)\n");
        return;
    }
    make_35(key, SHEAF_PERSISTENT);
    CHECK(chown(path_of(key), 12345, (gid_t)-1) == 0);
    CHECK_STATUS(SHEAF_ERR_ACCESS, sheaf_attach(&array, key, NULL));
    CHECK_ERROR_SAYS("belongs to user 12345");
    CHECK_STATUS(SHEAF_ERR_ACCESS, sheaf_unlink(key));
    CHECK(unlink(path_of(key)) == 0);
}

CHECK_MAIN(CASE(the_crc_of_this_test_is_the_published_one), CASE(our_footer_lies_as_the_essay_says),
           CASE(the_creator_is_the_one_that_proc_shows), CASE(both_builds_of_sharedarray_see_ours),
           CASE(segments_of_every_sharedarray_attach),
           CASE(foreign_types_that_we_lack_are_a_dtype_error_but_can_be_removed),
           CASE(foreign_trailers_that_lie_are_refused),
           CASE(records_that_lie_are_refused_and_the_text_says_why),
           CASE(a_later_minor_version_is_read), CASE(data_may_end_long_before_the_footer),
           CASE(what_is_no_array_is_refused_and_left_alone),
           CASE(a_segment_that_was_cut_is_refused),
           CASE(thousands_of_mutations_neither_crash_nor_map_beyond),
           CASE(info_and_list_say_what_is_there), CASE(another_users_segment_is_not_ours))
