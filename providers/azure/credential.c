/* Knows the credentials that there are, in the order in which they are tried. Must not know how one of them gets a
 * token, nor how tokens are kept. */
#include "credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "credential_kinds.h"
#include "token_store.h"

/* --- the table ---------------------------------------------------------------------------------------------------- */

/* PROVEN: who has set it up means it; when it is refused, nothing else is tried in its place. */
enum credential_use { PROVEN, DEPLOYED, DEVELOPER };

static const struct row {
    const char *sdk_name; /* of the Azure SDKs; several kinds may share one */
    enum credential_use use;
    credential_configure *configure;
    credential_ask *ask;
} rows[CREDENTIAL_KIND_COUNT] = {
    [CREDENTIAL_GIVEN_TOKENS] = {"", PROVEN, given_configure, given_ask},
    [CREDENTIAL_CLIENT_SECRET] = {"EnvironmentCredential", PROVEN, client_secret_configure, client_secret_ask},
    [CREDENTIAL_CLIENT_CERTIFICATE] = {"EnvironmentCredential", PROVEN, client_certificate_configure,
                                       client_certificate_ask},
    [CREDENTIAL_WORKLOAD_IDENTITY] = {"WorkloadIdentityCredential", PROVEN, workload_identity_configure,
                                      workload_identity_ask},
    [CREDENTIAL_GITHUB] = {"", PROVEN, github_configure, github_ask},
    [CREDENTIAL_PIPELINES] = {"AzurePipelinesCredential", PROVEN, pipelines_configure, pipelines_ask},
    [CREDENTIAL_MANAGED_IDENTITY] = {"ManagedIdentityCredential", DEPLOYED, managed_configure, managed_ask},
    [CREDENTIAL_AZURE_CLI] = {"AzureCliCredential", DEVELOPER, azure_cli_configure, azure_cli_ask},
    [CREDENTIAL_AZD] = {"AzureDeveloperCliCredential", DEVELOPER, azd_configure, azd_ask},
};

const char *const credential_names[CREDENTIAL_KIND_COUNT + 1] = {
    [CREDENTIAL_GIVEN_TOKENS] = "tokens",
    [CREDENTIAL_CLIENT_SECRET] = "client-secret",
    [CREDENTIAL_CLIENT_CERTIFICATE] = "client-certificate",
    [CREDENTIAL_WORKLOAD_IDENTITY] = "workload-identity",
    [CREDENTIAL_GITHUB] = "github",
    [CREDENTIAL_PIPELINES] = "pipelines",
    [CREDENTIAL_MANAGED_IDENTITY] = "managed-identity",
    [CREDENTIAL_AZURE_CLI] = "azure-cli",
    [CREDENTIAL_AZD] = "azd",
};

bool credential_is_of_tenant(const struct credential *c)
{
    return rows[c->kind].use == PROVEN && c->kind != CREDENTIAL_GIVEN_TOKENS;
}

bool credential_may_go_to(const struct credential *c, const char *tenant)
{
    for (const char *p = c->more_tenants; p && *p; p += strspn(p, "; ")) {
        size_t n = strcspn(p, "; ");

        if ((n == 1 && *p == '*') || (n == strlen(tenant) && str_eq_nocase_n(p, tenant, n)))
            return true;
        p += n;
    }
    return false;
}

bool credential_is_found_by_asking(const struct credential *c)
{
    return rows[c->kind].use != PROVEN;
}

bool credential_needs_helper(const struct credential *c)
{
    for (size_t i = 0; i < c->n_chain; i++)
        if (rows[c->chain[i]].use == DEVELOPER)
            return true;
    return false;
}

const char *credential_kind_name(enum credential_kind kind)
{
    return credential_names[kind];
}

void token_answer_release(struct token_answer *t)
{
    secret_release(&t->token);
}

void credential_release(struct credential *c)
{
    token_store_free(c);
    secret_release(&c->client_secret);
    secret_release(&c->certificate);
    secret_release(&c->certificate_password);
    secret_release(&c->assertion);
    secret_release(&c->oidc_token);
    secret_release(&c->identity_header);
    free(c->identity_url);
    free(c->az);
    free(c->azd);
    free(c->assertion_file);
    free(c->oidc_url);
    free(c->service_connection);
    free(c->more_tenants);
    for (size_t i = 0; i < AUDIENCE_COUNT; i++)
        secret_release(&c->tokens[i]);
    *c = (struct credential){0};
}

/* --- looking for them --------------------------------------------------------------------------------------------- */

/* Which of them are looked at; a bit for each. 0: there is no such name. */
static unsigned kinds_named(const char *name)
{
    unsigned bits = 0;

    for (size_t i = 0; i < CREDENTIAL_KIND_COUNT; i++)
        if (str_eq_nocase(name, credential_names[i]) || str_eq_nocase(name, rows[i].sdk_name) ||
            (str_eq_nocase(name, "prod") && rows[i].use != DEVELOPER) ||
            (str_eq_nocase(name, "dev") && rows[i].use == DEVELOPER))
            bits |= 1u << i;
    return bits;
}

static int kinds_wanted(const struct surroundings *s, const char *name, unsigned *ret, struct err *err)
{
    const char *said = name ? name : s->variable("AZURE_TOKEN_CREDENTIALS"), *near;

    *ret = ~0u;
    if (!said || !*said)
        return 0;
    *ret = kinds_named(said);
    if (*ret)
        return 0;
    err_set(err, ERR_INVALID, "%s: there is no credential \"%s\" here",
            name ? "--credential" : "AZURE_TOKEN_CREDENTIALS", said);
    near = did_you_mean(said, credential_names);
    if (near)
        return err_advise(err, "did you mean %s?", near);
    for (size_t i = 0; i < CREDENTIAL_KIND_COUNT; i++)
        err_advise(err, "%s%s", i ? "" : "there are: ", credential_names[i]);
    return -(int)err->class;
}

static void note_tried(struct credential *c, enum credential_kind kind, const struct err *why)
{
    size_t at = strlen(c->tried), from = at;

    snprintf(c->tried + at, sizeof(c->tried) - at, "\n  %s: %.220s", credential_names[kind], why->text);
    /* A line of the list is ours alone: what a service wrote begins no line. */
    for (at = from + (from < sizeof(c->tried) - 1); c->tried[at]; at++)
        if ((unsigned char)c->tried[at] < ' ')
            c->tried[at] = ' ';
}

static int none_does(const struct credential *c, struct err *err)
{
    err_set(err, ERR_DENIED, "no credential for Azure does:%s", c->tried);
    snprintf(err->code, sizeof(err->code), NO_CREDENTIAL);
    return -ERR_DENIED;
}

static int find(const struct surroundings *s, unsigned wanted, struct credential *c, struct err *err)
{
    const char *more;

    c->variables = variables_prefix(s);
    TRY(variable_id(s, c->variables, "TENANT_ID", c->tenant, sizeof(c->tenant), err));
    TRY(variable_id(s, c->variables, "CLIENT_ID", c->client_id, sizeof(c->client_id), err));
    more = s->variable(str_eq(c->variables, "ARM") ? "ARM_AUXILIARY_TENANT_IDS"
                                                   : "AZURE_ADDITIONALLY_ALLOWED_TENANTS");
    c->more_tenants = more ? xstrdup(more) : NULL;
    for (size_t i = 0; i < CREDENTIAL_KIND_COUNT; i++) {
        if (!(wanted & 1u << i))
            continue;
        if (rows[i].configure(s, c, err) < 0) {
            if (err->class != ERR_NOT_FOUND)
                return -(int)err->class;
            note_tried(c, (enum credential_kind)i, err);
            continue;
        }
        c->chain[c->n_chain++] = (enum credential_kind)i;
        if (rows[i].use == PROVEN)
            break;
    }
    if (!c->n_chain)
        return none_does(c, err);
    c->kind = c->chain[0];
    return 0;
}

int credential_find(const struct surroundings *s, const char *name, struct credential *ret, struct err *err)
{
    struct credential c = {0};
    unsigned wanted;

    TRY(kinds_wanted(s, name, &wanted, err));
    if (find(s, wanted, &c, err) < 0) {
        credential_release(&c);
        return -(int)err->class;
    }
    *ret = c;
    return 0;
}

/* --- asking them -------------------------------------------------------------------------------------------------- */

/* Another task may have gone on to the next one meanwhile. */
static bool go_on(struct credential *cr, enum credential_kind tried, const struct err *why)
{
    if (cr->kind != tried)
        return true;
    if (cr->settled || rows[tried].use == PROVEN || !cr->n_chain)
        return false;
    note_tried(cr, tried, why);
    if (cr->at + 1 >= cr->n_chain)
        return false;
    cr->kind = cr->chain[++cr->at];
    return true;
}

int credential_token(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
                     struct err *err)
{
    for (;;) {
        enum credential_kind kind = cr->kind;

        if (rows[kind].ask(cr, c, r, ret, err) == 0) {
            cr->settled = cr->settled || cr->kind == kind;
            return 0;
        }
        if (err->class == ERR_CANCELLED)
            return -ERR_CANCELLED;
        if (!go_on(cr, kind, err))
            return cr->tried[0] && !cr->settled && rows[kind].use != PROVEN ? none_does(cr, err) : -(int)err->class;
    }
}
