/* Whether what a Key document declares can be meant: the key is revoked, or the key that bears its name is not the
 * declared one. One conclusion for every caller, so that nothing is granted on, built on or restored with such a key.
 * Pure. */
#ifndef REINSTATE_KEY_STANDING_H
#define REINSTATE_KEY_STANDING_H

#include "../documents/common.h"

enum key_stand {
    KEY_STANDS,     /* nothing that was seen speaks against the declaration */
    KEY_REVOKED,    /* declared so, by this document or by another one of the same key */
    KEY_IMPOSTOR,   /* a key of its name is there, and it is another key */
    KEY_NEVER_SEEN, /* the declared version was never seen anywhere: the declaration is wrong, not the key */
    KEY_MISNAMED    /* the wanted version is seen under another name: the declaration is wrong, not the key */
};

#define KEY_TAKEN_ADVICE                                                                                               \
    "a person decides: declare another key vault for the old key, which a copy brings back there; nothing is deleted " \
    "here"

struct key_standing {
    enum key_stand stand;
    const char *words, *next; /* what was seen, and what a person does; NULL with KEY_STANDS */
    const char *meant;        /* KEY_NEVER_SEEN: the version that what was seen points to; NULL */
};

/* `version`: the one the key is needed in, as its caller knows it; NULL: the declared one. */
struct key_standing key_standing_of(const struct view *v, const struct document *key, const char *version);

/* The reason for which the key of this document, or of that versioned URL, is revoked; NULL: it is not. */
const char *key_revoked(const struct view *v, const struct document *key);
const char *key_revoked_at(const struct view *v, const char *url);
/* The address at which the wanted version of this key is seen under another name; NULL: nowhere. A version is one key's
 * alone, and a restored key keeps its name, so that the declared name is wrong. `version`, `ret_by`: may be NULL; what
 * shows it. */
const char *key_misnamed(const struct view *v, const struct document *key, const char *version, const char **ret_by);
/* The document of the key at a URL: the one that names its version, else one that names none, else
 * of any version; NULL. */
const struct document *key_document_at(const struct view *v, const char *url);

/* Whether a document asks for something on this key: a set on it, also by its address, or a grant that reaches it. */
bool key_relied_on(const struct view *v, const struct document *key);

/* The versions of a list of {version, created}, with their dates, newest first:
 * "9d1e… (2026-11-20T00:00:00Z), 4b6a… (…)". */
const char *key_versions_words(struct arena *a, const struct value *versions);

/* Makes a grant rely on the keys it reaches: on the one of that name in the store, else (NULL) on those of the whole
 * store, when none of them may be used. */
void key_guard_grant(const struct view *v, struct steps *out, struct step *step, const struct document *store,
                     const char *key_name);

#endif
