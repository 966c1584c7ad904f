/* Knows storage accounts as ARM shows them, and their keys. Must not know blobs. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"

void storage_account_key(struct sim *s, const char *account, int n, struct text *ret)
{
    unsigned char key[64];
    char label[128];

    for (int half = 0; half < 2; half++) {
        snprintf(label, sizeof(label), "storage account %.60s key %d half %d", account, n, half);
        crypt_derive(label, s->seed, key + 32 * half);
    }
    crypt_base64_encode(ret, key, sizeof(key), BASE64_STANDARD);
}

static void list_keys(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct arena *a = r->arena;
    const struct value *account;
    struct value *body, *keys;

    if (!require_rbac(s, r, out, id, "Microsoft.Storage/storageAccounts/listKeys/action"))
        return;
    account = resource_find(s, id);
    if (!account) {
        arm_not_found(s, r, out, id);
        return;
    }
    body = value_map(a);
    keys = value_set(a, body, "keys", value_list(a));
    for (int n = 1; n <= 2; n++) {
        struct value *key = value_map(a);
        struct text bytes;

        text_init(&bytes, 256);
        storage_account_key(s, value_str_at(account, "name"), n, &bytes);
        value_set_string(a, key, "creationTime", "2026-01-15T09:00:00.0000000Z");
        value_set_string(a, key, "keyName", arena_printf(a, "key%d", n));
        value_set_string(a, key, "value", text_str(&bytes));
        value_set_string(a, key, "permissions", "FULL");
        value_push(a, keys, key);
        text_release(&bytes);
    }
    answer_json(a, out, 200, body);
}

void arm_storage_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;

    if (!str_eq_nocase(request_segment(r, at + 2), "storageAccounts"))
        arm_bad_path(r, out);
    else if (request_is(r, "GET") && behind == 3)
        answer_resources(s, r, out, request_path(r, at), "Microsoft.Storage/storageAccounts");
    else if (request_is(r, "GET") && behind == 4)
        answer_resource(s, r, out, request_path(r, r->n_segments));
    else if (request_is(r, "POST") && behind == 5 && str_eq_nocase(request_segment(r, at + 4), "listKeys"))
        list_keys(s, r, out, request_path(r, at + 4));
    else
        arm_bad_path(r, out);
}

/* --- whose host it is --------------------------------------------------------------------------------------------- */

/* The host of an endpoint that the world gives to an account, in a DNS zone; its length, 0 when it gives none. */
static size_t zone_host(const struct value *account, const char **ret)
{
    const char *own = value_str_at(account, "properties.primaryEndpoints.blob");

    *ret = str_starts_nocase(own, "https://") ? own + strlen("https://") : NULL;
    return *ret ? strcspn(*ret, "/") : 0;
}

struct value *blob_account_at(const struct sim *s, const char *host)
{
    size_t n = strlen(host), suffix = strlen(s->ep.blob_suffix);
    struct value *account;

    for (size_t at = 0;
         (account = resource_next((struct sim *)s, "", "Microsoft.Storage/storageAccounts", &at)) != NULL;) {
        const char *zone, *name = value_str_at(account, "name");
        size_t zoned = zone_host(account, &zone);

        /* A zoned account has no name outside its zone. */
        if (zoned ? zoned == n && strncasecmp(zone, host, n) == 0
                  : n > suffix && strlen(name) == n - suffix && strncasecmp(name, host, n - suffix) == 0 &&
                        str_ends_nocase(host, s->ep.blob_suffix))
            return account;
    }
    return NULL;
}
