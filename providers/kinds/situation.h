/* What is known of a restore: its order, its point, its sets and jobs, and the facts of the scenario table, as things
 * stand and as they will once the other documents' steps are done. Pure. */
#ifndef REINSTATE_SITUATION_H
#define REINSTATE_SITUATION_H

#include "diagnosis.h"
#include "order.h"
#include "restore_job.h"

/* Everything steps and act need to know, gathered once. */
struct situation {
    const struct document *doc, *pvm, *des, *key;
    struct order order;
    const struct value *point;         /* the ordered one, else the newest of the vault tier */
    const char *des_id, *original_des; /* original: NULL when nobody knows it any more */
    struct value *jobs;                /* ours since notBefore, newest first */
    struct job_match match;
    enum dx_given given;  /* what the request will name */
    struct dx_facts now;  /* as things stand, nothing named */
    struct dx_facts then; /* after the steps of the other documents */
    enum dx_article article; /* whose reading the policy follows */
};

/* How a RestoredVirtualMachine is declared to come back. */
enum restore_type situation_type(const struct document *restored_vm);
struct situation situation_of(const struct view *v, const struct document *restored_vm);

#endif
