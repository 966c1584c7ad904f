/* Knows the built-in clouds, how an operator's file changes one, and key URLs. Must not know any manifest: where
 * secrets go is never a manifest's choice. */
#include "cloud.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/clock.h"
#include "../../reconciler/base/text.h"
#include "key_id.h"

#define ORCHESTRATOR_PUBLIC "bf7b6499-ff71-4aa2-97a4-f372087be7f0"
#define BACKUP_PUBLIC "262044b1-e2ce-469f-a196-69ab7ada62d3"

/* Where nobody publishes an application id the cell stays empty: an id of another cloud would grant a stranger. */
static const struct cloud builtin[] = {
    {
        .name = "AzurePublic",
        .authority = "https://login.microsoftonline.com",
        .arm = "https://management.azure.com",
        .arm_audience = "https://management.azure.com/",
        .vault_suffix = ".vault.azure.net",
        .vault_audience = "https://vault.azure.net",
        .hsm_suffix = ".managedhsm.azure.net",
        .hsm_audience = "https://managedhsm.azure.net",
        .blob_suffix = ".blob.core.windows.net",
        .blob_zone_suffix = ".blob.storage.azure.net",
        .storage_audience = "https://storage.azure.com/",
        .graph = "https://graph.microsoft.com",
        .orchestrator_app_id = ORCHESTRATOR_PUBLIC,
        .backup_app_id = BACKUP_PUBLIC,
        .clock_start_ms = TIME_NONE,
        .clock_speed = 1,
    },
    {
        .name = "AzureUSGovernment",
        .authority = "https://login.microsoftonline.us",
        .arm = "https://management.usgovcloudapi.net",
        .arm_audience = "https://management.usgovcloudapi.net/",
        .vault_suffix = ".vault.usgovcloudapi.net",
        .vault_audience = "https://vault.usgovcloudapi.net",
        .hsm_suffix = ".managedhsm.usgovcloudapi.net",
        .hsm_audience = "https://managedhsm.usgovcloudapi.net",
        .blob_suffix = ".blob.core.usgovcloudapi.net",
        .storage_audience = "https://storage.azure.com/",
        .graph = "https://graph.microsoft.us",
        /* Microsoft Learn, back up and restore Azure VMs with PowerShell. */
        .backup_app_id = "ff281ffe-705c-4f53-9f37-a40e6f2c68f3",
        .clock_start_ms = TIME_NONE,
        .clock_speed = 1,
    },
    {
        .name = "AzureChina",
        .authority = "https://login.chinacloudapi.cn",
        .arm = "https://management.chinacloudapi.cn",
        .arm_audience = "https://management.chinacloudapi.cn/",
        .vault_suffix = ".vault.azure.cn",
        .vault_audience = "https://vault.azure.cn",
        .hsm_suffix = ".managedhsm.azure.cn",
        .hsm_audience = "https://managedhsm.azure.cn",
        .blob_suffix = ".blob.core.chinacloudapi.cn",
        .storage_audience = "https://storage.azure.com/",
        .graph = "https://microsoftgraph.chinacloudapi.cn",
        .clock_start_ms = TIME_NONE,
        .clock_speed = 1,
    },
};

const char *const cloud_names[] = {"AzurePublic", "AzureUSGovernment", "AzureChina", NULL};

const struct cloud *cloud_builtin(const char *name)
{
    for (size_t i = 0; i < COUNT(builtin); i++)
        if (str_eq(builtin[i].name, name))
            return &builtin[i];
    return NULL;
}

/* --- the operator's file ------------------------------------------------------------------------------------------ */

enum cell_kind { CELL_TEXT, CELL_ENDPOINT, CELL_AUDIENCE, CELL_SUFFIX };

static const struct cell {
    const char *member;
    enum cell_kind kind;
    size_t offset;
} cells[] = {
    {"name", CELL_TEXT, offsetof(struct cloud, name)},
    {"authority", CELL_ENDPOINT, offsetof(struct cloud, authority)},
    {"arm", CELL_ENDPOINT, offsetof(struct cloud, arm)},
    {"armAudience", CELL_AUDIENCE, offsetof(struct cloud, arm_audience)},
    {"vaultSuffix", CELL_SUFFIX, offsetof(struct cloud, vault_suffix)},
    {"vaultAudience", CELL_AUDIENCE, offsetof(struct cloud, vault_audience)},
    {"hsmSuffix", CELL_SUFFIX, offsetof(struct cloud, hsm_suffix)},
    {"hsmAudience", CELL_AUDIENCE, offsetof(struct cloud, hsm_audience)},
    {"blobSuffix", CELL_SUFFIX, offsetof(struct cloud, blob_suffix)},
    {"storageAudience", CELL_AUDIENCE, offsetof(struct cloud, storage_audience)},
    {"graph", CELL_ENDPOINT, offsetof(struct cloud, graph)},
    {"orchestratorAppId", CELL_TEXT, offsetof(struct cloud, orchestrator_app_id)},
    {"backupAppId", CELL_TEXT, offsetof(struct cloud, backup_app_id)},
    {"caFile", CELL_TEXT, offsetof(struct cloud, ca_file)},
};

static const char *const member_names[] = {
    "base",        "clock",
    "name",        "authority",
    "arm",         "armAudience",
    "vaultSuffix", "vaultAudience",
    "hsmSuffix",   "hsmAudience",
    "blobSuffix",  "storageAudience",
    "graph",       "orchestratorAppId",
    "backupAppId", "caFile",
    NULL,
};

static const struct cell *cell_find(const char *member)
{
    for (size_t i = 0; i < COUNT(cells); i++)
        if (str_eq(cells[i].member, member))
            return &cells[i];
    return NULL;
}

/* What is wrong with the text in a cell of that kind; NULL: nothing. */
static const char *cell_fault(enum cell_kind kind, const char *s)
{
    bool printable = true;

    for (const char *p = s; *p; p++)
        printable = printable && *p > ' ' && *p < 0x7f;
    if (kind == CELL_TEXT)
        return *s ? NULL : "a text that is not empty";
    if (!printable)
        return "a text without blanks or control characters";
    if (kind == CELL_SUFFIX)
        return s[0] == '.' && s[1] && !strpbrk(s, "/@?#")
                   ? NULL
                   : "a host name suffix that begins with a dot, such as .vault.azure.net";
    if (!str_starts(s, "https://") || !s[8])
        return "an https URL: tokens and keys are never sent over anything else";
    if (kind == CELL_ENDPOINT && strpbrk(s + 8, "@?#"))
        return "an https URL without user, query or fragment";
    return NULL;
}

static void cell_read(struct arena *a, const struct member *m, const struct cell *cell, struct cloud *cloud,
                      struct diags *diags)
{
    const char *s = value_str(m->value), *fault;
    char *copy;
    size_t n;

    if (!s) {
        diags_add(diags, SEVERITY_ERROR, value_origin(m->value), "a string", "%s is %s", m->key,
                  value_type_name(m->value->type));
        return;
    }
    fault = cell_fault(cell->kind, s);
    if (fault) {
        diags_add(diags, SEVERITY_ERROR, value_origin(m->value), fault, "%s cannot be \"%s\"", m->key, s);
        return;
    }
    copy = arena_strdup(a, s);
    n = strlen(copy);
    if (cell->kind == CELL_ENDPOINT && copy[n - 1] == '/')
        copy[n - 1] = '\0';
    memcpy((char *)cloud + cell->offset, &copy, sizeof(copy));
}

static void clock_read(const struct value *clock, struct cloud *cloud, struct diags *diags)
{
    const struct value *speed = value_get(clock, "speed");

    if (!value_is(clock, VALUE_MAP)) {
        diags_add(diags, SEVERITY_ERROR, value_origin(clock), "{start: time, speed: number, ahead: 25m}",
                  "clock is %s", value_type_name(clock->type));
        return;
    }
    for (size_t i = 0; i < clock->map.count; i++) {
        const struct member *m = &clock->map.members[i];
        struct origin at = member_origin(m);

        if (!str_eq(m->key, "start") && !str_eq(m->key, "speed") && !str_eq(m->key, "ahead"))
            diags_add(diags, SEVERITY_ERROR, &at, "start, speed, ahead", "unknown field clock.%s", m->key);
    }
    cloud->clock_start_ms = time_parse(value_str_at(clock, "start"));
    if (value_get(clock, "start") && cloud->clock_start_ms == TIME_NONE)
        diags_add(diags, SEVERITY_ERROR, value_origin(value_get(clock, "start")), "a time such as 2026-11-23T03:00:00Z",
                  "clock.start is no time");
    if (value_get(clock, "ahead"))
        cloud->clock_ahead_ms = time_shift_parse(value_str_at(clock, "ahead"));
    if (cloud->clock_ahead_ms == TIME_NONE)
        diags_add(diags, SEVERITY_ERROR, value_origin(value_get(clock, "ahead")),
                  "25m, or -3h for a clock that is behind", "clock.ahead is no duration");
    if (!speed)
        return;
    cloud->clock_speed = value_is(speed, VALUE_INT) ? (double)speed->i : value_is(speed, VALUE_REAL) ? speed->r : 0;
    if (!(cloud->clock_speed > 0))
        diags_add(diags, SEVERITY_ERROR, value_origin(speed), "a number above zero", "clock.speed is not usable");
}

const struct cloud *cloud_read(struct arena *a, const struct value *file, struct diags *diags)
{
    const struct value *base = value_get(file, "base");
    const struct cloud *start = cloud_builtin(base ? value_str(base) : "AzurePublic");
    size_t errors_before = diags->n_errors;
    struct cloud *cloud = arena_new_of(a, struct cloud);

    if (!value_is(file, VALUE_MAP)) {
        diags_add(diags, SEVERITY_ERROR, file ? value_origin(file) : NULL,
                  "a map of endpoints, as `sim --write-cloud` writes it", "this is no description of a cloud");
        return NULL;
    }
    if (!start) {
        diags_add(diags, SEVERITY_ERROR, value_origin(base), "AzurePublic, AzureUSGovernment or AzureChina",
                  "there is no built-in cloud of this name");
        return NULL;
    }
    *cloud = *start;
    for (size_t i = 0; i < file->map.count; i++) {
        const struct member *m = &file->map.members[i];
        const struct cell *cell = cell_find(m->key);
        struct origin at = member_origin(m);

        if (cell)
            cell_read(a, m, cell, cloud, diags);
        else if (str_eq(m->key, "clock"))
            clock_read(m->value, cloud, diags);
        else if (!str_eq(m->key, "base"))
            diags_add(diags, SEVERITY_ERROR, &at, did_you_mean(m->key, member_names), "unknown field %s", m->key);
    }
    return diags->n_errors == errors_before ? cloud : NULL;
}

/* --- key URLs ----------------------------------------------------------------------------------------------------- */

/* The store's name when `host` is NAME + suffix; NULL otherwise. A name holds no dot, so
 * that x.y.vault… fits nothing. */
static char *store_name(struct arena *a, const char *host, const char *suffix)
{
    size_t n = strlen(host), m = strlen(suffix);

    if (n <= m || !str_ends_nocase(host, suffix) || memchr(host, '.', n - m))
        return NULL;
    return arena_strndup(a, host, n - m);
}

static int wrong_host(struct arena *a, const struct cloud *cloud, const char *host, struct err *err)
{
    for (size_t i = 0; i < COUNT(builtin); i++)
        if (!str_eq(builtin[i].name, cloud->name) &&
            (store_name(a, host, builtin[i].vault_suffix) || store_name(a, host, builtin[i].hsm_suffix)))
            return err_set(err, ERR_INVALID,
                           "%s belongs to %s, but the cloud in use is %s, whose key vaults are NAME%s", host,
                           builtin[i].name, cloud->name, cloud->vault_suffix);
    return err_set(err, ERR_INVALID, "%s is neither a key vault (NAME%s) nor a managed HSM (NAME%s) of %s", host,
                   cloud->vault_suffix, cloud->hsm_suffix, cloud->name);
}

static bool is_key_name(const char *s)
{
    size_t n = 0;

    for (; s[n]; n++)
        if (!isalnum((unsigned char)s[n]) && s[n] != '-')
            return false;
    return n > 0 && n <= 127;
}

int cloud_parse_key_url(struct arena *a, const struct cloud *cloud, const char *url, struct key_url *ret,
                        struct err *err)
{
    struct key_url parts = {.kind = STORE_VAULT};
    struct key_id id;
    const char *host;

    if (!str_starts_nocase(url, "https://"))
        return err_set(err, ERR_INVALID, "\"%.200s\" is no key URL; one looks like https://NAME%s/keys/KEY/VERSION",
                       url ? url : "", cloud->vault_suffix);
    host = key_url_host(a, url);
    parts.store = store_name(a, host, cloud->vault_suffix);
    if (!parts.store) {
        parts.store = store_name(a, host, cloud->hsm_suffix);
        parts.kind = STORE_HSM;
    }
    if (!parts.store)
        return wrong_host(a, cloud, host, err);
    if (!is_key_name(parts.store) || !key_id_parse(a, url, &id) || !is_key_name(id.name) ||
        (id.version && !is_key_name(id.version))) {
        err_set(err, ERR_INVALID, "the key URL of %.200s names no key", host);
        return err_advise(err, "it looks like https://NAME%s/keys/KEY/VERSION", cloud->vault_suffix);
    }
    parts.base = id.base;
    parts.name = id.name;
    parts.version = id.version;
    *ret = parts;
    return 0;
}

char *cloud_store_base(struct arena *a, const struct cloud *cloud, enum store_kind kind, const char *store)
{
    return arena_printf(a, "https://%s%s", store, kind == STORE_HSM ? cloud->hsm_suffix : cloud->vault_suffix);
}

char *cloud_key_url(struct arena *a, const struct cloud *cloud, enum store_kind kind, const char *store,
                    const char *name, const char *version)
{
    return arena_printf(a, "%s/keys/%s%s%s", cloud_store_base(a, cloud, kind, store), name, version ? "/" : "",
                        version ? version : "");
}
