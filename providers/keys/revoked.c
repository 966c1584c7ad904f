/* Knows which version of a key is revoked. Must not know which version is needed. */
#include "key_documents.h"
#include "shown.h"
#include "standing.h"

#include "../azure/key_id.h"

static const char *revokes(const struct document *doc, const char *version)
{
    const char *its = value_str_at(doc->spec, "version"), *reason = value_str_at(doc->spec, "revoked.reason");

    return reason && (!its || !version || str_eq_nocase(its, version)) ? reason : NULL;
}

const char *key_revoked_at(const struct view *v, const char *url)
{
    const char *reason = NULL, *version = key_url_version(v->arena, url);

    const struct index_entry *at = NULL;
    const struct document *doc;

    /* An address without a version is that of the newest one. */
    while (!reason && (doc = key_at_next(v, url, &at)))
        reason = revokes(doc, version ? version : value_str_at(view_facts(v, doc), "newest"));
    return reason;
}

const char *key_version_revoked(const struct view *v, const struct document *key, const char *version)
{
    const char *reason = value_str_at(key->spec, "revoked.reason");
    const struct index_entry *at = NULL;
    const struct document *doc;

    while (!reason && (doc = key_same_next(v, key, &at)))
        if (doc != key)
            reason = revokes(doc, version);
    return reason;
}
