/* test_svd_missing.c -- the SVD on a machine without LAPACK: this program's own dlopen() finds nothing; or in a
 * build that is to do without. */
#include "check.h"

#include <dlfcn.h>

#include <sheaf/svd.h>

#include "kernels.h"
#include "op_tree.h"
#include "ops/svd.h"

static const struct svd_params no_params[1];

void *dlopen(const char *file, int mode)
{
    (void)file;
    (void)mode;
    return NULL;
}

char *dlerror(void)
{
    static char text[] = "it is not on this machine";
    return text;
}

static void it_says_what_to_install(void)
{
    static double a[65][65];
    double values[65] = {7, 7};
    unsigned char report[OP_RESULT_BYTES_MAX];
    struct op_array arrays[3] = {op_tree_array(SHEAF_F64, 2, (size_t[]){65, 65}),
                                 op_tree_array(SHEAF_F64, 1, (size_t[]){65}),
                                 {.dtype = 0}};
    struct op_call call = {
        .kernels = sheaf_kernels_at(0), .params = no_params, .arrays = arrays, .data = {a, values}};
    for (int turn = 0; turn < 2; turn++) {
        CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, op_tree_run("svd", &call, 1, NULL, report));
#ifdef HAS_OPENBLAS
        CHECK_ERROR_SAYS("libopenblas0-pthread");
        CHECK_ERROR_SAYS("system; it is not on this machine");
#else
        CHECK_ERROR_SAYS("built with SHEAF_OPENBLAS=OFF");
#endif
    }
    CHECK(values[0] == 7 && values[1] == 7);
}

static void small_matrices_do_without_it(void)
{
    double a[4] = {0, 2, 3, 0};
    double values[2];
    sheaf_svd_report report;
    struct op_array arrays[3] = {op_tree_array(SHEAF_F64, 2, (size_t[]){2, 2}),
                                 op_tree_array(SHEAF_F64, 1, (size_t[]){2}),
                                 {.dtype = 0}};
    struct op_call call = {
        .kernels = sheaf_kernels_at(0), .params = no_params, .arrays = arrays, .data = {a, values}};
    CHECK_OK(op_tree_run("svd", &call, 1, NULL, &report));
    CHECK(report.reproducible && values[0] == 3 && values[1] == 2);
}

CHECK_MAIN(CASE(it_says_what_to_install), CASE(small_matrices_do_without_it))
