/* creator.c -- pid, start time and boot id of this process. */
#include "memory/creator.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The start of a small file of /proc, as a string. */
static size_t read_text(const char *path, char *text, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, text, capacity - 1);
    if (fd >= 0)
        close(fd);
    text[count > 0 ? count : 0] = '\0';
    return count > 0 ? (size_t)count : 0;
}

/* Field 22 of /proc/self/stat. Field 2 is the program's name, which may hold anything, in parentheses. */
static uint64_t start_time(void)
{
    char text[1024];
    read_text("/proc/self/stat", text, sizeof text);
    char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

static void boot_id(unsigned char bytes[FOOTER_BOOT_ID_BYTES])
{
    char text[64];
    size_t done = 0;
    int high = -1;
    read_text("/proc/sys/kernel/random/boot_id", text, sizeof text);
    for (const char *c = text; *c != '\0' && done < FOOTER_BOOT_ID_BYTES; c++) {
        const char *hex = "0123456789abcdef";
        const char *digit = strchr(hex, *c);
        if (digit == NULL)
            continue;
        if (high < 0) {
            high = (int)(digit - hex);
        } else {
            bytes[done++] = (unsigned char)(high << 4 | (int)(digit - hex));
            high = -1;
        }
    }
}

void creator_fill(struct footer *footer)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    footer->created_unix_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    footer->creator_pid = (int32_t)getpid();
    footer->creator_start = start_time();
    boot_id(footer->creator_boot);
}
