/* footer.c -- to come. */
