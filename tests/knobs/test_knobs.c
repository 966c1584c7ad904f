/* Every setting of the simulated Azure, on several stories: whatever of Microsoft's open questions is answered which
 * way, a story reaches its declared end, or stops where stories.yaml says that it may, with the words it says there.
 * Knows the engine and the names of settings; must not know what any of them means.
 *
 * stories.yaml, one document a story:
 *   story     its name
 *   scenario  the scenario of tests/scenario whose example, world and manifests it begins with; or `example` alone
 *   world / manifests   further edits (tests/edits.h)
 *   vm        suffix of the id of a VM that runs in the end; without it none is restored
 *   restless  true: a run that stops has tried something all the same, which leaves no trace in Azure by which to know
 *   stops     {SETTING=VALUE: words}: under this setting it does not reach the end, and its blocked or failed step says
 * these words. Whoever stops says so every time: a setting that has been mended has to be taken off. `always` stands
 * for every setting; beside it {SETTING=VALUE: ""} is one under which the end is reached all the same.
 *
 * Checked of each: at most one pass that left a key, one restore to a new VM that completed, and three jobs of a kind;
 * no request that a step had not announced; a run after a story has ended writes nothing, and one that does not end
 * comes to rest within a few runs: then it says the words. One setting at a time, and pairs of them as REINSTATE_SAMPLE
 * says (0: the defaults alone; a number: one pair in so many). An argument is the name of the one story
 * to be played. */
#include "../edits.h"
#include "../contract/rig.h"
#include "../harness.h"

enum { SAMPLE = 160, JOBS_MAX = 3, LIVES_MAX = 5 };

struct story {
    const char *name, *vm;
    bool restless;
    const struct value *world, *stops;
    struct estate estate;
};

struct setting {
    const char *name, *value;
};

static struct schemas *schemas;

/* --- stories ------------------------------------------------------------------------------------------------------ */

static const struct policy *policies_of(struct arena *a, const struct desired *d, struct diags *diags)
{
    const struct document **policies = arena_array(a, const struct document *, d->count + 1);
    size_t n = 0;

    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "Policy"))
            policies[n++] = d->documents[i];
    return policy_compile(a, policies, n, &all_rules, diags);
}

static void need(bool ok, const char *story, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "stories.yaml: %s: %s\n", story, what);
    exit(2);
}

static struct story story_load(struct arena *a, const struct value *told)
{
    struct story s = {.name = value_str_at(told, "story"), .vm = value_str_at(told, "vm"),
                      .restless = value_bool_at(told, "restless", false), .stops = value_get(told, "stops")};
    const char *from = value_str_at(told, "scenario");
    const struct value *scenario =
        from ? value_item(yaml_read(a, arena_printf(a, "tests/scenario/%s.yaml", from)), 0) : told;
    struct value *world,
        *docs = example_read(a, arena_printf(a, "examples/%s", value_str_at(scenario, "example")), &world);
    const char *unfit = edit_world(a, world, value_get(scenario, "world"));
    struct diags diags;

    diags_init(&diags, a);
    unfit = unfit ? unfit : edit_documents(a, docs, value_get(scenario, "manifests"));
    if (from) {
        unfit = unfit ? unfit : edit_world(a, world, value_get(told, "world"));
        unfit = unfit ? unfit : edit_documents(a, docs, value_get(told, "manifests"));
    }
    need(!unfit, s.name, unfit);
    schema_check(schemas, "World.json", world, &diags);
    s.world = world;
    s.estate.desired = desired_resolve(a, schemas, &all_naming, docs, &diags);
    need(diags.n_errors == 0, s.name, diags.n_errors ? diag_format(a, &diags.items[0]) : "");
    s.estate.policy = policies_of(a, s.estate.desired, &diags);
    return s;
}

/* --- what is looked at in the end --------------------------------------------------------------------------------- */

static size_t jobs_with(const struct value *world, const char *type, const char *status)
{
    const struct value *jobs = value_at(world, "spec.jobs");
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);

        n += str_eq(value_str_at(job, "sim.request.recoveryType"), type) &&
             (!status || str_eq(value_str_at(job, "properties.status"), status));
    }
    return n;
}

/* Restores of disks that named no set and left a key: those that name one are restores of disks, which may fail for a
 * right and leave it as well. */
static size_t export_passes(const struct value *world)
{
    const struct value *jobs = value_at(world, "spec.jobs");
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++)
        n += str_eq(value_str_at(value_item(jobs, i), "sim.request.recoveryType"), "RestoreDisks") &&
             !value_at(value_item(jobs, i), "sim.request.securedVMDetails") &&
             value_bool_at(value_item(jobs, i), "sim.exports", false);
    return n;
}

static bool vm_runs(const struct value *world, const char *suffix)
{
    const struct value *all = value_at(world, "spec.resources");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *statuses = value_at(value_item(all, i), "properties.instanceView.statuses");

        if (!str_ends_nocase(value_str_at(value_item(all, i), "id"), suffix))
            continue;
        for (size_t k = 0; k < value_count(statuses); k++)
            if (str_eq_nocase(value_str_at(value_item(statuses, k), "code"), "PowerState/running"))
                return true;
    }
    return false;
}

/* One life of the program. */
struct life {
    int code;
    size_t writes;
    const char *said;               /* everything that was blocked or failed */
    const struct value *world;
};

static void said_of(struct text *t, const struct pass *p)
{
    for (size_t i = 0; p->looked && i < p->look.plan->steps.count; i++)
        if (p->look.plan->steps.items[i]->action == ACTION_BLOCKED)
            text_printf(t, "%s: %s; next: %s\n", p->look.plan->steps.items[i]->id, p->look.plan->steps.items[i]->reason,
                        p->look.plan->steps.items[i]->next ? p->look.plan->steps.items[i]->next : "");
    for (size_t i = 0; p->acted && i < p->outcome.count; i++)
        if (p->outcome.steps[i].err.class != ERR_NONE)
            text_printf(t, "%s: %s\n", p->outcome.steps[i].step->id, p->outcome.steps[i].err.text);
    if (!p->acted)
        text_printf(t, "%s\n", p->err.text);
}

static struct life live(struct arena *a, const struct story *s, const struct value *world)
{
    static const struct approval approvals[] = {
        {"built-in/purge-protection", "the tests"}, {"built-in/enable", "the tests"}, {"built-in/recover", "the tests"},
        {"built-in/re-point-key", "the tests"},    {"built-in/replace", "the tests"},
    };
    struct rig *r = rig_new(world, &s->estate, (struct rig_options){.mode = HTTP_WRITING});
    struct pass *p = pass_new(a, r, s->estate.desired, false), *left = pass_new(a, r, s->estate.desired, true);
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct life ret = {.code = 1};

    r->engine.approvals = approvals;
    r->engine.n_approvals = COUNT(approvals);
    pass_run(p);
    if (p->acted) {
        pass_run(left);
        ret.code = engine_exit_code(&p->outcome);
        ret.writes = p->outcome.writes_taken;
        /* As apply does: what is left to be done counts. */
        if (ret.code == 0 && (!left->looked || left->look.plan->n_changes || left->look.plan->n_blocked))
            ret.code = 4;
    }
    said_of(&t, p);
    ret.said = arena_strdup(a, text_str(&t));
    ret.world = rig_end(r, a);
    return ret;
}

/* --- one story under some settings -------------------------------------------------------------------------------- */

/* The words with which it may stop under these settings; NULL: it may not. */
static const char *stop_of(struct arena *a, const struct story *s, const struct setting *settings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *words =
            value_str(value_get(s->stops, arena_printf(a, "%s=%s", settings[i].name, settings[i].value)));

        if (words)
            return *words ? words : NULL;
    }
    return value_str(value_get(s->stops, "always"));
}

static void check_jobs(const char *when, const struct value *world)
{
    static const char *const types[] = {"RestoreDisks", "AlternateLocation", "OriginalLocation"};

    for (size_t i = 0; i < COUNT(types); i++)
        /* The pass that exports a key is one of disks, beside the tries. */
        CHECK_ROW(when, jobs_with(world, types[i], NULL) <= JOBS_MAX + (size_t)(i == 0));
    CHECK_ROW(when, export_passes(world) <= 1);
    CHECK_ROW(when, jobs_with(world, "AlternateLocation", "Completed") <= 1);
}

static bool check_safe(const char *when, const struct life *life)
{
    bool safe = !strstr(life->said, "has not announced this write") && !strstr(life->said, "this command only reads") &&
                (life->code == 0 || ((life->code == 3 || life->code == 4) && *life->said));

    CHECK_ROW(when, safe);
    check_jobs(when, life->world);
    return safe;
}

static void tell(bool ok, const struct life *life)
{
    if (!ok)
        fprintf(stderr, "    exit %d: %s", life->code, *life->said ? life->said : "(nothing said)\n");
}

static void play(const struct story *s, const struct setting *settings, size_t n)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *world = value_copy(a, s->world), *behaviour = value_at(world, "spec.behaviour");
    const char *when = s->name, *stop;
    struct life life;
    bool ended, ended_before = false;
    int lives = 0;

    if (!behaviour)
        behaviour = value_set(a, value_get(world, "spec"), "behaviour", value_map(a));
    for (size_t i = 0; i < n; i++) {
        value_set_string(a, behaviour, settings[i].name, settings[i].value);
        when = arena_printf(a, "%s %s=%s", when, settings[i].name, settings[i].value);
    }
    stop = stop_of(a, s, settings, n);
    life.world = world;
    do {
        life = live(a, s, life.world);
        tell(check_safe(when, &life), &life);
        CHECK_ROW(when, !ended_before || life.writes == 0);
        ended_before = life.code == 0;
    } while (life.writes && ++lives < LIVES_MAX);
    CHECK_ROW(when, life.writes == 0 || s->restless);
    ended = life.code == 0 && (!s->vm || vm_runs(life.world, s->vm));
    if (!stop) {
        CHECK_ROW(when, ended);
        tell(ended, &life);
    } else if (n <= 1) {
        CHECK_ROW(when, !ended && strstr(life.said, stop));
        tell(!ended && strstr(life.said, stop), &life);
    }
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* Every value of every setting that somebody has left open, from the schema, but those that the
 * story's world has already. */
static size_t settings_all(struct arena *a, const struct story *s, struct setting **ret)
{
    const struct value *fields =
        value_at(schemas_get(schemas, "World.json"), "properties.spec.properties.behaviour.properties");
    size_t n = 0;

    *ret = NULL;
    for (size_t i = 0; i < value_count(fields); i++) {
        const struct member *m = &fields->map.members[i];
        const struct value *values =
            value_get(m->value, "enum") ? value_get(m->value, "enum") : value_get(m->value, "examples");
        const char *own = value_str(value_get(value_at(s->world, "spec.behaviour"), m->key));

        for (size_t k = 0; value_get(m->value, "x-source") && k < value_count(values); k++) {
            struct setting one = {.name = m->key, .value = value_str(value_item(values, k))};

            if (!str_eq(one.value, own ? own : value_str_at(m->value, "default")))
                arena_push(a, *ret, n, one);
        }
    }
    return n;
}

/* A stop that no value bears is a slip of the pen. */
static void check_stops(struct arena *a, const struct story *s, const struct setting *settings, size_t n)
{
    for (size_t i = 0; i < value_count(s->stops); i++) {
        bool known = str_eq(s->stops->map.members[i].key, "always");

        for (size_t k = 0; k < n; k++)
            known |=
                str_eq(s->stops->map.members[i].key, arena_printf(a, "%s=%s", settings[k].name, settings[k].value));
        CHECK_ROW(s->stops->map.members[i].key, known);
    }
}

static void play_all(struct arena *a, const struct story *s, size_t story, size_t sample)
{
    struct setting *all;
    size_t n = settings_all(a, s, &all), pairs = 0;

    check_stops(a, s, all, n);
    play(s, NULL, 0);
    for (size_t i = 0; sample && i < n; i++)
        play(s, &all[i], 1);
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; sample && k < n; k++)
            if (!str_eq(all[i].name, all[k].name) && (i * 31 + k * 17 + story * 7) % sample == 0) {
                struct setting both[] = {all[i], all[k]};

                play(s, both, 2);
                pairs++;
            }
    printf("%s: %zu settings, %zu pairs\n", s->name, sample ? n : 0, pairs);
}

int main(int argc, char **argv)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *env = getenv("REINSTATE_SAMPLE");
    size_t sample = env ? strtoul(env, NULL, 10) : SAMPLE;
    const struct value *told;
    struct err err;

    if (schemas_new(schema_files, &schemas, &err) < 0)
        return 2;
    told = yaml_read(a, "tests/knobs/stories.yaml");
    for (size_t i = 0; i < value_count(told); i++) {
        struct story s;

        if (argc > 1 && !str_eq(argv[1], value_str_at(value_item(told, i), "story")))
            continue;
        s = story_load(a, value_item(told, i));
        play_all(a, &s, i, sample);
        policy_free(s.estate.policy);
    }
    schemas_free(schemas);
    HARNESS_END();
}
