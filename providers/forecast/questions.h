/* What the files of the questions share: about the backup, the key and its access (about_*.c);
 * outlook.c asks them all. */
#ifndef REINSTATE_OBSERVATION_INTERNAL_H
#define REINSTATE_OBSERVATION_INTERNAL_H

#include "outlook.h"

/* Answers a question; `evidence` may be NULL. */
void obs_set(struct outlook *o, enum obs_fact f, enum obs_state state, const char *evidence, const char *fmt, ...)
    printf_like(5, 6);
/* Notes what is in danger, with the fact's evidence. `at_ms` in the past is "already". */
void obs_risk(struct outlook *o, enum obs_fact f, const char *id, enum risk_weight weight, int64_t at_ms,
              const char *fix, const char *fmt, ...) printf_like(7, 8);
/* "PATH=VALUE" of a body, for evidence; "PATH absent" when it is not there. */
const char *obs_member(struct arena *a, const struct value *body, const char *path);

/* The body of the set that the VM used, else of the declared one; NULL. */
const struct value *outlook_set(const struct outlook *o);
/* An entry of the extras by group and key (folded to lower case); NULL. */
const struct value *outlook_extra(const struct outlook *o, const char *group, const char *key);
bool outlook_platform_key(const struct outlook *o);       /* its disks are on platform-managed keys */
const char *outlook_region(const struct outlook *o);       /* where a restore would go; NULL */
const char *outlook_subscription(const struct outlook *o); /* of the VM */

void observe_backup(struct outlook *o);   /* F1 to F5, F20 to F22, F27 */
void observe_platform(struct outlook *o); /* F19, F24, F26 */
void observe_set(struct outlook *o);      /* F6, F7 */
void observe_store(struct outlook *o);    /* F8 to F10, F23, F25 */
void observe_key(struct outlook *o);      /* F11 to F15 */
void observe_grants(struct outlook *o);   /* F16 to F18 */

#endif
