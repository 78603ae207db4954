/* main.c -- the sheaf command: finds the command that was asked for. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

#include "cli/commands.h"
#include "cli/options.h"

/* To add a command: one function in commands.h, and one line here. */
static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *purpose; /* NULL: not shown */
} commands[] = {
    {"compare", command_compare, "time every way to do the same work, as a table"},
    {"create", command_create, "create an array under a key"},
    {"load", command_load, "copy a .npy file into a new array"},
    {"save", command_save, "write an array as a .npy file"},
    {"list", command_list, "all arrays in shared memory"},
    {"info", command_info, "describe an array"},
    {"remove", command_remove, "remove arrays"},
    {"gc", command_gc, "remove arrays whose owners are dead"},
    {"reduce", command_reduce, "max, sum, mean, argmax .. of an array"},
    {"hash", command_hash, "BLAKE3 of files or of an array"},
    {"scrypt", command_scrypt, "keys from passwords"},
    {"svd", command_svd, "singular values of every matrix of an array"},
    {"copy-worker", command_copy_worker, NULL},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int main_help(void)
{
    puts("usage: sheaf COMMAND [ARGUMENTS]\n"
         "\n"
         "Arrays in shared memory, found by key, and parallel work on them.\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].purpose != NULL)
            printf("  %-9s %s\n", commands[i].name, commands[i].purpose);
    }
    puts("\n"
         "sheaf COMMAND --help says more; sheaf --version prints the version.\n"
         "A KEY is NAME or shm://NAME: a segment in /dev/shm, NAME of A-Z a-z 0-9 . _ -\n"
         "and at most 200 characters; info, save, reduce, hash and svd also take\n"
         "file://PATH, a .npy file.\n"
         "Exit status: 0 done, 1 failed (one line on standard error), 2 wrong usage.\n"
         "\n"
         "Example:\n"
         "  sheaf create numbers --shape 1000000 --fill uniform\n"
         "  sheaf reduce max numbers --executor processes\n"
         "  sheaf remove numbers");
    return DONE;
}

/* sheaf help COMMAND is sheaf COMMAND --help. */
static int command_help(char *command)
{
    char option[] = "--help";
    char *arguments[] = {command, option, NULL};
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].purpose != NULL && strcmp(commands[i].name, command) == 0)
            return commands[i].run(2, arguments);
    }
    return usage_error("", "unknown command \"%s\"", command);
}

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (argc < 2)
        return usage_error("", "no command");
    if (strcmp(name, "help") == 0 && argc > 2)
        return command_help(argv[2]);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return main_help();
    if (strcmp(name, "--version") == 0) {
        printf("sheaf %s\n", sheaf_version());
        return DONE;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return usage_error("", "unknown %s \"%s\"", name[0] == '-' ? "option" : "command", name);
}

/* Descriptors 0 to 2 are there: else an array's file could become standard output. */
static bool keep_standard_descriptors(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    return descriptor >= 0 && close(descriptor) == 0;
}

int main(int argc, char **argv)
{
    if (!keep_standard_descriptors())
        return FAILED;
    int status = run(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == DONE)
        return failure("", "cannot write to standard output");
    return status;
}
