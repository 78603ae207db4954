/* machine.c -- reading /proc and /sys. What is not there is "unknown", or left out. */
#include "cli/machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

#if defined(__clang__)
#define COMPILER "Clang " __clang_version__
#else
#define COMPILER "GCC " __VERSION__
#endif

/* The first line of a file, without its line break. */
static bool read_line(char *out, int bytes, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool is_read = fgets(out, bytes, file) != NULL;
    fclose(file);
    if (is_read)
        out[strcspn(out, "\n")] = '\0';
    return is_read;
}

/* What follows "name" and a colon in a file like /proc/meminfo. */
static bool read_field(char *out, size_t bytes, const char *path, const char *name)
{
    char line[512];
    bool is_found = false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (!is_found && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        is_found = colon != NULL && strncmp(line, name, strlen(name)) == 0;
        if (is_found) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out, bytes, "%s", colon + 1 + strspn(colon + 1, " \t"));
        }
    }
    fclose(file);
    return is_found;
}

void machine_cpu(char text[MACHINE_TEXT_BYTES])
{
    struct utsname system;
    if (read_field(text, MACHINE_TEXT_BYTES, "/proc/cpuinfo", "model name"))
        return;
    snprintf(text, MACHINE_TEXT_BYTES, "%.100s", uname(&system) == 0 ? system.machine : "unknown");
}

/* One file of one cache of the first CPU. */
static bool read_cache(char *out, int bytes, int index, const char *file)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, file);
    return read_line(out, bytes, path);
}

/* {"L1d": "48K", ...} */
static json_t *caches_json(void)
{
    json_t *caches = json_object();
    char level[16];
    char type[32];
    char size[32];
    for (int i = 0; read_cache(level, sizeof level, i, "level"); i++) {
        char name[32];
        if (!read_cache(type, sizeof type, i, "type") || !read_cache(size, sizeof size, i, "size"))
            continue;
        const char *kind = type[0] == 'D' ? "d" : type[0] == 'I' ? "i" : "";
        snprintf(name, sizeof name, "L%s%s", level, kind);
        json_object_set_new(caches, name, json_string(size));
    }
    return caches;
}

static uint64_t meminfo_bytes(const char *name)
{
    char text[64];
    if (!read_field(text, sizeof text, "/proc/meminfo", name))
        return 0;
    return strtoull(text, NULL, 10) * 1024;
}

json_t *machine_json(void)
{
    char cpu[MACHINE_TEXT_BYTES];
    char huge[128] = "unknown";
    struct utsname system = {.release = "unknown", .machine = "unknown"};
    struct statvfs shm = {0};
    json_t *isas = json_array();
    statvfs("/dev/shm", &shm);
    uname(&system);
    machine_cpu(cpu);
    read_line(huge, sizeof huge, "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    for (size_t i = 0; sheaf_isa_name(i) != NULL; i++)
        json_array_append_new(isas, json_string(sheaf_isa_name(i)));
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:s, s:s, s:s, s:s}", "cpu", cpu, "architecture",
        system.machine, "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "cpus_usable",
        (json_int_t)sheaf_executor_workers(NULL), "isas", isas, "caches", caches_json(),
        "memory_bytes", (json_int_t)meminfo_bytes("MemTotal"), "shm_bytes",
        (json_int_t)shm.f_blocks * (json_int_t)shm.f_frsize, "shm_huge_pages", huge, "kernel",
        system.release, "compiler", COMPILER, "sheaf", sheaf_version());
}
