/* What the writers of the three shells share: quoting, and the frame that runbook_text.c puts around their commands. */
#ifndef REINSTATE_RUNBOOK_SHELL_H
#define REINSTATE_RUNBOOK_SHELL_H

#include "runbook.h"

/* In a string of a command, RUNBOOK_VARIABLE("principal") stands for what is known only when the command runs. JSON writes the
 * mark as an escape; both forms become the shell's variable of that name. */
#define RUNBOOK_MARK "\001"
#define RUNBOOK_VARIABLE(name) RUNBOOK_MARK name RUNBOOK_MARK

/* Appends s as one word of a POSIX shell, or as one string of PowerShell, whatever is in it. */
void quote_sh(struct text *out, const char *s);
void quote_ps(struct text *out, const char *s);
char *sh(struct arena *a, const char *s);
char *ps(struct arena *a, const char *s);
/* A member of a command's parameters; "" when it is not there. */
const char *with_str(const struct value *with, const char *member);
/* Some command follows a restore job, or looks for one. */
bool any_job(const struct runbook *rb);
/* A URL path as it goes on the wire. */
char *path_encoded(struct arena *a, const char *path);
/* A comment, every line of it behind "# " and `indent` blanks. */
void comment(struct text *out, size_t indent, const char *fmt, ...) printf_like(3, 4);
/* A comment among the lines of a command. */
void note(struct text *out, const char *fmt, ...) printf_like(2, 3);
/* A line of a command, indented by four. */
void line(struct text *out, const char *fmt, ...) printf_like(2, 3);

struct shell {
    const char *name;
    void (*begin)(struct text *out, const struct runbook *rb);
    void (*open)(struct text *out, const struct runbook *rb, const struct runbook_entry *entry);
    void (*close)(struct text *out);
    void (*const *verbs)(struct text *out, const struct runbook *rb, const struct value *with); /* by enum runbook_verb */
};
extern const struct shell shell_powershell, shell_cli, shell_curl;

#endif
