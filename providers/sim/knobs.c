/* Knows the named settings of what Microsoft's documents leave open, and what each is when a world does not say. What
 * they mean, and who says what, stands in schemas/World.json (spec.behaviour); tests/unit/test_sim_knobs.c holds the
 * two together. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

static const struct knob knobs[] = {
    {"article", "strictest"},
    {"expiredVersion", "fails"},
    {"rotationReachesSnapshots", "yes"},
    {"recreatedSet", "another"},
    {"restoredKeyOpensSnapshots", "no"},
    {"releasePolicyRegion", "enforced"},
    {"stuckRotation", "restores"},
    {"backupNeeds", "get-list-backup"},
    {"backupRole", "any-sufficient"},
    {"orchestratorTrusted", "no"},
    {"replaceSupported", "yes"},
    {"replaceExports", "no"},
    {"exportsWith", "any-request"},
    {"exportedFrom", "backup-copy"},
    {"exportedVersions", "all"},
    {"manyVersions", "not-exported"},
    {"undeletedItemKeepsKey", "no"},
    {"exportKept", "for-ever"},
    {"exportMembers", "few"},
    {"exportStoreType", "exact"},
    {"failedPassLeaves", "disks"},
    {"rightsError", "compute-code"},
    {"errorName", "title"},
    {"bagKeys", "recorded"},
    {"jobTimes", "us"},
    {"newVmNamesExport", "yes"},
    {"exportNamedAfter", "0s"},
    {"keyGrants", "lost"},
    {"hsmGrants", "lost"},
    {"throttleHint", "message"},
    {"armLimits", "observed"},
    {"validateSeesKeys", "no"},
    {"releaseRefused", "vm-stopped"},
    {"exportBlob", "page-bom"},
    {"exportBlobName", "documented"},
    {"olderReads", "0s"},
    {"operationLag", "0s"},
    {"emptyLists", "array"},
    {"nextLinks", "plain"},
    {"defaultMembers", "shown"},
    {"idCase", "kept"},
    {"pollHint", "seconds"},
};

const struct knob *knob_at(size_t i)
{
    return i < COUNT(knobs) ? &knobs[i] : NULL;
}

const char *knob(const struct sim *s, const char *name)
{
    for (size_t i = 0; i < COUNT(knobs); i++)
        if (str_eq(knobs[i].name, name))
            return behaviour(s, name, knobs[i].otherwise);
    fprintf(stderr, "there is no setting %s\n", name);
    abort();
}

bool knob_is(const struct sim *s, const char *name, const char *value)
{
    return str_eq_nocase(knob(s, name), value);
}
