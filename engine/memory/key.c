/* key.c -- what a key names. */
#include "memory/key.h"

#include <string.h>

#include <sheaf/array.h>

#include "base/error.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

bool key_is_name(const char *name)
{
    size_t length = strspn(name, letters);
    return length >= 1 && length <= SHEAF_KEY_MAX && name[length] == '\0' &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

sheaf_status key_parse(struct key *out, const char *key)
{
    if (key == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "the key is NULL");
    if (strncmp(key, "file://", 7) == 0) {
        if (key[7] == '\0')
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "\"file://\" names no file");
        *out = (struct key){.is_file = true, .name = key + 7};
        return SHEAF_OK;
    }
    const char *name = strncmp(key, "shm://", 6) == 0 ? key + 6 : key;
    if (!key_is_name(name)) {
        size_t length = strlen(name);
        if (length > SHEAF_KEY_MAX)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                              "the key \"%.40s...\" has %zu bytes, %d is the limit", name, length,
                              SHEAF_KEY_MAX);
        return SHEAF_FAIL(
            SHEAF_ERR_ARGUMENT,
            "\"%s\" cannot be a key: a key is 1 to %d of the letters A-Z a-z 0-9 . _ -, "
            "and not \".\" or \"..\"",
            name, SHEAF_KEY_MAX);
    }
    *out = (struct key){.is_file = false, .name = name};
    return SHEAF_OK;
}

sheaf_status key_parse_name(const char **name, const char *key, const char *verb)
{
    struct key parsed;
    sheaf_status status = key_parse(&parsed, key);
    if (status != SHEAF_OK)
        return status;
    if (parsed.is_file)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "%s \"%.200s\": a file:// key can be attached and described, no more "
                          "(sheaf_load() and sheaf_save() copy files)",
                          verb, key);
    *name = parsed.name;
    return SHEAF_OK;
}
