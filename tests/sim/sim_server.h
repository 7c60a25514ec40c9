/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The origin's side of a connection: reads requests, writes replies.
 */

#include "sim_model.h"

/* Somebody has connected. */
void sim_server_begin(struct sim_conn *conn);

/* Draw what a job will be answered, and make its body. */
void sim_reply_draw(struct sim_job *job);

/* The reply's bytes; *ret_head says where its head ends. */
void sim_reply_write(const struct sim_job *job, struct sim_bytes *out, size_t *ret_head);

/* True where a response to this job has no body whatever its head says. */
static inline bool sim_reply_is_bare(const struct sim_job *job)
{
	return job->method[0] == 'H' || job->reply.status == 204 || job->reply.status == 304;
}

/* Bytes of the body that the daemon is to see. */
static inline size_t sim_reply_size(const struct sim_job *job)
{
	return sim_reply_is_bare(job) ? 0 : job->reply.body_size;
}
