/* What an answer says, read here by the plainest means, so that what our parsers made of it can be held against it. */
#ifndef REINSTATE_REPLAY_JUDGE_H
#define REINSTATE_REPLAY_JUDGE_H

#include "../../providers/azure/backup.h"
#include "replay_peer.h"

static void note(struct replay *r, const char *name, const char *text)
{
    value_set_string(r->a, r->understood, name, text);
}

static void note_time(struct replay *r, const char *name, int64_t ms)
{
    note(r, name, ms == TIME_NONE ? "never" : time_format(r->a, ms));
}

/* What a body says, as text; NULL when it does not. */
static const char *said(struct replay *r, const struct value *body, const char *path)
{
    const struct value *v = value_at(body, path);

    if (!v || value_is(v, VALUE_NULL))
        return NULL;
    return value_is(v, VALUE_STRING) ? value_str(v) : json_string(r->a, v, JSON_COMPACT);
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const char *between(struct arena *a, const char *s, const char *start, const char *end)
{
    const char *p = s ? strstr(s, start) : NULL, *q;

    if (!p)
        return NULL;
    p += strlen(start);
    q = strstr(p, end);
    return q ? arena_strndup(a, p, (size_t)(q - p)) : NULL;
}

static const char *error_code(struct replay *r, const struct exchange *x)
{
    const char *code = value_str_at(x->answer, "error.innererror.code");

    if (!code)
        code = value_str_at(x->answer, "error.code");
    if (!code)
        code = value_str(value_get_nocase(x->answer, "error"));
    if (!code)
        code = value_str_at(x->answer, "code");
    if (!code)
        code = header_of(x, "x-ms-error-code");
    return code ? code : between(r->a, value_str(x->answer), "<Code>", "</Code>");
}

static bool class_fits(const struct exchange *x, const char *code, enum err_class class)
{
    switch (x->status) {
    case 401:
        return class == ERR_DENIED;
    case 403:
        return class == ERR_DENIED || class == ERR_BLOCKED;
    case 404:
        /* A wrong address must not pass for absence. */
        return code ? class == ERR_NOT_FOUND || class == ERR_INVALID : class == ERR_PROTOCOL;
    case 409:
    case 412:
        return class == ERR_CONFLICT || class == ERR_BLOCKED;
    case 429:
        return class == ERR_THROTTLED;
    default:
        return x->status >= 500 ? class == ERR_TRANSIENT || class == ERR_THROTTLED
                                : class != ERR_NONE && class != ERR_NOT_FOUND;
    }
}

/* Seconds that a throttled answer asks for, in a header or a sentence; -1. */
static int64_t throttle_seconds(struct replay *r, const struct exchange *x)
{
    const char *header = header_of(x, "retry-after"), *text = value_str_at(x->answer, "error.message");
    const char *quoted = text ? between(r->a, text, "try again after '", "' seconds") : NULL;

    if (x->status != 429 || (!header && !quoted))
        return -1;
    return (int64_t)strtoll(header ? header : quoted, NULL, 10);
}

/* An answer of 400 or more, which our client must have taken as what it is. */
static void judge_error(struct replay *r, const struct exchange *x)
{
    const char *code = error_code(r, x);
    int64_t seconds = throttle_seconds(r, x);

    note(r, "error", r->err.code);
    note(r, "class", err_class_name(r->err.class));
    if (r->err.http_status != x->status)
        misread(r, "status %d was taken as %d (%s)", x->status, r->err.http_status, r->err.text);
    if (code && !str_eq(r->err.code, code) && !str_eq_nocase(r->err.code, value_str_at(x->answer, "error.code")))
        misread(r, "code %s was read as %s", code, r->err.code);
    if (!class_fits(x, code, r->err.class))
        misread(r, "%d %s was classed as %s", x->status, code ? code : "", err_class_name(r->err.class));
    if (seconds < 0)
        return;
    note(r, "wait", arena_printf(r->a, "%lld s", (long long)(r->err.retry_after_ms / SECOND_MS)));
    if (r->err.retry_after_ms != seconds * SECOND_MS)
        misread(r, "a wait of %lld s was read as %lld ms", (long long)seconds, (long long)r->err.retry_after_ms);
}

/* A 401 of Key Vault names who gives tokens and for what. */
static void judge_challenge(struct replay *r, const struct exchange *x)
{
    const char *challenge = header_of(x, "www-authenticate");
    const char *audience = strstr(x->uri, r->cloud->hsm_suffix) ? r->cloud->hsm_audience : r->cloud->vault_audience;
    struct err err = {0};

    if (!challenge)
        return;
    note(r, "resource", between(r->a, challenge, "resource=\"", "\""));
    if (azure_check_challenge(challenge, x->uri, audience, &err) < 0)
        misread(r, "the challenge was refused: %s", err.text);
}

/* --- long-running operations -------------------------------------------------------------------------------------- */

static const char *const progress_names[] = {
    [ARM_RUNNING] = "running", [ARM_SUCCEEDED] = "succeeded", [ARM_FAILED] = "failed"};

static bool word_in(const char *word, const char *const *words)
{
    for (; word && *words; words++)
        if (str_eq_nocase(word, *words))
            return true;
    return false;
}

static enum arm_progress progress_said(const struct exchange *x, bool async)
{
    static const char *const bad[] = {"Failed", "Canceled", "Cancelled", NULL}, *const good[] = {"Succeeded", NULL};
    const char *word = value_str_at(x->answer, "status");

    if (!async && (x->status != 200 || !value_get(x->answer, "error")))
        return x->status == 202 ? ARM_RUNNING : ARM_SUCCEEDED;
    word = word ? word : value_str_at(x->answer, "properties.provisioningState");
    if (x->status == 204 || word_in(word, good))
        return ARM_SUCCEEDED;
    return word_in(word, bad) ? ARM_FAILED : ARM_RUNNING;
}

static void judge_poll(struct replay *r, const struct exchange *x, bool async)
{
    size_t n = value_is(x->headers, VALUE_MAP) ? x->headers->map.count : 0, len;
    struct wire_header *headers = arena_array(r->a, struct wire_header, n + 1);
    const char *body = body_of(r->a, x->answer, &len), *wait = header_of(x, "retry-after");
    const char *next = header_of(x, async ? "azure-asyncoperation" : "location");
    struct arm_answer answer = {0};

    for (size_t i = 0; i < n; i++)
        headers[i] = (struct wire_header){x->headers->map.members[i].key, header_of(x, x->headers->map.members[i].key)};
    r->rc = arm_judge_answer(r->a,
                             &(struct arm_polled){.url = x->uri,
                                                  .async = async,
                                                  .status = x->status,
                                                  .headers = headers,
                                                  .n_headers = n,
                                                  .body = body,
                                                  .body_len = len},
                             &answer, &r->err);
    if (r->rc < 0)
        return;
    note(r, "progress", progress_names[answer.progress]);
    note(r, "wait", arena_printf(r->a, "%lld s", (long long)(answer.wait_ms / SECOND_MS)));
    note(r, "job", value_str_at(answer.body, "properties.jobId"));
    if (answer.progress != progress_said(x, async))
        misread(r, "%s was read as %s", progress_names[progress_said(x, async)], progress_names[answer.progress]);
    if (answer.progress == ARM_RUNNING && !str_eq(answer.next_url, next ? next : x->uri))
        misread(r, "the next address was read as %s", answer.next_url);
    if (answer.progress != ARM_RUNNING && answer.next_url)
        misread(r, "an ended operation is asked for again at %s", answer.next_url);
    if (answer.wait_ms != (wait ? strtoll(wait, NULL, 10) : 30) * SECOND_MS)
        misread(r, "a wait of %s s was read as %lld ms", wait ? wait : "30", (long long)answer.wait_ms);
}

/* --- recovery points and jobs ------------------------------------------------------------------------------------- */

static const char *const tier_names[] = {[TIER_ABSENT] = "absent", [TIER_VALID] = "valid", [TIER_GONE] = "gone"};

/* Types and statuses as words, or as the numbers of older api-versions. */
static enum tier_state tier_said(const struct value *point, const char *type, const char *number)
{
    const struct value *tiers = value_at(point, "properties.recoveryPointTierDetails");
    enum tier_state state = TIER_ABSENT;

    for (size_t i = 0; i < value_count(tiers); i++) {
        const struct value *tier = value_item(tiers, i), *t = value_get(tier, "type"), *s = value_get(tier, "status");
        bool is = value_is(t, VALUE_INT) ? t->i == strtoll(number, NULL, 10) : str_eq(value_str(t), type);

        if (is)
            state = (value_is(s, VALUE_INT) ? s->i == 1 || s->i == 4
                                            : str_eq(value_str(s), "Valid") || str_eq(value_str(s), "Rehydrated"))
                        ? TIER_VALID
                        : TIER_GONE;
    }
    return state;
}

static void judge_point(struct replay *r, const struct value *body)
{
    const char *security = value_str_at(body, "properties.securityType");
    struct backup_point p;

    backup_read_point(r->a, body, &p);
    note(r, "point", p.id);
    note_time(r, "time", p.time_ms);
    note(r, "tiers",
         arena_printf(r->a, "snapshot %s, vault %s, archive %s", tier_names[p.snapshot], tier_names[p.vault],
                      tier_names[p.archive]));
    note(r, "security", p.security_type);
    if (!str_eq(p.id, value_str_at(body, "name")))
        misread(r, "recovery point %s was read as %s", value_str_at(body, "name"), p.id);
    if (p.time_ms == TIME_NONE)
        misread(r, "the time of recovery point %s was not understood", p.id);
    if (p.snapshot != tier_said(body, "InstantRP", "1") || p.vault != tier_said(body, "HardenedRP", "2") ||
        p.archive != tier_said(body, "ArchivedRP", "3"))
        misread(r, "the tiers of recovery point %s were read as %s", p.id, value_str_at(r->understood, "tiers"));
    if (value_count(value_at(body, "properties.recoveryPointTierDetails")) && !p.snapshot && !p.vault && !p.archive)
        misread(r, "no tier of recovery point %s was understood", p.id);
    if (p.confidential != (security && strstr(security, "ConfidentialVM") == security) ||
        (p.key == POINT_KEY_CUSTOMER) != (p.confidential && strstr(security, "CustomerKey") != NULL))
        misread(r, "security type %s was misread", security);
}

static const char *const job_states[] = {
    [JOB_RUNNING] = "running", [JOB_COMPLETED] = "completed", [JOB_COMPLETED_WITH_WARNINGS] = "completed with warnings",
    [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled", [JOB_UNKNOWN] = "unknown",
};
static const char *const restore_types[] = {
    [RESTORE_NEW_VM] = "new VM",
    [RESTORE_DISKS] = "disks",
    [RESTORE_REPLACE] = "replace",
    [RESTORE_UNKNOWN] = "unknown",
};

static void note_job(struct replay *r, const struct backup_job *j)
{
    note(r, "job", j->id);
    note(r, "operation", j->operation);
    note(r, "state", job_states[j->state]);
    note_time(r, "start", j->start_ms);
    note_time(r, "end", j->end_ms);
    note(r, "vm", j->vm);
    note(r, "group", j->source_group);
    if (j->source_group && j->source_vm)
        note(r, "container", arena_printf(r->a, "iaasvmcontainerv2;%s;%s", j->source_group, j->source_vm));
    note(r, "failure", j->error_code);
    if (!j->detailed)
        return;
    note(r, "type", restore_types[j->type]);
    note_time(r, "point", j->point_ms);
    note(r, "target", j->target_vm);
    note(r, "targetGroup", j->target_group);
    note(r, "staging", j->storage_account);
    note(r, "configContainer", j->config_container);
    note(r, "encryptionBlob", j->encryption_blob);
}

static void judge_time(struct replay *r, const char *what, const char *text, int64_t ms)
{
    bool never = !text || strncmp(text, "0001-", 5) == 0;

    if (never != (ms == TIME_NONE))
        misread(r, "%s %s was read as %s", what, text ? text : "(none)",
                ms == TIME_NONE ? "none" : time_format(r->a, ms));
    if (!never && ms != TIME_NONE && strncmp(time_format(r->a, ms), text, 19) != 0)
        misread(r, "%s %s was read as %s", what, text, time_format(r->a, ms));
}

/* Every key of the property bag must be found, also by who writes it without its blanks. */
static void judge_bag(struct replay *r, const struct value *body)
{
    const struct value *bag = value_at(body, "properties.extendedInfo.propertyBag");

    for (size_t i = 0; value_is(bag, VALUE_MAP) && i < bag->map.count; i++) {
        const struct member *m = &bag->map.members[i];
        char *key = str_lower(r->a, m->key);
        size_t n = strlen(key);

        while (n > 0 && key[n - 1] == ' ')
            key[--n] = '\0';
        if (!str_eq(backup_bag(body, m->key), value_str(m->value)) ||
            !str_eq(backup_bag(body, key), value_str(m->value)))
            misread(r, "the property bag's \"%s\" was not found", m->key);
    }
}

static void judge_job(struct replay *r, const struct value *body)
{
    const struct value *p = value_get(body, "properties"), *errors = value_get(p, "errorDetails");
    const char *where = value_str_at(p, "extendedInfo.internalPropertyBag.restoreLocationType");
    struct backup_job j;

    backup_read_job(r->a, body, &j);
    note_job(r, &j);
    if (!str_eq(j.id, value_str_at(body, "name")) || !str_eq(j.status, value_str_at(p, "status")) ||
        !str_eq(j.operation, value_str_at(p, "operation")))
        misread(r, "the job was read as %s %s %s", j.id, j.operation, j.status);
    if (j.state == JOB_UNKNOWN)
        misread(r, "job status %s was not understood", j.status);
    judge_time(r, "startTime", value_str_at(p, "startTime"), j.start_ms);
    judge_time(r, "endTime", value_str_at(p, "endTime"), j.end_ms);
    judge_bag(r, body);
    if (j.detailed != value_is(value_get(p, "extendedInfo"), VALUE_MAP))
        misread(r, "whether the job has details was misread");
    if (j.detailed && (where || backup_bag(body, "Job Type")) && j.type == RESTORE_UNKNOWN)
        misread(r, "restore type %s was not understood", where ? where : backup_bag(body, "Job Type"));
    if (backup_bag(body, "Recovery point time ") && j.point_ms == TIME_NONE)
        misread(r, "the recovery point time \"%s\" was not understood", backup_bag(body, "Recovery point time "));
    if (value_count(errors) && !j.error_code)
        misread(r, "the job's error was not understood");
    if (value_str_at(errors, "0.errorString") && !j.error_text)
        misread(r, "the job's error text was not understood");
}

#endif
