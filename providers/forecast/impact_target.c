/* Knows what an operand of impact may mean, and what facts would look like with the thing gone. Must
 * not judge what follows. */
#include <string.h>

#include "../azure/key_id.h"
#include "impact.h"

/* --- operands ----------------------------------------------------------------------------------------------------- */

static bool of_kind(const struct document *doc, enum impact_act act)
{
    return str_eq(doc->kind, "Key") ||
           (act == IMPACT_DELETE && (str_eq(doc->kind, "DiskEncryptionSet") || str_eq(doc->kind, "KeyVault") ||
                                     str_eq(doc->kind, "ManagedHsm")));
}

static void take_document(const struct view *v, const struct document *doc, const char *version,
                          struct impact_target *t)
{
    const struct value *facts = view_facts(v, doc);

    t->base = value_str_at(facts, "base");
    t->label = doc->address;
    if (str_eq(doc->kind, "DiskEncryptionSet")) {
        t->kind = LINEAGE_SET;
        t->id = disk_encryption_set_id(v->arena, doc);
    } else if (str_eq(doc->kind, "Key")) {
        t->kind = LINEAGE_VERSION;
        t->name = value_str_at(facts, "name");
        t->version = version;
        t->label = version ? arena_printf(v->arena, "%s, version %s", doc->address, version) : doc->address;
    } else {
        t->kind = LINEAGE_STORE;
    }
}

/* "Kind/name", "name", and for keys "…/VERSION". */
static bool document_named(const struct document *doc, const char *operand, const char **ret_version)
{
    const char *names[] = {doc->address, doc->name};

    for (size_t i = 0; i < COUNT(names); i++) {
        size_t n = strlen(names[i]);

        if (strncmp(operand, names[i], n) != 0 || (operand[n] && operand[n] != '/'))
            continue;
        if (operand[n] && (!str_eq(doc->kind, "Key") || !operand[n + 1]))
            continue;
        *ret_version = operand[n] ? operand + n + 1 : NULL;
        return true;
    }
    return false;
}

static int find_document(const struct view *v, const char *operand, struct impact_target *t, struct err *err)
{
    const struct document *found = NULL;
    const char **names = arena_array(v->arena, const char *, v->desired->count + 1), *near, *version;
    size_t n = 0;

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if (!of_kind(doc, t->act))
            continue;
        names[n++] = strchr(operand, '/') ? doc->address : doc->name;
        if (!document_named(doc, operand, &version))
            continue;
        if (found) {
            err_set(err, ERR_INVALID, "\"%s\" may be %s or %s", operand, found->address, doc->address);
            return err_advise(err, "put the kind in front");
        }
        found = doc;
        take_document(v, doc, version, t);
    }
    if (found)
        return 0;
    near = did_you_mean(operand, names);
    err_set(err, ERR_INVALID,
            t->act == IMPACT_DISABLE ? "there is no Key %s"
                                     : "there is no Key, DiskEncryptionSet, KeyVault or ManagedHsm %s",
            operand);
    return near ? err_advise(err, "did you mean %s?", near)
                : err_advise(err, "give a document's name, an ARM id or a key's URL");
}

/* "https://kv…[/keys/NAME[/VERSION]]" */
static int find_url(const struct view *v, const char *url, struct impact_target *t, struct err *err)
{
    struct key_id id;

    t->label = url;
    t->kind = str_find_nocase(url, "/keys") ? LINEAGE_VERSION : LINEAGE_STORE;
    if (!key_id_parse(v->arena, t->kind == LINEAGE_VERSION ? url : arena_printf(v->arena, "%s/keys/any", url), &id))
        return err_set(err, ERR_INVALID, "\"%s\" names no key", url);
    t->base = id.base;
    if (t->kind == LINEAGE_STORE)
        return 0;
    t->name = id.name;
    t->version = id.version;
    return 0;
}

static const char *base_of_store(const struct view *v, const char *id)
{
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if ((str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm")) &&
            arm_id_equal(key_store_id(v->arena, doc), id))
            return value_str_at(view_facts(v, doc), "base");
    }
    return NULL;
}

/* A set, a store, or ".../vaults/kv/keys/NAME[/versions/VERSION]". */
static int find_id(const struct view *v, const char *id, struct impact_target *t, struct err *err)
{
    const char *keys = str_find_nocase(id, "/keys/");

    t->label = id;
    if (str_find_nocase(id, "/providers/Microsoft.Compute/diskEncryptionSets/")) {
        t->kind = LINEAGE_SET;
        t->id = id;
        return 0;
    }
    t->kind = keys ? LINEAGE_VERSION : LINEAGE_STORE;
    t->name = keys ? arm_id_part(v->arena, id, "keys") : NULL;
    t->version = keys ? arm_id_part(v->arena, id, "versions") : NULL;
    t->base = base_of_store(v, keys ? arena_strndup(v->arena, id, (size_t)(keys - id)) : id);
    return t->base ? 0
                   : err_set(err, ERR_INVALID,
                             "%s is no key vault, managed HSM, key or disk encryption set of these documents", id);
}

static bool in_lineage(const struct view *v, const struct impact_target *t)
{
    struct lineage l = lineage_of(v);

    for (size_t i = 0; i < l.n_nodes; i++)
        if (impact_strikes(t, &l.nodes[i]))
            return true;
    return false;
}

int impact_target_find(const struct view *v, enum impact_act act, const char *operand, struct impact_target *ret,
                       struct err *err)
{
    struct impact_target t = {.act = act};
    bool document = operand[0] != '/' && !strstr(operand, "://");

    TRY(operand[0] == '/'        ? find_id(v, operand, &t, err)
        : strstr(operand, "://") ? find_url(v, operand, &t, err)
                                 : find_document(v, operand, &t, err));
    if (act == IMPACT_DISABLE && t.kind != LINEAGE_VERSION) {
        err_set(err, ERR_INVALID, "%s is no key: only keys and their versions are disabled", operand);
        return err_advise(err, "ask with --delete");
    }
    if (act == IMPACT_DELETE && t.version) {
        err_set(err, ERR_INVALID, "a single key version cannot be deleted: a key goes with all its versions");
        return err_advise(err, "leave the version out, or ask with --disable");
    }
    if ((!document || t.version) && !in_lineage(v, &t)) {
        err_set(err, ERR_INVALID, "nothing in these documents hangs on %s", t.label);
        return err_advise(err, "reinstate graph -f ... --lineage shows what there is");
    }
    *ret = t;
    return 0;
}

bool impact_strikes(const struct impact_target *t, const struct lineage_node *n)
{
    const char *rest;

    if (t->kind == LINEAGE_SET)
        return n->kind == LINEAGE_SET && arm_id_equal(n->id, t->id);
    if (!t->base || !str_starts_nocase(n->id, t->base))
        return false;
    rest = n->id + strlen(t->base);
    if (t->kind == LINEAGE_STORE)
        return n->kind == LINEAGE_STORE && !*rest;
    if (n->kind != LINEAGE_VERSION || !t->name || !str_starts_nocase(rest, "/keys/") ||
        !str_starts_nocase(rest + strlen("/keys/"), t->name))
        return false;
    rest += strlen("/keys/") + strlen(t->name);
    return *rest == '/' && (!t->version || str_eq_nocase(rest + 1, t->version));
}

/* --- facts as they would be --------------------------------------------------------------------------------------- */

static void forget(struct value *facts, const char *const *members)
{
    for (; *members; members++)
        value_remove(facts, *members);
}

static struct value *disabled(const struct view *v, const struct impact_target *t, const struct value *facts)
{
    struct value *f = value_copy(v->arena, facts), *versions = value_get(f, "versions"),
                 *attributes = value_at(f, "live.attributes");
    const char *kid = value_str_at(f, "live.key.kid"), *slash = kid ? strrchr(kid, '/') : NULL;

    if (attributes && (!t->version || (slash && str_eq_nocase(slash + 1, t->version))))
        value_set_bool(v->arena, attributes, "enabled", false);
    for (size_t i = 0; i < value_count(versions); i++)
        if (!t->version || str_eq_nocase(value_str_at(value_item(versions, i), "version"), t->version))
            value_set_bool(v->arena, value_item(versions, i), "enabled", false);
    return f;
}

static struct value *gone(const struct view *v, const struct value *facts, const char *state)
{
    static const char *const members[] = {"live", "newest", "versions", "principalId", "associatedResources", NULL};
    struct value *f = value_copy(v->arena, facts);

    forget(f, members);
    value_set_string(v->arena, f, "state", state);
    return f;
}

static struct value *key_then(const struct view *v, const struct impact_target *t, const struct value *facts,
                              bool purged)
{
    bool absent = str_eq(value_str_at(facts, "state"), "absent");
    struct value *f;

    if (t->kind == LINEAGE_VERSION && t->act == IMPACT_DISABLE)
        return disabled(v, t, facts);
    if (t->kind == LINEAGE_VERSION)
        return gone(v, facts, purged || absent ? "absent" : "deleted");
    f = gone(v, facts, "absent");
    value_set_string(v->arena, f, "storeState", purged ? "absent" : "deleted");
    return f;
}

/* A protected VM whose set is deleted does not see it any more. */
static struct value *source_then(const struct view *v, const struct value *facts)
{
    struct value *f = value_copy(v->arena, facts);

    value_set(v->arena, value_get(f, "source"), "set", facts_new(v->arena, "absent"));
    return f;
}

/* What was granted on a store is not granted on it when it is recovered or made anew: nobody holds a right until that
 * is looked at again. */
static struct value *access_then(const struct view *v, const struct value *facts)
{
    static const char *const members[] = {"vault", "model", "assignments", "others", NULL}, *const held[] = {
                                                                                                "missing",    "since",
                                                                                                "idle",       "grants",
                                                                                                "lacksAfter", "lacking",
                                                                                                NULL};
    struct value *f = value_copy(v->arena, facts), *principals = value_get(f, "principals");

    /* A managed HSM has one model only. */
    forget(f, str_eq(value_str_at(f, "model"), "local-rbac") ? members + 2 : members);
    value_set_string(v->arena, f, "state", "absent");
    for (size_t i = 0; i < value_count(principals); i++)
        forget(value_item(principals, i), held);
    return f;
}

static const struct value *facts_then(const struct view *v, const struct impact_target *t, const struct document *doc,
                                      bool purged)
{
    const struct value *facts = view_facts(v, doc);
    bool in_store = t->base && str_eq_nocase(value_str_at(facts, "base"), t->base);

    if (!facts || str_eq(view_state(v, doc), "unseen"))
        return facts;
    if (t->kind == LINEAGE_SET) {
        if (str_eq(doc->kind, "DiskEncryptionSet") && arm_id_equal(disk_encryption_set_id(v->arena, doc), t->id))
            return gone(v, facts, "absent");
        return str_eq(doc->kind, "ProtectedVirtualMachine") && arm_id_equal(value_str_at(facts, "source.des"), t->id)
                   ? source_then(v, facts)
                   : facts;
    }
    if (str_eq(doc->kind, "Key") && in_store &&
        (t->kind == LINEAGE_STORE || str_eq_nocase(value_str_at(facts, "name"), t->name)))
        return key_then(v, t, facts, purged);
    if (t->kind == LINEAGE_STORE && str_eq(doc->kind, "KeyAccess") &&
        str_eq_nocase(value_str_at(view_facts(v, document_target(doc, "spec.key")), "base"), t->base))
        return access_then(v, facts);
    if (t->kind == LINEAGE_STORE && in_store && (str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm")))
        return gone(v, facts, purged || str_eq(view_state(v, doc), "absent") ? "absent" : "deleted");
    return facts;
}

struct view impact_view(const struct view *v, const struct impact_target *target, bool purged)
{
    const struct value **facts = arena_array(v->arena, const struct value *, v->desired->count + 1);
    struct view then = *v;

    for (size_t i = 0; i < v->desired->count; i++)
        facts[i] = facts_then(v, target, v->desired->documents[i], purged);
    then.facts = facts;
    then.steps = NULL;
    then.conclusions = NULL;
    then.concluded = NULL;
    return then;
}
