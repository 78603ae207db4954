/* config.h -- every environment variable that the library reads, in one table. */
#ifndef SHEAF_BASE_CONFIG_H
#define SHEAF_BASE_CONFIG_H

enum config {
    CONFIG_ISA,       /* SHEAF_ISA: the instruction set that jobs use by default */
    CONFIG_WORKER,    /* SHEAF_WORKER: path of the worker program */
    CONFIG_FAILPOINT, /* SHEAF_FAILPOINT: see failpoint.h; not read in release builds */
    CONFIG_COUNT,
};

/* The variable's value now, or NULL if it is not set or empty. Owned by the environment. */
const char *config_get(enum config variable);

#endif
