/* Knows what a step is made of and how it is written down. Must not know why a kind adds one, nor how it is done. */
#include "step.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"

static const struct action_words actions[ACTION_COUNT] = {
    [ACTION_NONE] = {"none", "=", .writes = false},
    [ACTION_CREATE] = {"create", "+", .writes = true, .brings_back = true},
    [ACTION_UPDATE] = {"update", "~", .writes = true},
    [ACTION_RECOVER] = {"recover", "^", .writes = true, .brings_back = true},
    [ACTION_ENABLE] = {"enable", "o", .writes = true},
    [ACTION_GRANT] = {"grant", "&", .writes = true},
    [ACTION_WAIT] = {"wait", ".", .writes = false},
    [ACTION_VERIFY] = {"verify", "?", .writes = false},
    [ACTION_BLOCKED] = {"blocked", "x", .writes = false},
};

const struct action_words *action_words(enum action a)
{
    static const struct action_words unknown = {"unknown", " ", .writes = false};

    if (a < 0 || a >= ACTION_COUNT)
        return &unknown;
    return actions[a].name ? &actions[a] : &actions_own[a];
}

const char *action_name(enum action a)
{
    return action_words(a)->name;
}

const char *action_glyph(enum action a)
{
    return action_words(a)->glyph;
}

bool action_writes(enum action a)
{
    return action_words(a)->writes;
}

enum action action_parse(const char *name)
{
    enum action a = 0;

    while (a < ACTION_COUNT && !str_eq(action_name(a), name))
        a++;
    return a;
}

const char *verdict_name(enum verdict v)
{
    static const char *const names[VERDICT_COUNT] = {"allow", "warn", "require-approval", "observe-only", "deny"};

    return v >= 0 && v < VERDICT_COUNT ? names[v] : "unknown";
}

/* --- building ----------------------------------------------------------------------------------------------------- */

static void index_step(struct steps *s, const struct step *step)
{
    index_put(s->by_id, step->id, step);
    index_put(s->by_document, step->document->address, step);
}

void steps_index(struct steps *s)
{
    s->by_id = index_new(s->arena, INDEX_EXACT);
    s->by_document = index_new(s->arena, INDEX_EXACT);
    for (size_t i = 0; i < s->count; i++)
        index_step(s, s->items[i]);
}

void steps_cut(struct steps *s, size_t from)
{
    while (s->count > from) {
        const struct step *last = s->items[--s->count];

        index_drop(s->by_id, last->id, last);
        index_drop(s->by_document, last->document->address, last);
    }
}

void step_spend(struct steps *s, struct step *step, const struct step_spend *spend)
{
    struct step_spend *spends = arena_array(s->arena, struct step_spend, step->n_spends + 1);

    for (size_t i = 0; i < step->n_spends; i++)
        spends[i] = step->spends[i];
    spends[step->n_spends++] = *spend;
    step->spends = spends;
}

struct step *steps_add(struct steps *s, const struct document *doc, enum action action, const char *suffix,
                       const char *reason_fmt, ...)
{
    struct step *step = arena_new_of(s->arena, struct step);
    va_list ap;

    step->id =
        arena_printf(s->arena, "%s#%s%s%s", doc->address, action_name(action), suffix ? "." : "", suffix ? suffix : "");
    step->document = doc;
    step->action = action;
    step->estimate_ms = -1;
    va_start(ap, reason_fmt);
    step->reason = arena_vprintf(s->arena, reason_fmt, ap);
    va_end(ap);
    if (!s->by_id)
        steps_index(s);
    arena_push(s->arena, s->items, s->count, step);
    index_step(s, step);
    return step;
}

static void add_id(struct steps *s, const char *const **list, size_t *count, const char *id)
{
    const char **ids = (const char **)*list;

    if (!id)
        return;
    for (size_t i = 0; i < *count; i++)
        if (str_eq(ids[i], id))
            return;
    arena_push(s->arena, ids, *count, arena_strdup(s->arena, id));
    *list = ids;
}

void step_need(struct steps *s, struct step *step, const char *id)
{
    add_id(s, &step->needs, &step->n_needs, id);
}

/* What would be done is still told, for it is a difference; how long it takes and what it will look like is not. */
void step_make_blocked(struct step *step, const struct step *root, const char *reason, const char *next)
{
    step->held_by = root;
    step->reason = reason;
    step->next = next;
    step->action = ACTION_BLOCKED;
    step->n_writes = 0;
    step->estimate_ms = -1;
    step->estimate_source = step->unverified = step->foretold = step->precondition = step->postcondition = NULL;
}

void step_withhold(struct steps *s, struct step *step, const struct document *by)
{
    bool own = step->document == by;
    const char *why = by->suspended ? arena_printf(s->arena, "suspended: %s", by->suspended) : "observed only";

    step_make_blocked(step, NULL,
                      own ? arena_printf(s->arena, "%s; %s", step->reason, why)
                          : arena_printf(s->arena, "%s; held up by %s, which is %s", step->reason, by->address, why),
                      arena_printf(s->arena, "remove the annotation %s%s%s",
                                   by->suspended ? "reinstate/suspend" : "reinstate/mode: observe",
                                   own ? "" : " from ", own ? "" : by->address));
}

void step_after(struct steps *s, struct step *step, const char *id)
{
    add_id(s, &step->after, &step->n_after, id);
}

void step_change(struct steps *s, struct step *step, const char *path, const struct value *before,
                 const struct value *after, const char *why)
{
    struct change change = {
        .path = arena_strdup(s->arena, path), .why = arena_strdup(s->arena, why), .before = before, .after = after};
    struct change *changes = (struct change *)step->changes;

    arena_push(s->arena, changes, step->n_changes, change);
    step->changes = changes;
}

void step_change_time(struct steps *s, struct step *step, const char *path, const struct value *before,
                      const struct value *after)
{
    step_change(s, step, path, before, after, NULL);
    ((struct change *)step->changes)[step->n_changes - 1].seconds = true;
}

const struct value *change_shown(struct arena *a, const struct change *c, const struct value *v)
{
    return c->seconds && value_is(v, VALUE_INT) ? value_string(a, time_format(a, v->i * SECOND_MS)) : v;
}

void step_writes(struct steps *s, struct step *step, const char *method, const char *fragment_fmt, ...)
{
    struct step_write write = {.method = method};
    struct step_write *writes = (struct step_write *)step->writes;
    va_list ap;

    va_start(ap, fragment_fmt);
    write.fragment = arena_vprintf(s->arena, fragment_fmt, ap);
    va_end(ap);
    arena_push(s->arena, writes, step->n_writes, write);
    step->writes = writes;
}

void step_right(struct steps *s, struct step *step, const char *scope, const char *action, bool data, const char *role)
{
    struct step_right right = {.scope = arena_strdup(s->arena, scope), .action = action, .data = data, .role = role};
    struct step_right *rights = (struct step_right *)step->rights;

    arena_push(s->arena, rights, step->n_rights, right);
    step->rights = rights;
}

void step_right_either(struct steps *s, struct step *step, const char *scope, const char *data_action,
                       const char *instead, const char *role)
{
    step_right(s, step, scope, data_action, true, role);
    ((struct step_right *)step->rights)[step->n_rights - 1].instead = instead;
}

void step_wish(struct steps *s, struct step *step, const char *scope, const char *action, bool data, const char *role)
{
    step_right(s, step, scope, action, data, role);
    ((struct step_right *)step->rights)[step->n_rights - 1].wish = true;
}

static void add_document(struct steps *s, const struct document *const **list, size_t *count,
                         const struct document *doc)
{
    const struct document **items = (const struct document **)*list;

    for (size_t i = 0; i < *count; i++)
        if (items[i] == doc)
            return;
    if (doc)
        arena_push(s->arena, items, *count, doc);
    *list = items;
}

void step_on(struct steps *s, struct step *step, const struct document *doc)
{
    add_document(s, &step->on, &step->n_on, doc);
}

void step_look(struct steps *s, struct step *step, const struct document *doc)
{
    add_document(s, &step->looks, &step->n_looks, doc);
}

void step_serves(struct steps *s, struct step *step, const struct document *doc)
{
    add_document(s, &step->serves, &step->n_serves, doc);
}

bool step_alters(const struct step *step)
{
    return action_writes(step->action) && !step->adopts;
}

const struct ruling *step_withheld(const struct step *step)
{
    for (size_t i = 0; step->verdict > VERDICT_WARN && i < step->n_rulings; i++)
        if (step->rulings[i].verdict == step->verdict && !step->rulings[i].approved_by)
            return &step->rulings[i];
    return NULL;
}

const struct ruling *step_refused(const struct step *step)
{
    return step->verdict > VERDICT_REQUIRE_APPROVAL ? step_withheld(step) : NULL;
}

void step_note(struct steps *s, struct step *step, const char *fmt, ...)
{
    const char **notes = (const char **)step->notes, *note;
    va_list ap;

    va_start(ap, fmt);
    note = arena_vprintf(s->arena, fmt, ap);
    va_end(ap);
    arena_push(s->arena, notes, step->n_notes, note);
    step->notes = notes;
}

bool step_runs(const struct step *step)
{
    return step->action != ACTION_NONE && step->action != ACTION_BLOCKED && step->verdict < VERDICT_OBSERVE_ONLY &&
           !step->lacking;
}

/* When the last of these steps has ended. One that does not run holds up nothing that goes on without it. */
static int64_t ends_of(const struct steps *all, const char *const *ids, size_t count, struct index *known)
{
    int64_t last = 0;

    for (size_t i = 0; i < count; i++) {
        const struct step *other = steps_find(all, ids[i]);
        int64_t end;

        if (!other || !step_runs(other))
            continue;
        end = steps_lead_ms(all, other, known) + (other->estimate_ms > 0 ? other->estimate_ms : 0);
        last = end > last ? end : last;
    }
    return last;
}

int64_t steps_lead_ms(const struct steps *all, const struct step *step, struct index *known)
{
    int64_t *lead = index_get(known, step->id), needs, after;

    if (lead)
        return *lead;
    lead = arena_new_of(all->arena, int64_t);
    /* Steps that need each other are a fault that the plan tells; here they end. */
    index_put(known, step->id, lead);
    needs = ends_of(all, step->needs, step->n_needs, known);
    after = ends_of(all, step->after, step->n_after, known);
    *lead = needs > after ? needs : after;
    *lead = step->held_ms > *lead ? step->held_ms : *lead;
    return *lead;
}

bool steps_asked(const struct steps *s, const struct document *doc)
{
    return !s->asked || s->asked(s->asked_ctx, doc);
}

/* Whose step that is, by its id. */
static const struct document *owner_of(const struct steps *s, const char *id)
{
    return index_get(s->desired->by_address, arena_strndup(s->arena, id, strcspn(id, "#")));
}

struct step *steps_find(const struct steps *s, const char *id)
{
    struct step *found = index_get(s->by_id, id);
    const struct document *doc;

    if (!s->asked || !id)
        return found;
    doc = found ? found->document : owner_of(s, id);
    if (!doc || !steps_asked(s, doc))
        return NULL;
    return found ? found : index_get(s->by_id, id);
}

struct step *steps_next(const struct steps *s, const struct document *doc, const struct index_entry **at)
{
    if (*at)
        *at = (*at)->next;
    else if (s && doc && steps_asked(s, doc))
        *at = index_find(s->by_document, doc->address);
    return *at ? (*at)->thing : NULL;
}

void step_leaves(struct steps *s, struct step *step, const char *fmt, ...)
{
    const char **leaves = (const char **)step->leaves, *one;
    va_list ap;

    va_start(ap, fmt);
    one = arena_vprintf(s->arena, fmt, ap);
    va_end(ap);
    arena_push(s->arena, leaves, step->n_leaves, one);
    step->leaves = leaves;
}

/* --- writing down ------------------------------------------------------------------------------------------------- */

static struct value *changes_to_value(struct arena *a, const struct step *step)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < step->n_changes; i++) {
        const struct change *change = &step->changes[i];
        struct value *v = value_map(a);

        value_set_string(a, v, "path", change->path);
        if (change->before)
            value_set(a, v, "before", value_copy(a, change->before));
        if (change->after)
            value_set(a, v, "after", value_copy(a, change->after));
        value_set_string(a, v, "why", change->why);
        value_push(a, list, v);
    }
    return list;
}

static struct value *rulings_to_value(struct arena *a, const struct step *step)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < step->n_rulings; i++) {
        const struct ruling *ruling = &step->rulings[i];
        struct value *v = value_map(a);

        value_set_string(a, v, "verdict", verdict_name(ruling->verdict));
        value_set_string(a, v, "rule", ruling->rule);
        value_set_string(a, v, "file", ruling->origin.file);
        if (ruling->origin.line)
            value_set_int(a, v, "line", ruling->origin.line);
        if (ruling->origin.column)
            value_set_int(a, v, "column", ruling->origin.column);
        value_set_string(a, v, "message", ruling->message);
        value_set_string(a, v, "evidence", ruling->evidence);
        value_set_string(a, v, "approvedBy", ruling->approved_by);
        value_push(a, list, v);
    }
    return list;
}

const char *step_verb(const struct step *step)
{
    const char *hash = strrchr(step->id, '#');

    return hash ? hash + 1 : step->id;
}

struct value *step_to_value(struct arena *a, const struct step *step)
{
    struct value *v = value_map(a), *needs = value_list(a), *notes = value_list(a);

    for (size_t i = 0; i < step->n_needs; i++)
        value_push(a, needs, value_string(a, step->needs[i]));
    value_set_string(a, v, "id", step->id);
    value_set_string(a, v, "kind", step->document->kind);
    value_set_string(a, v, "name", step->document->name);
    value_set_string(a, v, "action", action_name(step->action));
    value_set(a, v, "needs", needs);
    value_set_string(a, v, "reason", step->reason);
    value_set_string(a, v, "precondition", step->precondition);
    value_set_string(a, v, "postcondition", step->postcondition);
    value_set(a, v, "changes", changes_to_value(a, step));
    value_set_string(a, v, "scope", step->scope);
    value_set_string(a, v, "scenario", step->scenario);
    if (step->estimate_ms >= 0)
        value_set_int(a, v, "estimateSeconds", (step->estimate_ms + SECOND_MS - 1) / SECOND_MS);
    value_set_string(a, v, "estimateSource", step->estimate_source);
    value_set_string(a, v, "unverified", step->unverified);
    value_set_string(a, v, "next", step->next);
    value_set_string(a, v, "foretold", step->foretold);
    if (step->fails)
        value_set_bool(a, v, "fails", true);
    value_set_string(a, v, "loses", step->loses);
    for (size_t i = 0; i < step->n_leaves; i++)
        value_push(a, i ? value_get(v, "leaves") : value_set(a, v, "leaves", value_list(a)),
                   value_string(a, step->leaves[i]));
    if (step->unseen)
        value_set_bool(a, v, "unseen", true);
    value_set_string(a, v, "heldBy", step->held_by ? step->held_by->id : NULL);
    for (size_t i = 0; i < step->n_notes; i++)
        value_push(a, notes, value_string(a, step->notes[i]));
    if (step->n_notes)
        value_set(a, v, "notes", notes);
    value_set_string(a, v, "verdict", verdict_name(step->verdict));
    value_set(a, v, "rulings", rulings_to_value(a, step));
    return v;
}
