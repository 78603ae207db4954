/* reader.c -- elements in place, or converted and gathered.
 *
 * Of a transposed view in its logical order, each element of a line lies in a page of its own, and its neighbours of the next
 * lines beside it: a tile brings up to 32 lines in one go over those pages. */
#include "ops/reader.h"

#include <stdlib.h>
#include <string.h>

#include <sheaf/dtype.h>

/* Elements after each line of a tile, so that lines share no cache sets. */
enum { READER_TILE_PAD = 8 };

enum kernel_stored reader_stored(sheaf_dtype dtype)
{
    static const enum kernel_stored stored[] = {
#define X(NAME, code, c_type, name, kind, npy_descr, numpy_type) [code] = STORED_##NAME,
#include <sheaf/dtypes.def>
#undef X
    };
    return stored[dtype];
}

void reader_begin(struct reader *reader, const struct kernels *kernels,
                  const struct op_array *array, const void *data, uint32_t first)
{
    enum kernel_stored stored = reader_stored((sheaf_dtype)array->dtype);
    reader->data = data;
    reader->convert = kernels->convert[stored];
    reader->transpose = kernels->transpose[stored];
    reader->tile = NULL;
    reader->stored = sheaf_dtype_size((sheaf_dtype)array->dtype);
    reader->computed = sheaf_kernel_bytes[sheaf_kernel_computed[stored]];
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

/* How many lines a tile has room for. */
static uint64_t lines_of_tile(const struct reader *reader)
{
    const uint64_t length = reader->layout.shape[reader->layout.ndim - 1];
    const uint64_t lines = READER_TILE_BYTES / ((length + READER_TILE_PAD) * reader->computed);
    return lines < READER_TILE_LINES ? lines : READER_TILE_LINES;
}

bool reader_wants_tile(const struct reader *reader)
{
    enum { LINE = 64, FAR = 512, LONG = 64, ENOUGH = 4 };
    const size_t last = reader->layout.ndim - 1;
    if (reader->is_direct || last < 1 || reader->layout.shape[last] < LONG)
        return false;
    return llabs(reader->layout.strides[last - 1]) * 2 <= LINE &&
           llabs(reader->layout.strides[last]) >= FAR && lines_of_tile(reader) >= ENOUGH;
}

/* Lines from number `line` on, as many as are wanted and lie side by side. */
static void fill_tile(const struct reader *reader, uint64_t line)
{
    struct reader_tile *tile = reader->tile;
    const struct layout *layout = &reader->layout;
    const size_t last = layout->ndim - 1;
    const uint64_t length = layout->shape[last];
    const uint64_t beside = layout->shape[last - 1] - line % layout->shape[last - 1];
    const uint64_t wanted = (tile->end - 1) / length + 1 - line;
    struct layout_walk walk;
    tile->first = line;
    tile->count = lines_of_tile(reader);
    tile->count = tile->count < beside ? tile->count : beside;
    tile->count = tile->count < wanted ? tile->count : wanted;
    layout_walk_begin(&walk, layout, reader->data, line * length);
    reader->transpose(&(struct tile){.x = walk.at,
                                     .row_stride = layout->strides[last],
                                     .column_stride = layout->strides[last - 1],
                                     .rows = length,
                                     .columns = tile->count,
                                     .pitch = length + READER_TILE_PAD},
                      tile->room);
}

static const void *run_of_tile(const struct reader *reader, uint64_t begin, size_t n, void *room)
{
    const struct reader_tile *tile = reader->tile;
    const uint64_t length = reader->layout.shape[reader->layout.ndim - 1];
    unsigned char *to = room;
    for (size_t left = n; left > 0;) {
        const uint64_t line = begin / length;
        const uint64_t at = begin % length;
        const size_t run = left < length - at ? left : (size_t)(length - at);
        if (line < tile->first || line - tile->first >= tile->count)
            fill_tile(reader, line);
        const unsigned char *from =
            tile->room +
            ((line - tile->first) * (length + READER_TILE_PAD) + at) * reader->computed;
        if (run == n)
            return from;
        memcpy(to, from, run * reader->computed);
        to += run * reader->computed;
        begin += run;
        left -= run;
    }
    return room;
}

const void *reader_run(const struct reader *reader, uint64_t begin, size_t n, void *room)
{
    if (reader->is_direct)
        return reader->data + begin * reader->stored;
    if (reader->tile != NULL)
        return run_of_tile(reader, begin, n, room);
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
