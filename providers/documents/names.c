/* Knows the form of the names that things in Azure bear (Microsoft Learn, "Naming rules and restrictions for Azure
 * resources", June 2026; "Naming and referencing containers, blobs, and metadata" for containers). Must not ask Azure
 * who bears a name. */
#include "names.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../azure/arm.h"

struct rule {
    const char *kind, *field; /* the field that gives the name; without it metadata.name does */
    const char *type;         /* the same thing in an ARM id */
    size_t min, max;
    const char *marks; /* allowed besides letters and digits */
    const char *ends;  /* marks that it may end with; NULL: any that are allowed */
    bool letter_first, small, no_doubles; /* no capitals; no two marks side by side */
    const char *words;
};

#define STORE "3 to 24 letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"

static const struct rule rules[] = {
    {"KeyVault", "vaultName", "Microsoft.KeyVault/vaults", 3, 24, "-", "", true, false, true, STORE},
    {"ManagedHsm", "hsmName", "Microsoft.KeyVault/managedHSMs", 3, 24, "-", "", true, false, true, STORE},
    {"RecoveryServicesVault", "vaultName", "Microsoft.RecoveryServices/vaults", 2, 50, "-", NULL, true, false, false,
     "2 to 50 letters, digits and hyphens, beginning with a letter"},
    {"Key", "keyName", "Microsoft.KeyVault/vaults/keys", 1, 127, "-", NULL, false, false, false,
     "1 to 127 letters, digits and hyphens"},
    {"DiskEncryptionSet", "setName", "Microsoft.Compute/diskEncryptionSets", 1, 80, "_-", NULL, false, false, false,
     "1 to 80 letters, digits, underscores and hyphens"},
    {NULL, NULL, "Microsoft.Storage/storageAccounts", 3, 24, "", "", false, true, false,
     "3 to 24 small letters and digits"},
    {NULL, NULL, "Microsoft.Network/virtualNetworks", 2, 64, "_.-", "_", false, false, false,
     "2 to 64 letters, digits, and inside it _ . and -, ending with a letter, a digit or _"},
    {NULL, NULL, "Microsoft.Network/virtualNetworks/subnets", 1, 80, "_.-", "_", false, false, false,
     "1 to 80 letters, digits, and inside it _ . and -, ending with a letter, a digit or _"},
    {NULL, NULL, "Microsoft.ManagedIdentity/userAssignedIdentities", 3, 128, "_-", NULL, false, false, false,
     "3 to 128 letters, digits, _ and -"},
};
static const struct rule container = {
    .min = 3, .max = 63, .marks = "-", .ends = "", .small = true, .no_doubles = true,
    .words = "3 to 63 small letters, digits and single hyphens, beginning and ending with a letter or digit"};

static bool allowed(const struct rule *r, char c)
{
    return isdigit((unsigned char)c) || (r->small ? islower((unsigned char)c) : isalpha((unsigned char)c)) ||
           (c && strchr(r->marks, c));
}

static bool follows(const struct rule *r, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!allowed(r, name[i]) || (r->no_doubles && i && strchr(r->marks, name[i]) && name[i] == name[i - 1]))
            return false;
    return n >= r->min && n <= r->max && (!r->letter_first || isalpha((unsigned char)name[0])) &&
           (!r->ends || (isalnum((unsigned char)name[0]) &&
                         (isalnum((unsigned char)name[n - 1]) || strchr(r->ends, name[n - 1]))));
}

void names_check(const struct document *doc, struct diags *faults)
{
    for (size_t i = 0; i < COUNT(rules); i++) {
        const struct rule *r = &rules[i];
        const struct value *own = r->field ? value_get(doc->spec, r->field) : NULL,
                           *name = own ? own : value_at(doc->root, "metadata.name");

        if (!str_eq(doc->kind, r->kind) || !value_str(name) || follows(r, value_str(name)))
            continue;
        diags_add(faults, SEVERITY_ERROR, value_origin(name),
                  own ? arena_printf(faults->arena, "give the name it has in Azure")
                      : arena_printf(faults->arena, "give the name it has in Azure as spec.%s", r->field),
                  "%s%s: \"%s\" is no name that Azure takes: %s", own ? "spec." : "", own ? r->field : "metadata.name",
                  str_shown(faults->arena, value_str(name)), r->words);
    }
}

/* --- ids ---------------------------------------------------------------------------------------------------------- */

static void name_told(const char *path, const char *type, const char *name, const char *words,
                      const struct origin *origin, struct diags *faults)
{
    diags_add(faults, SEVERITY_ERROR, origin, "give the id as Azure shows it",
              "%s: \"%s\" is no name that Azure gives to %s: %s", path, str_shown(faults->arena, name), type, words);
}

static bool is_guid(const char *s)
{
    for (size_t i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    return !s[36];
}

/* The next segment of an id; NULL at its end. */
static const char *segment(struct arena *a, const char **at)
{
    size_t n;
    const char *found;

    while (**at == '/')
        ++*at;
    n = strcspn(*at, "/");
    found = n ? arena_strndup(a, *at, n) : NULL;
    *at += n;
    return found;
}

static void check_name(const char *path, const char *type, const char *name, const struct origin *origin,
                       struct diags *faults)
{
    for (size_t i = 0; i < COUNT(rules); i++)
        if (str_eq_nocase(rules[i].type, type) && !follows(&rules[i], name))
            name_told(path, rules[i].type, name, rules[i].words, origin, faults);
}

static void check_group(const char *path, const char *name, const struct origin *origin, struct diags *faults)
{
    size_t n = strlen(name);

    if (n > 90 || name[n - 1] == '.')
        name_told(path, "a resource group", name, "at most 90 characters, with no . at the end", origin, faults);
}

void names_check_id(const char *path, const char *id, const struct origin *origin, struct diags *faults)
{
    static const char form[] = "write it like /subscriptions/GUID/resourceGroups/NAME/providers/TYPE/NAME";
    struct arena *a = faults->arena;
    const char *at = id + strlen("/subscriptions/"), *word, *name, *type = NULL;

    if (!str_starts_nocase(id, "/subscriptions/") || !(word = segment(a, &at)))
        return;
    if (!is_guid(word))
        diags_add(faults, SEVERITY_ERROR, origin, "give the subscription's id: az account show --query id",
                  "%s: \"%s\" is no id of a subscription: that is a GUID", path, str_shown(a, word));
    while ((word = segment(a, &at)) && (name = segment(a, &at))) {
        if (str_eq_nocase(word, "providers")) {
            type = name;
        } else if (type) {
            type = arena_printf(a, "%s/%s", type, word);
            check_name(path, type, name, origin, faults);
        } else if (str_eq_nocase(word, "resourceGroups")) {
            check_group(path, name, origin, faults);
        } else {
            diags_add(faults, SEVERITY_ERROR, origin, form,
                      "%s: \"%s\" stands where resourceGroups or providers belongs", path, str_shown(a, word));
            return;
        }
    }
}

void names_check_container(const char *path, const char *account, const char *name, const struct origin *origin,
                           struct diags *faults)
{
    check_name(path, "Microsoft.Storage/storageAccounts", account, origin, faults);
    /* $root is the one that Azure names itself. */
    if (!str_eq(name, "$root") && !follows(&container, name))
        name_told(path, "a blob container", name, container.words, origin, faults);
}
