/* The scenario table. Editions: A = Microsoft Learn "Restore Confidential VM using Azure Backup" of 2026-02-03, B = the
 * same article of 2026-07-22, P = the private-preview articles of May 2023, W = a restore recorded on 2026-09-01.
 * Where A and B disagree the stricter reading acts and the other is named. Rows are tried from the top, so the special
 * stands before the general. Adding a row is adding data. */
#include "diagnosis.h"

#define SET(member) (1u << (member))

#define ARTICLE_A "Microsoft Learn, Restore Confidential VM, 2026-02-03"
#define ARTICLE_AB "Microsoft Learn, Restore Confidential VM, 2026-02-03 and 2026-07-22"
#define ARTICLE_B "Microsoft Learn, Restore Confidential VM, 2026-07-22"

const struct dx_row dx_rows[] = {
    {
        .id = "N-01", .encryption = SET(DX_PMK), .given = SET(DX_GIVEN_NOTHING),
        .state = "platform-managed key", .outcome = DX_SUCCEEDS, .remedy = "", .confidence = DX_DOCUMENTED, .source = ARTICLE_AB,
    },
    {
        .id = "R-06", .encryption = SET(DX_CMK), .tier = SET(DX_SNAPSHOT_ONLY), .given = SET(DX_GIVEN_SAME_KEY) | SET(DX_GIVEN_OTHER_KEY),
        .state = "the point is a snapshot only and another disk encryption set than the original is named",
        .outcome = DX_FAILS, .code = "UserErrorRestoreNotSupportedFromSnapshotTierRPForDifferentDES", .remedy = "V",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_AB,
    },
    {
        .id = "N-26", .encryption = SET(DX_CMK), .key = SET(DX_KEY_PRESENT), .grants = SET(DX_GRANTS_ORCHESTRATOR_LACKS),
        .state = "the Confidential VM Orchestrator may not release the key", .outcome = DX_DISKS_ONLY, .remedy = "P",
        .confidence = DX_INFERRED, .source = "Azure CLI quickstart for confidential VMs; Azure Backup support scripts, March 2026",
    },
    {
        .id = "N-24", .encryption = SET(DX_CMK), .key = SET(DX_KEY_PRESENT), .grants = SET(DX_GRANTS_BACKUP_LACKS),
        .state = "the Backup Management Service may not read and back up the key", .outcome = DX_FAILS,
        .code = "UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK", .remedy = "P", .confidence = DX_FIELD,
        .source = "Back up Confidential VM, 2026-07-22; private preview, May 2023",
    },
    {
        .id = "N-25", .encryption = SET(DX_CMK), .key = SET(DX_KEY_PRESENT), .grants = SET(DX_GRANTS_DES_LACKS),
        .state = "the disk encryption set's identity may not get, wrap and unwrap with the key", .outcome = DX_FAILS,
        .code = "KeyVaultAccessForbidden", .remedy = "P", .confidence = DX_FIELD, .source = "public provider issue threads",
    },
    {
        .id = "N-30", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .des = SET(DX_DES_GONE) | SET(DX_DES_UNKNOWN), .key = SET(DX_KEY_PURGED),
        .given = SET(DX_GIVEN_NOTHING), .state = "disk encryption set gone, or not known any more, and key purged", .outcome = DX_FAILS_AND_EXPORTS,
        .code = "UserErrorDiskEncryptionSetDoesNotExist", .remedy = "TF", .confidence = DX_INFERRED,
        .source = "ours: rows N-13 and N-17 taken together",
    },
    {
        .id = "N-17", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .key = SET(DX_KEY_PURGED), .given = SET(DX_GIVEN_NOTHING) | SET(DX_GIVEN_ORIGINAL),
        .state = "key purged, vault alive", .outcome = DX_FAILS_AND_EXPORTS, .code = "UserErrorDiskEncryptionSetKeyDoesNotExist",
        .remedy = "T", .confidence = DX_DOCUMENTED, .source = ARTICLE_A,
    },
    {
        .id = "N-18", .encryption = SET(DX_CMK), .tier = SET(DX_SNAPSHOT_ONLY), .key = SET(DX_KEY_PURGED), .given = SET(DX_GIVEN_NOTHING) | SET(DX_GIVEN_ORIGINAL),
        .state = "key purged and the point is a snapshot only: nothing is exported", .outcome = DX_FAILS, .remedy = "VG",
        .confidence = DX_DOCUMENTED, .source = "Microsoft Learn, Restore Confidential VM, 2026-07-22; private preview, May 2023",
    },
    {
        .id = "N-15", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .key = SET(DX_KEY_DELETED), .given = SET(DX_GIVEN_NOTHING) | SET(DX_GIVEN_ORIGINAL),
        .state = "key soft-deleted", .outcome = DX_FAILS, .code = "UserErrorDiskEncryptionSetKeyDoesNotExist", .remedy = "C",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_A "; Key Vault, recovery management",
    },
    {
        .id = "N-16", .encryption = SET(DX_CMK), .tier = SET(DX_SNAPSHOT_ONLY), .key = SET(DX_KEY_DELETED),
        .given = SET(DX_GIVEN_NOTHING) | SET(DX_GIVEN_ORIGINAL),
        .state = "key soft-deleted, the point is a snapshot only", .outcome = DX_FAILS, .remedy = "C", .confidence = DX_DOCUMENTED, .source = ARTICLE_B,
    },
    {
        .id = "N-05", .encryption = SET(DX_CMK), .key = SET(DX_KEY_DISABLED), .state = "the key version is disabled", .outcome = DX_FAILS, .remedy = "E",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_B,
    },
    {
        .id = "N-06", .encryption = SET(DX_CMK), .key = SET(DX_KEY_EXPIRED), .state = "the key version has expired", .outcome = DX_FAILS, .remedy = "E",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_A, .other_reading = "Key Vault itself still unwraps and releases with an expired key",
    },
    {
        .id = "R-09", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT),
        .key = SET(DX_KEY_PURGED) | SET(DX_KEY_DELETED), .given = SET(DX_GIVEN_OTHER_KEY),
        .state = "a set on another key is named and the original key is missing", .outcome = DX_FAILS_AND_EXPORTS,
        .code = "UserErrorInputDESKeyDoesNotMatchWithOriginalKey", .remedy = "CT", .confidence = DX_DOCUMENTED, .source = ARTICLE_A "; private preview, May 2023",
    },
    {
        .id = "R-08", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .key = SET(DX_KEY_PRESENT), .given = SET(DX_GIVEN_OTHER_KEY),
        .state = "a set on another key of the vault is named and the original key is there", .outcome = DX_FAILS,
        .code = "UserErrorInputDESKeyDoesNotMatchWithOriginalKey", .remedy = "F", .confidence = DX_DOCUMENTED, .source = ARTICLE_A,
        .other_reading = "the edition of 2026-07-22 supports a new wrapping key in the same vault",
    },
    {
        .id = "R-03", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .key = SET(DX_KEY_PRESENT), .grants = SET(DX_GRANTS_OK),
        .given = SET(DX_GIVEN_SAME_KEY), .state = "a set on the original key and version is named", .outcome = DX_SUCCEEDS, .remedy = "",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_A,
    },
    {
        .id = "R-01", .encryption = SET(DX_CMK), .des = SET(DX_DES_INTACT), .key = SET(DX_KEY_PRESENT), .grants = SET(DX_GRANTS_OK),
        .given = SET(DX_GIVEN_ORIGINAL), .state = "the original set is named and intact", .outcome = DX_SUCCEEDS, .remedy = "",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_B "; a recorded restore of 2026-09-01 named a set and completed",
    },
    {
        .id = "N-13", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .des = SET(DX_DES_GONE), .key = SET(DX_KEY_PRESENT), .given = SET(DX_GIVEN_NOTHING),
        .state = "disk encryption set deleted, key fine", .outcome = DX_FAILS, .code = "UserErrorDiskEncryptionSetDoesNotExist", .remedy = "F",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_A,
    },
    {
        .id = "N-14", .encryption = SET(DX_CMK), .tier = SET(DX_SNAPSHOT_ONLY), .des = SET(DX_DES_GONE), .key = SET(DX_KEY_PRESENT),
        .given = SET(DX_GIVEN_NOTHING), .state = "disk encryption set deleted, the point is a snapshot only", .outcome = DX_FAILS,
        .code = "UserErrorDiskEncryptionSetDoesNotExist", .remedy = "V", .confidence = DX_DOCUMENTED, .source = ARTICLE_A "; private preview, May 2023",
    },
    {
        .id = "N-08", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .des = SET(DX_DES_REPOINTED), .key = SET(DX_KEY_PRESENT), .grants = SET(DX_GRANTS_OK),
        .given = SET(DX_GIVEN_NOTHING), .state = "the set points to another key of the vault; the original key is there",
        .outcome = DX_SUCCEEDS, .remedy = "", .confidence = DX_DOCUMENTED, .source = ARTICLE_A,
    },
    {
        .id = "N-09", .encryption = SET(DX_CMK), .tier = SET(DX_SNAPSHOT_ONLY), .des = SET(DX_DES_REPOINTED), .key = SET(DX_KEY_PRESENT),
        .given = SET(DX_GIVEN_NOTHING), .state = "the set points to another key and the point is a snapshot only", .outcome = DX_FAILS,
        .remedy = "V", .confidence = DX_DOCUMENTED, .source = ARTICLE_B,
    },
    {
        .id = "N-03", .encryption = SET(DX_CMK), .tier = SET(DX_SNAPSHOT_ONLY), .des = SET(DX_DES_ROTATED), .key = SET(DX_KEY_PRESENT),
        .grants = SET(DX_GRANTS_OK), .given = SET(DX_GIVEN_NOTHING), .state = "the set has moved to a newer version; the old one is there",
        .outcome = DX_SUCCEEDS, .remedy = "", .confidence = DX_DOCUMENTED, .source = ARTICLE_AB,
    },
    {
        .id = "N-04", .encryption = SET(DX_CMK), .tier = SET(DX_VAULT), .des = SET(DX_DES_ROTATED), .key = SET(DX_KEY_PRESENT),
        .grants = SET(DX_GRANTS_OK), .given = SET(DX_GIVEN_NOTHING), .state = "the set has moved to a newer version; the old one is there",
        .outcome = DX_SUCCEEDS, .remedy = "", .confidence = DX_DOCUMENTED, .source = ARTICLE_A,
        .other_reading = "the edition of 2026-07-22 describes two steps, with a set on the rotated key",
    },
    {
        .id = "N-02", .encryption = SET(DX_CMK), .des = SET(DX_DES_INTACT), .key = SET(DX_KEY_PRESENT), .grants = SET(DX_GRANTS_OK),
        .given = SET(DX_GIVEN_NOTHING), .state = "disk encryption set, key and grants intact", .outcome = DX_SUCCEEDS, .remedy = "",
        .confidence = DX_DOCUMENTED, .source = ARTICLE_AB "; recorded on 2026-09-01",
    },
};
const size_t dx_n_rows = sizeof(dx_rows) / sizeof(dx_rows[0]);
