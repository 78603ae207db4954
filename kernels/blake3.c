/* blake3.c -- to come. */
