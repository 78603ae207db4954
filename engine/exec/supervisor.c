/* supervisor.c -- the thread that owns a pool's worker processes: starts them, answers them, notices their
 * deaths by pidfd, gives back what they held, and replaces them.
 *
 *     CHILD_NONE --spawn--> CHILD_STARTING --hello--> (CHILD_PREPARING --ready-->) CHILD_READY
 *          ^                     |                        |
 *          +------- death, at any time: buried, then replaced
 *
 * PREPARING: it runs the initializer, if there is one. A worker may also leave by itself (work.h): it has run its
 * tasks, and is replaced; it was idle, and is replaced when there is work; or fewer are wanted.
 *
 * A start that fails (no process, no hello in time, a wrong hello, death before it, or soon after it with
 * no job about it) delays the next ones, and five in a row break the pool: everything fails with the
 * reason, instead of being tried for ever. What fails within one delay is one failure, so that a moment
 * without memory does not break a pool of many workers.
 *
 * A worker that has started well and is ended by SIGKILL or SIGTERM with no job about it is replaced at once: that is
 * chance, or somebody's wish. Again and again it is something that will end all that come (the out-of-memory killer, a
 * limit), so each such loss in a row delays the next replacement, and ten break the pool. A job that ends or a death
 * inside one in between, or ten seconds of peace, begin the row anew; while a worker is in a job the pool is not broken. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/futex.h"
#include "exec/message.h"
#include "exec/overdue.h"
#include "exec/processes.h"
#include "exec/spawn.h"

enum { FAILED_STARTS_MAX = 5, LOSSES_MAX = 10 };
static const int64_t hello_bound_ns = INT64_C(5000000000);
static const int64_t start_delay_ns = 5000000;        /* doubled with each failure in a row */
static const int64_t peace_ns = INT64_C(10000000000); /* after so long a failure is a first one */
static const int64_t proven_ns = 100000000;           /* a worker that lives so long has started */

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void say_opened(struct processes *processes, uint32_t how)
{
    store_release(&processes->opened, how);
    futex_wake(&processes->opened, 1);
}

static void break_pool(struct processes *processes, const char *why)
{
    char text[BOARD_ERROR_BYTES];
    snprintf(text, sizeof text, "the worker program %.90s cannot be kept running: %.120s",
             processes->path, why);
    pool_break(processes->pool, text);
    say_opened(processes, 2);
}

static void start_failed(struct processes *processes, struct child *child, const char *why)
{
    int64_t now = clock_now_ns();
    if (now >= processes->retry_ns && processes->failed_starts < FAILED_STARTS_MAX) {
        if (now - processes->retry_ns > peace_ns)
            processes->failed_starts = 0;
        processes->retry_ns = now + (start_delay_ns << processes->failed_starts);
        if (++processes->failed_starts == FAILED_STARTS_MAX)
            break_pool(processes, why);
    }
    child->deadline_ns = processes->retry_ns;
}

/* Both ends of a new socket, above the descriptors that a worker gets its own under. */
static bool make_sockets(int *ours, int *theirs)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    *ours = pair[0];
    *theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, SPAWN_FIRST_FREE_FD);
    close(pair[1]);
    if (*theirs >= 0 && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0)
        return true;
    close(*ours);
    if (*theirs >= 0)
        close(*theirs);
    return false;
}

static void start(struct processes *processes, uint32_t row)
{
    struct child *child = &processes->children[row];
    char why[128];
    int theirs;
    if (!make_sockets(&child->socket, &theirs)) {
        snprintf(why, sizeof why, "socketpair: %s", strerror(errno));
        start_failed(processes, child, why);
        return;
    }
    store_release(&processes->pool->board->worker[row].incarnation, ++child->incarnation);
    const struct spawn how = {.path = processes->path,
                              .environment = processes->environment,
                              .board_fd = processes->pool->descriptor};
    int error = spawn_worker(&child->pid, &how, row, child->incarnation, theirs);
    close(theirs);
    if (error == 0) {
        child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
        if (child->pidfd >= 0) {
            child->state = CHILD_STARTING;
            child->is_resting = false;
            child->is_condemned = false;
            child->stopped_ns = 0;
            child->deadline_ns = clock_now_ns() + hello_bound_ns;
            return;
        }
        error = errno;
        if (error != ESRCH) { /* gone and reaped by the host: the pid may be somebody else's */
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
        }
    }
    close(child->socket);
    snprintf(why, sizeof why, "%s", strerror(error));
    start_failed(processes, child, why);
}

/* Reaps a child that has ended. The host may have done so already (wait(-1), or SIGCHLD ignored): then
 * nobody knows how it ended, and it is not held against its task. Returns its exit status, if it has one. */
static int describe_death(struct death *death, const struct child *child)
{
    int status = 0;
    siginfo_t info = {0};
    bool is_known = waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &info, WEXITED) == 0;
    if (!is_known) {
        death->charge = CHARGE_KILL;
        snprintf(death->text, sizeof death->text, "ended, and the host program reaped it");
    } else if (info.si_code == CLD_EXITED) {
        status = info.si_status;
        snprintf(death->text, sizeof death->text, "exited with status %d", info.si_status);
    } else {
        death->signal = info.si_status;
        if (info.si_status == SIGKILL || info.si_status == SIGTERM)
            death->charge = CHARGE_KILL;
        snprintf(death->text, sizeof death->text, "was ended by signal %d (%s)", info.si_status,
                 strsignal(info.si_status));
    }
    if (child->is_condemned)
        death->charge = child->is_charged ? CHARGE_OVERDUE : CHARGE_NOTHING;
    return status;
}

static bool is_ending(struct processes *processes)
{
    return load_acquire(&processes->is_stopping) || load_acquire(&processes->end_signal) != 0;
}

/* Whether the worker left by itself, from between two jobs. */
static bool has_left(struct processes *processes, struct child *child, int status, bool was_in_job)
{
    if (was_in_job || (status != WORK_RETIRED && status != WORK_IDLE && status != WORK_SURPLUS))
        return false;
    child->is_resting = status == WORK_IDLE;
    processes->failed_starts = 0;
    return true;
}

/* A worker that cannot be initialized would be started for ever. */
static void break_uninitialized(struct processes *processes)
{
    char text[BOARD_ERROR_BYTES];
    char why[BOARD_ERROR_BYTES];
    pool_initializer_error(text, sizeof text, processes->pool);
    snprintf(why, sizeof why, "its initializer failed: %.96s", text);
    break_pool(processes, why);
}

static bool is_any_in_job(const struct board *board)
{
    for (uint32_t i = 0; i < load_relaxed(&board->workers); i++)
        if (load_seq_cst(&board->worker[i].entered) != 0)
            return true;
    return false;
}

static void lost_while_idle(struct processes *processes, struct child *child)
{
    struct losses *losses = &processes->losses;
    struct board *board = processes->pool->board;
    uint32_t ended = load_seq_cst(&board->ended_seq);
    int64_t now = clock_now_ns();
    if (ended != losses->ended_seen || now - losses->retry_ns > peace_ns)
        losses->count = 0;
    losses->ended_seen = ended;
    if (now >= losses->retry_ns || losses->count == 0) {
        losses->retry_ns = now + (losses->count == 0 ? 0 : start_delay_ns << losses->count);
        losses->count += losses->count < LOSSES_MAX;
        if (losses->count == LOSSES_MAX && !is_any_in_job(board))
            break_pool(processes,
                       "idle workers were ended by SIGKILL or SIGTERM 10 times in a row; "
                       "find out by whom (dmesg: out of memory?)");
    }
    child->deadline_ns = losses->retry_ns;
}

static void bury(struct processes *processes, uint32_t row)
{
    struct child *child = &processes->children[row];
    struct death death = {.row = row, .incarnation = child->incarnation, .charge = CHARGE_CRASH};
    enum child_state state = child->state;
    bool was_ready = state == CHILD_READY;
    int64_t lived_ns = clock_now_ns() - child->deadline_ns; /* since hello, if it was ready */
    /* Before it is reaped: nobody is told a pid that may be somebody else's. */
    store_release(&processes->pool->board->worker[row].pid, 0);
    int status = describe_death(&death, child);
    /* First: a child that is forked in between may leak descriptors, but not close what is not ours. */
    child->state = CHILD_NONE;
    atomic_signal_fence(memory_order_seq_cst);
    close(child->pidfd);
    close(child->socket);
    child->deadline_ns = 0;
    bool was_in_job = pool_bury(processes->pool, &death);
    bool left = was_ready && has_left(processes, child, status, was_in_job);
    if (left || is_ending(processes))
        return;
    if (state == CHILD_PREPARING && status == SPAWN_EXIT_INITIALIZER)
        break_uninitialized(processes);
    if (was_in_job)
        processes->losses.count = 0; /* it was on its way: the job bounds such deaths */
    else if (was_ready && death.charge == CHARGE_KILL)
        lost_while_idle(processes, child);
    if (was_ready && (was_in_job || lived_ns >= proven_ns)) {
        processes->failed_starts = 0; /* it had started well */
    } else if (!was_ready || death.charge == CHARGE_CRASH) {
        char why[128];
        snprintf(why, sizeof why, "it %s %s", death.text,
                 was_ready ? "as soon as it had started" : "before it said hello");
        start_failed(processes, child, why);
    }
}

static void end_child(const struct child *child)
{
    syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
}

/* Whether a worker has registered what this program has. sheaf-worker registers nothing: it serves all but the
 * program's own functions. */
static bool has_our_symbols(struct processes *processes, const struct message *hello)
{
    if (load_acquire(&processes->opened) == 0) /* nobody submits yet */
        processes->symbols.is_sheaf_worker = hello->number[2] == 0;
    if (hello->number[2] == processes->registry)
        return true;
    return hello->number[2] == 0 && !processes->is_own_program;
}

static void refuse(struct processes *processes, const struct child *child, const char *why)
{
    end_child(child); /* buried as a start that failed */
    break_pool(processes, why);
}

static void set_ready(struct processes *processes, struct child *child)
{
    struct board *board = processes->pool->board;
    child->state = CHILD_READY;
    child->has_been_ready = true;
    child->deadline_ns = clock_now_ns();
    store_release(&board->worker[child - processes->children].pid, child->pid);
    for (uint32_t i = 0; i < load_relaxed(&board->wanted); i++)
        if (!processes->children[i].has_been_ready)
            return;
    if (load_acquire(&processes->opened) == 0)
        say_opened(processes, 1);
}

static void welcome(struct processes *processes, struct child *child, const struct message *hello)
{
    struct board *board = processes->pool->board;
    if (hello->number[0] != BOARD_ABI || hello->number[1] != board->registry) {
        refuse(processes, child,
               "it is of another build of Sheaf than this library; set SHEAF_WORKER to "
               "the sheaf-worker that was installed with it");
        return;
    }
    if (!has_our_symbols(processes, hello)) {
        refuse(processes, child,
               "it has registered other functions than this program: call the same "
               "sheaf_register() in both, before sheaf_worker_main()");
        return;
    }
    child->state = CHILD_PREPARING;
    if (!board->has_initializer)
        set_ready(processes, child);
}

/* Hands a worker the descriptor that it wants. */
static void give(struct processes *processes, struct child *child, const struct message *want)
{
    int descriptor = segments_descriptor(processes->pool, &processes->segments, want->number[0],
                                         want->number[1]);
    struct message answer = {BOARD_MAGIC, MESSAGE_GIVE, {descriptor >= 0, 0}};
    if (!message_send(child->socket, &answer, descriptor))
        end_child(child); /* it waits for this: its death gives its tasks back */
    if (descriptor >= 0)
        close(descriptor);
}

/* Answers all that a worker has sent. What is no message, or none that fits, ends the worker. */
static void answer(struct processes *processes, struct child *child)
{
    struct message message;
    for (;;) {
        errno = 0;
        if (!message_receive(child->socket, &message, NULL)) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                end_child(child); /* it has closed its end, or sends garbage */
            return;
        }
        if (message.kind == MESSAGE_HELLO && child->state == CHILD_STARTING) {
            welcome(processes, child, &message);
        } else if (message.kind == MESSAGE_READY && child->state == CHILD_PREPARING) {
            set_ready(processes, child);
        } else if (message.kind == MESSAGE_WANT && child->state >= CHILD_PREPARING) {
            give(processes, child, &message);
        } else {
            end_child(child);
            return;
        }
    }
}

static void signal_all(struct processes *processes, int signal)
{
    for (uint32_t i = 0; i < load_relaxed(&processes->pool->board->workers); i++)
        if (processes->children[i].state != CHILD_NONE)
            syscall(SYS_pidfd_send_signal, processes->children[i].pidfd, signal, NULL, 0);
    processes->sent_signal = signal;
}

/* Ends all workers if that is asked for: by SIGTERM, and by SIGKILL if they are still there a second later. Returns
 * when to look again, or INT64_MAX. */
static int64_t end_as_asked(struct processes *processes)
{
    int signal = load_acquire(&processes->end_signal);
    int64_t now = clock_now_ns();
    if (signal == 0 || processes->sent_signal == SIGKILL)
        return INT64_MAX;
    if (processes->sent_signal == 0)
        processes->kill_ns = now + 1000000000;
    if (signal == SIGKILL || now >= processes->kill_ns)
        signal_all(processes, SIGKILL);
    else if (processes->sent_signal == 0)
        signal_all(processes, signal);
    return processes->sent_signal == SIGKILL ? INT64_MAX : processes->kill_ns;
}

static bool is_any_resting(const struct processes *processes)
{
    for (uint32_t i = 0; i < BOARD_HELPERS; i++)
        if (processes->children[i].state == CHILD_NONE && processes->children[i].is_resting)
            return true;
    return false;
}

/* Starts what is due. Returns when more will be, or INT64_MAX. */
static int64_t start_due(struct processes *processes)
{
    int64_t next = INT64_MAX;
    struct board *board = processes->pool->board;
    uint32_t workers = load_relaxed(&board->workers);
    bool has_work = is_any_resting(processes) && pool_has_work(processes->pool);
    for (uint32_t i = 0; i < workers; i++) {
        struct child *child = &processes->children[i];
        int64_t now = clock_now_ns();
        bool is_broken = load_acquire(&processes->opened) == 2 || is_ending(processes);
        bool is_wanted =
            !is_broken && i < load_acquire(&board->wanted) && (!child->is_resting || has_work);
        if (child->state == CHILD_NONE && is_wanted && child->deadline_ns <= now)
            start(processes, i);
        if (child->state == CHILD_STARTING && child->deadline_ns <= now)
            end_child(child); /* no hello in time */
        bool is_waited_for =
            child->state == CHILD_STARTING || (child->state == CHILD_NONE && is_wanted);
        if (is_waited_for && child->deadline_ns < next)
            next = child->deadline_ns;
    }
    return next;
}

/* A timeout for poll(); -1: without bound. */
static int ms_until(int64_t when_ns)
{
    if (when_ns == INT64_MAX)
        return -1;
    int64_t left_ms = (when_ns - clock_now_ns()) / 1000000;
    return left_ms < 0 ? 1 : left_ms > 60000 ? 60000 : (int)left_ms + 1;
}

static void look_after_children(struct processes *processes)
{
    struct pollfd events[1 + 2 * BOARD_WORKERS];
    uint32_t workers = load_relaxed(&processes->pool->board->workers);
    int64_t next_start = start_due(processes);
    int64_t next_look = overdue_look(processes);
    int64_t next_end = end_as_asked(processes);
    int64_t next = next_start < next_look ? next_start : next_look;
    int timeout_ms = ms_until(next < next_end ? next : next_end);
    events[0] = (struct pollfd){.fd = processes->wake, .events = POLLIN};
    for (uint32_t i = 0; i < workers; i++) {
        const struct child *child = &processes->children[i];
        bool lives = child->state != CHILD_NONE;
        events[1 + 2 * i] = (struct pollfd){.fd = lives ? child->socket : -1, .events = POLLIN};
        events[2 + 2 * i] = (struct pollfd){.fd = lives ? child->pidfd : -1, .events = POLLIN};
    }
    if (poll(events, 1 + 2 * workers, timeout_ms) < 0) {
        if (errno == EINVAL) /* the host has lowered RLIMIT_NOFILE below what a pool needs */
            break_pool(processes, "too few open files are allowed to watch its processes");
        poll(NULL, 0, 10); /* EAGAIN, ENOMEM: they pass */
        return;
    }
    uint64_t told;
    if (events[0].revents != 0 && read(processes->wake, &told, sizeof told) < 0)
        return; /* it is looked at again */
    for (uint32_t i = 0; i < workers; i++) {
        if ((events[2 + 2 * i].revents & POLLIN) != 0)
            bury(processes, i);
        else if (events[1 + 2 * i].revents != 0)
            answer(processes, &processes->children[i]);
    }
}

/* Ends all workers: they leave by themselves when they see `stop`, or that nobody will send the array that they wait for:
 * others may have finished its job meanwhile. Who does not within a second is stuck. */
static void end_all(struct processes *processes)
{
    struct board *board = processes->pool->board;
    store_seq_cst(&board->stop, 1);
    work_wake_all(board);
    for (uint32_t i = 0; i < load_relaxed(&board->workers); i++)
        if (processes->children[i].state != CHILD_NONE)
            shutdown(processes->children[i].socket, SHUT_WR);
    int64_t bound = clock_now_ns() + 1000000000;
    for (uint32_t i = 0; i < load_relaxed(&board->workers); i++) {
        struct child *child = &processes->children[i];
        if (child->state == CHILD_NONE)
            continue;
        if (child->state < CHILD_READY)
            end_child(child); /* it has done nothing yet */
        int64_t left = bound - clock_now_ns();
        struct pollfd event = {.fd = child->pidfd, .events = POLLIN};
        if (poll(&event, 1, left > 0 ? (int)(left / 1000000) : 0) == 0)
            end_child(child);
        bury(processes, i);
    }
}

void *supervise(void *argument)
{
    struct processes *processes = argument;
    cpus_use_all(); /* workers inherit our CPUs; a thread of the host's may be bound to one */
    while (!load_acquire(&processes->is_stopping))
        look_after_children(processes);
    end_all(processes);
    return NULL;
}
