/* Knows the geography of each region, and nothing else. Sources: Microsoft Learn, Azure regions list (edition of
 * 2025-03-21, and the regions that opened since); Azure operated by 21Vianet and Azure Government, their own lists of
 * regions; and for what a geography means to a key: Key Vault security worlds and geographic boundaries, by which each
 * of the two regions of the Department of Defense is a world of its own, and all regions in China are one. Canary
 * regions are in no list, and so not here. */
#include "geography.h"

#include <stddef.h>
#include <string.h>

#include "../../reconciler/base/text.h"

static const struct {
    const char *region, *geography;
} regions[] = {
    {"australiacentral", "Australia"},
    {"australiacentral2", "Australia"},
    {"australiaeast", "Australia"},
    {"australiasoutheast", "Australia"},
    {"austriaeast", "Austria"},
    {"belgiumcentral", "Belgium"},
    {"brazilsouth", "Brazil"},
    {"brazilsoutheast", "Brazil"},
    {"canadacentral", "Canada"},
    {"canadaeast", "Canada"},
    {"centralindia", "India"},
    {"southindia", "India"},
    {"westindia", "India"},
    {"chilecentral", "Chile"},
    {"eastasia", "Asia Pacific"},
    {"southeastasia", "Asia Pacific"},
    {"francecentral", "France"},
    {"francesouth", "France"},
    {"germanynorth", "Germany"},
    {"germanywestcentral", "Germany"},
    {"indonesiacentral", "Indonesia"},
    {"israelcentral", "Israel"},
    {"italynorth", "Italy"},
    {"japaneast", "Japan"},
    {"japanwest", "Japan"},
    {"koreacentral", "Korea"},
    {"koreasouth", "Korea"},
    {"malaysiawest", "Malaysia"},
    {"mexicocentral", "Mexico"},
    {"newzealandnorth", "New Zealand"},
    {"northeurope", "Europe"},
    {"westeurope", "Europe"},
    {"norwayeast", "Norway"},
    {"norwaywest", "Norway"},
    {"polandcentral", "Poland"},
    {"qatarcentral", "Qatar"},
    {"southafricanorth", "South Africa"},
    {"southafricawest", "South Africa"},
    {"spaincentral", "Spain"},
    {"swedencentral", "Sweden"},
    {"swedensouth", "Sweden"},
    {"switzerlandnorth", "Switzerland"},
    {"switzerlandwest", "Switzerland"},
    {"uaecentral", "UAE"},
    {"uaenorth", "UAE"},
    {"uksouth", "United Kingdom"},
    {"ukwest", "United Kingdom"},
    {"centralus", "United States"},
    {"eastus", "United States"},
    {"eastus2", "United States"},
    {"northcentralus", "United States"},
    {"southcentralus", "United States"},
    {"westcentralus", "United States"},
    {"westus", "United States"},
    {"westus2", "United States"},
    {"westus3", "United States"},
    {"usgovarizona", "US Government"},
    {"usgovtexas", "US Government"},
    {"usgovvirginia", "US Government"},
    {"usdodcentral", "US DoD Central"},
    {"usdodeast", "US DoD East"},
    {"chinaeast", "China"},
    {"chinaeast2", "China"},
    {"chinaeast3", "China"},
    {"chinanorth", "China"},
    {"chinanorth2", "China"},
    {"chinanorth3", "China"},
};

const char *azure_region(struct arena *a, const char *region)
{
    char *plain = region ? str_lower(a, region) : NULL, *to = plain;

    for (const char *p = plain; p && *p; p++)
        if (*p != ' ')
            *to++ = *p;
    if (to)
        *to = '\0';
    return plain;
}

/* One letter too few, too many, other, or two that changed places. */
static bool one_edit_apart(const char *x, const char *y)
{
    size_t n = strlen(x), m = strlen(y), same = 0;

    while (x[same] && x[same] == y[same])
        same++;
    x += same;
    y += same;
    return (n == m && *x && str_eq(x + 1, y + 1)) || (n == m + 1 && str_eq(x + 1, y)) ||
           (m == n + 1 && str_eq(x, y + 1)) || (n == m && *x && x[0] == y[1] && x[1] == y[0] && str_eq(x + 2, y + 2));
}

const char *azure_region_meant(const char *region)
{
    for (size_t i = 0; region && i < COUNT(regions); i++)
        if (one_edit_apart(region, regions[i].region))
            return regions[i].region;
    return NULL;
}

const char *azure_geography(const char *region)
{
    for (size_t i = 0; region && i < COUNT(regions); i++)
        if (str_eq_spaceless(regions[i].region, region))
            return regions[i].geography;
    return NULL;
}

enum geography_match azure_same_geography(const char *region, const char *other)
{
    const char *here = azure_geography(region), *there = azure_geography(other);

    if (region && other && *region && str_eq_spaceless(region, other))
        return GEOGRAPHY_SAME;
    if (!here || !there)
        return GEOGRAPHY_UNKNOWN;
    return str_eq(here, there) ? GEOGRAPHY_SAME : GEOGRAPHY_OTHER;
}
