/* Knows how features, locks and quota of a subscription are read and what each of them forbids. Sends reads only. */
#include "platform.h"

#include <stdlib.h>
#include <string.h>

#include "../azure/geography.h"
#include "../azure/shared.h"
#include "../backup/points.h"
#include "../backup/order.h"

/* They change by hand and rarely: one answer does for all machines of a pass. */
enum { FRESH_MS = MINUTE_MS };

/* --- reading ------------------------------------------------------------------------------------------------------ */

static int list(struct call *c, struct azure *az, struct arena *a, const char *path, enum azure_api api,
                const struct value **ret, struct err *err)
{
    return arm_list_shared(az, c, a,
                           &(struct arm_wanted){.path = path, .api = api, .since_ms = call_span_ms(c) - FRESH_MS}, ret,
                           err);
}

/* "SUBSCRIPTION/REST" */
static const char *subscription_of(struct arena *a, const char *key, const char **ret_rest)
{
    size_t n = strcspn(key, "/");

    *ret_rest = key[n] ? key + n + 1 : "";
    return arena_strndup(a, key, n);
}

static int ask_feature(struct call *c, struct azure *az, struct arena *a, const char *subscription, const char *name,
                       struct value **ret, struct err *err)
{
    const char *id =
        arena_printf(a, "/subscriptions/%s/providers/Microsoft.Features/providers/Microsoft.Compute/features/%s",
                     subscription, name);
    const struct value *live;

    TRY(arm_get_shared(az, c, a,
                       &(struct arm_wanted){.path = id, .api = API_FEATURES, .since_ms = call_span_ms(c) - FRESH_MS},
                       &live, err));
    *ret = facts_new(a, "present");
    value_set_string(a, *ret, "feature", value_str_at(live, "properties.state"));
    return 0;
}

/* Groups a lock may stand in the way of: where VMs come back, and where Azure Backup keeps their snapshots. */
static struct value *groups_locked(const struct view *v, const char *root)
{
    struct value *groups = value_map(v->arena);

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        bool protected = str_eq(doc->kind, "ProtectedVirtualMachine");
        const char *region = protected ? protected_vm_region(v, doc) : NULL, *id = NULL;

        if (region)
            id = arena_printf(v->arena, "%s/resourceGroups/AzureBackupRG_%s_1", root, region);
        else if (str_eq(doc->kind, "RestoredVirtualMachine"))
            id = arm_id_parent(v->arena, restored_vm_id(v->arena, doc), 4);
        if (id && str_starts_nocase(id, arena_printf(v->arena, "%s/", root)))
            value_set_string(v->arena, groups, str_lower(v->arena, id), id);
    }
    return groups;
}

/* "/subscriptions/S/resourceGroups/G" of the lock's own id. */
static const char *locked_scope(struct arena *a, const struct value *lock)
{
    const char *id = value_str_at(lock, "id"), *end = str_find_nocase(id, "/providers/Microsoft.Authorization/locks/");

    return end ? arena_strndup(a, id, (size_t)(end - id)) : NULL;
}

/* A lock that does not say where it stands, or what it forbids, may stand in the way: "the locks" are not all seen. */
static void unseen_if_unread(struct arena *a, struct value *facts, const struct value *items)
{
    static const char *const levels[] = {"ReadOnly", "CanNotDelete", "NotSpecified"};

    for (size_t i = 0; i < value_count(items); i++) {
        const char *level = value_str_at(value_item(items, i), "properties.level");
        bool known = false;

        for (size_t k = 0; k < COUNT(levels); k++)
            known = known || str_eq_nocase(level, levels[k]);
        if (known && locked_scope(a, value_item(items, i)))
            continue;
        value_set_string(a, facts, "state", "unseen");
        value_set_string(a, facts, "why", "a lock is listed that does not say where it stands, or what it forbids");
        return;
    }
}

/* Whoever may not read a subscription's locks may still read those of single groups. The locks of those groups are
 * shown, but there may be others, so the answer stays unseen. */
static int ask_locks(struct call *c, struct azure *az, const struct view *v, const char *subscription,
                     struct value **ret, struct err *err)
{
    struct arena *a = v->arena;
    const char *root = arena_printf(a, "/subscriptions/%s", subscription),
               *behind = "providers/Microsoft.Authorization/locks";
    struct value *groups, *read = value_list(a), *found = value_list(a);
    const struct value *items;

    if (list(c, az, a, arena_printf(a, "%s/%s", root, behind), API_LOCKS, &items, err) == 0) {
        *ret = facts_new(a, "present");
        value_link(a, *ret, "items", items);
        unseen_if_unread(a, *ret, items);
        return 0;
    }
    if (err->class != ERR_DENIED)
        return -(int)err->class;
    *ret = facts_new(a, "unseen");
    value_set_string(a, *ret, "why", err->text);
    groups = groups_locked(v, root);
    for (size_t i = 0; i < groups->map.count; i++) {
        const char *id = value_str(groups->map.members[i].value);

        if (list(c, az, a, arena_printf(a, "%s/%s", id, behind), API_LOCKS, &items, err) < 0) {
            if (err->class != ERR_DENIED && err->class != ERR_NOT_FOUND)
                return -(int)err->class;
            continue;
        }
        value_push(a, read, value_string(a, arm_id_name(id)));
        for (size_t k = 0; k < value_count(items); k++)
            value_push(a, found, value_item(items, k));
    }
    value_set(a, *ret, "groups", read);
    value_set(a, *ret, "items", found);
    return 0;
}

/* The region's shared attestation service; its answer bears the id of a provider of another name. */
static int ask_attestation(struct call *c, struct azure *az, struct arena *a, const char *subscription,
                           const char *region, struct value **ret, struct err *err)
{
    const char *path = arena_printf(a, "/subscriptions/%s/providers/Microsoft.Attestation/locations/%s/defaultProvider",
                                    subscription, azure_region(a, region));
    const struct value *live;

    TRY(arm_view_shared(
        az, c, a, &(struct arm_wanted){.path = path, .api = API_ATTESTATION, .since_ms = call_span_ms(c) - FRESH_MS},
        &live, err));
    *ret = facts_new(a, "present");
    value_set_string(a, *ret, "uri", value_str_at(live, "properties.attestUri"));
    return 0;
}

/* Every region has quotas: a list that tells none is no proof of room, nor is one that does not say how much is used.
 */
static bool quota_told(const struct value *items)
{
    bool told = false;

    for (size_t i = 0; i < value_count(items); i++) {
        const struct value *item = value_item(items, i);

        if (!value_str_at(item, "name.value") || !value_is(value_get(item, "limit"), VALUE_INT))
            continue;
        if (!value_is(value_get(item, "currentValue"), VALUE_INT))
            return false;
        told = true;
    }
    return told;
}

static int ask(struct call *c, struct azure *az, const struct view *v, const char *group, const char *key,
               struct value **ret, struct err *err)
{
    struct arena *a = v->arena;
    const char *rest, *subscription = subscription_of(a, key, &rest);
    const struct value *items;

    if (str_eq(group, "features"))
        return ask_feature(c, az, a, subscription, rest, ret, err);
    if (str_eq(group, "locks"))
        return ask_locks(c, az, v, subscription, ret, err);
    if (str_eq(group, "attestation"))
        return ask_attestation(c, az, a, subscription, rest, ret, err);
    TRY(list(c, az, a,
             arena_printf(a, "/subscriptions/%s/providers/Microsoft.Compute/locations/%s/usages", subscription, rest),
             API_COMPUTE, &items, err));
    *ret = facts_new(a, "present");
    value_link(a, *ret, "items", items);
    if (!quota_told(items)) {
        value_set_string(a, *ret, "state", "unseen");
        value_set_string(a, *ret, "why",
                         arena_printf(a, "list %s usages: the answer tells no quota of any size", rest));
    }
    return 0;
}

int platform_ask(struct call *c, struct azure *az, const struct view *v, const char *group, const char *key,
                 struct value **ret, struct err *err)
{
    struct value *answer = NULL;
    int64_t patience_ms = call_set_advisory(c);
    int rc = ask(c, az, v, group, key, &answer, err);

    call_set_patience(c, patience_ms);
    if (rc == 0) {
        *ret = answer;
        return 0;
    }
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    *ret = facts_new(v->arena, err->class == ERR_NOT_FOUND ? "absent" : "unseen");
    facts_unseen_because(v->arena, *ret, err);
    return 0;
}

static int keep(struct call *c, const struct observer *o, struct azure *az, struct value *platform, const char *group,
                const char *key, struct err *err)
{
    const char *folded = str_lower(o->arena, key);
    struct value *answer, *all = value_get(platform, group);

    if (value_get(all, folded))
        return 0;
    TRY(platform_ask(c, az, o->view, group, key, &answer, err));
    if (!all)
        all = value_set(o->arena, platform, group, value_map(o->arena));
    value_set(o->arena, all, folded, answer);
    return 0;
}

/* Locks are asked for in every subscription that a write of this restore, or of what it stands on, may go to. */
static int keep_locks(struct call *c, const struct observer *o, struct azure *az, struct value *platform,
                      struct err *err)
{
    struct arena *a = o->arena;
    const struct document *doc = o->document, *pvm = document_target(doc, "spec.from");
    const struct document *set = document_target(doc, "spec.diskEncryptionSet"),
                          *key = set ? document_target(set, "spec.key") : NULL;
    const char *const ids[] = {
        restored_vm_id(a, doc),
        reference_id(a, doc, "spec.diskEncryptionSet", disk_encryption_set_id),
        reference_id(a, doc, "spec.target.stagingAccount", NULL),
        key ? key_store_of(a, key) : NULL,
        value_str_at(view_facts(o->view, pvm), "vaultId"),
        value_str_at(view_facts(o->view, pvm), "source.id"),
    };

    for (size_t i = 0; i < COUNT(ids); i++) {
        const char *subscription = ids[i] ? arm_id_part(a, ids[i], "subscriptions") : NULL;

        if (subscription)
            TRY(keep(c, o, az, platform, "locks", subscription, err));
    }
    return 0;
}

int platform_observe(struct call *c, const struct observer *o, struct azure *az, const char *region,
                     struct value *facts, struct err *err)
{
    struct arena *a = o->arena;
    const char *subscription = arm_id_part(a, restored_vm_id(a, o->document), "subscriptions");
    struct value *platform;

    /* A watch over machines on standby does not pay for it at every pass. */
    if (!subscription || (!o->view->settings->far && order_for(o->view, o->document).state != ORDER_IN_FORCE))
        return 0;
    platform = value_set(a, facts, "platform", value_map(a));
    TRY(keep(c, o, az, platform, "features", arena_printf(a, "%s/" PLATFORM_NEEDED, subscription), err));
    TRY(keep(c, o, az, platform, "features", arena_printf(a, "%s/" PLATFORM_FORBIDDEN, subscription), err));
    TRY(keep_locks(c, o, az, platform, err));
    if (!region)
        return 0;
    TRY(keep(c, o, az, platform, "usages", arena_printf(a, "%s/%s", subscription, region), err));
    return keep(c, o, az, platform, "attestation", arena_printf(a, "%s/%s", subscription, region), err);
}

/* --- judging ------------------------------------------------------------------------------------------------------ */

static void put_platform(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *platform = value_get(view_facts(v, doc), "platform");

    for (size_t i = 0; value_is(platform, VALUE_MAP) && i < platform->map.count; i++) {
        const struct member *group = &platform->map.members[i];

        for (size_t k = 0; value_is(group->value, VALUE_MAP) && k < group->value->map.count; k++)
            index_put(x, arena_printf(a, "%s|%s", group->key, group->value->map.members[k].key),
                      group->value->map.members[k].value);
    }
}

const struct value *platform_fact(const struct view *v, const char *group, const char *key)
{
    static const struct view_names seen = {.kind = "RestoredVirtualMachine", .put = put_platform};
    const struct index_entry *found = view_find(v, &seen, arena_printf(v->arena, "%s|%s", group, key));

    return found ? found->thing : NULL;
}

const char *platform_lacks_words(struct arena *a, const char *state)
{
    return arena_printf(a,
                        "feature " PLATFORM_NEEDED " is %s: backups of confidential VMs, a preview, need it; "
                        "whether a restore needs it is documented nowhere",
                        state);
}

const char *platform_register_advice(struct arena *a, const char *subscription, const char *state)
{
    if (str_eq_nocase(state, "Registering") || str_eq_nocase(state, "Pending"))
        return arena_printf(a,
                            "wait until it is: az feature show --namespace Microsoft.Compute --name " PLATFORM_NEEDED
                            " --subscription %s",
                            subscription);
    return arena_printf(
        a,
        "a person registers it, which is approved by itself within minutes: az feature register --namespace "
        "Microsoft.Compute --name " PLATFORM_NEEDED " --subscription %s, then az provider register --namespace "
        "Microsoft.Compute --subscription %s",
        subscription, subscription);
}

const char *platform_lock(const struct view *v, const char *scope)
{
    const char *subscription = scope && *scope == '/' ? arm_id_part(v->arena, scope, "subscriptions") : NULL;
    const struct value *items = subscription ? value_get(platform_fact(v, "locks", subscription), "items") : NULL;

    for (size_t i = 0; i < value_count(items); i++) {
        const struct value *lock = value_item(items, i);
        const char *at = locked_scope(v->arena, lock);
        size_t n = at ? strlen(at) : 0;

        if (n && str_eq_nocase(value_str_at(lock, "properties.level"), "ReadOnly") && str_starts_nocase(scope, at) &&
            (!scope[n] || scope[n] == '/'))
            return arena_printf(v->arena, "lock %s (ReadOnly) on %s", arm_id_name(value_str_at(lock, "id")),
                                arm_id_part(v->arena, at, "resourceGroups") ? arm_id_name(at) : "the subscription");
    }
    return NULL;
}

static void hold(struct step *step, const char *reason, const char *next)
{
    step->reason = reason;
    step->next = next;
    step->action = ACTION_BLOCKED;
    step->n_writes = 0;
}

/* Nothing can be made in a group that is not there. */
static void hold_groupless(const struct view *v, struct step *step)
{
    const struct value *facts = view_facts(v, step->document);
    const char *id = value_str_at(facts, "id"), *group = id ? arm_id_part(v->arena, id, "resourceGroups") : NULL;

    if (!group || !value_bool_at(facts, "groupAbsent", false) || step->action != ACTION_CREATE)
        return;
    hold(step, arena_printf(v->arena, "%s; its resource group %s does not exist", step->reason, group),
         arena_printf(v->arena,
                      "make it, as reinstate makes no resource groups: az group create --subscription '%s' --name '%s' "
                      "--location '%s'; or correct spec.resourceGroup",
                      arm_id_part(v->arena, id, "subscriptions"), group,
                      kind_location(step->document) ? kind_location(step->document) : "REGION"));
}

void platform_hold_shut(const struct view *v, struct steps *out, size_t from)
{
    for (size_t i = from; i < out->count; i++) {
        struct step *step = out->items[i];
        const char *lock = action_writes(step->action) && !step->adopts ? platform_lock(v, step->scope) : NULL;

        if (lock)
            hold(step, arena_printf(v->arena, "%s; %s lets nothing be written there", step->reason, lock),
                 "a person who may removes the lock: az lock list shows it, az lock delete --ids ID removes it");
        else
            hold_groupless(v, step);
    }
}

/* "Standard_DC4ads_v6": the quota "standardDCadsv6Family", and 4 cores; false when the name is built otherwise. */
static bool size_parse(struct arena *a, const char *size, const char **ret_family, int64_t *ret_cores)
{
    const char *at = str_starts_nocase(size, "Standard_") ? size + strlen("Standard_") : "",
               *digits = at + strcspn(at, "0123456789");
    const char *version = strrchr(at, '_');
    char *behind;

    *ret_cores = strtol(digits, &behind, 10);
    if (behind == digits || !version || version < behind)
        return false;
    *ret_family = arena_printf(a, "standard%.*s%.*s%sFamily", (int)(digits - at), at, (int)strcspn(behind, "_-"),
                               behind, version + 1);
    return true;
}

/* What these sizes take of one quota: that of a family counts its own sizes, that of the region all. */
static int64_t cores_of(const struct view *v, const char *quota, const struct quota_wanted *wanted, size_t n)
{
    const char *family;
    int64_t cores, sum = 0;

    for (size_t i = 0; i < n; i++)
        if (wanted->sizes[i] && size_parse(v->arena, wanted->sizes[i], &family, &cores) &&
            (str_eq_nocase(quota, family) || str_eq_nocase(quota, "cores")))
            sum += cores * (wanted->counts ? wanted->counts[i] : 1);
    return sum;
}

bool platform_quota_lacks(const struct view *v, const struct value *usages, const struct quota_wanted *wanted,
                          struct quota_lack *ret)
{
    const struct value *items = value_get(usages, "items");

    for (size_t i = 0; i < value_count(items); i++) {
        const struct value *item = value_item(items, i);
        const char *name = value_str_at(item, "name.value");
        int64_t left = value_int_at(item, "limit", 0) - value_int_at(item, "currentValue", 0);
        int64_t cores = cores_of(v, name, wanted, wanted->n);

        /* A quota without a limit is not one of none. */
        if (!value_is(value_get(item, "limit"), VALUE_INT))
            continue;
        /* What the first of them does not count against is not what it lacks. */
        if (cores <= left || cores_of(v, name, wanted, 1) == 0)
            continue;
        *ret = (struct quota_lack){.name = name, .cores = cores, .left = left};
        return true;
    }
    return false;
}
