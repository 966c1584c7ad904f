/* What was seen of the versions of a key. Pure. */
#ifndef REINSTATE_SHOWN_H
#define REINSTATE_SHOWN_H

#include "../documents/common.h"

/* The URL is that of this key, in whatever version. */
bool key_url_of(const struct view *v, const struct document *key, const char *url);
/* `versions`: a list of {version, …}. */
bool key_version_listed(const struct value *versions, const char *version);
/* Own history, a set, or a backup in escrow has shown it: the version was there once. */
const char *key_shown_by(const struct view *v, const struct document *key, const char *version);
/* The version that a set in use points to instead, and (`ret_by`) what says so; NULL: none does. */
const char *key_used_instead(const struct view *v, const struct document *key, const char **ret_by);
/* The newest point of the machines whose disks the key wraps: those it may come back from, and
 * those restored through its sets. */
int64_t key_last_use_ms(const struct view *v, const struct document *key);

/* The document that declares a version which is there: then the other documents of the key are not mistyped for it. */
const struct document *key_declared_beside(const struct view *v, const struct document *key);
/* One of `versions` was made by then. */
bool key_oldest_before(const struct value *versions, int64_t ms);
/* The key is there, and that version of it is not. */
bool key_version_missing(const struct view *v, const struct document *key, const char *version);
/* Nothing has ever shown its declared version, and what was seen points to another one: the declaration is wrong. */
bool key_never_seen(const struct view *v, const struct document *key, const char *version);

/* The reason for which that version of the key is revoked (revoked.c); NULL: it is not. A document that names a version
 * revokes that one; one without a version revokes the key. `version` NULL: any may be meant. */
const char *key_version_revoked(const struct view *v, const struct document *key, const char *version);

#endif
