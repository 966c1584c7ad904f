/* What a member means that Azure leaves out of an answer, or sends as null: the documented default
 * of the api-version in use. */
#ifndef REINSTATE_AZURE_DEFAULTS_H
#define REINSTATE_AZURE_DEFAULTS_H

#include "../../reconciler/base/value.h"

/* The member at `path` of a body of that resource type ("Microsoft.KeyVault/vaults"), or its default, made in `a`; NULL
 * where it is not there and no default is documented. Pure. */
const struct value *azure_effective(struct arena *a, const char *type, const struct value *body, const char *path);

/* Does a vault, as Azure shows it, check roles (true) or access policies? */
bool azure_vault_checks_roles(const struct value *vault);

#endif
