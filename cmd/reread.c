/* Knows when a loop's documents have changed and whether the new ones may be used. Must not know what they ask for. */
#include "session_parts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../reconciler/run/helper.h"
#include "../providers/azure/redact.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/json.h"
#include "../reconciler/format/manifest.h"
#include "../reconciler/model/policy_fields.h"
#include "../reconciler/run/skew.h"
#include "call.h"
#include "commands.h"
#include "history.h"
#include "operator.h"
#include "output.h"
#include "peer.h"
#include "../providers/access/preflight.h"

/* --- read anew ---------------------------------------------------------------------------------------------------- */

bool session_rereadable(const struct options *o)
{
    bool all = !o->policy || file_is_lasting(o->policy);

    for (size_t i = 0; i < o->paths.count; i++)
        all = all && file_is_lasting(o->paths.items[i]);
    return all;
}

/* The next document that says what is wanted: a world or a history may change at any moment. */
static const struct value *next_wanted(const struct value *docs, size_t *at)
{
    while (*at < value_count(docs)) {
        const struct value *doc = value_item(docs, (*at)++);
        const char *kind = value_str_at(doc, "kind");

        if (!str_eq(kind, "World") && !str_eq(kind, "History"))
            return doc;
    }
    return NULL;
}

static bool same_documents(const struct value *before, const struct value *now)
{
    size_t i = 0, k = 0;
    const struct value *x, *y;

    do {
        x = next_wanted(before, &i);
        y = next_wanted(now, &k);
    } while (x && y && value_equal(x, y));
    return !x && !y;
}

static void estate_take(struct session *s, struct arena *a, const struct estate *fresh)
{
    const struct value *history = s->connections.history;
    size_t approvals = s->engine.n_approvals;

    for (size_t i = 0; i < s->estate.desired->count; i++)
        if (s->handles[i])
            azure_free(s->handles[i]);
    policy_free(s->estate.policy);
    arena_free(s->estate_arena);
    s->estate = *fresh;
    s->estate_arena = a;
    session_handles_make(s, s->operators);
    session_engine_set(s);
    s->connections.history = history;
    s->engine.n_approvals = approvals;
    if (s->history)
        s->history->azure = s->handles[session_first_azure(s)->index];
}

/* Token and wire were made for one cloud. */
static void same_cloud(const struct session *s, const struct estate *fresh, struct diags *diags)
{
    const struct desired *d = fresh->desired;
    bool named = false;
    struct err err;

    if (session_tenants_check(s, d, &err) < 0)
        diags_add(diags, SEVERITY_ERROR, &(struct origin){0}, NULL, "%s", err.text);
    for (size_t i = 0; i < d->count; i++) {
        if (!str_eq(d->documents[i]->kind, "Azure"))
            continue;
        named = true;
        if (!s->operators && session_declared_cloud(d->documents[i]) != s->cloud)
            diags_add(diags, SEVERITY_ERROR, &d->documents[i]->origin, "end this run, and begin another",
                      "a run cannot go on in another cloud");
    }
    if (!named)
        diags_add(diags, SEVERITY_ERROR, &(struct origin){0}, NULL, "no Azure document is left among the manifests");
}

enum reread session_reread(struct session *s, bool take)
{
    struct arena *a = arena_new();
    struct estate fresh = {0};
    struct diags diags;
    enum reread ret = DOCUMENTS_SAME;

    diags_init(&diags, a);
    if (session_rereadable(s->options))
        load_estate(a, s->options, s->schemas, &fresh, &diags);
    if (fresh.desired && !diags.n_errors)
        same_cloud(s, &fresh, &diags);
    if (diags.n_errors)
        ret = DOCUMENTS_BROKEN;
    else if (fresh.desired && (!same_documents(s->estate.documents, fresh.documents) ||
                               !same_documents(s->estate.pinned, fresh.pinned)))
        ret = DOCUMENTS_CHANGED;
    if (take && ret != DOCUMENTS_SAME)
        output_diags(s->options, &diags);
    if (take && ret == DOCUMENTS_CHANGED) {
        estate_take(s, a, &fresh);
        return ret;
    }
    if (fresh.policy)
        policy_free(fresh.policy);
    arena_free(a);
    return ret;
}

/* --- looked at again before a trigger ----------------------------------------------------------------------------- */

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

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void journal_end(struct session *s)
{
    const char *path = s->options->journal ? s->options->journal : "reinstate.journal";
    struct err err;

    if (!s->journal)
        return;
    if (journal_error(s->journal, &err) < 0 && output_counted(EXIT_DECLARED) == EXIT_DECLARED)
        output_lack("%s", err.text);
    if (journal_added(s->journal))
        talk("The journal's head is %s; keep it, and reinstate journal verify --head %s %s finds whatever is changed "
             "later.",
             journal_head(s->journal), journal_head(s->journal), path);
    journal_close(s->journal);
}

void session_close(struct session *s)
{
    /* Time that has passed since the last change is no change, but a run that goes on from here must
     * not begin before it. */
    if (s->sim && s->sched)
        sim_leave(s->sim, sched_span_ms(s->sched));
    for (size_t i = 0; s->handles && i < s->estate.desired->count; i++)
        if (s->handles[i])
            azure_free(s->handles[i]);
    if (s->http)
        http_free(s->http);
    helper_end(s->helper);
    if (s->has_credential)
        credential_release(&s->credential);
    if (s->wire)
        wire_free(s->wire);
    progress_free(s->progress);
    if (s->sched)
        sched_free(s->sched);
    if (s->sim)
        sim_free(s->sim);
    output_recorder_close(s->recorder);
    journal_end(s);
    if (s->estate.policy)
        policy_free(s->estate.policy);
    schemas_freep(&s->schemas);
    arena_free(s->estate_arena);
    arena_freep(&s->arena);
}
