/* test_golden.c -- golden/reduce.txt through the public interface: every executor, every instruction set,
 * several numbers of workers, with workers being killed meanwhile. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include <sheaf/sheaf.h>

#include "golden.h"

/* The result's bytes as the file writes them: as one integer of the result's size. */
static uint64_t bits_of(sheaf_scalar value)
{
    uint32_t half;
    uint64_t bits;
    if (sheaf_dtype_size(value.dtype) == 8) {
        memcpy(&bits, value.value.bytes, sizeof bits);
        return bits;
    }
    memcpy(&half, value.value.bytes, sizeof half);
    return half;
}

/* progress: counts the lines, where it is not NULL. */
static size_t check_lines(sheaf_executor *const *executors, size_t count, _Atomic size_t *progress)
{
    struct golden line;
    size_t lines = 0;
    FILE *file = fopen(GOLDEN_FILE, "re");
    CHECK(file != NULL);
    for (; golden_next(&line, file); lines++) {
        sheaf_array *array;
        CHECK_OK(sheaf_create_anonymous(&array, line.dtype, 1, &line.n));
        golden_fill(sheaf_array_data(array), line.dtype, line.n, line.seed);
        for (size_t e = 0; e < count; e++)
            for (size_t i = 0; sheaf_isa_name(i) != NULL; i++) {
                sheaf_scalar value;
                sheaf_reduce_options options = {.executor = executors[e], .isa = sheaf_isa_name(i)};
                CHECK_OK(sheaf_reduce(&value, array, sheaf_op_by_name(line.op), &options));
                CHECK(bits_of(value) == line.bits);
            }
        sheaf_detach(array);
        if (progress != NULL)
            atomic_fetch_add(progress, 1);
    }
    fclose(file);
    return lines;
}

static void every_executor_and_worker_count_gives_the_golden_bits(void)
{
    static const struct {
        sheaf_backend backend;
        size_t workers;
    } kinds[] = {{SHEAF_SEQUENTIAL, 1}, {SHEAF_THREADS, 2},   {SHEAF_THREADS, 8},
                 {SHEAF_PROCESSES, 1},  {SHEAF_PROCESSES, 3}, {SHEAF_PROCESSES, 8}};
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    sheaf_executor *executors[KINDS];
    for (size_t k = 0; k < KINDS; k++)
        CHECK_OK(sheaf_executor_open(&executors[k], kinds[k].backend,
                                     &(sheaf_executor_options){.workers = kinds[k].workers}));
    CHECK(check_lines(executors, KINDS, NULL) >= 200);
    for (size_t k = 0; k < KINDS; k++)
        sheaf_executor_close(executors[k]);
}

struct killer {
    sheaf_executor *pool;
    _Atomic size_t lines; /* done */
    _Atomic bool is_over;
    int killed;
};

/* A kill every 5 ms; but where starting a worker takes longer than that (an emulator), no faster than lines are
 * done, or none would ever be. */
static void *kill_workers(void *argument)
{
    struct killer *self = argument;
    unsigned long long state = 5;
    size_t seen = 0;
    while (!atomic_load(&self->is_over)) {
        sheaf_worker_info info;
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
        if (atomic_load(&self->lines) == seen)
            continue;
        seen = atomic_load(&self->lines);
        CHECK_OK(sheaf_executor_worker(&info, self->pool, check_random(&state) % 3));
        if (info.pid != 0)
            self->killed += kill(info.pid, SIGKILL) == 0;
    }
    return NULL;
}

static void dying_workers_give_the_golden_bits(void)
{
    pthread_t thread;
    struct killer killer = {0};
    CHECK_OK(sheaf_executor_open(&killer.pool, SHEAF_PROCESSES,
                                 &(sheaf_executor_options){.workers = 3}));
    CHECK(pthread_create(&thread, NULL, kill_workers, &killer) == 0);
    CHECK(check_lines(&killer.pool, 1, &killer.lines) >= 200);
    atomic_store(&killer.is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(killer.killed > 0);
    sheaf_executor_close(killer.pool);
}

CHECK_MAIN(CASE(every_executor_and_worker_count_gives_the_golden_bits),
           CASE(dying_workers_give_the_golden_bits))
