/* symbol.c -- the table of registered names, and dlopen(). */
#include "job/symbol.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomics.h"
#include "base/error.h"
#include "base/hash.h"

/* Rows are added under the mutex and never change; who sees the count sees the rows. A forked child may find the
 * mutex locked for ever by a thread that is not there, but only if its parent was registering at that moment. */
static struct {
    char name[SYMBOL_NAME_BYTES];
    const void *address;
} registered[SYMBOLS_REGISTERED_MAX];
static _Atomic uint32_t registered_count;
static pthread_mutex_t registered_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t next_serial = 1;

static const void *find_registered(const char *name)
{
    /* acquire, pairs with the release in add(). */
    uint32_t count = load_acquire(&registered_count);
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(registered[i].name, name) == 0)
            return registered[i].address;
    return NULL;
}

static sheaf_status check_name(const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;
    if (length == 0 || length >= SYMBOL_NAME_BYTES)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "a name of %zu bytes: 1 to %d are allowed", length,
                          SYMBOL_NAME_BYTES - 1);
    return SHEAF_OK;
}

/* Under the mutex. */
static sheaf_status add(const char *name, const void *address)
{
    uint32_t count = load_relaxed(&registered_count);
    const void *known = find_registered(name);
    if (known != NULL && known != address)
        return SHEAF_FAIL(SHEAF_ERR_EXISTS, "register \"%s\": the name is another one's", name);
    if (known != NULL)
        return SHEAF_OK;
    if (count == SYMBOLS_REGISTERED_MAX)
        return SHEAF_FAIL(SHEAF_ERR_BUSY, "register \"%s\": %d names are the most", name,
                          SYMBOLS_REGISTERED_MAX);
    memcpy(registered[count].name, name, strlen(name) + 1);
    registered[count].address = address;
    store_release(&registered_count, count + 1);
    return SHEAF_OK;
}

sheaf_status symbol_register(const char *name, const void *address)
{
    sheaf_status status = check_name(name);
    if (status == SHEAF_OK && address == NULL)
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "register \"%s\": its address is NULL", name);
    if (status != SHEAF_OK)
        return status;
    pthread_mutex_lock(&registered_mutex);
    status = add(name, address);
    pthread_mutex_unlock(&registered_mutex);
    return status;
}

uint64_t symbol_registry_hash(void)
{
    uint64_t sum = 0; /* the order of registering does not matter */
    uint32_t count = load_acquire(&registered_count);
    for (uint32_t i = 0; i < count; i++)
        sum += hash_mix(HASH_START, registered[i].name, strlen(registered[i].name) + 1);
    return sum;
}

static sheaf_status find_in_program(const void **address, const char *name)
{
    const void *found = find_registered(name);
    if (found == NULL)
        return SHEAF_FAIL(
            SHEAF_ERR_NOT_FOUND,
            "\"%s\" is not registered in this program: call sheaf_register() for it in "
            "main(), before sheaf_worker_main()",
            name);
    *address = found;
    return SHEAF_OK;
}

static int64_t changed_ns(const struct stat *file)
{
    return (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
}

static sheaf_status load(const void **address, void **object, const char *path, const char *name)
{
    void *loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (loaded == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NOT_FOUND, "load \"%s\": %s", path, dlerror());
    void *found = dlsym(loaded, name);
    if (found == NULL) {
        sheaf_status status =
            SHEAF_FAIL(SHEAF_ERR_NOT_FOUND,
                       "\"%s\" has no symbol \"%s\": it must not be static or hidden, and C++ "
                       "must say extern \"C\"",
                       path, name);
        dlclose(loaded);
        return status;
    }
    *address = found;
    *object = loaded;
    return SHEAF_OK;
}

/* Which file dlopen() has found. */
static sheaf_status identify(struct symbol_name *where, void *object)
{
    struct link_map *map;
    struct stat file;
    char resolved[PATH_MAX];
    if (dlinfo(object, RTLD_DI_LINKMAP, &map) != 0 || realpath(map->l_name, resolved) == NULL ||
        stat(resolved, &file) != 0)
        return SHEAF_FAIL(SHEAF_ERR_NOT_FOUND, "the file of a shared object cannot be told");
    if (strlen(resolved) >= sizeof where->path)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "\"%s\": a path of %d bytes is the most", resolved,
                          SYMBOL_PATH_BYTES - 1);
    memcpy(where->path, resolved, strlen(resolved) + 1);
    where->device = file.st_dev;
    where->inode = file.st_ino;
    where->changed_ns = changed_ns(&file);
    return SHEAF_OK;
}

sheaf_status symbol_open(struct symbol **out, const char *path, const char *name)
{
    sheaf_status status = check_name(name);
    if (status != SHEAF_OK)
        return status;
    struct symbol *symbol = calloc(1, sizeof *symbol);
    if (symbol == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "load \"%s\": out of memory", name);
    memcpy(symbol->where.name, name, strlen(name) + 1);
    symbol->references = 1;
    symbol->serial = add_relaxed(&next_serial, 1);
    if (path == NULL) {
        status = find_in_program(&symbol->address, name);
    } else {
        /* What identify() reads of an object may have been written by another thread's dlopen(), under a lock of the
         * loader's that we do not hold. */
        static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&mutex);
        status = load(&symbol->address, &symbol->object, path, name);
        if (status == SHEAF_OK)
            status = identify(&symbol->where, symbol->object);
        pthread_mutex_unlock(&mutex);
    }
    if (status != SHEAF_OK) {
        symbol_release(symbol);
        return status;
    }
    *out = symbol;
    return SHEAF_OK;
}

sheaf_status symbol_find(const void **address, void **object, const struct symbol_name *where)
{
    struct stat file;
    *object = NULL;
    if (where->path[0] == '\0')
        return find_in_program(address, where->name);
    if (stat(where->path, &file) != 0 || file.st_dev != where->device ||
        file.st_ino != where->inode || changed_ns(&file) != where->changed_ns)
        return SHEAF_FAIL(
            SHEAF_ERR_NOT_FOUND,
            "\"%s\" was replaced or removed since its owner loaded it: load it again and "
            "open another executor",
            where->path);
    return load(address, object, where->path, where->name);
}

struct symbol *symbol_retain(struct symbol *symbol)
{
    if (symbol != NULL)
        add_relaxed(&symbol->references, 1);
    return symbol;
}

void symbol_release(struct symbol *symbol)
{
    if (symbol == NULL || sub_acq_rel(&symbol->references, 1) != 1)
        return;
    if (symbol->object != NULL)
        dlclose(symbol->object);
    free(symbol);
}
