/* Digests and encodings against published vectors; secrets, sealing, and certificates that name what they should. */
#include "harness.h"

#include <ctype.h>
#include <unistd.h>

#include "../../reconciler/format/crypt.h"

static void test_digests(void)
{
    char hex[SHA256_HEX];
    struct text t cleanup(text_release);
    unsigned char a[32], b[32];

    text_init(&t, TEXT_CEILING);
    crypt_sha256_hex("", 0, hex);
    CHECK_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    crypt_sha256_hex("abc", 3, hex);
    CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* RFC 4231, test case 2: 5bdcc146...64ec3843. */
    crypt_hmac_sha256_base64("Jefe", 4, "what do ya want for nothing?", 28, &t);
    CHECK_STR(text_str(&t), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    crypt_derive("key", 1, a);
    crypt_derive("key", 1, b);
    CHECK_ROW("the same label and seed", memcmp(a, b, 32) == 0);
    crypt_derive("key", 2, b);
    CHECK_ROW("another seed", memcmp(a, b, 32) != 0);
    crypt_derive("kez", 1, b);
    CHECK_ROW("another label", memcmp(a, b, 32) != 0);
}

static void test_uuids(void)
{
    char id[UUID_TEXT], again[UUID_TEXT];

    /* RFC 4122's DNS namespace; the value is that of Python's uuid.uuid5(NAMESPACE_DNS, "python.org"). */
    crypt_uuid5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "python.org", id);
    CHECK_STR(id, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
    crypt_uuid5("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "python.org", again);
    CHECK_STR(again, id);
    crypt_uuid4(id);
    crypt_uuid4(again);
    CHECK_ROW("version and variant", strlen(id) == 36 && id[14] == '4' && strchr("89ab", id[19]));
    CHECK_ROW("random", strcmp(id, again) != 0);
}

static void test_base64(void)
{
    static const struct {
        const char *why, *text;
        enum base64_kind kind;
        const char *want;      /* NULL: refused */
    } rows[] = {
        {"nothing", "", BASE64_STANDARD, ""},
        {"one byte", "Zg==", BASE64_STANDARD, "f"},
        {"without its padding", "Zg", BASE64_STANDARD, "f"},
        {"two", "Zm8=", BASE64_STANDARD, "fo"},
        {"three", "Zm9v", BASE64_STANDARD, "foo"},
        {"more", "Zm9vYmFy", BASE64_STANDARD, "foobar"},
        {"its last two digits", "+/+/", BASE64_STANDARD, "\xFB\xFF\xBF"},
        {"the URL's last two digits", "-_-_", BASE64_URL, "\xFB\xFF\xBF"},
        {"padded, in a URL", "Zg==", BASE64_URL, "f"},
        {"the other alphabet", "-_-_", BASE64_STANDARD, NULL},
        {"the other alphabet, reversed", "+/+/", BASE64_URL, NULL},
        {"one character too many", "Zm9vY", BASE64_STANDARD, NULL},
        {"half the padding", "Zg=", BASE64_STANDARD, NULL},
        {"padding inside", "Zg==Zg==", BASE64_STANDARD, NULL},
        {"padding alone", "====", BASE64_STANDARD, NULL},
        {"a blank", "Zm 9", BASE64_STANDARD, NULL},
        {"a line end", "Zm9v\n", BASE64_STANDARD, NULL},
        {"bits left over", "Zh==", BASE64_STANDARD, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret got cleanup(secret_release) = {0};
        struct text back cleanup(text_release);
        struct err err = {0};
        int rc = crypt_base64_decode(rows[i].text, strlen(rows[i].text), rows[i].kind, &got, &err);

        text_init(&back, TEXT_CEILING);
        CHECK_ROW(rows[i].why, rc == (rows[i].want ? 0 : -ERR_INVALID));
        if (rc < 0) {
            CHECK_ROW("nothing is put out, and nothing of the text into the error",
                      !got.bytes && !strstr(err.text, "Z"));
            continue;
        }
        CHECK_STR(got.bytes, rows[i].want);
        crypt_base64_encode(&back, got.bytes, got.len, rows[i].kind);
        CHECK_ROW(rows[i].why, strncmp(text_str(&back), rows[i].text, strcspn(rows[i].text, "=")) == 0);
        CHECK_ROW("only the standard form is padded",
                  rows[i].kind == BASE64_STANDARD ? back.len % 4 == 0 : !strchr(text_str(&back), '='));
    }
}

static void test_base64_every_length(void)
{
    unsigned char bytes[256];

    for (size_t n = 0; n < sizeof(bytes); n++) {
        struct secret got cleanup(secret_release) = {0};
        struct text t cleanup(text_release);
        struct err err;

        bytes[n] = (unsigned char)(n * 151 + 7);
        text_init(&t, TEXT_CEILING);
        crypt_base64_encode(&t, bytes, n, n % 2 ? BASE64_URL : BASE64_STANDARD);
        CHECK(crypt_base64_decode(text_str(&t), t.len, n % 2 ? BASE64_URL : BASE64_STANDARD, &got, &err) == 0);
        CHECK(got.len == n && memcmp(got.bytes, bytes, n) == 0);
    }
}

static void test_secrets(void)
{
    struct secret s;
    char wiped[] = "password";

    secret_init(&s);
    secret_append(&s, "abc", 3);
    secret_append(&s, "", 0);
    CHECK_STR(s.bytes, "abc");
    for (int i = 0; i < 20000; i++)
        secret_append(&s, "x", 1);
    CHECK_ROW("growing keeps what is there", s.len == 20003 && s.room >= s.len && memcmp(s.bytes, "abcx", 4) == 0);
    CHECK_ROW("and the NUL behind it", strlen(s.bytes) == s.len);
    secret_set(&s, "new", 3);
    CHECK_STR(s.bytes, "new");
    CHECK_ROW("what was there before is gone", s.bytes[4] == 0 && s.bytes[100] == 0 && s.bytes[20002] == 0);
    secret_reserve(&s, 100000);
    CHECK_ROW("reserving keeps what is there", strcmp(s.bytes, "new") == 0 && s.room >= 100000);
    secret_release(&s);
    CHECK(!s.bytes && !s.len && !s.room);
    secret_release(&s);
    secret_wipe(wiped, sizeof(wiped));
    for (size_t i = 0; i < sizeof(wiped); i++)
        CHECK(wiped[i] == 0);
}

static void test_secret_file(void)
{
    char path[] = "/tmp/reinstate-secret-XXXXXX";
    int fd = mkstemp(path);
    struct secret s cleanup(secret_release) = {0};
    char block[10000];
    struct err err;

    memset(block, 'k', sizeof(block));
    CHECK(fd >= 0 && write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
    CHECK(secret_read_file(&s, path, sizeof(block), &err) == 0 && s.len == sizeof(block) && strlen(s.bytes) == s.len);
    CHECK_ROW("a byte too large", secret_read_file(&s, path, sizeof(block) - 1, &err) == -ERR_INVALID);
    CHECK_ROW("what was read before is untouched by a failure", s.len == sizeof(block));
    close(fd);
    unlink(path);
    CHECK(secret_read_file(&s, path, sizeof(block), &err) == -ERR_INVALID && strstr(err.text, path));
}

static void test_sealing(void)
{
    unsigned char key[32], other[32];
    struct secret sealed cleanup(secret_release) = {0}, again cleanup(secret_release) = {0},
                         open cleanup(secret_release) = {0};
    struct err err;

    crypt_derive("a", 1, key);
    crypt_derive("b", 1, other);
    crypt_seal(key, "vault/key", "the key itself", 14, &sealed);
    crypt_seal(key, "vault/key", "the key itself", 14, &again);
    CHECK_ROW("the same inputs, the same bytes",
              sealed.len == again.len && memcmp(sealed.bytes, again.bytes, sealed.len) == 0);
    crypt_seal(key, "vault/key", "the key itselg", 14, &again);
    CHECK_ROW("another text, another nonce", memcmp(sealed.bytes, again.bytes, 12) != 0);
    crypt_seal(key, "vault/kez", "the key itself", 14, &again);
    CHECK_ROW("another place, another nonce", memcmp(sealed.bytes, again.bytes, 12) != 0);
    CHECK(crypt_open(key, "vault/key", sealed.bytes, sealed.len, &open, &err) == 0);
    CHECK_STR(open.bytes, "the key itself");
    CHECK_ROW("another key", crypt_open(other, "vault/key", sealed.bytes, sealed.len, &open, &err) == -ERR_INVALID);
    CHECK_ROW("another place", crypt_open(key, "vault/other", sealed.bytes, sealed.len, &open, &err) == -ERR_INVALID);
    CHECK_ROW("cut short", crypt_open(key, "vault/key", sealed.bytes, sealed.len - 1, &open, &err) == -ERR_INVALID);
    CHECK_ROW("nothing at all", crypt_open(key, "vault/key", "", 0, &open, &err) == -ERR_INVALID);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.bytes[i] ^= 1;
        CHECK_ROW("any bit changed",
                  crypt_open(key, "vault/key", sealed.bytes, sealed.len, &open, &err) == -ERR_INVALID);
        sealed.bytes[i] ^= 1;
    }
    CHECK_STR(open.bytes, "the key itself");
    crypt_seal(key, "", NULL, 0, &sealed);
    CHECK_ROW("nothing can be sealed too",
              crypt_open(key, "", sealed.bytes, sealed.len, &open, &err) == 0 && open.len == 0);
}

/* The bytes of a certificate, to look for what must be in them. */
static void certificate_bytes(const char *pem, struct secret *ret)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    struct text digits cleanup(text_release);
    struct err err;

    text_init(&digits, TEXT_CEILING);
    CHECK(str_starts(pem, begin));
    for (const char *p = pem + sizeof(begin) - 1; *p && *p != '-'; p++)
        if (!isspace((unsigned char)*p))
            text_add_char(&digits, *p);
    CHECK(crypt_base64_decode(text_str(&digits), digits.len, BASE64_STANDARD, ret, &err) == 0);
}

static bool holds(const struct secret *s, const char *bytes, size_t n)
{
    return memmem(s->bytes, s->len, bytes, n) != NULL;
}

static void test_certificates(void)
{
    static const char *const names[] = {"localhost", "*.vault.localhost", NULL}, *const bad[] = {"a,IP:1.2.3.4", NULL};
    struct crypt_certificate c = {0};
    struct secret der cleanup(secret_release) = {0};
    struct err err;

    CHECK(crypt_make_certificate(names, &c, &err) == 0);
    certificate_bytes(text_str(&c.cert_pem), &der);
    CHECK_ROW("a wildcard for one service", holds(&der, "\x82\x11*.vault.localhost", 19));
    CHECK_ROW("127.0.0.1", holds(&der, "\x87\x04\x7F\0\0\x01", 6));
    CHECK_ROW("::1", holds(&der, "\x87\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 18));
    CHECK_ROW("for servers", holds(&der, "\x2B\x06\x01\x05\x05\x07\x03\x01", 8));
    CHECK_ROW("is no authority", !holds(&der, "\x55\x1D\x13\x01\x01\xFF\x04\x08\x30\x06\x01\x01\xFF", 13));
    certificate_bytes(text_str(&c.ca_pem), &der);
    CHECK_ROW("the authority is one, for no further ones",
              holds(&der, "\x55\x1D\x13\x01\x01\xFF\x04\x08\x30\x06\x01\x01\xFF\x02\x01\0", 16));
    CHECK(str_starts(c.key_pem.bytes, "-----BEGIN PRIVATE KEY-----"));
    crypt_certificate_release(&c);
    CHECK_ROW("a name that would smuggle in another", crypt_make_certificate(bad, &c, &err) == -ERR_INVALID);
}

int main(void)
{
    test_digests();
    test_uuids();
    test_base64();
    test_base64_every_length();
    test_secrets();
    test_secret_file();
    test_sealing();
    test_certificates();
    HARNESS_END();
}
