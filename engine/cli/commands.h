/* commands.h -- every command: a function of its own argv that returns the exit status. */
#ifndef SHEAF_CLI_COMMANDS_H
#define SHEAF_CLI_COMMANDS_H

int command_create(int argc, char **argv);
int command_load(int argc, char **argv);
int command_save(int argc, char **argv);
int command_list(int argc, char **argv);
int command_info(int argc, char **argv);
int command_remove(int argc, char **argv);
int command_gc(int argc, char **argv);
int command_reduce(int argc, char **argv);
int command_hash(int argc, char **argv);
int command_scrypt(int argc, char **argv);
int command_svd(int argc, char **argv);
int command_compare(int argc, char **argv);

/* Not for people: what `sheaf compare` starts to have data copied to; see copies.h. */
int command_copy_worker(int argc, char **argv);

#endif
