/* Knows how tokens are handed out: from the store while they live, one request however many tasks ask, renewed before
 * they end. Must not know how a credential gets one, nor what a token is used for. */
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "internal.h"
#include "token_store.h"

enum {
    TOKEN_MARGIN_MS = 5 * MINUTE_MS,
    LONG_LIFE_MS = 2 * HOUR_MS,
    DENIED_HOLD_MS = 30 * SECOND_MS, /* a wrong secret is not tried again by every waiting task: that locks accounts */
    FAILED_HOLD_MS = 5 * SECOND_MS
};

static struct token *token_of(struct azure *az, enum audience audience)
{
    return token_store_find(azure_credential(az), azure_cloud(az), azure_tenant(az), audience);
}

static int wait_for_other(struct call *c, struct token *t, struct err *err)
{
    struct token_waiter me = {.call = c}, **at = t->last ? t->last : &t->waiters;
    int rc;

    *at = &me;
    t->last = &me.next;
    rc = call_park(c, "a token that another task is fetching", err);
    for (at = &t->waiters; *at && *at != &me;)
        at = &(*at)->next;
    if (*at) {
        *at = me.next;
        t->last = me.next ? t->last : at;
    }
    return rc;
}

static void wake_waiters(struct token *t)
{
    struct token_waiter *w = t->waiters;

    t->waiters = NULL;
    t->last = NULL;
    for (; w; w = w->next)
        call_wake(w->call);
}

static void keep(struct call *c, const struct token_answer *got, struct token *t)
{
    int64_t life = got->life_ms, now_ms = call_span_ms(c);

    secret_set(&t->header, "Bearer ", 7);
    secret_append(&t->header, got->token.bytes, got->token.len);
    t->end_ms = life > INT64_MAX - now_ms ? INT64_MAX : now_ms + life;
    /* One that lives for a day is renewed at half of it: what it was given for may be withdrawn meanwhile. */
    t->renew_ms = life == INT64_MAX
                      ? t->end_ms
                      : t->end_ms - (life <= 2 * TOKEN_MARGIN_MS || life >= LONG_LIFE_MS ? life / 2 : TOKEN_MARGIN_MS);
}

/* Reads the middle part of a JWT. Anything that is no JWT says nothing. */
static void read_claim(const char *authorization, const char *claim, char *ret, size_t room)
{
    struct secret payload cleanup(secret_release) = {0};
    const char *first = strchr(authorization, '.'), *second = first ? strchr(first + 1, '.') : NULL, *start;
    struct err ignored;
    size_t len;

    if (!second || crypt_base64_decode(first + 1, (size_t)(second - first - 1), BASE64_URL, &payload, &ignored) < 0)
        return;
    if (json_cut(payload.bytes, payload.len, claim, &start, &len, &ignored) == 0 && len < room) {
        memcpy(ret, start, len);
        ret[len] = '\0';
    }
}

static int renew(struct azure *az, struct call *c, struct token *t, struct err *err)
{
    struct token_answer got cleanup(token_answer_release) = {0};
    struct token_request request = {
        .http = azure_http(az), .cloud = t->cloud, .tenant = t->tenant, .audience = t->audience, .claims = t->claims};
    int rc;

    t->asking = true;
    rc = credential_token(azure_credential(az), c, &request, &got, err);
    t->asking = false;
    wake_waiters(t);
    if (rc == 0) {
        keep(c, &got, t);
        free(t->claims);
        t->claims = NULL;
        if (!*azure_credential(az)->tenant)
            read_claim(t->header.bytes, "tid", azure_credential(az)->tenant, sizeof(azure_credential(az)->tenant));
    } else if (err->class != ERR_CANCELLED) {
        azure_blame(az, err);
        t->failure = *err;
        t->hold_ms = call_span_ms(c) + (err->class == ERR_DENIED ? DENIED_HOLD_MS : FAILED_HOLD_MS);
    }
    return rc;
}

int azure_authorization(struct azure *az, struct call *c, enum audience audience, const char **ret, struct err *err)
{
    struct token *t = token_of(az, audience);

    for (;;) {
        bool lives = t->header.len && call_span_ms(c) < t->end_ms,
             held = t->failure.class != ERR_NONE && call_span_ms(c) < t->hold_ms;

        /* While it could not be renewed, the old one serves until its end. */
        if (lives && (held || call_span_ms(c) < t->renew_ms)) {
            *ret = t->header.bytes;
            return 0;
        }
        if (t->asking) {
            TRY(wait_for_other(c, t, err));
            continue;
        }
        if (held) {
            *err = t->failure;
            return -(int)err->class;
        }
        t->failure = (struct err){0};
        if (renew(az, c, t, err) < 0 && (err->class == ERR_CANCELLED || !lives))
            return -(int)err->class;
    }
}

void azure_forget_token(struct azure *az, enum audience audience)
{
    if (azure_credential(az)->kind != CREDENTIAL_GIVEN_TOKENS)
        secret_release(&token_of(az, audience)->header);
}

void azure_claims_asked(struct azure *az, enum audience audience, const char *claims)
{
    struct token *t = token_of(az, audience);

    free(t->claims);
    t->claims = xstrdup(claims);
}

bool azure_forget_used(struct azure *az, enum audience audience, const struct secret *used)
{
    const struct secret *now = &token_of(az, audience)->header;

    if (azure_credential(az)->kind == CREDENTIAL_GIVEN_TOKENS)
        return false;
    if (now->len == used->len && now->len > 0 && memcmp(now->bytes, used->bytes, now->len) == 0)
        azure_forget_token(az, audience);
    return true;
}

int azure_who(struct azure *az, struct call *c, struct azure_who *ret, struct err *err)
{
    const char *authorization = NULL;

    TRY(azure_authorization(az, c, AUDIENCE_ARM, &authorization, err));
    *ret = (struct azure_who){0};
    read_claim(authorization, "oid", ret->object_id, sizeof(ret->object_id));
    read_claim(authorization, "tid", ret->tenant, sizeof(ret->tenant));
    /* Tokens of the first kind call it appid, those of the second azp. */
    read_claim(authorization, "appid", ret->application_id, sizeof(ret->application_id));
    if (!*ret->application_id)
        read_claim(authorization, "azp", ret->application_id, sizeof(ret->application_id));
    read_claim(authorization, "idtyp", ret->type, sizeof(ret->type));
    read_claim(authorization, "upn", ret->name, sizeof(ret->name));
    return 0;
}

int azure_object_id(struct azure *az, struct call *c, const char **ret, struct err *err)
{
    char *kept = azure_kept_object_id(az);
    const char *authorization = NULL;

    if (!*kept) {
        TRY(azure_authorization(az, c, AUDIENCE_ARM, &authorization, err));
        read_claim(authorization, "oid", kept, OBJECT_ID_ROOM);
    }
    *ret = kept;
    return 0;
}
