/* Commands in the making: what one step is carried out with, kind by kind (commands_jobs.c, commands_keys.c,
 * commands_places.c, commands_grants.c). Pure. */
#ifndef REINSTATE_RUNBOOK_COMMANDS_H
#define REINSTATE_RUNBOOK_COMMANDS_H

#include "../restore/requests.h"
#include "shell.h"

struct making {
    const struct view *v;
    struct arena *a;
    const struct step *step;
    const struct document *doc;
    void *provider;
    struct runbook_command *items;
    size_t count;
    const char *why; /* what a person does where there is no command; NULL */
};

/* One command more; returns its members, to be filled in. */
struct value *making_add(struct making *m, enum runbook_verb verb);
void making_set(struct making *m, struct value *with, const char *key, const char *s);
/* Beside the body: what the plan saw of the members that a change writes. */
void making_was(struct making *m, struct value *with);
const char *making_api(const struct making *m, enum azure_api api);
/* What the step changes a member to; NULL when it does not, or when that is not known yet. */
const struct value *making_changed(const struct making *m, const char *path);

/* How a job of this order is found again. */
void making_job_place(struct making *m, struct value *with, const struct document *pvm, enum restore_type type,
                      const char *target_group, const struct order *order);

/* The commands of a step of the kind. */
void making_protected_vm(struct making *m);
void making_restored_vm(struct making *m);
void making_key(struct making *m);
void making_store(struct making *m);
void making_encryption_set(struct making *m);
void making_grant(struct making *m);

#endif
