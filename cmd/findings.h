/* What is wrong with what, as a neutral list, written in the forms that other tools read: JUnit XML, SARIF 2.1.0 and
 * GitHub's workflow annotations. Pure. */
#ifndef REINSTATE_FINDINGS_H
#define REINSTATE_FINDINGS_H

#include "options.h"

enum finding_level {
    FINDING_NOTE,    /* no fault: nothing fails because of it */
    FINDING_WARNING,
    FINDING_UNSEEN,  /* cannot be seen: neither a success nor a failure */
    FINDING_ERROR,
    FINDING_FAULT    /* the command could not do its work */
};

/* Something that was looked at; without a finding it passed. */
struct subject {
    const char *name;                /* "Key/payroll-os-key" */
    struct origin origin;            /* in the manifests; file NULL: in none */
};

struct finding {
    enum finding_level level;
    const char *rule, *rule_text;    /* "N-17" and what it stands for */
    const char *subject;
    struct origin origin;
    const char *text;                /* a sentence */
    const char *evidence, *fix;      /* may be NULL */
};

struct findings {
    struct arena *arena;
    const char *tool;                /* "forecast": the command */
    const char *summary;             /* one line, or NULL */
    int64_t made_ms;                 /* TIME_NONE: no time is written */
    bool simulated;                  /* of a simulated Azure */
    struct subject *subjects;
    size_t n_subjects;
    struct finding *items;
    size_t count;
};

/* The finding that `subject` cannot be seen: why, and what would help (may be NULL). */
struct finding finding_unseen(const char *subject, const struct origin *origin, const char *why, const char *fix);
void findings_subject(struct findings *f, const char *name, const struct origin *origin);
void findings_add(struct findings *f, struct finding finding);
/* Faults of the manifests (may be NULL), and why a command cannot go on (may be NULL). */
void findings_add_diags(struct findings *f, const struct diags *d);
void findings_add_err(struct findings *f, const struct err *err);

/* OUTPUT_JUNIT, OUTPUT_SARIF or OUTPUT_GITHUB; ends with a line end. */
void findings_write(struct text *out, enum output_format form, const struct findings *f);

#endif
