/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim_h2.h"
#include "sim_tls.h"
#include "sim_world.h"
#include "util/clock.h"
#include "util/container.h"

/*
 * The origin's side of TLS. A handshake goes wrong in one of its own ways, or because the origin's
 * certificate is not what it should be; both are noted with the origin, where the oracle looks for
 * reasons.
 */

enum sim_handshake {
	SIM_HANDSHAKE_WELL,
	/* An alert, the end of the stream, a reset, something that is no TLS, silence. */
	SIM_HANDSHAKE_REFUSED,
	SIM_HANDSHAKE_END,
	SIM_HANDSHAKE_RESET,
	SIM_HANDSHAKE_RUBBISH,
	SIM_HANDSHAKE_STALL,
	/* It chooses a protocol that it was not offered. */
	SIM_HANDSHAKE_PROTOCOL,
	SIM_HANDSHAKES,
};

void sim_tls_serve(struct sim_conn *conn)
{
	conn->handshake = SIM_HANDSHAKE_WELL;
	if (sim_chance(sim_world.profile.tls_fault / 3))
		conn->handshake = (unsigned)sim_between(SIM_HANDSHAKE_REFUSED, SIM_HANDSHAKES - 1);
}

static void sim_tls_say_record(
	struct sim_conn *conn, enum sim_tls_type type, const char *data, size_t size)
{
	char *record = sim_alloc(SIM_TLS_HEAD + size);

	sim_tls_put_head(record, type, size);
	memcpy(record + SIM_TLS_HEAD, data, size);
	sim_tls_mask(record + SIM_TLS_HEAD, size);
	sim_end_write(&conn->server, record, SIM_TLS_HEAD + size);
	sim_release(record, SIM_TLS_HEAD + size);
}

void sim_tls_say(struct sim_conn *conn, const char *data, size_t size)
{
	while (size > 0) {
		size_t n = size < SIM_TLS_MAX ? size : SIM_TLS_MAX;

		if (n > 1 && sim_chance(100))
			n = (size_t)sim_between(1, n);
		sim_tls_say_record(conn, SIM_TLS_DATA, data, n);
		data += n;
		size -= n;
	}
}

void sim_tls_say_end(struct sim_conn *conn)
{
	if (conn->is_established)
		sim_tls_say_record(conn, SIM_TLS_ALERT, (char[]){SIM_TLS_CLOSE}, 1);
}

void sim_tls_say_rubbish(struct sim_conn *conn)
{
	static const char *const rubbish[] = {
		/* No type, too long, a failure, a type that has no place there. */
		"GARBAGE AND MORE",
		"\x17\x03\x03\xff\xff, and so on",
	};

	switch (sim_below(4)) {
	case 0: sim_tls_say_record(conn, SIM_TLS_ALERT, (char[]){SIM_TLS_FATAL}, 1); break;
	case 1: sim_tls_say_record(conn, SIM_TLS_HANDSHAKE, "again", 5); break;
	case 2: sim_end_write(&conn->server, rubbish[0], 16); break;
	default: sim_end_write(&conn->server, rubbish[1], 16); break;
	}
}

/* -- The handshake ---------------------------------------------------------------------------- */

static void sim_tls_answer_well(struct sim_conn *conn, const char *alpn)
{
	struct sim_origin *origin = conn->origin;
	char hello[32] = {(char)origin->flaw, (char)conn->has_finished};
	size_t size = strlen(alpn);

	if (origin->flaw && !conn->is_insecure)
		sim_codes_add(&origin->tls_codes, origin->flaw);
	memcpy(hello + 2, alpn, size);
	sim_tls_say_record(conn, SIM_TLS_HANDSHAKE, hello, 2 + size);
}

/* Of those that are offered: mostly the same each time. */
static const char *sim_tls_choose(struct sim_conn *conn)
{
	struct sim_origin *origin = conn->origin;

	if (conn->offers_h2 && origin->speaks_h2 && !sim_chance(20)) {
		sim_h2_serve(conn);
		return "h2";
	}
	origin->has_chosen_h1 = true;
	return sim_chance(500) ? "http/1.1" : "";
}

static void sim_tls_answer(void *context)
{
	struct sim_conn *conn = context;
	struct sim_codes *codes = &conn->origin->tls_codes;

	if (conn->server.closed)
		return;
	if (conn->handshake != SIM_HANDSHAKE_WELL && conn->handshake != SIM_HANDSHAKE_STALL)
		sim_codes_add(codes, FAULT_TLS_HANDSHAKE);
	switch ((enum sim_handshake)conn->handshake) {
	case SIM_HANDSHAKE_WELL: sim_tls_answer_well(conn, sim_tls_choose(conn)); break;
	case SIM_HANDSHAKE_PROTOCOL: sim_tls_answer_well(conn, "spdy/3"); break;
	case SIM_HANDSHAKE_REFUSED:
		sim_tls_say_record(conn, SIM_TLS_ALERT, (char[]){SIM_TLS_FATAL}, 1);
		break;
	case SIM_HANDSHAKE_END: sim_end_close(&conn->server); break;
	case SIM_HANDSHAKE_RESET: sim_end_reset(&conn->server); break;
	case SIM_HANDSHAKE_RUBBISH:
		sim_codes_add(codes, FAULT_TLS_NOT_TLS);
		sim_end_write(&conn->server, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
		break;
	case SIM_HANDSHAKE_STALL: conn->origin->has_stalled = true; break;
	case SIM_HANDSHAKES: break;
	}
}

/* What the daemon wants of it: is that what its jobs want? */
static void sim_tls_on_hello(struct sim_conn *conn, const char *hello, size_t size)
{
	const struct sim_origin *origin = conn->origin;
	const char *wanted = origin->is_name ? origin->host : origin->addresses[0].text;
	const char *name = hello + sizeof(unsigned) + 2;
	size_t name_size = size - sizeof(unsigned) - 2;

	if (name_size != strlen(wanted) || memcmp(name, wanted, name_size) != 0)
		sim_fail("an origin is taken for %.*s, and is %s", (int)name_size, name, wanted);
	conn->is_insecure = hello[sizeof(unsigned)];
	conn->offers_h2 = hello[sizeof(unsigned) + 1];
	conn->has_finished = sim_chance(300);
	conn->is_greeted = true;
	sim_after(sim_delay(5 * NS_PER_MS), sim_tls_answer, conn);
}

static void sim_tls_on_finished(struct sim_conn *conn)
{
	conn->is_established = true;
	if (conn->has_finished)
		sim_tls_say_record(
			conn, SIM_TLS_HANDSHAKE, SIM_TLS_FINISHED, sizeof(SIM_TLS_FINISHED) - 1);
}

/* -- Records ---------------------------------------------------------------------------------- */

static void sim_tls_on_record(struct sim_conn *conn, char *record, size_t size)
{
	char *payload = record + SIM_TLS_HEAD;

	sim_tls_mask(payload, size);
	switch ((enum sim_tls_type)record[0]) {
	case SIM_TLS_HANDSHAKE:
		if (!conn->is_greeted)
			sim_tls_on_hello(conn, payload, size);
		else if (!conn->is_established)
			sim_tls_on_finished(conn);
		else
			sim_fail("an origin is greeted again");
		break;
	case SIM_TLS_DATA:
		if (!conn->is_established)
			sim_fail("an origin is sent data before the handshake is over");
		sim_bytes_append(&conn->request, payload, size);
		break;
	case SIM_TLS_ALERT: break;
	default: sim_fail("an origin is sent what is no TLS");
	}
}

void sim_tls_hear(struct sim_conn *conn, const char *data, size_t size)
{
	struct sim_bytes *sealed = &conn->sealed;

	sim_bytes_append(sealed, data, size);
	while (sealed->size >= SIM_TLS_HEAD) {
		char *record = sealed->data + sealed->start;
		size_t n = sim_tls_size(record);

		if (n > SIM_TLS_MAX)
			sim_fail("an origin is sent what is no TLS");
		if (sealed->size < SIM_TLS_HEAD + n)
			break;
		sim_tls_on_record(conn, record, n);
		sim_bytes_take(sealed, SIM_TLS_HEAD + n);
	}
}
