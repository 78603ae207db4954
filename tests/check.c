/* check.c -- runs cases, and looks for what they left. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct belongings {
    size_t descriptors;
    size_t mappings; /* of /dev/shm files and memfds */
};

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: failed: %s\n    last error: %s\n", file, line, what,
            sheaf_last_error());
    exit(1);
}

_Noreturn void check_status_failed(const char *file, int line, const char *call,
                                   sheaf_status expected, sheaf_status got)
{
    fprintf(stderr, "%s:%d: %s: expected %s, got %s\n    last error: %s\n", file, line, call,
            sheaf_status_name(expected), sheaf_status_name(got), sheaf_last_error());
    exit(1);
}

_Noreturn void check_skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    exit(77);
}

void check_not_on_threads(void)
{
    printf("  not under the thread sanitizer: one thread\n");
}

static size_t entries_with(const char *directory, const char *part)
{
    size_t count = 0;
    DIR *dir = opendir(directory);
    if (dir == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (part == NULL || strstr(entry->d_name, part) != NULL) {
            if (part != NULL)
                fprintf(stderr, "left behind: %s/%s\n", directory, entry->d_name);
            count++;
        }
    closedir(dir);
    return count;
}

static size_t shared_mappings(bool show)
{
    char line[5000];
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "/dev/shm/") != NULL || strstr(line, "/memfd:") != NULL) {
            if (show)
                fprintf(stderr, "mapped: %s", line);
            count++;
        }
    if (maps != NULL)
        fclose(maps);
    return count;
}

static struct belongings look(bool show)
{
    struct belongings now = {
        .descriptors = entries_with("/proc/self/fd", NULL),
        .mappings = shared_mappings(show),
    };
    return now;
}

size_t check_descriptors(void)
{
    return entries_with("/proc/self/fd", NULL);
}

void check_sleep_us(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

static const char *key_prefix(void)
{
    static char prefix[64];
    snprintf(prefix, sizeof prefix, "sheaf-test-%ld-", (long)getpid());
    return prefix;
}

const char *check_key(const char *name)
{
    static char keys[4][256];
    static unsigned turn;
    char *key = keys[turn++ % 4];
    snprintf(key, sizeof keys[0], "%s%s", key_prefix(), name);
    return key;
}

unsigned long long check_random(unsigned long long *state)
{
    unsigned long long z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

int check_main(int argc, char **argv, const struct check_case *cases, size_t count)
{
    struct belongings before = look(false);
    size_t passed = 0;
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strstr(cases[i].name, argv[1]) == NULL)
            continue;
        printf("%s\n", cases[i].name);
        fflush(stdout);
        cases[i].run();
        passed++;
    }
    struct belongings after = look(false);
    if (after.mappings > before.mappings)
        look(true);
    CHECK(after.descriptors == before.descriptors);
    CHECK(after.mappings == before.mappings);
    CHECK(entries_with("/dev/shm", key_prefix()) == 0);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    printf("%zu passed\n", passed);
    return passed > 0 ? 0 : 1;
}
