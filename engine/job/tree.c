/* tree.c -- to come. */
