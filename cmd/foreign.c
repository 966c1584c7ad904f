/* Knows by which marks another tool's file is told from a manifest. Must not know what any document means. */
#include "foreign.h"

#include <string.h>
#include <unistd.h>

#include "../providers/kinds/registry.h"
#include "../reconciler/base/file.h"
#include "../reconciler/base/text.h"
#include "../reconciler/model/desired.h"

enum { HEAD_BYTES = 256 * 1024, BLOCK_BYTES = 8192 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* The beginning of the file; NULL: it cannot be read, or holds what no text holds. */
static const char *head_of(struct arena *a, const char *path)
{
    struct text t cleanup(text_release) = {0};
    int fd cleanup(close_fd) = -1;
    char block[BLOCK_BYTES];
    struct err err;
    ssize_t n;

    text_init(&t, HEAD_BYTES);
    if (file_open_read(path, &fd, &err) < 0)
        return NULL;
    while (t.len < HEAD_BYTES - BLOCK_BYTES && (n = read(fd, block, sizeof(block))) > 0)
        text_add_n(&t, block, (size_t)n);
    return strlen(text_str(&t)) == t.len ? arena_strdup(a, text_str(&t)) : NULL;
}

/* What stands behind "KEY:" at the beginning of a line; NULL: there is no such line. */
static const char *behind(struct arena *a, const char *text, const char *key)
{
    size_t n = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (str_starts(line, key) && line[n] == ':') {
            const char *value = line + n + 1 + strspn(line + n + 1, " \"'");

            return arena_strndup(a, value, strcspn(value, " \"'\r\n#"));
        }
    return NULL;
}

static const char *foreign_text(struct arena *a, const char *text)
{
    struct value *doc = value_map(a);
    const char *version, *kind;

    if (!text || strstr(text, "reinstate/"))
        return NULL;
    version = behind(a, text, "apiVersion");
    kind = behind(a, text, "kind");
    if (version && kind) {
        value_set_string(a, doc, "apiVersion", version);
        value_set_string(a, doc, "kind", kind);
        return desired_foreign(a, all_kind_names, doc);
    }
    if (strstr(text, "apiVersion") || kind || strstr(text, "\"kind\"") || behind(a, text, "metadata") ||
        behind(a, text, "spec"))
        return NULL;
    return "neither apiVersion nor kind";
}

const char *foreign_file(struct arena *a, const char *path, const struct value *docs, bool broken)
{
    const char *words = broken ? foreign_text(a, head_of(a, path)) : NULL;

    for (size_t i = 0; !broken && i < value_count(docs); i++) {
        const char *whose = desired_foreign(a, all_kind_names, value_item(docs, i));

        if (!whose)
            return NULL;
        words = words ? words : whose;
    }
    return words ? str_shown(a, words) : NULL;
}

enum our_marks our_marks(const char *path)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *text = head_of(a, path);
    enum our_marks marks = MARKS_NONE;

    if (!text || !str_starts(behind(a, text, "apiVersion"), "reinstate/"))
        return MARKS_NONE;
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *kind = str_starts(line, "kind:") ? behind(a, line, "kind") : NULL;

        if (str_eq(kind, "Policy"))
            return MARKS_POLICY;
        if (kind && !str_eq(kind, "World") && !str_eq(kind, "History"))
            marks = MARKS_OURS;
    }
    return marks;
}
