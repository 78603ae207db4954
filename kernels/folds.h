/* folds.h -- what is summed and multiplied, for every type: the part of isa.c that says so. FOLD, COMBINE,
 * NEUTRAL, TERM, LINEAR and TAKES_TWO are told in
 * fold_tmpl.h. */
/* Sums and products of integers, which wrap. */
#define FOLD          sum
#define COMBINE       +
#define NEUTRAL       0
#define TERM(x, y, c) (x)
#define TEMPLATE      "fold_int_tmpl.h"
#define ONLY_INTEGERS
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          prod
#define COMBINE       *
#define NEUTRAL       1
#define TERM(x, y, c) (x)
#define TEMPLATE      "fold_int_tmpl.h"
#define ONLY_INTEGERS
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          dot
#define COMBINE       +
#define NEUTRAL       0
#define TERM(x, y, c) ((x) * (y))
#define TEMPLATE      "fold_int_tmpl.h"
#define ONLY_INTEGERS
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

/* The upper halves of i64, above the least of them, and of u64: see kernels.h. */
#define FOLD          upper
#define COMBINE       +
#define NEUTRAL       0
#define TERM(x, y, c) (((x) ^ (UINT64_C(1) << 63)) >> 32)
#define T             i64
#include "fold_int_tmpl.h"
#undef TERM
#define TERM(x, y, c) ((x) >> 32)
#define T             u64
#include "fold_int_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

/* Folds in doubles: of runs, and of columns. */
#define FOLD          values
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) (x)
#define LINEAR
#define TEMPLATE "fold_tmpl.h"
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM
#undef LINEAR

#define FOLD          products
#define COMBINE       *
#define NEUTRAL       1.0
#define TERM(x, y, c) (x)
#define TEMPLATE      "fold_tmpl.h"
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          products_of_two
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) ((x) * (y))
#define TAKES_TWO
#define TEMPLATE "fold_tmpl.h"
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM
#undef TAKES_TWO

#define FOLD          magnitudes
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) wide_magnitude(x)
#define LINEAR
#define TEMPLATE "fold_tmpl.h"
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM
#undef LINEAR

#define FOLD          squares
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) (((x) * (c)) * ((x) * (c)))
#define TEMPLATE      "fold_tmpl.h"
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          deviations
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) (((x) - (c)) * ((x) - (c)))
#define TEMPLATE      "fold_tmpl.h"
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          nanvalues
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) where_number(x, x)
#define LINEAR
#define TEMPLATE "fold_tmpl.h"
#define ONLY_FLOATS
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#define ONLY_FLOATS
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM
#undef LINEAR

#define FOLD          nandeviations
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) where_number(((x) - (c)) * ((x) - (c)), x)
#define TEMPLATE      "fold_tmpl.h"
#define ONLY_FLOATS
#include "every_type.h"
#define TEMPLATE "fold_columns_tmpl.h"
#define ONLY_FLOATS
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

/* How many numbers there are in a column: c is 0. */
#define FOLD          count
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) where_number((c) + 1.0, x)
#define TEMPLATE      "fold_columns_tmpl.h"
#include "every_type.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM
