/* Knows regions: their names in both spellings, the geography that shares one security world of key vaults (Azure
 * regions list; Key Vault security worlds and geographic boundaries), and the attestation provider of each. Must not
 * know keys. */
#include "data.h"

#include <strings.h>

/* attestation: NULL where its short code is not known. */
static const struct region { const char *name, *geography, *attestation; } regions[] = {
    {"uaenorth", "UAE", "uaen"},
    {"uaecentral", "UAE", "uaec"},
    {"koreacentral", "Korea", "krc"},
    {"koreasouth", "Korea", "krs"},
    {"eastus", "United States", "eus"},
    {"eastus2", "United States", "eus2"},
    {"westus", "United States", "wus"},
    {"westus2", "United States", "wus2"},
    {"westus3", "United States", "wus3"},
    {"centralus", "United States", "cus"},
    {"northcentralus", "United States", "ncus"},
    {"southcentralus", "United States", "scus"},
    {"eastus2euap", "United States", "eus2e"},
    {"northeurope", "Europe", "neu"},
    {"westeurope", "Europe", "weu"},
    {"southeastasia", "Asia Pacific", "sasia"},
    {"eastasia", "Asia Pacific", "easia"},
    {"germanywestcentral", "Germany", "dewc"},
    {"germanynorth", "Germany", "den"},
    {"uksouth", "United Kingdom", "uks"},
    {"ukwest", "United Kingdom", "ukw"},
    {"australiacentral", "Australia", NULL},
    {"australiacentral2", "Australia", NULL},
    {"australiaeast", "Australia", NULL},
    {"australiasoutheast", "Australia", NULL},
    {"austriaeast", "Austria", NULL},
    {"belgiumcentral", "Belgium", NULL},
    {"brazilsouth", "Brazil", NULL},
    {"brazilsoutheast", "Brazil", NULL},
    {"canadacentral", "Canada", NULL},
    {"canadaeast", "Canada", NULL},
    {"chilecentral", "Chile", NULL},
    {"chinaeast", "China", NULL},
    {"chinaeast2", "China", NULL},
    {"chinaeast3", "China", NULL},
    {"chinanorth", "China", NULL},
    {"chinanorth2", "China", NULL},
    {"chinanorth3", "China", NULL},
    {"centralindia", "India", NULL},
    {"southindia", "India", NULL},
    {"westindia", "India", NULL},
    {"francecentral", "France", NULL},
    {"francesouth", "France", NULL},
    {"indonesiacentral", "Indonesia", NULL},
    {"israelcentral", "Israel", NULL},
    {"italynorth", "Italy", NULL},
    {"japaneast", "Japan", NULL},
    {"japanwest", "Japan", NULL},
    {"malaysiawest", "Malaysia", NULL},
    {"mexicocentral", "Mexico", NULL},
    {"newzealandnorth", "New Zealand", NULL},
    {"norwayeast", "Norway", NULL},
    {"norwaywest", "Norway", NULL},
    {"polandcentral", "Poland", NULL},
    {"qatarcentral", "Qatar", NULL},
    {"southafricanorth", "South Africa", NULL},
    {"southafricawest", "South Africa", NULL},
    {"spaincentral", "Spain", NULL},
    {"swedencentral", "Sweden", NULL},
    {"swedensouth", "Sweden", NULL},
    {"switzerlandnorth", "Switzerland", NULL},
    {"switzerlandwest", "Switzerland", NULL},
    {"usdodcentral", "US DoD Central", NULL},
    {"usdodeast", "US DoD East", NULL},
    {"usgovarizona", "US Government", NULL},
    {"usgovtexas", "US Government", NULL},
    {"usgovvirginia", "US Government", NULL},
    {"westcentralus", "United States", NULL},
};

/* Azure shows "UAE North" and "uaenorth" for the same region. */
bool region_is(const char *a, const char *b)
{
    if (!a || !b)
        return false;
    for (;;) {
        while (*a == ' ')
            a++;
        while (*b == ' ')
            b++;
        if (!*a || !*b)
            return *a == *b;
        if (strncasecmp(a++, b++, 1) != 0)
            return false;
    }
}

static const struct region *region_find(const char *location)
{
    for (size_t i = 0; i < COUNT(regions); i++)
        if (region_is(regions[i].name, location))
            return &regions[i];
    return NULL;
}

char *region_name(struct arena *a, const char *location)
{
    char *ret = str_lower(a, location ? location : ""), *to = ret;

    for (const char *from = ret; *from; from++)
        if (*from != ' ')
            *to++ = *from;
    *to = '\0';
    return ret;
}

const char *region_geography(struct arena *a, const char *location)
{
    const struct region *region = region_find(location);

    return region ? region->geography : region_name(a, location);
}

char *region_attestation(struct arena *a, const char *location)
{
    const struct region *region = region_find(location);
    const char *code =
        region && region->attestation ? region->attestation : region_name(a, location ? location : "local");

    return arena_printf(a, "https://shared%s.%s.attest.azure.net/", code, code);
}
