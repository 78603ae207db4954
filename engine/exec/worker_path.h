/* worker_path.h -- where the worker program is. */
#ifndef SHEAF_EXEC_WORKER_PATH_H
#define SHEAF_EXEC_WORKER_PATH_H

#include <stddef.h>

#include <sheaf/status.h>

/* Finds an executable worker program: `asked` if it is not NULL, else SHEAF_WORKER, else sheaf-worker beside
 * the library (or the program that it is part of), in the build tree, in libexec. Errors: WORKER; the text
 * lists what was tried. */
sheaf_status worker_path_find(char *path, size_t size, const char *asked);

#endif
