/* executor.c -- to come. */
