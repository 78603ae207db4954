/* test_scrypt_memory.c -- what scrypt leaves in the memory of the caller and of worker processes: none of
 * the password, the salt, what is derived from them, or the result.
 *
 * What is looked for must not lie in the memory that is searched. So it is made in a child, and kept with
 * every bit turned over. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

#include "check.h"
#include "kernels.h"
#include "ops/pbkdf2.h"

enum { NEEDLE = 24, NEEDLES = 7 }; /* bytes; how many */

/* The first NEEDLE bytes of each secret, turned over. */
static uint8_t needles[NEEDLES][NEEDLE];
static const char *const needle_names[NEEDLES] = {
    "the password",      "the salt",   "the inner key",        "the outer key",
    "a block of PBKDF2", "the result", "a word of eight lanes"};
static const sheaf_scrypt_params params = {64, 16, 40, 64};

/* Written so that no string of the program is what it makes. */
static void make_secret(char *out, size_t bytes, unsigned long long seed)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)('!' + check_random(&seed) % 90);
}

enum { PASSWORD_BYTES = 40, SALT_BYTES = 30 };

static void call_scrypt(uint8_t *key, sheaf_executor *executor)
{
    char password[PASSWORD_BYTES];
    char salt[SALT_BYTES];
    make_secret(password, sizeof password, 5);
    make_secret(salt, sizeof salt, 6);
    sheaf_scrypt_options options = {.executor = executor};
    CHECK_OK(sheaf_scrypt(key, (sheaf_bytes){password, sizeof password},
                          (sheaf_bytes){salt, sizeof salt}, &params, &options));
    explicit_bzero(password, sizeof password);
    explicit_bzero(salt, sizeof salt);
}

static void write_needle(int to, const void *secret)
{
    uint8_t turned[NEEDLE];
    for (size_t i = 0; i < NEEDLE; i++)
        turned[i] = (uint8_t) ~((const uint8_t *)secret)[i];
    CHECK(write(to, turned, sizeof turned) == sizeof turned);
}

/* In a child: everything that must not be found. */
static void write_needles(int to)
{
    char password[PASSWORD_BYTES];
    char salt[SALT_BYTES];
    uint8_t key[64];
    uint8_t block[PBKDF2_BLOCK];
    uint32_t words[8];
    struct pbkdf2 pbkdf2;
    make_secret(password, sizeof password, 5);
    make_secret(salt, sizeof salt, 6);
    sheaf_pbkdf2_begin(&pbkdf2, sheaf_kernels_at(0), password, sizeof password, salt, sizeof salt);
    sheaf_pbkdf2_blocks(block, sheaf_kernels_at(0), &pbkdf2, 1, 1);
    call_scrypt(key, NULL);
    write_needle(to, password);
    write_needle(to, salt);
    write_needle(to, pbkdf2.inner);
    write_needle(to, pbkdf2.outer);
    write_needle(to, block);
    write_needle(to, key);
    /* As kernels that work by words lay eight lanes side by side. */
    for (uint32_t lane = 0; lane < 8; lane++) {
        sheaf_pbkdf2_blocks(block, sheaf_kernels_at(0), &pbkdf2,
                            1 + lane * 128 * params.r / PBKDF2_BLOCK, 1);
        memcpy(words + lane, block, sizeof words[0]);
    }
    write_needle(to, words);
}

static void make_needles(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        write_needles(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    for (size_t i = 0; i < NEEDLES; i++)
        CHECK(read(ends[0], needles[i], NEEDLE) == NEEDLE);
    close(ends[0]);
    CHECK(waitpid(child, NULL, 0) == child);
}

/* The needle that lies in page[0 .. bytes), or NEEDLES. */
static size_t find(const uint8_t *page, size_t bytes)
{
    for (size_t n = 0; n < NEEDLES; n++) {
        const uint8_t *at = page;
        const uint8_t *end = page + bytes;
        while ((at = memchr(at, (uint8_t)~needles[n][0], (size_t)(end - at))) != NULL) {
            size_t same = 1;
            while (same < NEEDLE && at + same < end && (at[same] ^ needles[n][same]) == 0xff)
                same++;
            if (same == NEEDLE)
                return n;
            at++;
        }
    }
    return NEEDLES;
}

/* Whether a page of a process has memory behind it: only those are read, for reading makes others. */
static bool is_present(int pagemap, uint64_t page)
{
    uint64_t entry = 0;
    return pread(pagemap, &entry, sizeof entry, (off_t)(page * sizeof entry)) == sizeof entry &&
           entry >> 62 != 0;
}

static size_t search_range(int mem, int pagemap, uint64_t begin, uint64_t end, size_t *pages)
{
    static uint8_t buffer[4096 + NEEDLE]; /* a page, after the end of the one before */
    size_t found = NEEDLES;
    memset(buffer, 0, sizeof buffer);
    for (uint64_t at = begin; at < end && found == NEEDLES; at += 4096) {
        if (!is_present(pagemap, at / 4096) || pread(mem, buffer + NEEDLE, 4096, (off_t)at) != 4096)
            continue;
        ++*pages;
        found = find(buffer, sizeof buffer);
        memmove(buffer, buffer + 4096, NEEDLE);
    }
    memset(buffer, 0, sizeof buffer);
    return found;
}

/* The needle that lies anywhere in the memory of a process, or NEEDLES. */
static size_t search(pid_t pid, size_t *pages)
{
    char path[64];
    char line[512];
    size_t found = NEEDLES;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (maps == NULL || mem < 0 || pagemap < 0)
        check_skip("the memory of a process cannot be read here");
    while (found == NEEDLES && fgets(line, sizeof line, maps) != NULL) {
        uint64_t begin, end;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64, &begin, &end) == 2 && strstr(line, "[v") == NULL)
            found = search_range(mem, pagemap, begin, end, pages);
    }
    fclose(maps);
    close(mem);
    close(pagemap);
    return found;
}

/* A worker leaves a job a moment after its result is there. */
static void expect_nothing_in(pid_t pid)
{
    size_t found = 0;
    size_t pages = 0;
    for (int tries = 0; tries < 40; tries++) {
        found = search(pid, &pages);
        if (found == NEEDLES)
            break;
        usleep(50 * 1000);
    }
    if (found < NEEDLES)
        fprintf(stderr, "%s is in the memory of %s\n", needle_names[found],
                pid == getpid() ? "the caller" : "a worker");
    CHECK(found == NEEDLES);
    CHECK(pages > 50); /* something was looked at */
}

static void a_search_finds_what_is_there(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    check_skip("a sanitizer's shadow memory takes minutes to read, and it keeps freed memory");
#endif
    size_t pages = 0;
    char *planted = malloc(100);
    CHECK(planted != NULL);
    make_secret(planted + 11, PASSWORD_BYTES, 5);
    make_needles();
    CHECK(search(getpid(), &pages) == 0);
    explicit_bzero(planted, 100);
    CHECK(search(getpid(), &pages) == NEEDLES);
    free(planted);
}

static void nothing_is_left(sheaf_backend backend)
{
    sheaf_executor *executor;
    sheaf_executor_options open = {.workers = 2};
    uint8_t key[64];
    make_needles();
    CHECK_OK(sheaf_executor_open(&executor, backend, &open));
    for (int round = 0; round < 2; round++) {
        call_scrypt(key, executor);
        explicit_bzero(key, sizeof key);
        expect_nothing_in(getpid());
        for (size_t i = 0; i < 2 && backend == SHEAF_PROCESSES; i++) {
            sheaf_worker_info worker;
            CHECK_OK(sheaf_executor_worker(&worker, executor, i));
            CHECK(worker.pid > 0);
            expect_nothing_in(worker.pid);
        }
    }
    sheaf_executor_close(executor);
}

static void nothing_is_left_in_the_caller(void)
{
    nothing_is_left(SHEAF_SEQUENTIAL);
    nothing_is_left(SHEAF_THREADS);
}

static void nothing_is_left_in_worker_processes(void)
{
    nothing_is_left(SHEAF_PROCESSES);
}

/* Ends a worker now and then, wherever it is. */
static void *end_workers(void *executor)
{
    size_t ended = 0;
    for (unsigned i = 0; i < 4; i++) {
        sheaf_worker_info worker;
        usleep(20 * 1000 + 7000 * i);
        if (sheaf_executor_worker(&worker, executor, i % 2) == SHEAF_OK && worker.pid > 0)
            ended += kill(worker.pid, SIGKILL) == 0;
    }
    CHECK(ended > 0);
    return NULL;
}

static void nothing_is_left_by_failures_and_deaths(void)
{
    sheaf_executor *executor;
    pthread_t ender;
    uint8_t key[64];
    char password[PASSWORD_BYTES];
    char salt[SALT_BYTES];
    struct timespec now, end;
    make_needles();
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));

    make_secret(password, sizeof password, 5);
    make_secret(salt, sizeof salt, 6);
    sheaf_scrypt_options little = {.executor = executor, .memory_limit = 1};
    CHECK(sheaf_scrypt(key, (sheaf_bytes){password, sizeof password},
                       (sheaf_bytes){salt, sizeof salt}, &params, &little) != SHEAF_OK);
    explicit_bzero(password, sizeof password);
    explicit_bzero(salt, sizeof salt);
    expect_nothing_in(getpid());

    CHECK(pthread_create(&ender, NULL, end_workers, executor) == 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec++;
    do {
        call_scrypt(key, executor);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
    explicit_bzero(key, sizeof key);
    CHECK(pthread_join(ender, NULL) == 0);
    expect_nothing_in(getpid());
    for (size_t i = 0; i < 2; i++) {
        sheaf_worker_info worker;
        CHECK_OK(sheaf_executor_worker(&worker, executor, i));
        CHECK(worker.pid > 0);
        expect_nothing_in(worker.pid);
    }
    sheaf_executor_close(executor);
}

/* ---- Where it lies ------------------------------------------------------------------------ */

/* Bytes in memory of the private mappings of a process that are kept out of core dumps (dd) and are wiped in
 * forked children (wf). */
static size_t hidden_bytes(pid_t pid)
{
    char path[64];
    char line[512];
    unsigned long kib = 0;
    size_t bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps", pid);
    FILE *smaps = fopen(path, "re");
    CHECK(smaps != NULL);
    while (fgets(line, sizeof line, smaps) != NULL) {
        sscanf(line, "Rss: %lu kB", &kib);
        if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd") != NULL &&
            strstr(line, " wf") != NULL)
            bytes += (size_t)kib * 1024;
    }
    fclose(smaps);
    return bytes;
}

/* 128 n r bytes for each lane, under 2 MiB beside, in a mapping that no core dump has; another call of the same
 * size takes no more. */
static void the_big_memory_is_hidden_and_is_used_again(void)
{
    static const sheaf_scrypt_params wide = {1024, 16, 24, 16}; /* 2 MiB a lane */
    const size_t lane = (size_t)2 << 20;
    sheaf_executor *executor;
    sheaf_worker_info worker;
    uint8_t key[16];
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 1}));
    CHECK_OK(sheaf_executor_worker(&worker, executor, 0));
    for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++) {
        size_t most = lane * sheaf_kernels_at(k)->scrypt_lanes;
        sheaf_scrypt_options options = {.executor = executor, .isa = sheaf_kernels_at(k)->isa};
        for (int round = 0; round < 2; round++) {
            CHECK_OK(
                sheaf_scrypt(key, (sheaf_bytes){"a", 1}, (sheaf_bytes){"b", 1}, &wide, &options));
            size_t hidden = hidden_bytes(worker.pid);
            if (hidden < most || hidden >= most + lane)
                fprintf(stderr, "%s: %zu bytes for %zu\n", options.isa, hidden, most);
            CHECK(hidden >= most && hidden < most + ((size_t)2 << 20));
        }
    }
    sheaf_executor_close(executor);
}

CHECK_MAIN(CASE(the_big_memory_is_hidden_and_is_used_again), CASE(a_search_finds_what_is_there),
           CASE(nothing_is_left_in_the_caller), CASE(nothing_is_left_in_worker_processes),
           CASE(nothing_is_left_by_failures_and_deaths))
