/* fmt: manifests in one form, so that a change of a word is a change of a line. Must not change what a document says,
 * nor lose what libyaml does not hand over: comments, and aliases. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "comments.h"
#include "form.h"
#include "load_files.h"
#include "output.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/json.h"
#include "../reconciler/format/manifest.h"

enum { FILE_BYTES = 8 * 1024 * 1024, BLOCK_BYTES = 8192 };

struct formatting {
    struct arena *arena;
    const struct options *options;
    const struct schemas *schemas;
    struct diags diags;
    struct value *changed, *left; /* paths; of the left ones with the reason */
    struct err err;
};

/* --- one file ----------------------------------------------------------------------------------------------------- */

/* Blank lines and comments before the first document, which can be kept as they are. */
static size_t head_length(const char *text)
{
    size_t n = 0;

    for (const char *at = text; *at == '#' || *at == '\n'; at = text + n) {
        n += strcspn(at, "\n");
        n += text[n] == '\n';
    }
    return n;
}

/* Why the rest cannot be written anew without losing something; NULL: it can. A mark inside a text counts, too: better
 * a file is left than an alias lost. */
static const char *would_be_lost(struct arena *a, const char *text, size_t from)
{
    int line = 1;

    for (const char *at = text; *at; at++) {
        bool starts = at == text || isspace((unsigned char)at[-1]) || strchr("[{,", at[-1]);

        if (at >= text + from && (*at == '&' || *at == '*') && starts && isalnum((unsigned char)at[1]))
            return arena_printf(a, "line %d has an anchor or an alias, which would be written out", line);
        line += *at == '\n';
    }
    return NULL;
}

/* What is not ours to write anew, or cannot be written as it stands; NULL: nothing. */
static const char *not_ours(struct arena *a, const struct value *docs, const struct text *text)
{
    int line = manifest_number_unkept(text_str(text), text->len);

    for (size_t i = 0; i < value_count(docs); i++)
        if (!str_starts(value_str_at(value_item(docs, i), "apiVersion"), "reinstate/"))
            return "it holds another tool's document, which is not ours to write";
    return line ? arena_printf(a,
                               "line %d has a number that would be written in another way (0012 as 12, 1.10 as 1.1); "
                               "quote it if it is a text",
                               line)
                : NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int file_read(const char *path, struct text *ret, struct err *err)
{
    int fd cleanup(close_fd) = -1;
    char block[BLOCK_BYTES];
    ssize_t n;

    TRY(file_open_read(path, &fd, err));
    while ((n = read(fd, block, sizeof(block))) > 0)
        text_add_n(ret, block, (size_t)n);
    return n < 0 || ret->overflowed ? err_set(err, ERR_INVALID, "%s cannot be read", path) : 0;
}

static void leave(struct formatting *f, const char *path, const char *why)
{
    struct value *v = value_map(f->arena);

    value_set_string(f->arena, v, "file", path);
    value_set_string(f->arena, v, "why", why);
    value_push(f->arena, f->left, v);
}

static struct value *read_back(const struct formatting *f, const struct text *written)
{
    struct value *again = value_list(f->arena);
    struct diags diags;

    diags_init(&diags, f->arena);
    manifest_read(f->arena, "(formatted)", text_str(written), written->len, &manifest_default_limits, again, &diags);
    return diags.n_errors ? NULL : again;
}

/* What was written says what was read, or nothing is written. */
static bool says_the_same(const struct formatting *f, const struct value *again, const struct value *docs)
{
    return again && str_eq(json_string(f->arena, again, JSON_CANONICAL), json_string(f->arena, docs, JSON_CANONICAL));
}

/* The documents in their form, and the comments beside them. NULL: it is written; otherwise why not. */
static const char *write_anew(const struct formatting *f, const struct text *text, const struct value *docs,
                              struct text *written)
{
    static const char differs[] = "what was written would not read back as the same";
    size_t head = head_length(text_str(text));
    const struct value *again;
    const char *lost;

    text_add_n(written, text_str(text), head);
    form_write(written, f->schemas, docs);
    again = read_back(f, written);
    if (!says_the_same(f, again, docs))
        return differs;
    lost = comments_keep(f->arena, text_str(text), head, docs, again, written);
    return lost ? lost : says_the_same(f, read_back(f, written), docs) ? NULL : differs;
}

static int put(struct formatting *f, const char *path, const struct text *written)
{
    struct stat st;

    value_push(f->arena, f->changed, value_string(f->arena, path));
    if (f->options->check)
        return 0;
    if (stat(path, &st) < 0)
        return err_set(&f->err, ERR_INVALID, "%s: %s", path, strerror(errno));
    TRY(file_replace(path, text_str(written), written->len, &f->err));
    /* Who could read it still can. */
    return chmod(path, st.st_mode & 0777) == 0 ? 0 : err_set(&f->err, ERR_INVALID, "%s: %s", path, strerror(errno));
}

static int file_format(struct formatting *f, const char *path)
{
    struct text text cleanup(text_release) = {.ceiling = FILE_BYTES},
                     written cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct value *docs = value_list(f->arena);
    size_t errors = f->diags.n_errors;
    const char *lost, *why;

    TRY(file_read(path, &text, &f->err));
    manifest_read(f->arena, path, text_str(&text), text.len, &manifest_default_limits, docs, &f->diags);
    if (f->diags.n_errors > errors)
        return 0;
    lost = not_ours(f->arena, docs, &text);
    lost = lost ? lost : would_be_lost(f->arena, text_str(&text), head_length(text_str(&text)));
    why = write_anew(f, &text, docs, &written);
    if (str_eq(text_str(&written), text_str(&text)))
        return 0;
    if (lost || why) {
        leave(f, path, lost ? lost : why);
        return 0;
    }
    return put(f, path, &written);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int fmt(struct formatting *f, struct schemas **ret_schemas)
{
    const struct options *o = f->options;
    const char *last = NULL;
    struct value *docs;

    TRY(load_schemas(ret_schemas, &f->err));
    f->schemas = *ret_schemas;
    docs = load_paths(f->arena, o->paths.items, o->paths.count, o->recursive, NULL, &f->diags);
    /* Files of which one cannot be read are no manifests yet: none is touched. */
    for (size_t i = 0; !f->diags.n_errors && i < value_count(docs); i++) {
        const char *path = value_origin(value_item(docs, i))->file;

        if (str_eq(path, MANIFEST_STDIN))
            return err_set(&f->err, ERR_INVALID, "fmt writes files in their place: give it files or folders");
        if (!str_eq(path, last) && file_format(f, path) < 0)
            return -(int)f->err.class;
        last = path;
    }
    return f->diags.n_errors ? err_set(&f->err, ERR_INVALID, "the manifests have faults") : 0;
}

int command_fmt(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct schemas *schemas cleanup(schemas_freep) = NULL;
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct formatting f = {.arena = a, .options = o, .changed = value_list(a), .left = value_list(a)};
    struct value *answer = output_envelope(a, o);
    bool differs;

    diags_init(&f.diags, a);
    if (fmt(&f, &schemas) < 0)
        return output_failure(o, &f.diags, &f.err);
    output_diags(o, &f.diags);
    for (size_t i = 0; i < value_count(f.left); i++)
        talk("%s is left as it is: %s", value_str_at(value_item(f.left, i), "file"),
             value_str_at(value_item(f.left, i), "why"));
    for (size_t i = 0; i < value_count(f.changed); i++)
        text_say(&t, "%s\n", value_str(value_item(f.changed, i)));
    differs = o->check && (value_count(f.changed) || value_count(f.left));
    value_set(a, answer, "changed", f.changed);
    value_set(a, answer, "left", f.left);
    value_set_int(a, answer, "exitCode", differs ? EXIT_DIFFERENCES : EXIT_DECLARED);
    output_either(o, answer, &t);
    return differs ? EXIT_DIFFERENCES : EXIT_DECLARED;
}
