/* What may be asked about a Key document. Pure. */
#ifndef REINSTATE_KEY_FACTS_H
#define REINSTATE_KEY_FACTS_H

#include "key_documents.h"
#include "../documents/common.h"

/* The versioned URL of the key that a reference field names: known, unknown until apply, or NULL
 * without such a field. */
const struct value *key_wanted_url(const struct view *v, const struct document *doc, const char *path);
/* The version declared, else the one that the ordered points need (original.h), else the newest; NULL when none is
 * known, or when the evidence disagrees. */
const char *key_wanted_version(const struct view *v, const struct document *key);
/* What Azure shows of that version; NULL when it is not there. */
const struct value *key_live(const struct view *v, const struct document *key);

/* Whether that version is enabled, and its dates, as Azure shows them of a key that is there, or of the newest version
 * of one that is soft-deleted: it comes back with them. `version` NULL: the one that is shown. NULL: it is not seen. */
const struct value *key_attributes(const struct view *v, const struct document *key, const char *version);
/* When its version is declared to expire, in seconds; 0: nothing is declared, or a time that has passed. */
int64_t key_declared_expiry(const struct view *v, const struct document *key);
/* When that version of it expires, or will once what is declared is done, in seconds; 0: never, or it is not seen. */
int64_t key_expiry(const struct view *v, const struct document *key, const char *version);

/* When a soft-deleted key is purged, in milliseconds; TIME_NONE: Azure does not say, or says what is no time. */
int64_t key_purge_ms(const struct view *v, const struct document *key);
/* "it is purged at T", or "when it is purged cannot be seen". */
const char *purge_words(struct arena *a, int64_t purge_ms);

/* What Azure shows of a key that is there or soft-deleted; NULL: its bundle was not seen. */
const struct value *key_shown(const struct view *v, const struct document *key);
/* Its permitted operations leave out wrapKey or unwrapKey, which can be added to a key that is there. */
bool key_ops_short(const struct view *v, const struct document *key);
/* Why it can never protect a confidential VM, be it there or soft-deleted: none of this can be added to a key. NULL: it
 * can, or that cannot be seen. */
const char *key_unfit(const struct view *v, const struct document *key);

/* Its release policy names this attestation authority (a region's): only then can a confidential VM
 * there be given the key. */
bool key_releases_to(struct arena *a, const struct value *bundle, const char *attest_uri);

/* What was found of the very key that is needed in the store its machine last used {state, base, name, version,
 * created}. NULL: nothing, or another version: the machine has moved on to another key since, and this one is lost. */
const struct value *key_elsewhere(const struct view *v, const struct document *key);
/* The store in which the key still is although it is declared in another; NULL. Then nothing is lost. */
const char *key_still_elsewhere(const struct view *v, const struct document *key);

const char *key_address(const struct view *v, const struct document *key);
/* [{version, created, enabled, exp, nbf}] of the data plane's list of versions. */
struct value *key_versions(struct arena *a, const struct value *list);
/* Notes at a step that more than one version may be meant, and by which evidence. */
void key_note_evidence(const struct view *v, const struct document *key, struct steps *out, struct step *step);

#endif
