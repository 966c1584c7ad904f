/* Who may do what in the simulated control plane: role assignments, roles, and what they permit. */
#include "harness.h"
#include "sim_arm_fixture.h"

static void test_assignments(void)
{
    static const char release[] = "08bbd89e-9f13-488c-ac41-acfcb10c90ab",
                      stranger[] = "0f0f0f0f-0000-4000-8000-0000000000dd";
    static const struct {
        const char *reason, *name, *role, *principal, *code;
        bool typed;
        int status;
    } rows[] = {
        {"a new grant", "11111111-1111-4111-8111-111111111111", release, READER, "", true, 201},
        {"the same again", "11111111-1111-4111-8111-111111111111", release, READER, "", true, 201},
        {"the same under another name", "11111111-1111-4111-8111-111111111112", release, READER, "RoleAssignmentExists",
         true, 409},
        {"another grant under that name", "11111111-1111-4111-8111-111111111111", release, OPERATOR,
         "RoleAssignmentUpdateNotPermitted", true, 400},
        {"no such role", "11111111-1111-4111-8111-111111111113", stranger, READER, "RoleDefinitionDoesNotExist", true,
         404},
        {"a principal that the directory does not know", "11111111-1111-4111-8111-111111111114", release, stranger,
         "PrincipalNotFound", false, 400},
        {"the same with its type said", "11111111-1111-4111-8111-111111111114", release, stranger, "", true, 201},
        {"a name that is no GUID", "one", release, OPERATOR, "InvalidRoleAssignmentId", true, 400},
    };
    struct arena *a;
    const char *token, *base = ARM VAULT "/keys/not-there-yet/providers/Microsoft.Authorization/roleAssignments", *one;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r;

    for (size_t i = 0; i < COUNT(rows); i++) {
        r = ask(s, a, now, token, "PUT", arena_printf(a, "%s/%s" AUTH_API, base, rows[i].name),
                grant(a, rows[i].role, rows[i].principal, rows[i].typed));
        CHECK_ROW(rows[i].reason, r.status == rows[i].status);
        CHECK_ROW(rows[i].reason, str_eq(code_of(&r), rows[i].code));
    }
    r = ask(s, a, now, token, "GET", arena_printf(a, "%s" AUTH_API "&$filter=principalId+eq+'%s'", base, READER), NULL);
    CHECK_ROW("at the key and above: the reader's two", value_count(value_get(r.json, "value")) == 2);
    r = ask(s, a, now, token, "GET", arena_printf(a, "%s" AUTH_API "&$filter=principalId+eq+'%s'+or+x", base, "nobody"),
            NULL);
    CHECK(value_count(value_get(r.json, "value")) == 0);
    one = arena_printf(a, "%s/11111111-1111-4111-8111-111111111111" AUTH_API, base);
    r = ask(s, a, now, token, "GET", one, NULL);
    CHECK_STR(value_str_at(r.json, "properties.createdOn"), "2026-11-23T03:00:00Z");
    CHECK_STR(value_str_at(r.json, "properties.scope"), VAULT "/keys/not-there-yet");
    CHECK(ask(s, a, now, token, "DELETE", one, NULL).status == 200);
    CHECK_ROW("gone already", ask(s, a, now, token, "DELETE", one, NULL).status == 204);
    sim_free(s);
    arena_free(a);
}

static void test_roles_and_permissions(void)
{
    struct arena *a;
    const char *token;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r;

    r = ask(s, a, now, token, "GET",
            ARM SUB "/providers/Microsoft.Authorization/roleDefinitions" AUTH_API
                    "&$filter=roleName+eq+'Key+Vault+Crypto+User'",
            NULL);
    CHECK_STR(value_str_at(r.json, "value.0.name"), "12338af0-0e69-4776-bea7-57ae8d297424");
    r = ask(s, a, now, token, "GET", ARM VAULT "/providers/Microsoft.Authorization/permissions" AUTH_API, NULL);
    CHECK_ROW("the operator's own two roles", value_count(value_get(r.json, "value")) == 2);
    CHECK_STR(value_str_at(r.json, "value.0.actions.0"), "*");
    sim_free(s);
    arena_free(a);
}

static void test_limited_administrator(void)
{
    struct arena *a;
    const char *token, *reader,
        *base = ARM VAULT "/providers/Microsoft.Authorization/roleAssignments/44444444-1111-4111-8111-11111111111";
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r = sign_in(s, a, now, TENANT, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only", ARM "/.default");

    reader = value_str_at(r.json, "access_token");
    r = ask(s, a, now, token, "PUT", arena_printf(a, "%s1" AUTH_API, base),
            grant(a, "8b54135c-b56d-4d72-a534-26097cfdc8d8", READER, true));
    CHECK(r.status == 201);
    r = ask(s, a, now + MINUTE_MS, reader, "PUT", arena_printf(a, "%s2" AUTH_API, base),
            grant(a, "e147488a-f6f5-4113-8e2d-b22465e65bf6", OPERATOR, true));
    CHECK_ROW("a fresh administrator must wait", r.status == 403);
    now += 5 * MINUTE_MS;
    r = ask(s, a, now, reader, "PUT", arena_printf(a, "%s2" AUTH_API, base),
            grant(a, "e147488a-f6f5-4113-8e2d-b22465e65bf6", OPERATOR, true));
    CHECK_ROW("a data access administrator grants encryption", r.status == 201);
    r = ask(s, a, now, reader, "PUT", arena_printf(a, "%s3" AUTH_API, base),
            grant(a, "08bbd89e-9f13-488c-ac41-acfcb10c90ab", OPERATOR, true));
    CHECK_ROW("but not release", r.status == 403 && str_eq(code_of(&r), "AuthorizationFailed"));
    sim_free(s);
    arena_free(a);
}

int main(void)
{
    test_assignments();
    test_roles_and_permissions();
    test_limited_administrator();
    HARNESS_END();
}
