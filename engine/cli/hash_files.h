/* hash_files.h -- hashing and checking files, as b3sum does. */
#ifndef SHEAF_CLI_HASH_FILES_H
#define SHEAF_CLI_HASH_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>
#include <sheaf/sheaf.h>

struct hash_form {
    uint64_t length; /* of output, in bytes */
    bool is_raw;
    bool has_no_names;
    bool is_quiet;
};

/* Hashes files (`-`: standard input) and prints a line for each, or appends it to a list. Returns an exit
 * status: FAILED if a file could not be read; then the others are printed all the same. */
int hash_files(const sheaf_hash_options *options, const struct hash_form *form, int count,
               char **names, json_t *list);

/* Checks the files that the lines of files name. Returns an exit status. */
int check_files(const sheaf_hash_options *options, const struct hash_form *form, int count,
                char **names);

/* What is printed before the hash, and after it. */
void print_before(const struct hash_form *form, const char *name);
void print_after(const struct hash_form *form, const char *name);

/* Some bytes of the hash. */
void print_part(const struct hash_form *form, const uint8_t *bytes, size_t count);

#endif
