/* symbol.h -- code of the user's own, by name, so that a worker in another process finds it for itself.
 *
 * A symbol is something that has an address: a function, or a constant struct of functions. It lies in a
 * shared object (path and name), or the user's program has registered it: then workers must be respawns of the
 * same program, whose main() registers the same names before it calls sheaf_worker_main().
 *
 *     owner                                          worker
 *     symbol_open(&symbol, path, name)
 *     request.symbol = symbol                        row = board->symbol[job->symbol]
 *     a row of the board: path, identity, name  -->  symbol_find(&address, &object, row's)
 *     op functions see op_call.symbol = the address that it has in their own process */
#ifndef SHEAF_JOB_SYMBOL_H
#define SHEAF_JOB_SYMBOL_H

#include <stdatomic.h>
#include <stdint.h>

#include <sheaf/status.h>

enum { SYMBOL_PATH_BYTES = 256, SYMBOL_NAME_BYTES = 128, SYMBOLS_REGISTERED_MAX = 256 };

/* Where a symbol is found. */
struct symbol_name {
    uint64_t
        device; /* of the shared object's file, with the next two: has it been replaced since? */
    uint64_t inode;
    int64_t changed_ns;
    char path[SYMBOL_PATH_BYTES]; /* absolute; "": registered by the program */
    char name[SYMBOL_NAME_BYTES];
};

struct symbol {
    _Atomic uint32_t references; /* its handle, and each job that uses it */
    uint64_t serial;             /* of this process, never used again */
    const void *address;         /* in this process */
    void *object;                /* of dlopen(), or NULL */
    struct symbol_name where;
};

/* Notes an address under a name, for this process and for workers that are respawns of its program. Both must
 * stay as long as the process. The same name with the same address again is no error.
 * Errors: ARGUMENT (empty or too long), EXISTS (the name has another address), BUSY (too many). */
sheaf_status symbol_register(const char *name, const void *address);

/* Finds a symbol here; *out is the caller's to release. path NULL: one that was registered; without a slash: as
 * dlopen() looks for libraries. Errors: ARGUMENT, NOT_FOUND (the text says why and what to do), NO_MEMORY. */
sheaf_status symbol_open(struct symbol **out, const char *path, const char *name);

struct symbol *symbol_retain(struct symbol *symbol);

/* The last release unloads the shared object. NULL is allowed. */
void symbol_release(struct symbol *symbol);

/* What workers do: the address of what was opened elsewhere. *object: dlopen()'s, or NULL. Errors: NOT_FOUND (it is
 * not there, or the file is not the one that the owner has loaded). */
sheaf_status symbol_find(const void **address, void **object, const struct symbol_name *where);

/* The registered names as one number, whatever their order; 0: none. */
uint64_t symbol_registry_hash(void);

#endif
