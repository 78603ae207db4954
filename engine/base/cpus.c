/* cpus.c -- affinity and cgroup v2 / v1 CPU limits. */
#include "base/cpus.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static size_t usable;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t affinity_cpus(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1; /* more than CPU_SETSIZE CPUs: be modest rather than wrong */
    return (size_t)CPU_COUNT(&set);
}

/* quota / period of one cpu.max file, rounded up; 0 if there is no limit in it. */
static size_t quota_cpus(const char *path)
{
    FILE *file = fopen(path, "re");
    long long quota = 0;
    long long period = 0;
    if (file == NULL)
        return 0;
    int fields = fscanf(file, "%lld %lld", &quota, &period); /* "max 100000" reads no field */
    fclose(file);
    if (fields != 2 || quota <= 0 || period <= 0)
        return 0;
    return (size_t)((quota + period - 1) / period);
}

/* The tightest limit on the way from our cgroup to the root of what we can see. */
static size_t cgroup_cpus(void)
{
    char line[512];
    char path[1024];
    size_t tightest = 0;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "0::", 3) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        char *group = line + 3;
        for (;;) {
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
            size_t here = quota_cpus(path);
            if (here > 0 && (tightest == 0 || here < tightest))
                tightest = here;
            char *slash = strrchr(group, '/');
            if (slash == NULL)
                break;
            *slash = '\0';
        }
    }
    fclose(file);
    return tightest;
}

static void count(void)
{
    size_t quota = cgroup_cpus();
    usable = affinity_cpus();
    if (quota > 0 && quota < usable)
        usable = quota;
    if (usable == 0)
        usable = 1;
}

size_t cpus_usable(void)
{
    pthread_once(&once, count);
    return usable;
}
