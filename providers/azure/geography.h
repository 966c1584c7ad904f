/* Which geography a region is in. A backup of a key vault's key opens in the geography it was taken
 * in, and nowhere else. */
#ifndef REINSTATE_AZURE_GEOGRAPHY_H
#define REINSTATE_AZURE_GEOGRAPHY_H

/* Pure. The geography whose key vaults open each other's key backups; NULL: the region is not in the table, and nobody
 * can tell. "UAE North" and "uaenorth" are one region. */
const char *azure_geography(const char *region);

/* Pure. The one region of the table that is one edit away from this name, which is in none; NULL. */
const char *azure_region_meant(const char *region);

struct arena;
/* Pure. The region as addresses and requests have it: "UAE North" becomes "uaenorth". NULL for NULL. */
const char *azure_region(struct arena *a, const char *region);

enum geography_match { GEOGRAPHY_UNKNOWN, GEOGRAPHY_SAME, GEOGRAPHY_OTHER };
/* Pure. A region shares its own geography even if it is not in the table. Two different regions of which one is not in
 * the table: cannot be told. */
enum geography_match azure_same_geography(const char *region, const char *other);

#endif
