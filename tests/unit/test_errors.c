/* The catalogue of errors: every code and text that the sources name is found, and classified as they say. */
#include <string.h>

#include "../../providers/azure/arm.h"
#include "../../providers/azure/backup.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../harness.h"

static int parse(struct arena *a, const char *text, struct value **ret, struct err *err)
{
    return json_parse(a, text, strlen(text), ret, err);
}

/* The letters that are right for a code: the sources give some codes two. */
static const struct {
    const char *code, *letters;
} codes[] = {
    /* confidential VMs and keys */
    {"UserErrorDiskEncryptionSetDoesNotExist", "D"},
    {"UserErrorDiskEncryptionSetKeyDoesNotExist", "K"},
    {"UserErrorInputDESKeyDoesNotMatchWithOriginalKey", "KD"},
    {"UserErrorRestoreNotSupportedFromSnapshotTierRPForDifferentDES", "C"},
    {"UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK", "P"},
    {"UserErrorKeyVaultPermissionsNotConfigured", "P"},
    {"KeyVaultAccessForbidden", "P"},
    {"KeyNotFound", "K"},
    {"ObjectIsDeletedButRecoverable", "K"},
    {"Conflict", "WKH"},
    {"BadParameter", "C"},
    {"ForbiddenByFirewall", "E"},
    {"Forbidden", "P"},
    {"AccessDenied", "P"},
    {"ForbiddenByPolicy", "P"},
    {"ForbiddenByRbac", "P"},
    {"VaultAlreadyExists", "K"},
    /* restores of VMs in general */
    {"UserErrorInstantRpNotFound", "C"},
    {"UserErrorSkuNotAvailable", "C"},
    {"UserErrorMarketPlaceVMNotSupported", "CH"},
    {"UserErrorCoreCountSubscriptionQuotaReached", "E"},
    {"UserErrorRequestDisallowedByPolicy", "E"},
    {"UserErrorBCMPremiumStorageQuotaError", "E"},
    {"UserErrorVmNotInDesirableState", "WE"},
    {"VmNotInDesirableState", "WE"},
    {"CopyingVHDsFromBackUpVaultTakingLongTime", "R"},
    {"VMRestorePointInternalError", "E"},
    {"UserErrorRpCollectionLimitReached", "E"},
    {"UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed", "H"},
    {"UserErrorEncryptedVmNotSupportedWithDiskEx", "C"},
    {"DiskEncryptionInternalError", "K"},
    {"BCMProtGetSaSUriAsyncError", "P"},
    {"320001", "C"},
    {"400094", "C"},
    {"ResourceNotFound", "C"},
    {"BCMV2VMNotFound", "C"},
    {"UserErrorVmNotFoundV2", "C"},
    {"UserErrorBackupOperationInProgress", "W"},
    {"UserErrorRestoreOperationInProgress", "W"},
    {"UserErrorSubscriptionStateNotRegistered", "E"},
    {"UserErrorVmProvisioningStateFailed", "E"},
    {"UserErrorGuestAgentStatusUnavailable", "E"},
    {"GuestAgentSnapshotTaskStatusError", "E"},
    {"400039", "E"},
    {"UserErrorKeyVaultNotFound", "K"},
    {"BMSUserErrorInvalidInput", "C"},
    {"CloudInvalidInputError", "C"},
    {"UserErrorOperationFailedInvalidParameters", "C"},
    {"CloudInternalError", "R"},
    {"InternalServerError", "R"},
    {"GatewayTimeout", "R"},
    {"TooManyRequests", "R"},
    {"RetryableErrorDueToAnotherOperation", "RW"},
    {"OperationNotAllowed", "H"},
    {"AnotherOperationInProgress", "W"},
    {"PreconditionFailed", "R"},
    {"AuthorizationFailed", "P"},
    {"LinkedAuthorizationFailed", "P"},
    {"ScopeLocked", "E"},
    {"SubscriptionNotRegistered", "E"},
    {"MissingSubscriptionRegistration", "E"},
};

static void codes_are_known(void)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        const struct azure_error *e = azure_error_find(str_lower(a, codes[i].code));

        CHECK_ROW(codes[i].code, e && str_eq(e->code, codes[i].code) && strchr(codes[i].letters, e->letter));
    }
    CHECK(azure_error_find("UserErrorNobodyHasSeenThis") == NULL);
}

/* A source without a date, or the word that it has none, cannot be judged later. */
static void sources_are_dated(void)
{
    for (size_t i = 0; i < azure_n_errors; i++)
        CHECK_ROW(azure_errors[i].code,
                  str_find_nocase(azure_errors[i].source, "20") || str_find_nocase(azure_errors[i].source, "undated"));
}

/* What has no code of its own is known by its words: in a refusal, and in a job. */
static const struct {
    const char *text;
    char letter;
} texts[] = {
    {"The key is not exportable: the target key has no release policy.", 'H'},
    {"Cannot decrypt backup blob: it is of another subscription.", 'C'},
    {"The vault and the target storage account are in two different regions.", 'C'},
    {"The storage account specified for the restore operation isn't supported.", 'C'},
    {"The storage account specified for the restore operation isn't online.", 'E'},
    {"The resource group quota has been reached.", 'E'},
    {"The specified subnet doesn't exist.", 'C'},
    {"The selected DNS name is already taken.", 'C'},
    {"The Backup service doesn't have authorization to access resources in your subscription.", 'E'},
    {"A resource guard protects this operation.", 'H'},
    {"The restored virtual machine did not start.", 'P'},
};

static void texts_are_known(void)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        const struct azure_error *e = azure_error_in_text(texts[i].text);
        struct backup_job job;
        struct value *body;
        struct err err;

        CHECK_ROW(texts[i].text, e && e->letter == texts[i].letter && azure_error_find(e->code) == e);
        CHECK(parse(a,
                    arena_printf(a,
                                 "{\"name\": \"j\", \"properties\": {\"status\": \"Failed\", \"errorDetails\": [{\"errorCode\": "
                                 "123, \"errorTitle\": \"It failed.\", \"errorString\": \"%s\"}]}}",
                                 texts[i].text),
                    &body, &err) == 0);
        backup_read_job(a, body, &job);
        CHECK_ROW(texts[i].text, e && str_eq(job.error_code, e->code));
    }
    CHECK(azure_error_in_text("The moon is full.") == NULL);
}

/* A number that nobody knows stays a number, and goes to a person with the text. */
static void unknown_stays_unknown(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct backup_job job;
    struct value *body;
    struct err err;

    CHECK(parse(a,
                "{\"name\": \"j\", \"properties\": {\"status\": \"Failed\", \"errorDetails\": [{\"errorCode\": 777, "
                "\"errorTitle\": \"It failed.\", \"errorString\": \"The moon is full.\"}]}}",
                &body, &err) == 0);
    backup_read_job(a, body, &job);
    CHECK(str_eq(job.error_code, "777") && !azure_error_find(job.error_code));
    CHECK(str_eq(job.error_text, "The moon is full."));
    for (const char *p = "RWKPDCEH"; *p; p++)
        CHECK(*azure_error_letter_words(*p));
}

/* Codes of several causes: what the text says decides, and what it does not say is a person's. */
static void test_meant(void)
{
    static const struct { const char *code, *text; char letter; } rows[] = {
        {"OperationNotAllowed", "results in exceeding approved standardDCasv6Family Cores quota. Please retry.", 'E'},
        {"OperationNotAllowed", "Another operation is in progress on this resource; try again later.", 'W'},
        {"OperationNotAllowed", "The disk cannot be attached.", 'H'},
        {"OperationNotAllowed", NULL, 'H'},
        {"Conflict", "Another operation on this disk encryption set is in progress.", 'W'},
        {"conflict", "A key of that name exists.", 'H'},
        {"CloudInternalError", "The quota of the day.", 'R'},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].text ? rows[i].text : "no text", azure_error_meant(rows[i].code, rows[i].text)->letter == rows[i].letter);
    CHECK(!azure_error_meant("NobodyHasSeenThis", "quota"));
}

int main(void)
{
    codes_are_known();
    sources_are_dated();
    texts_are_known();
    unknown_stays_unknown();
    test_meant();
    HARNESS_END();
}
