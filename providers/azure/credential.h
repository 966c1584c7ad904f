/* Who we are to Azure: the credentials that there are, in the order in which they are tried, and how each is recognised
 * and asked for a token. Names and variables are those of the Azure SDKs and of Terraform's azurerm provider. */
#ifndef REINSTATE_CREDENTIAL_H
#define REINSTATE_CREDENTIAL_H

#include "../../reconciler/run/http.h"
#include "cloud.h"

/* In the order of the chain. */
enum credential_kind {
    CREDENTIAL_GIVEN_TOKENS, /* handed in by the operator, one per audience */
    CREDENTIAL_CLIENT_SECRET,
    CREDENTIAL_CLIENT_CERTIFICATE,
    CREDENTIAL_WORKLOAD_IDENTITY, /* a file with a token that Kubernetes or another issuer renews */
    CREDENTIAL_PIPELINES,         /* a token of the job's service connection, from Azure Pipelines */
    CREDENTIAL_GITHUB,            /* a token of the job, from GitHub Actions */
    CREDENTIAL_MANAGED_IDENTITY,  /* of this machine, app or server */
    CREDENTIAL_AZURE_CLI,         /* whoever is signed in with az */
    CREDENTIAL_AZD,               /* whoever is signed in with azd */
    CREDENTIAL_KIND_COUNT
};

enum audience { AUDIENCE_ARM, AUDIENCE_VAULT, AUDIENCE_HSM, AUDIENCE_STORAGE, AUDIENCE_GRAPH, AUDIENCE_COUNT };
extern const char *const audience_names[AUDIENCE_COUNT]; /* "ARM", "VAULT", "HSM", "STORAGE", "GRAPH" */
/* Whom a token is for: "https://vault.azure.net". */
const char *audience_resource(const struct cloud *cloud, enum audience audience);

struct token_store; /* tokens that live, token_store.h */

struct credential {
    enum credential_kind kind;      /* the one in use, or to be tried next */
    char tenant[64], client_id[64]; /* "" when not told */
    /* Other tenants that it may be sent to, as the operator says: parted by semicolons, or "*"; NULL: none. */
    char *more_tenants;
    const char *variables;          /* "AZURE" or "ARM": how those begin that told it */
    struct secret client_secret;
    struct secret tokens[AUDIENCE_COUNT]; /* given ones; empty when not given */
    /* PEM or PKCS#12, as it was read: it is opened for the moment of signing only. */
    struct secret certificate, certificate_password;
    bool send_chain;
    /* A token of somebody else's that Entra trusts: in a file, given, or to be asked for at an address. */
    char *assertion_file, *oidc_url, *service_connection;
    struct secret assertion, oidc_token;
    /* Which service of this machine hands out the tokens of a managed identity. */
    enum identity_host { HOST_MACHINE, HOST_APP, HOST_ARC, HOST_CLOUD_SHELL } host;
    char *identity_url;
    struct secret identity_header;
    const char *arc_folder; /* where Azure Arc's keys are; NULL: where its agent puts them */
    /* Programs of others that are signed in, by their path; and what runs them. */
    char *az, *azd;
    struct helper *helper;
    /* The chain: what may be tried, from `at` on. The first that gives a token is kept. */
    enum credential_kind chain[CREDENTIAL_KIND_COUNT];
    size_t n_chain, at;
    bool settled;
    char tried[1280]; /* why the others did not do, a line each */
    struct token_store *store;
};
void credential_release(struct credential *c); /* for cleanup(); wipes */

/* Where a credential is looked for. */
struct surroundings {
    const char *(*variable)(const char *name); /* NULL: not set */
};

/* The code of an error whose text is a list: a line for each credential that was tried. */
#define NO_CREDENTIAL "NoCredential"

/* Looks for credentials: `name` is one of credential_names, or a name of the Azure SDKs; NULL: what
 * AZURE_TOKEN_CREDENTIALS says, else all of them. Sends nothing. ERR_DENIED lists what was looked for and what is
 * missing. */
must_use int credential_find(const struct surroundings *s, const char *name, struct credential *ret, struct err *err);
extern const char *const credential_names[]; /* in the chain's order; NULL-terminated */
/* True when what proves who we are goes to the authority of `tenant`: it must not go to another tenant's. */
bool credential_is_of_tenant(const struct credential *c);
/* The operator has named this tenant beside its own: AZURE_ADDITIONALLY_ALLOWED_TENANTS, ARM_AUXILIARY_TENANT_IDS. */
bool credential_may_go_to(const struct credential *c, const char *tenant);
const char *credential_kind_name(enum credential_kind kind);
/* True when nothing but asking tells whether one of them does. */
bool credential_is_found_by_asking(const struct credential *c);
/* True when a program of others may be asked: `helper` must be there then. */
bool credential_needs_helper(const struct credential *c);
/* A variable whose value is a secret; it is overwritten once it was read. */
bool credential_variable_is_secret(const char *name);

/* --- tokens ------------------------------------------------------------------------------------------------------- */

struct token_request {
    struct http *http;
    const struct cloud *cloud;
    const char *tenant;
    enum audience audience;
    const char *claims; /* JSON that Azure's claims challenge asks for; NULL: none */
};

struct token_answer {
    struct secret token;
    int64_t life_ms;
};
void token_answer_release(struct token_answer *t); /* for cleanup() */

/* May suspend. A new token, from the first of the chain that has one. ERR_DENIED: what was tried and why it did not do,
 * or what Entra answered. */
must_use int credential_token(struct credential *cr, struct call *c, const struct token_request *r,
                              struct token_answer *ret, struct err *err);

#endif
