/* Knows a key's rotation policy, what rotating gives the new version, and whether an attested environment satisfies a
 * release policy. Must not know who may ask. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

enum { ACTIONS_MAX = 2, ROTATION_DAYS_MIN = 7, DAYS_MAX = 100000, TOKEN_MAX = 64 * 1024 };

/* --- rotation ----------------------------------------------------------------------------------------------------- */

/* Policies speak of days, months and years ("P90D", "P3M", "P1Y10D"); -1: it is something else. */
static int64_t policy_days(const char *text)
{
    int64_t days = 0;

    if (!text || *text++ != 'P' || !*text)
        return -1;
    while (*text) {
        char *end;
        long n = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;

        if (n < 0 || n > DAYS_MAX || !strchr("DMY", *end) || !*end)
            return -1;
        days += n * (*end == 'D' ? 1 : *end == 'M' ? 30 : 365);
        text = end + 1;
    }
    return days;
}

static struct value *lifetime_action(struct arena *a, const char *type, const char *trigger, const char *after)
{
    struct value *ret = value_map(a);

    value_set_string(a, value_set(a, ret, "trigger", value_map(a)), trigger, after);
    value_set_string(a, value_set(a, ret, "action", value_map(a)), "type", type);
    return ret;
}

struct value *key_show_rotation(struct sim *s, struct arena *a, const struct value *key)
{
    struct value *ret = value_map(a), *own = value_copy(a, value_get(key, "rotationPolicy")), *actions;

    value_set(a, ret, "id", value_format(a, "%s/rotationpolicy", key_url(s, a, key, NULL)));
    if (own) {
        value_set(a, ret, "lifetimeActions", value_get(own, "lifetimeActions"));
        value_set(a, ret, "attributes", value_get(own, "attributes"));
        return ret;
    }
    /* A key without a policy of its own has Azure's default, which announces its expiry. */
    actions = value_set(a, ret, "lifetimeActions", value_list(a));
    value_push(a, actions, lifetime_action(a, "Notify", "timeBeforeExpiry", "P30D"));
    value_set(a, ret, "attributes", value_map(a));
    return ret;
}

static const char *action_problem(const struct value *action)
{
    const char *type = value_str_at(action, "action.type");
    const char *after = value_str_at(action, "trigger.timeAfterCreate"),
               *before = value_str_at(action, "trigger.timeBeforeExpiry");
    bool notify = str_eq_nocase(type, "Notify");

    if (!notify && !str_eq_nocase(type, "Rotate"))
        return "An action of a rotation policy is Rotate or Notify.";
    if (!after == !before || (notify && after))
        return "A lifetime action has one trigger: timeAfterCreate (for Rotate only) or timeBeforeExpiry.";
    return policy_days(after ? after : before) < ROTATION_DAYS_MIN ? "A trigger is a time of at least 7 days." : NULL;
}

const char *key_set_rotation(struct sim *s, struct value *key, const struct value *body)
{
    const struct value *actions = value_get(body, "lifetimeActions"), *old = value_get(key, "rotationPolicy");
    const char *expiry = value_str_at(body, "attributes.expiryTime");
    int64_t created = value_int_at(old, "attributes.created", s->now_ms / SECOND_MS);
    struct value *policy, *attributes;

    if (!value_is(body, VALUE_MAP) || value_count(actions) > ACTIONS_MAX)
        return "A rotation policy holds at most one action of each kind.";
    for (size_t i = 0; i < value_count(actions); i++)
        if (action_problem(value_item(actions, i)))
            return action_problem(value_item(actions, i));
    if (expiry && policy_days(expiry) < 4 * ROTATION_DAYS_MIN)
        return "The expiry time of a rotation policy is at least 28 days.";
    policy = value_set(s->arena, key, "rotationPolicy", value_map(s->arena));
    value_set(s->arena, policy, "lifetimeActions", actions ? value_copy(s->arena, actions) : value_list(s->arena));
    attributes = value_set(s->arena, policy, "attributes", value_map(s->arena));
    value_set_string(s->arena, attributes, "expiryTime", expiry);
    value_set_int(s->arena, attributes, "created", created);
    value_set_int(s->arena, attributes, "updated", s->now_ms / SECOND_MS);
    state_changed(s);
    return NULL;
}

void key_expire_rotated(struct sim *s, const struct value *key, struct value *version)
{
    int64_t days = policy_days(value_str_at(key, "rotationPolicy.attributes.expiryTime"));

    if (days > 0)
        value_set_string(s->arena, version, "expires", time_format(s->arena, s->now_ms + days * DAY_MS));
}

/* --- release ------------------------------------------------------------------------------------------------------ */

/* JSON in base64url; NULL when it is not. */
static struct value *decoded(struct arena *a, const char *text, size_t len)
{
    struct value *ret = NULL;
    struct secret bytes;
    struct err ignored;

    secret_init(&bytes);
    if (len > TOKEN_MAX || crypt_base64_decode(text, len, BASE64_URL, &bytes, &ignored) < 0 ||
        json_parse(a, bytes.bytes, bytes.len, &ret, &ignored) < 0)
        ret = NULL;
    secret_release(&bytes);
    return ret;
}

static bool claims_hold(const struct value *wanted, const struct value *claims)
{
    for (size_t i = 0; i < value_count(wanted); i++) {
        const struct value *condition = value_item(wanted, i);
        const char *name = value_str_at(condition, "claim"), *is = value_str(value_get(claims, name ? name : ""));

        if (!str_eq(is, value_str_at(condition, "equals")))
            return false;
    }
    return value_count(wanted) > 0;
}

/* An authority may be written with or without its scheme and a slash at the end. */
static const char *authority_of(struct arena *a, const char *text)
{
    const char *start = str_starts_nocase(text, "https://") ? text + strlen("https://") : text;
    size_t n = strlen(start);

    return arena_strndup(a, start, n && start[n - 1] == '/' ? n - 1 : n);
}

/* Issuer and claims decide. Whether the issuer really signed cannot be told here: there is no
 * attestation service in a world. */
bool key_release_allows(struct arena *a, const struct value *shown, const char *target)
{
    const char *data = value_str_at(shown, "release_policy.data"), *claims_at = target ? strchr(target, '.') : NULL,
               *issuer;
    const struct value *policy = data ? decoded(a, data, strlen(data)) : NULL, *any = value_get(policy, "anyOf"),
                       *claims;

    claims = claims_at ? decoded(a, claims_at + 1, strcspn(claims_at + 1, ".")) : NULL;
    issuer = value_str_at(claims, "iss");
    for (size_t i = 0; issuer && i < value_count(any); i++) {
        const char *authority = value_str_at(value_item(any, i), "authority");

        if (authority && str_eq_nocase(authority_of(a, authority), authority_of(a, issuer)) &&
            claims_hold(value_get(value_item(any, i), "allOf"), claims))
            return true;
    }
    return false;
}

bool key_releases_in(struct sim *s, const char *store, const char *name, const char *location)
{
    struct arena *a = s->arena;
    const struct value *vault = vault_by_name(s, store), *key = key_find(s, store, name), *policy, *any;
    struct value *claims = value_map(a);
    const char *data, *here = authority_of(a, region_attestation(a, location));

    if (!key)
        return false;
    data = value_str_at(key_show(s, a, vault, key, key_version(key, NULL)), "release_policy.data");
    policy = data ? decoded(a, data, strlen(data)) : NULL;
    any = value_get(policy, "anyOf");
    value_set_string(a, claims, "x-ms-attestation-type", "sevsnpvm");
    value_set_string(a, claims, "x-ms-compliance-status", "azure-compliant-cvm");
    for (size_t i = 0; i < value_count(any); i++) {
        const char *authority = value_str_at(value_item(any, i), "authority");

        if (authority && str_eq_nocase(authority_of(a, authority), here) &&
            claims_hold(value_get(value_item(any, i), "allOf"), claims))
            return true;
    }
    return false;
}

static void add_encoded(struct text *t, struct arena *a, const struct value *v)
{
    const char *json = json_string(a, v, JSON_COMPACT);

    crypt_base64_encode(t, json, strlen(json), BASE64_URL);
}

/* The form of a release: a signed object around the key as it is shown. The key itself is in nobody's world. */
const char *key_released(struct arena *a, const struct value *shown, const struct value *request)
{
    struct value *header = value_map(a), *content = value_map(a), *response;
    struct text t;
    const char *ret;

    value_set_string(a, header, "alg", "RS256");
    value_set_string(a, header, "kid", value_str_at(shown, "key.kid"));
    value_set(a, content, "request", value_copy(a, request));
    response = value_set(a, content, "response", value_map(a));
    value_set(a, response, "key", value_copy(a, shown));
    text_init(&t, TEXT_CEILING);
    add_encoded(&t, a, header);
    text_add_char(&t, '.');
    add_encoded(&t, a, content);
    text_add(&t, ".c2ltdWxhdGVk");
    ret = arena_strdup(a, text_str(&t));
    text_release(&t);
    return ret;
}
