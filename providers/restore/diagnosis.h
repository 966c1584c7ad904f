/* What Azure Backup will do with a restore sent right now, and the cheapest remedy: a pure function over a struct of
 * facts and one table of rows (diagnosis_rows.c). Adding a row is adding data. Used by plan, apply, forecast and
 * explain. */
#ifndef REINSTATE_DIAGNOSIS_H
#define REINSTATE_DIAGNOSIS_H

#include "../../reconciler/base/value.h"

/* Each is a small set; a row accepts any subset of it. UNKNOWN is a value of its own: it never counts as good. */
enum dx_encryption {
    DX_PMK,
    DX_CMK,
    DX_ENCRYPTION_UNKNOWN
}; /* UNKNOWN: neither point, declaration nor source VM tells */
enum dx_restore { DX_NEW_VM, DX_DISKS, DX_REPLACE };                 /* replace: the disks of the source VM, in place */
enum dx_tier {
    DX_SNAPSHOT_ONLY,
    DX_VAULT, /* a usable vault tier, with or without a snapshot */
    DX_NO_TIER,
    DX_TIER_UNKNOWN /* the archive, or one whose name nobody here knows, or the point tells none */
};
enum dx_snapshot { DX_SNAPSHOT_NONE, DX_SNAPSHOT_TOO }; /* a vault tier alone, or a usable snapshot as well */
enum dx_home { DX_HOME_VAULT, DX_HOME_HSM, DX_HOME_UNKNOWN };        /* where the original key lives */
enum dx_store {
    DX_STORE_PRESENT,
    DX_STORE_DELETED,
    DX_STORE_PURGED,
    DX_STORE_DOMAIN_LOST, /* an HSM purged and its security domain lost: a person declares it */
    DX_STORE_UNKNOWN
};
enum dx_des {
    DX_DES_INTACT,
    DX_DES_ROTATED,   /* same key, other version, same store */
    DX_DES_REPOINTED, /* other key, same store */
    DX_DES_MOVED,     /* same key and version, restored into another store */
    DX_DES_FOREIGN,   /* other key, other store */
    DX_DES_GONE,
    DX_DES_LIVES, /* a set on the key is there; on which version, or whether it is the original one, cannot be told */
    DX_DES_UNKNOWN
};
enum dx_key {
    DX_KEY_PRESENT,
    DX_KEY_DISABLED,
    DX_KEY_EXPIRED,
    DX_KEY_DELETED,
    DX_KEY_PURGED,
    DX_KEY_REPLACED, /* a key of its name is there, the version is not */
    DX_KEY_EARLY,    /* not valid yet (nbf) */
    DX_KEY_REVOKED,  /* a person declares it, wherever the key is */
    DX_KEY_UNKNOWN
};
enum dx_grants {
    DX_GRANTS_OK,
    DX_GRANTS_BACKUP_LACKS,
    DX_GRANTS_DES_LACKS,
    DX_GRANTS_ORCHESTRATOR_LACKS,
    DX_GRANTS_FIREWALL,            /* the store's network rules keep the services out */
    DX_GRANTS_ORCHESTRATOR_SHUT,   /* they let trusted services in, and the orchestrator is none of them */
    DX_GRANTS_ORCHESTRATOR_UNSURE, /* so, but the store has a private endpoint, by which the VM's guest may come */
    DX_GRANTS_UNKNOWN
};
enum dx_given {
    DX_GIVEN_NOTHING,
    DX_GIVEN_EMPTY,    /* an empty string: the same as nothing; never sent */
    DX_GIVEN_ORIGINAL, /* the set of the backup, whatever it points to */
    DX_GIVEN_SAME_KEY, /* from here on another set: on the original key and version, in its store */
    DX_GIVEN_SAME_KEY_MOVED,
    DX_GIVEN_NEWER_VERSION,
    DX_GIVEN_OTHER_KEY,             /* in the original's store */
    DX_GIVEN_FOREIGN_KEY,           /* in another store, which does not hold the original */
    DX_GIVEN_FOREIGN_WITH_ORIGINAL, /* in another store, beside the restored original */
    DX_GIVEN_PLAIN_SET,             /* as diskEncryptionSetId, a feature of ordinary disks; never sent */
    DX_GIVEN_UNKNOWN                /* a set whose key cannot be told */
};
enum dx_fault { /* what is wrong with the set named itself */
    DX_FAULT_NONE,
    DX_FAULT_MISSING,
    DX_FAULT_UNMAKEABLE, /* its key is not fit for confidential VMs, so compute makes no set on it */
    DX_FAULT_WRONG_TYPE,
    DX_FAULT_ELSEWHERE, /* another region or subscription than the restored disks */
    DX_FAULT_KEY        /* its own key, where that is not the original one, is disabled, expired or not there */
};
enum dx_source { DX_SOURCE_THERE, DX_SOURCE_GONE, DX_SOURCE_UNKNOWN };
enum dx_rotation { DX_ROTATION_FINE, DX_ROTATION_STUCK }; /* the original set shows an autoKeyRotationError */
enum dx_data_disks { DX_DATA_NONE, DX_DATA_ORDINARY, DX_DATA_CONFIDENTIAL, DX_DATA_CRASH_CONSISTENT };

struct dx_facts {
    enum dx_encryption encryption;
    enum dx_restore restore;
    enum dx_tier tier;
    enum dx_snapshot snapshot; /* means something with DX_VAULT only */
    enum dx_store store;       /* of the original key; `key` counts only while it is present */
    enum dx_home home;
    enum dx_des des;       /* the set the VM was backed up with */
    enum dx_key key;       /* the key version the disk is wrapped to, in the store it had then */
    enum dx_grants grants; /* on the key the new disk is wrapped to: of the set named, else of the original set. What
                              fails earliest: backup, then the firewall, the set's identity, the orchestrator */
    enum dx_given given;   /* the set the restore request names */
    enum dx_fault fault;
    enum dx_source source_vm;
    enum dx_rotation rotation;
    enum dx_data_disks data_disks;
};

/* FAILS says nothing of an export where the point has a vault tier; without one nothing is ever exported. */
enum dx_outcome { DX_SUCCEEDS, DX_FAILS, DX_FAILS_AND_EXPORTS, DX_DISKS_ONLY, DX_OUTCOME_UNKNOWN };
enum dx_confidence { DX_DOCUMENTED, DX_FIELD, DX_INFERRED };

/* Which edition of Microsoft's article is believed where they disagree; Policy.spec.article chooses. */
enum dx_article { DX_ARTICLE_SAFEST, DX_ARTICLE_2026_02, DX_ARTICLE_2026_07 };

/* How a state is mended. Lists of them end with DX_REMEDY_NONE; reports show each as a letter. */
enum dx_remedy {
    DX_REMEDY_NONE,
    DX_GRANT,
    DX_OPEN_TO_AZURE,   /* the store's network rules let Azure's trusted services in */
    DX_OPEN_TO_GUEST,   /* the VM's guest reaches the store */
    DX_REPEAT_UPDATE,   /* of the set whose rotation failed */
    DX_ENABLE_KEY,
    DX_RECOVER_KEY,
    DX_RECOVER_STORE,
    DX_NEW_SET,         /* on the existing key */
    DX_OWN_COPY,        /* the key from a backup of one's own */
    DX_EXPORT_PASS,     /* a restore that fails and exports the key */
    DX_VAULT_POINT,     /* another point: one that has reached the vault tier */
    DX_ANOTHER_WAY,     /* a restore of another kind: as a new VM or as disks */
    DX_NO_SET,          /* the restore names no set */
    DX_ROTATED_SET,     /* the restore names a set on the rotated key */
    DX_KEY_VALID,       /* the key version's start comes, or is moved */
    DX_OTHER_KEY,       /* a point or a set whose key is not revoked */
    DX_PERSON,
    DX_REMEDY_COUNT
};

enum { DX_REMEDIES_MAX = 3 };

struct dx_row {
    const char *id; /* "N-17"; several rows may share one, where a state has more than one remedy */
    bool note;      /* never decides: it is said beside the row that does */
    bool refused;   /* whatever Azure would do, reinstate triggers nothing */
    /* Bit sets over the enums; 0: any. */
    unsigned encryption, restore, tier, snapshot, store, home, des, key, grants, given, fault, source_vm, rotation,
        data_disks;
    bool else_succeeds; /* fits only what would succeed were the grants there */
    bool else_unknown;  /* fits only what nobody could tell the end of were the grants there */
    const char *state; /* in words */
    enum dx_outcome outcome;
    bool differs;              /* the editions disagree: */
    enum dx_outcome feb, jul;  /* what those of 2026-02 and of 2026-07 say */
    const char *other_reading; /* the disagreement in words; NULL */
    const char *code;          /* the error's name when it fails; NULL: no document names one */
    enum dx_remedy remedies[DX_REMEDIES_MAX + 1]; /* cheapest first */
    enum dx_confidence confidence;
    const char *source; /* edition and date */
    const char *proof;  /* the observations that prove the state: "F6 F11"; see ../forecast/outlook.h */
};

extern const struct dx_row dx_rows[];
extern const size_t dx_n_rows;

enum { DX_NOTES_MAX = 4 };

struct dx_prediction {
    const struct dx_row *row; /* NULL: no document describes these facts, and nothing is guessed */
    const struct dx_row *notes[DX_NOTES_MAX];
    size_t n_notes;
    enum dx_outcome outcome; /* by the edition chosen; DX_OUTCOME_UNKNOWN without a row */
    enum dx_outcome other;   /* by the other edition; equal if they agree */
    const char *code;        /* with a failure; NULL */
    const enum dx_remedy *remedies; /* cheapest first; empty when nothing is to be mended */
    const char *reading;     /* what the other edition says, in words; NULL if they agree */
};

/* Pure. */
struct dx_prediction diagnose(const struct dx_facts *facts, enum dx_article article);
/* A restore may be triggered: it is foreseen to succeed, or its outcome is unknown and one try is allowed. */
bool dx_may_restore(const struct dx_prediction *p);
/* "N-17", or NULL. */
const char *dx_scenario(const struct dx_prediction *p);
/* The first row of that id that decides, else the first; whatever its case. NULL: there is none. */
const struct dx_row *diagnosis_row(const char *id);

const char *dx_outcome_words(enum dx_outcome outcome);
const char *dx_confidence_words(enum dx_confidence confidence);
/* "a new disk encryption set on the existing key" */
const char *dx_remedy_words(enum dx_remedy remedy);
/* Of a list of remedies: their letters ("TF"), their number, whether it holds one. */
char *dx_letters(struct arena *a, const enum dx_remedy *list);
size_t dx_count(const enum dx_remedy *list);
bool dx_has(const enum dx_remedy *list, enum dx_remedy remedy);
/* The facts in a sentence, for what no row describes: "vault tier; set intact; key unknown; …". */
char *dx_facts_words(struct arena *a, const struct dx_facts *facts);
/* What a row asks for, as a list of {fact, anyOf or noneOf: [words]}, whichever is shorter; what it
 * leaves open is left out. */
struct value *dx_row_facts(struct arena *a, const struct dx_row *row);
/* "safest" | "2026-02" | "2026-07"; anything else, and NULL, is the safest. */
enum dx_article dx_article_of(const char *word);

#endif
