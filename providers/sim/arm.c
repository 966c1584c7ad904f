/* Knows what Azure Resource Manager does before a resource provider sees a request: sign-in, api-version, subscription,
 * throttling, routing, lists in pages, the shape of "not found". Must not know the providers' rules. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"

/* --- paths ------------------------------------------------------------------------------------------------------ */

size_t arm_provider_at(const struct sim_request *r)
{
    size_t at = SIZE_MAX;

    for (size_t i = 0; i < r->n_segments; i++)
        if (str_eq_nocase(r->segments[i], "providers"))
            at = i;
    return at;
}

const char *arm_scope_of_list(const struct sim_request *r, size_t n)
{
    size_t at = n;

    for (size_t i = 0; i < n && i < r->n_segments; i++)
        if (str_eq_nocase(r->segments[i], "providers"))
            at = i;
    return request_path(r, at);
}

void arm_bad_path(const struct sim_request *r, struct sim_answer *out)
{
    answer_arm_error(r->arena, out, 404, true, "InvalidResourceType", "The resource type at '%s' is not known here for this method.",
                     r->path);
}

/* --- one resource ----------------------------------------------------------------------------------------------- */

static const char *group_of(struct arena *a, const char *id)
{
    const char *at = str_find_nocase(id, "/resourceGroups/");

    return at ? arena_strndup(a, at + strlen("/resourceGroups/"), strcspn(at + strlen("/resourceGroups/"), "/")) : NULL;
}

void arm_not_found(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct arena *a = r->arena;
    const char *group = group_of(a, id), *slash = strrchr(id, '/');

    if (group && !group_exists(s, request_segment(r, 1), group))
        answer_arm_error(a, out, 404, true, "ResourceGroupNotFound", "Resource group '%s' could not be found.", group);
    else
        answer_arm_error(a, out, 404, true, "ResourceNotFound", "The Resource '%s/%s' under resource group '%s' was not found.",
                         resource_type(a, id), slash ? slash + 1 : "", group ? group : "<null>");
}

/* ".blob.core.windows.net" is ".queue.core.windows.net" and so on for an account's other services. */
static void show_storage(struct sim *s, struct arena *a, struct value *v)
{
    static const char *const services[] = {"dfs", "web", "blob", "queue", "table", "file"};
    struct value *p = value_get(v, "properties"), *endpoints = value_map(a);
    const char *name = value_str_at(v, "name"), *kind = value_str_at(v, "kind"), *suffix = s->ep.blob_suffix;
    bool second = !kind || str_eq_nocase(kind, "StorageV2");

    if (!p)
        return;
    for (size_t i = second ? 0 : 2; i < COUNT(services); i++)
        value_set(a, endpoints, services[i],
                  str_starts_nocase(suffix, ".blob.") ? value_format(a, "https://%s.%s%s/", name, services[i], suffix + strlen(".blob"))
                                                      : value_format(a, "https://%s%s/", name, suffix));
    value_set(a, p, "primaryEndpoints", endpoints);
}

static const char *stable_guid(struct arena *a, const char *id)
{
    char guid[UUID_TEXT];

    crypt_uuid5("5f3c0c52-3f7b-5c0e-8a35-0a4ac1f0be21", str_lower(a, id), guid);
    return arena_strdup(a, guid);
}

/* Who made a vault and who changed it last; a world does not say. */
static void show_authors(struct sim *s, struct arena *a, struct value *v)
{
    static const char *const roles[][3] = {{"createdBy", "createdByType", "createdAt"},
                                           {"lastModifiedBy", "lastModifiedByType", "lastModifiedAt"}};
    struct value *data = value_map(a);

    if (value_get(v, "systemData"))
        return;
    value_set(a, v, "systemData", data);
    for (size_t i = 0; i < COUNT(roles); i++) {
        value_set_string(a, data, roles[i][0], stable_guid(a, value_str_at(v, "id")));
        value_set_string(a, data, roles[i][1], "Application");
        value_set_string(a, data, roles[i][2], time_format(a, sim_start_ms(s) - 30 * DAY_MS));
    }
}

struct value *resource_show(struct sim *s, struct arena *a, const struct value *resource)
{
    struct value *v = value_copy(a, resource), *p = value_get(v, "properties");
    const char *type = value_str_at(v, "type"), *name = value_str_at(v, "name");

    value_remove(v, "registeredAt");
    if (str_eq_nocase(type, "Microsoft.KeyVault/vaults") && p) {
        value_set_string(a, p, "vaultUri", arena_printf(a, "https://%s%s/", name, s->ep.vault_suffix));
        show_authors(s, a, v);
    }
    if (hsm_is(v))
        hsm_show(s, a, v);
    if (str_starts_nocase(type ?: "", "Microsoft.Network/") && !value_get(v, "etag"))
        value_set(a, v, "etag", value_format(a, "W/\"%s\"", stable_guid(a, value_str_at(v, "id"))));
    if (str_eq_nocase(type, "Microsoft.Storage/storageAccounts"))
        show_storage(s, a, v);
    if (str_eq_nocase(type, "Microsoft.RecoveryServices/vaults"))
        recovery_vault_show(a, v);
    /* A machine's state is shown on request only. */
    if (str_eq_nocase(type, "Microsoft.Compute/virtualMachines") && p)
        value_remove(p, "instanceView");
    return v;
}

void answer_resource(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    const struct value *v;

    if (!require_rbac(s, r, out, id, arena_printf(r->arena, "%s/read", resource_type(r->arena, id))))
        return;
    v = resource_find(s, id);
    if (v)
        answer_json(r->arena, out, 200, resource_show(s, r->arena, v));
    else
        arm_not_found(s, r, out, id);
}

/* --- lists ------------------------------------------------------------------------------------------------------ */

static char *next_link(struct sim *s, const struct sim_request *r, size_t from)
{
    struct text t;
    char *ret;

    text_init(&t, 64 * 1024);
    text_printf(&t, "%s%s?", s->ep.arm, r->path);
    for (size_t i = 0; i < r->n_query; i++) {
        if (str_eq_nocase(r->query_names[i], "$skiptoken"))
            continue;
        text_add_percent(&t, r->query_names[i]);
        text_add_char(&t, '=');
        text_add_percent(&t, r->query_values[i]);
        text_add_char(&t, '&');
    }
    text_printf(&t, "%%24skiptoken=%zu", from);
    ret = arena_strdup(r->arena, text_str(&t));
    text_release(&t);
    return ret;
}

void arm_page(struct sim *s, const struct sim_request *r, struct sim_answer *out, const struct value *items)
{
    struct arena *a = r->arena;
    struct value *body = value_map(a), *page = value_list(a);
    const char *token = request_query(r, "$skiptoken");
    size_t at = token ? strtoul(token, NULL, 10) : 0, size = (size_t)value_int_at(value_get(s->spec, "behaviour"), "pageSize", 100);

    for (size_t n = 0; n < (size ? size : 1) && at < value_count(items); n++)
        value_push(a, page, value_item(items, at++));
    value_set(a, body, "value", page);
    if (at < value_count(items))
        value_set_string(a, body, "nextLink", next_link(s, r, at));
    answer_json(a, out, 200, body);
}

void answer_resources(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope, const char *type)
{
    struct arena *a = r->arena;
    struct value *items = value_list(a), *v;
    const char *action = arena_printf(a, "%s/read", type), *group = group_of(a, scope);
    bool everything = access_rbac(s, r->principal, scope, action, false);

    if (group && !group_exists(s, request_segment(r, 1), group)) {
        answer_arm_error(a, out, 404, true, "ResourceGroupNotFound", "Resource group '%s' could not be found.", group);
        return;
    }
    /* Who may not read the whole scope sees what he may read of it. */
    for (size_t at = 0; (v = resource_next(s, scope, type, &at)) != NULL;)
        if (everything || access_rbac(s, r->principal, value_str_at(v, "id"), action, false))
            value_push(a, items, resource_show(s, a, v));
    arm_page(s, r, out, items);
}

/* --- throttling ------------------------------------------------------------------------------------------------- */

/* A token bucket; true when one was left. */
static bool take(struct throttle *t, int64_t now_ms, double room, double per_second)
{
    if (!t->at_ms) {
        t->left = room;
    } else {
        t->left += (double)(now_ms - t->at_ms) / 1000 * per_second;
        if (t->left > room)
            t->left = room;
    }
    t->at_ms = now_ms;
    if (t->left < 1)
        return false;
    t->left -= 1;
    return true;
}

static bool throttled(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    enum { JOB_READS = 250, READS = 1100, WRITES = 800 };
    struct arena *a = r->arena;
    bool read = request_is(r, "GET") || request_is(r, "HEAD"), jobs = read && str_find_nocase(r->path, "/backupJobs"), passed;

    if (jobs) {
        /* Counted per action and hour: the narrowest of all. */
        passed = take(&s->job_reads, s->now_ms, JOB_READS, (double)JOB_READS / 3600);
        answer_header(a, out, "x-ms-ratelimit-remaining-subscription-resource-requests", "%d", (int)s->job_reads.left);
        if (passed)
            return false;
        answer_arm_error(a, out, 429, true, "ResourceRequestsThrottled",
                         "Number of requests for action '%s' exceeded the limit of '%d' for time "
                         "interval '01:00:00'. Please try again after '%d' seconds.",
                         "Microsoft.RecoveryServices/vaults/backupJobs/read", JOB_READS, 60);
        return true;
    }
    passed = read ? take(&s->reads, s->now_ms, READS, 25) : take(&s->writes, s->now_ms, WRITES, 10);
    answer_header(a, out, read ? "x-ms-ratelimit-remaining-subscription-reads" : "x-ms-ratelimit-remaining-subscription-writes", "%d",
                  (int)(read ? s->reads.left : s->writes.left));
    answer_header(a, out,
                  read ? "x-ms-ratelimit-remaining-subscription-global-reads" : "x-ms-ratelimit-remaining-subscription-global-writes",
                  "%d", 15 * (int)(read ? s->reads.left : s->writes.left));
    if (passed)
        return false;
    answer_arm_error(a, out, 429, true, "SubscriptionRequestsThrottled", "Too many requests of this principal in this subscription.");
    answer_header(a, out, "Retry-After", "%d", 1);
    return true;
}

/* --- the front door --------------------------------------------------------------------------------------------- */

static bool subscription_known(struct sim *s, const char *subscription)
{
    struct value *all = state_list(s, "resources");
    size_t n = strlen(subscription);

    for (size_t i = 0; i < value_count(all); i++) {
        const char *id = value_str_at(value_item(all, i), "id") + strlen("/subscriptions/");

        if (strncasecmp(id, subscription, n) == 0 && (id[n] == '/' || !id[n]))
            return true;
    }
    return false;
}

static bool signed_in(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *tenant = value_str_at(s->spec, "tenant");

    if (r->principal && (audience_is(r->token_audience, s->ep.arm_audience) || audience_is(r->token_audience, s->ep.arm)))
        return true;
    if (r->principal)
        answer_arm_error(r->arena, out, 401, true, "InvalidAuthenticationTokenAudience",
                         "The access token was obtained for the wrong audience '%s'. Allowed is '%s'.", r->token_audience,
                         s->ep.arm_audience);
    else if (str_find_nocase(r->token_problem, "expired"))
        answer_arm_error(r->arena, out, 401, true, "ExpiredAuthenticationToken", "The access token expiry is before the current time: %s.",
                         r->token_problem);
    else
        answer_arm_error(r->arena, out, 401, true, "AuthenticationFailed", "Authentication failed: %s.", r->token_problem);
    answer_header(r->arena, out, "WWW-Authenticate",
                  "Bearer authorization_uri=\"%s/%s\", error=\"invalid_token\", error_description=\"%s\"", s->ep.authority,
                  tenant ? tenant : "", r->token_problem ? r->token_problem : "wrong audience");
    return false;
}

static service *provider(const struct sim_request *r)
{
    static const struct { const char *namespace; service *answer; } services[] = {
        {"Microsoft.Authorization", arm_authorization_answer}, {"Microsoft.KeyVault", arm_keyvault_answer},
        {"Microsoft.Compute", arm_compute_answer},             {"Microsoft.Storage", arm_storage_answer},
        {"Microsoft.Network", arm_network_answer},             {"Microsoft.RecoveryServices", arm_recovery_answer},
        {"Microsoft.Resources", arm_resources_answer},         {"Microsoft.ResourceGraph", arm_resource_graph_answer},
        {"Microsoft.Attestation", arm_attestation_answer},
    };
    size_t at = arm_provider_at(r);

    /* Features sit under two "providers"; a namespace alone is its registration. */
    if (at == SIZE_MAX || str_eq_nocase(request_segment(r, 3), "Microsoft.Features") || r->n_segments <= at + 2)
        return arm_resources_answer;
    for (size_t i = 0; i < COUNT(services); i++)
        if (str_eq_nocase(services[i].namespace, request_segment(r, at + 1)))
            return services[i].answer;
    return NULL;
}

void arm_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    service *answer = provider(r);
    bool in_subscription = str_eq_nocase(request_segment(r, 0), "subscriptions") && r->n_segments > 1;

    if (!signed_in(s, r, out) || throttled(s, r, out))
        return;
    if (!request_query(r, "api-version"))
        answer_arm_error(r->arena, out, 400, true, "MissingApiVersionParameter",
                         "The api-version query parameter (?api-version=) is required for all requests.");
    else if (in_subscription && !subscription_known(s, request_segment(r, 1)))
        answer_arm_error(r->arena, out, 404, true, "SubscriptionNotFound", "The subscription '%s' could not be found.",
                         request_segment(r, 1));
    else if (!answer)
        answer_arm_error(r->arena, out, 404, true, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.",
                         request_segment(r, arm_provider_at(r) + 1));
    else
        answer(s, r, out);
}
