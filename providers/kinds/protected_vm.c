/* Kind ProtectedVirtualMachine: a VM's protection, its recovery points, and the pass that exports its key. The source
 * VM may be gone; then it is never protected anew. The export belongs here and to the key, not to the restore.
 *
 * Facts: state, itemId, live (protected item), points [{id, time, snapshot, vault, confidential, customerKey?,
 * securityType, size}] (of brief facts only the time of the newest), source {state, live, power, des, set {state,
 * live}}, jobs [job facts], exports [job facts that left a key, newest first, with accountId when declared staging
 * accounts tell it], unreadable [the same, of accounts that refuse us], history [records of this VM] when one is kept
 * (../backup/history.h). */
#include "protected_vm.h"
#include "../restore/aftermath.h"
#include "../backup/points.h"
#include "../documents/id_fields.h"
#include "../documents/places.h"

#include "../azure/bulk.h"
#include "../azure/shared.h"
#include "../backup/protection.h"
#include "../backup/history.h"
#include "../restore/export_pass.h"
#include "protected_vm_brief.h"

/* --- observing ---------------------------------------------------------------------------------------------------- */

static const char *tier_word(enum tier_state tier)
{
    static const char *const words[] = {
        [TIER_ABSENT] = "absent", [TIER_VALID] = "valid", [TIER_GONE] = "gone", [TIER_UNSEEN] = "unseen"};

    return words[tier];
}

static struct value *point_facts(struct arena *a, const struct value *body)
{
    const struct value *data = value_at(body, "properties.dataDiskMetadata.encryptedDataDisks");
    struct value *f = value_map(a);
    struct backup_point p;

    backup_read_point(a, body, &p);
    value_set_string(a, f, "id", p.id);
    if (p.time_ms != TIME_NONE)
        value_set_string(a, f, "time", time_format(a, p.time_ms));
    value_set_string(a, f, "snapshot", tier_word(p.snapshot));
    value_set_string(a, f, "vault", tier_word(p.rehydrated ? TIER_VALID : p.vault));
    if (p.archive == TIER_VALID)
        value_set_string(a, f, "archive", p.rehydrated ? "rehydrated" : "archived");
    value_set_string(a, f, "unknownTier", p.unknown_tier);
    value_set_string(a, f, "consistency", p.consistency);
    value_set_bool(a, f, "confidential", p.confidential);
    if (p.key != POINT_KEY_UNKNOWN)
        value_set_bool(a, f, "customerKey", p.key == POINT_KEY_CUSTOMER);
    value_set_string(a, f, "securityType", p.security_type);
    value_set_string(a, f, "threat", p.threat);
    value_set_string(a, f, "size", p.size);
    value_set_bool(a, f, "softDeleted", p.soft_deleted);
    /* Told by newer api-versions only: disks that a restore of the OS disk alone would leave shut. */
    if (data)
        value_set(a, f, "encryptedDataDisks", value_copy(a, data));
    if (p.expiry_ms != TIME_NONE)
        value_set_string(a, f, "expires", time_format(a, p.expiry_ms));
    return f;
}

/* The set that the VM names, declared or not: it is evidence of the key version, and its state is
 * part of the diagnosis. */
static int observe_set(struct call *c, const struct observer *o, struct azure *az, struct value *source,
                       struct err *err)
{
    const char *id = value_str_at(source, "des");
    const struct value *live;
    struct value *set;

    if (!id)
        return 0;
    if (bulk_get(az, c, o->arena,
                 &(struct arm_wanted){.path = id, .api = API_DISK, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                 &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the source VM's disk encryption set", err, &set));
    } else {
        set = facts_new(o->arena, "present");
        value_link(o->arena, set, "live", live);
    }
    value_set(o->arena, source, "set", set);
    return 0;
}

static int observe_source(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                          struct err *err)
{
    const struct value *live, *view;
    struct value *source;
    char *id = source_vm_id(o->arena, o->document);
    int64_t fresh = call_span_ms(c) - SHARED_FRESH_MS;

    if (bulk_get(az, c, o->arena, &(struct arm_wanted){.path = id, .api = API_COMPUTE, .since_ms = fresh}, &live,
                 err) < 0) {
        TRY(facts_from_error(o->arena, "reading the source VM", err, &source));
    } else {
        source = facts_new(o->arena, "present");
        value_link(o->arena, source, "live", live);
        value_set_string(
            o->arena, source, "des",
            value_str_at(live, "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"));
        TRY(observe_set(c, o, az, source, err));
        if (bulk_instance_view(az, c, o->arena, id, fresh, &view, err) == 0)
            value_set_string(o->arena, source, "power", vm_power(view));
        else if (err->class != ERR_NOT_FOUND && err->class != ERR_DENIED)
            return -(int)err->class;
    }
    value_set_string(o->arena, source, "id", id);
    value_set(o->arena, facts, "source", source);
    return 0;
}

/* A machine of the same group and name in another subscription, which the vault protects: the one that was meant, if a
 * document took its subscription from the wrong Azure document. */
static int observe_elsewhere(struct call *c, const struct observer *o, struct azure *az, const char *vault_id,
                             struct value *facts, struct err *err)
{
    const char *meant = source_vm_id(o->arena, o->document);
    const struct value *items;

    if (backup_list_items(az, c, o->arena, vault_id, &items, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    for (size_t i = 0; i < value_count(items); i++) {
        const char *id = value_str_at(value_item(items, i), "properties.sourceResourceId");

        if (str_eq_nocase(arm_id_name(id), arm_id_name(meant)) &&
            str_eq_nocase(arm_id_part(o->arena, id, "resourceGroups"), arm_id_part(o->arena, meant, "resourceGroups")))
            value_set_string(o->arena, facts, "protectedElsewhere", id);
    }
    return 0;
}

static int observe_points(struct call *c, const struct observer *o, struct azure *az, const char *item_id,
                          struct value *facts, struct err *err)
{
    const struct value *list;
    struct value *points;

    TRY(backup_list_points(az, c, o->arena, item_id, &list, err));
    points = value_set(o->arena, facts, "points", value_list(o->arena));
    for (size_t i = 0; i < value_count(list); i++)
        value_push(o->arena, points, point_facts(o->arena, value_item(list, i)));
    return 0;
}

static int observe_backup(struct call *c, const struct observer *o, struct azure *az, const struct value *item,
                          bool brief, struct value **ret, struct err *err)
{
    *ret = facts_new(o->arena, "present");
    value_set_string(o->arena, *ret, "itemId", value_str_at(item, "id"));
    value_link(o->arena, *ret, "live", item);
    if (brief) {
        value_set_bool(o->arena, *ret, "brief", true);
        value_set(o->arena, *ret, "points", protected_vm_brief_points(o->arena, item));
    } else if (observe_points(c, o, az, value_str_at(item, "id"), *ret, err) < 0) {
        TRY(facts_of_part(o->arena, "listing recovery points", err, ret));
    }
    TRY(protected_vm_observe_jobs(c, o, az, *ret, err));
    /* Whose a job is, and what it has left, is told with the help of the points. */
    return brief && value_count(value_get(*ret, "jobs")) ? observe_backup(c, o, az, item, false, ret, err) : 0;
}

/* Jobs are seen by themselves: a pass that runs, or has left an export, is one also where item or
 * points cannot be read. */
static int observe_item(struct call *c, const struct observer *o, struct azure *az, struct value **ret, struct err *err)
{
    const char *vault_id = reference_id(o->arena, o->document, "spec.vault", recovery_vault_id);
    const struct value *item;
    bool brief;

    if (!vault_id)
        return err_set(err, ERR_INVALID, "spec.vault gives no ARM id");
    if (backup_find_item(az, c, o->arena, vault_id, source_vm_id(o->arena, o->document), &item, err) < 0) {
        /* A vault that was seen has a list, if an empty one. */
        if (err->http_status && document_target(o->document, "spec.vault"))
            TRY(facts_of_part(o->arena, "looking for the protected item", err, ret));
        else
            TRY(facts_from_error(o->arena, "looking for the protected item", err, ret));
        if (str_eq(value_str_at(*ret, "state"), "absent"))
            TRY(observe_elsewhere(c, o, az, vault_id, *ret, err));
        return protected_vm_observe_jobs(c, o, az, *ret, err);
    }
    TRY(protected_vm_item_will_do(c, o, az, item, &brief, err));
    return observe_backup(c, o, az, item, brief, ret, err);
}

/* The declared policy matters only for a VM that is there. */
static int observe_policy(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                          struct err *err)
{
    const char *policy =
        protection_policy_id(o->arena, value_str_at(facts, "vaultId"), value_str_at(o->document->spec, "policy"));
    struct value *seen;

    if (!policy || !str_eq(value_str_at(facts, "source.state"), "present"))
        return 0;
    TRY(protection_observe_policy(c, o, az, policy, &seen, err));
    value_set(o->arena, facts, "policy", seen);
    return 0;
}

/* Points and restores behind a vault that cannot be seen are not called missing: the vault's reason is theirs. */
static struct value *vault_not_there(const struct observer *o, const struct document *vault)
{
    const struct value *seen = view_facts(o->view, vault);
    struct value *facts = facts_new(o->arena, str_eq(view_state(o->view, vault), "absent") ? "absent" : "unseen");
    const char *why = value_str_at(seen, "why");

    if (str_eq(value_str_at(facts, "state"), "absent"))
        return facts;
    why = why ? why : "its vault cannot be seen";
    value_set_string(o->arena, facts, "jobsWhy", why);
    value_set_string(o->arena, facts, "why", arena_printf(o->arena, "%s cannot be seen: %s", vault->address, why));
    value_set_string(o->arena, facts, "fix", value_str_at(seen, "fix"));
    return facts;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const struct document *vault = document_target(o->document, "spec.vault");
    struct value *facts = NULL;

    if (vault && !str_eq(view_state(o->view, vault), "present"))
        facts = vault_not_there(o, vault);
    else
        TRY(observe_item(c, o, az, &facts, err));
    value_set_string(o->arena, facts, "vaultId", reference_id(o->arena, o->document, "spec.vault", recovery_vault_id));
    TRY(observe_source(c, o, az, facts, err));
    TRY(observe_policy(c, o, az, facts, err));
    history_observe(o->arena, ((const struct azure_connections *)o->provider)->history, call_now_ms(c), facts);
    *ret = facts;
    return 0;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static bool stale(const struct view *v, const struct document *doc, const char *field, bool vault_tier,
                  struct steps *out)
{
    int64_t allowed = duration_parse(value_str_at(doc->spec, arena_printf(v->arena, "readiness.%s", field)));
    const struct value *point =
        vault_tier ? protected_vm_newest_vault_point(v, doc) : protected_vm_newest_point(v, doc);
    int64_t at = point ? time_parse(value_str_at(point, "time")) : TIME_NONE;

    if (allowed < 0 || (at != TIME_NONE && v->now_ms - at <= allowed))
        return false;
    steps_finding(out, doc, field, "look at the backup jobs of this VM and at its policy",
                  "readiness: the newest %srecovery point %s, allowed are %s", vault_tier ? "vault-tier " : "",
                  at == TIME_NONE ? "does not exist"
                                  : arena_printf(v->arena, "is %s old", duration_format(v->arena, v->now_ms - at)),
                  duration_format(v->arena, allowed));
    return true;
}

static bool protection_broken(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *state = value_str_at(view_facts(v, doc), "live.properties.protectionState");

    if (str_eq_nocase(state, "Protected") || str_eq_nocase(state, "IRPending"))
        return false;
    steps_finding(out, doc, "protection", "resume the protection in the vault; reinstate changes nothing on a backup",
                  "the source VM exists and its protection is %s", state ? state : "not to be seen");
    return true;
}

/* With a policy declared a VM that is there is protected, and one whose protection was stopped again;
 * without, it is looked at. */
static bool protect(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    struct protection p = {
        .vault_id = value_str_at(facts, "vaultId"),
        .vm_id = value_str_at(facts, "source.id"),
        .policy_id = protection_policy_id(v->arena, value_str_at(facts, "vaultId"), value_str_at(doc->spec, "policy")),
        .item = str_eq(view_state(v, doc), "present") ? value_get(facts, "live") : NULL,
        .policy = value_get(facts, "policy"),
    };

    if (!p.policy_id || !p.vm_id)
        return protection_broken(v, doc, out);
    return protection_step(doc, out, &p) != NULL;
}

/* Azure deletes no export by any document; a copy of a key in a staging account cannot be called back. */
static void note_leftovers(const struct view *v, const struct document *doc, struct steps *out, struct step *step)
{
    const struct value *left = value_get(view_facts(v, doc), "leftovers");
    const char *keep = aftermath_keep_export(v, doc);

    for (size_t i = 0; i < value_count(left); i++) {
        const struct value *one = value_item(left, i);
        const char *end = value_str_at(one, "end") ? value_str_at(one, "end") : value_str_at(one, "start");

        if (str_eq(value_str_at(one, "seen"), "there"))
            step_note(out, step,
                      "the key that job %s exported is still in storage account %s (%s/%s) since %s: who can read the "
                      "account, and restore "
                      "keys in its subscription, can restore the key; %s%s",
                      value_str_at(one, "job"), value_str_at(one, "account"), value_str_at(one, "container"),
                      value_str_at(one, "blob"), end, keep ? keep : "delete it when the recovery is over: ",
                      keep ? ""
                           : aftermath_blob_command(v->arena, value_str_at(one, "account"),
                                                    value_str_at(one, "container"), value_str_at(one, "blob")));
        else
            step_note(out, step,
                      "whether the key that job %s exported is still in storage account %s cannot be seen: the "
                      "credential lacks Storage Blob "
                      "Data Reader there",
                      value_str_at(one, "job"), value_str_at(one, "account"));
    }
    if (value_count(left))
        step_note(out, step, "%s", jobs_older_words(v));
}

/* Protection and age of the points are asserted while the source VM exists; if it cannot be seen, a person is told and
 * no restore waits for it. */
static void block_source_unseen(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *why = value_str_at(view_facts(v, doc), "source.why");

    steps_finding(out, doc, "source",
                  unseen_fix(value_get(view_facts(v, doc), "source"), "assign us Reader on the VM's resource group"),
                  "whether the source VM is there cannot be seen, which is not the same as absent%s%s", why ? ": " : "",
                  why ? why : "");
}

static bool vault_there(const struct view *v, const struct document *doc)
{
    const struct document *vault = document_target(doc, "spec.vault");

    return !vault || str_eq(view_state(v, vault), "present");
}

/* Nothing can be restored from it, and one day all its points are purged: no difference is graver. */
static bool soft_deleted(const struct view *v, const struct document *doc, struct steps *out)
{
    if (!value_bool_at(view_facts(v, doc), "live.properties.isScheduledForDeferredDelete", false))
        return false;
    steps_block(out, doc, "protect", "a person undeletes the protected item in the vault, or lets it go",
                "the VM's protected item is soft-deleted: nothing can be restored from it, and its points are purged "
                "with it");
    return true;
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *source = value_str_at(view_facts(v, doc), "source.state"),
               *elsewhere = value_str_at(view_facts(v, doc), "protectedElsewhere");
    const struct document *vault = document_target(doc, "spec.vault");
    size_t before = out->count;

    if (steps_unseen(v, doc, out))
        return;
    if (!str_eq(view_state(v, doc), "present") && str_eq(source, "present") && value_get(doc->spec, "policy") &&
        vault_there(v, doc)) {
        protect(v, doc, out);
        return;
    }
    if (!str_eq(view_state(v, doc), "present") && vault && str_eq(view_state(v, vault), "absent")) {
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", vault->address), "%s",
                    protected_vm_absent_words(v, doc));
        return;
    }
    if (!str_eq(view_state(v, doc), "present")) {
        steps_block(
            out, doc, NULL,
            str_eq(source, "present")
                ? "declare its policy (spec.policy), an enhanced one, and it is protected; or protect it in the vault"
                : arena_printf(
                      v->arena,
                      "%scheck the names and the Azure document: it is looked for as %s; without a backup "
                      "nothing can be restored",
                      elsewhere ? arena_printf(v->arena, "the vault protects %s: declare that one; ", elsewhere) : "",
                      source_vm_id(v->arena, doc)),
            "%s", protected_vm_absent_words(v, doc));
        return;
    }
    if (soft_deleted(v, doc, out))
        return;
    if (str_eq(source, "present")) {
        if (!protect(v, doc, out) && !stale(v, doc, "newestVaultPoint", true, out))
            stale(v, doc, "newestPoint", false, out);
    }
    if (str_eq(source, "unseen"))
        block_source_unseen(v, doc, out);
    protected_vm_export_steps(v, doc, out);
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL,
                  str_eq(source, "present") ? "protected as declared"
                                            : "the source VM is gone: its backup is kept, it is never protected anew");
    note_leftovers(v, doc, out, out->items[out->count - 1]);
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);

    if (actor->step->action == ACTION_EXPORT_KEY)
        return protected_vm_export_act(c, actor, err);
    return protection_act(c, actor, kind_azure(actor->provider, actor->step->document), value_str_at(facts, "vaultId"),
                          value_str_at(facts, "source.id"), value_str_at(actor->step->detail, "policy"), err);
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items,
                      size_t *count)
{
    const struct value *point = protected_vm_newest_vault_point(v, doc);
    int64_t at = point ? time_parse(value_str_at(point, "expires")) : TIME_NONE;
    int64_t ends = protected_item_ends(value_get(view_facts(v, doc), "live"), v->now_ms);
    struct deadline gone = {
        .at_ms = ends,
        .what = arena_printf(a, "the soft-deleted backup of %s is purged, with all its points", doc->name)};
    struct deadline d = {.at_ms = at,
                         .what = arena_printf(a, "the newest vault-tier recovery point of %s expires", doc->name)};
    const struct document *rvm;
    size_t i = 0;

    if (ends != TIME_NONE)
        arena_push(a, *items, *count, gone);
    if (at != TIME_NONE && at - v->now_ms < 30 * DAY_MS)
        arena_push(a, *items, *count, d);
    while ((rvm = referrer_next(doc, "RestoredVirtualMachine", &i))) {
        struct order order = order_for(v, rvm);
        const struct value *ordered = order.state == ORDER_IN_FORCE ? protected_vm_point(v, doc, order.point) : NULL;

        d = (struct deadline){.at_ms = time_parse(value_str_at(ordered, "expires")),
                              .what = arena_printf(a, "recovery point %s of %s, which %s orders, expires",
                                                   order.point ? order.point : "?", doc->name,
                                                   order.activation ? order.activation->address : "an order")};
        if (ordered && ordered != point && d.at_ms != TIME_NONE && d.at_ms - v->now_ms < 30 * DAY_MS)
            arena_push(a, *items, *count, d);
    }
}

static void check(const struct document *doc, struct diags *faults)
{
    id_fields_check(doc, faults);
    places_check(doc, faults);
}

const struct kind protected_vm_kind = {
    .name = "ProtectedVirtualMachine",
    .summary = "A VM's protection: its recovery points and their age, and the pass that exports its key. The VM itself "
               "may be gone.",
    .identity = source_vm_id,
    .check = check,
    .observe = observe,
    .steps = steps,
    .act = act,
    .readback_ms =
        10 * MINUTE_MS, /* Azure Backup and new machines are shown latest of all (pulumi/pulumi-azure-native 3089) */
    .deadlines = deadlines,
};
