/* Whole sequences: every recorded long-running operation through our poller, every job through our watch, every list
 * through our paging. What is asked must be, byte for byte and not sooner, what the answers before said. */
#ifndef REINSTATE_REPLAY_OPERATIONS_H
#define REINSTATE_REPLAY_OPERATIONS_H

#include "replay_tables.h"

static int64_t told_wait(struct replay *r, const struct exchange *x, int64_t otherwise)
{
    const char *s = header_of(x, "retry-after");
    int64_t throttled = throttle_seconds(r, x);

    if (throttled >= 0)
        return throttled * SECOND_MS;
    return s ? strtoll(s, NULL, 10) * SECOND_MS : otherwise;
}

static void check_polls(struct replay *r, const char *header, int64_t start_ms)
{
    const struct exchange *last = r->x;
    const char *expected = header_of(r->x, header);
    int64_t last_ms = start_ms;

    for (size_t i = 0; i < r->n_asked; i++) {
        const struct asked *asked = &r->asked[i];
        int64_t waited = asked->at_ms - last_ms;

        if (!str_eq(asked->url, expected))
            misread(r, "poll %zu went to %s instead of %s", i + 1, asked->url, expected);
        /* An operation that is not known yet, or not any more, is asked for again before it is given up. */
        if (last->status != 404 && waited < told_wait(r, last, AZURE_POLL_MS))
            misread(r, "poll %zu came after %lld ms", i + 1, (long long)waited);
        if (!asked->answer)
            return;
        last = asked->answer;
        last_ms = asked->at_ms;
        if (header_of(last, header))
            expected = header_of(last, header);
    }
}

static int follow(struct call *c, struct replay *r)
{
    const char *header = r->arg, *url = header_of(r->x, header), *wait = header_of(r->x, "retry-after");
    struct arm_operation op = {
        .status = r->x->status,
        .body = value_copy(r->a, r->x->answer),
        .async_url = str_eq(header, "location") ? NULL : url,
        .location = header_of(r->x, "location"),
        .retry_after_ms = wait ? strtoll(wait, NULL, 10) * SECOND_MS : -1,
    };
    int64_t start_ms = call_now_ms(c);
    struct value *body = NULL;
    int rc = arm_follow(r->az, c, r->a, &op, 48 * (int64_t)HOUR_MS, &body, &r->err);

    check_polls(r, header, start_ms);
    return rc;
}

/* The end as it was recorded: 0 when all went well or the recording breaks off. */
static void check_end(struct replay *r, bool async)
{
    const struct exchange *last = r->n_asked ? r->asked[r->n_asked - 1].answer : NULL;

    if (!r->n_asked && r->x->status == 201 && str_starts(header_of(r->x, "location"), "/") &&
        !header_of(r->x, "azure-asyncoperation")) {
        /* A path names what was made; there is nothing to ask for. */
        if (r->rc < 0)
            misread(r, "what was made was not understood: %s", r->err.text);
    } else if (!r->n_asked) {
        misread(r, "nothing was asked (%s)", r->err.text);
    } else if (last && last->status >= 400) {
        judge_error(r, last);
        if (r->rc == 0)
            misread(r, "the end with %d was taken for success", last->status);
    } else if (last && progress_said(last, async) == ARM_FAILED) {
        if (r->rc == 0 || !str_eq(r->err.code, value_str_at(last->answer, "error.code")))
            misread(r, "the failed operation was understood as %s %s", r->rc ? r->err.code : "done", r->err.text);
    } else if (last && (r->rc < 0 || progress_said(last, async) == ARM_RUNNING)) {
        misread(r, "the operation ended with %s", r->rc < 0 ? r->err.text : "success while it was running");
    } else if (!last && r->rc == 0) {
        misread(r, "success was made up after the end of the recording");
    }
}

/* As it was polled when it was recorded: with the address of the one header or of the other, or by its id elsewhere. */
static const char *polled_header(const struct recording *file, size_t at)
{
    static const char *const headers[] = {"azure-asyncoperation", "location"};

    for (int by_id = 0; by_id < 2; by_id++)
        for (size_t h = 0; h < COUNT(headers); h++) {
            const char *url = header_of(&file->items[at], headers[h]), *path = url ? path_of(file->arena, url) : "";

            for (size_t i = at + 1; url && i < file->count; i++)
                if (str_eq(file->items[i].method, "GET") &&
                    (by_id ? same_operation(file->arena, url, file->items[i].path)
                           : str_eq_nocase(file->items[i].path, path)))
                    return headers[h];
        }
    return header_of(&file->items[at], headers[0])   ? headers[0]
           : header_of(&file->items[at], headers[1]) ? headers[1]
                                                     : NULL;
}

static void follow_operation(struct totals *t, const struct recording *file, size_t at)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct exchange *x = &file->items[at];
    const char *header = polled_header(file, at);
    struct replay r = {.a = a, .file = file, .at = at, .x = x, .polling = true, .call = follow, .arg = (void *)header};

    r.understood = value_map(a);
    if (!header || str_eq(x->method, "GET") || (x->status != 201 && x->status != 202) ||
        service_of(x->uri, &r.cloud) != SERVICE_ARM)
        return;
    replay_run(&r);
    check_end(&r, !str_eq(header, "location"));
    t->operations++;
    verdict(t, file, at, "operation followed", r.fault);
    if (t->verbose)
        printf("%s:%zu operation of %s %s: %zu polls%s\n", file->stem, at + 1, x->method, x->path, r.n_asked - r.ended,
               r.ended ? ", then the recording ends" : "");
}

/* --- what is asked again and again at one address: jobs, and operations whose beginning was not recorded ---------- */

static bool is_first_of_path(const struct recording *file, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(file->items[i].method, "GET") && str_eq(file->items[i].path, file->items[at].path))
            return false;
    return true;
}

static int follow_same(struct call *c, struct replay *r)
{
    struct arm_operation op = {.status = 202, .async_url = r->x->uri, .retry_after_ms = -1};

    return arm_follow(r->az, c, r->a, &op, 48 * (int64_t)HOUR_MS, NULL, &r->err);
}

static int follow_job(struct call *c, struct replay *r)
{
    struct backup_job job = {0};

    TRY(backup_follow_job(r->az, c, r->a,
                          &(struct backup_following){.vault_id = before(r->a, r->x->path, "/backupJobs/"),
                                                     .job = arm_id_name(r->x->path),
                                                     .bound_ms = 48 * (int64_t)HOUR_MS},
                          &job, &r->err));
    note_job(r, &job);
    return 0;
}

static void check_job_end(struct replay *r)
{
    static const char *const going[] = {"InProgress", "Cancelling", NULL};

    for (size_t i = 0; i < r->n_asked; i++) {
        const struct exchange *x = r->asked[i].answer, *before_it = i ? r->asked[i - 1].answer : NULL;

        if (before_it && before_it->status == 429 &&
            r->asked[i].at_ms - r->asked[i - 1].at_ms < told_wait(r, before_it, 0))
            misread(r, "a throttled read was repeated after %lld ms",
                    (long long)(r->asked[i].at_ms - r->asked[i - 1].at_ms));
        if (before_it && before_it->status == 200 &&
            !word_in(value_str_at(before_it->answer, "properties.status"), going))
            misread(r, "the ended job was asked for again");
        if (x && i + 1 == r->n_asked && r->rc == 0 && word_in(value_str_at(x->answer, "properties.status"), going))
            misread(r, "a running job was taken for an ended one");
    }
    if (!r->ended && r->rc < 0)
        misread(r, "the job was not followed to its end: %s", r->err.text);
}

static void follow_address(struct totals *t, const struct recording *file, size_t at)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct exchange *x = &file->items[at];
    bool job = path_matches(RSV "/backupJobs/*", x->path), operation = path_matches(RSV "/backupOperations/*", x->path);
    bool orphan = poll_kind_of(file, at) == POLL_ASYNC && !poll_given(file, at, false);
    struct replay r = {.a = a, .file = file, .at = at, .x = x, .call = job ? follow_job : follow_same};

    r.understood = value_map(a);
    if ((!job && !operation && !orphan) || !str_eq(x->method, "GET") || !is_first_of_path(file, at) ||
        service_of(x->uri, &r.cloud) != SERVICE_ARM)
        return;
    replay_run(&r);
    if (job)
        check_job_end(&r);
    else
        check_end(&r, true);
    t->operations++;
    verdict(t, file, at, job ? "job followed" : "operation followed", r.fault);
    if (t->verbose)
        printf("%s:%zu %s %s: %zu answers%s\n", file->stem, at + 1, job ? "job" : "operation", x->path,
               r.n_asked - r.ended, r.ended ? ", then the recording ends" : "");
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

static int turn_pages(struct call *c, struct replay *r)
{
    const enum service service = *(const enum service *)r->arg;
    bool hsm = url_under_suffix(r->x->uri, r->cloud->hsm_suffix);
    enum audience audience = service == SERVICE_GRAPH ? AUDIENCE_GRAPH : service == SERVICE_ARM ? AUDIENCE_ARM
                             : hsm                    ? AUDIENCE_HSM
                                                      : AUDIENCE_VAULT;
    struct value *items = NULL;

    TRY(azure_list(r->az, c, r->a, audience, r->x->uri, "turning pages", &items, &r->err));
    count_matches(r, items);
    return 0;
}

static void turn_list(struct totals *t, const struct recording *file, size_t at)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct exchange *x = &file->items[at];
    const char *expected = value_str(value_get(x->answer, "nextLink"));
    struct replay r = {.a = a, .file = file, .at = at, .x = x, .call = turn_pages, .turning = true};
    enum service service = service_of(x->uri, &r.cloud);

    expected = expected ? expected : value_str(value_get(x->answer, "@odata.nextLink"));
    r.understood = value_map(a);
    r.arg = &service;
    if (!expected || !str_eq(x->method, "GET") ||
        (service != SERVICE_ARM && service != SERVICE_VAULT && service != SERVICE_GRAPH))
        return;
    replay_run(&r);
    for (size_t i = 1; i < r.n_asked; i++) {
        const struct value *page = r.asked[i - 1].answer ? r.asked[i - 1].answer->answer : NULL;
        const char *next = value_str(value_get(page, "nextLink"));

        /* The page that was refused is the one that is asked for again. */
        if (r.asked[i - 1].answer && r.asked[i - 1].answer->status == 401 && str_eq(r.asked[i].url, r.asked[i - 1].url))
            continue;
        if (!str_eq(r.asked[i].url, next ? next : value_str(value_get(page, "@odata.nextLink"))))
            misread(&r, "page %zu was asked for at %s", i + 1, r.asked[i].url);
    }
    if (r.n_asked < 2 || (r.rc < 0 && !r.ended))
        misread(&r, "the list was not read to its end: %s", r.err.text);
    t->operations++;
    verdict(t, file, at, "pages turned", r.fault);
    if (t->verbose)
        printf("%s:%zu list: %zu pages%s\n", file->stem, at + 1, r.n_asked - r.ended,
               r.ended ? ", then the recording ends" : "");
}

#endif
