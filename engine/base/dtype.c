/* dtype.c -- the table of element types. */
#include <sheaf/dtype.h>

#include <string.h>

static const struct {
    sheaf_dtype dtype;
    size_t bytes;
    const char *name;
} dtypes[] = {
#define X(NAME, code, c_type, name, npy_descr, numpy_type) {SHEAF_##NAME, sizeof(c_type), name},
#include <sheaf/dtypes.def>
#undef X
};

enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

size_t sheaf_dtype_size(sheaf_dtype dtype)
{
    for (size_t i = 0; i < DTYPES; i++)
        if (dtypes[i].dtype == dtype)
            return dtypes[i].bytes;
    return 0;
}

const char *sheaf_dtype_name(sheaf_dtype dtype)
{
    for (size_t i = 0; i < DTYPES; i++)
        if (dtypes[i].dtype == dtype)
            return dtypes[i].name;
    return "?";
}

sheaf_dtype sheaf_dtype_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return dtypes[i].dtype;
    return (sheaf_dtype)0;
}
