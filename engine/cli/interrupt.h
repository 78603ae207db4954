/* interrupt.h -- Ctrl-C while a command holds arrays that must not stay behind.
 *
 * SIGINT, SIGTERM and (unless it is ignored, as under nohup) SIGHUP are blocked everywhere and taken by one
 * thread of their own, which unlinks the guarded keys and ends the process with 128 + signal. So they
 * work at once, also while a long reduction runs, and no code runs inside a signal handler.
 *
 *     interrupt_lock()     nothing ends the process between here ...
 *     sheaf_create(key)
 *     interrupt_guard(key)
 *     interrupt_unlock()   ... and here, for up to a second
 *
 * A signal that comes while a big array's space is being reserved waits that second and then ends the
 * process all the same: a key that is not complete does not exist, so nothing stays behind. */
#ifndef SHEAF_CLI_INTERRUPT_H
#define SHEAF_CLI_INTERRUPT_H

#include <stdbool.h>

#include <sheaf/sheaf.h>

/* To be called before any thread is started. Returns an exit status. */
int interrupt_start(const char *command);

void interrupt_lock(void);
void interrupt_unlock(void);

/* Call with the lock held. At most 4 keys; the text must stay until interrupt_release(). */
void interrupt_guard(const char *key);

/* The key is to stay, or is gone. Takes the lock itself. */
void interrupt_release(const char *key);

/* sheaf_create() and interrupt_guard() as above; the key of the new array is guarded. */
sheaf_status interrupt_create(sheaf_array **out, const char *key, sheaf_dtype dtype, size_t ndim,
                              const size_t *shape, const sheaf_create_options *options);

#endif
