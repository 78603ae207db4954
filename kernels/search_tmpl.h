/* search_tmpl.h -- looking for elements of one type, T: the first that equals a value, and how many are
 * not zero, or are numbers. */
#include "tmpl_begin.h"

/* Looked at together: a loop without a way out, which the compiler turns into registers. */
enum { FN(SEARCHED) = 256, FN(COUNTED) = 8192 };

static size_t FN(find_kernel)(const void *data, size_t n, const void *value)
{
    const elem *x = data;
    elem wanted;
    memcpy(&wanted, value, sizeof wanted);
    const bool wants_nan = !FN(is_number)(wanted);
    for (size_t begin = 0; begin < n; begin += FN(SEARCHED)) {
        size_t end = n - begin > FN(SEARCHED) ? begin + FN(SEARCHED) : n;
        FN(bits) found = 0;
        if (wants_nan)
            for (size_t i = begin; i < end; i++)
                found |= !FN(is_number)(x[i]);
        else
            for (size_t i = begin; i < end; i++)
                found |= FN(equals)(x[i], wanted);
        if (found == 0)
            continue;
        size_t i = begin;
        while (wants_nan ? FN(is_number)(x[i]) : !FN(equals)(x[i], wanted))
            i++;
        return i;
    }
    return n;
}

static void FN(nonzero_kernel)(const void *data, size_t n, void *out)
{
    const elem *x = data;
    uint64_t total = 0;
    for (size_t begin = 0; begin < n; begin += FN(COUNTED)) {
        size_t end = n - begin > FN(COUNTED) ? begin + FN(COUNTED) : n;
        FN(bits) count = 0;
        for (size_t i = begin; i < end; i++)
            count = (FN(bits))(count + !FN(equals)(x[i], 0));
        total += count;
    }
    memcpy(out, &total, sizeof total);
}

static void FN(numbers_kernel)(const void *data, size_t n, void *out)
{
    uint64_t total = n;
#if IS_FLOAT
    const elem *x = data;
    total = 0;
    for (size_t begin = 0; begin < n; begin += FN(COUNTED)) {
        size_t end = n - begin > FN(COUNTED) ? begin + FN(COUNTED) : n;
        FN(bits) count = 0;
        for (size_t i = begin; i < end; i++)
            count = (FN(bits))(count + FN(is_number)(x[i]));
        total += count;
    }
#else
    (void)data;
#endif
    memcpy(out, &total, sizeof total);
}

#include "tmpl_end.h"
