/* Which rights the commands need for these documents, and which of them we lack. To read: derived from what was asked
 * and answered (azure/asked.h). To act: from the steps that would be due, now and on the day on which something is
 * lost. Nothing is listed by hand a second time. */
#ifndef REINSTATE_DOCTOR_NEEDS_H
#define REINSTATE_DOCTOR_NEEDS_H

#include "../access/own_rights.h"

enum need_for {
    FOR_PLAN = 1 << 0,
    FOR_FORECAST = 1 << 1,
    FOR_APPLY = 1 << 2,
    FOR_WATCH = 1 << 3,
    FOR_ALL = (1 << 4) - 1
};

/* By what a right on a scope is given. */
enum need_way {
    WAY_ROLE,   /* a role of Azure's */
    WAY_POLICY, /* an access policy of the key vault */
    WAY_LOCAL,  /* a managed HSM's own role */
    WAY_NONE    /* nothing can be said: nobody knows what stands behind the address */
};

struct need {
    const char *scope;  /* ARM id; of a managed HSM's own rights "https://NAME.managedhsm.azure.net/keys" */
    const char *action;
    bool data, acting;
    bool unlisted;      /* no custom role can hold it (azure/asked_right.h) */
    bool foreseen;      /* a look asks for it only once things stand otherwise than now */
    bool wish;          /* what needs it is done without it too, less safely */
    unsigned commands;  /* enum need_for */
    const char *address; /* where the data is asked for; NULL: it is no right to data */
    enum need_way way;
    const char *role;    /* a built-in role that holds it; NULL: none is known here */
    const char *instead; /* an action that does as well; NULL */
    const char *by;      /* the step that asks for it; NULL: a look does */
    struct azure *azure;
    enum own_right state;
    const char *why;     /* lacking by an answer, or unseen; NULL */
};

struct needs {
    struct arena *arena;
    struct need **items;
    size_t count;
    struct index *by_name;
};

struct needs *needs_new(struct arena *a);
/* Pure. What this connection has asked since the last time, for these commands; and how all of it was answered. */
void needs_add_reads(struct needs *n, struct azure *az, unsigned commands);
/* Pure. What the steps ask for: all of them, blocked ones too, for what blocks them today may not tomorrow. */
void needs_add_steps(struct needs *n, void *provider, const struct steps *steps);
/* May suspend. Reads only. What is held of it. Afterwards needs_add_reads tells what these looks have asked, too. */
must_use int needs_judge(struct needs *n, struct call *c, struct err *err);
/* Pure. By scope, then by action, so that two runs tell the same in the same order. */
void needs_sort(struct needs *n);
/* The data of a store or account is asked for at an address; what is given on it is given on its ARM id. */
void needs_place(struct needs *n);

/* Pure. Something does not work where it lacks. What no custom role can hold is not asked of anybody. */
bool need_counts(const struct need *n);

#endif
