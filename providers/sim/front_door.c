/* Knows what Azure Resource Manager does before a resource provider sees a request: sign-in, api-version, subscription,
 * throttling, routing. Must not know the providers' rules. */
#include "internal.h"

#include <string.h>

/* --- throttling --------------------------------------------------------------------------------------------------- */

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
    static const struct { int reads, reads_each_second, writes, writes_each_second, jobs_each_hour; } limits[] = {
        {1100, 25, 800, 10, 250}, {250, 25, 200, 10, 250}, {60, 25, 40, 10, 60}};
    int i = knob_is(s, "armLimits", "documented") ? 1 : knob_is(s, "armLimits", "few") ? 2 : 0;
    struct arena *a = r->arena;
    bool read = request_is(r, "GET") || request_is(r, "HEAD"), jobs = read && str_find_nocase(r->path, "/backupJobs"),
         passed;

    if (jobs) {
        /* Counted per action and hour: the narrowest of all. */
        passed = take(&s->job_reads, s->now_ms, limits[i].jobs_each_hour, (double)limits[i].jobs_each_hour / 3600);
        answer_header(a, out, "x-ms-ratelimit-remaining-subscription-resource-requests", "%d", (int)s->job_reads.left);
        if (passed)
            return false;
        answer_arm_error(a, out, 429, true, "ResourceRequestsThrottled",
                         "Number of requests for action '%s' exceeded the limit of '%d' for time "
                         "interval '01:00:00'. Please try again after %s.",
                         "Microsoft.RecoveryServices/vaults/backupJobs/read", limits[i].jobs_each_hour,
                         knob_is(s, "throttleHint", "message") ? "'60' seconds" : "some time");
        if (knob_is(s, "throttleHint", "header"))
            answer_header(a, out, "Retry-After", "%d", 60);
        return true;
    }
    passed = read ? take(&s->reads, s->now_ms, limits[i].reads, limits[i].reads_each_second)
                  : take(&s->writes, s->now_ms, limits[i].writes, limits[i].writes_each_second);
    answer_header(a, out,
                  read ? "x-ms-ratelimit-remaining-subscription-reads" : "x-ms-ratelimit-remaining-subscription-writes",
                  "%d", (int)(read ? s->reads.left : s->writes.left));
    answer_header(a, out,
                  read ? "x-ms-ratelimit-remaining-subscription-global-reads"
                       : "x-ms-ratelimit-remaining-subscription-global-writes",
                  "%d", 15 * (int)(read ? s->reads.left : s->writes.left));
    if (passed)
        return false;
    answer_arm_error(a, out, 429, true, "SubscriptionRequestsThrottled",
                     "Too many requests of this principal in this subscription.");
    answer_header(a, out, "Retry-After", "%d", 1);
    return true;
}

/* --- sign-in, subscription, routing ------------------------------------------------------------------------------- */

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

    if (r->principal &&
        (audience_is(r->token_audience, s->ep.arm_audience) || audience_is(r->token_audience, s->ep.arm)))
        return true;
    if (r->principal)
        answer_arm_error(r->arena, out, 401, true, "InvalidAuthenticationTokenAudience",
                         "The access token was obtained for the wrong audience '%s'. Allowed is '%s'.",
                         r->token_audience, s->ep.arm_audience);
    else if (str_find_nocase(r->token_problem, "expired"))
        answer_arm_error(r->arena, out, 401, true, "ExpiredAuthenticationToken",
                         "The access token expiry is before the current time: %s.", r->token_problem);
    else
        answer_arm_error(r->arena, out, 401, true, "AuthenticationFailed", "Authentication failed: %s.",
                         r->token_problem);
    answer_header(r->arena, out, "WWW-Authenticate",
                  "Bearer authorization_uri=\"%s/%s\", error=\"invalid_token\", error_description=\"%s\"",
                  s->ep.authority, tenant ? tenant : "", r->token_problem ? r->token_problem : "wrong audience");
    return false;
}

/* What is a file of its own within another provider's namespace; NULL. */
static service *own_type(const struct sim_request *r, size_t at)
{
    const char *namespace = request_segment(r, at + 1), *type = request_segment(r, at + 2);

    if (str_eq_nocase(namespace, "Microsoft.Authorization") && str_eq_nocase(type, "locks"))
        return arm_locks_answer;
    if (str_eq_nocase(namespace, "Microsoft.Compute") && str_eq_nocase(type, "locations") &&
        str_eq_nocase(request_segment(r, at + 4), "usages"))
        return arm_usages_answer;
    return NULL;
}

static service *provider(const struct sim_request *r)
{
    static const struct { const char *namespace; service *answer; } services[] = {
        {"Microsoft.Authorization", arm_authorization_answer}, {"Microsoft.KeyVault", arm_keyvault_answer},
        {"Microsoft.Compute", arm_compute_answer},             {"Microsoft.Storage", arm_storage_answer},
        {"Microsoft.Network", arm_network_answer},             {"Microsoft.RecoveryServices", arm_recovery_answer},
        {"Microsoft.Resources", arm_resources_answer},         {"Microsoft.ResourceGraph", arm_resource_graph_answer},
        {"Microsoft.Attestation", arm_attestation_answer},     {"Microsoft.ManagedIdentity", arm_identity_answer},
    };
    size_t at = arm_provider_at(r);

    /* Features sit under two "providers"; a namespace alone is its registration. */
    if (str_eq_nocase(request_segment(r, 3), "Microsoft.Features") && r->n_segments > 4)
        return arm_features_answer;
    if (at == SIZE_MAX || r->n_segments <= at + 2)
        return arm_resources_answer;
    if (own_type(r, at))
        return own_type(r, at);
    for (size_t i = 0; i < COUNT(services); i++)
        if (str_eq_nocase(services[i].namespace, request_segment(r, at + 1)))
            return services[i].answer;
    return NULL;
}

/* What the cloud says of itself, to anybody: a list, of which one is this cloud. */
static void answer_endpoints(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    struct arena *a = r->arena;
    struct value *list = value_list(a), *cloud = value_map(a), *authentication = value_map(a), *suffixes = value_map(a),
                 *audiences = value_list(a);
    const char *blobs = s->ep.blob_suffix;

    value_push(a, audiences, value_string(a, s->ep.arm_audience));
    value_set_string(a, authentication, "loginEndpoint", s->ep.authority);
    value_set(a, authentication, "audiences", audiences);
    value_set_string(a, suffixes, "keyVaultDns", s->ep.vault_suffix + 1);
    value_set_string(a, suffixes, "mhsmDns", s->ep.hsm_suffix + 1);
    value_set_string(a, suffixes, "storage", str_starts(blobs, ".blob.") ? blobs + strlen(".blob.") : blobs);
    value_set_string(a, cloud, "name", "AzureCloud");
    value_set_string(a, cloud, "resourceManager", arena_printf(a, "%s/", s->ep.arm));
    value_set_string(a, cloud, "microsoftGraphResourceId", arena_printf(a, "%s/", s->ep.graph));
    value_set(a, cloud, "authentication", authentication);
    value_set(a, cloud, "suffixes", suffixes);
    value_push(a, list, cloud);
    answer_json(a, out, 200, list);
}

void arm_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    service *answer = provider(r);
    bool in_subscription = str_eq_nocase(request_segment(r, 0), "subscriptions") && r->n_segments > 1;

    if (request_is(r, "GET") && str_eq(r->path, "/metadata/endpoints")) {
        answer_endpoints(s, r, out);
        return;
    }
    if (!signed_in(s, r, out) || throttled(s, r, out))
        return;
    if (!request_query(r, "api-version"))
        answer_arm_error(r->arena, out, 400, true, "MissingApiVersionParameter",
                         "The api-version query parameter (?api-version=) is required for all requests.");
    else if (in_subscription && !subscription_known(s, request_segment(r, 1)))
        answer_arm_error(r->arena, out, 404, true, "SubscriptionNotFound", "The subscription '%s' could not be found.",
                         request_segment(r, 1));
    else if (!answer)
        answer_arm_error(r->arena, out, 404, true, "InvalidResourceNamespace",
                         "The resource namespace '%s' is invalid.", request_segment(r, arm_provider_at(r) + 1));
    else if (!version_refused(s, r, out) && !lock_refuses(s, r, out))
        answer(s, r, out);
}
