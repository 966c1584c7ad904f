/* How the exchange of each operation is brought about again: what the world holds, and what happens before it is sent.
 * False with why_not when this one cannot be. */
#ifndef REINSTATE_SIMCHECK_OPERATIONS_H
#define REINSTATE_SIMCHECK_OPERATIONS_H

#include "simcheck_world.h"

bool make_account_keys(struct situation *t);
bool make_active_keys(struct situation *t);
bool make_backup_operation(struct situation *t);
bool make_change_of_set(struct situation *t);
bool make_change_of_vault(struct situation *t);
bool make_containers(struct situation *t);
bool make_definitions(struct situation *t);
bool make_deleted_keys(struct situation *t);
bool make_deleted_vaults(struct situation *t);
bool make_earlier_active(struct situation *t);
bool make_earlier_deleted(struct situation *t);
bool make_in_vault(struct situation *t);
bool make_items(struct situation *t);
bool make_job(struct situation *t);
bool make_known_before(struct situation *t);
bool make_listed_blobs(struct situation *t);
bool make_local_definition(struct situation *t);
bool make_local_rights(struct situation *t);
bool make_new_key(struct situation *t);
bool make_one_assignment(struct situation *t);
bool make_one_blob(struct situation *t);
bool make_one_resource(struct situation *t);
bool make_points(struct situation *t);
bool make_polled(struct situation *t);
bool make_recorded_jobs(struct situation *t);
bool make_restore(struct situation *t);
bool make_service_principals(struct situation *t);
bool make_shown_deleted_key(struct situation *t);
bool make_shown_key(struct situation *t);
bool make_some_assignments(struct situation *t);
bool make_some_resources(struct situation *t);
bool make_versions(struct situation *t);

/* The resource of a 404, or its group, is left out; false: it was not one. */
bool make_absent(struct situation *t);
/* The exchange that began the operation of that id, when the simulator covers it. */
bool make_open_origin(const struct situation *t, const char *id, struct situation *ret);

bool make_back_up_and_lose(struct situation *t, struct sim *s);
bool make_begin_and_poll(struct situation *t, struct sim *s);
bool make_run_restore(struct situation *t, struct sim *s);
bool make_set_rotation(struct situation *t, struct sim *s);

#endif
