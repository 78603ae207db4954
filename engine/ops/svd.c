/* svd.c -- to come. */
