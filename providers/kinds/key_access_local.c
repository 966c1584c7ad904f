/* Knows which local roles a KeyAccess asks for in a managed HSM, and what they leave a principal without. Must not know
 * how assignments travel (grant.c). */
#include "key_access_local.h"

#include <string.h>

#include "key_access.h"
#include "../azure/vault.h"
#include "../access/room.h"
#include "../access/hsm_rights.h"

#define SOURCE_DELAY "until it acts in every region of the HSM: Microsoft Learn, Managed HSM multi-region replication"

/* --- observing ---------------------------------------------------------------------------------------------------- */

static const char *scope_of(struct arena *a, const struct document *doc)
{
    const struct document *key = document_target(doc, "spec.key");
    const char *scope = value_str_at(doc->spec, "scope"), *name = value_str_at(key->spec, "keyName");

    if (str_eq(scope, "vault"))
        return "/";
    return str_eq(scope, "all-keys") ? "/keys" : hsm_key_scope(a, name ? name : key->name);
}

/* Roles that are declared by name and are no built-in ones: {name, id, dataActions}. */
static int observe_roles(struct call *c, const struct observer *o, struct azure *az, const char *base,
                         struct value *facts, struct err *err)
{
    const struct value *principals = value_get(o->document->spec, "principals");
    struct value *custom = value_set(o->arena, facts, "customRoles", value_list(o->arena));

    for (size_t i = 0; i < value_count(principals); i++) {
        const char *role = value_str_at(value_item(principals, i), "role");
        struct local_role found = {0};
        struct value *r;

        if (!role || hsm_role_by_name(role) || hsm_role_by_id(role))
            continue;
        r = value_map(o->arena);
        if (local_role_find(az, c, o->arena, base, role, &found, err) < 0) {
            if (err->http_status != 403)
                return -(int)err->class;
            value_set_string(o->arena, r, "why",
                             "the roles of the managed HSM may not be listed by us, so this one cannot be found");
        }
        value_set_string(o->arena, r, "name", role);
        value_set_string(o->arena, r, "id", found.id);
        if (found.actions)
            value_set(o->arena, r, "dataActions", value_copy(o->arena, found.actions));
        value_push(o->arena, custom, r);
    }
    return 0;
}

int local_access_observe(struct call *c, const struct observer *o, struct azure *az, struct value **ret,
                         struct err *err)
{
    const struct document *key = document_target(o->document, "spec.key"), *store = document_target(key, "spec.store");
    const char *base = key_store_base(o->arena, azure_cloud(az), key), *scope = scope_of(o->arena, o->document);
    const char *state = store ? view_state(o->view, store) : "present";
    bool active = !store || value_bool_at(view_facts(o->view, store), "active", false);
    struct local_assignments all = {0};
    struct value *facts = facts_new(o->arena, str_eq(state, "present") && active ? "present" : "absent");

    if (str_eq(state, "unseen")) {
        facts = facts_new(o->arena, "unseen");
        value_set_string(o->arena, facts, "why", "the managed HSM itself cannot be seen");
    } else if (str_eq(value_str_at(facts, "state"), "present") &&
               local_assignments_read(az, c, o->arena, base, scope, &all, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the local role assignments of the managed HSM", err, &facts));
    }
    value_set_string(o->arena, facts, "model", "local-rbac");
    value_set_string(o->arena, facts, "vaultId", key_store_of(o->arena, key));
    value_set_string(o->arena, facts, "base", base);
    value_set_string(o->arena, facts, "localScope", scope);
    value_set_string(o->arena, facts, "scope", arena_printf(o->arena, "%s%s", base, scope));
    if (all.list) {
        value_set(o->arena, facts, "assignments", all.list);
        value_set(o->arena, facts, "unseenScopes", all.unseen);
        value_set_int(o->arena, facts, "atScope", (int64_t)room_hsm_taken(all.list, scope));
        TRY(observe_roles(c, o, az, base, facts, err));
    }
    *ret = facts;
    return 0;
}

/* --- what is declared --------------------------------------------------------------------------------------------- */

enum choice { CHOICE_WORKING, CHOICE_DOCUMENTED, CHOICE_BOTH, CHOICE_OWN };

static const struct value *declared_principal(const struct document *doc, size_t i)
{
    return value_item(value_get(doc->spec, "principals"), i);
}

static enum choice choice_of(const struct document *doc, size_t i)
{
    const char *mode = value_str_at(doc->spec, "hsmRoles");

    if (value_str_at(declared_principal(doc, i), "role"))
        return CHOICE_OWN;
    return str_eq(mode, "documented") ? CHOICE_DOCUMENTED : str_eq(mode, "both") ? CHOICE_BOTH : CHOICE_WORKING;
}

static const struct value *custom_role(const struct value *facts, const char *name)
{
    const struct value *custom = value_get(facts, "customRoles");

    for (size_t i = 0; i < value_count(custom); i++)
        if (str_eq_nocase(value_str_at(value_item(custom, i), "name"), name))
            return value_item(custom, i);
    return NULL;
}

static void add_role(struct arena *a, const struct value *facts, struct value *list, const char *name)
{
    const struct hsm_role *role = hsm_role_by_name(name) ? hsm_role_by_name(name) : hsm_role_by_id(name);
    const struct value *custom = role ? NULL : custom_role(facts, name);
    struct value *r = value_map(a);

    for (size_t i = 0; i < value_count(list); i++)
        if (role && str_eq_nocase(value_str_at(value_item(list, i), "id"), role->id))
            return;
    value_set_string(a, r, "name", role ? role->name : name);
    value_set_string(a, r, "id", role ? role->id : value_str_at(custom, "id"));
    if (value_get(custom, "dataActions"))
        value_set(a, r, "dataActions", value_get(custom, "dataActions"));
    value_push(a, list, r);
}

static struct value *roles_of(struct arena *a, const struct document *doc, const struct value *facts, size_t i,
                              enum key_user user)
{
    enum choice choice = choice_of(doc, i);
    struct value *roles = value_list(a);

    if (choice == CHOICE_OWN)
        add_role(a, facts, roles, value_str_at(declared_principal(doc, i), "role"));
    if (choice == CHOICE_WORKING || choice == CHOICE_BOTH)
        add_role(a, facts, roles, hsm_key_rights[user].working);
    if (choice == CHOICE_DOCUMENTED || choice == CHOICE_BOTH)
        add_role(a, facts, roles, hsm_key_rights[user].documented);
    return roles;
}

/* The assignments as they will be. */
static struct value *with_grants(struct arena *a, const struct value *assignments, const struct value *grants,
                                 const char *object_id, const char *scope)
{
    struct value *all = assignments ? value_copy(a, assignments) : value_list(a);

    for (size_t i = 0; i < value_count(grants); i++) {
        const struct value *grant = value_item(grants, i);
        struct value *f = value_map(a);

        value_set_string(a, f, "principalId", object_id);
        value_set_string(a, f, "roleDefinitionId", value_str_at(grant, "id"));
        value_set_string(a, f, "scope", scope);
        if (value_get(grant, "dataActions"))
            value_set(a, f, "dataActions", value_get(grant, "dataActions"));
        value_push(a, all, f);
    }
    return all;
}

static void explain_missing_role(struct arena *a, const struct value *facts, struct value *p, const char *name)
{
    const char *why = value_str_at(custom_role(facts, name), "why");

    value_set_string(a, p, "why", why ? why : arena_printf(a, "the managed HSM has no role named %s", name));
}

void local_access_judge(const struct observer *o, const struct value *facts, struct value *p, size_t i)
{
    enum key_user user = (enum key_user)value_int_at(p, "user", 0);
    const char *const *needed = hsm_key_rights[user].data_actions;
    const char *object_id = value_str_at(p, "objectId"), *scope = value_str_at(facts, "localScope");
    const struct value *assignments = value_get(facts, "assignments");
    struct value *roles = roles_of(o->arena, o->document, facts, i, user), *grants = value_list(o->arena),
                 *missing = NULL;
    /* The default asks for rights, wherever they come from; a role that is named is asked for itself. */
    bool by_rights = choice_of(o->document, i) == CHOICE_WORKING;

    if (object_id && assignments)
        missing = hsm_missing(o->arena, assignments, object_id, scope, needed);
    for (size_t k = 0; k < value_count(roles); k++) {
        const char *id = value_str_at(value_item(roles, k), "id");

        if (!id && assignments)
            explain_missing_role(o->arena, facts, p, value_str_at(value_item(roles, k), "name"));
        if (by_rights ? !missing || value_count(missing) > 0
                      : !object_id || !hsm_role_held(assignments, object_id, scope, id))
            value_push(o->arena, grants, value_item(roles, k));
    }
    if (missing)
        value_set(o->arena, p, "missing", missing);
    value_set(o->arena, p, "roles", roles);
    value_set(o->arena, p, "grants", grants);
    value_set(o->arena, p, "lacksAfter",
              hsm_missing(o->arena, with_grants(o->arena, assignments, grants, object_id ? object_id : "?", scope),
                          object_id ? object_id : "?", scope, needed));
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

bool local_access_granted(const struct value *p)
{
    return value_get(p, "grants") && value_count(value_get(p, "grants")) == 0;
}

bool local_access_may_be_lost(const struct view *v, const struct document *doc, const struct value *p)
{
    const struct value *facts = view_facts(v, doc), *all = value_get(facts, "assignments"),
                       *roles = value_get(p, "roles");
    const char *scope = value_str_at(facts, "localScope"), *object_id = value_str_at(p, "objectId");
    struct value *others = value_list(v->arena);

    if (!object_id || !local_access_granted(p) || !str_starts_nocase(scope ? scope : "", "/keys/"))
        return false;
    for (size_t i = 0; i < value_count(all); i++)
        if (!str_eq_nocase(value_str_at(value_item(all, i), "scope"), scope))
            value_push(v->arena, others, value_item(all, i));
    if (value_count(
            hsm_missing(v->arena, all, object_id, scope, hsm_key_rights[value_int_at(p, "user", 0)].data_actions)) <
        value_count(
            hsm_missing(v->arena, others, object_id, scope, hsm_key_rights[value_int_at(p, "user", 0)].data_actions)))
        return true;
    for (size_t i = 0; i < value_count(roles); i++) {
        const char *id = value_str_at(value_item(roles, i), "id");

        if (hsm_role_held(all, object_id, scope, id) && !hsm_role_held(others, object_id, scope, id))
            return true;
    }
    return false;
}

/* "keys/read, keys/wrap": without what every action begins and most end with. */
static const char *words_of(struct arena *a, const struct value *actions)
{
    char *text = arena_strdup(a, "");

    for (size_t i = 0; i < value_count(actions); i++) {
        const char *action = value_str(value_item(actions, i));
        size_t n;

        action += str_starts_nocase(action, HSM_ACTION) ? strlen(HSM_ACTION) : 0;
        n = strlen(action) - (str_ends_nocase(action, "/action") ? strlen("/action") : 0);
        text = arena_printf(a, "%s%s%.*s", text, i ? ", " : "", (int)n, action);
    }
    return text;
}

static bool to_be_granted(const struct value *p, const char *id)
{
    const struct value *grants = value_get(p, "grants");

    for (size_t i = 0; i < value_count(grants); i++)
        if (str_eq(value_str_at(value_item(grants, i), "id"), id))
            return true;
    return false;
}

/* Each role has a path of its own, so that one that turns out to be held already is no drift. Where all are held, they
 * may be lost together. */
static void describe_roles(const struct view *v, struct steps *out, struct step *step, const struct value *p,
                           const char *why)
{
    const struct value *roles = value_get(p, "roles");

    for (size_t i = 0; i < value_count(roles); i++) {
        const struct value *role = value_item(roles, i);

        if (local_access_granted(p) || to_be_granted(p, value_str_at(role, "id")))
            step_change(out, step, i ? "second role" : "role", NULL, value_string(v->arena, value_str_at(role, "name")),
                        i ? NULL : why);
    }
}

static const char *why_these(struct arena *a, const struct document *doc, size_t i, enum key_user user)
{
    const struct hsm_key_rights *rights = &hsm_key_rights[user];

    switch (choice_of(doc, i)) {
    case CHOICE_OWN:
        return "the role that is declared for it";
    case CHOICE_DOCUMENTED:
        return rights->difference ? arena_printf(a, "as the article of 2026-02-03 has it; %s", rights->difference)
                                  : "as documented";
    case CHOICE_BOTH:
        return rights->difference
                   ? arena_printf(a, "the one that works and the one of the article; %s", rights->difference)
                   : "as documented, and what works";
    default:
        return rights->difference
                   ? arena_printf(a, "the article of 2026-02-03 names %s; %s", rights->documented, rights->difference)
                   : "a built-in role with read and backup";
    }
}

static size_t grants_of(const struct view *v, const struct document *doc)
{
    const struct value *principals = value_get(view_facts(v, doc), "principals");
    size_t n = 0;

    for (size_t i = 0; i < value_count(principals); i++)
        n += value_count(value_get(value_item(principals, i), "grants"));
    return n;
}

bool local_access_full(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t limit, n = room_hsm_then(v, doc, &limit);

    if (n <= limit || !grants_of(v, doc))
        return false;
    if (limit == HSM_KEY_LIMIT)
        steps_block(out, doc, NULL,
                    "declare scope: all-keys, which grants on every key of the HSM, or have a person remove "
                    "assignments that nobody needs",
                    "one key of a managed HSM bears at most %d role assignments; with these it would have %zu",
                    HSM_KEY_LIMIT, n);
    else
        steps_block(
            out, doc, NULL,
            "a person who may delete role assignments (Managed HSM Policy Administrator) removes those that nobody "
            "needs, or "
            "declare scope: key",
            "a managed HSM bears at most %d role assignments beside those on single keys; with these it would have %zu",
            HSM_LIMIT, n);
    return true;
}

struct step *local_access_grant(const struct view *v, const struct document *doc, struct steps *out, size_t i,
                                bool anew)
{
    const struct value *facts = view_facts(v, doc), *p = value_item(value_get(facts, "principals"), i);
    enum key_user user = (enum key_user)value_int_at(p, "user", 0);
    const struct value *missing = anew ? NULL : value_get(p, "missing"), *after = value_get(p, "lacksAfter");
    const char *label = value_str_at(p, "label"), *object_id = anew ? NULL : value_str_at(p, "objectId");
    const char *scope = value_str_at(facts, "scope");
    const char *lack = missing && value_count(missing) ? arena_printf(v->arena, "lacks %s", words_of(v->arena, missing))
                       : missing && local_access_granted(p)
                           ? "holds its roles on the key itself, they may not come back with it; else"
                       : missing   ? "does not hold what is declared for it"
                       : object_id ? "may have no right any more, which is looked at when the HSM is back"
                                   : "will be a new identity without any right";
    struct step *step = steps_add(out, doc, ACTION_GRANT, label, "%s (%s) %s: %s%s", key_rights[user].who, label, lack,
                                  key_rights[user].loses, local_access_warning(v, doc));

    step->scope = scope;
    step->postcondition =
        "read back: the principal's effective rights over /, /keys and the key hold all it is declared to";
    step->estimate_ms = v->settings->hsm_role_delay_ms;
    step->estimate_source = SOURCE_DELAY;
    key_access_identities(v, out, step, p, anew);
    describe_roles(v, out, step, p, why_these(v->arena, doc, i, user));
    if (value_count(after) && value_get(facts, "assignments")) {
        step->scenario = user == KEY_USER_ORCHESTRATOR ? "N-26" : user == KEY_USER_DES ? "N-25" : "N-24";
        step->unverified = arena_printf(v->arena, "that this role is enough: by the role table it holds no %s, and %s",
                                        words_of(v->arena, after), key_rights[user].loses);
    }
    step_writes(out, step, "PUT", "%s/",
                hsm_assignments_url(v->arena, value_str_at(facts, "base"), value_str_at(facts, "localScope")) +
                    strlen("https://"));
    /* An HSM that is yet to be recovered cannot be asked what we may do in it. */
    if (value_get(facts, "assignments"))
        step_right(out, step, scope, HSM_ACTION "roleAssignments/write/action", true,
                   "Managed HSM Policy Administrator");
    view_need(v, out, step, document_target(document_target(doc, "spec.key"), "spec.store"));
    return step;
}

const char *local_access_asked(const struct document *doc)
{
    return str_eq(value_str_at(doc->spec, "hsmRoles"), "documented") ? "is declared for them" : "they need";
}

const char *local_access_warning(const struct view *v, const struct document *doc)
{
    const struct value *principals = value_get(view_facts(v, doc), "principals");
    size_t limit, n = room_hsm_then(v, doc, &limit);
    char *text = arena_strdup(v->arena, "");

    for (size_t i = 0; i < value_count(principals); i++) {
        const struct value *p = value_item(principals, i), *after = value_get(p, "lacksAfter");

        if (value_count(after) && local_access_granted(p))
            text =
                arena_printf(v->arena, "%s; but by the role table %s then lacks %s: %s", text, value_str_at(p, "label"),
                             words_of(v->arena, after), key_rights[value_int_at(p, "user", 0)].loses);
    }
    if (limit == HSM_KEY_LIMIT && n >= HSM_KEY_WARN)
        text = arena_printf(v->arena, "%s; the key's scope has room for %d assignments and then holds %zu", text,
                            HSM_KEY_LIMIT, n);
    return text;
}

/* --- acting ------------------------------------------------------------------------------------------------------- */

int local_access_act(struct call *c, const struct actor *actor, const struct value *p, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc), *lacking = value_get(p, "lacking");
    int64_t delay = actor->view->settings->hsm_role_delay_ms;

    for (size_t i = 0; i < value_count(lacking); i++) {
        const struct value *one = value_item(lacking, i), *grants = value_get(one, "grants");

        for (size_t k = 0; k < value_count(grants); k++)
            TRY(local_role_put(kind_azure(actor->provider, doc), c, actor->arena,
                               &(struct hsm_grant){.base = value_str_at(facts, "base"),
                                                   .scope = value_str_at(facts, "localScope"),
                                                   .role_id = value_str_at(value_item(grants, k), "id"),
                                                   .principal = value_str_at(one, "objectId")},
                               err));
    }
    actor_say(actor, "granted; waiting %s until it acts in every region, by %s", duration_format(actor->arena, delay),
              time_format(actor->arena, (call_now_ms(c) + delay) / SECOND_MS * SECOND_MS));
    return actor_wait(actor, c, delay, "a local role to act", err);
}
