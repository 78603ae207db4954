/* test_scrypt_openssl.c -- scrypt with random parameters, against libcrypto's. */
#include <stdint.h>

#include <openssl/evp.h>

#include <sheaf/sheaf.h>

#include "check.h"

enum { ROUNDS = 3000, LENGTH_MAX = 200, BYTES_MAX = 200 };

static uint64_t below(unsigned long long *state, uint64_t bound)
{
    return check_random(state) % bound;
}

static void fill(uint8_t *bytes, size_t count, unsigned long long *state)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)check_random(state);
}

static void expect(uint8_t *out, sheaf_bytes password, sheaf_bytes salt,
                   const sheaf_scrypt_params *params)
{
    CHECK(EVP_PBE_scrypt(password.data, password.bytes, salt.data, salt.bytes, params->n, params->r,
                         params->p, UINT64_C(1) << 32, out, params->length) == 1);
}

/* Costs that multiply to little, each of them now and then large. */
static sheaf_scrypt_params random_params(unsigned long long *state)
{
    sheaf_scrypt_params params;
    do {
        params.n = UINT64_C(2) << below(state, 10);
        params.r = (uint32_t)(1 + below(state, below(state, 4) == 0 ? 70 : 9));
        params.p = (uint32_t)(1 + below(state, below(state, 4) == 0 ? 40 : 4));
    } while (params.n * params.r * params.p > 3000);
    params.length = 1 + below(state, LENGTH_MAX);
    return params;
}

static void a_password(unsigned long long *state, const char *isa)
{
    uint8_t password[BYTES_MAX], salt[BYTES_MAX], theirs[LENGTH_MAX], ours[LENGTH_MAX];
    sheaf_scrypt_params params = random_params(state);
    sheaf_scrypt_options options = {.isa = isa};
    sheaf_bytes secret = {password, below(state, BYTES_MAX)};
    sheaf_bytes grain = {salt, below(state, BYTES_MAX)};
    fill(password, secret.bytes, state);
    fill(salt, grain.bytes, state);
    expect(theirs, secret, grain, &params);
    CHECK_OK(sheaf_scrypt(ours, secret, grain, &params, &options));
    if (memcmp(ours, theirs, params.length) != 0)
        fprintf(stderr, "%s: n %llu r %u p %u length %zu password %zu salt %zu\n", isa,
                (unsigned long long)params.n, params.r, params.p, params.length, secret.bytes,
                grain.bytes);
    CHECK(memcmp(ours, theirs, params.length) == 0);
}

static void random_parameters_give_what_openssl_gives(void)
{
    unsigned long long state = 1;
    for (size_t i = 0; i < ROUNDS;)
        for (size_t k = 0; sheaf_isa_name(k) != NULL; k++, i++)
            a_password(&state, sheaf_isa_name(k));
}

/* All lanes of both, with salts of their own. */
static void a_batch(unsigned long long *state, const char *isa)
{
    enum { MOST = 40 };
    static uint8_t secrets[MOST][BYTES_MAX], grains[MOST][BYTES_MAX];
    uint8_t theirs[LENGTH_MAX];
    static uint8_t ours[MOST * LENGTH_MAX];
    sheaf_bytes passwords[MOST], salts[MOST];
    sheaf_scrypt_params params = random_params(state);
    sheaf_scrypt_options options = {.isa = isa};
    size_t count = 1 + below(state, MOST);
    for (size_t i = 0; i < count; i++) {
        passwords[i] = (sheaf_bytes){secrets[i], below(state, BYTES_MAX)};
        salts[i] = (sheaf_bytes){grains[i], below(state, BYTES_MAX)};
        fill(secrets[i], passwords[i].bytes, state);
        fill(grains[i], salts[i].bytes, state);
    }
    sheaf_scrypt_batch batch = {passwords, count, salts, below(state, 2) == 0 ? 1 : count};
    CHECK_OK(sheaf_scrypt_many(ours, &batch, &params, &options));
    for (size_t i = 0; i < count; i++) {
        expect(theirs, passwords[i], salts[batch.salt_count > 1 ? i : 0], &params);
        CHECK(memcmp(ours + i * params.length, theirs, params.length) == 0);
    }
}

static void batches_give_what_openssl_gives(void)
{
    unsigned long long state = 2;
    for (size_t i = 0; i < 60; i++)
        for (size_t k = 0; sheaf_isa_name(k) != NULL; k++)
            a_batch(&state, sheaf_isa_name(k));
}

/* The row lengths and numbers of inputs of real use. */
static void large_parameters_give_what_openssl_gives(void)
{
    static const sheaf_scrypt_params sets[] = {
        {2, 1024, 33, 64}, {8, 1024, 5, 64}, {4096, 8, 3, 32}, {16, 1023, 3, 64}, {32768, 1, 1, 40},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        for (size_t k = 0; sheaf_isa_name(k) != NULL; k++) {
            uint8_t theirs[64], ours[64];
            sheaf_scrypt_options options = {.isa = sheaf_isa_name(k)};
            expect(theirs, (sheaf_bytes){"secret", 6}, (sheaf_bytes){"grain", 5}, &sets[i]);
            CHECK_OK(sheaf_scrypt(ours, (sheaf_bytes){"secret", 6}, (sheaf_bytes){"grain", 5},
                                  &sets[i], &options));
            CHECK(memcmp(ours, theirs, sets[i].length) == 0);
        }
}

CHECK_MAIN(CASE(random_parameters_give_what_openssl_gives), CASE(batches_give_what_openssl_gives),
           CASE(large_parameters_give_what_openssl_gives))
