/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "sim_put.h"
#include "sim_redirect.h"
#include "sim_server.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"
#include "util/panic.h"

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

static void sim_reply_put_items(struct sim_bytes *body, uint32_t key)
{
	unsigned n = sim_chance(50) ? (unsigned)sim_between(6, 20) : (unsigned)sim_below(6);

	sim_put(body, ",\"ids\":[");
	for (unsigned i = 0; i < n; i++)
		sim_put(body, "%s%u%03u", i ? "," : "", key + 1, i);
	sim_put(body, "],\"none\":[],\"objs\":[");
	n = (unsigned)sim_below(4);
	for (unsigned i = 0; i < n; i++)
		sim_put(body, "%s{\"u\":\"u%u-%u\",\"sub\":[%s],\"v\":%u}", i ? "," : "", key, i,
			sim_chance(300) ? "" : sim_format("\"%u.%u\",\"%u/%u\"", key, i, key, i),
			(unsigned)sim_below(9));
	sim_put(body, "]");
}

static void sim_reply_put_json(struct sim_bytes *body, const struct sim_try *try)
{
	const char *string = strings[sim_below(countof(strings))];
	const struct sim_label *links = &try->graph->labels[0];

	sim_put(body, "{\"k\":%u,\"s\":\"", try->key);
	sim_put_json(body, string, strlen(string));
	sim_put(body,
		"\",\"n\":9007199254740993,\"z\":null,\"o\":{\"a\":[1,2.50,\"x y\"]},\"b\":%s,"
		"\"p\":\"%s\",\"m\":%u",
		sim_chance(500) ? "true" : "false", sim_chance(500) ? "pro" : "free",
		(unsigned)sim_below(9));
	sim_reply_put_items(body, try->key);
	sim_put(body, ",\"link\":\"%s/%u.0/%u\"}", links->origin->base, try->graph->key, try->key);
}

static void sim_reply_make_body(struct sim_try *try)
{
	struct sim_reply *reply = &try->reply;
	struct sim_bytes body = {0};
	bool is_large = sim_chance(sim_world.profile.large_body);
	size_t size =
		is_large ? (size_t)sim_between(64 * 1024, 200 * 1024) : (size_t)sim_delay(8000);

	switch (reply->content) {
	case SIM_JSON: sim_reply_put_json(&body, try); break;
	case SIM_TEXT: sim_put(&body, "text of %u", try->key); break;
	case SIM_BYTES:
		sim_put(&body, "%u:", try->key);
		for (size_t i = body.size; i < size; i++)
			sim_bytes_append(&body, (const char[]){(char)(i * 31 + try->key)}, 1);
		break;
	case SIM_EMPTY: break;
	}
	reply->body_size = body.size;
	reply->body = sim_put_end(&body);
}

static bool sim_reply_suits(const struct sim_try *try, enum sim_reply_fault fault)
{
	bool has_body = sim_reply_wire_size(try) > 0, is_h2 = try->conn->h2 != NULL;

	switch (fault) {
	case SIM_REPLY_END_BODY: return has_body && (try->reply.framing != SIM_BY_CLOSE || is_h2);
	case SIM_REPLY_RESET_BODY:
	case SIM_REPLY_STALL_BODY: return has_body;
	case SIM_REPLY_BAD_CHUNK: return has_body && try->reply.framing == SIM_BY_CHUNKS && !is_h2;
	case SIM_REPLY_CONFLICT: return !sim_reply_is_bare(try);
	case SIM_REPLY_EXTRA:
		return is_h2 || try->reply.framing != SIM_BY_CLOSE || sim_reply_is_bare(try);
	case SIM_REPLY_EARLY: return try->label->has_body && try->keeps_body;
	case SIM_REPLY_RUBBISH: return try->origin->is_https;
	case SIM_REPLY_UNSAID:
		return try->origin->is_https && try->reply.framing == SIM_BY_CLOSE && !is_h2;
	case SIM_REPLY_H2_RESET:
	case SIM_REPLY_H2_REFUSED:
	case SIM_REPLY_H2_HTTP_1_1:
	case SIM_REPLY_H2_GOAWAY:
	case SIM_REPLY_H2_LEAVE: return is_h2;
	case SIM_REPLY_CORRUPT:
		return !try->reply.is_redirect && has_body && try->label->decodes &&
		       try->reply.codings[0];
	case SIM_REPLY_UNSUPPORTED:
		return !try->reply.is_redirect && has_body && try->label->decodes;
	case SIM_REPLY_HUGE_HEAD: return sim_chance(30);
	default: return true;
	}
}

/* Its origin is ill, and gets well again. */
static void sim_reply_draw_sick(struct sim_reply *reply)
{
	static const uint16_t sick[] = {503, 503, 429, 500, 502, 504, 408, 404};

	reply->status = sick[sim_below(countof(sick))];
	if (!sim_may(SIM_FEATURE_RETRY) || !sim_chance(400))
		return;
	reply->later = sim_chance(600) ? SIM_LATER_SECONDS : SIM_LATER_DATE;
	reply->later_s = sim_chance(50) ? 1000 : (unsigned)sim_below(4);
	reply->later_at_s = (SIM_UNIX_NS + sim_now()) / NS_PER_S + reply->later_s;
	sim_model.has_pause = true;
}

void sim_reply_draw(struct sim_try *try)
{
	struct sim_reply *reply = &try->reply;
	bool is_sick = try->number < try->resource->n_sick;
	unsigned fault_rate = sim_world.profile.reply_fault;

	reply->status = sim_chance(870) ? 200 : statuses[sim_below(countof(statuses))];
	reply->content = try->label->content;
	if (is_sick && (fault_rate == 0 || sim_chance(600)))
		sim_reply_draw_sick(reply);
	else if (is_sick)
		fault_rate = 900;
	reply->framing = sim_chance(600)
				 ? SIM_BY_LENGTH
				 : (enum sim_framing)sim_between(SIM_BY_CHUNKS, SIM_BY_CLOSE);
	reply->is_old = reply->framing != SIM_BY_CHUNKS && sim_chance(50);
	reply->says_close = sim_chance(50);
	reply->n_early = sim_chance(60) ? (unsigned)sim_between(1, 3) : 0;
	reply->n_pieces = sim_chance(800) ? 1 : (unsigned)sim_between(2, 12);
	reply->latency_ns = sim_delay(try->origin->reply_ns_max);
	reply->gap_ns = sim_delay(20 * NS_PER_MS);
	if (!is_sick)
		sim_redirect_draw(try);
	sim_reply_make_body(try);
	sim_reply_encode(try);
	try->graph->client->body_bytes += sim_reply_size(try);
	if (sim_chance(fault_rate)) {
		enum sim_reply_fault fault =
			(enum sim_reply_fault)sim_between(SIM_REPLY_RESET, SIM_REPLY_FAULTS - 1);

		if (sim_reply_suits(try, fault))
			reply->fault = fault;
		if (reply->fault == SIM_REPLY_CORRUPT)
			sim_reply_corrupt(reply);
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

/* As RFC 9110 5.6.7 wants it, or as it has to be read. */
static const char *sim_reply_date(uint64_t unix_s)
{
	static const char *const formats[] = {
		"%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %e %H:%M:%S %Y",
	};
	time_t when = (time_t)unix_s;
	struct tm parts;
	char text[64];

	gmtime_r(&when, &parts);
	expect(strftime(text, sizeof(text), formats[unix_s % countof(formats)], &parts) > 0);
	return sim_copy(text, strlen(text));
}

void sim_reply_put_fields(const struct sim_try *try, struct sim_bytes *out, sim_put_field put)
{
	const struct sim_reply *reply = &try->reply;

	put(out, "x-k", sim_format("%u", try->key));
	put(out, "Content-Type", sim_media_type(reply->content));
	if (reply->is_redirect)
		put(out, "Location", reply->location);
	if (sim_reply_codings(reply))
		put(out, "Content-Encoding", sim_reply_codings(reply));
	if (reply->later == SIM_LATER_SECONDS)
		put(out, "Retry-After", sim_format("%u", reply->later_s));
	else if (reply->later == SIM_LATER_DATE)
		put(out, "Retry-After", sim_reply_date(reply->later_at_s));
}

static void sim_reply_put_field(struct sim_bytes *out, const char *name, const char *value)
{
	sim_put(out, "%s: %s\r\n", name, value);
}

static void sim_reply_write_head(const struct sim_try *try, struct sim_bytes *out)
{
	const struct sim_reply *reply = &try->reply;

	for (unsigned i = 0; i < reply->n_early; i++)
		sim_put(out, "HTTP/1.1 %u Early\r\nlink: </x>\r\n\r\n", i % 2 ? 103 : 100);
	sim_put(out, "HTTP/1.%u %u Whatever\r\n", !reply->is_old, reply->status);
	sim_reply_put_fields(try, out, sim_reply_put_field);
	if (reply->says_close)
		sim_put(out, "connection: close\r\n");
	else if (reply->is_old && try->key % 2)
		sim_put(out, "connection: keep-alive\r\n");
	if (reply->fault == SIM_REPLY_CONFLICT)
		sim_put(out, "%s", conflicts[try->key % countof(conflicts)]);
	else if (reply->status == 204)
		;
	else if (reply->framing == SIM_BY_LENGTH)
		sim_put(out, "Content-Length: %zu\r\n", reply->wire_size);
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

static void sim_reply_write_chunks(const struct sim_try *try, struct sim_bytes *out)
{
	const struct sim_reply *reply = &try->reply;
	size_t at = 0, step = 1 + reply->wire_size / (1 + try->key % 5);

	while (at < reply->wire_size) {
		size_t n = reply->wire_size - at < step ? reply->wire_size - at : step;

		sim_put(out, try->key % 3 ? "%zx\r\n" : "%zX;ext=\"1\"\r\n", n);
		sim_bytes_append(out, reply->wire + at, n);
		sim_put(out, "\r\n");
		at += n;
		if (reply->fault == SIM_REPLY_BAD_CHUNK) {
			sim_put(out, "%s", bad_chunks[try->key % countof(bad_chunks)]);
			return;
		}
	}
	sim_put(out, "0\r\n%s\r\n", try->key % 4 ? "" : "x-trailer: 1\r\n");
}

void sim_reply_write(const struct sim_try *try, struct sim_bytes *out, size_t *ret_head)
{
	const struct sim_reply *reply = &try->reply;

	if (reply->fault == SIM_REPLY_MALFORMED) {
		unsigned n = try->key % countof(malformed);

		sim_bytes_append(out, malformed[n], n == 4 ? 9 : strlen(malformed[n]));
		*ret_head = out->size;
		return;
	}
	sim_reply_write_head(try, out);
	*ret_head = out->size;
	if (sim_reply_is_bare(try))
		return;
	if (reply->framing == SIM_BY_CHUNKS)
		sim_reply_write_chunks(try, out);
	else
		sim_bytes_append(out, reply->wire, reply->wire_size);
}
