/* cpus.c -- affinity and cgroup v2 CPU limits. */
#include "base/cpus.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

static size_t usable;
static cpu_set_t allowed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t affinity_cpus(void)
{
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1; /* more than CPU_SETSIZE CPUs: be modest rather than wrong */
#ifdef _OPENMP
    int cpus[CPU_SETSIZE];
    for (int place = 0; place < omp_get_num_places(); place++) {
        int count = omp_get_place_num_procs(place);
        if (count < 0 || count > CPU_SETSIZE)
            continue;
        omp_get_place_proc_ids(place, cpus);
        for (int i = 0; i < count; i++)
            CPU_SET((size_t)cpus[i], &allowed);
    }
#endif
    return (size_t)CPU_COUNT(&allowed);
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

void cpus_use_all(void)
{
    pthread_once(&once, count);
    sched_setaffinity(0, sizeof allowed, &allowed); /* if it fails, they stay where they are */
}

size_t cpus_usable(void)
{
    pthread_once(&once, count);
    return usable;
}

uint32_t cpus_current(void)
{
    return (uint32_t)(sched_getcpu() + 1);
}

bool cpus_leave(uint32_t cpu)
{
    cpu_set_t before;
    if (cpu == 0 || sched_getaffinity(0, sizeof before, &before) != 0)
        return false;
    cpu_set_t others = before;
    CPU_CLR(cpu - 1, &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0)
        return false;
    sched_setaffinity(0, sizeof before, &before);
    return true;
}
