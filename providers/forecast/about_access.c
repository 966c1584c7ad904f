/* Knows who may use the key, and what the subscription itself says: F16 to F19, F24 and F26. Must not know
 * what a key is for. */
#include "questions.h"

#include <string.h>

#include "../access/hsm_rights.h"
#include "../access/orphans.h"
#include "../access/seen.h"
#include "../restore/platform.h"
#include "../access/set_identity.h"
#include "../access/set_rights.h"
#include "../restore/obstacles.h"

/* --- F16, F17, F18 ------------------------------------------------------------------------------------------------ */

static const char *joined(struct arena *a, const struct value *list)
{
    const char *text = "";

    for (size_t i = 0; i < value_count(list); i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "", value_str(value_item(list, i)));
    return text;
}

/* The principals of one role, over every KeyAccess of the key: how many there are, how many lack rights, of how many
 * the rights cannot be seen. */
struct holders {
    size_t n, n_lacking, n_unseen, n_unmade; /* unmade: its set is absent, so it has no identity yet */
    const char *missing, *why, *fix;         /* of the first */
    const char *label;
};

/* Of a fix of their own (a throttle, the network) facts tell; else the refusal names the right. */
static void holder_unseen(struct holders *h, const struct value *facts, const char *otherwise)
{
    const char *why = value_str_at(facts, "why");

    h->why = why ? why : otherwise;
    h->fix = unseen_fix(facts, "the right that the evidence names");
}

static void holder_count(struct outlook *o, struct holders *h, const struct value *p, const struct document *set)
{
    const struct value *missing = value_get(p, "missing");

    h->n++;
    if (!missing && set && str_eq(view_state(o->view, set), "absent")) {
        h->n_unmade++;
        return;
    }
    if (missing && value_count(missing)) {
        if (h->n_lacking++ == 0) {
            h->missing = joined(o->arena, missing);
            h->label = value_str_at(p, "label");
        }
    } else if (!missing) {
        if (h->n_unseen++ == 0)
            holder_unseen(h, set && str_eq(view_state(o->view, set), "unseen") ? view_facts(o->view, set) : p,
                          "its object id is not known");
    }
}

static struct holders holders_of(struct outlook *o, enum key_user user)
{
    struct holders h = {0};
    const struct document *access;
    size_t at = 0;

    while (o->key && (access = referrer_next(o->key, "KeyAccess", &at))) {
        const struct value *facts = view_facts(o->view, access), *principals = value_get(facts, "principals");

        if (str_eq(view_state(o->view, access), "unseen")) {
            h.n++;
            h.n_unseen++;
            holder_unseen(&h, facts, "the grants cannot be read");
        }
        for (size_t i = 0; i < value_count(principals); i++)
            if (value_int_at(value_item(principals, i), "user", -1) == (int64_t)user)
                holder_count(
                    o, &h, value_item(principals, i),
                    document_target(access, arena_printf(o->arena, "spec.principals.%zu.diskEncryptionSet", i)));
    }
    return h;
}

/* Without a KeyAccess: what the grants that are spelled out, or the vault's own policies, show. true: told. */
static bool observe_seen(struct outlook *o, enum key_user user, enum obs_fact f, const char *risk)
{
    const struct key_rights *need = &key_rights[user];
    const struct value *set = o->situation->des ? view_facts(o->view, o->situation->des) : NULL;
    enum seen_right seen = right_seen(o->view, o->key, user, set);

    if (seen == SEEN_HELD)
        obs_set(o, f, OBS_GOOD, "grants", "it has what it needs");
    if (seen == SEEN_LACKING) {
        obs_set(o, f, OBS_BAD, "grants", "%s lacks rights on the key", need->who);
        obs_risk(o, f, risk, RISK_WARN, TIME_NONE,
                 "reinstate apply makes the grants that are declared; declare this one",
                 "%s lacks rights on the key: %s", need->who, need->loses);
    }
    return seen != SEEN_UNKNOWN;
}

static void observe_user(struct outlook *o, enum key_user user, enum obs_fact f, const char *risk)
{
    const struct key_rights *need = &key_rights[user];
    struct holders h = holders_of(o, user);
    const char *untold;

    if (o->situation->revoked) {
        obs_set(o, f, OBS_NOT_LOOKED, NULL, "the key is revoked: nobody is granted anything on it");
        return;
    }
    if (o->key && !str_eq(view_state(o->view, o->key), "absent") && h.n == 0 && observe_seen(o, user, f, risk))
        return;
    if (!o->key || str_eq(view_state(o->view, o->key), "absent") || h.n == 0) {
        obs_set(o, f, OBS_NOT_LOOKED, NULL, "%s",
                !o->key    ? "no document declares the key"
                : h.n == 0 ? "no KeyAccess document names it"
                           : "the key is not there; its grants are looked at again when it is");
        if (o->key && h.n == 0)
            obs_risk(o, f, "cannot-see", RISK_UNSEEN, TIME_NONE,
                     arena_printf(o->arena, "declare a KeyAccess of %s for it: reinstate export writes one",
                                  o->key->address),
                     "nobody has looked whether %s has its rights on the key", need->who);
        return;
    }
    if (h.n_lacking) {
        obs_set(o, f, OBS_BAD, arena_printf(o->arena, "missing: %s", h.missing), "%s lacks %s", h.label, h.missing);
        obs_risk(o, f, risk, RISK_WARN, TIME_NONE,
                 "reinstate apply grants what KeyAccess declares; grants act after some minutes", "%s lacks %s: %s",
                 need->who, h.missing, need->loses);
    } else if (h.n_unseen && user == KEY_USER_ORCHESTRATOR && str_find_nocase(h.why, "has no service principal")) {
        obs_set(o, f, OBS_BAD, "servicePrincipals: none", "%s", h.why);
        obs_risk(o, f, risk, RISK_WARN, TIME_NONE,
                 "somebody with directory rights creates it once, then reinstate apply -f ...",
                 "the tenant has no Confidential VM Orchestrator: no VM would start");
    } else if (h.n_unseen) {
        obs_set(o, f, OBS_UNSEEN, NULL, "%s", h.why);
        obs_risk(o, f, "cannot-see", RISK_UNSEEN, TIME_NONE, h.fix, "the rights of %s cannot be seen: %s", need->who,
                 h.why);
    } else if (h.n_unmade) {
        obs_set(o, f, OBS_BAD, "diskEncryptionSets: 404",
                "the set is absent: made anew, it has a new identity without any right");
    } else if (user == KEY_USER_DES && (untold = set_rights_untold(o->view, o->situation->des))) {
        obs_set(o, f, OBS_UNSEEN, NULL, "%s", untold);
        obs_risk(o, f, "cannot-see", RISK_UNSEEN, TIME_NONE, "look at it, or take that identity off the set",
                 "whether every identity that the set keeps may use the key cannot be seen: %s", untold);
    } else {
        obs_set(o, f, OBS_GOOD, "KeyAccess", "it has what it needs");
    }
}

/* --- orphans ------------------------------------------------------------------------------------------------------ */

/* Without anybody lacking it, only one on this very key is worth a note: others use the store too. */
static void orphan(struct outlook *o, const struct value *one)
{
    const char *now = set_principal(outlook_set(o));
    bool lacking = o->items[F16].state == OBS_BAD;

    if (!lacking && !value_bool_at(one, "onKey", false))
        return;
    obs_risk(o, F16, "orphaned-grant", lacking ? RISK_WARN : RISK_NOTE, TIME_NONE,
             lacking ? "reinstate apply grants the set's present identity; a person removes the old grant"
                     : "a person removes it, if nobody needs it",
             "%s%s%s", orphaned_grant_words(o->arena, one), now ? "; the set's identity is now " : "", now ? now : "");
}

static void observe_orphans(struct outlook *o)
{
    const struct document *access;
    size_t at = 0;

    while (o->key && (access = referrer_next(o->key, "KeyAccess", &at))) {
        const struct value *all = orphaned_grants(o->view, access);

        for (size_t i = 0; i < value_count(all); i++)
            orphan(o, value_item(all, i));
    }
}

/* --- HSM: ten assignments a key ----------------------------------------------------------------------------------- */

static void observe_hsm_assignments(struct outlook *o)
{
    const struct document *access;
    size_t at = 0, n;

    while (o->key && key_store_is_hsm(o->key) && (access = referrer_next(o->key, "KeyAccess", &at))) {
        const char *name = value_str_at(o->key->spec, "keyName");

        n = hsm_assignments_at(value_get(view_facts(o->view, access), "assignments"),
                               hsm_key_scope(o->arena, name ? name : o->key->name));
        if ((int64_t)n >= o->limits.hsm_per_key)
            obs_risk(o, F16, "hsm-assignments", RISK_WARN, TIME_NONE,
                     "assign at /keys instead: KeyAccess.spec.scope: all-keys",
                     "the key has %zu role assignments of its own, of %d at most", n, HSM_KEY_LIMIT);
    }
}

void observe_grants(struct outlook *o)
{
    if (o->situation->now.encryption == DX_PMK)
        return;
    observe_user(o, KEY_USER_DES, F16, "des-lacks");
    observe_user(o, KEY_USER_BACKUP, F17, "backup-lacks");
    observe_user(o, KEY_USER_ORCHESTRATOR, F18, "orchestrator-lacks");
    observe_orphans(o);
    observe_hsm_assignments(o);
}

/* --- F19 ---------------------------------------------------------------------------------------------------------- */

static const char *feature_state(const struct outlook *o, const char *name, const struct value **ret_extra)
{
    *ret_extra = outlook_extra(o, "features", arena_printf(o->arena, "%s/%s", outlook_subscription(o), name));
    return value_str_at(*ret_extra, "feature");
}

static void observe_features(struct outlook *o)
{
    const struct value *need, *forbid;
    const char *needed = feature_state(o, PLATFORM_NEEDED, &need),
               *forbidden = feature_state(o, PLATFORM_FORBIDDEN, &forbid);
    bool lacks = needed && !str_eq_nocase(needed, "Registered"), harms = str_eq_nocase(forbidden, "Registered");

    if (!need && !forbid)
        return;
    if (!needed || !forbidden) {
        obs_set(o, F19, OBS_UNSEEN, NULL, "%s",
                value_str_at(needed ? forbid : need, "why") ? value_str_at(needed ? forbid : need, "why")
                                                            : "the features cannot be read");
    } else {
        obs_set(o, F19, lacks || harms ? OBS_BAD : OBS_GOOD,
                arena_printf(o->arena, PLATFORM_NEEDED "=%s, " PLATFORM_FORBIDDEN "=%s", needed, forbidden), "%s",
                lacks || harms ? "not as they must be" : "as they must be");
    }
    if (lacks)
        obs_risk(o, F19, "feature", RISK_STOPS, TIME_NONE,
                 platform_register_advice(o->arena, outlook_subscription(o), needed), "%s",
                 platform_lacks_words(o->arena, needed));
    if (harms)
        obs_risk(o, F19, "feature", RISK_STOPS, TIME_NONE,
                 "unregister it: VMs made meanwhile cannot be backed up at all",
                 "feature " PLATFORM_FORBIDDEN " is registered: it fails backup and restore");
}

/* --- F24 ---------------------------------------------------------------------------------------------------------- */

static void judge_quota(struct outlook *o, const char *size)
{
    const char *region = outlook_region(o);
    const char *place = arena_printf(o->arena, "%s/%s", outlook_subscription(o), region ? region : "?");
    const struct value *extra = outlook_extra(o, "usages", place);
    struct quota_lack lack;

    if (str_eq(value_str_at(extra, "state"), "unseen"))
        obs_set(o, F24, OBS_UNSEEN, arena_printf(o->arena, "size %s", size),
                "a confidential size; the quota cannot be read: %s", value_str_at(extra, "why"));
    if (!platform_quota_lacks(o->view, extra, &(struct quota_wanted){.sizes = &size, .n = 1}, &lack))
        return;
    obs_set(o, F24, OBS_BAD, arena_printf(o->arena, "usages: %s has %lld left", lack.name, (long long)lack.left),
            "no room for %s in %s", size, region);
    obs_risk(o, F24, "quota", RISK_STOPS, TIME_NONE, "raise the quota; while the source VM runs both must fit",
             "%s needs %lld cores in %s, quota %s has %lld left", size, (long long)lack.cores, region,
             lack.name, (long long)lack.left);
}

static void observe_size(struct outlook *o)
{
    const char *live = value_str_at(view_facts(o->view, o->pvm), "source.live.properties.hardwareProfile.vmSize");
    const char *size = live ? live : value_str_at(o->point, "size");
    enum vm_fit fit = vm_size_fit(size);

    if (!size)
        return;
    obs_set(o, F24, fit == VM_FIT_CONFIDENTIAL ? OBS_GOOD : OBS_WARN, arena_printf(o->arena, "size %s", size), "%s",
            fit == VM_FIT_CONFIDENTIAL ? "a confidential size"
            : fit == VM_FIT_OLDER      ? "a confidential size of version 5, which the support matrix does not name"
            : fit == VM_FIT_ORDINARY   ? "no size of the confidential series"
                                       : "a size whose name is not understood");
    if (fit == VM_FIT_OLDER || fit == VM_FIT_ORDINARY)
        obs_risk(o, F24, "size", fit == VM_FIT_OLDER ? RISK_NOTE : RISK_WARN, TIME_NONE,
                 fit == VM_FIT_OLDER ? "try a restore of this VM: one with version 5 was recorded on 2026-09-01"
                                     : "restore disks, and make the VM from them with a confidential size of version 6",
                 "size %s is none that the support matrix names", size);
    judge_quota(o, size);
}

/* --- F26 ---------------------------------------------------------------------------------------------------------- */

static void judge_lock(struct outlook *o, const struct value *lock, const char *target, const char **found)
{
    const char *id = value_str_at(lock, "id"), *told = value_str_at(lock, "properties.level"),
               *level = told ? told : "level not told", *group = arm_id_part(o->arena, id, "resourceGroups");
    bool whole = !group, snapshots = group && str_starts_nocase(group, "AzureBackupRG_"),
         there = target && str_eq_nocase(group, target);
    bool read_only = str_eq_nocase(level, "ReadOnly");

    /* One on a single thing in the group forbids nothing else in it; what it forbids is told with that thing. */
    if (!str_starts_nocase(str_find_nocase(id, "/providers/"), "/providers/Microsoft.Authorization/locks/"))
        return;
    if (!(whole || snapshots || (there && read_only)))
        return;
    *found = arena_printf(o->arena, "%s%s%s on %s", *found ? *found : "", *found ? ", " : "", level,
                          whole ? "the subscription" : group);
    obs_set(o, F26, OBS_BAD, id, "%s", *found);
    obs_risk(o, F26, "lock", (there || whole) && read_only ? RISK_STOPS : RISK_WARN, TIME_NONE,
             "a person removes the lock",
             (there || whole) && read_only
                 ? "lock %s (%s) on %s: nothing can be restored there"
                 : "lock %s (%s) on %s: the snapshots of backups cannot be cleaned up there, and backups stop",
             arm_id_name(id), level, whole ? "the subscription" : group);
}

/* "; read alone: rg-dr". */
static const char *groups_read(struct arena *a, const struct value *groups)
{
    char *text = arena_strdup(a, value_count(groups) ? "; read alone: " : "");

    for (size_t i = 0; i < value_count(groups); i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "", value_str(value_item(groups, i)));
    return text;
}

static void observe_locks(struct outlook *o)
{
    const struct value *extra = outlook_extra(o, "locks", outlook_subscription(o)), *items = value_get(extra, "items");
    const char *found = NULL, *target = o->rvm ? value_str_at(o->rvm->spec, "target.resourceGroup") : NULL;

    if (!extra)
        return;
    if (!str_eq(value_str_at(extra, "state"), "present"))
        obs_set(o, F26, OBS_UNSEEN, NULL, "%s%s",
                value_str_at(extra, "why") ? value_str_at(extra, "why") : "the locks cannot be read",
                groups_read(o->arena, value_get(extra, "groups")));
    else
        obs_set(o, F26, OBS_GOOD, "locks",
                "none on the groups of Azure Backup's snapshots, nor where the VM would come back");
    for (size_t i = 0; i < value_count(items); i++)
        judge_lock(o, value_item(items, i), target, &found);
}

void observe_platform(struct outlook *o)
{
    observe_features(o);
    observe_size(o);
    observe_locks(o);
}
