/* Every operator, effect, exception, budget, window and approval, each on a step made for it. */
#include "../harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/manifest.h"
#include "../../reconciler/model/policy.h"

/* 2026-11-23T03:00:00Z */
static const int64_t now_ms = INT64_C(1795402800000);

/* --- operators ---------------------------------------------------------------------------------------------------- */

/* A condition as the `when` of a deny rule: the step is denied exactly when it holds or cannot be decided. */
struct op_row {
    const char *reason, *condition;
    bool applies;
    const char *evidence;        /* NULL: not looked at */
};

static const struct op_row op_rows[] = {
    {"eq of a string", "{field: live.sku, op: eq, value: premium}", true, "live.sku = \"premium\""},
    {"eq of another string", "{field: live.sku, op: eq, value: standard}", false, NULL},
    {"eq of a boolean", "{field: live.properties.enablePurgeProtection, op: eq, value: false}", true,
     "live.properties.enablePurgeProtection = false"},
    {"eq of an absent field is false", "{field: live.none, op: eq, value: 1}", false, NULL},
    {"eq of whole and broken numbers", "{field: live.count, op: eq, value: 3.0}", true, NULL},
    {"ne of another value", "{field: live.sku, op: ne, value: standard}", true, NULL},
    {"ne of the same value", "{field: live.sku, op: ne, value: premium}", false, NULL},
    {"ne of an absent field is true", "{field: live.none, op: ne, value: 1}", true, "live.none is absent"},
    {"lt of numbers", "{field: live.count, op: lt, value: 4}", true, NULL},
    {"lt at the bound", "{field: live.count, op: lt, value: 3}", false, NULL},
    {"le at the bound", "{field: live.count, op: le, value: 3}", true, NULL},
    {"gt at the bound", "{field: live.count, op: gt, value: 3}", false, NULL},
    {"ge at the bound", "{field: live.count, op: ge, value: 3}", true, NULL},
    {"lt of an absent field is false", "{field: live.none, op: lt, value: 4}", false, NULL},
    {"times compare as times", "{field: live.created, op: lt, value: 2026-03-01T00:00:00Z}", true, NULL},
    {"times compare as times, not as text", "{field: live.created, op: gt, value: '2026-02-28T23:30:00-01:00'}", false,
     NULL},
    {"durations compare as durations", "{field: spec.keep, op: lt, value: 2d}", true, NULL},
    {"durations of Azure too", "{field: live.took, op: gt, value: 100s}", true, NULL},
    {"a string is not comparable with a number: undecided applies", "{field: live.sku, op: gt, value: 4}", true, NULL},
    {"in a list", "{field: live.sku, op: in, value: [standard, premium]}", true, NULL},
    {"not in the list", "{field: live.sku, op: in, value: [standard]}", false, NULL},
    {"in with an absent field is false", "{field: live.none, op: in, value: [a]}", false, NULL},
    {"notIn", "{field: live.sku, op: notIn, value: [standard]}", true, NULL},
    {"notIn with an absent field is false", "{field: live.none, op: notIn, value: [a]}", false, NULL},
    {"a string contains", "{field: live.sku, op: contains, value: emi}", true, NULL},
    {"a list contains", "{field: live.zones, op: contains, value: '2'}", true, NULL},
    {"a list does not contain", "{field: live.zones, op: contains, value: '9'}", false, NULL},
    {"contains in a number: undecided applies", "{field: live.count, op: contains, value: '3'}", true, NULL},
    {"regex finds", "{field: step.scope, op: regex, value: '/vaults/[^/]+$'}", true,
     "step.scope = \"/subscriptions/s/vaults/kv\""},
    {"regex does not find", "{field: step.scope, op: regex, value: '/keys/'}", false, NULL},
    {"regex of an absent field is false", "{field: step.scenario, op: regex, value: '.'}", false, NULL},
    {"exists", "{field: live.sku, op: exists}", true, NULL},
    {"null does not exist", "{field: live.nothing, op: exists}", false, NULL},
    {"absent", "{field: live.none, op: absent}", true, NULL},
    {"null is absent", "{field: live.nothing, op: absent}", true, NULL},
    {"there, so not absent", "{field: live.sku, op: absent}", false, NULL},
    {"facts beside live", "{field: facts.state, op: eq, value: present}", true, "facts.state = \"present\""},
    {"the declaration", "{field: spec.keep, op: eq, value: 24h}", true, NULL},
    {"metadata", "{field: metadata.name, op: eq, value: kv}", true, NULL},
    {"the step's action", "{field: step.action, op: eq, value: create}", true, NULL},
    {"the step's detail", "{field: step.detail.region, op: eq, value: uaenorth}", true, NULL},
    {"known only after apply: undecided applies", "{field: step.detail.later, op: eq, value: x}", true,
     "step.detail.later is known only after apply"},
    {"undecided stays undecided when denied", "{not: {field: step.detail.later, op: eq, value: x}}", true, NULL},
    {"all true", "{all: [{field: live.count, op: eq, value: 3}, {field: live.sku, op: eq, value: premium}]}", true,
     "live.count = 3, live.sku = \"premium\""},
    {"all with one false", "{all: [{field: live.count, op: eq, value: 3}, {field: live.sku, op: eq, value: x}]}", false,
     NULL},
    {"one false settles all, whatever is undecided",
     "{all: [{field: step.detail.later, op: eq, value: 1}, {field: live.sku, op: eq, value: x}]}", false, NULL},
    {"any with one true names that one",
     "{any: [{field: live.count, op: eq, value: 4}, {field: live.sku, op: eq, value: premium}]}", true,
     "live.sku = \"premium\""},
    {"any with none", "{any: [{field: live.count, op: eq, value: 4}, {field: live.sku, op: eq, value: x}]}", false,
     NULL},
    {"not", "{not: {field: live.count, op: eq, value: 4}}", true, "live.count = 3"},
    {"not of a true one", "{not: {field: live.count, op: eq, value: 3}}", false, NULL},
    {"an expression that hits its limit is undecided and applies", "{field: live.long, op: regex, value: '^(a+)+$'}",
     true, NULL},
};

static const char facts_yaml[] =
    "state: present\n"
    "associatedResources: []\n"
    "live:\n"
    "  sku: premium\n"
    "  count: 3\n"
    "  nothing: null\n"
    "  zones: ['1', '2']\n"
    "  created: 2026-02-28T23:00:00Z\n"
    "  took: PT2M30.5S\n"
    "  long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n"
    "  properties: {enablePurgeProtection: false}\n";

static const char document_yaml[] = "metadata: {name: kv, labels: {app: payroll}}\nspec: {keep: 24h}\n";

/* --- a world of one policy and one document ----------------------------------------------------------------------- */

struct fixture {
    struct arena *arena;
    struct diags diags;
    const struct policy *policy;
    struct policy_options options;
    struct document document;
    const struct value *facts;
    struct steps steps;
};

static struct value *yaml(struct arena *a, const char *file, const char *text)
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    manifest_read(a, file, text, strlen(text), &manifest_default_limits, docs, &diags);
    CHECK_ROW(text, diags.count == 0);
    return value_item(docs, 0);
}

static const char *const kinds[] = {"Key", "KeyVault", "ManagedHsm", "DiskEncryptionSet", "RestoredVirtualMachine",
                                    NULL};

/* `rules` is the spec of one Policy called guardrails. */
static void fixture_begin(struct fixture *f, const char *spec)
{
    const struct document **policies;
    struct document *policy;

    *f = (struct fixture){.arena = arena_new()};
    diags_init(&f->diags, f->arena);
    policy = arena_new_of(f->arena, struct document);
    policy->kind = "Policy";
    policy->name = "guardrails";
    policy->root = yaml(f->arena, "policy.yaml", arena_printf(f->arena, "spec:\n%s", spec));
    policy->spec = value_get(policy->root, "spec");
    policies = arena_array(f->arena, const struct document *, 1);
    policies[0] = policy;
    f->policy = policy_compile(f->arena, policies, 1, kinds, &f->diags);
    f->options.now_ms = now_ms;
    f->options.pinned = true;
    f->document = (struct document){.kind = "KeyVault", .name = "kv", .address = "KeyVault/kv"};
    f->document.root = yaml(f->arena, "m.yaml", document_yaml);
    f->document.spec = value_get(f->document.root, "spec");
    f->document.labels = value_at(f->document.root, "metadata.labels");
    f->facts = yaml(f->arena, "facts", facts_yaml);
    f->steps.arena = f->arena;
}

static void fixture_end(struct fixture *f)
{
    policy_free(f->policy);
    arena_free(f->arena);
}

static const struct value *facts_of(const void *ctx, const struct document *doc)
{
    (void)doc;
    return ((const struct fixture *)ctx)->facts;
}

static struct step *add(struct fixture *f, enum action action)
{
    struct step *step =
        steps_add(&f->steps, &f->document, action, arena_printf(f->arena, "%zu", f->steps.count), "because");
    struct value *detail = value_map(f->arena);

    value_set_string(f->arena, detail, "region", "uaenorth");
    value_set(f->arena, detail, "later", value_unknown(f->arena));
    step->detail = detail;
    step->scope = "/subscriptions/s/vaults/kv";
    return step;
}

static void judge(struct fixture *f)
{
    policy_judge(f->policy, &f->options, &f->steps, facts_of, f);
}

static void check_operators(void)
{
    for (size_t i = 0; i < COUNT(op_rows); i++) {
        const struct op_row *row = &op_rows[i];
        struct fixture f;
        struct step *step;
        char spec[600];

        snprintf(spec, sizeof(spec), "  rules:\n    - name: r\n      effect: deny\n      when: %s\n", row->condition);
        fixture_begin(&f, spec);
        CHECK_ROW(row->reason, f.diags.n_errors == 0);
        step = add(&f, ACTION_CREATE);
        judge(&f);
        CHECK_ROW(row->reason, step->verdict == (row->applies ? VERDICT_DENY : VERDICT_ALLOW));
        CHECK_ROW(row->reason, step->n_rulings == (row->applies ? 1 : 0));
        if (row->evidence && step->n_rulings)
            CHECK_STR(step->rulings[0].evidence, row->evidence);
        fixture_end(&f);
    }
}

/* --- rules, whole ------------------------------------------------------------------------------------------------- */

struct rule_row {
    const char *reason, *spec;
    enum action action;
    enum verdict verdict;
    size_t n_rulings;
    const char *message;         /* of the first ruling; NULL: not looked at */
};

#define RULE "  rules:\n    - name: r\n"

static const struct rule_row rule_rows[] = {
    {"no rule", "  rules: []\n", ACTION_CREATE, VERDICT_ALLOW, 0, NULL},
    {"warn", RULE "      effect: warn\n      message: look\n", ACTION_CREATE, VERDICT_WARN, 1, "look"},
    {"require approval", RULE "      effect: require-approval\n", ACTION_CREATE, VERDICT_REQUIRE_APPROVAL, 1, NULL},
    {"observe only", RULE "      effect: observe-only\n", ACTION_CREATE, VERDICT_OBSERVE_ONLY, 1, NULL},
    {"deny", RULE "      effect: deny\n", ACTION_CREATE, VERDICT_DENY, 1, NULL},
    {"the strictest wins", RULE "      effect: deny\n    - name: s\n      effect: warn\n", ACTION_CREATE, VERDICT_DENY,
     2, NULL},
    {"verify is never forbidden", RULE "      effect: deny\n", ACTION_VERIFY, VERDICT_ALLOW, 0, NULL},
    {"wait is never forbidden", RULE "      effect: observe-only\n", ACTION_WAIT, VERDICT_ALLOW, 0, NULL},
    {"nothing to do, nothing to forbid", RULE "      effect: deny\n", ACTION_NONE, VERDICT_ALLOW, 0, NULL},
    {"nothing to do, nothing to warn of", RULE "      effect: warn\n", ACTION_NONE, VERDICT_ALLOW, 0, NULL},
    {"match by kind", RULE "      effect: deny\n      match: {kind: KeyVault}\n", ACTION_CREATE, VERDICT_DENY, 1, NULL},
    {"a kind is matched whole", RULE "      effect: deny\n      match: {kind: Key}\n", ACTION_CREATE, VERDICT_ALLOW, 0,
     NULL},
    {"a kind by expression", RULE "      effect: deny\n      match: {kind: 'Key.*|Azure'}\n", ACTION_CREATE,
     VERDICT_DENY, 1, NULL},
    {"an action is matched whole", RULE "      effect: deny\n      match: {action: restore-key}\n", ACTION_RESTORE_VM,
     VERDICT_ALLOW, 0, NULL},
    {"an action by expression", RULE "      effect: deny\n      match: {action: 'restore-.*'}\n", ACTION_RESTORE_VM,
     VERDICT_DENY, 1, NULL},
    {"a name is found anywhere", RULE "      effect: deny\n      match: {name: v}\n", ACTION_CREATE, VERDICT_DENY, 1,
     NULL},
    {"a name from its beginning", RULE "      effect: deny\n      match: {name: '^v'}\n", ACTION_CREATE, VERDICT_ALLOW,
     0, NULL},
    {"by id", RULE "      effect: deny\n      match: {id: '#create'}\n", ACTION_CREATE, VERDICT_DENY, 1, NULL},
    {"by label", RULE "      effect: deny\n      match: {labels: {app: ^pay}}\n", ACTION_CREATE, VERDICT_DENY, 1, NULL},
    {"a label that is not there", RULE "      effect: deny\n      match: {labels: {tier: ''}}\n", ACTION_CREATE,
     VERDICT_ALLOW, 0, NULL},
    {"no scenario, no match", RULE "      effect: deny\n      match: {scenario: N-17}\n", ACTION_CREATE, VERDICT_ALLOW,
     0, NULL},
    {"all of match must hold", RULE "      effect: deny\n      match: {kind: KeyVault, name: other}\n", ACTION_CREATE,
     VERDICT_ALLOW, 0, NULL},
    {"an assertion that holds", RULE "      effect: deny\n      assert: {field: live.sku, op: eq, value: premium}\n",
     ACTION_CREATE, VERDICT_ALLOW, 0, NULL},
    {"an assertion that is broken denies writes",
     RULE "      effect: deny\n      assert: {field: live.sku, op: eq, value: x}\n", ACTION_CREATE, VERDICT_DENY, 1,
     NULL},
    {"a broken assertion shows where nothing is to do",
     RULE "      effect: deny\n      assert: {field: live.sku, op: eq, value: x}\n", ACTION_NONE, VERDICT_WARN, 1,
     NULL},
    {"an assertion over what is not there is broken",
     RULE "      effect: deny\n      assert: {field: live.none, op: eq, value: x}\n", ACTION_CREATE, VERDICT_DENY, 1,
     NULL},
    {"when and assert together",
     RULE "      effect: deny\n      when: {field: live.count, op: eq, value: 4}\n      assert: {field: live.sku, op: "
          "eq, value: x}\n",
     ACTION_CREATE, VERDICT_ALLOW, 0, NULL},
    {"an action not among the allowed", "  allowedActions: {KeyVault: [update, recover]}\n", ACTION_CREATE,
     VERDICT_DENY, 1, "of KeyVault only these actions are allowed: update, recover"},
    {"an action among the allowed", "  allowedActions: {KeyVault: [create]}\n", ACTION_CREATE, VERDICT_ALLOW, 0, NULL},
    {"no action allowed", "  allowedActions: {KeyVault: []}\n", ACTION_CREATE, VERDICT_DENY, 1,
     "of KeyVault only these actions are allowed: none"},
    {"kinds that are not named are free", "  allowedActions: {Key: []}\n", ACTION_CREATE, VERDICT_ALLOW, 0, NULL},
    {"looking is always allowed", "  allowedActions: {KeyVault: []}\n", ACTION_VERIFY, VERDICT_ALLOW, 0, NULL},
    {"an open window", "  windows: [{from: 2026-11-23T00:00:00Z, until: 2026-11-24T00:00:00Z}]\n", ACTION_CREATE,
     VERDICT_ALLOW, 0, NULL},
    {"a window to come", "  windows: [{from: 2026-11-24T00:00:00Z, until: 2026-11-25T00:00:00Z}]\n", ACTION_CREATE,
     VERDICT_DENY, 1, "the next window for it opens at 2026-11-24T00:00:00Z"},
    {"a window that has closed, at its very end",
     "  windows: [{from: 2026-11-22T00:00:00Z, until: 2026-11-23T03:00:00Z}]\n", ACTION_CREATE, VERDICT_DENY, 1,
     "no window for it will open any more"},
    {"one open window of two",
     "  windows: [{from: 2026-11-24T00:00:00Z, until: 2026-11-25T00:00:00Z}, "
     "{from: 2026-11-23T00:00:00Z, until: 2026-11-24T00:00:00Z}]\n",
     ACTION_CREATE, VERDICT_ALLOW, 0, NULL},
    {"a window for others",
     "  windows: [{from: 2026-11-24T00:00:00Z, until: 2026-11-25T00:00:00Z, match: {kind: Key}}]\n", ACTION_CREATE,
     VERDICT_ALLOW, 0, NULL},
    {"an exception lifts",
     RULE "      effect: deny\n  exceptions: [{rule: r, until: 2026-11-24T00:00:00Z, reason: moving}]\n", ACTION_CREATE,
     VERDICT_ALLOW, 1, "lifted by an exception until 2026-11-24T00:00:00Z: moving"},
    {"an exception that has ended lifts nothing and says so",
     RULE
     "      effect: deny\n      message: no\n  exceptions: [{rule: r, until: 2026-11-23T03:00:00Z, reason: moving}]\n",
     ACTION_CREATE, VERDICT_DENY, 1, "no; the exception to it ended at 2026-11-23T03:00:00Z"},
    {"an exception for another document",
     RULE
     "      effect: deny\n  exceptions: [{rule: r, until: 2026-11-24T00:00:00Z, reason: x, match: {name: other}}]\n",
     ACTION_CREATE, VERDICT_DENY, 1, NULL},
    {"a built-in rule can be lifted",
     "  exceptions: [{rule: built-in/recover, until: 2026-11-24T00:00:00Z, reason: drill}]\n", ACTION_RECOVER,
     VERDICT_ALLOW, 1, "lifted by an exception until 2026-11-24T00:00:00Z: drill"},
    {"a budget can be lifted",
     "  budgets: {changes: 0}\n"
     "  exceptions: [{rule: guardrails/budgets.changes, until: 2026-11-24T00:00:00Z, reason: drill}]\n",
     ACTION_CREATE, VERDICT_ALLOW, 1, NULL},
    {"recover waits for approval", "  rules: []\n", ACTION_RECOVER, VERDICT_REQUIRE_APPROVAL, 1,
     "what was soft-deleted may have been deleted on purpose"},
    {"enable waits for approval", "  rules: []\n", ACTION_ENABLE, VERDICT_REQUIRE_APPROVAL, 1, NULL},
    {"restore-key waits for approval", "  rules: []\n", ACTION_RESTORE_KEY, VERDICT_REQUIRE_APPROVAL, 1, NULL},
    {"an update of something harmless does not", "  rules: []\n", ACTION_UPDATE, VERDICT_ALLOW, 0, NULL},
};

static void check_rules(void)
{
    for (size_t i = 0; i < COUNT(rule_rows); i++) {
        const struct rule_row *row = &rule_rows[i];
        struct fixture f;
        struct step *step;

        fixture_begin(&f, row->spec);
        CHECK_ROW(row->reason, f.diags.n_errors == 0);
        step = add(&f, row->action);
        judge(&f);
        CHECK_ROW(row->reason, step->verdict == row->verdict);
        CHECK_ROW(row->reason, step->n_rulings == row->n_rulings);
        if (row->message && step->n_rulings)
            CHECK_STR(step->rulings[0].message, row->message);
        fixture_end(&f);
    }
}

/* --- built-in rules that look at changes -------------------------------------------------------------------------- */

static const struct {
    const char *reason, *kind, *path, *facts;
    const char *rule;            /* NULL: allowed */
} change_rows[] = {
    {"re-pointing a set in use", "DiskEncryptionSet", "properties.activeKey.keyUrl", "associatedResources: [/vm]",
     "built-in/re-point-key"},
    {"re-pointing a set nobody uses", "DiskEncryptionSet", "properties.activeKey.keyUrl", "associatedResources: []",
     NULL},
    {"re-pointing a set whose users are not known", "DiskEncryptionSet", "properties.activeKey.keyUrl",
     "state: present", "built-in/re-point-key"},
    {"another change of a set in use", "DiskEncryptionSet", "properties.rotation", "associatedResources: [/vm]", NULL},
    {"purge protection on", "KeyVault", "properties.enablePurgeProtection", "state: present",
     "built-in/purge-protection"},
    {"purge protection of an HSM", "ManagedHsm", "properties.enablePurgeProtection", "state: present",
     "built-in/purge-protection"},
    {"another permission model", "KeyVault", "properties.enableRbacAuthorization", "state: present",
     "built-in/permission-model"},
    {"another change of a vault", "KeyVault", "properties.networkAcls", "state: present", NULL},
    {"the same path on another kind", "Key", "properties.enablePurgeProtection", "state: present", NULL},
};

static void check_changes(void)
{
    for (size_t i = 0; i < COUNT(change_rows); i++) {
        struct fixture f;
        struct step *step;

        fixture_begin(&f, "  rules: []\n");
        f.document.kind = change_rows[i].kind;
        f.facts = yaml(f.arena, "facts", change_rows[i].facts);
        step = add(&f, ACTION_UPDATE);
        step_change(&f.steps, step, change_rows[i].path, NULL, value_bool(f.arena, true), NULL);
        judge(&f);
        CHECK_ROW(change_rows[i].reason,
                  step->verdict == (change_rows[i].rule ? VERDICT_REQUIRE_APPROVAL : VERDICT_ALLOW));
        if (change_rows[i].rule && step->n_rulings)
            CHECK_STR(step->rulings[0].rule, change_rows[i].rule);
        fixture_end(&f);
    }
}

/* --- approvals and orders ----------------------------------------------------------------------------------------- */

static void check_approvals(void)
{
    const struct approval approvals[] = {{"other", "Sam"}, {"mine", "Kim"}};
    struct fixture f;
    struct step *step, *ordered;
    struct value *detail;

    fixture_begin(&f,
                  "  rules:\n    - name: mine\n      match: {action: restore-key}\n      effect: require-approval\n");
    step = add(&f, ACTION_RESTORE_KEY);
    ordered = add(&f, ACTION_RESTORE_KEY);
    detail = value_map(f.arena);
    value_set_string(f.arena, detail, "orderedBy", "inc-4711");
    ordered->detail = detail;
    judge(&f);
    CHECK(step->n_rulings == 2 && ordered->n_rulings == 2);
    CHECK(step->verdict == VERDICT_REQUIRE_APPROVAL && step->rulings[0].approved_by == NULL);
    CHECK_STR(ordered->rulings[0].rule, "built-in/restore-key");
    CHECK_STR(ordered->rulings[0].approved_by, "Activation inc-4711");
    CHECK_STR(ordered->rulings[1].rule, "mine");
    CHECK(ordered->rulings[1].approved_by == NULL);
    CHECK(ordered->verdict == VERDICT_REQUIRE_APPROVAL);

    f.options.approvals = approvals;
    f.options.n_approvals = COUNT(approvals);
    judge(&f);
    CHECK(step->n_rulings == 2);
    CHECK_STR(step->rulings[1].approved_by, "Kim");
    CHECK(step->verdict == VERDICT_REQUIRE_APPROVAL);
    CHECK_STR(ordered->rulings[1].approved_by, "Kim");
    CHECK(ordered->verdict == VERDICT_ALLOW);
    fixture_end(&f);
}

/* An approval satisfies a rule that asks for one, and no other effect. */
static void check_approval_of_denial(void)
{
    const struct approval approval = {"r", "Kim"};
    struct fixture f;
    struct step *step;

    fixture_begin(&f, RULE "      effect: deny\n");
    f.options.approvals = &approval;
    f.options.n_approvals = 1;
    step = add(&f, ACTION_CREATE);
    judge(&f);
    CHECK(step->verdict == VERDICT_DENY && step->rulings[0].approved_by == NULL);
    fixture_end(&f);
}

/* --- budgets ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *reason, *spec, *actions, *denied;     /* one letter a step */
} budget_rows[] = {
    {"changes beyond the budget, in order", "  budgets: {changes: 2}\n", "cccc", "..xx"},
    {"looking and waiting cost nothing", "  budgets: {changes: 1}\n", "wvcnc", "....x"},
    {"a budget of none", "  budgets: {restores: 0}\n", "crc", ".x."},
    {"exports have their own", "  budgets: {exports: 1}\n", "eecr", ".x.."},
    {"what is denied uses nothing up", "  budgets: {changes: 1, restores: 0}\n", "rrcc", "xx.x"},
    {"what another rule denies uses nothing up",
     "  budgets: {changes: 1}\n  rules: [{name: r, effect: deny, match: {action: export-key}}]\n", "eecc", "xx.x"},
};

static void check_budgets(void)
{
    static const enum action letters[] = {
        ['c'] = ACTION_CREATE, ['r'] = ACTION_RESTORE_VM, ['e'] = ACTION_EXPORT_KEY,
        ['w'] = ACTION_WAIT,   ['v'] = ACTION_VERIFY,     ['n'] = ACTION_NONE,
    };

    for (size_t i = 0; i < COUNT(budget_rows); i++) {
        struct fixture f;

        fixture_begin(&f, budget_rows[i].spec);
        for (const char *l = budget_rows[i].actions; *l; l++)
            add(&f, letters[(unsigned char)*l]);
        judge(&f);
        for (size_t k = 0; k < f.steps.count; k++)
            CHECK_ROW(budget_rows[i].reason,
                      (f.steps.items[k]->verdict == VERDICT_DENY) == (budget_rows[i].denied[k] == 'x'));
        fixture_end(&f);
    }
}

static void check_places(void)
{
    struct fixture f;
    struct step *step;

    fixture_begin(&f, "  budgets: {changes: 0}\n  rules:\n"
                      "    - name: keep\n      effect: deny\n      match: {kind: KeyVault, name: ^kv}\n");
    step = add(&f, ACTION_CREATE);
    judge(&f);
    CHECK(step->n_rulings == 1);
    CHECK_STR(step->rulings[0].rule, "keep");
    CHECK_STR(step->rulings[0].origin.file, "policy.yaml");
    CHECK(step->rulings[0].origin.line == 4);
    CHECK_STR(step->rulings[0].evidence, "kind = KeyVault, name = kv");
    fixture_end(&f);
    fixture_begin(&f, "  budgets: {changes: 0}\n");
    step = add(&f, ACTION_CREATE);
    judge(&f);
    CHECK_STR(step->rulings[0].rule, "guardrails/budgets.changes");
    CHECK(step->rulings[0].origin.line == 2);
    CHECK_STR(step->rulings[0].evidence, "changes: 0 of 0 used");
    fixture_end(&f);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *spec, *fault;       /* part of the only fault */
} fault_rows[] = {
    {"a kind nobody knows", RULE "      effect: deny\n      match: {kind: KeyVualt}\n", "no kind matches \"KeyVualt\""},
    {"an expression that is none", RULE "      effect: deny\n      match: {name: '('}\n", "\"(\" cannot be used"},
    {"an action nobody knows", RULE "      effect: deny\n      match: {action: delete}\n",
     "no action matches \"delete\""},
    {"an effect that does not exist", RULE "      effect: forbid\n", "rule r has no effect that exists"},
    {"a field outside", RULE "      effect: deny\n      when: {field: secrets.x, op: exists}\n",
     "\"secrets.x\" is no field"},
    {"a member of step that does not exist", RULE "      effect: deny\n      when: {field: step.verdict, op: exists}\n",
     "\"step.verdict\" is no field"},
    {"a bare root", RULE "      effect: deny\n      when: {field: live., op: exists}\n", "\"live.\" is no field"},
    {"an operator misspelt", RULE "      effect: deny\n      when: {field: live.x, op: exist}\n",
     "did you mean exists?"},
    {"a list where one value belongs", RULE "      effect: deny\n      when: {field: live.x, op: in, value: a}\n",
     "give a list"},
    {"an order over words", RULE "      effect: deny\n      when: {field: live.x, op: lt, value: soon}\n",
     "give a number, a time"},
    {"a duration misspelt", RULE "      effect: deny\n      when: {field: live.x, op: lt, value: 7 days}\n",
     "does not fit the operator lt"},
    {"a value where none belongs", RULE "      effect: deny\n      when: {field: live.x, op: exists, value: 1}\n",
     "give no value"},
    {"no value where one belongs", RULE "      effect: deny\n      when: {field: live.x, op: eq}\n", "give a value"},
    {"a condition of two shapes",
     RULE "      effect: deny\n      when: {all: [{field: live.x, op: exists}], any: []}\n", "this is no condition"},
    {"an empty condition", RULE "      effect: deny\n      when: {any: []}\n", "this is no condition"},
    {"an expression in a condition", RULE "      effect: deny\n      when: {field: live.x, op: regex, value: '['}\n",
     "\"[\" cannot be used"},
    {"two rules of one name", RULE "      effect: deny\n    - name: r\n      effect: warn\n", "first at policy.yaml:3"},
    {"a name that is taken", "  rules: [{name: built-in/recover, effect: warn}]\n", "no name of its own"},
    {"an exception without a reason",
     RULE "      effect: deny\n  exceptions: [{rule: r, until: 2026-11-24T00:00:00Z}]\n", "no reason"},
    {"an exception without an end", RULE "      effect: deny\n  exceptions: [{rule: r, reason: x}]\n",
     "until is no time"},
    {"an exception to nothing",
     RULE "      effect: deny\n  exceptions: [{rule: built-in/recovr, until: 2026-11-24T00:00:00Z, reason: x}]\n",
     "did you mean built-in/recover?"},
    {"an action not known in allowedActions", "  allowedActions: {Key: [delete]}\n", "\"delete\" is no action"},
    {"a budget that is no count", "  budgets: {changes: -1}\n", "budgets.changes is no count"},
    {"a window that never opens", "  windows: [{from: 2026-11-24T00:00:00Z, until: 2026-11-24T00:00:00Z}]\n",
     "the window never opens"},
};

static void check_faults(void)
{
    for (size_t i = 0; i < COUNT(fault_rows); i++) {
        struct fixture f;

        fixture_begin(&f, fault_rows[i].spec);
        CHECK_ROW(fault_rows[i].reason, f.diags.n_errors == 1);
        if (f.diags.count) {
            CHECK_ROW(fault_rows[i].reason,
                      strstr(diag_format(f.arena, &f.diags.items[0]), fault_rows[i].fault) != NULL);
            CHECK_ROW(fault_rows[i].reason, f.diags.items[0].origin.line > 1);
        }
        fixture_end(&f);
    }
}

/* Two Policies may both choose an edition of Microsoft's article, but not two editions: the fault names both places. */
static void check_articles(void)
{
    static const struct {
        const char *first, *second, *chosen, *fault;
    } rows[] = {
        {"{rules: []}", "{rules: []}", NULL, NULL},
        {"{rules: []}", "{article: 2026-07}", "2026-07", NULL},
        {"{article: 2026-02}", "{rules: []}", "2026-02", NULL},
        {"{article: safest}", "{article: safest}", "safest", NULL},
        {"{article: 2026-02}", "{article: 2026-07}", NULL,
         "b.yaml:2:17: article is 2026-07 here and 2026-02 at a.yaml:1; keep one of the two"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct document both[2] = {{.kind = "Policy", .name = "a"}, {.kind = "Policy", .name = "b"}};
        const struct document *const policies[] = {&both[0], &both[1]};
        const struct policy *policy;
        struct diags diags;

        diags_init(&diags, a);
        both[0].root = yaml(a, "a.yaml", arena_printf(a, "spec: %s\n", rows[i].first));
        both[1].root = yaml(a, "b.yaml", arena_printf(a, "\nspec: %s\n", rows[i].second));
        both[0].spec = value_get(both[0].root, "spec");
        both[1].spec = value_get(both[1].root, "spec");
        policy = policy_compile(a, policies, COUNT(policies), kinds, &diags);
        CHECK_ROW(rows[i].second, diags.n_errors == (rows[i].fault ? 1 : 0));
        if (!rows[i].fault)
            CHECK_ROW(rows[i].second, str_eq(policy_article(policy), rows[i].chosen));
        if (rows[i].fault && diags.n_errors)
            CHECK_STR(diag_format(a, &diags.items[0]), rows[i].fault);
        policy_free(policy);
    }
}

/* An order approves what it covers, but not that the disks of a VM are exchanged: that takes a person's name. */
static void check_replace(void)
{
    const struct approval approvals[] = {{"built-in/replace", "Kim"}};

    for (size_t named = 0; named < 2; named++) {
        struct fixture f;
        struct step *step;
        struct value *detail;

        fixture_begin(&f, "  rules: []\n");
        step = add(&f, ACTION_RESTORE_VM);
        detail = value_map(f.arena);
        value_set_string(f.arena, detail, "orderedBy", "inc-1");
        step->detail = detail;
        step_change(&f.steps, step, "properties.storageProfile.osDisk.managedDisk.id", NULL, value_unknown(f.arena),
                    NULL);
        f.options.approvals = approvals;
        f.options.n_approvals = named;
        judge(&f);
        CHECK(step->verdict == (named ? VERDICT_ALLOW : VERDICT_REQUIRE_APPROVAL));
        CHECK(step->n_rulings == 1 && str_eq(step->rulings[0].rule, "built-in/replace"));
        CHECK(step->n_rulings == 1 && str_eq(step->rulings[0].approved_by, named ? "Kim" : NULL));
        fixture_end(&f);
    }
}

static void check_lines(void)
{
    const char *const *lines = policy_builtin_lines();
    size_t n = 0;

    for (; lines[n]; n++)
        CHECK_ROW(lines[n], str_starts(lines[n], "built-in/") && strstr(lines[n], ": "));
    CHECK(n == 12);
}

int main(void)
{
    check_operators();
    check_rules();
    check_changes();
    check_approvals();
    check_approval_of_denial();
    check_budgets();
    check_places();
    check_faults();
    check_articles();
    check_replace();
    check_lines();
    HARNESS_END();
}
