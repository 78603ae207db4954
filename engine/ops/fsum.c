/* fsum.c -- the exact sum, rounded once: as math.fsum of Python, whatever the order of the elements.
 *
 * A kernel adds run after run to the accumulator of exact.h. What lies before an infinity or a NaN may go there element
 * by element. Integers are converted to doubles, as math.fsum does. A sum that only on the way would overflow is what
 * it is. */
#include <string.h>

#include "ops/exact.h"
#include "ops/reduction.h"

static void add_one_by_one(struct exact *exact, const struct elements *e, const unsigned char *x,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        exact_add(exact, reduction_f64(e->type, x + i * e->bytes));
}

static void leaf(const struct elements *e, const struct run *run, void *partial)
{
    const unsigned char *x = run->x;
    struct exact exact;
    struct exact_words words;
    exact_clear(&exact);
    for (size_t n = run->n, here; n > 0; x += here * e->bytes, n -= here) {
        here = n < KERNEL_EXACT_RUN ? n : KERNEL_EXACT_RUN;
        size_t done = e->kernels->exact[e->type](x, here, exact_digits(&exact, here));
        add_one_by_one(&exact, e, x + done * e->bytes, here - done);
    }
    exact_store(&words, &exact);
    memcpy(partial, &words, sizeof words);
}

static void merge(const struct elements *e, const void *left, const void *right, void *out)
{
    struct exact_words a;
    struct exact_words b;
    (void)e;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    exact_merge(&a, &a, &b);
    memcpy(out, &a, sizeof a);
}

static void finish(const struct elements *e, const void *root, sheaf_scalar *out)
{
    struct exact_words words;
    (void)e;
    memcpy(&words, root, sizeof words);
    reduction_set_float(out, exact_round(&words, out->dtype != SHEAF_F64));
}

static const struct reduction fsum = {.result = RESULT_FLOAT,
                                      .order = ORDER_FREE,
                                      .leaves_at_once = 16,
                                      .leaf = leaf,
                                      .merge = merge,
                                      .finish = finish};

const struct op sheaf_op_fsum = {REDUCTION("fsum", fsum, struct exact_words)};
