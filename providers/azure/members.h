/* What Azure says of a thing of a type in every answer. A body without it is no description of the thing: all that such
 * a body leaves out would pass for a default, and be written over. */
#ifndef REINSTATE_MEMBERS_H
#define REINSTATE_MEMBERS_H

#include "../../reconciler/base/err.h"
#include "../../reconciler/base/value.h"

/* ERR_PROTOCOL: `body`, read at the Resource Manager id `id`, lacks what Azure always says of its type. Of a type that
 * is not in the table nothing is demanded. */
must_use int members_check(const char *id, const struct value *body, const char *what, struct err *err);
/* The same of a key, as a key store shows it. */
must_use int members_check_key(const struct value *body, const char *what, struct err *err);
/* Of a list too: what is there does not say whether it is enabled, or from when and how long it may be used. */
must_use int members_check_attributes(const struct value *item, const char *what, struct err *err);

#endif
