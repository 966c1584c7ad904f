/* Knows what Azure counts together, and how much of it at once and in a second, as documented. Must not know how long
 * anybody waits (reconciler/run/bucket.h), nor what a request is for. */
#include "allowances.h"

#include <string.h>

#include "../../reconciler/base/text.h"
#include "internal.h"

enum { NAME_MAX_BYTES = 300 };

#define LEFT "x-ms-ratelimit-remaining-"

/* Microsoft Learn, "request limits and throttling" of Resource Manager, 2026: for each subscription and principal, and
 * again for calls of the tenant. Answers have told more than that (1,100 and 800). */
static const struct allowance arm_reads = {"reads of a subscription", 250, 25, LEFT "subscription-reads", NULL},
                              arm_writes = {"writes to a subscription", 200, 10, LEFT "subscription-writes", NULL},
                              tenant_reads = {"reads of a tenant", 250, 25, LEFT "tenant-reads", NULL},
                              tenant_writes = {"writes to a tenant", 200, 10, LEFT "tenant-writes", NULL};
/* The same page: where a service has limits of its own, they are told and count instead. Only those of jobs are known
 * before (azure-cli's recordings: 450 in 2024, 250 in 2026, by the hour). */
static const struct allowance of_a_type = {"requests of a type", 0, 0, LEFT "subscription-resource-requests", NULL},
                              job_reads = {"reads of backup jobs", 250, 250.0 / 3600,
                                           LEFT "subscription-resource-requests", NULL};
/* Recorded with azure-cli, 2023. */
static const struct allowance set_writes = {"writes of disk encryption sets in 3 minutes", 100, 100.0 / 180,
                                            LEFT "resource", "Microsoft.Compute/HighCostDiskEncryptionSet3Min"},
                              set_writes_long = {"writes of disk encryption sets in 30 minutes", 300, 300.0 / 1800,
                                                 LEFT "resource", "Microsoft.Compute/HighCostDiskEncryptionSet30Min"};
/* Microsoft Learn, Resource Graph, "guidance for throttled requests": 15 in 5 seconds. */
static const struct allowance graph_queries = {"queries of Resource Graph", 15, 3, "x-ms-user-quota-remaining", NULL};
/* Microsoft Learn, Key Vault "service limits": for keys in hardware of 2,048 bits 2,000 in 10 seconds; managed HSM,
 * "scaling guidance": by the second. Half of each may come at once, so that no window holds more than its limit. */
static const struct allowance vault_calls = {"operations on a key vault", 1000, 100, NULL, NULL},
                              hsm_calls = {"operations on a managed HSM", 550, 550, NULL, NULL},
                              hsm_copies = {"backups and restores in a managed HSM", 5, 5, NULL, NULL},
                              hsm_roles = {"role operations on a managed HSM", 2, 3, NULL, NULL};

/* "Microsoft.Compute/disks" of an address, with the types above it; "" when it names none. */
static void type_add(struct text *t, const char *url)
{
    const char *type = NULL, *p;

    for (p = url; (p = str_find_nocase(p, "/providers/")); p += strlen("/providers/"))
        type = p + strlen("/providers/");
    /* NAMESPACE/TYPE/name/TYPE/name … */
    for (size_t i = 0; type && *type && !strchr("?#", *type); i++) {
        size_t n = strcspn(type, "/?#");

        if (i == 0 || i % 2 == 1)
            text_printf(t, "%s%.*s", i ? "/" : "", (int)n, type);
        type += n + (type[n] == '/');
    }
}

static void draw(struct arena *a, struct http_request *request, const struct allowance *of, const char *whose)
{
    struct draw *draws = (struct draw *)request->draws;

    if (!draws)
        request->draws = draws = arena_array(a, struct draw, DRAWS_MAX);
    draws[request->n_draws++] = (struct draw){of, whose};
}

static const char *path_of(const char *url)
{
    const char *host = url + strlen("https://");

    return host + strcspn(host, "/?#");
}

/* The subscription of an address of Resource Manager; NULL: it is of the whole tenant. */
static const char *subscription_of(struct arena *a, const char *path)
{
    static const char before[] = "/subscriptions/";
    const char *id = path + strlen(before);

    return str_starts_nocase(path, before) ? arena_strndup(a, id, strcspn(id, "/?#")) : NULL;
}

static void arm_draws(struct arena *a, struct http_request *request, const char *arm)
{
    const char *path = path_of(request->url), *subscription = subscription_of(a, path), *whose = subscription ?: arm;
    bool read = request->method == HTTP_GET || request->method == HTTP_HEAD;

    if (read && str_find_nocase(path, "/backupJobs")) {
        draw(a, request, &job_reads, whose);
        return;
    }
    if (str_find_nocase(path, "/providers/Microsoft.ResourceGraph/")) {
        draw(a, request, &graph_queries, arm);
        return;
    }
    if (!read && str_find_nocase(path, "/providers/Microsoft.Compute/diskEncryptionSets/")) {
        draw(a, request, &set_writes, whose);
        draw(a, request, &set_writes_long, whose);
    }
    draw(a, request, &of_a_type, arena_printf(a, "%s: %s", whose, request->scope));
    if (subscription)
        draw(a, request, read ? &arm_reads : &arm_writes, whose);
    else
        draw(a, request, read ? &tenant_reads : &tenant_writes, whose);
}

/* The host of a key store: NAME.vault.azure.net. */
static const char *host_of(struct arena *a, const char *url)
{
    const char *host = url + strlen("https://");

    return arena_strndup(a, host, (size_t)(path_of(url) - host));
}

static void hsm_draws(struct arena *a, struct http_request *request)
{
    const char *whose = host_of(a, request->url);

    if (str_find_nocase(request->url, "/providers/Microsoft.Authorization/"))
        draw(a, request, &hsm_roles, whose);
    else if (request->method == HTTP_POST &&
             (str_find_nocase(request->url, "/backup") || str_find_nocase(request->url, "/keys/restore")))
        draw(a, request, &hsm_copies, whose);
    draw(a, request, &hsm_calls, whose);
}

void azure_counted(const struct azure *az, struct arena *a, struct http_request *request)
{
    const struct cloud *cloud = azure_cloud(az);
    bool read = request->method == HTTP_GET || request->method == HTTP_HEAD;
    struct text scope cleanup(text_release) = {0};

    request->draws = NULL;
    request->n_draws = 0;
    request->scope = NULL;
    if (url_under_suffix(request->url, cloud->vault_suffix))
        draw(a, request, &vault_calls, host_of(a, request->url));
    else if (url_under_suffix(request->url, cloud->hsm_suffix))
        hsm_draws(a, request);
    if (!url_same_host(cloud->arm, request->url))
        return;
    text_init(&scope, NAME_MAX_BYTES);
    text_printf(&scope, "%s %s ", cloud->arm + strlen("https://"), read ? "GET" : "writes of");
    type_add(&scope, request->url);
    request->scope = scope.overflowed ? NULL : arena_strdup(a, text_str(&scope));
    arm_draws(a, request, cloud->arm);
}

const struct allowance *azure_job_allowance(void)
{
    return &job_reads;
}

const struct allowance *azure_set_allowance(void)
{
    return &set_writes_long;
}
