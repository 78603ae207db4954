/* file.h -- a file of text that appears whole or not at all. */
#ifndef SHEAF_CLI_FILE_H
#define SHEAF_CLI_FILE_H

/* Both return an exit status. Something that is no regular file (/dev/stdout) is written to as it is. */

/* Whether file_write() would have a chance. */
int file_check(const char *command, const char *path);

/* Writes text under a temporary name beside path, and gives it the name path. */
int file_write(const char *command, const char *path, const char *text);

#endif
