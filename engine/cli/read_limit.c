/* read_limit.c -- loops of loads. An empty asm statement takes each loaded register, so the compiler
 * must load it and has nothing else to do. */
#include "cli/read_limit.h"

#include <stdint.h>

#include "cli/team.h"

enum { LINE = 64, STREAMS = 4, UNROLL = 8 }; /* UNROLL lines in a turn of the loop */

#if defined(__x86_64__)
typedef long long read_zmm __attribute__((vector_size(64), aligned(1), may_alias));
typedef long long read_ymm __attribute__((vector_size(32), aligned(1), may_alias));

__attribute__((target("avx512f"), always_inline)) static inline void line_avx512(const char *at)
{
    read_zmm a = *(const read_zmm *)at;
    __asm__ volatile("" : : "v"(a));
}

__attribute__((target("avx2"), always_inline)) static inline void line_avx2(const char *at)
{
    read_ymm a = *(const read_ymm *)at;
    read_ymm b = *(const read_ymm *)(at + 32);
    __asm__ volatile("" : : "x"(a), "x"(b));
}
#endif

static inline void line_plain(const char *at)
{
    const uint64_t *words = (const uint64_t *)(const void *)at;
    for (int i = 0; i < 8; i++)
        __asm__ volatile("" : : "r"(words[i]));
}

#define READ_NAME(shape) read_##shape##_plain
#define READ_LINE        line_plain
#define READ_TARGET
#include "cli/read_limit_tmpl.h"

#if defined(__x86_64__)
#define READ_NAME(shape) read_##shape##_avx2
#define READ_LINE        line_avx2
#define READ_TARGET      __attribute__((target("avx2")))
#include "cli/read_limit_tmpl.h"

#define READ_NAME(shape) read_##shape##_avx512
#define READ_LINE        line_avx512
#define READ_TARGET      __attribute__((target("avx512f")))
#include "cli/read_limit_tmpl.h"
#endif

struct read_limit read_limit_at(size_t i)
{
    static const struct read_limit plain[] = {
        {"plain, 1 stream", read_forward_plain},
        {"plain, 4 streams", read_streams_plain},
    };
#if defined(__x86_64__)
    static const struct read_limit wide[] = {
        {"avx2, 1 stream", read_forward_avx2},
        {"avx2, 4 streams", read_streams_avx2},
        {"avx512, 1 stream", read_forward_avx512},
        {"avx512, 4 streams", read_streams_avx512},
    };
    size_t usable = __builtin_cpu_supports("avx512f") ? 4 : __builtin_cpu_supports("avx2") ? 2 : 0;
    if (i >= 2 && i - 2 < usable)
        return wide[i - 2];
#endif
    return i < 2 ? plain[i] : (struct read_limit){0};
}

struct reading {
    read_kernel *read;
    const char *data;
    size_t lines;
};

static void read_part(void *context, size_t index, size_t count)
{
    const struct reading *reading = context;
    size_t first = team_cut(reading->lines, index, count);
    size_t past = team_cut(reading->lines, index + 1, count);
    reading->read(reading->data + first * LINE, (past - first) * LINE);
}

double read_limit_seconds(const struct read_limit *limit, const void *data, size_t bytes,
                          size_t workers)
{
    struct reading reading = {.read = limit->read, .data = data, .lines = bytes / LINE};
    return team_run(workers, read_part, &reading);
}

struct read_limit read_limit_choose(const void *data, size_t bytes, size_t workers)
{
    struct read_limit best = read_limit_at(0);
    double best_seconds = 0;
    for (int trial = 0; trial < 3; trial++) {
        for (size_t i = 0; read_limit_at(i).name != NULL; i++) {
            struct read_limit limit = read_limit_at(i);
            double seconds = read_limit_seconds(&limit, data, bytes, workers);
            if (best_seconds == 0 || seconds < best_seconds) {
                best = limit;
                best_seconds = seconds;
            }
        }
    }
    return best;
}
