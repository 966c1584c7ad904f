/* The building blocks of situations: how recorded answers become a world. */
#ifndef REINSTATE_SIMCHECK_WORLD_H
#define REINSTATE_SIMCHECK_WORLD_H

#include "simcheck.h"

/* ID with the path's first n parts: "/a/b". */
char *path_head(const struct situation *t, size_t n);
const char *part(const struct situation *t, size_t i);                /* "" beyond the end */
const char *query_value(const struct situation *t, const char *name); /* raw; NULL */
bool cannot(struct situation *t, const char *why);                    /* false */

struct value *world_list(struct situation *t, const char *name);
void add_group_of(struct situation *t, const char *id);
/* A resource as ARM showed it, less what the service adds by itself. */
void add_resource(struct situation *t, const struct value *shown);
/* A resource that has to be there, of which nothing more is known. */
struct value *add_stub(struct situation *t, const char *id, const char *location);
bool has_resource(struct situation *t, const char *id);

/* The key store of this exchange's host, and a key of it as the data plane showed it (a bundle or an
 * item of a list). */
void add_store(struct situation *t, const struct value *attributes);
bool add_key(struct situation *t, const struct value *shown, const char *state);
/* The vault, the key and the version behind a disk encryption set's key URL, made so that a set may use them. */
void add_key_of_set(struct situation *t, const struct value *set);

/* The recorded exchange at or before this one whose answer's JSON holds the same id; NULL. Skips this exchange. */
const struct value *earlier_body(const struct situation *t, const char *id);
void add_principal(struct situation *t, const char *object_id, const char *app_id, const char *name, const char *type);
/* The managed identities that a body names, each allowed to use the keys of sets. */
void add_identities(struct situation *t, const struct value *identity);
void add_assignment(struct situation *t, const struct value *shown);

#endif
