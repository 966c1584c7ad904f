/* The simulator held to the recordings: every recorded exchange that it covers is sent to it in a world made from the
 * recording, and the answers are compared. What differs is in simulator-differences.json with its reason, or fails.
 * Knows files, counting and reporting. Must not know what an operation means.
 *
 * simcheck RECORDINGS DIFFERENCES.json */
#include "simcheck.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../reconciler/format/json.h"

enum { FILES_MAX = 1000, LINE_MAX_BYTES = 64 * 1024 * 1024 };

#define CALLER "0f0f0f0f-0000-4000-8000-00000000000a"
#define CALLER_APP "0f0f0f0f-0000-4000-8000-00000000000b"
#define TENANT "0f0f0f0f-0000-4000-8000-000000000001"

struct check {
    struct arena *own;       /* holds what outlives a file */
    struct value *listed;    /* "operation|difference|member" → reason; what was met is set to null */
    struct value *met;       /* the same keys, counted */
    struct value *unlisted;  /* "operation: difference: member" → {count, example} */
    struct value *uncovered; /* "operation (reason)" → count */
    size_t compared, equal, with_listed, failed, not_covered;
};

/* --- one exchange ------------------------------------------------------------------------------------------------- */

/* When the exchange was recorded; without a date of its own, on the day in
 * the file's name ("NAME.2023-11-07.jsonl"). */
static int64_t recorded_time(struct arena *a, const char *file, const struct value *x)
{
    const char *date = value_str(value_get(value_get(x, "response_headers"), "date")), *dot = strrchr(file, '.');
    int64_t day = dot - file > 10 ? time_parse(arena_printf(a, "%.10sT00:00:00Z", dot - 10)) : TIME_NONE;
    struct tm tm = {0};

    if (date && strptime(date, "%a, %d %b %Y %H:%M:%S", &tm))
        return (int64_t)timegm(&tm) * SECOND_MS;
    return day != TIME_NONE ? day : time_parse("2026-11-23T03:00:00Z");
}

static char *decoded(struct arena *a, const char *s, size_t n)
{
    char *ret = arena_alloc(a, n + 1), hex[3] = "";
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && i + 2 < n) {
            memcpy(hex, s + i + 1, 2);
            ret[len++] = (char)strtol(hex, NULL, 16);
            i += 2;
        } else {
            ret[len++] = s[i];
        }
    }
    return ret;
}

static void take_apart(struct situation *t)
{
    const char *uri = value_str_at(t->x, "uri"), *host = strstr(uri, "://"), *path;

    host = host ? host + strlen("://") : uri;
    path = host + strcspn(host, "/?");
    t->host = str_lower(t->a, arena_strndup(t->a, host, strcspn(host, "/?:")));
    t->path = decoded(t->a, path, strcspn(path, "?"));
    for (const char *at = path; *at == '/' && t->n_parts < PARTS_MAX;) {
        size_t n = strcspn(++at, "/?");

        if (n)
            t->parts[t->n_parts++] = decoded(t->a, at, n);
        at += n;
    }
}

void situation_open(struct situation *t, struct arena *a, const char *file, const struct value *lines, size_t at)
{
    const struct value *x = value_item(lines, at), *sent = value_get(x, "request_body");

    *t = (struct situation){.a = a,
                            .lines = lines,
                            .file = file,
                            .at = at,
                            .x = x,
                            .body = value_get(x, "response_body"),
                            .sent = sent,
                            .status = (int)value_int_at(x, "status", 0),
                            .url = value_str_at(x, "uri"),
                            .now_ms = recorded_time(a, file, x)};
    t->spec = value_map(a);
    if (value_is(sent, VALUE_MAP) || value_is(sent, VALUE_LIST))
        t->request = json_string(a, sent, JSON_COMPACT);
    else
        t->request = value_str(sent);
    take_apart(t);
}

const char *answer_header_of(const struct answer *x, const char *name)
{
    for (size_t i = 0; i < x->n_headers; i++)
        if (str_eq_nocase(x->headers[i].name, name))
            return x->headers[i].value;
    return NULL;
}

static struct answer send_with(struct situation *t, struct sim *s, const char *token, const char *method,
                               const char *url, const char *body)
{
    static const char *const kept[] = {"content-type", "x-ms-version", "x-ms-range", "range", "x-ms-blob-type"};
    const struct value *recorded = value_get(t->x, "request_headers");
    struct sim_header headers[HEADERS_MAX];
    struct sim_call call = {
        .method = method, .url = url, .headers = headers, .body = body, .body_len = body ? strlen(body) : 0};
    struct sim_answer answer;
    struct answer ret = {0};

    if (token)
        headers[call.n_headers++] = (struct sim_header){"Authorization", arena_printf(t->a, "Bearer %s", token)};
    for (size_t i = 0; i < COUNT(kept); i++)
        if (value_str(value_get(recorded, kept[i])))
            headers[call.n_headers++] = (struct sim_header){kept[i], value_str(value_get(recorded, kept[i]))};
    sim_handle(s, t->now_ms, t->a, &call, &answer);
    ret = (struct answer){.dropped = answer.fault != SIM_ANSWERED,
                          .status = answer.status,
                          .headers = answer.headers,
                          .n_headers = answer.n_headers,
                          .len = answer.body.len};
    ret.text = arena_strndup(t->a, text_str(&answer.body), answer.body.len);
    text_release(&answer.body);
    return ret;
}

struct answer situation_send(struct situation *t, struct sim *s, const char *method, const char *url, const char *body)
{
    const char *form, *token = NULL;
    struct value *json = NULL;
    struct answer signed_in;
    struct err ignored;

    if (t->audience) {
        form = arena_printf(
            t->a, "grant_type=client_credentials&client_id=" CALLER_APP "&client_secret=let-me-in&scope=%s/.default",
            t->audience);
        signed_in =
            send_with(t, s, NULL, "POST", "https://login.microsoftonline.com/" TENANT "/oauth2/v2.0/token", form);
        if (json_parse(t->a, signed_in.text, signed_in.len, &json, &ignored) == 0)
            token = arena_strdup(t->a, value_str_at(json, "access_token"));
    }
    return send_with(t, s, token, method, url, body);
}

/* --- the world around it ------------------------------------------------------------------------------------------ */

static void grant(struct situation *t, const char *list, const char *role, const char *store)
{
    struct value *v = value_map(t->a), *all = value_get(t->spec, list);

    if (!all)
        all = value_set(t->a, t->spec, list, value_list(t->a));
    value_set_string(t->a, v, "principal", CALLER);
    value_set_string(t->a, v, "role", role);
    value_set_string(t->a, v, "scope", "/");
    value_set_string(t->a, v, "store", store);
    value_push(t->a, all, v);
}

/* Lists are whole, unless the recorded one went on. */
static int64_t page_size(const struct situation *t)
{
    size_t n = value_count(value_get(t->body, "value"));

    return value_str_at(t->body, "nextLink") && n > 1 ? (int64_t)n - 1 : 1000;
}

static void complete_world(struct situation *t)
{
    static const char *const roles[] = {"Owner", "Key Vault Administrator", "Storage Blob Data Contributor"};
    static const char *const local_roles[] = {"Managed HSM Administrator", "Managed HSM Crypto Officer",
                                              "Managed HSM Crypto User"};
    struct value *behaviour = value_set(t->a, t->spec, "behaviour", value_map(t->a)), *caller = value_map(t->a),
                 *people;

    value_set_string(t->a, t->spec, "now", time_format(t->a, t->now_ms));
    value_set_int(t->a, t->spec, "seed", 7);
    value_set_string(t->a, t->spec, "tenant", TENANT);
    value_set_int(t->a, behaviour, "pageSize", page_size(t));
    for (size_t i = 0; i < COUNT(roles) && !t->powerless; i++)
        grant(t, "roleAssignments", roles[i], NULL);
    for (size_t i = 0; i < COUNT(local_roles) && str_ends_nocase(t->host, ".managedhsm.azure.net"); i++)
        grant(t, "hsmRoleAssignments", local_roles[i], arena_strndup(t->a, t->host, strcspn(t->host, ".")));
    people = value_get(t->spec, "principals");
    if (!people)
        people = value_set(t->a, t->spec, "principals", value_list(t->a));
    value_set_string(t->a, caller, "name", "caller");
    value_set_string(t->a, caller, "objectId", CALLER);
    value_set_string(t->a, caller, "appId", CALLER_APP);
    value_set_string(t->a, caller, "secret", "let-me-in");
    value_push(t->a, people, caller);
}

struct sim *situation_start(struct situation *t, const struct operation *op)
{
    struct sim_options options = {.endpoints = {
                                      .authority = "https://login.microsoftonline.com",
                                      .arm = "https://management.azure.com",
                                      .graph = "https://graph.microsoft.com",
                                      .vault_suffix = ".vault.azure.net",
                                      .hsm_suffix = ".managedhsm.azure.net",
                                      .blob_suffix = ".blob.core.windows.net",
                                      .arm_audience = "https://management.azure.com/",
                                      .vault_audience = "https://vault.azure.net",
                                      .hsm_audience = "https://managedhsm.azure.net",
                                      .storage_audience = "https://storage.azure.com/",
                                      .graph_audience = "https://graph.microsoft.com",
                                  }};
    struct value *world = value_map(t->a);
    struct diags diags;
    struct sim *s;

    complete_world(t);
    value_set(t->a, world, "spec", t->spec);
    options.world = world;
    t->audience = t->status == 401 ? NULL : op->audience;
    diags_init(&diags, t->a);
    s = sim_new(&options, &diags);
    if (!s)
        t->why_not =
            arena_printf(t->a, "the world made of it contradicts itself: %s", diags.count ? diags.items[0].what : "");
    return s;
}

/* --- counting ----------------------------------------------------------------------------------------------------- */

static int64_t counted(const struct value *map, const char *key)
{
    const struct value *v = value_get(map, key);

    return value_is(v, VALUE_INT) ? v->i : 0;
}

static void add_one(struct check *c, struct value *map, const char *key)
{
    value_set_int(c->own, map, arena_strdup(c->own, key), counted(map, key) + 1);
}

static void not_covered(struct check *c, const struct situation *t, const struct operation *op, const char *why)
{
    char *described = operation_described(t);

    c->not_covered++;
    add_one(c, c->uncovered,
            op ? arena_printf(t->a, "%s (%s)", op->name, why) : arena_printf(t->a, "%s → %d", described, t->status));
}

/* A difference is listed by its kind: what follows a colon are values of this exchange. */
static bool is_listed(struct check *c, const struct situation *t, const struct operation *op,
                      const struct value *difference)
{
    const char *what = value_str_at(difference, "difference"), *member = value_str_at(difference, "member");
    const char *key = arena_printf(t->a, "%s|%.*s|%s", op->name, (int)strcspn(what, ":"), what, member);
    struct value *entry;

    if (value_get(c->listed, key)) {
        add_one(c, c->met, key);
        return true;
    }
    key = arena_printf(c->own, "%s: %s: %s", op->name, what, member);
    entry = value_get(c->unlisted, key);
    if (!entry) {
        entry = value_set(c->own, c->unlisted, key, value_map(c->own));
        value_set(c->own, entry, "example", value_format(c->own, "%s line %zu", t->file, t->at + 1));
    }
    value_set_int(c->own, entry, "count", value_int_at(entry, "count", 0) + 1);
    return false;
}

static void compare(struct check *c, const struct situation *t, const struct operation *op, const struct answer *ours)
{
    const struct value *found = compare_answers(t, ours);
    bool all_listed = true;

    c->compared++;
    for (size_t i = 0; i < value_count(found); i++)
        all_listed &= is_listed(c, t, op, value_item(found, i));
    if (!value_count(found))
        c->equal++;
    else if (all_listed)
        c->with_listed++;
    else
        c->failed++;
}

/* The simulator does not let the situation come about: it differs before it is asked. */
static void cannot_begin(struct check *c, const struct situation *t, const struct operation *op)
{
    struct value *difference = value_map(t->a);

    value_set_string(t->a, difference, "difference", t->why_not);
    value_set_string(t->a, difference, "member", "what happened before");
    c->compared++;
    if (is_listed(c, t, op, difference))
        c->with_listed++;
    else
        c->failed++;
}

static void check_exchange(struct check *c, const char *file, const struct value *lines, size_t at)
{
    struct arena *a = arena_new();
    const struct operation *op;
    struct situation t;
    struct sim *s = NULL;
    struct answer ours;

    situation_open(&t, a, file, lines, at);
    op = operation_of(&t);
    if (!op) {
        not_covered(c, &t, NULL, NULL);
    } else if (!op->prepare(&t)) {
        not_covered(c, &t, op, t.why_not);
    } else if (!(s = situation_start(&t, op)) || (op->before && !op->before(&t, s))) {
        cannot_begin(c, &t, op);
    } else {
        ours = situation_send(&t, s, value_str_at(t.x, "method"), t.url, t.request);
        compare(c, &t, op, &ours);
    }
    sim_free(s);
    arena_free(a);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static bool check_file(struct check *c, const char *folder, const char *file)
{
    struct arena *a = arena_new();
    struct value *lines = value_list(a), *x;
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    struct err err = {0};
    FILE *f = fopen(arena_printf(a, "%s/%s", folder, file), "re");
    bool whole = f != NULL;

    while (whole && (n = getline(&line, &room, f)) > 0) {
        whole = n < LINE_MAX_BYTES && json_parse(a, line, (size_t)n, &x, &err) == 0 && value_str_at(x, "uri") &&
                value_str_at(x, "method");
        if (whole)
            value_push(a, lines, x);
    }
    if (!whole)
        fprintf(stderr, "%s, line %zu: no recorded exchange\n", file, value_count(lines) + 1);
    for (size_t i = 0; whole && i < value_count(lines); i++)
        check_exchange(c, file, lines, i);
    free(line);
    if (f)
        fclose(f);
    arena_free(a);
    return whole;
}

static bool read_listed(struct check *c, const char *path)
{
    struct text t;
    struct value *json = NULL;
    const struct value *all;
    struct err err;
    char bytes[4096];
    size_t n;
    FILE *f = fopen(path, "re");

    text_init(&t, TEXT_CEILING);
    while (f && (n = fread(bytes, 1, sizeof(bytes), f)) > 0)
        text_add_n(&t, bytes, n);
    if (f)
        fclose(f);
    if (json_parse(c->own, text_str(&t), t.len, &json, &err) < 0)
        json = NULL;
    text_release(&t);
    all = value_get(json, "differences");
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i), *operations = value_get(v, "operations"),
                           *members = value_get(v, "members");

        if (!value_str_at(v, "reason") || !value_count(operations) || !value_count(members) ||
            !value_str_at(v, "difference")) {
            fprintf(stderr, "%s: entry %zu needs operations, difference, members and reason\n", path, i + 1);
            return false;
        }
        for (size_t o = 0; o < value_count(operations); o++)
            for (size_t m = 0; m < value_count(members); m++)
                value_set(c->own, c->listed,
                          arena_printf(c->own, "%s|%s|%s", value_str(value_item(operations, o)),
                                       value_str_at(v, "difference"), value_str(value_item(members, m))),
                          value_bool(c->own, true));
    }
    return json != NULL;
}

/* --- the report --------------------------------------------------------------------------------------------------- */

static size_t report(const struct check *c)
{
    size_t stale = 0;

    printf("not covered, by operation:\n");
    for (size_t i = 0; i < value_count(c->uncovered); i++)
        printf("  %5lld  %s\n", (long long)c->uncovered->map.members[i].value->i, c->uncovered->map.members[i].key);
    for (size_t i = 0; i < value_count(c->unlisted); i++)
        printf("DIFFERENT %lld times, as in %s: %s\n",
               (long long)value_int_at(c->unlisted->map.members[i].value, "count", 0),
               value_str_at(c->unlisted->map.members[i].value, "example"), c->unlisted->map.members[i].key);
    for (size_t i = 0; i < value_count(c->listed); i++)
        if (!value_get(c->met, c->listed->map.members[i].key)) {
            stale++;
            printf("LISTED and no longer met: %s\n", c->listed->map.members[i].key);
        }
    printf("simcheck: %zu exchanges compared: %zu equal, %zu with listed differences only, %zu different; %zu not "
           "covered; "
           "%zu differences listed, %zu no longer met\n",
           c->compared, c->equal, c->with_listed, c->failed, c->not_covered, value_count(c->listed), stale);
    printf("simcheck: %zu passed, %zu failed\n", c->equal + c->with_listed, c->failed + stale);
    return stale;
}

int main(int argc, char **argv)
{
    struct check c = {.own = arena_new()};
    struct dirent **files = NULL;
    int n = argc == 3 ? scandir(argv[1], &files, NULL, alphasort) : -1;
    bool whole = n > 0 && n < FILES_MAX;
    size_t stale;

    c.listed = value_map(c.own);
    c.met = value_map(c.own);
    c.unlisted = value_map(c.own);
    c.uncovered = value_map(c.own);
    if (!whole)
        fprintf(stderr, "usage: simcheck RECORDINGS DIFFERENCES.json\n");
    whole = whole && read_listed(&c, argv[2]);
    for (int i = 0; i < n; i++) {
        if (whole && str_ends_nocase(files[i]->d_name, ".jsonl"))
            whole = check_file(&c, argv[1], files[i]->d_name);
        free(files[i]);
    }
    free(files);
    stale = report(&c);
    n = !whole || c.failed || stale || !c.compared;
    arena_free(c.own);
    return n;
}
