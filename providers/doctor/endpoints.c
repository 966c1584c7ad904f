/* Knows how a service is asked whether it answers, and what its address tells. Must not know what is asked of it
 * otherwise. No token is sent. */
#include "endpoints.h"

#include <arpa/inet.h>
#include <string.h>

#include "../../reconciler/format/json.h"
#include "../../reconciler/run/http.h"
#include "../azure/shared.h"

#define METADATA "/metadata/endpoints?api-version=2022-09-01"

struct asking {
    struct endpoint *endpoint;
    struct arena *arena;
    const char *url;
    const struct value *private; /* of a store or account: its properties; NULL: not seen */
    bool proxied;
    struct err err;
    int rc;
};

/* --- addresses ---------------------------------------------------------------------------------------------------- */

static bool v4_is_private(uint32_t ip)
{
    static const struct { uint32_t net, mask; } nets[] = {
        {0x0a000000, 0xff000000}, {0xac100000, 0xfff00000}, {0xc0a80000, 0xffff0000},
        {0x64400000, 0xffc00000}, {0x7f000000, 0xff000000}, {0xa9fe0000, 0xffff0000},
    };

    for (size_t i = 0; i < COUNT(nets); i++)
        if ((ip & nets[i].mask) == nets[i].net)
            return true;
    return false;
}

bool address_is_private(const char *address)
{
    static const unsigned char loopback[16] = {[15] = 1}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char ip[16];
    struct in_addr v4;

    if (address && inet_pton(AF_INET, address, &v4) == 1)
        return v4_is_private(ntohl(v4.s_addr));
    if (!address || inet_pton(AF_INET6, address, ip) != 1)
        return false;
    if (memcmp(ip, mapped, sizeof(mapped)) == 0)
        return v4_is_private((uint32_t)ip[12] << 24 | (uint32_t)ip[13] << 16 | (uint32_t)ip[14] << 8 | ip[15]);
    return memcmp(ip, loopback, sizeof(ip)) == 0 || (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

/* "privatelink.vaultcore.azure.net" of "https://kv.vault.azure.net": the zone in which private names are answered. */
static const char *private_zone(struct arena *a, const char *address)
{
    const char *host = address + strlen("https://"), *rest = strchr(host, '.');

    if (!rest)
        return "privatelink";
    return str_starts_nocase(rest, ".vault.") ? arena_printf(a, "privatelink.vaultcore.%s", rest + strlen(".vault."))
                                              : arena_printf(a, "privatelink%s", rest);
}

/* --- one ---------------------------------------------------------------------------------------------------------- */

static bool has_private_endpoint(const struct value *properties)
{
    return value_count(value_get(properties, "privateEndpointConnections")) > 0;
}

static void judge_address(struct asking *x)
{
    struct endpoint *e = x->endpoint;

    if (x->proxied || !e->from || !*e->from || !has_private_endpoint(x->private) || address_is_private(e->from))
        return;
    e->fault = arena_printf(x->arena,
                            "it has a private endpoint, and its name leads to the public address %s from here: that is "
                            "the likely fault where it refuses us or does not answer",
                            e->from);
    e->fix =
        arena_printf(x->arena, "link the private DNS zone %s to this network, or let its DNS forward the name there",
                     private_zone(x->arena, e->address));
}

static void ask_task(struct call *c, void *arg)
{
    struct asking *x = arg;
    struct endpoint *e = x->endpoint;
    struct http_request request = {.method = HTTP_GET, .url = x->url, .timeout_ms = 20 * SECOND_MS};
    struct http_response response cleanup(http_response_release) = {0};
    int64_t begun = call_span_ms(c);
    struct value *metadata = NULL;
    struct err ignored;

    x->rc = http_send(azure_http(e->azure), c, x->arena, &request, &response, &x->err);
    e->took_ms = call_span_ms(c) - begun;
    if (x->rc < 0) {
        e->fault = arena_strdup(x->arena, x->err.text);
        e->fix = has_private_endpoint(x->private)
                     ? arena_printf(x->arena,
                                    "it has a private endpoint: ask from a network that reaches it, with the private "
                                    "DNS zone %s",
                                    private_zone(x->arena, e->address))
                     : "check name, network, proxy (HTTPS_PROXY, NO_PROXY) and the authorities that are trusted";
        return;
    }
    e->status = response.status;
    if (str_ends_nocase(x->url, METADATA) && e->status == 200 &&
        json_parse(x->arena, response.body.bytes, response.body.len, &metadata, &ignored) == 0)
        e->metadata = metadata;
    e->from = *response.address ? arena_strdup(x->arena, response.address) : NULL;
    judge_address(x);
}

/* --- what a cloud says of itself ---------------------------------------------------------------------------------- */

/* Equal but for a slash at the end and the scheme; a suffix of names may begin with its dot. */
static bool same_place(const char *ours, const char *theirs)
{
    size_t n, m;

    ours += str_starts_nocase(ours, "https://") ? strlen("https://") : 0;
    theirs += str_starts_nocase(theirs, "https://") ? strlen("https://") : 0;
    ours += *ours == '.';
    theirs += *theirs == '.';
    n = strlen(ours);
    m = strlen(theirs);
    n -= n && ours[n - 1] == '/';
    m -= m && theirs[m - 1] == '/';
    return n == m && str_eq_nocase_n(ours, theirs, n);
}

static bool any_same(const char *ours, const struct value *theirs)
{
    for (size_t i = 0; i < value_count(theirs); i++)
        if (value_str(value_item(theirs, i)) && same_place(ours, value_str(value_item(theirs, i))))
            return true;
    return false;
}

/* One cloud, or a list of which the one with our Resource Manager counts. */
static const struct value *metadata_of(const struct cloud *cloud, const struct value *metadata)
{
    if (value_is(metadata, VALUE_MAP))
        return metadata;
    for (size_t i = 0; i < value_count(metadata); i++) {
        const char *arm = value_str_at(value_item(metadata, i), "resourceManager");

        if (arm && same_place(cloud->arm, arm))
            return value_item(metadata, i);
    }
    return NULL;
}

struct value *cloud_differs(struct arena *a, const struct cloud *cloud, const struct value *metadata)
{
    const struct value *m = metadata_of(cloud, metadata), *audiences = value_at(m, "authentication.audiences");
    const char *storage = str_starts_nocase(cloud->blob_suffix, ".blob") ? cloud->blob_suffix + strlen(".blob")
                                                                          : cloud->blob_suffix;
    const struct { const char *what, *ours, *path; } cells[] = {
        {"sign-in", cloud->authority, "authentication.loginEndpoint"},
        {"key vaults", cloud->vault_suffix, "suffixes.keyVaultDns"},
        {"managed HSMs", cloud->hsm_suffix, "suffixes.mhsmDns"},
        {"storage", storage, "suffixes.storage"},
        {"Microsoft Graph", cloud->graph, "microsoftGraphResourceId"},
    };
    struct value *differs = value_list(a);

    if (!m)
        return NULL;
    for (size_t i = 0; i < COUNT(cells); i++) {
        const char *theirs = value_str_at(m, cells[i].path);

        if (theirs && !same_place(cells[i].ours, theirs))
            value_push(a, differs, value_format(a, "%s: %s is used here, and the cloud names %s", cells[i].what,
                                                cells[i].ours, theirs));
    }
    if (value_count(audiences) && !any_same(cloud->arm_audience, audiences))
        value_push(a, differs, value_format(a, "tokens are asked for %s, which is none of the cloud's audiences",
                                            cloud->arm_audience));
    return differs;
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

static const struct kind_of {
    const char *type, *what;
    enum azure_api api;
} kinds_of[] = {
    {"/Microsoft.KeyVault/vaults/", "key vault", API_KEYVAULT},
    {"/Microsoft.KeyVault/managedHSMs/", "managed HSM", API_KEYVAULT},
    {"/Microsoft.Storage/storageAccounts/", "storage account", API_STORAGE},
};

static const char *address_of(struct arena *a, const struct needs *n, const struct need *one, const struct kind_of *k,
                              const char *id)
{
    const struct cloud *cloud = azure_cloud(one->azure);
    const char *name = arm_id_name(id);

    for (size_t i = 0; i < n->count; i++)
        if (n->items[i]->address && str_eq_nocase(n->items[i]->scope, id))
            return n->items[i]->address;
    return k->api == API_STORAGE ? arena_printf(a, "https://%s%s", name, cloud->blob_suffix)
                                 : cloud_store_base(a, cloud, str_find_nocase(k->type, "HSM") ? STORE_HSM : STORE_VAULT,
                                                    name);
}

static bool known(const struct endpoint *all, size_t count, const char *address)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(all[i].address, address))
            return true;
    return false;
}

/* Each store and account that is read, or acted on: by the ids of what was needed of it. */
static void add_stores(const struct needs *n, struct endpoint **all, size_t *count)
{
    for (size_t i = 0; i < n->count; i++)
        for (size_t k = 0; k < COUNT(kinds_of); k++) {
            const struct need *one = n->items[i];
            const char *at = str_find_nocase(one->scope, kinds_of[k].type), *id, *address;

            if (!at)
                continue;
            at += strlen(kinds_of[k].type);
            id = arena_strndup(n->arena, one->scope, (size_t)(at - one->scope) + strcspn(at, "/"));
            address = address_of(n->arena, n, one, &kinds_of[k], id);
            if (known(*all, *count, address))
                continue;
            arena_push(n->arena, *all, *count,
                       ((struct endpoint){
                           .what = kinds_of[k].what, .address = address, .id = id, .azure = one->azure}));
        }
}

/* What is told of the store by Resource Manager: whether it has private endpoints. */
static const struct value *properties_of(struct call *c, struct arena *a, const struct endpoint *e)
{
    const struct value *live = NULL;
    struct err ignored;

    if (!e->id ||
        arm_get_shared(
            e->azure, c, a,
            &(struct arm_wanted){.path = e->id, .api = str_eq(e->what, "storage account") ? API_STORAGE : API_KEYVAULT},
            &live, &ignored) < 0)
        return NULL;
    return value_get(live, "properties");
}

static const char *url_of(struct arena *a, const struct endpoint *e)
{
    if (str_eq(e->what, "Resource Manager"))
        return arena_printf(a, "%s" METADATA, e->address);
    if (str_eq(e->what, "sign-in"))
        return arena_printf(a, "%s/%s/v2.0/.well-known/openid-configuration", e->address,
                            *azure_tenant(e->azure) ? azure_tenant(e->azure) : "common");
    return str_eq(e->what, "storage account")
               ? arena_printf(a, "%s/?comp=list", e->address)
               : arena_printf(a, "%s/keys?api-version=%s", e->address, azure_version(e->azure, API_KEYS));
}

int endpoints_ask(struct call *c, const struct needs *n, const struct reach *reach, struct endpoint **ret,
                  size_t *ret_count, struct err *err)
{
    struct endpoint *all = NULL;
    struct asking *asking;
    struct group *g;
    size_t count = 0;
    int rc;

    for (size_t i = 0; i < reach->n_connections; i++) {
        struct azure *az = reach->connections[i];
        const struct cloud *cloud = az ? azure_cloud(az) : NULL;

        if (!cloud || known(all, count, cloud->arm))
            continue;
        arena_push(n->arena, all, count,
                   ((struct endpoint){.what = "sign-in", .address = cloud->authority, .azure = az}));
        arena_push(n->arena, all, count,
                   ((struct endpoint){.what = "Resource Manager", .address = cloud->arm, .azure = az}));
    }
    add_stores(n, &all, &count);
    asking = arena_array(n->arena, struct asking, count + 1);
    for (size_t i = 0; i < count; i++)
        asking[i] = (struct asking){.endpoint = &all[i],
                                    .arena = n->arena,
                                    .url = url_of(n->arena, &all[i]),
                                    .proxied = reach->proxied,
                                    .private = properties_of(c, n->arena, &all[i])};
    g = group_new(call_sched(c), "endpoints");
    for (size_t i = 0; i < count; i++)
        group_spawn(g, all[i].address, ask_task, &asking[i]);
    rc = group_wait(c, g, err);
    group_free(g);
    TRY(rc);
    *ret = all;
    *ret_count = count;
    return 0;
}
