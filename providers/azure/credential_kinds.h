/* One credential, one file: what each of them tells the table (credential.c). Nobody else includes this. */
#ifndef REINSTATE_CREDENTIAL_KINDS_H
#define REINSTATE_CREDENTIAL_KINDS_H

#include "credential.h"

/* The variables that are read: AZURE_TENANT_ID and so on, or Terraform's ARM_TENANT_ID and so on when only an
 * ARM_CLIENT_ID is there. The two are never mixed: a secret would be sent for another application. */
const char *variables_prefix(const struct surroundings *s);
/* The value of PREFIX_NAME, NULL when it is not set or empty. */
const char *variable_of(const struct surroundings *s, const char *name);
/* The id in PREFIX_NAME, "" when it is not set. */
must_use int variable_id(const struct surroundings *s, const char *prefix, const char *name, char *ret, size_t room,
                         struct err *err);
/* ERR_NOT_FOUND names those of `names` (NULL-terminated) that are missing: "AZURE_TENANT_ID not set". */
must_use int variables_needed(const struct surroundings *s, const char *const *names, struct err *err);

/* Fills in what the credential needs. ERR_NOT_FOUND: it is not set up here, and why; any other error: it is, and
 * wrongly. */
typedef int credential_configure(const struct surroundings *s, struct credential *c, struct err *err);
/* May suspend. Asks for one token. */
typedef int credential_ask(struct credential *cr, struct call *c, const struct token_request *r,
                           struct token_answer *ret, struct err *err);

credential_configure given_configure, client_secret_configure, client_certificate_configure,
    workload_identity_configure, github_configure, pipelines_configure, managed_configure, azure_cli_configure,
    azd_configure;
credential_ask given_ask, client_secret_ask, client_certificate_ask, workload_identity_ask, github_ask, pipelines_ask,
    managed_ask, azure_cli_ask, azd_ask;

#endif
