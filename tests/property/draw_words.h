/* A drawn state in words: what a failing one is found again by, and what open.yaml names circumstances by. */
#ifndef REINSTATE_TEST_DRAW_WORDS_H
#define REINSTATE_TEST_DRAW_WORDS_H

#include "draw.h"

/* What is broken at once; the documents' table has one fault to a row. */
static inline int faults_of(const struct drawn *d)
{
    return (d->store != STORE_THERE || d->key != KEY_FINE) + (d->set != SET_INTACT) + (d->grants != GRANTS_FINE) +
           (d->supplied >= SUPPLIED_MOVED) + d->stuck + d->domain_lost + d->ops_short + (d->custom == CUSTOM_SHORT);
}

static inline char *rarer_words(struct arena *a, const struct drawn *d)
{
    static const char *const datas[] = {"", " data=ordinary", " data=confidential", " data=confidential-cmk"};
    static const char *const owns[] = {"", " own=no-granting", " own=no-keys", " own=no-blobs"};
    static const char *const wrongs[] = {"", " wrong=revoked", " wrong=mistyped", " wrong=younger", " wrong=region"};

    static const char *const customs[] = {"", " custom=enough", " custom=short"};
    const char *left = !d->left ? "" : arena_printf(a, " %s=%s", d->observed ? "observed" : "suspended", d->left);

    return arena_printf(a, "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", datas[d->data], owns[d->own], wrongs[d->wrong],
                        d->replace ? " replace" : "", d->domain_lost ? " domain-lost" : "",
                        d->on_key_alone ? " on-key-alone" : "", d->user_assigned ? " user-assigned" : "",
                        d->twin ? " twin" : "", d->two_operators ? " two-operators" : "", d->inside ? " inside" : "",
                        d->skew ? " skew=" : "", d->skew ? d->skew : "",
                        customs[d->custom], d->by_group ? " by-group" : "", d->ops_short ? " key-ops-short" : "", left);
}

/* "*": to any value. */
static inline bool knob_set(const struct drawn *d, const char *name, const char *value)
{
    for (size_t i = 0; i < d->n_knobs; i++)
        if (str_eq(d->knobs[i].name, name))
            return str_eq(value, "*") || str_eq(d->knobs[i].value, value);
    return false;
}

static inline char *state_words(struct arena *a, const struct drawn *d)
{
    static const char *const homes[] = {"vault", "hsm"}, *const stores[] = {"there", "deleted", "purged"};
    static const char *const keys[] = {"fine", "disabled", "expired", "deleted", "purged", "replaced"};
    static const char *const sets[] = {"intact", "rotated", "repointed", "moved", "foreign", "gone"};
    static const char *const tiers[] = {"vault", "both", "snapshot", "none"};
    static const char *const grants[] = {"ok", "no-backup", "no-set", "no-orchestrator", "shut", "shut-bypass"};
    static const char *const supplied[] = {"original", "same",           "moved",   "newer",      "other",
                                           "foreign",  "foreign-beside", "missing", "wrong-type", "elsewhere"};
    static const char *const sources[] = {"gone", "stopped", "runs"};
    char *words =
        arena_printf(a, "%s store=%s key=%s set=%s tier=%s grants=%s supplied=%s source=%s article=%s%s%s%s%s%s%s%s%s",
                     homes[d->home], stores[d->store], keys[d->key], sets[d->set], tiers[d->tier], grants[d->grants],
                     supplied[d->supplied], sources[d->source], d->article, d->platform_key ? " platform-key" : "",
                     d->policies ? " policies" : "", d->stuck ? " stuck" : "", d->disks ? " disks" : "",
                     d->ordered ? "" : " unordered", d->exports ? "" : " exports-forbidden",
                     d->declares_version ? "" : " version-unsaid", rarer_words(a, d));

    words = arena_printf(a, "%s%s", words, faults_of(d) > 1 ? " several-faults" : "");
    for (size_t i = 0; i < d->n_knobs; i++)
        words = arena_printf(a, "%s %s=%s", words, d->knobs[i].name, d->knobs[i].value);
    return words;
}

#endif
