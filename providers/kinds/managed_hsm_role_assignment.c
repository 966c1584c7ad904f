/* Kind ManagedHsmRoleAssignment: one local role for one principal at one scope of a managed HSM, spelled out.
 *
 * Facts: state (present: assigned here or above), base, localScope, scope (both together), objectId, roleId, atScope
 * (assignments made at exactly this scope), why. */
#include "../documents/id_fields.h"
#include "../azure/vault.h"
#include "../access/grant.h"
#include "../access/grants.h"
#include "../access/room.h"
#include "../access/hsm_rights.h"
#include "../keys/standing.h"
#include "../access/set_identity.h"

#include <string.h>

static const char *base_of(struct arena *a, const struct cloud *cloud, const struct document *doc)
{
    const char *id = reference_id(a, doc, "spec.hsm", managed_hsm_id);

    return cloud_store_base(a, cloud, STORE_HSM, arm_id_name(id));
}

static int observe_there(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                         struct value **ret, struct err *err)
{
    const char *base = value_str_at(facts, "base"), *scope = value_str_at(facts, "localScope");
    const char *declared = value_str_at(o->document->spec, "role");
    struct local_assignments all = {0};
    struct local_role role = {0};

    if (local_role_find(az, c, o->arena, base, declared, &role, err) < 0 ||
        local_assignments_read(az, c, o->arena, base, scope, &all, err) < 0)
        return facts_from_error(o->arena, "reading the local roles of the managed HSM", err, ret);
    value_set_string(o->arena, facts, "roleId", role.id);
    value_link(o->arena, facts, "assignments", all.list);
    value_set_int(o->arena, facts, "atScope", (int64_t)room_hsm_taken(all.list, scope));
    if (!role.id)
        value_set(o->arena, facts, "why", value_format(o->arena, "the managed HSM has no role named %s", declared));
    else if (hsm_role_held(all.list, value_str_at(facts, "objectId"), scope, role.id))
        value_set_string(o->arena, facts, "state", "present");
    *ret = facts;
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const struct document *hsm = document_target(o->document, "spec.hsm");
    const char *base = base_of(o->arena, azure_cloud(az), o->document),
               *scope = value_str_at(o->document->spec, "scope");
    const struct hsm_role *known = hsm_role_by_name(value_str_at(o->document->spec, "role"));
    struct value *facts = facts_new(o->arena, "absent");

    value_set_string(o->arena, facts, "base", base);
    value_set_string(o->arena, facts, "localScope", scope);
    value_set_string(o->arena, facts, "scope", arena_printf(o->arena, "%s%s", base, scope));
    TRY(grant_principal(c, o, "spec.principal", facts, err));
    if (!hsm || value_bool_at(view_facts(o->view, hsm), "active", false))
        return observe_there(c, o, az, facts, ret, err);
    if (str_eq(view_state(o->view, hsm), "unseen")) {
        value_set_string(o->arena, facts, "state", "unseen");
        value_set_string(o->arena, facts, "why", "the managed HSM itself cannot be seen");
    }
    value_set_string(o->arena, facts, "roleId", known ? known->id : value_str_at(o->document->spec, "role"));
    *ret = facts;
    return 0;
}

/* The same principal, or the identity of the same set that is yet to be made. */
static bool same_principal(const struct document *doc, const struct value *facts, const struct document *des,
                           const struct value *other)
{
    const struct document *own = document_target(doc, "spec.principal.diskEncryptionSet");
    const char *mine = value_str_at(facts, "objectId"), *theirs = value_str_at(other, "objectId");

    return mine && theirs ? str_eq_nocase(mine, theirs) : !mine && !theirs && own && own == des;
}

static bool among_roles(const struct value *roles, const char *role_id)
{
    for (size_t i = 0; role_id && i < value_count(roles); i++)
        if (str_eq_nocase(value_str_at(value_item(roles, i), "id"), role_id))
            return true;
    return false;
}

/* A document before this one that declares the very same grant: one of this kind, or a
 * KeyAccess (then *ret_label says which). */
static const struct document *other_owner(const struct view *v, const struct document *doc, const char **ret_label)
{
    const struct value *facts = view_facts(v, doc);
    const char *role = value_str_at(facts, "roleId");

    *ret_label = NULL;
    for (size_t i = 0; role && i < v->desired->count; i++) {
        const struct document *d = v->desired->documents[i];
        const struct value *other = view_facts(v, d), *principals = value_get(other, "principals");

        if (d->index >= doc->index || !str_eq_nocase(value_str_at(other, "scope"), value_str_at(facts, "scope")))
            continue;
        if (str_eq(d->kind, doc->kind) && str_eq_nocase(value_str_at(other, "roleId"), role) &&
            same_principal(doc, facts, document_target(d, "spec.principal.diskEncryptionSet"), other))
            return d;
        for (size_t k = 0; str_eq(d->kind, "KeyAccess") && k < value_count(principals); k++) {
            const struct value *p = value_item(principals, k);
            const char *path = arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", k);

            *ret_label = value_str_at(p, "label");
            if (among_roles(value_get(p, "roles"), role) && same_principal(doc, facts, document_target(d, path), p))
                return d;
        }
        *ret_label = NULL;
    }
    return NULL;
}

/* True when something stands against the grant; then a step says what. */
static bool refused(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    const struct document *des = document_target(doc, "spec.principal.diskEncryptionSet"),
                          *hsm = document_target(doc, "spec.hsm");
    const char *why = value_str_at(facts, "why");
    size_t limit, n = room_hsm_then(v, doc, &limit);

    if (hsm && view_prospect(v, hsm) == PROSPECT_BLOCKED && !value_bool_at(view_facts(v, hsm), "active", false))
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", hsm->address), "the managed HSM %s",
                    missing_words(v, hsm));
    else if (!value_str_at(facts, "roleId") ||
             (!value_str_at(facts, "objectId") && !(des && view_prospect(v, des) == PROSPECT_PENDING)))
        steps_block(out, doc, NULL, "check role and principal", "role or principal cannot be resolved%s%s",
                    why ? ": " : "", why ? why : "");
    else if (n > limit)
        steps_block(out, doc, NULL,
                    limit == HSM_KEY_LIMIT
                        ? "declare scope /keys, or have a person remove assignments that nobody needs"
                        : "a person (Managed HSM Policy Administrator) removes assignments that nobody needs",
                    "%s bears at most %zu role assignments; with these it would have %zu",
                    limit == HSM_KEY_LIMIT ? "one key of a managed HSM" : "a managed HSM, beside those on single keys,",
                    limit, n);
    else
        return false;
    return true;
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    const char *object_id = value_str_at(facts, "objectId"), *scope = value_str_at(facts, "scope"), *local, *label;
    const struct document *other;
    struct step *step;

    if (steps_unseen(v, doc, out))
        return;
    other = other_owner(v, doc, &label);
    if (str_eq(view_state(v, doc), "present")) {
        steps_add(out, doc, ACTION_NONE, NULL, other ? "as declared; %s declares the same grant" : "as declared",
                  other ? other->address : "");
        return;
    }
    if (other && grant_shared(v, doc, out, other, label))
        return;
    if (refused(v, doc, out))
        return;
    step = steps_add(out, doc, ACTION_GRANT, NULL, "the principal does not hold the role %s here or above",
                     value_str_at(doc->spec, "role"));
    step->scope = scope;
    step_change(out, step, "principalId", NULL, object_id ? value_string(v->arena, object_id) : value_unknown(v->arena),
                NULL);
    step_change(out, step, "role", NULL, value_get(doc->spec, "role"), NULL);
    step->postcondition = "read back: the role is assigned to the principal here or above";
    step->estimate_ms = grant_delay_ms(v, GRANT_LOCAL);
    step->estimate_source = "until it acts in every region of the HSM: Microsoft Learn, Managed HSM multi-region "
                            "replication";
    step_writes(out, step, "PUT", "%s/",
                hsm_assignments_url(v->arena, value_str_at(facts, "base"), value_str_at(facts, "localScope")) +
                    strlen("https://"));
    /* An HSM that is yet to be recovered cannot be asked what we may do in it. */
    if (value_get(facts, "atScope"))
        step_right(out, step, scope, HSM_ACTION "roleAssignments/write/action", true,
                   "Managed HSM Policy Administrator");
    grant_for_set(v, out, step, document_target(doc, "spec.principal.diskEncryptionSet"), object_id);
    view_need(v, out, step, document_target(doc, "spec.hsm"));
    grant_needs_place(v, out, step);
    local = value_str_at(facts, "localScope");
    key_guard_grant(v, out, step, document_target(doc, "spec.hsm"),
                    str_starts_nocase(local, "/keys/") ? local + strlen("/keys/") : NULL);
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc);

    /* The other document has made the grant by now. */
    if (actor->step->action == ACTION_WAIT)
        return 0;
    if (!value_str_at(facts, "objectId"))
        return err_set(err, ERR_CONFLICT, "the principal's object id is not known yet");
    TRY(local_role_put(kind_azure(actor->provider, doc), c, actor->arena,
                       &(struct hsm_grant){.base = value_str_at(facts, "base"),
                                           .scope = value_str_at(facts, "localScope"),
                                           .role_id = value_str_at(facts, "roleId"),
                                           .principal = value_str_at(facts, "objectId")},
                       err));
    /* An HSM's assignments show no time: a later look could not tell how long to wait. */
    return actor_wait(actor, c, grant_delay_ms(actor->view, GRANT_LOCAL), "a local role to act", err);
}

const struct kind managed_hsm_role_assignment_kind = {
    .name = "ManagedHsmRoleAssignment",
    .summary =
        "One local role for one principal at one scope of a managed HSM, spelled out; assignments further up count.",
    .check = id_fields_check,
    .observe = observe,
    .steps = steps,
    .act = act,
};
