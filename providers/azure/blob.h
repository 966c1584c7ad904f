/* Blobs: reading the exported key, with a bearer token or an account key (SharedKey); and a container of the user's
 * own: what is in it, writing a blob, reading one that is no secret. */
#ifndef REINSTATE_BLOB_H
#define REINSTATE_BLOB_H

#include "arm.h"

enum { BLOB_EXPORT_MAX = 4 * 1024 * 1024 };

/* What a blob should hold, told from what came in its place. */
struct blob_judge {
    bool (*fits)(const struct secret *bytes, const void *ctx);
    const void *ctx;
};

struct blob_place {
    const char *endpoint; /* https://account.blob.core.windows.net, no slash at the end; a path is kept (emulators) */
    const char *account, *container, *name; /* name NULL: the container itself */
    const struct secret *account_key;       /* of the calls of blob_container.c: signs them; NULL: a bearer token */
    const struct blob_judge *judge;         /* of reads; NULL: whatever comes is the content */
};

/* A token may go to this URL: it belongs to the cloud's storage, in a DNS zone or without one. Pure. */
struct cloud;
bool blob_of_cloud(const struct cloud *cloud, const char *url);
/* May suspend. Where the account's blobs are, as the account itself says; where it cannot be asked (account_id NULL, or
 * refused), the address that an account without a DNS zone has. Without a slash at the end. ERR_CANCELLED alone. */
must_use int blob_endpoint(struct azure *az, struct call *c, struct arena *a, const char *account_id, const char *name,
                           const char **ret, struct err *err);

/* May suspend. Reads a whole blob of at most max bytes into wiped memory, cut to x-ms-meta-configblobsize when that is
 * sent, else with trailing NUL bytes and blanks stripped; a UTF-8 byte order mark is skipped. `account_key` NULL:
 * bearer token. A guarded read: it needs a permit that names the blob's host. ERR_NOT_FOUND, ERR_DENIED with the code
 * of x-ms-error-code, ERR_PROTOCOL when too large, or when what came cannot be judged.
 *
 * All reads: one answer 200 may be of a proxy, or cut. What does not fit the place's judge is read again, and returned
 * only once it has come twice the same, of the length and in the state that a HEAD tells. */
must_use int blob_read(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                       const struct secret *account_key, size_t max, struct secret *ret, struct err *err);
/* May suspend. HEAD with a bearer token: a read that shows nothing of the contents. ERR_DENIED when
 * it cannot be seen. */
must_use int blob_exists(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, bool *ret,
                         struct err *err);
/* May suspend. The first key of the account (POST listKeys: needs a permit), cut out without a JSON tree. */
must_use int blob_account_key(struct azure *az, struct call *c, struct arena *a, const char *account_id,
                              struct secret *ret, struct err *err);
/* The Authorization header of SharedKey for one request; pure. */
struct wire_header;
void blob_sign(const char *method, const char *account, const char *path, const char *query,
               const struct wire_header *headers, size_t n_headers, const struct secret *account_key, struct text *ret);

/* --- a container of the user's own (blob_container.c): with a bearer token, or with the place's account key ------- */

/* "https://ACCOUNT.blob…/CONTAINER" or "…/CONTAINER/BLOB" taken apart; the blob's name is NULL when there is none.
 * ERR_INVALID when it is no such URL, has a query, or does not belong to this cloud. Pure. */
must_use int blob_place_of_url(struct arena *a, const struct cloud *cloud, const char *url, struct blob_place *ret,
                               struct err *err);
/* May suspend. Makes the container, without public access; one that is there already is as good. A write
 * that needs a permit. */
must_use int blob_make_container(struct azure *az, struct call *c, struct arena *a, const struct blob_place *container,
                                 struct err *err);
/* May suspend. The container's blobs whose names begin with `prefix`: [{name, created,
 * modified, size, metadata {}}]. */
must_use int blob_list(struct azure *az, struct call *c, struct arena *a, const struct blob_place *container,
                       const char *prefix, struct value **ret, struct err *err);
/* May suspend. A blob that is no secret, and its etag: no permit is needed, since it is a plain read. */
must_use int blob_read_open(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                            size_t max, struct secret *ret, const char **ret_etag, struct err *err);
/* May suspend. A blob that is a secret, as it was put: nothing is cut off. A guarded read, like blob_read. */
must_use int blob_read_exact(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                             size_t max, struct secret *ret, struct err *err);

struct blob_content {
    const struct secret *bytes;
    const char *type;             /* media type */
    const struct value *metadata; /* map of texts; NULL: none */
    const char *etag;             /* replaces this state of the blob only; NULL: only where there is none yet */
};
/* May suspend. Puts a whole block blob: a write that needs a permit. ERR_CONFLICT: it is there already, or has changed
 * since. *ret_etag (may be NULL): the state that it has now. */
must_use int blob_write(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                        const struct blob_content *content, const char **ret_etag, struct err *err);

/* The exported key (Microsoft Learn, restore confidential VMs with Azure Backup, 2026-07-22): cuts
 * OsDiskEncryptionDetails.KeyBackupData out of the JSON without a tree and decodes it.
 * *ret_home is what KeyVaultResourceType says ("" when absent); ERR_PROTOCOL when bytes and type disagree. */
must_use int blob_cut_export(const struct secret *json, struct secret *ret_backup, char *ret_type, size_t type_room,
                             struct err *err);
/* Judges of what is read: an exported key, and a key's backup as it was put. */
extern const struct blob_judge blob_judge_export, blob_judge_backup;

#endif
