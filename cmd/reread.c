/* Knows when a loop's documents have changed and whether the new ones may be used. Must not know what they ask for. */
#include "session_parts.h"

#include <signal.h>

#include "../reconciler/run/helper.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/manifest.h"
#include "call.h"
#include "commands.h"
#include "history.h"
#include "output.h"

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
    else if (fresh.desired &&
             (!same_documents(s->estate.documents, fresh.documents) || !same_documents(s->estate.pinned, fresh.pinned)))
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

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void journal_end(struct session *s)
{
    const char *path = s->options->journal ? s->options->journal : "reinstate.journal", *folder = s->options->directory;
    struct err err;

    if (!s->journal)
        return;
    if (journal_error(s->journal, &err) < 0 && output_counted(EXIT_DECLARED) == EXIT_DECLARED)
        output_lack("%s", err.text);
    if (journal_added(s->journal))
        talk("The journal's head is %s; keep it, and reinstate journal verify%s%s --head %s %s finds whatever is "
             "changed "
             "later.",
             journal_head(s->journal), folder ? " -C " : "", folder ? call_quoted(s->arena, folder) : "",
             journal_head(s->journal), call_quoted(s->arena, path));
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
    events_free(s->events);
    if (s->sched)
        sched_free(s->sched);
    if (s->sim)
        sim_free(s->sim);
    output_recorder_close(s->recorder);
    output_recorder_close(s->debug);
    journal_end(s);
    if (s->estate.policy)
        policy_free(s->estate.policy);
    schemas_freep(&s->schemas);
    arena_free(s->estate_arena);
    arena_freep(&s->arena);
}
