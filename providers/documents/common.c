/* Knows how documents stand for things in Azure, and how "not there" differs from "cannot be seen". */
#include "common.h"

#include "../azure/shared.h"

#include <stdarg.h>
#include <string.h>

struct azure *kind_azure(void *provider, const struct document *doc)
{
    const struct azure_connections *connections = provider;
    const struct document *azure = str_eq(doc->kind, "Azure") ? doc : doc->connection;

    return azure && azure->index < connections->count ? connections->items[azure->index] : NULL;
}

const char *kind_subscription(const struct document *doc)
{
    const char *own = value_str_at(doc->spec, "subscription");

    return own || !doc->connection ? own : value_str_at(doc->connection->spec, "subscription");
}

const char *kind_tenant(const struct document *doc)
{
    return doc->connection ? value_str_at(doc->connection->spec, "tenant") : NULL;
}

const char *kind_location(const struct document *doc)
{
    const char *own = value_str_at(doc->spec, "location");

    return own || !doc->connection ? own : value_str_at(doc->connection->spec, "location");
}

char *kind_resource_id(struct arena *a, const struct document *doc, const char *type, const char *name_path)
{
    const char *name = value_str_at(doc->spec, name_path);

    return arm_id(a, kind_subscription(doc), value_str_at(doc->spec, "resourceGroup"), type, name ? name : doc->name);
}

char *key_vault_id(struct arena *a, const struct document *doc)
{
    return doc ? kind_resource_id(a, doc, "Microsoft.KeyVault/vaults", "vaultName") : NULL;
}

char *managed_hsm_id(struct arena *a, const struct document *doc)
{
    return doc ? kind_resource_id(a, doc, "Microsoft.KeyVault/managedHSMs", "hsmName") : NULL;
}

char *key_store_id(struct arena *a, const struct document *store)
{
    return store && str_eq(store->kind, "ManagedHsm") ? managed_hsm_id(a, store) : key_vault_id(a, store);
}

const char *key_store_of(struct arena *a, const struct document *doc)
{
    return !doc                       ? NULL
           : str_eq(doc->kind, "Key") ? reference_id(a, doc, "spec.store", key_store_id)
                                      : key_store_id(a, doc);
}

bool key_store_is_hsm(const struct document *doc)
{
    const struct reference *ref = doc && str_eq(doc->kind, "Key") ? document_reference(doc, "spec.store") : NULL;

    if (ref && !ref->target)
        return ref->id && str_find_nocase(ref->id, "/Microsoft.KeyVault/managedHSMs/");
    return doc && str_eq(ref ? ref->target->kind : doc->kind, "ManagedHsm");
}

char *key_store_base(struct arena *a, const struct cloud *cloud, const struct document *doc)
{
    const char *id = key_store_of(a, doc);

    return id ? cloud_store_base(a, cloud, key_store_is_hsm(doc) ? STORE_HSM : STORE_VAULT, arm_id_name(id)) : NULL;
}

char *key_store_identity(struct arena *a, const struct document *store)
{
    const struct cloud *cloud =
        store->connection ? cloud_builtin(value_str_at(store->connection->spec, "cloud")) : NULL;

    return cloud ? key_store_base(a, cloud, store) : NULL;
}

char *key_identity(struct arena *a, const struct document *key)
{
    const char *store = key_store_identity(a, key), *name = value_str_at(key->spec, "keyName");
    const char *version = value_str_at(key->spec, "version");

    /* A revocation asks for nothing: it may stand beside the declaration that it overrules. */
    if (value_get(key->spec, "revoked"))
        return NULL;
    return store ? arena_printf(a, "%s/keys/%s%s%s", store, name ? name : key->name, version ? "/" : "",
                                version ? version : "")
                 : NULL;
}

const char *key_store_word(const struct document *doc)
{
    return key_store_is_hsm(doc) ? "managed HSM" : "key vault";
}

char *recovery_vault_id(struct arena *a, const struct document *doc)
{
    return doc ? kind_resource_id(a, doc, "Microsoft.RecoveryServices/vaults", "vaultName") : NULL;
}

char *disk_encryption_set_id(struct arena *a, const struct document *doc)
{
    return doc ? kind_resource_id(a, doc, "Microsoft.Compute/diskEncryptionSets", "setName") : NULL;
}

static char *vm_id(struct arena *a, const struct document *doc, const char *place)
{
    const struct value *at = value_at(doc->spec, place);
    const char *subscription = value_str_at(at, "subscription");

    return arm_id(a, subscription ? subscription : kind_subscription(doc), value_str_at(at, "resourceGroup"),
                  "Microsoft.Compute/virtualMachines", value_str_at(at, "name"));
}

char *source_vm_id(struct arena *a, const struct document *doc)
{
    return doc ? vm_id(a, doc, "source") : NULL;
}

char *restored_vm_id(struct arena *a, const struct document *doc)
{
    return doc ? vm_id(a, doc, "target") : NULL;
}

int64_t restored_vm_timeout(const struct document *doc, const char *which, int64_t otherwise)
{
    int64_t ms = duration_parse(value_str_at(value_at(doc->spec, "timeouts"), which));

    return ms > 0 ? ms : otherwise;
}

const char *reference_id(struct arena *a, const struct document *doc, const char *path,
                         char *(*id_of)(struct arena *, const struct document *))
{
    const struct reference *ref = document_reference(doc, path);

    if (!ref)
        return NULL;
    return !ref->target ? ref->id : id_of ? id_of(a, ref->target) : NULL;
}

struct value *facts_new(struct arena *a, const char *state)
{
    struct value *facts = value_map(a);

    value_set_string(a, facts, "state", state);
    return facts;
}

const char *failed_read_fix(const struct err *err)
{
    const struct azure_error *row = azure_error_find(err->code);

    switch (err->class) {
    case ERR_THROTTLED:
        return "wait until the service takes requests again, then look anew; no right is missing";
    case ERR_TRANSIENT:
        return err->http_status ? "look again in some minutes; no right is missing"
                                : "check the network, the name and the proxy, then look again; no right is missing";
    case ERR_PROTOCOL:
        return "check endpoint and proxy, then look again; no right is missing";
    default:
        break;
    }
    if (!row && *err->code)
        return "no remedy is known for this code; whoever runs the service looks into what it means";
    if (!row)
        return NULL;
    /* Which right is missing the asker knows better; at a 401 none is. */
    return row->cure == CURE_PERMISSION && err->http_status != 401 ? NULL : row->action;
}

void facts_unseen_because(struct arena *a, struct value *facts, const struct err *err)
{
    value_set_string(a, facts, "why", err->text);
    value_set_string(a, facts, "fix", failed_read_fix(err));
}

int facts_from_error(struct arena *a, const char *what, struct err *err, struct value **ret)
{
    struct value *facts;

    if (err->class == ERR_NOT_FOUND) {
        *ret = facts_new(a, "absent");
        if (str_eq_nocase(err->code, "ResourceGroupNotFound"))
            value_set_bool(a, *ret, "groupAbsent", true);
        return 0;
    }
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    facts = facts_new(a, "unseen");
    if (err->class != ERR_DENIED || err->http_status != 403)
        value_set_bool(a, facts, "failed", true);
    value_set(a, facts, "why", value_format(a, "%s: %s", what, err->text));
    value_set_string(a, facts, "fix", failed_read_fix(err));
    *ret = facts;
    return 0;
}

int facts_of_part(struct arena *a, const char *what, struct err *err, struct value **ret)
{
    if (err->class == ERR_NOT_FOUND)
        err->class = ERR_PROTOCOL;
    return facts_from_error(a, what, err, ret);
}

int group_resources(struct call *c, struct azure *az, struct arena *a, const char *group, const struct value **ret,
                    struct err *err)
{
    const char *path = arena_printf(a, "%s/resources", group);

    return arm_list_shared(az, c, a,
                           &(struct arm_wanted){.path = path,
                                                .api = API_RESOURCES,
                                                .query = "$expand=createdTime",
                                                .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                           ret, err);
}

const char *unseen_fix(const struct value *facts, const char *otherwise)
{
    const char *fix = value_str_at(facts, "fix");

    return fix ? fix : otherwise;
}

static struct step *block(struct steps *s, const struct document *doc, const char *suffix, const char *next,
                          const char *reason)
{
    struct step *step = steps_add(s, doc, ACTION_BLOCKED, suffix, "%s", reason);

    step->next = arena_strdup(s->arena, next);
    return step;
}

struct step *steps_block(struct steps *s, const struct document *doc, const char *suffix, const char *next,
                         const char *reason_fmt, ...)
{
    const char *reason;
    va_list ap;

    va_start(ap, reason_fmt);
    reason = arena_vprintf(s->arena, reason_fmt, ap);
    va_end(ap);
    return block(s, doc, suffix, next, reason);
}

struct step *steps_finding(struct steps *s, const struct document *doc, const char *suffix, const char *next,
                           const char *reason_fmt, ...)
{
    struct step *step;
    const char *reason;
    va_list ap;

    va_start(ap, reason_fmt);
    reason = arena_vprintf(s->arena, reason_fmt, ap);
    va_end(ap);
    step = block(s, doc, suffix, next, reason);
    step->aside = true;
    return step;
}

const char *missing_words(const struct view *v, const struct document *doc)
{
    return doc && str_eq(view_state(v, doc), "unseen") ? "cannot be seen" : "is not there";
}

bool steps_unseen(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *why = value_str_at(view_facts(v, doc), "why");

    if (!str_eq(view_state(v, doc), "unseen"))
        return false;
    steps_block(out, doc, NULL,
                unseen_fix(view_facts(v, doc), "give the credential the right to read it, or run with one that has it"),
                "cannot be seen, which is not the same as absent: %s", why ? why : "it was not looked at");
    return true;
}

const struct document *referrer_next(const struct document *doc, const char *kind, size_t *at)
{
    while (*at < doc->n_referrers) {
        const struct document *d = doc->referrers[(*at)++];

        if (str_eq(d->kind, kind))
            return d;
    }
    return NULL;
}

const char *vm_power(const struct value *instance_view)
{
    static const char prefix[] = "PowerState/";
    const struct value *statuses = value_get(instance_view, "statuses");

    for (size_t i = 0; i < value_count(statuses); i++) {
        const char *code = value_str_at(value_item(statuses, i), "code");

        if (str_starts_nocase(code, prefix) && !str_eq_nocase(code + sizeof(prefix) - 1, "unknown"))
            return code + sizeof(prefix) - 1;
    }
    return NULL;
}

bool vm_power_rests(const char *power)
{
    return str_eq_nocase(power, "stopped") || str_eq_nocase(power, "deallocated");
}
