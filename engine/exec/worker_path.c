/* worker_path.c -- looks for sheaf-worker. Everything is relative to where the library lies, so that an
 * installed tree can be moved. */
#include "exec/worker_path.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sheaf/executor.h>

#include "base/atomics.h"
#include "base/config.h"
#include "base/error.h"
#include "job/symbol.h"

/* From the folder of the library: beside it (also the build tree), where tests lie, and libexec as seen from
 * lib and from lib/TRIPLET. */
static const char *const places[] = {
    "sheaf-worker",
    "../sheaf-worker",
    "../libexec/sheaf/sheaf-worker",
    "../../libexec/sheaf/sheaf-worker",
};
enum { PLACES = sizeof places / sizeof places[0] };

/* A folder or a file without the x bit is no program. */
static int is_program(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && access(path, X_OK) == 0;
}

/* The folder that this code was loaded from; false if nobody knows. */
static int own_folder(char *folder, size_t size)
{
    Dl_info info;
    char resolved[PATH_MAX];
    if (dladdr((void *)&sheaf_worker_main, &info) == 0 || info.dli_fname == NULL ||
        realpath(info.dli_fname, resolved) == NULL)
        return 0;
    char *slash = strrchr(resolved, '/');
    if (slash == NULL)
        return 0;
    *slash = '\0';
    return (size_t)snprintf(folder, size, "%s", resolved) < size;
}

/* Set by the first sheaf_worker_main(), with what was registered then. */
static _Atomic bool own_is_set;
static _Atomic uint64_t own_registry;

void worker_path_set_own(void)
{
    store_relaxed(&own_registry, symbol_registry_hash());
    store_release(&own_is_set, true); /* pairs with worker_path_find() */
}

sheaf_status worker_path_find(char *path, size_t size, const char *asked, uint64_t *registry,
                              bool *is_own)
{
    char folder[PATH_MAX] = ".";
    char tried[ERROR_TEXT_BYTES] = "";
    *registry = symbol_registry_hash();
    *is_own = false;
    const char *given = asked != NULL ? asked : config_get(CONFIG_WORKER);
    if (given != NULL) {
        char resolved
            [PATH_MAX]; /* absolute: workers are started again after the host's chdir(), too */
        if (realpath(given, resolved) != NULL && is_program(resolved) &&
            (size_t)snprintf(path, size, "%s", resolved) < size)
            return SHEAF_OK;
        return SHEAF_FAIL(SHEAF_ERR_WORKER,
                          "the worker program \"%s\" (from %s) is not an executable file", given,
                          asked != NULL ? "the option worker_path" : "SHEAF_WORKER");
    }
    if (load_acquire(&own_is_set)) {
        *registry = load_relaxed(&own_registry);
        *is_own = true;
        snprintf(path, size, "/proc/self/exe"); /* itself, even when its file was replaced since */
        return SHEAF_OK;
    }
    if (!own_folder(folder, sizeof folder) && realpath("/proc/self/exe", folder) != NULL)
        *strrchr(folder, '/') = '\0';
    for (size_t i = 0; i < PLACES; i++) {
        if ((size_t)snprintf(path, size, "%s/%s", folder, places[i]) < size && is_program(path))
            return SHEAF_OK;
        size_t length = strlen(tried);
        snprintf(tried + length, sizeof tried - length, "%s%s", i > 0 ? ", " : "", path);
    }
    return SHEAF_FAIL(SHEAF_ERR_WORKER,
                      "the worker program was not found; set SHEAF_WORKER to its path. Tried: %s",
                      tried);
}
