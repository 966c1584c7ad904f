/* Which reads one list takes the place of, and when it is not believed: a list shows what the caller may read, and says
 * nothing of the rest. */
#include "azure_peer.h"

#include "../../providers/azure/bulk.h"

#define GROUP "/subscriptions/s/resourceGroups/rg"
#define MACHINES "/providers/Microsoft.Compute/virtualMachines"
#define LIST "/subscriptions/s" MACHINES "?"
#define BODY(name)                                                                                                     \
    "{\"id\":\"" GROUP MACHINES "/" name "\",\"properties\":{\"storageProfile\":{\"osDisk\":{\"name\":\"" name "\"}}}}"
#define STATE(name, power)                                                                                             \
    "{\"id\":\"" GROUP MACHINES "/" name "\",\"properties\":{\"instanceView\":{\"statuses\":[{\"code\":\"PowerState/"  \
    power "\"}]}}}"
#define ALL_SEEN "{\"value\":[{\"actions\":[\"*/read\"],\"notActions\":[]}]}"
#define NOT_FOUND "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"not there\"}}"
#define DENIED "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}"
#define SINGLE(name) "/rg" MACHINES "/" name "?"

enum { GET = 'g', STATE_OF = 's', ABSENT = 'a', FAILS = 'f' };

/* What is asked, one after the other: how, and of which machine; in lower case of the first letter what is to come. */
struct question {
    char how;
    const char *machine;
};

struct lists {
    const char *reason;
    size_t expected;    /* machines vm-0, vm-1, … that the look has told beforehand */
    bool over;          /* asked after the look */
    struct question questions[6];
    struct peer_row rows[8];
};

static const struct lists cases[] = {
    {.reason = "few are read one by one",
     .expected = 3,
     .questions = {{GET, "vm-0"}},
     .rows = {PEER_LOGIN, {"GET", SINGLE("vm-0"), 200, BODY("vm-0")}}},
    {.reason = "many are read in one list, their states in another",
     .expected = 4,
     .questions = {{GET, "vm-0"}, {GET, "VM-1"}, {STATE_OF, "vm-1"}, {STATE_OF, "vm-0"}},
     .rows = {PEER_LOGIN,
              {"GET", LIST, 200, "{\"value\":[" BODY("vm-0") "," BODY("vm-1") "]}"},
              {"GET", "statusOnly=true", 200,
               "{\"value\":[" STATE("vm-0", "running") "," STATE("vm-1", "running") "]}"}}},
    {.reason = "a list that is refused leads to single reads, and is not asked for again",
     .expected = 4,
     .questions = {{GET, "vm-0"}, {GET, "vm-1"}},
     .rows = {PEER_LOGIN,
              {"GET", LIST, 403, DENIED},
              {"GET", SINGLE("vm-0"), 200, BODY("vm-0")},
              {"GET", SINGLE("vm-1"), 200, BODY("vm-1")}}},
    {.reason = "an item that lacks what a single read has is read by itself",
     .expected = 4,
     .questions = {{GET, "vm-0"}},
     .rows = {PEER_LOGIN,
              {"GET", LIST, 200, "{\"value\":[{\"id\":\"" GROUP MACHINES "/vm-0\",\"properties\":{}}]}"},
              {"GET", SINGLE("vm-0"), 200, BODY("vm-0")}}},
    {.reason = "what the list lacks is read by itself: it may only be out of sight",
     .expected = 4,
     .questions = {{GET, "vm-0"}, {FAILS, "vm-1"}},
     .rows = {PEER_LOGIN,
              {"GET", LIST, 200, "{\"value\":[]}"},
              {"GET", SINGLE("vm-0"), 200, BODY("vm-0")},
              {"GET", SINGLE("vm-1"), 403, DENIED}}},
    {.reason = "whoever sees all of a group knows what is not in it",
     .expected = 6,
     .questions = {{ABSENT, "vm-0"}, {ABSENT, "vm-1"}, {ABSENT, "vm-2"}, {ABSENT, "vm-3"}, {ABSENT, "vm-4"}},
     .rows = {PEER_LOGIN,
              {"GET", LIST, 200, "{\"value\":[]}"},
              {"GET", SINGLE("vm-0"), 404, NOT_FOUND},
              {"GET", SINGLE("vm-1"), 404, NOT_FOUND},
              {"GET", SINGLE("vm-2"), 404, NOT_FOUND},
              {"GET", GROUP "/providers/Microsoft.Authorization/permissions", 200, ALL_SEEN}}},
    {.reason = "whoever sees only a part of it asks for each",
     .expected = 6,
     .questions = {{ABSENT, "vm-0"}, {ABSENT, "vm-1"}, {ABSENT, "vm-2"}, {FAILS, "vm-3"}},
     .rows = {PEER_LOGIN,
              {"GET", LIST, 200, "{\"value\":[]}"},
              {"GET", SINGLE("vm-0"), 404, NOT_FOUND},
              {"GET", SINGLE("vm-1"), 404, NOT_FOUND},
              {"GET", SINGLE("vm-2"), 404, NOT_FOUND},
              {"GET", "/permissions", 200, "{\"value\":[{\"actions\":[\"Microsoft.Network/*\"],\"notActions\":[]}]}"},
              {"GET", SINGLE("vm-3"), 403, DENIED}}},
    {.reason = "a list that goes on beyond what it saves is left, and says of nothing that it is absent",
     .expected = 4,
     .questions = {{GET, "vm-0"}, {FAILS, "vm-1"}},
     .rows = {PEER_LOGIN,
              {"GET", LIST, 200,
               "{\"value\":[" BODY("vm-0") "],\"nextLink\":\"https://management.azure.com/subscriptions/s" MACHINES
               "?p=2\"}"},
              {"GET", "p=2", 200,
               "{\"value\":[" BODY("other") "],\"nextLink\":\"https://management.azure.com/subscriptions/s" MACHINES
               "?p=3\"}"},
              {"GET", SINGLE("vm-1"), 403, DENIED}}},
    {.reason = "before a write each thing is read by itself",
     .expected = 9,
     .over = true,
     .questions = {{GET, "vm-0"}, {STATE_OF, "vm-0"}},
     .rows = {PEER_LOGIN,
              {"GET", SINGLE("vm-0"), 200, BODY("vm-0")},
              {"GET", "/vm-0/instanceView", 200, "{\"statuses\":[{\"code\":\"PowerState/running\"}]}"}}},
};

static void ask(struct call *c, struct peer_case *t)
{
    const struct lists *l = t->arg;

    bulk_begin(t->az);
    for (size_t i = 0; i < l->expected; i++)
        bulk_expect(t->az, arena_printf(t->a, GROUP MACHINES "/vm-%zu", i));
    if (l->over)
        bulk_end(t->az);
    for (size_t i = 0; l->questions[i].machine; i++) {
        const struct question *q = &l->questions[i];
        const char *id = arena_printf(t->a, GROUP MACHINES "/%s", q->machine);
        const struct value *got = NULL;
        int64_t now = call_span_ms(c);
        int rc = q->how == STATE_OF ? bulk_instance_view(t->az, c, t->a, id, now, &got, &t->err)
                                    : bulk_get(t->az, c, t->a,
                                               &(struct arm_wanted){.path = id, .api = API_COMPUTE, .since_ms = now},
                                               &got, &t->err);

        if (q->how == STATE_OF)
            CHECK_ROW(l->reason, rc == 0 && value_count(value_get(got, "statuses")) == 1);
        else if (q->how == GET)
            CHECK_ROW(l->reason,
                      rc == 0 && str_eq_nocase(value_str_at(got, "properties.storageProfile.osDisk.name"), q->machine));
        else
            CHECK_ROW(l->reason, rc < 0 && t->err.class == (q->how == ABSENT ? ERR_NOT_FOUND : ERR_DENIED));
    }
    t->rc = 0;
}

/* --- role assignments --------------------------------------------------------------------------------------------- */

#define ROLES "/providers/Microsoft.Authorization/roleAssignments"
#define ROLES_LIST "/subscriptions/s" ROLES "?"
#define VAULT(n) GROUP "/providers/Microsoft.KeyVault/vaults/kv-" n
#define ROLE(name, at)                                                                                                 \
    "{\"id\":\"" at ROLES "/" name "\",\"properties\":{\"principalId\":\"p\",\"scope\":\"" at "\"}}"
#define NEXT(page) "],\"nextLink\":\"https://management.azure.com/subscriptions/s" ROLES "?p=" page "\"}"

/* What is asked of the key k in vault kv-0: how many assignments reach it; -1: they are to be read at the key. */
static const struct grants {
    const char *reason;
    size_t expected; /* vaults */
    int reach;
    struct peer_row rows[4];
} grants[] = {
    {.reason = "few scopes are read one by one", .expected = 3, .reach = -1, .rows = {{0}}},
    {.reason = "at the scope, its vault, group, subscription and above; not beside it, nor beneath",
     .expected = 4,
     .reach = 5,
     .rows = {PEER_LOGIN,
              {"GET", ROLES_LIST, 200,
               "{\"value\":[" ROLE("1", "/") "," ROLE("2", "/subscriptions/S") "," ROLE("3", GROUP) "," ROLE(
                   "4", VAULT("0")) "," ROLE("5", VAULT("0") "/keys/k") "," ROLE("6", VAULT("0") "/keys/k2") "," ROLE(
                   "7", VAULT("00")) "," ROLE("8", VAULT("1")) "]}"}}},
    {.reason = "what is above all subscriptions reaches into each",
     .expected = 4,
     .reach = 1,
     .rows = {PEER_LOGIN,
              {"GET", ROLES_LIST, 200,
               "{\"value\":[" ROLE("1", "/providers/Microsoft.Management/managementGroups/m") "]}"}}},
    {.reason = "a list that is refused says nothing",
     .expected = 4,
     .reach = -1,
     .rows = {PEER_LOGIN, {"GET", ROLES_LIST, 403, DENIED}}},
    {.reason = "nor does a part of one",
     .expected = 4,
     .reach = -1,
     .rows = {PEER_LOGIN,
              {"GET", ROLES_LIST, 200,
               "{\"value\":[" ROLE("1", GROUP) NEXT("2")},
              {"GET", "p=2", 200,
               "{\"value\":[" ROLE("4", VAULT("0")) NEXT("3")}}},
};

static void ask_grants(struct call *c, struct peer_case *t)
{
    const struct grants *g = t->arg;
    struct value *got;

    bulk_begin(t->az);
    for (size_t i = 0; i < g->expected; i++)
        bulk_expect_assignments(t->az, arena_printf(t->a, VAULT("%zu") "/keys/k", i));
    for (int again = 0; again < 2; again++) {
        CHECK_ROW(g->reason, bulk_assignments(t->az, c, t->a, VAULT("0") "/keys/K", &got, &t->err) == 0);
        CHECK_ROW(g->reason, got ? (int)value_count(got) == g->reach : g->reach == -1);
    }
    bulk_end(t->az);
    CHECK_ROW("before a write they are read at the scope",
              bulk_assignments(t->az, c, t->a, VAULT("0"), &got, &t->err) == 0 && !got);
    t->rc = 0;
}

static void test_grants(void)
{
    for (size_t i = 0; i < COUNT(grants); i++) {
        struct peer_case t = {.a = arena_new(), .run = ask_grants, .arg = (void *)&grants[i]};
        struct peer p = {0};
        size_t n = 0;

        while (n < COUNT(grants[i].rows) && grants[i].rows[n].method)
            n++;
        peer_run(grants[i].reason, grants[i].rows, n, &t, &p);
        peer_release(&p);
        arena_free(t.a);
    }
}

int main(void)
{
    test_grants();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer_case t = {.a = arena_new(), .run = ask, .arg = (void *)&cases[i]};
        struct peer p = {0};
        size_t n = 0;

        while (n < COUNT(cases[i].rows) && cases[i].rows[n].method)
            n++;
        peer_run(cases[i].reason, cases[i].rows, n, &t, &p);
        peer_release(&p);
        arena_free(t.a);
    }
    HARNESS_END();
}
