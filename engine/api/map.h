/* map.h -- what the forms of map share. */
#ifndef SHEAF_API_MAP_H
#define SHEAF_API_MAP_H

#include <sheaf/map.h>

#include "api/calls.h"

/* What the options say, but for items, first, count and chunk. options is not NULL. Errors: those of calls_check(). */
sheaf_status map_calls(struct calls *out, const sheaf_callable *callable,
                       const sheaf_map_options *options);

/* Those of item i (counted from 0) and the count - 1 behind it. */
void map_set_range(struct calls *calls, const sheaf_map_options *options, size_t i, size_t count);

#endif
