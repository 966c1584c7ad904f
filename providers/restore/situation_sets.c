/* Knows the original set of a disk, the one that a request will name, and what is wrong with that. Must not know what
 * is done about it. */
#include "situation_parts.h"

#include "../documents/concluded.h"
#include "../documents/found.h"

#include "../azure/geography.h"
#include "../azure/key_id.h"
#include "../keys/key_facts.h"
#include "../keys/standing.h"
#include "../backup/points.h"

enum restore_type situation_type(const struct document *doc)
{
    const char *type = doc ? value_str_at(doc->spec, "restore") : NULL;

    return str_eq(type, "disks") ? RESTORE_DISKS : str_eq(type, "replace") ? RESTORE_REPLACE : RESTORE_NEW_VM;
}

/* The look after a lost key has found it in the store of that URL. */
static bool seen_elsewhere(const struct view *v, const struct situation *s, const char *url)
{
    const struct value *elsewhere = value_get(view_facts(v, s->original_key), "elsewhere");
    const char *base = value_str_at(elsewhere, "base");

    return base && str_eq(value_str_at(elsewhere, "state"), "present") &&
           key_same_store(url, arena_printf(v->arena, "%s/keys/any", base)) &&
           str_eq_nocase(key_url_version(v->arena, url), value_str_at(elsewhere, "version"));
}

enum dx_des situation_set_on(const struct view *v, const struct situation *s, const char *url)
{
    const char *original = s->original_url;
    const struct document *key;

    if (!url || !original)
        return DX_DES_UNKNOWN;
    url = situation_pinned_url(v, url);
    if (key_same_version(url, original))
        return DX_DES_INTACT;
    /* Which version the set is on cannot be told. */
    if (!key_url_version(v->arena, url))
        return DX_DES_UNKNOWN;
    if (key_same_store(url, original))
        return key_same_key(url, original) ? DX_DES_ROTATED : DX_DES_REPOINTED;
    /* No copy of a key goes from a vault to a managed HSM or back. */
    if (!situation_same_key(v->arena, url, original) ||
        (str_find_nocase(url, ".managedhsm.") != NULL) != (str_find_nocase(original, ".managedhsm.") != NULL))
        return DX_DES_FOREIGN;
    /* The address alone proves no key: it must be seen there. */
    if (seen_elsewhere(v, s, url))
        return DX_DES_MOVED;
    key = key_document_at(v, url);
    return situation_key_state(v, key, key_url_version(v->arena, url)) == DX_KEY_PRESENT ? DX_DES_MOVED
                                                                                         : DX_DES_UNKNOWN;
}

const struct value *situation_original_set(const struct view *v, const struct situation *s)
{
    const struct document *doc = set_document_at(v, s->original_des);

    if (doc)
        return view_facts(v, doc);
    return s->original_des ? value_at(view_facts(v, s->pvm), "source.set") : NULL;
}

enum dx_tier situation_tier(const struct value *point)
{
    if (str_eq(value_str_at(point, "vault"), "valid"))
        return DX_VAULT;
    if (str_eq(value_str_at(point, "snapshot"), "valid"))
        return DX_SNAPSHOT_ONLY;
    if (value_get(point, "unknownTier") || protected_vm_tiers_unseen(point) || protected_vm_point_archived(point))
        return DX_TIER_UNKNOWN;
    return DX_NO_TIER;
}

/* A set is seen to be on the original key, whichever version: the one the VM was backed up with, or the declared one
 * where that is not known any more. */
static bool set_lives(const struct view *v, const struct situation *s, const struct value *original)
{
    const struct value *set = s->original_des ? original
                              : s->des        ? view_facts(v, s->des)
                              : s->doc        ? value_get(view_facts(v, s->doc), "set")
                                              : NULL;
    const char *url = value_str_at(set, "live.properties.activeKey.keyUrl");

    return url && s->original.name && key_url_is(url, s->original.base, s->original.name);
}

enum dx_des situation_set_state(const struct view *v, const struct situation *s)
{
    const struct value *set = situation_original_set(v, s);
    enum dx_des on;

    if (str_eq(value_str_at(set, "state"), "absent"))
        return DX_DES_GONE;
    /* No document tells one made anew to be the original: a snapshot is bound to that one, of the
     * vault tier nobody knows. */
    if (s->made_anew)
        return situation_tier(s->point) == DX_SNAPSHOT_ONLY ? DX_DES_GONE : DX_DES_UNKNOWN;
    on = situation_set_on(v, s, value_str_at(set, "live.properties.activeKey.keyUrl"));
    return on == DX_DES_UNKNOWN && set_lives(v, s, set) ? DX_DES_LIVES : on;
}

/* Which key the declared set stands for, once its own steps are done. */
static enum dx_given given_on(const struct view *v, const struct situation *s)
{
    const char *url = s->des ? value_str(key_wanted_url(v, s->des, "spec.key"))
                             : value_str_at(view_facts(v, s->doc), "set.live.properties.activeKey.keyUrl");
    const struct document *key;
    const char *beside;
    struct key_id id;

    url = situation_pinned_url(v, url);
    if (!s->original_url || !key_id_parse(v->arena, url, &id) || !id.version)
        return DX_GIVEN_UNKNOWN;
    if (key_same_version(url, s->original_url))
        return DX_GIVEN_SAME_KEY;
    if (key_same_store(url, s->original_url))
        return key_same_key(url, s->original_url) ? DX_GIVEN_NEWER_VERSION : DX_GIVEN_OTHER_KEY;
    if (situation_same_key(v->arena, url, s->original_url))
        return DX_GIVEN_SAME_KEY_MOVED;
    beside = arena_printf(v->arena, "%s/keys/%s/%s", id.base, s->original.name, s->original.version);
    key = key_document_at(v, beside);
    if (key && str_eq(view_state(v, key), "unseen"))
        return DX_GIVEN_UNKNOWN;
    return key && situation_key_state(v, key, s->original.version) == DX_KEY_PRESENT ? DX_GIVEN_FOREIGN_WITH_ORIGINAL
                                                                                     : DX_GIVEN_FOREIGN_KEY;
}

/* Of a key that cannot be seen we can say that it is the wrong one, but never that it works. */
static enum dx_given given_by(const struct view *v, const struct situation *s)
{
    enum dx_given given = given_on(v, s);
    bool must_work = given == DX_GIVEN_SAME_KEY_MOVED || given == DX_GIVEN_NEWER_VERSION || given == DX_GIVEN_OTHER_KEY;

    return must_work && s->key && str_eq(view_state(v, s->key), "unseen") ? DX_GIVEN_UNKNOWN : given;
}

bool situation_pending(const struct view *v, const struct document *doc)
{
    return doc && view_prospect(v, doc) == PROSPECT_PENDING;
}

bool situation_made_anew(const struct view *v, const struct situation *s)
{
    const struct value *set = situation_original_set(v, s);
    int64_t made = time_parse(value_str_at(set, "created")), point = time_parse(value_str_at(s->point, "time"));

    if (!situation_same_set(s))
        return false;
    if (str_eq(value_str_at(set, "state"), "absent"))
        return situation_pending(v, s->des);
    return made != TIME_NONE && point != TIME_NONE && made > point;
}

enum dx_given situation_given(const struct view *v, const struct situation *s)
{
    if (s->now.encryption != DX_CMK || situation_type(s->doc) == RESTORE_REPLACE || !s->des_id)
        return DX_GIVEN_NOTHING;
    if (situation_same_set(s))
        return s->made_anew && s->now.tier == DX_VAULT ? given_by(v, s) : DX_GIVEN_NOTHING;
    return s->now.tier == DX_VAULT || s->original_des ? given_by(v, s) : DX_GIVEN_NOTHING;
}

static bool elsewhere(const struct view *v, const struct situation *s, const struct value *live)
{
    const char *at = value_str_at(live, "location"), *set = azure_region(v->arena, at       ? at
                                                                                   : s->des ? kind_location(s->des)
                                                                                            : NULL);
    const char *target = protected_vm_region(v, s->pvm), *vm = restored_vm_id(v->arena, s->doc);

    return (set && target && !str_eq_nocase(set, target)) ||
           !str_starts_nocase(s->des_id, arena_printf(v->arena, "%s/", arm_id_parent(v->arena, vm, 6)));
}

enum dx_fault situation_fault(const struct view *v, const struct situation *s, bool then)
{
    const struct value *set = s->des ? view_facts(v, s->des) : s->doc ? value_get(view_facts(v, s->doc), "set") : NULL;
    const struct value *live = value_get(set, "live");
    const char *type = s->des ? value_str_at(s->des->spec, "encryptionType") : NULL;
    enum dx_key state;

    if (s->given == DX_GIVEN_NOTHING || !set || str_eq(value_str_at(set, "state"), "unseen"))
        return DX_FAULT_NONE;
    if (!live && key_unfit(v, s->key))
        return DX_FAULT_UNMAKEABLE;
    if (!live && !(then && situation_pending(v, s->des)))
        return DX_FAULT_MISSING;
    /* A set made without a type is for ordinary encryption at rest (DiskRP specification). */
    if (!str_eq_nocase(live ? value_str_at(live, "properties.encryptionType") : type,
                       "ConfidentialVmEncryptedWithCustomerKey"))
        return DX_FAULT_WRONG_TYPE;
    if (elsewhere(v, s, live))
        return DX_FAULT_ELSEWHERE;
    if (!s->key || s->key == s->original_key || s->given == DX_GIVEN_SAME_KEY || (then && situation_pending(v, s->key)))
        return DX_FAULT_NONE;
    state = situation_key_state(v, s->key, key_wanted_version(v, s->key));
    return state == DX_KEY_PRESENT || state == DX_KEY_UNKNOWN ? DX_FAULT_NONE : DX_FAULT_KEY;
}
