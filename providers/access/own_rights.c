/* Knows which rights we hold where: Azure's roles, a vault's access policies, a managed HSM's own roles. Must not know
 * what they are wanted for. Sends reads only. */
#include "own_rights.h"

#include <string.h>

#include "../azure/defaults.h"
#include "grant.h"
#include "hsm_rights.h"

struct own_scope {
    const char *scope, *self;
    struct value *permissions; /* NULL: cannot be read, then nothing is claimed about it */
    const struct value *vault; /* body of a key vault that lives by access policies, else NULL */
    bool vault_unseen;         /* nobody can tell which of both a key vault lives by */
    struct value *local;       /* assignments that reach a scope of a managed HSM; NULL as with permissions */
    const char *local_scope;
};

/* "https://NAME.managedhsm.azure.net/keys": local rights, which only the HSM itself knows. */
static int read_local(struct call *c, struct azure *az, struct arena *a, const char *url, struct own_scope *ret,
                      struct err *err)
{
    size_t host = strcspn(url + strlen("https://"), "/") + strlen("https://");
    struct local_assignments all = {0};

    ret->local = NULL;
    ret->local_scope = url[host] ? url + host : "/";
    if (local_assignments_read(az, c, a, arena_strndup(a, url, host), ret->local_scope, &all, err) == 0) {
        /* With a scope above hidden nothing is claimed. */
        if (value_count(all.unseen) == 0)
            ret->local = all.list;
        return 0;
    }
    return err->class != ERR_CANCELLED ? 0 : -(int)err->class;
}

static int read_scope(struct call *c, struct azure *az, struct arena *a, struct own_scope *ret, struct err *err)
{
    struct value *vault;
    const char *self = "";

    TRY(azure_object_id(az, c, &self, err));
    ret->self = arena_strdup(a, self);
    if (str_starts_nocase(ret->scope, "https://"))
        return read_local(c, az, a, ret->scope, ret, err);
    if (arm_permissions(az, c, a, ret->scope, &ret->permissions, err) < 0) {
        ret->permissions = NULL;
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
    }
    if (!str_find_nocase(ret->scope, "/Microsoft.KeyVault/vaults/"))
        return 0;
    if (arm_get(az, c, a, ret->scope, API_KEYVAULT, &vault, err) == 0) {
        if (!azure_vault_checks_roles(vault))
            ret->vault = vault;
    } else if (err->class == ERR_CANCELLED) {
        return -(int)err->class;
    } else {
        ret->vault_unseen = err->class != ERR_NOT_FOUND;
    }
    return 0;
}

/* "Microsoft.KeyVault/vaults/keys/restore/action" is the access policy permission "restore". */
static const char *policy_permission(struct arena *a, const char *action)
{
    const char *keys = str_find_nocase(action, "/keys/");
    char *verb = arena_strdup(a, keys ? keys + 6 : action);

    for (char *p = verb; *p; p++)
        if (*p == '/')
            *p = '\0';
    return str_eq(verb, "read") ? "get" : verb;
}

static enum own_right judge(struct arena *a, const struct own_scope *s, const struct step_right *right)
{
    if (str_starts_nocase(s->scope, "https://")) {
        const char *needed[] = {right->action, NULL};

        if (!s->local)
            return OWN_UNSEEN;
        return value_count(hsm_missing(a, s->local, s->self, s->local_scope, needed)) ? OWN_LACKING : OWN_HELD;
    }
    if (right->data && s->vault) {
        const char *needed[] = {policy_permission(a, right->action), NULL};

        return value_count(policy_missing(a, s->vault, s->self, needed)) ? OWN_LACKING : OWN_HELD;
    }
    if (!s->permissions || (right->data && s->vault_unseen))
        return OWN_UNSEEN;
    return arm_permits(s->permissions, right->action, right->data) ||
                   (right->instead && arm_permits(s->permissions, right->instead, false))
               ? OWN_HELD
               : OWN_LACKING;
}

static const struct own_scope *scope_find(const struct own_rights *own, const char *scope)
{
    for (size_t k = 0; k < own->count; k++)
        if (str_eq_nocase(own->scopes[k].scope, scope))
            return &own->scopes[k];
    return NULL;
}

bool own_by_policy(const struct own_rights *own, const char *scope)
{
    const struct own_scope *s = scope_find(own, scope);

    return s && s->vault;
}

static int read_in_time(const struct own_rights *own, struct call *c, struct azure *az, struct own_scope *fresh,
                        struct err *err)
{
    int64_t left_ms = own->until_ms ? own->until_ms - call_span_ms(c) : 0, patience_ms = call_patience(c);
    int rc;

    if (left_ms > 0 && (!patience_ms || left_ms < patience_ms))
        call_set_patience(c, left_ms);
    rc = read_scope(c, az, own->arena, fresh, err);
    call_set_patience(c, patience_ms);
    return rc;
}

int own_right(struct own_rights *own, struct azure *az, struct call *c, const struct step_right *right,
              enum own_right *ret, struct err *err)
{
    struct own_scope fresh = {.scope = right->scope};
    const struct own_scope *found = scope_find(own, right->scope);

    if (!found && own->until_ms && call_span_ms(c) >= own->until_ms) {
        *ret = OWN_UNSEEN;
        return 0;
    }
    if (!found) {
        TRY(read_in_time(own, c, az, &fresh, err));
        arena_push(own->arena, own->scopes, own->count, fresh);
        found = &own->scopes[own->count - 1];
    }
    *ret = judge(own->arena, found, right);
    return 0;
}
