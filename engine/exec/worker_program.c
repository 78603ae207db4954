/* worker_program.c -- the program sheaf-worker: a worker process, and nothing else. */
#include <stdio.h>

#include <sheaf/executor.h>

int main(int argc, char **argv)
{
    sheaf_worker_main(argc, argv);
    fputs("sheaf-worker: this program is started by libsheaf, for a pool of worker processes\n",
          stderr);
    return 2;
}
