/* Recordings of real exchanges, put before our client as if they had just been received.
 *
 *   replay [-v] FOLDER TABLES
 *
 * Reads every *.jsonl of FOLDER. For each exchange it finds the function of ours that would have sent such a request,
 * lets it run against the recorded answer, and holds what it understood against the answer itself, read by plainer
 * means, and against TABLES/recordings-understood.json; and the request it sent against the recorded one and
 * TABLES/request-differences.json. Then every recorded long-running operation, job and list is followed from its first
 * answer to its last. Knows no file by its name; the tables' rows apply where a file of their name is. Must not judge
 * by our own parsers what our own parsers said. */
#include <dirent.h>

#include "replay_operations.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const struct azure_asked anyone = {.anyone = true};

static bool exchange_read(struct recording *file, const char *line, size_t len)
{
    struct exchange x = {0};
    struct value *v = NULL;
    struct err err = {0};

    if (json_parse(file->arena, line, len, &v, &err) < 0) {
        fprintf(stderr, "%s:%zu: %s\n", file->stem, file->count + 1, err.text);
        return false;
    }
    x.method = value_str_at(v, "method");
    x.uri = value_str_at(v, "uri");
    x.status = (int)value_int_at(v, "status", 0);
    x.headers = value_get(v, "response_headers");
    x.answer = value_get(v, "response_body");
    x.sent = value_get(v, "request_body");
    x.sent_headers = value_get(v, "request_headers");
    if (!x.method || !x.uri) {
        fprintf(stderr, "%s:%zu: no exchange: method or uri is missing\n", file->stem, file->count + 1);
        return false;
    }
    x.path = path_of(file->arena, x.uri);
    arena_push(file->arena, file->items, file->count, x);
    return true;
}

static bool recording_read(struct recording *file, const char *path)
{
    FILE *f = fopen(path, "r");
    bool ok = f != NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    while (ok && (n = getline(&line, &room, f)) > 0)
        if (line[strspn(line, " \t\r\n")])
            ok = exchange_read(file, line, (size_t)n);
    free(line);
    if (f)
        fclose(f);
    else
        fprintf(stderr, "%s: cannot be read\n", path);
    return ok;
}

/* --- one exchange ------------------------------------------------------------------------------------------------- */

/* The kind of thing an address is of: what is left without the names. */
static char *operation_name(struct arena *a, const struct exchange *x)
{
    const char *providers = strstr(x->path, "/providers/"), *p = providers ? providers + 11 : x->path + 1;
    struct text name cleanup(text_release) = {.ceiling = 4096};
    size_t nth = providers ? 1 : 0;

    while (strstr(p, "/providers/"))
        p = strstr(p, "/providers/") + 11;
    for (; *p; p += strcspn(p, "/"), p += *p == '/', nth++) {
        size_t n = strcspn(p, "/");

        if (providers ? nth < 2 || nth % 2 == 0 : n < 24)
            text_printf(&name, "/%.*s", (int)n, p);
        else
            text_add(&name, "/*");
    }
    return arena_printf(a, "%s %s%s", x->method, providers ? "" : host_of(a, x->uri), text_str(&name));
}

static void tell(const struct totals *t, const struct replay *r, const char *by)
{
    if (t->verbose)
        printf("%s:%zu %s -> %d %s: %.400s\n", r->file->stem, r->at + 1, operation_name(r->a, r->x), r->x->status, by,
               value_count(r->understood) ? json_string(r->a, r->understood, JSON_COMPACT) : "");
}

/* A call we never make; what its answer says of an error or a challenge must be understood all the same. */
static void never_made(struct totals *t, struct replay *r, enum service service)
{
    size_t len;
    const char *body = body_of(r->a, r->x->answer, &len), *code = header_of(r->x, "x-ms-error-code");

    t->never++;
    if (r->x->status >= 400) {
        if (len == 0 && code) {
            body = arena_printf(r->a, "<Error><Code>%s</Code></Error>", code);
            len = strlen(body);
        }
        (void)azure_error_from(r->a, &anyone, r->x->status, body, len, "reading", &r->err);
        if (r->x->status != 429)
            judge_error(r, r->x);
    }
    if (r->x->status == 401 && service == SERVICE_VAULT)
        judge_challenge(r, r->x);
    verdict(t, r->file, r->at, "error of a call never made", r->fault);
    tell(t, r, "our client never makes such a call");
}

static void made(struct tables *tables, struct totals *t, struct replay *r, const struct route *route)
{
    r->call = route->call;
    r->arg = (void *)route;
    r->never_repeat = true;
    replay_run(r);
    if (r->x->status == 0)
        note(r, "fault", r->err.text);
    else if (r->rc < 0 && r->x->status >= 400 && !r->ended)
        judge_error(r, r->x);
    else if (r->rc < 0 && !r->ended)
        misread(r, "not understood: %s", r->err.text);
    else if (r->rc == 0 && r->x->status >= 400 && r->x->status != 404 && r->x->status != 409)
        misread(r, "status %d was taken for success", r->x->status);
    if (r->ended)
        note(r, "then", "the recording ends");
    if (r->x->status == 401 && route->service == SERVICE_VAULT)
        judge_challenge(r, r->x);
    t->understood += !r->fault;
    verdict(t, r->file, r->at, route->name, r->fault);
    if (route->service != SERVICE_LOGIN)
        compare_request(tables, t, r, route->name);
    tell(t, r, route->name);
}

static void polled(struct totals *t, struct replay *r, enum poll_kind kind)
{
    judge_poll(r, r->x, kind == POLL_ASYNC);
    if (r->rc < 0 && r->x->status >= 400)
        judge_error(r, r->x);
    else if (r->rc < 0)
        misread(r, "not understood: %s", r->err.text);
    t->understood += !r->fault;
    verdict(t, r->file, r->at, "arm_judge_answer", r->fault);
    tell(t, r, "arm_judge_answer");
}

/* A later page of a list: our paging asks at this very address. */
static bool is_page(const struct recording *file, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_url(file->arena, value_str(value_get(file->items[i].answer, "nextLink")), file->items[at].uri))
            return true;
    return false;
}

static void replay_exchange(struct tables *tables, struct totals *t, const struct recording *file, size_t at)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct replay r = {.a = a, .file = file, .at = at, .x = &file->items[at], .understood = value_map(a)};
    enum service service = service_of(r.x->uri, &r.cloud);
    enum poll_kind kind = service == SERVICE_ARM ? poll_kind_of(file, at) : POLL_NONE;
    const struct route *route = kind == POLL_NONE ? route_find(&r, service) : NULL;
    const struct route page = {service, "GET", "", "azure_list", turn_pages, NULL, 0, NULL, NULL};

    t->exchanges++;
    if (kind != POLL_NONE) {
        polled(t, &r, kind);
    } else if (route && is_page(file, at)) {
        r.call = turn_pages;
        r.turning = true;
        r.arg = (void *)&page.service;
        replay_run(&r);
        if (r.rc < 0 && r.x->status >= 400)
            judge_error(&r, r.x);
        t->understood += (r.rc == 0 || r.x->status >= 400) && !r.fault;
        verdict(t, file, at, page.name,
                r.fault                                     ? r.fault
                : r.rc < 0 && !r.ended && r.x->status < 400 ? r.err.text
                                                            : NULL);
        tell(t, &r, page.name);
    } else if (route) {
        made(tables, t, &r, route);
    } else {
        never_made(t, &r, service);
    }
    check_table(tables, t, file, at, r.understood);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void replay_file(struct tables *tables, struct totals *t, const char *folder, const char *name)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct recording file = {.arena = a, .stem = arena_strndup(a, name, strlen(name) - strlen(".jsonl"))};
    struct totals was = *t;

    if (!recording_read(&file, arena_printf(a, "%s/%s", folder, name))) {
        t->failed++;
        return;
    }
    for (size_t i = 0; i < file.count; i++) {
        replay_exchange(tables, t, &file, i);
        follow_operation(t, &file, i);
        follow_address(t, &file, i);
        turn_list(t, &file, i);
    }
    check_lines(tables, t, &file);
    printf("%s: %zu exchanges, %zu understood, %zu never made by us, %zu sequences followed, %zu requests compared, "
           "%zu failed\n",
           file.stem, t->exchanges - was.exchanges, t->understood - was.understood, t->never - was.never,
           t->operations - was.operations, t->requests - was.requests, t->failed - was.failed);
}

static int is_recording(const struct dirent *entry)
{
    return str_ends_nocase(entry->d_name, ".jsonl");
}

int main(int argc, char **argv)
{
    struct totals totals = {.verbose = argc > 1 && str_eq(argv[1], "-v")};
    struct arena *a cleanup(arena_freep) = arena_new();
    struct tables tables = {.arena = a};
    struct value *stems = value_list(a);
    struct dirent **names = NULL;
    const char *folder;
    int n;

    if (argc != (totals.verbose ? 4 : 3)) {
        fprintf(stderr, "usage: replay [-v] FOLDER TABLES\n");
        return 2;
    }
    folder = argv[argc - 2];
    if (table_read(a, argv[argc - 1], "recordings-understood.json", &tables.understood) < 0 ||
        table_read(a, argv[argc - 1], "request-differences.json", &tables.differences) < 0)
        return 2;
    n = scandir(folder, &names, is_recording, alphasort);
    for (int i = 0; i < n; i++) {
        value_push(a, stems, value_string_n(a, names[i]->d_name, strlen(names[i]->d_name) - strlen(".jsonl")));
        replay_file(&tables, &totals, folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    check_unused(&tables, &totals, stems);
    if (totals.differing)
        printf("%zu requests differ from ours in recordings that the tables do not list\n", totals.differing);
    printf("recordings: %zu exchanges, %zu understood, %zu never made by us, %zu passed, %zu failed\n",
           totals.exchanges, totals.understood, totals.never, totals.passed, totals.failed);
    return totals.failed || !totals.understood ? 1 : 0;
}
