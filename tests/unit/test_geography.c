/* Which regions open each other's key backups, in both spellings, in all clouds, and of which nobody can tell. */
#include "../harness.h"

#include "../../reconciler/base/text.h"
#include "../../providers/azure/geography.h"

static const struct {
    const char *reason, *region, *other;
    enum geography_match match;
} rows[] = {
    {"one geography", "uaenorth", "uaecentral", GEOGRAPHY_SAME},
    {"as people write it", "UAE North", "uaecentral", GEOGRAPHY_SAME},
    {"one region, both spellings", "UAE North", "uaenorth", GEOGRAPHY_SAME},
    {"other geographies", "uaenorth", "West Europe", GEOGRAPHY_OTHER},
    {"Germany is not Europe", "germanywestcentral", "westeurope", GEOGRAPHY_OTHER},
    {"a name that begins alike", "eastus", "eastus2", GEOGRAPHY_SAME},
    {"the public cloud and a government's", "eastus", "usgovvirginia", GEOGRAPHY_OTHER},
    {"one government", "USGov Virginia", "usgovarizona", GEOGRAPHY_SAME},
    {"a region of the Department of Defense and the government's", "usdodeast", "usgovvirginia", GEOGRAPHY_OTHER},
    {"each of that department's is its own", "usdodeast", "usdodcentral", GEOGRAPHY_OTHER},
    {"China", "China North 3", "chinaeast2", GEOGRAPHY_SAME},
    {"China and Asia", "chinaeast2", "eastasia", GEOGRAPHY_OTHER},
    {"a region that nobody knows", "atlantisnorth", "uaenorth", GEOGRAPHY_UNKNOWN},
    {"two of them", "atlantisnorth", "atlantissouth", GEOGRAPHY_UNKNOWN},
    {"such a one and itself", "Atlantis North", "atlantisnorth", GEOGRAPHY_SAME},
    {"a canary", "eastus2euap", "eastus", GEOGRAPHY_UNKNOWN},
    {"none", NULL, "uaenorth", GEOGRAPHY_UNKNOWN},
    {"nothing", "", "", GEOGRAPHY_UNKNOWN},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].reason, azure_same_geography(rows[i].region, rows[i].other) == rows[i].match);
        CHECK_ROW(rows[i].reason, azure_same_geography(rows[i].other, rows[i].region) == rows[i].match);
    }
    CHECK_STR(azure_geography("Qatar Central"), "Qatar");
    CHECK(!azure_geography("atlantisnorth") && !azure_geography(NULL) && !azure_geography(""));
    CHECK_STR(azure_region_meant("uaenrth"), "uaenorth");
    CHECK_STR(azure_region_meant("uaenotrh"), "uaenorth");
    CHECK_STR(azure_region_meant("westeuropee"), "westeurope");
    CHECK_STR(azure_region_meant("wsteurope"), "westeurope");
    CHECK(!azure_region_meant("atlantisnorth") && !azure_region_meant("eastindia") && !azure_region_meant(NULL));
    HARNESS_END();
}
