/* Which part of a KeyAccess, or which grant spelled out, a restore needs: the grants of the set that it names, of the
 * Orchestrator and of the Backup service. A machine does not wait for the grants of other sets on the same key: one of
 * them that is in trouble would hold up all. Pure. */
#ifndef REINSTATE_ACCESS_NEEDED_H
#define REINSTATE_ACCESS_NEEDED_H

#include "situation.h"

/* The principal of whom a step of that KeyAccess speaks, as an index into spec.principals; -1: of none alone. */
int64_t access_principal_of(const struct view *v, const struct document *access, const struct step *step);
/* How that KeyAccess stands for this restore. `ret_block` (may be NULL): the first step that withholds what it needs.
 */
enum prospect access_prospect_for(const struct view *v, const struct situation *s, const struct document *access,
                                  const struct step **ret_block);
/* Makes `step` need what the restore needs of that KeyAccess, which is looked at again before the step starts. */
void access_need(const struct view *v, const struct situation *s, struct steps *out, struct step *step,
                 const struct document *access);

#endif
