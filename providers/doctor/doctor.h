/* What a person has to know before the night: who we are, whether the clock is right, what answers, which rights are
 * there, and what the subscription allows. Reads only. */
#ifndef REINSTATE_DOCTOR_H
#define REINSTATE_DOCTOR_H

#include "endpoints.h"
#include "ground.h"

/* Names of the bits of enum need_for, from the lowest on; NULL ends them. */
extern const char *const need_for_names[];

struct doctor {
    struct arena *arena;
    struct azure *const *connections; /* by the index of the Azure document; NULL for others */
    size_t n_connections;
    const struct desired *desired;
    const char *signed_in_by;         /* credential_kind_name */
    bool proxied;                     /* a proxy stands between us and Azure */
    unsigned commands;                /* enum need_for: those asked about */
    struct needs *needs;
    /* Filled by doctor_ask. */
    struct value *who;                /* [{azure, tenant, declaredTenant?, objectId, applicationId, type, name, by,
                                       * state, why?}] */
    struct endpoint *endpoints;
    size_t n_endpoints;
    struct ground ground;
};

/* May suspend. After the looks: who we are, what answers, what is held. `v`: a look; NULL: none could be made. */
must_use int doctor_ask(struct doctor *d, struct call *c, const struct view *v, const struct value *extras,
                        struct err *err);

struct doctor_count {
    size_t lacking, unseen; /* of what counts: a wish does not */
};
/* Pure. As schemas/doctor.json has it, but for what every answer bears. `skew_ms`: how far our own clock is ahead. */
void doctor_to_value(const struct doctor *d, int64_t skew_ms, struct value *ret, struct doctor_count *ret_count);

#endif
