/* What the two bash forms of a runbook, Azure CLI and curl, have in common: how a restore job
 * is named, found, claimed, followed. */
#ifndef REINSTATE_RUNBOOK_BASH_H
#define REINSTATE_RUNBOOK_BASH_H

#include "shell.h"

/* What the scripts need to know of the cloud. */
void bash_cloud(struct text *out, const struct runbook *rb);
/* What is known of a job: whose it is, of what point, for which target. `expect`: Failed, Completed, or key for one
 * that left a key. */
void bash_job(struct text *out, const struct runbook *rb, const struct value *with, const char *expect);
/* What claims it, before it is triggered. */
void bash_claim(struct text *out, const struct runbook *rb, const struct value *with);
/* Whether a write waits for a look at what is there. Opens that condition over `wanted`, which it sets to the body. */
bool bash_due(struct text *out, const struct runbook *rb, const struct value *with);
/* Triggers it, at most once: the tool's own request, whose status alone says whether it was taken. */
void bash_trigger(struct text *out, const struct runbook *rb, const struct value *with);

#endif
