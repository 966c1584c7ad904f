/* The least roles that hold what is needed, as `az role definition create` takes them, and the commands that give
 * them. Pure. */
#ifndef REINSTATE_DOCTOR_ROLES_H
#define REINSTATE_DOCTOR_ROLES_H

#include "needs.h"

/* Whoever only looks is given no right to act, and whoever gives a role to data sees that he does. A role holds at each
 * scope that it is given on: so what is needed of a whole subscription or group, and the right to give rights, stand
 * in roles of their own, and are not given on everything else as well. */
enum role_part {
    ROLE_READ,
    ROLE_READ_SUBSCRIPTION,
    ROLE_READ_DATA,
    ROLE_ACT,     /* on things that are there */
    ROLE_MAKE,    /* in a group */
    ROLE_RECOVER, /* key stores, in their group */
    ROLE_GRANT,   /* roles to others */
    ROLE_ACT_DATA,
    ROLE_PART_COUNT
};
extern const char *const role_part_names[]; /* "read", "read-subscription" and so on; NULL ends them */

/* {Name, IsCustom, Description, Actions, NotActions, DataActions, NotDataActions, AssignableScopes}; NULL: nothing of
 * that part is needed. `commands`: enum need_for. */
struct value *role_definition(const struct needs *n, unsigned commands, enum role_part part);

struct assignee {
    const char *object_id;
    const char *type; /* "ServicePrincipal", "User"; NULL: not known */
};
/* Lines for a shell: roles and where they are given, access policies, roles of managed HSMs. `again` makes the
 * definition of a part: "reinstate doctor -f … --role". */
void role_commands(struct text *out, const struct needs *n, unsigned commands, const struct assignee *who,
                   const char *again);

#endif
