/* Kind Key: a key (version) present, enabled, unexpired and fit for confidential VMs. Brought back from the declared
 * sources in their order; never created in place of a lost one.
 *
 * Facts: state, base, name, live (bundle of the wanted version, else of the newest), newest (its version), versions
 * [{version, created, enabled}], deleted (deletedkeys body), storeState. */
#include "key_document.h"

#include <string.h>

#include "../azure/blob.h"
#include "../azure/vault.h"
#include "order.h"
#include "requests.h"

#define SOURCE_ABOUT_KEYS "Microsoft Learn, Key Vault, about keys"

/* --- observing --------------------------------------------------------------------------------------------------------- */

static struct value *versions_of(struct arena *a, const struct value *list)
{
    struct value *versions = value_list(a);

    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *item = value_item(list, i);
        struct value *v = value_map(a);

        value_set_string(a, v, "version", vault_kid_version(value_str_at(item, "kid")));
        value_set_int(a, v, "created", value_int_at(item, "attributes.created", 0));
        value_set_bool(a, v, "enabled", value_bool_at(item, "attributes.enabled", true));
        value_push(a, versions, v);
    }
    return versions;
}

static int observe_deleted(struct call *c, struct azure *az, struct arena *a, const char *base, const char *name, struct value **facts,
                           struct err *err)
{
    struct value *deleted;

    if (vault_get_deleted_key(az, c, a, base, name, &deleted, err) < 0)
        return facts_from_error(a, "looking for the key among the deleted ones", err, facts);
    *facts = facts_new(a, "deleted");
    value_set(a, *facts, "deleted", deleted);
    return 0;
}

static int observe_present(struct call *c, struct azure *az, struct arena *a, const struct document *doc, const char *base,
                           const char *name, struct value *newest, struct value **ret, struct err *err)
{
    const char *wanted = value_str_at(doc->spec, "version");
    struct value *facts = facts_new(a, "present"), *versions, *live = newest;

    value_set_string(a, facts, "newest", vault_kid_version(value_str_at(newest, "key.kid")));
    if (wanted && !str_eq(wanted, value_str_at(facts, "newest"))) {
        live = NULL;
        if (vault_get_key(az, c, a, base, name, wanted, &live, err) < 0 && err->class != ERR_NOT_FOUND)
            return facts_from_error(a, "reading the key version", err, ret);
    }
    if (live)
        value_set(a, facts, "live", live);
    TRY(vault_list_versions(az, c, a, base, name, &versions, err));
    value_set(a, facts, "versions", versions_of(a, versions));
    *ret = facts;
    return 0;
}

static int observe_key(struct call *c, struct azure *az, struct arena *a, const struct document *doc, const char *base, const char *name,
                       struct value **ret, struct err *err)
{
    struct value *newest;

    if (vault_get_key(az, c, a, base, name, NULL, &newest, err) == 0)
        return observe_present(c, az, a, doc, base, name, newest, ret, err);
    TRY(facts_from_error(a, "reading the key", err, ret));
    return str_eq(value_str_at(*ret, "state"), "absent") ? observe_deleted(c, az, a, base, name, ret, err) : 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const struct document *store = document_target(o->document, "spec.store");
    const struct value *store_facts = view_facts(o->view, store);
    const char *store_state = store ? view_state(o->view, store) : "present";
    const char *name = value_str_at(o->document->spec, "keyName"), *base = value_str_at(store_facts, "base");
    struct value *facts = NULL;

    if (!base)
        base = key_store_base(o->arena, azure_cloud(az), o->document);
    /* A vault that is gone has no host name any more; asking it would say nothing about the key. */
    if (!base || str_eq(store_state, "absent") || str_eq(store_state, "deleted"))
        facts = facts_new(o->arena, "absent");
    else
        TRY(observe_key(c, az, o->arena, o->document, base, name ? name : o->document->name, &facts, err));
    value_set_string(o->arena, facts, "storeState", store_state);
    value_set_string(o->arena, facts, "base", base);
    value_set_string(o->arena, facts, "name", name ? name : o->document->name);
    *ret = facts;
    return 0;
}

/* --- what others ask ------------------------------------------------------------------------------------------------------ */

const char *key_wanted_version(const struct view *v, const struct document *key)
{
    const char *declared = value_str_at(key->spec, "version");

    return declared ? declared : value_str_at(view_facts(v, key), "newest");
}

const struct value *key_wanted_url(const struct view *v, const struct document *doc, const char *path)
{
    const struct reference *ref = document_reference(doc, path);
    const struct value *facts;
    const char *version;

    if (!ref)
        return NULL;
    if (!ref->target)
        return value_string(v->arena, ref->url);
    facts = view_facts(v, ref->target);
    version = key_wanted_version(v, ref->target);
    if (!version || !value_str_at(facts, "base"))
        return value_unknown(v->arena);
    return value_format(v->arena, "%s/keys/%s/%s", value_str_at(facts, "base"), value_str_at(facts, "name"), version);
}

/* --- steps ------------------------------------------------------------------------------------------------------------------- */

static const char *key_url(const struct view *v, const struct document *doc)
{
    const struct value *facts = view_facts(v, doc);

    return arena_printf(v->arena, "%s/keys/%s", value_str_at(facts, "base"), value_str_at(facts, "name"));
}

static void need_data_right(const struct view *v, struct steps *out, struct step *step, const struct document *doc, const char *verb)
{
    const char *vault = key_store_of(v->arena, doc);

    if (vault)
        step_right(out, step, vault, arena_printf(v->arena, "Microsoft.KeyVault/vaults/keys/%s", verb), true, "Key Vault Crypto Officer");
}

static void steps_recover(const struct view *v, const struct document *doc, struct steps *out)
{
    int64_t purge = value_int_at(view_facts(v, doc), "deleted.scheduledPurgeDate", 0) * SECOND_MS;
    const struct document *store = document_target(doc, "spec.store");
    struct step *step;

    step = steps_add(out, doc, ACTION_RECOVER, NULL, "the key is soft-deleted%s%s; recovering brings back every version and the same URLs",
                     purge ? "; it is purged at " : "", purge ? time_format(v->arena, purge) : "");
    step->scope = key_url(v, doc);
    step->scenario = "N-15";
    step->precondition = "the key is among the deleted keys";
    step->postcondition = "a GET shows the key and the wanted version";
    step->estimate_ms = 30 * SECOND_MS;
    step->estimate_source = "recorded recoveries";
    order_cover(v, doc, step);
    step_writes(out, step, "POST", "/deletedkeys/%s/recover", value_str_at(view_facts(v, doc), "name"));
    need_data_right(v, out, step, doc, "recover/action");
    view_need(v, out, step, store);
}

static bool source_declared(const struct document *doc, const char *member)
{
    const struct value *sources = value_get(doc->spec, "sources");

    for (size_t i = 0; i < value_count(sources); i++)
        if (value_get(value_item(sources, i), member))
            return true;
    return false;
}

static const char *own_backup_file(const struct document *doc)
{
    const struct value *sources = value_get(doc->spec, "sources");

    for (size_t i = 0; i < value_count(sources); i++) {
        const char *path = value_str_at(value_item(sources, i), "file.path");

        if (path || value_get(value_item(sources, i), "azureBackup"))
            return path;
    }
    return NULL;
}

static struct step *steps_restore(const struct view *v, const struct document *doc, struct steps *out, const char *reason)
{
    struct step *step = steps_add(out, doc, ACTION_RESTORE_KEY, NULL, "%s", reason);
    const char *version = value_str_at(doc->spec, "version"), *base = value_str_at(view_facts(v, doc), "base");

    step->scope = key_url(v, doc);
    step->precondition = "the key's name is free, active and deleted";
    step->postcondition = "a GET shows the wanted version, enabled";
    step_change(out, step, "key.version", NULL, version ? value_string(v->arena, version) : value_unknown(v->arena),
                "a restored key keeps its versions");
    step->estimate_ms = MINUTE_MS;
    step->estimate_source = "recorded key restores";
    /* The permit looks at host and path. */
    step_writes(out, step, "POST", "%s/keys/restore", base ? base + strlen("https://") : "");
    need_data_right(v, out, step, doc, "restore/action");
    view_need(v, out, step, document_target(doc, "spec.store"));
    return step;
}

/* Why nobody has ordered the pass that exports the key, and what would be the order. */
static void block_unordered(const struct view *v, const struct document *doc, struct steps *out, const struct export_election *e)
{
    const char *pvm = e->protected_vm->name;
    const char *vm = e->restored_vm ? e->restored_vm->name : "RESTORED-VM";
    struct step *step;

    switch (e->order.state) {
    case ORDER_IN_FORCE:
        step = steps_block(
            out, doc, "restore-key",
            e->order.exports ? "order a recovery point that has reached the vault tier: reinstate activate"
                             : "set exports: allowed in the Activation",
            e->order.exports
                ? "the key is purged; the ordered recovery point of %s never reached the vault tier, and snapshots export no key"
                : "the key is purged; only Azure Backup's copy of %s can bring it back, and its Activation forbids exports",
            pvm);
        break;
    case ORDER_OVERLAPPING:
        step =
            steps_block(out, doc, "restore-key", "withdraw one of them", "the key is purged; %s and %s order the same VM at the same time",
                        e->order.activation->address, e->order.other->address);
        break;
    case ORDER_FUTURE:
        step = steps_block(out, doc, "restore-key", arena_printf(v->arena, "wait until %s", time_format(v->arena, e->order.not_before_ms)),
                           "the key is purged; %s is not in force yet", e->order.activation->address);
        break;
    case ORDER_EXPIRED:
        step =
            steps_block(out, doc, "restore-key", arena_printf(v->arena, "order anew: reinstate activate -f ... %s", vm),
                        "the key is purged; %s expired at %s", e->order.activation->address, time_format(v->arena, e->order.not_after_ms));
        break;
    default:
        step = steps_block(out, doc, "restore-key",
                           arena_printf(v->arena, "order it: reinstate activate -f ... %s, then add what it prints to the manifests", vm),
                           "the key is purged; Azure Backup's copy of %s can bring it back, by a restore that fails and exports it, and "
                           "nobody has ordered that",
                           pvm);
        break;
    }
    step->scenario = "N-17";
}

static const char *staging_of(const struct export_election *e)
{
    const struct reference *ref = e->restored_vm ? document_reference(e->restored_vm, "spec.target.stagingAccount") : NULL;

    return ref && ref->id ? ref->id : "";
}

static void steps_from_backup(const struct view *v, const struct document *doc, struct steps *out)
{
    struct export_election e = export_elect(v, doc);
    struct step *step;

    if (!e.protected_vm) {
        steps_block(out, doc, "restore-key", "declare a source: azureBackup, or a backup file of your own",
                    "the key is gone and no declared source can bring it back");
        return;
    }
    if (!e.export && view_prospect(v, e.protected_vm) != PROSPECT_PENDING) {
        if (view_prospect(v, e.protected_vm) == PROSPECT_BLOCKED && e.order.state == ORDER_IN_FORCE && e.order.exports)
            steps_block(out, doc, "restore-key", arena_printf(v->arena, "see %s", e.protected_vm->address),
                        "the key is gone and its export is blocked");
        else
            block_unordered(v, doc, out, &e);
        return;
    }
    step = steps_restore(v, doc, out,
                         e.export ? arena_printf(v->arena,
                                                 "the key is purged; failed restore job %s left Azure Backup's copy in storage account %s",
                                                 value_str_at(e.export, "job"), value_str_at(e.export, "account"))
                                  : "the key is purged; Azure Backup's copy is exported by the restore that fails");
    step->scenario = "N-17";
    order_cover(v, doc, step);
    step->unverified = "that the export holds the wanted version: it is compared after the restore";
    /* The exported key is read from the staging account, by whichever right there is. */
    step_writes(out, step, "GET", "%s", e.export ? value_str_at(e.export, "account") : arm_id_name(staging_of(&e)));
    step_writes(out, step, "POST", "/listKeys");
    if (!e.export)
        view_need(v, out, step, e.protected_vm);
}

static void steps_absent(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct document *store = document_target(doc, "spec.store");

    if (store && view_prospect(v, store) == PROSPECT_BLOCKED) {
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", store->address), "its key vault is not there");
    } else if (str_eq(view_facts(v, doc) ? value_str_at(view_facts(v, doc), "storeState") : NULL, "deleted")) {
        struct step *step =
            steps_add(out, doc, ACTION_WAIT, NULL, "its key vault is soft-deleted; the key is looked at again when the vault is back");

        step->scope = key_url(v, doc);
        view_need(v, out, step, store);
    } else if (own_backup_file(doc)) {
        steps_restore(v, doc, out, arena_printf(v->arena, "the key is purged; restored from your own backup %s", own_backup_file(doc)));
    } else if (value_bool_at(doc->spec, "bootstrap", false) && !source_declared(doc, "azureBackup")) {
        struct step *step =
            steps_add(out, doc, ACTION_CREATE, NULL,
                      "the key does not exist and bootstrap is declared; nothing that was wrapped with an older key opens with this one");

        step->scope = key_url(v, doc);
        step_change(out, step, "key.version", NULL, value_unknown(v->arena), NULL);
        step_writes(out, step, "POST", "/keys/%s/create", value_str_at(view_facts(v, doc), "name"));
        need_data_right(v, out, step, doc, "create/action");
        view_need(v, out, step, store);
    } else {
        steps_from_backup(v, doc, out);
    }
}

/* Fit for confidential VMs: HSM-backed, exportable, with a release policy (none of which can be added later). */
static const char *unfit(const struct value *live)
{
    if (!str_eq_nocase(value_str_at(live, "key.kty"), "RSA-HSM"))
        return "it is no RSA-HSM key";
    if (!value_bool_at(live, "attributes.exportable", false))
        return "it is not exportable";
    return value_get(live, "release_policy") ? NULL : "it has no release policy";
}

static void steps_present(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc), *live = value_get(facts, "live");
    const char *version = value_str_at(doc->spec, "version");
    int64_t now_s = v->now_ms / SECOND_MS, exp = value_int_at(live, "attributes.exp", 0),
            want_exp = time_parse(value_str_at(doc->spec, "expires"));
    bool disabled = !value_bool_at(live, "attributes.enabled", true), move_expiry = want_exp != TIME_NONE && exp != want_exp / SECOND_MS;
    struct step *step;

    if (!live) {
        steps_block(
            out, doc, NULL, "a person decides: restore the old key into another vault, or remove the other key; nothing is deleted here",
            "a key of this name is there, but not version %s: the name was taken by another key, so the old one cannot be restored here",
            version)
            ->scenario = "N-07";
        return;
    }
    if (unfit(live)) {
        steps_block(out, doc, NULL, "a person decides: this cannot be added to an existing key (" SOURCE_ABOUT_KEYS ")",
                    "the key is not fit for confidential VMs: %s", unfit(live));
        return;
    }
    if (exp && exp <= now_s && !move_expiry) {
        steps_block(out, doc, NULL, "declare spec.expires with a later time, which needs approval", "the key version expired at %s",
                    time_format(v->arena, exp * SECOND_MS))
            ->scenario = "N-06";
        return;
    }
    if (!(disabled && value_bool_at(doc->spec, "enabled", true)) && !move_expiry) {
        steps_add(out, doc, ACTION_NONE, NULL, "version %s is there, enabled and fit for confidential VMs",
                  vault_kid_version(value_str_at(live, "key.kid")));
        return;
    }
    step = steps_add(out, doc, ACTION_ENABLE, NULL,
                     disabled ? "the key version is disabled: every disk wrapped with it stops"
                              : "the key version's expiry is not as declared");
    step->scope = arena_printf(v->arena, "%s/%s", key_url(v, doc), vault_kid_version(value_str_at(live, "key.kid")));
    step->scenario = disabled ? "N-05" : "N-06";
    if (disabled)
        step_change(out, step, "attributes.enabled", value_bool(v->arena, false), value_bool(v->arena, true), NULL);
    if (move_expiry)
        step_change(out, step, "attributes.exp", value_at(live, "attributes.exp"), value_int(v->arena, want_exp / SECOND_MS), NULL);
    order_cover(v, doc, step);
    step_writes(out, step, "PATCH", "/keys/%s/", value_str_at(facts, "name"));
    need_data_right(v, out, step, doc, "update/action");
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *revoked = value_str_at(doc->spec, "revoked.reason"), *state = view_state(v, doc);

    if (revoked) {
        steps_add(out, doc, ACTION_NONE, NULL, "revoked (%s): never revived, whatever its state; now %s", revoked, state);
        return;
    }
    if (steps_unseen(v, doc, out))
        return;
    if (str_eq(state, "present"))
        steps_present(v, doc, out);
    else if (!str_eq(state, "deleted"))
        steps_absent(v, doc, out);
    else if (source_declared(doc, "recover"))
        steps_recover(v, doc, out);
    else
        steps_block(out, doc, NULL, "declare `recover: {}` among its sources",
                    "the key is soft-deleted and recovering is not among its declared sources");
}

/* --- acting -------------------------------------------------------------------------------------------------------------------- */

static int verify_version(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc);
    const char *wanted = value_str_at(doc->spec, "version");
    struct value *bundle;

    if (!wanted)
        return 0;
    if (vault_get_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), wanted, &bundle, err) == 0) {
        actor_say(actor, "compared: version %s is back", wanted);
        return 0;
    }
    if (err->class != ERR_NOT_FOUND)
        return -(int)err->class;
    err_set(err, ERR_BLOCKED, "the key was restored, but without version %s", wanted);
    return err_advise(
        err, "the copy was taken of another key or before that version; a person compares the declared version with the key's versions");
}

/* 409: the name is taken. Done, if it is by the very version that is wanted; otherwise nothing is touched. */
static int restore_bytes(struct call *c, const struct actor *actor, struct azure *az, const struct secret *backup, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    struct value *bundle;

    if (vault_restore_key(az, c, actor->arena, value_str_at(facts, "base"), backup, &bundle, err) < 0 && err->class != ERR_CONFLICT)
        return err_advise(err, "nothing was changed in the vault");
    return verify_version(c, actor, az, err);
}

static int fetch_export(struct call *c, const struct actor *actor, struct azure *az, const struct value *export, struct secret *ret,
                        struct err *err)
{
    struct secret json cleanup(secret_release) = {0}, account_key cleanup(secret_release) = {0};
    const char *account = value_str_at(export, "account"), *account_id = value_str_at(export, "accountId");
    struct blob_place place = {
        .account = account,
        .container = value_str_at(export, "container"),
        .name = value_str_at(export, "blob"),
        .endpoint = arena_printf(actor->arena, "https://%s%s", account, azure_cloud(az)->blob_suffix),
    };
    char type[128];
    int rc = blob_read(az, c, actor->arena, &place, NULL, BLOB_EXPORT_MAX, &json, err);

    if (rc < 0 && err->class == ERR_DENIED && err->http_status == 403 && account_id) {
        actor_say(actor, "no right to read blobs of %s with a token; trying the account's key", account);
        rc = blob_account_key(az, c, actor->arena, account_id, &account_key, err);
        if (rc == 0)
            rc = blob_read(az, c, actor->arena, &place, &account_key, BLOB_EXPORT_MAX, &json, err);
    }
    if (rc < 0) {
        err_note(err, "reading the exported key of job %s", value_str_at(export, "job"));
        return err_advise(err, "grant Storage Blob Data Reader on storage account %s", account);
    }
    TRY(blob_cut_export(&json, ret, type, sizeof(type), err));
    if (vault_backup_home(ret) != BACKUP_HOME_VAULT)
        return err_set(err, ERR_BLOCKED, "the exported key comes from a %s, and its declared store is a key vault",
                       type[0] ? type : "store of unknown kind");
    return 0;
}

static int restore_key(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    struct secret backup cleanup(secret_release) = {0};
    const char *file = own_backup_file(actor->step->document);
    struct export_election e = export_elect(actor->view, actor->step->document);

    if (file) {
        TRY(secret_read_file(&backup, file, BLOB_EXPORT_MAX, err));
    } else {
        if (!e.export)
            return err_set(err, ERR_CONFLICT, "the export is not to be seen");
        TRY(fetch_export(c, actor, az, e.export, &backup, err));
    }
    return restore_bytes(c, actor, az, &backup, err);
}

struct value *key_attributes_body(struct arena *a, const struct step *step)
{
    struct value *body = value_map(a), *attributes = value_set(a, body, "attributes", value_map(a));

    for (size_t i = 0; i < step->n_changes; i++)
        value_set(a, attributes, str_eq(step->changes[i].path, "attributes.exp") ? "exp" : "enabled",
                  value_copy(a, step->changes[i].after));
    return body;
}

static int enable(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    struct value *body = key_attributes_body(actor->arena, actor->step), *bundle;

    return vault_update_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"),
                            vault_kid_version(value_str_at(facts, "live.key.kid")), body, &bundle, err);
}

static int create(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc);
    struct value *provider, *bundle;
    char *policy, *path;

    path = arena_printf(actor->arena, "/subscriptions/%s/providers/Microsoft.Attestation/locations/%s/defaultProvider",
                        kind_subscription(doc), kind_location(doc) ? kind_location(doc) : azure_location(az));
    TRY(arm_get(az, c, actor->arena, path, "2020-10-01", &provider, err));
    policy = arena_printf(actor->arena,
                          "{\"version\":\"1.0.0\",\"anyOf\":[{\"authority\":\"%s\",\"allOf\":[{\"claim\":\"x-ms-compliance-status\","
                          "\"equals\":\"azure-compliant-cvm\"}]}]}",
                          value_str_at(provider, "properties.attestUri") ? value_str_at(provider, "properties.attestUri") : "");
    return vault_create_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), policy, &bundle, err);
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    struct azure *az = kind_azure(actor->provider, actor->step->document);
    struct value *bundle;

    switch (actor->step->action) {
    case ACTION_RECOVER:
        TRY(vault_recover_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"),
                              actor->view->settings->poll_bound_ms, &bundle, err));
        return verify_version(c, actor, az, err);
    case ACTION_RESTORE_KEY:
        return restore_key(c, actor, az, err);
    case ACTION_ENABLE:
        return enable(c, actor, az, err);
    case ACTION_CREATE:
        return create(c, actor, az, err);
    default:
        /* Waiting for the vault: it is back by now, and verifying looks at the key anew. */
        return 0;
    }
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items, size_t *count)
{
    int64_t purge = value_int_at(view_facts(v, doc), "deleted.scheduledPurgeDate", 0);
    struct deadline d = {.at_ms = purge * SECOND_MS, .what = arena_printf(a, "key %s is purged", doc->name)};

    if (purge)
        arena_push(a, *items, *count, d);
}

const struct kind key_kind = {
    .name = "Key",
    .summary = "A key, and the version that disks were wrapped with: present, enabled, unexpired, fit for confidential VMs.",
    .observe = observe,
    .steps = steps,
    .act = act,
    .deadlines = deadlines,
};
