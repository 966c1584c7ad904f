/* Knows HTTPS: takes requests off the wire, hands them to the simulator one at a time, puts its answers and its faults
 * back on the wire. The only user of libmicrohttpd. Must not know any service.
 *
 * The world's clock follows the real one at a speed. At speed 0 it stands, so that a slow machine costs a client no
 * time of the world: who would wait asks https://clock.localhost:PORT/SECONDS to move it on, and may go on at once. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../reconciler/format/crypt.h"

enum {
    REQUEST_MAX = 16 * 1024 * 1024,
    REQUEST_HEADERS_MAX = 100,
    CONNECTION_MEMORY = 128 * 1024,
    WAIT_MAX_MS = 60 * 1000,
    WAIT_SLICE_MS = 50,
    MOVE_MAX_SECONDS = 10 * 24 * 60 * 60
};

struct sim_server {
    struct arena *arena;
    struct sim *sim;
    struct MHD_Daemon *daemon, *plain;      /* plain: the machine's own services, without TLS; NULL: it has none */
    struct sim_endpoints ep;
    struct crypt_certificate certificate;
    uint16_t port, plain_port;
    double speed;
    int64_t start_ms, moved_ms; /* of the world; by how much it was told to move on */
    struct timespec started;    /* of the real clock */
    pthread_mutex_t lock;       /* the simulator answers one request at a time */
    atomic_bool stopping;
};

/* One request while it arrives, and the answer while it leaves. */
struct pending {
    struct arena *arena;
    struct text body;
    const char *target; /* of the request line, as it came */
    bool begun, plain;
    struct sim_header *headers;
    size_t n_headers;
    struct sim_answer answer;
};

static int64_t elapsed_ms(const struct sim_server *server)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)(now.tv_sec - server->started.tv_sec) * 1000 + (now.tv_nsec - server->started.tv_nsec) / 1000000;
}

static int64_t world_now(const struct sim_server *server)
{
    return server->start_ms + server->moved_ms + (int64_t)((double)elapsed_ms(server) * server->speed);
}

static void pending_free(struct pending *p)
{
    if (!p)
        return;
    text_release(&p->body);
    text_release(&p->answer.body);
    arena_free(p->arena);
    free(p);
}

/* --- in ----------------------------------------------------------------------------------------------------------- */

static enum MHD_Result take_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct pending *p = ctx;
    struct sim_header h = {arena_strdup(p->arena, name), arena_strdup(p->arena, value ? value : "")};

    (void)kind;
    if (p->n_headers == REQUEST_HEADERS_MAX)
        return MHD_NO;
    arena_push(p->arena, p->headers, p->n_headers, h);
    return MHD_YES;
}

/* Called with the target as it stands in the request line, before anything is decoded: signed
 * addresses must arrive unchanged. */
static void *take_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct pending *p = xcalloc(1, sizeof(*p));

    (void)ctx;
    (void)connection;
    p->arena = arena_new();
    text_init(&p->body, REQUEST_MAX);
    p->target = arena_strdup(p->arena, target);
    return p;
}

/* --- out ---------------------------------------------------------------------------------------------------------- */

/* Sends the body; a body that is to be cut ends with the connection. */
static ssize_t send_some(void *ctx, uint64_t at, char *room, size_t max)
{
    const struct pending *p = ctx;
    size_t end = p->answer.cut_after < p->answer.body.len ? p->answer.cut_after : p->answer.body.len, n;

    if (at >= end)
        return p->answer.cut_after < p->answer.body.len ? MHD_CONTENT_READER_END_WITH_ERROR
                                                        : MHD_CONTENT_READER_END_OF_STREAM;
    n = end - (size_t)at < max ? end - (size_t)at : max;
    memcpy(room, p->answer.body.s + at, n);
    return (ssize_t)n;
}

/* For HEAD the length that a GET would have had is announced and nothing is sent. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, struct pending *p, bool head)
{
    struct MHD_Response *response;
    enum MHD_Result result;
    uint64_t len = p->answer.body.len;

    for (size_t i = 0; head && i < p->answer.n_headers; i++)
        if (str_eq_nocase(p->answer.headers[i].name, "Content-Length"))
            len = strtoull(p->answer.headers[i].value, NULL, 10);
    if (len)
        response = MHD_create_response_from_callback(len, 32 * 1024, send_some, p, NULL);
    else
        response = MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < p->answer.n_headers; i++)
        if (!str_eq_nocase(p->answer.headers[i].name, "Content-Length"))
            MHD_add_response_header(response, p->answer.headers[i].name, p->answer.headers[i].value);
    result = MHD_queue_response(connection, (unsigned int)p->answer.status, response);
    MHD_destroy_response(response);
    return result;
}

/* Holds an answer back, for as long as the server is not about to stop. */
static void hold_back(struct sim_server *server, const struct sim_answer *answer)
{
    int64_t left = answer->delay_ms;

    /* A client's patience is measured on its own clock, however fast the world's runs. */
    if (answer->fault != SIM_STALL && server->speed > 0)
        left = (int64_t)((double)left / server->speed);
    if (left > WAIT_MAX_MS)
        left = WAIT_MAX_MS;
    for (; left > 0 && !atomic_load(&server->stopping); left -= WAIT_SLICE_MS) {
        struct timespec t = {.tv_nsec = (left < WAIT_SLICE_MS ? (long)left : WAIT_SLICE_MS) * 1000000};

        nanosleep(&t, NULL);
    }
}

/* A client waits: the world's time moves on by so many seconds. The answer says what time it is then. */
static void move_on(struct sim_server *server, struct pending *p)
{
    double seconds = strtod(p->target + (*p->target == '/'), NULL);

    pthread_mutex_lock(&server->lock);
    if (seconds > 0 && seconds <= MOVE_MAX_SECONDS)
        server->moved_ms += (int64_t)(seconds * 1000);
    text_init(&p->answer.body, 64);
    text_printf(&p->answer.body, "%s\n", time_format(p->arena, world_now(server)));
    pthread_mutex_unlock(&server->lock);
    p->answer.status = 200;
    p->answer.cut_after = SIZE_MAX;
}

static void ask(struct sim_server *server, struct pending *p, const char *method)
{
    struct sim_call call = {
        .method = method, .headers = p->headers, .n_headers = p->n_headers, .body = p->body.s, .body_len = p->body.len};
    const char *host = "localhost";

    for (size_t i = 0; i < p->n_headers; i++)
        if (str_eq_nocase(p->headers[i].name, "Host"))
            host = p->headers[i].value;
    if (!p->plain && str_starts(host, "clock.localhost")) {
        move_on(server, p);
        return;
    }
    call.url = arena_printf(p->arena, "https://%s%s", p->plain ? METADATA_HOST : host, p->target);
    pthread_mutex_lock(&server->lock);
    sim_handle(server->sim, world_now(server), p->arena, &call, &p->answer);
    pthread_mutex_unlock(&server->lock);
}

/* Runs on a thread of its connection, so that an answer held back holds up nobody else. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *data_len, void **request)
{
    struct sim_server *server = ctx;
    struct pending *p = *request;

    (void)url;
    (void)version;
    if (!p)
        return MHD_NO;
    if (!p->begun) {
        p->begun = true;
        MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, p);
        return MHD_YES;
    }
    if (*data_len) {
        text_add_n(&p->body, data, *data_len);
        *data_len = 0;
        return p->body.overflowed ? MHD_NO : MHD_YES;
    }
    ask(server, p, method);
    hold_back(server, &p->answer);
    if (p->answer.fault != SIM_ANSWERED)
        return MHD_NO;
    return send_answer(connection, p, str_eq(method, "HEAD"));
}

static enum MHD_Result handle_plain(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                                    const char *version, const char *data, size_t *data_len, void **request)
{
    if (*request)
        ((struct pending *)*request)->plain = true;
    return handle(ctx, connection, url, method, version, data, data_len, request);
}

static void completed(void *ctx, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode why)
{
    (void)ctx;
    (void)connection;
    (void)why;
    pending_free(*request);
    *request = NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

/* The port must be known before the world is loaded: its services' names carry it. */
static int listen_loopback(uint16_t wanted, uint16_t *ret_port, struct err *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(wanted), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    if (fd < 0)
        return err_set(err, ERR_INVALID, "no socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        err_set(err, ERR_INVALID, "port %u of 127.0.0.1 cannot be had: %s", wanted, strerror(errno));
        close(fd);
        return -ERR_INVALID;
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void name_services(struct sim_server *server)
{
    struct arena *a = server->arena;
    unsigned int port = server->port;

    server->ep = (struct sim_endpoints){
        .authority = arena_printf(a, "https://login.localhost:%u", port),
        .arm = arena_printf(a, "https://management.localhost:%u", port),
        .oidc = arena_printf(a, "https://oidc.localhost:%u", port),
        .graph = arena_printf(a, "https://graph.localhost:%u", port),
        .vault_suffix = arena_printf(a, ".vault.localhost:%u", port),
        .hsm_suffix = arena_printf(a, ".managedhsm.localhost:%u", port),
        .blob_suffix = arena_printf(a, ".blob.localhost:%u", port),
        .arm_audience = arena_printf(a, "https://management.localhost:%u", port),
        .vault_audience = arena_printf(a, "https://vault.localhost:%u", port),
        .hsm_audience = arena_printf(a, "https://managedhsm.localhost:%u", port),
        .storage_audience = arena_printf(a, "https://storage.localhost:%u", port),
        .graph_audience = arena_printf(a, "https://graph.localhost:%u", port),
    };
}

static int start_daemon(struct sim_server *server, int fd, struct err *err)
{
    static const char *const names[] = {"localhost",
                                        "*.localhost",
                                        "*.vault.localhost",
                                        "*.managedhsm.localhost",
                                        "*.blob.localhost",
                                        "login.localhost",
                                        "management.localhost",
                                        "graph.localhost",
                                        "clock.localhost",
                                        "oidc.localhost",
                                        NULL};

    TRY(crypt_make_certificate(names, &server->certificate, err));
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_TLS, 0, NULL, NULL, handle, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_KEY, server->certificate.key_pem.bytes,
        MHD_OPTION_HTTPS_MEM_CERT, text_str(&server->certificate.cert_pem), MHD_OPTION_URI_LOG_CALLBACK, take_target,
        server, MHD_OPTION_NOTIFY_COMPLETED, completed, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 120u, MHD_OPTION_END);
    return server->daemon ? 0 : err_set(err, ERR_INVALID, "the HTTPS server does not start");
}

static bool has_identity(const struct value *world)
{
    const struct value *all = value_at(world, "spec.principals");

    for (size_t i = 0; i < value_count(all); i++)
        if (value_str_at(value_item(all, i), "machine"))
            return true;
    return false;
}

/* The services of a machine speak plain http, and only to it. */
static int start_plain(struct sim_server *server, const struct value *world, struct err *err)
{
    int fd;

    if (!has_identity(world))
        return 0;
    fd = listen_loopback(0, &server->plain_port, err);
    if (fd < 0)
        return fd;
    server->plain = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
                                     handle_plain, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
                                     take_target, server, MHD_OPTION_NOTIFY_COMPLETED, completed, server,
                                     MHD_OPTION_CONNECTION_TIMEOUT, 120u, MHD_OPTION_END);
    if (server->plain)
        return 0;
    close(fd);
    return err_set(err, ERR_INVALID, "the HTTP server does not start");
}

int server_start(const struct sim_server_options *options, struct diags *diags, struct sim_server **ret,
                 struct err *err)
{
    struct sim_server *server = xcalloc(1, sizeof(*server));
    struct sim_options world = {.world = options->world,
                                .world_out = options->world_out,
                                .kill = options->kill,
                                .observed = options->observed,
                                .ctx = options->ctx};
    int fd = listen_loopback(options->port, &server->port, err), rc;

    pthread_mutex_init(&server->lock, NULL);
    server->arena = arena_new();
    server->speed = options->speed;
    if (fd < 0) {
        server_stop(server);
        return fd;
    }
    name_services(server);
    world.endpoints = server->ep;
    server->sim = sim_new(&world, diags);
    if (!server->sim) {
        close(fd);
        server_stop(server);
        return err_set(err, ERR_INVALID, "the world contradicts itself");
    }
    server->start_ms = sim_start_ms(server->sim);
    clock_gettime(CLOCK_MONOTONIC, &server->started);
    rc = start_daemon(server, fd, err);
    if (rc < 0) {
        close(fd);
        server_stop(server);
        return rc;
    }
    rc = start_plain(server, options->world, err);
    if (rc < 0) {
        server_stop(server);
        return rc;
    }
    *ret = server;
    return 0;
}

uint16_t server_plain_port(const struct sim_server *server)
{
    return server->plain_port;
}

uint16_t server_port(const struct sim_server *server)
{
    return server->port;
}

const struct sim_endpoints *server_endpoints(const struct sim_server *server)
{
    return &server->ep;
}

const char *server_ca_pem(const struct sim_server *server)
{
    return text_str(&server->certificate.ca_pem);
}

int64_t server_start_ms(const struct sim_server *server)
{
    return server->start_ms;
}

void server_stop(struct sim_server *server)
{
    if (!server)
        return;
    atomic_store(&server->stopping, true);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    if (server->plain)
        MHD_stop_daemon(server->plain);
    pthread_mutex_destroy(&server->lock);
    sim_free(server->sim);
    crypt_certificate_release(&server->certificate);
    arena_free(server->arena);
    free(server);
}
