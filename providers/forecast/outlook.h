/* The observation vector: 27 questions about one protected VM, each answered from what was read before a restore is
 * tried, and what the answers say is in danger, and from when on. Pure. What cannot be seen is never taken for absent.
 * The numbers are those by which diagnosis rows name their proof (struct dx_row). */
#ifndef REINSTATE_OBSERVATION_H
#define REINSTATE_OBSERVATION_H

#include "../restore/situation.h"
#include "../keys/key_facts.h"

enum obs_state {
    OBS_GOOD,
    OBS_WARN,
    OBS_BAD,
    OBS_UNSEEN,    /* asked, and not answered: a right is missing, or nothing declares what would have to be asked */
    OBS_NOT_LOOKED /* not asked: it does not arise here, or only a forecast asks it */
};
const char *obs_state_word(enum obs_state state); /* "good", …, "not-looked" */

enum obs_fact {
    F1,
    F2,
    F3,
    F4,
    F5,
    F6,
    F7,
    F8,
    F9,
    F10,
    F11,
    F12,
    F13,
    F14,
    F15,
    F16,
    F17,
    F18,
    F19,
    F20,
    F21,
    F22,
    F23,
    F24,
    F25,
    F26,
    F27,
    OBSERVATION_COUNT
};

struct observation {
    const char *id, *question; /* "F12" */
    enum obs_state state;
    const char *text;
    const char *evidence; /* where it was read and what stood there; NULL when nothing was read */
};

enum risk_weight {
    RISK_NOTE,   /* to be known; changes no verdict */
    RISK_UNSEEN, /* what a restore hangs on cannot be seen */
    RISK_WARN,   /* breaks or weakens the restore, now or from its date on */
    RISK_STOPS   /* no restore works before it is mended, whatever the scenario table says */
};

struct risk {
    const char *id; /* "key-expiry"; see risk_words */
    enum obs_fact fact;
    enum risk_weight weight;
    int64_t at_ms; /* TIME_NONE: it is so already */
    const char *text, *evidence, *fix;
};
/* What "F12" asks; NULL: there is no such question. */
const char *observation_question(const char *id);
/* Its answer alone can stop a restore: unseen, it takes the green away. */
bool observation_decisive(enum obs_fact f);
/* What a risk of that id is, for lists of rules; NULL when there is none. */
const char *risk_words(const char *id);
/* Their names, from 0 on; NULL behind the last. */
const char *risk_name(size_t i);

struct observe_limits {
    int64_t disks_per_set;  /* documents say 40, later ones 6,000: warned about from here on */
    int64_t key_versions;   /* a key's backup holds about 500 versions */
    int64_t hsm_per_key;    /* role assignments of one HSM key, warned about from here on */
};
extern const struct observe_limits observe_limits_default;

/* All that is known of one VM, gathered once; filled by observe_all. */
struct outlook {
    const struct view *view;
    struct arena *arena;
    const struct value *extras;    /* what forecast_observe has read; NULL: nothing */
    struct observe_limits limits;
    const struct situation *situation;
    const struct document *pvm, *rvm, *key, *store; /* but for pvm each may be NULL */
    const struct value *point;                      /* NULL: there is none */
    struct observation items[OBSERVATION_COUNT];
    struct risk *risks;
    size_t n_risks;
};

/* `situation` says which VM, restore and point are meant. */
struct outlook observe_all(const struct view *v, const struct value *extras, const struct observe_limits *limits,
                           const struct situation *situation);
/* {id, question, state, text, evidence?}, … */
struct value *observations_to_value(struct arena *a, const struct outlook *o);

#endif
