/* reduce.c -- to come. */
