/* creator.h -- who makes an array: this process, told so that it can be told from a later one of the
 * same pid. */
#ifndef SHEAF_MEMORY_CREATOR_H
#define SHEAF_MEMORY_CREATOR_H

#include "memory/footer.h"

/* Fills the creator and the creation time; what the system does not tell stays 0. */
void creator_fill(struct footer *footer);

#endif
