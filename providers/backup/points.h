/* What may be asked about a ProtectedVirtualMachine: its recovery points, its source VM, its jobs
 * and its region. Pure. */
#ifndef REINSTATE_POINTS_H
#define REINSTATE_POINTS_H

#include "../documents/common.h"
#include "jobs.h"

/* Since when a vault's jobs are asked for: by the hour, so that all who look at one vault share a list. */
int64_t protected_vm_jobs_since(const struct settings *settings, int64_t now_ms);
/* "what restore jobs before ... left is not looked at; ...", with the command that looks further back. Pure. */
const char *jobs_older_words(const struct view *v);
/* Which jobs are of this machine, as far as a match goes. */
struct job_match protected_vm_match(const struct view *v, const struct document *pvm);
/* Whose key the point's disks need: as it says itself. */
enum point_key protected_vm_point_key(const struct value *point);
/* The point of that id among the facts (id, time, snapshot, vault, confidential, customerKey where it
 * says so, …); NULL. */
const struct value *protected_vm_point(const struct view *v, const struct document *pvm, const char *id);
/* When it was taken, for people: "an unknown time" where it does not say. */
const char *protected_vm_point_time(const struct value *point);
/* The point does not say in which tiers it is. */
bool protected_vm_tiers_unseen(const struct value *point);
/* It lies in the archive and has not been brought back: nothing is restored from it as it is. */
bool protected_vm_point_archived(const struct value *point);
/* "vault tier", "snapshot only", …: where the point is, for people. */
const char *protected_vm_tier_words(struct arena *a, const struct value *point);
/* ", which Azure marks as …", where Azure has seen signs of malware in it; else "". */
const char *protected_vm_threat_words(struct arena *a, const struct value *point);
/* The newest point that has reached the vault tier; NULL. */
const struct value *protected_vm_newest_vault_point(const struct view *v, const struct document *pvm);
const struct value *protected_vm_newest_point(const struct view *v, const struct document *pvm);
/* When a soft-deleted item is purged, and all its points with it, as its body (NULL: none) tells: the earliest that it
 * may mean. TIME_NONE: it is not soft-deleted, or does not tell. */
int64_t protected_item_ends(const struct value *item, int64_t now_ms);
/* Why no backup of an absent ProtectedVirtualMachine is seen: its vault is not where it is declared, or holds none. */
const char *protected_vm_absent_words(const struct view *v, const struct document *pvm);
/* The source VM is there and runs, or would: "running" | "stopped" | "absent" | "unseen". */
const char *protected_vm_source_state(const struct view *v, const struct document *pvm);
/* Region of vault and VM, for the restore request; NULL when not known. */
const char *protected_vm_region(const struct view *v, const struct document *pvm);

/* Of a point that is not valid in the vault tier: what it is there ("never reached the vault tier"). */
const char *protected_vm_not_in_vault(const struct value *point);

#endif
