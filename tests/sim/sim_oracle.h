/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What must be true: of the requests on the wire (sim_oracle.c), and of what the daemon says to
 * its clients (sim_record.c). Anything else ends the world by sim_fail().
 */

#include "sim_graph.h"
#include "sim_kernel.h"

/* -- The wire ----------------------------------------------------------------------------- */

/* The daemon sends on a connection; is about to be told something of it, or that it is closed.
 * Under TLS: in plaintext, and SIM_CONNECT once the handshake is over. */
void sim_oracle_on_send(struct sim_conn *conn, const char *data, size_t size);
void sim_oracle_on_told(struct sim_conn *conn, enum sim_kind kind, int result);
void sim_oracle_on_closed(struct sim_conn *conn);

/* Under TLS: the daemon is about to be told that what came is no TLS. */
void sim_oracle_on_broken(struct sim_conn *conn);

/* A request is on the wire; its response is whole; it is off the wire (twice is once). */
struct sim_try *sim_oracle_on_request(
	struct sim_conn *conn, const char *method, const char *target, const char *header);
void sim_oracle_answered(struct sim_try *try);
void sim_oracle_off_wire(struct sim_try *try);

/* It may be off the wire: no bound counts it any more. */
void sim_oracle_taint(struct sim_try *try);
void sim_oracle_loosen(struct sim_try *try);

/* The requests of a graph that look like this; NULL: none was sent, or was to be. */
struct sim_resource *sim_resource_find(
	const struct sim_graph *graph, const char *method, const char *target, const char *header);

/* The same: they may still be sent. */
struct sim_resource *sim_resource_get(const char *method, const char *target, const char *header);

/* True where a request of this method may be sent again without asking (RFC 9110 9.2.1). */
bool sim_method_is_safe(const char *method);

/* -- The session -------------------------------------------------------------------------- */

/* The daemon has said these bytes to the client. */
void sim_record_hear(struct sim_client *client, const char *data, size_t size);

/* The story of a failure: the document whose record was being judged, and what its client heard of
 * it last, line by line. Nothing where it was found elsewhere. */
void sim_record_tell(void (*print)(const char *line));
