/* Digests, encodings, random numbers, secrets in memory, and what the simulated Azure needs of real cryptography.
 * The only user of OpenSSL. */
#ifndef REINSTATE_CRYPT_H
#define REINSTATE_CRYPT_H

#include "../base/err.h"
#include "../base/text.h"

/* --- secrets ------------------------------------------------------------------------------------------------------ */

/* Bytes that must not outlive their use: kept on pages of their own that are left out of core files (MADV_DONTDUMP),
 * locked where allowed, and overwritten on release. `bytes` is always NUL-terminated behind `len`. */
struct secret {
    char *bytes;
    size_t len, room;
};

void secret_init(struct secret *s);
void secret_reserve(struct secret *s, size_t room);                  /* keeps contents */
void secret_append(struct secret *s, const char *bytes, size_t n);
void secret_set(struct secret *s, const char *bytes, size_t n);
void secret_release(struct secret *s);                               /* wipes; for cleanup() */
/* Reads a whole ordinary file straight into a secret, so that no other copy exists; ERR_INVALID when it cannot be read,
 * is a device or a pipe, or is larger than `ceiling`. */
must_use int secret_read_file(struct secret *ret, const char *path, size_t ceiling, struct err *err);
/* Overwrites with asterisks whatever of `in` repeats `secret`, whole or its first `least` bytes and as much as
 * follows. */
void secret_mask(struct secret *in, const char *secret, size_t len, size_t least);
/* Overwrites memory in a way the compiler keeps. */
void secret_wipe(void *p, size_t n);
/* From now on OpenSSL's memory (decrypted records, keys) is base/wipe.h's. Before any other use of OpenSSL. */
void crypt_guard_memory(void);

/* --- digests and encodings ---------------------------------------------------------------------------------------- */

enum { SHA256_HEX = 65, UUID_TEXT = 37 };

/* The same of what comes in parts; crypt_digest_hex ends it and frees it. */
struct crypt_digest;
struct crypt_digest *crypt_digest_new(void);
void crypt_digest_add(struct crypt_digest *d, const void *bytes, size_t len);
void crypt_digest_hex(struct crypt_digest *d, char ret[SHA256_HEX]);
void crypt_sha256_hex(const void *bytes, size_t len, char ret[SHA256_HEX]);
/* Base64 (standard, padded) of HMAC-SHA-256: Azure Storage's SharedKey. */
void crypt_hmac_sha256_base64(const void *key, size_t key_len, const void *bytes, size_t len, struct text *ret);

enum base64_kind { BASE64_STANDARD, BASE64_URL /* no padding */ };
void crypt_base64_encode(struct text *out, const void *bytes, size_t len, enum base64_kind kind);
/* Accepts padding or its absence; ERR_INVALID for anything else that does not belong. Result in
 * `ret` (initialised by the caller). */
must_use int crypt_base64_decode(const char *s, size_t len, enum base64_kind kind, struct secret *ret, struct err *err);

/* Version 5 UUID (RFC 4122) of name within the namespace UUID given as text: deterministic names. */
void crypt_uuid5(const char *namespace_uuid, const char *name, char ret[UUID_TEXT]);
void crypt_uuid4(char ret[UUID_TEXT]);                                 /* random; client request ids */
void crypt_random(void *ret, size_t n);

/* --- a client's certificate --------------------------------------------------------------------------------------- */

/* A certificate and its private RSA key, with which a client proves who it is. */
struct crypt_identity;
/* From PEM (both of them, in any order) or PKCS#12. `password` NULL: none. ERR_INVALID says what is missing. */
must_use int crypt_identity_open(const struct secret *file, const char *password, struct crypt_identity **ret,
                                 struct err *err);
void crypt_identity_freep(struct crypt_identity **id); /* for cleanup() */
/* SHA-256 of the certificate in base64url: "x5t#S256" of RFC 7515. */
void crypt_identity_thumbprint(const struct crypt_identity *id, struct text *ret);
/* The certificate (0), or one that stands with it, in base64; false beyond the last. */
bool crypt_identity_certificate(const struct crypt_identity *id, size_t i, struct text *ret);
/* RSA over SHA-256: PS256 of RFC 7518, or RS256. */
void crypt_identity_sign(const struct crypt_identity *id, bool pss, const void *bytes, size_t len, struct secret *ret);
/* Did the key of this certificate sign these bytes? Then also its thumbprint. */
bool crypt_signed_by(const char *certificate_pem, bool pss, const void *bytes, size_t len,
                     const struct secret *signature, struct text *ret_thumbprint);

/* --- for the simulated Azure -------------------------------------------------------------------------------------- */

/* AES-256-GCM with a nonce derived from key, `aad` and plain text, so that the same inputs give the same bytes; `aad`
 * binds what the blob may be opened for. Output: nonce || ciphertext || tag. */
void crypt_seal(const unsigned char key[32], const char *aad, const void *plain, size_t len, struct secret *ret);
/* ERR_INVALID when key, aad or bytes do not fit together. */
must_use int crypt_open(const unsigned char key[32], const char *aad, const void *sealed, size_t len,
                        struct secret *ret, struct err *err);
/* 32 bytes derived from a label and a seed (SHA-256). */
void crypt_derive(const char *label, uint64_t seed, unsigned char ret[32]);

/* A new certificate authority and a server certificate signed by it, for the DNS names (NULL-terminated; wildcards
 * allowed) and 127.0.0.1 and ::1, as PEM. EC P-256 keys; valid from a day ago for ten days. */
struct crypt_certificate {
    struct text ca_pem, cert_pem;
    struct secret key_pem;
};
must_use int crypt_make_certificate(const char *const *dns_names, struct crypt_certificate *ret, struct err *err);
void crypt_certificate_release(struct crypt_certificate *c);

#endif
