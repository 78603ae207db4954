/* callables.h -- the functions of callables.c, and what they are given. */
#ifndef SHEAF_TESTS_CALLABLES_H
#define SHEAF_TESTS_CALLABLES_H

#include <sheaf/sheaf.h>

int square(const sheaf_task *task);  /* an int64_t -> its square */
int reverse(const sheaf_task *task); /* bytes -> the same bytes, last first */
int refuse(
    const sheaf_task *task); /* an int -> fails with it as its code, and a text if it is odd */
int end_worker(const sheaf_task *task);   /* an int: a signal to raise; 0: exit(3) */
int sleep_us(const sheaf_task *task);     /* an int64_t */
int who(const sheaf_task *task);          /* -> an int64_t: the pid of who runs it */
int which_thread(const sheaf_task *task); /* -> an int64_t: the thread that runs it */
int nothing(const sheaf_task *task);      /* nothing */
int square_index(
    const sheaf_task *task); /* a map: -> an int64_t, the square of index + arguments */
int add_item(
    const sheaf_task *task); /* a map: an int64_t item and an int64_t argument -> their sum */
int refuse_multiples(
    const sheaf_task *task); /* a map: fails for multiples of its int64_t argument */
int sum_arrays(
    const sheaf_task *task);        /* an int64_t n, two arrays of n int64_t -> the sum of all */
int nested(const sheaf_task *task); /* submits square(arguments) itself -> an int64_t */
int note_start(
    const sheaf_task *task); /* initializer: sets SHEAF_TEST_NOTE to its arguments, a string */
int tell_note(const sheaf_task *task); /* -> 16 bytes of SHEAF_TEST_NOTE */

#endif
