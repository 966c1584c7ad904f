/* Knows what a disk encryption set that is there lacks of its declaration, and whether that may be mended now. Must not
 * know sets that are gone. */
#include "disk_encryption_set.h"

#include "../azure/geography.h"
#include "../documents/spends.h"
#include "../azure/key_id.h"
#include "../keys/key_facts.h"
#include "../keys/standing.h"
#include "../keys/store_fit.h"
#include "../keys/original.h"
#include "../access/set_identity.h"
#include "../access/set_rights.h"

void des_describe_write(const struct view *v, struct steps *out, struct step *step, const char *id)
{
    set_with_grants(v, step->document);
    step->scope = id;
    spends_add(out, step, azure_set_allowance(), id);
    step->estimate_ms = 30 * SECOND_MS;
    step->estimate_source = "recorded disk encryption set writes";
    step_right(out, step, arm_id_parent(v->arena, id, 4), "Microsoft.Compute/diskEncryptionSets/write", false,
               "Contributor");
}

bool des_identity_stands(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    const char *state = value_str_at(facts, "identityState"), *id = value_str_at(facts, "identityId"),
               *why = value_str_at(facts, "identityWhy"), *fix = value_str_at(facts, "identityFix");

    if (!state)
        return true;
    if (str_eq(state, "absent"))
        steps_block(out, doc, NULL, "make the identity, or declare one that is there: spec.identity.userAssigned",
                    str_eq(view_state(v, doc), "absent")
                        ? "the set is absent, and so is the managed identity %s by which it is to act"
                        : "the managed identity %s by which the set is to act is absent",
                    id);
    else
        steps_block(out, doc, NULL, fix ? fix : "give the credential the role Reader on that identity",
                    "the managed identity %s cannot be seen: %s", id, why ? why : "it was not read");
    return false;
}

bool des_steps_too_young(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct reference *ref = document_reference(doc, "spec.key");
    const char *why;

    if (!ref || !ref->target || str_eq(v->settings->article, "2026-07") || !(why = key_too_young(v, ref->target, doc)))
        return false;
    steps_block(
        out, doc, NULL,
        "declare the version that the point's disk was wrapped with, or order a point that is younger than the version",
        "the set is not put on its declared key version: %s", why);
    return true;
}

const struct document *des_key_by_address(const struct view *v, const struct document *doc)
{
    const struct reference *ref = document_reference(doc, "spec.key");

    return ref && ref->url ? key_document_at(v, ref->url) : NULL;
}

/* A version that nobody declared is not compared: a set that something uses stays on the version of the declared key
 * that it is on, for re-pointing it would take the key from under its disks. */
static bool stays_put(const struct view *v, const struct document *doc, const char *have)
{
    const struct document *key = document_target(doc, "spec.key");
    const struct value *facts = view_facts(v, key);
    const char *name = value_str_at(facts, "name"), *base = value_str_at(facts, "base");

    if (!key || value_str_at(key->spec, "version") || !name || !base ||
        !value_count(value_get(view_facts(v, doc), "associatedResources")))
        return false;
    return key_url_is(have, base, name);
}

static bool in_hsm(const char *url)
{
    return str_find_nocase(url, ".managedhsm.") != NULL;
}

/* A store is known by its kind and its name. The set is on a key of the same name and version in a store of the other
 * kind: no copy of a key goes from one kind to the other, so the declaration means another key than its disks'. */
static bool steps_other_kind(const struct view *v, const struct document *doc, struct steps *out, const char *have,
                             const char *want)
{
    struct key_id x, y;

    if (!have || !want || in_hsm(have) == in_hsm(want) || !key_id_parse(v->arena, have, &x) ||
        !key_id_parse(v->arena, want, &y) || !str_eq_nocase(x.name, y.name) || !str_eq_nocase(x.version, y.version) ||
        !value_count(value_get(view_facts(v, doc), "associatedResources")))
        return false;
    steps_block(out, doc, NULL, "look at the declaration: declare the store that the set in use points to",
                "the set in use points to %s, a key of the %s; declared is one of the same name and version in a %s, "
                "which is another key",
                have, in_hsm(have) ? "managed HSM" : "key vault", in_hsm(want) ? "managed HSM" : "key vault");
    return true;
}

/* Machines that run on the set: an offline rotation asks that all of them are stopped first. */
static const char *running_on(const struct view *v, const struct document *doc)
{
    const char *id = value_str_at(view_facts(v, doc), "id"), *words = "";

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *vm = v->desired->documents[i];
        const struct value *facts = str_eq(vm->kind, "ProtectedVirtualMachine") ? view_facts(v, vm) : NULL;
        const char *set = value_str_at(facts, "source.des");

        if (set && arm_id_equal(set, id) && str_eq_nocase(value_str_at(facts, "source.power"), "running"))
            words =
                arena_printf(v->arena, "%s; %s runs on it: stop it first, a key is exchanged under stopped VMs only",
                             words, vm->name);
    }
    return words;
}

/* What a set that is there lacks of its declaration. */
struct lacks {
    const struct value *live, *url, *have; /* url: of the key that is wanted; have: of the one it is on */
    const struct value *identity;          /* as it has to be written; NULL: it is as declared */
    bool floats, same, repoint, unpin;     /* floats: its address names no version */
};

static struct lacks lacks_of(const struct view *v, const struct document *doc)
{
    const struct value *live = value_get(view_facts(v, doc), "live");
    struct lacks l = {.live = live,
                      .url = key_wanted_url(v, doc, "spec.key"),
                      .have = value_at(live, "properties.activeKey.keyUrl"),
                      .identity = set_identity_wanted(v->arena, doc, live)};
    const char *url = value_str(l.url), *have = value_str(l.have);
    bool pinned = str_eq(value_str_at(doc->spec, "rotation"), "pinned");

    /* An address without a version follows the newest one, as the rotation flag does. */
    l.floats = have && !key_url_version(v->arena, have) && (pinned || !stays_put(v, doc, have));
    /* A declaration without a version means the newest one as well. */
    l.same = key_same_version(url, have) || (url && !key_url_version(v->arena, url) && key_same_key(url, have));
    l.repoint = l.url && !value_is(l.url, VALUE_UNKNOWN) && !l.same && (l.floats || !stays_put(v, doc, have));
    l.unpin = pinned && value_bool_at(live, "properties.rotationToLatestKeyVersionEnabled", false);
    return l;
}

static bool steps_of_refusing_store(const struct view *v, const struct document *doc, struct steps *out)
{
    struct store_objection objection;

    if (!store_refuses_sets(v, document_target(doc, "spec.key"), &objection))
        return false;
    steps_block(out, doc, NULL, objection.next, "the set is not put on its declared key: %s", objection.reason);
    return true;
}

/* true: what it lacks cannot be mended now, and a block says why. */
static bool steps_held(const struct view *v, const struct document *doc, struct steps *out, const struct lacks *l)
{
    const struct document *key = document_target(doc, "spec.key");

    if (l->repoint && key && view_prospect(v, key) == PROSPECT_BLOCKED) {
        steps_block(out, doc, NULL, view_block(v, key)->next,
                    "the set points to %s and stays there, since %s is blocked: %s", value_str(l->have), key->address,
                    view_block(v, key)->reason);
        return true;
    }
    if (l->repoint &&
        (steps_of_refusing_store(v, doc, out) || des_steps_too_young(v, doc, out) ||
         steps_other_kind(v, doc, out, value_str(l->have), value_str(l->url))))
        return true;
    return (l->identity && !des_identity_stands(v, doc, out)) ||
           ((l->repoint || l->identity) && set_rights_block(v, doc, key, out));
}

static void describe_changes(const struct view *v, const struct document *doc, struct steps *out, struct step *step,
                             const struct lacks *l)
{
    const struct value *assigned = value_get(l->identity, "userAssignedIdentities");

    if (l->repoint)
        step_change(out, step, "properties.activeKey.keyUrl", l->have, l->url, NULL);
    if (l->unpin)
        step_change(out, step, "properties.rotationToLatestKeyVersionEnabled",
                    value_at(l->live, "properties.rotationToLatestKeyVersionEnabled"), value_bool(v->arena, false),
                    NULL);
    /* A system identity that was switched off has lost every grant with it. */
    if (l->identity)
        step_change(out, step, "identity.type", value_at(l->live, "identity.type"), value_get(l->identity, "type"),
                    set_identity_comes(doc, l->live) ? "a new principal without any grant"
                                                     : "the identity is there, and so is its principal");
    for (size_t i = 0; i < value_count(assigned); i++)
        step_right(out, step, assigned->map.members[i].key,
                   "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", false,
                   "Managed Identity Operator");
}

static void note_untold(const struct view *v, const struct document *doc, struct steps *out, struct step *step)
{
    const struct value *facts = view_facts(v, doc);

    if (value_get(facts, "identityUntold"))
        step_note(out, step, "whether the managed identity %s is still there cannot be seen: %s",
                  value_str_at(facts, "identityUntold"), value_str_at(facts, "identityUntoldWhy"));
}

static void block_gone(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *gone = value_str_at(view_facts(v, doc), "identityGone");
    bool kept = set_keeps_identity(view_facts(v, doc), gone);
    struct step *step = steps_block(
        out, doc, NULL,
        arena_printf(v->arena,
                     kept ? "take %s off the set, once another identity on it holds the rights on the key"
                          : "put an identity that is there on the set, grant it the rights on the key, then take %s "
                            "off the set",
                     gone),
        kept ? "the set keeps the managed identity %s, which is deleted: if the set acts by it, Azure makes and starts "
               "no disk with the set, and Azure does not tell by which of its identities a set acts"
             : "the set acts by the managed identity %s, which is deleted: Azure makes and starts no disk with the set",
        gone);

    step->scenario = "N-25";
}

void des_steps_update(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    const struct document *key = document_target(doc, "spec.key");
    const struct lacks l = lacks_of(v, doc);
    struct step *step;

    if (value_str_at(facts, "identityGone")) {
        block_gone(v, doc, out);
        return;
    }
    if (l.floats && !l.repoint && !l.same) {
        steps_block(
            out, doc, NULL, "declare the key's version, or run with a credential that may list its versions",
            "the set is not pinned: its key's address %s names no version, and which one its disks need cannot be told",
            value_str(l.have));
        return;
    }
    if (!l.repoint && !l.unpin && !l.identity) {
        note_untold(v, doc, out, steps_add(out, doc, ACTION_NONE, NULL, "as declared"));
        return;
    }
    if (steps_held(v, doc, out, &l))
        return;
    step = steps_add(out, doc, ACTION_UPDATE, NULL, "%s; %zu disks, snapshots or restore points use it%s",
                     l.repoint && l.floats && key_same_key(value_str(l.url), value_str(l.have))
                         ? "the set is not pinned: its key's address names no version, so it follows the newest"
                     : l.repoint ? "the set points to another key than declared"
                     : l.unpin   ? "the set follows the newest key version, which is not supported for confidential VMs"
                                 : "the set lacks an identity that is declared",
                     value_count(value_get(facts, "associatedResources")), l.repoint ? running_on(v, doc) : "");
    des_describe_write(v, out, step, value_str_at(facts, "id"));
    describe_changes(v, doc, out, step, &l);
    step_writes(out, step, "PATCH", "%s", step->scope);
    set_rights_note(v, doc, out, step);
    note_untold(v, doc, out, step);
    view_need(v, out, step, key ? key : des_key_by_address(v, doc));
}
