/* The simulator's server: ports, certificates, worlds it refuses. What it says over TLS is tested
 * with real clients elsewhere. */
#include "harness.h"
#include "sim_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../providers/sim/server.h"

static bool listens(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool yes = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return yes;
}

static void test_life(void)
{
    struct arena *a = arena_new();
    struct sim_server_options options = {.world = fixture_world(a, ""), .speed = 60};
    struct sim_server *first = NULL, *second = NULL;
    struct diags diags;
    struct err err;
    uint16_t port;

    diags_init(&diags, a);
    CHECK(server_start(&options, &diags, &first, &err) == 0);
    if (!first) {
        fprintf(stderr, "%s\n", err.text);
        arena_free(a);
        return;
    }
    port = server_port(first);
    CHECK(port != 0 && listens(port));
    CHECK_STR(server_endpoints(first)->vault_suffix, arena_printf(a, ".vault.localhost:%u", port));
    CHECK_STR(server_endpoints(first)->arm, arena_printf(a, "https://management.localhost:%u", port));
    CHECK(strstr(server_ca_pem(first), "BEGIN CERTIFICATE") != NULL);
    CHECK(server_start_ms(first) == time_parse("2026-11-23T03:00:00Z"));
    options.port = port;
    CHECK_ROW("a port that is taken", server_start(&options, &diags, &second, &err) == -ERR_INVALID && !second);
    CHECK_ROW("the error names it", strstr(err.text, arena_printf(a, "%u", port)) != NULL);
    server_stop(first);
    CHECK_ROW("nobody listens any more", !listens(port));
    arena_free(a);
}

static void test_bad_world(void)
{
    struct arena *a = arena_new();
    struct value *world = value_copy(a, fixture_world(a, ""));
    struct sim_server_options options = {.world = world, .speed = 1};
    struct sim_server *server = NULL;
    struct diags diags;
    struct err err;

    diags_init(&diags, a);
    value_set_string(a, value_get(world, "spec"), "now", "soon");
    CHECK(server_start(&options, &diags, &server, &err) == -ERR_INVALID && !server);
    CHECK(diags.n_errors == 1);
    arena_free(a);
}

int main(void)
{
    test_life();
    test_bad_world();
    HARNESS_END();
}
