/* What other kinds may ask about a Key document. Pure. */
#ifndef REINSTATE_KEY_DOCUMENT_H
#define REINSTATE_KEY_DOCUMENT_H

#include "common.h"

/* The versioned URL of the key that a reference field names: known, unknown until apply, or NULL without such a field. */
const struct value *key_wanted_url(const struct view *v, const struct document *doc, const char *path);
/* The version declared, else the one that the ordered points need (original_key.h), else the newest; NULL when none is
 * known, or when the evidence disagrees. */
const char *key_wanted_version(const struct view *v, const struct document *key);
/* What Azure shows of that version; NULL when it is not there. */
const struct value *key_live(const struct view *v, const struct document *key);

/* Its release policy names this attestation authority (a region's): only then can a confidential VM there be given the key. */
bool key_releases_to(struct arena *a, const struct value *bundle, const char *attest_uri);

/* A copy of the key that the user has and that can be used now: the cheapest way to bring a lost one back. */
enum key_copy_kind { KEY_COPY_NONE, KEY_COPY_FILE, KEY_COPY_ESCROW };
struct key_copy {
    enum key_copy_kind kind;
    const char *path;         /* of a file */
    const struct value *blob; /* of the escrow's facts */
};
struct key_copy key_own_copy(const struct view *v, const struct document *key);
/* The n-th of them, in the order in which they are tried; KEY_COPY_NONE after the last. */
struct key_copy key_own_copy_at(const struct view *v, const struct document *key, size_t n);
/* Of a Key's facts: its escrow holds a backup of the newest version. */
bool key_escrowed(const struct value *facts);
/* The store in which the key still is although it is declared in another; NULL. Then nothing is lost. */
const char *key_still_elsewhere(const struct view *v, const struct document *key);

#endif
