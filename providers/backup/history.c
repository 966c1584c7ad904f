/* Knows what is worth remembering of a protected VM and when it has changed. Must not know where
 * the document is kept. */
#include "history.h"

#include "../azure/key_id.h"

static const char *const compared[] = {"disk", "set", "key"};

struct value *history_new(struct arena *a, bool simulated)
{
    struct value *document = value_map(a);

    value_set_string(a, document, "apiVersion", "reinstate/v1");
    value_set_string(a, document, "kind", "History");
    if (simulated)
        value_set_bool(a, document, "simulated", true);
    value_set(a, document, "records", value_list(a));
    return document;
}

int history_fits(const struct value *document, bool simulated, struct err *err)
{
    bool seen = value_bool_at(document, "simulated", false);

    if (seen == simulated)
        return 0;
    return err_set(err, ERR_INVALID, "it was seen in %s, and this is %s: keep one of each",
                   seen ? "a simulated Azure" : "Azure", simulated ? "a simulated one" : "Azure itself");
}

/* What the source VM is on now; NULL when it is gone, or on no customer-managed key, or when that cannot be seen. */
static struct value *record_now(struct arena *a, const struct value *source, int64_t now_ms)
{
    const char *set = value_str_at(source, "des"), *key = value_str_at(source, "set.live.properties.activeKey.keyUrl");
    struct value *record = value_map(a);

    if (!str_eq(value_str_at(source, "state"), "present") || !set || !key)
        return NULL;
    value_set_string(a, record, "time", time_format(a, now_ms - now_ms % SECOND_MS));
    value_set_string(a, record, "vm", value_str_at(source, "id"));
    value_set_string(a, record, "disk", value_str_at(source, "live.properties.storageProfile.osDisk.managedDisk.id"));
    value_set_string(a, record, "set", set);
    value_set_string(a, record, "key", key);
    return record;
}

static bool same(const struct value *x, const struct value *y)
{
    for (size_t i = 0; i < COUNT(compared); i++) {
        const char *one = value_str_at(x, compared[i]), *other = value_str_at(y, compared[i]);

        if ((one || other) && !str_eq_nocase(one, other) && !key_same_version(one, other))
            return false;
    }
    return true;
}

void history_observe(struct arena *a, const struct value *records, int64_t now_ms, struct value *facts)
{
    const char *vm = value_str_at(facts, "source.id");
    const struct value *newest = NULL;
    struct value *own = value_list(a), *now = record_now(a, value_get(facts, "source"), now_ms);

    if (!records)
        return;
    for (size_t i = 0; i < value_count(records); i++) {
        const struct value *record = value_item(records, i);

        if (!arm_id_equal(value_str_at(record, "vm"), vm))
            continue;
        value_push(a, own, value_copy(a, record));
        if (!newest || time_parse(value_str_at(record, "time")) >= time_parse(value_str_at(newest, "time")))
            newest = record;
    }
    if (now && (!newest || !same(now, newest)))
        value_push(a, own, now);
    value_set(a, facts, "history", own);
}

static bool known(const struct value *records, const struct value *record)
{
    for (size_t i = 0; i < value_count(records); i++)
        if (value_equal(value_item(records, i), record))
            return true;
    return false;
}

size_t history_take(struct arena *a, struct value *document, const struct value *facts)
{
    struct value *records = value_get(document, "records");
    const struct value *seen = value_get(facts, "history");
    size_t taken = 0;

    for (size_t i = 0; i < value_count(seen); i++) {
        if (value_count(records) >= HISTORY_RECORDS_MAX || known(records, value_item(seen, i)))
            continue;
        value_push(a, records, value_copy(a, value_item(seen, i)));
        taken++;
    }
    return taken;
}
