/* key.h -- what a key names. */
#ifndef SHEAF_MEMORY_KEY_H
#define SHEAF_MEMORY_KEY_H

#include <stdbool.h>

#include <sheaf/status.h>

struct key {
    bool is_file;     /* file://PATH */
    const char *name; /* NAME or PATH: a part of the key that was parsed */
};

/* Takes a key apart. Errors: ARGUMENT. */
sheaf_status key_parse(struct key *out, const char *key);

/* As key_parse(), but for what file:// cannot do. `verb` is for the text. */
sheaf_status key_parse_name(const char **name, const char *key, const char *verb);

/* [A-Za-z0-9._-]{1,200}, not "." or "..". */
bool key_is_name(const char *name);

#endif
