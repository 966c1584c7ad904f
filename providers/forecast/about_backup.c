/* Knows what a protected item, its points, its jobs and the staging account say: F1 to F5, F20 to F22 and F27. Must not
 * know keys or sets. */
#include "questions.h"

#include "../backup/points.h"
#include "../restore/obstacles.h"
#include "../kinds/restored_vm.h"

#define STALE_VAULT_POINT_MS (2 * DAY_MS)

static const struct value *facts_of(const struct outlook *o)
{
    return view_facts(o->view, o->pvm);
}

static bool source_there(const struct outlook *o)
{
    return str_eq(value_str_at(facts_of(o), "source.state"), "present");
}

/* If the item is absent or cannot be seen, no question about the backup can be answered. */
static bool without_item(struct outlook *o, enum obs_fact f)
{
    const char *state = view_state(o->view, o->pvm), *why = value_str_at(facts_of(o), "why");

    if (str_eq(state, "present"))
        return false;
    if (str_eq(state, "absent"))
        obs_set(o, f, OBS_NOT_LOOKED, NULL, "there is no protected item");
    else
        obs_set(o, f, OBS_UNSEEN, NULL, "%s", why ? why : "the protected item cannot be read");
    return true;
}

/* --- F1 ----------------------------------------------------------------------------------------------------------- */

static void judge_protection(struct outlook *o, const struct value *live)
{
    const char *state = value_str_at(live, "properties.protectionState"),
               *last = value_str_at(live, "properties.lastBackupStatus");
    const char *health = value_str_at(live, "properties.healthStatus"),
               *type = value_str_at(live, "properties.policyType");
    const char *evidence = obs_member(o->arena, live, "properties.protectionState");
    const char *deleted = value_str_at(live, "properties.deferredDeleteTimeInUTC");
    int64_t ends = protected_item_ends(live, o->view->now_ms);
    bool protected = str_eq_nocase(state, "Protected") || str_eq_nocase(state, "IRPending");

    obs_set(o, F1,
            protected         ? OBS_GOOD
            : source_there(o) ? OBS_BAD
                              : OBS_WARN,
            evidence, "protection is %s%s%s", state ? state : "not told", health ? ", health " : "",
            health ? health : "");
    if (!protected)
        obs_risk(o, F1, "protection", source_there(o) ? RISK_WARN : RISK_NOTE, TIME_NONE,
                 source_there(o) ? "resume the protection in the vault: no new points are made" : NULL, "%s",
                 source_there(o) ? "the VM is there and its protection is stopped"
                 : str_eq(value_str_at(facts_of(o), "source.state"), "absent")
                     ? "no new points will be made: the source VM is gone"
                     : "no new points will be made");
    if (value_bool_at(live, "properties.isScheduledForDeferredDelete", false))
        obs_risk(
            o, F1, "item-deleted", RISK_STOPS, ends,
            "undelete the item in the vault before its soft-delete time ends; nothing can be restored from it before",
            "the protected item is soft-deleted%s%s; its points go with it%s%s", deleted ? " since " : "",
            deleted ? deleted : "", ends != TIME_NONE ? ", at " : "",
            ends != TIME_NONE ? time_format(o->arena, ends) : "");
    if (str_eq_nocase(last, "Failed") && source_there(o))
        obs_risk(o, F1, "backup-failed", RISK_WARN, TIME_NONE, "look at the backup jobs of this VM",
                 "the last backup failed");
    if (source_there(o) && health && !str_eq_nocase(health, "Passed") && !str_eq_nocase(health, "None") &&
        !str_eq_nocase(health, "Healthy"))
        obs_risk(o, F1, "unhealthy", RISK_WARN, TIME_NONE, "see the item's health details in the vault",
                 "Azure Backup says: health is %s%s%s", health,
                 value_str_at(live, "properties.healthDetails.0.title") ? ": " : "",
                 value_str_at(live, "properties.healthDetails.0.title")
                     ? value_str_at(live, "properties.healthDetails.0.title")
                     : "");
    if (type && !str_eq_nocase(type, "V2"))
        obs_risk(o, F1, "policy", RISK_WARN, TIME_NONE, "put the VM under an enhanced policy in the vault",
                 "the backup policy is no enhanced one (policyType %s); confidential VMs need it", type);
}

static void observe_item(struct outlook *o)
{
    const struct value *why = value_get(facts_of(o), "why");
    const struct document *vault = document_target(o->pvm, "spec.vault");

    if (str_eq(view_state(o->view, o->pvm), "present")) {
        judge_protection(o, value_get(facts_of(o), "live"));
    } else if (str_eq(view_state(o->view, o->pvm), "absent")) {
        obs_set(o, F1, OBS_BAD, NULL, "%s", protected_vm_absent_words(o->view, o->pvm));
        obs_risk(o, F1, "no-point", RISK_WARN, TIME_NONE,
                 vault && str_eq(view_state(o->view, vault), "absent")
                     ? arena_printf(o->arena, "see %s: check its subscription, resourceGroup and name", vault->address)
                 : source_there(o) ? "protect the VM with an enhanced policy"
                                   : "check vault and names; without a backup nothing can be restored",
                 "%s", o->items[F1].text);
    } else {
        obs_set(o, F1, OBS_UNSEEN, NULL, "%s", value_str(why) ? value_str(why) : "the protected item cannot be read");
        obs_risk(o, F1, "cannot-see", RISK_UNSEEN, TIME_NONE,
                 unseen_fix(facts_of(o), "Backup Reader on the vault shows it"), "%s", o->items[F1].text);
    }
}

/* --- F2, F3, F4 --------------------------------------------------------------------------------------------------- */

static const struct value *newest(const struct outlook *o, bool vault_tier)
{
    const struct value *points = value_get(facts_of(o), "points"), *best = NULL;

    for (size_t i = 0; i < value_count(points); i++) {
        const struct value *p = value_item(points, i);

        if ((!vault_tier || str_eq(value_str_at(p, "vault"), "valid")) &&
            (!best || time_parse(value_str_at(p, "time")) > time_parse(value_str_at(best, "time"))))
            best = p;
    }
    return best;
}

static void judge_age(struct outlook *o, const char *field, bool vault_tier, int64_t otherwise)
{
    const struct value *point = newest(o, vault_tier);
    int64_t allowed = duration_parse(value_str_at(o->pvm->spec, arena_printf(o->arena, "readiness.%s", field)));
    int64_t at = point ? time_parse(value_str_at(point, "time")) : TIME_NONE;

    allowed = allowed >= 0 ? allowed : otherwise;
    if (!source_there(o) || allowed < 0 || at == TIME_NONE)
        return;
    /* Only a point that is too old now is a risk: until it is, the next backup may come. */
    if (o->view->now_ms - at > allowed)
        obs_risk(o, F2, "stale-point", RISK_WARN, TIME_NONE, "look at the backup jobs of this VM and at its policy",
                 "the newest %srecovery point is %s old, %s are allowed", vault_tier ? "vault-tier " : "",
                 duration_format(o->arena, o->view->now_ms - at), duration_format(o->arena, allowed));
}

/* A restore would bring back what a scan took for malware: nobody should learn that from the machine that runs. */
static void judge_threat(struct outlook *o)
{
    const struct value *points = value_get(facts_of(o), "points"), *clean = NULL,
                       *marked = value_get(o->point, "threat") ? o->point : newest(o, false);

    if (!value_get(marked, "threat"))
        return;
    for (size_t i = 0; i < value_count(points); i++) {
        const struct value *p = value_item(points, i);

        if (!value_get(p, "threat") && !value_bool_at(p, "softDeleted", false) &&
            (!clean || time_parse(value_str_at(p, "time")) > time_parse(value_str_at(clean, "time"))))
            clean = p;
    }
    obs_risk(o, F2, "point-threat", RISK_WARN, TIME_NONE,
             clean ? arena_printf(
                         o->arena,
                         "look at the point's alerts in the vault; the newest point without such a mark is %s of %s",
                         value_str_at(clean, "id"), protected_vm_point_time(clean))
                   : "look at the points' alerts in the vault: no point is without such a mark",
             "recovery point %s%s", value_str_at(marked, "id"), protected_vm_threat_words(o->arena, marked));
}

static void observe_tiers(struct outlook *o)
{
    const struct value *vault = newest(o, true), *points = value_get(facts_of(o), "points");
    size_t n_vault = 0;

    if (without_item(o, F2))
        return;
    for (size_t i = 0; i < value_count(points); i++)
        n_vault += str_eq(value_str_at(value_item(points, i), "vault"), "valid");
    if (!o->point) {
        obs_set(o, F2, OBS_BAD, "recoveryPoints: none usable", "there is no recovery point that can be used");
        obs_risk(o, F2, "no-point", RISK_WARN, TIME_NONE,
                 source_there(o) ? "let a backup run: Backup now in the vault" : NULL,
                 "there is no recovery point that can be used");
        return;
    }
    obs_set(o, F2, vault ? OBS_GOOD : OBS_WARN,
            arena_printf(o->arena, "recoveryPointTierDetails of %s: InstantRP %s, HardenedRP %s",
                         value_str_at(o->point, "id"), value_str_at(o->point, "snapshot"),
                         value_str_at(o->point, "vault")),
            "point %s of %s: snapshot %s, vault tier %s; %zu of %zu points are in the vault tier",
            value_str_at(o->point, "id"), protected_vm_point_time(o->point), value_str_at(o->point, "snapshot"),
            value_str_at(o->point, "vault"), n_vault, value_count(points));
    judge_threat(o);
    if (!vault && protected_vm_tiers_unseen(o->point))
        obs_risk(o, F2, "no-vault-point", RISK_WARN, TIME_NONE, "run again, or look at the point in the portal",
                 "whether a recovery point has reached the vault tier cannot be seen: Azure does not tell the tiers");
    else if (!vault && protected_vm_point_archived(o->point))
        obs_risk(o, F2, "no-vault-point", RISK_WARN, TIME_NONE, "have a recovery point rehydrated in the vault",
                 "no recovery point is in the vault tier; the newest lies in the archive and has to be rehydrated "
                 "first, and nobody says that the archive is supported for confidential VMs");
    else if (!vault)
        obs_risk(o, F2, "no-vault-point", RISK_WARN, TIME_NONE,
                 source_there(o)
                     ? "wait for the copy to the vault tier (it may take a day); look at the policy if it never comes"
                     : NULL,
                 "no recovery point is in the vault tier, and the newest %s: a lost key or set would be the end",
                 protected_vm_not_in_vault(o->point));
    judge_age(o, "newestVaultPoint", true, STALE_VAULT_POINT_MS);
    judge_age(o, "newestPoint", false, -1);
}

static void observe_security(struct outlook *o)
{
    const char *type = value_str_at(o->point, "securityType");
    enum point_key key = protected_vm_point_key(o->point);

    if (without_item(o, F3) || !o->point)
        return;
    if (value_bool_at(o->point, "confidential", false) && key != POINT_KEY_UNKNOWN)
        obs_set(o, F3, OBS_GOOD, arena_printf(o->arena, "securityType=%s", type), "confidential, with a %s key",
                key == POINT_KEY_CUSTOMER ? "customer-managed" : "platform-managed");
    else if (key == POINT_KEY_UNKNOWN && type)
        obs_set(
            o, F3, OBS_WARN, arena_printf(o->arena, "securityType=%s", type),
            "the point does not say whose key it needs: what is declared counts, else what the source VM's disk says");
    else
        obs_set(o, F3, OBS_WARN, arena_printf(o->arena, "securityType=%s", type ? type : "absent"),
                "the point does not say that it is of a confidential VM");
}

static void observe_expiry(struct outlook *o)
{
    int64_t at = time_parse(value_str_at(o->point, "expires"));
    const char *next;

    if (without_item(o, F4) || !o->point)
        return;
    if (value_bool_at(o->point, "softDeleted", false)) {
        obs_set(o, F4, OBS_BAD, "recoveryPointProperties.isSoftDeleted=true", "the point is soft-deleted");
        obs_risk(o, F4, "item-deleted", RISK_STOPS, TIME_NONE, "undelete the item in the vault",
                 "the recovery point is soft-deleted");
        return;
    }
    if (at == TIME_NONE) {
        obs_set(o, F4, OBS_GOOD, "recoveryPointProperties.expiryTime absent", "the point does not say when it expires");
        return;
    }
    obs_set(o, F4, at > o->view->now_ms ? OBS_GOOD : OBS_BAD,
            arena_printf(o->arena, "recoveryPointProperties.expiryTime=%s", value_str_at(o->point, "expires")),
            "expires at %s", time_format(o->arena, at));
    next = source_there(o) ? "see that backups go on: newer points take its place"
                           : "restore from it before, or stop its retention from ending";
    obs_risk(o, F4, "point-expires", source_there(o) && at > o->view->now_ms ? RISK_NOTE : RISK_WARN, at, next,
             "recovery point %s expires at %s%s", value_str_at(o->point, "id"), time_format(o->arena, at),
             source_there(o) ? "" : ", and no newer one will be made");
}

/* --- F5 ----------------------------------------------------------------------------------------------------------- */

static void observe_source(struct outlook *o)
{
    const char *state = value_str_at(facts_of(o), "source.state"), *des = value_str_at(facts_of(o), "source.des");

    if (str_eq(state, "absent"))
        obs_set(o, F5, OBS_WARN, "source VM: 404", "the source VM is gone, so nobody can read which set it used");
    else if (!str_eq(state, "present"))
        obs_set(o, F5, OBS_UNSEEN, NULL, "%s",
                value_str_at(facts_of(o), "source.why") ? value_str_at(facts_of(o), "source.why")
                                                        : "the source VM cannot be read");
    else if (des)
        obs_set(o, F5, OBS_GOOD, "storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id",
                "the VM uses %s", arm_id_name(des));
    else
        obs_set(o, F5, OBS_WARN, "storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet absent",
                "the source VM names no disk encryption set: its key is the platform's");
    if (str_eq(state, "unseen"))
        obs_risk(o, F5, "cannot-see", RISK_UNSEEN, TIME_NONE,
                 unseen_fix(value_get(facts_of(o), "source"), "Reader on the VM's resource group shows it"),
                 "which set the VM is on, and whether it still lives, cannot be seen: %s", o->items[F5].text);
}

/* --- F20, F21 ----------------------------------------------------------------------------------------------------- */

static void observe_jobs(struct outlook *o)
{
    const struct value *exports = value_get(facts_of(o), "exports"), *jobs = value_get(facts_of(o), "jobs"),
                       *running = NULL;

    if (without_item(o, F20) || without_item(o, F21))
        return;
    for (size_t i = 0; i < value_count(jobs) && !running; i++)
        running = job_lasts(value_item(jobs, i)) ? value_item(jobs, i) : NULL;
    if (value_count(exports)) {
        obs_set(o, F20, OBS_WARN, arena_printf(o->arena, "job %s", value_str_at(value_item(exports, 0), "job")),
                "a failed restore left the key in storage account %s", value_str_at(value_item(exports, 0), "account"));
        obs_risk(o, F20, "export-left", RISK_NOTE, TIME_NONE,
                 "usable while a recovery is due, which saves the failing pass; remove the blob once it is over",
                 "an exported key lies in storage account %s (job %s)", value_str_at(value_item(exports, 0), "account"),
                 value_str_at(value_item(exports, 0), "job"));
    } else {
        obs_set(o, F20, OBS_GOOD, "backupJobs", "no export among the failed restores");
    }
    if (running) {
        obs_set(o, F21, OBS_WARN, arena_printf(o->arena, "job %s InProgress", value_str_at(running, "job")),
                "restore job %s is running", value_str_at(running, "job"));
        obs_risk(o, F21, "restore-running", RISK_NOTE, TIME_NONE, "let it end; a second one is not started",
                 "restore job %s is running", value_str_at(running, "job"));
    } else {
        obs_set(o, F21, OBS_GOOD, "backupJobs", "no restore is running");
    }
}

/* --- F22 ---------------------------------------------------------------------------------------------------------- */

/* Where an obstacle was seen; what is told of the target's place was seen by no question of its own. */
static enum obs_fact seen_by(const char *obstacle)
{
    static const struct {
        const char *prefix;
        enum obs_fact fact;
    } facts[] = {{"store-", F9}, {"set-", F6}, {"replace-", F5}, {"lock-", F26}, {"zone", F5}, {"lun", F5}};

    for (size_t i = 0; i < COUNT(facts); i++)
        if (str_starts(obstacle, facts[i].prefix))
            return facts[i].fact;
    return F27;
}

/* What stands against the restore as it is declared, but for what other questions answer;
 * `staging` chooses which half. */
static size_t observe_obstacles(struct outlook *o, enum obs_fact f, bool staging, const char *risk)
{
    static const char *const answered[] = {"item-",    "point-",    "azure",       "size",         "quota", "guard",
                                           "feature-", "perimeter", "lock-target", "locks-unseen", "release-region"};
    size_t n = 0, n_stops = 0;
    const struct obstacle *all = o->rvm ? restore_obstacles(o->view, o->situation, &n) : NULL;

    for (size_t i = 0; i < n; i++) {
        bool elsewhere = str_starts(all[i].id, "staging") != staging;
        enum risk_weight weight = all[i].stops ? RISK_STOPS : RISK_NOTE;

        for (size_t k = 0; k < COUNT(answered); k++)
            elsewhere = elsewhere || str_starts(all[i].id, answered[k]);
        if (elsewhere)
            continue;
        obs_risk(o, staging ? f : seen_by(all[i].id), risk, weight, TIME_NONE, all[i].next, "%s", all[i].reason);
        /* Azure's own objection is no proof of ours. */
        if (o->risks[o->n_risks - 1].fact == F27)
            o->risks[o->n_risks - 1].evidence = NULL;
        n_stops += weight != RISK_NOTE;
    }
    return n_stops;
}

static void observe_staging(struct outlook *o)
{
    const struct value *place = value_at(view_facts(o->view, o->rvm), "place.staging"),
                       *live = value_get(place, "live");
    const char *state = value_str_at(place, "state");
    size_t from = o->n_risks;

    if (!o->rvm || !state) {
        obs_set(o, F22, OBS_NOT_LOOKED, NULL, "no staging account is declared");
        return;
    }
    if (str_eq(state, "unseen")) {
        obs_set(o, F22, OBS_UNSEEN, NULL, "%s", value_str_at(place, "why"));
        return;
    }
    obs_set(o, F22, OBS_GOOD,
            !live ? "storageAccounts: 404"
                  : arena_printf(o->arena, "%s, %s, %s", obs_member(o->arena, live, "location"),
                                 obs_member(o->arena, live, "kind"), obs_member(o->arena, live, "sku.name")),
            "%s is fit", arm_id_name(reference_id(o->arena, o->rvm, "spec.target.stagingAccount", NULL)));
    if (observe_obstacles(o, F22, true, "staging"))
        obs_set(o, F22, OBS_BAD, o->items[F22].evidence, "%s", o->risks[from].text);
}

/* The things a restore relies on that could not be seen: without them the forecast must not say that
 * it would go through. */
static void observe_place(struct outlook *o)
{
    static const struct {
        const char *part;
        enum obs_fact fact;
    } parts[] = {{"staging", F22}, {"group", F27}, {"network", F27}};
    const struct value *facts = view_facts(o->view, o->rvm), *place = value_get(facts, "place");
    const char *fix = "Reader on the target's resource group, its network and the staging account shows it";

    if (o->rvm && str_eq(view_state(o->view, o->rvm), "unseen"))
        obs_risk(o, F27, "cannot-see", RISK_UNSEEN, TIME_NONE, unseen_fix(facts, fix),
                 "whether the target's name is free cannot be seen: %s", value_str_at(facts, "why"));
    for (size_t i = 0; i < COUNT(parts); i++) {
        const struct value *part = value_get(place, parts[i].part);

        if (str_eq(value_str_at(part, "state"), "unseen"))
            obs_risk(o, parts[i].fact, "cannot-see", RISK_UNSEEN, TIME_NONE, unseen_fix(part, fix), "%s",
                     value_str_at(part, "why"));
    }
}

/* --- F27 ---------------------------------------------------------------------------------------------------------- */

static void observe_validation(struct outlook *o)
{
    const struct value *asked = value_get(view_facts(o->view, o->rvm), "validation"), *extra, *results;
    bool taken = o->rvm && situation_type(o->rvm) == RESTORE_NEW_VM && str_eq(view_state(o->view, o->rvm), "present");
    const char *words = "";

    extra = str_eq(value_str_at(asked, "state"), "asked")
                ? asked
                : outlook_extra(o, "validations", value_str_at(facts_of(o), "itemId"));
    results = value_get(extra, "results");
    if (!extra)
        return;
    if (str_eq(value_str_at(extra, "state"), "like")) {
        obs_set(o, F27, OBS_NOT_LOOKED, NULL,
                "not asked: of the restores that differ from this one only in machine and point %lld were, without an "
                "objection",
                (long long)value_int_at(extra, "like", 0));
        return;
    }
    if (extra != asked && !str_eq(value_str_at(extra, "state"), "present")) {
        obs_set(o, F27, OBS_UNSEEN, NULL, "%s", value_str_at(extra, "why") ? value_str_at(extra, "why") : "no answer");
        return;
    }
    for (size_t i = 0; i < value_count(results); i++) {
        const struct value *r = value_item(results, i);

        words = arena_printf(o->arena, "%s%s%s: %s", words, *words ? "; " : "", value_str_at(r, "code"),
                             value_str_at(r, "message") ? value_str_at(r, "message") : "");
    }
    if (!*words) {
        obs_set(o, F27, OBS_GOOD, "backupValidateOperation: no results", "no objection, which is no proof");
        return;
    }
    obs_set(o, F27, OBS_BAD, "backupValidateOperation", "%s", words);
    /* A VM that was restored as declared only keeps its own name from a further restore; it is no other obstacle. */
    obs_risk(o, F27, "validation",
             taken && value_count(results) == 1 && !restored_vm_differs(o->view, o->situation) ? RISK_NOTE : RISK_STOPS,
             TIME_NONE,
             taken ? "a VM of the target's name is there already; to restore once more, declare another target.name"
                   : restore_objection_advice(o->arena, value_item(results, 0)),
             "Azure Backup objects: %s", words);
}

/* A guarded vault restores nothing for one person alone, whatever is declared of the restore. */
static void observe_guards(struct outlook *o)
{
    const struct value *vault = view_facts(o->view, document_target(o->pvm, "spec.vault"));
    const struct value *guards = value_get(vault, "guards");
    const char *why = value_str_at(vault, "guardsWhy"), *name = value_str_at(value_item(guards, 0), "name");

    if (value_count(guards))
        obs_risk(o, F27, "place", RISK_STOPS, TIME_NONE,
                 "a second person, who may use the resource guard, restores in the portal or lifts the guard for it",
                 "the backup vault is guarded by multi-user authorization (%s)", name ? name : "not named");
    else if (why)
        obs_risk(o, F27, "cannot-see", RISK_UNSEEN, TIME_NONE, "give the credential Backup Reader on the vault",
                 "whether a resource guard asks for a second person cannot be seen: %s", why);
    else
        return;
    o->risks[o->n_risks - 1].evidence = "backupResourceGuardProxies";
}

void observe_backup(struct outlook *o)
{
    observe_item(o);
    observe_tiers(o);
    observe_security(o);
    observe_expiry(o);
    observe_source(o);
    observe_jobs(o);
    observe_staging(o);
    observe_place(o);
    observe_validation(o);
    observe_guards(o);
    observe_obstacles(o, F27, false, "place");
}
