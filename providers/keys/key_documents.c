/* Knows which Key documents are of one key. Must not know what is observed of it. */
#include "key_documents.h"

#include "../azure/key_id.h"

/* By the key's one address, and by what its facts say, wherever that differs. */
static void put_key(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc);
    const char *base = value_str_at(facts, "base"), *name = value_str_at(facts, "name"), *said, *plain;

    if (!base || !name)
        return;
    said = arena_printf(a, "%s/keys/%s", base, name);
    plain = key_url_plain(a, said);
    index_put(x, plain, doc);
    if (!str_eq_nocase(said, plain))
        index_put(x, said, doc);
}

static const struct view_names keys = {.kind = "Key", .put = put_key};

const struct document *key_at_next(const struct view *v, const char *url, const struct index_entry **at)
{
    struct arena *scratch cleanup(arena_freep) = *at ? NULL : arena_new();
    struct key_id id;

    if (!*at && !key_id_parse(scratch, url, &id))
        return NULL;
    return view_next(v, &keys, *at ? NULL : arena_printf(scratch, "%s/keys/%s", id.base, id.name), at);
}

const struct document *key_same_next(const struct view *v, const struct document *key, const struct index_entry **at)
{
    const char *base = value_str_at(view_facts(v, key), "base"), *name = value_str_at(view_facts(v, key), "name");

    if (!base || !name)
        return NULL;
    return view_next(v, &keys, *at ? NULL : arena_printf(v->arena, "%s/keys/%s", base, name), at);
}

bool key_source_declared(const struct document *key, const char *member)
{
    const struct value *sources = value_get(key->spec, "sources");

    for (size_t i = 0; i < value_count(sources); i++)
        if (value_get(value_item(sources, i), member))
            return true;
    return false;
}
