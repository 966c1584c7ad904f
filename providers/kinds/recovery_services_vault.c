/* Kind RecoveryServicesVault: the vault that keeps the backups. Looked at, never changed.
 *
 * Facts: state, id, live, jobs (restore jobs of the look-back, without details: one list for all VMs of the vault),
 * guards (what makes it ask for a second person), guardsWhy (why they could not be read). */
#include "../documents/names.h"
#include "../documents/places.h"
#include "../backup/points.h"
#include "../azure/backup.h"
#include "../azure/shared.h"
#include "../documents/common.h"
#include "../azure/defaults.h"

/* Without the right to list resource guards the look goes on: whether a second person is needed shows when the restore
 * is sent. */
static int observe_guards(struct call *c, const struct observer *o, struct azure *az, const char *id,
                          struct value *facts, struct err *err)
{
    const char *path = arena_printf(o->arena, "%s/backupResourceGuardProxies", id);
    const struct value *guards;
    int64_t patience_ms = call_set_advisory(c);
    int rc = arm_list_shared(
        az, c, o->arena,
        &(struct arm_wanted){.path = path, .api = API_RECOVERY, .since_ms = call_span_ms(c) - SHARED_FRESH_MS}, &guards,
        err);

    call_set_patience(c, patience_ms);
    if (rc == 0)
        value_link(o->arena, facts, "guards", guards);
    else if (err->class == ERR_CANCELLED)
        return err_note(err, "reading the vault's resource guards");
    else
        value_set_string(o->arena, facts, "guardsWhy", err->text);
    return 0;
}

/* Names of these vaults are the only ones of their group, not of the cloud: one of the name in another group may be the
 * one that is meant. Where nobody may list them the look goes on without. */
static int observe_namesake(struct call *c, const struct observer *o, const char *id, struct value *facts,
                            struct err *err)
{
    const char *path = arena_printf(o->arena, "/subscriptions/%s/providers/Microsoft.RecoveryServices/vaults",
                                    arm_id_part(o->arena, id, "subscriptions"));
    struct value *all;

    if (arm_list(kind_azure(o->provider, o->document), c, o->arena, path, API_RECOVERY_VAULT, &all, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "name"), arm_id_name(id)))
            value_set_string(o->arena, facts, "namesake", value_str_at(value_item(all, i), "id"));
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    char *id = recovery_vault_id(o->arena, o->document);
    int64_t now = call_now_ms(c), since = protected_vm_jobs_since(o->view->settings, now);
    const struct value *live, *jobs;
    struct value *facts;

    if (arm_get_shared(
            az, c, o->arena,
            &(struct arm_wanted){.path = id, .api = API_RECOVERY_VAULT, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
            &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the Recovery Services vault", err, &facts));
        value_set_string(o->arena, facts, "id", id);
        *ret = facts;
        return str_eq(value_str_at(facts, "state"), "absent") ? observe_namesake(c, o, id, facts, err) : 0;
    }
    facts = facts_new(o->arena, "present");
    value_set_string(o->arena, facts, "id", id);
    value_link(o->arena, facts, "live", live);
    if (backup_list_restore_jobs(az, c, o->arena, id, since, now, &jobs, err) < 0) {
        TRY(facts_of_part(o->arena, "listing the vault's restore jobs", err, &facts));
        value_set_string(o->arena, facts, "id", id);
    } else {
        value_link(o->arena, facts, "jobs", jobs);
    }
    TRY(observe_guards(c, o, az, id, facts, err));
    *ret = facts;
    return 0;
}

static void assert_live(const struct view *v, const struct document *doc, struct steps *out, const char *field,
                        const char *path)
{
    const struct value *want = value_get(doc->spec, field), *live = value_get(view_facts(v, doc), "live");
    const struct value *have = azure_effective(v->arena, "Microsoft.RecoveryServices/vaults", live, path);

    if (want && !diff_same(want, have, DIFF_LOCATION | DIFF_NOCASE))
        step_change(out,
                    steps_finding(out, doc, field,
                                  "change the vault, or the declaration; reinstate changes nothing on a backup vault",
                                  "%s is not as declared; it is asserted, not enforced", field),
                    arena_printf(v->arena, "live.%s", path), have, want, NULL);
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *namesake = value_str_at(view_facts(v, doc), "namesake");
    size_t before = out->count;

    if (steps_unseen(v, doc, out))
        return;
    if (!str_eq(view_state(v, doc), "present")) {
        steps_block(out, doc, NULL,
                    namesake ? arena_printf(v->arena, "declare its group, %s, if that one is meant",
                                            arm_id_part(v->arena, namesake, "resourceGroups"))
                             : "check subscription, resourceGroup and name; a backup vault is never created here, "
                               "because an empty one holds no backups",
                    "the Recovery Services vault does not exist%s%s", namesake ? "; one of its name is " : "",
                    namesake ? namesake : "");
        return;
    }
    assert_live(v, doc, out, "location", "location");
    assert_live(v, doc, out, "redundancy", "properties.redundancySettings.standardTierStorageRedundancy");
    assert_live(v, doc, out, "softDelete", "properties.securitySettings.softDeleteSettings.softDeleteState");
    assert_live(v, doc, out, "immutability", "properties.securitySettings.immutabilitySettings.state");
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL, "as declared");
}

static void check(const struct document *doc, struct diags *faults)
{
    places_check(doc, faults);
    names_check(doc, faults);
}

const struct kind recovery_services_vault_kind = {
    .name = "RecoveryServicesVault",
    .summary = "The Recovery Services vault that keeps the backups: looked at, never changed.",
    .identity = recovery_vault_id,
    .check = check,
    .observe = observe,
    .steps = steps,
};
