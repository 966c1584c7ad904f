/* What every call to Azure needs: a cloud, a tenant, a credential, the HTTP client. One per `Azure` document. */
#ifndef REINSTATE_AZURE_H
#define REINSTATE_AZURE_H

#include "credential.h"
#include "versions.h"

struct azure;

/* Borrows all it is given. `tenant` and `subscription` are the declared ones (tenant NULL: the credential's). */
struct azure *azure_new(struct http *http, const struct cloud *cloud, struct credential *credential, const char *tenant,
                        const char *subscription, const char *location);
void azure_free(struct azure *az);
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

/* May suspend. A token for the audience, from the store while it lives (renewed five minutes before it ends; one
 * request however many tasks and connections of a tenant ask). *ret ("Bearer …") stays valid until the task suspends.
 * ERR_DENIED with Entra's code and text. */
must_use int azure_authorization(struct azure *az, struct call *c, enum audience audience, const char **ret,
                                 struct err *err);
/* Throws away a token that a 401 has shown to be dead. */
void azure_forget_token(struct azure *az, enum audience audience);
/* May suspend. The object id in the ARM token, for diagnostics and the journal; "" when the token cannot be read. */
must_use int azure_object_id(struct azure *az, struct call *c, const char **ret, struct err *err);

/* Who the ARM token says that we are; "" what it does not say. Never the token itself. */
struct azure_who {
    char object_id[64], application_id[64], tenant[64];
    char type[16];   /* "app", "user" */
    char name[128];  /* of a person */
};
/* May suspend. */
must_use int azure_who(struct azure *az, struct call *c, struct azure_who *ret, struct err *err);

/* What this run has under way at this moment, so that its own looks do not take it for somebody else's: nonces of
 * claims. NULL is nothing. */
void azure_holds(struct azure *az, const char *nonce, bool held);
bool azure_is_held(const struct azure *az, const char *nonce);

/* POSTs that change nothing, for http_options. */
extern const struct http_safe_post azure_safe_posts[];
extern const size_t azure_n_safe_posts;

#endif
