/* Knows which thing an id, a URL or a scope means. Must not know which documents there are. */
#include "things.h"

#include <string.h>

#include "../azure/key_id.h"

#define VAULTS "/providers/Microsoft.KeyVault/vaults/"
#define HSMS "/providers/Microsoft.KeyVault/managedHSMs/"

/* Stores bear names that nobody else in their cloud has: group and subscription tell nothing more. */
static char *store_thing(struct arena *a, const struct document *doc, bool hsm, const char *name, size_t n)
{
    const char *cloud = doc->connection ? value_str_at(doc->connection->spec, "cloud") : NULL;

    return n ? arena_printf(a, "%s|%s|%.*s", cloud ? cloud : "", hsm ? "hsm" : "vault", (int)n, name) : NULL;
}

static char *key_thing(struct arena *a, const char *store, const char *name, size_t n)
{
    return store && n ? arena_printf(a, "%s|%.*s", store, (int)n, name) : NULL;
}

/* Slashes doubled or at the end make no other id. */
static char *plain_id(struct arena *a, const char *id)
{
    char *plain = arena_strdup(a, id), *to = plain;

    for (const char *p = plain; *p; p++)
        if (*p != '/' || (p[1] && p[1] != '/'))
            *to++ = *p;
    *to = '\0';
    return plain;
}

/* Of an id of a store or in one: the store, and the name of the key in it (NULL: the id names none). */
static char *store_of_id(struct arena *a, const struct document *doc, const char *id, char **ret_key)
{
    const char *vault = str_find_nocase(id, VAULTS), *hsm = vault ? NULL : str_find_nocase(id, HSMS);
    const char *name = vault ? vault + strlen(VAULTS) : hsm ? hsm + strlen(HSMS) : "", *rest;
    size_t n = strcspn(name, "/");
    char *store = store_thing(a, doc, hsm != NULL, name, n);

    rest = name + n;
    *ret_key = store && str_starts_nocase(rest, "/keys/")
                   ? key_thing(a, store, rest + strlen("/keys/"), strcspn(rest + strlen("/keys/"), "/"))
                   : NULL;
    return store;
}

char *thing_of_id(struct arena *a, const struct document *doc, const char *id)
{
    char *key, *plain = plain_id(a, id), *store = store_of_id(a, doc, plain, &key);

    return key ? key : store ? store : plain;
}

/* "https://NAME.vault.azure.net": the first label names the store, in whatever cloud. */
static char *store_of_url(struct arena *a, const struct document *doc, const char *base)
{
    const char *host = base + strlen("https://");

    return store_thing(a, doc, str_find_nocase(host, ".managedhsm.") != NULL, host, strcspn(host, "."));
}

char *thing_of_url(struct arena *a, const struct document *doc, const char *url)
{
    struct key_id id;

    return key_id_parse(a, url, &id) ? key_thing(a, store_of_url(a, doc, id.base), id.name, strlen(id.name)) : NULL;
}

/* The store of a Key, or a store itself. */
static char *declared_store(struct arena *a, const struct document *doc)
{
    const char *id = key_store_of(a, doc), *name = id ? arm_id_name(plain_id(a, id)) : "";

    return store_thing(a, doc, key_store_is_hsm(doc), name, strlen(name));
}

char *thing_declared(struct arena *a, const struct document *doc)
{
    const char *name = value_str_at(doc->spec, "keyName");

    if (str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm"))
        return declared_store(a, doc);
    name = name ? name : doc->name;
    return str_eq(doc->kind, "Key")                       ? key_thing(a, declared_store(a, doc), name, strlen(name))
           : str_eq(doc->kind, "DiskEncryptionSet")       ? plain_id(a, disk_encryption_set_id(a, doc))
           : str_eq(doc->kind, "RecoveryServicesVault")   ? plain_id(a, recovery_vault_id(a, doc))
           : str_eq(doc->kind, "ProtectedVirtualMachine") ? plain_id(a, source_vm_id(a, doc))
                                                          : NULL;
}

int thing_fit(const struct document *doc, const char *version)
{
    const char *its = value_str_at(doc->spec, "version");
    int fit = !its ? 2 : version && str_eq_nocase(its, version) ? 3 : 1;

    /* A revocation overrules whichever is meant; what is done is declared by the other. */
    return 2 * fit + (value_get(doc->spec, "revoked") ? 0 : 1);
}

/* A pass and a restore are acts of the vault on the item that it holds; a grant changes what it is given on. */
bool thing_part_of(const struct document *doc, const struct reference *ref)
{
    static const struct part {
        const char *kind, *path;
    } parts[] = {
        {"Key", "spec.store"},
        {"KeyAccess", "spec.key"},
        {"KeyVaultAccessPolicy", "spec.vault"},
        {"RoleAssignment", "spec.scope"},
        {"ManagedHsmRoleAssignment", "spec.hsm"},
        {"ManagedHsmRoleAssignment", "spec.scope"},
        {"ProtectedVirtualMachine", "spec.vault"},
        {"RestoredVirtualMachine", "spec.from"},
    };

    for (size_t i = 0; i < COUNT(parts); i++)
        if (str_eq(parts[i].kind, doc->kind) && str_eq(ref->path, parts[i].path))
            return true;
    return false;
}

/* --- what is spoken of -------------------------------------------------------------------------------------------- */

struct speaking {
    struct arena *arena;
    const struct document *doc;
    struct spoken *all;
    size_t count;
};

static void say(struct speaking *s, const char *path, const struct origin *origin, const char *thing,
                const char *version, const struct reference *named)
{
    struct spoken one = {.thing = thing, .path = path, .version = version, .origin = *origin, .named = named};

    /* Backup vaults, networks, accounts and whole groups serve machines that have nothing else in common. */
    one.apart = thing && *thing == '/' && !str_find_nocase(thing, "/Microsoft.Compute/") &&
                (!str_eq(s->doc->kind, "RoleAssignment") || !str_find_nocase(thing, "/providers/"));
    if (thing)
        arena_push(s->arena, s->all, s->count, one);
}

static void say_id(struct speaking *s, const char *path, const struct origin *origin, const char *id,
                   const struct reference *named)
{
    char *plain = plain_id(s->arena, id), *key, *store = store_of_id(s->arena, s->doc, plain, &key);

    say(s, path, origin, store ? store : plain, NULL, named);
    say(s, path, origin, key, NULL, NULL);
}

static void say_url(struct speaking *s, const struct reference *ref)
{
    /* Who may use a key is asked of all its versions, so its address means just the key; a set is on one of them. */
    bool whole = str_eq(s->doc->kind, "KeyAccess");
    struct key_id id;

    if (!key_id_parse(s->arena, ref->url, &id))
        return;
    say(s, ref->path, &ref->origin, store_of_url(s->arena, s->doc, id.base), NULL, NULL);
    say(s, ref->path, &ref->origin, thing_of_url(s->arena, s->doc, ref->url), id.version, whole ? ref : NULL);
}

/* A local scope of an HSM: "/", "/keys" or "/keys/NAME". */
static void say_local(struct speaking *s)
{
    const struct document *hsm = document_target(s->doc, "spec.hsm");
    const char *id = reference_id(s->arena, s->doc, "spec.hsm", managed_hsm_id);
    const struct value *scope = value_get(s->doc->spec, "scope");
    const char *text = value_str(scope), *name;
    char *ignored;

    if (!id || !text || !str_starts_nocase(text, "/keys/"))
        return;
    name = text + strlen("/keys/");
    say(s, "spec.scope", value_origin(scope),
        key_thing(s->arena,
                  hsm ? declared_store(s->arena, hsm)
                      : store_of_id(s->arena, s->doc, plain_id(s->arena, id), &ignored),
                  name, strcspn(name, "/")),
        NULL, NULL);
}

const struct spoken *things_spoken_of(struct arena *a, const struct document *doc, size_t *ret_count)
{
    struct speaking s = {.arena = a, .doc = doc};
    const struct value *scope = value_get(doc->spec, "scope");

    for (size_t i = 0; i < doc->n_references; i++) {
        const struct reference *ref = &doc->references[i];

        if (ref->id)
            say_id(&s, ref->path, &ref->origin, ref->id, ref);
        else if (ref->url)
            say_url(&s, ref);
    }
    if (str_eq(doc->kind, "RoleAssignment") && value_str(scope))
        say_id(&s, "spec.scope", value_origin(scope), value_str(scope), NULL);
    if (str_eq(doc->kind, "ManagedHsmRoleAssignment"))
        say_local(&s);
    *ret_count = s.count;
    return s.all;
}

static bool id_lies_in(const char *id, const char *scope)
{
    size_t n = scope ? strlen(scope) : 0;

    while (n && scope[n - 1] == '/')
        n--;
    return id && n && strlen(id) > n && str_eq_nocase_n(id, scope, n) && id[n] == '/';
}

bool thing_lies_in(struct arena *a, const struct document *doc, const char *scope)
{
    bool of_store = str_eq(doc->kind, "Key") || str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm");
    const char *plain = plain_id(a, scope);

    if (id_lies_in(of_store ? key_store_of(a, doc) : doc->stands_for, plain))
        return true;
    for (size_t i = 0; i < doc->n_speaks_of; i++)
        if (id_lies_in(doc->speaks_of[i].thing, plain))
            return true;
    return false;
}
