/* keys.c -- sheaf list, info, remove, gc: what is in shared memory. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print.h"

/* The options of all four: --json and --help. Returns -1 to go on, else an exit status. */
static int only_json(int argc, char **argv, const char *text, bool *as_json)
{
    static const struct option options[] = {OPTION_ROW_JSON, OPTION_ROW_HELP, {0}};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(text);
        if (option != OPTION_JSON)
            return option_error(argv[0], option, argv);
        *as_json = true;
    }
    return -1;
}

static json_t *json_of_list(const sheaf_array_info *list, size_t count)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json, json_of_info(&list[i]));
    return json;
}

static const char *remark(const sheaf_array_info *info)
{
    if (info->is_orphan)
        return "orphan";
    if (info->is_foreign)
        return "foreign";
    return info->lifetime == SHEAF_OWNED ? "owned" : "";
}

/* One line for each array, whatever the terminal's width: lines are for other programs too. */
static void print_list(const sheaf_array_info *list, size_t count)
{
    int key_width = 0;
    int shape_width = 0;
    char shape[SHAPE_TEXT_BYTES];
    char bytes[24];
    for (size_t i = 0; i < count; i++) {
        int width = (int)strlen(list[i].key);
        key_width = width > key_width ? width : key_width;
        shape_text(shape, list[i].ndim, list[i].shape);
        width = (int)strlen(shape);
        shape_width = width > shape_width ? width : shape_width;
    }
    for (size_t i = 0; i < count; i++) {
        const char *note = remark(&list[i]);
        shape_text(shape, list[i].ndim, list[i].shape);
        bytes_text(bytes, (double)list[i].segment_bytes);
        printf("%-*s  %s  %-*s  %7s%s%s\n", key_width, list[i].key, sheaf_dtype_name(list[i].dtype),
               shape_width, shape, bytes, note[0] ? "  " : "", note);
    }
}

static const char list_help[] =
    "usage: sheaf list [--json]\n"
    "\n"
    "Lists the arrays in shared memory (/dev/shm) that you may read, one line each: key,\n"
    "dtype, shape, what it takes of shared memory (kB = 1000 bytes), and if so: owned\n"
    "(goes with its creator), orphan (its creator is dead; see sheaf gc), foreign\n"
    "(made by Python's SharedArray).\n"
    "\n"
    "  --json  print a list of what `sheaf info --json` prints\n"
    "  --help  print this\n"
    "\n"
    "Example: sheaf list --json\n";

int command_list(int argc, char **argv)
{
    bool as_json = false;
    sheaf_array_info *list;
    size_t count;
    int status = only_json(argc, argv, list_help, &as_json);
    if (status != -1)
        return status;
    if (optind != argc)
        return usage_error("list", "takes no operand");
    if (sheaf_list(&list, &count) != SHEAF_OK)
        return library_failure("list");
    status = DONE;
    if (as_json)
        status = print_json("list", json_of_list(list, count), 17);
    else
        print_list(list, count);
    sheaf_list_free(list);
    return status;
}

static const char info_help[] =
    "usage: sheaf info KEY [--json]\n"
    "\n"
    "Describes an array, or a .npy file given as file://PATH.\n"
    "\n"
    "  --json  print {\"key\", \"dtype\", \"shape\", \"bytes\" (of the elements),\n"
    "          \"segment_bytes\" (what it takes), \"lifetime\" (\"persistent\" or\n"
    "          \"owned\"), \"foreign\", \"orphan\", \"creator_pid\", \"created_unix_ns\"\n"
    "          (nanoseconds since 1970, 0 if unknown)}\n"
    "  --help  print this\n"
    "\n"
    "Example: sheaf info file:///tmp/measured.npy\n";

int command_info(int argc, char **argv)
{
    bool as_json = false;
    int status = only_json(argc, argv, info_help, &as_json);
    if (status != -1)
        return status;
    if (optind + 1 != argc)
        return usage_error("info", "give one KEY");
    return print_key_info("info", argv[optind], as_json);
}

static const char remove_help[] =
    "usage: sheaf remove KEY... [--json]\n"
    "\n"
    "Removes arrays from shared memory. Programs that have them attached keep them until\n"
    "they are done. Segments that are no arrays are left alone.\n"
    "\n"
    "  --json  print {\"removed\": [KEY, ...]}\n"
    "  --help  print this\n"
    "\n"
    "Example: sheaf remove numbers measured\n";

int command_remove(int argc, char **argv)
{
    bool as_json = false;
    int status = only_json(argc, argv, remove_help, &as_json);
    if (status != -1)
        return status;
    if (optind == argc)
        return usage_error("remove", "give at least one KEY");
    json_t *removed = json_array();
    status = DONE;
    for (int i = optind; i < argc; i++) {
        if (sheaf_unlink(argv[i]) == SHEAF_OK)
            json_array_append_new(removed, json_of_text(argv[i]));
        else
            status = library_failure("remove"); /* and go on with the others */
    }
    if (!as_json) {
        json_decref(removed);
        return status;
    }
    int printed = print_json("remove", json_pack("{s:o}", "removed", removed), 17);
    return status == DONE ? printed : status;
}

static const char gc_help[] =
    "usage: sheaf gc [--json]\n"
    "\n"
    "Removes the owned arrays whose owners are dead, and what creators that were killed\n"
    "left behind, and prints their keys. Persistent arrays stay.\n"
    "\n"
    "  --json  print {\"removed\": [...]}, each as `sheaf info --json` prints it\n"
    "  --help  print this\n"
    "\n"
    "Example: sheaf gc\n";

int command_gc(int argc, char **argv)
{
    bool as_json = false;
    sheaf_array_info *list;
    size_t count;
    int status = only_json(argc, argv, gc_help, &as_json);
    if (status != -1)
        return status;
    if (optind != argc)
        return usage_error("gc", "takes no operand");
    if (sheaf_gc(&list, &count) != SHEAF_OK)
        return library_failure("gc");
    status = DONE;
    if (as_json)
        status = print_json("gc", json_pack("{s:o}", "removed", json_of_list(list, count)), 17);
    for (size_t i = 0; !as_json && i < count; i++)
        printf("removed %s\n", list[i].key);
    sheaf_list_free(list);
    return status;
}
