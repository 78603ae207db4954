/* scrypt.c -- the public scrypt: the checks, how much is in flight at once, and the ends of the
 * computation, which take the password. The middle is ops/scrypt.c. */
#include <sheaf/scrypt.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "api/call.h"
#include "base/error.h"
#include "base/wipe.h"
#include "kernels.h"
#include "memory/available.h"
#include "ops/pbkdf2.h"
#include "ops/scrypt.h"

static const uint64_t LENGTH_MAX = UINT64_C(32) * UINT32_MAX;

/* One call, from its checks to its wiping. */
struct scrypt_call {
    const sheaf_scrypt_batch *batch;
    const sheaf_scrypt_params *params;
    const sheaf_scrypt_options *options;
    const struct kernels *kernels;
    struct request request;
    sheaf_array *keys;
    sheaf_array *blocks;
};

static sheaf_status check_params(const sheaf_scrypt_params *params)
{
    if (params->n < 2 || (params->n & (params->n - 1)) != 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "scrypt: n is %" PRIu64 "; it must be a power of two, 2 or more",
                          params->n);
    if (params->r == 0 || params->p == 0 || (uint64_t)params->r * params->p >= UINT64_C(1) << 30)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "scrypt: r is %" PRIu32 " and p is %" PRIu32
                          "; both must be 1 or more, and r p below 2^30",
                          params->r, params->p);
    if (params->r < 4 && params->n >> (16 * params->r) != 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "scrypt: n is %" PRIu64 "; with r = %" PRIu32
                          " it must be below 2^%" PRIu32,
                          params->n, params->r, 16 * params->r);
    if (params->length == 0 || params->length > LENGTH_MAX)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "scrypt: a length of %zu bytes; it must be 1 to %" PRIu64, params->length,
                          LENGTH_MAX);
    return SHEAF_OK;
}

static bool is_valid(const sheaf_bytes *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].data == NULL && list[i].bytes > 0)
            return false;
    return true;
}

static sheaf_status check(const void *out, const sheaf_scrypt_batch *batch,
                          const sheaf_scrypt_params *params)
{
    if (out == NULL || batch == NULL || params == NULL || batch->passwords == NULL ||
        batch->salts == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "scrypt: NULL given");
    if (batch->count == 0 || (batch->salt_count != 1 && batch->salt_count != batch->count))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "scrypt: %zu salts for %zu passwords; there must be one, or one each",
                          batch->salt_count, batch->count);
    if (!is_valid(batch->passwords, batch->count) || !is_valid(batch->salts, batch->salt_count))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "scrypt: bytes that lie at NULL");
    return check_params(params);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t quotient_up(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

/* How many inputs a leaf has and how many of them are in flight at once: all lanes of all workers, if the
 * limit allows; else as many leaves as workers, or fewer, with what lanes they can have.
 *     shared   all inputs, and the keys
 *     own      what a worker takes in any case
 *     lane     .. and for each input in flight */
static sheaf_status shape(struct scrypt_params *out, const struct scrypt_call *call)
{
    const sheaf_executor *executor = call->options != NULL ? call->options->executor : NULL;
    uint64_t limit = call->options != NULL ? call->options->memory_limit : 0;
    const char *whose = limit != 0 ? "the memory_limit" : "half of what is free";
    uint64_t wide = call->kernels->scrypt_lanes;
    uint64_t shared, rows;
    if (__builtin_mul_overflow(call->batch->count, call->params->p, &out->inputs) ||
        __builtin_mul_overflow(out->inputs, UINT64_C(512) * call->params->r, &shared) ||
        __builtin_mul_overflow(call->params->n, UINT64_C(512) * call->params->r, &rows))
        return SHEAF_FAIL(SHEAF_ERR_OVERFLOW,
                          "scrypt: %zu passwords with n = %" PRIu64 ", r = %" PRIu32
                          " and p = %" PRIu32 " need more memory than there are addresses",
                          call->batch->count, call->params->n, call->params->r, call->params->p);
    shared = shared / 4 + call->batch->count * sizeof(struct pbkdf2);
    uint64_t lane = sheaf_scrypt_lane_bytes(call->params->n, call->params->r);
    uint64_t own = sheaf_scrypt_worker_bytes(call->kernels, call->params->r);
    if (limit == 0)
        limit = memory_available() / 2;
    if (limit < shared + own + lane)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY,
                          "scrypt: n = %" PRIu64 ", r = %" PRIu32 ", p = %" PRIu32
                          " with %zu passwords needs %" PRIu64 " bytes at least, and %s is %" PRIu64
                          " bytes",
                          call->params->n, call->params->r, call->params->p, call->batch->count,
                          shared + own + lane, whose, limit);
    uint64_t workers = sheaf_executor_workers(executor);
    workers =
        workers > 0 ? least(workers, out->inputs) : 1; /* 0: closed, which the call will say */
    uint64_t lanes = least(wide, quotient_up(out->inputs, workers));
    uint64_t group = quotient_up(out->inputs, workers * quotient_up(out->inputs, workers * lanes));
    /* The caller may work too: one more than the workers. */
    if ((limit - shared) / (workers + 1) < own + lanes * lane) {
        workers = least(workers, (limit - shared) / (own + lane));
        group = quotient_up(out->inputs, workers);
        lanes = least(least(wide, group), ((limit - shared) / workers - own) / lane);
    }
    out->group = group;
    out->lanes = (uint32_t)least(lanes, group);
    return SHEAF_OK;
}

/* Memory for secrets that workers reach: it has no name, and no core dump or forked child gets it. */
static sheaf_status create_secret(sheaf_array **out, size_t bytes)
{
    const size_t shape = bytes / sizeof(int32_t);
    sheaf_status status = sheaf_create_anonymous(out, SHEAF_I32, 1, &shape);
    if (status != SHEAF_OK)
        return status;
    madvise(sheaf_array_data(*out), bytes, MADV_DONTDUMP);
    madvise(sheaf_array_data(*out), bytes, MADV_DONTFORK);
    return SHEAF_OK;
}

static void destroy_secret(sheaf_array *array)
{
    if (array != NULL)
        wipe(sheaf_array_data(array), sheaf_array_bytes(array));
    sheaf_detach(array);
}

/* Before the job: everything of a password that does not depend on the input. */
static void make_keys(const struct scrypt_call *call)
{
    const sheaf_scrypt_batch *batch = call->batch;
    struct pbkdf2 *keys = sheaf_array_data(call->keys);
    for (size_t i = 0; i < batch->count; i++) {
        const sheaf_bytes *salt = &batch->salts[batch->salt_count > 1 ? i : 0];
        sheaf_pbkdf2_begin(&keys[i], call->kernels, batch->passwords[i].data,
                           batch->passwords[i].bytes, salt->data, salt->bytes);
    }
}

/* After it: the password's PBKDF2 again, with its blocks for a salt. */
static void make_results(uint8_t *out, const struct scrypt_call *call)
{
    const sheaf_scrypt_batch *batch = call->batch;
    const uint8_t *blocks = sheaf_array_data(call->blocks);
    size_t bytes = (size_t)128 * call->params->r * call->params->p;
    struct pbkdf2 last;
    for (size_t i = 0; i < batch->count; i++) {
        sheaf_pbkdf2_begin(&last, call->kernels, batch->passwords[i].data,
                           batch->passwords[i].bytes, blocks + i * bytes, bytes);
        sheaf_pbkdf2_output(out + i * call->params->length, call->params->length, call->kernels,
                            &last);
    }
    wipe(&last, sizeof last);
}

static sheaf_status run(uint8_t *out, struct scrypt_call *call)
{
    uint64_t unused;
    struct scrypt_params params = {
        .n = call->params->n, .r = call->params->r, .p = call->params->p};
    sheaf_status status = shape(&params, call);
    if (status != SHEAF_OK)
        return status;
    status = create_secret(&call->keys, call->batch->count * sizeof(struct pbkdf2));
    if (status == SHEAF_OK)
        status = create_secret(&call->blocks, (size_t)params.inputs * params.r * 128);
    if (status != SHEAF_OK)
        goto destroy;
    make_keys(call);
    memcpy(call->request.params, &params, sizeof params);
    call->request.op = sheaf_op_find("scrypt");
    call->request.array_count = 2;
    call->request.arrays[SCRYPT_KEYS] = call->keys;
    call->request.arrays[SCRYPT_BLOCKS] = call->blocks;
    status =
        call_run(&unused, call->options != NULL ? call->options->executor : NULL, &call->request);
    if (status == SHEAF_OK)
        make_results(out, call);
destroy:
    destroy_secret(call->blocks);
    destroy_secret(call->keys);
    wipe_stack();
    return status;
}

sheaf_status sheaf_scrypt_many(uint8_t *out, const sheaf_scrypt_batch *batch,
                               const sheaf_scrypt_params *params,
                               const sheaf_scrypt_options *options)
{
    struct scrypt_call call;
    sheaf_status status = check(out, batch, params);
    if (status != SHEAF_OK)
        return status;
    request_clear(&call.request);
    status = call_isa(&call.request.isa, options != NULL ? options->isa : NULL);
    if (status != SHEAF_OK)
        return status;
    call.batch = batch;
    call.params = params;
    call.options = options;
    call.kernels = sheaf_kernels_at(call.request.isa);
    call.keys = NULL;
    call.blocks = NULL;
    return run(out, &call);
}

sheaf_status sheaf_scrypt(uint8_t *out, sheaf_bytes password, sheaf_bytes salt,
                          const sheaf_scrypt_params *params, const sheaf_scrypt_options *options)
{
    const sheaf_scrypt_batch batch = {&password, 1, &salt, 1};
    return sheaf_scrypt_many(out, &batch, params, options);
}

sheaf_status sheaf_scrypt_verify(bool *out, const uint8_t *expected, sheaf_bytes password,
                                 sheaf_bytes salt, const sheaf_scrypt_params *params,
                                 const sheaf_scrypt_options *options)
{
    if (out == NULL || expected == NULL || params == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "scrypt: NULL given");
    sheaf_status status = check_params(params);
    if (status != SHEAF_OK)
        return status;
    uint8_t *found = calloc(params->length, 1);
    if (found == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "scrypt: no memory for a result of %zu bytes",
                          params->length);
    status = sheaf_scrypt(found, password, salt, params, options);
    if (status == SHEAF_OK) {
        /* volatile: so that no compiler may stop at the first difference. */
        volatile uint8_t difference = 0;
        for (size_t i = 0; i < params->length; i++)
            difference = (uint8_t)(difference | (found[i] ^ expected[i]));
        *out = difference == 0;
        wipe(found, params->length);
    }
    free(found);
    return status;
}
