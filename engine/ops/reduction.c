/* reduction.c -- reductions of whole arrays, and what all of them share. */
#include "ops/reduction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sheaf/array.h>

#include "base/error.h"
#include "ops/source.h"

_Static_assert(sizeof(struct reduce_params) <= OP_PARAMS_BYTES, "params");
_Static_assert(sizeof(sheaf_scalar) <= OP_RESULT_BYTES_MAX, "result");

const struct reduction *reduction_of(const struct op *op)
{
    return op->map == reduction_map ? op->own : NULL;
}

static sheaf_dtype usual_result(enum reduction_result result, sheaf_dtype dtype)
{
    char kind = sheaf_dtype_kind(dtype);
    switch (result) {
    case RESULT_BOOL:
        return SHEAF_BOOL;
    case RESULT_COUNT:
        return SHEAF_I64;
    case RESULT_SUM:
        return kind == 'f' ? dtype : kind == 'u' ? SHEAF_U64 : SHEAF_I64;
    case RESULT_FLOAT:
        return kind == 'f' ? dtype : SHEAF_F64;
    case RESULT_ELEMENT:
    default:
        return dtype;
    }
}

sheaf_status reduction_result(sheaf_dtype *out, const struct op *op, sheaf_dtype dtype,
                              sheaf_dtype wanted)
{
    const struct reduction *own = reduction_of(op);
    const char *refusal = own->refusal != NULL ? own->refusal(dtype) : NULL;
    if (refusal != NULL)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "%s of %s: %s", op->name, sheaf_dtype_name(dtype),
                          refusal);
    if (wanted != 0 && !own->takes_dtype)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s takes no dtype: its result is %s", op->name,
                          sheaf_dtype_name(usual_result(own->result, dtype)));
    if (wanted != 0 && sheaf_dtype_kind(wanted) != 'f' &&
        (own->result == RESULT_FLOAT || sheaf_dtype_kind(dtype) == 'f' ||
         sheaf_dtype_kind(wanted) == 'b' || sheaf_dtype_kind(wanted) == 0))
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "%s of %s does not give a dtype %s: take a float%s",
                          op->name, sheaf_dtype_name(dtype), sheaf_dtype_name(wanted),
                          own->result == RESULT_SUM ? ", or for integers an integer" : "");
    *out = wanted != 0 ? wanted : usual_result(own->result, dtype);
    return SHEAF_OK;
}

void reduction_elements(struct elements *out, const struct op_call *call, const struct op *op,
                        uint64_t count)
{
    const struct reduction *own = reduction_of(op);
    const struct reduce_params *params = call->params;
    sheaf_dtype dtype = (sheaf_dtype)call->arrays[0].dtype;
    out->kernels = call->kernels;
    out->params = params;
    out->dtype = dtype;
    out->type = sheaf_kernel_computed[reader_stored(dtype)];
    out->result =
        params->result != 0 ? (sheaf_dtype)params->result : usual_result(own->result, dtype);
    out->bytes = sheaf_kernel_bytes[out->type];
    out->is_float = sheaf_dtype_kind(dtype) == 'f';
    out->in_doubles = out->is_float || sheaf_dtype_kind(out->result) == 'f';
    out->count = count;
}

bool reduction_is_free(const struct reduction *own, const struct elements *e)
{
    return own->order == ORDER_FREE || (own->order == ORDER_INTEGERS && !e->in_doubles) ||
           (own->order == ORDER_EXACT && !e->is_float);
}

bool reduction_has_columns(const struct reduction *own, const struct elements *e)
{
    return own->columns != NULL && (own->order == ORDER_FREE || !reduction_is_free(own, e));
}

/* The second array is like the first. */
static sheaf_status check_second(const struct op_call *call, const struct op *op)
{
    const struct op_array *a = &call->arrays[0];
    const struct op_array *b = &call->arrays[1];
    if (b->dtype == 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s: the option `second` is the other array",
                          op->name);
    if (a->dtype != b->dtype)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "%s: %s and %s; both must be of one dtype", op->name,
                          sheaf_dtype_name((sheaf_dtype)a->dtype),
                          sheaf_dtype_name((sheaf_dtype)b->dtype));
    if (a->ndim != b->ndim || memcmp(a->shape, b->shape, a->ndim * sizeof a->shape[0]) != 0)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "%s: the shapes of the two arrays differ", op->name);
    return SHEAF_OK;
}

sheaf_status reduction_check(const struct op_call *call, const struct op *op, uint64_t count)
{
    const struct reduction *own = reduction_of(op);
    const struct reduce_params *params = call->params;
    sheaf_dtype dtype = (sheaf_dtype)call->arrays[0].dtype;
    sheaf_dtype result;
    if (sheaf_dtype_size(dtype) == 0)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "%s: no dtype has the code %u", op->name,
                          (unsigned)dtype);
    sheaf_status status =
        reduction_result(&result, op, dtype, own->takes_dtype ? (sheaf_dtype)params->result : 0);
    if (status == SHEAF_OK && own->takes_second)
        status = check_second(call, op);
    if (status != SHEAF_OK)
        return status;
    if (count == 0 && own->needs_some && !params->has_initial)
        return SHEAF_FAIL(SHEAF_ERR_EMPTY, "%s of no elements has no value%s", op->name,
                          own->takes_initial ? ": give the option initial" : "");
    return SHEAF_OK;
}

sheaf_status reduction_plan(struct op_plan *out, const struct op_call *call)
{
    const struct op_array *a = &call->arrays[0];
    sheaf_status status = reduction_check(call, call->op, a->size);
    if (status != SHEAF_OK)
        return status;
    uint64_t leaves = a->size / REDUCTION_LEAF + (a->size % REDUCTION_LEAF != 0);
    out->leaves = leaves > 0 ? leaves : 1;
    out->leaf_bytes = REDUCTION_LEAF * sheaf_dtype_size((sheaf_dtype)a->dtype);
    out->leaf_bytes *= reduction_of(call->op)->takes_second ? 2 : 1;
    return SHEAF_OK;
}

static struct run source_run(const struct source *source, uint64_t begin, size_t n)
{
    struct run run = {.n = n, .begin = begin};
    run.x = n > 0 ? reader_run(&source->x, begin, n, source->room) : source->x.data;
    run.y = run.x;
    if (source->own->takes_second && n > 0) {
        unsigned char *room = source->room; /* NULL, where both are in place */
        if (room != NULL)
            room += REDUCTION_LEAF * sizeof(double);
        run.y = reader_run(&source->y, begin, n, room);
    }
    return run;
}

/* Elements of a run, if the order is free: many where the memory is what is wanted. What is brought together first stays
 * in L1: argmax along rows of every other element went from 0.6 to 0.85 of the read limit. */
static size_t free_step(const struct source *source)
{
    enum { NEAR = 1024, SMALL_PARTIAL = 32 };
    const struct reduction *own = source->own;
    const bool is_direct = source->x.is_direct && (!own->takes_second || source->y.is_direct);
    const size_t leaves = own->leaves_at_once > 0 ? own->leaves_at_once : REDUCTION_LEAVES_AT_ONCE;
    if (!is_direct)
        return source->op->partial_bytes <= SMALL_PARTIAL ? NEAR : REDUCTION_LEAF;
    return leaves * REDUCTION_LEAF;
}

/* In any order, from the left. */
static void walk_free(const struct source *source, uint64_t begin, uint64_t end, void *partial)
{
    const struct reduction *own = source->own;
    const size_t step = free_step(source);
    _Alignas(16) unsigned char newest[REDUCTION_PARTIAL_MAX];
    uint64_t at = begin;
    do {
        struct run run = source_run(source, at, end - at < step ? (size_t)(end - at) : step);
        own->leaf(&source->e, &run, at == begin ? partial : newest);
        if (at != begin)
            own->merge(&source->e, partial, newest, partial);
        if (source->op->absorbing != NULL &&
            memcmp(partial, source->op->absorbing, source->op->partial_bytes) == 0)
            return;
        at += run.n;
    } while (at < end);
}

/* The left-complete tree, from the left: after leaf i, as many pairs are complete as i has trailing ones.
 * What then waits is a full subtree for each bit of the count, the larger ones to the left, and the
 * right one is the last to have been made. */
static void walk_tree(const struct source *source, uint64_t begin, uint64_t end, void *partial)
{
    enum { LEVELS = 52 }; /* of the tree over less than 2^64 elements */
    const struct reduction *own = source->own;
    const size_t bytes = source->op->partial_bytes;
    _Alignas(16) unsigned char waiting[LEVELS][64];
    _Alignas(16) unsigned char newest[64];
    size_t depth = 0;
    uint64_t i = 0;
    assert(bytes <= sizeof newest);
    do {
        uint64_t left = end - begin;
        struct run run =
            source_run(source, begin, left < REDUCTION_LEAF ? (size_t)left : REDUCTION_LEAF);
        if (i > 0)
            memcpy(waiting[depth++], newest, bytes);
        own->leaf(&source->e, &run, newest);
        for (uint64_t pairs = i++; pairs & 1; pairs >>= 1)
            own->merge(&source->e, waiting[--depth], newest, newest);
        begin += run.n;
    } while (begin < end);
    while (depth > 0)
        own->merge(&source->e, waiting[--depth], newest, newest);
    memcpy(partial, newest, bytes);
}

void source_walk(const struct source *source, uint64_t begin, uint64_t end, void *partial)
{
    const struct reduction *own = source->own;
    if (reduction_is_free(own, &source->e))
        walk_free(source, begin, end, partial);
    else
        walk_tree(source, begin, end, partial);
    int64_t at = own->waits != NULL ? own->waits(partial) : -1;
    if (at < 0)
        return;
    const uint64_t most = free_step(source);
    uint64_t length = end - (uint64_t)at < most ? end - (uint64_t)at : most;
    struct run run = source_run(source, (uint64_t)at, (size_t)length);
    own->settle(&source->e, &run, partial);
}

/* Whether the memory is what is wanted. */
static bool begin_readers(struct source *source, const struct op_call *call)
{
    const struct op_array *x = &call->arrays[0];
    const struct op_array *y = source->own->takes_second ? &call->arrays[1] : NULL;
    const bool is_dense = x->is_dense && (y == NULL || y->is_dense);
    if (is_dense || source->own->has_index || !reduction_is_free(source->own, &source->e)) {
        reader_begin(&source->x, call->kernels, x, call->data[0], 0);
        if (y != NULL)
            reader_begin(&source->y, call->kernels, y, call->data[1], 0);
    } else {
        struct reader_view first = {*x, call->data[0]};
        struct reader_view second = {call->arrays[1], call->data[1]};
        reader_memory_order(&first, y != NULL ? &second : NULL);
        reader_begin(&source->x, call->kernels, &first.array, first.data, 0);
        if (y != NULL)
            reader_begin(&source->y, call->kernels, &second.array, second.data, 0);
    }
    return source->x.is_direct && (y == NULL || source->y.is_direct);
}

sheaf_status reduction_map(const struct op_call *call, uint64_t first, uint64_t count,
                           void *partial)
{
    const uint64_t size = call->arrays[0].size;
    uint64_t begin = first * REDUCTION_LEAF;
    uint64_t end = count > (size - begin) / REDUCTION_LEAF ? size : begin + count * REDUCTION_LEAF;
    struct source source; /* not cleared: it has room for the strides of many dimensions */
    source.op = call->op;
    source.own = reduction_of(call->op);
    source.room = NULL;
    reduction_elements(&source.e, call, call->op, size);
    assert(begin <= size && source.own != NULL);
    bool is_direct = begin_readers(&source, call);
    struct reader_tile tiles[2] = {{.end = end}, {.end = end}};
    if (!is_direct && end > begin) {
        const bool has_tile = reader_wants_tile(&source.x);
        const bool has_second = source.own->takes_second && reader_wants_tile(&source.y);
        source.room =
            malloc(SOURCE_ROOM + ((size_t)has_tile + (size_t)has_second) * READER_TILE_BYTES);
        if (source.room == NULL)
            return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "%s: no memory to gather elements in",
                              call->op->name);
        tiles[0].room = (unsigned char *)source.room + SOURCE_ROOM;
        tiles[1].room = tiles[0].room + (has_tile ? READER_TILE_BYTES : 0);
        source.x.tile = has_tile ? &tiles[0] : NULL;
        source.y.tile = has_second ? &tiles[1] : NULL;
    }
    source_walk(&source, begin, end, partial);
    free(source.room);
    return SHEAF_OK;
}

void reduction_merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct elements e;
    reduction_elements(&e, call, call->op, call->arrays[0].size);
    reduction_of(call->op)->merge(&e, left, right, out);
}

void reduction_finish(const struct op_call *call, const void *root, void *result)
{
    struct elements e;
    reduction_elements(&e, call, call->op, call->arrays[0].size);
    sheaf_scalar scalar;
    memset(&scalar, 0, sizeof scalar); /* the padding too: results are compared as bytes */
    scalar.dtype = e.result;
    reduction_of(call->op)->finish(&e, root, &scalar);
    memcpy(result, &scalar, sizeof scalar);
}
