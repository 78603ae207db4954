/* team.c -- threads for filling arrays and for measuring how fast they can be read. */
#include "cli/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { TEAM_MAX = 256 };

struct team {
    team_part *part;
    void *context;
    size_t count;
    _Atomic size_t ready; /* threads that wait for go; written by each once, read by the caller */
    _Atomic int go;       /* written by the caller once, read by the threads */
};

struct member {
    struct team *team;
    size_t index;
    double end; /* written by the member, read after it was joined */
    pthread_t thread;
};

double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

size_t team_cut(size_t n, size_t index, size_t count)
{
    return n / count * index + n % count * index / count;
}

static void *serve(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    atomic_fetch_add(&team->ready, 1);
    while (!atomic_load(&team->go))
        sched_yield();
    team->part(team->context, member->index, team->count);
    member->end = now_seconds();
    return NULL;
}

double team_run(size_t count, team_part *part, void *context)
{
    struct member members[TEAM_MAX];
    struct team team = {.part = part, .context = context, .count = count};
    size_t started = 0;
    while (started + 1 < count && started < TEAM_MAX) {
        struct member *member = &members[started];
        *member = (struct member){.team = &team, .index = started + 1};
        if (pthread_create(&member->thread, NULL, serve, member) != 0)
            break;
        started++;
    }
    while (atomic_load(&team.ready) < started)
        sched_yield();
    double start = now_seconds();
    atomic_store(&team.go, 1);
    part(context, 0, count);
    for (size_t i = started + 1; i < count; i++)
        part(context, i, count);
    double end = now_seconds();
    for (size_t i = 0; i < started; i++) {
        pthread_join(members[i].thread, NULL);
        if (members[i].end > end)
            end = members[i].end;
    }
    return end - start;
}
