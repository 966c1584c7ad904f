/* How restores of confidential VMs end, row by row of the scenario table. */
#include "harness.h"

#include "../../providers/sim/data.h"

#define STRICTEST ARTICLE_STRICTEST
#define NO_SET "UserErrorDiskEncryptionSetDoesNotExist"
#define NO_KEY "UserErrorDiskEncryptionSetKeyDoesNotExist"
#define MISMATCH "UserErrorInputDESKeyDoesNotMatchWithOriginalKey"
#define SNAPSHOT "UserErrorRestoreNotSupportedFromSnapshotTierRPForDifferentDES"
#define SERVICE "UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK"
#define IDENTITY "KeyVaultAccessForbidden"

/* Sets, as letters: x exists, c confidential, t beside the target, s same store, n same name, v same version, h its
 * vault holds the original, b the backup service may, i the identity may, u its key cannot be used, r made anew, k its
 * rotation is stuck. */
#define INTACT "xctsnvhbi"

static struct set_facts set_of(const char *letters)
{
    return (struct set_facts){
        .exists = strchr(letters, 'x'),
        .confidential = strchr(letters, 'c'),
        .beside_target = strchr(letters, 't'),
        .same_store = strchr(letters, 's'),
        .same_name = strchr(letters, 'n'),
        .same_version = strchr(letters, 'v'),
        .holds_original = strchr(letters, 'h'),
        .service_may = strchr(letters, 'b'),
        .identity_may = strchr(letters, 'i'),
        .key_unusable = strchr(letters, 'u'),
        .recreated = strchr(letters, 'r'),
        .rotation_stuck = strchr(letters, 'k'),
    };
}

struct row {
    const char *reason;
    const char *tiers;                 /* S, V or both */
    enum key_state key;
    const char *original, *given;      /* given NULL: none; "=": the original one */
    enum article article;
    const char *row, *code;
    bool exports;
};

static void run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        struct restore_facts f = {.readings = {.article = r->article},
                                  .customer_key = true,
                                  .snapshot_tier = strchr(r->tiers, 'S'),
                                  .vault_tier = strchr(r->tiers, 'V'),
                                  .original_key = r->key,
                                  .original = set_of(r->original)};
        struct restore_outcome out;

        f.set_given = r->given != NULL;
        f.given_is_original = f.set_given && strcmp(r->given, "=") == 0;
        f.given = set_of(f.given_is_original ? r->original : r->given ? r->given : "");
        rules_decide(&f, &out);
        CHECK_ROW(r->reason, out.row && strcmp(out.row, r->row) == 0);
        CHECK_ROW(r->reason, r->code ? out.code && strcmp(out.code, r->code) == 0 : out.code == NULL);
        CHECK_ROW(r->reason, out.exports == r->exports);
    }
}

static void test_none_given(void)
{
    static const struct row rows[] = {
        {"everything intact, vault tier", "V", KEY_USABLE, INTACT, NULL, STRICTEST, "N-02", NULL, false},
        {"everything intact, snapshot", "S", KEY_USABLE, INTACT, NULL, STRICTEST, "N-02", NULL, false},
        {"rotated, snapshot follows", "S", KEY_USABLE, "xctsnhbi", NULL, STRICTEST, "N-03", NULL, false},
        {"rotated, vault tier, first edition", "V", KEY_USABLE, "xctsnhbi", NULL, ARTICLE_2026_02, "N-04", NULL, false},
        {"rotated, vault tier, second edition: two steps", "V", KEY_USABLE, "xctsnhbi", NULL, ARTICLE_2026_07, "N-04",
         NO_KEY, true},
        {"rotated, vault tier: the stricter edition by default", "V", KEY_USABLE, "xctsnhbi", NULL, STRICTEST, "N-04",
         NO_KEY, true},
        {"old version disabled", "V", KEY_DISABLED, "xctsnbi", NULL, STRICTEST, "N-05", NO_KEY, true},
        {"old version disabled, snapshot: no export", "S", KEY_DISABLED, "xctsnbi", NULL, STRICTEST, "N-05", NO_KEY,
         false},
        {"old version expired", "V", KEY_EXPIRED, "xctsnbi", NULL, ARTICLE_2026_02, "N-06", NO_KEY, true},
        {"another key has the name", "V", KEY_REPLACED, "xctsnbi", NULL, STRICTEST, "N-07", NO_KEY, true},
        {"set re-pointed within the vault", "V", KEY_USABLE, "xctshbi", NULL, STRICTEST, "N-08", NULL, false},
        {"the same from a snapshot", "S", KEY_USABLE, "xctshbi", NULL, ARTICLE_2026_07, "N-09", SNAPSHOT, false},
        {"the same from a snapshot, first edition", "S", KEY_USABLE, "xctshbi", NULL, ARTICLE_2026_02, "N-08", NULL,
         false},
        {"set re-pointed, original purged", "V", KEY_PURGED, "xctsbi", NULL, STRICTEST, "N-10", NO_KEY, true},
        {"set re-pointed to the key restored elsewhere", "V", KEY_PURGED, "xctnvhbi", NULL, STRICTEST, "N-11", NULL,
         false},
        {"set re-pointed to another key elsewhere", "V", KEY_USABLE, "xctbi", NULL, STRICTEST, "N-12", MISMATCH, false},
        {"set deleted, key fine: nothing to export", "V", KEY_USABLE, "", NULL, STRICTEST, "N-13", NO_SET, false},
        {"set deleted, snapshot", "S", KEY_USABLE, "", NULL, STRICTEST, "N-14", NO_SET, false},
        {"key soft-deleted", "V", KEY_SOFT_DELETED, "xctsnvb", NULL, STRICTEST, "N-15", NO_KEY, true},
        {"key soft-deleted, snapshot", "S", KEY_SOFT_DELETED, "xctsnvb", NULL, STRICTEST, "N-16", NO_KEY, false},
        {"key purged", "SV", KEY_PURGED, "xctsnvb", NULL, STRICTEST, "N-17", NO_KEY, true},
        {"key purged, snapshot only", "S", KEY_PURGED, "xctsnvb", NULL, STRICTEST, "N-18", NO_KEY, false},
        {"vault soft-deleted", "V", KEY_STORE_DELETED, "xctsnv", NULL, STRICTEST, "N-19", NO_KEY, true},
        {"vault purged", "V", KEY_STORE_PURGED, "xctsnv", NULL, STRICTEST, "N-20", NO_KEY, true},
        {"backup service shut out", "V", KEY_USABLE, "xctsnvhi", NULL, STRICTEST, "N-24", SERVICE, false},
        {"backup service shut out: a snapshot does not need it", "S", KEY_USABLE, "xctsnvhi", NULL, STRICTEST, "N-02",
         NULL, false},
        {"the set's identity shut out", "S", KEY_USABLE, "xctsnvhb", NULL, STRICTEST, "N-25", IDENTITY, false},
        {"set and key gone: the set is named, the key left", "V", KEY_PURGED, "", NULL, STRICTEST, "N-30", NO_SET,
         true},
    };

    run(rows, COUNT(rows));
}

static void test_one_given(void)
{
    static const struct row rows[] = {
        {"the original one", "V", KEY_USABLE, INTACT, "=", STRICTEST, "N-02", NULL, false},
        {"the original one, snapshot", "S", KEY_USABLE, INTACT, "=", STRICTEST, "N-02", NULL, false},
        {"a new one on the same key", "V", KEY_USABLE, "", INTACT, STRICTEST, "R-03", NULL, false},
        {"a new one on the same key, which is gone", "V", KEY_PURGED, "", "xctsnvb", STRICTEST, "N-17", NO_KEY, true},
        {"the key restored into another vault", "V", KEY_STORE_PURGED, "", "xctnvhbi", STRICTEST, "R-04", NULL, false},
        {"another one from a snapshot", "S", KEY_USABLE, INTACT, INTACT, ARTICLE_2026_07, "R-06", SNAPSHOT, false},
        {"a newer version, first edition", "V", KEY_USABLE, INTACT, "xctsnhbi", ARTICLE_2026_02, "R-07", MISMATCH,
         true},
        {"a newer version, second edition", "V", KEY_USABLE, INTACT, "xctsnhbi", ARTICLE_2026_07, "R-07", NULL, false},
        {"a newer version: refused by default", "V", KEY_USABLE, INTACT, "xctsnhbi", STRICTEST, "R-07", MISMATCH, true},
        {"another key of the vault, second edition", "V", KEY_USABLE, INTACT, "xctshbi", ARTICLE_2026_07, "R-08", NULL,
         false},
        {"another key of the vault: refused by default", "V", KEY_USABLE, INTACT, "xctshbi", STRICTEST, "R-08",
         MISMATCH, true},
        {"another key of the vault, the original gone", "V", KEY_PURGED, INTACT, "xctsbi", ARTICLE_2026_07, "R-09",
         MISMATCH, true},
        {"a key elsewhere", "V", KEY_USABLE, INTACT, "xctbi", ARTICLE_2026_07, "R-10", MISMATCH, true},
        {"a key elsewhere, beside the restored original", "V", KEY_PURGED, "", "xcthbi", ARTICLE_2026_07, "R-11", NULL,
         false},
        {"the same by default", "V", KEY_PURGED, "", "xcthbi", STRICTEST, "R-11", MISMATCH, true},
        {"backup service shut out: exported all the same", "V", KEY_USABLE, "", "xctsnvhi", STRICTEST, "R-12", SERVICE,
         true},
        {"identity shut out", "V", KEY_USABLE, "", "xctsnvhb", STRICTEST, "R-13", IDENTITY, false},
        {"a set of another kind", "V", KEY_USABLE, "", "xtsnvhbi", STRICTEST, "R-14", "InvalidParameter", false},
        {"a set in another region", "V", KEY_USABLE, "", "xcsnvhbi", STRICTEST, "R-15", "InvalidParameter", false},
        {"a set that is not there", "V", KEY_PURGED, "", "", STRICTEST, "R-16", NO_SET, false},
    };

    run(rows, COUNT(rows));
}

#define PLAIN {.customer_key = true}

/* What is left open, one reading beside the other; and several things broken at once: the first of the order speaks. */
static const struct {
    const char *reason, *tiers;
    enum key_state key;
    const char *original, *given;
    struct restore_facts more;      /* readings, and what is not the set's */
    const char *row, *code;
    bool exports;
} readings[] = {
    {"expired: the stricter reading", "V", KEY_EXPIRED, INTACT, NULL, PLAIN, "N-06", NO_KEY, true},
    {"expired keys may unwrap",
     "V",
     KEY_EXPIRED,
     INTACT,
     NULL,
     {.readings = {.expired_restores = true}},
     "N-02",
     NULL,
     false},
    {"a snapshot does not hear of a rotation",
     "S",
     KEY_USABLE,
     "xctsnhbi",
     NULL,
     {.readings = {.snapshots_miss_rotation = true}},
     "N-03",
     SNAPSHOT,
     false},
    {"the vault tier needs not",
     "V",
     KEY_USABLE,
     "xctsnhbi",
     NULL,
     {.readings = {.snapshots_miss_rotation = true, .article = ARTICLE_2026_02}},
     "N-04",
     NULL,
     false},
    {"a set made anew is another one for a snapshot", "S", KEY_USABLE, INTACT "r", NULL, PLAIN, "N-14", SNAPSHOT,
     false},
    {"also when it is named", "S", KEY_USABLE, INTACT "r", "=", PLAIN, "N-14", SNAPSHOT, false},
    {"or it is the same",
     "S",
     KEY_USABLE,
     INTACT "r",
     NULL,
     {.readings = {.recreated_set_is_original = true}},
     "N-02",
     NULL,
     false},
    {"the vault tier does not mind", "V", KEY_USABLE, INTACT "r", NULL, PLAIN, "N-02", NULL, false},
    {"a restored key does not open a snapshot",
     "S",
     KEY_USABLE,
     INTACT,
     NULL,
     {.key_was_restored = true},
     "N-18",
     NO_KEY,
     false},
    {"or it does",
     "S",
     KEY_USABLE,
     INTACT,
     NULL,
     {.key_was_restored = true, .readings = {.restored_key_opens_snapshots = true}},
     "N-02",
     NULL,
     false},
    {"rotation stuck, key fine", "V", KEY_USABLE, INTACT "k", NULL, PLAIN, "N-29", NULL, false},
    {"rotation stuck stops all",
     "V",
     KEY_USABLE,
     INTACT "k",
     NULL,
     {.readings = {.stuck_rotation_fails = true}},
     "N-29",
     NO_KEY,
     false},
    {"a refused identity by another name",
     "V",
     KEY_USABLE,
     "xctsnvhb",
     NULL,
     {.readings = {.rights_code = NO_KEY}},
     "N-25",
     NO_KEY,
     false},
    {"the same for a set that is given",
     "V",
     KEY_USABLE,
     "",
     "xctsnvhb",
     {.readings = {.rights_code = SERVICE}},
     "R-13",
     SERVICE,
     false},
    {"nothing to leave behind", "V", KEY_PURGED, "xctsnvb", NULL, {.export_withheld = true}, "N-17", NO_KEY, false},
    {"managed HSM soft-deleted", "V", KEY_STORE_DELETED, "xctsnv", NULL, {.in_hsm = true}, "N-21", NO_KEY, true},
    {"managed HSM purged", "V", KEY_STORE_PURGED, "xctsnv", NULL, {.in_hsm = true}, "N-22", NO_KEY, true},
    {"a key purged from a managed HSM", "V", KEY_PURGED, "xctsnv", NULL, {.in_hsm = true}, "N-17", NO_KEY, true},
    {"store soft-deleted, snapshot", "S", KEY_STORE_DELETED, "xctsnv", NULL, PLAIN, "N-16", NO_KEY, false},
    {"another key elsewhere, the original purged", "V", KEY_PURGED, "xctbi", NULL, PLAIN, "N-12", NO_KEY, true},
    {"re-pointed, and the key it is on now is disabled", "V", KEY_USABLE, "xctshbiu", NULL, PLAIN, "N-08", NO_KEY,
     false},
    {"key purged, backup service shut out: the key is named", "V", KEY_PURGED, "xctsnv", NULL, PLAIN, "N-17",
     NO_KEY, true},
    {"key disabled, identity shut out: the key is named", "V", KEY_DISABLED, "xctsnvb", NULL, PLAIN, "N-05", NO_KEY,
     true},
    {"backup service and identity shut out: the service is named", "V", KEY_USABLE, "xctsnvh", NULL, PLAIN, "N-24",
     SERVICE, false},
    {"wrong kind and place from a snapshot: the snapshot is named", "S", KEY_USABLE, INTACT, "xsnvhbi", PLAIN,
     "R-06", SNAPSHOT, false},
    {"wrong kind and another key: the kind is named", "V", KEY_USABLE, INTACT, "xtsbi", PLAIN, "R-14",
     "InvalidParameter", false},
    {"another key, whose vault shuts the service out: the service is named", "V", KEY_USABLE, INTACT, "xctsi",
     PLAIN, "R-12", SERVICE, true},
    {"a newer version that cannot be used",
     "V",
     KEY_USABLE,
     INTACT,
     "xctsnhbiu",
     {.readings = {.article = ARTICLE_2026_07}},
     "R-07",
     NO_KEY,
     false},
};

static void test_readings(void)
{
    for (size_t i = 0; i < COUNT(readings); i++) {
        struct restore_facts f = readings[i].more;
        struct restore_outcome out;

        f.customer_key = true;
        f.snapshot_tier = strchr(readings[i].tiers, 'S');
        f.vault_tier = strchr(readings[i].tiers, 'V');
        f.original_key = readings[i].key;
        f.original = set_of(readings[i].original);
        f.set_given = readings[i].given != NULL;
        f.given_is_original = f.set_given && strcmp(readings[i].given, "=") == 0;
        f.given = set_of(f.given_is_original ? readings[i].original : f.set_given ? readings[i].given : "");
        rules_decide(&f, &out);
        CHECK_ROW(readings[i].reason, strcmp(out.row, readings[i].row) == 0);
        CHECK_ROW(readings[i].reason,
                  readings[i].code ? out.code && strcmp(out.code, readings[i].code) == 0 : out.code == NULL);
        CHECK_ROW(readings[i].reason, out.exports == readings[i].exports);
    }
}

static void test_platform_key(void)
{
    const struct restore_facts f = {.snapshot_tier = true, .original_key = KEY_PURGED};
    struct restore_outcome out;

    rules_decide(&f, &out);
    CHECK_STR(out.row, "N-01");
    CHECK(!out.code && !out.exports && out.from_snapshot);
}

int main(void)
{
    test_none_given();
    test_one_given();
    test_readings();
    test_platform_key();
    HARNESS_END();
}
