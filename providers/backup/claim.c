/* Knows what a claim is, what its name and generation are, and how one is read and taken. Must not trigger anything,
 * nor decide what follows from a claim: job_run.c does. */
#include "claim.h"

#include "../azure/shared.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

enum { CLAIM_BYTES_MAX = 64 * 1024, BASE_HEX = 40, CLAIMS_READ_MAX = 1000, JOB_ID_MAX = 100, WRITES_MAX = 3 };

/* --- what a claim is ---------------------------------------------------------------------------------------------- */

char *claim_base(struct arena *a, const struct claim_subject *subject)
{
    const char *what = str_lower(a, arena_printf(a, "%s\n%s", subject->item_id, subject->target));
    char hex[SHA256_HEX];

    crypt_sha256_hex(what, strlen(what), hex);
    return arena_strndup(a, hex, BASE_HEX);
}

char *claim_name(struct arena *a, const char *base, size_t generation)
{
    return arena_printf(a, "%s-%zu", base, generation);
}

bool claim_generation(const char *base, const char *name, size_t *ret)
{
    size_t n = strlen(base), digits;

    if (!name || !str_starts(name, base) || name[n] != '-')
        return false;
    digits = strspn(name + n + 1, "0123456789");
    if (!digits || digits > 9 || name[n + 1 + digits])
        return false;
    *ret = strtoull(name + n + 1, NULL, 10);
    return true;
}

struct value *claim_to_value(struct arena *a, const struct claim *claim)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "by", claim->by);
    value_set_string(a, v, "at", claim->at);
    value_set_string(a, v, "order", claim->order);
    value_set_string(a, v, "recoveryPoint", claim->point);
    value_set_string(a, v, "target", claim->target);
    value_set_string(a, v, "nonce", claim->nonce);
    value_set_string(a, v, "renewed", claim->renewed);
    value_set_string(a, v, "job", claim->job);
    value_set_string(a, v, "adoptedBy", claim->adopted_by);
    value_set_string(a, v, "ended", claim->ended);
    return v;
}

/* Whoever may write blobs may write anything here, and a job's id becomes part of a URL. What is no id names no job. */
static const char *job_id(const char *job)
{
    static const char of_ids[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    size_t n = job ? strlen(job) : 0;

    return n && n <= JOB_ID_MAX && strspn(job, of_ids) == n ? job : NULL;
}

/* An empty text says nothing, as in the runbooks. */
static const char *said(const char *s)
{
    return s && *s ? s : NULL;
}

void claim_from_value(const struct value *v, struct claim *ret)
{
    ret->by = value_str_at(v, "by");
    ret->at = value_str_at(v, "at");
    ret->order = value_str_at(v, "order");
    ret->point = value_str_at(v, "recoveryPoint");
    ret->target = value_str_at(v, "target");
    ret->nonce = value_str_at(v, "nonce");
    ret->renewed = value_str_at(v, "renewed");
    ret->job = job_id(value_str_at(v, "job"));
    ret->adopted_by = value_str_at(v, "adoptedBy");
    ret->ended = said(value_str_at(v, "ended"));
}

const char *claim_job_of(const struct value *claim, const char *order)
{
    const char *triggered = value_str_at(claim, "order"), *adopted = value_str_at(claim, "adoptedBy");

    return order && (str_eq(triggered, order) || str_eq(adopted, order)) ? value_str_at(claim, "job") : NULL;
}

const char *claim_words(struct arena *a, const struct claim *claim)
{
    return arena_printf(a, "claim %s (by %s at %s, order %s, point %s)", claim->name,
                        claim->by ? claim->by : "somebody unnamed",
                        claim->made_ms != TIME_NONE ? time_format(a, claim->made_ms)
                        : claim->at                 ? claim->at
                                                    : "an unknown time",
                        claim->order ? claim->order : "not named", claim->point ? claim->point : "not named");
}

char *claim_unsettled_words(struct arena *a, const struct claim *claim, int64_t wait_ms)
{
    return arena_printf(
        a,
        "%s names no job, and the vault's job list shows none %s after it was made: whether a restore was triggered "
        "is not known",
        claim_words(a, claim), duration_format(a, wait_ms));
}

char *claim_unsettled_advice(struct arena *a, const struct claim *claim, const char *vault_id)
{
    const char *group = vault_id ? arm_id_part(a, vault_id, "resourceGroups") : NULL,
               *name = vault_id ? arm_id_name(vault_id) : "VAULT";

    return arena_printf(
        a,
        "look at the restore jobs of %s: az backup job list --resource-group '%s' --vault-name '%s' --operation "
        "Restore "
        "--output table; when none of them is this one, say so: reinstate apply -f ... --take-over %s=YOUR-NAME",
        name, group ? group : "GROUP", name, claim->name);
}

enum claim_verdict claim_judge(const struct claim *claim, const struct claim_subject *subject,
                               const struct claim_look *look)
{
    bool same = claim->point && str_eq(claim->point, subject->point);

    if (claim->ended)
        return CLAIM_ENDED;
    if (!claim->job)
        return claim->made_ms != TIME_NONE && look->now_ms - claim->made_ms < look->wait_ms ? CLAIM_WAIT : CLAIM_PERSON;
    if (look->job == CLAIM_JOB_GONE && claim->made_ms != TIME_NONE &&
        look->now_ms - claim->made_ms > CLAIM_FORGOTTEN_MS)
        return CLAIM_ENDED;
    if (look->job != CLAIM_JOB_ENDED)
        return same ? CLAIM_ADOPT : CLAIM_OTHER;
    if (!same || look->known || (look->end_ms != TIME_NONE && look->end_ms < look->since_ms))
        return CLAIM_ENDED;
    return CLAIM_ADOPT;
}

/* --- the account -------------------------------------------------------------------------------------------------- */

void claims_release(struct claims *claims)
{
    secret_release(&claims->key);
}

int claims_open(struct azure *az, struct call *c, struct arena *a, const char *account_id, struct claims *ret,
                struct err *err)
{
    *ret = (struct claims){.az = az, .account_id = account_id};
    ret->place.account = arm_id_name(account_id);
    ret->place.container = CLAIM_CONTAINER;
    TRY(blob_endpoint(az, c, a, account_id, ret->place.account, &ret->place.endpoint, err));
    return 0;
}

bool claims_refused(const struct err *err)
{
    /* Only the account's own code says that it takes none for good. A proxy's refusal has none of Azure's, a sign-in
     * that failed speaks of us, and a disabled account stages no restore either. */
    if (err->http_status &&
        (!err->code[0] || err->http_status == 401 || str_eq_nocase(err->code, "AccountIsDisabled")))
        return false;
    return err->class == ERR_DENIED || err->class == ERR_NOT_FOUND || (err->class == ERR_INVALID && err->http_status);
}

/* The place as it is asked now: by token as long as that is not refused. */
static const struct blob_place *place_of(struct claims *claims)
{
    claims->place.account_key = claims->key.len ? &claims->key : NULL;
    return &claims->place;
}

/* After a refusal of the token: true when the account's key was had instead, and asking again makes sense. */
static bool key_instead(struct call *c, struct arena *a, struct claims *claims, const struct err *err)
{
    struct err ignored;

    return err->class == ERR_DENIED && !claims->key.len && claims->account_id &&
           blob_account_key(claims->az, c, a, claims->account_id, &claims->key, &ignored) == 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static int list(struct call *c, struct arena *a, struct claims *claims, const char *base, struct value **ret,
                struct err *err)
{
    int rc = blob_list(claims->az, c, a, place_of(claims), base, ret, err);

    if (rc < 0 && str_eq_nocase(err->code, "ContainerNotFound")) {
        *ret = value_list(a);
        rc = 0;
    }
    return rc;
}

int claims_list(struct call *c, struct arena *a, struct claims *claims, struct value **ret, struct err *err)
{
    struct value *blobs, *found = value_list(a);

    TRY(list(c, a, claims, NULL, &blobs, err));
    for (size_t i = 0; i < value_count(blobs); i++) {
        const char *name = value_str_at(value_item(blobs, i), "name");

        if (name && !str_starts(name, CLAIM_NOTE))
            value_push(a, found, value_copy(a, value_item(blobs, i)));
    }
    *ret = found;
    return 0;
}

/* Whatever is kept here says who wrote it, or of what. */
static bool says_something(const struct secret *bytes, const void *ctx)
{
    static const char *const members[] = {"by", "at", "nonce", "job", "ended", "copy"};
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct value *content;
    struct err unread;
    bool says = false;

    (void)ctx;
    if (json_parse(scratch, bytes->bytes ? bytes->bytes : "", bytes->len, &content, &unread) < 0)
        return false;
    for (size_t i = 0; i < COUNT(members); i++)
        says = says || value_str_at(content, members[i]);
    return says;
}

static int read_content(struct call *c, struct arena *a, struct claims *claims, const char *name, struct value **ret,
                        const char **ret_etag, struct err *err)
{
    static const struct blob_judge judge = {.fits = says_something};
    struct secret bytes cleanup(secret_release) = {0};
    struct blob_place place;
    struct err unread;
    int rc;

    do {
        place = *place_of(claims);
        place.name = name;
        place.judge = &judge;
        rc = blob_read_open(claims->az, c, a, &place, CLAIM_BYTES_MAX, &bytes, ret_etag, err);
    } while (rc < 0 && key_instead(c, a, claims, err));
    if (rc < 0)
        return rc;
    if (json_parse(a, bytes.bytes ? bytes.bytes : "", bytes.len, ret, &unread) < 0)
        *ret = NULL;
    return 0;
}

static int read_claim(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, struct err *err)
{
    struct value *content = NULL;
    int64_t renewed_ms;

    TRY(read_content(c, a, claims, claim->name, &content, &claim->etag, err));
    claim_from_value(content, claim);
    /* Content and etag are of one moment; a list may be older. */
    renewed_ms = claim->renewed ? time_parse(claim->renewed) : TIME_NONE;
    if (renewed_ms > claim->made_ms)
        claim->made_ms = renewed_ms;
    return 0;
}

int claims_notes(struct call *c, struct arena *a, struct claims *claims, const char *prefix, struct value **ret,
                 struct err *err)
{
    struct value *blobs, *found = value_map(a);

    TRY(list(c, a, claims, prefix, &blobs, err));
    for (size_t i = 0; i < value_count(blobs) && i < CLAIMS_READ_MAX; i++) {
        const char *name = value_str_at(value_item(blobs, i), "name"), *etag;
        struct value *content;

        TRY(read_content(c, a, claims, name, &content, &etag, err));
        value_set(a, found, name, content ? content : value_map(a));
    }
    *ret = found;
    return 0;
}

int claims_newest(struct call *c, struct arena *a, struct claims *claims, const char *base, struct claim *ret,
                  bool *ret_found, struct err *err)
{
    const struct value *newest = NULL;
    struct value *blobs;
    size_t most = 0, n;

    *ret_found = false;
    while (list(c, a, claims, base, &blobs, err) < 0)
        if (!key_instead(c, a, claims, err))
            return -(int)err->class;
    for (size_t i = 0; i < value_count(blobs); i++)
        if (claim_generation(base, value_str_at(value_item(blobs, i), "name"), &n) && (!newest || n > most)) {
            newest = value_item(blobs, i);
            most = n;
        }
    *ret = (struct claim){.generation = most, .made_ms = TIME_NONE};
    *ret_found = newest != NULL;
    if (!newest)
        return 0;
    ret->name = claim_name(a, base, most);
    ret->made_ms = time_parse_http(value_str_at(newest, "created") ?: value_str_at(newest, "modified"));
    return read_claim(c, a, claims, ret, err);
}

int claims_with_jobs(struct call *c, struct arena *a, struct claims *claims, struct value **ret, struct err *err)
{
    struct value *blobs, *found = value_list(a);

    TRY(claims_list(c, a, claims, &blobs, err));
    for (size_t i = 0; i < value_count(blobs) && i < CLAIMS_READ_MAX; i++) {
        struct claim claim = {.name = value_str_at(value_item(blobs, i), "name")};

        TRY(read_claim(c, a, claims, &claim, err));
        if (claim.job)
            value_push(a, found, claim_to_value(a, &claim));
    }
    *ret = found;
    return 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* Over the state of that etag; NULL: only where there is none of that name. */
static int put_content(struct call *c, struct arena *a, struct claims *claims, const char *name,
                       const struct value *what, const char **etag, struct err *err)
{
    struct secret bytes cleanup(secret_release) = {0};
    struct blob_content content = {.bytes = &bytes, .type = "application/json", .etag = *etag};
    struct text json cleanup(text_release) = {.ceiling = CLAIM_BYTES_MAX};
    struct blob_place place;
    int rc;

    json_write(&json, what, JSON_COMPACT);
    secret_set(&bytes, text_str(&json), json.len);
    do {
        place = *place_of(claims);
        place.name = name;
        rc = blob_write(claims->az, c, a, &place, &content, etag, err);
    } while (rc < 0 && key_instead(c, a, claims, err));
    return rc;
}

static int put(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, struct err *err)
{
    return put_content(c, a, claims, claim->name, claim_to_value(a, claim), &claim->etag, err);
}

static int make_container(struct call *c, struct arena *a, struct claims *claims, struct err *err)
{
    int rc;

    do
        rc = blob_make_container(claims->az, c, a, place_of(claims), err);
    while (rc < 0 && key_instead(c, a, claims, err));
    return rc;
}

/* A PUT whose answer was lost is sent again, and finds its own claim there; or it was not sent again. */
static int taken_by_us(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, bool *ret,
                       struct err *err)
{
    struct claim there = {.name = claim->name};

    TRY(read_claim(c, a, claims, &there, err));
    *ret = there.nonce && str_eq(there.nonce, claim->nonce);
    if (*ret)
        claim->etag = there.etag;
    return 0;
}

/* Whether a write took effect is not known: no answer says so, or one that is none of the service's. */
static bool outcome_unknown(const struct err *err)
{
    return err->class == ERR_UNKNOWN_OUTCOME || (err->class == ERR_PROTOCOL && err->http_status < 300);
}

static int put_first(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, struct err *err)
{
    int rc;

    claim->etag = NULL;
    rc = put(c, a, claims, claim, err);
    if (rc < 0 && str_eq_nocase(err->code, "ContainerNotFound")) {
        TRY(make_container(c, a, claims, err));
        rc = put(c, a, claims, claim, err);
    }
    return rc;
}

int claims_take(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, struct err *err)
{
    claim->nonce = arena_printf(a, "%016llx", (unsigned long long)sched_random(call_sched(c), UINT64_MAX));
    for (int times = 1;; times++) {
        struct err failed;
        bool ours = false;

        if (put_first(c, a, claims, claim, err) == 0) {
            if (claim->etag)
                return 0;
            err_set(err, ERR_PROTOCOL, "the answer to claim %s bears no etag, so it may be none of the service's",
                    claim->name);
        }
        if (err->class != ERR_CONFLICT && !outcome_unknown(err))
            return -(int)err->class;
        failed = *err;
        /* A claim is never deleted: ours cannot get its name any more, whatever became of it on its way. */
        if (taken_by_us(c, a, claims, claim, &ours, err) == 0)
            return ours ? 0 : err_set(err, ERR_CONFLICT, "%s was taken by somebody else", claim->name);
        if (err->class == ERR_CANCELLED)
            return -ERR_CANCELLED;
        /* One writer wins, so a PUT that was not taken may be sent again. */
        if (err->class != ERR_NOT_FOUND || failed.class != ERR_PROTOCOL || times == WRITES_MAX) {
            *err = failed;
            return -(int)err->class;
        }
    }
}

static bool same_content(const struct claim *x, const struct claim *y)
{
    return x->nonce && str_eq(x->nonce, y->nonce) && str_eq(x->order, y->order) && str_eq(x->job, y->job) &&
           str_eq(x->ended, y->ended) && str_eq(x->renewed, y->renewed) && str_eq(x->adopted_by, y->adopted_by);
}

int claims_confirm(struct call *c, struct arena *a, struct claims *claims, const struct claim *claim, bool *ret_same,
                   struct claim *ret_now, struct err *err)
{
    *ret_now = (struct claim){.name = claim->name, .generation = claim->generation, .made_ms = claim->made_ms};
    TRY(read_claim(c, a, claims, ret_now, err));
    /* An answer without an etag, or a write of ours that was sent twice: the words decide. */
    *ret_same = (ret_now->etag && str_eq(ret_now->etag, claim->etag)) || same_content(ret_now, claim);
    if (!ret_now->etag)
        ret_now->etag = claim->etag;
    return 0;
}

int claims_note(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, struct err *err)
{
    const char *over = claim->etag;

    for (int times = 1;; times++) {
        struct claim now;
        struct err failed;
        bool same = false;
        int rc;

        claim->etag = over;
        rc = put(c, a, claims, claim, err);
        if (rc == 0 && claim->etag)
            return 0;
        if (rc == 0)
            err_set(err, ERR_UNKNOWN_OUTCOME, "the answer to what was noted in claim %s bears no etag", claim->name);
        claim->etag = over;
        if (err->class != ERR_CONFLICT && !outcome_unknown(err))
            return -(int)err->class;
        failed = *err;
        /* A note whose answer was lost may have been taken, and been sent again, and met itself. */
        if (claims_confirm(c, a, claims, claim, &same, &now, err) < 0 && err->class == ERR_CANCELLED)
            return -ERR_CANCELLED;
        if (same && same_content(&now, claim)) {
            claim->etag = now.etag;
            return 0;
        }
        if (!same || !outcome_unknown(&failed) || times == WRITES_MAX) {
            *err = failed;
            return -(int)err->class;
        }
    }
}

int claims_keep(struct call *c, struct arena *a, struct claims *claims, const char *name, const struct value *content,
                struct err *err)
{
    const char *etag = NULL;
    int rc = put_content(c, a, claims, name, content, &etag, err);

    if (rc < 0 && str_eq_nocase(err->code, "ContainerNotFound")) {
        TRY(make_container(c, a, claims, err));
        rc = put_content(c, a, claims, name, content, &etag, err);
    }
    return rc < 0 && err->class == ERR_CONFLICT ? 0 : rc;
}
