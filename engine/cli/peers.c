/* peers.c -- asking programs for their rows, and running one row at a time. */
#include "cli/peers.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/options.h"

enum { PROGRAMS_MAX = 8, LINE_BYTES = 512, PATIENCE_MS = 300000 };

struct program {
    struct child child;
    char line[LINE_BYTES]; /* what it said last */
};

struct row {
    struct peer_row shown;
    char full[LINE_BYTES]; /* the name that the program knows */
    struct program *program;
};

struct peers {
    const char *command;
    size_t program_count;
    struct program programs[PROGRAMS_MAX];
    size_t row_count;
    struct row rows[PEER_ROWS_MAX];
};

/* The next line, without its end. Nothing is lost: it never says more than one line before it is asked. */
static bool read_line(struct program *program)
{
    size_t at = 0;
    for (;;) {
        struct pollfd ready = {.fd = program->child.from, .events = POLLIN};
        int count = poll(&ready, 1, PATIENCE_MS);
        if (count < 0 && errno == EINTR)
            continue;
        ssize_t got =
            count > 0 ? read(program->child.from, program->line + at, sizeof program->line - 1 - at)
                      : 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += (size_t)got;
        program->line[at] = '\0';
        char *end = memchr(program->line, '\n', at);
        if (end != NULL) {
            *end = '\0';
            return true;
        }
        if (at == sizeof program->line - 1)
            return false;
    }
}

/* "numpy, max/2/iterations:1" is "numpy, max" on 2 workers. */
static struct peer_row shown_name(const char *full)
{
    struct peer_row row = {.workers = 1};
    const char *slash = strchr(full, '/');
    size_t length = slash != NULL ? (size_t)(slash - full) : strlen(full);
    if (slash != NULL && strtoul(slash + 1, NULL, 10) > 0)
        row.workers = strtoul(slash + 1, NULL, 10);
    snprintf(row.name, sizeof row.name, "%.*s", (int)length, full);
    return row;
}

static void add_row(struct peers *peers, struct program *program, const char *full)
{
    if (full[0] == '\0' || peers->row_count == PEER_ROWS_MAX)
        return;
    struct row *row = &peers->rows[peers->row_count++];
    row->shown = shown_name(full);
    row->program = program;
    snprintf(row->full, sizeof row->full, "%s", full);
}

/* All that it prints is names, and it ends by itself. */
static int list_rows(struct peers *peers, struct program *program, char *path)
{
    char list[] = "--benchmark_list_tests";
    struct child child;
    char line[LINE_BYTES];
    int error = child_start(&child, path, (char *[]){path, list, NULL});
    if (error != 0)
        return failure(peers->command, "cannot start the peer %s: %s", path, strerror(error));
    int copy = dup(child.from);
    FILE *names = copy >= 0 ? fdopen(copy, "re") : NULL;
    while (names != NULL && fgets(line, sizeof line, names) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        add_row(peers, program, line);
    }
    if (names != NULL)
        fclose(names);
    child_end(&child);
    return DONE;
}

static int open_program(struct peers *peers, char *path)
{
    char serve[] = "--serve";
    struct program *program = &peers->programs[peers->program_count];
    size_t before = peers->row_count;
    int status = list_rows(peers, program, path);
    if (status != DONE || peers->row_count == before)
        return status; /* it has nothing for this kernel */
    int error = child_start(&program->child, path, (char *[]){path, serve, NULL});
    if (error != 0)
        return failure(peers->command, "cannot start the peer %s: %s", path, strerror(error));
    peers->program_count++;
    return DONE;
}

int peers_open(struct peers **out, const char *command, const char *folder)
{
    struct dirent **entries;
    struct peers *peers = calloc(1, sizeof *peers);
    *out = peers;
    if (peers == NULL)
        return failure(command, "no memory");
    peers->command = command;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        return failure(command, "--peers %s: %s", folder, strerror(errno));
    int status = DONE;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        bool is_program = entries[i]->d_name[0] != '.' && access(path, X_OK) == 0;
        if (status == DONE && is_program && peers->program_count < PROGRAMS_MAX)
            status = open_program(peers, path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

void peers_close(struct peers *peers)
{
    if (peers == NULL)
        return;
    for (size_t i = 0; i < peers->program_count; i++)
        child_end(&peers->programs[i].child);
    free(peers);
}

size_t peers_count(const struct peers *peers)
{
    return peers == NULL ? 0 : peers->row_count;
}

struct peer_row peers_row(const struct peers *peers, size_t row)
{
    return peers->rows[row].shown;
}

bool peers_run(struct peer_time *out, const char **why, struct peers *peers, size_t row)
{
    struct program *program = peers->rows[row].program;
    char line[LINE_BYTES + 1];
    int bytes = snprintf(line, sizeof line, "%s\n", peers->rows[row].full);
    *why = "it has ended, or is silent for five minutes";
    if (write(program->child.to, line, (size_t)bytes) != bytes || !read_line(program))
        return false;
    *why = program->line;
    if (strncmp(program->line, "done\t", 5) == 0) {
        char *end;
        out->seconds = strtod(program->line + 5, &end);
        out->cpu_seconds = strtod(end, NULL);
        return out->seconds > 0;
    }
    if (strncmp(program->line, "fail\t", 5) == 0)
        *why = program->line + 5;
    return false;
}
