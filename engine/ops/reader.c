/* reader.c -- elements in place, or converted and gathered. */
#include "ops/reader.h"

#include <string.h>

#include <sheaf/dtype.h>

enum kernel_stored reader_stored(sheaf_dtype dtype)
{
    static const enum kernel_stored stored[] = {
#define X(NAME, code, c_type, name, kind, npy_descr, numpy_type) [code] = STORED_##NAME,
#include <sheaf/dtypes.def>
#undef X
    };
    return stored[dtype];
}

static size_t computed_bytes(enum kernel_dtype type)
{
    static const size_t bytes[KERNEL_DTYPES] = {
        [KERNEL_I32] = 4, [KERNEL_I64] = 8, [KERNEL_U64] = 8, [KERNEL_F32] = 4, [KERNEL_F64] = 8};
    return bytes[type];
}

void reader_begin(struct reader *reader, const struct kernels *kernels,
                  const struct op_array *array, const void *data, uint32_t first)
{
    enum kernel_stored stored = reader_stored((sheaf_dtype)array->dtype);
    reader->data = data;
    reader->convert = kernels->convert[stored];
    reader->stored = sheaf_dtype_size((sheaf_dtype)array->dtype);
    reader->computed = computed_bytes(sheaf_kernel_computed[stored]);
    layout_simplify(&reader->layout, array->ndim - first, array->shape + first,
                    array->strides + first);
    reader->is_direct =
        reader->stored == reader->computed && reader->layout.ndim == 1 &&
        (reader->layout.strides[0] == (int64_t)reader->stored || reader->layout.shape[0] == 1);
}

static void turn_round(struct reader_view *view, uint32_t d)
{
    view->data += ((int64_t)view->array.shape[d] - 1) * view->array.strides[d];
    view->array.strides[d] = -view->array.strides[d];
}

static void swap(struct reader_view *view, uint32_t d, uint32_t with)
{
    const uint64_t shape = view->array.shape[d];
    const int64_t stride = view->array.strides[d];
    view->array.shape[d] = view->array.shape[with];
    view->array.strides[d] = view->array.strides[with];
    view->array.shape[with] = shape;
    view->array.strides[with] = stride;
}

void reader_memory_order(struct reader_view *x, struct reader_view *y)
{
    const int64_t *strides = x->array.strides;
    if (x->array.size == 0)
        return;
    for (uint32_t d = 0; d < x->array.ndim; d++) {
        if (strides[d] < 0) {
            if (y != NULL)
                turn_round(y, d);
            turn_round(x, d);
        }
        for (uint32_t k = d;
             k > 0 && strides[k - 1] != 0 && (strides[k] > strides[k - 1] || strides[k] == 0);
             k--) {
            swap(x, k, k - 1);
            if (y != NULL)
                swap(y, k, k - 1);
        }
    }
}

const void *reader_run(const struct reader *reader, uint64_t begin, size_t n, void *room)
{
    if (reader->is_direct)
        return reader->data + begin * reader->stored;
    struct layout_walk walk;
    unsigned char *to = room;
    layout_walk_begin(&walk, &reader->layout, reader->data, begin);
    while (n > 0) {
        const unsigned char *at;
        int64_t stride;
        uint64_t run = layout_walk_run(&at, &stride, &walk, n);
        reader->convert(at, stride, run, to);
        to += run * reader->computed;
        n -= run;
    }
    return room;
}
