/* options.h -- what the commands share: how options are read, and how wrong usage and failures are
 * told. A command is a function of its own argv, whose argv[0] is its name. */
#ifndef SHEAF_CLI_OPTIONS_H
#define SHEAF_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/sheaf.h>

/* Exit statuses. */
enum { DONE = 0, FAILED = 1, USAGE = 2 };

/* What getopt_long() returns for the options that several commands have. */
enum {
    OPTION_HELP = 'h',
    OPTION_JSON = 256,
    OPTION_EXECUTOR,
    OPTION_WORKERS,
    OPTION_ISA,
    OPTION_SEED,
    OPTION_SHAPE,
    OPTION_OWN, /* the first of a command's own */
};

/* Rows for getopt_long(). */
#define OPTION_ROW_HELP                                                                            \
    {                                                                                              \
        "help", no_argument, NULL, OPTION_HELP                                                     \
    }
#define OPTION_ROW_JSON                                                                            \
    {                                                                                              \
        "json", no_argument, NULL, OPTION_JSON                                                     \
    }
#define OPTION_ROWS_WORK                                                                           \
    {"executor", required_argument, NULL, OPTION_EXECUTOR},                                        \
    {                                                                                              \
        "workers", required_argument, NULL, OPTION_WORKERS                                         \
    }

/* Who shall do the work: --executor, --workers, --isa. */
struct work {
    sheaf_backend backend; /* 0: the library's default */
    size_t workers;        /* 0: as many as there are CPUs */
    const char *isa;       /* NULL: SHEAF_ISA, else the fastest */
};

/* The lines of --help on --executor, --workers and --isa. */
#define WORK_HELP                                                                                  \
    "  --executor E   who does it: sequential, threads or processes\n"                             \
    "                 (default: threads, and the caller alone for small work)\n"                   \
    "  --workers N    threads or processes, 1 to 224 (default: the CPUs that this\n"               \
    "                 process may use)\n"

#define ISA_HELP                                                                                   \
    "  --isa NAME     instruction set: scalar, avx2, avx512 (default: $SHEAF_ISA,\n"               \
    "                 else the fastest that this CPU runs)\n"

/* Each prints one line to standard error, "sheaf COMMAND: ...", and returns USAGE or FAILED. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int failure(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The library's last error, told by failure(), without the command's name at its start. */
int library_failure(const char *command);

/* Tells what getopt_long() did not understand (it returned ':' or '?'). */
int option_error(const char *command, int returned, char **argv);

/* Prints a help text; returns DONE. */
int help(const char *text);

/* Decimal digits that fit. */
bool parse_size(size_t *out, const char *text);
bool parse_u64(uint64_t *out, const char *text);

/* "6x1000x10" or "6,1000,10"; "scalar" is no dimension at all. Returns DONE, or tells and returns USAGE. */
int parse_shape(size_t shape[SHEAF_MAX_DIMS], size_t *ndim, const char *command, const char *text);

/* Takes one of OPTION_EXECUTOR, OPTION_WORKERS, OPTION_ISA. Returns DONE, or tells and returns USAGE. */
int work_option(struct work *work, const char *command, int option, const char *argument);

/* Opens what was asked for; *out is NULL for the library's default. Returns DONE, or tells. */
int work_open(sheaf_executor **out, const struct work *work, const char *command);

/* What will do the work: names for output. */
const char *work_executor_name(const struct work *work);
const char *work_isa_name(const struct work *work);

#endif
