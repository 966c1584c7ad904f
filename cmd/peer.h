/* The simulated Azure as a transport of this process (--world), and who we are in it (--as). */
#ifndef REINSTATE_PEER_H
#define REINSTATE_PEER_H

#include "../providers/azure/azure.h"
#include "../providers/sim/sim.h"

/* A wire whose other end is the simulator; borrows it. */
struct wire *peer_wire_new(struct sim *sim);

/* The services' addresses in that cloud. */
struct sim_endpoints peer_endpoints(const struct cloud *cloud);

/* The credential of a principal of the world; `name` NULL: the first that has a secret. */
must_use int peer_credential(const struct value *world, const char *name, struct credential *ret, struct err *err);

/* Simulated bytes as the client's side would have seen them, and back; for recording. */
struct wire_request peer_request(struct arena *a, const struct sim_call *call);
void peer_reply(struct arena *a, const struct sim_answer *answer, size_t max_body, struct wire_reply *ret);

#endif
