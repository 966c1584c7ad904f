/* Knows how a copy of a key gets into wiped memory: the user's own, or the one that Azure Backup has exported. Must not
 * restore it. */
#include <string.h>

#include "../keys/copies.h"
#include "key_parts.h"

const char *key_source_words(struct arena *a, const struct key_source *source)
{
    const struct key_copy *copy = source->copy;

    if (copy->kind == KEY_COPY_FILE)
        return arena_printf(a, "your own backup %s", copy->path);
    return copy->kind == KEY_COPY_ESCROW
               ? arena_printf(a, "the backup %s in escrow", value_str_at(copy->blob, "name"))
               : arena_printf(a, "the exported key of job %s", value_str_at(source->export, "job"));
}

/* *ret_read: the blob was read, whole and as it is kept, so what is wrong with it stays wrong. */
static int fetch_export(struct call *c, const struct actor *actor, struct azure *az, const struct value *export,
                        struct secret *ret, bool *ret_read, struct err *err)
{
    struct secret json cleanup(secret_release) = {0}, account_key cleanup(secret_release) = {0};
    const char *account = value_str_at(export, "account"), *account_id = value_str_at(export, "accountId");
    struct blob_place place = {
        .account = account,
        .container = value_str_at(export, "container"),
        .name = value_str_at(export, "blob"),
        .endpoint = value_str_at(export, "endpoint"),
        .judge = &blob_judge_export,
    };
    char type[128];
    int rc = blob_read(az, c, actor->arena, &place, NULL, BLOB_EXPORT_MAX, &json, err);

    if (rc < 0 && err->class == ERR_DENIED && err->http_status == 403 && account_id) {
        actor_say(actor, "no right to read blobs of %s with a token; trying the account's key", account);
        rc = blob_account_key(az, c, actor->arena, account_id, &account_key, err);
        if (rc == 0)
            rc = blob_read(az, c, actor->arena, &place, &account_key, BLOB_EXPORT_MAX, &json, err);
    }
    if (rc < 0) {
        err_note(err, "reading the exported key of job %s", value_str_at(export, "job"));
        return err->class == ERR_DENIED
                   ? err_advise(err, "grant Storage Blob Data Reader on storage account %s", account)
                   : err_advise(err, "nothing was restored; run again: it is read anew then");
    }
    *ret_read = true;
    return blob_cut_export(&json, ret, type, sizeof(type), err);
}

int key_source_fetch(struct call *c, const struct actor *actor, struct azure *az, const struct key_source *source,
                     struct secret *ret, bool *ret_read, struct err *err)
{
    return source->copy->kind != KEY_COPY_NONE ? key_fetch_copy(c, actor, az, source->copy, ret, err)
                                               : fetch_export(c, actor, az, source->export, ret, ret_read, err);
}

bool key_source_as_kept(struct call *c, const struct actor *actor, struct azure *az, const struct key_source *source,
                        struct secret *bytes, bool *ret_other)
{
    struct secret again cleanup(secret_release) = {0};
    struct err ignored;
    bool read;

    *ret_other = false;
    if (key_source_fetch(c, actor, az, source, &again, &read, &ignored) < 0)
        return false;
    *ret_other = again.len != bytes->len || memcmp(again.bytes, bytes->bytes, again.len) != 0;
    if (*ret_other)
        secret_set(bytes, again.bytes, again.len);
    return !*ret_other;
}
