/* Knows digests, encodings, random bytes, wiping and certificates, all of it OpenSSL's. Must not know what
 * any of the bytes are for, and puts none of them into an error. A failure that only a bug or an exhausted machine can
 * cause stops the program: no caller could go on safely without random bytes or digests. */
#include "crypt.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/wipe.h"
#include "hex.h"

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

/* --- digests and encodings ---------------------------------------------------------------------------------------- */

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

/* --- a client's certificate --------------------------------------------------------------------------------------- */

struct crypt_identity {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) *others;
};

void crypt_identity_freep(struct crypt_identity **id)
{
    if (!*id)
        return;
    EVP_PKEY_free((*id)->key);
    X509_free((*id)->certificate);
    sk_X509_pop_free((*id)->others, X509_free);
    free(*id);
}

/* Never asks at the terminal. */
static int password_give(char *ret, int room, int writing, void *arg)
{
    const char *password = arg;
    int n = password ? (int)strlen(password) : 0;

    (void)writing;
    if (n > room)
        return -1;
    memcpy(ret, password ? password : "", (size_t)n);
    return n;
}

static void read_pem(struct crypt_identity *id, const struct secret *file, const char *password)
{
    BIO *memory cleanup(bio_freep) = BIO_new_mem_buf(file->bytes, (int)file->len);
    X509 *next;

    must(memory != NULL);
    id->key = PEM_read_bio_PrivateKey(memory, NULL, password_give, (void *)(uintptr_t)password);
    (void)BIO_reset(memory);
    while ((next = PEM_read_bio_X509(memory, NULL, password_give, NULL))) {
        if (!id->certificate && id->key && X509_check_private_key(next, id->key) == 1)
            id->certificate = next;
        else
            must(sk_X509_push(id->others, next) > 0);
    }
}

static void read_pkcs12(struct crypt_identity *id, const struct secret *file, const char *password)
{
    BIO *memory cleanup(bio_freep) = BIO_new_mem_buf(file->bytes, (int)file->len);
    PKCS12 *p = memory ? d2i_PKCS12_bio(memory, NULL) : NULL;

    must(memory != NULL);
    if (p)
        PKCS12_parse(p, password ? password : "", &id->key, &id->certificate, &id->others);
    PKCS12_free(p);
}

int crypt_identity_open(const struct secret *file, const char *password, struct crypt_identity **ret, struct err *err)
{
    struct crypt_identity *id cleanup(crypt_identity_freep) = xcalloc(1, sizeof(*id));
    bool pem = file->len && str_find_nocase(file->bytes, "-----BEGIN ");

    if (file->len > INT32_MAX)
        return err_set(err, ERR_INVALID, "too large for a certificate");
    id->others = sk_X509_new_null();
    must(id->others != NULL);
    if (pem)
        read_pem(id, file, password);
    else
        read_pkcs12(id, file, password);
    ERR_clear_error();
    if (!id->key || !id->certificate)
        return err_set(err, ERR_INVALID, "%s, or the password is not its own",
                       pem ? "no PEM text with a private key and its certificate"
                           : "neither PEM nor PKCS#12 with a private key and its certificate");
    if (!EVP_PKEY_is_a(id->key, "RSA"))
        return err_set(err, ERR_INVALID, "the key is no RSA key, and Entra takes no other");
    *ret = id;
    id = NULL;
    return 0;
}

static void thumbprint(const X509 *certificate, struct text *ret)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned int n = sizeof(digest);

    must(X509_digest(certificate, EVP_sha256(), digest, &n) == 1);
    crypt_base64_encode(ret, digest, n, BASE64_URL);
}

void crypt_identity_thumbprint(const struct crypt_identity *id, struct text *ret)
{
    thumbprint(id->certificate, ret);
}

bool crypt_identity_certificate(const struct crypt_identity *id, size_t i, struct text *ret)
{
    X509 *one = i == 0 ? id->certificate : sk_X509_value(id->others, (int)i - 1);
    unsigned char *bytes = NULL;
    int n = one ? i2d_X509(one, &bytes) : 0;

    if (n > 0)
        crypt_base64_encode(ret, bytes, (size_t)n, BASE64_STANDARD);
    OPENSSL_free(bytes);
    return n > 0;
}

static bool pad(EVP_PKEY_CTX *ctx, bool pss)
{
    if (!pss)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

void crypt_identity_sign(const struct crypt_identity *id, bool pss, const void *bytes, size_t len, struct secret *ret)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;
    size_t n = (size_t)EVP_PKEY_get_size(id->key);

    secret_reserve(ret, n);
    must(ctx && EVP_DigestSignInit(ctx, &key, EVP_sha256(), NULL, id->key) == 1 && pad(key, pss) &&
         EVP_DigestSign(ctx, (unsigned char *)ret->bytes, &n, bytes, len) == 1);
    ret->len = n;
    ret->bytes[n] = '\0';
    EVP_MD_CTX_free(ctx);
}

bool crypt_signed_by(const char *certificate_pem, bool pss, const void *bytes, size_t len,
                     const struct secret *signature, struct text *ret_thumbprint)
{
    BIO *memory cleanup(bio_freep) = BIO_new_mem_buf(certificate_pem, -1);
    X509 *certificate cleanup(x509_freep) = memory ? PEM_read_bio_X509(memory, NULL, password_give, NULL) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;
    bool ret;

    must(ctx != NULL);
    ret = certificate &&
          EVP_DigestVerifyInit(ctx, &key, EVP_sha256(), NULL, X509_get0_pubkey(certificate)) == 1 && pad(key, pss) &&
          EVP_DigestVerify(ctx, (const unsigned char *)signature->bytes, signature->len, bytes, len) == 1;
    if (ret)
        thumbprint(certificate, ret_thumbprint);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ret;
}
