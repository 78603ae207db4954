/* callable.c -- functions of the user's own: named, found, let go. */
#include <sheaf/callable.h>

#include "base/error.h"
#include "job/symbol.h"

/* A sheaf_callable is a struct symbol: it has no more to it. */
struct sheaf_callable {
    struct symbol symbol;
};

sheaf_status sheaf_register(const char *name, sheaf_function function)
{
    return symbol_register(name, (const void *)function);
}

sheaf_status sheaf_callable_open(sheaf_callable **out, const char *path, const char *name)
{
    if (out == NULL || name == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open a callable: %s is NULL",
                          out == NULL ? "out" : "name");
    return symbol_open((struct symbol **)out, path, name);
}

void sheaf_callable_release(sheaf_callable *callable)
{
    symbol_release((struct symbol *)callable);
}
