/* Knows the copies of a key that the user keeps: files of backups, and the escrow, a blob container in which a backup
 * of every new version is kept. Must not know how a key is restored. Names and ids of versions are no secret; a backup
 * is, and passes through in wiped memory only. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../reconciler/base/text.h"
#include "../azure/vault.h"
#include "../access/hsm_rights.h"
#include "original.h"
#include "copies.h"
#include "refused.h"

#define SUFFIX ".keybackup"
/* A blob's metadata may hold 8 KB. What is listed is enough to tell whose backup it is; the
 * newest versions come first. */
enum { VERSIONS_LISTED = 200, VERSIONS_MANY = 400, VERSION_MAX = 64 };

/* --- files -------------------------------------------------------------------------------------------------------- */

const char *key_file_path(struct arena *a, const struct value *source)
{
    const struct value *path = value_at(source, "file.path");
    const char *text = value_str(path), *manifest = path ? value_origin(path)->file : NULL;
    const char *slash = manifest ? strrchr(manifest, '/') : NULL;

    if (!text || text[0] == '/' || !slash)
        return text;
    return arena_printf(a, "%.*s/%s", (int)(slash - manifest), manifest, text);
}

/* As the file system sees it, all links followed; of what is not there yet, the nearest folder that is. NULL: it
 * cannot be told. */
static char *real_path(struct arena *a, const char *path)
{
    char *at = arena_printf(a, "%s%s", path[0] == '/' ? "" : "./", path), *real, *slash, *ret;

    while (!(real = realpath(at, NULL)) && (slash = strrchr(at, '/')) && slash != at && !str_eq(slash, "/.."))
        *slash = '\0';
    ret = arena_strdup(a, real);
    free(real);
    return ret;
}

static bool path_below(struct arena *a, const char *path, const char *folder)
{
    const char *real = real_path(a, path), *root = real_path(a, folder);
    size_t n = root ? strlen(root) : 0;

    return real && root && (n == 1 || (strncmp(real, root, n) == 0 && (!real[n] || real[n] == '/')));
}

void key_files_check(struct arena *a, const struct document *key, const char *const *allowed, size_t n_allowed,
                     struct diags *diags)
{
    const struct value *sources = value_get(key->spec, "sources");

    for (size_t i = 0; i < value_count(sources); i++) {
        const struct value *at = value_at(value_item(sources, i), "file.path");
        const char *path = key_file_path(a, value_item(sources, i)),
                   *slash = at && value_origin(at)->file ? strrchr(value_origin(at)->file, '/') : NULL;
        bool inside = !path || path_below(a, path,
                                          slash ? arena_printf(a, "%.*s/", (int)(slash - value_origin(at)->file),
                                                               value_origin(at)->file)
                                                : ".");

        for (size_t k = 0; k < n_allowed && !inside; k++)
            inside = path_below(a, path, allowed[k]);
        if (!inside)
            diags_add(diags, SEVERITY_ERROR, value_origin(at),
                      "put the backup beside the manifest, or allow its folder: --allow-path FOLDER",
                      "spec.sources[%zu].file.path: %s lies outside the manifest's folder", i, path);
    }
}

/* The digest by which a file is recognised wherever it lies; NULL: it cannot be read. A backup is encrypted, so its
 * digest reveals nothing. */
static const char *file_digest(struct arena *a, const char *path)
{
    struct secret bytes cleanup(secret_release) = {0};
    char hex[SHA256_HEX];
    struct err err;

    if (access(path, R_OK) != 0 || secret_read_file(&bytes, path, BLOB_EXPORT_MAX, &err) < 0)
        return NULL;
    crypt_sha256_hex(bytes.bytes, bytes.len, hex);
    return arena_strdup(a, hex);
}

void key_observe_files(struct arena *a, const struct document *key, struct value *facts)
{
    const struct value *sources = value_get(key->spec, "sources");
    struct value *files = value_list(a);

    for (size_t i = 0; i < value_count(sources); i++) {
        const char *path = key_file_path(a, value_item(sources, i));
        struct value *file = value_map(a);

        if (!path)
            continue;
        value_set_string(a, file, "path", path);
        value_set_string(a, file, "state", access(path, R_OK) == 0 ? "present" : "absent");
        value_set_string(a, file, "digest", file_digest(a, path));
        value_push(a, files, file);
    }
    if (value_count(files))
        value_set(a, facts, "files", files);
}

/* --- the escrow: what is in it ------------------------------------------------------------------------------------ */

static const char *prefix_of(struct arena *a, const struct value *facts)
{
    return arena_printf(a, "%s-", value_str_at(facts, "name"));
}

/* NAME-VERSION.keybackup: the version, or NULL when the blob is none of ours. */
static const char *version_of(struct arena *a, const char *blob, const char *prefix)
{
    size_t n = strlen(prefix), len = strlen(blob);

    if (!str_starts(blob, prefix) || !str_ends_nocase(blob, SUFFIX) || len < n + sizeof(SUFFIX))
        return NULL;
    len -= n + sizeof(SUFFIX) - 1;
    if (len > VERSION_MAX || strspn(blob + n, "0123456789abcdefABCDEF") < len)
        return NULL;
    return arena_strndup(a, blob + n, len);
}

static int newer_first(const void *x, const void *y)
{
    const struct value *const *l = x, *const *r = y;
    int64_t left = time_parse(value_str_at(*l, "created")), right = time_parse(value_str_at(*r, "created"));

    return left != right ? (left < right) - (left > right)
                         : strcmp(value_str_at(*l, "version"), value_str_at(*r, "version"));
}

/* Newest first. Whoever may write into the container decides how many there are. */
static void sort_newest_first(struct value *list)
{
    if (value_count(list) > 1)
        qsort(list->list.items, value_count(list), sizeof(*list->list.items), newer_first);
}

static struct value *backups_of(struct arena *a, const struct value *blobs, const char *prefix)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < value_count(blobs); i++) {
        const struct value *blob = value_item(blobs, i);
        const char *name = value_str_at(blob, "name"), *version = name ? version_of(a, name, prefix) : NULL;
        int64_t created = time_parse_http(value_str_at(blob, "created"));
        struct value *item = value_map(a);

        if (!version)
            continue;
        if (created == TIME_NONE)
            created = time_parse_http(value_str_at(blob, "modified"));
        value_set_string(a, item, "name", name);
        value_set_string(a, item, "version", version);
        value_set_string(a, item, "created", created == TIME_NONE ? NULL : time_format(a, created));
        value_set_string(a, item, "versions", value_str_at(blob, "metadata.versions"));
        value_set_string(a, item, "store", value_str_at(blob, "metadata.store"));
        value_push(a, list, item);
    }
    sort_newest_first(list);
    return list;
}

/* Notes the account and its subscription, where a declared one is seen to have it. The name of a storage account is
 * Azure's only one. */
static int observe_account(struct call *c, const struct observer *o, const char *account, struct value *escrow,
                           struct err *err)
{
    const struct azure_connections *all = o->provider;
    struct value *accounts;

    for (size_t i = 0; i < all->count && !value_get(escrow, "account"); i++) {
        const char *subscription = all->items[i] ? azure_subscription(all->items[i]) : NULL;
        const char *path;
        int rc;

        if (!subscription)
            continue;
        path = arena_printf(o->arena, "/subscriptions/%s/providers/Microsoft.Storage/storageAccounts", subscription);
        rc = arm_list(all->items[i], c, o->arena, path, API_STORAGE, &accounts, err);
        if (rc == -ERR_CANCELLED)
            return rc;
        for (size_t k = 0; rc == 0 && k < value_count(accounts); k++)
            if (str_eq_nocase(value_str_at(value_item(accounts, k), "name"), account)) {
                value_set_string(o->arena, escrow, "account", value_str_at(value_item(accounts, k), "id"));
                value_set_string(o->arena, escrow, "subscription", subscription);
            }
    }
    return 0;
}

int key_observe_escrow(struct call *c, const struct observer *o, struct azure *az, struct value *facts, struct err *err)
{
    struct arena *a = o->arena;
    const struct document *key = o->document;
    const char *url = value_str_at(key->spec, "escrow.container"), *prefix = prefix_of(a, facts);
    struct value *escrow = NULL, *blobs;
    struct blob_place place;

    if (!url)
        return 0;
    if (blob_place_of_url(a, azure_cloud(az), url, &place, err) < 0 || place.name) {
        escrow = facts_new(a, "unseen");
        value_set_string(a, escrow, "why", place.name ? "the URL names a blob, not a container" : err->text);
    } else if (blob_list(az, c, a, &place, prefix, &blobs, err) == 0) {
        escrow = facts_new(a, "present");
        value_set(a, escrow, "blobs", backups_of(a, blobs, prefix));
        value_set_string(a, escrow, "container", place.container);
        value_set(a, facts, "escrow", escrow);
        if (!key_escrowed(facts))
            TRY(observe_account(c, o, place.account, escrow, err));
    } else {
        /* An account that is gone has no host; the key itself does not depend on it. */
        if (err->class != ERR_TRANSIENT)
            TRY(facts_from_error(a, "looking into the escrow", err, &escrow));
        if (!escrow) {
            escrow = facts_new(a, "unseen");
            facts_unseen_because(a, escrow, err);
        }
    }
    value_set(a, facts, "escrow", escrow);
    return 0;
}

/* --- which copy --------------------------------------------------------------------------------------------------- */

static bool lists_version(const char *versions, const char *version)
{
    return versions && version && str_find_nocase(versions, version);
}

/* Two backups are of one key when the one lists the version that the other is named after. */
static bool same_key(const struct value *x, const struct value *y)
{
    return lists_version(value_str_at(x, "versions"), value_str_at(y, "version")) ||
           lists_version(value_str_at(y, "versions"), value_str_at(x, "version"));
}

/* Where nothing tells the version, a backup of before the point that is wanted may lack it. It would take the name, and
 * what a pass exports could not come back any more; where no pass can be made there is nothing to lose. */
static const struct value *escrow_late_enough(const struct view *v, const struct document *key,
                                              const struct value *blob)
{
    int64_t since_ms = key_copy_wanted_since(v, key), made_ms = time_parse(value_str_at(blob, "created"));

    return !blob || key_needed(v, key).version || !key_source_declared(key, "azureBackup") || since_ms == TIME_NONE ||
                   (made_ms != TIME_NONE && made_ms >= since_ms)
               ? blob
               : NULL;
}

/* The newest backup that is known to hold the version. Without a version: the newest, if all are of one key; a name may
 * have been taken by another key since, and then nobody knows which is meant. */
static const struct value *escrow_backup(const struct value *blobs, const char *version)
{
    for (size_t i = 0; version && i < value_count(blobs); i++) {
        const struct value *blob = value_item(blobs, i);

        if (str_eq_nocase(value_str_at(blob, "version"), version) ||
            lists_version(value_str_at(blob, "versions"), version))
            return blob;
    }
    for (size_t i = 1; !version && i < value_count(blobs); i++)
        if (!same_key(value_item(blobs, 0), value_item(blobs, i)))
            return NULL;
    return version ? NULL : value_item(blobs, 0);
}

struct key_copy key_any_copy_at(const struct view *v, const struct document *key, size_t n)
{
    const struct value *facts = view_facts(v, key), *files = value_get(facts, "files");
    const struct value *blob =
        escrow_late_enough(v, key, escrow_backup(value_at(facts, "escrow.blobs"), key_needed(v, key).version));

    for (size_t i = 0; i < value_count(files); i++)
        if (str_eq(value_str_at(value_item(files, i), "state"), "present") && n-- == 0)
            return (struct key_copy){.kind = KEY_COPY_FILE, .path = value_str_at(value_item(files, i), "path")};
    return blob && n == 0 ? (struct key_copy){.kind = KEY_COPY_ESCROW, .blob = blob}
                          : (struct key_copy){.kind = KEY_COPY_NONE};
}

struct key_copy key_own_copy_at(const struct view *v, const struct document *key, size_t n)
{
    struct key_copy copy;

    for (size_t i = 0; (copy = key_any_copy_at(v, key, i)).kind != KEY_COPY_NONE; i++)
        if (!key_refusal_of(v, key, key_copy_told_by(v->arena, view_facts(v, key), &copy)) && n-- == 0)
            return copy;
    return (struct key_copy){.kind = KEY_COPY_NONE};
}

struct key_copy key_own_copy(const struct view *v, const struct document *key)
{
    return key_own_copy_at(v, key, 0);
}

/* --- keeping it fresh --------------------------------------------------------------------------------------------- */

const char *key_escrow_name(struct arena *a, const struct value *facts, const char *version)
{
    return arena_printf(a, "%s%s" SUFFIX, prefix_of(a, facts), version);
}

static bool holds_backup(const struct value *facts, const char *version)
{
    const struct value *blobs = value_at(facts, "escrow.blobs");

    for (size_t i = 0; i < value_count(blobs); i++)
        if (str_eq_nocase(value_str_at(value_item(blobs, i), "version"), version))
            return true;
    return false;
}

bool key_escrowed(const struct value *facts)
{
    return holds_backup(facts, value_str_at(facts, "newest"));
}

/* The newest version of a key that is there; of one that comes back, the newest that is known of it; NULL: none is. */
static const char *newest_to_be(const struct view *v, const struct document *key)
{
    const struct value *facts = view_facts(v, key);
    const char *newest = value_str_at(facts, "newest"), *deleted = value_str_at(facts, "deleted.key.kid");

    return newest ? newest : deleted ? vault_kid_version(deleted) : key_needed(v, key).version;
}

/* Of a container in an account that no declared subscription is seen to have, nobody can be asked what we may write. */
static void escrow_right(const struct value *facts, struct steps *out, struct step *step)
{
    const char *account = value_str_at(facts, "escrow.account");

    if (account)
        step_right(out, step,
                   arena_printf(out->arena, "%s/blobServices/default/containers/%s", account,
                                value_str_at(facts, "escrow.container")),
                   "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", true,
                   "Storage Blob Data Contributor");
}

/* The first backup there is the decision to trust that place with the key; those of later versions follow from it. */
static void escrow_first(const struct view *v, const struct document *key, const struct value *facts, struct steps *out,
                         struct step *step)
{
    const struct value *subscription = value_at(facts, "escrow.subscription");

    if (value_count(value_at(facts, "escrow.blobs")))
        return;
    step_change(out, step, "escrow.container", NULL, value_at(key->spec, "escrow.container"),
                "the first backup of this key in that place");
    if (!value_str(subscription))
        step_change(out, step, "escrow.subscription", NULL,
                    value_string(v->arena, "not seen among the declared subscriptions"),
                    "the storage account is not seen in a declared subscription");
}

void key_steps_escrow(const struct view *v, const struct document *key, struct steps *out, const struct step *after)
{
    const struct value *facts = view_facts(v, key);
    const char *state = value_str_at(facts, "escrow.state"), *container = value_str_at(key->spec, "escrow.container");
    const char *name = value_str_at(facts, "name"), *why = value_str_at(facts, "escrow.why"),
               *fix = value_str_at(facts, "escrow.fix");
    size_t versions = value_count(value_get(facts, "versions"));
    const char *newest = newest_to_be(v, key);
    struct step *step;

    /* Of a key whose version nobody knows yet, only that nothing of it is there can be told. */
    if (!state || (!newest && (!after || value_count(value_at(facts, "escrow.blobs")))))
        return;
    if (!str_eq(state, "present")) {
        steps_finding(out, key, "escrow-key",
                      str_eq(state, "absent") ? "make the container; nothing here makes one"
                      : fix                   ? fix
                                              : "assign us Storage Blob Data Contributor on the container",
                      str_eq(state, "absent") ? "its escrow %s does not exist" : "its escrow %s cannot be seen: %s",
                      container, why ? why : "not looked at");
        return;
    }
    if (newest && holds_backup(facts, newest))
        return;
    step = steps_add(out, key, ACTION_ESCROW_KEY, NULL,
                     !after   ? "no backup of version %s is in its escrow yet"
                     : newest ? "no backup of version %s is in its escrow yet; it is made once the key is back"
                              : "no backup is in its escrow yet; it is made once the key is there%s",
                     newest ? newest : "");
    step->aside = true;
    step_need(out, step, after ? after->id : NULL);
    /* Which version is the newest shows once the key is back, and its backup bears that one's name. */
    step->scope = value_str_at(facts, "newest") || value_get(facts, "deleted")
                      ? arena_printf(v->arena, "%s/%s", container, key_escrow_name(v->arena, facts, newest))
                      : NULL;
    escrow_first(v, key, facts, out, step);
    step->postcondition = "the container lists the backup";
    step->estimate_ms = 2 * SECOND_MS;
    step->estimate_source = "recorded key backups";
    if (versions > VERSIONS_MANY)
        step->unverified = arena_printf(
            v->arena, "that a key of %zu versions can still be backed up: above some 500 it may fail", versions);
    step_writes(out, step, "POST", "/keys/%s/backup", name);
    step_writes(out, step, "PUT", "%s", (step->scope ? step->scope : container) + strlen("https://"));
    key_right(v, out, step, key, KEY_RIGHT_BACKUP);
    escrow_right(facts, out, step);
}

/* Which versions a backup holds, newest first, so that it can be found by any of them. */
static const char *versions_listed(struct arena *a, const struct value *versions)
{
    struct value *sorted = value_list(a);
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    for (size_t i = 0; i < value_count(versions); i++) {
        struct value *item = value_copy(a, value_item(versions, i));

        value_set_string(a, item, "created", time_format(a, value_int_at(item, "created", 0) * SECOND_MS));
        value_push(a, sorted, item);
    }
    sort_newest_first(sorted);
    for (size_t i = 0; i < value_count(sorted) && i < VERSIONS_LISTED; i++)
        text_printf(&t, "%s%s", i ? "," : "", value_str_at(value_item(sorted, i), "version"));
    return arena_strdup(a, text_str(&t));
}

struct value *key_escrow_metadata(struct arena *a, const struct value *facts)
{
    struct value *metadata = value_map(a);

    value_set_string(a, metadata, "versions", versions_listed(a, value_get(facts, "versions")));
    value_set_string(a, metadata, "store", value_str_at(facts, "base"));
    return metadata;
}

/* The blob's place: below the declared container, on this cloud's storage. */
static int escrow_place(struct arena *a, const struct azure *az, const struct document *key, const char *name,
                        struct blob_place *ret, struct err *err)
{
    TRY(blob_place_of_url(a, azure_cloud(az), value_str_at(key->spec, "escrow.container"), ret, err));
    if (ret->name)
        return err_set(err, ERR_INVALID, "spec.escrow.container names a blob, not a container");
    ret->name = name;
    return 0;
}

/* An account that does not answer, or whose network shuts us out, is opened by no role. */
static bool role_is_missing(const struct err *err)
{
    return str_eq_nocase(err->code, "AuthorizationPermissionMismatch");
}

int key_act_escrow(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct document *key = actor->step->document;
    const struct value *facts = view_facts(actor->view, key);
    struct secret backup cleanup(secret_release) = {0};
    struct blob_content content = {.bytes = &backup, .type = "application/octet-stream"};
    struct blob_place place;
    int rc;

    TRY(escrow_place(actor->arena, az, key, key_escrow_name(actor->arena, facts, value_str_at(facts, "newest")), &place,
                     err));
    TRY(vault_backup_key(az, c, actor->arena, value_str_at(facts, "base"), value_str_at(facts, "name"), &backup, err));
    content.metadata = key_escrow_metadata(actor->arena, facts);
    rc = blob_write(az, c, actor->arena, &place, &content, NULL, err);
    /* Ours of an earlier run, whose answer was lost, or somebody else's: a backup of this version is there. */
    if (rc < 0 && err->class == ERR_CONFLICT)
        return 0;
    return rc < 0 && role_is_missing(err) ? err_advise(err, "assign us Storage Blob Data Contributor on %s",
                                                       value_str_at(key->spec, "escrow.container"))
                                          : rc;
}

int key_fetch_copy(struct call *c, const struct actor *actor, struct azure *az, const struct key_copy *copy,
                   struct secret *ret, struct err *err)
{
    struct blob_place place;

    if (copy->kind == KEY_COPY_FILE)
        return secret_read_file(ret, copy->path, BLOB_EXPORT_MAX, err);
    TRY(escrow_place(actor->arena, az, actor->step->document, value_str_at(copy->blob, "name"), &place, err));
    place.judge = &blob_judge_backup;
    if (blob_read_exact(az, c, actor->arena, &place, BLOB_EXPORT_MAX, ret, err) < 0)
        return role_is_missing(err) ? err_advise(err, "assign us Storage Blob Data Reader on the escrow")
                                    : -(int)err->class;
    return 0;
}
