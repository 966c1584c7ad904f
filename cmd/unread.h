/* Subfolders that are not read, although manifests lie in them. */
#ifndef REINSTATE_UNREAD_H
#define REINSTATE_UNREAD_H

#include "load.h"

/* Warns of each subfolder of the folders among `paths` in which documents of ours lie that this command does not read:
 * a policy that nobody reads forbids nothing, and a document that nobody reads differs from nothing. `docs`: what was
 * read. true: there was one. */
bool unread_warn(const struct options *o, const struct texts *paths, const struct value *docs, struct diags *diags);

#endif
