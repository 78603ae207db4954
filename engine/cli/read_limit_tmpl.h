/* read_limit_tmpl.h -- the two shapes of a loop over cache lines, for one way to load a line. Included by
 * read_limit.c once for each; READ_NAME, READ_LINE and READ_TARGET say which. */

/* From the first line to the last. */
READ_TARGET static void READ_NAME(forward)(const char *data, size_t bytes)
{
    size_t lines = bytes / LINE;
    size_t i = 0;
    for (; i + UNROLL <= lines; i += UNROLL) {
        for (size_t k = 0; k < UNROLL; k++)
            READ_LINE(data + (i + k) * LINE);
    }
    for (; i < lines; i++)
        READ_LINE(data + i * LINE);
}

/* Four places at once, a quarter apart, for prefetchers that follow several streams. */
READ_TARGET static void READ_NAME(streams)(const char *data, size_t bytes)
{
    size_t lines = bytes / LINE;
    size_t quarter = lines / STREAMS;
    size_t i = 0;
    for (; i + 2 <= quarter; i += 2) {
        for (size_t k = 0; k < STREAMS; k++) {
            READ_LINE(data + (k * quarter + i) * LINE);
            READ_LINE(data + (k * quarter + i + 1) * LINE);
        }
    }
    for (; i < quarter; i++) {
        for (size_t k = 0; k < STREAMS; k++)
            READ_LINE(data + (k * quarter + i) * LINE);
    }
    for (i = STREAMS * quarter; i < lines; i++)
        READ_LINE(data + i * LINE);
}

#undef READ_NAME
#undef READ_LINE
#undef READ_TARGET
