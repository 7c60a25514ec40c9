/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_judge.h"
#include "sim_server.h"
#include "sim_world.h"

/*
 * Bodies that come in pieces: each begins where the one before it ended, none comes for a job that
 * has settled, and a job of which one was given does not begin anew.
 */

static struct sim_instance *sim_stream_leaf(struct sim_graph *graph, const char *id)
{
	struct sim_instance *leaf = sim_tree_find(graph, id);

	if (!leaf || leaf->role != SIM_LEAF || !leaf->node->is_streamed)
		sim_fail("a piece of %s, which is no stream", id);
	if (leaf->is_settled)
		sim_fail("%s: a piece comes after it has settled", id);
	return leaf;
}

void sim_stream_judge(struct sim_graph *graph, yyjson_val *chunk, struct text payload)
{
	const char *id = sim_member(chunk, "job");
	uint64_t offset = yyjson_get_uint(yyjson_obj_get(chunk, "offset"));
	struct sim_instance *leaf;

	if (sim_world.memory_failed)
		return;
	leaf = sim_stream_leaf(graph, id);
	if (payload.size == 0)
		sim_fail("%s: a piece of nothing", id);
	if (offset != leaf->given.size)
		sim_fail("%s: a piece begins at %llu, and not at %zu", id,
			(unsigned long long)offset, leaf->given.size);
	sim_bytes_append(&leaf->given, payload.data, payload.size);
}

/* What may be in it that the origin did not say. */
static bool sim_stream_is_certain(const struct sim_try *try)
{
	return try && !try->conn->is_tainted && try->reply.fault != SIM_REPLY_BAD_CHUNK &&
	       try->reply.fault != SIM_REPLY_CORRUPT && try->reply.fault != SIM_REPLY_UNSUPPORTED;
}

void sim_stream_check(const struct sim_instance *leaf, const struct sim_try *try, bool is_complete)
{
	const struct sim_bytes *given = &leaf->given;
	size_t size = try ? sim_reply_size(try) : 0;

	if (is_complete ? given->size != size : sim_stream_is_certain(try) && given->size > size)
		sim_fail("%s: %zu bytes were given of a body of %zu", leaf->id, given->size, size);
	if (given->size > 0 && sim_stream_is_certain(try) &&
		memcmp(given->data + given->start, try->reply.body, given->size) != 0)
		sim_fail("%s: what was given is not what its origin said", leaf->id);
}
