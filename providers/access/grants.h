/* Which documents grant something on a key: a KeyAccess, or one grant spelled out. One question for the four of them,
 * so that a restore waits for a role that is spelled out as it does for a KeyAccess. */
#ifndef REINSTATE_ACCESS_GRANTS_H
#define REINSTATE_ACCESS_GRANTS_H

#include "../documents/common.h"

/* Where rights are needed, by the names of things (../documents/things.h); NULL: nowhere. */
struct grant_place {
    const char *key, *store; /* the key, and the store that it is in */
    const char *store_id;    /* the store's ARM id: a role on a group or subscription above it counts */
    const char *account;     /* what a restore is staged through */
};

/* Pure. The grants there, in the order of the documents of each place: *ret_count of them. */
const struct document *const *grants_at(const struct view *v, const struct grant_place *place, size_t *ret_count);
/* A single grant, spelled out (not a KeyAccess). */
bool grant_is_single(const struct document *doc);
/* A role on whatever lies in a group or a subscription. */
bool grant_is_wide(const struct document *doc);
/* Whether a role is one that matters for a key: for others nobody waits. */
bool grant_is_of_keys(const struct view *v, const struct document *role_assignment);

/* How long a grant may take to act, and who says so. */
enum grant_model { GRANT_ROLE, GRANT_POLICY, GRANT_LOCAL };
int64_t grant_delay_ms(const struct view *v, enum grant_model model);
/* The step that waits until grants act: new ones (`granting`), or what is left since the newest; NULL: none is left.
 * The caller tells what it needs. */
struct step *grant_wait(const struct view *v, const struct document *doc, struct steps *out, enum grant_model model,
                        bool granting, int64_t since);
/* The same for a single grant: after `grant` (NULL: it is there since then), and before every write of a set that acts
 * by the principal. */
void grant_wait_single(const struct view *v, const struct document *doc, struct steps *out, enum grant_model model,
                       const struct step *grant, const char *object_id, int64_t since);
/* May suspend. Does that step. */
must_use int grant_wait_act(struct call *c, const struct actor *actor, struct err *err);
/* Makes a single grant rely on the store and the key that its scope names, where they are declared: sent before they
 * are there it is refused, and a right on a key that nobody may bring back would act on whatever takes its name. */
void grant_needs_place(const struct view *v, struct steps *out, struct step *grant);

#endif
