/* call.c -- requests on their way to an executor. */
#include "api/call.h"

#include <pthread.h>
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

/* UINT32_MAX if there is none of this name. */
static uint32_t find_isa(const char *name)
{
    for (uint32_t i = 0; sheaf_isa_name(i) != NULL; i++)
        if (strcmp(name, sheaf_isa_name(i)) == 0)
            return i;
    return UINT32_MAX;
}

static sheaf_status no_such_isa(const char *name, const char *from)
{
    char list[128];
    return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED, "no instruction set \"%s\"%s; this machine has: %s",
                      name, from, list_isas(list, sizeof list));
}

/* What is used where none is named. It is found out once: to look through the environment takes as long as
 * to hash a small input. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t usual;
static char unknown[32]; /* what SHEAF_ISA names in vain, or its beginning */

static void find_usual(void)
{
    const char *wanted = config_get(CONFIG_ISA);
    while (sheaf_isa_name(usual + 1) != NULL)
        usual++;
    if (wanted == NULL)
        return;
    usual = find_isa(wanted);
    if (usual == UINT32_MAX)
        snprintf(unknown, sizeof unknown, "%s", wanted);
}

sheaf_status call_isa(uint32_t *out, const char *isa)
{
    pthread_once(&once, find_usual);
    uint32_t found = isa != NULL ? find_isa(isa) : usual;
    if (found == UINT32_MAX)
        return no_such_isa(isa != NULL ? isa : unknown, isa != NULL ? "" : " (from SHEAF_ISA)");
    *out = found;
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
