/* progress.h -- one line on a terminal's standard error that is written over and over; nothing at all if
 * standard error is not a terminal. */
#ifndef SHEAF_CLI_PROGRESS_H
#define SHEAF_CLI_PROGRESS_H

/* Shows this text, cut to the terminal's width, in place of the last. */
void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes the line away. May be called from any thread. */
void progress_clear(void);

#endif
