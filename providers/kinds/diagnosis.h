/* What Azure Backup will do with a restore as things stand, and the cheapest remedy: a pure function over a struct of
 * facts and one table of rows (diagnosis_rows.c). Adding a row is adding data. Used by plan, apply and explain. */
#ifndef REINSTATE_DIAGNOSIS_H
#define REINSTATE_DIAGNOSIS_H

#include "../../reconciler/base/base.h"

/* Each is a small set; a row accepts any subset of it. UNKNOWN is a value of its own: it never counts as good. */
enum dx_encryption { DX_PMK, DX_CMK };
enum dx_tier { DX_SNAPSHOT_ONLY, DX_VAULT }; /* VAULT: a usable vault tier, with or without a snapshot */
enum dx_des { DX_DES_INTACT, DX_DES_ROTATED, DX_DES_REPOINTED, DX_DES_GONE, DX_DES_UNKNOWN };
enum dx_key { DX_KEY_PRESENT, DX_KEY_DISABLED, DX_KEY_EXPIRED, DX_KEY_DELETED, DX_KEY_PURGED, DX_KEY_UNKNOWN };
enum dx_grants { DX_GRANTS_OK, DX_GRANTS_BACKUP_LACKS, DX_GRANTS_DES_LACKS, DX_GRANTS_ORCHESTRATOR_LACKS, DX_GRANTS_UNKNOWN };
enum dx_given { DX_GIVEN_NOTHING, DX_GIVEN_ORIGINAL, DX_GIVEN_SAME_KEY, DX_GIVEN_OTHER_KEY };

struct dx_facts {
    enum dx_encryption encryption;
    enum dx_tier tier;
    enum dx_des des;       /* the set the VM was backed up with */
    enum dx_key key;       /* the key version the disk is wrapped to */
    enum dx_grants grants; /* the first that lacks, in the order of the enum */
    enum dx_given given;   /* the set the restore request names */
};

enum dx_outcome { DX_SUCCEEDS, DX_FAILS, DX_FAILS_AND_EXPORTS, DX_DISKS_ONLY, DX_OUTCOME_UNKNOWN };
enum dx_confidence { DX_DOCUMENTED, DX_FIELD, DX_INFERRED };

struct dx_row {
    const char *id;                                     /* "N-17" */
    unsigned encryption, tier, des, key, grants, given; /* bit sets over the enums; 0: any */
    const char *state;                                  /* in words */
    enum dx_outcome outcome;
    const char *code;   /* the error's name, or NULL */
    const char *remedy; /* letters of the remedies in order, "" for none */
    enum dx_confidence confidence;
    const char *source;        /* edition and date */
    const char *other_reading; /* where editions differ: what the other one says; or NULL */
};

extern const struct dx_row dx_rows[];
extern const size_t dx_n_rows;

/* The first row that fits; NULL: unknown, which is never guessed at. */
const struct dx_row *diagnose(const struct dx_facts *facts);
const struct dx_row *diagnosis_row(const char *id);
const char *dx_outcome_words(enum dx_outcome outcome);
const char *dx_confidence_words(enum dx_confidence confidence);
/* What a remedy letter means ("F": "a new disk encryption set on the existing key"). */
const char *dx_remedy_words(char letter);

#endif
