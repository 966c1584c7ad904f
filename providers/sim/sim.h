/* The simulated Azure: answers requests from a World, by Azure's rules as the facts describe them. It knows nothing of
 * the reconciler: it includes layers 0 and 1 only and is met as a function (in-process) or as a URL (server.h). */
#ifndef REINSTATE_SIM_H
#define REINSTATE_SIM_H

#include "../../reconciler/base/clock.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/base/value.h"

struct sim;

/* The name under which the services of the client's own machine are asked. */
#define METADATA_HOST "metadata.localhost"
struct sim_call;
struct sim_answer;

/* Where the simulated services are reached; worlds hold no absolute URL. All https, no slash at the end. */
struct sim_endpoints {
    const char *authority, *arm, *graph;
    const char *oidc; /* tokens of jobs and pods, from issuers beside Entra; NULL: there are none */
    const char *vault_suffix, *hsm_suffix, *blob_suffix;     /* ".vault.azure.net"; may carry a port */
    const char *arm_audience, *vault_audience, *hsm_audience, *storage_audience, *graph_audience;
};

struct sim_options {
    const struct value *world;              /* the World document, schema-checked, defaults filled in; copied */
    struct sim_endpoints endpoints;
    const char *world_out; /* written through atomically at every change of state, before the answer; NULL: not */
    /* Called for a kill fault: must not return (in-process), or returns and the connection is dropped (server). */
    void (*kill)(void *ctx);
    /* Called for an interrupt or a stop: what a person does to the client between two requests; NULL: nothing. */
    void (*disturb)(void *ctx, bool stop);
    /* Told of every exchange as it was answered (recording); may be NULL. */
    void (*observed)(void *ctx, const struct sim_call *call, const struct sim_answer *answer);
    void *ctx;
};

/* Contradictory facts in the world (an id twice, a key wrapped by a store that is not there, a DES without its
 * vault…) are faults. */
struct sim *sim_new(const struct sim_options *options, struct diags *diags);
void sim_free(struct sim *s);
int64_t sim_start_ms(const struct sim *s);          /* the world's `now` */

struct sim_header { const char *name, *value; };
struct sim_call {
    const char *method, *url;
    const struct sim_header *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
};
enum sim_fault { SIM_ANSWERED, SIM_RESET, SIM_STALL };
struct sim_answer {
    enum sim_fault fault;
    int status;
    struct sim_header *headers;             /* in the arena given */
    size_t n_headers;
    struct text body;                       /* released by the caller */
    size_t cut_after; /* truncated body: send only so many bytes of the announced length; SIZE_MAX: all */
    int64_t delay_ms;
};
/* Answers one request at `now_ms` (never going back). The world's clock is what it is told. */
void sim_handle(struct sim *s, int64_t now_ms, struct arena *a, const struct sim_call *call, struct sim_answer *ret);

/* The last word of a run: the world is brought to `now_ms` and written out, so that the next run begins where this one
 * ended and not where the last change was. */
void sim_leave(struct sim *s, int64_t now_ms);

/* The world as it is now, as a World document. */
const struct value *sim_world(struct arena *a, struct sim *s);

#endif
