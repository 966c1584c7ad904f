/* Knows how YAML is read: libyaml's events become values that know where they were written. Must not know what a
 * document means. Works with a stack of open collections of its own, so that neither deep nesting nor aliases can
 * exhaust anything: depth, nodes (aliases expanded), anchors, documents and bytes are all counted. */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "../base/text.h"
#include "manifest_internal.h"

const struct manifest_limits manifest_default_limits = {
    .bytes = 8 * 1024 * 1024, .depth = 64, .nodes = 200 * 1000, .documents = 10 * 1000};

enum { ANCHORS_MAX = 1000, READ_BYTES = 8192 };

struct anchor {
    const char *name;
    struct value *value;
    size_t nodes, height;   /* 0 nodes: still open */
};

/* An open list or map. */
struct frame {
    struct value *v;
    const char *key;        /* of the member to come; NULL when the key was refused */
    struct origin key_origin;
    bool have_key;
    size_t anchor;          /* index + 1; 0: none */
    size_t nodes_before;
    size_t height;          /* of what it holds so far */
};

struct reader {
    struct arena *a;
    const char *file;
    const struct manifest_limits *limits;
    struct value *docs;
    struct diags *diags;
    struct frame *frames;
    size_t depth;
    struct anchor *anchors;
    size_t anchor_count, nodes, documents;
    struct value *root;
    bool stopped;
};

static struct origin origin_at(const struct reader *r, const yaml_mark_t *mark)
{
    return (struct origin){.file = r->file, .line = (int)mark->line + 1, .column = (int)mark->column + 1};
}

static void reader_stop(struct reader *r, const struct origin *at, const char *instead, const char *what)
{
    diags_add(r->diags, SEVERITY_ERROR, at, instead, "%s", what);
    r->stopped = true;
}

/* --- scalars ------------------------------------------------------------------------------------------------------ */

/* A tag may only say what the value is anyway. */
static void check_tag(struct reader *r, const char *tag, const char *want, const struct origin *at)
{
    if (!tag || strcmp(tag, "!") == 0 || strcmp(tag, want) == 0)
        return;
    diags_add(r->diags, SEVERITY_ERROR, at, "leave the tag out; quotes make any value a string",
              "the tag %s is not understood", manifest_shown(r->a, tag));
}

static struct value *scalar_value(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    const char *s = (const char *)e->data.scalar.value, *tag = (const char *)e->data.scalar.tag;
    size_t len = e->data.scalar.length;

    check_tag(r, tag, YAML_STR_TAG, at);
    if (tag || e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return value_string_n(r->a, s, len);
    return manifest_plain_value(r->a, r->diags, s, len, at);
}

/* --- building ----------------------------------------------------------------------------------------------------- */

static struct frame *top(struct reader *r)
{
    return r->depth ? &r->frames[r->depth - 1] : NULL;
}

static void frame_key(struct reader *r, struct frame *f, const struct value *v, const struct origin *at, bool plain)
{
    f->have_key = true;
    f->key = NULL;
    f->key_origin = *at;
    if (!value_is(v, VALUE_STRING))
        diags_add(r->diags, SEVERITY_ERROR, at,
                  "a key is a string; write it in quotes if it only looks like something else", "a key is %s",
                  v->type == VALUE_NULL ? "missing" : value_type_name(v->type));
    else if (strlen(v->str.s) != v->str.len)
        diags_add(r->diags, SEVERITY_ERROR, at, NULL, "a key holds a NUL character");
    else if (plain && strcmp(v->str.s, "<<") == 0)
        diags_add(r->diags, SEVERITY_ERROR, at, "write the members out, or use an alias for a whole value",
                  "merge keys (<<) are not part of YAML 1.2");
    else
        f->key = v->str.s;
}

/* Puts a finished node where it belongs: document, list, key or member. */
static void attach(struct reader *r, struct value *v, const struct origin *at, size_t height, bool plain)
{
    struct frame *f = top(r);

    if (!f) {
        r->root = v;
        return;
    }
    if (height + 1 > f->height)
        f->height = height + 1;
    if (f->v->type == VALUE_LIST) {
        value_push(r->a, f->v, v);
    } else if (!f->have_key) {
        frame_key(r, f, v, at, plain);
    } else {
        if (f->key) {
            struct member m = {.key = f->key, .key_origin = f->key_origin, .value = v};

            arena_push(r->a, f->v->map.members, f->v->map.count, m);
        }
        f->have_key = false;
    }
}

static bool count_nodes(struct reader *r, size_t n, const struct origin *at)
{
    r->nodes = n > SIZE_MAX - r->nodes ? SIZE_MAX : r->nodes + n;
    if (r->nodes <= r->limits->nodes)
        return true;
    reader_stop(r, at, "split the file, and do not let aliases multiply",
                arena_printf(r->a, "more than %zu values in one file, aliases expanded", r->limits->nodes));
    return false;
}

/* Returns index + 1. */
static size_t anchor_add(struct reader *r, const yaml_char_t *name, struct value *v, size_t nodes,
                         const struct origin *at)
{
    struct anchor anchor = {.value = v, .nodes = nodes};

    if (!name)
        return 0;
    if (r->anchor_count == ANCHORS_MAX) {
        reader_stop(r, at, "split the document",
                    arena_printf(r->a, "more than %d anchors in one document", ANCHORS_MAX));
        return 0;
    }
    anchor.name = arena_strdup(r->a, (const char *)name);
    arena_push(r->a, r->anchors, r->anchor_count, anchor);
    return r->anchor_count;
}

static void on_scalar(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    struct value *v;

    if (!count_nodes(r, 1, at))
        return;
    v = scalar_value(r, e, at);
    v->origin = *at;
    anchor_add(r, e->data.scalar.anchor, v, 1, at);
    attach(r, v, at, 0, e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

static void on_alias(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    const char *name = (const char *)e->data.alias.anchor;
    const struct anchor *found = NULL;

    /* The latest of a name counts. */
    for (size_t i = r->anchor_count; i > 0 && !found; i--)
        if (strcmp(r->anchors[i - 1].name, name) == 0)
            found = &r->anchors[i - 1];
    if (!found || found->nodes == 0) {
        reader_stop(
            r, at, "an alias repeats a value that was marked with & earlier in the same document",
            arena_printf(r->a,
                         found ? "the alias *%s stands inside the value it repeats" : "the alias *%s repeats nothing",
                         manifest_shown(r->a, name)));
        return;
    }
    if (!count_nodes(r, found->nodes, at))
        return;
    if (r->depth + found->height > r->limits->depth) {
        reader_stop(r, at, NULL,
                    arena_printf(r->a, "nested deeper than %zu levels, aliases expanded", r->limits->depth));
        return;
    }
    attach(r, found->value, at, found->height, false);
}

static void on_open(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    bool list = e->type == YAML_SEQUENCE_START_EVENT;
    const yaml_char_t *tag = list ? e->data.sequence_start.tag : e->data.mapping_start.tag;
    const yaml_char_t *name = list ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
    struct frame f = {.nodes_before = r->nodes};

    if (r->depth == r->limits->depth) {
        reader_stop(r, at, NULL, arena_printf(r->a, "nested deeper than %zu levels", r->limits->depth));
        return;
    }
    if (!count_nodes(r, 1, at))
        return;
    check_tag(r, (const char *)tag, list ? YAML_SEQ_TAG : YAML_MAP_TAG, at);
    f.v = list ? value_list(r->a) : value_map(r->a);
    f.v->origin = *at;
    f.anchor = anchor_add(r, name, f.v, 0, at);
    r->frames[r->depth++] = f;
}

static void duplicate_add(struct reader *r, const struct member *first, const struct member *again)
{
    diags_add(r->diags, SEVERITY_ERROR, &again->key_origin, "a key may stand only once in a map; remove one of the two",
              "the key \"%s\" was already set at line %d, column %d", manifest_shown(r->a, again->key),
              first->key_origin.line, first->key_origin.column);
}

static int by_key_then_place(const void *a, const void *b)
{
    const struct member *x = *(const struct member *const *)a, *y = *(const struct member *const *)b;
    int order = strcmp(x->key, y->key);

    return order ? order : x < y ? -1 : x > y;
}

/* Sorting, not hashing: keys chosen to collide cannot slow it down. */
static void find_duplicates(struct reader *r, const struct value *map)
{
    const struct member **order = xcalloc(map->map.count, sizeof(const struct member *));
    size_t first = 0;

    for (size_t i = 0; i < map->map.count; i++)
        order[i] = &map->map.members[i];
    if (map->map.count)
        qsort(order, map->map.count, sizeof(const struct member *), by_key_then_place);
    for (size_t i = 1; i < map->map.count; i++) {
        if (strcmp(order[first]->key, order[i]->key) == 0)
            duplicate_add(r, order[first], order[i]);
        else
            first = i;
    }
    free(order);
}

static void on_close(struct reader *r)
{
    struct frame f = r->frames[--r->depth];

    if (f.v->type == VALUE_MAP)
        find_duplicates(r, f.v);
    if (f.anchor) {
        r->anchors[f.anchor - 1].nodes = r->nodes - f.nodes_before;
        r->anchors[f.anchor - 1].height = f.height + 1;
    }
    attach(r, f.v, &f.v->origin, f.height + 1, false);
}

static void on_document_end(struct reader *r, const struct origin *at)
{
    if (r->root && r->root->type != VALUE_NULL) {
        if (r->documents++ == r->limits->documents) {
            reader_stop(r, at, "split the file",
                        arena_printf(r->a, "more than %zu documents in one file", r->limits->documents));
            return;
        }
        value_push(r->a, r->docs, r->root);
    }
    r->root = NULL;
    r->anchors = NULL;
    r->anchor_count = 0;
}

static void on_event(struct reader *r, const yaml_event_t *e)
{
    struct origin at = origin_at(r, &e->start_mark);

    switch (e->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(r, e, &at);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(r, e, &at);
        break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        on_open(r, e, &at);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(r);
        break;
    case YAML_DOCUMENT_END_EVENT:
        on_document_end(r, &at);
        break;
    default:
        break;
    }
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

static const struct plain_fault {
    const char *problem;      /* how libyaml's words begin */
    const char *what, *instead;
} plain_faults[] = {
    {"found character that cannot start any token", "a value cannot begin with this character",
     "indent with spaces, never with tabs; put text that begins with @, ` or % in quotes"},
    {"found a tab character", "a tab is used for indentation", "indent with spaces"},
    {"mapping values are not allowed", "a colon stands where no key can be",
     "check the indentation of this line and the one before; put text that holds \": \" in quotes"},
    {"did not find expected key", "this line fits neither the map nor the list around it", "check the indentation"},
    {"did not find expected '-' indicator", "this line does not belong to the list around it", "check the indentation"},
    {"could not find expected ':'", "a key without a colon", "write key: value, with a space behind the colon"},
    {"found unexpected end of stream", "the file ends inside a quoted string", "close the quotes"},
    {"found unexpected document indicator", "a document ends inside a quoted string", "close the quotes"},
    {"did not find expected ',' or ']'", "a list in brackets is not closed",
     "put a comma between its items and ] at its end"},
    {"did not find expected ',' or '}'", "a map in braces is not closed",
     "put a comma between its members and } at its end"},
    {"found unknown escape character", "an escape that YAML does not have",
     "use single quotes when backslashes are meant as they are"},
    {"found undefined tag handle", "a tag that is not understood", "leave the tag out"},
    {"did not find expected <document start>", "something follows a document that is complete",
     "separate documents with ---"},
    {"did not find expected node content", "a value is missing here", NULL},
    {"block sequence entries are not allowed", "a list item stands where none can be",
     "begin the list on a line of its own"},
    {"found incompatible YAML document", "a %YAML directive for another version", "leave the directive out"},
    {"control characters are not allowed", "a control character",
     "remove it; in double quotes it can be written as an escape"},
};

static void add_parser_fault(struct reader *r, const yaml_parser_t *p)
{
    struct origin at = {.file = r->file};
    const char *problem = p->problem ? p->problem : "it cannot be read", *began = "";

    if (p->error == YAML_SCANNER_ERROR || p->error == YAML_PARSER_ERROR)
        at = origin_at(r, &p->problem_mark);
    else
        at = origin_at(r, &p->mark);
    if (p->context && p->context_mark.line != p->problem_mark.line)
        began = arena_printf(r->a, " (what it belongs to begins at line %zu)", p->context_mark.line + 1);
    for (size_t i = 0; i < COUNT(plain_faults); i++)
        if (str_starts(problem, plain_faults[i].problem)) {
            diags_add(r->diags, SEVERITY_ERROR, &at, plain_faults[i].instead, "%s%s", plain_faults[i].what, began);
            return;
        }
    diags_add(r->diags, SEVERITY_ERROR, &at, NULL, "not YAML: %s%s", problem, began);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void read_events(struct reader *r, const char *text, size_t len)
{
    yaml_parser_t parser;
    bool ended = false;

    if (!yaml_parser_initialize(&parser))
        out_of_memory(NULL);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (!ended && !r->stopped) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            add_parser_fault(r, &parser);
            break;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        on_event(r, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

static void add_too_large(struct diags *diags, const char *file, size_t limit)
{
    struct origin at = {.file = file};

    diags_add(diags, SEVERITY_ERROR, &at, "split it", "larger than %zu bytes", limit);
}

void manifest_read(struct arena *a, const char *file, const char *text, size_t len,
                   const struct manifest_limits *limits, struct value *docs, struct diags *diags)
{
    struct reader r = {.a = a, .file = file, .limits = limits, .docs = docs, .diags = diags};
    size_t errors = diags->n_errors;

    if (len > limits->bytes) {
        add_too_large(diags, file, limits->bytes);
        return;
    }
    if (!manifest_is_text(diags, file, text, len) || !manifest_is_merged(diags, file, text, len))
        return;
    /* libyaml takes a byte order mark as a sign of an encoding only when it may choose one. */
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        len -= 3;
    }
    r.frames = arena_array(a, struct frame, limits->depth + 1);
    read_events(&r, text, len);
    if (diags->n_errors > errors)
        manifest_tell_template(diags, file, text, len);
    if (r.documents == 0 && diags->n_errors == errors)
        diags_add(diags, SEVERITY_ERROR, &(struct origin){.file = file},
                  "a manifest begins with apiVersion: reinstate/v1", "no document in this file");
}

static void close_fd(int *fd)
{
    if (*fd > 0)
        close(*fd);
}

static bool read_all(int fd, size_t limit, struct text *ret)
{
    char block[READ_BYTES];
    ssize_t n;

    while ((n = read(fd, block, sizeof(block))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text_add_n(ret, block, (size_t)n);
        if (ret->len > limit || ret->overflowed)
            break;
    }
    return true;
}

void manifest_read_file(struct arena *a, const char *path, const struct manifest_limits *limits, struct value *docs,
                        struct diags *diags)
{
    bool from_stdin = strcmp(path, "-") == 0;
    const char *file = from_stdin ? MANIFEST_STDIN : arena_strdup(a, path);
    int fd cleanup(close_fd) = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct text content cleanup(text_release);
    struct origin at = {.file = file};
    struct stat st;

    text_init(&content, limits->bytes + READ_BYTES);
    if (fd < 0 || fstat(fd, &st) < 0) {
        diags_add(diags, SEVERITY_ERROR, &at, NULL, "%s", strerror(errno));
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        diags_add(diags, SEVERITY_ERROR, &at, "name the files in it", "this is a directory");
        return;
    }
    if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > limits->bytes) {
        add_too_large(diags, file, limits->bytes);
        return;
    }
    if (!read_all(fd, limits->bytes, &content)) {
        diags_add(diags, SEVERITY_ERROR, &at, NULL, "%s", strerror(errno));
        return;
    }
    manifest_read(a, file, text_str(&content), content.len, limits, docs, diags);
}
