/* compare_scrypt.c -- a row of `compare scrypt`: the keys of all passwords, on one executor. The shape is passwords x N
 * x r x p. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/options.h"
#include "cli/team.h"

enum { KEY_BYTES = 64, PASSWORD_BYTES = 32 };

struct work_of_scrypt {
    sheaf_bytes *passwords;
    char *text;
    uint8_t *keys;
};

static bool make(struct work_of_scrypt *work, size_t count)
{
    work->passwords = calloc(count, sizeof *work->passwords);
    work->text = malloc(count * PASSWORD_BYTES);
    work->keys = calloc(count, KEY_BYTES);
    if (work->passwords == NULL || work->text == NULL || work->keys == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        char *text = work->text + i * PASSWORD_BYTES;
        int bytes = snprintf(text, PASSWORD_BYTES, "password %zu", i);
        work->passwords[i] = (sheaf_bytes){text, (size_t)bytes};
    }
    return true;
}

static sheaf_status derive(struct compare_outcome *out, const struct work_of_scrypt *work,
                           const struct compare *compare, const struct compare_row *row)
{
    const sheaf_bytes salt = {"NaCl", 4};
    const sheaf_scrypt_batch batch = {work->passwords, compare->shape[0], &salt, 1};
    const sheaf_scrypt_options options = {.executor = row->on, .isa = row->isa};
    const sheaf_scrypt_params params = {.n = compare->shape[1],
                                        .r = (uint32_t)compare->shape[2],
                                        .p = (uint32_t)compare->shape[3],
                                        .length = KEY_BYTES};
    double start = now_seconds();
    sheaf_status status = sheaf_scrypt_many(work->keys, &batch, &params, &options);
    out->seconds = now_seconds() - start;
    if (status != SHEAF_OK)
        return status;
    /* the result is all keys: their hash stands for them */
    return sheaf_hash_bytes(out->result, work->keys, compare->shape[0] * KEY_BYTES, NULL);
}

int compare_run_scrypt(struct compare_outcome *out, struct compare *compare,
                       const struct compare_row *row)
{
    struct work_of_scrypt work = {0};
    int status = DONE;
    if (!make(&work, compare->shape[0]))
        status = failure("compare", "no memory for the passwords");
    else if (derive(out, &work, compare, row) != SHEAF_OK)
        status = library_failure("compare");
    free(work.keys);
    free(work.text);
    free(work.passwords);
    return status;
}
