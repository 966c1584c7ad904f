/* Knows what has to be right before a restore is triggered, and says all that is not at once, each with its remedy.
 * Pure. What a refused right hides is told with that right; a place that cannot be seen for another reason is an
 * obstacle. Sources: Azure Backup's articles on restoring VMs (storage account, regions, subscriptions), on disk
 * encryption (sets, keys and disks stand in one region), and the support matrix for confidential VMs (sizes). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "access_needed.h"
#include "conclude.h"
#include "platform.h"
#include "../backup/points.h"
#include "claims.h"
#include "../keys/key_facts.h"
#include "election.h"
#include "estimate.h"
#include "checking.h"

/* --- sizes -------------------------------------------------------------------------------------------------------- */

enum vm_fit vm_size_fit(const char *size)
{
    const char *p = size && str_starts_nocase(size, "Standard_") ? size + strlen("Standard_") : NULL, *version;
    bool letters = false;

    if (!p)
        return VM_FIT_UNKNOWN;
    if (!str_starts_nocase(p, "DC") && !str_starts_nocase(p, "EC"))
        return VM_FIT_ORDINARY;
    for (p += 2; *p && *p != '_'; p++)
        letters = letters || *p == 'a' || *p == 'e' || *p == 'A' || *p == 'E';
    version = str_find_nocase(p, "_v");
    if (!version || !isdigit((unsigned char)version[2]))
        return VM_FIT_UNKNOWN;
    /* Without a or e they are of the older, enclave kind. */
    if (!letters || strtol(version + 2, NULL, 10) < 5)
        return VM_FIT_ORDINARY;
    return strtol(version + 2, NULL, 10) == 5 ? VM_FIT_OLDER : VM_FIT_CONFIDENTIAL;
}

static void check_size(struct checking *c)
{
    const char *size = value_str_at(c->s->point, "size");

    if (situation_type(c->s->doc) == RESTORE_DISKS || !value_bool_at(c->s->point, "confidential", true))
        return;
    if (vm_size_fit(size) == VM_FIT_ORDINARY)
        ADD(c, "size", false, NULL,
            "the point's VM has size %s, which the support matrix of confidential VMs does not name: should the "
            "restore fail for it, "
            "declare restore: disks, and make the VM from them with another size",
            size);
    if (vm_size_fit(size) == VM_FIT_OLDER)
        ADD(c, "size", false, NULL,
            "size %s is of version 5: the support matrix names version 6 only, though a restore with version 5 was "
            "recorded on 2026-09-01",
            size);
}

/* --- the point and its item --------------------------------------------------------------------------------------- */

static void check_point(struct checking *c)
{
    const struct view *v = c->view;
    int64_t expires = time_parse(value_str_at(c->s->point, "expires"));
    const struct value *guards = value_get(c->vault, "guards");

    if (value_bool_at(c->item, "properties.isScheduledForDeferredDelete", false))
        ADD(c, "item-deleted", true,
            "a person undeletes the protected item in the vault; nothing can be restored from it before",
            "the protected item of %s is soft-deleted", c->s->pvm->name);
    else if (value_bool_at(c->s->point, "softDeleted", false))
        ADD(c, "point-deleted", true, "undelete the protected item in the vault, or order another point",
            "recovery point %s is soft-deleted", value_str_at(c->s->point, "id"));
    if (expires != TIME_NONE && expires <= v->now_ms)
        ADD(c, "point-expired", true,
            arena_printf(v->arena, "order another point: reinstate activate -f ... %s", c->s->doc->name),
            "recovery point %s expired at %s", value_str_at(c->s->point, "id"), time_format(v->arena, expires));
    else if (expires != TIME_NONE && expires <= v->now_ms + restored_vm_lead_ms(v, c->s))
        ADD(c, "point-expires", true,
            arena_printf(v->arena, "order another point: reinstate activate -f ... %s", c->s->doc->name),
            "recovery point %s expires in %s, before the steps that its restore waits for are done (about %s)",
            value_str_at(c->s->point, "id"), duration_format(v->arena, expires - v->now_ms),
            duration_format(v->arena, restored_vm_lead_ms(v, c->s)));
    else if (expires != TIME_NONE && expires - v->now_ms < v->settings->restore_bound_ms)
        ADD(c, "point-expires", false, NULL, "recovery point %s expires in %s, which a restore may take",
            value_str_at(c->s->point, "id"), duration_format(v->arena, expires - v->now_ms));
    if (value_count(guards))
        ADD(c, "guarded", true,
            "a second person, who may use the resource guard, restores in the portal or lifts the guard for it",
            "the backup vault is guarded by multi-user authorization (%s)",
            checking_text(value_item(guards, 0), "name"));
    else if (value_str_at(c->vault, "guardsWhy"))
        ADD(c, "guards-unseen", false, "give the credential Backup Reader on the vault",
            "whether a resource guard asks for a second person cannot be seen: %s",
            value_str_at(c->vault, "guardsWhy"));
}

static void check_disks(struct checking *c)
{
    const struct value *disks = value_at(c->facts, "source.live.properties.storageProfile.dataDisks"),
                       *luns = value_get(c->s->doc->spec, "restoreDiskLuns");
    const char *zone = value_str_at(c->s->doc->spec, "zone"), *was = value_str_at(c->facts, "source.live.zones.0");

    for (size_t i = 0; value_is(disks, VALUE_LIST) && i < value_count(luns); i++) {
        int64_t lun = value_item(luns, i)->i;
        bool found = false;

        for (size_t k = 0; k < value_count(disks); k++)
            found = found || value_int_at(value_item(disks, k), "lun", -1) == lun;
        if (!found)
            ADD(c, "lun", true, "declare the units that the source VM has",
                "the source VM has no data disk with unit number %lld", (long long)lun);
    }
    if (zone && situation_type(c->s->doc) == RESTORE_REPLACE)
        ADD(c, "zone", true, "leave zone out: a replaced disk stays where its VM is",
            "zone %s is declared with replace", zone);
    else if (zone && was && !str_eq(zone, was) && c->s->now.tier != DX_VAULT)
        ADD(c, "zone", true, "order a point with a vault tier, or leave zone out",
            "the VM was in zone %s: a snapshot cannot be restored into zone %s", was, zone);
    else if (zone && was && !str_eq(zone, was))
        ADD(c, "zone", false, NULL,
            "the VM was in zone %s: the documents disagree whether confidential VMs can be restored into another", was);
}

/* Over a VM that is there, and in the intact case only: the documents disagree on all others (R-18: Microsoft Learn,
 * restore confidential VMs with Azure Backup, 2026-07-22, against restore Azure VMs, 2022). */
static void check_replace(struct checking *c)
{
    const char *state = checking_text(c->facts, "source.state"), *power = checking_text(c->facts, "source.power");
    const char *made = checking_text(c->facts, "source.live.properties.provisioningState");
    struct dx_prediction p = diagnose(&c->s->then, c->s->article);

    if (situation_type(c->s->doc) != RESTORE_REPLACE)
        return;
    if (!arm_id_equal(c->target_id, value_str_at(c->facts, "source.id")))
        ADD(c, "replace-target", true, "declare the source VM's own group and name as the target",
            "replace means the source VM, and the target is %s", c->target_id);
    if (str_eq(state, "absent"))
        ADD(c, "replace-source", true, "declare restore: new-vm",
            "the source VM is gone: there are no disks to replace");
    else if (!str_eq(state, "present"))
        ADD(c, "replace-source", true, "give the credential the right to read the source VM",
            "the source VM cannot be seen");
    else if (*made && !str_eq_nocase(made, "Succeeded"))
        ADD(c, "replace-state", true, "wait until the VM is in a stable state, or repair it",
            "the source VM's provisioning state is %s", made);
    else if (str_eq_nocase(power, "running") && !value_bool_at(c->s->doc->spec, "evenIfSourceHealthy", false))
        ADD(c, "replace-running", true, "stop the source VM, or declare evenIfSourceHealthy: true",
            "the source VM is running; its disks are replaced only when that is declared");
    else if (!*power && !value_bool_at(c->s->doc->spec, "evenIfSourceHealthy", false))
        ADD(c, "replace-source", true,
            "give the credential the right to read the VM's instance view, or declare evenIfSourceHealthy: true",
            "whether the source VM runs cannot be seen; its disks are replaced only when it is stopped");
    else if (*power && !str_eq_nocase(power, "running") && !str_eq_nocase(power, "stopped") &&
             !str_eq_nocase(power, "deallocated"))
        ADD(c, "replace-state", true, "wait until the VM is in a stable state", "the source VM is %s", power);
    if (c->s->des_id && c->s->original_des && !arm_id_equal(c->s->des_id, c->s->original_des))
        ADD(c, "replace-set", true, "leave diskEncryptionSet out, or declare restore: new-vm",
            "a replaced disk keeps its set: none can be named (R-18), and another one is declared");
    if (str_eq(state, "present") && (!p.row || p.outcome != DX_SUCCEEDS))
        ADD(c, "replace-intact", true, "repair set, key and grants first, or declare restore: new-vm or disks",
            "disks are replaced only where all about their key is intact: %s",
            p.row ? p.row->state : dx_facts_words(c->view->arena, &c->s->then));
}

/* --- the key's release -------------------------------------------------------------------------------------------- */

const char *restore_not_releasable(const struct view *v, const struct situation *s)
{
    const char *subscription = arm_id_part(v->arena, restored_vm_id(v->arena, s->doc), "subscriptions");
    const char *region = protected_vm_region(v, s->pvm), *uri;
    const struct value *bundle = key_shown(v, s->key);

    if (!region || s->now.encryption == DX_PMK || !value_str_at(bundle, "release_policy.data"))
        return NULL;
    uri = value_str_at(platform_fact(v, "attestation", arena_printf(v->arena, "%s/%s", subscription, region)), "uri");
    if (!uri || !*uri || key_releases_to(v->arena, bundle, uri))
        return NULL;
    return arena_printf(
        v->arena,
        "the release policy of %s does not name %s, which attests in %s: no confidential VM there can be given "
        "the key",
        s->key->address, uri, region);
}

/* What Azure does with such a restore is documented nowhere, so it is warned of and not refused. */
static void check_release(struct checking *c)
{
    const char *why = restore_not_releasable(c->view, c->s);

    if (why)
        ADD(c, "release-region", false, RELEASE_ADVICE, "%s: the VM would come back and not start; " RELEASE_ADVICE,
            why);
}

/* --- what Azure says ---------------------------------------------------------------------------------------------- */

bool restore_objects_to_key(const char *code)
{
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    return known && (known->cure == CURE_KEY || known->cure == CURE_SET || known->cure == CURE_PERMISSION);
}

const char *restore_objection_advice(struct arena *a, const struct value *result)
{
    const char *theirs = value_str(value_item(value_get(result, "recommendations"), 0)),
               *code = value_str_at(result, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    if (!known && !theirs)
        return "look at the request and at Azure Backup's documentation; the code is not in the table of errors";
    return known && theirs ? arena_printf(a, "%s (Azure: %s)", known->action, theirs) : known ? known->action : theirs;
}

/* Objections to keys and sets that the steps above will mend are asked about again before the restore is triggered. */
static void check_validation(struct checking *c)
{
    const struct value *asked = c->facts ? value_get(view_facts(c->view, c->s->doc), "validation") : NULL;
    const struct value *results = value_get(asked, "results");
    bool mending = (c->s->key && view_prospect(c->view, c->s->key) == PROSPECT_PENDING) ||
                   (c->s->des && view_prospect(c->view, c->s->des) == PROSPECT_PENDING);

    for (size_t i = 0; i < c->s->n_grants; i++)
        mending = mending || access_prospect_for(c->view, c->s, c->s->grants[i], NULL) == PROSPECT_PENDING;
    for (size_t i = 0; i < value_count(results); i++) {
        const struct value *r = value_item(results, i);
        const char *code = value_str_at(r, "code");
        bool later = mending && restore_objects_to_key(code);

        ADD(c, arena_printf(c->view->arena, "azure-%zu", i + 1), !later, restore_objection_advice(c->view->arena, r),
            "Azure Backup %s: %s: %s",
            later ? "objects while the key is not repaired, and is asked again afterwards" : "objects to the request",
            code ? code : "no code", checking_text(r, "message"));
    }
    if (str_eq(value_str_at(asked, "state"), "asked") && !value_count(results))
        ADD(c, "azure", false, NULL, "asked about the request, Azure Backup has no objection, which is no proof");
    else if (str_eq(value_str_at(asked, "state"), "unseen"))
        ADD(c, "azure", false, NULL,
            "Azure Backup could not be asked about the request; the restore is not held up for that: %s",
            checking_text(asked, "why"));
}

/* Whose job is there already is adopted, whatever the claim says of it. */
static void check_claim(struct checking *c)
{
    struct obstacle o;

    for (size_t i = 0; i < value_count(c->s->jobs); i++)
        if (!job_failed(value_item(c->s->jobs, i)))
            return;
    if (claim_stands(c->view, c->s, false, &o))
        obstacle_add(c, o);
}

struct obstacle *restore_obstacles_of(const struct view *v, const struct situation *s, bool payer, size_t *ret_count)
{
    struct checking c = {
        .view = v,
        .s = s,
        .facts = view_facts(v, s->pvm),
        .place = value_get(view_facts(v, s->doc), "place"),
        .vault = view_facts(v, document_target(s->pvm, "spec.vault")),
        .region = protected_vm_region(v, s->pvm),
        .target_id = restored_vm_id(v->arena, s->doc),
        .payer = payer,
    };

    c.item = value_get(c.facts, "live");
    check_point(&c);
    if (c.region) {
        check_target(&c);
        check_staging(&c);
        check_store(&c);
    }
    check_tenants(&c);
    check_set(&c);
    check_version(&c);
    check_key_life(&c);
    check_copy_home(&c);
    check_perimeter(&c);
    check_release(&c);
    check_platform(&c);
    check_size(&c);
    check_disks(&c);
    check_replace(&c);
    check_crowd(&c);
    check_claim(&c);
    check_validation(&c);
    *ret_count = c.count;
    return c.found;
}

bool obstacle_for_export(const struct obstacle *o)
{
    static const char *const ids[] = {"staging", "group",   "subscription", "item-",
                                      "point-",  "guarded", "lock-",        "feature-"};

    for (size_t i = 0; i < COUNT(ids); i++)
        if (o->stops && str_starts(o->id, ids[i]))
            return true;
    return false;
}
