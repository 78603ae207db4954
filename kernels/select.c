/* select.c -- to come. */
