/* The fixed parts of the runbooks, files of their own beside this one (.sh, .ps1), embedded like the schemas. */
#ifndef REINSTATE_RUNBOOK_SCRIPTS_H
#define REINSTATE_RUNBOOK_SCRIPTS_H

#include <stddef.h>

struct text;

struct script_file {
    const char *name, *bytes;
    size_t len;
};
/* Appends the file of that name, without the words to shellcheck at its head. */
void script_add(struct text *out, const char *name);
extern const struct script_file script_files[]; /* ends with a name of NULL */

#endif
