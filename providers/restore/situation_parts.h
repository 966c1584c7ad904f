/* What situation.c puts together, each answered in a file of its own: the key (situation_key.c), who may use it
 * (situation_grants.c), the sets (situation_sets.c). Pure. */
#ifndef REINSTATE_SITUATION_PARTS_H
#define REINSTATE_SITUATION_PARTS_H

#include "situation.h"

/* --- the key (situation_key.c) ------------------------------------------------------------------------------------ */

/* The URLs name a version, and both the same one of a key of that name, in whatever store. */
bool situation_same_key(struct arena *a, const char *url, const char *other);
/* Adds the newest version to an address without one; if the newest is not known the address stays as it is. */
const char *situation_pinned_url(const struct view *v, const char *url);
/* The declared set is the one that the machine was backed up with. */
bool situation_same_set(const struct situation *s);
/* A Key document says where its key is looked for; that is where it was, unless evidence of the point's own time says
 * else, or another set than the declared one, which the VM is on. */
void situation_find_original(const struct view *v, struct situation *s);
enum dx_key situation_key_state(const struct view *v, const struct document *key, const char *version);
enum dx_home situation_home(const struct situation *s);
enum dx_store situation_store_state(const struct view *v, const struct document *key);

/* --- who may use it (situation_grants.c) -------------------------------------------------------------------------- */

/* The documents that grant something on the key, its store, or what the restore is staged through. */
void situation_find_grants(const struct view *v, struct situation *s);
enum dx_grants situation_grants_worse(enum dx_grants x, enum dx_grants y);
/* What is lacking for certain although no document grants it: nobody will. What cannot be seen is left to those who
 * declare nothing of it. `set`: the document of the set that is named, or NULL. */
enum dx_grants situation_rights_nowhere(const struct view *v, const struct document *key, const struct document *set);
/* The same of a set that the restore names by its address, as the machine's own document has looked; OK: it is none, or
 * it cannot be seen. */
enum dx_grants situation_rights_by_address(const struct view *v, const struct situation *s);
/* The first principal that lacks rights for a restore with that set ("": the set is not known), over every KeyAccess of
 * this key; `then`: once all they declare is granted. Unknown if no KeyAccess speaks of the set. */
enum dx_grants situation_rights_state(const struct view *v, const struct document *key, const char *set_id, bool then);
/* The rights for a restore that names no set: as declared, else as far as they can be seen. */
enum dx_grants situation_rights_of_original(const struct view *v, const struct document *key, const char *set_id,
                                            const struct value *set);
/* What the firewall of the key's store makes of the grants. Microsoft's services pass a closed one that bypasses for
 * them; the Confidential VM Orchestrator is not on the list of these (Microsoft Learn, Key Vault network service
 * endpoints, August 2026). */
enum dx_grants situation_firewall_state(const struct view *v, const struct document *key);

/* --- the sets (situation_sets.c) ---------------------------------------------------------------------------------- */

/* Where a set that points to `url` stands to the original key. */
enum dx_des situation_set_on(const struct view *v, const struct situation *s, const char *url);
/* The facts of the set the VM was backed up with: of its document, else as the source VM's document holds them. */
const struct value *situation_original_set(const struct view *v, const struct situation *s);
enum dx_tier situation_tier(const struct value *point);
enum dx_des situation_set_state(const struct view *v, const struct situation *s);
/* The plan makes or mends it. */
bool situation_pending(const struct view *v, const struct document *doc);
/* Whether the set is a new one under the old id, made by this plan or after the point: then it has another identity
 * than the original. */
bool situation_made_anew(const struct view *v, const struct situation *s);
/* securedVMDetails goes with the request only when the point has a vault tier and the declared set is not the original,
 * never for platform-managed keys or a replace. A set known to be another one needs naming from a snapshot too, which
 * row R-06 then refuses; with the original unknown, a snapshot is restored plainly and verified. */
enum dx_given situation_given(const struct view *v, const struct situation *s);
/* What is wrong with the set named as things stand, or will be once its own steps are done. */
enum dx_fault situation_fault(const struct view *v, const struct situation *s, bool then);

#endif
