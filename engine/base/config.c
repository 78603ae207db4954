/* config.c -- the environment. */
#include "base/config.h"

#include <stdlib.h>

const char *config_get(enum config variable)
{
    static const char *const names[CONFIG_COUNT] = {
        [CONFIG_ISA] = "SHEAF_ISA",
        [CONFIG_WORKER] = "SHEAF_WORKER",
        [CONFIG_FAILPOINT] = "SHEAF_FAILPOINT",
    };
    const char *value = getenv(names[variable]);
    return value != NULL && value[0] != '\0' ? value : NULL;
}
