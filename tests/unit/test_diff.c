/* When a declared value and a live one mean the same; how steps are built and written down. */
#include "../harness.h"

#include "../../providers/documents/actions.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/model/diff.h"

struct row {
    const char *reason;
    const char *want, *have;      /* JSON; NULL: not there */
    unsigned traits;
    bool same;
};

static const struct row rows[] = {
    {"nothing declared is never a difference", NULL, "\"premium\"", 0, true},
    {"declared and absent", "\"a\"", NULL, 0, false},
    {"declared and null", "\"a\"", "null", 0, false},
    {"null declared, absent live", "null", NULL, 0, true},
    {"null declared, something live", "null", "1", 0, false},
    {"equal strings", "\"a\"", "\"a\"", 0, true},
    {"case counts unless told", "\"a\"", "\"A\"", 0, false},
    {"case folded", "\"/Subscriptions/X\"", "\"/subscriptions/x\"", DIFF_NOCASE, true},
    {"still different with case folded", "\"a\"", "\"b\"", DIFF_NOCASE, false},
    {"the portal's name of a location", "\"East US 2\"", "\"eastus2\"", DIFF_LOCATION, true},
    {"the API's name of a location", "\"uaenorth\"", "\"UAE North\"", DIFF_LOCATION, true},
    {"a location that only begins alike", "\"eastus\"", "\"eastus2\"", DIFF_LOCATION, false},
    {"blanks count elsewhere", "\"a b\"", "\"ab\"", DIFF_NOCASE, false},
    {"true against false", "true", "false", 0, false},
    {"true against absent", "true", NULL, DIFF_ABSENT_IS_FALSE, false},
    {"false against absent", "false", NULL, 0, false},
    {"false against absent, where that is false", "false", NULL, DIFF_ABSENT_IS_FALSE, true},
    {"false against null, where that is false", "false", "null", DIFF_ABSENT_IS_FALSE, true},
    {"false against true, where absent is false", "false", "true", DIFF_ABSENT_IS_FALSE, false},
    {"a string is no boolean", "true", "\"true\"", 0, false},
    {"whole number and the same with a point", "7", "7.0", 0, true},
    {"whole number and a near one", "7", "7.5", 0, false},
    {"a number is no string", "7", "\"7\"", 0, false},
    {"lists in order", "[1,2]", "[1,2]", 0, true},
    {"lists out of order", "[\"a\",\"b\"]", "[\"b\",\"a\"]", 0, false},
    {"sets out of order", "[\"a\",\"b\"]", "[\"b\",\"a\"]", DIFF_UNORDERED, true},
    {"sets fold case", "[\"Get\",\"wrapKey\"]", "[\"wrapkey\",\"get\"]", DIFF_UNORDERED, true},
    {"sets count a member once", "[\"a\",\"A\"]", "[\"a\"]", DIFF_UNORDERED, true},
    {"a set that has more", "[\"a\"]", "[\"a\",\"b\"]", DIFF_UNORDERED, false},
    {"a set that has less", "[\"a\",\"b\"]", "[\"a\"]", DIFF_UNORDERED, false},
    {"an empty set", "[]", "[]", DIFF_UNORDERED, true},
    {"only declared members of a map count", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1,\"y\":2},\"b\":3}", 0, true},
    {"a declared member differs", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":2}}", 0, false},
    {"a declared member is absent", "{\"a\":1}", "{}", 0, false},
    {"traits reach into maps", "{\"a\":\"X\"}", "{\"a\":\"x\"}", DIFF_NOCASE, true},
    {"known only after apply is a difference", "{\"$unknown\":true}", "\"a\"", 0, false},
};

static const struct value *json(struct arena *a, const char *text)
{
    struct value *v = NULL;
    struct err err;

    if (!text)
        return NULL;
    if (json_parse(a, text, strlen(text), &v, &err) < 0)
        return NULL;
    return value_bool_at(v, "$unknown", false) ? value_unknown(a) : v;
}

static void check_fields(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct document doc = {.kind = "KeyVault", .name = "kv", .address = "KeyVault/kv"};
    struct steps steps = {.arena = a};
    struct step *step = steps_add(&steps, &doc, ACTION_UPDATE, NULL, "%d fields", 2);

    CHECK(!diff_field(&steps, step, "p.same", value_int(a, 1), value_int(a, 1), 0));
    CHECK(step->n_changes == 0);
    CHECK(diff_field(&steps, step, "p.x", value_bool(a, true), NULL, 0));
    CHECK(diff_field(&steps, step, "p.y", value_unknown(a), value_int(a, 1), 0));
    CHECK(step->n_changes == 2);
    CHECK_STR(step->changes[0].path, "p.x");
    CHECK(step->changes[0].before == NULL && value_is(step->changes[0].after, VALUE_BOOL));
    CHECK(value_is(step->changes[1].after, VALUE_UNKNOWN));
    CHECK_STR(step->reason, "2 fields");
}

static void check_steps(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct document doc = {.kind = "Key", .name = "k", .address = "Key/k"};
    struct steps steps = {.arena = a};
    struct step *first = steps_add(&steps, &doc, ACTION_RESTORE_KEY, NULL, "gone");
    struct step *second = steps_add(&steps, &doc, ACTION_GRANT, "des-x", "lacks");
    struct value *v;

    CHECK_STR(first->id, "Key/k#restore-key");
    CHECK_STR(second->id, "Key/k#grant.des-x");
    CHECK(steps_find(&steps, "Key/k#grant.des-x") == second);
    CHECK(steps_find(&steps, "Key/k#grant") == NULL);
    step_need(&steps, second, first->id);
    step_need(&steps, second, first->id);
    step_need(&steps, second, NULL);
    CHECK(second->n_needs == 1);
    step_writes(&steps, second, "PUT", "/roleassignments/%d", 7);
    CHECK_STR(second->writes[0].fragment, "/roleassignments/7");
    step_right(&steps, second, "/s", "a/write", false, "Owner");
    CHECK(second->n_rights == 1 && !second->rights[0].data);
    step_change(&steps, second, "x", NULL, value_unknown(a), NULL);
    second->estimate_ms = 1500;
    second->rulings =
        &(struct ruling){.verdict = VERDICT_DENY, .rule = "r", .origin = {"p.yaml", 3, 5}, .message = "no"};
    second->n_rulings = 1;
    second->verdict = VERDICT_DENY;
    v = step_to_value(a, second);
    CHECK_STR(json_string(a, v, JSON_COMPACT),
              "{\"id\":\"Key/k#grant.des-x\",\"kind\":\"Key\",\"name\":\"k\",\"action\":\"grant\",\"needs\":[\"Key/"
              "k#restore-key\"],"
              "\"reason\":\"lacks\",\"changes\":[{\"path\":\"x\",\"after\":{\"$unknown\":true}}],\"estimateSeconds\":2,"
              "\"verdict\":\"deny\","
              "\"rulings\":[{\"verdict\":\"deny\",\"rule\":\"r\",\"file\":\"p.yaml\",\"line\":3,\"column\":5,"
              "\"message\":\"no\"}]}");
}

static void check_actions(void)
{
    for (enum action i = 0; i < ACTION_COUNT; i++) {
        CHECK_ROW(action_name(i), action_parse(action_name(i)) == i);
        CHECK_ROW(action_name(i), strlen(action_glyph(i)) == 1);
        for (enum action j = 0; j < i; j++)
            CHECK_ROW(action_name(i), strcmp(action_glyph(i), action_glyph(j)) != 0);
    }
    CHECK(action_parse("delete") == ACTION_COUNT);
    CHECK(action_parse(NULL) == ACTION_COUNT);
    CHECK(!action_writes(ACTION_NONE) && !action_writes(ACTION_WAIT) && !action_writes(ACTION_VERIFY) &&
          !action_writes(ACTION_BLOCKED));
    CHECK(action_writes(ACTION_EXPORT_KEY) && action_writes(ACTION_RESTORE_VM) && action_writes(ACTION_START_VM));
    CHECK_STR(verdict_name(VERDICT_REQUIRE_APPROVAL), "require-approval");
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].reason, !rows[i].want == !json(a, rows[i].want));
        CHECK_ROW(rows[i].reason,
                  diff_same(json(a, rows[i].want), json(a, rows[i].have), rows[i].traits) == rows[i].same);
    }
    check_fields();
    check_steps();
    check_actions();
    HARNESS_END();
}
