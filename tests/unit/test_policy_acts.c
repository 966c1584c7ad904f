/* Policies at work: changes that need approval, orders, budgets, faults of a policy's text. */
#include "../../providers/documents/actions.h"
#include "policy_fixture.h"

#define RULE "  rules:\n    - name: r\n"

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
        policy = policy_compile(a, policies, COUNT(policies), &all_rules, &diags);
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

/* Every built-in rule has a name of its own and names the harm. */
static void check_rules(void)
{
    for (size_t i = 0; i < all_rules.count; i++) {
        CHECK_ROW(all_rules.rules[i].name, str_starts(all_rules.rules[i].name, "built-in/"));
        CHECK_ROW(all_rules.rules[i].name, all_rules.rules[i].message && *all_rules.rules[i].message);
        for (size_t j = 0; j < i; j++)
            CHECK_ROW(all_rules.rules[i].name, !str_eq(all_rules.rules[i].name, all_rules.rules[j].name));
    }
    CHECK(all_rules.count == 13);
}

int main(void)
{
    check_changes();
    check_approvals();
    check_approval_of_denial();
    check_budgets();
    check_places();
    check_faults();
    check_articles();
    check_replace();
    check_rules();
    HARNESS_END();
}
