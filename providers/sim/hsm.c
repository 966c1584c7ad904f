/* Knows what is peculiar to a managed HSM: its resource, its security domain, the form of its key backups, its odd 401.
 * Must not know who may do what in it (hsm_roles.c), nor keys themselves (key_store.c, keys.c). */
#include "data.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"

enum { JWE_PARTS = 5, JWE_IV = 16, JWE_TAG = 32 };

/* --- the resource ------------------------------------------------------------------------------------------------- */

bool hsm_is(const struct value *store)
{
    return str_find_nocase(value_str_at(store, "id") ?: "", "/Microsoft.KeyVault/managedHSMs/") != NULL;
}

bool hsm_active(const struct value *hsm)
{
    return str_eq_nocase(value_str_at(hsm, "properties.securityDomainProperties.activationStatus"), "Active");
}

char *hsm_security_domain(struct arena *a, const struct value *hsm)
{
    const char *domain = value_str_at(hsm, "securityDomain");

    if (!domain)
        domain = value_str_at(hsm, "resource.securityDomain");
    return str_lower(a, domain ? domain : value_str_at(hsm, "id"));
}

bool hsm_serves(const struct value *hsm, const char *location)
{
    const struct value *regions = value_at(hsm, "properties.regions");

    for (size_t i = 0; i < value_count(regions); i++)
        if (region_is(value_str_at(value_item(regions, i), "name"), location))
            return true;
    return region_is(value_str_at(hsm, "location"), location);
}

static void otherwise(struct arena *a, struct value *map, const char *key, struct value *v)
{
    if (!value_get(map, key))
        value_set(a, map, key, v);
}

void hsm_complete(struct sim *s, struct value *hsm)
{
    struct arena *a = s->arena;
    struct value *p = value_get(hsm, "properties"), *sku = value_map(a), *domain = value_map(a);

    value_set_string(a, sku, "family", "B");
    value_set_string(a, sku, "name", "Standard_B1");
    otherwise(a, hsm, "sku", sku);
    otherwise(a, p, "tenantId", value_string(a, value_str_at(s->spec, "tenant")));
    otherwise(a, p, "enableSoftDelete", value_bool(a, true));
    otherwise(a, p, "softDeleteRetentionInDays", value_int(a, 90));
    otherwise(a, p, "publicNetworkAccess", value_string(a, "Enabled"));
    value_set_string(a, domain, "activationStatus", "Active");
    value_set_string(a, domain, "activationStatusMessage", "The managed HSM is activated and can be used.");
    otherwise(a, p, "securityDomainProperties", domain);
}

void hsm_show(struct sim *s, struct arena *a, struct value *shown)
{
    struct value *p = value_get(shown, "properties");

    value_remove(shown, "securityDomain");
    value_set(a, p, "hsmUri", value_format(a, "https://%s%s/", value_str_at(shown, "name"), s->ep.hsm_suffix));
    value_set_string(a, p, "statusMessage",
                     hsm_active(shown) ? "The Managed HSM is provisioned and ready to use."
                                       : "The Managed HSM waits for its security domain to be downloaded.");
}

/* --- the refusal of a token: no JSON ------------------------------------------------------------------------------ */

/* Role definitions were recorded with the bare word "OK", keys with nothing. */
void hsm_refuse_token(const struct sim_request *r, struct sim_answer *out)
{
    answer_empty(out, 401);
    if (str_find_nocase(r->path, "/providers/"))
        text_add(&out->body, "OK");
    answer_header(r->arena, out, "Content-Type", "application/json; charset=utf-8");
}

/* --- backups ------------------------------------------------------------------------------------------------------ */

/* header..iv.ciphertext.tag; there is no encrypted key between the two dots. */
void hsm_wrap_backup(struct sim *s, const struct secret *sealed, struct text *ret)
{
    static const char header[] = "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\",\"kid\":\"backup-protection-key\"}";
    unsigned char filler[32];

    crypt_derive("managed HSM backup", s->seed, filler);
    crypt_base64_encode(ret, header, strlen(header), BASE64_URL);
    text_add(ret, "..");
    crypt_base64_encode(ret, filler, JWE_IV, BASE64_URL);
    text_add_char(ret, '.');
    crypt_base64_encode(ret, sealed->bytes, sealed->len, BASE64_URL);
    text_add_char(ret, '.');
    crypt_base64_encode(ret, filler, JWE_TAG, BASE64_URL);
}

bool hsm_unwrap_backup(const struct secret *blob, struct secret *ret)
{
    const char *start = blob->bytes, *end = blob->bytes + blob->len, *dot;
    struct err ignored;

    if (blob->len < 3 || memcmp(start, "eyJ", 3) != 0)
        return false;
    for (int part = 0; part < JWE_PARTS - 2; part++) {
        dot = memchr(start, '.', (size_t)(end - start));
        if (!dot)
            return false;
        start = dot + 1;
    }
    dot = memchr(start, '.', (size_t)(end - start));
    return dot && crypt_base64_decode(start, (size_t)(dot - start), BASE64_URL, ret, &ignored) == 0;
}
