/* The contract at the head of reconciler/kind.h, tried on every row of the table of kinds, against the simulated Azure
 * in this process. Knows the engine and the table; must not know what any one kind does: what is expected of all is
 * expected of each. Contract 5 is not tried here: it is a matter of what a kind includes, and lint looks at that. */
#include "../harness.h"
#include "../invariants.h"
#include "rig.h"

#define ACCESS_POLICIES "tests/contract/access-policies"
#define MANAGED_HSM "tests/contract/managed-hsm"
#define PROTECTION "tests/contract/protection"

enum { SAMPLE = 48 };

struct setting {
    const char *folder;
    /* Jobs there must be in the end, however often it was interrupted. */
    size_t exports, restores, replacements, protections;
    bool person_starts;             /* the source heals and stands still: whoever looks again says so, for a person */
    struct arena *arena;
    struct estate estate;
    const struct value *world;
    const char *end;                /* what an uninterrupted run leaves */
    size_t requests;
    bool *writes;                   /* by the number of the request, from 1 */
};

static struct schemas *schemas;

#include "worlds.h"
#include "withheld.h"

/* --- 1: observe never writes -------------------------------------------------------------------------------------- */

/* Everything but the clock and the simulator's own notes (tokens, counters). */
static void check_unchanged(const struct value *before, const struct value *after)
{
    const struct value *spec = value_get(after, "spec");

    for (size_t i = 0; i < value_count(spec); i++) {
        const struct member *m = &spec->map.members[i];

        const struct value *was = value_get(value_get(before, "spec"), m->key);

        /* A list that is asked for is made, empty. */
        if (!str_eq(m->key, "now") && !str_eq(m->key, "state"))
            CHECK_ROW(m->key, value_equal(m->value, was) ||
                                  (!was && value_is(m->value, VALUE_LIST) && value_count(m->value) == 0));
    }
    CHECK(writes_of(after) == 0);
}

static void test_observe(const struct setting *s, bool *observed)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    struct pass *p = pass_new(a, r, s->estate.desired, true);
    const struct value *before = sim_world(a, r->sim);

    pass_run(p);
    CHECK_ROW(s->folder, p->looked);
    for (size_t i = 0; p->looked && i < s->estate.desired->count; i++)
        for (size_t k = 0; k < all_kinds.count; k++)
            if (str_eq(all_kinds.items[k]->name, s->estate.desired->documents[i]->kind) &&
                all_kinds.items[k]->observe) {
                CHECK_ROW(s->estate.desired->documents[i]->address, value_is(p->look.facts[i], VALUE_MAP));
                observed[k] = true;
            }
    check_unchanged(before, rig_end(r, a));
}

/* --- 2: steps is a function --------------------------------------------------------------------------------------- */

static struct steps *steps_of(struct arena *a, struct view view)
{
    struct steps *steps = arena_new_of(a, struct steps);

    steps->arena = a;
    view.arena = a;
    view.steps = steps;
    for (size_t i = 0; i < view.desired->count; i++)
        for (size_t k = 0; k < all_kinds.count; k++)
            if (str_eq(all_kinds.items[k]->name, view.desired->documents[i]->kind) && all_kinds.items[k]->steps)
                all_kinds.items[k]->steps(&view, view.desired->documents[i], steps);
    return steps;
}

static void test_steps(const struct setting *s)
{
    struct arena *a cleanup(arena_freep) = arena_new(), *other cleanup(arena_freep) = arena_new();
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    struct pass *p = pass_new(a, r, s->estate.desired, true);
    struct steps *once, *again;
    struct value **facts;

    pass_run(p);
    facts = arena_array(a, struct value *, s->estate.desired->count + 1);
    for (size_t i = 0; i < s->estate.desired->count; i++)
        facts[i] = value_copy(a, p->look.facts[i]);
    once = steps_of(a, p->look.view);
    again = steps_of(other, p->look.view);
    CHECK(once->count > 0 && once->count == again->count);
    for (size_t i = 0; i < once->count && i < again->count; i++)
        CHECK_ROW(once->items[i]->id, str_eq(json_of(a, step_to_value(a, once->items[i])),
                                             json_of(a, step_to_value(other, again->items[i]))));
    for (size_t i = 0; i < s->estate.desired->count; i++)
        CHECK_ROW(s->estate.desired->documents[i]->address, value_equal(facts[i], p->look.facts[i]));
    rig_end(r, a);
}

/* --- a blocked document holds up all that relies on it ------------------------------------------------------------ */

/* Each document in its turn cannot be seen: whatever else the world holds, nothing is written that relies on it. */
static void test_blocked(const struct setting *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    struct pass *p = pass_new(a, r, s->estate.desired, true);
    size_t blocked = 0;

    pass_run(p);
    for (size_t i = 0; p->looked && i < s->estate.desired->count; i++) {
        struct value **facts = arena_array(a, struct value *, s->estate.desired->count + 1);
        struct view view = p->look.view;
        const struct plan *plan = NULL;
        struct err err = {0};
        const char *broken;

        memcpy(facts, p->look.facts, sizeof(*facts) * (s->estate.desired->count + 1));
        if (facts[i])
            facts[i] = value_map(a);
        view.facts = (const struct value *const *)facts;
        CHECK_ROW(s->estate.desired->documents[i]->address, engine_conclude(&r->engine, a, &view, &plan, &err) == 0);
        blocked += view.conclusions[i].verdict == PROSPECT_BLOCKED;
        broken = plan ? invariants_of_plan(a, &view, &plan->steps) : "no plan";
        broken = broken ? broken : invariant_alone(a, &r->engine, &view, plan);
        CHECK_ROW(broken ? broken : "", !broken);
    }
    CHECK(blocked > 0);
    rig_end(r, a);
}

/* --- 3: act twice equals act once --------------------------------------------------------------------------------- */

/* A second look, in the same life, asks no kind to write. */
static void check_settled(const struct setting *s, struct rig *r, const char *when)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct pass *p = pass_new(a, r, s->estate.desired, true);

    pass_run(p);
    CHECK_ROW(when, p->looked);
    for (size_t k = 0; p->looked && k < all_kinds.count; k++)
        CHECK_ROW(all_kinds.items[k]->name, writing_steps(p->look.plan, all_kinds.items[k]->name) == 0);
}

static bool ended_well(const struct setting *s, const struct outcome *o)
{
    int code = engine_exit_code(o);

    return code == 0 || (s->person_starts && o->failed == 0 && o->skipped == 0 && o->blocked == 1);
}

static void mark_exercised(const struct outcome *outcome, bool *exercised)
{
    for (size_t i = 0; i < outcome->count; i++)
        for (size_t k = 0; k < all_kinds.count; k++)
            exercised[k] |= outcome->steps[i].state == STEP_DONE && action_writes(outcome->steps[i].step->action) &&
                            str_eq(all_kinds.items[k]->name, outcome->steps[i].step->document->kind);
}

static void test_act(struct setting *s, bool *exercised)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_WRITING}), *stale;
    struct pass *p = pass_new(a, r, s->estate.desired, false), *q;
    const struct value *world, *again;

    pass_run(p);
    CHECK_ROW(s->folder, p->acted && engine_exit_code(&p->outcome) == 0 && p->outcome.writes_taken > 0);
    mark_exercised(&p->outcome, exercised);
    s->requests = r->requests;
    s->writes = arena_array(s->arena, bool, s->requests + 2);
    for (size_t n = 1; n <= s->requests; n++)
        s->writes[n] = n < COUNT(r->writes) && r->writes[n];
    check_settled(s, r, s->folder);
    world = rig_end(r, a);
    s->end = world_end(s->arena, world);
    check_jobs(s, s->folder, world);

    /* A plan that is carried out a second time finds every postcondition there, and writes nothing. */
    stale = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_WRITING});
    q = pass_new(a, stale, s->estate.desired, false);
    q->twice = true;
    pass_run(q);
    again = rig_end(stale, a);
    CHECK_ROW(s->folder, q->acted && engine_exit_code(&q->second) == 0 && q->second.writes_taken == 0);
    CHECK_ROW(s->folder, writes_of(again) == writes_of(world));
    CHECK_STR(world_end(a, again), s->end);
}

static void test_exercised(const bool *observed, const bool *exercised)
{
    /* These have no writing step at all: they are looked at, or they steer others. */
    static const char *const never[] = {"Azure", "Policy", "RecoveryServicesVault", "Activation"};

    for (size_t k = 0; k < all_kinds.count; k++) {
        const char *name = all_kinds.items[k]->name;
        bool expected = true;

        for (size_t i = 0; i < COUNT(never); i++)
            expected = expected && !str_eq(name, never[i]);
        CHECK_ROW(name, exercised[k] == expected);
        CHECK_ROW(name, observed[k] == (all_kinds.items[k]->observe != NULL));
        if (!exercised[k])
            printf("%s: never writes in any of the worlds\n", name);
    }
}

/* --- 4: what nobody declared stays -------------------------------------------------------------------------------- */

static const struct value *policy_of(const struct value *vault, const char *object_id)
{
    const struct value *all = value_at(vault, "properties.accessPolicies");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "objectId"), object_id))
            return value_item(all, i);
    return NULL;
}

static bool permits(const struct value *policy, const char *what, const char *permission)
{
    const struct value *all = value_at(policy, what);

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str(value_item(all, i)), permission))
            return true;
    return false;
}

static void test_undeclared(const struct setting *s)
{
    static const struct { const char *of, *what, *permission, *reason;
    } kept[] = {
        {"a2", "permissions.keys", "get", "somebody's policy stays"},
        {"a2", "permissions.secrets", "list", "somebody's rights to secrets stay"},
        {"0d", "permissions.keys", "encrypt", "surplus of a principal that is granted more stays"},
        {"0d", "permissions.secrets", "get", "its rights to secrets stay"},
        {"0d", "permissions.keys", "backup", "what it lacked was added"},
        {"a1", "permissions.keys", "list", "the new principal has a policy of its own"},
        {"0a", "permissions.keys", "all", "our own policy stays"},
    };
    struct arena *a cleanup(arena_freep) = arena_new();
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_WRITING});
    struct pass *p = pass_new(a, r, s->estate.desired, false);
    const struct value *world, *vault, *set;

    pass_run(p);
    world = rig_end(r, a);
    vault = resource_of(world, "/vaults/kv-ledger");
    set = resource_of(world, "/diskEncryptionSets/des-ledger");
    CHECK_STR(value_str_at(set, "tags.owner"), "ledger-team");
    CHECK_STR(value_str_at(set, "identity.principalId"), "0f0f0f0f-0000-4000-8000-00000000000e");
    CHECK(!value_bool_at(set, "properties.rotationToLatestKeyVersionEnabled", true));
    CHECK_STR(value_str_at(vault, "tags.costCentre"), "42");
    CHECK_STR(value_str_at(vault, "properties.sku.name"), "premium");
    CHECK(value_bool_at(vault, "properties.enablePurgeProtection", false));
    CHECK(value_int_at(vault, "properties.softDeleteRetentionInDays", 0) == 7);
    for (size_t i = 0; i < COUNT(kept); i++) {
        const struct value *policy =
            policy_of(vault, arena_printf(a, "0f0f0f0f-0000-4000-8000-0000000000%s", kept[i].of));

        CHECK_ROW(kept[i].reason, permits(policy, kept[i].what, kept[i].permission));
    }
    /* The two that were there, and the one that is declared. */
    CHECK(value_count(list_of(world, "roleAssignments")) == value_count(list_of(s->world, "roleAssignments")) + 1);
    CHECK_STR(value_str_at(world, "spec.roleAssignments.1.scope"),
              value_str_at(s->world, "spec.roleAssignments.1.scope"));
}

/* --- 6: outputs are untouched on failure -------------------------------------------------------------------------- */

struct failing {
    struct pass *pass;
    size_t failed;
};

static void failing_task(struct call *c, void *arg)
{
    struct failing *f = arg;
    struct pass *p = f->pass;

    pass_task(c, p);
    sched_cancel_all(p->rig->sched);
    for (size_t i = 0; p->looked && i < p->desired->count; i++)
        for (size_t k = 0; k < all_kinds.count; k++) {
            const struct kind *kind = all_kinds.items[k];
            struct observer o = {.arena = p->arena, .view = &p->look.view, .document = p->desired->documents[i],
                                 .provider = &p->rig->connections};
            struct value untouched, *ret = &untouched;
            int rc;

            if (!kind->observe || !str_eq(kind->name, o.document->kind))
                continue;
            /* From here on no request is answered; a kind that asks nothing succeeds all the same. */
            rc = kind->observe(c, &o, &ret, &p->err);
            CHECK_ROW(o.document->address,
                      rc < 0 ? ret == &untouched && p->err.class == ERR_CANCELLED : ret != &untouched);
            f->failed += rc < 0;
        }
}

static void test_failing(const struct setting *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct rig *r = rig_new(s->world, &s->estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    struct failing f = {.pass = pass_new(a, r, s->estate.desired, true)};

    sched_main(r->sched, failing_task, &f);
    CHECK_ROW(s->folder, f.failed > 2);
    rig_end(r, a);
}

/* --- 7 and 8: interrupted anywhere, the next pass ends where an uninterrupted one does ---------------------------- */

struct blow {
    const char *name;
    enum stop stop;
    const char *fault;              /* JSON of a fault's `do`, when it is the world that strikes */
};

/* The claim that a run leaves to a person, and who takes it over; NULL: none. */
static const struct value *claim_left(struct arena *a, const struct pass *p)
{
    static const char option[] = "--take-over ";

    for (size_t i = 0; p->acted && i < p->outcome.count; i++) {
        const char *at = strstr(p->outcome.steps[i].err.text, option);
        struct value *taken = value_map(a);

        if (!at)
            continue;
        at += strlen(option);
        value_set_string(a, taken, arena_strndup(a, at, strcspn(at, "=")), "A. Person");
        return taken;
    }
    return NULL;
}

/* The next run; where it leaves a claim that names no job to a person, the one after he has looked. */
static struct pass *run_on(struct arena *a, const struct setting *s, const struct value *world)
{
    const struct value *taken = NULL;

    for (int times = 0;; times++) {
        struct pass *p = pass_new(a, rig_new(world, &s->estate, (struct rig_options){.mode = HTTP_WRITING}),
                                  s->estate.desired, false);

        p->rig->settings.take_over = taken;
        pass_run(p);
        taken = claim_left(a, p);
        if (!taken || times == 2)
            return p;
        world = rig_end(p->rig, a);
    }
}

/* One run that is struck at request n, and one that is not. */
static void strike(const struct setting *s, const struct blow *blow, size_t n)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *when = arena_printf(a, "%s: %s at request %zu", s->folder, blow->name, n), *end;
    const struct value *world = s->world;
    struct rig_options how = {.mode = HTTP_WRITING, .never_repeat = true, .stop = blow->stop, .at = n};
    struct pass *first, *second;
    struct value *todo;
    struct err err;

    if (blow->fault) {
        if (json_parse(a, blow->fault, strlen(blow->fault), &todo, &err) < 0)
            exit(2);
        world = world_with_fault(a, world, todo, n);
    }
    first = pass_new(a, rig_new(world, &s->estate, how), s->estate.desired, false);
    pass_run(first);
    if (blow->stop != STOP_NEVER)
        CHECK_ROW(when, !first->acted && first->err.class == ERR_CANCELLED);
    world = rig_end(first->rig, a);
    second = run_on(a, s, world);
    CHECK_ROW(when, second->acted && ended_well(s, &second->outcome));
    if (!second->acted || engine_exit_code(&second->outcome))
        for (size_t i = 0; second->acted && i < second->outcome.count; i++)
            if (second->outcome.steps[i].err.class != ERR_NONE)
                fprintf(stderr, "    %s: %s\n", second->outcome.steps[i].step->id, second->outcome.steps[i].err.text);
    check_settled(s, second->rig, when);
    world = rig_end(second->rig, a);
    check_jobs(s, when, world);
    end = world_end(a, world);
    CHECK_ROW(when, str_eq(end, s->end));
    if (!str_eq(end, s->end))
        fprintf(stderr, "--- expected\n%s--- got\n%s", s->end, end);
}

/* Away from the writes a blow strikes one request in `sample`, each blow others. A write is struck by all, the request
 * behind it by half of them. REINSTATE_SAMPLE=1 strikes everywhere (minutes), 0 nowhere. */
static bool chosen(const struct setting *s, size_t blow, size_t n, size_t sample)
{
    return (n + blow * 8) % sample == 0 || s->writes[n] || (s->writes[n - 1] && blow % 2 == 0);
}

static void test_struck(const struct setting *settings, size_t n_settings, size_t sample)
{
    static const struct blow blows[] = {
        {"cancelled with the answer on its way", STOP_ANSWER_IN_FLIGHT, NULL},
        {"cancelled after the answer", STOP_ANSWER_SEEN, NULL},
        {"500", STOP_NEVER, "{\"status\": 500}"},
        {"429", STOP_NEVER, "{\"status\": 429, \"retryAfter\": 7}"},
        {"reset before it was taken", STOP_NEVER, "{\"reset\": \"before\"}"},
        {"reset after it was taken", STOP_NEVER, "{\"reset\": \"after\"}"},
    };

    for (size_t i = 0; i < n_settings; i++)
        for (size_t b = 0; b < COUNT(blows); b++) {
            size_t struck = 0;

            for (size_t n = 1; n <= settings[i].requests; n++)
                if (chosen(&settings[i], b, n, sample)) {
                    strike(&settings[i], &blows[b], n);
                    struck++;
                }
            printf("%s: %s: %zu of %zu requests\n", settings[i].folder, blows[b].name, struck, settings[i].requests);
        }
}

int main(void)
{
    struct setting settings[] = {
        {.folder = "examples/01-lost-key", .exports = 1, .restores = 1},
        {.folder = "examples/02-deleted-key", .person_starts = true},
        {.folder = ACCESS_POLICIES},
        {.folder = MANAGED_HSM},
        {.folder = "examples/03-lost-hsm-key", .exports = 1, .restores = 1},
        {.folder = PROTECTION, .restores = 1, .replacements = 1, .protections = 2},
    };
    bool observed[64] = {false}, exercised[64] = {false}, withheld[64] = {false};
    const char *sample = getenv("REINSTATE_SAMPLE");
    struct err err;

    if (all_kinds.count > COUNT(observed) || schemas_new(schema_files, &schemas, &err) < 0)
        return 2;
    for (size_t i = 0; i < COUNT(settings); i++) {
        setting_load(&settings[i]);
        test_observe(&settings[i], observed);
        test_steps(&settings[i]);
        test_blocked(&settings[i]);
        test_withheld(&settings[i], withheld);
        test_failing(&settings[i]);
        test_act(&settings[i], exercised);
    }
    test_exercised(observed, exercised);
    test_withholding(withheld);
    test_undeclared(&settings[2]);
    if (sample && strtoul(sample, NULL, 10) == 0)
        printf("nothing is struck: REINSTATE_SAMPLE=%s\n", sample);
    else
        test_struck(settings, COUNT(settings), sample ? strtoul(sample, NULL, 10) : SAMPLE);
    for (size_t i = 0; i < COUNT(settings); i++)
        setting_release(&settings[i]);
    schemas_free(schemas);
    HARNESS_END();
}
