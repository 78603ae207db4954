/* peers.h -- the same work done by others: NumPy, OpenBLAS, OpenSSL, whoever is installed.
 *
 * A folder of peers holds programs (bench/ has them). Each is asked for its rows, `PROGRAM --benchmark_list_tests`,
 * one name a line, and then kept running, `PROGRAM --serve`. The environment says what to do:
 *
 *     SHEAF_PEER_KERNEL   max, sum, hash, svd, scrypt, executors ...
 *     SHEAF_PEER_KEY      the shared array, to be attached by key
 *     SHEAF_PEER_DTYPE    its dtype: f64 ...
 *     SHEAF_PEER_SHAPE    its shape: 300000000, 600x1000x10; scrypt: passwords x N x r x p
 *     SHEAF_PEER_WORKERS  threads or processes that it may use
 *
 * Then one line each way:
 *
 *     to it      NAME
 *     from it    done TAB seconds TAB CPU seconds (of all its processes; 0: not known) TAB ...
 *                fail TAB why, in words
 *
 * A name is "numpy, max/1": who, what, and behind the last "/" the workers. It may go on with what Google
 * Benchmark appends ("/iterations:1/manual_time"). */
#ifndef SHEAF_CLI_PEERS_H
#define SHEAF_CLI_PEERS_H

#include <stdbool.h>
#include <stddef.h>

enum { PEER_NAME_BYTES = 48, PEER_ROWS_MAX = 32 };

struct peers;

struct peer_row {
    char name[PEER_NAME_BYTES]; /* "numpy, max" */
    size_t workers;
};

/* Starts the programs of a folder. The environment is set before. Returns an exit status; *out is to be closed
 * even if it fails. */
int peers_open(struct peers **out, const char *command, const char *folder);
void peers_close(struct peers *peers);

size_t peers_count(const struct peers *peers); /* rows; NULL has none */
struct peer_row peers_row(const struct peers *peers, size_t row);

struct peer_time {
    double seconds;
    double cpu_seconds; /* 0: not known */
};

/* Runs a row once. False: it cannot; *why says so until the next call. */
bool peers_run(struct peer_time *out, const char **why, struct peers *peers, size_t row);

#endif
