/* What the end of a run tells of the world, from the facts of a look: which machines run where, which jobs ran, and
 * what Azure was left with. Pure. Nothing of it is ever deleted by us: the commands are for a person. */
#ifndef REINSTATE_AFTERMATH_H
#define REINSTATE_AFTERMATH_H

#include "situation.h"

/* {machines: [{document, id, power, set, key}], jobs: [{document, id, type, state, start, end}],
 *  left: [{what, id | account, container, blob, job, seen, keep | command}]}: members that are not known are left out.
 * `keep`: why no command is told. leftOlder: which jobs were not looked at for what they left. */
struct value *aftermath_of(const struct view *v);
/* The command that removes a resource, or an exported key. */
const char *aftermath_resource_command(struct arena *a, const char *id);
const char *aftermath_blob_command(struct arena *a, const char *account, const char *container, const char *blob);
/* Why what a backup's passes have exported, or what failed restores of a machine have left, is not to be removed yet;
 * NULL: nothing that is declared here needs it any more. */
const char *aftermath_keep_export(const struct view *v, const struct document *pvm);
const char *aftermath_keep_made(const struct view *v, const struct situation *s);

/* For a shell: names come from Azure, and a command that is pasted must not run what a name says. */
const char *aftermath_quoted(struct arena *a, const char *s);

#endif
