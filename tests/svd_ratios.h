/* svd_ratios.h -- a decomposition judged by the ratios of LAPACK's test suite (TESTING/EIG/ddrvbd.f), each
 * below 30 where LAPACK asks for 50. */
#ifndef SHEAF_TESTS_SVD_RATIOS_H
#define SHEAF_TESTS_SVD_RATIOS_H

#include <stddef.h>

#include <sheaf/sheaf.h>

#define SVD_RATIO_LIMIT 30.0

double svd_ratios_get(const sheaf_array *array, size_t i);

/* Decomposes a, shape (count, m, n), in every mode with these options (but their mode); NULL: defaults.
 * Checks (1) |A - U S V'| / (|A| max(m, n) ulp) in the 1-norm, (2) |I - U'U| / (m ulp), (3) |I - V'V| /
 * (n ulp), (4) that values fall and are not negative, the sign of each row of vt, and that the values of
 * all modes are the same bits. */
void svd_ratios_check(const sheaf_array *a, const sheaf_svd_options *options);

/* The same, up to this mode; of full vectors also (5, 6) that those of the reduced mode are among them:
 * max |U - U reduced| / (m ulp), and of V. */
void svd_ratios_check_to(const sheaf_array *a, const sheaf_svd_options *options,
                         sheaf_svd_mode last);

#endif
