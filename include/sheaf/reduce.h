/* reduce.h -- reductions of an array, to one value or along some of its dimensions.
 *
 * The order of a sum is a format, fixed for good. Leaves of 8192 elements; in a leaf, sub-blocks of
 * 512; in a sub-block, 32 lanes (element index mod 32), each starting from -0.0; the lane vectors of
 * the sub-blocks merged by a binary counter; the lanes folded by 16, 8, 4, 2, 1; the leaves merged up
 * the left-complete binary tree. Floats narrower than f64 accumulate in f64 and are
 * rounded once at the end; integers accumulate in 64 bits and wrap. An array may be any view: its
 * elements count in C order, wherever they lie.
 *
 * The same order holds for every result that is made of sums or products of doubles: prod, mean, dot,
 * norm1, norm2, var, std and their nan forms. prod's lanes start from 1.
 *
 * The error of a sum. Let u = 2^-53, and let h be the most additions that an element goes through:
 *
 *     h = min(ceil(n / 32), 16) - 1       in its lane of a sub-block: the first is added to -0.0, exactly
 *       + ceil(log2(sub-blocks))          up the counter of its leaf: at most 4
 *       + 5                               in the folding of the lanes
 *       + ceil(log2(leaves))              up the tree
 *
 * so 24 in a leaf, and 40 in 2^29 elements. Then, unless something overflows,
 *
 *     |computed - exact| <= g * (|x1| + |x2| + ..),   g = h * u / (1 - h * u)
 *
 * Proof. A rounded addition is fl(a + b) = (a + b)(1 + d), |d| <= u; where it underflows it is exact, d = 0. So the
 * computed sum is the sum of x_i * (1 + t_i), 1 + t_i being a product of at most h factors 1 + d, and |t_i| <=
 * (1 + u)^h - 1 <= g (by induction on h, for h * u < 1). The sum of |x_i t_i| is at most g times that of |x_i|. []
 * A narrower float's sum is rounded once more, to its own dtype. No order of n elements has an error that does not
 * depend on |x1| + |x2| + ..; where that is far above the sum itself (cancellation), fsum has no error at all.
 *
 *     op                     bool  i8..i64  u8..u64  f16  bf16  f32  f64    of nothing
 *     max, min               bool  (the dtype of the elements)              SHEAF_ERR_EMPTY
 *     minmax, ptp            bool* (the dtype of the elements)              SHEAF_ERR_EMPTY
 *     argmax, argmin         bool  (the dtype of the elements)              SHEAF_ERR_EMPTY
 *     sum, dot               i64   i64      u64      f16  bf16  f32  f64    0 (+0.0)
 *     prod                   i64   i64      u64      f16  bf16  f32  f64    1
 *     mean, var, std         f64   f64      f64      f16  bf16  f32  f64    NaN
 *     fsum                   f64   f64      f64      f16  bf16  f32  f64    0 (+0.0)
 *     norm1, norm2, norm_inf f64   f64      f64      f16  bf16  f32  f64    0
 *     any, all               bool                                           false, true
 *     count_nonzero          i64                                            0
 *
 * (* ptp of bools is SHEAF_ERR_DTYPE, as NumPy's.) These are NumPy's rules; where we differ:
 *
 *   - NumPy adds narrow floats in their own dtype. Here they add up in f64, which costs nothing beside
 *     reading them, and does not overflow or stall at 65504 or 2^24.
 *   - NumPy's dot of integers has the elements' dtype, and wraps there; ours has 64 bits.
 *   - fsum of floats has their dtype: it is the exact sum, rounded once to that.
 *
 * The nan forms (nanmax, nanmin, nanargmax, nanargmin, nansum, nanmean, nanvar, nanstd) have the dtypes
 * of the forms without. Of NaNs alone nansum is 0, the index -1, and the others NaN, as NumPy's.
 *
 *   - minmax has the minimum in value and the maximum in second.
 *   - argmax and argmin have the place in index, the lowest of equals (zeros of both signs are equal) or
 *     the first NaN, and the element there in value.
 *   - mean of integers is exact before its one rounding; mean of floats is the sum / the count.
 *   - fsum is the exact sum, rounded once, so that not even the order of the elements matters: equal to
 *     math.fsum of Python, but of inf - inf it is a NaN, and what overflows only on the way does not.
 *   - norm2 scales what would overflow or vanish; var and std are two passes over each leaf, merged as
 *     by Chan, Golub, LeVeque (1983), and take ddof. Both convert integers to doubles.
 *
 * A NaN in the input, or a sum that has none (inf - inf), gives the canonical quiet NaN:
 * 0x7ff8000000000000, 0x7fc00000, f16 0x7e00, bf16 0x7fc0. */
#ifndef SHEAF_REDUCE_H
#define SHEAF_REDUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>
#include <sheaf/dtype.h>
#include <sheaf/executor.h>
#include <sheaf/export.h>
#include <sheaf/future.h>
#include <sheaf/op.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sheaf_reduce_options {
    sheaf_executor *executor;  /* NULL: the process-wide default, threads on all CPUs we may use */
    const char *isa;           /* NULL: SHEAF_ISA, as it was at the first call that asked, else the
                                  fastest; see sheaf_isa_name() */
    double ddof;               /* var, std and their nan forms: they divide by the count - ddof */
    const sheaf_array *second; /* dot: the other array, of the same dtype and shape */
    sheaf_dtype dtype; /* sum, prod, mean, var, std and their nan forms: the result's, instead of
                                  the table's. A float: what is added up adds up in f64. An integer, for
                                  sum and prod of integers alone: it wraps in that */
    const sheaf_scalar
        *initial;        /* sum, prod, max, min and their nan forms begin with it; of the result's
                                    dtype. NULL: nothing */
    const int64_t *axes; /* sheaf_reduce_axes(), _into(): the dimensions to reduce along, each once;
                            negative ones count from the end. NULL, with axis_count 0: all */
    size_t axis_count;
    bool keepdims; /* the result keeps those dimensions, with one element each */
} sheaf_reduce_options;

/* Reduces all elements to *out, and returns when it is done. Small work runs in the caller at once
 * unless the executor is one of processes.
 * Errors: ARGUMENT, DTYPE, SHAPE (dot), EMPTY, NOT_SHARED, UNSUPPORTED (isa), BUSY, CLOSED, WORKER,
 * NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_reduce(sheaf_scalar *out, const sheaf_array *array, sheaf_op op,
                                       const sheaf_reduce_options *options);

/* The same, returning at once; the result of *out is a sheaf_scalar. The caller owns *out. */
SHEAF_EXPORT sheaf_status sheaf_reduce_submit(sheaf_future **out, const sheaf_array *array,
                                              sheaf_op op, const sheaf_reduce_options *options);

/* Reduces along the axes of the options to a new array without a key, of the dimensions that are left:
 * each element is what sheaf_reduce() makes of those that lie along the axes, to the bit. Its dtype is
 * sheaf_reduce_dtype(); argmax, argmin and their nan forms give their indices, i64, of the elements along
 * the axes in C order; minmax has one dimension more, the first, of the minima and the maxima.
 * The caller owns *out. Errors: as sheaf_reduce(); EMPTY only if there is an element to have. */
SHEAF_EXPORT sheaf_status sheaf_reduce_axes(sheaf_array **out, const sheaf_array *array,
                                            sheaf_op op, const sheaf_reduce_options *options);

/* The same into an array, or a view of one, that has the result's dtype and shape, and lies apart from
 * its input. What is in it if this fails is undefined.
 * Errors: those, and ACCESS; DTYPE, SHAPE, ARGUMENT (strides of 0, overlap) of out. */
SHEAF_EXPORT sheaf_status sheaf_reduce_into(sheaf_array *out, const sheaf_array *array, sheaf_op op,
                                            const sheaf_reduce_options *options);

/* The same, returning at once; the future has no result but that out is written. out may be detached. */
SHEAF_EXPORT sheaf_status sheaf_reduce_into_submit(sheaf_future **future, sheaf_array *out,
                                                   const sheaf_array *array, sheaf_op op,
                                                   const sheaf_reduce_options *options);

/* The dtype of a value that op gives of such elements, for the option dtype (0: none); 0 if it gives none
 * (sheaf_last_error() says why). */
SHEAF_EXPORT sheaf_dtype sheaf_reduce_dtype(sheaf_op op, sheaf_dtype dtype, sheaf_dtype wanted);

#ifdef __cplusplus
}
#endif
#endif
