/* Knows which manifests beside those that were read lie in subfolders. Must not know what any document means. */
#include "unread.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "foreign.h"

enum { DEEP_MAX = 8, FILES_MAX = 500, TOLD_MAX = 5 };

struct known {
    dev_t device;
    ino_t number;
};

struct unread {
    struct arena *arena;
    struct known *known; /* files that were read, folders that were given */
    size_t n_known, n_files, n_told;
};

static void known_add(struct unread *u, const char *path)
{
    struct stat st;

    if (path && stat(path, &st) == 0)
        arena_push(u->arena, u->known, u->n_known, ((struct known){st.st_dev, st.st_ino}));
}

static bool is_known(const struct unread *u, const struct stat *st)
{
    for (size_t i = 0; i < u->n_known; i++)
        if (u->known[i].number == st->st_ino && u->known[i].device == st->st_dev)
            return true;
    return false;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_manifest(const char *name)
{
    return str_ends_nocase(name, ".yaml") || str_ends_nocase(name, ".yml");
}

/* The strongest mark in this folder and those below it. Links are not followed; a folder of thousands of files is not
 * searched to its end. */
static enum our_marks marks_in(struct unread *u, const char *folder, int depth)
{
    enum our_marks marks = MARKS_NONE;
    struct dirent **entries;
    int n = scandir(folder, &entries, visible, alphasort);

    for (int i = 0; i < n; i++) {
        const char *path = arena_printf(u->arena, "%s/%s", folder, entries[i]->d_name);
        enum our_marks here = MARKS_NONE;
        struct stat st;

        if (lstat(path, &st) == 0 && !is_known(u, &st)) {
            if (S_ISDIR(st.st_mode) && depth < DEEP_MAX)
                here = marks_in(u, path, depth + 1);
            else if (S_ISREG(st.st_mode) && is_manifest(entries[i]->d_name) && u->n_files++ < FILES_MAX)
                here = our_marks(path);
        }
        marks = here > marks ? here : marks;
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return marks;
}

static void folder_tell(struct unread *u, const char *folder, struct diags *diags)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, visible, alphasort);

    for (int i = 0; i < n; i++) {
        const char *path =
            arena_printf(u->arena, "%s%s%s", folder, str_ends_nocase(folder, "/") ? "" : "/", entries[i]->d_name);
        enum our_marks marks;
        struct stat st;

        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && !is_known(u, &st) && u->n_told < TOLD_MAX &&
            (marks = marks_in(u, path, 0)) != MARKS_NONE) {
            diags_add(diags, SEVERITY_WARNING, &(struct origin){.file = arena_strdup(diags->arena, path)},
                      "give -R for subfolders, or this one with -f too", "this subfolder is not read, and holds %s",
                      marks == MARKS_POLICY ? "a Policy of reinstate, which is not in force"
                                            : "manifests of reinstate");
            u->n_told++;
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

bool unread_warn(const struct options *o, const struct texts *paths, const struct value *docs, struct diags *diags)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct unread u = {.arena = a};
    const char *last = NULL;
    struct stat st;

    if (o->recursive)
        return false;
    for (size_t i = 0; i < value_count(docs); i++) {
        const char *file = value_origin(value_item(docs, i))->file;

        if (!str_eq(file, last))
            known_add(&u, file);
        last = file;
    }
    for (size_t i = 0; i < o->paths.count; i++)
        known_add(&u, o->paths.items[i]);
    known_add(&u, o->policy);
    for (size_t i = 0; i < paths->count; i++)
        if (stat(paths->items[i], &st) == 0 && S_ISDIR(st.st_mode))
            folder_tell(&u, paths->items[i], diags);
    return u.n_told > 0;
}
