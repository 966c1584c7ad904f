/* Knows how requests and steps become needed rights, and how each is judged. Must not know how they are told or given.
 */
#include "needs.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/index.h"
#include "../azure/asked.h"

struct needs *needs_new(struct arena *a)
{
    struct needs *n = arena_new_of(a, struct needs);

    *n = (struct needs){.arena = a, .by_name = index_new(a, INDEX_NOCASE)};
    return n;
}

static struct need *need_of(struct needs *n, struct azure *az, const char *scope, const char *action, bool acting)
{
    const char *name = arena_printf(n->arena, "%s|%s|%d", scope, action, acting);
    struct need *one = index_get(n->by_name, name);

    if (one)
        return one;
    one = arena_new_of(n->arena, struct need);
    *one = (struct need){.scope = arena_strdup(n->arena, scope),
                         .action = arena_strdup(n->arena, action),
                         .acting = acting,
                         .azure = az};
    index_put(n->by_name, name, one);
    arena_push(n->arena, n->items, n->count, one);
    return one;
}

/* --- to read ------------------------------------------------------------------------------------------------------ */

/* At the thing itself, or at its subscription. */
static const char *scope_beside(struct arena *a, const struct right_beside *beside, const char *scope)
{
    const char *subscription = beside->of_subscription ? arm_id_part(a, scope, "subscriptions") : NULL;

    return subscription ? arena_printf(a, "/subscriptions/%s", subscription) : scope;
}

static void foresee(struct needs *n, struct azure *az, const struct need *read)
{
    const struct right_beside *beside;
    size_t at = 0;

    while ((beside = right_beside_next(read->action, &at))) {
        struct need *one = need_of(n, az, scope_beside(n->arena, beside, read->scope), beside->beside, false);

        one->foreseen = one->foreseen || !one->commands;
        one->commands |= read->commands;
    }
}

void needs_add_reads(struct needs *n, struct azure *az, unsigned commands)
{
    size_t count = 0;
    const struct right_asked *const *asked = azure_rights_asked(az, &count);

    for (size_t i = 0; i < count; i++) {
        const struct right_asked *a = asked[i];
        struct need *one = need_of(n, az, a->right.scope, a->right.action, false);

        /* What is told already keeps what it is told for: the list of what was asked only grows. */
        one->commands = one->commands ? one->commands : commands;
        one->foreseen = false;
        one->data = a->right.data;
        one->unlisted = a->right.unlisted;
        one->state = a->refused ? OWN_LACKING : a->held ? OWN_HELD : OWN_UNSEEN;
        one->why = arena_strdup(n->arena, a->why);
        foresee(n, az, one);
    }
}

/* --- to act ------------------------------------------------------------------------------------------------------- */

static void add_act(struct needs *n, struct azure *az, const struct step *step, const struct step_right *right)
{
    struct need *one;
    bool known;

    if (!right->scope)
        return;
    one = need_of(n, az, right->scope, right->action, true);
    known = one->by != NULL;
    one->wish = right->wish && (!known || one->wish);
    one->commands |= FOR_APPLY | FOR_WATCH;
    one->data = right->data;
    one->role = right->role ? right->role : one->role;
    one->instead = right->instead ? right->instead : one->instead;
    one->by = known ? one->by : arena_strdup(n->arena, step->id);
}

void needs_add_steps(struct needs *n, void *provider, const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = steps->items[i];
        struct azure *az = kind_azure(provider, step->document);

        for (size_t k = 0; az && k < step->n_rights; k++) {
            const struct right_beside *beside;
            size_t at = 0;

            add_act(n, az, step, &step->rights[k]);
            while (step->rights[k].scope && (beside = right_beside_next(step->rights[k].action, &at))) {
                struct step_right with = step->rights[k];

                with.scope = scope_beside(n->arena, beside, with.scope);
                with.action = beside->beside;
                with.instead = NULL;
                add_act(n, az, step, &with);
            }
        }
    }
}

/* --- where it is given -------------------------------------------------------------------------------------------- */

/* "https://kv-payroll.vault.azure.net" stands for the resource of that name that we have read or act on. */
static const char *id_behind(const struct needs *n, const char *address, const char *type)
{
    const char *host = address + strlen("https://");
    size_t len = strcspn(host, ".:/");

    for (size_t i = 0; i < n->count; i++) {
        const char *scope = n->items[i]->scope, *at = str_find_nocase(scope, type), *name = at ? at + strlen(type) : "";

        if (strcspn(name, "/") == len && str_eq_nocase_n(name, host, len))
            return arena_strndup(n->arena, scope, (size_t)(name - scope) + len);
    }
    return NULL;
}

static void place(struct needs *n, struct need *one)
{
    const char *id;

    if (str_starts_nocase(one->action, "Microsoft.KeyVault/managedHsm/")) {
        one->way = WAY_LOCAL;
        return;
    }
    if (!str_starts_nocase(one->scope, "https://"))
        return;
    one->address = one->scope;
    id = id_behind(n, one->scope,
                   str_starts_nocase(one->action, "Microsoft.Storage/") ? "/Microsoft.Storage/storageAccounts/"
                                                                         : "/Microsoft.KeyVault/vaults/");
    if (id)
        one->scope = id;
    else
        one->way = WAY_NONE;
}

void needs_place(struct needs *n)
{
    for (size_t i = 0; i < n->count; i++)
        place(n, n->items[i]);
}

/* --- judged ------------------------------------------------------------------------------------------------------- */

static const char *local_role(const char *action)
{
    if (str_find_nocase(action, "/deletedKeys/") || str_find_nocase(action, "roleAssignments/write"))
        return "Managed HSM Crypto Officer";
    return "Managed HSM Crypto User";
}

/* A role that is assigned at a key vault goes with it, and does not come back when the vault is recovered. */
static int judge_above(struct needs *n, struct own_rights *own, struct call *c, struct need *one, struct err *err)
{
    const char *at = str_find_nocase(one->scope, "/providers/Microsoft.KeyVault/vaults/");
    struct step_right right = {.action = one->action, .data = one->data, .instead = one->instead};
    enum own_right state = OWN_UNSEEN;

    if (!at)
        return 0;
    right.scope = arena_strndup(n->arena, one->scope, (size_t)(at - one->scope));
    TRY(own_right(own, one->azure, c, &right, &state, err));
    if (state == OWN_LACKING)
        one->why = "held at the vault itself only: a vault that is deleted and recovered comes back without it";
    return 0;
}

/* Nobody documents how to read what we hold at a subscription: the very thing is asked for, which is a read like any
 * other, and its answer is noted where all are. */
static int ask_itself(struct needs *n, struct call *c, const struct need *one, struct err *err)
{
    static const char in_places[] = "Microsoft.KeyVault/locations/";
    const char *type = arena_strndup(n->arena, one->action, strlen(one->action) - strlen("/read"));
    const char *place = azure_location(one->azure);
    struct value *ignored;
    int rc = 0;

    if (!str_starts(type, in_places))
        rc = arm_list(one->azure, c, n->arena, arena_printf(n->arena, "%s/providers/%s", one->scope, type),
                      API_KEYVAULT, &ignored, err);
    else if (*place)
        rc = arm_get_view(one->azure, c, n->arena,
                          arena_printf(n->arena, "%s/providers/%s%s/%s/none-of-this-name", one->scope, in_places, place,
                                       type + strlen(in_places)),
                          API_KEYVAULT, &ignored, err);
    return rc < 0 && err->class == ERR_CANCELLED ? rc : 0;
}

/* What was asked has been answered: the answer counts, and not what the roles that can be read would say. */
static int judge(struct needs *n, struct own_rights *own, struct call *c, struct need *one, struct err *err)
{
    struct step_right right = {
        .scope = one->scope, .action = one->action, .data = one->data, .instead = one->instead};
    enum own_right state = OWN_UNSEEN;
    bool vault_data = one->data && one->way == WAY_ROLE && str_find_nocase(one->action, "Microsoft.KeyVault/");

    if (one->way == WAY_NONE || (!one->acting && !one->foreseen && !vault_data))
        return 0;
    if (one->foreseen && !str_find_nocase(one->scope, "/resourceGroups/"))
        return ask_itself(n, c, one, err);
    TRY(own_right(own, one->azure, c, &right, &state, err));
    if (vault_data && own_by_policy(own, one->scope))
        one->way = WAY_POLICY;
    if (!one->acting && !one->foreseen)
        return 0;
    one->state = state;
    if (state == OWN_UNSEEN)
        one->why = "what we hold there cannot be read";
    return state == OWN_HELD && one->way == WAY_ROLE ? judge_above(n, own, c, one, err) : 0;
}

int needs_judge(struct needs *n, struct call *c, struct err *err)
{
    struct own_rights own = {.arena = n->arena};

    for (size_t i = 0; i < n->count; i++) {
        struct need *one = n->items[i];

        if (one->way == WAY_LOCAL && !one->role)
            one->role = local_role(one->action);
        TRY(judge(n, &own, c, one, err));
    }
    return 0;
}

static int by_scope(const void *x, const void *y)
{
    const struct need *a = *(struct need *const *)x, *b = *(struct need *const *)y;
    int scope = strcasecmp(a->scope, b->scope), action = strcasecmp(a->action, b->action);

    return a->acting != b->acting ? (int)a->acting - (int)b->acting : scope ? scope : action;
}

void needs_sort(struct needs *n)
{
    if (n->count)
        qsort(n->items, n->count, sizeof(struct need *), by_scope);
}

bool need_counts(const struct need *n)
{
    return !n->wish && !n->unlisted;
}
