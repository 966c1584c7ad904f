/* Knows the form of the names that documents give to things in Azure (Microsoft Learn, naming rules and restrictions
 * for Azure resources, June 2026). Must not ask Azure who bears a name. */
#include "names.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../azure/arm.h"

struct rule {
    const char *kind, *field; /* the field that gives the name; without it metadata.name does */
    size_t min, max;
    const char *marks; /* allowed besides letters and digits */
    bool letter_first, account;
    const char *words;
};

#define STORE "3 to 24 letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"

static const struct rule rules[] = {
    {"KeyVault", "vaultName", 3, 24, "-", true, false, STORE},
    {"ManagedHsm", "hsmName", 3, 24, "-", true, false, STORE},
    {"RecoveryServicesVault", "vaultName", 2, 50, "-", true, false,
     "2 to 50 letters, digits and hyphens, beginning with a letter"},
    {"Key", "keyName", 1, 127, "-", false, false, "1 to 127 letters, digits and hyphens"},
    {"DiskEncryptionSet", "setName", 1, 80, "_-", false, false, "1 to 80 letters, digits, underscores and hyphens"},
};
static const struct rule account = {
    .min = 3, .max = 24, .marks = "", .account = true, .words = "3 to 24 small letters and digits"};

static bool allowed(const struct rule *r, char c)
{
    return isdigit((unsigned char)c) || (r->account ? islower((unsigned char)c) : isalpha((unsigned char)c)) ||
           (c && strchr(r->marks, c));
}

static bool follows(const struct rule *r, const char *name)
{
    size_t n = strlen(name);
    bool store = r->max == 24 && !r->account;

    for (size_t i = 0; i < n; i++)
        if (!allowed(r, name[i]))
            return false;
    return n >= r->min && n <= r->max && (!r->letter_first || isalpha((unsigned char)name[0])) &&
           (!store || (!strstr(name, "--") && name[n - 1] != '-'));
}

void names_check(const struct document *doc, struct diags *faults)
{
    for (size_t i = 0; i < COUNT(rules); i++) {
        const struct rule *r = &rules[i];
        const struct value *own = value_get(doc->spec, r->field),
                           *name = own ? own : value_at(doc->root, "metadata.name");

        if (!str_eq(doc->kind, r->kind) || !value_str(name) || follows(r, value_str(name)))
            continue;
        diags_add(faults, SEVERITY_ERROR, &name->origin,
                  own ? arena_printf(faults->arena, "give the name it has in Azure")
                      : arena_printf(faults->arena, "give the name it has in Azure as spec.%s", r->field),
                  "%s%s: \"%s\" is no name that Azure takes: %s", own ? "spec." : "", own ? r->field : "metadata.name",
                  str_shown(faults->arena, value_str(name)), r->words);
    }
}

void names_check_account(const char *path, const char *id, const struct origin *origin, struct diags *faults)
{
    const char *name = arm_id_name(id);

    if (name && !follows(&account, name))
        diags_add(faults, SEVERITY_ERROR, origin, "give the id of the account as Azure shows it",
                  "%s: \"%s\" is no name of a storage account: %s", path, str_shown(faults->arena, name),
                  account.words);
}
