/* Which key version the disk of a recovery point was wrapped with. The point itself does not say (Backup API
 * description 2025-02-01), so it is found by evidence, the best first; evidence that disagrees is named, and nothing is
 * guessed over it. Pure. */
#ifndef REINSTATE_ORIGINAL_KEY_H
#define REINSTATE_ORIGINAL_KEY_H

#include "../documents/common.h"

enum key_evidence {
    KEY_EVIDENCE_NONE,
    KEY_EVIDENCE_DECLARED, /* Key.spec.version */
    KEY_EVIDENCE_HISTORY,  /* what an earlier look wrote down (--history) */
    KEY_EVIDENCE_SET,      /* active or previous key of the set that the VM was on */
    KEY_EVIDENCE_CREATION  /* the newest version that was there when the point was taken */
};

struct original_key {
    const char *base, *name, *version; /* NULL: not known */
    enum key_evidence evidence;
    const char *words;    /* what says so; with KEY_EVIDENCE_NONE why nothing does */
    const char *also;     /* a second version the point may need, as a rotation is said to reach its points; NULL */
    const char *beside;   /* what says so; NULL without it, and where evidence disagrees */
    const char *conflict; /* what two evidences say, when they disagree; NULL */
};

/* `key`: the Key document, may be NULL; `point`: a point of the VM's facts, may be NULL (then: as things are now). */
struct original_key original_key_of(const struct view *v, const struct document *protected_vm,
                                    const struct document *key, const struct value *point);

/* The newest of a list of {version, created} that was created not later than that time; NULL. */
const struct value *version_at(const struct value *versions, int64_t ms);
/* A version made only after the point was taken did not wrap its disk, whoever names it. When it was made then;
 * TIME_NONE for one of before, or when that is not to be seen. */
int64_t key_made_after(const struct view *v, const struct document *key, const char *url, const char *version,
                       int64_t point_ms);

/* --- what a Key document stands for (needed.c) -------------------------------------------------------------------- */

/* The version a Key document stands for: the declared one, else the one that the ordered points need; without an order,
 * NULL. Points that need different versions are a conflict, and then there is no version. */
struct key_need {
    const char *version;
    enum key_evidence evidence;
    const char *words;
    const char *conflict;
    const char *beside; /* a second version that an ordered point may need, and what says so; NULL */
    int64_t point_ms;   /* time of the ordered point, for choosing among versions that come back; TIME_NONE */
};
struct key_need key_needed(const struct view *v, const struct document *key);

/* A copy of the key that is of before this time may lack the version that is needed, and would take the key's name all
 * the same: the time of the ordered point, and where nothing is ordered that of the newest point of the machines whose
 * backup carries the key. TIME_NONE: neither is known. */
int64_t key_copy_wanted_since(const struct view *v, const struct document *key);

/* What shows that the version this key is wanted in was made only after the point that is ordered of that machine: both
 * versions and times, in words. NULL: it may have wrapped the disk, or nobody knows. */
const char *key_too_young_for(const struct view *v, const struct document *key, const struct document *restored_vm);
/* The same of all that are ordered through that set (NULL: any of its sets). NULL: the version serves one of them, who
 * must not be held up by another's older point. */
const char *key_too_young(const struct view *v, const struct document *key, const struct document *set);

#endif
