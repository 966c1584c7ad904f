/* A plan as a runbook: what a person does, with commands, when the tool cannot. Neutral list first (runbook.c and
 * commands*.c), then one writer for each shell (powershell.c, cli.c, curl.c). Pure. */
#ifndef REINSTATE_RUNBOOK_H
#define REINSTATE_RUNBOOK_H

#include "../../reconciler/base/text.h"
#include "../documents/common.h"

/* What a person can be told to do. Members of `with` beside each; ids are ARM ids, bodies are what
 * the tool would send. */
enum runbook_verb {
    RUNBOOK_JOB, /* look twice, claim, trigger once, follow: vault, item, vm, group, point, pointTime?, type, jobType,
                    made, since, notAfter, targetGroup, expect (Failed | Completed), settle, claim (base of its name),
                    claimTarget, order, claimsRequired, body, account, region, set?, targetVm?, subnet?, zone?, luns? */
    RUNBOOK_EXPORTED_KEY, /* key of a failed job into its store: as above as far as the job goes, job?, account?, store,
                             base, hsm, name */
    RUNBOOK_KEY_FILE,     /* a backup of one's own into its store: path, store, base, hsm, name */
    RUNBOOK_ESCROWED_KEY, /* a backup in escrow into its store: account, container, blob, endpoint, store, base, hsm,
                             name */
    RUNBOOK_ESCROW_KEY,   /* a backup into escrow: as above, metadata */
    RUNBOOK_RECOVER_KEY,  /* store, base, hsm, name */
    RUNBOOK_KEY_ATTRIBUTES, /* store, base, hsm, name, version, enabled?, exp?, body */
    RUNBOOK_NEW_KEY,        /* store, base, hsm, name, provider (path of the region's attestation provider), body */
    RUNBOOK_SEE_KEY,        /* store, base, hsm, name, version? */
    RUNBOOK_STORE, /* a key vault or HSM made, recovered, changed: action, hsm, id, name, group, location, api, method,
                      body, was? (what the plan saw of what is written) */
    RUNBOOK_SET,   /* a disk encryption set made or changed: action, id, name, group, api, method, body, was?,
                      versionOf? */
    RUNBOOK_SEE_SET,  /* id, api */
    RUNBOOK_ROLE,     /* scope, role, roleId, name?, principal | principalOf (id of a set), body */
    RUNBOOK_POLICY,   /* vault, principal | principalOf, permissions, body */
    RUNBOOK_HSM_ROLE, /* hsm, base, scope, url (of assignments), role, roleId, name?, principal | principalOf, body,
                         delay */
    RUNBOOK_WRITE,    /* any other write of ARM: method, id, api, body */
    RUNBOOK_PAUSE,    /* seconds */
    RUNBOOK_START_VM, /* id */
    RUNBOOK_SEE_VM,   /* id, set?, running */
    RUNBOOK_VERB_COUNT
};
const char *runbook_verb_name(enum runbook_verb verb);

struct runbook_command {
    enum runbook_verb verb;
    const struct value *with;
};

struct runbook;
/* The api-version that the commands send. */
const char *runbook_api(const struct runbook *rb, enum azure_api api);

struct runbook_entry {
    const struct step *step;
    size_t number;            /* from 1, as the plan counts */
    const char *subscription; /* the one the commands work in; NULL */
    const char *barred;       /* why there are no commands; NULL: there are, or nothing but looking is due */
    const struct runbook_command *commands;
    size_t n_commands;
};

struct runbook {
    struct arena *arena;
    const struct plan *plan;
    const struct cloud *cloud;
    const char *tenant;
    const struct value *azure; /* spec of the Azure document whose cloud it is; NULL */
    const struct runbook_entry *entries;
    size_t count;
    const char *const *people; /* what only people can do */
    size_t n_people;
};

/* `provider` is the table's (struct azure_connections). */
struct runbook runbook_make(const struct view *v, const struct plan *plan, void *provider);
/* The commands of one step; NULL with *ret_count 0 when there are none: then `*ret_why` says what
 * a person does instead. */
const struct runbook_command *runbook_commands(const struct view *v, const struct step *step, void *provider,
                                               size_t *ret_count, const char **ret_why);

enum runbook_shell { RUNBOOK_POWERSHELL, RUNBOOK_CLI, RUNBOOK_CURL, RUNBOOK_SHELL_COUNT };
extern const char *const runbook_shell_names[]; /* "powershell", "cli", "curl", NULL */

void runbook_write(struct text *out, const struct runbook *rb, enum runbook_shell shell);
struct value *runbook_to_value(struct arena *a, const struct runbook *rb);

#endif
