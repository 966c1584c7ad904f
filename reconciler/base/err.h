/* Three things that are never mixed: diagnostics (the user's input is wrong; many, each with a place), errors (an
 * operation failed; one, with a class that says what the caller does next) and bugs (assert). */
#ifndef REINSTATE_ERR_H
#define REINSTATE_ERR_H

#include "arena.h"

enum err_class {
    ERR_NONE = 0,
    ERR_INVALID,         /* will never work as written: tell the user */
    ERR_DENIED,          /* credential or role: stop this branch */
    ERR_BLOCKED,         /* policy, lock, missing order, or a person: report, try another time */
    ERR_NOT_FOUND,
    ERR_CONFLICT,        /* look again, then decide again */
    ERR_THROTTLED,       /* wait retry_after_ms, the whole scope */
    ERR_TRANSIENT,       /* back off and repeat */
    ERR_UNKNOWN_OUTCOME, /* the write may have happened: look, never repeat blindly */
    ERR_PROTOCOL,        /* the answer cannot be understood: a person, with the text */
    ERR_CANCELLED,
    ERR_CLASS_COUNT
};

struct err {
    enum err_class class;
    int http_status;         /* 0 when no answer came */
    int64_t retry_after_ms;  /* 0 when not told */
    bool busy;               /* refused because something else is under way there: nothing was changed, and it passes */
    char code[96];           /* the service's own code, verbatim */
    char text[1600];
};

/* Records class and text, clears the rest, returns -class. */
int err_set(struct err *err, enum err_class class, const char *fmt, ...) printf_like(3, 4);
/* Puts context in front ("context: text"); keeps class and code; returns -class. */
int err_note(struct err *err, const char *fmt, ...) printf_like(2, 3);
/* Appends a next step ("; next"); keeps class and code; returns -class. */
int err_advise(struct err *err, const char *fmt, ...) printf_like(2, 3);
const char *err_class_name(enum err_class class);

/* --- diagnostics -------------------------------------------------------------------------------------------------- */

struct origin {
    const char *file;   /* NULL: not from a file */
    int line, column;   /* from 1; 0: unknown */
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diag {
    enum severity severity;
    struct origin origin;
    const char *what;     /* what is wrong */
    const char *instead;  /* what would be right; may be NULL */
};

struct diags {
    struct arena *arena;
    struct diag *items;
    size_t count;
    size_t n_errors;
    size_t dropped;      /* beyond DIAGS_MAX */
};

enum { DIAGS_MAX = 200 };

void diags_init(struct diags *d, struct arena *a);
/* `instead` may be NULL. Both texts are copied. */
void diags_add(struct diags *d, enum severity severity, const struct origin *origin, const char *instead,
               const char *fmt, ...) printf_like(5, 6);
/* True when a further one would only be counted: its words need not be looked for. */
bool diags_full(const struct diags *d);
/* By file, line and column; equal places keep their order. */
void diags_sort(struct diags *d);
/* "file:line:column: what; instead", without a line end. */
char *diag_format(struct arena *a, const struct diag *d);

/* The nearest of `names` (NULL-terminated) when it is near enough to be meant, else NULL. */
const char *did_you_mean(const char *word, const char *const *names);

#endif
