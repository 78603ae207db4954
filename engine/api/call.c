/* call.c -- requests on their way to an executor. */
#include "api/call.h"

#include <stdio.h>
#include <string.h>

#include <sheaf/op.h>

#include "api/future.h"
#include "base/config.h"
#include "base/error.h"
#include "kernels.h"

const char *sheaf_isa_name(size_t index)
{
    const struct kernels *kernels = sheaf_kernels_at(index);
    return kernels != NULL ? kernels->isa : NULL;
}

/* "scalar avx2 avx512" */
static const char *list_isas(char *list, size_t size)
{
    size_t length = 0;
    list[0] = '\0';
    for (size_t i = 0; sheaf_isa_name(i) != NULL && length < size; i++)
        length += (size_t)snprintf(list + length, size - length, "%s%s", i > 0 ? " " : "",
                                   sheaf_isa_name(i));
    return list;
}

sheaf_status call_isa(uint32_t *out, const char *isa)
{
    char list[128];
    const char *wanted = isa != NULL ? isa : config_get(CONFIG_ISA);
    uint32_t count = 0;
    for (; sheaf_isa_name(count) != NULL; count++)
        if (wanted != NULL && strcmp(wanted, sheaf_isa_name(count)) == 0) {
            *out = count;
            return SHEAF_OK;
        }
    if (wanted != NULL)
        return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                          "no instruction set \"%s\"%s; this machine has: %s", wanted,
                          isa == NULL ? " (from SHEAF_ISA)" : "", list_isas(list, sizeof list));
    *out = count - 1;
    return SHEAF_OK;
}

static sheaf_status plan(struct request *request)
{
    sheaf_status status = request_plan(request);
    const char *key = sheaf_array_key(request->arrays[0]);
    if (status != SHEAF_OK && key[0] != '\0')
        SHEAF_FAIL(status, "\"%s\": %s", key, sheaf_last_error());
    return status;
}

sheaf_status call_run(void *result, sheaf_executor *executor, struct request *request)
{
    unsigned char unchecked[OP_RESULT_BYTES_MAX]; /* out-parameters are written on success only */
    sheaf_status status = plan(request);
    if (status == SHEAF_OK)
        status = executor_run(unchecked, executor, request);
    if (status == SHEAF_OK)
        memcpy(result, unchecked, sheaf_ops[request->op]->result_bytes);
    explicit_bzero(unchecked,
                   sheaf_ops[request->op]->result_bytes); /* a keyed hash's has the key */
    return status;
}

sheaf_status call_submit(sheaf_future **out, sheaf_executor *executor, struct request *request)
{
    sheaf_status status = plan(request);
    return status == SHEAF_OK ? future_begin(out, executor, request) : status;
}
