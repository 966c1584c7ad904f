/* Knows how a Key's steps are carried out: recovered, restored and compared, enabled, created. Must
 * not decide which of it. */
#include <string.h>

#include "../azure/geography.h"
#include "../azure/key_id.h"
#include "../azure/vault.h"
#include "../keys/home.h"
#include "../keys/refused.h"
#include "../keys/revived.h"
#include "key_parts.h"
#include "../keys/standing.h"
#include "../keys/original.h"
#include "requests.h"
#include "../restore/election.h"
#include "../keys/key_facts.h"
#include "../keys/copies.h"

/* --- acting ------------------------------------------------------------------------------------------------------- */

/* Which version must be back: the one that is known to be needed; else, now that they can be seen, the newest that was
 * there when the ordered point was taken. */
static int version_to_compare(struct call *c, const struct actor *actor, struct azure *az, const char **ret,
                              struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document), *item;
    struct key_need need = key_needed(actor->view, actor->step->document);
    struct value *list;

    if (need.version) {
        *ret = need.version;
        return 0;
    }
    TRY(vault_list_versions(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), &list, err));
    item =
        version_at(key_versions(actor->arena, list), need.point_ms == TIME_NONE ? actor->view->now_ms : need.point_ms);
    if (!item) {
        err_set(err, ERR_BLOCKED,
                "the key is back, but none of its versions was there when the ordered point was taken (%s)",
                time_format(actor->arena, need.point_ms));
        return err_advise(err, "the copy is of another key, or older than the disk; a person looks for the right one");
    }
    *ret = value_str_at(item, "version");
    actor_say(actor, "chosen among the versions that came back: %s, %s %s", *ret,
              need.point_ms == TIME_NONE ? "the newest, created"
                                         : "the newest not later than the ordered point, created",
              time_format(actor->arena, value_int_at(item, "created", 0) * SECOND_MS));
    return 0;
}

static int attest_uri(struct call *c, const struct actor *actor, struct azure *az, const char **ret, struct err *err)
{
    const struct document *doc = actor->step->document;
    struct value *provider;
    const char *uri;

    TRY(arm_get_view(
        az, c, actor->arena,
        arena_printf(actor->arena, "/subscriptions/%s/providers/Microsoft.Attestation/locations/%s/defaultProvider",
                     kind_subscription(doc),
                     azure_region(actor->arena, kind_location(doc) ? kind_location(doc) : azure_location(az))),
        API_ATTESTATION, &provider, err));
    uri = value_str_at(provider, "properties.attestUri");
    *ret = uri ? uri : "";
    return 0;
}

/* Compares the release policy: a key whose policy does not name this region's authority can be restored, but no machine
 * boots with it here. */
static int compare_policy(struct call *c, const struct actor *actor, struct azure *az, const struct value *bundle,
                          struct err *err)
{
    const char *uri = NULL;
    struct err unread = {0};

    if (attest_uri(c, actor, az, &uri, &unread) < 0) {
        if (unread.class == ERR_CANCELLED) {
            *err = unread;
            return -(int)err->class;
        }
        actor_say(actor, "not compared: whether its release policy covers this region (%s)", unread.text);
    } else if (*uri && !key_releases_to(actor->arena, bundle, uri)) {
        actor_say(actor, "its release policy does not name %s: no confidential VM of this region can be given the key",
                  uri);
    }
    return 0;
}

/* The key is back, and what came back is not what is declared. Nothing is built on it before a person has compared. */
static int without_version(struct call *c, const struct actor *actor, struct azure *az, const char *wanted,
                           struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc), *fits;
    struct key_need need = key_needed(actor->view, doc);
    struct value *list, *versions;

    TRY(vault_list_versions(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), &list, err));
    versions = key_versions(actor->arena, list);
    fits = need.point_ms == TIME_NONE ? NULL : version_at(versions, need.point_ms);
    err_set(err, ERR_BLOCKED, "the key is back, but without version %s: it has %s%s%s", wanted,
            key_versions_words(actor->arena, versions), fits ? "; the newest not later than the ordered point is " : "",
            fits ? value_str_at(fits, "version") : "");
    /* All that came back is younger than the point: it is another key, which no declaration makes the right one. */
    if (need.point_ms != TIME_NONE && !fits)
        return err_advise(err, "%s", KEY_TAKEN_ADVICE);
    return err_advise(
        err, "a person compares, and corrects spec.version of %s, or finds the copy that was taken of the right key",
        doc->address);
}

static void say_revived(const struct actor *actor)
{
    const struct document *key = actor->step->document, *doc;
    const struct index_entry *at = NULL;

    while ((doc = key_revived_next(actor->view, key, &at)))
        actor_say(actor, "version %s, which %s revokes, may be back as well: %s", value_str_at(doc->spec, "version"),
                  doc->address, key_disable_words(actor->view, doc));
}

static int verify_version(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc);
    const char *wanted = NULL;
    struct value *bundle;
    int64_t exp;

    TRY(version_to_compare(c, actor, az, &wanted, err));
    if (vault_get_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), wanted, &bundle,
                      err) < 0)
        return err->class == ERR_NOT_FOUND ? without_version(c, actor, az, wanted, err) : -(int)err->class;
    exp = value_int_at(bundle, "attributes.exp", 0);
    actor_say(actor, "compared: version %s is back%s%s", wanted,
              value_bool_at(bundle, "attributes.enabled", true) ? "" : ", but disabled",
              exp && exp * SECOND_MS <= call_now_ms(c) ? ", but expired" : "");
    say_revived(actor);
    return compare_policy(c, actor, az, bundle, err);
}

enum { PURGE_SETTLE_MS = 10 * MINUTE_MS, PURGE_RETRY_MS = 30 * SECOND_MS };

static bool name_held(const struct err *err)
{
    return err->class == ERR_CONFLICT && (str_eq_nocase(err->code, "ObjectIsDeletedButRecoverable") ||
                                          str_eq_nocase(err->code, "ObjectIsBeingDeleted"));
}

/* The name is held by a key that is not there. Just after a purge, and while others act on the key, that passes; a key
 * that is among the deleted ones is to be recovered, which is cheaper than any copy. A conflict that lasts although no
 * key of the declared name is there is about another name: *ret_other says so. */
static int wait_for_name(struct call *c, const struct actor *actor, struct azure *az, int64_t end_ms,
                         const char **ret_other, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    const char *base = value_str_at(facts, "base"), *name = value_str_at(facts, "name"),
               *settle = duration_format(actor->arena, PURGE_SETTLE_MS);
    bool purged = name_held(err), of_store = str_eq_nocase(err->code, "Conflict"),
         recoverable = str_eq_nocase(err->code, "ObjectIsDeletedButRecoverable");
    struct value *deleted;

    if (vault_get_deleted_key(az, c, actor->arena, base, name, &deleted, err) == 0) {
        err_set(err, ERR_CONFLICT, "the key is among the deleted ones after all, so it is recovered and not restored");
        return err_advise(err, "plan again; nothing was changed in the vault");
    }
    if (err->class != ERR_NOT_FOUND)
        return -(int)err->class;
    if (call_span_ms(c) + PURGE_RETRY_MS <= end_ms) {
        actor_say(actor, "the name is still held%s; trying again in %s",
                  purged ? " after a purge" : ", and no key of it is there",
                  duration_format(actor->arena, PURGE_RETRY_MS));
        TRY(actor_wait(actor, c, PURGE_RETRY_MS, "the name of a purged key", err));
        return actor_look_again(actor, c, err);
    }
    if (purged || !of_store)
        err_set(err, ERR_BLOCKED, "the name %s is still held after %s, and no key of it is there; run it again", name,
                settle);
    if (recoverable)
        return err_advise(err,
                          "the store says that a soft-deleted key holds it, which it does not show: whoever may "
                          "recover keys tries: az keyvault key recover --id %s/deletedkeys/%s",
                          base, name);
    if (purged || !of_store)
        return -(int)err->class;
    *ret_other = KEY_UNSEEN_HOLDER;
    err_set(err, ERR_BLOCKED,
            "the copy is of another key: the store has said for %s that its name is taken, and no key %s is there",
            settle, name);
    return err_advise(err, "nothing was changed; order a point whose disk is wrapped with %s, or correct its keyName",
                      actor->step->document->address);
}

/* A copy is of one key, whatever name it was asked for by. NULL: the one that is declared. */
static const char *other_key(const struct actor *actor, const struct value *bundle)
{
    const char *kid = value_str_at(bundle, "key.kid"),
               *wanted = value_str_at(view_facts(actor->view, actor->step->document), "name");
    struct key_id id;

    return kid && key_id_parse(actor->arena, kid, &id) && !str_eq_nocase(id.name, wanted) ? id.name : NULL;
}

static int came_back_other(const struct actor *actor, const struct value *bundle, const char *other, struct err *err)
{
    const struct document *doc = actor->step->document,
                          *revoking = key_document_at(actor->view, value_str_at(bundle, "key.kid"));
    const char *reason = key_revoked_at(actor->view, value_str_at(bundle, "key.kid"));

    err_set(err, ERR_BLOCKED, "another key came back: %s, version %s, and not %s: the copy was taken of that one%s%s%s",
            other, vault_kid_version(value_str_at(bundle, "key.kid")),
            value_str_at(view_facts(actor->view, doc), "name"), reason ? "; it is revoked (" : "", reason ? reason : "",
            reason ? ")" : "");
    if (reason && revoking)
        return err_advise(err, "%s; then order a point whose disk is wrapped with %s",
                          key_disable_words(actor->view, revoking), doc->address);
    return err_advise(
        err, "a person decides what %s is for; order a point whose disk is wrapped with %s, or correct its keyName",
        other, doc->address);
}

/* No answer tells whether the store took the copy. A key that is there says that it did, and is compared like any
 * other; one that is absent says nothing yet. */
static int look_after_lost(struct call *c, const struct actor *actor, struct azure *az, struct value **ret,
                           struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    struct err lost = *err;

    actor_say(actor, "the answer to the restore of the key was lost; looking whether the key is there");
    if (vault_get_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), NULL, ret, err) ==
        0)
        return 0;
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    *err = lost;
    err->class = ERR_UNKNOWN_OUTCOME;
    return err_advise(err, "whether the key came back is not known; run again, which looks first");
}

/* The store's 409: the name is taken. By a key that is there: *ret is that one, to be compared with what is wanted. */
static int look_who_holds(struct call *c, const struct actor *actor, struct azure *az, int64_t end_ms,
                          struct value **ret, const char **ret_other, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    struct err conflict = *err;

    if (!name_held(&conflict)) {
        if (vault_get_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), NULL, ret,
                          err) == 0)
            return 0;
        if (err->class != ERR_NOT_FOUND)
            return -(int)err->class;
    }
    *err = conflict;
    return wait_for_name(c, actor, az, end_ms, ret_other, err);
}

/* What a store did with the bytes of a backup. */
struct bytes_fate {
    bool useless;      /* it cannot open them, now or later */
    bool refused;      /* it said no to them */
    const char *other; /* another key came back of them, or is there; NULL */
};

static int restore_bytes(struct call *c, const struct actor *actor, struct azure *az, const struct secret *backup,
                         struct bytes_fate *ret, struct err *err)
{
    const char *base = value_str_at(view_facts(actor->view, actor->step->document), "base");
    int64_t end_ms = call_span_ms(c) + PURGE_SETTLE_MS;
    struct value *bundle = NULL, *holder = NULL;

    while (!bundle && !holder && vault_restore_key(az, c, actor->arena, base, backup, &bundle, err) < 0) {
        if (err->class == ERR_UNKNOWN_OUTCOME || err->class == ERR_TRANSIENT || err->class == ERR_PROTOCOL) {
            TRY(look_after_lost(c, actor, az, &bundle, err));
        } else if (err->http_status == 409) {
            bundle = NULL;
            TRY(look_who_holds(c, actor, az, end_ms, &holder, &ret->other, err));
        } else {
            ret->refused = err->http_status >= 400;
            ret->useless = backup_refused_for_good(err);
            return -(int)err->class;
        }
    }
    ret->other = holder ? NULL : other_key(actor, bundle);
    if (ret->other)
        return came_back_other(actor, bundle, ret->other, err);
    return verify_version(c, actor, az, err);
}

/* The store's answer, with what it means; where it is final, it is noted for later runs. */
static int refused(struct call *c, const struct actor *actor, struct azure *az, const struct copy_note *copy,
                   bool final, struct err *err)
{
    const struct document *doc = actor->step->document;
    const char *next = backup_refusal_next(actor->arena, doc, err->text);
    struct err noting = {0};

    if (final && key_note_refusal(c, actor, az, copy, err, &noting) < 0) {
        *err = noting;
        return -(int)err->class;
    }
    if (copy->other)
        return -(int)err->class;
    if (next)
        err_advise(err, "%s", next);
    return err_advise(err, "nothing was changed in the %s", key_store_word(doc));
}

/* What was exported is no backup of a key. A note says so, and later runs try the next copy instead of stopping at this
 * one. */
static int unusable(struct call *c, const struct actor *actor, struct azure *az, struct copy_note *note,
                    struct err *err)
{
    struct err noting = {0};

    note->unusable = true;
    if (key_note_refusal(c, actor, az, note, err, &noting) < 0)
        *err = noting;
    return -(int)err->class;
}

/* One copy, own or exported. `useless`: it could not be fetched, or does not open here; nothing was changed. */
static int restore_from(struct call *c, const struct actor *actor, struct azure *az, const struct key_source *source,
                        const char *machine, bool *ret_useless, struct err *err)
{
    const struct key_copy *copy = source->copy;
    const struct value *export = source->export;
    struct secret backup cleanup(secret_release) = {0};
    const struct value *facts = view_facts(actor->view, actor->step->document);
    const char *from = key_source_words(actor->arena, source);
    struct bytes_fate fate = {0};
    bool own = copy->kind != KEY_COPY_NONE, read = false;
    struct copy_note note = {
        .told_by = own ? key_copy_told_by(actor->arena, facts, copy) : key_export_told_by(actor->arena, export),
        .from = from,
        .machine = own ? NULL : machine,
        .point = own ? NULL : value_str_at(export, "point"),
    };
    bool kept = true, other = false;
    int rc = key_source_fetch(c, actor, az, source, &backup, &read, err);

    if (rc == 0)
        rc = backup_fits(actor->step->document, &backup, from, err);
    *ret_useless = rc < 0;
    if (rc < 0)
        return read ? unusable(c, actor, az, &note, err) : rc;
    rc = restore_bytes(c, actor, az, &backup, &fate, err);
    if (rc < 0 && fate.useless && !fate.other)
        kept = key_source_as_kept(c, actor, az, source, &backup, &other);
    if (other && backup_fits(actor->step->document, &backup, from, err) == 0) {
        fate = (struct bytes_fate){0};
        kept = true;
        rc = restore_bytes(c, actor, az, &backup, &fate, err);
    }
    *ret_useless = fate.useless;
    note.other = fate.other;
    return fate.refused || fate.other ? refused(c, actor, az, &note, (fate.useless && kept) || fate.other, err) : rc;
}

/* Restores the cheapest copy there is now, which the plan has named too; if it proves useless the next one, each once.
 * Never runs an export pass for one more copy: that is a step of its own, which nobody has approved here. */
static int restore_key(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct document *doc = actor->step->document;
    struct export_election e = export_elect(actor->view, doc);
    struct key_copy copy = key_own_copy(actor->view, doc), next = {0};
    const struct value *export = e.export;
    struct value *tried = value_list(actor->arena);
    bool useless = false;
    size_t n = 1;

    if (copy.kind == KEY_COPY_NONE && !e.export)
        return err_set(err, ERR_CONFLICT, "the export is not to be seen");
    while (restore_from(c, actor, az, &(struct key_source){&copy, export}, e.protected_vm ? e.protected_vm->name : NULL,
                        &useless, err) < 0) {
        const char *from = key_source_words(actor->arena, &(struct key_source){&copy, export});

        if (err->class == ERR_CANCELLED || !useless)
            return -(int)err->class;
        if (copy.kind == KEY_COPY_NONE) {
            value_push(actor->arena, tried, value_copy(actor->arena, export));
            export = export_spare(actor->view, &e, tried);
        } else {
            next = key_own_copy_at(actor->view, doc, n++);
        }
        if (next.kind == KEY_COPY_NONE && !export)
            return copy.kind == KEY_COPY_NONE || err->class == ERR_PROTOCOL || err->class == ERR_TRANSIENT
                       ? -(int)err->class
                       : err_advise(err,
                                    "put a good backup in its place, or take this source out of %s: the next "
                                    "declared one is planned then",
                                    doc->address);
        actor_say(actor, "%s is of no use: %s; trying %s", from, err->text,
                  key_source_words(actor->arena, &(struct key_source){&next, export}));
        copy = next;
    }
    return 0;
}

struct value *key_attributes_body(struct arena *a, const struct step *step)
{
    struct value *body = value_map(a), *attributes = value_set(a, body, "attributes", value_map(a));

    for (size_t i = 0; i < step->n_changes; i++)
        if (str_starts(step->changes[i].path, "attributes."))
            value_set(a, attributes, step->changes[i].path + strlen("attributes."),
                      value_copy(a, step->changes[i].after));
    return body;
}

static int enable(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    struct value *body = key_attributes_body(actor->arena, actor->step), *bundle;

    return vault_update_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"),
                            vault_kid_version(value_str_at(key_live(actor->view, actor->step->document), "key.kid")),
                            body, &bundle, err);
}

static int create(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc);
    const char *uri = NULL;
    struct value *bundle;
    char *policy;

    TRY(attest_uri(c, actor, az, &uri, err));
    policy = arena_printf(
        actor->arena,
        "{\"version\":\"1.0.0\",\"anyOf\":[{\"authority\":\"%s\",\"allOf\":[{\"claim\":\"x-ms-compliance-status\","
        "\"equals\":\"azure-compliant-cvm\"}]}]}",
        uri);
    return vault_create_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), policy,
                            &bundle, err);
}

int key_act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);
    struct azure *az = kind_azure(actor->provider, actor->step->document);
    struct value *bundle;

    switch ((int)actor->step->action) {
    case ACTION_RECOVER:
        TRY(vault_recover_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"),
                              actor->view->settings->poll_bound_ms, &bundle, err));
        return verify_version(c, actor, az, err);
    case ACTION_RESTORE_KEY:
        return restore_key(c, actor, az, err);
    case ACTION_ESCROW_KEY:
        return key_act_escrow(c, actor, az, err);
    case ACTION_ENABLE:
        return enable(c, actor, az, err);
    case ACTION_CREATE:
        return create(c, actor, az, err);
    default:
        /* Waiting for the vault: it is back by now, and verifying looks at the key anew. */
        return 0;
    }
}

