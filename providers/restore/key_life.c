/* Knows whether the keys of a restore are valid until it ends. Pure. Must not know what an expired key does to a
 * restore: the table of scenarios says that (diagnosis.h). */
#include "checking.h"
#include "estimate.h"
#include "../keys/key_facts.h"

struct life {
    const struct document *key;
    const char *version;
    int64_t ends_ms;      /* INT64_MAX: it never expires, or that is not seen */
    struct dx_facts then; /* what the restore would meet once it has expired */
};

static int64_t end_of(const struct view *v, const struct document *key, const char *version)
{
    int64_t exp = key_expiry(v, key, version);

    return exp && exp * SECOND_MS > v->now_ms ? exp * SECOND_MS : INT64_MAX;
}

/* The key that the point is wrapped with, or that of the set named, where it is another one: whichever ends first. */
static struct life first_to_end(const struct checking *c)
{
    const struct situation *s = c->s;
    struct life original = {.key = s->original_key, .version = s->original.version, .then = s->then},
                named = {
                    .key = s->key, .version = s->key ? key_wanted_version(c->view, s->key) : NULL, .then = s->then};

    original.ends_ms = end_of(c->view, original.key, original.version);
    named.ends_ms = s->given == DX_GIVEN_NOTHING ? INT64_MAX : end_of(c->view, named.key, named.version);
    original.then.key = DX_KEY_EXPIRED;
    if (named.key == original.key && str_eq_nocase(named.version, original.version))
        named.then.key = DX_KEY_EXPIRED;
    else
        named.then.fault = DX_FAULT_KEY;
    return named.ends_ms < original.ends_ms ? named : original;
}

void check_key_life(struct checking *c)
{
    const struct view *v = c->view;
    struct life life = first_to_end(c);
    struct dx_prediction then = diagnose(&c->s->then, c->s->article), expired = diagnose(&life.then, c->s->article);
    const char *source, *next;
    int64_t takes = restored_vm_estimate_of(c->s, c->s->given != DX_GIVEN_NOTHING, &source), lead;
    bool fails = dx_may_restore(&then) && !dx_may_restore(&expired), late;

    if (c->s->now.encryption == DX_PMK || life.ends_ms == INT64_MAX ||
        life.ends_ms - v->now_ms >= v->settings->restore_bound_ms)
        return;
    lead = restored_vm_lead_ms(v, c->s);
    late = life.ends_ms - v->now_ms <= lead + takes;
    next = arena_printf(v->arena, "declare spec.expires of %s with a later time, and approve it", life.key->address);
    ADD(c, "key-expires", late && fails, next, "version %s of %s expires at %s, in %s, %s (about %s; %s)",
        life.version ? life.version : "?", life.key->address, time_format(v->arena, life.ends_ms),
        duration_format(v->arena, life.ends_ms - v->now_ms),
        !late  ? "which a restore may take"
        : lead ? "before a restore that is triggered after the steps before it has ended"
               : "before a restore that is triggered now has ended",
        duration_format(v->arena, lead + takes), dx_scenario(&expired) ? dx_scenario(&expired) : "N-06");
}
