/* Ten thousand random states of the world: for each, what the diagnosis foretells from a real look is held against what
 * the simulated Azure does, by its own rules, with exactly that restore; and what apply makes of the state. Knows both
 * sides; must not know why either says what it says.
 *
 *   property [--seed N] [--count N] [--only K] [--save FOLDER]
 *
 * Of each state (draw.h):
 *   a  the restore that names no set, and the one that names the declared set, are triggered on a fresh copy of the
 * world and run to their end: succeeds, fails, fails and leaves the key, disks only; and the error's name.
 *      - Under an edition of the article, with the same one in the Policy, prediction and end are the same.
 *      - Under the strictest reading the end is among the readings that the prediction names.
 *      - What differs is one of open.yaml's questions: each says which prediction and which end, under which
 * circumstances, with both readings, the reason and the document's mark. One that never occurs is a fault.
 *      - "Unknown" is counted, and stays below the share that open.yaml states.
 *      Forecast and plan agree on each: neither green where an order is blocked, nor lost where one would be carried
 * out. b  apply reaches the declared end or stops and says why; never two exports or two restores; no restore without
 * an order, no export that it forbids; nothing is written that a step had not announced; after a run that ended well
 * the next writes nothing, and whatever fails is not tried for ever. The invariants hold of every plan, the promises of
 * all that was sent
 *      (../invariants.h, ../scenario/promises.h), also with a second operator who begins in the middle.
 *
 * --only K plays one state; a failing one is printed so that it can be played alone, and with --save written as
 * world.yaml and estate.yaml for the program itself. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../edits.h"
#include "../scenario/promises.h"
#include "draw_words.h"
#include "foreseen.h"
#include "share.h"
#include "../../providers/restore/requests.h"

enum { UNKNOWN_SHOWN = 12, FAILED_SHOWN = 100000, HSM_TOO = true, RUNS_MAX = 5, JOBS_MAX = 5, NEAR_EACH = 8 };

static const char *const outcome_words[] = {"succeeds", "fails", "fails and exports", "disks only", "unknown"};

struct question {
    const struct value *told;
    size_t met;
};

struct property {
    struct schemas *schemas;
    const struct value *behaviour;
    uint64_t seed;
    size_t count, passed, failed, predictions, unknown, shown;
    struct question *questions;
    size_t n_questions;
    const char *save;
};

/* One state, ready to be played. */
struct state {
    struct arena *arena;
    size_t number;
    struct drawn drawn;
    struct value *world, *manifests;
    struct estate estate;
    bool failed;
};

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void file_write(struct arena *a, const char *folder, const char *name, const struct value *v)
{
    FILE *f = fopen(arena_printf(a, "%s/%s", folder, name), "w");
    bool list = value_is(v, VALUE_LIST);

    if (!f)
        return;
    for (size_t i = 0; i < (list ? value_count(v) : 1); i++)
        fprintf(f, "%s%s\n", i ? "---\n" : "", json_string(a, list ? value_item(v, i) : v, JSON_INDENTED));
    fclose(f);
}

static void fault(struct property *p, struct state *s, const char *fmt, ...) printf_like(3, 4);
static void fault(struct property *p, struct state *s, const char *fmt, ...)
{
    va_list ap;

    if (!s->failed && p->save) {
        file_write(s->arena, p->save, "world.yaml", s->world);
        file_write(s->arena, p->save, "estate.yaml", s->manifests);
    }
    s->failed = true;
    if (p->shown++ >= FAILED_SHOWN && p->count > 1)
        return;
    va_start(ap, fmt);
    fprintf(stderr, "property --seed %llu --only %zu: %s\n    %s\n", (unsigned long long)p->seed, s->number,
            arena_vprintf(s->arena, fmt, ap), state_words(s->arena, &s->drawn));
    va_end(ap);
}

/* --- making a state ----------------------------------------------------------------------------------------------- */

static bool told(struct property *p, struct state *s, const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].severity == SEVERITY_ERROR)
            fault(p, s, "the state cannot be: %s", diag_format(s->arena, &diags->items[i]));
    return diags->n_errors == 0;
}

static bool state_make(struct property *p, struct state *s, size_t number)
{
    struct arena *a = s->arena = arena_new();
    const struct document **policies;
    struct diags diags;
    size_t n = 0;

    diags_init(&diags, a);
    s->number = number;
    s->drawn = draw_state(p->seed, number, HSM_TOO, p->behaviour);
    s->world = drawn_world(a, &s->drawn);
    s->manifests = drawn_manifests(a, &s->drawn);
    schema_check(p->schemas, "World.json", s->world, &diags);
    s->estate.desired = desired_resolve(a, p->schemas, &all_naming, s->manifests, &diags);
    if (!told(p, s, &diags))
        return false;
    policies = arena_array(a, const struct document *, s->estate.desired->count + 1);
    for (size_t i = 0; i < s->estate.desired->count; i++)
        if (str_eq(s->estate.desired->documents[i]->kind, "Policy"))
            policies[n++] = s->estate.desired->documents[i];
    s->estate.policy = policy_compile(a, policies, n, &all_rules, &diags);
    return told(p, s, &diags);
}

static void state_release(struct state *s)
{
    if (s->estate.policy)
        policy_free(s->estate.policy);
    arena_free(s->arena);
}

#include "restoring.h"

/* --- b: apply ----------------------------------------------------------------------------------------------------- */

struct life {
    int code;
    size_t writes;
    const char *said;
    const struct value *world;
};

static void said_of(struct text *t, const struct pass *pass)
{
    for (size_t i = 0; pass->looked && i < pass->look.plan->steps.count; i++) {
        const struct step *step = pass->look.plan->steps.items[i];

        if (step->action == ACTION_BLOCKED ||
            (action_writes(step->action) && step->verdict >= VERDICT_REQUIRE_APPROVAL))
            text_printf(t, "%s: %s\n", step->id, step->reason);
    }
    for (size_t i = 0; pass->acted && i < pass->outcome.count; i++)
        if (pass->outcome.steps[i].err.class != ERR_NONE)
            text_printf(t, "%s: %s\n", pass->outcome.steps[i].step->id, pass->outcome.steps[i].err.text);
    for (size_t i = 0; pass->acted && i < value_count(pass->outcome.gaps); i++)
        text_printf(t, "%s\n", value_str(value_item(pass->outcome.gaps, i)));
    if (!pass->acted)
        text_printf(t, "%s\n", pass->err.text);
}

/* What must hold of a plan, and of what was sent. */
static void check_promises(struct property *p, struct state *s, const struct pass *pass, const struct seen *seen)
{
    static const struct promise *const asked[] = {&promises[0], &promises[2], &promises[3], &promises[4], &promises[5]};
    const char *broken =
        pass->looked ? invariants_of_plan(s->arena, &pass->look.view, &pass->look.plan->steps) : NULL;

    if (broken)
        fault(p, s, "an invariant is broken: %s", broken);
    for (size_t i = 0; i < COUNT(asked); i++) {
        /* A restore of disks that names no set looks like an export pass, also to us: check_life bounds both. */
        broken = s->drawn.disks && asked[i]->broken == promise_one_trigger ? NULL : asked[i]->broken(seen);
        if (broken)
            fault(p, s, "the promise %s is broken: %s", asked[i]->name, broken);
    }
    /* Of one state in NEAR_EACH: it takes four looks. */
    broken = s->number % NEAR_EACH ? NULL : promise_near_is_whole(seen);
    if (broken)
        fault(p, s, "a near look hides a difference: %s", broken);
}

static struct seen seen_of(struct state *s, const struct value *sent, const struct value *before,
                           const struct value *after)
{
    const struct value *jobs = value_at(after, "spec.jobs");
    struct value *triggers = value_list(s->arena);

    for (size_t i = 0; i < value_count(jobs); i++)
        value_push(s->arena, triggers, value_string(s->arena, value_str_at(value_item(jobs, i), "name")));
    return (struct seen){.arena = s->arena, .command = "apply", .exchanges = sent, .before = before, .after = after,
                         .documents = s->manifests, .triggers = triggers};
}

/* The second operator begins some minutes after the first, in the middle of what that one does. */
struct operators {
    struct pass *first, *second;
    int64_t later_ms;
};

static void second_task(struct call *c, void *arg)
{
    struct operators *both = arg;
    struct err err;

    if (call_sleep_ms(c, both->later_ms, "the second operator", &err) == 0)
        pass_task(c, both->second);
}

static void operators_task(struct call *c, void *arg)
{
    struct operators *both = arg;
    struct group *g = group_new(call_sched(c), "operators");
    struct err err;

    group_spawn(g, "first", pass_task, both->first);
    group_spawn(g, "second", second_task, both);
    if (group_wait(c, g, &err) < 0)
        both->second->acted = false;
    group_free(g);
}

/* What the second operator leaves behind: nothing but what the first one would have. */
static void operators_run(struct state *s, struct rig *r, struct pass *first, const struct value *world)
{
    struct rig *beside = rig_beside(r, world, &s->estate);
    struct operators both = {.first = first, .second = pass_new(s->arena, beside, s->estate.desired, false)};

    beside->settings.article = r->settings.article;
    both.later_ms = (int64_t)(s->number * 7919 % 61) * MINUTE_MS;
    sched_main(r->sched, operators_task, &both);
    rig_leave(beside);
}

static struct life live(struct property *p, struct state *s, const struct value *world, bool alone)
{
    struct rig *r = rig_new(world, &s->estate, (struct rig_options){.mode = HTTP_WRITING});
    struct pass *pass = pass_new(s->arena, r, s->estate.desired, false);
    struct value *sent = r->sent = value_list(s->arena);
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct life life = {.code = 1};
    struct seen seen;

    r->keep = s->arena;
    r->settings.article = policy_article(s->estate.policy);
    if (alone)
        pass_run(pass);
    else
        operators_run(s, r, pass, world);
    if (pass->acted) {
        life.code = engine_exit_code(&pass->outcome);
        life.writes = pass->outcome.writes_taken;
    }
    said_of(&t, pass);
    life.said = arena_strdup(s->arena, text_str(&t));
    life.world = rig_end(r, s->arena);
    seen = seen_of(s, sent, world, life.world);
    seen.schemas = p->schemas;
    check_promises(p, s, pass, &seen);
    return life;
}

/* Restores of a type that ended so; `set`: 1 naming a set, 0 naming none, -1 either. */
static size_t jobs_with(const struct value *world, const char *type, const char *status, bool exported, int set)
{
    const struct value *jobs = value_at(world, "spec.jobs");
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);
        const char *named = value_str_at(job, "sim.request.securedVMDetails.securedVMOsDiskEncryptionSetId");

        n += value_at(job, "sim.request") && (!type || str_eq(value_str_at(job, "sim.request.recoveryType"), type)) &&
             (!status || str_eq(value_str_at(job, "properties.status"), status)) &&
             (!exported || value_bool_at(job, "sim.exports", false)) && (set < 0 || set == (named && *named));
    }
    return n;
}

static void check_life(struct property *p, struct state *s, const struct life *life, size_t which)
{
    const char *type = s->drawn.disks ? "RestoreDisks" : s->drawn.replace ? "OriginalLocation" : "AlternateLocation";
    size_t jobs = jobs_with(life->world, NULL, NULL, false, -1);
    /* A restore of disks that names no set looks like an export pass, also to us. */
    size_t exports = s->drawn.disks ? 3 : 1;

    if (life->code != 0 && !*life->said)
        fault(p, s, "run %zu: exit %d, and nothing is said", which, life->code);
    if (strstr(life->said, "has not announced this write") || strstr(life->said, "this command only reads"))
        fault(p, s, "run %zu: a write that no step had announced: %s", which, life->said);
    if (jobs_with(life->world, "RestoreDisks", "Failed", true, 0) > exports)
        fault(p, s, "run %zu: %zu exports: %s", which, jobs_with(life->world, "RestoreDisks", "Failed", true, 0),
              life->said);
    if (jobs_with(life->world, type, "Completed", false, -1) > 1)
        fault(p, s, "run %zu: two restores: %s", which, life->said);
    if (jobs > JOBS_MAX)
        fault(p, s, "run %zu: %zu jobs: %s", which, jobs, life->said);
    if (!s->drawn.ordered && jobs)
        fault(p, s, "run %zu: a restore that nobody ordered: %s", which, life->said);
    if (!s->drawn.exports && !s->drawn.disks && jobs_with(life->world, "RestoreDisks", NULL, false, -1))
        fault(p, s, "run %zu: an export although the order forbids it: %s", which, life->said);
}

/* Does something run in the end, or does the source live on? */
static bool at_its_end(const struct state *s, const struct value *world)
{
    if (!s->drawn.ordered || s->drawn.source != SOURCE_GONE)
        return true;
    if (s->drawn.disks)
        return jobs_with(world, "RestoreDisks", "Completed", false, -1) > 0;
    return machine_runs(world, "/virtualMachines/vm-r");
}

/* Run after run until one writes nothing. What an undeclared version turns out to be shows in the second run only. */
static void applied(struct property *p, struct state *s)
{
    const struct value *world = s->world;
    struct life life = {0};
    size_t run = 0;

    do {
        bool ended = run && life.code == 0;

        life = live(p, s, world, run > 0 || !s->drawn.two_operators);
        check_life(p, s, &life, ++run);
        if (ended && life.writes && s->drawn.declares_version)
            fault(p, s, "run %zu wrote %zu times after one that had ended well: %s", run, life.writes, life.said);
        world = life.world;
    } while (life.writes && run < RUNS_MAX);
    if (life.writes)
        fault(p, s, "run %zu still writes (%zu, exit %d): %s", run, life.writes, life.code, life.said);
    if (life.code == 0 && !at_its_end(s, life.world))
        fault(p, s, "exit 0, and the declared end is not reached");
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static void state_run(struct property *p, size_t number)
{
    struct state s = {0};
    const char *differs;

    if (state_make(p, &s, number)) {
        if (p->count == 1)
            printf("%s\n", state_words(s.arena, &s.drawn));
        /* A wrong declaration is judged for what it says; Azure restores without having read it. */
        if (s.drawn.wrong == WRONG_NOTHING)
            predictions(p, &s);
        if ((differs = forecast_differs(s.arena, s.world, &s.estate, "vm-dr")))
            fault(p, &s, "forecast and plan differ: %s", differs);
        applied(p, &s);
    }
    p->passed += !s.failed;
    p->failed += s.failed;
    if (p->save && p->count == 1) {
        file_write(s.arena, p->save, "world.yaml", s.world);
        file_write(s.arena, p->save, "estate.yaml", s.manifests);
    }
    state_release(&s);
}

/* What a process has counted, sent to the one that began it. */
struct counts {
    size_t passed, failed, predictions, unknown, met[64];
};

static void counts_add(struct property *p, const struct counts *c)
{
    p->passed += c->passed;
    p->failed += c->failed;
    p->predictions += c->predictions;
    p->unknown += c->unknown;
    for (size_t i = 0; i < p->n_questions; i++)
        p->questions[i].met += c->met[i];
}

static struct counts counts_of(const struct property *p)
{
    struct counts c = {.passed = p->passed, .failed = p->failed, .predictions = p->predictions, .unknown = p->unknown};

    for (size_t i = 0; i < p->n_questions && i < COUNT(c.met); i++)
        c.met[i] = p->questions[i].met;
    return c;
}

/* Two processes, one for the even numbers and one for the odd. A state's number alone says what it is. */
static void states_run(struct property *p)
{
    struct counts other = {0};
    int pipes[2];
    pid_t pid;

    if (pipe(pipes) < 0 || (pid = fork()) < 0)
        exit(2);
    for (size_t i = pid == 0; i < p->count; i += 2)
        state_run(p, i);
    if (pid == 0) {
        other = counts_of(p);
        fflush(stdout);
        _exit(write(pipes[1], &other, sizeof(other)) == sizeof(other) ? 0 : 2);
    }
    close(pipes[1]);
    if (read(pipes[0], &other, sizeof(other)) != sizeof(other)) {
        fprintf(stderr, "the process of the odd states has ended without a word\n");
        p->failed++;
    }
    close(pipes[0]);
    waitpid(pid, NULL, 0);
    counts_add(p, &other);
}

static void questions_read(struct property *p, struct arena *a, double *ret_share)
{
    const struct value *open = value_item(yaml_read(a, "tests/property/open.yaml"), 0),
                       *list = value_get(open, "questions");

    *ret_share = (double)value_int_at(open, "unknownPerMille", 0) / 1000;
    p->n_questions = value_count(list);
    p->questions = arena_array(a, struct question, p->n_questions + 1);
    for (size_t i = 0; i < p->n_questions; i++)
        p->questions[i].told = value_item(list, i);
}

static void questions_check(struct property *p)
{
    for (size_t i = 0; i < p->n_questions; i++) {
        const struct value *q = p->questions[i].told;

        printf("open: %zu times: %s (%s)\n", p->questions[i].met, value_str_at(q, "reason"), value_str_at(q, "mark"));
        int64_t seed = value_int_at(q, "seed", 0);

        if (!p->questions[i].met && p->count >= 5000 && !value_bool_at(q, "rare", false) &&
            (!seed || (uint64_t)seed == p->seed)) {
            fprintf(stderr, "open.yaml: this question never occurs: %s\n", value_str_at(q, "reason"));
            p->failed++;
        }
    }
}

int main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct property p = {.seed = 20261123, .count = 10000};
    size_t only = SIZE_MAX;
    double share, unknown;
    struct err err;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (str_eq(argv[i], "--seed"))
            p.seed = strtoull(argv[i + 1], NULL, 10);
        else if (str_eq(argv[i], "--count"))
            p.count = strtoull(argv[i + 1], NULL, 10);
        else if (str_eq(argv[i], "--only"))
            only = strtoull(argv[i + 1], NULL, 10), p.count = 1;
        else if (str_eq(argv[i], "--save"))
            p.save = argv[i + 1];
    }
    if (schemas_new(schema_files, &p.schemas, &err) < 0)
        return 2;
    p.behaviour = value_at(schemas_get(p.schemas, "World.json"), "properties.spec.properties.behaviour.properties");
    questions_read(&p, a, &share);
    printf("seed %llu, %zu states\n", (unsigned long long)p.seed, p.count);
    fflush(stdout);
    if (only != SIZE_MAX)
        state_run(&p, only);
    else
        states_run(&p);
    questions_check(&p);
    unknown = p.predictions ? (double)p.unknown / (double)p.predictions : 0;
    share = share_allowed(share, p.count, p.predictions);
    printf("%zu predictions, %zu of them unknown (%.1f %%; allowed are %.1f %%)\n", p.predictions, p.unknown,
           100 * unknown, 100 * share);
    if (p.count > 1 && unknown > share) {
        fprintf(stderr, "too many predictions are unknown\n");
        p.failed++;
    }
    printf("property: %zu passed, %zu failed\n", p.passed, p.failed);
    schemas_free(p.schemas);
    arena_free(a);
    return p.failed || !p.passed ? 1 : 0;
}
