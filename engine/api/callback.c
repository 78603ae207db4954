/* callback.c -- functions that are called when a future is done. */
#include <stdlib.h>

#include "api/future.h"
#include "base/atomics.h"
#include "base/error.h"
#include "base/fork.h"
#include "job/notify.h"

struct callback {
    struct watch watch;
    sheaf_future *future;
    sheaf_future_callback *function;
    void *context;
};

static void call(struct watch *watch)
{
    struct callback *callback = (struct callback *)watch;
    callback->function(callback->future, callback->context);
    sheaf_future_release(callback->future);
    free(callback);
}

sheaf_status sheaf_future_add_callback(sheaf_future *future, sheaf_future_callback *function,
                                       void *context)
{
    if (future == NULL || function == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "add a callback: NULL given");
    if (future->pool != NULL && future->fork_count != fork_count())
        return SHEAF_FAIL(SHEAF_ERR_CLOSED,
                          "add a callback: this future belongs to the parent process");
    if (sheaf_future_done(future)) {
        function(future, context);
        return SHEAF_OK;
    }
    struct callback *callback = malloc(sizeof *callback);
    if (callback == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "add a callback: out of memory");
    *callback = (struct callback){.watch = {.ticket = future->ticket, .call = call},
                                  .future = future,
                                  .function = function,
                                  .context = context};
    add_relaxed(&future->references, 1);
    sheaf_status status = notify_watch(future->pool, &callback->watch);
    if (status == SHEAF_OK)
        return SHEAF_OK;
    sub_acq_rel(&future->references, 1);
    free(callback);
    if (status != SHEAF_ERR_CLOSED)
        return status;
    function(future, context); /* the pool was closed meanwhile, so it is done */
    return SHEAF_OK;
}
