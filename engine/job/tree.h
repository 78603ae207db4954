/* tree.h -- the left-complete binary tree over the tasks of a job, numbered in order.
 *
 * The left child of every node holds the largest power of two of tasks that leaves something for the
 * right. Node 2t is task t; node 2b-1 is the merge whose right child begins with task b. For 6 tasks:
 *
 *                        7
 *                3               9
 *            1       5           |\        every number between 0 and 2n-2 is a node
 *          0   2   4   6       8   10
 *
 * All functions: n is the number of tasks, 1 to 2^30; node is below tree_nodes(n). */
#ifndef SHEAF_JOB_TREE_H
#define SHEAF_JOB_TREE_H

#include <stdbool.h>
#include <stdint.h>

uint32_t tree_nodes(uint32_t n);

uint32_t tree_root(uint32_t n);

static inline bool tree_is_task(uint32_t node)
{
    return node % 2 == 0;
}

/* Children of a merge (an odd node). */
uint32_t tree_left(uint32_t node);
uint32_t tree_right(uint32_t node, uint32_t n);

/* The parent of a node that is not the root. */
uint32_t tree_parent(uint32_t node, uint32_t n);

/* The other child of the node's parent; the node is not the root. */
uint32_t tree_sibling(uint32_t node, uint32_t n);

#endif
