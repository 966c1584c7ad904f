/* What a claim is called, which generation it is of, what follows from one that is there, and how it is written. */
#include "azure_peer.h"

#include "../../providers/backup/claim.h"
#include "../../reconciler/base/clock.h"

#define POINT "702113300000001"
#define MADE 1000000000000
#define WAIT (11 * (int64_t)MINUTE_MS)

static const struct claim_subject subject = {
    .item_id = "/subs/S/items/VM;a", .target = "new-vm /subs/S/vm/x", .order = "inc-1", .point = POINT,
};

static void test_names(struct arena *a)
{
    struct claim_subject other = subject;
    const char *base = claim_base(a, &subject);
    size_t n = 7;

    CHECK(strlen(base) == 40 && strspn(base, "0123456789abcdef") == 40);
    other.order = "inc-2";
    other.point = "1";
    CHECK_STR(claim_base(a, &other), base);
    other.item_id = "/SUBS/s/ITEMS/vm;A";
    CHECK_STR(claim_base(a, &other), base);
    other.target = "new-vm /subs/S/vm/y";
    CHECK(!str_eq(claim_base(a, &other), base));
    CHECK(claim_generation(base, claim_name(a, base, 12), &n) && n == 12);
    CHECK(!claim_generation(base, base, &n));
    CHECK(!claim_generation(base, arena_printf(a, "%s-", base), &n));
    CHECK(!claim_generation(base, arena_printf(a, "%s-1x", base), &n));
    CHECK(!claim_generation(base, arena_printf(a, "x%s-1", base), &n));
    CHECK(!claim_generation(base, arena_printf(a, "%s-12345678901234567890", base), &n));
}

static const struct {
    const char *what, *order, *point, *job, *ended;
    enum claim_job state;
    bool known;
    int64_t age_ms, end_ms;
    enum claim_verdict verdict;
} rows[] = {
    {"no job yet", "inc-1", POINT, NULL, NULL, CLAIM_JOB_GONE, false, MINUTE_MS, TIME_NONE, CLAIM_WAIT},
    {"no job for too long", "inc-1", POINT, NULL, NULL, CLAIM_JOB_GONE, false, WAIT, TIME_NONE, CLAIM_PERSON},
    {"a writer cut off says nothing", NULL, NULL, NULL, NULL, CLAIM_JOB_GONE, false, WAIT, TIME_NONE, CLAIM_PERSON},
    {"taken over", "inc-1", POINT, NULL, "taken over: A", CLAIM_JOB_GONE, false, WAIT, TIME_NONE, CLAIM_ENDED},
    {"runs", "inc-1", POINT, "j", NULL, CLAIM_JOB_RUNS, false, WAIT, TIME_NONE, CLAIM_ADOPT},
    {"runs for another order", "inc-2", POINT, "j", NULL, CLAIM_JOB_RUNS, false, WAIT, TIME_NONE, CLAIM_ADOPT},
    {"runs from another point", "inc-2", "1", "j", NULL, CLAIM_JOB_RUNS, false, WAIT, TIME_NONE, CLAIM_OTHER},
    {"not listed yet", "inc-1", POINT, "j", NULL, CLAIM_JOB_GONE, false, MINUTE_MS, TIME_NONE, CLAIM_ADOPT},
    {"not known any more", "inc-1", POINT, "j", NULL, CLAIM_JOB_GONE, false, 8 * DAY_MS, TIME_NONE, CLAIM_ENDED},
    {"ended since this was decided", "inc-1", POINT, "j", NULL, CLAIM_JOB_ENDED, false, WAIT, MADE, CLAIM_ADOPT},
    {"had ended when this was decided", "inc-1", POINT, "j", NULL, CLAIM_JOB_ENDED, true, WAIT, MADE, CLAIM_ENDED},
    {"ended before the order", "inc-1", POINT, "j", NULL, CLAIM_JOB_ENDED, false, WAIT, MADE - HOUR_MS, CLAIM_ENDED},
    {"another point's has ended", "inc-1", "1", "j", NULL, CLAIM_JOB_ENDED, false, WAIT, MADE, CLAIM_ENDED},
};

static void test_verdicts(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct claim claim = {.name = "c-0", .order = rows[i].order, .point = rows[i].point, .job = rows[i].job,
                                    .ended = rows[i].ended, .made_ms = MADE};
        const struct claim_look look = {.job = rows[i].state, .known = rows[i].known, .end_ms = rows[i].end_ms,
                                        .now_ms = MADE + rows[i].age_ms, .since_ms = MADE - MINUTE_MS, .wait_ms = WAIT};

        CHECK_ROW(rows[i].what, claim_judge(&claim, &subject, &look) == rows[i].verdict);
    }
}

static void test_content(struct arena *a)
{
    const struct claim claim = {
        .by = "who", .at = "when", .order = "inc-1", .point = POINT, .target = "t", .nonce = "n", .job = "j"};
    struct claim back = {.made_ms = 5};

    claim_from_value(claim_to_value(a, &claim), &back);
    CHECK_STR(back.by, "who");
    CHECK_STR(back.order, "inc-1");
    CHECK_STR(back.point, POINT);
    CHECK_STR(back.job, "j");
    CHECK_STR(back.nonce, "n");
    CHECK(!back.ended && back.made_ms == 5);
    claim_from_value(NULL, &back);
    CHECK(!back.by && !back.job && !back.point);
}

/* A claim is a blob that anybody may have written. */
static void test_content_of_others(struct arena *a)
{
    static const struct {
        const char *what, *job, *ended;
        bool names_job, ended_so;
    } cases[] = {
        {"a job's id", "1f6de2a9-d1af-5c3c-a394-9e39ce56e04f", NULL, true, false},
        {"a path", "../../x", NULL, false, false},
        {"a query", "x?api-version=1", NULL, false, false},
        {"an empty id", "", NULL, false, false},
        {"ended, in words", NULL, "taken over: A", false, true},
        {"ended, in no words", NULL, "", false, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct value *v = value_map(a);
        struct claim claim = {0};

        value_set_string(a, v, "job", cases[i].job);
        value_set_string(a, v, "ended", cases[i].ended);
        claim_from_value(v, &claim);
        CHECK_ROW(cases[i].what, !!claim.job == cases[i].names_job && !!claim.ended == cases[i].ended_so);
    }
}

/* Only the account's own word, and for good, says that no claim can stand in it. */
static void test_refused(void)
{
    static const struct {
        const char *what;
        enum err_class class;
        int status;
        const char *code;
        bool refused;
    } cases[] = {
        {"no right", ERR_DENIED, 403, "AuthorizationPermissionMismatch", true},
        {"a closed network", ERR_DENIED, 403, "AuthorizationFailure", true},
        {"no such account", ERR_NOT_FOUND, 404, "ResourceNotFound", true},
        {"no such feature", ERR_INVALID, 400, "FeatureNotSupportedForAccount", true},
        {"a proxy's refusal", ERR_DENIED, 403, "", false},
        {"a sign-in that failed", ERR_DENIED, 401, "InvalidAuthenticationInfo", false},
        {"a disabled account", ERR_DENIED, 403, "AccountIsDisabled", false},
        {"too busy", ERR_TRANSIENT, 503, "ServerBusy", false},
        {"no answer", ERR_TRANSIENT, 0, "", false},
        {"throttled", ERR_THROTTLED, 429, "", false},
        {"not to be understood", ERR_PROTOCOL, 200, "", false},
        {"never sent", ERR_INVALID, 0, "", false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {.class = cases[i].class, .http_status = cases[i].status};

        snprintf(err.code, sizeof(err.code), "%s", cases[i].code);
        CHECK_ROW(cases[i].what, claims_refused(&err) == cases[i].refused);
    }
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

#define BLOB "st.blob.core.windows.net/" CLAIM_CONTAINER "/c-0"
#define TAKEN                                                                                                          \
    {                                                                                                                  \
        .method = "PUT", .url = BLOB, .status = 201, .headers = {{"ETag", "\"e1\""}}, .sent = { "If-None-Match", "*" } \
    }
#define LATER "<?xml?><Error><Code>ConditionNotMet</Code><Message>m</Message></Error>"

static const struct peer_row noted[] = {
    PEER_LOGIN, TAKEN,
    {.method = "PUT", .url = BLOB, .status = 201, .headers = {{"ETag", "\"e2\""}}, .sent = {"If-Match", "\"e1\""}},
};

static const struct peer_row overtaken[] = {
    PEER_LOGIN, TAKEN, {.method = "PUT", .url = BLOB, .status = 412, .body = LATER, .sent = {"If-Match", "\"e1\""}},
    {.method = "GET", .url = BLOB, .status = 200, .body = "{\"ended\":\"x\"}", .headers = {{"ETag", "\"e2\""}}},
};

static void run_take_and_note(struct call *c, struct peer_case *t)
{
    struct claims claims cleanup(claims_release) = {
        .az = t->az,
        .place = {.endpoint = "https://st.blob.core.windows.net", .account = "st", .container = CLAIM_CONTAINER},
    };
    struct claim claim = {.name = "c-0", .order = "inc-1", .point = POINT};

    t->rc = claims_take(c, t->a, &claims, &claim, &t->err);
    CHECK(t->rc == 0);
    claim.job = "j";
    t->rc = claims_note(c, t->a, &claims, &claim, &t->err);
}

/* A claim is taken only where there is none, and noted only over the state that was read: what a
 * person has written meanwhile stays. */
static void test_writing(struct arena *a)
{
    static const struct {
        const char *what;
        const struct peer_row *rows;
        size_t n;
        int rc;
    } cases[] = {
        {"noted over the state that was taken", noted, COUNT(noted), 0},
        {"somebody has written since", overtaken, COUNT(overtaken), -ERR_CONFLICT},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer_case t = {.a = a, .run = run_take_and_note};
        struct peer p = {0};

        peer_run(cases[i].what, cases[i].rows, cases[i].n, &t, &p);
        CHECK_ROW(cases[i].what, t.rc == cases[i].rc);
        peer_release(&p);
    }
}

#define LOST {.method = "PUT", .url = BLOB, .fault = WIRE_LOST, .sent = {"If-None-Match", "*"}}
#define EXISTS "<?xml?><Error><Code>BlobAlreadyExists</Code><Message>m</Message></Error>"
#define ABSENT "<?xml?><Error><Code>BlobNotFound</Code><Message>m</Message></Error>"
#define THERE(content) {.method = "GET", .url = BLOB, .status = 200, .body = content, .headers = {{"ETag", "\"e1\""}}}

static const struct peer_row beaten[] = {
    PEER_LOGIN, {.method = "PUT", .url = BLOB, .status = 409, .body = EXISTS}, THERE("{\"nonce\":\"x\"}"),
};
static const struct peer_row lost_to_another[] = {PEER_LOGIN, LOST, LOST, THERE("{\"nonce\":\"x\"}")};
#define KEPT(length, etag) \
    {.method = "HEAD", .url = BLOB, .status = 200, .headers = {{"ETag", etag}, {"Content-Length", length}}}
static const struct peer_row lost_to_words[] = {
    PEER_LOGIN, {.method = "PUT", .url = BLOB, .status = 409, .body = EXISTS},
    THERE("by hand"), KEPT("7", "\"e1\""), THERE("by hand"), KEPT("7", "\"e1\""),
};
static const struct peer_row odd_answers[] = {
    PEER_LOGIN,
    {.method = "PUT", .url = BLOB, .status = 200, .body = "<html>"},
    {.method = "GET", .url = BLOB, .status = 404, .body = ABSENT},
    {.method = "PUT", .url = BLOB, .status = 409, .body = EXISTS},
    THERE("<html>"),
    KEPT("99", "\"e1\""),
    THERE("{}"),
    KEPT("2", "\"e2\""),
    {.method = "GET", .url = BLOB, .status = 200, .body = "{\"nonce\"", .headers = {{"Content-Length", "20"}}},
    THERE("{\"nonce\":\"x\"}"),
};
static const struct peer_row taken_without_etag[] = {
    PEER_LOGIN, {.method = "PUT", .url = BLOB, .status = 201}, THERE("{\"nonce\":\"x\"}"),
};
static const struct peer_row lost_and_absent[] = {
    PEER_LOGIN, LOST, LOST, {.method = "GET", .url = BLOB, .status = 404, .body = ABSENT},
};

static void run_take(struct call *c, struct peer_case *t)
{
    struct claims claims cleanup(claims_release) = {
        .az = t->az,
        .place = {.endpoint = "https://st.blob.core.windows.net", .account = "st", .container = CLAIM_CONTAINER},
    };
    struct claim claim = {.name = "c-0", .order = "inc-1", .point = POINT};

    t->rc = claims_take(c, t->a, &claims, &claim, &t->err);
}

/* Where no answer came, the claim that is there tells who was quicker; where none is there, ours may still
 * be on its way. */
static void test_lost(struct arena *a)
{
    static const struct {
        const char *what;
        const struct peer_row *rows;
        size_t n;
        enum err_class class;
    } cases[] = {
        {"somebody was quicker", beaten, COUNT(beaten), ERR_CONFLICT},
        {"no answer, and another's is there", lost_to_another, COUNT(lost_to_another), ERR_CONFLICT},
        {"somebody was quicker, with what is no claim", lost_to_words, COUNT(lost_to_words), ERR_CONFLICT},
        {"odd answers to write and reads", odd_answers, COUNT(odd_answers), ERR_CONFLICT},
        {"taken, as an answer without an etag says, and another's is there", taken_without_etag,
         COUNT(taken_without_etag), ERR_CONFLICT},
        {"no answer, and none is there", lost_and_absent, COUNT(lost_and_absent), ERR_UNKNOWN_OUTCOME},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer_case t = {.a = a, .run = run_take};
        struct peer p = {.patient = strstr(cases[i].what, "odd") || strstr(cases[i].what, "no claim")};

        peer_run(cases[i].what, cases[i].rows, cases[i].n, &t, &p);
        CHECK_ROW(cases[i].what, t.rc < 0 && t.err.class == cases[i].class);
        peer_release(&p);
    }
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    test_names(a);
    test_verdicts();
    test_content(a);
    test_content_of_others(a);
    test_refused();
    test_writing(a);
    test_lost(a);
    HARNESS_END();
}
