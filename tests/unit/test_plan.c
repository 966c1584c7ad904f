/* Order, counts, digests that move only when what will be done moves, and saved plans compared with fresh ones. */
#include "../harness.h"

#include "../../providers/documents/actions.h"
#include "../../reconciler/base/clock.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/model/plan.h"

static struct document documents[] = {
    {.kind = "Key", .name = "k", .address = "Key/k", .index = 0},
    {.kind = "DiskEncryptionSet", .name = "d", .address = "DiskEncryptionSet/d", .index = 1},
    {.kind = "KeyVault", .name = "v", .address = "KeyVault/v", .index = 2},
};

/* A plan of four steps, given out of order. */
static void steps_build(struct arena *a, struct steps *steps)
{
    struct step *create, *restore, *blocked;

    *steps = (struct steps){.arena = a};
    create = steps_add(steps, &documents[1], ACTION_CREATE, NULL, "absent");
    restore = steps_add(steps, &documents[0], ACTION_RESTORE_KEY, NULL, "purged");
    steps_add(steps, &documents[2], ACTION_NONE, NULL, "there");
    blocked = steps_add(steps, &documents[1], ACTION_BLOCKED, "later", "no order");
    step_need(steps, create, restore->id);
    step_need(steps, create, "Key/k#recover");
    create->scope = "/subscriptions/s/diskEncryptionSets/d";
    step_change(steps, create, "properties.activeKey.keyUrl", NULL, value_unknown(a), NULL);
    step_change(steps, create, "location", NULL, value_string(a, "uaenorth"), NULL);
    create->estimate_ms = 20 * SECOND_MS;
    restore->estimate_ms = 3 * MINUTE_MS;
    restore->verdict = VERDICT_REQUIRE_APPROVAL;
    blocked->estimate_ms = HOUR_MS;
}

static struct value *inputs(struct arena *a, const char *word)
{
    struct value *v = value_list(a);

    value_push(a, v, value_string(a, word));
    return v;
}

static const struct plan *plan_of(struct arena *a, struct steps *steps, int64_t now_ms, const char *input,
                                  const char *facts)
{
    const struct plan *p = NULL;
    struct err err = {0};

    CHECK_ROW(err.text, plan_make(a, steps, &(struct plan_inputs){now_ms, inputs(a, input), NULL, inputs(a, facts)}, &p,
                                  &err) == 0);
    return p;
}

static void check_order(void)
{
    static const char *const order[] = {
        "Key/k#restore-key", "DiskEncryptionSet/d#create", "KeyVault/v#none", "DiskEncryptionSet/d#blocked.later",
    };
    struct arena *a cleanup(arena_freep) = arena_new();
    struct steps steps;
    const struct plan *p;
    size_t n_unknown = 99;

    steps_build(a, &steps);
    p = plan_of(a, &steps, 1000, "m", "f");
    CHECK(p->steps.count == COUNT(order));
    for (size_t i = 0; i < COUNT(order); i++)
        CHECK_STR(p->steps.items[i]->id, order[i]);
    CHECK(p->n_changes == 3 && p->n_blocked == 1 && p->n_denied == 0 && p->n_approvals == 1);
    CHECK(p->steps.items[1]->n_needs == 1);
    CHECK_STR(p->steps.items[1]->needs[0], "Key/k#restore-key");
    CHECK(plan_estimate(a, p, &n_unknown) == 3 * MINUTE_MS + 20 * SECOND_MS && n_unknown == 0);
    p->steps.items[0]->estimate_ms = -1;
    CHECK(plan_estimate(a, p, &n_unknown) == 20 * SECOND_MS && n_unknown == 1);
    p->steps.items[1]->verdict = VERDICT_DENY;
    CHECK(plan_estimate(a, p, &n_unknown) == -1 && n_unknown == 1);
}

/* 200 at once and ten a second: what all steps ask of one allowance counts together, and only what is done. */
static void check_allowances(void)
{
    static const struct { double first, second, other; int64_t estimate_ms; const char *of; } rows[] = {
        {100, 100, 0, 200 * SECOND_MS, NULL},
        {1000, 1000, 0, 200 * SECOND_MS, "writes"},          /* 180 s, within the chain */
        {1000, 1800, 0, 260 * SECOND_MS, "writes"},
        {1000, 1800, 10, 400 * SECOND_MS, "jobs"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct steps steps;
        const struct plan *p;
        const char *of;
        size_t n_unknown;

        steps_build(a, &steps);
        p = plan_of(a, &steps, 1000, "m", "f");
        step_spend(&steps, p->steps.items[0], &(struct step_spend){"writes", 200, 10, rows[i].first});
        step_spend(&steps, p->steps.items[1], &(struct step_spend){"jobs", 6, 0.01, rows[i].other});
        step_spend(&steps, p->steps.items[1], &(struct step_spend){"writes", 200, 10, rows[i].second});
        step_spend(&steps, p->steps.items[3], &(struct step_spend){"writes", 200, 10, 1e6});
        CHECK_ROW(rows[i].of ? rows[i].of : "none", plan_estimate(a, p, &n_unknown) == rows[i].estimate_ms);
        plan_allowed_ms(a, p, &of);
        CHECK_ROW(rows[i].of ? rows[i].of : "none", rows[i].of ? str_eq(of, rows[i].of) : !of);
    }
}

static void check_circle(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct steps steps;
    const struct plan *p = NULL;
    struct err err;

    steps_build(a, &steps);
    step_need(&steps, steps_find(&steps, "Key/k#restore-key"), "DiskEncryptionSet/d#create");
    CHECK(plan_make(a, &steps, &(struct plan_inputs){0}, &p, &err) == -ERR_INVALID && p == NULL);
    CHECK_STR(err.text, "steps need each other in a circle: DiskEncryptionSet/d#create -> Key/k#restore-key -> "
                        "DiskEncryptionSet/d#create");
    steps_build(a, &steps);
    steps_add(&steps, &documents[0], ACTION_RESTORE_KEY, NULL, "again");
    CHECK(plan_make(a, &steps, &(struct plan_inputs){0}, &p, &err) == -ERR_INVALID);
    CHECK_STR(err.text, "two steps are called Key/k#restore-key");
}

/* A circle blocks the steps in it and leaves an order of all. */
static void check_circle_blocked(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct steps steps;
    const struct plan *p;
    size_t n = 0;

    steps_build(a, &steps);
    CHECK(!plan_circles_block(a, &steps));
    step_need(&steps, steps_find(&steps, "Key/k#restore-key"), "DiskEncryptionSet/d#create");
    CHECK(plan_circles_block(a, &steps) && !plan_circles_block(a, &steps));
    CHECK(strstr(steps_find(&steps, "Key/k#restore-key")->reason,
                 "in a circle: DiskEncryptionSet/d#create -> Key/k#restore-key -> DiskEncryptionSet/d#create"));
    for (size_t i = 0; i < steps.count; i++)
        n += steps.items[i]->action == ACTION_BLOCKED;
    p = plan_of(a, &steps, 1000, "m", "f");
    CHECK(p && n == 3 && p->n_blocked == 3);
}

/* --- digests ------------------------------------------------------------------------------------------------------ */

enum edit {
    EDIT_NOTHING,
    EDIT_TIME,
    EDIT_REASON,
    EDIT_ESTIMATE,
    EDIT_EVIDENCE,
    EDIT_APPROVED,
    EDIT_INPUT,
    EDIT_FACTS,
    EDIT_SCOPE,
    EDIT_CHANGE,
    EDIT_NEED,
    EDIT_RULE,
    EDIT_STEP,
};

static const struct plan *plan_edited(struct arena *a, enum edit edit)
{
    struct steps steps;
    struct step *create;
    struct ruling *ruling = arena_new_of(a, struct ruling);

    steps_build(a, &steps);
    create = steps_find(&steps, "DiskEncryptionSet/d#create");
    *ruling = (struct ruling){.verdict = VERDICT_REQUIRE_APPROVAL, .rule = edit == EDIT_RULE ? "s" : "r"};
    ruling->evidence = edit == EDIT_EVIDENCE ? "x = 2" : "x = 1";
    create->rulings = ruling;
    create->n_rulings = 1;
    create->verdict = VERDICT_REQUIRE_APPROVAL;
    if (edit == EDIT_APPROVED) {
        ruling->approved_by = "Kim";
        create->verdict = VERDICT_ALLOW;
    }
    if (edit == EDIT_REASON)
        create->reason = "absent for 2 min";
    if (edit == EDIT_ESTIMATE)
        create->estimate_ms += 1000;
    if (edit == EDIT_SCOPE)
        create->scope = "/subscriptions/other";
    if (edit == EDIT_CHANGE)
        step_change(&steps, create, "tags", NULL, NULL, NULL);
    if (edit == EDIT_NEED)
        step_need(&steps, create, "DiskEncryptionSet/d#blocked.later");
    if (edit == EDIT_STEP)
        steps_add(&steps, &documents[0], ACTION_ENABLE, NULL, "disabled");
    return plan_of(a, &steps, edit == EDIT_TIME ? 2000 : 1000, edit == EDIT_INPUT ? "n" : "m",
                   edit == EDIT_FACTS ? "g" : "f");
}

static const struct {
    const char *reason;
    enum edit edit;
    bool same;
} digest_rows[] = {
    {"made again", EDIT_NOTHING, true},
    {"made later", EDIT_TIME, true},
    {"the wording moves with the clock", EDIT_REASON, true},
    {"so does an estimate", EDIT_ESTIMATE, true},
    {"evidence is a matter of the facts' own digest", EDIT_EVIDENCE, true},
    {"an approval is bound to the digest and must not change it", EDIT_APPROVED, true},
    {"another manifest", EDIT_INPUT, false},
    {"other facts", EDIT_FACTS, false},
    {"another place", EDIT_SCOPE, false},
    {"another change", EDIT_CHANGE, false},
    {"another need", EDIT_NEED, false},
    {"another rule", EDIT_RULE, false},
    {"another step", EDIT_STEP, false},
};

static void check_digests(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct plan *p = plan_edited(a, EDIT_NOTHING);

    CHECK(strlen(p->digest) == strlen("sha256:") + 64 && str_starts(p->digest, "sha256:"));
    CHECK(!str_eq(p->inputs_digest, p->facts_digest));
    for (size_t i = 0; i < COUNT(digest_rows); i++)
        CHECK_ROW(digest_rows[i].reason,
                  str_eq(p->digest, plan_edited(a, digest_rows[i].edit)->digest) == digest_rows[i].same);
}

/* --- saved plans -------------------------------------------------------------------------------------------------- */

static struct value *saved(struct arena *a, const struct plan *p)
{
    const char *text = json_string(a, plan_to_saved(a, p), JSON_INDENTED);
    struct value *v = NULL;
    struct err err;

    CHECK_ROW(err.text, json_parse(a, text, strlen(text), &v, &err) == 0);
    return v;
}

static const struct {
    const char *reason;
    enum edit edit;
    const char *says;            /* NULL: no difference */
} saved_rows[] = {
    {"the same", EDIT_NOTHING, NULL},
    {"later", EDIT_TIME, NULL},
    {"approved meanwhile", EDIT_APPROVED, NULL},
    {"other facts that lead to the same steps", EDIT_FACTS,
     "Azure has changed since it was made, though the same steps follow"},
    {"another manifest", EDIT_INPUT, "the manifests or the policy are not those the plan was made from"},
    {"another place", EDIT_SCOPE, "DiskEncryptionSet/d#create would now be done to /subscriptions/other"},
    {"one more change", EDIT_CHANGE, "DiskEncryptionSet/d#create now changes more than the saved plan shows"},
    {"one more need", EDIT_NEED, "DiskEncryptionSet/d#create now needs DiskEncryptionSet/d#blocked.later"},
    {"one more step", EDIT_STEP, "Key/k#enable is not in the saved plan"},
};

static void check_saved(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *v = saved(a, plan_edited(a, EDIT_NOTHING));

    for (size_t i = 0; i < COUNT(saved_rows); i++) {
        const char *got = plan_differs(a, v, plan_edited(a, saved_rows[i].edit));

        CHECK_ROW(saved_rows[i].reason, str_eq(got, saved_rows[i].says));
    }
    CHECK_STR(plan_differs(a, saved(a, plan_edited(a, EDIT_STEP)), plan_edited(a, EDIT_NOTHING)),
              "Key/k#enable is no longer needed");
    CHECK_STR(plan_differs(a, saved(a, plan_edited(a, EDIT_NEED)), plan_edited(a, EDIT_NOTHING)),
              "DiskEncryptionSet/d#create no longer needs DiskEncryptionSet/d#blocked.later");
    CHECK_STR(plan_differs(a, value_map(a), plan_edited(a, EDIT_NOTHING)), "the saved plan is not of format version 1");
}

/* Whoever edits a saved plan is told so, whatever was edited: what is done, what policy says, and what people read. */
static void check_edited(void)
{
    static const struct {
        const char *of_step, *of_plan;
    } rows[] = {
        {"verdict", NULL},     {"rulings", NULL}, {"reason", NULL}, {"changes", NULL},      {"needs", NULL},
        {"scope", NULL},       {"action", NULL},  {NULL, "digest"}, {NULL, "inputsDigest"}, {NULL, "policyDigest"},
        {NULL, "factsDigest"}, {NULL, "seal"},    {NULL, "made"},
    };
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct plan *fresh = plan_edited(a, EDIT_NOTHING);

    CHECK(plan_differs(a, saved(a, fresh), fresh) == NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value *v = saved(a, fresh), *steps = value_get(v, "steps"), *step = NULL;

        for (size_t k = 0; k < value_count(steps); k++)
            if (str_eq(value_str_at(value_item(steps, k), "id"), "DiskEncryptionSet/d#create"))
                step = value_item(steps, k);
        value_set_string(a, rows[i].of_step ? step : v, rows[i].of_step ? rows[i].of_step : rows[i].of_plan, "edited");
        CHECK_ROW(rows[i].of_step ? rows[i].of_step : rows[i].of_plan, plan_differs(a, v, fresh) != NULL);
    }
}

/* A plan is done as it was saved, or not at all: also what has become known since then needs another look. */
static void check_known(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct plan *fresh = plan_edited(a, EDIT_NOTHING);
    struct value *v = saved(a, fresh);
    struct step *create = steps_find(&fresh->steps, "DiskEncryptionSet/d#create");
    struct change *changes = (struct change *)create->changes;

    changes[0].after = value_string(a, "https://kv/keys/os/1");
    CHECK_STR(plan_differs(a, v, fresh), "DiskEncryptionSet/d#create has other changes in the saved plan than now");
    changes[1].after = value_string(a, "uaecentral");
    CHECK_STR(plan_differs(a, v, fresh), "DiskEncryptionSet/d#create would now set location to another value");
    changes[1].after = value_string(a, "uaenorth");
    changes[1].before = value_string(a, "elsewhere");
    CHECK_STR(plan_differs(a, v, fresh),
              "DiskEncryptionSet/d#create: location has another value now than when the plan was saved");
    changes[1].path = "tags";
    CHECK_STR(plan_differs(a, v, fresh), "DiskEncryptionSet/d#create no longer changes location");
}

static void check_schema(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    static const struct deadline deadlines[] = {{INT64_C(1795402800000), "second"}, {INT64_C(1795316400000), "first"}};
    struct plan p = *plan_edited(a, EDIT_RULE);
    struct schemas *schemas cleanup(schemas_freep) = NULL;
    struct diags diags;
    struct value *v;
    struct err err;

    p.deadlines = deadlines;
    p.n_deadlines = COUNT(deadlines);
    v = saved(a, &p);
    diags_init(&diags, a);
    CHECK(schemas_new(schema_files, &schemas, &err) == 0);
    schema_check(schemas, "plan.json", v, &diags);
    for (size_t i = 0; i < diags.count; i++)
        CHECK_ROW(diag_format(a, &diags.items[i]), false);
    CHECK_STR(value_str_at(v, "deadlines.0.what"), "first");
    CHECK_STR(value_str_at(v, "deadlines.1.at"), "2026-11-23T03:00:00Z");
    CHECK(value_int_at(v, "summary.changes", -1) == 3 && value_int_at(v, "summary.steps", -1) == 4);
}

int main(void)
{
    check_order();
    check_allowances();
    check_circle();
    check_circle_blocked();
    check_digests();
    check_saved();
    check_edited();
    check_known();
    check_schema();
    HARNESS_END();
}
