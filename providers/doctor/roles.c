/* Knows how needed rights become role definitions and the commands that give them. Must not know who holds what. */
#include "roles.h"

#include <string.h>

#include "../../reconciler/base/text.h"

const char *const role_part_names[] = {"read",    "read-subscription", "read-data", "act", "make",
                                       "recover", "grant",             "act-data",  NULL};

static const struct {
    const char *name, *description;
} parts[ROLE_PART_COUNT] = {
    [ROLE_READ] = {"reinstate read", "What reinstate reads"},
    [ROLE_READ_SUBSCRIPTION] = {"reinstate read subscription", "What reinstate reads of a whole subscription"},
    [ROLE_READ_DATA] = {"reinstate read data", "What reinstate reads of keys and blobs"},
    [ROLE_ACT] = {"reinstate act", "What reinstate does with things that are there, in a recovery"},
    [ROLE_MAKE] = {"reinstate make", "What reinstate makes in a resource group, in a recovery"},
    [ROLE_RECOVER] = {"reinstate recover", "Lets reinstate recover key stores that were deleted"},
    [ROLE_GRANT] = {"reinstate grant", "Lets reinstate give roles on keys and vaults, in a recovery"},
    [ROLE_ACT_DATA] = {"reinstate act data", "What reinstate does with keys and blobs, in a recovery"},
};

/* How many parts a scope has: 2 a subscription, 4 a group. */
static size_t depth_of(const char *scope)
{
    size_t n = 0;

    for (const char *p = scope; *p; p++)
        n += *p == '/' && p[1];
    return n;
}

static enum role_part part_of(const struct need *n)
{
    if (n->data)
        return n->acting ? ROLE_ACT_DATA : ROLE_READ_DATA;
    if (!n->acting)
        return depth_of(n->scope) <= 2 ? ROLE_READ_SUBSCRIPTION : ROLE_READ;
    if (str_starts_nocase(n->action, "Microsoft.Authorization/"))
        return ROLE_GRANT;
    if (depth_of(n->scope) > 4)
        return ROLE_ACT;
    return str_starts_nocase(n->action, "Microsoft.KeyVault/") ? ROLE_RECOVER : ROLE_MAKE;
}

static bool of_part(const struct need *n, unsigned commands, enum role_part part)
{
    return n->way == WAY_ROLE && !n->unlisted && (n->commands & commands) && part_of(n) == part;
}

/* --- lists without a double --------------------------------------------------------------------------------------- */

static void add_once(struct arena *a, struct value *list, const char *text)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str(value_item(list, i)), text))
            return;
    value_push(a, list, value_string(a, text));
}

static bool lies_in(const char *scope, const char *other)
{
    size_t n = strlen(other);

    return strlen(scope) > n && str_eq_nocase_n(scope, other, n) && scope[n] == '/';
}

/* A scope inside another one of the list is given with that. */
static struct value *outermost(struct arena *a, const struct value *scopes)
{
    struct value *kept = value_list(a);

    for (size_t i = 0; i < value_count(scopes); i++) {
        const char *one = value_str(value_item(scopes, i));
        bool inside = false;

        for (size_t k = 0; k < value_count(scopes); k++)
            inside = inside || lies_in(one, value_str(value_item(scopes, k)));
        if (!inside)
            value_push(a, kept, value_string(a, one));
    }
    return kept;
}

/* The resource group of a scope, or its subscription. */
static const char *group_of(struct arena *a, const char *scope)
{
    const char *at = scope;

    for (size_t i = 0; i < (str_find_nocase(scope, "/resourceGroups/") ? 4u : 2u) && *at; i++)
        at += 1 + strcspn(at + 1, "/");
    return arena_strndup(a, scope, (size_t)(at - scope));
}

/* What is assigned at a thing goes with it when it is deleted, and does not come back: on the worst day a key store, a
 * set or a machine that is gone could not even be seen to be gone. */
static const char *given_at(struct arena *a, const char *scope)
{
    return str_find_nocase(scope, "/providers/Microsoft.KeyVault/") ||
                   str_find_nocase(scope, "/providers/Microsoft.Compute/")
               ? group_of(a, scope)
               : scope;
}

static struct value *scopes_of(const struct needs *n, unsigned commands, enum role_part part)
{
    struct value *scopes = value_list(n->arena);

    for (size_t i = 0; i < n->count; i++)
        if (of_part(n->items[i], commands, part))
            add_once(n->arena, scopes, given_at(n->arena, n->items[i]->scope));
    return outermost(n->arena, scopes);
}

/* --- a definition ------------------------------------------------------------------------------------------------- */

struct value *role_definition(const struct needs *n, unsigned commands, enum role_part part)
{
    struct arena *a = n->arena;
    struct value *v = value_map(a), *actions = value_list(a), *where = value_list(a), *none = value_list(a);
    const struct value *scopes = scopes_of(n, commands, part);
    bool data = part == ROLE_READ_DATA || part == ROLE_ACT_DATA;

    for (size_t i = 0; i < n->count; i++)
        if (of_part(n->items[i], commands, part))
            add_once(a, actions, n->items[i]->action);
    if (!value_count(actions))
        return NULL;
    for (size_t i = 0; i < value_count(scopes); i++)
        add_once(a, where, group_of(a, value_str(value_item(scopes, i))));
    value_set_string(a, v, "Name", parts[part].name);
    value_set_bool(a, v, "IsCustom", true);
    value_set_string(a, v, "Description", parts[part].description);
    value_set(a, v, "Actions", data ? none : actions);
    value_set(a, v, "NotActions", value_list(a));
    value_set(a, v, "DataActions", data ? actions : none);
    value_set(a, v, "NotDataActions", value_list(a));
    value_set(a, v, "AssignableScopes", outermost(a, where));
    return v;
}

/* --- giving it ---------------------------------------------------------------------------------------------------- */

static void give_role(struct text *out, const struct needs *n, unsigned commands, enum role_part part,
                      const struct assignee *who, const char *again)
{
    const struct value *scopes = scopes_of(n, commands, part);

    if (!value_count(scopes))
        return;
    if (part == ROLE_GRANT)
        text_add(out, "# whoever holds this one can give any role there, to himself too: a condition can limit which "
                      "(az role assignment create --condition)\n");
    text_printf(out, "%s %s > reinstate-%s.json\n", again, role_part_names[part], role_part_names[part]);
    text_printf(out, "az role definition create --role-definition @reinstate-%s.json\n", role_part_names[part]);
    for (size_t i = 0; i < value_count(scopes); i++)
        text_printf(out, "az role assignment create --assignee-object-id %s%s%s --role '%s' --scope '%s'\n",
                    who->object_id, who->type ? " --assignee-principal-type " : "", who->type ? who->type : "",
                    parts[part].name, value_str(value_item(scopes, i)));
}

/* "Microsoft.KeyVault/vaults/keys/restore/action": restore. To read takes two, one for a key and one for their list. */
static const char *policy_words(struct arena *a, const char *action)
{
    const char *keys = str_find_nocase(action, "/keys/"), *verb = keys ? keys + strlen("/keys/") : NULL;

    if (str_find_nocase(action, "keyrotationpolicies"))
        return "getrotationpolicy";
    if (!verb)
        return "get";
    return str_eq_nocase(verb, "read") ? "get list" : arena_strndup(a, verb, strcspn(verb, "/"));
}

/* One command for a vault: a second one would take away what the first has given. */
static void give_policy(struct text *out, const struct needs *n, unsigned commands, size_t first,
                        const struct assignee *who)
{
    struct value *words = value_list(n->arena);
    const char *scope = n->items[first]->scope, *name = strrchr(scope, '/') + 1;

    for (size_t i = 0; i < n->count; i++) {
        const struct need *one = n->items[i];

        if (one->way != WAY_POLICY || !(one->commands & commands) || !str_eq_nocase(one->scope, scope))
            continue;
        if (i < first)
            return;
        add_once(n->arena, words, policy_words(n->arena, one->action));
    }
    text_printf(out, "# takes the place of the key permissions that this principal has in the vault\n");
    text_printf(out, "az keyvault set-policy --name %s --object-id %s --key-permissions", name, who->object_id);
    for (size_t i = 0; i < value_count(words); i++)
        text_printf(out, " %s", value_str(value_item(words, i)));
    text_add_char(out, '\n');
}

static void give_local(struct text *out, const struct needs *n, unsigned commands, size_t first,
                       const struct assignee *who)
{
    const struct need *one = n->items[first];
    const char *host = one->scope + strlen("https://"), *path = host + strcspn(host, "/");

    for (size_t i = 0; i < first; i++)
        if (n->items[i]->way == WAY_LOCAL && (n->items[i]->commands & commands) &&
            str_eq_nocase(n->items[i]->scope, one->scope) && str_eq(n->items[i]->role, one->role))
            return;
    text_printf(out,
                "az keyvault role assignment create --hsm-name %.*s --assignee-object-id %s --role '%s' --scope %s\n",
                (int)strcspn(host, "."), host, who->object_id, one->role, *path ? path : "/");
}

/* A right that no custom role can hold comes with all reads alone: whether that is worth it a person decides, so the
 * command stands behind a comment's mark. */
static void offer_reader(struct text *out, const struct needs *n, unsigned commands, size_t at,
                         const struct assignee *who)
{
    const struct need *one = n->items[at];

    for (size_t i = 0; i < at; i++)
        if (n->items[i]->unlisted && (n->items[i]->commands & commands) &&
            str_eq_nocase(n->items[i]->scope, one->scope) && str_eq(n->items[i]->action, one->action))
            return;
    text_printf(out,
                "# no custom role can hold %s. Without it nobody can tell whether a key may be released there. Reader "
                "holds it, and reads all else there, too:\n"
                "# az role assignment create --assignee-object-id %s%s%s --role 'Reader' --scope '%s'\n",
                one->action, who->object_id, who->type ? " --assignee-principal-type " : "", who->type ? who->type : "",
                one->scope);
}

void role_commands(struct text *out, const struct needs *n, unsigned commands, const struct assignee *who,
                   const char *again)
{
    for (int part = 0; part < ROLE_PART_COUNT; part++)
        give_role(out, n, commands, (enum role_part)part, who, again);
    for (size_t i = 0; i < n->count; i++) {
        const struct need *one = n->items[i];

        if (!(one->commands & commands))
            continue;
        if (one->way == WAY_ROLE && one->unlisted)
            offer_reader(out, n, commands, i, who);
        if (one->way == WAY_POLICY)
            give_policy(out, n, commands, i, who);
        if (one->way == WAY_LOCAL)
            give_local(out, n, commands, i, who);
    }
}
