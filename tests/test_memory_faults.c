/* test_memory_faults.c -- lifetimes: processes that fork, race, run out of descriptors or are killed, and
 * what is in /dev/shm afterwards. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sheaf/array.h>

#include "memory/array.h"

static const size_t shape_35[] = {3, 5};
static const sheaf_create_options owned = {.lifetime = SHEAF_OWNED};

static bool is_there(const char *key)
{
    char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", key);
    return access(path, F_OK) == 0;
}

static void wait_exit(pid_t child, int expected)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected);
}

static void kill_and_reap(pid_t child)
{
    int status;
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

/* Whether gc removes this key. Others' orphans may go with it. */
static bool gc_removes(const char *key)
{
    sheaf_array_info *removed;
    size_t count;
    bool was_removed = false;
    CHECK_OK(sheaf_gc(&removed, &count));
    for (size_t i = 0; i < count; i++)
        was_removed |= strcmp(removed[i].key, key) == 0;
    sheaf_list_free(removed);
    return was_removed;
}

static void an_owned_key_goes_with_its_handle(void)
{
    const char *key = check_key("owned");
    sheaf_array *array;
    sheaf_array *other;
    sheaf_array_info info;
    CHECK_OK(sheaf_create(&array, key, SHEAF_F64, 2, shape_35, &owned));
    CHECK_OK(sheaf_info(&info, key));
    CHECK(info.lifetime == SHEAF_OWNED && !info.is_orphan);
    CHECK(!gc_removes(key));
    CHECK_OK(sheaf_attach(&other, key, NULL));
    sheaf_detach(other); /* an attachment does not own it */
    CHECK(is_there(key));
    CHECK_OK(sheaf_attach(&other, key, NULL));
    struct segment *held = segment_retain(array->segment); /* work that was submitted */
    sheaf_detach(array);
    CHECK(!is_there(key));
    ((double *)held->address)[14] = 3;
    CHECK(((double *)sheaf_array_data(other))[14] == 3);
    segment_release(held);
    sheaf_detach(other);
}

static void an_owner_leaves_a_key_alone_that_is_anothers_by_now(void)
{
    const char *key = check_key("taken-over");
    sheaf_array *array;
    sheaf_array *other;
    CHECK_OK(sheaf_create(&array, key, SHEAF_F64, 2, shape_35, &owned));
    CHECK_OK(sheaf_unlink(key));
    CHECK_OK(sheaf_create(&other, key, SHEAF_I32, 2, shape_35, NULL));
    sheaf_detach(array);
    CHECK(is_there(key));
    sheaf_detach(other);
    CHECK_OK(sheaf_unlink(key));
}

static void a_forked_child_does_not_unlink(void)
{
    const char *key = check_key("forked");
    sheaf_array *array;
    CHECK_OK(sheaf_create(&array, key, SHEAF_F64, 2, shape_35, &owned));
    pid_t child = fork();
    if (child == 0) {
        sheaf_detach(array);
        exit(0);
    }
    wait_exit(child, 0);
    CHECK(is_there(key) && !gc_removes(key));
    sheaf_detach(array);
    CHECK(!is_there(key));
}

static void the_descriptor_of_the_data_does_not_carry_the_lock(void)
{
    const char *key = check_key("passed");
    sheaf_array *array;
    sheaf_array_info info;
    int passed[2];
    CHECK(pipe(passed) == 0);
    pid_t child = fork();
    if (child == 0) { /* the owner, which dies with its lock */
        close(passed[0]);
        if (sheaf_create(&array, key, SHEAF_F64, 2, shape_35, &owned) != SHEAF_OK ||
            write(passed[1], &array->segment->descriptor, sizeof(int)) != sizeof(int))
            _exit(1);
        for (;;)
            pause();
    }
    int number;
    char path[64];
    CHECK(read(passed[0], &number, sizeof number) == sizeof number);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)child, number);
    int data = open(path, O_RDWR | O_CLOEXEC); /* as a worker has it */
    CHECK(data >= 0);
    CHECK_OK(sheaf_info(&info, key));
    CHECK(!info.is_orphan && !gc_removes(key));
    kill_and_reap(child);
    CHECK_OK(sheaf_info(&info, key));
    CHECK(info.is_orphan && gc_removes(key) && !is_there(key));
    close(data);
    close(passed[0]);
    close(passed[1]);
}

static void gc_removes_a_killed_owners_array_and_leaves_persistent_ones(void)
{
    const char *mine = check_key("gc-owned");
    const char *kept = check_key("gc-kept");
    sheaf_array *array;
    int ready[2];
    char byte;
    CHECK(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (sheaf_create(&array, mine, SHEAF_F64, 2, shape_35, &owned) == SHEAF_OK &&
            sheaf_create(&array, kept, SHEAF_F64, 2, shape_35, NULL) == SHEAF_OK)
            CHECK(write(ready[1], "r", 1) == 1);
        for (;;)
            pause();
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    kill_and_reap(child);
    CHECK(is_there(mine) && is_there(kept));
    CHECK(gc_removes(mine));
    CHECK(!is_there(mine) && is_there(kept));
    CHECK(!gc_removes(mine));
    CHECK_OK(sheaf_unlink(kept));
    close(ready[0]);
    close(ready[1]);
}

static size_t files_in_shm(void)
{
    size_t count = 0;
    DIR *directory = opendir("/dev/shm");
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strstr(entry->d_name, check_key("")) != NULL || entry->d_name[0] == '~' ||
                 strncmp(entry->d_name, SHM_DRAFT_PREFIX, strlen(SHM_DRAFT_PREFIX)) == 0;
    closedir(directory);
    return count;
}

static _Noreturn void create_for_ever(const char *key)
{
    static const size_t shape[] = {1 << 20}; /* 8 MiB: many instructions to be killed at */
    sheaf_array *array;
    for (;;) {
        if (sheaf_create(&array, key, SHEAF_F64, 1, shape, &owned) != SHEAF_OK)
            _exit(1);
        memset(sheaf_array_data(array), 1, 4096);
        sheaf_detach(array);
    }
}

static void a_creator_killed_at_any_time_leaves_nothing(void)
{
    const char *key = check_key("killed");
    unsigned long long state = 5;
    for (int round = 0; round < 150; round++) {
        pid_t child = fork();
        if (child == 0)
            create_for_ever(key);
        check_sleep_us((long)(check_random(&state) % 12000));
        kill_and_reap(child);
        if (is_there(key)) {
            sheaf_array *array; /* what is there is whole */
            CHECK_OK(sheaf_attach(&array, key, NULL));
            CHECK(sheaf_array_bytes(array) == 8 << 20);
            sheaf_detach(array);
            CHECK(gc_removes(key));
        }
        CHECK(files_in_shm() == 0);
    }
}

static void gc_takes_drafts_whose_lock_is_free_and_no_others(void)
{
    char held[80];
    char left[80];
    snprintf(held, sizeof held, "/dev/shm/" SHM_DRAFT_PREFIX "%ld~%s", (long)getpid(), "test-held");
    snprintf(left, sizeof left, "/dev/shm/" SHM_DRAFT_PREFIX "%ld~%s", (long)getpid(), "test-left");
    int one = open(held, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int two = open(left, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(one >= 0 && two >= 0 && flock(one, LOCK_SH) == 0);
    close(two);
    CHECK(gc_removes(left + strlen("/dev/shm/")));
    CHECK(access(left, F_OK) != 0 && access(held, F_OK) == 0);
    close(one);
    CHECK(gc_removes(held + strlen("/dev/shm/")));
}

/* One process makes and removes a key, the other attaches: it sees whole arrays or none. */
static void attach_sees_whole_arrays_or_none(void)
{
    static const size_t shape[] = {5000};
    const char *key = check_key("race");
    size_t attached = 0;
    size_t missed = 0;
    pid_t child = fork();
    if (child == 0) {
        sheaf_array *array;
        for (;;) {
            if (sheaf_create(&array, key, SHEAF_F64, 1, shape, NULL) != SHEAF_OK)
                _exit(1);
            sheaf_detach(array);
            if (sheaf_unlink(key) != SHEAF_OK)
                _exit(2);
        }
    }
    while (attached < 1000 || missed < 1000) {
        sheaf_array *array;
        sheaf_attach_options expected = {.dtype = SHEAF_F64, .shape = shape, .ndim = 1};
        sheaf_status status = sheaf_attach(&array, key, &expected);
        CHECK(status == SHEAF_OK || status == SHEAF_ERR_NOT_FOUND);
        if (status != SHEAF_OK) {
            missed++;
            continue;
        }
        CHECK(((const double *)sheaf_array_data(array))[4999] == 0);
        sheaf_detach(array);
        attached++;
    }
    kill_and_reap(child);
    sheaf_unlink(key); /* killed between its two halves, or not */
}

static void of_two_creators_one_wins(void)
{
    const char *key = check_key("winner");
    for (int round = 0; round < 200; round++) {
        sheaf_array *array;
        pid_t child = fork();
        if (child == 0) {
            sheaf_status got = sheaf_create(&array, key, SHEAF_F64, 2, shape_35, NULL);
            _exit(got == SHEAF_OK ? 10 : got == SHEAF_ERR_EXISTS ? 11 : 12);
        }
        sheaf_status mine = sheaf_create(&array, key, SHEAF_F64, 2, shape_35, NULL);
        CHECK(mine == SHEAF_OK || mine == SHEAF_ERR_EXISTS);
        wait_exit(child, mine == SHEAF_OK ? 11 : 10);
        if (mine == SHEAF_OK)
            sheaf_detach(array);
        CHECK_OK(sheaf_unlink(key));
    }
}

/* What fails when there are only so many descriptors, or so much address space. */
static sheaf_status try_all(const char *key, const char *file)
{
    sheaf_array *array;
    sheaf_array *other;
    sheaf_array_info *list;
    size_t count;
    sheaf_status status = sheaf_create(&array, key, SHEAF_F64, 2, shape_35, &owned);
    if (status != SHEAF_OK)
        return status;
    if ((status = sheaf_attach(&other, key, NULL)) == SHEAF_OK)
        sheaf_detach(other);
    if (status == SHEAF_OK && (status = sheaf_save(array, file)) == SHEAF_OK) {
        sheaf_detach(array);
        if ((status = sheaf_load(&array, file, key, &owned)) != SHEAF_OK)
            return status;
    }
    if (status == SHEAF_OK && (status = sheaf_list(&list, &count)) == SHEAF_OK)
        sheaf_list_free(list);
    sheaf_detach(array);
    if (status == SHEAF_OK &&
        (status = sheaf_create_anonymous(&array, SHEAF_F64, 2, shape_35)) == SHEAF_OK)
        sheaf_detach(array);
    return status;
}

static void with_every_number_of_descriptors_it_works_or_fails_whole(void)
{
    const char *key = check_key("nofile");
    char file[100];
    struct rlimit old;
    snprintf(file, sizeof file, "/tmp/%s.npy", key);
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    size_t before = check_descriptors();
    sheaf_status status = SHEAF_ERR_SYSTEM;
    size_t failures = 0;
    for (rlim_t limit = 3; status != SHEAF_OK && limit < 64; limit++) {
        struct rlimit tight = {.rlim_cur = limit, .rlim_max = old.rlim_max};
        CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
        status = try_all(key, file);
        CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
        if (status != SHEAF_OK) {
            CHECK(status == SHEAF_ERR_SYSTEM);
            CHECK_ERROR_SAYS("Too many open files");
            failures++;
        }
        CHECK(check_descriptors() == before && files_in_shm() == 0);
    }
    CHECK(status == SHEAF_OK && failures > 2);
    unlink(file);
}

static void without_address_space_it_is_a_status(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    printf("  (a sanitizer needs the address space: not checked)\n");
#else
    static const size_t shape[] = {64 << 20}; /* 512 MiB of i64, not touched */
    const char *key = check_key("space");
    sheaf_array *array;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit tight = {.rlim_cur = 256 << 20, .rlim_max = 256 << 20};
        if (setrlimit(RLIMIT_AS, &tight) != 0)
            _exit(1);
        if (sheaf_create(&array, key, SHEAF_I64, 1, shape, NULL) != SHEAF_ERR_NO_MEMORY)
            _exit(2);
        if (sheaf_create_anonymous(&array, SHEAF_I64, 1, shape) != SHEAF_ERR_NO_MEMORY)
            _exit(3);
        _exit(is_there(key) ? 4 : 0);
    }
    wait_exit(child, 0);
#endif
}

static void on_alarm(int signal)
{
    (void)signal;
}

/* Older kernels (not 6.18) take a reservation back at every signal: with a fast timer it must still get
 * done. */
static void signals_do_not_keep_it_from_reserving(void)
{
    static const size_t shape[] = {32 << 20}; /* 256 MiB */
    const char *key = check_key("signals");
    sheaf_array *array;
    struct sigaction action = {.sa_handler = on_alarm};
    struct sigaction old;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec often = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000};
    timer_t timer;
    CHECK(sigaction(SIGALRM, &action, &old) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK(timer_settime(timer, 0, &often, NULL) == 0);
    sheaf_status status = sheaf_create(&array, key, SHEAF_F64, 1, shape, &owned);
    timer_delete(timer);
    sigaction(SIGALRM, &old, NULL);
    CHECK_OK(status);
    sheaf_detach(array);
}

CHECK_MAIN(CASE(an_owned_key_goes_with_its_handle),
           CASE(an_owner_leaves_a_key_alone_that_is_anothers_by_now),
           CASE(a_forked_child_does_not_unlink),
           CASE(the_descriptor_of_the_data_does_not_carry_the_lock),
           CASE(gc_removes_a_killed_owners_array_and_leaves_persistent_ones),
           CASE(a_creator_killed_at_any_time_leaves_nothing),
           CASE(gc_takes_drafts_whose_lock_is_free_and_no_others),
           CASE(attach_sees_whole_arrays_or_none), CASE(of_two_creators_one_wins),
           CASE(with_every_number_of_descriptors_it_works_or_fails_whole),
           CASE(without_address_space_it_is_a_status), CASE(signals_do_not_keep_it_from_reserving))
