/* test_svd_memory.c -- what one tall matrix takes beside itself, and a file that is taken from memory while it is read.
 *
 * A file that is larger than memory cannot be had in a test. What the kernel does then can: it takes clean pages of the
 * mapping back. Here a thread asks it to, again and again (MADV_PAGEOUT). */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { ROWS = 1000000, COLUMNS = 20, BLOCK = 8000, BESIDE_BYTES = 16 << 20 };

static const size_t input_bytes = (size_t)ROWS * COLUMNS * sizeof(double);

/* kB of a line of /proc/self/status. */
static size_t status_kb(const char *name)
{
    char line[200];
    size_t kb = 0;
    FILE *file = fopen("/proc/self/status", "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtoul(line + strlen(name) + 1, NULL, 10);
    CHECK(kb > 0 && fclose(file) == 0);
    return kb;
}

/* A .npy file of ROWS x COLUMNS, written so that it is never in our memory as a whole. */
static void make_file(const char *path)
{
    static double block[BLOCK * COLUMNS];
    char head[128];
    unsigned long long seed = 3;
    int text =
        snprintf(head + 10, sizeof head - 10,
                 "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", ROWS, COLUMNS);
    memset(head + 10 + text, ' ', sizeof head - 10 - (size_t)text);
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    head[sizeof head - 1] = '\n';
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(file >= 0 && write(file, head, sizeof head) == sizeof head);
    for (int first = 0; first < ROWS; first += BLOCK) {
        for (size_t i = 0; i < BLOCK * COLUMNS; i++)
            block[i] = (double)(long long)check_random(&seed) * 0x1p-63;
        CHECK(write(file, block, sizeof block) == sizeof block);
    }
    CHECK(fsync(file) == 0 && close(file) == 0); /* only clean pages can be taken back */
}

struct thief {
    void *from;
    size_t bytes;
    _Atomic size_t times;
    _Atomic bool is_over;
};

static void *take_pages(void *argument)
{
    struct thief *thief = argument;
    while (!atomic_load(&thief->is_over)) {
        (void)madvise(thief->from, thief->bytes, MADV_PAGEOUT);
        atomic_fetch_add(&thief->times, 1);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return NULL;
}

static size_t resident_pages(const struct thief *thief)
{
    static unsigned char pages[ROWS]; /* more than there are */
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t count = 0;
    CHECK(thief->bytes / page + 1 <= sizeof pages &&
          mincore(thief->from, thief->bytes, pages) == 0);
    for (size_t i = 0; i < thief->bytes / page; i++)
        count += pages[i] & 1;
    return count;
}

static void values_of(double *out, sheaf_executor *executor, const sheaf_array *a)
{
    sheaf_array *s;
    CHECK_OK(sheaf_create_anonymous(&s, SHEAF_F64, 1, (size_t[]){COLUMNS}));
    CHECK_OK(sheaf_svd_values(s, NULL, a, &(sheaf_svd_options){.executor = executor}));
    memcpy(out, sheaf_array_data(s), COLUMNS * sizeof *out);
    sheaf_detach(s);
}

static void a_file_and_little_beside_it(void)
{
    char path[] = "/tmp/sheaf-test-svd-memory-XXXXXX";
    char key[80];
    double expected[COLUMNS];
    double found[COLUMNS];
    sheaf_array *a;
    sheaf_executor *threads;
    pthread_t thread;
    CHECK(mkdtemp(path) != NULL);
    snprintf(key, sizeof key, "file://%s/a.npy", path);
    make_file(key + strlen("file://"));
    CHECK_OK(sheaf_executor_open(&threads, SHEAF_THREADS, &(sheaf_executor_options){.workers = 2}));
    CHECK_OK(sheaf_attach(&a, key, NULL));
    size_t before = status_kb("VmRSS");
    values_of(expected, threads, a);
    size_t most = status_kb("VmHWM");
    printf("  %zu kB beside the matrix\n", most - before - input_bytes / 1024);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(most - before <= (input_bytes + BESIDE_BYTES) / 1024);
#endif
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)sheaf_array_data(a) / page * page;
    struct thief thief = {.from = (void *)start, .bytes = input_bytes};
    CHECK(pthread_create(&thread, NULL, take_pages, &thief) == 0);
    for (int turn = 0; turn < 3 || atomic_load(&thief.times) < 3; turn++) {
        values_of(found, threads, a);
        CHECK(memcmp(found, expected, sizeof found) == 0);
    }
    atomic_store(&thief.is_over, true);
    pthread_join(thread, NULL);
    (void)madvise(thief.from, thief.bytes, MADV_PAGEOUT);
    printf("  taken %zu times; %zu of %zu pages are left\n", atomic_load(&thief.times),
           resident_pages(&thief), input_bytes / page);
    sheaf_detach(a);
    sheaf_executor_close(threads);
    CHECK(unlink(key + strlen("file://")) == 0 && rmdir(path) == 0);
}

CHECK_MAIN(CASE(a_file_and_little_beside_it))
