/* reduce_case.h -- a reduction of a view, made of any bytes, against the same over dense copies. */
#ifndef SHEAF_TESTS_REDUCE_CASE_H
#define SHEAF_TESTS_REDUCE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/sheaf.h>

/* Draws a dtype, a shape, elements, views, an operation and axes from the bytes; reduces the view along
 * the axes, and whole; and compares every result, bit for bit, with that of a dense copy of its
 * elements, by the scalar table in this thread. False if one differs, with a line on stderr.
 * most_elements: of the array. executor: for the view. */
bool reduce_case(const uint8_t *bytes, size_t count, size_t most_elements,
                 sheaf_executor *executor);

#endif
