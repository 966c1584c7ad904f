/* The simulated Resource Graph: what its queries find, how its pages go on, and what it refuses to guess. */
#include "harness.h"
#include "sim_fixture.h"

#define GRAPH ARM "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
#define QUERY(text) "{\"query\":\"" text "\"}"
#define VAULTS "Resources | where type =~ 'microsoft.keyvault/vaults'"

/* The names of the rows that were found, parted by blanks. */
static const char *names(struct arena *a, const struct value *data)
{
    const char *ret = "";

    for (size_t i = 0; i < value_count(data); i++) {
        const char *name = value_str_at(value_item(data, i), "name");

        ret = arena_printf(a, "%s%s%s", ret, i ? " " : "", name ? name : "-");
    }
    return ret;
}

static void test_finding(void)
{
    static const struct {
        const char *reason, *body, *found;
    } rows[] = {
        {"by type", QUERY(VAULTS " | order by name asc"), "kv-list kv-pay"},
        {"descending is the default", QUERY(VAULTS " | sort by name"), "kv-pay kv-list"},
        {"a type compared exactly is in small letters", QUERY("Resources | where type == 'Microsoft.KeyVault/vaults'"),
         ""},
        {"two conditions", QUERY(VAULTS " and name == 'kv-pay'"), "kv-pay"},
        {"two stages", QUERY(VAULTS " | where name != 'kv-pay'"), "kv-list"},
        {"one of a list", QUERY(VAULTS " | where name in~ ('KV-PAY', 'other')"), "kv-pay"},
        {"one of a list, exactly", QUERY(VAULTS " | where name in ('KV-PAY', 'other')"), ""},
        {"a part of a text", QUERY(VAULTS " | where name contains '-LI'"), "kv-list"},
        {"the start of a text", QUERY("Resources | where name startswith 'kv-p'"), "kv-pay"},
        {"by group", QUERY(VAULTS " | where resourceGroup == 'rg-keys' | limit 1 | project name"), "kv-pay"},
        {"by a property that is a truth",
         QUERY(VAULTS " | where properties.enablePurgeProtection == true | project name"), "kv-pay"},
        {"a subscription that is none of ours",
         "{\"subscriptions\":[\"0f0f0f0f-0000-4000-8000-0000000000ff\"],\"query\":\"Resources\"}", ""},
    };
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    int64_t now = sim_start_ms(s);
    const char *token = operator_token(s, a, now);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r = ask(s, a, now, token, "POST", GRAPH, rows[i].body);

        CHECK_ROW(rows[i].reason, r.status == 200);
        CHECK_STR(names(a, value_get(r.json, "data")), rows[i].found);
    }
    sim_free(s);
    arena_free(a);
}

static void test_refusals(void)
{
    static const char *const rows[] = {
        "{}",
        QUERY("SecurityResources"),
        QUERY("Resources | mv-expand properties"),
        QUERY("Resources | where name"),
        QUERY("Resources | where name like 'x'"),
        QUERY("Resources | where name == 'x"),
        QUERY("Resources | where name in ('x'"),
        QUERY("Resources | limit few"),
        QUERY("Resources | where name == 'x' or name == 'y'"),
        QUERY("Resources | order name"),
        "{\"query\":\"Resources\",\"options\":{\"$top\":1001}}",
        "{\"query\":\"Resources\",\"options\":{\"resultFormat\":\"table\"}}",
    };
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    int64_t now = sim_start_ms(s);
    const char *token = operator_token(s, a, now);

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i], ask(s, a, now, token, "POST", GRAPH, rows[i]).status == 400);
    sim_free(s);
    arena_free(a);
}

static void test_pages(void)
{
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    int64_t now = sim_start_ms(s);
    const char *token = operator_token(s, a, now);
    struct reply r =
        ask(s, a, now, token, "POST", GRAPH, "{\"query\":\"" VAULTS " | sort by name asc\",\"options\":{\"$top\":1}}");

    CHECK_STR(names(a, value_get(r.json, "data")), "kv-list");
    CHECK(value_int_at(r.json, "totalRecords", 0) == 2 && value_int_at(r.json, "count", 0) == 1);
    CHECK_STR(value_str_at(r.json, "resultTruncated"), "false");
    r = ask(s, a, now, token, "POST", GRAPH,
            arena_printf(a, "{\"query\":\"%s | sort by name asc\",\"options\":{\"$skipToken\":\"%s\"}}", VAULTS,
                         value_str(value_get(r.json, "$skipToken"))));
    CHECK_STR(names(a, value_get(r.json, "data")), "kv-pay");
    CHECK_ROW("the last page", value_get(r.json, "$skipToken") == NULL);
    r = ask(s, a, now, token, "POST", GRAPH, "{\"query\":\"" VAULTS " | project name\",\"options\":{\"$top\":1}}");
    CHECK_ROW("rows without ids have no way on", value_get(r.json, "$skipToken") == NULL);
    CHECK_STR(value_str_at(r.json, "resultTruncated"), "true");
    r = ask(s, a, now, token, "POST", GRAPH, QUERY(VAULTS " | count"));
    CHECK(value_int_at(value_item(value_get(r.json, "data"), 0), "Count", 0) == 2);
    sim_free(s);
    arena_free(a);
}

int main(void)
{
    test_finding();
    test_refusals();
    test_pages();
    HARNESS_END();
}
