/* Knows which cloud a document declares, whom the operator trusts to vouch for it, and whether the keys that are named
 * by URLs lie in it. Must not open anything. */
#include "session_parts.h"

#include <stdlib.h>

const struct cloud *session_declared_cloud(const struct document *azure)
{
    const char *name = value_str_at(azure->spec, "cloud");

    return cloud_builtin(name ? name : "AzurePublic");
}

int session_key_urls_check(struct session *s, const struct cloud *operators)
{
    const struct desired *d = s->estate.desired;
    struct key_url ignored;
    struct err err;

    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];

        for (size_t k = 0; k < doc->n_references; k++) {
            const struct reference *r = &doc->references[k];
            const struct cloud *cloud = operators         ? operators
                                        : doc->connection ? session_declared_cloud(doc->connection)
                                                          : NULL;

            if (r->url && cloud && cloud_parse_key_url(s->arena, cloud, r->url, &ignored, &err) < 0)
                diags_add(&s->diags, SEVERITY_ERROR, &r->origin, NULL, "%s: %s", r->path, err.text);
        }
    }
    return s->diags.n_errors ? err_set(&s->err, ERR_INVALID, "the manifests have faults") : 0;
}

const char *session_authorities(const struct cloud *cloud)
{
    const char *given = getenv("SSL_CERT_FILE");

    if (cloud && cloud->ca_file)
        return cloud->ca_file;
    return given && *given ? given : NULL;
}
