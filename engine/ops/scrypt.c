/* scrypt.c -- the middle of scrypt: PBKDF2's blocks, and ROMix in lanes, in memory that each
 * worker keeps, and wipes as it leaves a job. */
#include "ops/scrypt.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/wipe.h"
#include "kernels.h"
#include "ops/pbkdf2.h"

enum {
    HUGE_PAGE = 2 * 1024 * 1024,
    /* Between the rows of two lanes, so that they do not fall into the same cache sets: (128, 1024)
     * takes 8.0 ns a block with it, 8.6 without. A page and a line. */
    LANE_GAP = 4096 + 64,
    KEPT_BYTES = 256 * 1024 * 1024,
    NS_PER_BLOCK = 10, /* of a lane, for the size of a leaf */
};

/* This thread's memory for rows. It is wiped at the end of each visit to a job, and kept for the next one:
 * to map and unmap 128 MiB for each job takes 25 ms, and in a virtual machine whose host takes free pages
 * back it takes 400. Of what is large the kernel may take the pages, when it is short of them. */
struct scratch {
    unsigned char *address; /* on a huge page's boundary */
    size_t bytes;
    size_t used; /* since it was wiped */
    void *mapped;
    size_t mapped_bytes;
};

static _Thread_local struct scratch scratch;
static pthread_key_t at_thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

uint64_t sheaf_scrypt_lane_bytes(uint64_t n, uint32_t r)
{
    return UINT64_C(128) * r * n + LANE_GAP;
}

uint64_t sheaf_scrypt_worker_bytes(const struct kernels *kernels, uint32_t r)
{
    return UINT64_C(128) * r * kernels->scrypt_lanes;
}

static void unmap(struct scratch *mine)
{
    if (mine->mapped != NULL)
        munmap(mine->mapped, mine->mapped_bytes);
    memset(mine, 0, sizeof *mine);
}

static void unmap_at_thread_end(void *mine)
{
    unmap(mine);
}

static void make_key(void)
{
    has_key = pthread_key_create(&at_thread_end, unmap_at_thread_end) == 0;
}

/* The library is unloaded: threads that end later must not look for unmap_at_thread_end(). */
__attribute__((destructor)) static void delete_key(void)
{
    if (has_key)
        pthread_key_delete(at_thread_end);
}

static void leave(void)
{
    wipe(scratch.address, scratch.used);
    scratch.used = 0;
    if (!has_key ||
        (scratch.bytes > KEPT_BYTES &&
         madvise(scratch.address, scratch.bytes / HUGE_PAGE * HUGE_PAGE, MADV_FREE) != 0))
        unmap(&scratch);
}

static sheaf_status get_scratch(size_t bytes)
{
    if (scratch.used < bytes)
        scratch.used = bytes;
    if (scratch.bytes >= bytes)
        return SHEAF_OK;
    wipe(scratch.address, scratch.bytes);
    unmap(&scratch);
    pthread_once(&once, make_key);
    if (has_key && pthread_setspecific(at_thread_end, &scratch) != 0)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "scrypt: no memory for a thread's own data");
    size_t mapped_bytes = bytes + HUGE_PAGE;
    void *mapped = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "scrypt: cannot map %zu bytes for a worker: %s",
                          mapped_bytes, strerror(errno));
    madvise(mapped, mapped_bytes, MADV_DONTDUMP);
    madvise(mapped, mapped_bytes, MADV_WIPEONFORK);
    scratch.mapped = mapped;
    scratch.mapped_bytes = mapped_bytes;
    scratch.address =
        (unsigned char *)(((uintptr_t)mapped + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    /* A fault takes a huge page at once, and clears it: so not for what fills none. */
    madvise(scratch.address, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    scratch.bytes = bytes;
    scratch.used = bytes;
    return SHEAF_OK;
}

static const struct scrypt_params *params_of(const struct op_call *call)
{
    return call->params;
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    const struct scrypt_params *params = params_of(call);
    double bytes = 4.0 * (double)params->n * params->r * NS_PER_BLOCK * 10 * (double)params->group;
    out->leaves = (params->inputs + params->group - 1) / params->group;
    out->leaf_bytes = bytes < 0x1p62 ? (uint64_t)bytes : UINT64_C(1) << 62;
    return SHEAF_OK;
}

/* A worker process has mapped the arrays for the first time, perhaps: its copy of the owner's advice. */
static void keep_out_of_dumps(const struct op_call *call)
{
    const struct scrypt_params *params = params_of(call);
    size_t keys = (size_t)(params->inputs / params->p) * sizeof(struct pbkdf2);
    size_t blocks = (size_t)params->inputs * params->r * 128;
    madvise(call->data[SCRYPT_KEYS], keys, MADV_DONTDUMP);
    madvise(call->data[SCRYPT_BLOCKS], blocks, MADV_DONTDUMP);
}

/* Inputs first to first + count - 1, which are at most `lanes`. */
static void run_lanes(const struct op_call *call, uint64_t first, size_t count)
{
    const struct scrypt_params *params = params_of(call);
    const struct pbkdf2 *keys = call->data[SCRYPT_KEYS];
    const size_t input_bytes = (size_t)params->r * 128;
    const uint32_t input_blocks = params->r * (128 / PBKDF2_BLOCK);
    uint8_t *x = (uint8_t *)call->data[SCRYPT_BLOCKS] + (size_t)first * input_bytes;
    for (size_t i = 0; i < count; i++)
        sheaf_pbkdf2_blocks(x + i * input_bytes, call->kernels, &keys[(first + i) / params->p],
                            (uint32_t)((first + i) % params->p) * input_blocks + 1, input_blocks);
    const struct scrypt_lanes lanes = {
        .x = x,
        .count = count,
        .n = (size_t)params->n,
        .r = params->r,
        .row = scratch.address,
        .v = scratch.address + sheaf_scrypt_worker_bytes(call->kernels, params->r),
        .v_stride = (size_t)sheaf_scrypt_lane_bytes(params->n, params->r),
    };
    call->kernels->scrypt(&lanes);
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    const struct scrypt_params *params = params_of(call);
    uint64_t begin = first * params->group;
    uint64_t end = begin + count * params->group;
    sheaf_status status =
        get_scratch((size_t)(sheaf_scrypt_worker_bytes(call->kernels, params->r) +
                             params->lanes * sheaf_scrypt_lane_bytes(params->n, params->r)));
    if (status != SHEAF_OK)
        return status;
    keep_out_of_dumps(call);
    if (end > params->inputs)
        end = params->inputs;
    for (uint64_t i = begin; i < end; i += params->lanes)
        run_lanes(call, i, (size_t)(end - i < params->lanes ? end - i : params->lanes));
    wipe_stack();
    memset(partial, 0, sizeof(uint64_t));
    return SHEAF_OK;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    (void)call;
    (void)left;
    (void)right;
    memset(out, 0, sizeof(uint64_t));
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    (void)call;
    memcpy(result, root, sizeof(uint64_t));
}

const struct op sheaf_op_scrypt = {
    .name = "scrypt",
    .partial_bytes = sizeof(uint64_t),
    .result_bytes = sizeof(uint64_t),
    .writes = 1U << SCRYPT_BLOCKS,
    .plan = plan,
    .map = map,
    .merge = merge,
    .finish = finish,
    .leave = leave,
};
