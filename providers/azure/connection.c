/* Knows what a connection to Azure is made of: cloud, tenant, subscription, credential, client, and what is kept with
 * it. Must not know how a token is got, nor what is asked. */
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "asked.h"
#include "internal.h"

struct principal {
    char *app_id, *object_id;
};

struct azure {
    struct http *http;
    const struct cloud *cloud;
    struct credential *credential;
    char *tenant, *subscription, *location;
    char *declared_by; /* NULL: nobody told */
    char object_id[OBJECT_ID_ROOM];
    struct principal *principals;
    size_t n_principals;
    struct asked *rights;
    char **held;
    size_t n_held;
    size_t writes; /* so many were sent, and one */
    struct {
        void *what;
        void (*release)(void *what);
    } kept[KEPT_COUNT];
    size_t followed;
    char *versions[API_COUNT]; /* NULL: the table's */
};

static char *copy_or_empty(const char *s)
{
    return xstrdup(s ? s : "");
}

struct azure *azure_new(struct http *http, const struct cloud *cloud, struct credential *credential, const char *tenant,
                        const char *subscription, const char *location)
{
    struct azure *az = xcalloc(1, sizeof(*az));

    az->http = http;
    az->writes = 1;
    az->rights = asked_new();
    az->cloud = cloud;
    az->credential = credential;
    az->tenant = copy_or_empty(tenant);
    az->subscription = copy_or_empty(subscription);
    az->location = copy_or_empty(location);
    return az;
}

void azure_declared_by(struct azure *az, const char *who)
{
    free(az->declared_by);
    az->declared_by = xstrdup(who);
}

void azure_blame(const struct azure *az, struct err *err)
{
    static const char *const tenants[] = {"AADSTS90002", "AADSTS700016", "AADSTS900023", "AADSTS50020",
                                          "InvalidAuthenticationTokenTenant"};
    static const char *const subscriptions[] = {"SubscriptionNotFound", "InvalidSubscriptionId", "SubscriptionDisabled",
                                                "ReadOnlyDisabledSubscription"};

    for (size_t i = 0; az->declared_by && i < COUNT(tenants); i++)
        if (str_eq_nocase(err->code, tenants[i]))
            err_advise(err, "the tenant %s is that of %s", azure_tenant(az), az->declared_by);
    /* A document may also name a subscription of its own, which the text bears. */
    for (size_t i = 0; az->declared_by && *az->subscription && i < COUNT(subscriptions); i++)
        if (str_eq_nocase(err->code, subscriptions[i]) && str_find_nocase(err->text, az->subscription))
            err_advise(err, "the subscription %s is that of %s", az->subscription, az->declared_by);
}

void azure_free(struct azure *az)
{
    if (!az)
        return;
    for (size_t i = 0; i < az->n_principals; i++) {
        free(az->principals[i].app_id);
        free(az->principals[i].object_id);
    }
    for (size_t i = 0; i < API_COUNT; i++)
        free(az->versions[i]);
    free(az->principals);
    for (size_t i = 0; i < az->n_held; i++)
        free(az->held[i]);
    free(az->held);
    for (size_t i = 0; i < KEPT_COUNT; i++)
        azure_keep(az, (enum azure_kept)i, NULL, NULL);
    asked_free(az->rights);
    free(az->tenant);
    free(az->declared_by);
    free(az->subscription);
    free(az->location);
    free(az);
}

void azure_use_versions(struct azure *az, const struct value *azure_spec)
{
    for (size_t i = 0; i < API_COUNT; i++) {
        free(az->versions[i]);
        az->versions[i] = xstrdup(azure_api_declared(azure_spec, (enum azure_api)i));
    }
}

const char *azure_version(const struct azure *az, enum azure_api api)
{
    return az->versions[api] ? az->versions[api] : azure_apis[api].version;
}

void *azure_kept(const struct azure *az, enum azure_kept which)
{
    return az->kept[which].what;
}

void azure_keep(struct azure *az, enum azure_kept which, void *what, void (*release)(void *what))
{
    if (az->kept[which].what)
        az->kept[which].release(az->kept[which].what);
    az->kept[which].what = what;
    az->kept[which].release = release;
}

void azure_written(struct azure *az)
{
    az->writes++;
}

size_t azure_writes(const struct azure *az)
{
    return az->writes;
}

const struct right_asked *const *azure_rights_asked(const struct azure *az, size_t *ret_count)
{
    return asked_items(az->rights, ret_count);
}

struct asked *azure_rights_ledger(const struct azure *az)
{
    return az->rights;
}

size_t *azure_followed(struct azure *az)
{
    return &az->followed;
}

struct http *azure_http(const struct azure *az)
{
    return az->http;
}

const struct cloud *azure_cloud(const struct azure *az)
{
    return az->cloud;
}

const char *azure_subscription(const struct azure *az)
{
    return az->subscription;
}

const char *azure_location(const struct azure *az)
{
    return az->location;
}

const char *azure_tenant(const struct azure *az)
{
    return *az->tenant ? az->tenant : az->credential->tenant;
}

struct credential *azure_credential(const struct azure *az)
{
    return az->credential;
}

char *azure_kept_object_id(struct azure *az)
{
    return az->object_id;
}

const char *azure_cached_principal(const struct azure *az, const char *app_id)
{
    for (size_t i = 0; i < az->n_principals; i++)
        if (str_eq_nocase(az->principals[i].app_id, app_id))
            return az->principals[i].object_id;
    return NULL;
}

void azure_cache_principal(struct azure *az, const char *app_id, const char *object_id)
{
    if (azure_cached_principal(az, app_id))
        return;
    az->principals = xrealloc(az->principals, (az->n_principals + 1) * sizeof(*az->principals));
    az->principals[az->n_principals++] = (struct principal){xstrdup(app_id), xstrdup(object_id)};
}

void azure_holds(struct azure *az, const char *nonce, bool held)
{
    if (!nonce)
        return;
    if (held) {
        az->held = xrealloc(az->held, (az->n_held + 1) * sizeof(*az->held));
        az->held[az->n_held++] = xstrdup(nonce);
        return;
    }
    for (size_t i = az->n_held; i-- > 0;)
        if (str_eq(az->held[i], nonce)) {
            free(az->held[i]);
            az->held[i] = az->held[--az->n_held];
        }
}

bool azure_is_held(const struct azure *az, const char *nonce)
{
    for (size_t i = 0; nonce && i < az->n_held; i++)
        if (str_eq(az->held[i], nonce))
            return true;
    return false;
}
