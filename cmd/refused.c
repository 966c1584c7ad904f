/* Knows how refused reads are told once, whatever documents they concern. Must not know what a read is for. */
#include "refused.h"

#include <string.h>

#include "../providers/azure/asked.h"

static struct value *entry_of(struct arena *a, struct value *reads, const struct asked_right *right)
{
    struct value *one;

    for (size_t i = 0; i < value_count(reads); i++)
        if (str_eq_nocase(value_str_at(value_item(reads, i), "action"), right->action))
            return value_item(reads, i);
    one = value_map(a);
    value_set_string(a, one, "action", right->action);
    value_set_string(a, one, "scope", right->scope);
    value_set_int(a, one, "places", 0);
    value_push(a, reads, one);
    return one;
}

struct value *refused_reads(struct session *s)
{
    struct value *reads = value_list(s->arena);

    for (size_t i = 0; i < s->connections.count; i++) {
        size_t n = 0;
        const struct right_asked *const *asked =
            s->connections.items[i] ? azure_rights_asked(s->connections.items[i], &n) : NULL;

        for (size_t k = 0; k < n; k++) {
            struct value *one;

            /* What no role of one's own can give is a forecast's to tell. */
            if (!asked[k]->refused || asked[k]->right.unlisted)
                continue;
            one = entry_of(s->arena, reads, &asked[k]->right);
            value_set_int(s->arena, one, "places", value_int_at(one, "places", 0) + 1);
        }
    }
    return reads;
}

void refused_write(struct text *t, struct arena *a, const struct value *reads)
{
    const char *said = arena_strdup(a, text_str(t));
    size_t n = 0;

    for (size_t i = 0; i < value_count(reads); i++) {
        const struct value *one = value_item(reads, i);
        int64_t more = value_int_at(one, "places", 1) - 1;

        if (str_find_nocase(said, value_str_at(one, "action")))
            continue;
        if (!n++)
            text_add(t, "\nAzure refused to show us these; what rests on them is not known (reinstate doctor "
                        "says who may give the rights):\n");
        text_say(t, "  needs %s at %s%s\n", value_str_at(one, "action"), value_str_at(one, "scope"),
                 more > 0 ? arena_printf(a, " and %lld more place%s", (long long)more, more == 1 ? "" : "s") : "");
    }
}
