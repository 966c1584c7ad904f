/* Knows whether a document is still what its file says, directly before a trigger. Must not know what it asks for. */
#include "session_parts.h"

#include <unistd.h>

#include "../reconciler/base/file.h"
#include "../reconciler/format/manifest.h"

static const struct value *document_among(const struct value *docs, const struct document *doc)
{
    for (size_t i = 0; i < value_count(docs); i++)
        if (str_eq(value_str_at(value_item(docs, i), "kind"), doc->kind) &&
            str_eq(value_str_at(value_item(docs, i), "metadata.name"), doc->name))
            return value_item(docs, i);
    return NULL;
}

const char *session_changed(void *session, struct arena *a, const struct document *doc)
{
    const struct session *s = session;
    const char *file = doc->origin.file;
    struct value *docs = value_list(a);
    const struct value *now;
    struct diags faults;

    if (!file || str_eq(file, MANIFEST_STDIN) || !file_is_lasting(file))
        return NULL;
    diags_init(&faults, a);
    manifest_read_file(a, file, &manifest_default_limits, docs, &faults);
    now = document_among(docs, doc);
    if (!now && faults.n_errors && access(file, F_OK) == 0)
        return arena_printf(a, "what %s says of %s now cannot be read: %s", file, doc->address, faults.items[0].what);
    if (!now)
        return arena_printf(a, "%s is not in %s any more: it was withdrawn while this run went on", doc->address, file);
    if (value_bool_at(now, "spec.withdrawn", false))
        return arena_printf(a, "%s was withdrawn while this run went on (%s)", doc->address, file);
    return value_equal(now, document_among(s->estate.documents, doc))
               ? NULL
               : arena_printf(a, "%s was changed while this run went on (%s)", doc->address, file);
}

void session_withdraw(struct session *s)
{
    const struct index_entry *at = NULL;
    const struct document *order;

    while ((order = desired_next(s->estate.desired, "Activation", &at)))
        if (session_changed(s, s->arena, order))
            value_set_bool(s->estate_arena ? s->estate_arena : s->arena, (struct value *)order->spec, "withdrawn",
                           true);
}
