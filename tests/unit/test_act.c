/* How one step ends, tried on kinds made up for it: what the engine says of a step whose world has moved since the
 * plan, of a verification that fails, and of a step that stands aside. */
#include "../harness.h"

#include "../../reconciler/base/clock.h"
#include "../../reconciler/engine/engine.h"
#include "../../reconciler/run/http.h"

/* What the made-up world holds of a thing. */
struct thing {
    bool exists, blocked, untidy, bigger, locked, barred, sized;
};

enum { FIRST, SECOND, THIRD, THINGS };

/* What befalls the second thing while the first is made, or while it is made itself. */
enum event {
    NOTHING,
    MADE_BY_ANOTHER,
    BLOCKED_BY_ANOTHER,
    CHANGED_BY_ANOTHER,
    VERIFY_FAILS,
    TIDY_FAILS,
    BLOCKED_AND_CONFLICT,
    MADE_AND_CONFLICT,
    CONFLICT,
    NOT_THERE_AFTERWARDS,
    BLOCKED_FROM_THE_START,
    UNSEEN,
    LOCKED_MEANWHILE,
    BARRED_MEANWHILE,
    FLICKERS,
    TAKEN_AWAY,
    OTHERWISE_AFTERWARDS
};

static struct {
    struct thing things[THINGS];
    enum event event;
    size_t made[THINGS];
    size_t looks_after;     /* at the first thing, since it was made */
} world;

/* Twice it reads as made, then as gone: for a while, or for good. */
static bool reads_as_there(size_t which)
{
    size_t n;

    if (which != FIRST || !world.made[FIRST] || (world.event != FLICKERS && world.event != TAKEN_AWAY))
        return world.things[which].exists;
    n = world.looks_after++;
    return n < 2 || (world.event == FLICKERS && n > 4);
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    const struct thing *t = &world.things[o->document->index];
    struct value *facts = value_map(o->arena);

    (void)c;
    if (world.event == UNSEEN && o->document->index == SECOND && world.things[FIRST].exists)
        return err_set(err, ERR_TRANSIENT, "the line is down");
    value_set_string(o->arena, facts, "state", reads_as_there(o->document->index) ? "present" : "absent");
    value_set_bool(o->arena, facts, "locked", t->locked);
    value_set_bool(o->arena, facts, "barred", t->barred);
    value_set_bool(o->arena, facts, "blocked", t->blocked);
    value_set_bool(o->arena, facts, "untidy", t->untidy);
    value_set_bool(o->arena, facts, "bigger", t->bigger);
    if (t->sized)
        value_set_int(o->arena, facts, "size", 7);
    *ret = facts;
    return 0;
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    struct step *step, *verify;

    if (value_bool_at(facts, "untidy", false))
        steps_add(out, doc, ACTION_UPDATE, "tidy", "it is untidy")->aside = true;
    if (value_bool_at(facts, "blocked", false)) {
        steps_add(out, doc, ACTION_BLOCKED, NULL, "something stands against it")->next =
            "remove what stands against it";
        return;
    }
    if (str_eq(view_state(v, doc), "present")) {
        steps_add(out, doc, ACTION_NONE, NULL, "there");
        return;
    }
    /* What nobody has planned for; the second of them only with a name, by the built-in rule. */
    if (value_bool_at(facts, "locked", false) || value_bool_at(facts, "barred", false)) {
        steps_add(out, doc, value_bool_at(facts, "locked", false) ? ACTION_UPDATE : ACTION_ENABLE, NULL,
                  "it has to be opened first");
        return;
    }
    step = steps_add(out, doc, ACTION_CREATE, NULL, "absent");
    step_change(out, step, "size", value_get(facts, "size"),
                value_int(v->arena, value_bool_at(facts, "bigger", false) ? 2 : 1), NULL);
    for (size_t i = 0; i < doc->n_references; i++)
        view_need(v, out, step, doc->references[i].target);
    verify = steps_add(out, doc, ACTION_VERIFY, NULL, "to be read back");
    step_need(out, verify, step->id);
}

static void strike_second(void)
{
    struct thing *second = &world.things[SECOND];

    second->exists = second->exists || world.event == MADE_BY_ANOTHER;
    second->blocked = second->blocked || world.event == BLOCKED_BY_ANOTHER;
    second->bigger = second->bigger || world.event == CHANGED_BY_ANOTHER;
    second->locked = second->locked || world.event == LOCKED_MEANWHILE;
    second->barred = second->barred || world.event == BARRED_MEANWHILE;
}

static int create(size_t which, struct err *err)
{
    struct thing *t = &world.things[which];

    world.made[which]++;
    if (which == FIRST)
        strike_second();
    if (which == SECOND && world.event >= BLOCKED_AND_CONFLICT && world.event <= CONFLICT) {
        t->blocked = world.event == BLOCKED_AND_CONFLICT;
        t->exists = world.event == MADE_AND_CONFLICT;
        return err_set(err, ERR_CONFLICT, "somebody was faster");
    }
    t->exists = which != SECOND || (world.event != NOT_THERE_AFTERWARDS && world.event != OTHERWISE_AFTERWARDS);
    t->sized = which == SECOND && world.event == OTHERWISE_AFTERWARDS;
    return 0;
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    size_t which = actor->step->document->index;

    (void)c;
    switch (actor->step->action) {
    case ACTION_CREATE:
        return create(which, err);
    case ACTION_VERIFY:
        return which == SECOND && world.event == VERIFY_FAILS
                   ? err_set(err, ERR_CONFLICT, "it is there and does not run")
                   : 0;
    default:
        if (world.things[which].locked) {
            world.things[which].locked = false;
            world.things[which].exists = true;
            return 0;
        }
        if (world.event == TIDY_FAILS)
            return err_set(err, ERR_INVALID, "it cannot be tidied");
        world.things[which].untidy = false;
        return 0;
    }
}

static const struct kind thing_kind = {
    .name = "Thing", .summary = "Made up.", .observe = observe, .steps = steps, .act = act};

/* --- one run ------------------------------------------------------------------------------------------------------ */

/* The second thing refers to the first, the third to the second. */
static const struct desired *things_desired(struct arena *a)
{
    static const char *const names[] = {"first", "second", "third"};
    const struct document **all = arena_array(a, const struct document *, THINGS);
    struct desired *d = arena_new_of(a, struct desired);

    for (size_t i = 0; i < THINGS; i++) {
        struct document *doc = arena_new_of(a, struct document);
        struct reference *to = arena_new_of(a, struct reference);

        *to = (struct reference){.path = "spec.from", .target = i ? all[i - 1] : NULL};
        *doc = (struct document){.kind = "Thing",
                                 .name = names[i],
                                 .address = arena_printf(a, "Thing/%s", names[i]),
                                 .index = i,
                                 .level = i,
                                 .root = value_map(a),
                                 .spec = value_map(a),
                                 .references = to,
                                 .n_references = i ? 1 : 0};
        all[i] = doc;
    }
    *d = (struct desired){.documents = all, .count = THINGS, .levels = THINGS};
    return d;
}

struct trial {
    struct arena *arena;
    struct engine engine;
    const struct desired *desired;
    struct look look;
    struct outcome outcome;
    bool acted;
    struct err err;
};

static void trial_task(struct call *c, void *arg)
{
    struct trial *t = arg;

    t->acted = engine_look(c, &t->engine, t->arena, t->desired, &t->look, &t->err) == 0 &&
               engine_act(c, &t->engine, t->arena, &t->look, &t->outcome, &t->err) == 0;
}

static const struct step_outcome *ended(const struct trial *t, const char *id)
{
    for (size_t i = 0; i < t->outcome.count; i++)
        if (str_eq(t->outcome.steps[i].step->id, id))
            return &t->outcome.steps[i];
    return NULL;
}

static void trial_run(struct trial *t, enum event event)
{
    static const struct kind *const items[] = {&thing_kind};
    static const struct kinds kinds = {.items = items, .count = 1};
    static const struct builtin rule = {
        .name = "built-in/enable", .message = "somebody may have barred it on purpose", .action = ACTION_ENABLE};
    static const struct rulebook book = {.rules = &rule, .count = 1};
    struct sched *s = sched_new(
        &(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = time_parse("2026-11-23T03:00:00Z"), .seed = 1});
    struct diags diags;

    memset(&world, 0, sizeof(world));
    world.event = event;
    world.things[SECOND].blocked = event == BLOCKED_FROM_THE_START;
    world.things[FIRST].exists = world.things[FIRST].untidy = event == TIDY_FAILS;
    diags_init(&diags, t->arena);
    t->engine = (struct engine){.kinds = &kinds, .settings = &settings_default,
                                .policy = policy_compile(t->arena, NULL, 0, &book, &diags)};
    t->desired = things_desired(t->arena);
    sched_main(s, trial_task, t);
    policy_free(t->engine.policy);
    sched_free(s);
}

static const struct {
    const char *reason;
    enum event event;
    enum step_state create, verify, third;      /* of the second thing, and of the creation of the third */
    int exit;
    size_t made;                                /* how often the second was made */
    const char *says, *advises;
} rows[] = {
    {"nothing befalls it", NOTHING, STEP_DONE, STEP_DONE, STEP_DONE, 0, 1, NULL, NULL},
    {"somebody else has made it: not needed, and read back all the same", MADE_BY_ANOTHER, STEP_NOT_NEEDED, STEP_DONE,
     STEP_DONE, 0, 0, NULL, NULL},
    {"something stands against it since the plan: blocked, not 'not needed'", BLOCKED_BY_ANOTHER, STEP_BLOCKED,
     STEP_SKIPPED, STEP_SKIPPED, 4, 0, "something stands against it", "remove what stands against it"},
    {"it would now set something else: drift", CHANGED_BY_ANOTHER, STEP_BLOCKED, STEP_SKIPPED, STEP_SKIPPED, 4, 0,
     "drift since the plan", "look at the new plan"},
    {"a failed verification is failed, though nothing asks for it any more", VERIFY_FAILS, STEP_DONE, STEP_FAILED,
     STEP_DONE, 4, 1, "it is there and does not run", NULL},
    {"somebody was faster, and it is there: not needed", MADE_AND_CONFLICT, STEP_NOT_NEEDED, STEP_DONE, STEP_DONE, 0, 1,
     "somebody was faster", NULL},
    {"somebody was faster with something that stands against it: blocked", BLOCKED_AND_CONFLICT, STEP_BLOCKED,
     STEP_SKIPPED, STEP_SKIPPED, 4, 1, "something stands against it", "remove what stands against it"},
    {"somebody was faster, and it is still asked for: failed", CONFLICT, STEP_FAILED, STEP_SKIPPED, STEP_SKIPPED, 4, 1,
     "somebody was faster", NULL},
    {"done, and reading back shows it undone: failed, and not tried twice", NOT_THERE_AFTERWARDS, STEP_FAILED,
     STEP_SKIPPED, STEP_SKIPPED, 4, 1, "reading back shows it undone", "nothing was tried a second time"},
    {"done, and somebody else has written since: told from an older state by what it reads", OTHERWISE_AFTERWARDS,
     STEP_FAILED, STEP_SKIPPED, STEP_SKIPPED, 4, 1, "somebody else has changed it since: size is 7", "find out who"},
    {"what relies on a thing just made cannot be looked at: looked for a while, then blocked", UNSEEN, STEP_BLOCKED,
     STEP_SKIPPED, STEP_SKIPPED, 4, 0, "the line is down", NULL},
};

static void check_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct trial t = {.arena = a};
        const struct step_outcome *made, *verified, *third, *told;

        trial_run(&t, rows[i].event);
        made = ended(&t, "Thing/second#create");
        verified = ended(&t, "Thing/second#verify");
        third = ended(&t, "Thing/third#create");
        CHECK_ROW(rows[i].reason, t.acted && made && verified && third);
        if (!t.acted || !made || !verified || !third)
            continue;
        CHECK_ROW(rows[i].reason, made->state == rows[i].create);
        CHECK_ROW(rows[i].reason, verified->state == rows[i].verify);
        CHECK_ROW(rows[i].reason, third->state == rows[i].third);
        CHECK_ROW(rows[i].reason, engine_exit_code(&t.outcome) == rows[i].exit);
        CHECK_ROW(rows[i].reason, world.made[FIRST] == 1 && world.made[SECOND] == rows[i].made);
        told = verified->state == STEP_FAILED ? verified : made;
        CHECK_ROW(rows[i].reason,
                  rows[i].says ? strstr(told->err.text, rows[i].says) != NULL : told->err.class == ERR_NONE);
        /* An older state is given minutes; what somebody else wrote stays. */
        CHECK_ROW(rows[i].reason, (made->elapsed_ms >= 5 * MINUTE_MS) ==
                                      (rows[i].event == NOT_THERE_AFTERWARDS || rows[i].event == UNSEEN));
        CHECK_ROW(rows[i].reason, !rows[i].advises || strstr(told->err.text, rows[i].advises) != NULL);
    }
}

/* --- what stands aside -------------------------------------------------------------------------------------------- */

static void check_aside(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct trial t = {.arena = a};
    const struct step_outcome *tidy, *second;

    trial_run(&t, TIDY_FAILS);
    tidy = ended(&t, "Thing/first#update.tidy");
    second = ended(&t, "Thing/second#create");
    CHECK(t.acted && tidy && second);
    CHECK(tidy && tidy->state == STEP_FAILED);
    CHECK(second && second->state == STEP_DONE && second->step->n_needs == 0);
    CHECK(ended(&t, "Thing/third#verify") && ended(&t, "Thing/third#verify")->state == STEP_DONE);
    CHECK(view_prospect(&t.look.view, t.desired->documents[FIRST]) == PROSPECT_SATISFIED);
    CHECK(engine_exit_code(&t.outcome) == 4);
}

static void check_blocked_from_the_start(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct trial t = {.arena = a};
    const struct step_outcome *blocked;

    trial_run(&t, BLOCKED_FROM_THE_START);
    blocked = ended(&t, "Thing/second#blocked");
    CHECK(t.acted && blocked && blocked->state == STEP_BLOCKED && !ended(&t, "Thing/second#create"));
    CHECK(blocked && strstr(blocked->err.text, "remove what stands against it"));
    /* What is blocked does not hold up what is not: the first is made. */
    CHECK(world.made[FIRST] == 1 && world.made[SECOND] == 0);
    CHECK(engine_exit_code(&t.outcome) == 4);
}

/* --- what comes up on the way ------------------------------------------------------------------------------------- */

static const struct {
    const char *reason;
    enum event event;
    enum step_state create, opened, third;      /* opened: of the step nobody planned; STEP_WAITING: there is none */
    int exit;
    const char *says;
} growths[] = {
    {"a fresh look asks for something else: it joins the run, and what follows waits for it", LOCKED_MEANWHILE,
     STEP_OVERTAKEN, STEP_DONE, STEP_DONE, 0, NULL},
    {"what it asks for needs a name: it stops there, and so does what needs the same", BARRED_MEANWHILE, STEP_BLOCKED,
     STEP_WAITING, STEP_BLOCKED, 4, "is not covered"},
    {"what was done reads as undone for a while: it is read again", FLICKERS, STEP_DONE, STEP_WAITING, STEP_DONE, 0,
     NULL},
    {"what was done is gone for good: nothing is built on it", TAKEN_AWAY, STEP_BLOCKED, STEP_WAITING, STEP_SKIPPED, 4,
     "reads as undone"},
};

static void check_growth(void)
{
    for (size_t i = 0; i < COUNT(growths); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct trial t = {.arena = a};
        const struct step_outcome *made, *opened, *third;

        trial_run(&t, growths[i].event);
        made = ended(&t, "Thing/second#create");
        third = ended(&t, "Thing/third#create");
        opened = ended(&t, "Thing/second#update");
        CHECK_ROW(growths[i].reason, t.acted && made && third);
        if (!t.acted || !made || !third)
            continue;
        CHECK_ROW(growths[i].reason, made->state == growths[i].create);
        CHECK_ROW(growths[i].reason, third->state == growths[i].third);
        CHECK_ROW(growths[i].reason, growths[i].opened == STEP_WAITING
                                         ? !opened
                                         : opened && opened->grown && opened->state == growths[i].opened);
        CHECK_ROW(growths[i].reason, engine_exit_code(&t.outcome) == growths[i].exit);
        CHECK_ROW(growths[i].reason, world.made[FIRST] == 1 && world.made[SECOND] == (growths[i].create == STEP_DONE));
        CHECK_ROW(growths[i].reason, !growths[i].says || strstr(made->err.text, growths[i].says));
    }
}

int main(void)
{
    check_growth();
    check_rows();
    check_aside();
    check_blocked_from_the_start();
    HARNESS_END();
}
