/* Knows the part of Microsoft Graph that finds service principals. Must not know what they may do. */
#include "internal.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"

/* Application ids that Microsoft gave its own services, the same in every tenant of the public cloud. */
static const struct { const char *name, *app_id, *display; } first_party[] = {
    {"ConfidentialVmOrchestrator", "bf7b6499-ff71-4aa2-97a4-f372087be7f0", "Confidential VM Orchestrator"},
    {"BackupManagementService", "262044b1-e2ce-469f-a196-69ab7ada62d3", "Backup Management Service"},
};

static const char *app_id_of(const struct value *p)
{
    const char *name = value_str_at(p, "wellKnown"), *given = value_str_at(p, "appId");

    for (size_t i = 0; !given && name && i < COUNT(first_party); i++)
        if (str_eq(first_party[i].name, name))
            return first_party[i].app_id;
    return given;
}

static const char *display_of(const struct value *p)
{
    const char *name = value_str_at(p, "wellKnown"), *given = value_str_at(p, "displayName");

    for (size_t i = 0; !given && name && i < COUNT(first_party); i++)
        if (str_eq(first_party[i].name, name))
            return first_party[i].display;
    return given ? given : value_str_at(p, "name");
}

/* What Graph shows of every service principal, here with nothing in it. */
static void add_empty(struct arena *a, struct value *v)
{
    static const char *const nulls[] = {
        "deletedDateTime", "appDescription", "applicationTemplateId", "description", "disabledByMicrosoftStatus",
        "homepage", "loginUrl", "logoutUrl", "notes", "preferredSingleSignOnMode", "preferredTokenSigningKeyThumbprint",
        "tokenEncryptionKeyId", "samlSingleSignOnSettings",
    };
    static const char *const lists[] = {
        "notificationEmailAddresses",
        "replyUrls",
        "tags",
        "addIns",
        "appRoles",
        "keyCredentials",
        "oauth2PermissionScopes",
        "passwordCredentials",
        "resourceSpecificApplicationPermissions",
    };
    static const char *const maps[][6] = {
        {"verifiedPublisher", "displayName", "verifiedPublisherId", "addedDateTime"},
        {"info", "logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl"},
    };

    for (size_t i = 0; i < COUNT(nulls); i++)
        value_set(a, v, nulls[i], value_null(a));
    for (size_t i = 0; i < COUNT(lists); i++)
        value_set(a, v, lists[i], value_list(a));
    for (size_t i = 0; i < COUNT(maps); i++) {
        struct value *map = value_set(a, v, maps[i][0], value_map(a));

        for (size_t k = 1; k < COUNT(maps[i]) && maps[i][k]; k++)
            value_set(a, map, maps[i][k], value_null(a));
    }
}

static struct value *show(struct sim *s, struct arena *a, const struct value *p)
{
    struct value *v = value_map(a), *names = value_list(a), *alternatives = value_list(a);
    const char *resource = value_str_at(p, "resource");

    value_set_string(a, v, "id", value_str_at(p, "objectId"));
    add_empty(a, v);
    value_set_bool(a, v, "accountEnabled", true);
    if (resource)
        value_push(a, alternatives, value_string(a, resource));
    value_set(a, v, "alternativeNames", alternatives);
    value_set_string(a, v, "appId", app_id_of(p));
    value_set_string(a, v, "displayName", display_of(p));
    value_set_string(a, v, "appDisplayName", display_of(p));
    value_set_string(a, v, "appOwnerOrganizationId", value_str_at(s->spec, "tenant"));
    value_set_bool(a, v, "appRoleAssignmentRequired", false);
    value_set_string(a, v, "createdDateTime", value_str_at(p, "created") ?: "2026-01-15T09:00:00Z");
    value_set_string(a, v, "signInAudience", "AzureADMyOrg");
    if (app_id_of(p))
        value_push(a, names, value_string(a, app_id_of(p)));
    value_set(a, v, "servicePrincipalNames", names);
    value_set_string(a, v, "servicePrincipalType",
                     str_eq(value_str_at(p, "type"), "ManagedIdentity") ? "ManagedIdentity" : "Application");
    return v;
}

/* The text between the first pair of quotes. */
static const char *quoted(struct arena *a, const char *s)
{
    const char *open = s ? strchr(s, '\'') : NULL, *close = open ? strchr(open + 1, '\'') : NULL;

    return close ? arena_strndup(a, open + 1, (size_t)(close - open - 1)) : NULL;
}

static bool fits(const struct value *p, const char *filter, const char *wanted)
{
    if (str_eq(value_str_at(p, "type"), "User") || str_eq(value_str_at(p, "type"), "Group"))
        return false;
    if (!filter)
        return true;
    if (str_find_nocase(filter, "displayName eq"))
        return str_eq_nocase(display_of(p), wanted);
    return str_eq_nocase(app_id_of(p), wanted);
}

static void list(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    static const char *const lists[] = {"principals", "identities"};
    struct arena *a = r->arena;
    struct value *body = value_map(a), *found = value_list(a);
    const char *filter = request_query(r, "$filter"), *wanted = quoted(a, filter);

    for (size_t l = 0; l < COUNT(lists); l++) {
        struct value *all = state_list(s, lists[l]);

        for (size_t i = 0; i < value_count(all); i++)
            if (fits(value_item(all, i), filter, wanted))
                value_push(a, found, show(s, a, value_item(all, i)));
    }
    value_set_string(a, body, "@odata.context", arena_printf(a, "%s/v1.0/$metadata#servicePrincipals", s->ep.graph));
    value_set(a, body, "value", found);
    answer_json(a, out, 200, body);
}

static void graph_error(struct sim *s, const struct sim_request *r, struct sim_answer *out, int status,
                        const char *code, const char *message)
{
    struct arena *a = r->arena;
    struct value *body = value_map(a), *error = value_set(a, body, "error", value_map(a)), *inner;
    const char *client = request_header(r, "client-request-id");
    char id[UUID_TEXT];

    value_set_string(a, error, "code", code);
    value_set_string(a, error, "message", message);
    inner = value_set(a, error, "innerError", value_map(a));
    value_set_string(a, inner, "date", time_format(a, s->now_ms));
    crypt_uuid5("8a3c7c1e-0c55-5d6b-9a4e-6c0d5a1f7b32", arena_printf(a, "%llu", (unsigned long long)s->n_exchanges),
                id);
    value_set_string(a, inner, "request-id", id);
    value_set_string(a, inner, "client-request-id", client ? client : id);
    answer_json(a, out, status, body);
}

static void one(struct sim *s, const struct sim_request *r, struct sim_answer *out, const struct value *p)
{
    struct value *body;

    if (!p) {
        graph_error(s, r, out, 404, "Request_ResourceNotFound", "The service principal does not exist in this tenant.");
        return;
    }
    body = show(s, r->arena, p);
    value_set_string(r->arena, body, "@odata.context",
                     arena_printf(r->arena, "%s/v1.0/$metadata#servicePrincipals/$entity", s->ep.graph));
    answer_json(r->arena, out, 200, body);
}

static const struct value *by_app_id(struct sim *s, const char *app_id)
{
    struct value *all = state_list(s, "principals");

    for (size_t i = 0; app_id && i < value_count(all); i++)
        if (str_eq_nocase(app_id_of(value_item(all, i)), app_id))
            return value_item(all, i);
    return NULL;
}

void graph_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *what = request_segment(r, 1);

    if (!r->principal || !audience_is(r->token_audience, s->ep.graph_audience)) {
        graph_error(s, r, out, 401, "InvalidAuthenticationToken",
                    r->principal ? "The token is meant for another service." : r->token_problem);
        return;
    }
    if (!request_is(r, "GET"))
        graph_error(s, r, out, 403, "Authorization_RequestDenied", "This simulated directory can only be read.");
    else if (str_starts_nocase(what, "servicePrincipals(") && r->n_segments == 2)
        one(s, r, out, by_app_id(s, quoted(r->arena, what)));
    else if (str_eq_nocase(what, "servicePrincipals") && r->n_segments == 3)
        one(s, r, out, principal_find(s, request_segment(r, 2)));
    else if (str_eq_nocase(what, "servicePrincipals") && r->n_segments == 2)
        list(s, r, out);
    else
        graph_error(s, r, out, 400, "BadRequest", "This part of Graph is not simulated.");
}
