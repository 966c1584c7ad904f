/* The simulated Azure as a server: HTTPS on loopback, each service under a name of its own below "localhost". */
#ifndef REINSTATE_SIM_SERVER_H
#define REINSTATE_SIM_SERVER_H

#include "sim.h"

struct sim_server;

struct sim_server_options {
    const struct value *world;              /* as in sim_options */
    const char *world_out;
    uint16_t port;                          /* 0: any free one */
    double speed; /* of its clock against the real one; 0: it stands, and moves when told (server.c) */
    void (*kill)(void *ctx);                /* a kill fault; NULL or returning: the connection is dropped */
    void (*observed)(void *ctx, const struct sim_call *call, const struct sim_answer *answer);
    void *ctx;
};

/* ERR_INVALID when the world contradicts itself (then `diags` says how) or when the port cannot be had. */
must_use int server_start(const struct sim_server_options *options, struct diags *diags, struct sim_server **ret,
                          struct err *err);
/* Where the services of the client's own machine answer, in plain http on 127.0.0.1; 0: the world gives it no
 * identity. */
uint16_t server_plain_port(const struct sim_server *server);
uint16_t server_port(const struct sim_server *server);
const struct sim_endpoints *server_endpoints(const struct sim_server *server);
const char *server_ca_pem(const struct sim_server *server);      /* the authority that clients must trust */
int64_t server_start_ms(const struct sim_server *server);        /* the world's time when the server began */
/* Ends after the requests under way. */
void server_stop(struct sim_server *server);

#endif
