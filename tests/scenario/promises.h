/* What the program promises of every run, whatever the world: stated once, checked after each run of each scenario,
 * from what went over the wire, the journal, what was printed, and the world before and after. Knows Azure's addresses
 * and the documents; must not know why the program did what it did. A promise returns NULL, or a sentence that says
 * what broke it. */
#ifndef REINSTATE_TEST_PROMISES_H
#define REINSTATE_TEST_PROMISES_H

#include "../contract/rig.h"
#include "../invariants.h"
#include "../../reconciler/format/crypt.h"
#include "../../reconciler/model/policy_fields.h"
#include "promises_agree.h"
#include "promises_grants.h"

enum { FAILURES_MAX = 3, SECRET_PIECE = 40, SECRET_RUN_MIN = 200 };

/* --- promises of requests ----------------------------------------------------------------------------------------- */

static inline const char *promise_no_delete(const struct seen *s)
{
    for (size_t i = 0; i < value_count(s->exchanges); i++) {
        const struct value *e = value_item(s->exchanges, i);

        if (str_eq(sent_method(e), "DELETE") ||
            (!str_eq(sent_method(e), "GET") && str_find_nocase(sent_url(e), "/purge")))
            return arena_printf(s->arena, "%s %s was sent", sent_method(e), sent_url(e));
    }
    return NULL;
}

/* Who knows what a service allows is not refused for asking too often, unless the world's faults say so. */
static inline const char *promise_no_foreseeable_refusal(const struct seen *s)
{
    const struct value *faults = value_at(s->before, "spec.faults");
    size_t refused = 0;

    for (size_t i = 0; i < value_count(faults); i++)
        if (value_int_at(value_item(faults, i), "do.status", 0) == 429)
            return NULL;
    for (size_t i = 0; i < value_count(s->exchanges); i++)
        refused += value_int_at(value_item(s->exchanges, i), "status", 0) == 429;
    return refused ? arena_printf(s->arena, "%zu requests were refused because of too many", refused) : NULL;
}

static inline const char *promise_reads_only(const struct seen *s)
{
    if (str_eq(s->command, "apply") || str_eq(s->command, "watch"))
        return NULL;
    for (size_t i = 0; i < value_count(s->exchanges); i++) {
        const struct value *e = value_item(s->exchanges, i);

        if (!sent_to_read(e))
            return arena_printf(s->arena, "%s only reads, and sent %s %s", s->command, sent_method(e), sent_url(e));
    }
    return NULL;
}

/* Declared to be made, and not among the keys there were, in whatever state. */
static inline bool key_never_was(const struct seen *s, const char *url)
{
    const struct value *keys = value_at(s->before, "spec.keys");
    bool declared = false;

    for (size_t i = 0; i < value_count(s->documents); i++) {
        const struct value *doc = value_item(s->documents, i);
        const char *name = value_str_at(doc, "spec.keyName");

        declared = declared || (name && value_bool_at(doc, "spec.bootstrap", false) &&
                                str_find_nocase(url, arena_printf(s->arena, "/keys/%s/create", name)));
    }
    for (size_t i = 0; declared && i < value_count(keys); i++)
        if (str_find_nocase(url, arena_printf(s->arena, "/keys/%s/", value_str_at(value_item(keys, i), "name"))))
            return false;
    return declared;
}

/* A lost key comes back with its versions, or stays lost: one made anew opens nothing and takes the name. */
static inline const char *promise_no_key_made(const struct seen *s)
{
    for (size_t i = 0; i < value_count(s->exchanges); i++) {
        const struct value *e = value_item(s->exchanges, i);
        const char *url = sent_url(e), *method = sent_method(e);
        bool data = of_key_store(url) && str_find_nocase(url, "/keys/") && !str_find_nocase(url, "/providers/");
        bool made =
            data && (str_eq(method, "PUT") ||
                     (str_eq(method, "POST") && (str_find_nocase(url, "/create") || str_find_nocase(url, "/rotate"))));

        made = made || (str_eq(method, "PUT") && str_find_nocase(url, "/Microsoft.KeyVault/") &&
                        str_find_nocase(url, "/keys/") && !str_find_nocase(url, "/Microsoft.Authorization/"));
        if (made && !key_never_was(s, url))
            return arena_printf(s->arena, "%s %s makes a key", method, url);
    }
    return NULL;
}

static inline bool version_follows(const char *key_url)
{
    const char *last = key_url ? strrchr(key_url, '/') : NULL;

    return last && strspn(last + 1, "0123456789abcdefABCDEF") == 32;
}

static inline const char *promise_sets_pinned(const struct seen *s)
{
    for (size_t i = 0; i < value_count(s->exchanges); i++) {
        const struct value *e = value_item(s->exchanges, i), *p = value_at(e, "request_body.properties");
        const char *key = value_str_at(p, "activeKey.keyUrl");

        if (!str_find_nocase(sent_url(e), "/diskEncryptionSets/") || sent_to_read(e) ||
            str_find_nocase(sent_url(e), "/roleAssignments/"))
            continue;
        if (value_bool_at(p, "rotationToLatestKeyVersionEnabled", false) || (key && !version_follows(key)))
            return arena_printf(s->arena, "%s %s leaves the set on no version of its own (%s)", sent_method(e),
                                sent_url(e), key ? key : "-");
    }
    return NULL;
}

/* --- triggers ----------------------------------------------------------------------------------------------------- */

static inline bool job_among(const struct value *jobs, const char *name)
{
    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *one = value_item(jobs, i);

        if (str_eq(value_str(one) ? value_str(one) : value_str_at(one, "name"), name))
            return true;
    }
    return false;
}

static inline const char *set_of(const struct value *request)
{
    return value_str_at(request, "securedVMDetails.securedVMOsDiskEncryptionSetId");
}

/* Two requests that one order would send at most once: the same point of the same machine, to the same place. Disks on
 * two sets are two works. */
static inline bool same_work(const struct value *x, const struct value *y)
{
    static const char *const members[] = {"sourceResourceId", "recoveryPointId", "recoveryType",
                                          "targetVirtualMachineId", "targetResourceGroupId"};

    for (size_t i = 0; i < COUNT(members); i++) {
        const char *one = value_str_at(x, members[i]), *other = value_str_at(y, members[i]);

        if ((one || other) && !str_eq_nocase(one, other))
            return false;
    }
    return !set_of(y) || str_eq_nocase(set_of(x), set_of(y));
}

/* Disks without a set: what a pass that exports a key asks for. A restore that fails may leave a key behind as well. */
static inline bool is_pass(const struct value *request)
{
    return str_eq(value_str_at(request, "recoveryType"), "RestoreDisks") && !value_at(request, "securedVMDetails");
}

/* A restore that failed for what has passed (a grant that acted late) is tried again, a bounded number of times, and a
 * pass exports a key once. What runs or has ended well is never started again. */
static inline const char *promise_one_trigger(const struct seen *s)
{
    const struct value *jobs = value_at(s->after, "spec.jobs");

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *one = value_item(jobs, i), *request = value_at(one, "sim.request");
        size_t good = 0, failed = 0, exports = 0;

        if (!request || !job_among(s->triggers, value_str_at(one, "name")))
            continue;
        for (size_t k = 0; k < value_count(jobs); k++) {
            const struct value *other = value_item(jobs, k);
            bool ours = value_at(other, "sim.request") && job_among(s->triggers, value_str_at(other, "name")) &&
                        same_work(request, value_at(other, "sim.request"));
            bool bad = str_eq(value_str_at(other, "properties.status"), "Failed");

            good += ours && !bad;
            failed += ours && bad;
            exports += ours && is_pass(value_at(other, "sim.request")) && value_bool_at(other, "sim.exports", false);
        }
        if (good > 1 || failed > FAILURES_MAX || exports > 1)
            return arena_printf(s->arena, "%s of %s: %zu running or completed, %zu failed, %zu with an export",
                                value_str_at(request, "recoveryType"), value_str_at(request, "sourceResourceId"), good,
                                failed, exports);
    }
    return NULL;
}

/* --- how the world stands ----------------------------------------------------------------------------------------- */

/* What stands against documents of a world, by their index; NULL when it cannot be told. Faults of the wire are left
 * out: they would strike this look, too. */
struct standing {
    struct arena *arena;
    struct estate estate;
    struct rig *rig;
    struct pass *pass;
};

enum look_how { LOOK_PLAIN, LOOK_FAR, LOOK_NEAR };

static inline bool standing_look(const struct seen *s, const struct value *world, enum look_how how,
                                 struct standing *ret)
{
    struct value *still = value_copy(s->arena, world);
    const struct document **policies;
    struct diags diags;
    size_t n = 0;

    *ret = (struct standing){.arena = s->arena};
    diags_init(&diags, s->arena);
    value_remove(value_get(still, "spec"), "faults");
    ret->estate.desired = desired_resolve(s->arena, s->schemas, &all_naming, s->documents, &diags);
    if (diags.n_errors)
        return false;
    policies = arena_array(s->arena, const struct document *, ret->estate.desired->count + 1);
    for (size_t i = 0; i < ret->estate.desired->count; i++)
        if (str_eq(ret->estate.desired->documents[i]->kind, "Policy"))
            policies[n++] = ret->estate.desired->documents[i];
    ret->estate.policy = policy_compile(s->arena, policies, n, &all_rules, &diags);
    ret->rig = rig_new(still, &ret->estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    ret->rig->settings.far = how == LOOK_FAR;
    ret->rig->settings.near = how == LOOK_NEAR;
    ret->pass = pass_new(s->arena, ret->rig, ret->estate.desired, true);
    pass_run(ret->pass);
    return ret->pass->looked;
}

static inline void standing_release(struct standing *st)
{
    if (st->rig)
        rig_end(st->rig, st->arena);
    if (st->estate.policy)
        policy_free(st->estate.policy);
}

/* --- what is said ------------------------------------------------------------------------------------------------- */

/* A trigger, a repair: whatever the service took and that changes something there. */
static inline const char *write_taken(const struct seen *s)
{
    for (size_t i = 0; i < value_count(s->exchanges); i++) {
        const struct value *e = value_item(s->exchanges, i);

        if (!sent_to_read(e) && taken(e) && !str_find_nocase(sent_url(e), "/listKeys"))
            return arena_printf(s->arena, "%s %s", sent_method(e), sent_url(e));
    }
    return NULL;
}

/* As the world's author writes it, or as the instance view of a world that was left says it. */
static inline const char *power_seen(const struct value *vm)
{
    const struct value *all = value_at(vm, "properties.instanceView.statuses");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_starts_nocase(value_str_at(value_item(all, i), "code"), "PowerState/"))
            return value_str_at(value_item(all, i), "code") + strlen("PowerState/");
    return value_str_at(vm, "powerState");
}

static inline const char *power_of(const struct value *world, const char *group, const char *vm)
{
    const struct value *all = value_at(world, "spec.resources");

    for (size_t i = 0; i < value_count(all); i++) {
        const char *id = value_str_at(value_item(all, i), "id"), *last = id ? strrchr(id, '/') : NULL;

        if (last && str_eq_nocase(last + 1, vm) && str_find_nocase(id, "/virtualMachines/") &&
            str_find_nocase(id, "/resourceGroups/") &&
            str_starts_nocase(str_find_nocase(id, "/resourceGroups/") + 16, group))
            return power_seen(value_item(all, i));
    }
    return NULL;
}

/* A machine that is there and off: a restored one that is declared to run, or a source that no order speaks of. */
static inline const char *machine_stands(const struct seen *s)
{
    bool ordered = false;

    for (size_t i = 0; i < value_count(s->documents); i++)
        ordered |= str_eq(value_str_at(value_item(s->documents, i), "kind"), "Activation");
    for (size_t i = 0; i < value_count(s->documents); i++) {
        const struct value *doc = value_item(s->documents, i), *spec = value_get(doc, "spec");
        bool restored = str_eq(value_str_at(doc, "kind"), "RestoredVirtualMachine"),
             source = str_eq(value_str_at(doc, "kind"), "ProtectedVirtualMachine") && !ordered;
        const struct value *place = restored ? value_get(spec, "target") : source ? value_get(spec, "source") : NULL;
        const char *group = value_str_at(place, "resourceGroup"), *name = value_str_at(place, "name");
        const char *wanted = restored ? value_str_at(spec, "verify.powerState") : NULL, *power;

        if (!group || !name || (wanted && !str_eq(wanted, "running")))
            continue;
        power = power_of(s->after, group, name);
        if (power && !str_eq(power, "running"))
            return arena_printf(s->arena, "%s is %s", name, power);
    }
    return NULL;
}

/* Is there one that is blocked, or that is still to be made as declared? */
static inline const char *document_undone(const struct seen *s, const struct standing *after)
{
    const struct desired *d = after->estate.desired;

    for (size_t i = 0; i < d->count; i++)
        if (after->pass->look.view.conclusions[i].verdict != PROSPECT_SATISFIED)
            return arena_printf(s->arena, "%s is %s", d->documents[i]->address,
                                prospect_name(after->pass->look.view.conclusions[i].verdict));
    return NULL;
}

static inline const char *promise_last_lines(const struct seen *s)
{
    const char *broken = NULL;
    struct standing after = {0};
    bool nothing = false, all_well = false;

    if (s->killed)
        return NULL;
    for (size_t i = 2; s->texts[i]; i++) {
        nothing |= str_find_nocase(s->texts[i], "nothing was done") != NULL;
        all_well |= strstr(s->texts[i], "Everything is as declared.") != NULL;
    }
    if (nothing && write_taken(s))
        return arena_printf(s->arena, "\"Nothing was done\" after %s", write_taken(s));
    if (!all_well)
        return NULL;
    if (s->code)
        return arena_printf(s->arena, "\"Everything is as declared.\" beside exit %d", s->code);
    if (machine_stands(s))
        return arena_printf(s->arena, "\"Everything is as declared.\" while %s", machine_stands(s));
    if (standing_look(s, s->after, LOOK_PLAIN, &after))
        broken = document_undone(s, &after);
    standing_release(&after);
    return broken ? arena_printf(s->arena, "\"Everything is as declared.\" while %s", broken) : NULL;
}

/* Whoever reads at night pastes what is printed: a command names its manifests. */
static inline const char *promise_commands_whole(const struct seen *s)
{
    for (size_t i = 2; s->texts[i]; i++) {
        const char *at = strstr(s->texts[i], "-f ...");

        if (at)
            return arena_printf(s->arena, "a command names no manifests: \"%.60s\"",
                                at - (at - s->texts[i] < 30 ? at - s->texts[i] : 30));
    }
    return NULL;
}

#include "promises_secrets.h"
#include "promises_looks.h"

/* --- blocked documents -------------------------------------------------------------------------------------------- */

/* A write whose step relies on a document that was blocked before the run and is blocked after it. */
static inline const char *dependent_write(const struct seen *s, const struct standing *before,
                                          const struct standing *after)
{
    struct view v = before->pass->look.view;
    const struct desired *d = before->estate.desired;
    struct conclusion *both = arena_array(s->arena, struct conclusion, d->count + 1);

    for (size_t i = 0; i < d->count; i++)
        if (v.conclusions[i].block && after->pass->look.view.conclusions[i].block)
            both[i] = v.conclusions[i];
    v.conclusions = both;
    for (size_t i = 0; i < value_count(s->journal); i++) {
        const struct value *line = value_item(s->journal, i);
        const char *id = value_str_at(line, "step"), *hash = id ? strchr(id, '#') : NULL;
        struct step step = {.id = id, .action = ACTION_GRANT};
        struct steps steps = {0};
        const char *broken;

        if (!str_eq(value_str_at(line, "event"), "request") || !hash ||
            str_ends_nocase(value_str_at(line, "url"), "/listKeys"))
            continue;
        for (size_t k = 0; k < d->count; k++)
            if (str_eq(d->documents[k]->address, arena_strndup(s->arena, id, (size_t)(hash - id))))
                step.document = d->documents[k];
        if (!step.document)
            continue;
        steps.items = (struct step *[]){&step};
        steps.count = 1;
        broken = invariant_blocked_holds(s->arena, &v, &steps);
        if (broken)
            return arena_printf(s->arena, "%s %s was sent: %s", value_str_at(line, "method"), value_str_at(line, "url"),
                                broken);
    }
    return NULL;
}

static inline const char *promise_blocked_holds(const struct seen *s)
{
    struct standing before, after = {0};
    const char *broken = NULL;

    if (!value_count(s->journal))
        return NULL;
    if (standing_look(s, s->before, LOOK_PLAIN, &before) && standing_look(s, s->after, LOOK_PLAIN, &after))
        broken = dependent_write(s, &before, &after);
    standing_release(&before);
    standing_release(&after);
    return broken;
}

/* --- one answer --------------------------------------------------------------------------------------------------- */

/* Of each world that a command which only looks was asked about. */
static inline const char *promise_answers_agree(const struct seen *s)
{
    static const char *const asking[] = {"plan", "drift", "forecast", "activate", "impact", "runbook"};
    struct standing now = {0};
    const char *broken = NULL;
    bool asked = false;

    for (size_t i = 0; i < COUNT(asking); i++)
        asked = asked || str_eq(s->command, asking[i]);
    if (asked && standing_look(s, s->before, LOOK_FAR, &now))
        broken = answers_agree(s->arena, now.rig, &now.pass->look);
    standing_release(&now);
    return broken;
}

/* --- near and whole ----------------------------------------------------------------------------------------------- */

static inline const struct step *difference_next(const struct standing *st, size_t *at)
{
    const struct steps *steps = &st->pass->look.plan->steps;

    while (*at < steps->count && steps->items[*at]->action == ACTION_NONE)
        ++*at;
    return *at < steps->count ? steps->items[(*at)++] : NULL;
}

static inline const char *differences_differ(const struct seen *s, const struct standing *whole,
                                             const struct standing *near)
{
    size_t at = 0, at_near = 0;

    for (;;) {
        const struct step *x = difference_next(whole, &at), *y = difference_next(near, &at_near);

        if (!x && !y)
            return NULL;
        if (!x || !y || !str_eq(x->id, y->id) || x->action != y->action || !str_eq(x->scenario, y->scenario) ||
            x->unseen != y->unseen || !x->next != !y->next)
            return arena_printf(s->arena, "a whole look shows %s (%s), a near one %s (%s)", x ? x->id : "no more",
                                x ? x->reason : "", y ? y->id : "no more", y ? y->reason : "");
    }
}

/* What drift leaves unread hides no difference: of the world before and after the run. */
static inline const char *promise_near_is_whole(const struct seen *s)
{
    const struct value *const worlds[] = {s->before, s->after};
    const char *broken = NULL;

    for (size_t i = 0; i < COUNT(worlds) && !broken && !policy_fields_of_facts(s->documents, s->arena); i++) {
        struct standing whole = {0}, near = {0};

        if (worlds[i] && standing_look(s, worlds[i], LOOK_PLAIN, &whole) &&
            standing_look(s, worlds[i], LOOK_NEAR, &near))
            broken = differences_differ(s, &whole, &near);
        standing_release(&whole);
        standing_release(&near);
    }
    return broken;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static const struct promise {
    const char *name; /* what a scenario excepts it by */
    const char *(*broken)(const struct seen *s);
} promises[] = {
    {"no-delete", promise_no_delete},     {"reads-only", promise_reads_only}, {"no-key-made", promise_no_key_made},
    {"sets-pinned", promise_sets_pinned}, {"grants", promise_grants},         {"one-trigger", promise_one_trigger},
    {"answers-agree", promise_answers_agree}, {"no-foreseeable-429", promise_no_foreseeable_refusal},
    {"last-lines", promise_last_lines},   {"no-secret", promise_no_secret},   {"blocked-holds", promise_blocked_holds},
    {"commands-whole", promise_commands_whole}, {"looks-are-fresh", promise_looks_are_fresh},
    {"near-is-whole", promise_near_is_whole},
};

#endif
