/* Knows how observed facts of a backup, and what is known of its key, grants and sets (situation_parts.h), become the
 * facts of the scenario table. Must not know what is done about them. */
#include "situation.h"

#include "access_needed.h"
#include "situation_parts.h"
#include "conclude.h"
#include "made.h"
#include "../documents/concluded.h"
#include "../documents/found.h"

#include "../azure/geography.h"
#include "../keys/key_facts.h"
#include "../keys/standing.h"
#include "../backup/points.h"
#include "../backup/claim.h"
#include "../backup/order.h"

/* --- the backup --------------------------------------------------------------------------------------------------- */

static enum dx_source source_of(const struct value *backup)
{
    const char *state = value_str_at(backup, "source.state");

    return str_eq(state, "present") ? DX_SOURCE_THERE : str_eq(state, "absent") ? DX_SOURCE_GONE : DX_SOURCE_UNKNOWN;
}

/* The policy of today says nothing of a point that was taken under another one and says so itself. */
static bool crash_consistent(const struct value *backup, const struct value *point)
{
    const char *own = value_str_at(point, "consistency");

    return str_eq_nocase(value_str_at(backup, "policy.live.properties.snapshotConsistencyType"),
                         "OnlyCrashConsistent") &&
           (!own || str_eq_nocase(own, "CrashConsistent"));
}

/* A point that does not say whose key it needs may need the declared one, or the one the source VM's
 * disk is wrapped with. */
static enum dx_encryption encryption_of(const struct value *backup, const struct situation *s)
{
    const struct value *disk =
        value_at(backup, "source.live.properties.storageProfile.osDisk.managedDisk.securityProfile");

    switch (s->point ? protected_vm_point_key(s->point) : POINT_KEY_CUSTOMER) {
    case POINT_KEY_CUSTOMER:
        return DX_CMK;
    case POINT_KEY_PLATFORM:
        return DX_PMK;
    default:
        break;
    }
    if (s->des_id || s->key || s->original_des)
        return DX_CMK;
    return disk ? DX_PMK : DX_ENCRYPTION_UNKNOWN;
}

/* What the point says of its data disks, and the source VM of its own. */
static enum dx_data_disks data_of(const struct value *backup, const struct value *point)
{
    const struct value *disks = value_at(backup, "source.live.properties.storageProfile.dataDisks");

    if (crash_consistent(backup, point))
        return DX_DATA_CRASH_CONSISTENT;
    if (value_count(value_get(point, "encryptedDataDisks")))
        return DX_DATA_CONFIDENTIAL;
    /* Where the point speaks, its VM of today does not: a disk that it got since is in no backup of then. */
    for (size_t i = 0; !value_get(point, "encryptedDataDisks") && i < value_count(disks); i++)
        if (value_at(value_item(disks, i), "managedDisk.securityProfile.securityEncryptionType"))
            return DX_DATA_CONFIDENTIAL;
    return value_count(disks) ? DX_DATA_ORDINARY : DX_DATA_NONE;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static const char *set_named(const struct situation *s)
{
    return s->des_id ? s->des_id : "";
}

/* The original set after its own steps. One made anew under its id is told by no document to be the original one: from
 * a snapshot it counts as gone, from the vault tier nobody knows. */
static enum dx_des des_then(const struct view *v, const struct situation *s)
{
    if (!situation_same_set(s) || !situation_pending(v, s->des))
        return s->now.des;
    if (s->now.des == DX_DES_GONE)
        return s->now.tier == DX_SNAPSHOT_ONLY ? DX_DES_GONE : DX_DES_UNKNOWN;
    return situation_set_on(v, s, value_str(key_wanted_url(v, s->des, "spec.key")));
}

/* The document of the key that a restore which names no set wraps the new disk with: what the original
 * set is on now. */
static const struct document *key_wrapping(const struct view *v, const struct situation *s)
{
    const char *url = value_str_at(situation_original_set(v, s), "live.properties.activeKey.keyUrl");

    return url ? key_document_at(v, url) : s->key;
}

/* A deleted key comes back with the dates that it had. What is declared of it is set right then, an expiry as well,
 * but no step moves a date that nobody declares. */
static enum dx_key key_then(const struct view *v, const struct document *key, const char *version)
{
    const struct value *attributes = str_eq(view_state(v, key), "deleted") ? key_attributes(v, key, version) : NULL;
    int64_t exp = key_expiry(v, key, version);

    if (!attributes)
        return DX_KEY_PRESENT;
    if (value_int_at(attributes, "nbf", 0) > v->now_ms / SECOND_MS)
        return DX_KEY_EARLY;
    if (!value_bool_at(attributes, "enabled", true) && !value_bool_at(key->spec, "enabled", true))
        return DX_KEY_DISABLED;
    return exp && exp <= v->now_ms / SECOND_MS ? DX_KEY_EXPIRED : DX_KEY_PRESENT;
}

/* How things stand once every other document's steps are done; what is blocked stays as it is. */
static void foresee(const struct view *v, struct situation *s)
{
    enum dx_grants grants = situation_rights_state(v, s->key, set_named(s), true);
    bool granted = true;

    s->then = s->now;
    s->then.given = s->given;
    s->then.fault = situation_fault(v, s, true);
    if (situation_pending(v, s->original_key)) {
        s->then.key = key_then(v, s->original_key, s->original.version);
        s->then.store = DX_STORE_PRESENT;
    }
    for (size_t i = 0; i < s->n_grants; i++)
        granted = granted && access_prospect_for(v, s, s->grants[i], NULL) != PROSPECT_BLOCKED;
    /* Grants that nobody declares are taken to be there: they are not ours to judge, and the
     * restore itself will say. */
    if (!granted)
        grants = situation_rights_state(v, s->key, set_named(s), false);
    else if (grants == DX_GRANTS_UNKNOWN)
        grants = DX_GRANTS_OK;
    if (s->given != DX_GIVEN_NOTHING)
        grants = situation_grants_worse(grants, situation_rights_nowhere(v, s->key, s->des));
    grants = situation_grants_worse(grants, situation_rights_by_address(v, s));
    s->then.grants = situation_grants_worse(grants, situation_firewall_state(v, s->key));
    s->then.des = des_then(v, s);
}

static const struct value *point_of(const struct view *v, const struct situation *s)
{
    const struct value *point = protected_vm_newest_vault_point(v, s->pvm);

    if (s->order.point)
        return protected_vm_point(v, s->pvm, s->order.point);
    return point ? point : protected_vm_newest_point(v, s->pvm);
}

/* Without a declared restore: the set the source VM names, if it is declared, and a key that has this
 * backup as a source. */
static void find_documents(const struct view *v, struct situation *s)
{
    size_t at = 0;

    if (!s->doc)
        s->des = set_document_at(v, s->original_des);
    s->key = s->des ? document_target(s->des, "spec.key") : NULL;
    if (!s->doc && !s->key)
        s->key = referrer_next(s->pvm, "Key", &at);
    s->des_id = s->doc   ? reference_id(v->arena, s->doc, "spec.diskEncryptionSet", disk_encryption_set_id)
                : s->des ? s->original_des
                         : NULL;
    situation_find_grants(v, s);
}

/* A restore of disks says nothing of its set. Where another document orders the same with another set, the job is that
 * one's if a claim says so, or if its disks stand there. */
static bool of_sibling(const struct view *v, const struct situation *s, const struct value *job)
{
    const struct value *place = value_get(view_facts(v, s->doc), "place");
    const char *id = value_str_at(job, "job");
    const struct document *other;
    size_t at = 0;

    while ((other = referrer_next(s->pvm, "RestoredVirtualMachine", &at))) {
        const char *set = reference_id(v->arena, other, "spec.diskEncryptionSet", disk_encryption_set_id);
        struct order order;

        if (other == s->doc || situation_type(other) != RESTORE_DISKS || !set || arm_id_equal(set, s->des_id) ||
            !str_eq_nocase(value_str_at(other->spec, "target.resourceGroup"), s->match.target_group))
            continue;
        order = order_for(v, other);
        if (made_disks_on(place, id, set) ||
            (order.activation &&
             str_eq_nocase(claim_job_of(value_at(view_facts(v, other), "place.claims.restore"), order.activation->name),
                           id)))
            return true;
    }
    return false;
}

static const struct value *jobs_of_siblings(const struct view *v, const struct situation *s)
{
    struct value *others = value_list(v->arena);

    for (size_t i = 0; s->match.type == RESTORE_DISKS && s->des_id && i < value_count(s->jobs); i++)
        if (of_sibling(v, s, value_item(s->jobs, i)))
            value_push(v->arena, others, value_get(value_item(s->jobs, i), "job"));
    return value_count(others) ? others : NULL;
}

static void find_jobs(const struct view *v, struct situation *s)
{
    enum restore_type type = situation_type(s->doc);

    s->match = protected_vm_match(v, s->pvm);
    s->match.type = type;
    s->match.point_ms = time_parse(value_str_at(s->point, "time"));
    s->match.target_group = value_str_at(s->doc->spec, "target.resourceGroup");
    s->match.target_vm = type == RESTORE_NEW_VM ? value_str_at(s->doc->spec, "target.name") : NULL;
    s->match.not_exports = true;
    s->match.since_ms = s->order.state == ORDER_NONE ? INT64_MAX : s->order.since_ms;
    s->match.own = s->order.activation ? claim_job_of(value_at(view_facts(v, s->doc), "place.claims.restore"),
                                                      s->order.activation->name)
                                       : NULL;
    s->jobs = jobs_matching(v->arena, value_get(view_facts(v, s->pvm), "jobs"), &s->match);
    s->match.others = jobs_of_siblings(v, s);
    if (s->match.others)
        s->jobs = jobs_matching(v->arena, value_get(view_facts(v, s->pvm), "jobs"), &s->match);
}

/* The claim of a pass names that job, whoever ordered the pass. */
static bool claimed_as_pass(const struct view *v, const struct situation *s, const char *id)
{
    const struct document *rvm;
    size_t at = 0;

    while (id && (rvm = referrer_next(s->pvm, "RestoredVirtualMachine", &at)))
        if (str_eq_nocase(value_str_at(view_facts(v, rvm), "place.claims.pass.job"), id))
            return true;
    return false;
}

/* An export pass is a restore of disks too. While the key is lost, a restore of disks that runs is a pass, even before
 * its claim names it: taken for the ordered restore, it would end an order that was never carried out. */
static void set_passes_aside(const struct view *v, struct situation *s)
{
    struct value *others = value_list(v->arena);
    bool lost = diagnose(&s->now, s->article).outcome == DX_FAILS_AND_EXPORTS &&
                (s->given == DX_GIVEN_NOTHING || diagnose(&s->named, s->article).outcome != DX_SUCCEEDS);

    if (!s->doc || s->match.type != RESTORE_DISKS)
        return;
    for (size_t i = 0; i < value_count(s->match.others); i++)
        value_push(v->arena, others, value_item(s->match.others, i));
    for (size_t i = 0; i < value_count(s->jobs); i++) {
        const struct value *job = value_item(s->jobs, i);
        const char *id = value_str_at(job, "job");

        if (!str_eq_nocase(id, s->match.own) && (claimed_as_pass(v, s, id) || (lost && job_lasts(job))))
            value_push(v->arena, others, value_get(job, "job"));
    }
    if (value_count(others) == value_count(s->match.others))
        return;
    s->match.others = others;
    s->jobs = jobs_matching(v->arena, value_get(view_facts(v, s->pvm), "jobs"), &s->match);
}

/* A revoked key is as good as none, whatever its state. The one way that is left is a new key beside it, which only
 * reads the old one: policy says whether. */
static enum dx_key with_revoked(const struct situation *s, enum dx_given given, enum dx_key key)
{
    bool beside = given == DX_GIVEN_OTHER_KEY && key == DX_KEY_PRESENT && s->article == DX_ARTICLE_2026_07;

    return s->revoked && s->now.encryption == DX_CMK && !beside ? DX_KEY_REVOKED : key;
}

/* The reason counts for the key that the point needs, and for that of the set which would be named. */
static const char *revocation(const struct view *v, const struct situation *s)
{
    const char *reason = s->original_url ? key_revoked_at(v, s->original_url) : NULL;

    /* Another version of the point's key may be revoked: the point does not need that one. */
    reason = reason || !s->original_key || s->original_url ? reason : key_revoked(v, s->original_key);
    return reason || !s->doc ? reason : key_revoked(v, s->key);
}

/* As it is now, with the declared set named. */
static struct dx_facts with_set_named(const struct view *v, const struct situation *s)
{
    struct dx_facts named = s->now;

    if (s->given == DX_GIVEN_NOTHING)
        return named;
    named.given = s->given;
    named.fault = situation_fault(v, s, false);
    named.grants = situation_grants_worse(
        situation_grants_worse(situation_rights_of_original(v, s->key, set_named(s), view_facts(v, s->des)),
                               situation_rights_nowhere(v, s->key, s->des)),
        situation_grants_worse(situation_rights_by_address(v, s), situation_firewall_state(v, s->key)));
    return named;
}

static struct situation situation_make(const struct view *v, const struct document *pvm, const struct document *doc,
                                       const struct value *point)
{
    static const enum dx_restore restores[] = {
        [RESTORE_NEW_VM] = DX_NEW_VM, [RESTORE_DISKS] = DX_DISKS, [RESTORE_REPLACE] = DX_REPLACE};
    struct situation s = {.doc = doc, .pvm = pvm, .des = doc ? document_target(doc, "spec.diskEncryptionSet") : NULL};
    const struct value *backup = view_facts(v, pvm), *set;

    s.original_des = value_str_at(backup, "source.des");
    find_documents(v, &s);
    if (doc)
        s.order = order_for(v, doc);
    s.point = point ? point : point_of(v, &s);
    if (doc)
        find_jobs(v, &s);
    situation_find_original(v, &s);
    s.revoked = revocation(v, &s);
    s.made_anew = situation_made_anew(v, &s);
    set = situation_original_set(v, &s);
    s.now = (struct dx_facts){
        .encryption = encryption_of(backup, &s),
        .restore = restores[situation_type(doc)],
        .tier = situation_tier(s.point),
        .snapshot = str_eq(value_str_at(s.point, "snapshot"), "valid") ? DX_SNAPSHOT_TOO : DX_SNAPSHOT_NONE,
        .store = situation_store_state(v, s.original_key),
        .home = situation_home(&s),
        .des = situation_set_state(v, &s),
        .key = situation_key_state(v, s.original_key, s.original.version),
        .grants = situation_grants_worse(
            situation_rights_of_original(v, key_wrapping(v, &s), s.original_des ? s.original_des : "", set),
            situation_firewall_state(v, key_wrapping(v, &s))),
        .given = DX_GIVEN_NOTHING,
        .source_vm = source_of(backup),
        .rotation =
            value_str_at(set, "live.properties.autoKeyRotationError.code") ? DX_ROTATION_STUCK : DX_ROTATION_FINE,
        .data_disks = data_of(backup, s.point),
    };
    s.article = dx_article_of(v->settings->article);
    s.given = situation_given(v, &s);
    foresee(v, &s);
    s.then.key = with_revoked(&s, s.given, s.then.key);
    s.named = with_set_named(v, &s);
    s.named.key = with_revoked(&s, s.given, s.named.key);
    s.now.key = with_revoked(&s, DX_GIVEN_NOTHING, s.now.key);
    set_passes_aside(v, &s);
    return s;
}

struct situation situation_foreseen(const struct view *v, const struct document *doc)
{
    return situation_make(v, document_target(doc, "spec.from"), doc, NULL);
}

static const struct situation *kept(const struct view *v, struct situation s)
{
    struct situation *copy = arena_new_of(v->arena, struct situation);

    *copy = s;
    return copy;
}

/* As things are seen; a backup that no document names has none. */
static const struct situation *seen_of(const struct view *v, const struct document *doc)
{
    struct concluded_parts *parts = concluded_parts(v, doc);
    struct view seen = concluded_from(v);

    if (!parts)
        return kept(v, situation_foreseen(v, doc));
    if (!parts->situation)
        parts->situation = document_target(doc, "spec.from") ? kept(v, situation_foreseen(&seen, doc))
                                                             : arena_new_of(v->arena, struct situation);
    return parts->situation;
}

const struct situation *situation_of(const struct view *v, const struct document *doc)
{
    const struct restore_conclusion *own = view_own(v, doc);

    return own ? &own->situation : seen_of(v, doc);
}

const struct situation *situation_at(const struct view *v, const struct document *pvm, const struct document *doc,
                                     const struct value *point)
{
    const struct situation *declared = doc && document_target(doc, "spec.from") == pvm ? situation_of(v, doc) : NULL;

    return declared && (!point || point == declared->point) ? declared : kept(v, situation_make(v, pvm, doc, point));
}
