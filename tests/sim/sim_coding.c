/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <zlib.h>

#include "sim_server.h"
#include "sim_world.h"
#include "util/panic.h"

/*
 * Content codings as an origin puts them on, one or two; and what is broken about them. What the
 * daemon is to see of a body is reply->body, what goes over the wire reply->wire.
 */

static const char *const names[] = {"", "gzip", "x-gzip", "deflate"};

static voidpf sim_coding_alloc(voidpf context, uInt n, uInt size)
{
	return sim_alloc((size_t)n * size);
}

/* It goes with the world. */
static void sim_coding_free(voidpf context, voidpf at)
{
}

/* With little memory: it is done often. */
static void sim_coding_put(
	enum sim_coding coding, const char *data, size_t size, struct sim_bytes *out)
{
	z_stream stream = {.zalloc = sim_coding_alloc, .zfree = sim_coding_free};
	int window = coding == SIM_CODING_DEFLATE ? 9 : 9 + 16;
	size_t room;

	expect(deflateInit2(&stream, 1, Z_DEFLATED, window, 1, Z_DEFAULT_STRATEGY) == Z_OK);
	room = deflateBound(&stream, size);
	out->data = sim_alloc(room);
	out->capacity = room;
	stream.next_in = (Bytef *)(uintptr_t)data;
	stream.avail_in = (uInt)size;
	stream.next_out = (Bytef *)out->data;
	stream.avail_out = (uInt)room;
	expect(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	out->size = stream.total_out;
	deflateEnd(&stream);
}

void sim_reply_encode(struct sim_try *try)
{
	struct sim_reply *reply = &try->reply;
	/* What stays coded is nothing to refer to. */
	bool may = !reply->is_redirect && (try->label->decodes || reply->content == SIM_BYTES);
	bool wants = may && sim_chance(250);

	reply->wire = reply->body;
	reply->wire_size = reply->body_size;
	if (!wants || !sim_may(SIM_FEATURE_CODINGS))
		return;
	for (unsigned i = 0; i < SIM_CODINGS_MAX && (i == 0 || sim_chance(150)); i++) {
		struct sim_bytes out = {0};

		reply->codings[i] =
			(enum sim_coding)sim_between(SIM_CODING_GZIP, SIM_CODING_DEFLATE);
		sim_coding_put(reply->codings[i], reply->wire, reply->wire_size, &out);
		reply->wire = out.data;
		reply->wire_size = out.size;
	}
	if (try->label->decodes)
		return;
	/* Nobody asked for it: it stays on. */
	reply->body = sim_copy(reply->wire, reply->wire_size);
	reply->body_size = reply->wire_size;
}

/* The last coding's check of its data; its end; or what is behind it. */
void sim_reply_corrupt(struct sim_reply *reply)
{
	size_t size = reply->wire_size;
	char *wire = sim_alloc(size + 8);
	enum sim_coding last = reply->codings[1] ? reply->codings[1] : reply->codings[0];

	memcpy(wire, reply->wire, size);
	memcpy(wire + size, "leftover", 8);
	switch (sim_below(3)) {
	/* Adler-32 is all that ends deflate; in gzip the length stands behind the CRC. */
	case 0: wire[size - (last == SIM_CODING_DEFLATE ? 1 : 8)] ^= 1; break;
	case 1: reply->wire_size -= (size_t)sim_between(1, 4); break;
	default: reply->wire_size += 8; break;
	}
	reply->wire = wire;
}

const char *sim_reply_codings(const struct sim_reply *reply)
{
	if (reply->fault == SIM_REPLY_UNSUPPORTED)
		return reply->codings[0] ? sim_format("compress, %s", names[reply->codings[0]])
					 : "zip";
	if (!reply->codings[0])
		return NULL;
	if (!reply->codings[1])
		return names[reply->codings[0]];
	return sim_format("%s, %s", names[reply->codings[0]], names[reply->codings[1]]);
}
