/* Which key a recovery point carries. What a failing pass exports is the key that the disk of its point is wrapped
 * with, whoever asked for which: a machine that was put on another key has points of both, and a copy of the wrong one
 * brings back a key that nobody wanted, or one that was given up on purpose. Pure. */
#ifndef REINSTATE_KEY_CARRIED_H
#define REINSTATE_KEY_CARRIED_H

#include "../documents/common.h"

enum key_carries {
    KEY_CARRIES_SHOWN,    /* history or the machine's set of that time name this key */
    KEY_CARRIES_DECLARED, /* nothing shows it, and nothing else is known that the point may carry */
    KEY_CARRIES_UNKNOWN,  /* this key or another one that the same backup is declared to carry, or has carried */
    KEY_CARRIES_OTHER     /* another key, by what is shown or what came back of it before */
};

struct key_carried {
    enum key_carries carries;
    const char *words;  /* what says so, or why it is not known */
    const char *next;   /* KEY_CARRIES_UNKNOWN: what a person does */
    bool revoked;       /* KEY_CARRIES_UNKNOWN: the other key is given up, so that its copy must not be made use of */
};

/* Of the point of that time of a protected VM; TIME_NONE: of a time that is not known. */
struct key_carried key_carried_by(const struct view *v, const struct document *key, const struct document *protected_vm,
                                  int64_t point_ms);

#endif
