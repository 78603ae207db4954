/* test_hash.c -- the modes and lengths of BLAKE3, in pieces and over arrays, against b3sum. */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

enum { LONG = 131, HEX_BYTES = 2 * LONG + 1, MODES = 3 };

/* Those of the official test vectors. */
#define KEY_TEXT "whats the Elvish word for friend"
static const char context[] = "BLAKE3 2019-12-27 16:29:52 test vectors context";
static const size_t official[] = {0,    1,    2,    3,    4,    5,     6,     7,     8,
                                  63,   64,   65,   127,  128,  129,   1023,  1024,  1025,
                                  2048, 2049, 3072, 3073, 4096, 4097,  5120,  5121,  6144,
                                  6145, 7168, 7169, 8192, 8193, 16384, 31744, 102400};

static sheaf_hash_options options_of(size_t mode)
{
    sheaf_hash_options options = {.out_bytes = LONG};
    options.mode = (sheaf_hash_mode)mode;
    options.key = mode == SHEAF_HASH_KEYED ? (const uint8_t *)KEY_TEXT : NULL;
    options.context = mode == SHEAF_HASH_DERIVE_KEY ? context : NULL;
    return options;
}

/* Byte i is i mod 251, as in the official test vectors. The caller frees it. */
static uint8_t *official_input(size_t bytes)
{
    uint8_t *x = malloc(bytes + 1);
    CHECK(x != NULL);
    for (size_t i = 0; i < bytes; i++)
        x[i] = (uint8_t)(i % 251);
    return x;
}

static void ask_b3sum(uint8_t *hash, const char *path, size_t mode)
{
    static const char *const options[] = {"", "--keyed", "--derive-key"};
    char command[400];
    char hex[HEX_BYTES];
    snprintf(command, sizeof command, "printf '%s' | b3sum --no-names --length %d %s %s%s%s '%s'",
             mode == SHEAF_HASH_KEYED ? KEY_TEXT : "", LONG, options[mode], mode == 2 ? "'" : "",
             mode == 2 ? context : "", mode == 2 ? "'" : "", path);
    FILE *output = popen(command, "re");
    CHECK(output != NULL);
    CHECK(fread(hex, 1, sizeof hex - 1, output) == sizeof hex - 1);
    CHECK(pclose(output) == 0);
    hex[sizeof hex - 1] = '\0';
    for (size_t i = 0; i < LONG; i++) {
        const char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        hash[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

/* What b3sum says of the file, and what we say of it and of the same bytes, with every instruction set. */
static void compare_with_b3sum(const char *path, int file, const uint8_t *x, size_t bytes)
{
    uint8_t theirs[LONG], ours[LONG];
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, x, bytes, 0) == (ssize_t)bytes);
    for (size_t mode = 0; mode < MODES; mode++) {
        sheaf_hash_options options = options_of(mode);
        ask_b3sum(theirs, path, mode);
        CHECK(lseek(file, 0, SEEK_SET) == 0);
        CHECK_OK(sheaf_hash_descriptor(ours, file, &options));
        CHECK(memcmp(ours, theirs, LONG) == 0);
        for (size_t k = 0; sheaf_isa_name(k) != NULL; k++) {
            options.isa = sheaf_isa_name(k);
            CHECK_OK(sheaf_hash_bytes(ours, x, bytes, &options));
            if (memcmp(ours, theirs, LONG) != 0)
                fprintf(stderr, "%zu bytes, mode %zu, %s\n", bytes, mode, options.isa);
            CHECK(memcmp(ours, theirs, LONG) == 0);
            options.out_bytes = 1 + (bytes + mode + k) % 64; /* of one block, as most hashes are */
            memset(ours, 0, sizeof ours);
            CHECK_OK(sheaf_hash_bytes(ours, x, bytes, &options));
            CHECK(memcmp(ours, theirs, options.out_bytes) == 0 && ours[options.out_bytes] == 0);
            options.out_bytes = LONG;
        }
    }
}

/* The published lengths; and one byte less, none and one more than some chunks: all that fill lanes partly,
 * and around complete subtrees, batches and tasks. */
static void equals_b3sum_in_all_modes(void)
{
    static const size_t chunks[] = {9,  10, 11, 12, 13, 14,  15,  16,  17,  24,  31,
                                    32, 33, 63, 64, 65, 127, 128, 129, 192, 256, 1024};
    char path[] = "/tmp/sheaf-test-hash-XXXXXX";
    if (system("b3sum --version >/dev/null 2>&1") != 0)
        check_skip("no b3sum command: install the package b3sum");
    uint8_t *x = official_input(1024 * 1024 + 1);
    int file = mkostemp(path, O_CLOEXEC);
    CHECK(file >= 0);
    for (size_t i = 0; i < sizeof official / sizeof official[0]; i++)
        compare_with_b3sum(path, file, x, official[i]);
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++)
        for (size_t past = 0; past < 3; past++)
            compare_with_b3sum(path, file, x, 1024 * chunks[i] + past - 1);
    close(file);
    unlink(path);
    free(x);
}

static void any_stretch_of_the_output_can_be_had(void)
{
    enum { MOST = 1000 };
    uint8_t whole[MOST], part[MOST];
    uint8_t *x = official_input(5000);
    unsigned long long state = 1;
    for (size_t mode = 0; mode < MODES; mode++) {
        sheaf_hash_options options = options_of(mode);
        sheaf_hasher *hasher;
        CHECK_OK(sheaf_hasher_open(&hasher, &options));
        CHECK_OK(sheaf_hasher_update(hasher, x, 1000 * mode));
        CHECK_OK(sheaf_hasher_finish(whole, MOST, 0, hasher));
        for (int round = 0; round < 500; round++) {
            size_t from = (size_t)(check_random(&state) % MOST);
            size_t count = (size_t)(check_random(&state) % (MOST - from + 1));
            memset(part, 0xa5, sizeof part);
            CHECK_OK(sheaf_hasher_finish(part, count, from, hasher));
            CHECK(memcmp(part, whole + from, count) == 0);
            CHECK(count == MOST || part[count] == 0xa5); /* and nothing after it */
            if (count == 0)
                continue;
            options.out_offset = from;
            options.out_bytes = count;
            CHECK_OK(sheaf_hash_bytes(part, x, 1000 * mode, &options));
            CHECK(memcmp(part, whole + from, count) == 0);
        }
        CHECK_OK(sheaf_hasher_finish(part, 64, UINT64_MAX - 64, hasher)); /* the very end */
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hasher_finish(part, 65, UINT64_MAX - 64, hasher));
        CHECK_OK(sheaf_hasher_finish(NULL, 0, 0, hasher));
        sheaf_hasher_close(hasher);
    }
    free(x);
}

/* Portions of that many bytes, or of random sizes (0). */
static void update_in_portions(sheaf_hasher *hasher, const uint8_t *x, size_t bytes, size_t portion,
                               unsigned long long *state)
{
    for (size_t done = 0; done < bytes;) {
        size_t here = portion != 0 ? portion : (size_t)(check_random(state) % 70000);
        if (here > bytes - done)
            here = bytes - done;
        CHECK_OK(sheaf_hasher_update(hasher, x + done, here));
        done += here;
    }
}

static void an_input_in_pieces_has_the_hash_of_the_whole(void)
{
    enum { MOST = 400001 };
    static const size_t lengths[] = {0,     1,     64,     1023,   1024,   1025,   65535,  65536,
                                     65537, 66560, 131071, 131072, 131073, 196608, 196609, MOST};
    static const size_t portions[] = {1, 63, 64, 65, 1000, 1024, 1025, 65535, 65536, 65537, 0, 0};
    uint8_t whole[LONG], pieces[LONG];
    uint8_t *x = official_input(MOST);
    unsigned long long state = 7;
    for (size_t mode = 0; mode < MODES; mode++) {
        sheaf_hash_options options = options_of(mode);
        sheaf_hasher *hasher;
        CHECK_OK(sheaf_hasher_open(&hasher, &options));
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            CHECK_OK(sheaf_hash_bytes(whole, x, lengths[i], &options));
            for (size_t p = 0; p < sizeof portions / sizeof portions[0]; p++) {
                sheaf_hasher_reset(hasher);
                update_in_portions(hasher, x, lengths[i], portions[p], &state);
                for (int twice = 0; twice < 2; twice++) {
                    CHECK_OK(sheaf_hasher_finish(pieces, LONG, 0, hasher));
                    CHECK(memcmp(pieces, whole, LONG) == 0);
                }
            }
        }
        sheaf_hasher_reset(hasher); /* a finish is not the end: every prefix of what follows */
        for (size_t done = 0; done < 140000; done += 777) {
            CHECK_OK(sheaf_hasher_finish(pieces, LONG, 0, hasher));
            CHECK_OK(sheaf_hash_bytes(whole, x, done, &options));
            CHECK(memcmp(pieces, whole, LONG) == 0);
            CHECK_OK(sheaf_hasher_update(hasher, x + done, 777));
        }
        sheaf_hasher_close(hasher);
    }
    free(x);
}

/* ---- Arrays ------------------------------------------------------------------------------- */

static sheaf_array *make_array(size_t n)
{
    sheaf_array *array;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 1, &n));
    uint8_t *x = sheaf_array_data(array);
    for (size_t i = 0; i < 4 * n; i++)
        x[i] = (uint8_t)(i % 251);
    return array;
}

/* The array's hash by an executor, at once and as a future, with every instruction set. */
static void compare_executor(sheaf_executor *executor, const sheaf_array *array, size_t mode)
{
    sheaf_hash_options options = options_of(mode);
    uint8_t expected[LONG], found[LONG];
    options.isa = "scalar";
    CHECK_OK(
        sheaf_hash_bytes(expected, sheaf_array_data(array), sheaf_array_bytes(array), &options));
    options.executor = executor;
    for (size_t k = 0; sheaf_isa_name(k) != NULL; k++) {
        sheaf_future *future;
        options.isa = sheaf_isa_name(k);
        CHECK_OK(sheaf_hash(found, array, &options));
        CHECK(memcmp(found, expected, LONG) == 0);
        options.out_offset = 70;
        options.out_bytes = 61;
        CHECK_OK(sheaf_hash_submit(&future, array, &options));
        CHECK_OK(sheaf_future_result(found, 61, future, SHEAF_FOREVER));
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_future_result(found, 32, future, SHEAF_FOREVER));
        CHECK(memcmp(found, expected + 70, 61) == 0);
        sheaf_future_release(future);
        options.out_offset = 0;
        options.out_bytes = LONG;
    }
}

static void every_executor_gives_the_same_bytes_in_all_modes(void)
{
    /* Around chunks, batches of 64 KiB, and tasks. */
    static const size_t sizes[] = {0,     1,     255,   256,   257,    16383,  16384,
                                   16385, 32768, 32769, 65536, 131073, 262144, 400001};
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t mode = 0; mode < MODES; mode++) {
            sheaf_array *array = make_array(sizes[s]);
            compare_executor(NULL, array, mode);
            sheaf_detach(array);
        }
    for (size_t workers = 1; workers <= 8; workers += IS_THREAD_SANITIZED ? 3 : 1)
        for (size_t b = 0; b < 3; b++) {
            sheaf_executor *executor;
            CHECK_OK(sheaf_executor_open(&executor, backends[b],
                                         &(sheaf_executor_options){.workers = workers}));
            for (size_t s = workers % 2; s < sizeof sizes / sizeof sizes[0]; s += 2) {
                sheaf_array *array = make_array(sizes[s]);
                compare_executor(executor, array, (s + workers) / 2 % MODES);
                sheaf_detach(array);
            }
            sheaf_executor_close(executor);
        }
}

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

struct killer {
    sheaf_executor *pool;
    _Atomic bool is_over;
    int sent;
};

static void *kill_workers(void *argument)
{
    struct killer *self = argument;
    /* Ten workers killed over one part are an error: where parts are slow, kills are rare. */
    struct timespec pause = {.tv_nsec = IS_SANITIZED ? 60000000 : 8000000};
    for (size_t i = 0; !atomic_load(&self->is_over); i++) {
        sheaf_worker_info info;
        CHECK_OK(sheaf_executor_worker(&info, self->pool, i % 3));
        if (info.pid != 0)
            self->sent += kill(info.pid, SIGKILL) == 0;
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void killed_workers_do_not_change_a_hash(void)
{
    sheaf_array *array = make_array(2000000);
    struct killer killer = {.sent = 0};
    pthread_t thread;
    uint8_t expected[LONG], found[LONG];
    CHECK_OK(sheaf_executor_open(&killer.pool, SHEAF_PROCESSES,
                                 &(sheaf_executor_options){.workers = 3}));
    CHECK(pthread_create(&thread, NULL, kill_workers, &killer) == 0);
    const size_t rounds =
        IS_SANITIZED ? 4 * MODES : 90; /* where a hash takes ten times as long and more */
    for (size_t round = 0; round < rounds; round++) {
        sheaf_hash_options options = options_of(round % MODES);
        CHECK_OK(sheaf_hash(expected, array, &options));
        options.executor = killer.pool;
        CHECK_OK(sheaf_hash(found, array, &options));
        CHECK(memcmp(found, expected, LONG) == 0);
    }
    atomic_store(&killer.is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(killer.sent > 0);
    printf("  %zu hashes, %d workers killed\n", rounds, killer.sent);
    sheaf_executor_close(killer.pool);
    sheaf_detach(array);
}

/* ---- Secrets and errors ------------------------------------------------------------------- */

/* Whether the text is in what this process shares with its workers, or on its heap. */
static bool is_in_memory(const uint8_t *text, size_t bytes)
{
    char line[400];
    bool is_found = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long begin, end;
        char mode[5];
        CHECK(sscanf(line, "%lx-%lx %4s", &begin, &end, mode) == 3);
        bool is_wanted = strstr(line, "memfd:") != NULL || strstr(line, "[heap]") != NULL;
        if (end - begin >
            8UL << 20) /* a board is mostly untouched, its first slots are used first */
            end = begin + (8UL << 20);
        if (is_wanted && mode[0] == 'r')
            is_found |= memmem((const void *)begin, end - begin, text, bytes) != NULL;
    }
    fclose(maps);
    return is_found;
}

static void a_key_is_wiped_when_the_work_is_done(void)
{
    if (IS_SANITIZED) {
        printf("  not under a sanitizer, whose memory is laid out otherwise\n");
        return;
    }
    uint8_t key[SHEAF_HASH_KEY_BYTES], hash[SHEAF_HASH_BYTES];
    unsigned long long state = 99;
    sheaf_executor *pool;
    sheaf_hasher *hasher;
    sheaf_future *future;
    sheaf_array *array = make_array(300000);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)check_random(&state);
    sheaf_hash_options options = {.mode = SHEAF_HASH_KEYED, .key = key};
    CHECK_OK(sheaf_hasher_open(&hasher, &options));
    CHECK(is_in_memory(key, sizeof key)); /* the search finds what is there */
    CHECK_OK(sheaf_hasher_update(hasher, "abc", 3));
    CHECK_OK(sheaf_hasher_finish(hash, sizeof hash, 0, hasher));
    sheaf_hasher_close(hasher);
    CHECK(!is_in_memory(key, sizeof key));
    CHECK_OK(sheaf_executor_open(&pool, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));
    options.executor = pool;
    CHECK_OK(sheaf_hash(hash, array, &options));
    CHECK(!is_in_memory(key, sizeof key));
    CHECK_OK(sheaf_hash_submit(&future, array, &options));
    CHECK_OK(sheaf_future_result(hash, sizeof hash, future, SHEAF_FOREVER));
    CHECK(is_in_memory(key, sizeof key));
    sheaf_future_release(future);
    CHECK(!is_in_memory(key, sizeof key));
    sheaf_executor_close(pool);
    options.executor = NULL;
    CHECK_OK(sheaf_hash_submit(&future, array, &options));
    CHECK_OK(sheaf_future_result(hash, sizeof hash, future, SHEAF_FOREVER));
    sheaf_future_release(future);
    CHECK(!is_in_memory(key, sizeof key));
    sheaf_detach(array);
}

static void wrong_options_are_errors(void)
{
    uint8_t hash[SHEAF_HASH_BYTES] = {7};
    const uint8_t *key = (const uint8_t *)KEY_TEXT;
    sheaf_hasher *hasher;
    const sheaf_hash_options wrong[] = {
        {.mode = SHEAF_HASH_KEYED},
        {.mode = SHEAF_HASH_DERIVE_KEY},
        {.key = key},
        {.context = "x"},
        {.mode = SHEAF_HASH_KEYED, .key = key, .context = "x"},
        {.mode = SHEAF_HASH_DERIVE_KEY, .key = key, .context = "x"},
        {.mode = (sheaf_hash_mode)3},
        {.content = true},
        {.isa = "mmx"},
        {.out_offset = UINT64_MAX - 31},
    };
    size_t count = sizeof wrong / sizeof wrong[0];
    for (size_t i = 0; i < count; i++) {
        sheaf_status expected = i == count - 2 ? SHEAF_ERR_UNSUPPORTED : SHEAF_ERR_ARGUMENT;
        CHECK_STATUS(expected, sheaf_hash_bytes(hash, "abc", 3, &wrong[i]));
        CHECK_STATUS(expected, sheaf_hash_descriptor(hash, -1, &wrong[i]));
        if (i != count - 1)
            CHECK_STATUS(expected, sheaf_hasher_open(&hasher, &wrong[i]));
    }
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hash_bytes(NULL, "abc", 3, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hash_bytes(hash, NULL, 3, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hasher_open(NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hasher_update(NULL, "", 0));
    CHECK(hash[0] == 7); /* written on success only */
    CHECK_OK(sheaf_hash_bytes(hash, NULL, 0, NULL));
    CHECK(hash[0] == 0xaf);
    CHECK_OK(sheaf_hasher_open(&hasher, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hasher_update(hasher, NULL, 1));
    CHECK_OK(sheaf_hasher_update(hasher, NULL, 0));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hasher_finish(NULL, 1, 0, hasher));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hasher_finish(hash, 1, 0, NULL));
    sheaf_hasher_close(hasher);
    sheaf_hasher_close(NULL);
    sheaf_hasher_reset(NULL);
}

CHECK_MAIN(CASE_OF_ONE_THREAD(equals_b3sum_in_all_modes),
           CASE(any_stretch_of_the_output_can_be_had),
           CASE_OF_ONE_THREAD(an_input_in_pieces_has_the_hash_of_the_whole),
           CASE(every_executor_gives_the_same_bytes_in_all_modes),
           CASE(killed_workers_do_not_change_a_hash), CASE(a_key_is_wiped_when_the_work_is_done),
           CASE(wrong_options_are_errors))
