/* Knows the commands of a key: back from an export, a file or an escrow, recovered, enabled, made, put into escrow. */
#include "../azure/vault.h"
#include "../keys/copies.h"
#include "../keys/lost.h"
#include "../keys/original.h"
#include "../kinds/requests.h"
#include "../restore/election.h"
#include "commands.h"

static struct value *add_key(struct making *m, enum runbook_verb verb)
{
    const struct value *facts = view_facts(m->v, m->doc);
    struct value *with = making_add(m, verb);

    making_set(m, with, "store", key_store_of(m->a, m->doc));
    making_set(m, with, "base", value_str_at(facts, "base"));
    value_set_bool(m->a, with, "hsm", key_store_is_hsm(m->doc));
    making_set(m, with, "name", value_str_at(facts, "name"));
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
    making_set(m, with, "endpoint", place.endpoint);
    making_set(m, with, "account", place.account);
    making_set(m, with, "container", place.container);
    making_set(m, with, "blob", place.name);
}

static void escrow_key(struct making *m)
{
    struct value *with = add_key(m, RUNBOOK_ESCROW_KEY), *metadata;
    const struct value *facts = view_facts(m->v, m->doc);
    const char *version = key_needed(m->v, m->doc).version, *scope = m->step->scope;

    /* Which version is the newest shows once the key is back; the one that is needed is in its backup as well. */
    if (!scope)
        scope = arena_printf(m->a, "%s/%s", value_str_at(m->doc->spec, "escrow.container"),
                             key_escrow_name(m->a, facts, version ? version : "restored"));
    escrow_place(m, with, scope);
    metadata = value_set(m->a, with, "metadata", key_escrow_metadata(m->a, facts));
    if (version && !value_count(value_get(facts, "versions")))
        value_set_string(m->a, metadata, "versions", version);
}

static void restore_key(struct making *m)
{
    struct export_election e = export_elect(m->v, m->doc);
    struct key_copy copy = key_own_copy(m->v, m->doc);
    struct value *with;

    if (copy.kind == KEY_COPY_FILE) {
        with = add_key(m, RUNBOOK_KEY_FILE);
        making_set(m, with, "path", copy.path);
        return;
    }
    if (copy.kind == KEY_COPY_ESCROW) {
        with = add_key(m, RUNBOOK_ESCROWED_KEY);
        escrow_place(m, with,
                     arena_printf(m->a, "%s/%s", value_str_at(m->doc->spec, "escrow.container"),
                                  value_str_at(copy.blob, "name")));
        return;
    }
    if (!e.protected_vm)
        return;
    with = add_key(m, RUNBOOK_EXPORTED_KEY);
    making_job_place(m, with, e.protected_vm, RESTORE_DISKS,
                     e.restored_vm ? value_str_at(e.restored_vm->spec, "target.resourceGroup") : NULL, &e.order);
    making_set(m, with, "job", value_str_at(e.export, "job"));
    making_set(m, with, "account",
               e.restored_vm ? reference_id(m->a, e.restored_vm, "spec.target.stagingAccount", NULL) : NULL);
}

static void enable_key(struct making *m)
{
    struct value *with = add_key(m, RUNBOOK_KEY_ATTRIBUTES);
    const struct value *enabled = making_changed(m, "attributes.enabled"), *exp = making_changed(m, "attributes.exp");

    making_set(m, with, "version", vault_kid_version(value_str_at(key_live(m->v, m->doc), "key.kid")));
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

    making_set(m, with, "provider",
               arena_printf(m->a, "/subscriptions/%s/providers/Microsoft.Attestation/locations/%s/defaultProvider",
                            kind_subscription(m->doc),
                            kind_location(m->doc)      ? kind_location(m->doc)
                            : az && azure_location(az) ? azure_location(az)
                                                       : "?"));
    making_set(m, with, "providerApi", making_api(m, API_ATTESTATION));
    /* The policy names the region's attestation authority, which is asked for first. */
    value_set(m->a, with, "body", vault_create_body(m->a, ""));
}

void making_key(struct making *m)
{
    struct value *with;

    switch ((int)m->step->action) {
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
    making_set(m, with, "version", key_needed(m->v, m->doc).version);
}
