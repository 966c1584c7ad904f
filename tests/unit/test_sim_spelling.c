/* Providers/sim/spelling.c: one answer under each setting that spells it otherwise, or gives an older
 * one for a while. */
#include "harness.h"
#include "sim_fixture.h"

#define VAULT_URL ARM VAULT "?api-version=2024-11-01"
#define GUARDS ARM DR_GROUP "/resources?api-version=2021-04-01&$filter=resourceType%20eq%20'none/such'"
#define MANY ARM SUB "/resources?api-version=2021-04-01"
#define PROPERTIES                                                                                                     \
    "{\"location\":\"uaenorth\",\"properties\":{\"tenantId\":\"" TENANT                                                \
    "\",\"sku\":{\"family\":\"A\",\"name\":\"premium\"},"                                                              \
    "\"enableRbacAuthorization\":true,\"enablePurgeProtection\":true,\"accessPolicies\":[],\"enabledForDeployment\":"  \
    "true}}"

struct tried {
    struct arena *a;
    struct sim *s;
    int64_t now;
    const char *token;
};

/* `behaviour`: a member of spec.behaviour as JSON, or "". */
static struct tried begin(const char *behaviour)
{
    struct tried t = {.a = arena_new(), .now = time_parse("2026-11-23T03:00:00Z")};
    const char *text = fixture_text(t.a, ""), *mark = "\"behaviour\":{", *at = strstr(text, mark) + strlen(mark);
    struct value *world = NULL;
    struct diags diags;
    struct err err;

    text = arena_printf(t.a, "%.*s%s%s%s", (int)(at - text), text, behaviour, *behaviour ? "," : "", at);
    CHECK(json_parse(t.a, text, strlen(text), &world, &err) == 0);
    t.s = fixture_sim(t.a, world, NULL, &diags);
    t.token = operator_token(t.s, t.a, t.now);
    return t;
}

static void end(struct tried *t)
{
    sim_free(t->s);
    arena_free(t->a);
}

static struct reply get(struct tried *t, const char *url)
{
    return ask(t->s, t->a, t->now, t->token, "GET", url, NULL);
}

static void test_bodies(void)
{
    static const struct {
        const char *behaviour, *url, *has, *lacks;
        int status;
    } rows[] = {
        {"", GUARDS, "\"value\":[]", "nextLink", 200},
        {"\"emptyLists\":\"null\"", GUARDS, "\"value\":null", "[]", 200},
        {"\"emptyLists\":\"left-out\"", GUARDS, "{}", "value", 200},
        {"\"emptyLists\":\"no-body\"", GUARDS, "", "value", 204},
        {"\"nextLinks\":\"empty-at-end\"", GUARDS, "\"nextLink\":\"\"", NULL, 200},
        {"", MANY, "\"nextLink\":\"" ARM "/", NULL, 200},
        {"\"nextLinks\":\"port\"", MANY, "\"nextLink\":\"" ARM ":443/", NULL, 200},
        {"\"nextLinks\":\"blanks\"", MANY, "raw blanks", NULL, 200},
        {"", VAULT_URL, "\"id\":\"" SUB "/resourceGroups/rg-keys/", NULL, 200},
        {"\"idCase\":\"small\"", VAULT_URL, "/resourcegroups/rg-keys/providers/microsoft.keyvault/vaults/kv-pay\"",
         "\"id\":\"" VAULT, 200},
        {"", VAULT_URL, "publicNetworkAccess", NULL, 200},
        {"\"defaultMembers\":\"left-out\"", VAULT_URL, "enableRbacAuthorization", "publicNetworkAccess", 200},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tried t = begin(rows[i].behaviour);
        struct reply r = get(&t, rows[i].url);

        CHECK_ROW(rows[i].behaviour, r.status == rows[i].status);
        CHECK_ROW(r.text, strstr(r.text, rows[i].has) != NULL);
        CHECK_ROW(r.text, !rows[i].lacks || !strstr(r.text, rows[i].lacks));
        end(&t);
    }
}

static void test_older(void)
{
    struct tried t = begin("\"olderReads\":\"45s\"");

    CHECK(ask(t.s, t.a, t.now, t.token, "PUT", VAULT_URL, PROPERTIES).status < 300);
    CHECK(!strstr(get(&t, VAULT_URL).text, "\"enabledForDeployment\":true"));
    t.now += 44 * SECOND_MS;
    CHECK(!strstr(get(&t, VAULT_URL).text, "\"enabledForDeployment\":true"));
    t.now += 2 * SECOND_MS;
    CHECK(strstr(get(&t, VAULT_URL).text, "\"enabledForDeployment\":true") != NULL);
    end(&t);
}

#define START ARM DR_GROUP "/providers/Microsoft.Compute/virtualMachines/vm-old/start?api-version=2024-07-01"

static void test_operations(void)
{
    static const struct {
        const char *behaviour, *hint;
        int first;
    } rows[] = {
        {"", "10", 200},
        {"\"operationLag\":\"20s\"", "10", 404},
        {"\"pollHint\":\"zero\"", "0", 200},
        {"\"pollHint\":\"date\"", "GMT", 200},
        {"\"pollHint\":\"none\"", NULL, 200},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tried t = begin(rows[i].behaviour);
        struct reply made = ask(t.s, t.a, t.now, t.token, "POST", START, NULL);
        const char *where = header_of(&made, "Azure-AsyncOperation"), *hint = header_of(&made, "Retry-After");

        CHECK_ROW(rows[i].behaviour, made.status < 300 && where != NULL);
        CHECK_ROW(rows[i].behaviour,
                  rows[i].hint ? hint && (str_eq(hint, rows[i].hint) || strstr(hint, rows[i].hint)) : !hint);
        if (where) {
            CHECK_ROW(rows[i].behaviour, get(&t, where).status == rows[i].first);
            t.now += 21 * SECOND_MS;
            CHECK_ROW(rows[i].behaviour, get(&t, where).status == 200);
        }
        end(&t);
    }
}

int main(void)
{
    test_bodies();
    test_older();
    test_operations();
    HARNESS_END();
}
