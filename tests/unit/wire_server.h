/* A TLS server that is not the simulator: it answers what it is told to, and misbehaves on request. */
#ifndef WIRE_SERVER_H
#define WIRE_SERVER_H

#include "harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/run/wire.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 100000 };

struct server {
    struct MHD_Daemon *daemon;
    struct crypt_certificate certificate;
    char ca_path[64];
    int port;
    atomic_int requests, connections, open_now, open_most;
    atomic_bool held; /* as long as it is set, /held has no answer */
    const char *resource; /* what /resource answers; NULL: as any other */
    char raw_uri[256];
    char echo[512]; /* method, headers and body of the last request to /echo */
};

struct upload {
    char bytes[256];
    size_t len;
};

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct server *s = cls;

    (void)connection;
    snprintf(s->raw_uri, sizeof(s->raw_uri), "%s", uri);
    return NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *s = cls;

    (void)connection;
    (void)socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        s->open_now--;
        return;
    }
    s->connections++;
    if (++s->open_now > s->open_most)
        s->open_most = (int)s->open_now;
}

static ssize_t cut_half_way(void *cls, uint64_t at, char *bytes, size_t room)
{
    (void)cls;
    if (at >= 50 || room < 50)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memset(bytes, 'x', 50);
    return 50;
}

static struct MHD_Response *respond(struct server *s, const char *url, unsigned *status)
{
    static char big[BIG];
    struct MHD_Response *r;

    *status = 200;
    if (strcmp(url, "/cut") == 0)
        return MHD_create_response_from_callback(100, 100, cut_half_way, NULL, NULL);
    if (strcmp(url, "/big") == 0)
        return MHD_create_response_from_buffer(sizeof(big), big, MHD_RESPMEM_PERSISTENT);
    if (strcmp(url, "/echo") == 0)
        return MHD_create_response_from_buffer(strlen(s->echo), s->echo, MHD_RESPMEM_MUST_COPY);
    if (strcmp(url, "/resource") == 0 && s->resource)
        return MHD_create_response_from_buffer(strlen(s->resource), (void *)(uintptr_t)s->resource,
                                               MHD_RESPMEM_PERSISTENT);
    while (strcmp(url, "/held") == 0 && s->held)
        usleep(1000);
    r = MHD_create_response_from_buffer(11, (void *)(uintptr_t) "{\"ok\":true}", MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "X-One", "a: b");
    for (int i = 0; i < (strcmp(url, "/headers") == 0 ? 300 : 0); i++)
        MHD_add_response_header(r, "X-Many", "1");
    if (strcmp(url, "/moved") == 0) {
        MHD_add_response_header(r, "Location", "/ok");
        *status = 302;
    }
    return r;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

    return value ? value : "-";
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *n_bytes, void **request)
{
    struct server *s = cls;
    struct upload *upload = *request;
    struct MHD_Response *response;
    enum MHD_Result result;
    unsigned status;

    (void)version;
    if (!upload) {
        *request = xcalloc(1, sizeof(struct upload));
        s->requests++;
        return MHD_YES;
    }
    if (*n_bytes) {
        for (size_t i = 0; i < *n_bytes && upload->len < sizeof(upload->bytes) - 1; i++)
            upload->bytes[upload->len++] = bytes[i];
        *n_bytes = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/drop") == 0)
        return MHD_NO;
    snprintf(s->echo, sizeof(s->echo), "%s|%s|%s|%s|%s|%s|%s", method, upload->bytes,
             header_of(connection, "Content-Type"), header_of(connection, "Content-Length"),
             header_of(connection, "Authorization"), header_of(connection, "X-Empty"), header_of(connection, "Expect"));
    response = respond(s, url, &status);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    free(*request);
    *request = NULL;
}

static bool write_ca(struct server *s)
{
    int fd;
    bool done;

    snprintf(s->ca_path, sizeof(s->ca_path), "/tmp/reinstate-ca-XXXXXX");
    fd = mkstemp(s->ca_path);
    if (fd < 0)
        return false;
    done = write(fd, text_str(&s->certificate.ca_pem), s->certificate.ca_pem.len) == (ssize_t)s->certificate.ca_pem.len;
    close(fd);
    return done;
}

static bool server_start(struct server *s)
{
    static const char *const dns_names[] = {"*.vault.localhost", "arm.here.localhost", NULL};
    const union MHD_DaemonInfo *info;
    struct err err;

    if (crypt_make_certificate(dns_names, &s->certificate, &err) < 0 || !write_ca(s))
        return false;
    s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, on_request, s,
                                 MHD_OPTION_HTTPS_MEM_KEY, s->certificate.key_pem.bytes, MHD_OPTION_HTTPS_MEM_CERT,
                                 text_str(&s->certificate.cert_pem), MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED,
                                 on_completed, s, MHD_OPTION_END);
    info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    s->port = info ? info->port : 0;
    return s->port != 0;
}

static inline void server_stop(struct server *s)
{
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    unlink(s->ca_path);
    crypt_certificate_release(&s->certificate);
}

#endif
