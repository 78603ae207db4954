/* print.h -- values, shapes, arrays and JSON as the commands print them. */
#ifndef SHEAF_CLI_PRINT_H
#define SHEAF_CLI_PRINT_H

#include <jansson.h>

#include <sheaf/sheaf.h>

enum {
    SCALAR_TEXT_BYTES = 40,
    SHAPE_TEXT_BYTES = SHEAF_MAX_DIMS * 21 + 1,
    BITS_TEXT_BYTES = 17,
    HASH_TEXT_BYTES = 2 * SHEAF_HASH_BYTES + 1,
};

/* As many digits as tell all values of a float dtype apart. */
int float_digits(sheaf_dtype dtype);

/* The shortest fixed form that reads back as the same value: a whole number, "true", "false", float_digits();
 * else "NaN", "Infinity", "-Infinity". */
void scalar_text(char text[SCALAR_TEXT_BYTES], const sheaf_scalar *scalar);

/* The value's bytes in hex, in memory order. */
void scalar_bits(char text[BITS_TEXT_BYTES], const sheaf_scalar *scalar);

void hex_text(char *text, const unsigned char *bytes, size_t count);

/* "6x1000x10"; "scalar" if there are no dimensions. */
void shape_text(char text[SHAPE_TEXT_BYTES], size_t ndim, const size_t *shape);

/* "2.40 GB": decimal units. */
void bytes_text(char text[24], double bytes);

/* A string; if it is not UTF-8 (a file's name may be anything), with "?" for the bytes above 127. */
json_t *json_of_text(const char *text);

/* What JSON cannot say becomes "NaN", "Infinity", "-Infinity". */
json_t *json_of_double(double value);
json_t *json_of_scalar(const sheaf_scalar *scalar);
json_t *json_of_shape(size_t ndim, const size_t *shape);
json_t *json_of_info(const sheaf_array_info *info);

/* Element i of an array as a scalar. */
sheaf_scalar array_element(const sheaf_array *array, size_t i);

/* Prints and frees json, floats with so many digits. Returns an exit status. */
int print_json(const char *command, json_t *json, int digits);

/* Describes the key as JSON or as text. Returns an exit status. */
int print_key_info(const char *command, const char *key, bool as_json);

#endif
