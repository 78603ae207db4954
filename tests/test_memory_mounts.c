/* test_memory_mounts.c -- a /dev/shm that is too small, and a machine without /proc: each in a child with
 * mounts of its own. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sheaf/array.h>

#include "memory/shm.h"

enum { NOT_PERMITTED = 77 };

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return is_written;
}

/* Mounts of our own: as root, or else as root of a user namespace of our own. */
static bool unshare_mounts(void)
{
    char map[64];
    unsigned uid = (unsigned)geteuid();
    unsigned gid = (unsigned)getegid();
    if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            return false;
        snprintf(map, sizeof map, "%u %u 1", uid, uid);
        if (!write_text("/proc/self/uid_map", map) || !write_text("/proc/self/setgroups", "deny"))
            return false;
        snprintf(map, sizeof map, "%u %u 1", gid, gid);
        if (!write_text("/proc/self/gid_map", map))
            return false;
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Runs `inside` in a child with a /dev/shm of its own; without /proc if that is wanted. */
static void run_inside(void (*inside)(void), const char *options, bool without_proc)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!unshare_mounts() || mount("tmpfs", "/dev/shm", "tmpfs", 0, options) != 0)
            _exit(NOT_PERMITTED);
        if (without_proc && mount("tmpfs", "/proc", "tmpfs", 0, "size=4k") != 0)
            _exit(NOT_PERMITTED);
        inside();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_PERMITTED)
        check_skip(
            "mounts of our own are not permitted here (no CAP_SYS_ADMIN, no user namespaces)");
    CHECK(status == 0);
}

static size_t files(void)
{
    size_t count = 0;
    DIR *directory = opendir("/dev/shm");
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void create_until_full(void)
{
    static const size_t too_large[] = {1 << 17}; /* 1 MiB of elements, and the footer */
    static const size_t small[] = {10000};
    char key[32];
    sheaf_array *array;
    CHECK_STATUS(SHEAF_ERR_NO_SPACE, sheaf_create(&array, "a", SHEAF_F64, 1, too_large, NULL));
    CHECK_ERROR_SAYS("needs 1052672 bytes, 1048576 are free in /dev/shm");
    CHECK_ERROR_SAYS("sheaf remove KEY");
    CHECK_ERROR_SAYS("docker run --shm-size=");
    CHECK(files() == 0 && sheaf_free_bytes() == 1 << 20);
    size_t made = 0;
    for (;; made++) { /* a page is 4 KiB: 21 pages each */
        snprintf(key, sizeof key, "k%zu", made);
        sheaf_status status = sheaf_create(&array, key, SHEAF_F64, 1, small, NULL);
        if (status == SHEAF_ERR_NO_SPACE)
            break;
        CHECK_OK(status);
        memset(sheaf_array_data(array), 1, sheaf_array_bytes(array)); /* never a SIGBUS */
        sheaf_detach(array);
    }
    CHECK(made == 12 && files() == made);
    CHECK_OK(sheaf_unlink("k0"));
    CHECK_OK(sheaf_create(&array, "again", SHEAF_F64, 1, small, NULL));
    sheaf_detach(array);
}

static void a_full_shm_is_a_status_at_creation(void)
{
    run_inside(create_until_full, "size=1m", false);
}

static void create_without_limit(void)
{
    static const size_t shape[] = {1 << 18};
    sheaf_array *array;
    CHECK(sheaf_free_bytes() > 1 << 22);
    CHECK_OK(sheaf_create(&array, "a", SHEAF_F64, 1, shape, NULL));
    sheaf_detach(array);
}

static void a_shm_without_a_limit_has_the_room_that_memory_has(void)
{
    run_inside(create_without_limit, "size=0", false);
}

static void create_beyond_the_inodes(void)
{
    sheaf_array *array;
    sheaf_status status = SHEAF_OK;
    char key[32];
    for (int i = 0; i < 10 && status == SHEAF_OK; i++) {
        snprintf(key, sizeof key, "k%d", i);
        status = sheaf_create(&array, key, SHEAF_F64, 0, NULL, NULL);
        if (status == SHEAF_OK)
            sheaf_detach(array);
    }
    CHECK(status == SHEAF_ERR_NO_SPACE);
    CHECK_ERROR_SAYS("inode");
}

static void a_shm_without_inodes_is_a_status_too(void)
{
    run_inside(create_beyond_the_inodes, "size=1m,nr_inodes=4", false);
}

static void use_named_drafts(void)
{
    static const size_t shape[] = {3, 5};
    static const sheaf_create_options owned = {.lifetime = SHEAF_OWNED};
    sheaf_array *array;
    sheaf_array *other;
    sheaf_array_info info;
    CHECK(access("/proc/self", F_OK) != 0);
    CHECK_OK(sheaf_create(&array, "plain", SHEAF_F64, 2, shape, NULL));
    CHECK(files() == 1); /* the draft's own name is gone */
    CHECK_STATUS(SHEAF_ERR_EXISTS, sheaf_create(&other, "plain", SHEAF_F64, 2, shape, NULL));
    CHECK_OK(sheaf_attach(&other, "plain", NULL));
    ((double *)sheaf_array_data(array))[14] = 2;
    CHECK(((double *)sheaf_array_data(other))[14] == 2);
    sheaf_detach(other);
    sheaf_detach(array);
    CHECK_OK(sheaf_info(&info, "plain"));
    CHECK_OK(sheaf_unlink("plain"));
    CHECK_OK(sheaf_create(&array, "owned", SHEAF_F64, 2, shape, &owned));
    CHECK_OK(sheaf_info(&info, "owned"));
    CHECK(!info.is_orphan && files() == 1);
    sheaf_detach(array);
    CHECK(files() == 0);
}

static void without_o_tmpfile_drafts_have_a_name_for_a_while(void)
{
    run_inside(use_named_drafts, "size=1m", true);
}

static void kill_named_creators(void)
{
    static const size_t shape[] = {1 << 20};
    unsigned long long state = 9;
    sheaf_array_info *removed;
    size_t count;
    size_t drafts = 0;
    for (int round = 0; round < 100; round++) {
        sheaf_array *array;
        pid_t child = fork();
        if (child == 0)
            for (;;)
                if (sheaf_create(&array, "named", SHEAF_F64, 1, shape,
                                 &(sheaf_create_options){.lifetime = SHEAF_OWNED}) == SHEAF_OK)
                    sheaf_detach(array);
        struct timespec time = {.tv_nsec = (long)(check_random(&state) % 10000000)};
        nanosleep(&time, NULL);
        if (round % 4 == 0) { /* gc beside a living creator does it no harm */
            CHECK_OK(sheaf_gc(&removed, &count));
            sheaf_list_free(removed);
        }
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        CHECK_OK(sheaf_gc(&removed, &count));
        for (size_t i = 0; i < count; i++)
            drafts += strncmp(removed[i].key, SHM_DRAFT_PREFIX, strlen(SHM_DRAFT_PREFIX)) == 0;
        sheaf_list_free(removed);
        CHECK(files() == 0);
    }
    CHECK(drafts > 0); /* some were killed in the middle */
}

static void gc_removes_named_drafts_of_killed_creators(void)
{
    run_inside(kill_named_creators, "size=64m", true);
}

CHECK_MAIN(CASE(a_full_shm_is_a_status_at_creation),
           CASE(a_shm_without_a_limit_has_the_room_that_memory_has),
           CASE(a_shm_without_inodes_is_a_status_too),
           CASE(without_o_tmpfile_drafts_have_a_name_for_a_while),
           CASE(gc_removes_named_drafts_of_killed_creators))
