/* isa.c -- to come. */
