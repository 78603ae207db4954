/* test_memory.c -- arrays by key: what include/sheaf/array.h promises when nothing goes wrong, and when
 * the caller does. */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sheaf/array.h>

#include "memory/array.h"

static const size_t shape_35[] = {3, 5};

static char *shm_file(const char *key)
{
    static char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", key);
    return path;
}

static sheaf_array *make(const char *key, sheaf_dtype dtype, size_t ndim, const size_t *shape)
{
    sheaf_array *array = NULL;
    CHECK_OK(sheaf_create(&array, key, dtype, ndim, shape, NULL));
    return array;
}

static void an_array_is_what_was_asked_for_and_zero(void)
{
    const char *key = check_key("plain");
    sheaf_array *array = make(key, SHEAF_F64, 2, shape_35);
    const double *data = sheaf_array_data(array);
    CHECK(sheaf_array_dtype(array) == SHEAF_F64 && sheaf_array_ndim(array) == 2);
    CHECK(memcmp(sheaf_array_shape(array), shape_35, sizeof shape_35) == 0);
    CHECK(sheaf_array_size(array) == 15 && sheaf_array_bytes(array) == 120);
    CHECK(strcmp(sheaf_array_key(array), key) == 0);
    CHECK((uintptr_t)data % 4096 == 0);
    for (size_t i = 0; i < 15; i++)
        CHECK(data[i] == 0);
    struct stat st;
    CHECK(stat(shm_file(key), &st) == 0);
    CHECK((st.st_mode & 07777) == 0600);
    CHECK(st.st_size == 8192 && st.st_blocks * 512 >= 8192); /* reserved, not merely sized */
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(key));
}

static void the_mode_is_0600_whatever_the_umask(void)
{
    struct stat st;
    mode_t old = umask(0);
    sheaf_detach(make(check_key("umask0"), SHEAF_F64, 0, NULL));
    umask(0777);
    sheaf_detach(make(check_key("umask7"), SHEAF_F64, 0, NULL));
    sheaf_array *owned; /* whose lock opens the file a second time */
    CHECK_OK(sheaf_create(&owned, check_key("umask7owned"), SHEAF_F64, 0, NULL,
                          &(sheaf_create_options){.lifetime = SHEAF_OWNED}));
    sheaf_detach(owned);
    umask(old);
    CHECK(stat(shm_file(check_key("umask0")), &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(stat(shm_file(check_key("umask7")), &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK_OK(sheaf_unlink(check_key("umask0")));
    CHECK_OK(sheaf_unlink(check_key("umask7")));
}

static void what_one_writes_another_process_reads(void)
{
    const char *key = check_key("two");
    sheaf_array *array = make(key, SHEAF_I64, 2, shape_35);
    ((int64_t *)sheaf_array_data(array))[14] = 77;
    pid_t child = fork();
    if (child == 0) {
        sheaf_array *mine;
        bool is_same = sheaf_attach(&mine, key, NULL) == SHEAF_OK &&
                       ((int64_t *)sheaf_array_data(mine))[14] == 77;
        ((int64_t *)sheaf_array_data(mine))[0] = 78;
        _exit(is_same ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(((int64_t *)sheaf_array_data(array))[0] == 78);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(key));
}

static void a_key_may_be_written_as_a_url(void)
{
    char url[300];
    sheaf_array *array;
    snprintf(url, sizeof url, "shm://%s", check_key("url"));
    sheaf_detach(make(url, SHEAF_F32, 2, shape_35));
    CHECK_OK(sheaf_attach(&array, check_key("url"), NULL));
    CHECK(strcmp(sheaf_array_key(array), check_key("url")) == 0);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(url));
}

static void bad_keys_are_refused_everywhere(void)
{
    static const char *const bad[] = {"",          ".",       "..",          "a/b",      "/a",
                                      "a b",       "a\n",     "caf\xc3\xa9", "a:b",      "shm://",
                                      "shm://a/b", "shm://.", "a~b",         "http://a", "file://"};
    char long_key[SHEAF_KEY_MAX + 2];
    sheaf_array *array = (sheaf_array *)&long_key;
    sheaf_array_info info;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create(&array, bad[i], SHEAF_F64, 0, NULL, NULL));
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_attach(&array, bad[i], NULL));
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_info(&info, bad[i]));
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_unlink(bad[i]));
    }
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create(&array, NULL, SHEAF_F64, 0, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_attach(&array, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_unlink(NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create(&array, "file:///x", SHEAF_F64, 0, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_unlink("file:///x"));
    memset(long_key, 'k', sizeof long_key);
    long_key[SHEAF_KEY_MAX + 1] = '\0';
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create(&array, long_key, SHEAF_F64, 0, NULL, NULL));
    CHECK_ERROR_SAYS("201 bytes, 200 is the limit");
    CHECK(array == (sheaf_array *)&long_key); /* out-parameters are written on success only */
}

static void a_key_of_200_bytes_and_of_every_letter_is_good(void)
{
    char key[SHEAF_KEY_MAX + 1];
    sheaf_array *array;
    memset(key, '-', sizeof key);
    const char *start = check_key("AZaz09._-");
    memcpy(key, start, strlen(start));
    key[SHEAF_KEY_MAX] = '\0';
    sheaf_detach(make(key, SHEAF_F32, 2, shape_35));
    CHECK_OK(sheaf_attach(&array, key, NULL));
    CHECK(strcmp(sheaf_array_key(array), key) == 0);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(key));
}

static void a_key_is_taken_once_and_unknown_when_gone(void)
{
    const char *key = check_key("once");
    sheaf_array *array = make(key, SHEAF_F64, 2, shape_35);
    sheaf_array *other;
    sheaf_array_info info;
    CHECK_STATUS(SHEAF_ERR_EXISTS, sheaf_create(&other, key, SHEAF_F64, 0, NULL, NULL));
    CHECK_ERROR_SAYS("taken");
    CHECK_OK(sheaf_unlink(key));
    ((double *)sheaf_array_data(array))[14] = 1; /* those who have it mapped keep it */
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_unlink(key));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_attach(&other, key, NULL));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_info(&info, key));
    CHECK_ERROR_SAYS("no array has the key");
    sheaf_detach(array);
}

static void shapes_of_nothing_and_of_no_dimension(void)
{
    static const size_t empty[] = {3, 0, 5};
    sheaf_array *array = make(check_key("empty"), SHEAF_F64, 3, empty);
    sheaf_array *other;
    CHECK(sheaf_array_size(array) == 0 && sheaf_array_bytes(array) == 0);
    CHECK_OK(sheaf_attach(&other, check_key("empty"), NULL));
    CHECK(sheaf_array_ndim(other) == 3 &&
          memcmp(sheaf_array_shape(other), empty, sizeof empty) == 0);
    CHECK(sheaf_array_size(other) == 0);
    sheaf_detach(other);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(check_key("empty")));

    array = make(check_key("scalar"), SHEAF_I32, 0, NULL);
    CHECK(sheaf_array_size(array) == 1 && sheaf_array_bytes(array) == 4);
    *(int32_t *)sheaf_array_data(array) = 5;
    CHECK_OK(sheaf_attach(&other, check_key("scalar"), NULL));
    CHECK(sheaf_array_ndim(other) == 0 && *(int32_t *)sheaf_array_data(other) == 5);
    sheaf_detach(other);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(check_key("scalar")));

    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 3, empty));
    CHECK(sheaf_array_size(array) == 0);
    sheaf_detach(array);
    CHECK_OK(sheaf_wrap(&array, NULL, SHEAF_F64, 3, empty));
    CHECK(sheaf_array_size(array) == 0);
    sheaf_detach(array);
}

static void thirty_two_dimensions_and_no_more(void)
{
    size_t shape[33];
    sheaf_array *array;
    for (size_t i = 0; i < 33; i++)
        shape[i] = i < 4 ? 2 : 1;
    array = make(check_key("dims"), SHEAF_F32, 32, shape);
    CHECK(sheaf_array_size(array) == 16);
    sheaf_detach(array);
    CHECK_OK(sheaf_attach(&array, check_key("dims"), NULL));
    CHECK(sheaf_array_ndim(array) == 32 &&
          memcmp(sheaf_array_shape(array), shape, 32 * sizeof(size_t)) == 0);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(check_key("dims")));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_create(&array, check_key("x"), SHEAF_F32, 33, shape, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create_anonymous(&array, SHEAF_F32, 33, shape));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_wrap(&array, shape, SHEAF_F32, 33, shape));
}

static void shapes_that_overflow_are_refused(void)
{
    static const size_t shapes[][3] = {
        {SIZE_MAX, 1, 1},          {SIZE_MAX / 8 + 1, 1, 1},  {1UL << 32, 1UL << 32, 1},
        {1UL << 31, 1UL << 31, 2}, {1UL << 60, 1, 1},         {3, SIZE_MAX / 3 + 1, 1},
        {0, 1UL << 40, 1UL << 40}, {1UL << 40, 1UL << 40, 0}, {(1UL << 60) - 1, 1, 1},
    };
    sheaf_array *array;
    double number = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        CHECK_STATUS(SHEAF_ERR_OVERFLOW,
                     sheaf_create(&array, check_key("over"), SHEAF_F64, 3, shapes[i], NULL));
        CHECK_STATUS(SHEAF_ERR_OVERFLOW, sheaf_create_anonymous(&array, SHEAF_F64, 3, shapes[i]));
        CHECK_STATUS(SHEAF_ERR_OVERFLOW, sheaf_wrap(&array, &number, SHEAF_F64, 3, shapes[i]));
    }
}

static void more_than_there_is_is_refused_at_once(void)
{
    static const size_t huge[] = {1UL << 50};
    sheaf_array *array;
    CHECK_STATUS(SHEAF_ERR_NO_SPACE,
                 sheaf_create(&array, check_key("huge"), SHEAF_F64, 1, huge, NULL));
    CHECK_ERROR_SAYS("needs 9007199254745088 bytes");
    CHECK_ERROR_SAYS("free in /dev/shm");
    CHECK_STATUS(SHEAF_ERR_NO_MEMORY, sheaf_create_anonymous(&array, SHEAF_F64, 1, huge));
}

static void other_arguments_are_checked(void)
{
    sheaf_array *array;
    double numbers[2] = {0};
    sheaf_create_options no_lifetime = {.lifetime = (sheaf_lifetime)2};
    sheaf_attach_options no_access = {.access = (sheaf_access)2};
    sheaf_attach_options no_dtype = {.dtype = (sheaf_dtype)99};
    const char *key = check_key("arguments");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create(NULL, key, SHEAF_F64, 0, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create(&array, key, SHEAF_F64, 1, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_create(&array, key, (sheaf_dtype)0, 0, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_create(&array, key, (sheaf_dtype)14, 0, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create(&array, key, SHEAF_F64, 0, NULL, &no_lifetime));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_create_anonymous(NULL, SHEAF_F64, 0, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_wrap(NULL, numbers, SHEAF_F64, 0, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_wrap(&array, NULL, SHEAF_F64, 0, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_wrap(&array, (char *)numbers + 1, SHEAF_F64, 0, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_attach(NULL, key, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_attach(&array, key, &no_access));
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_attach(&array, key, &no_dtype));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_info(NULL, key));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_list(NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_gc(NULL, NULL));
    sheaf_detach(NULL);
    sheaf_list_free(NULL);
}

static void attach_checks_what_is_expected(void)
{
    static const size_t other_shape[] = {5, 3};
    const char *key = check_key("expect");
    sheaf_array *array;
    sheaf_attach_options expected = {.dtype = SHEAF_F64, .shape = shape_35, .ndim = 2};
    sheaf_detach(make(key, SHEAF_F64, 2, shape_35));
    CHECK_OK(sheaf_attach(&array, key, &expected));
    sheaf_detach(array);
    expected.dtype = SHEAF_I64;
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_attach(&array, key, &expected));
    CHECK_ERROR_SAYS("f64, not i64");
    expected.dtype = (sheaf_dtype)0;
    expected.shape = other_shape;
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_attach(&array, key, &expected));
    CHECK_ERROR_SAYS("(3, 5), not (5, 3)");
    expected.ndim = 1;
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_attach(&array, key, &expected));
    expected.ndim = 0; /* with a shape: no dimension is expected */
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_attach(&array, key, &expected));
    CHECK_OK(sheaf_unlink(key));
}

static void writing_to_a_read_only_map_is_a_sigsegv(void)
{
    const char *key = check_key("readonly");
    sheaf_array *array;
    sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    sheaf_detach(make(key, SHEAF_F64, 2, shape_35));
    CHECK_OK(sheaf_attach(&array, key, &read_only));
    CHECK(!array->segment->is_writable);
    CHECK((fcntl(array->segment->descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY);
    CHECK(((const double *)sheaf_array_data(array))[14] == 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        ((volatile double *)sheaf_array_data(array))[0] = 1;
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(key));
}

static void wrapped_memory_is_used_as_it_is(void)
{
    double numbers[15] = {1, 2, 3};
    sheaf_array *array;
    CHECK_OK(sheaf_wrap(&array, numbers, SHEAF_F64, 2, shape_35));
    CHECK(sheaf_array_data(array) == numbers && sheaf_array_size(array) == 15);
    CHECK(array->segment->descriptor == -1 && array->segment->path == NULL);
    CHECK(strcmp(sheaf_array_key(array), "") == 0);
    sheaf_detach(array);
    CHECK(numbers[2] == 3);
}

static void anonymous_arrays_are_reserved_sealed_and_without_a_name(void)
{
    sheaf_array *array;
    struct stat st;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 2, shape_35));
    int fd = array->segment->descriptor;
    CHECK(fd >= 0 && array->segment->path == NULL && sheaf_array_key(array)[0] == '\0');
    CHECK(fstat(fd, &st) == 0 && st.st_size == 120 && st.st_blocks > 0);
    CHECK((uint64_t)st.st_ino == array->segment->inode);
    CHECK(ftruncate(fd, 0) != 0 && ftruncate(fd, 1 << 20) != 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    for (size_t i = 0; i < 15; i++)
        CHECK(((double *)sheaf_array_data(array))[i] == 0);
    sheaf_detach(array);
}

static uint64_t closed[4];
static size_t closed_count;

static void note_closed(uint64_t serial)
{
    closed[closed_count++ % 4] = serial;
}

static void a_segment_lives_until_its_last_holder_and_tells_the_hook(void)
{
    sheaf_array *array;
    void *address;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 2, shape_35));
    struct segment *segment = segment_retain(array->segment);
    uint64_t serial = segment->serial;
    closed_count = 0;
    segment_set_close_hook(note_closed);
    sheaf_detach(array);
    CHECK(closed_count == 0);
    ((double *)segment->address)[14] = 1; /* still mapped */
    CHECK_OK(segment_map(&address, segment->descriptor, segment->bytes, true));
    CHECK(((double *)address)[14] == 1);
    munmap(address, segment->bytes);
    segment_release(segment);
    CHECK(closed_count == 1 && closed[0] == serial);
    segment_set_close_hook(NULL);
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 2, shape_35));
    CHECK(array->segment->serial > serial);
    sheaf_detach(array);
    CHECK(closed_count == 1);
    segment_release(NULL);
}

struct turn {
    struct segment *shared;
    char key[300];
    bool is_good;
};

static void *make_and_let_go(void *argument)
{
    struct turn *turn = argument;
    turn->is_good = true;
    for (int i = 0; i < 300 && turn->is_good; i++) {
        sheaf_array *array;
        sheaf_array *other;
        sheaf_create_options owned = {.lifetime = SHEAF_OWNED};
        segment_retain(turn->shared);
        turn->is_good =
            sheaf_create(&array, turn->key, SHEAF_F64, 2, shape_35, &owned) == SHEAF_OK &&
            sheaf_attach(&other, turn->key, NULL) == SHEAF_OK;
        if (turn->is_good) {
            sheaf_detach(other);
            sheaf_detach(array);
            turn->is_good = sheaf_attach(&array, turn->key, NULL) == SHEAF_ERR_NOT_FOUND;
        }
        segment_release(turn->shared);
    }
    segment_release(turn->shared);
    return NULL;
}

static void threads_do_all_this_at_once(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct turn turns[THREADS];
    sheaf_array *shared;
    CHECK_OK(sheaf_create_anonymous(&shared, SHEAF_F64, 2, shape_35));
    for (size_t i = 0; i < THREADS; i++) {
        char name[16];
        snprintf(name, sizeof name, "thread%zu", i);
        snprintf(turns[i].key, sizeof turns[i].key, "%s", check_key(name));
        turns[i].shared = segment_retain(shared->segment);
        CHECK(pthread_create(&threads[i], NULL, make_and_let_go, &turns[i]) == 0);
    }
    sheaf_detach(shared); /* the last thread unmaps it */
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0 && turns[i].is_good);
}

static void workers_map_by_path_only_what_is_the_same_file(void)
{
    const char *key = check_key("path");
    sheaf_array *array = make(key, SHEAF_F64, 2, shape_35);
    const struct segment *segment = array->segment;
    void *address;
    CHECK(strcmp(segment->path, shm_file(key)) == 0);
    CHECK_OK(segment_map_path(&address, segment->path, segment->device, segment->inode,
                              segment->bytes, false));
    munmap(address, segment->bytes);
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, segment_map_path(&address, segment->path, segment->device,
                                                       segment->inode + 1, segment->bytes, false));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, segment_map_path(&address, segment->path, segment->device,
                                                       segment->inode, 1 << 20, false));
    CHECK_OK(sheaf_unlink(key));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, segment_map_path(&address, segment->path, segment->device,
                                                       segment->inode, segment->bytes, false));
    sheaf_detach(make(key, SHEAF_F64, 2, shape_35));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, segment_map_path(&address, segment->path, segment->device,
                                                       segment->inode, segment->bytes, false));
    CHECK_OK(sheaf_unlink(key));
    sheaf_detach(array);
}

CHECK_MAIN(CASE(an_array_is_what_was_asked_for_and_zero), CASE(the_mode_is_0600_whatever_the_umask),
           CASE(what_one_writes_another_process_reads), CASE(a_key_may_be_written_as_a_url),
           CASE(bad_keys_are_refused_everywhere),
           CASE(a_key_of_200_bytes_and_of_every_letter_is_good),
           CASE(a_key_is_taken_once_and_unknown_when_gone),
           CASE(shapes_of_nothing_and_of_no_dimension), CASE(thirty_two_dimensions_and_no_more),
           CASE(shapes_that_overflow_are_refused), CASE(more_than_there_is_is_refused_at_once),
           CASE(other_arguments_are_checked), CASE(attach_checks_what_is_expected),
           CASE(writing_to_a_read_only_map_is_a_sigsegv), CASE(wrapped_memory_is_used_as_it_is),
           CASE(anonymous_arrays_are_reserved_sealed_and_without_a_name),
           CASE(a_segment_lives_until_its_last_holder_and_tells_the_hook),
           CASE(threads_do_all_this_at_once), CASE(workers_map_by_path_only_what_is_the_same_file))
