/* Knows how one exchange goes through libcurl: the only user of libcurl. All of it runs on the main stack, inside the
 * pump; a task fills in a transfer, parks, and finds it finished when it is woken. Must not know what is asked, nor
 * repeat anything; libcurl's own silent repetition on a kept connection is ruled out for writes. */
#include "wire.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/wipe.h"

enum { CONNECT_MS = 15 * SECOND_MS, HEADER_COUNT_MAX = 256, HEADER_BYTES_MAX = 64 * 1024, POLL_MOST_MS = 1000 };

/* One exchange. Belongs to the transport from the moment it is queued: a cancelled task may be
 * gone before libcurl is. */
struct transfer {
    struct transfer *next;
    struct call *call;          /* NULL: nobody waits any more */
    CURL *easy;
    struct secret lines;        /* of the headers, each with its NUL: they hold a token */
    size_t n_lines;
    struct curl_slist *headers; /* an array of list entries that point into lines */
    char *url, *method;
    struct secret body;
    bool has_body, fresh_connection, this_machine, done;
    size_t max_body;
    int64_t timeout_ms;
    enum wire_fault fault;
    char text[256], address[WIRE_ADDRESS_ROOM];
    char curl_text[CURL_ERROR_SIZE];
    const char *too_large;      /* which ceiling was hit; NULL: none */
    long status;
    struct text answer_headers;
    size_t n_answer_headers;
    struct secret answer;
};

struct wire_curl {
    struct sched *sched;
    CURLM *multi;
    char *ca_file;              /* NULL: the system's */
    size_t connections;
    struct transfer *waiting_first, *waiting_last;
    struct transfer *active;
    size_t n_active;
};

/* --- transfers ---------------------------------------------------------------------------------------------------- */

static void transfer_free(struct transfer *t)
{
    secret_release(&t->lines);
    free(t->headers);
    free(t->url);
    free(t->method);
    secret_release(&t->body);
    secret_release(&t->answer);
    text_release(&t->answer_headers);
    free(t);
}

static struct transfer *transfer_new(struct call *c, const struct wire_request *request)
{
    struct transfer *t = xcalloc(1, sizeof(*t));

    *t = (struct transfer){
        .call = c,
        .url = xstrdup(request->url),
        .method = xstrdup(request->method),
        .has_body = request->body != NULL,
        .this_machine = request->this_machine,
        .max_body = request->max_body,
        .timeout_ms = request->timeout_ms,
        /* If a kept connection turns out dead, libcurl sends the request a second time by itself, even a POST, and a
         * restore could start twice. So a write gets a new connection. */
        .fresh_connection =
            request->fresh_connection || (strcmp(request->method, "GET") && strcmp(request->method, "HEAD")),
    };
    text_init(&t->answer_headers, HEADER_BYTES_MAX);
    secret_init(&t->answer);
    secret_init(&t->body);
    secret_init(&t->lines);
    if (request->body)
        secret_set(&t->body, request->body, request->body_len);
    return t;
}

static void line_end(struct transfer *t)
{
    secret_append(&t->lines, "", 1);
    t->n_lines++;
}

static void line_append(struct transfer *t, const char *line)
{
    secret_append(&t->lines, line, strlen(line));
    line_end(t);
}

static void header_append(struct transfer *t, const char *name, const char *value)
{
    secret_append(&t->lines, name, strlen(name));
    /* libcurl's way to say "send it although it is empty". */
    secret_append(&t->lines, *value ? ": " : ";", *value ? 2 : 1);
    secret_append(&t->lines, value, strlen(value));
    line_end(t);
}

/* Builds the header list over our own lines: libcurl only reads the list it is given, and curl_slist_append would copy
 * each line. */
static void lines_link(struct transfer *t)
{
    char *line = t->lines.bytes;

    t->headers = xcalloc(t->n_lines, sizeof(*t->headers));
    for (size_t i = 0; i < t->n_lines; i++, line += strlen(line) + 1)
        t->headers[i] = (struct curl_slist){.data = line, .next = i + 1 < t->n_lines ? &t->headers[i + 1] : NULL};
}

static void headers_set(struct transfer *t, const struct wire_request *request)
{
    bool typed = false;

    for (size_t i = 0; i < request->n_headers; i++) {
        header_append(t, request->headers[i].name, request->headers[i].value);
        typed = typed || str_eq_nocase(request->headers[i].name, "Content-Type");
    }
    /* libcurl would ask before a large body and wait a second for leave, and would give a body a type of its own. */
    line_append(t, "Expect:");
    if (!typed)
        line_append(t, "Content-Type:");
    lines_link(t);
}

/* --- what libcurl calls: only fills buffers ----------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    n *= size;
    if (t->max_body && n > t->max_body - t->answer.len) {
        t->too_large = "its body is too large";
        return 0;
    }
    secret_append(&t->answer, bytes, n);
    return n;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    n *= size;
    /* A status line begins a new answer: what came before was an interim one. */
    if (n > 5 && strncmp(bytes, "HTTP/", 5) == 0) {
        text_clear(&t->answer_headers);
        t->n_answer_headers = 0;
        return n;
    }
    text_add_n(&t->answer_headers, bytes, n);
    if (++t->n_answer_headers > HEADER_COUNT_MAX + 1 || t->answer_headers.overflowed) {
        t->too_large = "it has too many headers";
        return 0;
    }
    return n;
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

static void set_security(const struct wire_curl *w, struct transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, t->this_machine ? "http" : "https");
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(t->easy, CURLOPT_CAINFO, w->ca_file ? w->ca_file : wire_authorities());
    curl_easy_setopt(t->easy, CURLOPT_PROXY_CAINFO, w->ca_file ? w->ca_file : wire_authorities());
    /* Debian's default folder of authorities would be trusted as well, and switches off libcurl's cache of the file. */
    curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
    if (t->this_machine || wire_is_loopback(t->url))
        curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_request(struct transfer *t)
{
    bool get = strcmp(t->method, "GET") == 0, head = strcmp(t->method, "HEAD") == 0;

    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    if (head) {
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    } else if (get && !t->has_body) {
        curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->method);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body.len ? t->body.bytes : "");
    }
}

static void set_rest(struct transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, (long)t->fresh_connection);
    curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_text);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
}

static void start(struct wire_curl *w, struct transfer *t)
{
    t->easy = curl_easy_init();
    if (!t->easy)
        out_of_memory(" for a connection");
    set_security(w, t);
    set_request(t);
    set_rest(t);
    if (curl_multi_add_handle(w->multi, t->easy) != CURLM_OK)
        out_of_memory(" for a connection");
    t->next = w->active;
    w->active = t;
    w->n_active++;
}

static void start_waiting(struct wire_curl *w)
{
    while (w->waiting_first && w->n_active < w->connections) {
        struct transfer *t = w->waiting_first;

        w->waiting_first = t->next;
        if (!w->waiting_first)
            w->waiting_last = NULL;
        if (t->call)
            start(w, t);
        else
            transfer_free(t);
    }
}

/* --- finishing ---------------------------------------------------------------------------------------------------- */

static void take_out(struct wire_curl *w, struct transfer *t)
{
    struct transfer **at = &w->active;

    curl_multi_remove_handle(w->multi, t->easy);
    curl_easy_cleanup(t->easy);
    t->easy = NULL;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    w->n_active--;
}

static bool is_tls_failure(const struct transfer *t, CURLcode code)
{
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
        return true;
    case CURLE_SSL_CONNECT_ERROR:
        /* A connection that broke in the handshake says nothing about trust. */
        return !strstr(t->curl_text, "SSL_ERROR_SYSCALL") && !strstr(t->curl_text, "reset by peer");
    default:
        return false;
    }
}

/* Nothing of the request has left this machine until libcurl says that it was about to send. */
static bool was_sent(CURL *easy)
{
    curl_off_t about_to_send = 0;

    return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &about_to_send) == CURLE_OK && about_to_send > 0;
}

static void set_tls_text(const struct wire_curl *w, struct transfer *t, const char *what)
{
    size_t n;
    const char *host = wire_authority(t->url, &n);

    snprintf(t->text, sizeof(t->text), "%.*s: %.110s; %s", n < 60 ? (int)n : 60, host, what,
             w->ca_file ? "check the CA that the --cloud file or SSL_CERT_FILE names"
                        : "if the server or a proxy is your own, name its CA in SSL_CERT_FILE or the --cloud file");
}

static void judge(const struct wire_curl *w, struct transfer *t, CURLcode code)
{
    const char *what = t->curl_text[0] ? t->curl_text : curl_easy_strerror(code);
    char *ip = NULL;

    if (curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip)
        snprintf(t->address, sizeof(t->address), "%s", ip);
    if (code == CURLE_OK) {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
        t->fault = WIRE_OK;
        return;
    }
    if (is_tls_failure(t, code)) {
        t->fault = WIRE_TLS;
        set_tls_text(w, t, what);
        return;
    }
    t->fault = t->too_large ? WIRE_TOO_LARGE : was_sent(t->easy) ? WIRE_LOST : WIRE_UNSENT;
    snprintf(t->text, sizeof(t->text), "%s", t->too_large ? t->too_large : what);
}

/* Wakes, but does not run, the tasks whose transfers are over. */
static bool reap(struct wire_curl *w)
{
    CURLMsg *message;
    bool any = false;
    int left;

    while ((message = curl_multi_info_read(w->multi, &left))) {
        CURLcode code = message->data.result;
        struct transfer *t = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        judge(w, t, code);
        take_out(w, t);
        any = true;
        if (!t->call) {
            transfer_free(t);
            continue;
        }
        t->done = true;
        call_wake(t->call);
    }
    return any;
}

static void drop_abandoned(struct wire_curl *w)
{
    for (struct transfer *t = w->active, *next; t; t = next) {
        next = t->next;
        if (t->call)
            continue;
        take_out(w, t);
        transfer_free(t);
    }
}

/* --- the pump ----------------------------------------------------------------------------------------------------- */

static bool perform(struct wire_curl *w)
{
    int running;

    drop_abandoned(w);
    start_waiting(w);
    if (curl_multi_perform(w->multi, &running) != CURLM_OK)
        out_of_memory(" for a connection");
    return reap(w);
}

static void pump_turn(void *self, int64_t wait_ms)
{
    struct wire_curl *w = self;

    if (perform(w) || wait_ms == 0 || !w->active)
        return;
    if (wait_ms < 0 || wait_ms > POLL_MOST_MS)
        wait_ms = POLL_MOST_MS;
    curl_multi_poll(w->multi, NULL, 0, (int)wait_ms, NULL);
    perform(w);
}

static bool pump_idle(void *self)
{
    const struct wire_curl *w = self;

    return !w->active && !w->waiting_first;
}

/* --- in the task -------------------------------------------------------------------------------------------------- */

static void add_header_line(struct arena *a, char *line, struct wire_reply *ret)
{
    char *colon = strchr(line, ':'), *end = line + strlen(line);
    struct wire_header h;

    if (!colon || colon == line)
        return;
    *colon = '\0';
    h.name = line;
    for (colon++; *colon == ' ' || *colon == '\t'; colon++)
        ;
    while (end > colon && strchr("\r\n \t", end[-1]))
        *--end = '\0';
    h.value = colon;
    arena_push(a, ret->headers, ret->n_headers, h);
}

static void reply_take(struct transfer *t, struct arena *a, struct wire_reply *ret)
{
    char *lines = arena_strndup(a, text_str(&t->answer_headers), t->answer_headers.len), *next;

    *ret = (struct wire_reply){.fault = t->fault, .status = (int)t->status};
    memcpy(ret->text, t->text, sizeof(ret->text));
    memcpy(ret->address, t->address, sizeof(ret->address));
    if (t->fault != WIRE_OK)
        return;
    for (; *lines; lines = next) {
        char *end = strchr(lines, '\n');

        next = end ? end + 1 : lines + strlen(lines);
        if (end)
            *end = '\0';
        add_header_line(a, lines, ret);
    }
    ret->body = t->answer;
    secret_init(&t->answer);
}

static int curl_exchange(void *self, struct call *c, struct arena *a, const struct wire_request *request,
                         struct wire_reply *ret, struct err *err)
{
    struct wire_curl *w = self;
    struct transfer *t;
    int rc;

    if (call_cancelled(c))
        return err_set(err, ERR_CANCELLED, "cancelled");
    t = transfer_new(c, request);
    headers_set(t, request);
    *(w->waiting_last ? &w->waiting_last->next : &w->waiting_first) = t;
    w->waiting_last = t;
    rc = call_park(c, t->url, err);
    if (rc < 0 && !t->done) {
        t->call = NULL;
        return rc;
    }
    if (rc == 0)
        reply_take(t, a, ret);
    transfer_free(t);
    return rc;
}

static void transport_free(void *self)
{
    struct wire_curl *w = self;

    for (struct transfer *t = w->active; t; t = t->next)
        t->call = NULL;
    drop_abandoned(w);
    for (struct transfer *t = w->waiting_first, *next; t; t = next) {
        next = t->next;
        transfer_free(t);
    }
    curl_multi_cleanup(w->multi);
    curl_global_cleanup();
    sched_set_pump(w->sched, NULL);
    free(w->ca_file);
    free(w);
}

struct wire *wire_curl_new(struct sched *s, const char *ca_file, size_t connections)
{
    struct wire *wire = xcalloc(1, sizeof(*wire));
    struct wire_curl *w = xcalloc(1, sizeof(*w));

    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup, wipe_calloc) !=
        CURLE_OK)
        out_of_memory(" for a connection");
    *w = (struct wire_curl){.sched = s, .multi = curl_multi_init(), .ca_file = ca_file ? xstrdup(ca_file) : NULL};
    if (!w->multi)
        out_of_memory(" for a connection");
    w->connections = connections ? connections : 1;
    curl_multi_setopt(w->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)w->connections);
    curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, (long)w->connections);
    sched_set_pump(s, &(struct pump){.self = w, .turn = pump_turn, .idle = pump_idle});
    *wire = (struct wire){.self = w, .exchange = curl_exchange, .free = transport_free};
    return wire;
}
