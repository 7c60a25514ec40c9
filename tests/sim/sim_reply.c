/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_put.h"
#include "sim_server.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * What an origin answers. Bodies name the job they were made for, so that a reply that reaches
 * the wrong job is seen.
 */

#define SIM_HUGE_HEAD ((size_t)300 * 1024)

/* What may stand in a body and go on from there into another request. */
static const char *const strings[] = {
	"plain",
	"",
	"a b",
	"x/y?z=1&w=2#f;g",
	"100% \"quoted\" \\ {{not.one}}",
	"\303\274n\303\257c\303\266de",
	"..",
	"cr\r\nx-evil: 1",
	"'<>|^`+$,:@!*()[]",
};

static const uint16_t statuses[] = {200, 200, 200, 200, 200, 201, 204, 301, 304, 404, 500, 503};

static void sim_reply_make_body(struct sim_job *job)
{
	struct sim_reply *reply = &job->reply;
	struct sim_bytes body = {0};
	bool is_large = sim_chance(sim_world.profile.large_body);
	size_t size =
		is_large ? (size_t)sim_between(64 * 1024, 200 * 1024) : (size_t)sim_delay(8000);

	switch (reply->content) {
	case SIM_JSON:
		reply->string = strings[sim_below(countof(strings))];
		sim_put(&body, "{\"k\":%u,\"s\":\"", job->key);
		sim_put_json(&body, reply->string);
		sim_put(&body,
			"\",\"n\":9007199254740993,\"z\":null,\"o\":{\"a\":[1,2.50,\"x y\"]}}");
		break;
	case SIM_TEXT: sim_put(&body, "text of %u", job->key); break;
	case SIM_BYTES:
		sim_put(&body, "%u:", job->key);
		for (size_t i = body.size; i < size; i++)
			sim_bytes_append(&body, (const char[]){(char)(i * 31 + job->key)}, 1);
		break;
	case SIM_EMPTY: break;
	}
	reply->body_size = body.size;
	reply->body = sim_put_end(&body);
}

static bool sim_reply_suits(const struct sim_job *job, enum sim_reply_fault fault)
{
	bool has_body = sim_reply_size(job) > 0;

	switch (fault) {
	case SIM_REPLY_END_BODY: return has_body && job->reply.framing != SIM_BY_CLOSE;
	case SIM_REPLY_RESET_BODY:
	case SIM_REPLY_STALL_BODY: return has_body;
	case SIM_REPLY_BAD_CHUNK: return has_body && job->reply.framing == SIM_BY_CHUNKS;
	case SIM_REPLY_CONFLICT: return !sim_reply_is_bare(job);
	case SIM_REPLY_EXTRA: return job->reply.framing != SIM_BY_CLOSE || sim_reply_is_bare(job);
	case SIM_REPLY_EARLY: return job->has_body;
	case SIM_REPLY_HUGE_HEAD: return sim_chance(30);
	default: return true;
	}
}

void sim_reply_draw(struct sim_job *job)
{
	struct sim_reply *reply = &job->reply;

	reply->status = sim_chance(850) ? 200 : statuses[sim_below(countof(statuses))];
	reply->content = sim_chance(600 - sim_world.profile.large_body)
				 ? SIM_JSON
				 : (enum sim_content)sim_between(SIM_TEXT, SIM_EMPTY);
	reply->framing = sim_chance(600)
				 ? SIM_BY_LENGTH
				 : (enum sim_framing)sim_between(SIM_BY_CHUNKS, SIM_BY_CLOSE);
	reply->is_old = reply->framing != SIM_BY_CHUNKS && sim_chance(50);
	reply->says_close = sim_chance(50);
	reply->n_early = sim_chance(60) ? (unsigned)sim_between(1, 3) : 0;
	reply->n_pieces = sim_chance(800) ? 1 : (unsigned)sim_between(2, 12);
	reply->latency_ns = sim_delay(job->origin->reply_ns_max);
	reply->gap_ns = sim_delay(20 * NS_PER_MS);
	sim_reply_make_body(job);
	if (sim_chance(sim_world.profile.reply_fault)) {
		enum sim_reply_fault fault =
			(enum sim_reply_fault)sim_between(SIM_REPLY_RESET, SIM_REPLY_FAULTS - 1);

		if (sim_reply_suits(job, fault))
			reply->fault = fault;
	}
}

/* -- Its bytes ---------------------------------------------------------------------------- */

static const char *const malformed[] = {
	"HTTP/1.1 2x0 OK\r\n\r\n",
	"This is not HTTP at all.\r\n\r\n",
	"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
	"HTTP/1.1 200 OK\r\nx y: z\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
};

static const char *const conflicts[] = {
	"content-length: 5\r\ntransfer-encoding: chunked\r\n",
	"content-length: 5\r\ncontent-length: 6\r\n",
	"content-length: 5, 6\r\n",
	"content-length: -5\r\n",
	"content-length: 5abc\r\n",
	"content-length: 18446744073709551621\r\n",
};

static const char *const bad_chunks[] = {
	"xyz\r\nabc\r\n",
	"-5\r\nhello\r\n",
	"3\r\nabcde\r\n",
	"11111111111111111\r\n",
};

static const char *sim_media_type(enum sim_content content)
{
	switch (content) {
	case SIM_JSON: return "application/json";
	case SIM_TEXT:
	case SIM_EMPTY: return "text/plain";
	case SIM_BYTES: break;
	}
	return "application/octet-stream";
}

static void sim_reply_write_head(const struct sim_job *job, struct sim_bytes *out)
{
	const struct sim_reply *reply = &job->reply;

	for (unsigned i = 0; i < reply->n_early; i++)
		sim_put(out, "HTTP/1.1 %u Early\r\nlink: </x>\r\n\r\n", i % 2 ? 103 : 100);
	sim_put(out, "HTTP/1.%u %u Whatever\r\nx-k: %u\r\nContent-Type: %s\r\n", !reply->is_old,
		reply->status, job->key, sim_media_type(reply->content));
	if (reply->says_close)
		sim_put(out, "connection: close\r\n");
	else if (reply->is_old && job->key % 2)
		sim_put(out, "connection: keep-alive\r\n");
	if (reply->fault == SIM_REPLY_CONFLICT)
		sim_put(out, "%s", conflicts[job->key % countof(conflicts)]);
	else if (reply->status == 204)
		;
	else if (reply->framing == SIM_BY_LENGTH)
		sim_put(out, "Content-Length: %zu\r\n", reply->body_size);
	else if (reply->framing == SIM_BY_CHUNKS)
		sim_put(out, "Transfer-Encoding: chunked\r\n");
	if (reply->fault == SIM_REPLY_HUGE_HEAD) {
		char field[1024];

		memset(field, 'h', sizeof(field) - 1);
		field[sizeof(field) - 1] = 0;
		for (size_t n = 0; n < SIM_HUGE_HEAD; n += sizeof(field))
			sim_put(out, "x-huge: %s\r\n", field);
	}
	sim_put(out, "\r\n");
}

static void sim_reply_write_chunks(const struct sim_job *job, struct sim_bytes *out)
{
	const struct sim_reply *reply = &job->reply;
	size_t at = 0, step = 1 + reply->body_size / (1 + job->key % 5);

	while (at < reply->body_size) {
		size_t n = reply->body_size - at < step ? reply->body_size - at : step;

		sim_put(out, job->key % 3 ? "%zx\r\n" : "%zX;ext=\"1\"\r\n", n);
		sim_bytes_append(out, reply->body + at, n);
		sim_put(out, "\r\n");
		at += n;
		if (reply->fault == SIM_REPLY_BAD_CHUNK) {
			sim_put(out, "%s", bad_chunks[job->key % countof(bad_chunks)]);
			return;
		}
	}
	sim_put(out, "0\r\n%s\r\n", job->key % 4 ? "" : "x-trailer: 1\r\n");
}

void sim_reply_write(const struct sim_job *job, struct sim_bytes *out, size_t *ret_head)
{
	const struct sim_reply *reply = &job->reply;

	if (reply->fault == SIM_REPLY_MALFORMED) {
		unsigned n = job->key % countof(malformed);

		sim_bytes_append(out, malformed[n], n == 4 ? 9 : strlen(malformed[n]));
		*ret_head = out->size;
		return;
	}
	sim_reply_write_head(job, out);
	*ret_head = out->size;
	if (sim_reply_is_bare(job))
		return;
	if (reply->framing == SIM_BY_CHUNKS)
		sim_reply_write_chunks(job, out);
	else
		sim_bytes_append(out, reply->body, reply->body_size);
}
