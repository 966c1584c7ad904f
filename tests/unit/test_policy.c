/* Every operator, effect, exception, budget, window and approval, each on a step made for it. */
#include "../../providers/documents/actions.h"
#include "policy_fixture.h"

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

int main(void)
{
    check_operators();
    check_rules();
    HARNESS_END();
}
