/* Declared fields against live ones, under rules. Only declared fields count. Pure. */
#ifndef REINSTATE_DIFF_H
#define REINSTATE_DIFF_H

#include "step.h"

enum diff_trait {
    DIFF_NOCASE = 1 << 0,         /* ids, names, locations */
    DIFF_UNORDERED = 1 << 1,      /* lists compared as sets of strings, case folded */
    DIFF_LOCATION = 1 << 2,       /* case and blanks do not count: "East US 2" is eastus2 */
    DIFF_ABSENT_IS_FALSE = 1 << 3,
};

/* Declared `want` against `have` (each may be NULL: want NULL is never a difference). */
bool diff_same(const struct value *want, const struct value *have, unsigned traits);
/* Adds a change to the step when they differ; returns whether they do. */
bool diff_field(struct steps *s, struct step *step, const char *path, const struct value *want,
                const struct value *have, unsigned traits);

#endif
