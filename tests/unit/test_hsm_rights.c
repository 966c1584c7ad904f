/* Who holds what in a managed HSM, over its scopes; and which copies of keys fit which store. */
#include "harness.h"

#include "../../providers/keys/home.h"
#include "../../providers/access/hsm_rights.h"

#define ORCHESTRATOR "0f0f0f0f-0000-4000-8000-00000000000c"
#define SOMEBODY "0f0f0f0f-0000-4000-8000-0000000000aa"
#define DEFINITION "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/"
#define CRYPTO_USER "21dbd100-6940-42c2-9190-5d6cb909625b"
#define RELEASE_USER "21dbd100-6940-42c2-9190-5d6cb909625c"
#define ENCRYPTION_USER "33413926-3206-4cdd-b39a-83574fe37a17"
#define CUSTOM "0f0f0f0f-0000-4000-8000-0000000000f1"

static void test_scopes(void)
{
    static const struct {
        const char *scope, *of;
        bool covers;
    } rows[] = {
        {"/", "/", true},
        {"/", "/keys", true},
        {"/", "/keys/a", true},
        {"/keys", "/keys/a", true},
        {"/keys", "/keys", true},
        {"/keys", "/", false},
        {"/keys/a", "/keys/a", true},
        {"/KEYS/A", "/keys/a", true},
        {"/keys/a", "/keys/ab", false},
        {"/keys/a", "/keys", false},
        {"", "/keys/a", false},
        {NULL, "/keys/a", false},
        {"/keys", NULL, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].scope ? rows[i].scope : "(none)",
                  hsm_scope_covers(rows[i].scope, rows[i].of) == rows[i].covers);
}

static struct value *assigned(struct arena *a, const char *principal, const char *role, const char *scope)
{
    struct value *list = value_list(a), *v = value_map(a);

    value_set_string(a, v, "principalId", principal);
    value_set_string(a, v, "roleDefinitionId", arena_printf(a, DEFINITION "%s", role));
    value_set_string(a, v, "scope", scope);
    value_push(a, list, v);
    return list;
}

static void test_missing(void)
{
    static const struct {
        const char *reason, *principal, *role, *scope;
        enum key_user user;
        size_t missing;
    } rows[] = {
        {"the release user releases", ORCHESTRATOR, RELEASE_USER, "/keys/os", KEY_USER_ORCHESTRATOR, 0},
        {"so does a crypto user, one digit apart", ORCHESTRATOR, CRYPTO_USER, "/", KEY_USER_ORCHESTRATOR, 0},
        {"the article's role does not", ORCHESTRATOR, ENCRYPTION_USER, "/", KEY_USER_ORCHESTRATOR, 1},
        {"a role on another key reaches nothing here", ORCHESTRATOR, RELEASE_USER, "/keys/other", KEY_USER_ORCHESTRATOR,
         1},
        {"nor does somebody else's", SOMEBODY, RELEASE_USER, "/", KEY_USER_ORCHESTRATOR, 1},
        {"the release user is no set", ORCHESTRATOR, RELEASE_USER, "/", KEY_USER_DES, 3},
        {"the encryption user is enough for a set", ORCHESTRATOR, ENCRYPTION_USER, "/keys", KEY_USER_DES, 0},
        {"a crypto user is enough for backup", ORCHESTRATOR, CRYPTO_USER, "/keys", KEY_USER_BACKUP, 0},
        {"the backup user cannot read", ORCHESTRATOR, "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", "/", KEY_USER_BACKUP, 1},
        {"a role that is not known holds nothing", ORCHESTRATOR, CUSTOM, "/", KEY_USER_BACKUP, 2},
    };
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value *list = assigned(a, rows[i].principal, rows[i].role, rows[i].scope);
        struct value *missing =
            hsm_missing(a, list, ORCHESTRATOR, "/keys/os", hsm_key_rights[rows[i].user].data_actions);

        CHECK_ROW(rows[i].reason, value_count(missing) == rows[i].missing);
    }
}

/* What a custom role permits is what was read of it, and nothing beside. */
static void test_custom(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *list = assigned(a, ORCHESTRATOR, CUSTOM, "/"), *actions = value_list(a);

    value_push(a, actions, value_string(a, HSM_ACTION "keys/read/action"));
    value_push(a, actions, value_string(a, HSM_ACTION "keys/BACKUP/action"));
    value_set(a, value_item(list, 0), "dataActions", actions);
    CHECK(value_count(hsm_missing(a, list, ORCHESTRATOR, "/keys/os", hsm_key_rights[KEY_USER_BACKUP].data_actions)) ==
          0);
    CHECK(value_count(hsm_missing(a, list, ORCHESTRATOR, "/keys/os", hsm_key_rights[KEY_USER_DES].data_actions)) == 2);
    CHECK(hsm_role_held(list, ORCHESTRATOR, "/keys/os", CUSTOM) &&
          !hsm_role_held(list, ORCHESTRATOR, "/keys/os", CRYPTO_USER));
    CHECK(!hsm_role_held(list, NULL, "/keys/os", CUSTOM));
    CHECK(hsm_assignments_at(list, "/") == 1 && hsm_assignments_at(list, "/keys/os") == 0);
}

static void test_roles(void)
{
    CHECK_STR(hsm_role_by_id(DEFINITION CRYPTO_USER)->name, "Managed HSM Crypto User");
    CHECK_STR(hsm_role_by_id(RELEASE_USER)->name, "Managed HSM Crypto Service Release User");
    CHECK(!hsm_role_by_id("21dbd100-6940-42c2-9190-5d6cb909625") && !hsm_role_by_id(CUSTOM) &&
          !hsm_role_by_name("Crypto User"));
    /* The roles we grant exist, and the one that works does what is needed. */
    for (enum key_user u = 0; u < KEY_USER_COUNT; u++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        const struct hsm_role *working = hsm_role_by_name(hsm_key_rights[u].working);
        struct value *list;

        CHECK(working && hsm_role_by_name(hsm_key_rights[u].documented));
        list = assigned(a, SOMEBODY, working ? working->id : "", "/keys/os");
        CHECK_ROW(hsm_key_rights[u].working,
                  value_count(hsm_missing(a, list, SOMEBODY, "/keys/os", hsm_key_rights[u].data_actions)) == 0);
    }
}

static void test_fits(void)
{
    static const char vault_copy[] = "&AzureKeyVaultKeyBackupV1.microsoft.com and more",
                      hsm_copy[] = "eyJhbGciOiJkaXIifQ..x.y.z";
    static const struct {
        const char *reason, *bytes, *store;
        const char *says; /* NULL: it fits */
    } rows[] = {
        {"vault to vault", vault_copy, "vaults", NULL},
        {"HSM to HSM", hsm_copy, "managedHSMs", NULL},
        {"vault to HSM", vault_copy, "managedHSMs",
         "comes from a key vault, and the declared store of the key is a managed HSM"},
        {"HSM to vault", hsm_copy, "vaults",
         "comes from a managed HSM, and the declared store of the key is a key vault"},
        {"neither", "something else", "vaults", "no key backup that is known here"},
        {"nothing", "", "managedHSMs", "no key backup that is known here"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct secret copy cleanup(secret_release) = {0};
        struct reference ref = {
            .path = "spec.store",
            .id =
                arena_printf(a, "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/%s/x", rows[i].store)};
        struct document key = {.kind = "Key", .name = "k", .address = "Key/k", .references = &ref, .n_references = 1};
        struct err err = {0};
        int rc;

        secret_set(&copy, rows[i].bytes, strlen(rows[i].bytes));
        rc = backup_fits(&key, &copy, "the copy", &err);
        CHECK_ROW(rows[i].reason,
                  rows[i].says ? rc < 0 && err.class == ERR_BLOCKED && strstr(err.text, rows[i].says) : rc == 0);
    }
}

static void test_refusal(struct arena *a)
{
    struct reference ref = {.path = "spec.store",
                            .id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/managedHSMs/x"};
    struct document key = {.kind = "Key", .name = "k", .address = "Key/k", .references = &ref, .n_references = 1};

    CHECK(strstr(backup_refusal_next(a, &key, "restore a key: 400 BadParameter: Cannot decrypt backup blob."),
                 "another security domain"));
    CHECK(!backup_refusal_next(a, &key, "restore a key: 400 BadParameter: something else"));
    CHECK(!backup_refusal_next(a, &key, NULL));
    ref.id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/x";
    CHECK(strstr(backup_refusal_next(a, &key, "Cannot decrypt backup blob"), "another subscription or geography"));
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    test_scopes();
    test_missing();
    test_custom();
    test_roles();
    test_fits();
    test_refusal(a);
    HARNESS_END();
}
