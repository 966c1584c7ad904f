/* What the parts of the simulated key service share: one request on its way through, and how it is refused. */
#ifndef REINSTATE_SIM_KEYS_H
#define REINSTATE_SIM_KEYS_H

#include "data.h"

struct key_exchange {
    struct sim *s;
    const struct sim_request *r;
    struct sim_answer *out;
    struct arena *a;
    struct value *vault;        /* or managed HSM */
    const char *store;
    bool hsm;
};

void key_refuse(const struct key_exchange *x, int status, const char *code, const char *inner, const char *message);
void key_not_found(const struct key_exchange *x, const char *name);
bool key_permitted(const struct key_exchange *x, const char *key, const char *permission);
/* Why the name cannot be taken now; answers and returns true. */
bool key_name_taken(const struct key_exchange *x, const char *name, bool by_active_too);
/* The active, visible key of that name; answers 404 else. */
struct value *key_visible(const struct key_exchange *x, const char *name);
void key_answer_bundle(const struct key_exchange *x, const struct value *key, const struct value *version);
struct value *key_new_version(struct sim *s, struct value *key, const struct value *body);
void key_rotation_policy(const struct key_exchange *x, const char *name);
void key_rotate(const struct key_exchange *x, const char *name);
void key_release(const struct key_exchange *x, const char *name, const char *version);
void key_restore(const struct key_exchange *x);
void deleted_key_get(const struct key_exchange *x, const char *name);
void deleted_key_recover(const struct key_exchange *x, const char *name);
void deleted_key_purge(const struct key_exchange *x, const char *name);

/* What a body asks of a version: enabled or not, nbf, exp. */
void key_take_attributes(struct sim *s, struct value *version, const struct value *attributes);

#endif
