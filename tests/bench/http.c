/* 10,000 GETs of one resource over TLS from a server in a process of its own: each parsed and compared by the HTTP
 * engine, beside h2load (Debian: nghttp2-client), which does neither. Processor time of the client a request, since a
 * server on the same cores slows down both alike. */
#include "../unit/wire_server.h"

#include "../../reconciler/format/json.h"
#include "../../reconciler/run/http.h"
#include "figure.h"

#include <fcntl.h>
#include <sys/wait.h>

enum { GETS = 10000, CONNECTIONS = 16 };

static const char resource[] =
    "{\"id\":\"/subscriptions/a0000000-0000-4000-8000-0000000000aa/resourceGroups/rg-work/providers/Microsoft.Compute/"
    "diskEncryptionSets/des-1\",\"name\":\"des-1\",\"type\":\"Microsoft.Compute/"
    "diskEncryptionSets\",\"location\":\"uaenorth\","
    "\"identity\":{\"type\":\"SystemAssigned\",\"principalId\":\"a0000000-0000-4000-8000-000000000001\",\"tenantId\":"
    "\"a0000000-0000-4000-8000-0000000000bb\"},\"properties\":{\"encryptionType\":"
    "\"ConfidentialVmEncryptedWithCustomerKey\","
    "\"rotationToLatestKeyVersionEnabled\":false,\"provisioningState\":\"Succeeded\",\"activeKey\":{\"keyUrl\":"
    "\"https://kv-payroll.vault.azure.net/keys/payroll-os/3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5\"}}}";

static struct {
    struct http *http;
    const char *url;
    size_t left, same;
} bench;

static void asking(struct call *c, void *arg)
{
    (void)arg;
    while (bench.left > 0) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct http_request request = {.method = HTTP_GET, .url = bench.url, .authorization = "Bearer not-a-secret"};
        struct http_response response cleanup(http_response_release) = {0};
        struct value *body;
        struct err err;

        bench.left--;
        if (http_send(bench.http, c, a, &request, &response, &err) == 0 &&
            json_parse(a, response.body.bytes, response.body.len, &body, &err) == 0)
            bench.same += str_eq_nocase(value_str_at(body, "properties.encryptionType"),
                                        "confidentialvmencryptedwithcustomerkey") &&
                          str_eq(value_str_at(body, "identity.type"), "SystemAssigned");
    }
}

static void all_ask(struct call *c, void *arg)
{
    struct group *g = group_new(call_sched(c), "asking");
    struct err err;

    (void)arg;
    for (int i = 0; i < CONNECTIONS; i++)
        group_spawn(g, "asking", asking, NULL);
    if (group_wait(c, g, &err) == 0)
        group_free(g);
}

static double by_engine(const char *ca_path)
{
    struct sched *s = sched_new(&(struct sched_options){.time = SCHED_REAL});
    struct wire *wire = wire_curl_new(s, ca_path, CONNECTIONS);
    double used = processor_s(RUSAGE_SELF);

    bench.http = http_new(s, &(struct http_options){.wire = wire, .mode = HTTP_READ_ONLY});
    bench.left = GETS;
    sched_main(s, all_ask, NULL);
    http_free(bench.http);
    wire_free(wire);
    sched_free(s);
    return processor_s(RUSAGE_SELF) - used;
}

/* 0: it is not there, or failed. */
static double by_h2load(int port)
{
    double used = processor_s(RUSAGE_CHILDREN);
    char gets[16], connections[16], to[40];
    int status = 1;
    pid_t pid;

    snprintf(gets, sizeof(gets), "%d", GETS);
    snprintf(connections, sizeof(connections), "%d", CONNECTIONS);
    snprintf(to, sizeof(to), "--connect-to=127.0.0.1:%d", port);
    pid = fork();
    if (pid == 0) {
        int fd = open("/dev/null", O_WRONLY);

        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execlp("h2load", "h2load", "--h1", to, "-n", gets, "-c", connections, "-H",
               "Authorization: Bearer not-a-secret", bench.url, (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
        return 0;
    return processor_s(RUSAGE_CHILDREN) - used;
}

/* In a process of its own; *ret: its port and the file with its authority. */
static pid_t serve(struct server *ret)
{
    int ends[2];
    pid_t pid = pipe(ends) == 0 ? fork() : -1;

    if (pid == 0) {
        ret->resource = resource;
        if (!server_start(ret) || write(ends[1], ret, sizeof(*ret)) != (ssize_t)sizeof(*ret))
            _exit(1);
        pause();
        _exit(0);
    }
    if (pid < 0 || read(ends[0], ret, sizeof(*ret)) != (ssize_t)sizeof(*ret))
        return -1;
    return pid;
}

int main(void)
{
    static struct server server;
    pid_t pid = serve(&server);
    char url[100], beside[120];
    double ours, peers;

    if (pid < 0)
        return 1;
    snprintf(url, sizeof(url), "https://arm.here.localhost:%d/resource", server.port);
    bench.url = url;
    ours = by_engine(server.ca_path);
    peers = by_h2load(server.port);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(server.ca_path);
    if (bench.same != GETS)
        return 1;
    snprintf(beside, sizeof(beside), "%.0f us of processor a request, h2load %.0f us", ours * 1e6 / GETS,
             peers * 1e6 / GETS);
    if (peers > 0)
        figure("HTTP engine: 10,000 GETs, parsed and compared", peers / ours, "of the rate of h2load", false, 0.28,
               beside);
    else
        figure_shown("HTTP engine: 10,000 GETs, parsed and compared", ours * 1e6 / GETS, "us of processor each",
                     "h2load is not there (Debian: nghttp2-client) or failed");
    return 0;
}
