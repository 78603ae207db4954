/* machine.h -- what was measured on, and how much memory it has left. */
#ifndef SHEAF_CLI_MACHINE_H
#define SHEAF_CLI_MACHINE_H

#include <jansson.h>
#include <stdint.h>

enum { MACHINE_TEXT_BYTES = 128 };

/* The CPU's model name. */
void machine_cpu(char text[MACHINE_TEXT_BYTES]);

/* {"cpu", "architecture", "cpus", "cpus_usable", "isas", "caches", "memory_bytes", "shm_bytes",
 * "shm_huge_pages", "kernel", "compiler", "sheaf"}. */
json_t *machine_json(void);

/* Bytes that a new shared array can have without taking the machine to its limits: the least of what
 * /dev/shm has free, and 95 % of what memory and our cgroup have free. */
uint64_t machine_free_bytes(void);

#endif
