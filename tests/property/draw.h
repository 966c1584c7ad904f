/* A random state of the world, drawn from a seed, in the words of the scenario table: what is left of store, key,
 * versions and set, in which tier the point is, who may do what, what the restore names, which of the open questions is
 * answered how. And that state as a World and the manifests of its estate. Knows the documents' vocabulary; must not
 * know the diagnosis. */
#ifndef REINSTATE_TEST_DRAW_H
#define REINSTATE_TEST_DRAW_H

#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/format/schema.h"

enum home { HOME_VAULT, HOME_HSM };
enum store { STORE_THERE, STORE_DELETED, STORE_PURGED };
enum key {
    KEY_FINE,
    KEY_OFF,
    KEY_OVER,
    KEY_SOFT,
    KEY_GONE,
    KEY_OTHER_NOW
}; /* usable, disabled, expired, soft-deleted, purged, replaced */
enum set { SET_INTACT, SET_ROTATED, SET_REPOINTED, SET_MOVED, SET_FOREIGN, SET_GONE };
enum tier { TIER_VAULT_ONLY, TIER_BOTH, TIER_SNAPSHOT, TIER_NONE };
enum grants { GRANTS_FINE, GRANTS_NO_BACKUP, GRANTS_NO_SET, GRANTS_NO_ORCHESTRATOR, GRANTS_SHUT, GRANTS_SHUT_BYPASS };
enum supplied {
    SUPPLIED_ORIGINAL,
    SUPPLIED_SAME,
    SUPPLIED_MOVED,
    SUPPLIED_NEWER,
    SUPPLIED_OTHER,
    SUPPLIED_FOREIGN,
    SUPPLIED_FOREIGN_BESIDE,
    SUPPLIED_MISSING,
    SUPPLIED_WRONG_TYPE,
    SUPPLIED_ELSEWHERE
};
enum source { SOURCE_GONE, SOURCE_STOPPED, SOURCE_RUNS };
enum data {
    DATA_NONE,
    DATA_ORDINARY,
    DATA_CONFIDENTIAL,
    DATA_CONFIDENTIAL_CMK
}; /* the last two: one fact, two spellings */
enum own { OWN_ALL, OWN_NO_GRANTING, OWN_NO_KEYS, OWN_NO_BLOBS };
enum custom { CUSTOM_NONE, CUSTOM_ENOUGH, CUSTOM_SHORT }; /* services hold roles of somebody's own making */
enum wrong { WRONG_NOTHING, WRONG_REVOKED, WRONG_MISTYPED, WRONG_YOUNGER, WRONG_REGION };

struct drawn {
    uint64_t random;
    bool platform_key, policies, newer, stuck, disks, ordered, exports, declares_version, key_scope;
    enum home home;
    enum store store;
    enum key key;
    enum set set;
    enum tier tier;
    enum grants grants;
    enum supplied supplied;
    enum source source;
    bool replace, domain_lost, on_key_alone, user_assigned, twin, two_operators;
    bool inside; /* the rules of a closed firewall let us in */
    enum data data;
    enum own own;
    enum wrong wrong;
    bool by_group;      /* the services hold their roles as members of a group */
    bool ops_short;     /* the key may not unwrap */
    enum custom custom;
    const char *left;   /* the document that is left alone; NULL: none */
    bool observed;      /* it may be used, but not changed */
    const char *skew;    /* of this machine's clock; NULL: none */
    const char *article; /* of the World; "strictest", or an edition, which the Policy then follows too */
    struct {
        const char *name, *value;
    } knobs[2];
    size_t n_knobs;
};

/* --- drawing ------------------------------------------------------------------------------------------------------ */

static inline uint64_t draw(struct drawn *d)
{
    uint64_t z = d->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline bool chance(struct drawn *d, unsigned percent)
{
    return draw(d) % 100 < percent;
}

/* One of n by weights. */
static inline int pick(struct drawn *d, const unsigned char *weights, int n)
{
    unsigned sum = 0, at;

    for (int i = 0; i < n; i++)
        sum += weights[i];
    at = (unsigned)(draw(d) % sum);
    for (int i = 0; i < n; i++) {
        if (at < weights[i])
            return i;
        at -= weights[i];
    }
    return 0;
}
#define PICK(d, ...) pick((d), (const unsigned char[]){__VA_ARGS__}, (int)sizeof((const unsigned char[]){__VA_ARGS__}))

static inline void draw_knobs(struct drawn *d, const struct value *behaviour)
{
    size_t wanted = (size_t)PICK(d, 50, 35, 15);

    while (d->n_knobs < wanted) {
        const struct member *m = &behaviour->map.members[draw(d) % value_count(behaviour)];
        const struct value *values =
            value_get(m->value, "enum") ? value_get(m->value, "enum") : value_get(m->value, "examples");

        if (!value_get(m->value, "x-source") || str_eq(m->key, "article") || !value_count(values))
            continue;
        if (d->n_knobs && str_eq(d->knobs[0].name, m->key))
            continue;
        d->knobs[d->n_knobs].name = m->key;
        d->knobs[d->n_knobs++].value = value_str(value_item(values, draw(d) % value_count(values)));
    }
}

/* An open question that would seldom be met by chance, where it matters. */
static inline void draw_question(struct drawn *d, const char *name, const char *value)
{
    d->knobs[0].name = name;
    d->knobs[0].value = value;
    d->n_knobs = 1;
}

/* Thought of later still. */
static inline void draw_last(struct drawn *d)
{
    static const char *const left[] = {"prod",  "kv-one", "hsm-one", "key",   "set",
                                       "users", "rsv",    "vm",      "vm-dr", "order"};
    bool by_roles = d->home == HOME_VAULT && !d->policies;

    d->by_group = by_roles && chance(d, 3);
    d->custom = by_roles ? (enum custom)PICK(d, 92, 5, 3) : CUSTOM_NONE;
    d->ops_short = !d->platform_key && chance(d, 4);
    d->left = chance(d, 6) ? left[draw(d) % COUNT(left)] : NULL;
    d->observed = d->left && chance(d, 50);
}

/* Drawn last, so that a state without them is what it was before they were thought of. */
static inline void draw_rarer(struct drawn *d)
{
    static const char *const skews[] = {NULL, "25m", "-3h", "7d", "-7d"};
    bool restorable = !d->platform_key;

    d->replace = d->source != SOURCE_GONE && chance(d, 10);
    d->disks = d->disks && !d->replace;
    if (d->replace && chance(d, 20))
        draw_question(d, "replaceSupported", "no");
    else if (d->grants == GRANTS_NO_SET && chance(d, 10))
        draw_question(d, "rightsError", "unnamed");
    d->data = d->source == SOURCE_GONE ? DATA_NONE : (enum data)PICK(d, 85, 7, 4, 4);
    /* An HSM of that name again, made anew: nobody has given it the old security domain. */
    d->domain_lost = d->home == HOME_HSM && d->key == KEY_GONE && chance(d, 40);
    d->on_key_alone = d->home == HOME_VAULT && !d->policies && chance(d, 10);
    d->own = (enum own)PICK(d, 91, 3, 3, 3);
    d->user_assigned = restorable && chance(d, 10);
    d->skew = skews[PICK(d, 88, 3, 3, 3, 3)];
    d->two_operators = chance(d, 8);
    d->twin = chance(d, 8);
    d->wrong = restorable ? (enum wrong)PICK(d, 88, 4, 3, 3, 2) : WRONG_NOTHING;
    d->newer |= d->wrong == WRONG_YOUNGER;
    d->declares_version |= d->wrong == WRONG_MISTYPED || d->wrong == WRONG_YOUNGER;
    d->inside = (d->grants == GRANTS_SHUT || d->grants == GRANTS_SHUT_BYPASS) && chance(d, 75);
    if (!d->n_knobs && d->set == SET_ROTATED && d->tier == TIER_SNAPSHOT && chance(d, 50))
        draw_question(d, "rotationReachesSnapshots", "no");
    draw_last(d);
}

/* `behaviour`: the settings as the schema of World lists them. The same seed and number give the same state. */
static inline struct drawn draw_state(uint64_t seed, size_t number, bool hsm, const struct value *behaviour)
{
    struct drawn d = {.random = seed * 0x100000001b3u + number};
    static const char *const articles[] = {"strictest", "2026-02", "2026-07"};

    d.platform_key = chance(&d, 3);
    d.home = hsm && chance(&d, 25) ? HOME_HSM : HOME_VAULT;
    d.policies = d.home == HOME_VAULT && chance(&d, 30);
    d.store = (enum store)PICK(&d, 78, 10, 12);
    d.key = d.store == STORE_THERE ? (enum key)PICK(&d, 40, 10, 10, 12, 16, 12) : KEY_FINE;
    d.newer = chance(&d, 40);
    d.set = (enum set)PICK(&d, 34, 14, 12, 8, 8, 24);
    d.stuck = chance(&d, 4);
    d.tier = (enum tier)PICK(&d, 45, 30, 22, 3);
    d.grants = (enum grants)PICK(&d, 60, 10, 10, 10, 5, 5);
    d.supplied = (enum supplied)PICK(&d, 30, 26, 8, 8, 8, 6, 5, 3, 3, 3);
    d.source = (enum source)PICK(&d, 45, 40, 15);
    d.article = articles[PICK(&d, 50, 25, 25)];
    d.disks = chance(&d, 20);
    d.ordered = chance(&d, 88);
    d.exports = chance(&d, 88);
    d.declares_version = chance(&d, 88);
    d.key_scope = chance(&d, 20);
    /* What a set rotated to, and what is named as newer, exists. */
    d.newer |= d.set == SET_ROTATED || d.supplied == SUPPLIED_NEWER;
    draw_knobs(&d, behaviour);
    draw_rarer(&d);
    return d;
}

/* --- as text ------------------------------------------------------------------------------------------------------ */

#define SUB "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002"
#define GROUP(name) SUB "/resourceGroups/" name
#define V_OLD "3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5"
#define V_NEW "4e2d6f1bac8f4d32b7e9f102c3d4e5f6"
#define V_THIRD "5f3e702cbd904e43c8fa0213d4e5f607"
#define V_STRANGE "6a4f813dcea15f54d90b1324e5f60718"
#define ID_SET "0f0f0f0f-0000-4000-8000-0000000000d1"
#define ID_GROUP "0f0f0f0f-0000-4000-8000-0000000000d3"
#define ID_GIVEN "0f0f0f0f-0000-4000-8000-0000000000d2"
#define POINT "805440465632125"
#define POINT_TWIN "805440465632126"
#define V_MISTYPED "3d1c5f0a9b7e4c21a6d8e0f1b2c3d4ee"
#define IDENTITY_ID GROUP("rg-keys") "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one"

/* Text with ' for ": JSON without the noise. */
static inline void add(struct text *t, const char *fmt, ...) printf_like(2, 3);
static inline void add(struct text *t, const char *fmt, ...)
{
    struct arena *a = arena_new();
    va_list ap;

    va_start(ap, fmt);
    for (const char *p = arena_vprintf(a, fmt, ap); *p; p++)
        text_add_char(t, *p == '\'' ? '"' : *p);
    va_end(ap);
    arena_free(a);
}

static inline struct value *parsed(struct arena *a, const struct text *t)
{
    struct value *v = NULL;
    struct err err;

    if (json_parse(a, text_str(t), t->len, &v, &err) < 0) {
        fprintf(stderr, "draw.h: %s\n%s\n", err.text, text_str(t));
        exit(2);
    }
    return v;
}

/* The stores: that of the point's key; the one a set has moved to; the one of the set that is named. */
static const char *const store_names[2][3] = {{"kv-one", "kv-two", "kv-three"}, {"hsm-one", "hsm-two", "hsm-three"}};

static inline bool store_used(const struct drawn *d, int which)
{
    if (which == 1)
        return d->set == SET_MOVED || d->set == SET_FOREIGN;
    return which == 0 || d->supplied == SUPPLIED_MOVED || d->supplied == SUPPLIED_FOREIGN ||
           d->supplied == SUPPLIED_FOREIGN_BESIDE;
}

static inline bool store_there(const struct drawn *d, int which)
{
    return store_used(d, which) && (which > 0 || d->store == STORE_THERE);
}

static inline bool set_named_exists(const struct drawn *d)
{
    return d->supplied != SUPPLIED_ORIGINAL && d->supplied != SUPPLIED_MISSING;
}

#include "draw_stores.h"
#include "draw_world.h"

/* --- the manifests ------------------------------------------------------------------------------------------------ */

static inline void add_document(struct text *t, const char *kind, const char *name, const char *fmt, ...)
    printf_like(4, 5);
static inline void add_document(struct text *t, const char *kind, const char *name, const char *fmt, ...)
{
    struct arena *a = arena_new();
    va_list ap;

    va_start(ap, fmt);
    add(t, "%s{'apiVersion':'reinstate/v1','kind':'%s','metadata':{'name':'%s'},'spec':%s}", t->len > 1 ? "," : "",
        kind, name, arena_vprintf(a, fmt, ap));
    va_end(ap);
    arena_free(a);
}

/* The document of the key that the named set is on. */
static inline const char *key_document_named(const struct drawn *d)
{
    switch (d->supplied) {
    case SUPPLIED_NEWER:
        return "key-newer";
    case SUPPLIED_OTHER:
        return "key-other";
    case SUPPLIED_MOVED:
        return "key-moved";
    case SUPPLIED_FOREIGN:
    case SUPPLIED_FOREIGN_BESIDE:
        return "key-foreign";
    default:
        return "key";
    }
}

static inline const char *version_declared(const struct drawn *d)
{
    if (d->wrong == WRONG_MISTYPED)
        return "'version':'" V_MISTYPED "',";
    if (d->wrong == WRONG_YOUNGER)
        return "'version':'" V_NEW "',";
    return d->declares_version ? "'version':'" V_OLD "'," : "";
}

static inline void add_key_documents(struct text *t, const struct drawn *d)
{
    const char *const *stores = store_names[d->home];
    const char *named = key_document_named(d), *store, *name, *version;
    const char *region = d->wrong == WRONG_REGION ? ",'location':'koreacentral'" : "";

    for (int i = 0; i < 3; i++)
        if (store_used(d, i) && d->home == HOME_HSM)
            add_document(t, "ManagedHsm", stores[i], "{'resourceGroup':'rg-keys','purgeProtection':true%s}", region);
        else if (store_used(d, i))
            add_document(t, "KeyVault", stores[i],
                         "{'resourceGroup':'rg-keys','permissionModel':'%s','purgeProtection':true%s}",
                         d->policies ? "access-policies" : "azure-rbac", region);
    add_document(
        t, "Key", "key", "{'store':'%s','keyName':'os',%s%s'sources':[{'recover':{}},{'azureBackup':{'from':['vm']}}]}",
        stores[0], version_declared(d), d->wrong == WRONG_REVOKED ? "'revoked':{'reason':'copied, SEC-12'}," : "");
    set_key(d, false, &store, &name, &version);
    if (!str_eq(named, "key"))
        add_document(t, "Key", named, "{'store':'%s','keyName':'%s','version':'%s','sources':[{'recover':{}}]}", store,
                     name, version);
    if (d->supplied == SUPPLIED_FOREIGN_BESIDE)
        add_document(t, "Key", "key-beside",
                     "{'store':'%s','keyName':'os','version':'" V_OLD "','sources':[{'recover':{}}]}", stores[2]);
}

static inline struct value *leave_alone(struct arena *a, const struct drawn *d, struct value *documents)
{
    for (size_t i = 0; d->left && i < value_count(documents); i++) {
        struct value *metadata = (struct value *)value_get(value_item(documents, i), "metadata"), *all = value_map(a);

        if (!str_eq(value_str_at(metadata, "name"), d->left))
            continue;
        value_set_string(a, all, d->observed ? "reinstate/mode" : "reinstate/suspend",
                         d->observed ? "observe" : "an auditor looks at it");
        value_set(a, metadata, "annotations", all);
    }
    return documents;
}

static inline struct value *drawn_manifests(struct arena *a, const struct drawn *d)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    bool original = d->supplied == SUPPLIED_ORIGINAL;

    add(&t, "[");
    add_document(&t, "Azure", "prod",
                 "{'cloud':'AzurePublic','tenant':'0f0f0f0f-0000-4000-8000-000000000001','subscription':"
                 "'0f0f0f0f-0000-4000-8000-000000000002','location':'uaenorth'}");
    add_key_documents(&t, d);
    add_document(&t, "DiskEncryptionSet", "set",
                 "{'setName':'%s','resourceGroup':'%s','encryptionType':'ConfidentialVmEncryptedWithCustomerKey','key':"
                 "'%s','rotation':'pinned',"
                 "'identity':%s%s}",
                 original ? "des" : "des-dr", original ? "rg-vm" : "rg-dr", key_document_named(d),
                 d->user_assigned ? "{'type':'UserAssigned','userAssigned':['" IDENTITY_ID "']}"
                                  : "{'type':'SystemAssigned'}",
                 d->supplied == SUPPLIED_ELSEWHERE ? ",'location':'koreacentral'" : "");
    add_document(
        &t, "KeyAccess", "users",
        "{'key':'%s','purpose':'confidential-vm','scope':'%s','principals':[{'diskEncryptionSet':'set'},{'wellKnown':"
        "'ConfidentialVmOrchestrator'},{'wellKnown':'BackupManagementService'}]}",
        key_document_named(d), d->key_scope ? "key" : "vault");
    add_document(&t, "RecoveryServicesVault", "rsv", "{'resourceGroup':'rg-backup'}");
    add_document(&t, "ProtectedVirtualMachine", "vm", "{'vault':'rsv','source':{'resourceGroup':'rg-vm','name':'vm'}}");
    add_document(&t, "RestoredVirtualMachine", "vm-dr",
                 "{'from':'vm','restore':'%s',%s'target':{%s,'stagingAccount':{'id':'" GROUP("rg-dr")
                 "/providers/Microsoft.Storage/storageAccounts/stdr'}},'besideSource':true,'evenIfSourceHealthy':%s,"
                 "'verify':{'powerState':'running'}}",
                 d->replace ? "replace" : d->disks ? "disks" : "new-vm",
                 d->platform_key ? "" : "'diskEncryptionSet':'set',",
                 d->replace ? "'resourceGroup':'rg-vm','name':'vm'"
                            : "'resourceGroup':'rg-dr','name':'vm-r','subnet':{'id':'" GROUP("rg-dr")
                              "/providers/Microsoft.Network/virtualNetworks/vnet/subnets/default'}",
                 d->source == SOURCE_RUNS ? "true" : "false");
    if (d->ordered)
        add_document(&t, "Activation", "order",
                     "{'restores':[{'virtualMachine':'vm-dr','recoveryPoint':'" POINT
                     "'}],'exports':'%s','notBefore':'2026-11-23T02:00:00Z',"
                     "'notAfter':'2026-11-25T02:00:00Z','purpose':'recovery','incident':'INC-1'}",
                     d->exports ? "allowed" : "forbidden");
    if (!str_eq(d->article, "strictest"))
        add_document(&t, "Policy", "reading", "{'article':'%s'}", d->article);
    add(&t, "]");
    return leave_alone(a, d, parsed(a, &t));
}

#endif
