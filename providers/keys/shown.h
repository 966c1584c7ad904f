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

#endif
