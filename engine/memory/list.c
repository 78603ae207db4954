/* list.c -- what is in /dev/shm: describing, listing, removing. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "memory/array.h"
#include "memory/key.h"
#include "memory/npy.h"

static void describe(sheaf_array_info *out, const char *name, const struct footer *footer,
                     const struct stat *st)
{
    *out = (sheaf_array_info){
        .dtype = footer->dtype,
        .ndim = footer->ndim,
        .data_bytes = footer->data_bytes,
        .segment_bytes = (size_t)st->st_size,
        .lifetime = footer->lifetime,
        .is_foreign = footer->is_foreign,
        .creator_pid = footer->creator_pid,
        .created_unix_ns = footer->created_unix_ns,
    };
    memcpy(out->shape, footer->shape, sizeof out->shape);
    strncpy(out->key, name, SHEAF_KEY_MAX);
}

/* The descriptor is the caller's; of an orphan, it holds the lock. */
static sheaf_status open_info(sheaf_array_info *out, int *descriptor, struct stat *st,
                              const char *name)
{
    struct footer footer;
    sheaf_status status = array_open(descriptor, &footer, st, name, false);
    if (status != SHEAF_OK)
        return status;
    describe(out, name, &footer, st);
    out->is_orphan = footer.lifetime == SHEAF_OWNED && shm_lock_is_free(*descriptor);
    return SHEAF_OK;
}

static sheaf_status info_name(sheaf_array_info *out, const char *name)
{
    struct stat st;
    int fd;
    sheaf_status status = open_info(out, &fd, &st, name);
    if (status == SHEAF_OK)
        close(fd);
    return status;
}

static sheaf_status info_file(sheaf_array_info *out, const char *path)
{
    struct npy npy;
    struct stat st;
    int fd;
    sheaf_status status = npy_open(&fd, &npy, &st, path, false);
    if (status != SHEAF_OK)
        return status;
    close(fd);
    struct footer footer = {
        .dtype = npy.dtype, .ndim = npy.ndim, .data_bytes = npy.data_bytes, .is_foreign = true};
    memcpy(footer.shape, npy.shape, sizeof footer.shape);
    const char *slash = strrchr(path, '/');
    describe(out, slash != NULL ? slash + 1 : path, &footer, &st);
    return SHEAF_OK;
}

sheaf_status sheaf_info(sheaf_array_info *out, const char *key)
{
    struct key parsed;
    sheaf_status status =
        out != NULL ? key_parse(&parsed, key) : SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "out is NULL");
    if (status != SHEAF_OK)
        return status;
    return parsed.is_file ? info_file(out, parsed.name) : info_name(out, parsed.name);
}

sheaf_status sheaf_unlink(const char *key)
{
    const char *name;
    struct footer footer = {.ndim = 0};
    struct stat st;
    int fd = -1;
    sheaf_status status = key_parse_name(&name, key, "unlink");
    if (status != SHEAF_OK)
        return status;
    status = array_open(&fd, &footer, &st, name, false);
    if (status == SHEAF_OK)
        close(fd);
    else if (status != SHEAF_ERR_DTYPE) /* of elements that we do not have, but an array */
        return status;
    if (!shm_unlink_same(name, st.st_dev, st.st_ino))
        return SHEAF_FAIL(errno == ENOENT ? SHEAF_ERR_NOT_FOUND : SHEAF_ERR_ACCESS,
                          "unlink \"%s\": %s", name,
                          errno == ENOENT ? "it is gone already" : strerror(errno));
    return SHEAF_OK;
}

/* A list that grows. */
struct infos {
    sheaf_array_info *rows;
    size_t count;
    size_t capacity;
};

static sheaf_status infos_add(struct infos *infos, const sheaf_array_info *info)
{
    if (infos->count == infos->capacity) {
        size_t capacity = infos->capacity > 0 ? 2 * infos->capacity : 16;
        sheaf_array_info *rows = reallocarray(infos->rows, capacity, sizeof *rows);
        if (rows == NULL)
            return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for a list of arrays");
        infos->rows = rows;
        infos->capacity = capacity;
    }
    infos->rows[infos->count++] = *info;
    return SHEAF_OK;
}

static int by_key(const void *left, const void *right)
{
    return strcmp(((const sheaf_array_info *)left)->key, ((const sheaf_array_info *)right)->key);
}

/* Looks at one name; true if info is to be listed. */
typedef bool (*visitor)(sheaf_array_info *info, const char *name);

static bool visit_list(sheaf_array_info *info, const char *name)
{
    return key_is_name(name) && info_name(info, name) == SHEAF_OK;
}

/* A draft whose creator was killed: nobody holds the lock, and its name says whose it was. */
static bool collect_draft(sheaf_array_info *info, const char *name)
{
    struct stat st;
    int fd;
    if (strlen(name) >= SHM_DRAFT_BYTES || shm_open_existing(&fd, &st, name, false) != SHEAF_OK)
        return false;
    bool was_removed = shm_lock_is_free(fd) && shm_unlink_same(name, st.st_dev, st.st_ino);
    close(fd);
    if (was_removed) {
        struct footer unknown = {.lifetime = SHEAF_OWNED};
        describe(info, name, &unknown, &st);
        info->is_orphan = true;
        info->creator_pid = (int32_t)strtol(name + strlen(SHM_DRAFT_PREFIX), NULL, 10);
    }
    return was_removed;
}

static bool visit_gc(sheaf_array_info *info, const char *name)
{
    struct stat st;
    int fd;
    if (strncmp(name, SHM_DRAFT_PREFIX, strlen(SHM_DRAFT_PREFIX)) == 0)
        return collect_draft(info, name);
    if (!key_is_name(name) || open_info(info, &fd, &st, name) != SHEAF_OK)
        return false;
    bool was_removed = info->is_orphan && shm_unlink_same(name, st.st_dev, st.st_ino);
    close(fd);
    return was_removed;
}

static sheaf_status visit_all(sheaf_array_info **out, size_t *count, visitor visit)
{
    struct infos infos = {.rows = NULL};
    sheaf_array_info info;
    char text[ERROR_TEXT_BYTES];
    sheaf_status status = SHEAF_OK;
    if (out == NULL || count == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "out or count is NULL");
    snprintf(text, sizeof text, "%s", sheaf_last_error());
    DIR *directory = opendir(SHM_DIRECTORY);
    if (directory == NULL)
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, SHM_DIRECTORY ": %s", strerror(errno));
    for (struct dirent *entry; status == SHEAF_OK && (entry = readdir(directory)) != NULL;)
        if ((entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN) && visit(&info, entry->d_name))
            status = infos_add(&infos, &info);
    closedir(directory);
    if (status != SHEAF_OK) {
        free(infos.rows);
        return status;
    }
    if (infos.count > 1)
        qsort(infos.rows, infos.count, sizeof infos.rows[0], by_key);
    SHEAF_FAIL(SHEAF_OK, "%s", text); /* what was passed over is no failure of this call */
    *out = infos.rows;
    *count = infos.count;
    return SHEAF_OK;
}

sheaf_status sheaf_list(sheaf_array_info **out, size_t *count)
{
    return visit_all(out, count, visit_list);
}

void sheaf_list_free(sheaf_array_info *list)
{
    free(list);
}

sheaf_status sheaf_gc(sheaf_array_info **removed, size_t *count)
{
    return visit_all(removed, count, visit_gc);
}
