/* Knows which regions there are, and which declared things have to be in one region. Must not look at Azure: where a
 * thing really is, the plan tells. */
#include "places.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../azure/geography.h"
#include "common.h"

/* "eastus3" may be a region that has opened since; "uaenrth" is none. */
static bool differs_in_digits_only(const char *x, const char *y)
{
    for (;; x++, y++) {
        while (isdigit((unsigned char)*x))
            x++;
        while (isdigit((unsigned char)*y))
            y++;
        if (*x != *y || !*x)
            return *x == *y;
    }
}

static void check_region(const struct document *doc, struct diags *faults)
{
    const struct value *declared = value_get(doc->spec, "location");
    const char *region = value_str(declared), *plain, *near;
    struct arena *a = faults->arena;

    if (!region || azure_geography(region))
        return;
    plain = azure_region(a, region);
    near = azure_region_meant(plain);
    if (near && !differs_in_digits_only(plain, near))
        diags_add(faults, SEVERITY_ERROR, value_origin(declared), arena_printf(a, "did you mean %s?", near),
                  "spec.location: there is no region \"%s\"", str_shown(a, region));
    else
        diags_add(faults, SEVERITY_WARNING, value_origin(declared),
                  near ? arena_printf(a, "did you mean %s? A region that has opened since is fine", near)
                       : "a region that has opened since is fine; az account list-locations -o table lists them",
                  "spec.location: \"%s\" is in no list of regions that is known here", str_shown(a, region));
}

/* Which of the two is to be changed only their author knows: the warning stands at the set, whose place can be chosen.
 * It is made last. */
static void check_beside(const struct document *set, const struct document *other, const char *why,
                         struct diags *faults)
{
    const char *here = kind_location(set), *there = other ? kind_location(other) : NULL;
    const struct value *declared = value_get(set->spec, "location");

    if (!here || !there || str_eq_spaceless(here, there))
        return;
    diags_add(faults, SEVERITY_WARNING, declared ? value_origin(declared) : &set->origin,
              "declare both in one region; a set that is absent is not made elsewhere",
              "%s is declared in %s and %s in %s: %s", set->address, here, other->address, there, why);
}

static void check_set(const struct document *set, struct diags *faults)
{
    const struct document *key = document_target(set, "spec.key"),
                          *store = key ? document_target(key, "spec.store") : NULL, *rvm;
    size_t at = 0;

    /* A managed HSM may be extended to other regions, which only Azure tells. */
    if (store && str_eq(store->kind, "KeyVault"))
        check_beside(set, store, "a set uses a key of a vault in its own region only", faults);
    while ((rvm = referrer_next(set, "RestoredVirtualMachine", &at))) {
        const struct document *pvm = document_target(rvm, "spec.from");

        check_beside(set, pvm ? document_target(pvm, "spec.vault") : NULL,
                     arena_printf(faults->arena, "%s is restored in the region of its backup vault, with a set there",
                                  rvm->address),
                     faults);
    }
}

/* A vault may protect machines of another subscription, but mostly it does not. */
static void check_protected(const struct document *pvm, struct diags *faults)
{
    const struct document *vault = document_target(pvm, "spec.vault");
    const struct value *source = value_get(pvm->spec, "source");
    const char *here = kind_subscription(pvm), *there = vault ? kind_subscription(vault) : NULL;

    if (!here || !there || value_str_at(source, "subscription") || str_eq_nocase(here, there))
        return;
    diags_add(faults, SEVERITY_WARNING, source ? value_origin(source) : &pvm->origin,
              "name the Azure document of the vault's subscription, or say spec.source.subscription",
              "%s is looked for in subscription %s (%s), and its vault %s is in %s: that is right for a VM of another "
              "subscription only",
              pvm->address, here, pvm->connection ? pvm->connection->address : "spec.subscription", vault->address,
              there);
}

void places_check(const struct document *doc, struct diags *faults)
{
    check_region(doc, faults);
    if (str_eq(doc->kind, "DiskEncryptionSet"))
        check_set(doc, faults);
    if (str_eq(doc->kind, "ProtectedVirtualMachine"))
        check_protected(doc, faults);
}
