/* What every call to Azure needs: a cloud, a tenant, a credential, the HTTP client. One per `Azure` document. */
#ifndef REINSTATE_AZURE_H
#define REINSTATE_AZURE_H

#include "../../reconciler/run/http.h"
#include "cloud.h"
#include "versions.h"

/* Where tokens come from. */
enum credential_kind {
    CREDENTIAL_CLIENT_SECRET,
    CREDENTIAL_GIVEN_TOKENS /* handed in by the operator, one per audience */
};

enum audience { AUDIENCE_ARM, AUDIENCE_VAULT, AUDIENCE_HSM, AUDIENCE_STORAGE, AUDIENCE_GRAPH, AUDIENCE_COUNT };
extern const char *const audience_names[AUDIENCE_COUNT]; /* "ARM", "VAULT", "HSM", "STORAGE", "GRAPH" */

struct credential {
    enum credential_kind kind;
    char tenant[64], client_id[64];
    struct secret client_secret;
    struct secret tokens[AUDIENCE_COUNT]; /* given ones; empty when not given */
};
void credential_release(struct credential *c);
/* Reads AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, or REINSTATE_TOKEN_ARM, …_VAULT, …_HSM, …_STORAGE,
 * …_GRAPH through `get`. ERR_DENIED says which variables are missing and what else would do. */
must_use int credential_from_environment(const char *(*get)(const char *name), struct credential *ret, struct err *err);

struct azure;

/* Borrows all it is given. `tenant` and `subscription` are the declared ones (tenant NULL: the credential's). */
struct azure *azure_new(struct http *http, const struct cloud *cloud, struct credential *credential, const char *tenant,
                        const char *subscription, const char *location);
void azure_free(struct azure *az); /* wipes tokens */
/* Who says tenant and subscription, for errors about them: "Azure/prod (estate.yaml:3:1)"; copied. */
void azure_declared_by(struct azure *az, const char *who);

struct http *azure_http(const struct azure *az);
const struct cloud *azure_cloud(const struct azure *az);
const char *azure_subscription(const struct azure *az);
const char *azure_location(const struct azure *az);
const char *azure_tenant(const struct azure *az);
/* The connection sends what spec.apiVersions of its Azure document says, instead of the table's; copied. */
void azure_use_versions(struct azure *az, const struct value *azure_spec);
const char *azure_version(const struct azure *az, enum azure_api api);

/* May suspend. A token for the audience, from the cache while it lives (renewed five minutes before it ends; one
 * request however many tasks ask). *ret ("Bearer …") stays valid until the task suspends. ERR_DENIED with Entra's
 * code and text. */
must_use int azure_authorization(struct azure *az, struct call *c, enum audience audience, const char **ret,
                                 struct err *err);
/* Throws away a token that a 401 has shown to be dead. */
void azure_forget_token(struct azure *az, enum audience audience);
/* May suspend. The object id in the ARM token, for diagnostics and the journal; "" when the token cannot be read. */
must_use int azure_object_id(struct azure *az, struct call *c, const char **ret, struct err *err);

/* POSTs that change nothing, for http_options. */
extern const struct http_safe_post azure_safe_posts[];
extern const size_t azure_n_safe_posts;

#endif
