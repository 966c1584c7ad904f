/* Manifests for what exists behind a vault, as text. */
#ifndef REINSTATE_EXPORT_H
#define REINSTATE_EXPORT_H

#include "session.h"

/* What the options of export name, read back before it is written: nobody gets manifests that this program would
 * refuse. The session is opened by it. */
must_use int export_text(struct session *s, const struct options *o, struct text *out);

#endif
