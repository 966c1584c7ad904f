/* Knows the last lines of a run. Must not judge what was seen: the look has. */
#include "summary.h"

#include "call.h"
#include "selection.h"

#include "../providers/azure/arm.h"
#include "../providers/backup/order.h"
#include "../providers/restore/aftermath.h"

/* --- as data ------------------------------------------------------------------------------------------------------ */

static const struct value *job_find(const struct value *jobs, const char *id)
{
    for (size_t i = 0; id && i < value_count(jobs); i++)
        if (str_eq(value_str_at(value_item(jobs, i), "id"), id))
            return value_item(jobs, i);
    return NULL;
}

/* How long something that began then was under way before this run. */
static int64_t spent_before(const struct outcome *outcome, const char *begun)
{
    int64_t at = time_parse(begun);

    return at == TIME_NONE || at >= outcome->begun_ms ? 0 : outcome->begun_ms - at;
}

/* How long a job ran by its own times; one that runs still, or does not say, by how long it was followed. */
static int64_t job_took(const struct value *job, const struct step_outcome *s, int64_t spent)
{
    int64_t start = time_parse(value_str_at(job, "start")), end = time_parse(value_str_at(job, "end"));

    return start != TIME_NONE && end != TIME_NONE && end >= start ? end - start : s->elapsed_ms + spent;
}

/* Of a job that an earlier run has started the time before this run counts, on both sides. */
static struct value *took_of(struct arena *a, const struct outcome *outcome, const struct value *jobs)
{
    struct value *took = value_list(a);

    for (size_t i = 0; i < outcome->count; i++) {
        const struct step_outcome *s = &outcome->steps[i];
        const struct value *job = job_find(jobs, s->job);
        int64_t spent = spent_before(outcome, value_str_at(job, "start"));
        struct value *one;

        if (!s->job)
            continue;
        one = value_map(a);
        value_set_string(a, one, "step", s->step->id);
        value_set_string(a, one, "job", s->job);
        value_set_int(a, one, "seconds", job_took(job, s, spent) / SECOND_MS);
        if (s->step->estimate_ms > 0)
            value_set_int(a, one, "estimatedSeconds", (s->step->estimate_ms + spent) / SECOND_MS);
        value_push(a, took, one);
    }
    return took;
}

/* Each order that this run had something to do for: how long it has taken since it was begun,
 * against what was foreseen. */
static struct value *orders_of(struct arena *a, const struct outcome *outcome, const struct value *orders)
{
    struct value *told = value_list(a);

    for (size_t i = 0; outcome->plan && i < value_count(orders); i++) {
        struct value *one = value_copy(a, value_item(orders, i));
        const struct plan *part = plan_ordered(a, outcome->plan, value_str_at(one, "order"));
        int64_t spent = spent_before(outcome, value_str_at(one, "begun")),
                estimate = plan_estimate(a, part, &(size_t){0});

        if (!part->steps.count)
            continue;
        value_set_string(a, one, "begun", time_format(a, (outcome->begun_ms - spent) / SECOND_MS * SECOND_MS));
        value_set_int(a, one, "seconds", (outcome->ended_ms - outcome->begun_ms + spent) / SECOND_MS);
        value_set_int(a, one, "secondsBefore", spent / SECOND_MS);
        if (estimate >= 0)
            value_set_int(a, one, "estimatedSeconds", estimate / SECOND_MS);
        value_push(a, told, one);
    }
    return told;
}

#define APPROVE_IT "approve it: "

/* What policy holds a step back for, and the line that lets it pass; NULL: nothing does. */
static const char *held_by(struct arena *a, const struct step *step, const char **ret_next)
{
    const struct ruling *held = NULL;

    for (size_t i = 0; action_writes(step->action) && i < step->n_rulings; i++)
        if (step->rulings[i].verdict >= VERDICT_OBSERVE_ONLY ||
            (step->rulings[i].verdict == VERDICT_REQUIRE_APPROVAL && !step->rulings[i].approved_by))
            held = !held || step->rulings[i].verdict > held->verdict ? &step->rulings[i] : held;
    if (!held)
        return NULL;
    *ret_next = held->verdict == VERDICT_REQUIRE_APPROVAL
                    ? arena_printf(a, APPROVE_IT "reinstate apply -f ... --approve %s=YOUR-NAME", held->rule)
                    : "whoever answers for the policy changes the rule, or this is left as it is";
    return arena_printf(a, "%s %s rule %s%s%s", step_verb(step),
                        held->verdict == VERDICT_REQUIRE_APPROVAL ? "needs approval by" : "is held back by", held->rule,
                        held->message ? ": " : "", held->message ? held->message : "");
}

static bool relies_on(const struct document *doc, const struct document *what, int depth)
{
    bool found = doc == what;

    for (size_t i = 0; !found && depth > 0 && i < doc->n_references; i++)
        if (doc->references[i].target)
            found = relies_on(doc->references[i].target, what, depth - 1);
    return found;
}

/* The machine for which an order that is over had approved such a step: alone, the step leads nowhere. NULL: there is
 * none, or another one still stands. */
static const struct document *ordered_before(const struct view *v, const struct document *doc)
{
    enum { DEPTH = 6 }; /* machine, set, key, store, and what these stand in */
    const struct document *over = NULL;

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *rvm = v->desired->documents[i];
        enum order_state state;

        if (!str_eq(rvm->kind, "RestoredVirtualMachine") || doc == rvm || !relies_on(rvm, doc, DEPTH))
            continue;
        state = order_for(v, rvm).state;
        if (state != ORDER_NONE && state != ORDER_EXPIRED && state != ORDER_WITHDRAWN)
            return NULL;
        over = state != ORDER_NONE && !over ? rvm : over;
    }
    return over;
}

/* What an order approves, so that nobody is asked besides. */
static bool orders_approve(const struct step *step)
{
    return step->action == ACTION_RESTORE_KEY || step->action == ACTION_RECOVER;
}

/* Whoever approves one step of an order that is over does what nobody has ordered any more. */
static const char *next_of(struct arena *a, const struct view *v, const struct step *step, const char *next)
{
    const struct document *rvm =
        str_starts(next, APPROVE_IT) && orders_approve(step) ? ordered_before(v, step->document) : NULL;
    struct order order;

    if (!rvm)
        return next;
    order = order_for(v, rvm);
    return order.state == ORDER_EXPIRED
               ? arena_printf(a, "%s has ended; a new one approves it: reinstate activate -f ... %s",
                              order.activation->address, rvm->name)
               : arena_printf(a, "%s is withdrawn, so nothing is to be done; should it be done all the same, order "
                                 "anew: reinstate activate -f ... %s",
                              order.activation->address, rvm->name);
}

static void todo_add(struct arena *a, struct value *todo, const struct step *step, const char *why, const char *next)
{
    struct value *one = value_map(a);

    value_set_string(a, one, "document", step->document->address);
    value_set_string(a, one, "why", why);
    value_set_string(a, one, "next", next);
    value_push(a, todo, one);
}

/* A policy, a lock, a firewall or a guard refuses with 403 as well, and no role helps there. */
static bool lacks_right(const struct err *err)
{
    const struct azure_error *row = azure_error_in_text(err->text);

    if (err->http_status != 403 && err->class != ERR_DENIED)
        return false;
    if (!row)
        row = azure_error_meant(err->code, err->text);
    return !row || row->cure == CURE_PERMISSION;
}

/* What a missing right is ended by: those that the step needs, by name. NULL: it failed otherwise. */
static const char *rights_next(struct arena *a, const struct step *step, const struct err *err)
{
    const char *all = NULL;

    for (size_t i = 0; lacks_right(err) && i < step->n_rights; i++) {
        const struct step_right *right = &step->rights[i];

        if (!right->wish)
            all = arena_printf(a, "%s%s%s on %s (%s)", all ? all : "it needs ", all ? "; " : "", right->action,
                               right->scope, right->role);
    }
    return all ? arena_printf(a, "%s; then run again", all) : NULL;
}

/* What failed in this run and is still due: the next run would meet the same answer, so whoever reads the last lines is
 * told of it. `plan`: what a fresh look shows to be due; NULL: nobody has looked. */
static void todo_add_failed(struct arena *a, struct value *todo, const struct outcome *outcome, const struct plan *plan)
{
    for (size_t i = 0; i < outcome->count; i++) {
        const struct step_outcome *s = &outcome->steps[i];
        const struct step *due = plan ? steps_find(&plan->steps, s->step->id) : s->step;
        const char *next;

        if ((s->state == STEP_FAILED || s->state == STEP_BLOCKED) && s->err.class != ERR_CANCELLED && due &&
            s->step->action != ACTION_BLOCKED && action_writes(due->action) && !held_by(a, due, &next))
            todo_add(a, todo, s->step, arena_printf(a, "%s failed: %s", step_verb(s->step), s->err.text),
                     rights_next(a, due, &s->err));
    }
}

static struct value *todo_of(struct arena *a, const struct look *after, const struct outcome *outcome)
{
    const struct plan *plan = after->plan;
    struct value *todo = value_list(a);

    todo_add_failed(a, todo, outcome, plan);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = plan->steps.items[i];
        const char *next = step->next, *why = step->action == ACTION_BLOCKED ? step->reason : held_by(a, step, &next);

        if (why)
            todo_add(a, todo, step, why, next ? next_of(a, &after->view, step, next) : NULL);
    }
    return todo;
}

/* What was blocked when the run began is blocked no more, and nothing has failed that it would rest on. */
static bool is_open(struct arena *a, const struct plan *plan, const struct outcome *outcome)
{
    bool open = false;

    for (size_t i = 0; i < outcome->count && !outcome->failed; i++) {
        const struct step *was = outcome->steps[i].step;
        const char *next;

        for (size_t k = 0; was->action == ACTION_BLOCKED && k < plan->steps.count; k++) {
            const struct step *due = plan->steps.items[k];

            open = open || (due->document == was->document && action_writes(due->action) && !held_by(a, due, &next));
        }
    }
    return open;
}

struct value *summary_of(struct arena *a, const struct look *after, const struct outcome *outcome,
                         const struct options *o)
{
    struct value *summary = value_copy(a, aftermath_of(&after->view));

    /* As long as something is to be mended, it is not the start that is lacking. */
    if (after->plan->n_changes)
        value_set(a, summary, "still", value_list(a));
    value_set(a, summary, "orders", orders_of(a, outcome, value_get(summary, "orders")));
    value_set(a, summary, "took", took_of(a, outcome, value_get(summary, "jobs")));
    value_set(a, summary, "todo", todo_of(a, after, outcome));
    if (is_open(a, after->plan, outcome))
        value_set_string(a, summary, "again", call_again(a));
    value_set_string(a, summary, "selector", o->selector);
    if (o->selector || o->targets.count)
        value_set_string(a, summary, "selected", selection_words(a, o));
    return summary;
}

struct value *summary_unseen(struct arena *a, const struct outcome *outcome)
{
    static const char *const empty[] = {"machines", "left", "still", "todo", "orders"};
    struct value *summary = value_map(a), *jobs = value_list(a);

    for (size_t i = 0; i < COUNT(empty); i++)
        value_set(a, summary, empty[i], value_list(a));
    for (size_t i = 0; i < outcome->count; i++) {
        const struct step_outcome *s = &outcome->steps[i];
        struct value *one = value_map(a);

        if (!s->job || s->err.class != ERR_CANCELLED)
            continue;
        value_set_string(a, one, "document", s->step->document->address);
        value_set_string(a, one, "id", s->job);
        value_set_string(a, one, "state", "running");
        value_set_bool(a, one, "adopted", true);
        value_push(a, jobs, one);
    }
    value_set(a, summary, "jobs", jobs);
    value_set(a, summary, "took", took_of(a, outcome, jobs));
    todo_add_failed(a, value_get(summary, "todo"), outcome, NULL);
    return summary;
}

static bool summary_all_seen(const struct value *summary)
{
    const struct value *machines = value_get(summary, "machines"), *left = value_get(summary, "left");

    for (size_t i = 0; i < value_count(machines); i++)
        if (str_eq(value_str_at(value_item(machines, i), "power"), "cannot be seen"))
            return false;
    for (size_t i = 0; i < value_count(left); i++)
        if (value_str_at(value_item(left, i), "seen") && !str_eq(value_str_at(value_item(left, i), "seen"), "there"))
            return false;
    return true;
}

/* Machines that are there and stand still: whoever reads "as declared" alone goes to bed. */
static size_t standing(const struct value *summary)
{
    const struct value *machines = value_get(summary, "machines");
    size_t n = 0;

    for (size_t i = 0; i < value_count(machines); i++)
        n += !str_eq_nocase(value_str_at(value_item(machines, i), "power"), "running");
    return n;
}

/* Orders of which no machine is there, nor its source healed. */
static bool nothing_back(const struct value *summary)
{
    const struct value *orders = value_get(summary, "orders");
    bool some = false;

    for (size_t i = 0; i < value_count(orders); i++)
        some =
            some || value_int_at(value_item(orders, i), "done", 0) || value_int_at(value_item(orders, i), "healed", 0);
    return value_count(orders) && !some;
}

const char *summary_verdict(struct arena *a, const struct value *summary)
{
    const char *selected = value_str_at(summary, "selected");

    if (!summary_all_seen(summary))
        return "All that could be seen is as declared.";
    if (nothing_back(summary))
        return "What is declared is as declared, and no machine that was ordered is back: see below.";
    if (standing(summary))
        return "What is declared is as declared, and not every machine runs: see below.";
    return value_count(value_get(summary, "still"))
               ? "What is declared is as declared, and a source VM stands still: see below."
           : selected
               ? arena_printf(a, "What %s is as declared; the rest is not judged here.", selected)
               : "Everything is as declared.";
}

/* --- as text ------------------------------------------------------------------------------------------------------ */

static void machines_write(struct text *out, const struct value *machines)
{
    for (size_t i = 0; i < value_count(machines); i++) {
        const struct value *m = value_item(machines, i);
        const char *set = value_str_at(m, "set"), *key = value_str_at(m, "key"), *power = value_str_at(m, "power");

        text_say(out, "  machine %s: %s%s, on %s%s%s%s\n", value_str_at(m, "id"),
                 str_eq(power, "cannot be seen") ? "whether it runs " : "", power,
                 set ? "set " : "no disk encryption set", set ? set : "", key ? ", key " : "", key ? key : "");
    }
}

static void orders_write(struct text *out, struct arena *a, const struct value *orders, bool selected)
{
    for (size_t i = 0; i < value_count(orders); i++) {
        const struct value *o = value_item(orders, i);
        int64_t machines = value_int_at(o, "machines", 0), before = value_int_at(o, "secondsBefore", 0),
                estimated = value_int_at(o, "estimatedSeconds", -1), healed = value_int_at(o, "healed", 0);

        text_say(out, "  order %s: %lld of %lld machine%s%s as declared", value_str_at(o, "order"),
                 (long long)value_int_at(o, "done", 0), (long long)machines, machines == 1 ? "" : "s",
                 selected ? " of those selected" : "");
        if (healed)
            text_say(out, ", of %lld the source VM runs again and nothing is restored", (long long)healed);
        text_say(out, ", %s after it was begun", duration_format(a, value_int_at(o, "seconds", 0) * SECOND_MS));
        if (before)
            text_say(out, " (%s of that before this run)", duration_format(a, before * SECOND_MS));
        if (estimated >= 0)
            text_say(out, "; about %s were foreseen%s", duration_format(a, estimated * SECOND_MS),
                     before ? " for the rest" : "");
        text_add_char(out, '\n');
    }
}

static const struct value *took_find(const struct value *took, const char *job)
{
    for (size_t i = 0; i < value_count(took); i++)
        if (str_eq(value_str_at(value_item(took, i), "job"), job))
            return value_item(took, i);
    return NULL;
}

static void jobs_write(struct text *out, struct arena *a, const struct value *jobs, const struct value *took)
{
    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i), *t = took_find(took, value_str_at(job, "id"));
        int64_t seconds = value_int_at(t, "seconds", 0), estimated = value_int_at(t, "estimatedSeconds", 0);
        const char *type = value_str_at(job, "type"), *end = value_str_at(job, "end");

        text_say(out, "  job %s (%s): %s", value_str_at(job, "id"), type ? type : "restore",
                 value_str_at(job, "state"));
        if (end)
            text_say(out, " at %s", end);
        if (t)
            text_say(out, "; %s %s", end ? "took" : "under way for", duration_format(a, seconds * SECOND_MS));
        if (estimated)
            text_say(out, ", about %s were foreseen", duration_format(a, estimated * SECOND_MS));
        if (str_eq(value_str_at(job, "state"), "running"))
            text_say(out, "; it runs on at Azure, and %s",
                     value_bool_at(job, "adopted", false) ? "the next run adopts it"
                     : value_str_at(job, "order")
                         ? arena_printf(a, "no run adopts it as things stand, although %s asked for it",
                                        value_str_at(job, "order"))
                         : "no run adopts it: no document here declares such a restore");
        text_add_char(out, '\n');
    }
}

static void left_write(struct text *out, const struct value *left)
{
    for (size_t i = 0; i < value_count(left); i++) {
        const struct value *one = value_item(left, i);
        const char *id = value_str_at(one, "id"), *what = value_str_at(one, "what"), *job = value_str_at(one, "job");
        const char *blob = value_str_at(one, "blob"), *seen = value_str_at(one, "seen"),
                   *keep = value_str_at(one, "keep"), *why = value_str_at(one, "why");
        bool claims = str_eq(what, "claims");

        if (!i)
            text_add(out,
                     "  Azure was left with (nothing is deleted by us; when the recovery is over a person does):\n");
        text_say(out, "    %s ", what);
        if (id)
            text_add(out, id);
        else
            text_say(out, "%s/%s%s%s", value_str_at(one, "account"), value_str_at(one, "container"), blob ? "/" : "",
                     blob ? blob : "");
        if (job)
            text_say(out, ", of job %s", job);
        if (seen && !str_eq(seen, "there"))
            text_add(out, ", whether it is still there cannot be seen");
        if (why)
            text_say(out, ": %s", why);
        text_say(out, "%s\n      %s\n", claims ? ": no secret in them, they are kept" : "",
                 keep ? keep : value_str_at(one, "command"));
    }
}

static void still_write(struct text *out, const struct value *still)
{
    for (size_t i = 0; i < value_count(still); i++) {
        const struct value *one = value_item(still, i);

        text_say(out, "  source VM %s stands still (%s); %s:\n    %s\n", value_str_at(one, "id"),
                 value_str_at(one, "power"), value_str_at(one, "why"), value_str_at(one, "command"));
    }
}

void summary_write(struct text *out, struct arena *a, const struct value *summary)
{
    const struct value *machines = value_get(summary, "machines"), *jobs = value_get(summary, "jobs"),
                       *left = value_get(summary, "left"), *todo = value_get(summary, "todo"),
                       *still = value_get(summary, "still"), *orders = value_get(summary, "orders");

    if (!value_count(orders) && !value_count(machines) && !value_count(jobs) && !value_count(left) &&
        !value_count(todo) && !value_count(still) && !value_get(summary, "again"))
        return;
    text_add(out, "\nAt the end\n");
    machines_write(out, machines);
    orders_write(out, a, orders, value_get(summary, "selected") != NULL);
    jobs_write(out, a, jobs, value_get(summary, "took"));
    left_write(out, left);
    if (value_str_at(summary, "leftOlder"))
        text_say(out, "  %s\n", value_str_at(summary, "leftOlder"));
    still_write(out, still);
    if (value_str_at(summary, "again"))
        text_say(out, "  What was blocked when this run began is blocked no longer; this does it: %s\n",
                 value_str_at(summary, "again"));
    for (size_t i = 0; i < value_count(todo); i++) {
        const char *next = value_str_at(value_item(todo, i), "next");

        text_add(out, i ? "" : "  A person still has to act:\n");
        text_say(out, "    %s: %s\n", value_str_at(value_item(todo, i), "document"),
                 value_str_at(value_item(todo, i), "why"));
        if (next)
            text_say(out, "      %s\n", next);
    }
}
