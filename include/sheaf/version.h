/* version.h -- the version of the headers, and of the library that is loaded. */
#ifndef SHEAF_VERSION_H
#define SHEAF_VERSION_H

#include <sheaf/export.h>

#define SHEAF_VERSION_MAJOR 0
#define SHEAF_VERSION_MINOR 1
#define SHEAF_VERSION_PATCH 0
#define SHEAF_VERSION       "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is loaded, "0.1.0". */
SHEAF_EXPORT const char *sheaf_version(void);

#ifdef __cplusplus
}
#endif
#endif
