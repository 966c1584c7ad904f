/* Knows how an obstacle is noted, and how what cannot be seen is told. Must not know any obstacle. */
#include "checking.h"

#include "claims.h"
#include "election.h"

void obstacle_add(struct checking *c, struct obstacle o)
{
    arena_push(c->view->arena, c->found, c->count, o);
}

bool checking_elsewhere(const struct checking *c, const char *place)
{
    struct arena *a = c->view->arena;

    return place && *place &&
           !diff_same(value_string(a, place), value_string(a, c->region), DIFF_LOCATION | DIFF_NOCASE);
}

const char *checking_text(const struct value *v, const char *path)
{
    const char *text = value_str_at(v, path);

    return text ? text : "";
}

void check_seen(struct checking *c, const char *id, const char *which, const char *what)
{
    const struct value *facts = value_get(c->place, which);

    if (str_eq(checking_text(facts, "state"), "unseen") && value_bool_at(facts, "failed", false))
        ADD(c, id, true,
            *checking_text(facts, "fix") ? checking_text(facts, "fix") : "check its id, or mend what hinders the read",
            "%s cannot be seen: %s", what, checking_text(facts, "why"));
}
