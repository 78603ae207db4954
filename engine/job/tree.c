/* tree.c -- arithmetic on in-order node numbers. */
#include "job/tree.h"

uint32_t tree_nodes(uint32_t n)
{
    return 2 * n - 1;
}

uint32_t tree_root(uint32_t n)
{
    uint32_t half = 1; /* tasks in the left half: the largest power of two below n */
    if (n == 1)
        return 0;
    while (half * 2 < n)
        half *= 2;
    return 2 * half - 1;
}

/* The tasks in the left half of merge 2b-1: the lowest set bit of b, as blocks are aligned. */
static uint32_t half_of(uint32_t node)
{
    uint32_t first_right = (node + 1) / 2;
    return first_right & (~first_right + 1);
}

uint32_t tree_left(uint32_t node)
{
    return node - half_of(node);
}

uint32_t tree_right(uint32_t node, uint32_t n)
{
    uint32_t first = (node + 1) / 2;
    uint32_t half = half_of(node);
    while (half > 1 && first + half / 2 >= n)
        half /= 2; /* that half of the block lies beyond the last task */
    return node + half;
}

uint32_t tree_parent(uint32_t node, uint32_t n)
{
    uint32_t first = node / 2; /* the block of tasks below node: [first, first + size) */
    uint32_t size = 1;
    if (!tree_is_task(node)) {
        size = 2 * half_of(node);
        first = (node + 1) / 2 - size / 2;
    }
    for (;; size *= 2) {
        if (first / size % 2 == 1)
            return 2 * first - 1; /* we are a right half */
        if (first + size < n)
            return 2 * (first + size) - 1; /* a left half, and there is a right one */
    }
}

uint32_t tree_sibling(uint32_t node, uint32_t n)
{
    uint32_t parent = tree_parent(node, n);
    uint32_t left = tree_left(parent);
    return left == node ? tree_right(parent, n) : left;
}
