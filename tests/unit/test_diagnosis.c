/* The scenario table: each row is found by the facts that describe it, and by no others that a row before it claims. */
#include "../../providers/restore/diagnosis.h"
#include "../../reconciler/base/text.h"
#include "../harness.h"

struct one {
    const char *row, *reason;
    struct dx_facts facts;
    enum dx_outcome outcome;
    const char *code, *remedies; /* in letters */
};

#define CMK(tier_, des_, key_, grants_, given_)                                                                        \
    {                                                                                                                  \
        .encryption = DX_CMK, .tier = DX_##tier_, .des = DX_DES_##des_, .key = DX_KEY_##key_,                          \
        .grants = DX_GRANTS_##grants_, .given = DX_GIVEN_##given_                                                      \
    }

static const struct one table[] = {
    {"N-01",
     "platform keys need no key handling",
     {.encryption = DX_PMK,
      .tier = DX_SNAPSHOT_ONLY,
      .des = DX_DES_UNKNOWN,
      .key = DX_KEY_UNKNOWN,
      .grants = DX_GRANTS_UNKNOWN},
     DX_SUCCEEDS,
     NULL,
     ""},
    {"N-02", "all intact, vault tier", CMK(VAULT, INTACT, PRESENT, OK, NOTHING), DX_SUCCEEDS, NULL, ""},
    {"N-02", "all intact, snapshot only", CMK(SNAPSHOT_ONLY, INTACT, PRESENT, OK, NOTHING), DX_SUCCEEDS, NULL, ""},
    {"N-03", "rotated, snapshot only", CMK(SNAPSHOT_ONLY, ROTATED, PRESENT, OK, NOTHING), DX_SUCCEEDS, NULL, ""},
    {"N-04", "rotated, vault tier", CMK(VAULT, ROTATED, PRESENT, OK, NOTHING), DX_SUCCEEDS, NULL, ""},
    {"N-05", "disabled version", CMK(VAULT, INTACT, DISABLED, OK, NOTHING), DX_FAILS, NULL, "E"},
    {"N-06", "expired version", CMK(VAULT, INTACT, EXPIRED, OK, NOTHING), DX_FAILS, NULL, "E"},
    {"N-08", "set re-pointed, original key there", CMK(VAULT, REPOINTED, PRESENT, OK, NOTHING), DX_SUCCEEDS, NULL, ""},
    {"N-09", "set re-pointed, snapshot only", CMK(SNAPSHOT_ONLY, REPOINTED, PRESENT, OK, NOTHING), DX_FAILS, NULL,
     "VH"},
    {"N-13", "set deleted, key fine", CMK(VAULT, GONE, PRESENT, OK, NOTHING), DX_FAILS,
     "UserErrorDiskEncryptionSetDoesNotExist", "F"},
    {"N-14", "set deleted, snapshot only", CMK(SNAPSHOT_ONLY, GONE, PRESENT, OK, NOTHING), DX_FAILS,
     "UserErrorDiskEncryptionSetDoesNotExist", "V"},
    {"N-15", "key soft-deleted", CMK(VAULT, INTACT, DELETED, OK, NOTHING), DX_FAILS,
     "UserErrorDiskEncryptionSetKeyDoesNotExist", "C"},
    {"N-16", "key soft-deleted, snapshot only", CMK(SNAPSHOT_ONLY, INTACT, DELETED, OK, NOTHING), DX_FAILS, NULL, "C"},
    {"N-17", "key purged, set there", CMK(VAULT, INTACT, PURGED, OK, NOTHING), DX_FAILS_AND_EXPORTS,
     "UserErrorDiskEncryptionSetKeyDoesNotExist", "T"},
    {"N-18", "key purged, snapshot only: nothing is exported", CMK(SNAPSHOT_ONLY, INTACT, PURGED, OK, NOTHING),
     DX_FAILS, NULL, "VG"},
    {"N-24", "backup service lacks rights", CMK(VAULT, INTACT, PRESENT, BACKUP_LACKS, NOTHING), DX_FAILS,
     "UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK", "P"},
    {"N-25", "set's identity lacks rights", CMK(VAULT, INTACT, PRESENT, DES_LACKS, NOTHING), DX_FAILS,
     "KeyVaultAccessForbidden", "P"},
    {"N-26", "orchestrator may not release", CMK(VAULT, INTACT, PRESENT, ORCHESTRATOR_LACKS, NOTHING), DX_DISKS_ONLY,
     NULL, "P"},
    {"N-30", "set gone and key purged", CMK(VAULT, GONE, PURGED, OK, NOTHING), DX_FAILS_AND_EXPORTS,
     "UserErrorDiskEncryptionSetDoesNotExist", "TF"},
    {"R-01", "the original set named", CMK(VAULT, INTACT, PRESENT, OK, ORIGINAL), DX_SUCCEEDS, NULL, ""},
    {"R-03", "another set on the same key and version", CMK(VAULT, GONE, PRESENT, OK, SAME_KEY), DX_SUCCEEDS, NULL, ""},
    {"R-06", "another set, snapshot only", CMK(SNAPSHOT_ONLY, GONE, PRESENT, OK, SAME_KEY), DX_FAILS,
     "UserErrorRestoreNotSupportedFromSnapshotTierRPForDifferentDES", "VO"},
    {"R-08", "a set on another key, original there", CMK(VAULT, INTACT, PRESENT, OK, OTHER_KEY), DX_FAILS,
     "UserErrorInputDESKeyDoesNotMatchWithOriginalKey", "F"},
    {"R-09", "a set on another key, original missing", CMK(VAULT, INTACT, PURGED, OK, OTHER_KEY), DX_FAILS_AND_EXPORTS,
     "UserErrorInputDESKeyDoesNotMatchWithOriginalKey", "T"},
};

static void each_row_is_found(void)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct dx_prediction p = diagnose(&table[i].facts, DX_ARTICLE_SAFEST);

        CHECK_ROW(table[i].reason, str_eq(dx_scenario(&p), table[i].row));
        CHECK_ROW(table[i].reason, p.outcome == table[i].outcome);
        CHECK_ROW(table[i].reason, str_eq(p.code, table[i].code));
        CHECK_ROW(table[i].reason, str_eq(dx_letters(a, p.remedies), table[i].remedies));
    }
}

static void every_row_is_whole(void)
{
    for (size_t i = 0; i < dx_n_rows; i++) {
        const struct dx_row *r = &dx_rows[i];

        CHECK_ROW(r->id, r->source && r->state && r->proof && str_eq(diagnosis_row(r->id)->id, r->id));
        /* A source without a date, or the word that it has none, cannot be judged later. */
        CHECK_ROW(r->id, str_find_nocase(r->source, "20") || str_find_nocase(r->source, "undated"));
        CHECK_ROW(r->id, !r->differs || r->other_reading);
    }
}

/* What no document describes is unknown, not guessed. */
static void unknown_is_unknown(void)
{
    static const struct dx_facts unknown[] = {
        {.encryption = DX_CMK,
         .tier = DX_VAULT,
         .des = DX_DES_UNKNOWN,
         .key = DX_KEY_UNKNOWN,
         .grants = DX_GRANTS_UNKNOWN},
        {.encryption = DX_CMK, .tier = DX_VAULT, .des = DX_DES_UNKNOWN, .key = DX_KEY_PRESENT, .grants = DX_GRANTS_OK},
        {.encryption = DX_CMK,
         .tier = DX_SNAPSHOT_ONLY,
         .des = DX_DES_INTACT,
         .key = DX_KEY_PRESENT,
         .grants = DX_GRANTS_UNKNOWN},
        {.encryption = DX_PMK, .tier = DX_VAULT, .given = DX_GIVEN_SAME_KEY},
    };

    for (size_t i = 0; i < COUNT(unknown); i++)
        CHECK(diagnose(&unknown[i], DX_ARTICLE_SAFEST).row == NULL);
}

/* Who is seen not to release the key starts no VM, also where nobody can tell how the restore itself would end. */
static void no_vm_that_would_not_start(void)
{
    static const struct {
        const char *row, *reason;
        struct dx_facts facts;
        enum dx_article article;
        bool may;
    } cases[] = {
        {"N-27", "shut out, set not seen", CMK(SNAPSHOT_ONLY, UNKNOWN, PRESENT, ORCHESTRATOR_SHUT, NOTHING),
         DX_ARTICLE_SAFEST, false},
        {"N-27", "shut out, key not seen", CMK(VAULT, INTACT, UNKNOWN, ORCHESTRATOR_SHUT, NOTHING), DX_ARTICLE_SAFEST,
         false},
        {"N-26", "no right, set not seen", CMK(VAULT, UNKNOWN, PRESENT, ORCHESTRATOR_LACKS, NOTHING), DX_ARTICLE_SAFEST,
         false},
        {"N-13", "what fails, fails", CMK(VAULT, GONE, PRESENT, ORCHESTRATOR_SHUT, NOTHING), DX_ARTICLE_SAFEST, false},
        {"N-27", "it may come privately", CMK(VAULT, INTACT, PRESENT, ORCHESTRATOR_UNSURE, NOTHING), DX_ARTICLE_SAFEST,
         true},
        {NULL,
         "disks start nothing",
         {.encryption = DX_CMK,
          .tier = DX_VAULT,
          .restore = DX_DISKS,
          .des = DX_DES_UNKNOWN,
          .key = DX_KEY_PRESENT,
          .grants = DX_GRANTS_ORCHESTRATOR_SHUT},
         DX_ARTICLE_SAFEST,
         true},
        {"N-27",
         "an edition that does not speak of replaced disks",
         {.encryption = DX_CMK,
          .tier = DX_VAULT,
          .restore = DX_REPLACE,
          .des = DX_DES_INTACT,
          .key = DX_KEY_PRESENT,
          .grants = DX_GRANTS_ORCHESTRATOR_SHUT},
         DX_ARTICLE_2026_02,
         false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dx_prediction p = diagnose(&cases[i].facts, cases[i].article);

        CHECK_ROW(cases[i].reason, str_eq(dx_scenario(&p), cases[i].row));
        CHECK_ROW(cases[i].reason, dx_may_restore(&p) == cases[i].may);
    }
}

int main(void)
{
    each_row_is_found();
    no_vm_that_would_not_start();
    every_row_is_whole();
    unknown_is_unknown();
    HARNESS_END();
}
