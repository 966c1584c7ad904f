/* Our client reads an exported key from Azurite over HTTPS, by libcurl, as it would from Azure: with a token and with
 * an account key, with the account in the host and in the path, and where it must fail. Knows the client's side only;
 * azurite.mjs has put the blobs there.
 *
 *   azurite CA-FILE PORT ACCOUNT ACCOUNT-KEY FOLDER      FOLDER: exported.json and backup.bin, what must arrive */
#include "../harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../providers/azure/blob.h"
#include "../../reconciler/base/clock.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"

#define CONTAINER "vm-payroll-01"
#define BULK "vm-large"
#define RIGHT_AUDIENCE "https://storage.azure.com"

enum { ATTEMPTS = 2, CUT_AFTER = 300 * 1024, LARGE = 1024 * 1024 };

enum auth { BY_TOKEN, BY_KEY, BY_EXPIRED_TOKEN, BY_TOKEN_FOR_ARM, BY_WRONG_KEY };
enum style { IN_HOST, IN_PATH };

struct bench {
    const char *ca_file, *account, *account_key;
    unsigned int port;
    struct secret exported, backup;
};

struct reading {
    struct azure *az;
    struct blob_place place;
    struct secret key;              /* empty: a token */
    size_t max;
    bool look_only;
    void (*instead)(struct call *c, struct arena *a, struct reading *r);   /* something else than reading one blob */
    int rc;
    bool exists;
    struct secret blob;
    struct err err;
    size_t requests;
};

/* --- tokens ------------------------------------------------------------------------------------------------------- */

static void add_part(struct text *t, const char *json)
{
    crypt_base64_encode(t, json, strlen(json), BASE64_URL);
    text_add_char(t, '.');
}

/* Azurite looks at times, audience and issuer, not at the signature. */
static void make_token(enum auth auth, struct secret *ret)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    int64_t now = time(NULL), end = auth == BY_EXPIRED_TOKEN ? now - 3600 : now + 3600;
    const char *audience = auth == BY_TOKEN_FOR_ARM ? "https://management.azure.com" : RIGHT_AUDIENCE;

    text_add(&t, "");
    add_part(&t, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
    add_part(
        &t,
        arena_printf(
            a,
            "{\"aud\":\"%s\",\"iss\":\"https://sts.windows.net/0f0f0f0f-0000-4000-8000-000000000001/\",\"iat\":%lld,"
            "\"nbf\":%lld,\"exp\":%lld}",
            audience, (long long)now - 7200, (long long)now - 7200, (long long)end));
    text_add(&t, "c2ln");
    secret_set(ret, text_str(&t), t.len);
}

/* --- one reading -------------------------------------------------------------------------------------------------- */

static void read_task(struct call *c, void *arg)
{
    static const struct permit_write reads[] = {{HTTP_GET, "/" CONTAINER "/"},
                                                {HTTP_GET, "/" BULK "/"},
                                                {HTTP_GET, "/no-such-container/"},
                                                {HTTP_PUT, "/" BULK "/os-"}};
    struct permit permit = {.step = "azurite", .writes = reads, .n_writes = COUNT(reads), .budget = 10};
    struct arena *a cleanup(arena_freep) = arena_new();
    struct reading *r = arg;

    call_set_context(c, &permit);
    if (r->instead)
        r->instead(c, a, r);
    else if (r->look_only)
        r->rc = blob_exists(r->az, c, a, &r->place, &r->exists, &r->err);
    else
        r->rc = blob_read(r->az, c, a, &r->place, r->key.len ? &r->key : NULL, r->max, &r->blob, &r->err);
}

static struct cloud cloud_of(struct arena *a, enum style style, unsigned int port)
{
    struct cloud cloud = *cloud_builtin("AzurePublic");

    cloud.blob_suffix = arena_printf(a, style == IN_HOST ? ".blob.localhost:%u" : ".0.0.1:%u", port);
    return cloud;
}

/* `port`: Azurite's, or of whoever stands before it. */
static void run_reading(const struct bench *b, enum style style, enum auth auth, unsigned int port, struct reading *r)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct sched *sched = sched_new(&(struct sched_options){.time = SCHED_REAL, .speed = 1});
    struct wire *wire = wire_curl_new(sched, b->ca_file, 4);
    struct http *http =
        http_new(sched, &(struct http_options){.wire = wire, .mode = HTTP_WRITING, .patience = {.unasked_ms = 1}});
    struct cloud cloud = cloud_of(a, style, port);
    struct credential credential = {.kind = CREDENTIAL_GIVEN_TOKENS};

    make_token(auth, &credential.tokens[AUDIENCE_STORAGE]);
    r->place.account = b->account;
    r->place.endpoint = style == IN_HOST ? arena_printf(a, "https://%s.blob.localhost:%u", b->account, port)
                                         : arena_printf(a, "https://127.0.0.1:%u/%s", port, b->account);
    if (auth == BY_KEY)
        secret_set(&r->key, b->account_key, strlen(b->account_key));
    else if (auth == BY_WRONG_KEY)
        secret_set(&r->key, "d3Jvbmcga2V5", 12);
    r->az = azure_new(http, &cloud, &credential, NULL, "0f0f0f0f-0000-4000-8000-000000000002", "uaenorth");
    sched_main(sched, read_task, r);
    r->requests = http_requests_sent(http);
    azure_free(r->az);
    http_free(http);
    wire_free(wire);
    sched_free(sched);
    credential_release(&credential);
}

static void reading_release(struct reading *r)
{
    secret_release(&r->key);
    secret_release(&r->blob);
}

static const char *explain(struct arena *a, const char *reason, enum style style, const struct reading *r)
{
    return arena_printf(a, "%s, account in the %s: rc %d, code %s, %s", reason, style == IN_HOST ? "host" : "path",
                        r->rc, r->err.code, r->rc < 0 ? r->err.text : "");
}

/* --- what must arrive --------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *name;
    enum auth auth;
} arrivals[] = {
    {"page blob: padding and byte order mark cut, token", "page.json", BY_TOKEN},
    {"page blob, account key", "page.json", BY_KEY},
    {"block blob, token", "block.json", BY_TOKEN},
    {"block blob, account key", "block.json", BY_KEY},
    {"a name that must be encoded, token", "folder/\303\251 b+c;d (1)'.json", BY_TOKEN},
    {"a name that must be encoded, account key", "folder/\303\251 b+c;d (1)'.json", BY_KEY},
};

static bool same_bytes(const struct secret *x, const struct secret *y)
{
    return x->len == y->len && (!x->len || memcmp(x->bytes, y->bytes, x->len) == 0);
}

static void test_arrivals(const struct bench *b, enum style style)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(arrivals); i++) {
        struct reading r = {.place = {.container = CONTAINER, .name = arrivals[i].name}, .max = BLOB_EXPORT_MAX};
        struct secret backup cleanup(secret_release) = {0};
        char type[64] = "";

        run_reading(b, style, arrivals[i].auth, b->port, &r);
        CHECK_ROW(explain(a, arrivals[i].reason, style, &r), r.rc == 0 && r.requests == 1);
        CHECK_ROW(arrivals[i].reason, same_bytes(&r.blob, &b->exported));
        CHECK_ROW(arrivals[i].reason, r.rc == 0 && blob_cut_export(&r.blob, &backup, type, sizeof(type), &r.err) == 0);
        CHECK_ROW(arrivals[i].reason, same_bytes(&backup, &b->backup) && str_eq(type, "Microsoft.KeyVault/vaults"));
        reading_release(&r);
    }
}

/* --- what must fail ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *container, *name;
    enum auth auth;
    size_t max;                     /* 0: BLOB_EXPORT_MAX */
    int rc;
    const char *code, *said;
} failures[] = {
    {"expired token", CONTAINER, "page.json", BY_EXPIRED_TOKEN, 0, -ERR_DENIED, "AuthenticationFailed", "page.json"},
    {"token for another audience", CONTAINER, "page.json", BY_TOKEN_FOR_ARM, 0, -ERR_DENIED, "AuthenticationFailed",
     "page.json"},
    /* Azure itself says 403 AuthenticationFailed here. */
    {"wrong account key", CONTAINER, "page.json", BY_WRONG_KEY, 0, -ERR_DENIED, "InvalidAuthenticationInfo",
     "page.json"},
    {"missing blob, token", CONTAINER, "none.json", BY_TOKEN, 0, -ERR_NOT_FOUND, "BlobNotFound", "none.json"},
    {"missing blob, account key", CONTAINER, "none.json", BY_KEY, 0, -ERR_NOT_FOUND, "BlobNotFound", "none.json"},
    {"wrong container, token", "no-such-container", "page.json", BY_TOKEN, 0, -ERR_NOT_FOUND, "ContainerNotFound",
     "page.json"},
    {"wrong container, account key", "no-such-container", "page.json", BY_KEY, 0, -ERR_NOT_FOUND, "ContainerNotFound",
     "page.json"},
    {"larger than the limit, token", BULK, "large.bin", BY_TOKEN, LARGE / 2, -ERR_PROTOCOL, "", "large.bin"},
    {"larger than the limit, account key", BULK, "large.bin", BY_KEY, LARGE / 2, -ERR_PROTOCOL, "", "large.bin"},
    {"larger than the limit by one byte", BULK, "large.bin", BY_TOKEN, LARGE - 1, -ERR_PROTOCOL, "", "large.bin"},
};

static void test_failures(const struct bench *b, enum style style)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(failures); i++) {
        struct reading r = {.place = {.container = failures[i].container, .name = failures[i].name},
                            .max = failures[i].max ? failures[i].max : BLOB_EXPORT_MAX};

        run_reading(b, style, failures[i].auth, b->port, &r);
        CHECK_ROW(explain(a, failures[i].reason, style, &r),
                  r.rc == failures[i].rc && str_eq(r.err.code, failures[i].code));
        CHECK_ROW(explain(a, failures[i].reason, style, &r),
                  strstr(r.err.text, failures[i].said) && r.blob.len == 0 && r.requests == 1);
        CHECK_ROW("no key in the words", !strstr(r.err.text, b->account_key));
        reading_release(&r);
    }
}

static void test_limit(const struct bench *b)
{
    struct reading r = {.place = {.container = BULK, .name = "large.bin"}, .max = LARGE};

    run_reading(b, IN_HOST, BY_KEY, b->port, &r);
    CHECK(r.rc == 0 && r.blob.len == LARGE);
    reading_release(&r);
}

static const struct {
    const char *reason, *container, *name;
    enum auth auth;
    int rc;
    bool exists;
} looks[] = {
    {"there", CONTAINER, "page.json", BY_TOKEN, 0, true},
    {"not there", CONTAINER, "none.json", BY_TOKEN, 0, false},
    {"its container is not there", "no-such-container", "page.json", BY_TOKEN, 0, false},
    {"with an expired token nobody knows", CONTAINER, "page.json", BY_EXPIRED_TOKEN, -ERR_DENIED, false},
};

static void test_looks(const struct bench *b, enum style style)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(looks); i++) {
        struct reading r = {.place = {.container = looks[i].container, .name = looks[i].name}, .look_only = true};

        run_reading(b, style, looks[i].auth, b->port, &r);
        CHECK_ROW(explain(a, looks[i].reason, style, &r), r.rc == looks[i].rc && r.exists == looks[i].exists);
        reading_release(&r);
    }
}

/* --- an escrow: written, listed and read back --------------------------------------------------------------------- */

#define KEY_BACKUP "os-3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5.keybackup"

static int put(struct call *c, struct arena *a, struct reading *r, const char *bytes, size_t len, const char *etag)
{
    struct secret content cleanup(secret_release) = {0};
    struct value *metadata = value_map(a);
    struct blob_content what = {
        .bytes = &content, .type = "application/octet-stream", .metadata = metadata, .etag = etag};

    secret_set(&content, bytes, len);
    value_set_string(a, metadata, "versions", "3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5");
    value_set_string(a, metadata, "store", "https://kv.vault.azure.net");
    return blob_write(r->az, c, a, &r->place, &what, NULL, &r->err);
}

/* Bytes that reading text would cut: a backup is what it is to its last byte. */
static void escrow_task(struct call *c, struct arena *a, struct reading *r)
{
    static const char first[] = "\xef\xbb\xbf raw \0 bytes \n\0", second[] = "again";
    struct secret back cleanup(secret_release) = {0}, open cleanup(secret_release) = {0};
    const char *etag = NULL;
    struct value *list = NULL;

    CHECK_ROW(r->err.text, put(c, a, r, first, sizeof(first), NULL) == 0);
    CHECK_ROW("never over another", put(c, a, r, second, sizeof(second), NULL) == -ERR_CONFLICT);
    CHECK_ROW(r->err.text, blob_read_exact(r->az, c, a, &r->place, BLOB_EXPORT_MAX, &back, &r->err) == 0);
    CHECK_ROW("to its last byte", back.len == sizeof(first) && memcmp(back.bytes, first, sizeof(first)) == 0);
    CHECK_ROW(r->err.text, blob_list(r->az, c, a, &r->place, "os-", &list, &r->err) == 0 && value_count(list) == 1);
    CHECK_STR(value_str_at(list, "0.name"), r->place.name);
    CHECK_STR(value_str_at(list, "0.metadata.versions"), "3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5");
    CHECK_STR(value_str_at(list, "0.metadata.store"), "https://kv.vault.azure.net");
    CHECK(time_parse_http(value_str_at(list, "0.modified")) != TIME_NONE);
    CHECK_ROW(r->err.text, blob_list(r->az, c, a, &r->place, "none-", &list, &r->err) == 0 && value_count(list) == 0);
    CHECK_ROW(r->err.text, blob_read_open(r->az, c, a, &r->place, BLOB_EXPORT_MAX, &open, &etag, &r->err) == 0 && etag);
    CHECK_ROW("another state than the one known", put(c, a, r, second, sizeof(second), "\"0x1\"") == -ERR_CONFLICT);
    CHECK_ROW(r->err.text, put(c, a, r, second, sizeof(second), etag) == 0);
}

static void test_escrow(const struct bench *b)
{
    struct reading r = {.place = {.container = BULK, .name = KEY_BACKUP}, .instead = escrow_task};

    run_reading(b, IN_HOST, BY_TOKEN, b->port, &r);
    CHECK(r.requests == 8);
    reading_release(&r);
}

/* --- a line that breaks ------------------------------------------------------------------------------------------- */

struct breaker {
    unsigned int port;
    pid_t pid;
};

static int loopback(unsigned int port, bool to_listen)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = to_listen ? bind(fd, (struct sockaddr *)&address, sizeof(address))
                       : connect(fd, (struct sockaddr *)&address, sizeof(address));

    if (fd < 0 || rc < 0 || (to_listen && listen(fd, 8) < 0)) {
        perror("azurite: loopback");
        exit(2);
    }
    return fd;
}

/* One direction of one turn; false when that side has ended. */
static bool pass_on(int from, int to, size_t *ret_passed)
{
    char chunk[8192];
    ssize_t n = read(from, chunk, sizeof(chunk));

    if (n <= 0 || write(to, chunk, (size_t)n) != n)
        return false;
    *ret_passed += (size_t)n;
    return true;
}

/* Passes both directions on until one side ends or `limit` bytes have come from the server. */
static void carry(int client, int server, size_t limit)
{
    struct pollfd ends[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    size_t sent = 0, received = 0;

    while (received < limit && poll(ends, 2, 30000) > 0) {
        if (ends[0].revents && !pass_on(client, server, &sent))
            return;
        if (ends[1].revents && !pass_on(server, client, &received))
            return;
    }
}

/* The first `cuts` connections end half way through the answer, `hard` with a reset. */
static void break_lines(int listener, unsigned int to, size_t cuts, bool hard)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    for (size_t i = 0;; i++) {
        int client = accept(listener, NULL, NULL), server;

        if (client < 0)
            _exit(0);
        server = loopback(to, false);
        carry(client, server, i < cuts ? CUT_AFTER : SIZE_MAX);
        if (i < cuts && hard)
            setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(client);
        close(server);
    }
}

static struct breaker breaker_start(unsigned int to, size_t cuts, bool hard)
{
    struct breaker b;
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    int listener = loopback(0, true);

    getsockname(listener, (struct sockaddr *)&address, &len);
    b.port = ntohs(address.sin_port);
    b.pid = fork();
    if (b.pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        break_lines(listener, to, cuts, hard);
    }
    close(listener);
    return b;
}

static const struct {
    const char *reason;
    enum auth auth;
    size_t cuts;
    bool hard;
    int rc;
    size_t requests;
} breaks[] = {
    {"ended half way each time, token", BY_TOKEN, ATTEMPTS, false, -ERR_TRANSIENT, ATTEMPTS},
    {"reset half way each time, account key", BY_KEY, ATTEMPTS, true, -ERR_TRANSIENT, ATTEMPTS},
    {"ended half way once: whole at the second attempt, account key", BY_KEY, 1, false, 0, 2},
    {"reset half way once: whole at the second attempt, token", BY_TOKEN, 1, true, 0, 2},
};

static void test_breaks(const struct bench *b)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(breaks); i++) {
        struct reading r = {.place = {.container = BULK, .name = "large.bin"}, .max = LARGE};
        struct breaker line = breaker_start(b->port, breaks[i].cuts, breaks[i].hard);

        run_reading(b, IN_PATH, breaks[i].auth, line.port, &r);
        CHECK_ROW(explain(a, breaks[i].reason, IN_PATH, &r), r.rc == breaks[i].rc && r.requests == breaks[i].requests);
        CHECK_ROW(breaks[i].reason, r.blob.len == (r.rc == 0 ? LARGE : 0));
        kill(line.pid, SIGKILL);
        waitpid(line.pid, NULL, 0);
        reading_release(&r);
    }
}

static void load(struct arena *a, const char *folder, const char *name, struct secret *ret)
{
    struct err err;

    if (secret_read_file(ret, arena_printf(a, "%s/%s", folder, name), BLOB_EXPORT_MAX, &err) < 0) {
        fprintf(stderr, "azurite: %s\n", err.text);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct bench b = {0};

    if (argc != 6) {
        fprintf(stderr, "usage: azurite CA-FILE PORT ACCOUNT ACCOUNT-KEY FOLDER\n");
        return 2;
    }
    b = (struct bench){.ca_file = argv[1],
                       .account = argv[3],
                       .account_key = argv[4],
                       .port = (unsigned int)strtoul(argv[2], NULL, 10)};
    load(a, argv[5], "exported.json", &b.exported);
    load(a, argv[5], "backup.bin", &b.backup);
    for (enum style style = IN_HOST; style <= IN_PATH; style++) {
        test_arrivals(&b, style);
        test_failures(&b, style);
        test_looks(&b, style);
    }
    test_limit(&b);
    test_escrow(&b);
    test_breaks(&b);
    secret_release(&b.exported);
    secret_release(&b.backup);
    HARNESS_END();
}
