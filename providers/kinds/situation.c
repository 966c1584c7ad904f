/* Knows how observed facts of a key, its set, its grants and its backup become the facts of the scenario table. Must not
 * know what is done about them. */
#include "situation.h"

#include "key_document.h"
#include "protected_vm.h"

enum restore_type situation_type(const struct document *doc)
{
    const char *type = value_str_at(doc->spec, "restore");

    return str_eq(type, "disks") ? RESTORE_DISKS : str_eq(type, "replace") ? RESTORE_REPLACE : RESTORE_NEW_VM;
}

static enum dx_key key_state(const struct view *v, const struct document *key)
{
    const struct value *live = value_at(view_facts(v, key), "live");
    const char *state = key ? view_state(v, key) : "unseen";
    int64_t exp = value_int_at(live, "attributes.exp", 0);

    if (str_eq(state, "absent"))
        return DX_KEY_PURGED;
    if (str_eq(state, "deleted"))
        return DX_KEY_DELETED;
    if (!str_eq(state, "present") || !live)
        return DX_KEY_UNKNOWN;
    if (!value_bool_at(live, "attributes.enabled", true))
        return DX_KEY_DISABLED;
    return exp && exp <= v->now_ms / SECOND_MS ? DX_KEY_EXPIRED : DX_KEY_PRESENT;
}

static enum dx_store store_state(const struct view *v, const struct document *key)
{
    const char *state = value_str_at(view_facts(v, key), "storeState");

    if (str_eq(state, "present"))
        return DX_STORE_PRESENT;
    return str_eq(state, "deleted") ? DX_STORE_DELETED : str_eq(state, "absent") ? DX_STORE_PURGED : DX_STORE_UNKNOWN;
}

static bool lacks(const struct value *principal)
{
    return !value_get(principal, "missing") || value_count(value_get(principal, "missing")) > 0;
}

/* The first principal that lacks a right, over every KeyAccess of this key. Without any KeyAccess nobody knows. */
static enum dx_grants grants_state(const struct view *v, const struct document *key)
{
    static const enum dx_grants by_user[] = {DX_GRANTS_DES_LACKS, DX_GRANTS_ORCHESTRATOR_LACKS, DX_GRANTS_BACKUP_LACKS};
    enum dx_grants found = DX_GRANTS_UNKNOWN;
    const struct document *access;
    size_t at = 0;

    while (key && (access = referrer_next(key, "KeyAccess", &at))) {
        const struct value *principals = value_get(view_facts(v, access), "principals");

        for (size_t i = 0; i < value_count(principals); i++) {
            enum dx_grants g =
                lacks(value_item(principals, i)) ? by_user[value_int_at(value_item(principals, i), "user", 0)] : DX_GRANTS_OK;

            if (found == DX_GRANTS_UNKNOWN || found == DX_GRANTS_OK || (g != DX_GRANTS_OK && g < found))
                found = g;
        }
    }
    return found;
}

/* The set the VM was backed up with. It is known only while the source VM still names it. */
static enum dx_des des_state(const struct view *v, const struct situation *s)
{
    const struct value *des = s->des ? view_facts(v, s->des) : NULL;
    const char *have = value_str_at(des, "live.properties.activeKey.keyUrl"), *want;
    const struct value *url;

    if (!s->original_des)
        return DX_DES_UNKNOWN;
    if (!arm_id_equal(s->original_des, s->des_id))
        return DX_DES_UNKNOWN;
    if (str_eq(view_state(v, s->des), "absent"))
        return DX_DES_GONE;
    url = key_wanted_url(v, s->des, "spec.key");
    want = value_str(url);
    if (!have || !want)
        return DX_DES_UNKNOWN;
    if (str_eq_nocase(have, want))
        return DX_DES_INTACT;
    /* Same key, another version: rotated. */
    return str_starts_nocase(have, arm_id_parent(v->arena, want, 1)) ? DX_DES_ROTATED : DX_DES_REPOINTED;
}

/* securedVMDetails goes with the request only when the point has a vault tier and the declared set is not the original,
 * never for platform-managed keys or a replace. A set known to be another one needs naming from a snapshot too, which
 * row R-06 then refuses; with the original unknown, a snapshot is restored plainly and verified. */
static enum dx_given what_to_give(const struct situation *s)
{
    bool same = s->original_des && s->des_id && arm_id_equal(s->original_des, s->des_id);

    if (s->now.encryption == DX_PMK || situation_type(s->doc) == RESTORE_REPLACE || !s->des_id)
        return DX_GIVEN_NOTHING;
    return !same && (s->now.tier == DX_VAULT || s->original_des) ? DX_GIVEN_SAME_KEY : DX_GIVEN_NOTHING;
}

static bool will_be(const struct view *v, const struct document *doc)
{
    return !doc || view_prospect(v, doc) != PROSPECT_BLOCKED;
}

/* How things stand once every other document's steps are done; what is blocked stays as it is. */
static void foresee(const struct view *v, struct situation *s)
{
    const struct document *access;
    bool granted = true;
    size_t at = 0;

    s->then = s->now;
    s->then.given = s->given;
    if (will_be(v, s->key) && view_prospect(v, s->key) == PROSPECT_PENDING) {
        s->then.key = DX_KEY_PRESENT;
        s->then.store = DX_STORE_PRESENT;
    }
    while (s->key && (access = referrer_next(s->key, "KeyAccess", &at)))
        granted = granted && will_be(v, access);
    /* Grants that nobody declares are taken to be there: they are not ours to judge, and the restore itself will say. */
    if (granted)
        s->then.grants = DX_GRANTS_OK;
    if (s->then.des == DX_DES_GONE && view_prospect(v, s->des) == PROSPECT_PENDING && s->given == DX_GIVEN_NOTHING)
        s->then.des = DX_DES_UNKNOWN;
    if ((s->then.des == DX_DES_ROTATED || s->then.des == DX_DES_REPOINTED) && s->des && view_prospect(v, s->des) == PROSPECT_PENDING)
        s->then.des = DX_DES_INTACT;
}

struct situation situation_of(const struct view *v, const struct document *doc)
{
    struct situation s = {.doc = doc, .pvm = document_target(doc, "spec.from"), .des = document_target(doc, "spec.diskEncryptionSet")};
    const struct value *facts = view_facts(v, s.pvm);

    s.key = s.des ? document_target(s.des, "spec.key") : NULL;
    s.order = order_for(v, doc);
    s.point = s.order.point ? protected_vm_point(v, s.pvm, s.order.point) : protected_vm_newest_vault_point(v, s.pvm);
    s.des_id = reference_id(v->arena, doc, "spec.diskEncryptionSet", disk_encryption_set_id);
    s.original_des = value_str_at(facts, "source.des");
    s.match = (struct job_match){
        .vm = value_str_at(s.pvm->spec, "source.name"),
        .type = situation_type(doc),
        .point_ms = time_parse(value_str_at(s.point, "time")),
        .target_group = value_str_at(doc->spec, "target.resourceGroup"),
        .target_vm = situation_type(doc) == RESTORE_NEW_VM ? value_str_at(doc->spec, "target.name") : NULL,
        .not_exports = true,
        .since_ms = s.order.state == ORDER_NONE ? INT64_MAX : s.order.not_before_ms,
    };
    s.jobs = jobs_matching(v->arena, value_get(facts, "jobs"), &s.match);
    s.now = (struct dx_facts){
        .encryption = !s.point || value_bool_at(s.point, "customerKey", true) ? DX_CMK : DX_PMK,
        .tier = str_eq(value_str_at(s.point, "vault"), "valid") ? DX_VAULT : DX_SNAPSHOT_ONLY,
        .store = store_state(v, s.key),
        .des = des_state(v, &s),
        .key = key_state(v, s.key),
        .grants = grants_state(v, s.key),
        .given = DX_GIVEN_NOTHING,
    };
    s.article = dx_article_of(v->settings->article);
    s.given = what_to_give(&s);
    foresee(v, &s);
    return s;
}
