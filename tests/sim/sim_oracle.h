/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What must be true: of the requests on the wire (sim_oracle.c), and of what the daemon says to
 * its clients (sim_record.c). Anything else ends the world by sim_fail().
 */

#include "sim_kernel.h"
#include "sim_model.h"

/* -- The wire ----------------------------------------------------------------------------- */

/* The job a request's target ("/17/...") belongs to. */
struct sim_job *sim_oracle_job_of(const char *target);

/* The daemon sends on a connection; is about to be told something of it, or that it is closed. */
void sim_oracle_on_send(struct sim_conn *conn, const char *data, size_t size);
void sim_oracle_on_told(struct sim_conn *conn, enum sim_kind kind, int result);
void sim_oracle_on_closed(struct sim_conn *conn);

/* True where the job's response, arrived whole, fulfils it. */
bool sim_oracle_is_ok(const struct sim_job *job);

/* True where a request of this method may be sent again without asking (RFC 9110 9.2.1). */
bool sim_oracle_is_safe(const struct sim_job *job);

/* -- The session -------------------------------------------------------------------------- */

/* The daemon has said these bytes to the client. */
void sim_record_hear(struct sim_client *client, const char *data, size_t size);
