/* test_blake3.c -- the hash of memory, arrays and streams, against published values and b3sum. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <sheaf/hash.h>

#include "op_tree.h"
#include "ops/blake3.h"

enum { HEX_BYTES = 2 * SHEAF_HASH_BYTES + 1 };

/* What the official test vectors hash: byte i is i mod 251. The caller frees it. */
static unsigned char *official_input(size_t bytes)
{
    unsigned char *x = malloc(bytes + 1);
    CHECK(x != NULL);
    for (size_t i = 0; i < bytes; i++)
        x[i] = (unsigned char)(i % 251);
    return x;
}

static void to_hex(char hex[HEX_BYTES], const unsigned char hash[SHEAF_HASH_BYTES])
{
    for (size_t i = 0; i < SHEAF_HASH_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

static void hash_memory(char hex[HEX_BYTES], const struct kernels *kernels, const unsigned char *x,
                        size_t bytes)
{
    unsigned char hash[SHEAF_HASH_BYTES];
    CHECK_OK(sheaf_hash_bytes(hash, x, bytes, &(sheaf_hash_options){.isa = kernels->isa}));
    to_hex(hex, hash);
}

/* By the operation, in tasks: of an i32 array, so bytes is a multiple of 4. */
static void hash_tasks(char hex[HEX_BYTES], const struct kernels *kernels, unsigned char *x,
                       size_t bytes, uint64_t task_leaves)
{
    unsigned char hash[SHEAF_HASH_BYTES];
    struct op_array array = op_tree_array(SHEAF_I32, 1, &(size_t){bytes / 4});
    struct blake3_params params = {0};
    struct blake3_result result;
    struct op_call call = {.kernels = kernels, .params = &params, .arrays = &array, .data = {x}};
    CHECK(bytes % 4 == 0);
    sheaf_blake3_mode_plain(&params.mode);
    CHECK_OK(op_tree_run("blake3", &call, task_leaves, NULL, &result));
    sheaf_blake3_write(hash, sizeof hash, &result);
    to_hex(hex, hash);
}

static void has_the_published_values(void)
{
    static const struct {
        const char *text;
        size_t bytes;
        const char *hash;
    } known[] = {
        {"", 0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
        {"\0", 1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
        {"abc", 3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"},
    };
    for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++)
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            char hex[HEX_BYTES];
            hash_memory(hex, sheaf_kernels_at(k), (const unsigned char *)known[i].text,
                        known[i].bytes);
            CHECK(strcmp(hex, known[i].hash) == 0);
        }
}

static void any_tasks_and_any_instruction_set_give_the_same_hash(void)
{
    enum { MOST = 716800 };
    static const size_t lengths[] = {0,     4,      1020,   1024,   1028,   2048,     3072,
                                     4100,  8192,   31744,  65536,  65540,  66560,    98304,
                                     99328, 102400, 131072, 133120, 512000, MOST - 4, MOST};
    unsigned char *x = official_input(MOST);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char whole[HEX_BYTES];
        char parts[HEX_BYTES];
        hash_memory(whole, sheaf_kernels_at(0), x, lengths[i]);
        for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++)
            for (uint64_t task = 1; task <= 1024; task *= 2) {
                hash_tasks(parts, sheaf_kernels_at(k), x, lengths[i], task);
                CHECK(strcmp(whole, parts) == 0);
            }
    }
    free(x);
}

/* ---- Streams ------------------------------------------------------------------------------ */

struct writer {
    const unsigned char *x;
    size_t bytes;
    size_t portion; /* of one write(), at most */
    int descriptor;
};

static void *write_all(void *argument)
{
    const struct writer *w = argument;
    for (size_t done = 0; done < w->bytes;) {
        size_t here = w->bytes - done < w->portion ? w->bytes - done : w->portion;
        ssize_t n = write(w->descriptor, w->x + done, here);
        CHECK(n > 0 || errno == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    close(w->descriptor);
    return NULL;
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
}

/* Through a pipe: reads are short, or interrupted by a timer, or (flags) would block. */
static void hash_pipe(char hex[HEX_BYTES], const unsigned char *x, size_t bytes, size_t portion,
                      int flags)
{
    unsigned char hash[SHEAF_HASH_BYTES];
    pthread_t thread;
    int ends[2];
    struct sigaction action = {.sa_handler = on_alarm};
    struct sigaction before;
    struct itimerval often = {.it_interval = {.tv_usec = 200}, .it_value = {.tv_usec = 200}};
    struct itimerval never = {.it_value = {.tv_usec = 0}};

    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    CHECK(fcntl(ends[0], F_SETFL, flags) == 0);
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    struct writer writer = {x, bytes, portion, ends[1]};
    CHECK(pthread_create(&thread, NULL, write_all, &writer) == 0);
    CHECK_OK(sheaf_hash_descriptor(hash, ends[0], NULL));
    pthread_join(thread, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    close(ends[0]);
    to_hex(hex, hash);
}

static void a_stream_has_the_hash_of_its_bytes(void)
{
    /* Around the multiples of 256 KiB, the pieces that a stream is hashed in. */
    enum { MOST = 3145729 };
    static const size_t lengths[] = {0,       1,       1024,    65536,   262143,  262144,
                                     262145,  524288,  786432,  1048575, 1048576, 1048577,
                                     2097152, 3145723, 3145728, MOST};
    unsigned char *x = official_input(MOST);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char whole[HEX_BYTES];
        char stream[HEX_BYTES];
        hash_memory(whole, sheaf_kernels_at(0), x, lengths[i]);
        hash_pipe(stream, x, lengths[i], 50021, 0);
        CHECK(strcmp(whole, stream) == 0);
        hash_pipe(stream, x, lengths[i], 4099, O_NONBLOCK);
        CHECK(strcmp(whole, stream) == 0);
    }
    free(x);
}

static void a_stream_that_cannot_be_read_is_an_error(void)
{
    unsigned char hash[SHEAF_HASH_BYTES] = {7};
    sheaf_hash_options options = {.isa = "mmx"};
    CHECK_STATUS(SHEAF_ERR_SYSTEM, sheaf_hash_descriptor(hash, -1, NULL));
    CHECK_ERROR_SAYS("descriptor -1");
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_STATUS(SHEAF_ERR_SYSTEM, sheaf_hash_descriptor(hash, directory, NULL));
    CHECK_ERROR_SAYS("directory");
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, sheaf_hash_descriptor(hash, directory, &options));
    CHECK_ERROR_SAYS("mmx");
    close(directory);
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_hash_descriptor(NULL, 0, NULL));
    CHECK(hash[0] == 7); /* written on success only */
}

/* ---- b3sum -------------------------------------------------------------------------------- */

static void ask_b3sum(char hex[HEX_BYTES], const char *path)
{
    char command[300];
    snprintf(command, sizeof command, "b3sum --no-names '%s'", path);
    FILE *output = popen(command, "re");
    CHECK(output != NULL);
    CHECK(fread(hex, 1, HEX_BYTES - 1, output) == HEX_BYTES - 1);
    hex[HEX_BYTES - 1] = '\0';
    CHECK(pclose(output) == 0);
}

/* One length: memory with every instruction set, and the file as a stream. */
static void compare_with_b3sum(const char *path, int file, const unsigned char *x, size_t bytes)
{
    char theirs[HEX_BYTES];
    char ours[HEX_BYTES];
    unsigned char hash[SHEAF_HASH_BYTES];
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, x, bytes, 0) == (ssize_t)bytes);
    CHECK(lseek(file, 0, SEEK_SET) == 0);
    ask_b3sum(theirs, path);
    for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++) {
        hash_memory(ours, sheaf_kernels_at(k), x, bytes);
        if (strcmp(theirs, ours) != 0)
            fprintf(stderr, "%zu bytes, %s: %s\n", bytes, sheaf_kernels_at(k)->isa, ours);
        CHECK(strcmp(theirs, ours) == 0);
    }
    CHECK_OK(sheaf_hash_descriptor(hash, file, NULL));
    to_hex(ours, hash);
    CHECK(strcmp(theirs, ours) == 0);
}

static void equals_b3sum(void)
{
    /* The lengths of the official vectors. */
    static const size_t official[] = {0,    1,    2,    3,    4,    5,     6,     7,     8,
                                      63,   64,   65,   127,  128,  129,   1023,  1024,  1025,
                                      2048, 2049, 3072, 3073, 4096, 4097,  5120,  5121,  6144,
                                      6145, 7168, 7169, 8192, 8193, 16384, 31744, 102400};
    enum { BIG = 5 * 1024 * 1024 + 777 };
    char path[] = "/tmp/sheaf-test-blake3-XXXXXX";
    if (system("b3sum --version >/dev/null 2>&1") != 0)
        check_skip("no b3sum command: install the package b3sum");

    unsigned char *x = official_input(BIG);
    int file = mkostemp(path, O_CLOEXEC);
    CHECK(file >= 0);
    for (size_t i = 0; i < sizeof official / sizeof official[0]; i++)
        compare_with_b3sum(path, file, x, official[i]);
    for (size_t chunks = 1; chunks < 260; chunks += chunks < 20 ? 1 : chunks < 140 ? 6 : 17)
        for (size_t past = 0; past < 3; past++) /* one byte less, none, one more */
            compare_with_b3sum(path, file, x, 1024 * chunks + past - 1);
    compare_with_b3sum(path, file, x, BIG);
    close(file);
    unlink(path);
    free(x);
}

CHECK_MAIN(CASE(has_the_published_values),
           CASE(any_tasks_and_any_instruction_set_give_the_same_hash),
           CASE(a_stream_has_the_hash_of_its_bytes), CASE(a_stream_that_cannot_be_read_is_an_error),
           CASE(equals_b3sum))
