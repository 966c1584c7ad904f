/* Knows how the reads of a look are told: what was counted, and which lists took the place of single reads. Must not
 * count any itself. */
#include "reads.h"

#include "../../reconciler/base/text.h"
#include "bulk.h"
#include "internal.h"

struct value *azure_reads(struct azure *const *connections, size_t count, struct arena *a)
{
    struct value *v = value_map(a), *lists = value_list(a);
    struct reads_sum sum = {.from = value_list(a), .limits = value_list(a)};

    for (size_t i = 0; i < count; i++) {
        const struct value *bulk = connections[i] ? bulk_told(connections[i], a) : NULL;

        if (connections[i])
            reads_add(connections[i], a, &sum);
        for (size_t k = 0; k < value_count(bulk); k++)
            value_push(a, lists, value_item(bulk, k));
    }
    value_set_int(a, v, "requests", (int64_t)sum.requests);
    value_set(a, v, "seconds", value_real(a, sum.seconds));
    value_set(a, v, "from", sum.from);
    value_set(a, v, "lists", lists);
    value_set(a, v, "limits", sum.limits);
    return v;
}

static double value_real_at(const struct value *v, const char *path)
{
    const struct value *one = value_at(v, path);

    return value_is(one, VALUE_REAL) ? one->r : (double)value_int_at(v, path, 0);
}

static void write_lists(struct text *t, const struct value *lists)
{
    for (size_t i = 0; i < value_count(lists); i++) {
        const struct value *l = value_item(lists, i);
        const char *query = value_str_at(l, "query");

        text_say(t, "  %s%s%s of %s: %lld wanted, %lld page%s, %lld by themselves%s\n", value_str_at(l, "type"),
                 query ? "?" : "", query ? query : "", value_str_at(l, "subscription"),
                 (long long)value_int_at(l, "wanted", 0), (long long)value_int_at(l, "pages", 0),
                 value_int_at(l, "pages", 0) == 1 ? "" : "s", (long long)value_int_at(l, "single", 0),
                 value_bool_at(l, "refused", false) ? " (the list was refused)" : "");
    }
}

void azure_reads_write(struct text *t, const struct value *reads)
{
    const struct value *from = value_get(reads, "from"), *limits = value_get(reads, "limits");

    text_say(t, "\nReads: %lld requests, without those that a throttle had asked again\n",
             (long long)value_int_at(reads, "requests", 0));
    for (size_t i = 0; i < value_count(from); i++) {
        const struct value *f = value_item(from, i);
        const char *of = value_str_at(f, "of"), *says = value_str_at(f, "tells");

        text_say(t, "  %5lld %-6s %s: %s%s%s%s%s\n", (long long)value_int_at(f, "requests", 0), value_str_at(f, "way"),
                 value_str_at(f, "service"), value_str_at(f, "what"), of ? " of " : "", of ? of : "",
                 says ? ": " : "", says ? says : "");
    }
    if (value_count(value_get(reads, "lists")))
        text_say(t, "A list in place of single reads, where it costs less:\n");
    write_lists(t, value_get(reads, "lists"));
    text_say(t, "Under the limits that Azure documents this takes %s\n",
             value_real_at(reads, "seconds") > 0
                 ? "at least:"
                 : "no waiting: all of it may be asked at once");
    for (size_t i = 0; i < value_count(limits); i++) {
        const struct value *l = value_item(limits, i);

        if (value_real_at(l, "seconds") > 0)
            text_say(t, "  %.0f s for %lld %s (%s): %lld at once, then %g a second\n", value_real_at(l, "seconds"),
                     (long long)value_int_at(l, "requests", 0), value_str_at(l, "limit"), value_str_at(l, "of"),
                     (long long)value_int_at(l, "atOnce", 0), value_real_at(l, "perSecond"));
    }
}
