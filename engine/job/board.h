/* board.h -- what the owner of a pool and its workers share: one block of plain data.
 *
 *     +---------------------------+ 0
 *     | header                    |  written by the owner before any worker starts
 *     | work_seq, stop, active    |  the wake-up word; which slots hold work
 *     | worker[256]               |  a row for each worker, and for each caller that helps
 *     | segment[512]              |  where arrays can be mapped from
 *     | symbol[128]               |  where code of the user's own is found
 *     +---------------------------+ BOARD_SLOTS_AT
 *     | slot 0: job, words,       |  BOARD_SLOT_BYTES each: a job, then one 64-bit word a node, then
 *     |   partial slots, bytes    |  one partial a node, then bytes that came with the request
 *     | slot 1 ...                |
 *     | slot 1024: initializer    |  what each worker runs before all else; never claimed
 *     +---------------------------+
 *
 * For processes the block is a sealed memfd; for threads it is anonymous memory of the same layout,
 * so that the worker loop is the same code. Everything in it is numbers: an offset or an index means the
 * same in every process. The memory is sparse; a slot's pages are reserved when it is first used.
 *
 * Who may write what
 *     header, segment and symbol rows, plain fields of a job     the owner, before the job is QUEUED
 *     job.lost, .lost_done                            the supervisor
 *     job.state                                       QUEUED: the owner. RUNNING: the first claimer, by
 *                                                     CAS. FAILING: whoever sees a failure. DONE,
 *                                                     FAILED: whoever ends it. CANCELLED: the owner, by
 *                                                     CAS against the first claimer. FREE: the owner
 *     words                                           see word.h
 *     partial of a node                               the holder of its RUNNING word
 *     worker[i].entered, .state                       worker i; after its death the supervisor
 *     worker[i].due                                   worker i and the supervisor, by CAS
 *     worker[i].incarnation, .pid                     the supervisor
 *
 * Rules of a job's life
 *  (1) A worker stores (slot, generation) in its own `entered`, seq_cst, re-reads job.state, and only then
 *      touches the job. A slot is used again only when no `entered` names it. The two stores and the two
 *      loads are seq_cst: either the worker sees the new generation, or the owner sees the worker.
 *  (2) A claim is CAS OPEN -> RUNNING, then a look at job.state: if it is no longer RUNNING the claim is
 *      given back. Whoever ends a job that is FAILING first looks for RUNNING words. Again seq_cst on both
 *      sides: so once a job has ended, no worker touches its arrays.
 *  (3) Nothing is derived from a counter that a death could leave wrong: a job is done when its root is
 *      DONE; `cursor` is a hint, and a sweep finds what a death left behind. */
#ifndef SHEAF_JOB_BOARD_H
#define SHEAF_JOB_BOARD_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#include "job/op.h"
#include "job/symbol.h"

enum {
    BOARD_MAGIC = 0x66616853, /* "Shaf" */
    BOARD_ABI = 7,            /* of everything in this file and word.h */
    BOARD_WORKERS = 256,      /* rows: workers first, helping callers from BOARD_HELPERS on */
    BOARD_HELPERS = 224,
    BOARD_SLOTS = 1024, /* jobs at once */
    BOARD_SEGMENTS = 512,
    BOARD_SYMBOLS = 128,
    BOARD_PATH_BYTES = 256,
    BOARD_SLOT_BYTES = 1024 * 1024,
    BOARD_JOB_BYTES = 4096,
    BOARD_TASKS_MAX = 1024,
    BOARD_PARTIAL_BYTES_MAX = 64 * 1024, /* two tasks of such fit in a slot, with their merge */
    BOARD_ERROR_BYTES = 256,
};

/* What a worker is doing, for those who decide whom to wake. */
enum worker_state {
    WORKER_ABSENT,
    WORKER_BUSY,
    WORKER_SPINNING, /* it looks for work, or will at once: it has just ended a job */
    WORKER_SLEEPING
};

struct worker_row {
    _Alignas(128) _Atomic uint32_t state;
    _Atomic int32_t pid;
    _Atomic uint64_t incarnation;    /* 1 for the first process in this row */
    _Atomic uint64_t entered;        /* entered_name(), or 0 */
    _Atomic int64_t due;             /* see due.h */
    _Atomic uint64_t attached_bytes; /* of segments that it has mapped; written by it alone */
};

/* How workers find a segment's memory. A row is free when generation is even. */
struct segment_row {
    _Alignas(64) _Atomic uint64_t generation;
    uint64_t device;
    uint64_t inode;
    uint64_t bytes;
    uint32_t is_writable;        /* workers map it as the owner has it */
    char path[BOARD_PATH_BYTES]; /* "": ask the owner for the descriptor */
};

/* Where workers find a symbol. A row is free when generation is even. */
struct symbol_row {
    _Alignas(64) _Atomic uint64_t generation;
    struct symbol_name where;
};

/* Where the symbol of a job is found. */
struct job_symbol {
    uint32_t row;        /* processes: of the board's table; BOARD_SYMBOLS: the job has no symbol */
    uint64_t generation; /* of that row, as long as the job lives */
    uint64_t local_address; /* in the owner: 0 if there is none; means nothing elsewhere */
};

/* Where an array of a job lies. */
struct job_place {
    uint32_t segment;            /* processes: row of the board's table */
    uint64_t segment_generation; /* of that row, as long as the job lives */
    uint64_t offset;             /* of the first element in the segment */
    uint64_t local_address;      /* of the first element in the owner; means nothing elsewhere */
};

/* Offsets of a job's bytes, from its slot or in the array that holds them. */
struct job_bytes {
    uint64_t input[OP_INPUTS_MAX];
    uint64_t output;
    uint64_t output_bytes;
    uint64_t end;
    uint32_t array;     /* of the job, + 1; 0: they are in the slot */
    uint32_t has_input; /* bit i: input[i] is there */
};

struct job_error {
    int32_t status;
    int32_t code; /* what a callable returned */
    int32_t worker;
    int32_t signal;
    char text[BOARD_ERROR_BYTES];
};

enum job_phase {
    JOB_FREE,
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_FAILING,
    JOB_DONE,
    JOB_FAILED,
    JOB_CANCELLED
};

struct job {
    _Atomic uint64_t state; /* job_state(generation, phase) */
    _Alignas(
        64) _Atomic uint32_t cursor[2];  /* hint: the next task that may be open, of each sweep */
    _Alignas(64) _Atomic uint32_t ended; /* futex: 1 when DONE, FAILED or CANCELLED */
    _Atomic uint32_t waiters;            /* callers that sleep on `ended` */
    _Atomic uint32_t absorbed;           /* 1: a node has the op's absorbing partial. Set by whoever
                                             finds that; it stays true whoever dies */
    _Atomic uint64_t error_holder;       /* 0; else holder | 1 while error is written, | 2 after */
    struct job_error error;
    uint64_t lost;      /* the supervisor's: deaths inside the job without a node, as in a word, */
    uint32_t lost_done; /* since so many nodes were done */
    _Atomic int64_t queued_ns; /* monotonic clock, 0: not yet; a death may lose one */
    _Atomic int64_t started_ns;
    _Atomic int64_t finished_ns;
    _Atomic int32_t first_worker; /* row of the first task's worker; until then of who began it */

    /* plain data, fixed before the job is QUEUED */
    uint32_t op;
    uint32_t isa;
    uint32_t tasks;
    uint32_t sweeps;       /* 1, or 2: up and then down */
    uint32_t task_shift;   /* a task is 2^task_shift leaves */
    int64_t deadline_ns;   /* for a node, see due.h; 0: none */
    uint32_t attempts_max; /* deaths that a node may cost; 0: as word.h says */
    uint64_t leaves;
    uint32_t partial_stride;
    uint32_t array_count;
    _Alignas(16) unsigned char params[OP_PARAMS_BYTES];
    struct op_array arrays[OP_ARRAYS_MAX];
    struct job_place places[OP_ARRAYS_MAX];
    struct job_symbol symbol;
    struct job_bytes bytes;
};

struct board {
    uint32_t magic;
    uint32_t abi;
    uint64_t bytes;
    uint64_t registry; /* registry_hash() of the owner */
    int32_t owner_pid;
    _Atomic uint32_t workers;  /* rows of workers that were ever in use: it only grows */
    _Atomic uint32_t wanted;   /* rows below this are to have a worker */
    _Atomic uint32_t regions;  /* a team of threads: counts the regions that were asked for */
    uint32_t tasks_per_worker; /* before a worker leaves for another; 0: no bound */
    int64_t idle_ns;           /* before a worker leaves until there is work; 0: no bound */
    uint32_t
        has_initializer; /* the job in slot BOARD_SLOTS is run by each worker before all others */
    uint32_t spinners;   /* workers below this index spin before they sleep */
    uint32_t spin_ns;
    _Alignas(128) _Atomic uint32_t work_seq; /* futex: bumped when there may be something to do */
    _Atomic uint32_t stop;
    _Atomic uint32_t
        submit_cpu; /* cpus_current() of the last submit; 0: who submitted sleeps. A hint */
    _Atomic uint32_t segments_seq;            /* bumped when a segment row is freed */
    _Alignas(128) _Atomic uint32_t ended_seq; /* futex: bumped whenever a job ends */
    _Atomic uint32_t ended_waiters;           /* callers that sleep on it */
    _Alignas(128) _Atomic uint64_t active[BOARD_SLOTS / 64]; /* a bit for each slot with work */
    struct worker_row worker[BOARD_WORKERS];
    struct segment_row segment[BOARD_SEGMENTS];
    struct symbol_row symbol[BOARD_SYMBOLS];
};

enum {
    BOARD_SLOTS_AT = (sizeof(struct board) + 4095) / 4096 * 4096,
    BOARD_NODES_BYTES = BOARD_SLOT_BYTES - BOARD_JOB_BYTES,
};
#define BOARD_BYTES ((size_t)BOARD_SLOTS_AT + (size_t)(BOARD_SLOTS + 1) * BOARD_SLOT_BYTES)

static_assert(sizeof(struct job) <= BOARD_JOB_BYTES, "a job's head fits in its page");
static_assert(sizeof(_Atomic uint64_t) == 8 && ATOMIC_LLONG_LOCK_FREE == 2,
              "atomics in shared memory must not need a lock");

static inline uint64_t job_state(uint64_t generation, enum job_phase phase)
{
    return generation << 8 | (uint64_t)phase;
}

static inline uint64_t job_generation(uint64_t state)
{
    return state >> 8;
}

static inline enum job_phase job_phase(uint64_t state)
{
    return (enum job_phase)(state & 255);
}

/* Generations begin at 1, so that no name is 0. */
static inline uint64_t entered_name(uint32_t slot, uint64_t generation)
{
    return generation << 10 | slot;
}

static inline struct job *board_job(struct board *board, uint32_t slot)
{
    return (struct job *)((char *)board + BOARD_SLOTS_AT + (size_t)slot * BOARD_SLOT_BYTES);
}

static inline _Atomic uint64_t *job_words(struct job *job)
{
    return (_Atomic uint64_t *)((char *)job + BOARD_JOB_BYTES);
}

static inline int job_has_ended(struct job *job)
{
    /* acquire, pairs with the store in announce_end(): the partials are there. */
    return atomic_load_explicit(&job->ended, memory_order_acquire) != 0;
}

/* Nodes of one sweep: 0 to that - 1 are the tree's (tree.h) on the way up, and as many follow for the way down. */
static inline uint32_t job_sweep_nodes(const struct job *job)
{
    return 2 * job->tasks - 1;
}

static inline uint32_t job_nodes(const struct job *job)
{
    return job->sweeps * job_sweep_nodes(job);
}

/* Where the words and partials of a job end, from its start. The way down has no partials. */
static inline size_t job_nodes_end(uint32_t tasks, uint32_t sweeps, uint32_t partial_stride)
{
    size_t nodes = 2 * (size_t)tasks - 1;
    return BOARD_JOB_BYTES + (sweeps * nodes * 8 + 63) / 64 * 64 + nodes * partial_stride;
}

/* Tells an operation where a job's bytes lie in this process. call->data is filled. */
static inline void job_bind_bytes(struct op_call *call, const struct job_bytes *bytes, void *slot)
{
    char *base = bytes->array != 0 ? call->data[bytes->array - 1] : slot;
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        call->input[i] = (bytes->has_input >> i & 1) != 0 ? base + bytes->input[i] : NULL;
    call->output = bytes->output_bytes != 0 ? base + bytes->output : NULL;
}

/* Where the partial of a node lies: a multiple of 64 bytes, so that two are never in one line. */
static inline void *job_partial(struct job *job, uint32_t node)
{
    size_t words = ((size_t)job_nodes(job) * 8 + 63) / 64 * 64;
    return (char *)job + BOARD_JOB_BYTES + words + (size_t)node * job->partial_stride;
}

#endif
