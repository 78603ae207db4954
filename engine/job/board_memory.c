/* board_memory.c -- a board as a sealed memfd, or as anonymous memory. */
#include "job/board_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/cpus.h"
#include "base/error.h"
#include "base/file_size.h"
#include "job/run.h"

/* With the looks and the yield that are under way when it is over, 50 us at most; see bench_jobs, spin. */
enum { SPIN_NS = 48000 };

static int allocate(int descriptor, size_t offset, size_t bytes)
{
    int error;
    do
        error = posix_fallocate(descriptor, (off_t)offset, (off_t)bytes);
    while (error == EINTR);
    return error;
}

/* The descriptor lies above those that a worker gets its two under; see spawn.c. */
static sheaf_status create_shared(int *descriptor)
{
    int error;
    if (!file_size_is_allowed(BOARD_BYTES))
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY,
                          "open a pool: its control block of %zu MiB is larger "
                          "than a file may be (ulimit -f)",
                          BOARD_BYTES >> 20);
    int created = memfd_create("sheaf-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    *descriptor = created < 0 ? -1 : fcntl(created, F_DUPFD_CLOEXEC, 10);
    if (created >= 0)
        close(created);
    if (*descriptor < 0)
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "open a pool: memfd: %s", strerror(errno));
    if (ftruncate(*descriptor, (off_t)BOARD_BYTES) != 0 ||
        fcntl(*descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        error = errno;
    else
        error = allocate(*descriptor, 0, BOARD_SLOTS_AT);
    if (error == 0)
        return SHEAF_OK;
    close(*descriptor);
    return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open a pool: its control block: %s", strerror(error));
}

sheaf_status board_create(struct board **out, int *descriptor, uint32_t workers, bool is_shared)
{
    int kind = is_shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    *descriptor = -1;
    if (is_shared) {
        sheaf_status status = create_shared(descriptor);
        if (status != SHEAF_OK)
            return status;
    }
    struct board *board =
        mmap(NULL, BOARD_BYTES, PROT_READ | PROT_WRITE, kind | MAP_NORESERVE, *descriptor, 0);
    if (board == MAP_FAILED) {
        int error = errno;
        if (is_shared)
            close(*descriptor);
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY,
                          "open an executor: mapping %zu MiB of address space: %s",
                          BOARD_BYTES >> 20, strerror(error));
    }
    board->magic = BOARD_MAGIC;
    board->abi = BOARD_ABI;
    board->bytes = BOARD_BYTES;
    board->registry = registry_hash();
    board->owner_pid = getpid();
    store_relaxed(&board->workers, workers);
    store_relaxed(&board->wanted, workers);
    board_set_spin(board, SHEAF_SPIN_AUTO);
    *out = board;
    return SHEAF_OK;
}

void board_set_spin(struct board *board, sheaf_spin spin)
{
    size_t cpus = cpus_usable();
    board->spinners = (uint32_t)(cpus - 1); /* the submitter has one */
    board->spin_ns = cpus > 1 ? SPIN_NS : 0;
    if (spin == SHEAF_SPIN_ALL) {
        board->spinners = BOARD_WORKERS;
        board->spin_ns = SPIN_NS;
    } else if (spin == SHEAF_SPIN_NEVER) {
        board->spinners = 0;
        board->spin_ns = 0;
    }
}

sheaf_status board_attach(struct board **out, int descriptor)
{
    struct stat file;
    if (fstat(descriptor, &file) != 0 || (size_t)file.st_size != BOARD_BYTES)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "no control block of this version is at descriptor %d",
                          descriptor);
    struct board *board =
        mmap(NULL, BOARD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
    if (board == MAP_FAILED)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "mapping the control block: %s", strerror(errno));
    if (board->magic != BOARD_MAGIC || board->abi != BOARD_ABI || board->bytes != BOARD_BYTES ||
        board->registry != registry_hash() || load_relaxed(&board->workers) > BOARD_HELPERS) {
        munmap(board, BOARD_BYTES);
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "the control block is of another build of Sheaf");
    }
    *out = board;
    return SHEAF_OK;
}

void board_destroy(struct board *board, int descriptor)
{
    munmap(board, BOARD_BYTES);
    if (descriptor >= 0)
        close(descriptor);
}

sheaf_status board_reserve(int descriptor, uint32_t slot, size_t bytes, size_t *reserved)
{
    if (descriptor < 0 || bytes <= *reserved)
        return SHEAF_OK; /* anonymous memory needs no reservation: running out is not a SIGBUS */
    int error = allocate(descriptor, BOARD_SLOTS_AT + (size_t)slot * BOARD_SLOT_BYTES, bytes);
    if (error != 0)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "a job's %zu bytes: %s", bytes, strerror(error));
    *reserved = bytes;
    return SHEAF_OK;
}
