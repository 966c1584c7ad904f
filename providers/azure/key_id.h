/* Which key an address names. The same key has many addresses (:443, capitals, doubled or trailing slashes, no
 * version), so keys are compared by store, name and version, never by the text of their addresses. Pure. */
#ifndef REINSTATE_KEY_ID_H
#define REINSTATE_KEY_ID_H

#include "../../reconciler/base/text.h"

struct key_id {
    const char *base;    /* https://kv-payroll.vault.azure.net: lower case, no port, no slash at the end */
    const char *name;
    const char *version; /* NULL: the address names none, so whoever uses it follows the newest version */
};

/* False when the address names no key (and for NULL). */
bool key_id_parse(struct arena *a, const char *url, struct key_id *ret);
/* The host of an https address, brought to the form it has in `base`. */
char *key_url_host(struct arena *a, const char *url);
/* Whether both addresses name a key of the same store; the same key; the same version of it (false if one names no
 * version). False when one of them is no key's address. */
bool key_same_store(const char *url, const char *other);
bool key_same_key(const char *url, const char *other);
bool key_same_version(const char *url, const char *other);
/* Whether the address names the key `name` of the store `base`, in whatever version. */
bool key_url_is(const char *url, const char *base, const char *name);
/* The one address of that key that all of its addresses are brought to; what names no key is returned as it is. */
const char *key_url_plain(struct arena *a, const char *url);
/* The address's version; NULL: it names none, or no key. */
const char *key_url_version(struct arena *a, const char *url);

#endif
