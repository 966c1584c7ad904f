/* Knows which commands carry a step out, kind by kind, with every id filled in. The bodies are those that the kinds send. Must
 * not know a shell, and must not decide whether a step is due. */
#include <string.h>

#include "../azure/vault.h"
#include "../access/grant.h"
#include "../keys/copies.h"
#include "../keys/original.h"
#include "../backup/points.h"
#include "../kinds/requests.h"
#include "../kinds/restored_vm.h"
#include "../keys/lost.h"
#include "../keys/store.h"
#include "../restore/claims.h"
#include "../restore/election.h"
#include "../restore/export_pass.h"
#include "../restore/requests.h"
#include "../access/rights.h"
#include "shell.h"

struct making {
    const struct view *v;
    struct arena *a;
    const struct step *step;
    const struct document *doc;
    void *provider;
    struct runbook_command *items;
    size_t count;
    const char *why;
};

static struct value *add(struct making *m, enum runbook_verb verb)
{
    struct runbook_command command = {.verb = verb, .with = value_map(m->a)};

    arena_push(m->a, m->items, m->count, command);
    return (struct value *)command.with;
}

static void set(struct making *m, struct value *with, const char *key, const char *s)
{
    value_set_string(m->a, with, key, s);
}

static const char *api_of(const struct making *m, enum azure_api api)
{
    return azure_api_declared(m->doc->azure ? m->doc->azure->spec : NULL, api);
}

/* What the step changes a member to; NULL when it does not, or when that is not known yet. */
static const struct value *changed(const struct step *step, const char *path)
{
    for (size_t i = 0; i < step->n_changes; i++)
        if (str_eq(step->changes[i].path, path) && !value_is(step->changes[i].after, VALUE_UNKNOWN))
            return step->changes[i].after;
    return NULL;
}

/* --- restore jobs ------------------------------------------------------------------------------------------------------------- */

static const char *const types[] = {[RESTORE_NEW_VM] = "new-vm", [RESTORE_DISKS] = "disks", [RESTORE_REPLACE] = "replace"};
static const char *const job_types[] = {
    [RESTORE_NEW_VM] = "Recover VM to an alternate location",
    [RESTORE_DISKS] = "Recover disks",
    [RESTORE_REPLACE] = "Replace disks",
};

/* How a job of this order is found again. */
static void job_place(struct making *m, struct value *with, const struct document *pvm, enum restore_type type, const char *target_group,
                      const struct order *order)
{
    set(m, with, "vault", value_str_at(view_facts(m->v, pvm), "vaultId"));
    set(m, with, "item", value_str_at(view_facts(m->v, pvm), "itemId"));
    set(m, with, "vm", value_str_at(pvm->spec, "source.name"));
    set(m, with, "group", value_str_at(pvm->spec, "source.resourceGroup"));
    set(m, with, "type", types[type]);
    set(m, with, "jobType", job_types[type]);
    set(m, with, "made", time_format(m->a, m->v->now_ms));
    set(m, with, "targetGroup", target_group);
    if (order->state == ORDER_NONE)
        return;
    set(m, with, "point", order->point);
    set(m, with, "since", time_format(m->a, order->not_before_ms));
    set(m, with, "until", time_format(m->a, order->not_after_ms + DAY_MS));
}

/* What must be done only once, in the words of the tool's own claim. */
static void job_claim(struct making *m, struct value *with, const struct claim_subject *claim, int64_t point_ms)
{
    set(m, with, "claim", claim_base(m->a, claim));
    set(m, with, "claimTarget", claim->target);
    set(m, with, "order", claim->order);
    value_set_bool(m->a, with, "claimsRequired", m->v->settings->claims_required);
    if (point_ms != TIME_NONE)
        set(m, with, "pointTime", time_format(m->a, point_ms));
}

static void job_request(struct making *m, struct value *with, const struct restore_request *r, const char *expect)
{
    set(m, with, "account", r->storage_account_id);
    set(m, with, "region", r->region);
    set(m, with, "set", r->des_id);
    if (r->type == RESTORE_NEW_VM) {
        set(m, with, "targetVm", r->target_vm_id);
        set(m, with, "subnet", r->subnet_id);
    }
    set(m, with, "zone", r->zone);
    if (value_count(r->disk_luns))
        value_set(m->a, with, "luns", value_copy(m->a, r->disk_luns));
    set(m, with, "expect", expect);
    value_set_int(m->a, with, "settle", m->v->settings->settle_ms / SECOND_MS);
    value_set(m->a, with, "body", backup_restore_body(m->a, r));
}

/* The export pass names no order of its own: the one that elected it pays. */
static void export_key(struct making *m)
{
    struct restore_request request;
    struct claim_subject claim;
    struct job_match match;
    const struct document *key;
    struct value *with;
    size_t at = 0;

    if (!protected_vm_export_request(m->v, m->doc, &request, &match))
        return;
    while ((key = referrer_next(m->doc, "Key", &at))) {
        struct export_election e = export_elect(m->v, key);

        if (e.protected_vm != m->doc || !e.restored_vm || !str_eq(e.order.point, request.point))
            continue;
        with = add(m, RUNBOOK_JOB);
        job_place(m, with, m->doc, RESTORE_DISKS, match.target_group, &e.order);
        job_request(m, with, &request, "Failed");
        claim = export_claim(m->v, m->doc, key, &e.order);
        job_claim(m, with, &claim, match.point_ms);
        return;
    }
}

/* A VM under protection; who is new to the vault is found first. */
static void protect(struct making *m)
{
    const char *fabric = arena_strndup(m->a, m->step->scope, (size_t)(strstr(m->step->scope, "/protectionContainers/") - m->step->scope));
    struct value *with;

    if (m->step->action == ACTION_CREATE) {
        with = add(m, RUNBOOK_WRITE);
        set(m, with, "method", "POST");
        set(m, with, "id", arena_printf(m->a, "%s/refreshContainers", fabric));
        set(m, with, "api", api_of(m, API_RECOVERY));
        value_set(m->a, with, "body", value_map(m->a));
    }
    with = add(m, RUNBOOK_WRITE);
    set(m, with, "method", "PUT");
    set(m, with, "id", m->step->scope);
    set(m, with, "api", api_of(m, API_RECOVERY));
    value_set(m->a, with, "body",
              backup_protect_body(m->a, value_str_at(m->step->detail, "virtualMachine"), value_str_at(m->step->detail, "policy")));
}

static void protected_vm(struct making *m)
{
    if (m->step->action == ACTION_EXPORT_KEY)
        export_key(m);
    if (m->step->action == ACTION_CREATE || m->step->action == ACTION_UPDATE)
        protect(m);
}

static void restored_vm(struct making *m)
{
    const struct situation *s = situation_of(m->v, m->doc);
    struct restore_request request = restored_vm_request(m->v, s);
    struct claim_subject claim;
    struct value *with;

    if (m->step->action == ACTION_CREATE || m->step->action == ACTION_UPDATE)
        protect(m);
    if (m->step->action == ACTION_START_VM)
        set(m, add(m, RUNBOOK_START_VM), "id", m->step->scope);
    if (m->step->action == ACTION_RESTORE_VM) {
        with = add(m, RUNBOOK_JOB);
        job_place(m, with, s->pvm, request.type, s->match.target_group, &s->order);
        job_request(m, with, &request, "Completed");
        claim = restore_claim(m->v, s);
        job_claim(m, with, &claim, s->match.point_ms);
    }
    if (m->step->action == ACTION_VERIFY && request.type != RESTORE_NEW_VM) {
        m->why = "look at the disks in the target group: the restore job names them";
        return;
    }
    if (m->step->action == ACTION_START_VM || m->step->action == ACTION_VERIFY) {
        with = add(m, RUNBOOK_SEE_VM);
        set(m, with, "id", restored_vm_id(m->a, m->doc));
        set(m, with, "set", s->now.encryption == DX_PMK ? NULL : s->des_id);
        value_set_bool(m->a, with, "running", restored_vm_runs(m->doc));
    }
}

/* --- keys ----------------------------------------------------------------------------------------------------------------------- */

static struct value *add_key(struct making *m, enum runbook_verb verb)
{
    const struct value *facts = view_facts(m->v, m->doc);
    struct value *with = add(m, verb);

    set(m, with, "store", key_store_of(m->a, m->doc));
    set(m, with, "base", value_str_at(facts, "base"));
    value_set_bool(m->a, with, "hsm", key_store_is_hsm(m->doc));
    set(m, with, "name", value_str_at(facts, "name"));
    return with;
}

/* The blob of an escrow that a URL names. */
static void escrow_place(struct making *m, struct value *with, const char *url)
{
    struct azure *az = kind_azure(m->provider, m->doc);
    struct blob_place place;
    struct err ignored;

    if (!url || blob_place_of_url(m->a, az ? azure_cloud(az) : cloud_builtin("AzurePublic"), url, &place, &ignored) < 0)
        return;
    set(m, with, "endpoint", place.endpoint);
    set(m, with, "account", place.account);
    set(m, with, "container", place.container);
    set(m, with, "blob", place.name);
}

static void escrow_key(struct making *m)
{
    struct value *with = add_key(m, RUNBOOK_ESCROW_KEY);

    escrow_place(m, with, m->step->scope);
    value_set(m->a, with, "metadata", key_escrow_metadata(m->a, view_facts(m->v, m->doc)));
}

static void restore_key(struct making *m)
{
    struct export_election e = export_elect(m->v, m->doc);
    struct key_copy copy = key_own_copy(m->v, m->doc);
    struct value *with;

    if (copy.kind == KEY_COPY_FILE) {
        with = add_key(m, RUNBOOK_KEY_FILE);
        set(m, with, "path", copy.path);
        return;
    }
    if (copy.kind == KEY_COPY_ESCROW) {
        with = add_key(m, RUNBOOK_ESCROWED_KEY);
        escrow_place(m, with, arena_printf(m->a, "%s/%s", value_str_at(m->doc->spec, "escrow.container"), value_str_at(copy.blob, "name")));
        return;
    }
    if (!e.protected_vm)
        return;
    with = add_key(m, RUNBOOK_EXPORTED_KEY);
    job_place(m, with, e.protected_vm, RESTORE_DISKS, e.restored_vm ? value_str_at(e.restored_vm->spec, "target.resourceGroup") : NULL,
              &e.order);
    set(m, with, "job", value_str_at(e.export, "job"));
    set(m, with, "account", e.restored_vm ? reference_id(m->a, e.restored_vm, "spec.target.stagingAccount", NULL) : NULL);
}

static void enable_key(struct making *m)
{
    struct value *with = add_key(m, RUNBOOK_KEY_ATTRIBUTES);
    const struct value *enabled = changed(m->step, "attributes.enabled"), *exp = changed(m->step, "attributes.exp");

    set(m, with, "version", vault_kid_version(value_str_at(key_live(m->v, m->doc), "key.kid")));
    if (enabled)
        value_set(m->a, with, "enabled", value_copy(m->a, enabled));
    if (exp)
        value_set(m->a, with, "exp", value_copy(m->a, exp));
    value_set(m->a, with, "body", key_attributes_body(m->a, m->step));
}

static void new_key(struct making *m)
{
    struct azure *az = kind_azure(m->provider, m->doc);
    struct value *with = add_key(m, RUNBOOK_NEW_KEY);

    set(m, with, "provider",
        arena_printf(m->a, "/subscriptions/%s/providers/Microsoft.Attestation/locations/%s/defaultProvider", kind_subscription(m->doc),
                     kind_location(m->doc)      ? kind_location(m->doc)
                     : az && azure_location(az) ? azure_location(az)
                                                : "?"));
    set(m, with, "providerApi", api_of(m, API_ATTESTATION));
    /* The policy names the region's attestation authority, which is asked for first. */
    value_set(m->a, with, "body", vault_create_body(m->a, ""));
}

static void key(struct making *m)
{
    struct value *with;

    switch (m->step->action) {
    case ACTION_RECOVER:
        add_key(m, RUNBOOK_RECOVER_KEY);
        break;
    case ACTION_RESTORE_KEY:
        restore_key(m);
        break;
    case ACTION_ESCROW_KEY:
        escrow_key(m);
        return;
    case ACTION_ENABLE:
        enable_key(m);
        break;
    case ACTION_CREATE:
        new_key(m);
        break;
    case ACTION_WAIT:
        m->why = "make the runbook again when the store is back: what the key then needs shows only then";
        return;
    default:
        return;
    }
    if (!m->count)
        return;
    with = add_key(m, RUNBOOK_SEE_KEY);
    set(m, with, "version", key_needed(m->v, m->doc).version);
}

/* --- stores and sets ------------------------------------------------------------------------------------------------------------ */

static void arm_write(struct making *m, struct value *with, const char *id, enum azure_api api)
{
    bool update = m->step->action == ACTION_UPDATE;

    set(m, with, "action", action_name(m->step->action));
    set(m, with, "id", id);
    set(m, with, "name", arm_id_name(id));
    set(m, with, "group", arm_id_part(m->a, id, "resourceGroups"));
    set(m, with, "location", store_step_location(m->step));
    set(m, with, "api", api_of(m, api));
    set(m, with, "method", update ? "PATCH" : "PUT");
}

static void store(struct making *m)
{
    struct value *with;

    if (m->step->action != ACTION_CREATE && m->step->action != ACTION_UPDATE && m->step->action != ACTION_RECOVER)
        return;
    with = add(m, RUNBOOK_STORE);
    arm_write(m, with, m->step->scope, API_KEYVAULT);
    value_set_bool(m->a, with, "hsm", key_store_is_hsm(m->doc));
    value_set(m->a, with, "body", key_store_is_hsm(m->doc) ? managed_hsm_body(m->a, m->step) : key_vault_body(m->a, m->step));
}

static void encryption_set(struct making *m)
{
    const struct value *url = key_wanted_url(m->v, m->doc, "spec.key");
    const struct document *target = document_target(m->doc, "spec.key");
    const struct value *facts = target ? view_facts(m->v, target) : NULL;
    struct value *with;

    if (m->step->action == ACTION_CREATE || m->step->action == ACTION_UPDATE) {
        with = add(m, RUNBOOK_SET);
        arm_write(m, with, m->step->scope, API_DISK);
        if (value_is(url, VALUE_UNKNOWN)) {
            const char *name = arena_printf(m->a, "%s/keys/%s", value_str_at(facts, "base"), value_str_at(facts, "name"));

            set(m, with, "versionOf", name);
            value_set_bool(m->a, with, "hsm", key_store_is_hsm(target));
            url = value_format(m->a, "%s/" RUNBOOK_VARIABLE("version"), name);
        }
        value_set(m->a, with, "body",
                  m->step->action == ACTION_CREATE
                      ? disk_encryption_set_body(m->a, m->doc, url)
                      : disk_encryption_set_patch(m->a, m->step, value_get(view_facts(m->v, m->doc), "live"), url));
    } else if (m->step->action != ACTION_WAIT) {
        return;
    }
    with = add(m, RUNBOOK_SEE_SET);
    set(m, with, "id", m->step->scope);
    set(m, with, "api", api_of(m, API_DISK));
}

/* --- grants --------------------------------------------------------------------------------------------------------------------- */

/* The set whose identity a grant is for: its document, or its id. NULL: another principal. */
static const char *set_of_grant(struct making *m)
{
    const struct value *principals = value_get(m->doc->spec, "principals");
    const struct reference *one = document_reference(m->doc, "spec.principal.diskEncryptionSet");

    for (size_t i = 0; !one && i < value_count(principals); i++) {
        const struct reference *ref = document_reference(m->doc, arena_printf(m->a, "spec.principals.%zu.diskEncryptionSet", i));
        const char *label = !ref ? NULL : ref->target ? ref->target->name : arm_id_name(ref->id);

        if (label && str_ends_nocase(m->step->id, arena_printf(m->a, ".%s", label)))
            one = ref;
    }
    return !one ? NULL : one->target ? disk_encryption_set_id(m->a, one->target) : one->id;
}

/* What the grant is given to: known, or read from the set when the time comes. Returns how a body names it. */
static const char *principal(struct making *m, struct value *with, const char *declared)
{
    const char *known = value_str(changed(m->step, "principalId"));

    known = known ? known : declared;
    set(m, with, "principal", known);
    if (known)
        return known;
    set(m, with, "principalOf", set_of_grant(m));
    return RUNBOOK_VARIABLE("principal");
}

static void grant_role(struct making *m, const char *role, const char *role_guid)
{
    struct value *with = add(m, RUNBOOK_ROLE);
    const char *who = principal(m, with, NULL);

    set(m, with, "scope", m->step->scope);
    set(m, with, "role", role);
    set(m, with, "roleId", role_guid);
    if (value_str_at(with, "principal"))
        set(m, with, "name", role_assignment_name(m->a, m->step->scope, who, role_guid));
    value_set(m->a, with, "body", role_assignment_body(m->a, m->step->scope, who, role_guid));
}

static void grant_policy(struct making *m, const struct value *permissions, const char *object_id)
{
    struct azure *az = kind_azure(m->provider, m->doc);
    struct value *with = add(m, RUNBOOK_POLICY);
    const char *who = principal(m, with, object_id);

    set(m, with, "vault", m->step->scope);
    value_set(m->a, with, "permissions", value_copy(m->a, permissions));
    value_set(m->a, with, "body", access_policy_body(m->a, az ? azure_tenant(az) : NULL, who, permissions));
}

static void grant_local_role(struct making *m, const char *hsm, const char *role, const char *role_guid)
{
    const struct value *facts = view_facts(m->v, m->doc);
    const char *base = value_str_at(facts, "base"), *scope = value_str_at(facts, "localScope");
    struct value *with = add(m, RUNBOOK_HSM_ROLE);
    const char *who = principal(m, with, NULL);

    set(m, with, "hsm", hsm);
    set(m, with, "base", base);
    set(m, with, "scope", scope);
    set(m, with, "url", hsm_assignments_url(m->a, base, scope));
    value_set_int(m->a, with, "delay", (m->v->settings->hsm_role_delay_ms + SECOND_MS - 1) / SECOND_MS);
    set(m, with, "role", role);
    set(m, with, "roleId", role_guid);
    if (value_str_at(with, "principal"))
        set(m, with, "name", role_assignment_name(m->a, arena_printf(m->a, "%s%s", base, scope), who, role_guid));
    value_set(m->a, with, "body", hsm_assignment_body(m->a, role_guid, who));
}

/* By local roles: one document spells a single one out, a KeyAccess asks for those that a principal lacks. */
static void grant_local(struct making *m)
{
    const struct value *facts = view_facts(m->v, m->doc), *principals = value_get(facts, "principals");
    const struct document *key = document_target(m->doc, "spec.key");

    if (!key) {
        grant_local_role(m, reference_id(m->a, m->doc, "spec.hsm", managed_hsm_id), value_str_at(m->doc->spec, "role"),
                         value_str_at(facts, "roleId"));
        return;
    }
    for (size_t i = 0; i < value_count(principals); i++) {
        const struct value *p = value_item(principals, i), *grants = value_get(p, "grants");

        if (!str_ends_nocase(m->step->id, arena_printf(m->a, "#grant.%s", value_str_at(p, "label"))))
            continue;
        for (size_t k = 0; k < value_count(grants); k++)
            grant_local_role(m, key_store_of(m->a, key), value_str_at(value_item(grants, k), "name"),
                             value_str_at(value_item(grants, k), "id"));
    }
}

static void grant(struct making *m)
{
    const char *role = value_str(changed(m->step, "role")), *known = value_str_at(view_facts(m->v, m->doc), "roleId");
    const struct role_facts *facts = role_by_name(role);
    const struct value *permissions = changed(m->step, "keyPermissions");
    struct value *with;

    if (m->step->action == ACTION_WAIT) {
        with = add(m, RUNBOOK_PAUSE);
        value_set_int(m->a, with, "seconds", (m->step->estimate_ms + SECOND_MS - 1) / SECOND_MS);
    } else if (m->step->action == ACTION_GRANT && value_str_at(view_facts(m->v, m->doc), "localScope")) {
        grant_local(m);
    } else if (m->step->action == ACTION_GRANT && permissions) {
        grant_policy(m, permissions, value_str_at(m->doc->spec, "objectId"));
    } else if (m->step->action == ACTION_GRANT && role && (facts || known)) {
        grant_role(m, role, facts ? facts->id : known);
    }
}

/* --- all of them ------------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *kind;
    void (*make)(struct making *m);
} makers[] = {
    {"KeyVault", store},
    {"ManagedHsm", store},
    {"Key", key},
    {"DiskEncryptionSet", encryption_set},
    {"KeyAccess", grant},
    {"KeyVaultAccessPolicy", grant},
    {"RoleAssignment", grant},
    {"ManagedHsmRoleAssignment", grant},
    {"ProtectedVirtualMachine", protected_vm},
    {"RestoredVirtualMachine", restored_vm},
};

const struct runbook_command *runbook_commands(const struct view *v, const struct step *step, void *provider, size_t *ret_count,
                                               const char **ret_why)
{
    struct making m = {.v = v, .a = v->arena, .step = step, .doc = step->document, .provider = provider};

    for (size_t i = 0; i < COUNT(makers); i++)
        if (str_eq(makers[i].kind, m.doc->kind))
            makers[i].make(&m);
    *ret_count = m.count;
    if (!m.count)
        *ret_why = m.why ? m.why
                         : arena_printf(m.a, "no command is known for it: do by hand what the step says%s%s", step->scope ? ", on " : "",
                                        step->scope ? step->scope : "");
    return m.items;
}
