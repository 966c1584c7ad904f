/* Knows digests, encodings, random bytes, wiping and certificates, all of it OpenSSL's. Must not know what
 * any of the bytes are for, and puts none of them into an error. A failure that only a bug or an exhausted machine can
 * cause stops the program: no caller could go on safely without random bytes or digests. */
#include "crypt.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/wipe.h"

enum { NONCE_BYTES = 12, TAG_BYTES = 16 };

static void must(bool worked)
{
    if (!worked)
        out_of_memory(", or the cryptographic library does not work");
}

/* --- OpenSSL's own memory ----------------------------------------------------------------------------------------- */

static void *openssl_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return n ? wipe_malloc(n) : NULL;
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return wipe_realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    wipe_free(p);
}

void crypt_guard_memory(void)
{
    must(CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free));
}

void secret_wipe(void *p, size_t n)
{
    if (n)
        OPENSSL_cleanse(p, n);
}

/* --- digests and encodings ---------------------------------------------------------------------------------------- */

static void hex_encode(const unsigned char *bytes, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * n] = '\0';
}

void crypt_sha256_hex(const void *bytes, size_t len, char ret[SHA256_HEX])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    must(EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL));
    hex_encode(digest, sizeof(digest), ret);
}

struct crypt_digest {
    EVP_MD_CTX *ctx;
};

struct crypt_digest *crypt_digest_new(void)
{
    struct crypt_digest *d = xcalloc(1, sizeof(*d));

    d->ctx = EVP_MD_CTX_new();
    must(d->ctx && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
    return d;
}

void crypt_digest_add(struct crypt_digest *d, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(d->ctx, bytes, len));
}

void crypt_digest_hex(struct crypt_digest *d, char ret[SHA256_HEX])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    must(EVP_DigestFinal_ex(d->ctx, digest, NULL));
    hex_encode(digest, sizeof(digest), ret);
    EVP_MD_CTX_free(d->ctx);
    free(d);
}

void crypt_hmac_sha256_base64(const void *key, size_t key_len, const void *bytes, size_t len, struct text *ret)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    assert(key_len <= INT32_MAX);
    must(HMAC(EVP_sha256(), key, (int)key_len, bytes, len, digest, NULL) != NULL);
    crypt_base64_encode(ret, digest, sizeof(digest), BASE64_STANDARD);
}

static const char alphabets[][65] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void crypt_base64_encode(struct text *out, const void *bytes, size_t len, enum base64_kind kind)
{
    const unsigned char *p = bytes;
    const char *digits = alphabets[kind];

    for (; len > 0; p += 3, len -= len < 3 ? len : 3) {
        uint32_t group = (uint32_t)p[0] << 16 | (len > 1 ? (uint32_t)p[1] << 8 : 0) | (len > 2 ? p[2] : 0);
        char quad[4] = {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63], digits[group & 63]};
        size_t used = len >= 3 ? 4 : len + 1;

        text_add_n(out, quad, used);
        if (kind == BASE64_STANDARD)
            text_add_n(out, "==", 4 - used);
    }
}

int crypt_base64_decode(const char *s, size_t len, enum base64_kind kind, struct secret *ret, struct err *err)
{
    struct secret out cleanup(secret_release) = {0};
    size_t padded = len;
    uint32_t group = 0;

    while (len > 0 && padded - len < 2 && s[len - 1] == '=')
        len--;
    if (len % 4 == 1 || (padded != len && padded % 4 != 0))
        return err_set(err, ERR_INVALID, "not base64: %zu characters do not add up", padded);
    secret_reserve(&out, len / 4 * 3 + 3);
    for (size_t i = 0; i < len; i++) {
        const char *at = s[i] ? strchr(alphabets[kind], s[i]) : NULL;

        if (!at)
            return err_set(err, ERR_INVALID, "not base64: character %zu does not belong", i + 1);
        group = group << 6 | (uint32_t)(at - alphabets[kind]);
        if (i % 4 != 0)
            out.bytes[out.len++] = (char)(group >> (6 - 2 * (i % 4)));
    }
    /* The bits left over must be zero, or two texts would stand for the same bytes. */
    if ((len % 4 == 2 && group & 15) || (len % 4 == 3 && group & 3))
        return err_set(err, ERR_INVALID, "not base64: the last character does not belong");
    secret_set(ret, out.bytes, out.len);
    return 0;
}

static void uuid_format(unsigned char bytes[16], unsigned version, char ret[UUID_TEXT])
{
    char hex[33];

    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    hex_encode(bytes, 16, hex);
    snprintf(ret, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Digits that are missing count as zero. */
static void uuid_bytes(const char *text, unsigned char ret[16])
{
    size_t n = 0;

    memset(ret, 0, 16);
    for (; *text && n < 32; text++) {
        char c = *text;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            continue;
        ret[n / 2] = (unsigned char)(ret[n / 2] | digit << (n % 2 ? 0 : 4));
        n++;
    }
}

static void digest_two(const EVP_MD *md, const void *a, size_t a_len, const void *b, size_t b_len, unsigned char *ret)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    must(ctx && EVP_DigestInit_ex(ctx, md, NULL) && EVP_DigestUpdate(ctx, a, a_len) &&
         EVP_DigestUpdate(ctx, b, b_len) && EVP_DigestFinal_ex(ctx, ret, NULL));
    EVP_MD_CTX_free(ctx);
}

void crypt_uuid5(const char *namespace_uuid, const char *name, char ret[UUID_TEXT])
{
    unsigned char space[16], digest[SHA_DIGEST_LENGTH];

    uuid_bytes(namespace_uuid, space);
    digest_two(EVP_sha1(), space, sizeof(space), name, strlen(name), digest);
    uuid_format(digest, 5, ret);
}

void crypt_random(void *ret, size_t n)
{
    assert(n <= INT32_MAX);
    must(RAND_bytes(ret, (int)n) == 1);
}

void crypt_uuid4(char ret[UUID_TEXT])
{
    unsigned char bytes[16];

    crypt_random(bytes, sizeof(bytes));
    uuid_format(bytes, 4, ret);
}

/* --- sealing ------------------------------------------------------------------------------------------------------ */

static void cipher_freep(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

void crypt_seal(const unsigned char key[32], const char *aad, const void *plain, size_t len, struct secret *ret)
{
    EVP_CIPHER_CTX *ctx cleanup(cipher_freep) = EVP_CIPHER_CTX_new();
    struct secret out cleanup(secret_release) = {0};
    unsigned char *nonce, *body;
    unsigned char digest[32];
    int n = 0;

    assert(len <= INT32_MAX - 64);
    secret_reserve(&out, NONCE_BYTES + len + TAG_BYTES);
    nonce = (unsigned char *)out.bytes;
    body = nonce + NONCE_BYTES;
    /* Out of what is sealed: a simulated world gives the same bytes to the same requests, and no
     * nonce serves two texts. */
    digest_two(EVP_sha256(), aad, strlen(aad) + 1, plain ? plain : "", len, digest);
    digest_two(EVP_sha256(), key, 32, digest, sizeof(digest), digest);
    memcpy(nonce, digest, NONCE_BYTES);
    must(ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) &&
         EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)));
    must(len == 0 || EVP_EncryptUpdate(ctx, body, &n, plain, (int)len));
    must(EVP_EncryptFinal_ex(ctx, body + len, &n) &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + len));
    secret_set(ret, out.bytes, NONCE_BYTES + len + TAG_BYTES);
}

int crypt_open(const unsigned char key[32], const char *aad, const void *sealed, size_t len, struct secret *ret,
               struct err *err)
{
    EVP_CIPHER_CTX *ctx cleanup(cipher_freep) = EVP_CIPHER_CTX_new();
    struct secret out cleanup(secret_release) = {0};
    const unsigned char *nonce = sealed, *body = nonce + NONCE_BYTES;
    size_t plain;
    int n = 0;

    if (len < NONCE_BYTES + TAG_BYTES || len > INT32_MAX)
        return err_set(err, ERR_INVALID, "the sealed bytes are too short or too long");
    plain = len - NONCE_BYTES - TAG_BYTES;
    secret_reserve(&out, plain);
    must(ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) &&
         EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)));
    must(plain == 0 || EVP_DecryptUpdate(ctx, (unsigned char *)out.bytes, &n, body, (int)plain));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, (void *)(uintptr_t)(body + plain)));
    if (EVP_DecryptFinal_ex(ctx, (unsigned char *)out.bytes + plain, &n) != 1)
        return err_set(err, ERR_INVALID, "the sealed bytes were changed or belong elsewhere");
    secret_set(ret, out.bytes, plain);
    return 0;
}

void crypt_derive(const char *label, uint64_t seed, unsigned char ret[32])
{
    unsigned char number[8];

    for (size_t i = 0; i < sizeof(number); i++)
        number[i] = (unsigned char)(seed >> (56 - 8 * i));
    /* The label's NUL keeps label and seed apart. */
    digest_two(EVP_sha256(), label, strlen(label) + 1, number, sizeof(number), ret);
}

/* --- certificates ------------------------------------------------------------------------------------------------- */

static void pkey_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void x509_freep(X509 **x)
{
    X509_free(*x);
}

static void bio_freep(BIO **b)
{
    BIO_free(*b);
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;
    bool added;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
    added = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

/* A certificate without extensions and signature. `issuer` NULL: it will sign itself. */
static X509 *certificate_begin(EVP_PKEY *key, const char *common_name, const X509 *issuer)
{
    X509 *cert = X509_new();
    X509_NAME *name;
    uint64_t serial;

    must(cert != NULL);
    crypt_random(&serial, sizeof(serial));
    serial >>= 1;
    name = X509_get_subject_name(cert);
    must(X509_set_version(cert, X509_VERSION_3) && X509_set_pubkey(cert, key) &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial) &&
         X509_gmtime_adj(X509_getm_notBefore(cert), -24L * 3600) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), 9L * 24 * 3600) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) &&
         X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name));
    return cert;
}

static void pem_text(BIO *memory, struct text *ret)
{
    char *bytes;
    long n = BIO_get_mem_data(memory, &bytes);

    text_init(ret, TEXT_CEILING);
    text_add_n(ret, bytes, (size_t)n);
}

static void certificate_pem(X509 *cert, struct text *ret)
{
    BIO *memory cleanup(bio_freep) = BIO_new(BIO_s_mem());

    must(memory && PEM_write_bio_X509(memory, cert));
    pem_text(memory, ret);
}

static void key_pem(EVP_PKEY *key, struct secret *ret)
{
    /* A secmem BIO cleanses its buffer when it is freed and when it grows. */
    BIO *memory cleanup(bio_freep) = BIO_new(BIO_s_secmem());
    char *bytes;
    long n;

    must(memory && PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL));
    n = BIO_get_mem_data(memory, &bytes);
    secret_init(ret);
    secret_set(ret, bytes, (size_t)n);
}

static int alternative_names(const char *const *dns_names, struct text *ret, struct err *err)
{
    text_add(ret, "IP:127.0.0.1,IP:::1");
    for (; *dns_names; dns_names++) {
        size_t n = strlen(*dns_names);

        /* A comma would begin another name of any kind. */
        if (n == 0 || n > 253 ||
            strspn(*dns_names, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*") != n)
            return err_set(err, ERR_INVALID, "a DNS name for a certificate holds characters that cannot be in one");
        text_printf(ret, ",DNS:%s", *dns_names);
    }
    return 0;
}

int crypt_make_certificate(const char *const *dns_names, struct crypt_certificate *ret, struct err *err)
{
    EVP_PKEY *ca_key cleanup(pkey_freep) = EVP_EC_gen("P-256"), *key cleanup(pkey_freep) = EVP_EC_gen("P-256");
    X509 *ca cleanup(x509_freep) = NULL, *cert cleanup(x509_freep) = NULL;
    struct text names cleanup(text_release);

    text_init(&names, TEXT_CEILING);
    must(ca_key && key);
    TRY(alternative_names(dns_names, &names, err));
    ca = certificate_begin(ca_key, "reinstate simulated Azure CA", NULL);
    must(add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         add_extension(ca, ca, NID_subject_key_identifier, "hash") && X509_sign(ca, ca_key, EVP_sha256()));
    cert = certificate_begin(key, "reinstate simulated Azure", ca);
    must(add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") &&
         add_extension(cert, ca, NID_ext_key_usage, "serverAuth") &&
         add_extension(cert, ca, NID_subject_key_identifier, "hash") &&
         add_extension(cert, ca, NID_authority_key_identifier, "keyid"));
    if (!add_extension(cert, ca, NID_subject_alt_name, text_str(&names)))
        return err_set(err, ERR_INVALID, "the DNS names do not make a certificate");
    must(X509_sign(cert, ca_key, EVP_sha256()) != 0);
    certificate_pem(ca, &ret->ca_pem);
    certificate_pem(cert, &ret->cert_pem);
    key_pem(key, &ret->key_pem);
    return 0;
}

void crypt_certificate_release(struct crypt_certificate *c)
{
    text_release(&c->ca_pem);
    text_release(&c->cert_pem);
    secret_release(&c->key_pem);
}
