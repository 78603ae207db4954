/* npy.c -- to come. */
