/* What the files of kind DiskEncryptionSet share: disk_encryption_set.c observes, makes one that is absent, and acts;
 * disk_encryption_set_update.c mends one that is there. Pure. */
#ifndef REINSTATE_DISK_ENCRYPTION_SET_H
#define REINSTATE_DISK_ENCRYPTION_SET_H

#include "../documents/common.h"

/* What every write to a set says and asks for. */
void des_describe_write(const struct view *v, struct steps *out, struct step *step, const char *id);
/* The user-assigned identity must be there before the set is made with it. Adds a block and returns false when it is
 * absent or cannot be seen. */
bool des_identity_stands(const struct view *v, const struct document *doc, struct steps *out);
/* A set is not pinned to a version that was made only after the ordered point: no disk of that point can have been
 * wrapped with it. The edition of 2026-07 takes a newer version all the same, and policy may follow it. */
bool des_steps_too_young(const struct view *v, const struct document *doc, struct steps *out);
/* A key that is given by its address may be declared all the same, as revoked for instance. */
const struct document *des_key_by_address(const struct view *v, const struct document *doc);
/* Of a set that is there. */
void des_steps_update(const struct view *v, const struct document *doc, struct steps *out);

#endif
