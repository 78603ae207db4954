/* machine.h -- what was measured on. */
#ifndef SHEAF_CLI_MACHINE_H
#define SHEAF_CLI_MACHINE_H

#include <jansson.h>

enum { MACHINE_TEXT_BYTES = 128 };

/* The CPU's model name. */
void machine_cpu(char text[MACHINE_TEXT_BYTES]);

/* {"cpu", "architecture", "cpus", "cpus_usable", "isas", "caches", "memory_bytes", "shm_bytes",
 * "shm_huge_pages", "kernel", "compiler", "sheaf"}. */
json_t *machine_json(void);

#endif
