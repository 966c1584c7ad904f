/* Resource Graph's client: pages, refusals, quoting. And discovery with a scripted Azure: one page of
 * items, ids that fit nothing. */
#include "azure_peer.h"

#include "../../providers/azure/resource_graph.h"
#include "../../providers/discovery/discover.h"

#define GRAPH "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
#define RSV                                                                                                            \
    "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg/providers/Microsoft.RecoveryServices/"      \
    "vaults/rsv"

struct question {
    struct value *rows;
    struct discovery_request request;
    struct discovery discovery;
};

static void run_query(struct call *c, struct peer_case *t)
{
    struct question *q = t->arg;

    t->rc = resource_graph_query(t->az, c, t->a, "Resources | project id", &q->rows, &t->err);
}

static void run_discover(struct call *c, struct peer_case *t)
{
    struct question *q = t->arg;

    t->rc = discover_estate(t->az, c, t->a, &q->request, &q->discovery, &t->err);
}

static void test_pages(void)
{
    static const struct peer_row rows[] = {
        PEER_LOGIN,
        {.method = "POST",
         .url = GRAPH,
         .status = 200,
         .body = "{\"data\":[{\"id\":\"/a\"},{\"id\":\"/b\"}],\"$skipToken\":\"next\"}"},
        {.method = "POST", .url = GRAPH, .status = 200, .body = "{\"data\":[{\"id\":\"/c\"}]}"},
    };
    struct arena *a = arena_new();
    struct question q = {0};
    struct peer_case t = {.a = a, .run = run_query, .arg = &q};
    struct peer p = {0};

    peer_run("two pages", rows, COUNT(rows), &t, &p);
    CHECK(t.rc == 0 && value_count(q.rows) == 3);
    CHECK_STR(value_str_at(value_item(q.rows, 2), "id"), "/c");
    CHECK(p.n_seen == 3 && !strstr(p.seen[1], "skipToken") && strstr(p.seen[2], "\"$skipToken\":\"next\""));
    CHECK(p.n_seen == 3 && strstr(p.seen[1], "\"query\":\"Resources | project id\"") &&
          strstr(p.seen[1], "objectArray"));
    peer_release(&p);
    arena_free(a);
}

static void test_refused(void)
{
    static const struct peer_row rows[] = {
        PEER_LOGIN,
        {.method = "POST",
         .url = GRAPH,
         .status = 403,
         .body = "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}"},
    };
    struct arena *a = arena_new();
    struct question q = {0};
    struct peer_case t = {.a = a, .run = run_query, .arg = &q};
    struct peer p = {0};

    peer_run("refused", rows, COUNT(rows), &t, &p);
    CHECK(t.rc == -ERR_DENIED && !q.rows);
    CHECK_STR(t.err.code, "AuthorizationFailed");
    peer_release(&p);
    arena_free(a);
}

#define PAGE(text)                                                                                                     \
    {                                                                                                                  \
        .method = "POST", .url = GRAPH, .status = 200, .body = text                                                    \
    }

/* What an answer leaves out is not absent in Azure. */
static void test_cut_short(void)
{
    static const struct {
        const char *what;
        struct peer_row page;
        int rc;
    } cases[] = {
        {"no rows at all", PAGE("{\"count\":0}"), -ERR_PROTOCOL},
        {"rows that are null", PAGE("{\"data\":null}"), -ERR_PROTOCOL},
        {"a table", PAGE("{\"data\":{\"columns\":[{\"name\":\"id\"}],\"rows\":[[\"/a\"]]}}"), -ERR_PROTOCOL},
        {"rows without names", PAGE("{\"data\":[[\"/a\"]]}"), -ERR_PROTOCOL},
        {"cut, and no next page", PAGE("{\"data\":[{\"id\":\"/a\"}],\"resultTruncated\":\"true\"}"), -ERR_PROTOCOL},
        {"fewer rows than are counted", PAGE("{\"data\":[{\"id\":\"/a\"}],\"totalRecords\":2}"), -ERR_PROTOCOL},
        {"an empty token", PAGE("{\"data\":[{\"id\":\"/a\"}],\"resultTruncated\":\"false\",\"$skipToken\":\"\"}"), 0},
        {"none", PAGE("{\"data\":[]}"), 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct peer_row rows[] = {PEER_LOGIN, cases[i].page};
        struct arena *a = arena_new();
        struct question q = {0};
        struct peer_case t = {.a = a, .run = run_query, .arg = &q};
        struct peer p = {0};

        peer_run(cases[i].what, rows, COUNT(rows), &t, &p);
        CHECK_ROW(cases[i].what, t.rc == cases[i].rc);
        peer_release(&p);
        arena_free(a);
    }
}

static void test_quoting(void)
{
    struct arena *a = arena_new();

    CHECK_STR(resource_graph_quote(a, "kv-payroll"), "'kv-payroll'");
    CHECK(!resource_graph_quote(a, "x' or name == 'y") && !resource_graph_quote(a, "x\\") &&
          !resource_graph_quote(a, "a\nb"));
    CHECK(!resource_graph_quote(a, NULL));
    arena_free(a);
}

/* A name that is not unique is not chosen from, one that could end the query is not asked. */
static void test_vault_by_name(void)
{
    static const struct peer_row two[] = {
        PEER_LOGIN,
        {.method = "POST",
         .url = GRAPH,
         .status = 200,
         .body = "{\"data\":[{\"id\":\"" RSV "\"},{\"id\":\"/other/rsv\"}]}"},
    };
    struct arena *a = arena_new();
    struct question q = {.request = {.vault_name = "rsv"}};
    struct peer_case t = {.a = a, .run = run_discover, .arg = &q};
    struct peer p = {0};

    peer_run("two of a name", two, COUNT(two), &t, &p);
    CHECK(t.rc == -ERR_NOT_FOUND && strstr(t.err.text, "more than one Recovery Services vault is called rsv"));
    peer_release(&p);

    q.request.vault_name = "rsv' or 'a' == 'a";
    peer_run("no name", NULL, 0, &t, &p);
    CHECK(t.rc == -ERR_INVALID);
    peer_release(&p);
    arena_free(a);
}

/* An item that does not say which VM it is of is told, not guessed by its name. */
static void test_items(void)
{
    static const struct peer_row rows[] = {
        PEER_LOGIN,
        {.method = "GET",
         .url = RSV "?",
         .status = 200,
         .body = "{\"id\":\"" RSV "\",\"location\":\"uaenorth\",\"properties\":{}}"},
        {.method = "GET",
         .url = RSV "/backupProtectedItems?",
         .status = 200,
         .body = "{\"value\":[{\"id\":\"" RSV "/item\",\"name\":\"VM;iaasvmcontainerv2;rg;vm\",\"properties\":{}}]}"},
    };
    struct arena *a = arena_new();
    struct question q = {.request = {.vault_id = RSV}};
    struct peer_case t = {.a = a, .run = run_discover, .arg = &q};
    struct peer p = {0};

    peer_run("an item of no VM", rows, COUNT(rows), &t, &p);
    CHECK(t.rc == 0 && value_count(q.discovery.documents) == 2 && value_count(q.discovery.notes) == 1);
    CHECK(strstr(value_str_at(value_item(q.discovery.notes, 0), "text"), "does not say which VM it is of") != NULL);
    peer_release(&p);
    arena_free(a);
}

int main(void)
{
    test_pages();
    test_refused();
    test_cut_short();
    test_quoting();
    test_vault_by_name();
    test_items();
    HARNESS_END();
}
