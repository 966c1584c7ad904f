/* What is known of a restore: its order, its point, its sets and jobs, and the facts of the scenario table, as things
 * stand and as they will once the other documents' steps are done. Pure. */
#ifndef REINSTATE_SITUATION_H
#define REINSTATE_SITUATION_H

#include "diagnosis.h"
#include "election.h"
#include "../keys/original.h"
#include "../backup/jobs.h"
#include "../documents/common.h"
#include "../backup/order.h"

/* Everything steps and act need to know, gathered once. */
struct situation {
    const struct document *doc, *pvm, *des,
        *key; /* doc: NULL for a backup without a declared restore; des, key: as declared, or NULL */
    struct order order;
    const struct value *point;           /* the ordered one, else the newest of the vault tier, else the newest; NULL */
    const char *des_id, *original_des;   /* original: NULL when nobody knows it any more */
    bool made_anew;      /* what is, or will be, at the original set's id is another set with another identity */
    const char *revoked; /* the reason for which the original key, or that of the declared set, is; NULL */
    struct original_key original;        /* what the disk is wrapped to, and what says so */
    const char *original_url;            /* its versioned URL; NULL when not known */
    const struct document *original_key; /* the document of that key; NULL when none is declared */
    const struct document *const *grants; /* that act on the key of the declared set, or where the restore is staged */
    size_t n_grants;
    struct value *jobs;                  /* ours since notBefore, newest first; NULL without a declared restore */
    struct job_match match;
    enum dx_given given;     /* what the request will name */
    struct dx_facts now;     /* right now, nothing named */
    struct dx_facts named;   /* right now, with the set named that the request will name */
    struct dx_facts then;    /* after the steps of the other documents */
    enum dx_article article; /* whose reading the policy follows */
};

/* How a RestoredVirtualMachine is declared to come back. */
enum restore_type situation_type(const struct document *restored_vm);
/* As it was concluded: once that machine's own turn has come with what its neighbours will be, before
 * that as things are seen. */
const struct situation *situation_of(const struct view *v, const struct document *restored_vm);
/* Concludes it (conclude.h), for nobody else to do so. */
struct situation situation_foreseen(const struct view *v, const struct document *restored_vm);
/* Of any point of a backup, also without a declared restore (NULL: a plain one of a new VM). `point` NULL: the ordered
 * one, else the newest of the vault tier, else the newest. */
const struct situation *situation_at(const struct view *v, const struct document *protected_vm,
                                     const struct document *restored_vm, const struct value *point);
/* What to declare, where the restore is foreseen to fail for a right that no document grants; NULL: it is not. */
const char *situation_grant_advice(const struct view *v, const struct situation *s);
/* Who may not be seen to use the key of the set named, and is granted it by no document, in words; NULL: nobody. */
const char *situation_grants_untold(const struct view *v, const struct situation *s);
/* After a failure: who may use the key is declared by no document, and not seen to be held either, in words with the
 * remedy; NULL: it is, of everybody. Also of a restore that names no set. */
const char *situation_grants_doubt(const struct view *v, const struct situation *s);
/* The i-th principal of a KeyAccess, or that of a single grant, is the identity of another set than the one the disk
 * will be wrapped with. */
bool situation_of_another_set(const struct view *v, const struct document *access, size_t i, const char *set_id);

#endif
