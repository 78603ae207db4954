/* list.c -- to come. */
