/* print.c -- how values, shapes and arrays look. */
#include "cli/print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/options.h"

static const char *not_a_number(double value)
{
    if (isnan(value))
        return "NaN";
    return value > 0 ? "Infinity" : "-Infinity";
}

int float_digits(sheaf_dtype dtype)
{
    return dtype == SHEAF_BF16 ? 4 : dtype == SHEAF_F16 ? 5 : dtype == SHEAF_F32 ? 9 : 17;
}

/* An integer with a sign; those without are of fewer bits, but for u64. */
static long long integer_of(const sheaf_scalar *scalar)
{
    return scalar->dtype == SHEAF_I64 ? (long long)scalar->value.i64
                                      : (long long)sheaf_scalar_f64(scalar);
}

void scalar_text(char text[SCALAR_TEXT_BYTES], const sheaf_scalar *scalar)
{
    double value = sheaf_scalar_f64(scalar);
    char kind = sheaf_dtype_kind(scalar->dtype);
    if (kind == 'b')
        snprintf(text, SCALAR_TEXT_BYTES, "%s", scalar->value.boolean ? "true" : "false");
    else if (scalar->dtype == SHEAF_U64)
        snprintf(text, SCALAR_TEXT_BYTES, "%llu", (unsigned long long)scalar->value.u64);
    else if (kind != 'f')
        snprintf(text, SCALAR_TEXT_BYTES, "%lld", integer_of(scalar));
    else if (!isfinite(value))
        snprintf(text, SCALAR_TEXT_BYTES, "%s", not_a_number(value));
    else
        snprintf(text, SCALAR_TEXT_BYTES, "%.*g", float_digits(scalar->dtype), value);
}

void hex_text(char *text, const unsigned char *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * count] = '\0';
}

void scalar_bits(char text[BITS_TEXT_BYTES], const sheaf_scalar *scalar)
{
    hex_text(text, scalar->value.bytes, sheaf_dtype_size(scalar->dtype));
}

void shape_text(char text[SHAPE_TEXT_BYTES], size_t ndim, const size_t *shape)
{
    size_t at = 0;
    if (ndim == 0)
        snprintf(text, SHAPE_TEXT_BYTES, "scalar");
    for (size_t i = 0; i < ndim; i++)
        at +=
            (size_t)snprintf(text + at, SHAPE_TEXT_BYTES - at, "%s%zu", i > 0 ? "x" : "", shape[i]);
}

void bytes_text(char text[24], double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit < 6) {
        bytes /= 1000;
        unit++;
    }
    snprintf(text, 24, "%.*f %s",
             unit == 0 || bytes >= 99.95 ? 0
             : bytes < 9.995             ? 2
                                         : 1,
             bytes, units[unit]);
}

json_t *json_of_text(const char *text)
{
    json_t *json = json_string(text);
    char *copy = json == NULL ? strdup(text) : NULL;
    if (copy == NULL)
        return json;
    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c > 127)
            *c = '?';
    }
    json = json_string(copy);
    free(copy);
    return json;
}

json_t *json_of_double(double value)
{
    return isfinite(value) ? json_real(value) : json_string(not_a_number(value));
}

json_t *json_of_scalar(const sheaf_scalar *scalar)
{
    char text[SCALAR_TEXT_BYTES];
    switch (sheaf_dtype_kind(scalar->dtype)) {
    case 'b':
        return json_boolean(scalar->value.boolean);
    case 'f':
        return json_of_double(sheaf_scalar_f64(scalar));
    default:
        if (scalar->dtype != SHEAF_U64)
            return json_integer(integer_of(scalar));
        scalar_text(text, scalar); /* above 2^63 the text: the library's integers end there */
        return scalar->value.u64 > INT64_MAX ? json_string(text)
                                             : json_integer((json_int_t)scalar->value.u64);
    }
}

json_t *json_of_shape(size_t ndim, const size_t *shape)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ndim; i++)
        json_array_append_new(list, json_integer((json_int_t)shape[i]));
    return list;
}

static const char *lifetime_name(const sheaf_array_info *info)
{
    return info->lifetime == SHEAF_OWNED ? "owned" : "persistent";
}

json_t *json_of_info(const sheaf_array_info *info)
{
    return json_pack("{s:o, s:s, s:o, s:I, s:I, s:s, s:b, s:b, s:i, s:I}", "key",
                     json_of_text(info->key), "dtype", sheaf_dtype_name(info->dtype), "shape",
                     json_of_shape(info->ndim, info->shape), "bytes", (json_int_t)info->data_bytes,
                     "segment_bytes", (json_int_t)info->segment_bytes, "lifetime",
                     lifetime_name(info), "foreign", info->is_foreign, "orphan", info->is_orphan,
                     "creator_pid", (int)info->creator_pid, "created_unix_ns",
                     (json_int_t)info->created_unix_ns);
}

sheaf_scalar array_element(const sheaf_array *array, size_t i)
{
    sheaf_scalar scalar = {.dtype = sheaf_array_dtype(array)};
    size_t size = sheaf_dtype_size(scalar.dtype);
    memcpy(scalar.value.bytes, (const char *)sheaf_array_data(array) + i * size, size);
    return scalar;
}

int print_json(const char *command, json_t *json, int digits)
{
    char *text = json_dumps(json, JSON_REAL_PRECISION((size_t)digits));
    json_decref(json);
    if (text == NULL)
        return failure(command, "no memory for the JSON text");
    puts(text);
    free(text);
    return DONE;
}

static void print_info(const sheaf_array_info *info)
{
    char shape[SHAPE_TEXT_BYTES];
    char created[40] = "unknown";
    time_t seconds = (time_t)(info->created_unix_ns / 1000000000);
    struct tm utc;
    if (info->created_unix_ns > 0 && gmtime_r(&seconds, &utc) != NULL)
        strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    shape_text(shape, info->ndim, info->shape);
    printf("key       %s\ndtype     %s\nshape     %s\nbytes     %zu\nsegment   %zu bytes\n"
           "lifetime  %s%s\ncreated   %s\n",
           info->key, sheaf_dtype_name(info->dtype), shape, info->data_bytes, info->segment_bytes,
           lifetime_name(info), info->is_orphan ? ", its owner is gone (see sheaf gc)" : "",
           created);
    if (info->is_foreign)
        puts("creator   not sheaf (SharedArray or .npy)");
    else
        printf("creator   process %d\n", (int)info->creator_pid);
}

int print_key_info(const char *command, const char *key, bool as_json)
{
    sheaf_array_info info;
    if (sheaf_info(&info, key) != SHEAF_OK)
        return library_failure(command);
    if (as_json)
        return print_json(command, json_of_info(&info), 17);
    print_info(&info);
    return DONE;
}
