/* Regular expressions. The only user of PCRE2. Needs some 23 KB of stack. */
#ifndef REINSTATE_PATTERN_H
#define REINSTATE_PATTERN_H

#include "../base/err.h"

struct pattern;

/* ERR_INVALID with the offset and PCRE2's reason. Match limits are set, so that no expression can run away. */
must_use int pattern_new(const char *expression, struct pattern **ret, struct err *err);
void pattern_free(struct pattern *p);
void pattern_freep(struct pattern **p);
/* Finds the expression anywhere in s (anchor it with ^ and $). A match that hits a limit counts as no match only if
 * `ret` says so: returns ERR_INVALID then, because a rule that cannot be decided must not be passed over. */
must_use int pattern_matches(const struct pattern *p, const char *s, bool *ret, struct err *err);

#endif
