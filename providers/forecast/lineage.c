/* Knows how the facts of VMs, sets, keys and stores join into one graph of what needs what. Must not judge what follows
 * when something goes (cmd/impact.c, the scenario table). */
#include "lineage.h"

#include <string.h>

#include "../azure/key_id.h"
#include "../keys/key_facts.h"
#include "../keys/standing.h"
#include "../keys/original.h"
#include "../backup/points.h"

/* --- building ----------------------------------------------------------------------------------------------------- */

struct builder {
    const struct view *v;
    struct arena *a;
    struct lineage l;
};

static const char *const kind_words[LINEAGE_KINDS] = {
    [LINEAGE_STORE] = "key store",
    [LINEAGE_VERSION] = "key version",
    [LINEAGE_SET] = "disk encryption set",
    [LINEAGE_DISK] = "disk",
    [LINEAGE_VM] = "VM",
    [LINEAGE_POINT] = "recovery point",
};

const char *lineage_kind_words(enum lineage_kind kind)
{
    return kind_words[kind];
}

size_t lineage_find(const struct lineage *l, enum lineage_kind kind, const char *id)
{
    for (size_t i = 0; id && i < l->n_nodes; i++)
        if (l->nodes[i].kind == kind && arm_id_equal(l->nodes[i].id, id))
            return i;
    return SIZE_MAX;
}

/* The node of that id, made if there is none yet. What was only heard of is overruled by what was seen. */
static size_t node(struct builder *b, enum lineage_kind kind, const char *id, const char *name, const char *state,
                   const struct document *doc)
{
    size_t at = lineage_find(&b->l, kind, id);
    struct lineage_node fresh = {
        .kind = kind, .id = id, .name = name, .state = state ? state : "unknown", .document = doc};

    if (at == SIZE_MAX) {
        arena_push(b->a, b->l.nodes, b->l.n_nodes, fresh);
        return b->l.n_nodes - 1;
    }
    if (state && str_eq(b->l.nodes[at].state, "unknown"))
        b->l.nodes[at].state = state;
    if (doc && !b->l.nodes[at].document)
        b->l.nodes[at].document = doc;
    return at;
}

static void edge(struct builder *b, size_t from, size_t to, const char *words, bool proved)
{
    struct lineage_edge fresh = {.from = from, .to = to, .words = words, .proved = proved};

    for (size_t i = 0; i < b->l.n_edges; i++)
        if (b->l.edges[i].from == from && b->l.edges[i].to == to)
            return;
    arena_push(b->a, b->l.edges, b->l.n_edges, fresh);
}

/* --- keys and stores ---------------------------------------------------------------------------------------------- */

static char *version_url(struct arena *a, const char *base, const char *name, const char *version)
{
    return base && name && version ? arena_printf(a, "%s/keys/%s/%s", base, name, version) : NULL;
}

const char *lineage_version_url(const struct view *v, const struct document *key)
{
    const struct value *facts = view_facts(v, key);

    return version_url(v->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), key_wanted_version(v, key));
}

static const struct value *version_item(const struct value *facts, const char *version)
{
    const struct value *versions = value_get(facts, "versions");

    for (size_t i = 0; i < value_count(versions); i++)
        if (str_eq_nocase(value_str_at(value_item(versions, i), "version"), version))
            return value_item(versions, i);
    return NULL;
}

/* The state of one version of a declared key. */
static const char *version_state(const struct view *v, const struct document *key, const char *version)
{
    const struct value *facts = view_facts(v, key), *live = value_get(facts, "live"),
                       *item = version_item(facts, version);
    const char *state = view_state(v, key),
               *seen = strrchr(value_str_at(live, "key.kid") ? value_str_at(live, "key.kid") : "", '/');
    int64_t exp = value_int_at(live, "attributes.exp", 0);

    if (key_revoked_at(v, arena_printf(v->arena, "%s/keys/%s/%s", value_str_at(facts, "base"),
                                       value_str_at(facts, "name"), version)))
        return "revoked";
    if (!str_eq(state, "present"))
        return state ? state : "unseen";
    if (seen && str_eq_nocase(seen + 1, version)) {
        if (!value_bool_at(live, "attributes.enabled", true))
            return "disabled";
        return exp && exp <= v->now_ms / SECOND_MS ? "expired" : "present";
    }
    if (!value_get(facts, "versions"))
        return "unknown";
    return !item ? "absent" : value_bool_at(item, "enabled", true) ? "present" : "disabled";
}

static const struct document *key_at(const struct view *v, const char *base, const char *name)
{
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *facts = view_facts(v, doc);

        if (str_eq(doc->kind, "Key") && str_eq_nocase(value_str_at(facts, "base"), base) &&
            str_eq_nocase(value_str_at(facts, "name"), name))
            return doc;
    }
    return NULL;
}

static const struct document *store_at(const struct view *v, const char *base)
{
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if ((str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm")) &&
            str_eq_nocase(value_str_at(view_facts(v, doc), "base"), base))
            return doc;
    }
    return NULL;
}

/* "https://kv-payroll.vault.azure.net" -> "kv-payroll" */
static char *base_name(struct arena *a, const char *base)
{
    const char *host = strstr(base, "://") ? strstr(base, "://") + 3 : base;

    return arena_strndup(a, host, strcspn(host, "."));
}

/* The version behind a versioned key URL, and the store it lies in. SIZE_MAX when the URL is none. */
static size_t version_node(struct builder *b, const char *url)
{
    const struct document *key, *store;
    struct key_id id;
    size_t at, home;

    if (!key_id_parse(b->a, url, &id))
        return SIZE_MAX;
    key = key_at(b->v, id.base, id.name);
    /* Without a version the newest one is meant. */
    if (!id.version)
        id.version = value_str_at(view_facts(b->v, key), "newest");
    if (!id.version)
        return SIZE_MAX;
    store = store_at(b->v, id.base);
    at =
        node(b, LINEAGE_VERSION, version_url(b->a, id.base, id.name, id.version),
             arena_printf(b->a, "%s\n%s", id.name, id.version), key ? version_state(b->v, key, id.version) : NULL, key);
    home = node(b, LINEAGE_STORE, id.base, base_name(b->a, id.base), store ? view_state(b->v, store) : NULL, store);
    edge(b, at, home, NULL, true);
    return at;
}

/* --- sets, disks, VMs --------------------------------------------------------------------------------------------- */

static size_t set_node(struct builder *b, const char *id, const char *state, const struct value *live,
                       const struct document *doc)
{
    size_t at = node(b, LINEAGE_SET, id, arm_id_name(id), state, doc);
    size_t version = version_node(b, value_str_at(live, "properties.activeKey.keyUrl"));

    if (version != SIZE_MAX)
        edge(b, at, version, "its active key", true);
    return at;
}

static void add_set(struct builder *b, const struct document *doc)
{
    const struct value *facts = view_facts(b->v, doc), *users = value_get(facts, "associatedResources");
    const char *url = value_str(key_wanted_url(b->v, doc, "spec.key"));
    size_t at = set_node(b, disk_encryption_set_id(b->a, doc), view_state(b->v, doc), value_get(facts, "live"), doc),
           version;

    /* A set that is gone would be made anew on its declared key. */
    version = value_get(facts, "live") ? SIZE_MAX : version_node(b, url);
    if (version != SIZE_MAX)
        edge(b, at, version, "declared", false);
    for (size_t i = 0; i < value_count(users); i++) {
        const char *user = value_str(value_item(users, i));

        if (arm_id_part(b->a, user, "disks"))
            edge(b, node(b, LINEAGE_DISK, user, arm_id_name(user), "present", NULL), at, "the set lists it", true);
    }
}

/* A VM, its OS disk and the set that both name. */
static size_t vm_node(struct builder *b, const char *id, const struct value *facts, const char *state,
                      const struct value *set, const struct document *doc)
{
    const char *disk_id = value_str_at(facts, "live.properties.storageProfile.osDisk.managedDisk.id"),
               *des = value_str_at(facts, "des");
    size_t vm = node(b, LINEAGE_VM, id, arm_id_name(id), state, doc), disk;

    if (!des)
        return vm;
    if (!disk_id) {
        edge(b, vm, set_node(b, des, value_str_at(set, "state"), value_get(set, "live"), NULL), "the VM names it",
             true);
        return vm;
    }
    disk = node(b, LINEAGE_DISK, disk_id, arm_id_name(disk_id), "present", NULL);
    edge(b, vm, disk, "its OS disk", true);
    edge(b, disk, set_node(b, des, value_str_at(set, "state"), value_get(set, "live"), NULL), "the VM names it", true);
    return vm;
}

/* --- recovery points ---------------------------------------------------------------------------------------------- */

/* The Key document whose versions may be in this VM's backup: it names the VM among its sources, or is that of a set
 * which a restore of the VM names. */
static const struct document *key_of_backup(const struct document *pvm)
{
    const struct document *key, *rvm;
    size_t at = 0;

    if ((key = referrer_next(pvm, "Key", &at)))
        return key;
    at = 0;
    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        const struct document *des = document_target(rvm, "spec.diskEncryptionSet");

        if (des && document_target(des, "spec.key"))
            return document_target(des, "spec.key");
    }
    return NULL;
}

static void add_point(struct builder *b, const struct document *pvm, const struct value *point)
{
    const char *item = value_str_at(view_facts(b->v, pvm), "itemId"), *id = value_str_at(point, "id");
    struct original_key o = original_key_of(b->v, pvm, key_of_backup(pvm), point);
    size_t at = node(b, LINEAGE_POINT, arena_printf(b->a, "%s/recoveryPoints/%s", item ? item : pvm->address, id),
                     arena_printf(b->a, "%s %s", pvm->name, id), "present", pvm),
           version = version_node(b, version_url(b->a, o.base, o.name, o.version)), also;

    b->l.nodes[at].point = point;
    if (protected_vm_point_key(point) == POINT_KEY_PLATFORM)
        return;
    if (version == SIZE_MAX) {
        edge(b, at,
             node(b, LINEAGE_VERSION, arena_printf(b->a, LINEAGE_UNKNOWN "%s", pvm->name), "unknown key version", NULL,
                  NULL),
             o.words, false);
        return;
    }
    edge(b, at, version, o.conflict ? o.conflict : o.words, !o.conflict && o.evidence != KEY_EVIDENCE_CREATION);
    also = o.also ? version_node(b, version_url(b->a, o.base, o.name, o.also)) : SIZE_MAX;
    if (also != SIZE_MAX)
        edge(b, at, also, "perhaps: a rotation is said to reach its points", false);
}

static void add_protected(struct builder *b, const struct document *doc)
{
    const struct value *facts = view_facts(b->v, doc), *source = value_get(facts, "source"),
                       *points = value_get(facts, "points");

    vm_node(b, source_vm_id(b->a, doc), source, value_str_at(source, "state"), value_get(source, "set"), doc);
    for (size_t i = 0; i < value_count(points); i++)
        add_point(b, doc, value_item(points, i));
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static struct builder built(const struct view *v)
{
    struct builder b = {.v = v, .a = v->arena};

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if (str_eq(doc->kind, "DiskEncryptionSet"))
            add_set(&b, doc);
        else if (str_eq(doc->kind, "Key"))
            version_node(&b, lineage_version_url(v, doc));
        else if (str_eq(doc->kind, "ProtectedVirtualMachine"))
            add_protected(&b, doc);
        else if (str_eq(doc->kind, "RestoredVirtualMachine") && str_eq(view_state(v, doc), "present"))
            vm_node(&b, restored_vm_id(b.a, doc), view_facts(v, doc), "present", NULL, doc);
    }
    return b;
}

struct lineage lineage_of(const struct view *v)
{
    return built(v).l;
}

static size_t unseen_node(struct builder *b, enum lineage_kind kind, const struct document *doc, const char *what)
{
    return node(b, kind, arena_printf(b->a, "%s of %s", what, doc->address),
                arena_printf(b->a, "%s of %s", what, doc->name), "unseen", doc);
}

/* Points behind a vault or an item that cannot be read hang on a key that nobody can tell. */
static void add_unseen_points(struct builder *b, const struct document *pvm)
{
    const struct value *facts = view_facts(b->v, pvm);
    size_t key;

    if (!str_eq(view_state(b->v, pvm), "unseen"))
        return;
    key = version_node(b, lineage_version_url(b->v, key_of_backup(pvm)));
    if (key == SIZE_MAX)
        key = node(b, LINEAGE_VERSION, arena_printf(b->a, LINEAGE_UNKNOWN "%s", pvm->name), "unknown key version", NULL,
                   NULL);
    edge(b, unseen_node(b, LINEAGE_POINT, pvm, "the recovery points"), key,
         value_str_at(facts, "why") ? value_str_at(facts, "why") : "it was not looked at", false);
}

struct lineage lineage_with_unseen(const struct view *v)
{
    struct builder b = built(v);

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *users = value_get(view_facts(v, doc), "associatedResources");

        if (str_eq(doc->kind, "ProtectedVirtualMachine"))
            add_unseen_points(&b, doc);
        else if (str_eq(doc->kind, "Key") && str_eq(view_state(v, doc), "unseen") && !lineage_version_url(v, doc))
            unseen_node(&b, LINEAGE_VERSION, doc, "the versions");
        else if (str_eq(doc->kind, "RestoredVirtualMachine") && str_eq(view_state(v, doc), "unseen"))
            node(&b, LINEAGE_VM, restored_vm_id(b.a, doc), doc->name, "unseen", doc);
        else if (str_eq(value_str(value_item(users, 0)), DES_USERS_UNLISTED))
            edge(&b, unseen_node(&b, LINEAGE_DISK, doc, "the disks"),
                 node(&b, LINEAGE_SET, disk_encryption_set_id(b.a, doc), doc->name, NULL, doc), "cannot be listed",
                 false);
    }
    return b.l;
}

void lineage_spread(const struct lineage *l, bool *marked)
{
    bool more = true;

    while (more) {
        more = false;
        for (size_t i = 0; i < l->n_edges; i++)
            if (marked[l->edges[i].to] && !marked[l->edges[i].from])
                more = marked[l->edges[i].from] = true;
    }
}
