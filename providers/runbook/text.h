/* Texts of a runbook: strings made harmless in each shell, lines and comments. */
#ifndef REINSTATE_RUNBOOK_TEXT_H
#define REINSTATE_RUNBOOK_TEXT_H

#include "../../reconciler/base/text.h"

struct value;

/* In a string of a command, RUNBOOK_VARIABLE("principal") stands for what is known only when the command runs. JSON
 * writes the mark as an escape; both forms become the shell's variable of that name. */
#define RUNBOOK_MARK "\001"
#define RUNBOOK_VARIABLE(name) RUNBOOK_MARK name RUNBOOK_MARK

/* Appends s as one word of a POSIX shell, or as one string of PowerShell, whatever is in it. */
void quote_sh(struct text *out, const char *s);
void quote_ps(struct text *out, const char *s);
char *sh(struct arena *a, const char *s);
char *ps(struct arena *a, const char *s);
/* A member of a command's parameters; "" when it is not there. */
const char *with_str(const struct value *with, const char *member);
/* A URL path as it goes on the wire. */
char *path_encoded(struct arena *a, const char *path);
/* A comment, every line of it behind "# " and `indent` blanks. */
void comment(struct text *out, size_t indent, const char *fmt, ...) printf_like(3, 4);
/* A comment among the lines of a command. */
void note(struct text *out, const char *fmt, ...) printf_like(2, 3);
/* A line of a command, indented by four. */
void line(struct text *out, const char *fmt, ...) printf_like(2, 3);

#endif
