/* test_scrypt.c -- scrypt: the published vectors on every instruction set and executor, what is refused,
 * and what is left in memory afterwards. test_scrypt_openssl.c has the random parameters. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

#include "check.h"

static sheaf_bytes text(const char *s)
{
    return (sheaf_bytes){s, strlen(s)};
}

/* RFC 7914, 12, but for the one that takes 1 GiB; its first 16 bytes are in big_memory(). */
static const struct vector {
    const char *password, *salt;
    sheaf_scrypt_params params;
    const char *hex;
} vectors[] = {
    {"",
     "",
     {16, 1, 1, 64},
     "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
     "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"},
    {"password",
     "NaCl",
     {1024, 8, 16, 64},
     "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
     "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"},
    {"pleaseletmein",
     "SodiumChloride",
     {16384, 8, 1, 64},
     "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
     "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"},
};
enum { VECTORS = sizeof vectors / sizeof vectors[0] };

static void to_hex(char *hex, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static void has_the_published_values(void)
{
    for (size_t k = 0; sheaf_isa_name(k) != NULL; k++)
        for (size_t i = 0; i < VECTORS; i++) {
            uint8_t key[64];
            char hex[129];
            sheaf_scrypt_options options = {.isa = sheaf_isa_name(k)};
            CHECK_OK(sheaf_scrypt(key, text(vectors[i].password), text(vectors[i].salt),
                                  &vectors[i].params, &options));
            to_hex(hex, key, sizeof key);
            if (strcmp(hex, vectors[i].hex) != 0)
                fprintf(stderr, "%s, vector %zu: %s\n", options.isa, i, hex);
            CHECK(strcmp(hex, vectors[i].hex) == 0);
        }
}

/* Some passwords, of 0 to many bytes, and salts of any length around a block's. */
enum { PASSWORDS = 21 };
static char storage[PASSWORDS][160];
static sheaf_bytes passwords[PASSWORDS];
static sheaf_bytes salts[PASSWORDS];

static void make_passwords(void)
{
    unsigned long long state = 7;
    for (size_t i = 0; i < PASSWORDS; i++) {
        for (size_t k = 0; k < sizeof storage[i]; k++)
            storage[i][k] = (char)check_random(&state);
        passwords[i] = (sheaf_bytes){storage[i], i * 7};
        salts[i] = (sheaf_bytes){storage[i], 140 - i * 7};
    }
}

/* Each alone, in the caller, with plain C. */
static void one_by_one(uint8_t *out, const sheaf_scrypt_batch *batch,
                       const sheaf_scrypt_params *params)
{
    sheaf_executor *sequential;
    CHECK_OK(sheaf_executor_open(&sequential, SHEAF_SEQUENTIAL, NULL));
    sheaf_scrypt_options options = {.executor = sequential, .isa = "scalar"};
    for (size_t i = 0; i < batch->count; i++)
        CHECK_OK(sheaf_scrypt(out + i * params->length, batch->passwords[i],
                              batch->salts[batch->salt_count > 1 ? i : 0], params, &options));
    sheaf_executor_close(sequential);
}

static void any_executor_and_any_crew_give_the_same_keys(void)
{
    static const sheaf_scrypt_params params = {32, 3, 5, 50};
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    uint8_t expected[PASSWORDS * 50];
    uint8_t found[PASSWORDS * 50];
    make_passwords();
    sheaf_scrypt_batch batch = {passwords, PASSWORDS, salts, PASSWORDS};
    one_by_one(expected, &batch, &params);
    for (size_t b = 0; b < 3; b++)
        for (size_t workers = 1; workers <= 8; workers += b == 0 ? 8 : workers < 4 ? 1 : 2) {
            sheaf_executor *executor;
            sheaf_executor_options open = {.workers = workers};
            CHECK_OK(sheaf_executor_open(&executor, backends[b], &open));
            for (size_t k = 0; sheaf_isa_name(k) != NULL; k++) {
                sheaf_scrypt_options options = {.executor = executor, .isa = sheaf_isa_name(k)};
                memset(found, 0, sizeof found);
                CHECK_OK(sheaf_scrypt_many(found, &batch, &params, &options));
                CHECK(memcmp(found, expected, sizeof found) == 0);
            }
            sheaf_executor_close(executor);
        }
}

static void one_salt_is_for_all(void)
{
    static const sheaf_scrypt_params params = {16, 2, 1, 33};
    uint8_t expected[PASSWORDS * 33];
    uint8_t found[PASSWORDS * 33];
    make_passwords();
    for (size_t count = 1; count <= PASSWORDS; count++) {
        sheaf_scrypt_batch batch = {passwords, count, &salts[3], 1};
        one_by_one(expected, &batch, &params);
        CHECK_OK(sheaf_scrypt_many(found, &batch, &params, NULL));
        CHECK(memcmp(found, expected, count * 33) == 0);
    }
}

static void refuses_what_is_not_scrypt(void)
{
    static const sheaf_scrypt_params wrong[] = {
        {0, 1, 1, 1},
        {1, 1, 1, 1},
        {3, 1, 1, 1},
        {12, 8, 1, 64},
        {16, 0, 1, 1},
        {16, 1, 0, 1},
        {16, 1 << 15, 1 << 15, 1},
        {1 << 16, 1, 1, 64},
        {UINT64_C(1) << 32, 2, 1, 64},
        {16, 1, 1, 0},
        {16, 1U << 31, 2, 1},
        {16, 1, 1, (size_t)1 << 37},
    };
    static const sheaf_scrypt_params good = {2, 1, 1, 4};
    static const sheaf_scrypt_params huge = {UINT64_C(1) << 60, 8, 1, 4};
    uint8_t key[4] = {9, 9, 9, 9};
    bool same = false;
    const sheaf_bytes nowhere = {NULL, 3};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_scrypt(key, text("a"), text("b"), &wrong[i], NULL));
        CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                     sheaf_scrypt_verify(&same, key, text("a"), text("b"), &wrong[i], NULL));
    }
    sheaf_bytes two[2] = {text("a"), text("b")};
    CHECK_STATUS(SHEAF_ERR_OVERFLOW, sheaf_scrypt(key, text("a"), text("b"), &huge, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_scrypt(key, nowhere, text("b"), &good, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_scrypt(key, text("a"), nowhere, &good, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_scrypt(NULL, text("a"), text("b"), &good, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_scrypt(key, text("a"), text("b"), NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_scrypt_many(key, NULL, &good, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_scrypt_many(key, &(sheaf_scrypt_batch){two, 0, two, 1}, &good, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_scrypt_many(key, &(sheaf_scrypt_batch){two, 1, two, 2}, &good, NULL));
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, sheaf_scrypt(key, text("a"), text("b"), &good,
                                                     &(sheaf_scrypt_options){.isa = "mmx"}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_scrypt_verify(NULL, key, text("a"), text("b"), &good, NULL));
    CHECK(key[0] == 9 && key[3] == 9); /* written on success only */
}

static void keeps_to_its_memory_limit(void)
{
    static const sheaf_scrypt_params params = {1024, 8, 1, 32}; /* 1 MiB an input */
    uint8_t expected[PASSWORDS * 32];
    uint8_t found[PASSWORDS * 32];
    make_passwords();
    sheaf_scrypt_batch batch = {passwords, PASSWORDS, salts, PASSWORDS};
    one_by_one(expected, &batch, &params);
    sheaf_scrypt_options options = {.memory_limit = 1 << 20};
    memset(found, 7, sizeof found);
    CHECK_STATUS(SHEAF_ERR_NO_MEMORY, sheaf_scrypt_many(found, &batch, &params, &options));
    CHECK_ERROR_SAYS("needs 1");
    CHECK_ERROR_SAYS("memory_limit is 1048576 bytes");
    CHECK(found[0] == 7);
    for (uint64_t mib = 2; mib <= 64; mib += mib < 8 ? 1 : 7) {
        options.memory_limit = mib << 20;
        CHECK_OK(sheaf_scrypt_many(found, &batch, &params, &options));
        CHECK(memcmp(found, expected, sizeof found) == 0);
    }
}

static void verifies(void)
{
    uint8_t key[64];
    bool same = false;
    const struct vector *v = &vectors[0];
    CHECK_OK(sheaf_scrypt(key, text(v->password), text(v->salt), &v->params, NULL));
    CHECK_OK(sheaf_scrypt_verify(&same, key, text(v->password), text(v->salt), &v->params, NULL));
    CHECK(same);
    CHECK_OK(sheaf_scrypt_verify(&same, key, text("x"), text(v->salt), &v->params, NULL));
    CHECK(!same);
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] ^= 0x80;
        CHECK_OK(
            sheaf_scrypt_verify(&same, key, text(v->password), text(v->salt), &v->params, NULL));
        CHECK(!same);
        key[i] ^= 0x80;
    }
}

/* ---- Deaths ------------------------------------------------------------------------------- */

static void a_death_changes_nothing(void)
{
    static const sheaf_scrypt_params params = {256, 8, 4, 32};
    uint8_t expected[PASSWORDS * 32];
    uint8_t found[PASSWORDS * 32];
    sheaf_executor *executor;
    sheaf_executor_options open = {.workers = 2};
    make_passwords();
    sheaf_scrypt_batch batch = {passwords, PASSWORDS, salts, PASSWORDS};
    one_by_one(expected, &batch, &params);
    CHECK_OK(sheaf_executor_open(&executor, SHEAF_PROCESSES, &open));
    for (unsigned round = 0; round < 12; round++) {
        sheaf_worker_info worker;
        sheaf_scrypt_options options = {.executor = executor, .isa = "scalar"};
        CHECK_OK(sheaf_executor_worker(&worker, executor, round % 2));
        pid_t killer = fork();
        CHECK(killer >= 0);
        if (killer == 0) {
            usleep(2000 + round * 4000); /* a job takes about 50 ms */
            if (worker.pid > 0)
                kill(worker.pid, SIGKILL);
            _exit(0);
        }
        CHECK_OK(sheaf_scrypt_many(found, &batch, &params, &options));
        CHECK(memcmp(found, expected, sizeof found) == 0);
        CHECK(waitpid(killer, NULL, 0) == killer);
    }
    sheaf_executor_close(executor);
}

CHECK_MAIN(CASE(has_the_published_values), CASE(any_executor_and_any_crew_give_the_same_keys),
           CASE(one_salt_is_for_all), CASE(refuses_what_is_not_scrypt),
           CASE(keeps_to_its_memory_limit), CASE(verifies), CASE(a_death_changes_nothing))
