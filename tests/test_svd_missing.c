/* test_svd_missing.c -- the SVD on a machine without LAPACK: this program's own dlopen() finds nothing. */
#include "check.h"

#include <dlfcn.h>

#include "op_tree.h"

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
    double a[4] = {1, 2, 3, 4};
    double values[2] = {7, 7};
    unsigned char report[OP_RESULT_BYTES_MAX];
    struct op_array arrays[3] = {op_tree_array(SHEAF_F64, 2, (size_t[]){2, 2}),
                                 op_tree_array(SHEAF_F64, 1, (size_t[]){2}),
                                 {.dtype = 0}};
    struct op_call call = {.arrays = arrays, .data = {a, values}};
    for (int turn = 0; turn < 2; turn++) {
        CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, op_tree_run("svd_values", &call, 1, NULL, report));
        CHECK_ERROR_SAYS("libopenblas0-pthread");
        CHECK_ERROR_SAYS("liblapack.so.3: it is not on this machine");
    }
    CHECK(values[0] == 7 && values[1] == 7);
}

CHECK_MAIN(CASE(it_says_what_to_install))
