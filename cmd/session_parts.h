/* What the files of a session share: the parts that it is put together of. Nobody else includes it. */
#ifndef REINSTATE_SESSION_PARTS_H
#define REINSTATE_SESSION_PARTS_H

#include "session.h"

enum { HALF_SECOND_MS = SECOND_MS / 2 }; /* so that a division by a second rounds */

const struct cloud *session_declared_cloud(const struct document *azure);
/* A key that no document declares is named by its URL: its host must be a key vault of the cloud in use. */
must_use int session_key_urls_check(struct session *s, const struct cloud *operators);
/* Whom the operator trusts: the cloud file's own authorities, else those of SSL_CERT_FILE, which a company behind a
 * proxy that opens TLS sets for all its tools; NULL: the system's. */
const char *session_authorities(const struct cloud *cloud);
void session_clock_set(struct session *s, const struct cloud *operators);
const struct document *session_first_azure(const struct session *s);
const char *session_said_where(struct arena *a, const struct document *doc);
void session_handles_make(struct session *s, const struct cloud *operators);
/* A manifest alone must not decide where a secret goes. What is given as a domain's name cannot be compared. */
must_use int session_tenants_check(const struct session *s, const struct desired *d, struct err *err);
/* Where only asking tells which credential does: asks, before anything is looked at. */
must_use int session_sign_in(struct session *s, struct azure *azure);
void session_engine_set(struct session *s);
/* Listens to a run's events (ctx: the struct events), so that an interrupt is answered at once. */
void session_heed(void *ctx, const struct event *event);
/* The hook of kind.h: why a document is not what its file says now. `session`: a struct session. */
const char *session_changed(void *session, struct arena *a, const struct document *doc);
/* Credential, clock, wire and client, for whatever is asked over them. `declared`: the cloud, unless the operator's
 * file says another. */
must_use int session_link_open(struct session *s, enum http_mode mode, const struct cloud *declared,
                               const struct cloud *operators);
must_use int session_operators_cloud_read(struct session *s, const struct cloud **ret);

#endif
