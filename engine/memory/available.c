/* available.c -- /proc/meminfo, and the memory limits of our cgroups. */
#include "memory/available.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What a version of cgroups calls the same. */
static const struct cgroup {
    const char *root;
    const char *limit;
    const char *usage;
    const char *inactive; /* page cache, which can be dropped; tmpfs is not in these two */
    const char *active;
} versions[] = {
    {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file", "active_file"},
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file", "total_active_file"},
};

/* The number after `key` at the start of a line of a file; the file's first number if key is "". False
 * if there is none. */
static bool read_number(const char *path, const char *key, unsigned long long *number)
{
    char line[256];
    size_t length = strlen(key);
    bool was_found = false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (!was_found && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, length) == 0 &&
            (length == 0 || line[length] == ' ' || line[length] == ':'))
            was_found = sscanf(line + length + (length > 0), "%llu", number) == 1;
    fclose(file);
    return was_found;
}

/* What one cgroup still allows. */
static uint64_t left_in(const struct cgroup *version, const char *group)
{
    char path[1024];
    unsigned long long limit;
    unsigned long long usage;
    unsigned long long inactive = 0;
    unsigned long long active = 0;
    snprintf(path, sizeof path, "%s%s/%s", version->root, group, version->limit);
    if (!read_number(path, "", &limit)) /* "max" is no number */
        return UINT64_MAX;
    snprintf(path, sizeof path, "%s%s/%s", version->root, group, version->usage);
    if (!read_number(path, "", &usage))
        return UINT64_MAX;
    snprintf(path, sizeof path, "%s%s/memory.stat", version->root, group);
    read_number(path, version->inactive, &inactive);
    read_number(path, version->active, &active);
    unsigned long long cache = inactive + active;
    unsigned long long taken = usage > cache ? usage - cache : 0;
    return limit > taken ? limit - taken : 0;
}

/* True, and the version and the group, if this line of /proc/self/cgroup says who counts memory. */
static bool names_memory(char *line, const struct cgroup **version, char **group)
{
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return false;
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    *group = path;
    *version = &versions[controllers[1] == '\0' ? 0 : 1];
    return controllers[1] == '\0' || strstr(controllers + 1, "memory") != NULL;
}

static uint64_t left_in_cgroups(void)
{
    char line[512];
    const struct cgroup *version;
    char *group;
    uint64_t least = UINT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (!names_memory(line, &version, &group))
            continue;
        for (;;) {
            uint64_t left = left_in(version, group);
            if (left < least)
                least = left;
            char *slash = strrchr(group, '/');
            if (slash == NULL)
                break;
            *slash = '\0';
        }
    }
    if (file != NULL)
        fclose(file);
    return least;
}

uint64_t memory_available(void)
{
    unsigned long long available;
    unsigned long long swap = 0;
    uint64_t least = left_in_cgroups();
    if (!read_number("/proc/meminfo", "MemAvailable", &available))
        return least;
    read_number("/proc/meminfo", "SwapFree", &swap);
    uint64_t machine = ((uint64_t)available + swap) * 1024;
    return machine < least ? machine : least;
}
