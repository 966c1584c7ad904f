/* Blobs: SharedKey signatures, reading with padding and byte order mark, the exported key. */
#include "azure_peer.h"

#include "../../providers/azure/blob.h"

#define ACCOUNT "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
#define BLOB "https://st.blob.core.windows.net/vm-01/securedvmencryptioninfo1.json"

/* --- signatures --------------------------------------------------------------------------------------------------- */

/* What must be signed is written out; the signature over it comes from the same primitive that test_crypt checks. */
static void test_sign(void)
{
    static const struct wire_header headers[] = {
        {"x-ms-version", "2021-06-08"},
        {"Content-Length", "0"},
        {"X-MS-Date", " Mon, 23 Nov 2026 03:00:00 GMT"},
        {"Date", "ignored"},
    };
    static const char signed_text[] =
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Mon, 23 Nov 2026 03:00:00 GMT\nx-ms-version:2021-06-08\n"
        "/st/vm-01/b%20c.json\ncomp:list\nrestype:a/b";
    struct secret key = {0};
    struct text got, want;

    text_init(&got, 4096);
    text_init(&want, 4096);
    secret_set(&key, "0123456789", 10);
    blob_sign("GET", "st", "/vm-01/b%20c.json", "restype=a%2Fb&COMP=list", headers, COUNT(headers), &key, &got);
    text_add(&want, "SharedKey st:");
    crypt_hmac_sha256_base64(key.bytes, key.len, signed_text, strlen(signed_text), &want);
    CHECK_STR(text_str(&got), text_str(&want));
    secret_release(&key);
    text_release(&got);
    text_release(&want);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const struct blob_place place = {
    .endpoint = "https://st.blob.core.windows.net",
    .account = "st",
    .container = "vm-01",
    .name = "securedvmencryptioninfo1.json",
};

struct reading {
    const struct blob_place *place;
    const char *account_key;
    struct secret blob;
};

static void run_read(struct call *c, struct peer_case *t)
{
    struct reading *r = t->arg;
    struct secret key = {0};

    if (r->account_key)
        secret_set(&key, r->account_key, strlen(r->account_key));
    t->rc = blob_read(t->az, c, t->a, r->place, r->account_key ? &key : NULL, 64, &r->blob, &t->err);
    secret_release(&key);
}

static const struct {
    const char *reason;
    struct peer_row row;
    int rc;
    const char *want;           /* the blob, or part of the error */
} reads[] = {
    {"plain", {.status = 200, .body = "{}"}, 0, "{}"},
    {"a page blob: cut to its real size, byte order mark skipped",
     {.status = 200,
      .body = "\xef\xbb\xbf{\"a\":1}xxx\0\0\0\0",
      .body_len = 17,
      .headers = {{"x-ms-meta-configblobsize", "10"}}},
     0,
     "{\"a\":1}"},
    {"padding without a size", {.status = 200, .body = "{} \r\n\0\0\0", .body_len = 8}, 0, "{}"},
    {"a size larger than the blob",
     {.status = 200, .body = "{}", .headers = {{"x-ms-meta-configblobsize", "10"}}},
     -ERR_PROTOCOL,
     "says it has 10"},
    {"cut half way", {.status = 200, .body = "{", .headers = {{"Content-Length", "2"}}}, -ERR_PROTOCOL, "1 of 2 bytes"},
    {"too large",
     {.status = 200, .body = "01234567890123456789012345678901234567890123456789012345678901234"},
     -ERR_PROTOCOL,
     "more than 64"},
    {"a part only", {.status = 206, .body = "{}"}, -ERR_PROTOCOL, "206"},
    {"gone, told in XML",
     {.status = 404, .body = "\xef\xbb\xbf<?xml?><Error><Code>BlobNotFound</Code><Message>m</Message></Error>"},
     -ERR_NOT_FOUND,
     "BlobNotFound"},
    {"denied, told in a header only",
     {.status = 403, .body = "", .headers = {{"x-ms-error-code", "AuthorizationPermissionMismatch"}}},
     -ERR_DENIED,
     "Storage Blob Data Reader"},
};

static void read_as(const char *reason, const char *account_key, const struct peer_row *rows, size_t n_rows, int rc,
                    const char *want)
{
    struct reading reading = {.place = &place, .account_key = account_key};
    struct peer_case t = {.a = arena_new(), .run = run_read, .arg = &reading};
    struct peer p = {0};

    peer_run(reason, rows, n_rows, &t, &p);
    CHECK_ROW(reason, t.rc == rc);
    /* A signature covers every x-ms- header: one added later would void it. */
    CHECK_ROW(reason, !n_rows || p.id_seen == !account_key);
    if (rc == 0)
        CHECK_STR(reading.blob.bytes, want);
    else
        CHECK_ROW(t.err.text, strstr(t.err.text, want) != NULL);
    secret_release(&reading.blob);
    peer_release(&p);
    arena_free(t.a);
}

static void test_reads(void)
{
    for (size_t i = 0; i < COUNT(reads); i++) {
        struct peer_row rows[] = {PEER_LOGIN, reads[i].row};

        rows[1].method = "GET";
        rows[1].url = BLOB;
        rows[1].authorization = "Bearer t1";
        read_as(reads[i].reason, NULL, rows, COUNT(rows), reads[i].rc, reads[i].want);
        /* The same with an account key, which needs no token. */
        rows[1].authorization = NULL;
        read_as(reads[i].reason, "MDEyMzQ1Njc4OQ==", rows + 1, 1, reads[i].rc, reads[i].want);
    }
    read_as("an account key that is none", "%%%", NULL, 0, -ERR_INVALID, "the key of storage account st");
}

static void run_listed(struct call *c, struct peer_case *t)
{
    t->rc = blob_account_key(t->az, c, t->a, ACCOUNT, t->arg, &t->err);
}

static void test_account_key(void)
{
    static const struct peer_row rows[] = {
        PEER_LOGIN,
        {.method = "POST",
         .url = ACCOUNT "/listKeys?api-version=2025-01-01",
         .status = 200,
         .body =
             "{\"keys\":[{\"creationTime\":\"t\",\"keyName\":\"key1\",\"value\":\"Zmlyc3Q=\"},{\"keyName\":\"key2\","
             "\"value\":\"c2Vjb25k\"}]}"},
    };
    static const struct peer_row empty[] = {
        PEER_LOGIN, {.method = "POST", .url = "/listKeys", .status = 200, .body = "{\"keys\":[]}"}};
    struct secret key = {0};
    struct peer_case t = {.a = arena_new(), .run = run_listed, .arg = &key};
    struct peer p = {0};

    peer_run("the first key", rows, COUNT(rows), &t, &p);
    CHECK(t.rc == 0);
    CHECK_STR(key.bytes, "Zmlyc3Q=");
    peer_release(&p);
    peer_run("no keys", empty, COUNT(empty), &t, &p);
    CHECK(t.rc == -ERR_PROTOCOL);
    secret_release(&key);
    peer_release(&p);
    arena_free(t.a);
}

static void test_foreign_endpoint(void)
{
    static const struct blob_place foreign = {
        .endpoint = "https://st.blob.core.windows.net.evil.example", .account = "st", .container = "c", .name = "n"};
    struct reading reading = {.place = &foreign};
    struct peer_case t = {.a = arena_new(), .run = run_read, .arg = &reading};
    struct peer p = {0};

    peer_run("no token for another host", NULL, 0, &t, &p);
    CHECK(t.rc == -ERR_INVALID && p.n_seen == 0);
    peer_release(&p);
    arena_free(t.a);
}

/* --- a container of the user's own -------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *url;
    int rc;
    const char *account, *container, *name;
} places[] = {
    {"a container", "https://st.blob.core.windows.net/escrow", 0, "st", "escrow", NULL},
    {"with a slash at its end", "https://st.blob.core.windows.net/escrow/", 0, "st", "escrow", NULL},
    {"a blob", "https://st.blob.core.windows.net/notes/a/history.yaml", 0, "st", "notes", "a/history.yaml"},
    {"no container", "https://st.blob.core.windows.net/", -ERR_INVALID, NULL, NULL, NULL},
    {"another host", "https://st.blob.core.windows.net.evil.example/escrow", -ERR_INVALID, NULL, NULL, NULL},
    {"another cloud", "https://st.blob.core.chinacloudapi.cn/escrow", -ERR_INVALID, NULL, NULL, NULL},
    {"a signature", "https://st.blob.core.windows.net/escrow?sv=1&sig=x", -ERR_INVALID, NULL, NULL, NULL},
    {"not encrypted", "http://st.blob.core.windows.net/escrow", -ERR_INVALID, NULL, NULL, NULL},
    {"nothing", NULL, -ERR_INVALID, NULL, NULL, NULL},
};

static void test_places(void)
{
    for (size_t i = 0; i < COUNT(places); i++) {
        struct arena *a = arena_new();
        struct blob_place got = {0};
        struct err err;

        CHECK_ROW(places[i].reason,
                  blob_place_of_url(a, cloud_builtin("AzurePublic"), places[i].url, &got, &err) == places[i].rc);
        if (places[i].rc == 0) {
            CHECK_STR(got.account, places[i].account);
            CHECK_STR(got.container, places[i].container);
            CHECK_STR(got.endpoint, "https://st.blob.core.windows.net");
            CHECK_ROW(places[i].reason, str_eq(got.name, places[i].name) || (!got.name && !places[i].name));
        }
        arena_free(a);
    }
}

struct listing {
    struct value *list;
};

static void run_list(struct call *c, struct peer_case *t)
{
    struct listing *l = t->arg;

    t->rc = blob_list(t->az, c, t->a, &place, "os-", &l->list, &t->err);
}

#define LIST_HEAD "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"vm-01\">"

static void test_list(void)
{
    static const struct peer_row pages[] = {
        PEER_LOGIN,
        {.method = "GET",
         .url = "/vm-01?restype=container&comp=list&include=metadata&prefix=os-",
         .status = 200,
         .body = LIST_HEAD "<Blobs><Blob><Name>os-1.keybackup</Name><Properties><Creation-Time>Mon, 23 Nov 2026 "
                           "03:00:00 GMT</Creation-Time>"
                           "<Content-Length>12</Content-Length></Properties><Metadata><Versions>a,b</"
                           "Versions><store>x&amp;y</store></Metadata>"
                           "<OrMetadata /></Blob></Blobs><NextMarker>2!76</NextMarker></EnumerationResults>"},
        {.method = "GET",
         .url = "&marker=2%2176",
         .status = 200,
         .body = LIST_HEAD
         "<Blobs><Blob><Name>os-2</Name><Properties /><Metadata /></Blob></Blobs><NextMarker /></EnumerationResults>"},
    };
    static const struct peer_row empty[] = {
        PEER_LOGIN,
        {.method = "GET",
         .url = "comp=list",
         .status = 200,
         .body = LIST_HEAD "<Blobs /><NextMarker /></EnumerationResults>"},
    };
    static const struct peer_row odd[] = {PEER_LOGIN,
                                          {.method = "GET", .url = "comp=list", .status = 200, .body = "<html>"}};
    struct listing l = {0};
    struct peer_case t = {.a = arena_new(), .run = run_list, .arg = &l};
    struct peer p = {0};

    peer_run("two pages", pages, COUNT(pages), &t, &p);
    CHECK(t.rc == 0 && value_count(l.list) == 2);
    CHECK_STR(value_str_at(l.list, "0.name"), "os-1.keybackup");
    CHECK_STR(value_str_at(l.list, "0.created"), "Mon, 23 Nov 2026 03:00:00 GMT");
    CHECK_STR(value_str_at(l.list, "0.metadata.versions"), "a,b");
    CHECK_STR(value_str_at(l.list, "0.metadata.store"), "x&y");
    CHECK(value_count(value_at(l.list, "1.metadata")) == 0);
    peer_release(&p);
    peer_run("nothing in it", empty, COUNT(empty), &t, &p);
    CHECK(t.rc == 0 && value_count(l.list) == 0);
    peer_release(&p);
    peer_run("no list at all", odd, COUNT(odd), &t, &p);
    CHECK(t.rc == -ERR_PROTOCOL);
    peer_release(&p);
    arena_free(t.a);
}

struct writing {
    const char *etag;
};

static void run_write(struct call *c, struct peer_case *t)
{
    struct writing *w = t->arg;
    struct secret bytes = {0};
    struct value *metadata = value_map(t->a);
    struct blob_content content = {
        .bytes = &bytes, .type = "application/octet-stream", .metadata = metadata, .etag = w->etag};

    value_set_string(t->a, metadata, "store", "s");
    secret_set(&bytes, "raw \0\n", 6);
    t->rc = blob_write(t->az, c, t->a, &place, &content, NULL, &t->err);
    secret_release(&bytes);
}

static void test_write(void)
{
    static const struct {
        const char *reason, *etag;
        struct peer_row row;
        int rc;
    } rows[] = {
        {"a new one", NULL, {.status = 201}, 0},
        {"there already", NULL, {.status = 409, .headers = {{"x-ms-error-code", "BlobAlreadyExists"}}}, -ERR_CONFLICT},
        {"changed since", "\"1\"", {.status = 412, .headers = {{"x-ms-error-code", "ConditionNotMet"}}}, -ERR_CONFLICT},
        {"no right to write",
         NULL,
         {.status = 403, .headers = {{"x-ms-error-code", "AuthorizationPermissionMismatch"}}},
         -ERR_DENIED},
        {"not what a put answers", NULL, {.status = 200}, -ERR_PROTOCOL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer_row script[] = {PEER_LOGIN, rows[i].row};
        struct writing w = {.etag = rows[i].etag};
        struct peer_case t = {.a = arena_new(), .run = run_write, .arg = &w};
        struct peer p = {0};

        script[1].method = "PUT";
        script[1].url = BLOB;
        peer_run(rows[i].reason, script, COUNT(script), &t, &p);
        CHECK_ROW(t.err.text, t.rc == rows[i].rc);
        peer_release(&p);
        arena_free(t.a);
    }
}

/* --- the exported key --------------------------------------------------------------------------------------------- */

#define MARK "JkF6dXJlS2V5VmF1bHRLZXlCYWNrdXBWMS5taWNyb3NvZnQuY29t"   /* the key vault's mark in base64 */

static const struct {
    const char *reason, *json;
    int rc;
    const char *backup, *type;      /* or backup: part of the error */
} exports[] = {
    {"a key vault's",
     "{\"Other\":[1],\"OsDiskEncryptionDetails\":{\"X\":{},\"KeyBackupData\":\"" MARK "Pz8/\","
     "\"KeyVaultResourceType\":\"Microsoft.KeyVault/vaults\"}}",
     0, "&AzureKeyVaultKeyBackupV1.microsoft.com???", "Microsoft.KeyVault/vaults"},
    {"names case folded, slashes escaped",
     "{\"osDiskEncryptionDetails\":{\"keyBackupData\":\"" MARK
     "Pz8\\/\",\"keyVaultResourceType\":\"Microsoft.KeyVault\\/vaults\"}}",
     0, "&AzureKeyVaultKeyBackupV1.microsoft.com???", "Microsoft.KeyVault/vaults"},
    {"no type given", "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"" MARK "Pz8/\"}}", 0,
     "&AzureKeyVaultKeyBackupV1.microsoft.com???", ""},
    {"a managed HSM's",
     "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"ZXlKaGJHYy5hLmIuYy5k\","
     "\"KeyVaultResourceType\":\"microsoft.keyvault/managedhsms\"}}",
     0, "eyJhbGc.a.b.c.d", "microsoft.keyvault/managedhsms"},
    {"bytes and type disagree",
     "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"" MARK
     "Pz8/\",\"KeyVaultResourceType\":\"Microsoft.KeyVault/managedHSMs\"}}",
     -ERR_BLOCKED, "its bytes are a backup of a key vault", NULL},
    {"the other way round",
     "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"ZXlKaGJHYy5hLmIuYy5k\",\"KeyVaultResourceType\":\"Microsoft."
     "KeyVault/vaults\"}}",
     -ERR_BLOCKED, "managed HSM", NULL},
    {"a mark and nothing behind it", "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"" MARK "\"}}", -ERR_PROTOCOL,
     "no key backup", NULL},
    {"an access token", "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"ZXlKaGJHYy5hLmI=\"}}", -ERR_PROTOCOL,
     "no key backup", NULL},
    {"unknown bytes", "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"AAAA\"}}", -ERR_PROTOCOL, "no key backup",
     NULL},
    {"no base64", "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"***\"}}", -ERR_PROTOCOL, "KeyBackupData", NULL},
    {"no such member", "{\"OsDiskEncryptionDetails\":{}}", -ERR_PROTOCOL, "the exported key", NULL},
    {"no JSON", "<html>", -ERR_PROTOCOL, "the exported key", NULL},
    {"nothing", "", -ERR_PROTOCOL, "the exported key", NULL},
};

static void test_exports(void)
{
    for (size_t i = 0; i < COUNT(exports); i++) {
        struct secret json = {0}, backup = {0};
        struct err err = {0};
        char type[64] = "untouched";
        int rc;

        secret_set(&json, exports[i].json, strlen(exports[i].json));
        rc = blob_cut_export(&json, &backup, type, sizeof(type), &err);
        CHECK_ROW(exports[i].reason, rc == exports[i].rc);
        if (rc == 0) {
            CHECK_STR(backup.bytes, exports[i].backup);
            CHECK_STR(type, exports[i].type);
        } else {
            CHECK_ROW(err.text, strstr(err.text, exports[i].backup) != NULL);
            CHECK_ROW(exports[i].reason, strcmp(type, "untouched") == 0 && backup.len == 0);
            CHECK_ROW("no key material in an error", !strstr(err.text, MARK));
        }
        secret_release(&json);
        secret_release(&backup);
    }
}

int main(void)
{
    test_sign();
    test_reads();
    test_account_key();
    test_foreign_endpoint();
    test_exports();
    test_places();
    test_list();
    test_write();
    HARNESS_END();
}
