/* What write.c, which puts the frame around their commands, knows of each shell. */
#ifndef REINSTATE_RUNBOOK_SHELL_H
#define REINSTATE_RUNBOOK_SHELL_H

#include "runbook.h"
#include "scripts.h"
#include "text.h"

/* Some command follows a restore job, or looks for one. */
bool any_job(const struct runbook *rb);

struct shell {
    const char *name;
    void (*begin)(struct text *out, const struct runbook *rb);
    void (*open)(struct text *out, const struct runbook *rb, const struct runbook_entry *entry);
    void (*close)(struct text *out);
    void (*const *verbs)(struct text *out, const struct runbook *rb,
                         const struct value *with); /* by enum runbook_verb */
};
extern const struct shell shell_powershell, shell_cli, shell_curl;

#endif
