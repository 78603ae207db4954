/* array.c -- to come. */
