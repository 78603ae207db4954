/* worker_path.h -- where the worker program is. */
#ifndef SHEAF_EXEC_WORKER_PATH_H
#define SHEAF_EXEC_WORKER_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/status.h>

/* Finds an executable worker program: `asked` if it is not NULL, else SHEAF_WORKER, else this program if it has called
 * sheaf_worker_main(), else sheaf-worker beside the library (or the program that it is part of), in the build tree, in
 * libexec. *registry: the symbol_registry_hash() that its hello is to have. *is_own: it is this program.
 * Errors: WORKER; the text lists what was tried. */
sheaf_status worker_path_find(char *path, size_t size, const char *asked, uint64_t *registry,
                              bool *is_own);

/* This program calls sheaf_worker_main(): it can be its own worker, with what it has registered by now. */
void worker_path_set_own(void);

#endif
