/* The history document: when a record is added, whose records a VM is shown, and when the document is full. */
#include "../../providers/backup/history.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/manifest.h"
#include "../harness.h"

#define VM                                                                                                             \
    "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg/providers/Microsoft.Compute/"               \
    "virtualMachines/vm"
#define SET                                                                                                            \
    "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg/providers/Microsoft.Compute/"               \
    "diskEncryptionSets/des"
#define KEYS "https://kv.vault.azure.net/keys/os/"
#define RECORD(time, vm, key) "{time: " time ", vm: " vm ", set: " SET ", key: " KEYS key "}"
#define SOURCE(state, key)                                                                                             \
    "source: {state: " state ", id: " VM ", des: " SET                                                                 \
    ", set: {state: present, live: {properties: {activeKey: {keyUrl: " KEYS key "}}}}}"

static struct value *yaml(struct arena *a, const char *text)
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    manifest_read(a, "t.yaml", text, strlen(text), &manifest_default_limits, docs, &diags);
    CHECK_ROW(diags.count ? diag_format(a, &diags.items[0]) : text, diags.count == 0);
    return value_item(docs, 0);
}

static const struct {
    const char *reason, *records, *facts;
    size_t count;          /* records of this VM afterwards */
    const char *newest;    /* version of the last of them */
    const char *time;
} rows[] = {
    {"the first look", "[]", SOURCE("present", "a1"), 1, "a1", "2026-11-23T03:00:00Z"},
    {"as it was", "[" RECORD("2026-11-01T03:00:00Z", VM, "a1") "]", SOURCE("present", "a1"), 1, "a1",
     "2026-11-01T03:00:00Z"},
    {"another version", "[" RECORD("2026-11-01T03:00:00Z", VM, "a1") "]", SOURCE("present", "b2"), 2, "b2",
     "2026-11-23T03:00:00Z"},
    {"back again", "[" RECORD("2026-11-01T03:00:00Z", VM, "a1") ", " RECORD("2026-11-02T03:00:00Z", VM, "b2") "]",
     SOURCE("present", "a1"), 3, "a1", "2026-11-23T03:00:00Z"},
    {"gone: what was seen stays", "[" RECORD("2026-11-01T03:00:00Z", VM, "a1") "]", SOURCE("absent", "b2"), 1, "a1",
     "2026-11-01T03:00:00Z"},
    {"cannot be seen: nothing is noted", "[]", SOURCE("unseen", "b2"), 0, NULL, NULL},
    {"another VM's records are not shown", "[" RECORD("2026-11-01T03:00:00Z", VM "x", "a1") "]", SOURCE("absent", "a1"),
     0, NULL, NULL},
    {"ids compare case folded", "[" RECORD("2026-11-01T03:00:00Z", VM, "A1") "]", SOURCE("present", "a1"), 1, "A1",
     "2026-11-01T03:00:00Z"},
    {"a set that cannot be read", "[]", "source: {state: present, id: " VM ", des: " SET ", set: {state: unseen}}", 0,
     NULL, NULL},
};

static void what_is_noted(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct value *facts = yaml(a, arena_printf(a, "{%s}", rows[i].facts)), *own;
        const struct value *last;

        history_observe(a, yaml(a, rows[i].records), time_parse("2026-11-23T03:00:00.250Z"), facts);
        own = value_get(facts, "history");
        CHECK_ROW(rows[i].reason, own && value_count(own) == rows[i].count);
        last = rows[i].count ? value_item(own, rows[i].count - 1) : NULL;
        if (last) {
            CHECK_STR(value_str_at(last, "key"), arena_printf(a, KEYS "%s", rows[i].newest));
            CHECK_STR(value_str_at(last, "time"), rows[i].time);
        }
        arena_free(a);
    }
}

static void without_a_history(void)
{
    struct arena *a = arena_new();
    struct value *facts = yaml(a, "{" SOURCE("present", "a1") "}");

    history_observe(a, NULL, 0, facts);
    CHECK(!value_get(facts, "history"));
    arena_free(a);
}

static void taken_once(void)
{
    struct arena *a = arena_new();
    struct value *document = history_new(a, false), *facts = yaml(a, "{" SOURCE("present", "a1") "}");

    history_observe(a, value_get(document, "records"), time_parse("2026-11-23T03:00:00Z"), facts);
    CHECK(history_take(a, document, facts) == 1);
    CHECK(history_take(a, document, facts) == 0);
    CHECK(history_take(a, document, NULL) == 0);
    CHECK(value_count(value_get(document, "records")) == 1);
    arena_free(a);
}

static void full(void)
{
    struct arena *a = arena_new();
    struct value *document = history_new(a, false), *facts = yaml(a, "{" SOURCE("present", "a1") "}");

    for (size_t i = 0; i < HISTORY_RECORDS_MAX; i++)
        value_push(a, value_get(document, "records"), value_map(a));
    history_observe(a, value_get(document, "records"), time_parse("2026-11-23T03:00:00Z"), facts);
    CHECK(history_take(a, document, facts) == 0);
    CHECK(value_count(value_get(document, "records")) == HISTORY_RECORDS_MAX);
    arena_free(a);
}

static void real_and_simulated(void)
{
    struct arena *a = arena_new();
    struct err err;

    CHECK(history_fits(history_new(a, false), false, &err) == 0 && history_fits(history_new(a, true), true, &err) == 0);
    CHECK(history_fits(history_new(a, true), false, &err) == -ERR_INVALID && strstr(err.text, "a simulated Azure"));
    CHECK(history_fits(history_new(a, false), true, &err) == -ERR_INVALID);
    arena_free(a);
}

/* What is written reads back, and what is wrong is told with its line. */
static void its_shape(void)
{
    static const struct {
        const char *reason, *text, *says;
    } faults[] = {
        {"whole",
         "apiVersion: reinstate/v1\nkind: History\nrecords:\n  - " RECORD("2026-11-01T03:00:00Z", VM, "a1") "\n", NULL},
        {"JSON",
         "{\"apiVersion\": \"reinstate/v1\", \"kind\": \"History\", \"records\": [{\"time\": \"2026-11-01T03:00:00Z\", "
         "\"vm\": \"" VM "\", \"set\": \"" SET "\", \"key\": \"" KEYS "a1\"}]}",
         NULL},
        {"no time",
         "apiVersion: reinstate/v1\nkind: History\nrecords:\n  - {vm: " VM ", set: " SET ", key: " KEYS "a1}\n",
         "t.yaml:4"},
        {"no time of this world",
         "apiVersion: reinstate/v1\nkind: History\nrecords:\n  - " RECORD("yesterday", VM, "a1") "\n", "t.yaml:4"},
        {"no id",
         "apiVersion: reinstate/v1\nkind: History\nrecords:\n  - " RECORD("2026-11-01T03:00:00Z", "vm", "a1") "\n",
         "t.yaml:4"},
        {"another kind", "apiVersion: reinstate/v1\nkind: World\nrecords: []\n", "t.yaml:2"},
        {"what nobody knows", "apiVersion: reinstate/v1\nkind: History\nrecords: []\nsecrets: []\n", "t.yaml:4"},
    };
    struct schemas *schemas;
    struct err err;

    CHECK(schemas_new(schema_files, &schemas, &err) == 0);
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct arena *a = arena_new();
        struct diags diags;

        diags_init(&diags, a);
        schema_check(schemas, "history.json", yaml(a, faults[i].text), &diags);
        CHECK_ROW(faults[i].reason, (diags.n_errors > 0) == (faults[i].says != NULL));
        if (diags.n_errors && faults[i].says)
            CHECK_ROW(diag_format(a, &diags.items[0]), strstr(diag_format(a, &diags.items[0]), faults[i].says) != NULL);
        arena_free(a);
    }
    schemas_free(schemas);
}

int main(void)
{
    what_is_noted();
    without_a_history();
    taken_once();
    full();
    real_and_simulated();
    its_shape();
    HARNESS_END();
}
