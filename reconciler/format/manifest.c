/* Knows how YAML is read: libyaml's events become values that know where they were written. Must not know what a
 * document means. Works with a stack of open collections of its own, so that neither deep nesting nor aliases can
 * exhaust anything: depth, nodes (aliases expanded), anchors, documents and bytes are all counted. */
#include "manifest.h"
#include "manifest_numbers.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "../base/index.h"
#include "../base/text.h"
#include "manifest_internal.h"

const struct manifest_limits manifest_default_limits = {
    .bytes = 8 * 1024 * 1024, .depth = 64, .nodes = 200 * 1000, .documents = 10 * 1000};

enum { ANCHORS_MAX = 1000, KEYS_KEPT = 1000 };

struct anchor {
    const char *name;
    struct value *value;
    size_t nodes, height;   /* 0 nodes: still open */
};

/* An open list or map. What it holds so far are the pending members from `first` on. */
struct frame {
    bool list;
    const struct written *written;
    const char *key;        /* of the member to come; NULL when the key was refused */
    struct origin key_origin;
    bool have_key;
    size_t anchor;          /* index + 1; 0: none */
    size_t nodes_before;
    size_t height;          /* of what it holds so far */
    size_t first;
};

struct reader {
    struct arena *a;
    const char *file;
    const struct manifest_limits *limits;
    struct value *docs;
    struct diags *diags;
    struct arena *scratch;
    struct index *keys;         /* the first plain keys: each is kept once */
    size_t n_keys;
    struct member *pending;     /* of lists without keys */
    size_t n_pending, room;
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

static bool key_is_due(struct reader *r)
{
    const struct frame *f = top(r);

    return f && !f->list && !f->have_key;
}

/* Where a value stands that comes now, and its key, if it is to have one. */
static const struct written *written_here(struct reader *r, const struct origin *at)
{
    struct written *w = arena_new_of(r->a, struct written);
    const struct frame *f = top(r);

    w->origin = *at;
    if (f && f->have_key) {
        w->key_line = f->key_origin.line;
        w->key_column = f->key_origin.column;
    }
    return w;
}

static void pending_add(struct reader *r, const char *key, struct value *v)
{
    if (r->n_pending == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->pending = xrealloc(r->pending, r->room * sizeof(*r->pending));
    }
    r->pending[r->n_pending++] = (struct member){.key = key, .value = v};
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
    if (f->list) {
        pending_add(r, NULL, v);
    } else if (!f->have_key) {
        frame_key(r, f, v, at, plain);
    } else {
        if (f->key)
            pending_add(r, f->key, v);
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

/* A plain key that was met before is the same text again. */
static bool key_known(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    struct frame *f = top(r);
    const char *known = NULL, *s = (const char *)e->data.scalar.value;

    if (key_is_due(r) && !e->data.scalar.tag && !e->data.scalar.anchor && strlen(s) == e->data.scalar.length)
        known = index_get(r->keys, s);
    if (!known)
        return false;
    f->have_key = true;
    f->key = known;
    f->key_origin = *at;
    if (f->height == 0)
        f->height = 1;
    return true;
}

static void on_scalar(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct value *v;

    if (!count_nodes(r, 1, at))
        return;
    if (plain && key_known(r, e, at))
        return;
    v = scalar_value(r, e, at);
    v->written = written_here(r, at);
    anchor_add(r, e->data.scalar.anchor, v, 1, at);
    /* Keys without end are no names of fields: they would only be looked through. */
    if (plain && key_is_due(r) && value_is(v, VALUE_STRING) && r->n_keys++ < KEYS_KEPT)
        index_put(r->keys, v->str.s, v->str.s);
    attach(r, v, at, 0, plain);
}

/* It is told at the place that it repeats, and its key at its own. */
static const struct written *aliased_here(struct reader *r, const struct value *repeated)
{
    return written_here(r, value_origin(repeated));
}

static void on_alias(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    const char *name = (const char *)e->data.alias.anchor;
    const struct anchor *found = NULL;
    struct value *again;

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
    /* What it holds is shared; where it stands is its own. */
    again = arena_new_of(r->a, struct value);
    *again = *found->value;
    again->written = aliased_here(r, found->value);
    attach(r, again, at, found->height, false);
}

static void on_open(struct reader *r, const yaml_event_t *e, const struct origin *at)
{
    bool list = e->type == YAML_SEQUENCE_START_EVENT;
    const yaml_char_t *tag = list ? e->data.sequence_start.tag : e->data.mapping_start.tag;
    const yaml_char_t *name = list ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
    struct frame f = {.list = list, .nodes_before = r->nodes, .first = r->n_pending};

    if (r->depth == r->limits->depth) {
        reader_stop(r, at, NULL, arena_printf(r->a, "nested deeper than %zu levels", r->limits->depth));
        return;
    }
    if (!count_nodes(r, 1, at))
        return;
    check_tag(r, (const char *)tag, list ? YAML_SEQ_TAG : YAML_MAP_TAG, at);
    f.written = written_here(r, at);
    f.anchor = anchor_add(r, name, NULL, 0, at);
    r->frames[r->depth++] = f;
}

static void duplicate_add(struct reader *r, const struct member *first, const struct member *again)
{
    struct origin here = member_origin(again), there = member_origin(first);

    diags_add(r->diags, SEVERITY_ERROR, &here, "a key may stand only once in a map; remove one of the two",
              "the key \"%s\" was already set at line %d, column %d", manifest_shown(r->a, again->key), there.line,
              there.column);
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

static struct value *list_closed(struct reader *r, size_t first)
{
    size_t n = r->n_pending - first;
    struct value *v = value_list_of(r->a, NULL, n);

    for (size_t i = 0; i < n; i++)
        v->list.items[i] = r->pending[first + i].value;
    return v;
}

static void on_close(struct reader *r)
{
    struct frame f = r->frames[--r->depth];
    size_t n = r->n_pending - f.first;
    struct value *v =
        f.list ? list_closed(r, f.first) : value_map_of(r->a, n ? r->pending + f.first : NULL, n);

    r->n_pending = f.first;
    v->written = f.written;
    if (!f.list)
        find_duplicates(r, v);
    if (f.anchor) {
        r->anchors[f.anchor - 1].value = v;
        r->anchors[f.anchor - 1].nodes = r->nodes - f.nodes_before;
        r->anchors[f.anchor - 1].height = f.height + 1;
    }
    attach(r, v, value_origin(v), f.height + 1, false);
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

static void add_parser_fault(struct reader *r, const yaml_parser_t *p)
{
    struct origin at = {.file = r->file};
    const char *problem = p->problem ? p->problem : "it cannot be read", *began = "", *what, *instead;

    if (p->error == YAML_SCANNER_ERROR || p->error == YAML_PARSER_ERROR)
        at = origin_at(r, &p->problem_mark);
    else
        at = origin_at(r, &p->mark);
    if (p->context && p->context_mark.line != p->problem_mark.line)
        began = arena_printf(r->a, " (what it belongs to begins at line %zu)", p->context_mark.line + 1);
    if (manifest_plain_fault(problem, &what, &instead))
        diags_add(r->diags, SEVERITY_ERROR, &at, instead, "%s%s", what, began);
    else
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

void manifest_read(struct arena *a, const char *file, const char *text, size_t len,
                   const struct manifest_limits *limits, struct value *docs, struct diags *diags)
{
    struct reader r = {.a = a, .file = file, .limits = limits, .docs = docs, .diags = diags};
    size_t errors = diags->n_errors;

    if (len > limits->bytes) {
        manifest_too_large(diags, file, limits->bytes);
        return;
    }
    if (!manifest_is_text(diags, file, text, len) || !manifest_is_merged(diags, file, text, len))
        return;
    /* libyaml takes a byte order mark as a sign of an encoding only when it may choose one. */
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        len -= 3;
    }
    r.scratch = arena_new();
    r.keys = index_new(r.scratch, INDEX_EXACT);
    r.frames = arena_array(r.scratch, struct frame, limits->depth + 1);
    read_events(&r, text, len);
    free(r.pending);
    arena_free(r.scratch);
    if (diags->n_errors > errors)
        manifest_tell_template(diags, file, text, len);
    if (r.documents == 0 && diags->n_errors == errors)
        diags_add(diags, SEVERITY_ERROR, &(struct origin){.file = file},
                  "a manifest begins with apiVersion: reinstate/v1", "no document in this file");
}

int manifest_number_unkept(const char *text, size_t len)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int line = 0;
    bool more = yaml_parser_initialize(&parser);

    if (!more)
        return 0;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (more && !line && yaml_parser_parse(&parser, &event)) {
        const char *s = event.type == YAML_SCALAR_EVENT ? (const char *)event.data.scalar.value : NULL;

        if (s && event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !manifest_number_is_kept(s))
            line = (int)event.start_mark.line + 1;
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return line;
}
