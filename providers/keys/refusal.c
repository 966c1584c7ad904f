/* Knows what a copy of a key is told by, and finds the note of its refusal. Must not know which copies there are. */
#include "../backup/claim.h"
#include "refused.h"

#include <string.h>

const char *key_copy_told_by(struct arena *a, const struct value *key_facts, const struct key_copy *copy)
{
    const struct value *files = value_get(key_facts, "files");

    if (copy->kind == KEY_COPY_ESCROW)
        return arena_printf(a, "blob %s %s", value_str_at(copy->blob, "name"), value_str_at(copy->blob, "created"));
    for (size_t i = 0; copy->kind == KEY_COPY_FILE && i < value_count(files); i++)
        if (str_eq(value_str_at(value_item(files, i), "path"), copy->path) &&
            value_str_at(value_item(files, i), "digest"))
            return arena_printf(a, "file %s", value_str_at(value_item(files, i), "digest"));
    return NULL;
}

const char *key_export_told_by(struct arena *a, const struct value *export)
{
    return arena_printf(a, "export %s %s/%s/%s", value_str_at(export, "job"), value_str_at(export, "account"),
                        value_str_at(export, "container"), value_str_at(export, "blob"));
}

const char *key_refusal_note(struct arena *a, const struct value *key_facts, const char *told_by)
{
    const char *base = value_str_at(key_facts, "base"), *what;
    char hex[SHA256_HEX];

    if (!base || !told_by)
        return NULL;
    what = arena_printf(a, "%s\n%s", str_lower(a, base), told_by);
    crypt_sha256_hex(what, strlen(what), hex);
    return arena_printf(a, KEY_REFUSAL_PREFIX "%.40s", hex);
}

const struct value *key_refusal_of(const struct view *v, const struct document *key, const char *told_by)
{
    const struct value *facts = view_facts(v, key);
    const char *name = key_refusal_note(v->arena, facts, told_by);

    return name ? value_get(value_get(facts, "refused"), name) : NULL;
}
