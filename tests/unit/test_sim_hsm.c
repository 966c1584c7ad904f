/* The simulated managed HSM, as its clients see it. */
#include "harness.h"
#include "sim_fixture.h"

#define API "?api-version=7.6"
#define HSM "https://hsm-a.managedhsm.azure.net"
#define TWIN "https://hsm-b.managedhsm.azure.net"
#define STRANGER "https://hsm-c.managedhsm.azure.net"
#define PROTECTED "https://hsm-d.managedhsm.azure.net"
#define HSM_ID KEYS_GROUP "/providers/Microsoft.KeyVault/managedHSMs/"
#define LOCAL "/providers/Microsoft.Authorization/"
#define CRYPTO_USER "21dbd100-6940-42c2-9190-5d6cb909625b"
#define RELEASE_USER "21dbd100-6940-42c2-9190-5d6cb909625c"
#define NAME_1 "0f0f0f0f-0000-4000-8000-0000000000f1"
#define NAME_2 "0f0f0f0f-0000-4000-8000-0000000000f2"
#define NAME_3 "0f0f0f0f-0000-4000-8000-0000000000f3"

struct world {
    struct arena *a;
    struct sim *s;
    int64_t now;
    const char *token;
};

static const char *token_for(struct world *w, const char *app, const char *secret, const char *audience)
{
    struct reply r = sign_in(w->s, w->a, w->now, TENANT, app, secret,
                             arena_printf(w->a, "https%%3A%%2F%%2F%s%%2F.default", audience));

    return value_str_at(r.json, "access_token");
}

static void add_hsm(struct world *w, struct value *spec, const char *name, const char *location, const char *domain)
{
    static const char *const roles[] = {"Managed HSM Administrator", "Managed HSM Crypto Officer",
                                        "Managed HSM Crypto User"};
    struct value *v = value_map(w->a), *all = value_get(spec, "hsmRoleAssignments");

    value_set_string(w->a, v, "id", arena_printf(w->a, HSM_ID "%s", name));
    value_set_string(w->a, v, "location", location);
    value_set_string(w->a, v, "securityDomain", domain);
    value_set_int(w->a, value_set(w->a, v, "properties", value_map(w->a)), "softDeleteRetentionInDays", 7);
    if (str_eq(name, "hsm-d"))
        value_set_bool(w->a, value_get(v, "properties"), "enablePurgeProtection", true);
    value_push(w->a, value_get(spec, "resources"), v);
    if (!all)
        all = value_set(w->a, spec, "hsmRoleAssignments", value_list(w->a));
    for (size_t i = 0; i < COUNT(roles); i++) {
        v = value_map(w->a);
        value_set_string(w->a, v, "store", name);
        value_set_string(w->a, v, "principal", "operator");
        value_set_string(w->a, v, "role", roles[i]);
        value_set_string(w->a, v, "scope", "/");
        value_push(w->a, all, v);
    }
}

/* Two HSMs of one security domain, far apart, a third of another, and a fourth that lets nothing be purged;
 * a key in the first. */
static void begin(struct world *w)
{
    static const char key[] = "{\"store\":\"hsm-a\",\"name\":\"os-key\",\"state\":\"active\",\"type\":\"RSA-HSM\","
                              "\"releasePolicy\":\"confidential-vm\","
                              "\"versions\":[{\"id\":\"" KEY_VERSION "\",\"created\":\"2026-03-02T08:00:00Z\"}]}";
    struct value *spec, *v = NULL;
    struct diags diags;
    struct err err;
    const struct value *world;

    w->a = arena_new();
    world = fixture_world(w->a, "");
    spec = value_get(world, "spec");
    add_hsm(w, spec, "hsm-a", "uaenorth", "domain-1");
    add_hsm(w, spec, "hsm-b", "westeurope", "domain-1");
    add_hsm(w, spec, "hsm-c", "uaenorth", "domain-2");
    add_hsm(w, spec, "hsm-d", "uaenorth", "domain-1");
    CHECK(json_parse(w->a, key, strlen(key), &v, &err) == 0);
    value_push(w->a, value_get(spec, "keys"), v);
    w->s = fixture_sim(w->a, world, NULL, &diags);
    CHECK(w->s != NULL && diags.n_errors == 0);
    w->now = sim_start_ms(w->s);
    w->token = token_for(w, OPERATOR_APP, "let-me-in", "managedhsm.azure.net");
}

static void end(struct world *w)
{
    sim_free(w->s);
    arena_free(w->a);
}

static struct reply call(struct world *w, const char *method, const char *url, const char *body)
{
    return ask(w->s, w->a, w->now, w->token, method, url, body);
}

static void test_tokens(void)
{
    struct world w;
    struct reply r;
    const char *of_vaults;

    begin(&w);
    r = ask(w.s, w.a, w.now, NULL, "GET", HSM "/keys/os-key" API, NULL);
    CHECK(r.status == 401 && r.answer.body.len == 0 && !*r.text);
    CHECK_STR(header_of(&r, "WWW-Authenticate"), "Bearer authorization=\"https://login.microsoftonline.com/" TENANT
                                                 "\", resource=\"https://managedhsm.azure.net\"");
    r = ask(w.s, w.a, w.now, NULL, "GET", HSM LOCAL "roleDefinitions" API, NULL);
    CHECK(r.status == 401);
    CHECK_STR(r.text, "OK");
    of_vaults = token_for(&w, OPERATOR_APP, "let-me-in", "vault.azure.net");
    CHECK(ask(w.s, w.a, w.now, of_vaults, "GET", HSM "/keys/os-key" API, NULL).status == 401);
    CHECK(ask(w.s, w.a, w.now, w.token, "GET", KEY_URL API, NULL).status == 401);
    CHECK(call(&w, "GET", "https://kv-pay.managedhsm.azure.net/keys" API, NULL).fault == SIM_RESET);
    CHECK(call(&w, "GET", "https://hsm-a.vault.azure.net/keys" API, NULL).fault == SIM_RESET);
    end(&w);
}

static void test_keys(void)
{
    struct world w;
    struct reply r;

    begin(&w);
    r = call(&w, "GET", HSM "/keys/os-key" API, NULL);
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "key.kid"), HSM "/keys/os-key/" KEY_VERSION);
    CHECK(value_at(r.json, "release_policy.data") && !value_at(r.json, "attributes.hsmPlatform"));
    r = call(&w, "POST", HSM "/keys/plain/create" API, "{\"kty\":\"RSA\",\"tags\":{\"of\":\"version one\"}}");
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "key.kty"), "RSA-HSM");
    CHECK_STR(value_str_at(r.json, "tags.of"), "version one");
    r = call(&w, "GET", HSM "/keys" API, NULL);
    CHECK(r.status == 200 && value_count(value_get(r.json, "value")) == 2 && !value_get(r.json, "nextLink"));
    r = call(&w, "GET", HSM "/keys" API "&maxresults=1", NULL);
    CHECK(value_str_at(r.json, "nextLink") && str_starts(value_str_at(r.json, "nextLink"), HSM ":443/keys?"));
    r = call(&w, "DELETE", HSM "/keys/plain" API, NULL);
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "recoveryId"), HSM "/deletedkeys/plain");
    w.now += MINUTE_MS;
    CHECK(call(&w, "POST", HSM "/deletedkeys/plain/recover" API, NULL).status == 200);
    end(&w);
}

static void lose(struct world *w)
{
    CHECK(call(w, "DELETE", HSM "/keys/os-key" API, NULL).status == 200);
    w->now += MINUTE_MS;
    CHECK(call(w, "DELETE", HSM "/deletedkeys/os-key" API, NULL).status == 204);
    CHECK(call(w, "GET", HSM "/keys/os-key" API, NULL).status == 404);
}

static void test_backups(void)
{
    struct world w;
    struct reply r;
    const char *backup, *vaults, *token;

    begin(&w);
    r = call(&w, "POST", HSM "/keys/os-key/backup" API, NULL);
    CHECK(r.status == 200);
    backup = arena_strdup(w.a, r.text);
    /* base64url of "eyJ…": a JWE. */
    CHECK(str_starts(value_str_at(r.json, "value"), "ZXlK") && strlen(value_str_at(r.json, "value")) > 30000);
    lose(&w);
    CHECK(call(&w, "POST", STRANGER "/keys/restore" API, backup).status == 400);
    r = call(&w, "POST", HSM "/keys/restore" API, backup);
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "key.kid"), HSM "/keys/os-key/" KEY_VERSION);
    CHECK(call(&w, "POST", HSM "/keys/restore" API, backup).status == 409);
    /* Neither region nor subscription counts, only the security domain. */
    r = call(&w, "POST", TWIN "/keys/restore" API, backup);
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "key.kid"), TWIN "/keys/os-key/" KEY_VERSION);
    token = token_for(&w, OPERATOR_APP, "let-me-in", "vault.azure.net");
    CHECK(ask(w.s, w.a, w.now, token, "POST", "https://kv-pay.vault.azure.net/keys/restore" API, backup).status == 400);
    r = ask(w.s, w.a, w.now, token, "POST", "https://kv-pay.vault.azure.net/keys/plain/backup" API, NULL);
    vaults = arena_strdup(w.a, r.text);
    CHECK(r.status == 200 && call(&w, "POST", STRANGER "/keys/restore" API, vaults).status == 400);
    CHECK(call(&w, "POST", HSM "/keys/restore" API, "{\"value\":\"ZXlKLi4uLg\"}").status == 400);
    end(&w);
}

static struct reply grant(struct world *w, const char *scope, const char *name, const char *role, const char *principal)
{
    const char *body =
        arena_printf(w->a,
                     "{\"properties\":{\"roleDefinitionId\":\"Microsoft.KeyVault" LOCAL "roleDefinitions/%s\","
                     "\"principalId\":\"%s\"}}",
                     role, principal);

    return call(w, "PUT", arena_printf(w->a, HSM "%s" LOCAL "roleAssignments/%s" API, scope, name), body);
}

/* What a principal may do with nothing but one role at one scope. */
static void test_rights(void)
{
    static const struct {
        const char *reason, *scope, *role, *method, *url;
        int want;
    } rows[] = {
        {"Azure's own roles give nothing", NULL, NULL, "GET", HSM "/keys/os-key" API, 403},
        {"a crypto user reads", "", CRYPTO_USER, "GET", HSM "/keys/os-key" API, 200},
        {"at all keys as well", "/keys", CRYPTO_USER, "GET", HSM "/keys/os-key" API, 200},
        {"and at the one key", "/keys/os-key", CRYPTO_USER, "GET", HSM "/keys/os-key" API, 200},
        {"not at another key", "/keys/other", CRYPTO_USER, "GET", HSM "/keys/os-key" API, 403},
        {"the right to one key lists none", "/keys/os-key", CRYPTO_USER, "GET", HSM "/keys" API, 403},
        {"a crypto user backs up", "/keys/os-key", CRYPTO_USER, "POST", HSM "/keys/os-key/backup" API, 200},
        {"a crypto user sees no deleted keys", "", CRYPTO_USER, "GET", HSM "/deletedkeys" API, 403},
        {"the release user, one digit apart, reads nothing", "", RELEASE_USER, "GET", HSM "/keys/os-key" API, 403},
        {"an officer reads no key", "", "515eb02d-2335-4d2d-92f2-b1cbdf9c3778", "GET", HSM "/keys/os-key" API, 403},
        {"but deleted ones", "", "515eb02d-2335-4d2d-92f2-b1cbdf9c3778", "GET", HSM "/deletedkeys" API, 200},
        {"the encryption user reads", "/keys", "33413926-3206-4cdd-b39a-83574fe37a17", "GET", HSM "/keys/os-key" API,
         200},
        {"and backs nothing up", "/keys", "33413926-3206-4cdd-b39a-83574fe37a17", "POST", HSM "/keys/os-key/backup" API,
         403},
        {"the backup user does", "", "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", "POST", HSM "/keys/os-key/backup" API,
         200},
        {"an auditor reads assignments", "", "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3", "GET",
         HSM LOCAL "roleAssignments" API, 200},
        {"the encryption user does not", "", "33413926-3206-4cdd-b39a-83574fe37a17", "GET",
         HSM LOCAL "roleAssignments" API, 403},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        const char *token;

        begin(&w);
        if (rows[i].role)
            CHECK_ROW(rows[i].reason, grant(&w, rows[i].scope, NAME_1, rows[i].role, READER).status == 201);
        w.now += MINUTE_MS;
        token = token_for(&w, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only", "managedhsm.azure.net");
        CHECK_ROW(rows[i].reason,
                  ask(w.s, w.a, w.now, token, rows[i].method, rows[i].url, NULL).status == rows[i].want);
        end(&w);
    }
}

static size_t listed(struct world *w, const char *scope, const char *name)
{
    struct reply r = call(w, "GET", arena_printf(w->a, HSM "%s" LOCAL "roleAssignments" API, scope), NULL);
    const struct value *all = value_get(r.json, "value");
    size_t n = 0;

    for (size_t i = 0; i < value_count(all); i++)
        n += str_eq(value_str_at(value_item(all, i), "name"), name);
    return n;
}

static void test_assignments(void)
{
    struct world w;
    struct reply r;

    begin(&w);
    r = grant(&w, "/keys/os-key", NAME_1, CRYPTO_USER, BACKUP_SERVICE);
    CHECK(r.status == 201);
    CHECK_STR(value_str_at(r.json, "id"), LOCAL "roleAssignments/" NAME_1);
    CHECK_STR(value_str_at(r.json, "properties.scope"), "/keys/os-key");
    CHECK_STR(value_str_at(r.json, "properties.roleDefinitionId"),
              "Microsoft.KeyVault" LOCAL "roleDefinitions/" CRYPTO_USER);
    CHECK(!value_at(r.json, "properties.principalType"));
    CHECK(grant(&w, "/keys/os-key", NAME_1, CRYPTO_USER, BACKUP_SERVICE).status == 201);
    CHECK(grant(&w, "/keys", NAME_1, CRYPTO_USER, BACKUP_SERVICE).status == 409);
    CHECK(grant(&w, "/keys/os-key", NAME_1, RELEASE_USER, BACKUP_SERVICE).status == 409);
    CHECK(grant(&w, "/keys", NAME_2, "0f0f0f0f-0000-4000-8000-0000000000ff", BACKUP_SERVICE).status == 400);
    CHECK(grant(&w, "", NAME_3, RELEASE_USER, ORCHESTRATOR).status == 201);
    /* Lists show "/" and "/keys" everywhere, those of one key at that key only. */
    CHECK(listed(&w, "", NAME_1) == 0 && listed(&w, "/keys", NAME_3) == 1 && listed(&w, "/keys/other", NAME_1) == 0);
    CHECK(listed(&w, "/keys/os-key", NAME_1) == 1 && listed(&w, "/keys/os-key", NAME_3) == 1);
    /* The name alone finds it, whatever scope the address has. */
    CHECK(call(&w, "DELETE", HSM LOCAL "roleAssignments/" NAME_1 API, NULL).status == 200);
    CHECK(listed(&w, "/keys/os-key", NAME_1) == 0);
    CHECK(call(&w, "GET", HSM LOCAL "roleAssignments/" NAME_1 API, NULL).status == 404);
    r = call(&w, "GET", HSM "/keys" LOCAL "roleDefinitions" API, NULL);
    CHECK(r.status == 200 && value_count(value_get(r.json, "value")) == 9);
    CHECK(call(&w, "GET", HSM LOCAL "roleDefinitions/" RELEASE_USER API, NULL).status == 200);
    end(&w);
}

static void test_resource(void)
{
    struct world w;
    struct reply r;
    const char *arm;
    struct diags diags;
    struct sim *again;

    begin(&w);
    arm = operator_token(w.s, w.a, w.now);
    r = ask(w.s, w.a, w.now, arm, "GET", ARM HSM_ID "hsm-a?api-version=2025-05-01", NULL);
    CHECK(r.status == 200 && !value_get(r.json, "securityDomain"));
    CHECK_STR(value_str_at(r.json, "properties.hsmUri"), HSM "/");
    CHECK_STR(value_str_at(r.json, "properties.securityDomainProperties.activationStatus"), "Active");
    /* The world goes on where it was left. */
    CHECK(grant(&w, "/keys", NAME_1, CRYPTO_USER, READER).status == 201);
    again = fixture_sim(w.a, sim_world(w.a, w.s), NULL, &diags);
    CHECK(again != NULL && diags.n_errors == 0);
    sim_free(w.s);
    w.s = again;
    CHECK(listed(&w, "", NAME_1) == 1);
    r = call(&w, "GET", HSM "/keys/os-key" API, NULL);
    CHECK_STR(value_str_at(r.json, "key.kid"), HSM "/keys/os-key/" KEY_VERSION);
    end(&w);
}

/* Sets with a key in an HSM. */
static void test_set(void)
{
    static const char *const hosts[] = {HSM, PROTECTED};
    static const char url[] =
        ARM KEYS_GROUP "/providers/Microsoft.Compute/diskEncryptionSets/des-hsm?api-version=2025-01-02";
    struct world w;
    struct reply r;

    begin(&w);
    r = call(&w, "POST", HSM "/keys/os-key/backup" API, NULL);
    CHECK(call(&w, "POST", PROTECTED "/keys/restore" API, arena_strdup(w.a, r.text)).status == 200);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const char *set =
            arena_printf(w.a,
                         "{\"location\":\"uaenorth\",\"identity\":{\"type\":\"SystemAssigned\"},\"properties\":{"
                         "\"encryptionType\":\"ConfidentialVmEncryptedWithCustomerKey\",\"activeKey\":{\"keyUrl\":"
                         "\"%s/keys/os-key/" KEY_VERSION "\"}}}",
                         hosts[i]);

        r = ask(w.s, w.a, w.now, operator_token(w.s, w.a, w.now), "PUT", url, set);
        CHECK(r.status == (i ? 202 : 400) && (i || str_find_nocase(r.text, "purge protection")));
    }
    CHECK(call(&w, "DELETE", PROTECTED "/keys/os-key" API, NULL).status == 200);
    w.now += MINUTE_MS;
    CHECK(call(&w, "DELETE", PROTECTED "/deletedkeys/os-key" API, NULL).status == 403);
    end(&w);
}

#define ARM_API "?api-version=2025-05-01"
#define DELETED ARM SUB "/providers/Microsoft.KeyVault/"

static struct reply arm_call(struct world *w, const char *method, const char *url, const char *body)
{
    return ask(w->s, w->a, w->now, operator_token(w->s, w->a, w->now), method, url, body);
}

/* Deleted, listed among the deleted ones, recovered by a PUT; its keys come back, its local roles
 * by the world's setting. */
static void test_recovery(void)
{
    static const char recover[] = "{\"location\":\"uaenorth\",\"sku\":{\"family\":\"B\",\"name\":\"Standard_B1\"},"
                                  "\"properties\":{\"tenantId\":\"" TENANT "\",\"createMode\":\"recover\"}}";
    static const char url[] = ARM HSM_ID "hsm-a" ARM_API;
    struct world w;
    struct reply r;

    begin(&w);
    CHECK(arm_call(&w, "PUT", url, recover).status == 409);
    CHECK(arm_call(&w, "DELETE", url, NULL).status == 200);
    CHECK(arm_call(&w, "GET", url, NULL).status == 404);
    CHECK(call(&w, "GET", HSM "/keys/os-key" API, NULL).fault == SIM_RESET);
    r = arm_call(&w, "GET", DELETED "locations/uaenorth/deletedManagedHSMs/hsm-a" ARM_API, NULL);
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "properties.mhsmId"), HSM_ID "hsm-a");
    CHECK(value_str_at(r.json, "properties.scheduledPurgeDate") != NULL);
    r = arm_call(&w, "GET", DELETED "deletedManagedHSMs" ARM_API, NULL);
    CHECK(r.status == 200 && value_count(value_get(r.json, "value")) == 1);
    r = arm_call(&w, "GET", DELETED "deletedVaults" ARM_API, NULL);
    CHECK(r.status == 200 && value_count(value_get(r.json, "value")) == 0);
    r = arm_call(&w, "PUT", url, recover);
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "properties.provisioningState"), "Provisioning");
    CHECK(call(&w, "GET", HSM "/keys/os-key" API, NULL).fault == SIM_RESET);
    w.now += 2 * MINUTE_MS;
    /* Its administrators stay, whatever becomes of the others (behaviour.hsmGrants). */
    CHECK(call(&w, "GET", HSM "/keys/os-key" API, NULL).status == 403);
    CHECK(grant(&w, "/keys", NAME_1, CRYPTO_USER, OPERATOR).status == 201);
    w.now += MINUTE_MS;
    CHECK(call(&w, "GET", HSM "/keys/os-key" API, NULL).status == 200);
    end(&w);
}

/* Its time over, it is nowhere any more, and its name is free for one that has to be activated first. */
static void test_purged(void)
{
    static const char body[] =
        "{\"location\":\"uaenorth\",\"sku\":{\"family\":\"B\",\"name\":\"Standard_B1\"},\"properties\":{\"tenantId\":"
        "\"" TENANT "\",\"initialAdminObjectIds\":[\"" OPERATOR "\"]}}";
    static const char url[] = ARM HSM_ID "hsm-a" ARM_API;
    struct world w;

    begin(&w);
    CHECK(arm_call(&w, "DELETE", url, NULL).status == 200);
    CHECK(arm_call(&w, "PUT", url, body).status == 409);
    w.now += 8 * DAY_MS;
    CHECK(arm_call(&w, "GET", DELETED "locations/uaenorth/deletedManagedHSMs/hsm-a" ARM_API, NULL).status == 404);
    CHECK(arm_call(&w, "PUT", url, body).status == 200);
    w.now += 2 * MINUTE_MS;
    w.token = token_for(&w, OPERATOR_APP, "let-me-in", "managedhsm.azure.net");
    CHECK(call(&w, "GET", HSM "/keys" API, NULL).status == 403);
    CHECK(str_find_nocase(call(&w, "GET", HSM "/keys" API, NULL).text, "not been activated") != NULL);
    end(&w);
}

static void test_limits(void)
{
    struct world w;
    struct reply r;

    begin(&w);
    for (int i = 0; i < 10; i++)
        CHECK(grant(&w, "/keys/os-key", arena_printf(w.a, "0f0f0f0f-0000-4000-8000-0000000001%02d", i), CRYPTO_USER,
                    arena_printf(w.a, "0f0f0f0f-0000-4000-8000-0000000002%02d", i)).status == 201);
    r = grant(&w, "/keys/os-key", NAME_1, RELEASE_USER, READER);
    CHECK(r.status == 400);
    CHECK_STR(value_str_at(r.json, "error.code"), "RoleAssignmentLimitExceeded");
    CHECK(grant(&w, "/keys", NAME_2, RELEASE_USER, READER).status == 201);
    end(&w);
}

int main(void)
{
    test_tokens();
    test_keys();
    test_backups();
    test_rights();
    test_assignments();
    test_resource();
    test_recovery();
    test_purged();
    test_limits();
    test_set();
    HARNESS_END();
}
