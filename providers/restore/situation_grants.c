/* Knows whether those who need the key may use it, now and once all that is declared is granted. Must not know which
 * set a restore names. */
#include "situation_parts.h"

#include <string.h>

#include "../documents/concluded.h"
#include "../documents/found.h"
#include "../documents/things.h"

#include "../azure/geography.h"
#include "../access/grants.h"
#include "../access/rights.h"
#include "../access/seen.h"

static bool lacks(const struct value *principal, bool then)
{
    if (then)
        return value_count(value_get(principal, "lacksAfter")) > 0;
    return !value_get(principal, "missing") || value_count(value_get(principal, "missing")) > 0;
}

/* The rights of an identity that cannot be seen are unknown, and must not be called lacking; an identity that is gone
 * holds none. */
static bool rights_unseen(const struct view *v, const struct document *access, size_t i, const struct value *principal)
{
    const struct document *set =
        document_target(access, arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", i));

    return !value_get(principal, "missing") && set && str_eq(view_state(v, set), "unseen");
}

/* Groups may give it what it is not seen to hold: nobody is told who is in one. */
static bool rights_of_group(const struct view *v, const struct document *access, const struct value *principal)
{
    const struct value *facts = view_facts(v, access);

    return value_str_at(principal, "objectId") && str_eq(value_str_at(facts, "model"), "azure-rbac") &&
           rbac_groups_may_give(v->arena, value_get(facts, "assignments"), value_str_at(principal, "objectId"),
                                key_rights[value_int_at(principal, "user", 0)].data_actions);
}

/* How early a restore fails for it: 0 not at all. */
static int grants_rank(enum dx_grants g)
{
    static const int ranks[] = {
        [DX_GRANTS_OK] = 0,
        [DX_GRANTS_UNKNOWN] = 1,
        [DX_GRANTS_ORCHESTRATOR_UNSURE] = 2,
        [DX_GRANTS_ORCHESTRATOR_LACKS] = 3,
        [DX_GRANTS_ORCHESTRATOR_SHUT] = 3,
        [DX_GRANTS_DES_LACKS] = 4,
        [DX_GRANTS_FIREWALL] = 5,
        [DX_GRANTS_BACKUP_LACKS] = 6,
    };

    return ranks[g];
}

/* Where set or service may lack a right, the restore may fail before the Orchestrator is asked. */
static enum dx_grants untold_first(enum dx_grants found)
{
    return grants_rank(found) < grants_rank(DX_GRANTS_DES_LACKS) ? DX_GRANTS_UNKNOWN : found;
}

enum dx_grants situation_grants_worse(enum dx_grants x, enum dx_grants y)
{
    return grants_rank(x) >= grants_rank(y) ? x : y;
}

bool situation_of_another_set(const struct view *v, const struct document *access, size_t i, const char *set_id)
{
    const char *path = grant_is_single(access) ? "spec.principal.diskEncryptionSet"
                                               : arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", i);

    return document_reference(access, path) &&
           !arm_id_equal(reference_id(v->arena, access, path, disk_encryption_set_id), set_id);
}

/* The key of the set that the restore would name, declared or known by its address alone. */
static const char *key_thing(const struct view *v, const struct situation *s)
{
    const char *url =
        s->des || !s->doc ? NULL : value_str_at(view_facts(v, s->doc), "set.live.properties.activeKey.keyUrl");

    if (s->key || url || !s->des)
        return s->key ? s->key->stands_for : url ? thing_of_url(v->arena, s->doc, url) : NULL;
    for (size_t i = 0; i < s->des->n_speaks_of; i++)
        if (str_eq(s->des->speaks_of[i].path, "spec.key") && strchr(s->des->speaks_of[i].thing, '|'))
            url = s->des->speaks_of[i].thing;
    return url;
}

void situation_find_grants(const struct view *v, struct situation *s)
{
    const char *account = s->doc ? reference_id(v->arena, s->doc, "spec.target.stagingAccount", NULL) : NULL,
               *key = key_thing(v, s), *slash = key ? strrchr(key, '|') : NULL;
    const struct document *const *all, **mine = NULL;
    size_t n;
    struct grant_place place = {
        .key = key,
        .store = slash ? arena_strndup(v->arena, key, (size_t)(slash - key)) : NULL,
        .store_id = s->key ? key_store_of(v->arena, s->key) : NULL,
        .account = account ? thing_of_id(v->arena, s->doc, account) : NULL,
    };

    all = grants_at(v, &place, &n);
    for (size_t i = 0; i < n; i++) {
        const struct document *key_of = document_target(all[i], "spec.key");

        /* A KeyAccess of another version stands for itself, with its own restores. */
        if (!key_of || !s->key || key_of == s->key)
            arena_push(v->arena, mine, s->n_grants, all[i]);
    }
    s->grants = mine;
}

static const enum dx_grants by_user[KEY_USER_COUNT] = {
    [KEY_USER_DES] = DX_GRANTS_DES_LACKS,
    [KEY_USER_ORCHESTRATOR] = DX_GRANTS_ORCHESTRATOR_LACKS,
    [KEY_USER_BACKUP] = DX_GRANTS_BACKUP_LACKS,
};

/* The first principal that lacks rights with a set that no KeyAccess declares, as far as its rights can be seen. */
static enum dx_grants rights_undeclared(const struct view *v, const struct document *key, const struct value *set)
{
    enum dx_grants found = DX_GRANTS_OK;
    bool untold = false;

    for (enum key_user user = KEY_USER_DES; user < KEY_USER_COUNT; user++) {
        enum seen_right seen = right_seen(v, key, user, set);

        if (seen != SEEN_HELD)
            found = situation_grants_worse(found, seen == SEEN_LACKING ? by_user[user] : DX_GRANTS_UNKNOWN);
        untold = untold || (seen == SEEN_UNKNOWN && user != KEY_USER_ORCHESTRATOR);
    }
    return untold ? untold_first(found) : found;
}

enum dx_grants situation_rights_nowhere(const struct view *v, const struct document *key, const struct document *set)
{
    enum dx_grants found = DX_GRANTS_OK;

    for (enum key_user user = KEY_USER_DES; key && user < KEY_USER_COUNT; user++)
        if ((set || user != KEY_USER_DES) && !right_declared(v, key, user, set) &&
            right_seen(v, key, user, view_facts(v, set)) == SEEN_LACKING)
            found = situation_grants_worse(found, by_user[user]);
    return found;
}

/* A document grants something to the identity of the set at that address. */
static bool granted_by_address(const struct view *v, const struct situation *s)
{
    for (size_t i = 0; i < s->n_grants; i++)
        for (size_t k = 0; k < s->grants[i]->n_references; k++) {
            const char *path = s->grants[i]->references[k].path;

            if (str_ends_nocase(path, ".diskEncryptionSet") &&
                arm_id_equal(reference_id(v->arena, s->grants[i], path, disk_encryption_set_id), s->des_id))
                return true;
        }
    return false;
}

/* What the identity of the set that is named by its address lacks, where no document grants it that; NULL: nothing. */
static const struct value *lacking_by_address(const struct view *v, const struct situation *s)
{
    const struct value *own =
        s->doc && !s->des && s->given != DX_GIVEN_NOTHING ? value_at(view_facts(v, s->doc), "set.own") : NULL;

    return own && value_count(value_get(own, "missing")) && !granted_by_address(v, s) ? own : NULL;
}

enum dx_grants situation_rights_by_address(const struct view *v, const struct situation *s)
{
    return lacking_by_address(v, s) ? DX_GRANTS_DES_LACKS : DX_GRANTS_OK;
}

const char *situation_grant_advice(const struct view *v, const struct situation *s)
{
    const struct value *own = lacking_by_address(v, s);

    if (own && s->then.grants == DX_GRANTS_DES_LACKS)
        return arena_printf(v->arena,
                            "no document grants it: declare {objectId: %s, as: diskEncryptionSet} in a KeyAccess of %s",
                            value_str_at(own, "principalId"), value_str_at(own, "key"));
    for (enum key_user user = KEY_USER_DES; s->key && s->given != DX_GIVEN_NOTHING && user < KEY_USER_COUNT; user++)
        if (s->then.grants == by_user[user] && (s->des || user != KEY_USER_DES) &&
            !right_declared(v, s->key, user, s->des))
            return arena_printf(v->arena, "no document grants it: declare {%s: %s} in a KeyAccess of %s",
                                user == KEY_USER_DES ? "diskEncryptionSet" : "wellKnown",
                                user == KEY_USER_DES      ? s->des->name
                                : user == KEY_USER_BACKUP ? "BackupManagementService"
                                                          : "ConfidentialVmOrchestrator",
                                s->key->address);
    return NULL;
}

const char *situation_grants_untold(const struct view *v, const struct situation *s)
{
    const char *who = NULL;

    for (enum key_user user = KEY_USER_DES; s->key && s->given != DX_GIVEN_NOTHING && user < KEY_USER_COUNT; user++)
        if ((s->des || user != KEY_USER_DES) && !right_declared(v, s->key, user, s->des) &&
            right_seen(v, s->key, user, view_facts(v, s->des)) == SEEN_UNKNOWN)
            who = arena_printf(v->arena, "%s%s%s", who ? who : "", who ? " and " : "", key_rights[user].who);
    return who ? arena_printf(v->arena,
                              "nobody has looked whether %s may use %s, and no document grants it: the restore fails, "
                              "or the VM does not start (N-26), where that is not so; declare it in a KeyAccess",
                              who, s->key->address)
               : NULL;
}

const char *situation_grants_doubt(const struct view *v, const struct situation *s)
{
    bool plain = s->given == DX_GIVEN_NOTHING;
    const struct document *set = plain ? set_document_at(v, s->original_des) : s->des,
                          *key = plain && s->original_key ? s->original_key : s->key;
    const struct value *facts = plain ? situation_original_set(v, s) : view_facts(v, s->des);
    const char *who = NULL;

    for (enum key_user user = KEY_USER_DES; key && user < KEY_USER_COUNT; user++)
        if ((set || user != KEY_USER_DES) && !right_declared(v, key, user, set) &&
            right_seen(v, key, user, facts) != SEEN_HELD)
            who = arena_printf(v->arena, "%s%s%s", who ? who : "", who ? " and " : "", key_rights[user].who);
    return who ? arena_printf(v->arena,
                              "no document grants %s the use of %s, and nobody has seen that it is granted: a restore "
                              "fails for it, or its VM does not start (N-25, N-26); declare it in a KeyAccess",
                              who, key->address)
               : NULL;
}

enum dx_grants situation_rights_state(const struct view *v, const struct document *key, const char *set_id, bool then)
{
    enum dx_grants found = DX_GRANTS_OK;
    const struct document *access;
    bool of_set = false, untold = false;
    size_t at = 0;

    while (key && (access = referrer_next(key, "KeyAccess", &at))) {
        const struct value *principals = value_get(view_facts(v, access), "principals");

        for (size_t i = 0; i < value_count(principals); i++) {
            const struct value *p = value_item(principals, i);

            if (situation_of_another_set(v, access, i, set_id))
                continue;
            of_set |= value_int_at(p, "user", 0) == KEY_USER_DES;
            if (rights_unseen(v, access, i, p)) {
                found = situation_grants_worse(found, DX_GRANTS_UNKNOWN);
            } else if (lacks(p, then) && rights_of_group(v, access, p)) {
                found = situation_grants_worse(found, DX_GRANTS_UNKNOWN);
                untold = untold || value_int_at(p, "user", 0) != KEY_USER_ORCHESTRATOR;
            } else {
                found =
                    situation_grants_worse(found, lacks(p, then) ? by_user[value_int_at(p, "user", 0)] : DX_GRANTS_OK);
            }
        }
    }
    found = untold ? untold_first(found) : found;
    return of_set ? found : situation_grants_worse(found, DX_GRANTS_UNKNOWN);
}

enum dx_grants situation_rights_of_original(const struct view *v, const struct document *key, const char *set_id,
                                            const struct value *set)
{
    enum dx_grants declared = situation_rights_state(v, key, set_id, false);

    return declared == DX_GRANTS_UNKNOWN ? rights_undeclared(v, key, set) : declared;
}

enum dx_grants situation_firewall_state(const struct view *v, const struct document *key)
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const struct value *p = value_at(view_facts(v, store), "live.properties");
    const char *bypass = value_str_at(p, "networkAcls.bypass");
    bool closed = str_eq_nocase(value_str_at(p, "networkAcls.defaultAction"), "Deny") ||
                  str_eq_nocase(value_str_at(p, "publicNetworkAccess"), "Disabled");

    /* A perimeter overrides the bypass, and its rules are not seen. */
    if (str_eq_nocase(value_str_at(p, "publicNetworkAccess"), "SecuredByPerimeter"))
        return DX_GRANTS_FIREWALL;
    if (!closed)
        return DX_GRANTS_OK;
    if (bypass && !str_find_nocase(bypass, "AzureServices"))
        return DX_GRANTS_FIREWALL;
    return value_count(value_get(p, "privateEndpointConnections")) ? DX_GRANTS_ORCHESTRATOR_UNSURE
                                                                   : DX_GRANTS_ORCHESTRATOR_SHUT;
}
