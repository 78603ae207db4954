/* table.c -- the table of operations, and their names. */
#include "job/op.h"

#include <string.h>

#include <sheaf/op.h>

#define X(name, public) extern const struct op sheaf_op_##name;
#include "ops/ops.def"
#undef X

const struct op *const sheaf_ops[] = {
#define X(name, public) &sheaf_op_##name,
#include "ops/ops.def"
#undef X
};

static const sheaf_op public_ops[] = {
#define X(name, public) (sheaf_op)(public),
#include "ops/ops.def"
#undef X
};

const uint32_t sheaf_op_count = sizeof sheaf_ops / sizeof sheaf_ops[0];

uint32_t sheaf_op_find(const char *name)
{
    for (uint32_t i = 0; name != NULL && i < sheaf_op_count; i++)
        if (strcmp(sheaf_ops[i]->name, name) == 0)
            return i;
    return UINT32_MAX;
}

uint32_t sheaf_op_index(int op)
{
    for (uint32_t i = 0; op != 0 && i < sheaf_op_count; i++)
        if ((int)public_ops[i] == op)
            return i;
    return UINT32_MAX;
}

const char *sheaf_op_name(sheaf_op op)
{
    uint32_t i = sheaf_op_index((int)op);
    return i < sheaf_op_count ? sheaf_ops[i]->name : "?";
}

sheaf_op sheaf_op_by_name(const char *name)
{
    uint32_t i = sheaf_op_find(name);
    return i < sheaf_op_count ? public_ops[i] : (sheaf_op)0;
}
