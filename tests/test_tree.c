/* test_tree.c -- the numbering of the left-complete tree, against its definition. */
#include "check.h"

#include "job/tree.h"

/* The root of tasks [first, first + count) by the definition: the left child holds the largest power of two
 * of tasks that leaves something for the right. Checks all nodes below it; counts them. */
static uint32_t check_subtree(uint32_t first, uint32_t count, uint32_t n, uint32_t *nodes)
{
    ++*nodes;
    if (count == 1)
        return 2 * first;
    uint32_t half = 1;
    while (half * 2 < count)
        half *= 2;
    uint32_t left = check_subtree(first, half, n, nodes);
    uint32_t right = check_subtree(first + half, count - half, n, nodes);
    uint32_t node = 2 * (first + half) - 1;
    CHECK(!tree_is_task(node));
    CHECK(tree_left(node) == left && tree_right(node, n) == right);
    CHECK(tree_parent(left, n) == node && tree_parent(right, n) == node);
    CHECK(tree_sibling(left, n) == right && tree_sibling(right, n) == left);
    return node;
}

static void the_numbers_follow_the_definition(void)
{
    for (uint32_t n = 1; n <= 1100; n++) {
        uint32_t nodes = 0;
        CHECK(check_subtree(0, n, n, &nodes) == tree_root(n));
        CHECK(nodes == tree_nodes(n));
    }
}

CHECK_MAIN(CASE(the_numbers_follow_the_definition))
