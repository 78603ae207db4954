/* segment.c -- to come. */
