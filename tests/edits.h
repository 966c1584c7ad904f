/* What the data-driven tests share: an example's documents and world, and edits of them.
 *   of a world     {set: PATH, to: VALUE} | {push: PATH, item: VALUE} | {remove: PATH} |
 *                  {remove: PATH-OF-LIST, where: {MEMBER: TEXT}} (every item that has these members; at least one must)
 *                  {replace: TEXT, with: TEXT} (everywhere in it, members' names too; also in documents, without
 * `document`) Every edit may be made several times: {..., times: N} with {n} in its texts as 01 to N and {k} as 1, 2,
 * 3, 1, 2, 3 ... of documents   {document: Kind/name, set: PATH, to: VALUE} | {document: Kind/name, remove: true} |
 * {add: DOCUMENT}
 */
#ifndef REINSTATE_TEST_EDITS_H
#define REINSTATE_TEST_EDITS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../reconciler/base/text.h"
#include "../reconciler/format/manifest.h"

static inline struct value *yaml_read(struct arena *a, const char *path)
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    manifest_read_file(a, path, &manifest_default_limits, docs, &diags);
    for (size_t i = 0; i < diags.count; i++)
        fprintf(stderr, "%s\n", diag_format(a, &diags.items[i]));
    if (diags.n_errors)
        exit(2);
    return docs;
}

static inline void edit_drop(struct value *list, size_t at)
{
    for (size_t i = at; i + 1 < list->list.count; i++)
        list->list.items[i] = list->list.items[i + 1];
    list->list.count--;
}

static inline bool edit_fits(const struct value *item, const struct value *where)
{
    for (size_t i = 0; i < value_count(where); i++)
        if (!str_eq_nocase(value_str_at(item, where->map.members[i].key), value_str(where->map.members[i].value)))
            return false;
    return value_count(where) > 0;
}

static inline bool edit_drop_where(struct value *list, const struct value *where)
{
    size_t before = value_count(list);

    for (size_t i = value_count(list); i-- > 0;)
        if (edit_fits(value_item(list, i), where))
            edit_drop(list, i);
    return value_count(list) < before;
}

static inline char *text_replaced(struct arena *a, const char *in, const char *what, const char *with)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    for (const char *at = in; *at;) {
        bool here = str_starts(at, what);

        if (here)
            text_add(&t, with);
        else
            text_add_char(&t, *at);
        at += here ? strlen(what) : 1;
    }
    return arena_strdup(a, text_str(&t));
}

static inline bool edit_replace(struct arena *a, struct value *v, const char *what, const char *with)
{
    bool found = false;

    if (value_is(v, VALUE_STRING) && strstr(v->str.s, what)) {
        *v = *value_string(a, text_replaced(a, v->str.s, what, with));
        return true;
    }
    for (size_t i = 0; value_is(v, VALUE_LIST) && i < value_count(v); i++)
        found = edit_replace(a, v->list.items[i], what, with) || found;
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < value_count(v); i++) {
        if (strstr(v->map.members[i].key, what))
            v->map.members[i].key = text_replaced(a, v->map.members[i].key, what, with);
        found = edit_replace(a, v->map.members[i].value, what, with) || found;
    }
    return found;
}

/* NULL, or the path that fits nothing. */
static inline const char *edit_one(struct arena *a, struct value *root, const struct value *e)
{
    const char *path = value_str_at(e, "set");
    const char *push = value_str_at(e, "push"), *drop = value_str_at(e, "remove");
    const char *whole = path ? path : push ? push : drop, *dot = whole ? strrchr(whole, '.') : NULL;
    struct value *parent = !whole ? NULL : dot ? value_at(root, arena_strndup(a, whole, (size_t)(dot - whole))) : root;
    const char *last = dot ? dot + 1 : whole;

    if (value_str_at(e, "replace"))
        return edit_replace(a, root, value_str_at(e, "replace"), value_str_at(e, "with")) ? NULL
                                                                                          : value_str_at(e, "replace");
    if (push && !value_at(root, push) && value_is(parent, VALUE_MAP))
        value_set(a, parent, last, value_list(a));
    if (push && value_is(value_at(root, push), VALUE_LIST))
        value_push(a, value_at(root, push), value_copy(a, value_get(e, "item")));
    else if (path && value_is(parent, VALUE_MAP))
        value_set(a, parent, last, value_copy(a, value_get(e, "to")));
    else if (drop && value_get(e, "where") && value_is(value_at(root, drop), VALUE_LIST) &&
             edit_drop_where(value_at(root, drop), value_get(e, "where")))
        return NULL;
    else if (drop && !value_get(e, "where") && value_is(parent, VALUE_MAP) && value_remove(parent, last))
        return NULL;
    else if (drop && !value_get(e, "where") && value_is(parent, VALUE_LIST) &&
             strtoul(last, NULL, 10) < value_count(parent))
        edit_drop(parent, strtoul(last, NULL, 10));
    else
        return whole ? whole : "no path";
    return NULL;
}

static inline void edit_number_text(struct arena *a, struct value *v, int number)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    for (const char *at = v->str.s; *at; at++) {
        if (strncmp(at, "{n}", 3) == 0)
            text_printf(&t, "%02d", number);
        else if (strncmp(at, "{k}", 3) == 0)
            text_printf(&t, "%d", (number - 1) % 3 + 1);
        else
            text_add_char(&t, *at);
        at += strncmp(at, "{n}", 3) == 0 || strncmp(at, "{k}", 3) == 0 ? 2 : 0;
    }
    *v = *value_string(a, text_str(&t));
}

static inline void edit_number(struct arena *a, struct value *v, int number)
{
    if (value_is(v, VALUE_STRING))
        edit_number_text(a, v, number);
    for (size_t i = 0; i < value_count(v); i++)
        edit_number(a, value_is(v, VALUE_LIST) ? v->list.items[i] : v->map.members[i].value, number);
}

/* The edits with those of several times written out. */
static inline const struct value *edits_numbered(struct arena *a, const struct value *edits)
{
    struct value *all = value_list(a);

    for (size_t i = 0; i < value_count(edits); i++)
        for (int n = 1, times = (int)value_int_at(value_item(edits, i), "times", 0); n <= (times ? times : 1); n++) {
            struct value *one = value_copy(a, value_item(edits, i));

            if (times)
                edit_number(a, one, n);
            value_push(a, all, one);
        }
    return all;
}

static inline const char *edit_world(struct arena *a, struct value *world, const struct value *edits)
{
    const char *unfit = NULL;

    edits = edits_numbered(a, edits);
    for (size_t i = 0; !unfit && i < value_count(edits); i++)
        unfit = edit_one(a, world, value_item(edits, i));
    return unfit;
}

static inline size_t document_index(struct arena *a, const struct value *docs, const char *address)
{
    for (size_t i = 0; i < value_count(docs); i++)
        if (str_eq(arena_printf(a, "%s/%s", value_str_at(value_item(docs, i), "kind"),
                                value_str_at(value_item(docs, i), "metadata.name")),
                   address))
            return i;
    return SIZE_MAX;
}

static inline const char *edit_documents(struct arena *a, struct value *docs, const struct value *edits)
{
    const char *unfit = NULL;

    edits = edits_numbered(a, edits);
    for (size_t i = 0; !unfit && i < value_count(edits); i++) {
        const struct value *e = value_item(edits, i);
        const char *address = value_str_at(e, "document");
        size_t at = address ? document_index(a, docs, address) : SIZE_MAX;

        if (value_get(e, "add"))
            value_push(a, docs, value_copy(a, value_get(e, "add")));
        else if (value_get(e, "replace"))
            unfit = edit_one(a, docs, e);
        else if (at == SIZE_MAX)
            unfit = address ? address : "no document";
        else if (value_bool_at(e, "remove", false))
            edit_drop(docs, at);
        else
            unfit = edit_one(a, value_item(docs, at), e);
    }
    return unfit;
}

/* The documents of a folder, and its world apart; the world is NULL when there is none. */
static inline struct value *example_read(struct arena *a, const char *folder, struct value **ret_world)
{
    struct value *docs = value_list(a);
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);

    *ret_world = NULL;
    for (int i = 0; i < n; i++) {
        const char *file = arena_printf(a, "%s/%s", folder, entries[i]->d_name);
        struct value *read = str_ends_nocase(file, ".yaml") ? yaml_read(a, file) : NULL;

        for (size_t j = 0; j < value_count(read); j++)
            if (!str_eq(value_str_at(value_item(read, j), "kind"), "World"))
                value_push(a, docs, value_item(read, j));
            else if (str_ends_nocase(file, "/world.yaml"))
                *ret_world = value_item(read, j);
        free(entries[i]);
    }
    free(entries);
    return docs;
}

#endif
