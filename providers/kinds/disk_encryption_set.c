/* Kind DiskEncryptionSet: joins a key (version) with an identity. Created when absent, re-pointed under policy.
 * Order at Azure: key, then set, then grants, then use; a set that acts by a user-assigned identity is made only after
 * that identity's grants act.
 *
 * Facts: state, id, live, principalId, associatedResources (ids of what uses it); of a user-assigned identity whose
 * principal is to be read: identityId, identityState, identityWhy; with an order in force created, where it is to be
 * seen. */
#include "disk_encryption_set.h"
#include "../documents/id_fields.h"
#include "../documents/names.h"
#include "../documents/places.h"
#include "../azure/geography.h"
#include "../backup/points.h"
#include "../keys/store_fit.h"
#include "../azure/bulk.h"
#include "../azure/key_id.h"
#include "../azure/vault.h"
#include "../documents/common.h"
#include "../keys/key_facts.h"
#include "../restore/platform.h"
#include "requests.h"
#include "../access/set_identity.h"
#include "../access/set_rights.h"
#include "../backup/order.h"

#define CVM_TYPE "ConfidentialVmEncryptedWithCustomerKey"

static bool ordered(const struct observer *o)
{
    const struct document *rvm;
    size_t at = 0;

    while ((rvm = referrer_next(o->document, "RestoredVirtualMachine", &at)))
        if (order_for(o->view, rvm).state == ORDER_IN_FORCE)
            return true;
    return false;
}

/* A set that is younger than the ordered point is not the one the VM was backed up with, whatever its id. Only the list
 * of its group tells when it was made. */
static int observe_birth(struct call *c, const struct observer *o, struct azure *az, const char *id,
                         struct value *facts, struct err *err)
{
    const struct value *items;

    if (!ordered(o))
        return 0;
    if (group_resources(c, az, o->arena, arm_id_parent(o->arena, id, 4), &items, err) < 0)
        return err->class == ERR_DENIED || err->class == ERR_NOT_FOUND ? 0 : -(int)err->class;
    for (size_t i = 0; i < value_count(items); i++)
        if (arm_id_equal(value_str_at(value_item(items, i), "id"), id))
            value_set_string(o->arena, facts, "created", value_str_at(value_item(items, i), "createdTime"));
    return 0;
}

/* The set is to be made or changed, and is asked then for what identities it has already. */
static bool writes_by_assigned(const struct observer *o, const struct value *facts)
{
    const struct value *live = value_get(facts, "live"), *url = key_wanted_url(o->view, o->document, "spec.key");
    const char *state = value_str_at(facts, "state");

    if (!set_grants_first(o->document, facts) || str_eq(state, "unseen"))
        return false;
    return !live || set_identity_wanted(o->arena, o->document, live) ||
           !key_same_version(value_str(url), value_str_at(live, "properties.activeKey.keyUrl"));
}

/* Only policy asks who uses the set, and only before it is re-pointed. If the users cannot be listed, it counts as
 * used, so that nobody re-points it unasked. */
static int observe_users(struct call *c, const struct observer *o, struct azure *az, const char *id,
                         struct value *facts, struct err *err)
{
    struct value *users;
    int64_t patience_ms;
    int rc;

    if (o->near) {
        value_set_bool(o->arena, facts, "brief", true);
        value_set_bool(o->arena, facts, "named", true);
        return 0;
    }
    patience_ms = call_set_advisory(c);
    rc = arm_list(az, c, o->arena, arena_printf(o->arena, "%s/associatedResources", id), API_DISK, &users, err);
    call_set_patience(c, patience_ms);
    if (rc == 0)
        value_set(o->arena, facts, "associatedResources", users);
    else if (err->class != ERR_CANCELLED)
        value_push(o->arena, value_set(o->arena, facts, "associatedResources", value_list(o->arena)),
                   value_string(o->arena, DES_USERS_UNLISTED));
    else
        return -(int)err->class;
    return 0;
}

/* A key that no document declares is looked at where a set is to be made on it: on one that is gone Azure refuses. What
 * cannot be seen Azure judges. */
static int observe_addressed_key(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                                 struct err *err)
{
    const struct reference *ref = document_reference(o->document, "spec.key");
    struct value *bundle;
    struct key_id key;

    if (!str_eq(value_str_at(facts, "state"), "absent") || !ref || !ref->url ||
        !key_id_parse(o->arena, ref->url, &key))
        return 0;
    if (vault_get_key(az, c, o->arena, key.base, key.name, key.version, &bundle, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        if (err->class == ERR_NOT_FOUND)
            value_set_string(o->arena, facts, "keyLacks", "is not there");
    } else if (!value_bool_at(bundle, "attributes.enabled", true)) {
        value_set_string(o->arena, facts, "keyLacks", "is disabled");
    }
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    char *id = disk_encryption_set_id(o->arena, o->document);
    struct value *facts;
    const struct value *live;

    if (bulk_get(az, c, o->arena, &(struct arm_wanted){.path = id, .api = API_DISK, .since_ms = call_span_ms(c)}, &live,
                 err) < 0) {
        TRY(facts_from_error(o->arena, "reading the disk encryption set", err, &facts));
    } else {
        facts = facts_new(o->arena, "present");
        value_link(o->arena, facts, "live", live);
        TRY(observe_users(c, o, az, id, facts, err));
        TRY(observe_birth(c, o, az, id, facts, err));
    }
    value_set_string(o->arena, facts, "id", id);
    TRY(observe_addressed_key(c, o, az, facts, err));
    TRY(set_identity_observe(c, az, o->arena, o->document, facts, err));
    if (writes_by_assigned(o, facts) || value_count(value_get(facts, "kept")))
        TRY(set_rights_observe(c, o, az, document_target(o->document, "spec.key"), facts, err));
    TRY(set_rights_observe_own(c, o, az, document_target(o->document, "spec.key"), facts, err));
    *ret = facts;
    return 0;
}

struct value *disk_encryption_set_body(struct arena *a, const struct document *doc, const struct value *key_url)
{
    struct value *b = value_map(a), *properties = value_map(a);

    value_set_string(a, b, "location", kind_location(doc));
    value_set(a, b, "identity", set_identity_body(a, doc));
    value_set(a, b, "properties", properties);
    value_set_string(a, properties, "encryptionType", value_str_at(doc->spec, "encryptionType"));
    value_set(a, value_set(a, properties, "activeKey", value_map(a)), "keyUrl", value_copy(a, key_url));
    return b;
}

static void describe_identity(const struct view *v, const struct document *doc, struct steps *out, struct step *step,
                              const struct value *wanted)
{
    const char *principal = value_str_at(view_facts(v, doc), "principalId");
    const struct value *assigned = value_at(doc->spec, "identity.userAssigned");

    step_change(out, step, "identity.type", NULL, value_at(wanted, "identity.type"), NULL);
    for (size_t i = 0; i < value_count(assigned); i++)
        step_right(out, step, value_str(value_item(assigned, i)),
                   "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", false,
                   "Managed Identity Operator");
    if (set_acts_by_user_assigned(doc, NULL))
        step_change(out, step, "identity.principalId", NULL,
                    principal ? value_string(v->arena, principal) : value_unknown(v->arena),
                    "it is there already and keeps its principal");
    else
        step_change(out, step, "identity.principalId", NULL, value_unknown(v->arena), "Azure makes a new identity");
}

/* Made elsewhere than its key's vault the set is refused; made elsewhere than the backup vault it serves no restore. */
static bool steps_misplaced(const struct view *v, const struct document *doc, const struct document *key,
                            struct steps *out)
{
    const char *here = azure_region(v->arena, kind_location(doc)), *there;
    struct store_objection objection;
    const struct document *rvm;
    size_t at = 0;

    if (store_refuses_sets(v, key, &objection)) {
        steps_block(out, doc, NULL, objection.next, "the set is absent and cannot be made: %s", objection.reason);
        return true;
    }
    if (key && store_unreached(v, key, here, &objection)) {
        steps_block(out, doc, NULL, "declare the set in the region of its key's store, or another store",
                    "the set is absent, and made in %s it would be of no use: %s", here, objection.reason);
        return true;
    }
    while ((rvm = referrer_next(doc, "RestoredVirtualMachine", &at))) {
        const struct document *pvm = document_target(rvm, "spec.from");

        there = pvm ? protected_vm_region(v, pvm) : NULL;
        if (!there || str_eq(here, there))
            continue;
        steps_block(out, doc, NULL, "declare the set in the backup vault's region",
                    "the set is absent, and made in %s it would be of no use to %s, whose backup vault is in %s", here,
                    rvm->address, there);
        return true;
    }
    return false;
}

static void steps_create(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct document *key = document_target(doc, "spec.key");
    const char *id = value_str_at(view_facts(v, doc), "id");
    const struct value *wanted;
    struct step *step;

    if (!kind_location(doc)) {
        steps_block(out, doc, NULL, "declare spec.location or the Azure document's location",
                    "the set is absent and no location is declared");
        return;
    }
    if (key && view_prospect(v, key) == PROSPECT_BLOCKED) {
        steps_block(out, doc, NULL, view_block(v, key)->next,
                    "the set is absent and cannot be made, since %s is blocked: %s", key->address,
                    view_block(v, key)->reason);
        return;
    }
    if (value_str_at(view_facts(v, doc), "keyLacks") && !des_key_by_address(v, doc)) {
        steps_block(out, doc, NULL, "declare the Key with its store and sources, so that it can be brought back",
                    "the set is absent and cannot be made: the key that its document names by address %s (%s)",
                    value_str_at(view_facts(v, doc), "keyLacks"), value_str(key_wanted_url(v, doc, "spec.key")));
        return;
    }
    if (steps_misplaced(v, doc, key, out) || des_steps_too_young(v, doc, out) || !des_identity_stands(v, doc, out) ||
        set_rights_block(v, doc, key, out))
        return;
    step =
        steps_add(out, doc, ACTION_CREATE, NULL, "the set is absent; a set cannot be recovered, only made anew, %s",
                  set_acts_by_user_assigned(doc, NULL) ? "with the identity that is declared" : "with a new identity");
    des_describe_write(v, out, step, id);
    wanted = disk_encryption_set_body(v->arena, doc, key_wanted_url(v, doc, "spec.key"));
    step_change(out, step, "properties.encryptionType", NULL, value_at(wanted, "properties.encryptionType"), NULL);
    step_change(out, step, "properties.activeKey.keyUrl", NULL, value_at(wanted, "properties.activeKey.keyUrl"),
                "versioned, so that it stays on the version the disks were wrapped with");
    describe_identity(v, doc, out, step, wanted);
    step->postcondition = "a GET shows the set provisioned, with this key and an identity";
    step_writes(out, step, "PUT", "%s", id);
    set_rights_note(v, doc, out, step);
    view_need(v, out, step, key ? key : des_key_by_address(v, doc));
    if (store_to_protect(v, key))
        view_need(v, out, step, store_to_protect(v, key));
}

/* A write of an earlier run, or of somebody else, that has not ended. Its identity may not be there yet. */
static bool steps_settle(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *state = value_str_at(view_facts(v, doc), "live.properties.provisioningState");
    struct step *step;

    if (!state || str_eq_nocase(state, "Succeeded") || str_eq_nocase(state, "Failed") ||
        str_eq_nocase(state, "Canceled"))
        return false;
    step = steps_add(out, doc, ACTION_WAIT, NULL, "an earlier write to the set is still under way (%s)", state);
    step->scope = value_str_at(view_facts(v, doc), "id");
    step->estimate_ms = 30 * SECOND_MS;
    step->estimate_source = "recorded disk encryption set writes";
    return true;
}

/* What it shows is then what was asked for, and need not be what its disks are wrapped with. A restore onto it is held
 * up (check_set). */
static void finding_failed(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *state = value_str_at(view_facts(v, doc), "live.properties.provisioningState");

    if (str_eq_nocase(state, "Failed") || str_eq_nocase(state, "Canceled"))
        steps_finding(out, doc, "provisioningState",
                      "look at the set's activity log, and repeat the update that did not succeed",
                      "the last write to the set did not succeed: its provisioning state is %s", state);
}

static void steps_due(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc), *live = value_get(facts, "live");
    const char *want_type = value_str_at(doc->spec, "encryptionType"),
               *have_type = value_str_at(live, "properties.encryptionType");
    const char *error = value_str_at(live, "properties.autoKeyRotationError.code");

    if (str_eq(want_type, CVM_TYPE) && str_eq(value_str_at(doc->spec, "rotation"), "follow-latest")) {
        steps_block(out, doc, NULL, "declare rotation: pinned",
                    "rotation: follow-latest is refused for confidential VMs: an automatic rotation would leave their "
                    "disks behind");
        return;
    }
    if (steps_unseen(v, doc, out))
        return;
    if (!str_eq(view_state(v, doc), "present")) {
        steps_create(v, doc, out);
        return;
    }
    if (steps_settle(v, doc, out))
        return;
    /* A set made without a type is for ordinary encryption at rest (DiskRP specification). */
    if (!have_type)
        have_type = "EncryptionAtRestWithCustomerKey";
    if (want_type && !str_eq_nocase(want_type, have_type)) {
        steps_block(out, doc, NULL, "declare another setName: the type of an existing set cannot be changed",
                    "the set is of type %s, declared is %s", have_type, want_type);
        return;
    }
    if (error)
        steps_block(out, doc, "autoKeyRotationError", "mend what the error names, then repeat the update that failed",
                    "the set's last key rotation failed: %s", error);
    finding_failed(v, doc, out);
    /* Azure may act by an identity that nobody declared as well as by one that is. */
    if (!value_get(facts, "identityGone") && value_count(value_get(facts, "kept")) &&
        set_rights_block(v, doc, document_target(doc, "spec.key"), out))
        return;
    des_steps_update(v, doc, out);
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t before = out->count;

    steps_due(v, doc, out);
    platform_hold_shut(v, out, before);
}

/* Only what differs is sent, so that what nobody declared stays as it is. */
struct value *disk_encryption_set_patch(struct arena *a, const struct step *step, const struct value *live,
                                        const struct value *url)
{
    struct value *patch = value_map(a), *properties = value_map(a);

    for (size_t i = 0; i < step->n_changes; i++) {
        const char *path = step->changes[i].path;

        if (str_eq(path, "identity.type"))
            value_set(a, patch, "identity", set_identity_wanted(a, step->document, live));
        else if (str_eq(path, "properties.activeKey.keyUrl"))
            value_set(a, value_set(a, properties, "activeKey", value_map(a)), "keyUrl", value_copy(a, url));
        else
            value_set_bool(a, properties, "rotationToLatestKeyVersionEnabled", false);
    }
    if (value_count(properties))
        value_set(a, patch, "properties", properties);
    return patch;
}

/* Of a set whose answer bears no identity a second answer is asked for before one is written: a PATCH that names one
 * identity takes the others away. */
static int confirm_without_identity(struct call *c, struct azure *az, const struct actor *actor, struct err *err)
{
    const char *id = actor->step->scope, *sets = arm_id_parent(actor->arena, id, 4);
    struct value *items;

    sets = arena_printf(actor->arena, "%s/providers/Microsoft.Compute/diskEncryptionSets", sets);
    if (arm_list(az, c, actor->arena, sets, API_DISK, &items, err) < 0)
        return err_note(err, "asking a second time whether the set has an identity; nothing was written");
    for (size_t i = 0; i < value_count(items); i++)
        if (arm_id_equal(value_str_at(value_item(items, i), "id"), id) && !value_at(value_item(items, i), "identity"))
            return 0;
    err_set(err, ERR_BLOCKED,
            "one answer shows the set without an identity, and the list of its group does not; "
            "nothing was written");
    return err_advise(err, "look at it: az disk-encryption-set show --ids '%s' --query identity", id);
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct value *live = value_get(view_facts(actor->view, actor->step->document), "live");
    const struct document *doc = actor->step->document;
    struct azure *az = kind_azure(actor->provider, doc);
    struct arena *a = actor->arena;
    const struct value *url = key_wanted_url(actor->view, doc, "spec.key");
    struct arm_making making = {
        .id = actor->step->scope, .api = API_DISK, .bound_ms = actor->view->settings->poll_bound_ms};
    struct value *patch;

    if (actor->step->action == ACTION_WAIT)
        return arm_settle(az, c, a, &making, NULL, err);
    if (!value_str(url))
        return err_set(err, ERR_CONFLICT, "the version of key %s is not known yet", doc->name);
    if (actor->step->action == ACTION_CREATE)
        return arm_put(az, c, a, &making, disk_encryption_set_body(a, doc, url), NULL, err);
    patch = disk_encryption_set_patch(a, actor->step, live, url);
    if (live && value_get(patch, "identity") && !value_get(live, "identity"))
        TRY(confirm_without_identity(c, az, actor, err));
    return arm_patch(az, c, a, &making, patch, NULL, err);
}

static void set_check(const struct document *doc, struct diags *faults)
{
    id_fields_check(doc, faults);
    places_check(doc, faults);
    names_check(doc, faults);
}

const struct kind disk_encryption_set_kind = {
    .name = "DiskEncryptionSet",
    .summary = "A disk encryption set: its type, the key version it points to, its identity.",
    .check = set_check,
    .identity = disk_encryption_set_id,
    .observe = observe,
    .steps = steps,
    .act = act,
};
