/* What a subscription must allow before anything can be restored into it: features, registered providers, quota. */
#ifndef REINSTATE_DOCTOR_GROUND_H
#define REINSTATE_DOCTOR_GROUND_H

#include "needs.h"

/* Each a list of {name, subscription, region?, state: "ok" | "lacking" | "unseen", told, fix?}. */
struct ground {
    struct value *features, *providers, *quotas;
};

/* May suspend. Reads only. `extras`: what a forecast has asked of features and usages (../forecast/look.c). */
must_use int ground_look(const struct needs *n, struct call *c, const struct view *v, const struct value *extras,
                         struct ground *ret, struct err *err);

#endif
