/* table.c -- to come. */
