/* Knows how manifests lie in folders, and reads them. Must not know what any document means. */
#include "load_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../reconciler/format/json.h"
#include "../reconciler/format/manifest.h"
#include "foreign.h"

enum { FOLDERS_DEEP_MAX = 32, FILES_MAX = 10000 };

enum { FOREIGN_NAMED_MAX = 5 };

struct found_file {
    const char *path;
    bool named; /* with -f, and so meant; the others lay in a folder */
    dev_t device;
    ino_t number;
};

struct files {
    struct arena *arena;
    struct diags *diags;
    bool recursive, several; /* several paths: a file may be reached by two of them */
    const char *but;
    struct found_file *items;
    size_t count, foreign, again; /* again: reached by another path before */
};

void load_complain(struct diags *diags, const char *path, const char *instead, const char *what)
{
    struct origin origin = {.file = path};

    diags_add(diags, SEVERITY_ERROR, &origin, instead, "%s", what);
}

static bool is_manifest(const char *name)
{
    return name[0] != '.' && (str_ends_nocase(name, ".yaml") || str_ends_nocase(name, ".yml"));
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

bool load_same_file(const char *one, const char *other)
{
    struct stat x, y;

    return one && other && stat(one, &x) == 0 && stat(other, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A shell's glob beside its folder names a file twice, and each document in it would be told as declared twice. A file
 * that was reached by its name, too, was meant. */
static bool is_there(struct files *f, const struct found_file *file)
{
    for (size_t i = 0; f->several && i < f->count; i++) {
        struct found_file *other = &f->items[i];
        bool input = str_eq(file->path, "-");

        if (input != str_eq(other->path, "-") ||
            (!input && (!other->number || other->number != file->number || other->device != file->device)))
            continue;
        other->named = other->named || file->named;
        f->again++;
        return true;
    }
    return false;
}

/* An order that is about to be replaced is not one that is in force: read back, it would stand against its own
 * successor. */
static void files_add(struct files *f, const char *path, bool named)
{
    struct found_file file = {.path = path, .named = named};
    struct stat st;

    if (stat(path, &st) == 0) {
        file.device = st.st_dev;
        file.number = st.st_ino;
    }
    if (load_same_file(path, f->but) || is_there(f, &file))
        return;
    if (f->count == FILES_MAX)
        load_complain(f->diags, path, NULL, "more than 10000 manifest files");
    if (f->count <= FILES_MAX)
        arena_push(f->arena, f->items, f->count, file);
}

/* What lies in a folder has not been asked for by name: a pipe there would be waited for without end, and the file that
 * a shell makes for the output of this very command is empty still. */
static void found_add(struct files *f, const char *path)
{
    struct origin at = {.file = path};
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        load_complain(f->diags, path, "move it out of the folder", "this is no ordinary file, and is not read");
    else if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        diags_add(f->diags, SEVERITY_WARNING, &at, NULL, "an empty file is passed over");
    else
        files_add(f, path, false);
}

/* Folders in the order of their names. Links to folders are not followed: a circle of them would never end. */
static void folder_add(struct files *f, const char *folder, int depth)
{
    struct dirent **entries;
    size_t before = f->count + f->again;
    int n = scandir(folder, &entries, visible, alphasort);

    if (n < 0) {
        load_complain(f->diags, folder, NULL, arena_printf(f->arena, "the folder cannot be read: %s", strerror(errno)));
        return;
    }
    for (int i = 0; i < n; i++) {
        const char *path =
            arena_printf(f->arena, "%s%s%s", folder, str_ends_nocase(folder, "/") ? "" : "/", entries[i]->d_name);
        struct stat st = {0};

        /* Gone since the folder was read: reading it says so. */
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && f->recursive) {
            if (depth < FOLDERS_DEEP_MAX)
                folder_add(f, path, depth + 1);
            else
                load_complain(f->diags, path, NULL, "folders nested more than 32 deep");
        } else if (is_manifest(entries[i]->d_name) && !S_ISDIR(st.st_mode)) {
            found_add(f, path);
        }
        free(entries[i]);
    }
    free(entries);
    if (f->count + f->again == before && depth == 0 && !f->but)
        load_complain(f->diags, folder, f->recursive ? NULL : "name its files, or give -R for its subfolders",
                      "no *.yaml or *.yml in this folder");
}

static void path_add(struct files *f, const char *path)
{
    struct stat st;

    if (str_eq(path, "-"))
        files_add(f, path, true);
    else if (stat(path, &st) < 0)
        load_complain(f->diags, path, NULL, arena_printf(f->arena, "cannot be read: %s", strerror(errno)));
    else if (S_ISDIR(st.st_mode))
        folder_add(f, path, 0);
    else
        files_add(f, path, true);
}

struct copy {
    const char *name, *text; /* the text only of what shares its name: the others are no copies */
    size_t at;
};

static int copy_before(const void *x, const void *y)
{
    const struct copy *one = x, *other = y;
    int by_name = strcmp(one->name, other->name), by_text = by_name ? 0 : strcmp(one->text, other->text);

    return by_name ? by_name : by_text ? by_text : one->at < other->at ? -1 : one->at > other->at;
}

static void texts_add(struct arena *a, const struct value *docs, struct copy *copies, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((i && str_eq(copies[i - 1].name, copies[i].name)) ||
            (i + 1 < n && str_eq(copies[i + 1].name, copies[i].name)))
            copies[i].text = json_string(a, value_item(docs, copies[i].at), JSON_CANONICAL);
}

/* A document that stands word for word in another file too, as what is found behind two backup vaults, counts once.
 * Twice in one file it is a slip of the hand, and said. */
static struct value *without_copies(struct arena *a, const struct value *docs)
{
    size_t n = value_count(docs);
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct copy *copies = arena_array(scratch, struct copy, n + 1);
    bool *drop = arena_array(scratch, bool, n + 1);
    struct value *ret = value_list(a);

    for (size_t i = 0; i < n; i++) {
        const char *name = value_str_at(value_item(docs, i), "metadata.name");

        copies[i] = (struct copy){.name = name ? name : "", .text = "", .at = i};
    }
    if (n)
        qsort(copies, n, sizeof(*copies), copy_before);
    texts_add(scratch, docs, copies, n);
    if (n)
        qsort(copies, n, sizeof(*copies), copy_before);
    for (size_t i = 1, first = 0; i < n; i++) {
        const char *here = value_origin(value_item(docs, copies[i].at))->file,
                   *there = value_origin(value_item(docs, copies[first].at))->file;

        if (!str_eq(copies[i].name, copies[first].name) || !str_eq(copies[i].text, copies[first].text))
            first = i;
        else
            drop[copies[i].at] = here && there && !str_eq(here, there);
    }
    for (size_t i = 0; i < n; i++)
        if (!drop[i])
            value_push(a, ret, value_item(docs, i));
    return ret;
}

static void diags_take(struct diags *ret, const struct diags *from)
{
    for (size_t i = 0; i < from->count; i++)
        diags_add(ret, from->items[i].severity, &from->items[i].origin, from->items[i].instead, "%s",
                  from->items[i].what);
    ret->dropped += from->dropped;
}

/* Files of other tools that lie in a folder are passed over with a note. One that was asked for by name is a fault. */
static void read_found(struct files *f, const char *path, struct value *docs)
{
    struct value *own = value_list(f->arena);
    struct diags diags;
    const char *whose;

    diags_init(&diags, f->arena);
    manifest_read_file(f->arena, path, &manifest_default_limits, own, &diags);
    whose = foreign_file(f->arena, path, own, diags.n_errors > 0);
    if (!whose) {
        diags_take(f->diags, &diags);
        for (size_t i = 0; i < value_count(own); i++)
            value_push(f->arena, docs, value_item(own, i));
    } else if (f->foreign++ < FOREIGN_NAMED_MAX) {
        diags_add(f->diags, SEVERITY_WARNING, &(struct origin){.file = path, .line = 1, .column = 1},
                  "a manifest begins with apiVersion: reinstate/v1", "another tool's file is passed over: %s", whose);
    }
}

struct value *load_paths(struct arena *a, const char *const *paths, size_t n, bool recursive, const char *but,
                         struct diags *diags)
{
    struct files f = {.arena = a, .diags = diags, .recursive = recursive, .several = n > 1, .but = but};
    struct value *docs = value_list(a);

    for (size_t i = 0; i < n; i++)
        path_add(&f, paths[i]);
    for (size_t i = 0; i < f.count && i < FILES_MAX; i++)
        if (f.items[i].named)
            manifest_read_file(a, f.items[i].path, &manifest_default_limits, docs, diags);
        else
            read_found(&f, f.items[i].path, docs);
    if (f.foreign > FOREIGN_NAMED_MAX)
        diags_add(diags, SEVERITY_WARNING, &(struct origin){0}, NULL, "%zu more of other tools' files %s passed over",
                  f.foreign - FOREIGN_NAMED_MAX, f.foreign - FOREIGN_NAMED_MAX == 1 ? "is" : "are");
    return without_copies(a, docs);
}
