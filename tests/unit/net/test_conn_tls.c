/* SPDX-License-Identifier: MIT */
#include "net/conn.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/net/conn_world.h"
#include "tests/unit/net/tls_peer.h"

static struct conn_world world;
static struct user user;

/* TLS: the peer's side is OpenSSL's own, over memory. */

static struct peer_cert cert;
static char *pem;
static struct pair pair;

/* A user who has asked for nothing yet. */
static void tls_init(const char *ca_host)
{
	struct pool_options options = {10, 10, IDLE_TIMEOUT_NS, BOUND_NONE};
	struct route_key key = {
		.is_https = true,
		.http = PLAN_HTTP_1_1,
		.port = 443,
		.host = TEXT("192.0.2.1"),
		.server_name = text_from(ca_host),
	};
	/* Before anything else of OpenSSL's. */
	struct tls_store *first = tls_store_new();

	cert = peer_cert_new(&(struct peer_cert_options){.name = "a", .names = "DNS:a.example"});
	pem = peer_cert_pem(&cert);
	pair_init(&pair, &(struct peer_options){.cert = &cert});
	tls_store_free(first);
	conn_world_begin_with(&world, pair.store, &options);
	key.ca = text_from(pem);
	user_init(&user, &world, &key);
}

static void tls_begin(const char *ca_host)
{
	tls_init(ca_host);
	user_lease(&user);
	fake_run();
	ck_assert_int_eq(user.conn->state, CONN_HANDSHAKING);
	ck_assert_str_eq(user.said, "PP");
}

/* What one side has sent to the other, until nothing moves. */
static void tls_pass(int fd)
{
	BIO *in = SSL_get_rbio(pair.ssl), *out = SSL_get_wbio(pair.ssl);
	char data[64 * 1024];

	for (unsigned i = 0; i < 20; i++) {
		struct text sent = fake_sent(fd);
		int n;

		if (sent.size > 0)
			ck_assert_int_eq(BIO_write(in, sent.data, (int)sent.size), (int)sent.size);
		fake_forget(fd);
		if (!SSL_is_init_finished(pair.ssl))
			SSL_do_handshake(pair.ssl);
		n = BIO_read(out, data, sizeof(data));
		if (n > 0)
			fake_receive_bytes(fd, data, (size_t)n);
		fake_run();
		if (!fake_is_open(fd))
			return;
	}
}

static void tls_open(void)
{
	tls_begin("a.example");
	tls_pass(user_fd(&user));
	ck_assert_int_eq(user.conn->state, CONN_ACTIVE);
	ck_assert_str_eq(user.said, "PPR");
	user.said[0] = '\0';
}

static void tls_end(void)
{
	user_end(&user);
	conn_world_end(&world);
	pair_deinit(&pair);
	peer_cert_free(&cert);
	free(pem);
}

START_TEST(tls_carries_a_request_and_its_response)
{
	char data[64];

	tls_open();
	conn_send(user.conn, "GET / ", 6);
	fake_run();
	tls_pass(user_fd(&user));
	ck_assert_int_eq(SSL_read(pair.ssl, data, sizeof(data)), 6);
	ck_assert_mem_eq(data, "GET / ", 6);
	pair_server_write(&pair, "HTTP/1.1 200 OK", 15);
	tls_pass(user_fd(&user));
	user_assert(&user, "SD", "HTTP/1.1 200 OK");
	tls_end();
}
END_TEST

START_TEST(tls_that_is_closed_says_how)
{
	/* With close_notify. */
	tls_open();
	SSL_shutdown(pair.ssl);
	tls_pass(user_fd(&user));
	ck_assert_str_eq(user.said, "EX");
	tls_end();

	/* Without. */
	tls_open();
	fake_complete(FAKE_RECEIVE, user_fd(&user), 0);
	ck_assert_int_eq(user.fault.code, FAULT_BODY_TRUNCATED);
	fake_run();
	ck_assert_str_eq(user.said, "FX");
	tls_end();

	/* Garbage. */
	tls_open();
	fake_receive(user_fd(&user), "HTTP/1.1 200 OK\r\n\r\n");
	ck_assert_int_eq(user.fault.code, FAULT_TLS_BROKEN);
	fake_run();
	ck_assert_str_eq(user.said, "FX");
	tls_end();
}
END_TEST

START_TEST(a_handshake_that_ends_early_is_its_own_fault)
{
	static const struct {
		int result;
		enum fault_code code;
	} cases[] = {
		{0, FAULT_TLS_HANDSHAKE},
		{-ECONNRESET, FAULT_TLS_HANDSHAKE},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		tls_begin("a.example");
		fake_complete(FAKE_RECEIVE, user_fd(&user), cases[i].result);
		ck_assert_int_eq(user.fault.code, cases[i].code);
		fake_run();
		ck_assert_str_eq(user.said, "PPFX");
		tls_end();
	}
	/* A verified name that is not the certificate's. */
	tls_begin("b.example");
	tls_pass(user_fd(&user));
	ck_assert_int_eq(user.fault.code, FAULT_CERT_NAME);
	ck_assert_str_eq(user.said, "PPFX");
	tls_end();
}
END_TEST

START_TEST(an_abort_ends_a_handshake)
{
	tls_begin("a.example");
	conn_abort(user.conn);
	fake_run();
	ck_assert_str_eq(user.said, "PPX");
	tls_end();
}
END_TEST

START_TEST(idle_tls_takes_no_plaintext)
{
	int fd;

	tls_open();
	fd = user_fd(&user);
	user_return(&user);
	/* A ticket is no plaintext: it stays. */
	tls_pass(fd);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	pair_server_write(&pair, "x", 1);
	tls_pass(fd);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 0);
	ck_assert(!fake_is_open(fd));
	ck_assert_str_eq(user.said, "");
	tls_end();
}
END_TEST

START_TEST(plaintext_beyond_a_response_ends_a_connection_given_back_in_its_data)
{
	int fd;

	tls_open();
	fd = user_fd(&user);
	user.returns_at = 3;
	pair_server_write(&pair, "yes", 3);
	pair_server_write(&pair, "no", 2);
	tls_pass(fd);
	user_assert(&user, "D", "yes");
	ck_assert(!fake_is_open(fd));
	tls_end();

	/* And without such bytes it serves the next one. */
	tls_open();
	fd = user_fd(&user);
	user.returns_at = 3;
	pair_server_write(&pair, "yes", 3);
	tls_pass(fd);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	user.returns_at = 0;
	user_lease(&user);
	ck_assert_int_eq(user_fd(&user), fd);
	pair_server_write(&pair, "again", 5);
	tls_pass(fd);
	user_assert(&user, "DD", "yesagain");
	tls_end();
}
END_TEST

START_TEST(a_short_tls_send_is_gone_on_with)
{
	char data[64];
	int fd;

	tls_open();
	fd = user_fd(&user);
	fake_holds.sends = true;
	conn_send(user.conn, "GET / ", 6);
	while (fake_find(FAKE_SEND, fd)) {
		ck_assert_str_eq(user.said, "");
		fake_complete(FAKE_SEND, fd, 1);
	}
	ck_assert_str_eq(user.said, "S");
	tls_pass(fd);
	ck_assert_int_eq(SSL_read(pair.ssl, data, sizeof(data)), 6);
	tls_end();
}
END_TEST

/* A connection that nobody has asked for, with its handshake begun. */
static int tls_warm(const char *ca_host)
{
	tls_init(ca_host);
	pool_warm(world.pool, user.route, 1);
	fake_run();
	ck_assert_uint_eq(pool_counters(world.pool).n_warming, 1);
	return fake_find(FAKE_RECEIVE, -1)->fd;
}

static void tls_assert_serves(void)
{
	char data[64];

	conn_send(user.conn, "GET / ", 6);
	fake_run();
	tls_pass(user_fd(&user));
	ck_assert_int_eq(SSL_read(pair.ssl, data, sizeof(data)), 6);
	pair_server_write(&pair, "HTTP/1.1 200 OK", 15);
	tls_pass(user_fd(&user));
	user_assert(&user, "SD", "HTTP/1.1 200 OK");
}

START_TEST(a_warmed_one_shakes_hands_alone_and_serves)
{
	int fd = tls_warm("a.example");

	tls_pass(fd);
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	user_lease(&user);
	ck_assert_int_eq(user.conn->state, CONN_ACTIVE);
	ck_assert_int_eq(user_fd(&user), fd);
	tls_assert_serves();
	tls_end();
}
END_TEST

START_TEST(a_warmed_one_is_lent_while_its_last_flight_is_not_sent)
{
	int fd = tls_warm("a.example");

	fake_holds.sends = true;
	/* All but the client's Finished. */
	for (int i = 0; i < 20 && pool_counters(world.pool).n_idle == 0; i++) {
		BIO *in = SSL_get_rbio(pair.ssl), *out = SSL_get_wbio(pair.ssl);
		struct text sent = fake_sent(fd);
		char data[64 * 1024];
		int n;

		if (sent.size > 0)
			BIO_write(in, sent.data, (int)sent.size);
		fake_forget(fd);
		SSL_do_handshake(pair.ssl);
		n = BIO_read(out, data, sizeof(data));
		if (n > 0)
			fake_receive_bytes(fd, data, (size_t)n);
	}
	ck_assert_uint_eq(pool_counters(world.pool).n_idle, 1);
	ck_assert_ptr_nonnull(fake_find(FAKE_SEND, fd));
	user_lease(&user);
	fake_holds.sends = false;
	tls_assert_serves();
	tls_end();
}
END_TEST

START_TEST(a_warmed_one_is_taken_over_in_its_handshake)
{
	int fd = tls_warm("a.example");

	fake_pass(NS_PER_S);
	user_lease(&user);
	ck_assert_int_eq(user.conn->state, CONN_HANDSHAKING);
	ck_assert_int_eq(user_fd(&user), fd);
	ck_assert_uint_eq(user.conn->times.connected_ns, ring_now(world.ring));
	tls_pass(fd);
	ck_assert_str_eq(user.said, "R");
	user.said[0] = '\0';
	tls_assert_serves();
	tls_end();

	/* And hears of its failure. */
	fd = tls_warm("b.example");
	user_lease(&user);
	tls_pass(fd);
	ck_assert_int_eq(user.fault.code, FAULT_CERT_NAME);
	ck_assert_str_eq(user.said, "FX");
	tls_end();
}
END_TEST

START_TEST(a_warmed_one_that_cannot_shake_hands_goes)
{
	int fd;

	/* The wrong name; the peer's end; its reset; garbage; no answer at all. */
	for (int i = 0; i < 5; i++) {
		fd = tls_warm(i == 0 ? "b.example" : "a.example");
		switch (i) {
		case 0: tls_pass(fd); break;
		case 1: fake_complete(FAKE_RECEIVE, fd, 0); break;
		case 2: fake_complete(FAKE_RECEIVE, fd, -ECONNRESET); break;
		case 3: fake_receive(fd, "HTTP/1.1 400 Bad Request\r\n\r\n"); break;
		case 4: fake_pass(20 * NS_PER_S); break;
		}
		fake_run();
		ck_assert(!fake_is_open(fd));
		ck_assert(pool_is_empty(world.pool));
		tls_end();
	}
}
END_TEST

START_TEST(a_drain_ends_a_warmed_one_in_its_handshake)
{
	tls_warm("a.example");
	pool_drain(world.pool);
	fake_run();
	ck_assert(pool_is_empty(world.pool));
	tls_end();
}
END_TEST

/* One more connection of that user's to the same server: whether it was resumed. */
static bool tls_resumes(uid_t uid)
{
	struct route_key key = {
		.uid = uid,
		.is_https = true,
		.http = PLAN_HTTP_1_1,
		.port = 443,
		.host = TEXT("192.0.2.1"),
		.server_name = TEXT("a.example"),
		.ca = text_from(pem),
	};
	struct user next;
	bool resumed;
	int fd;

	user_init(&next, &world, &key);
	user_lease(&next);
	fake_run();
	fd = user_fd(&next);
	pair_again(&pair);
	tls_pass(fd);
	ck_assert_int_eq(next.conn->state, CONN_ACTIVE);
	resumed = tls_is_resumed(next.conn->tls);
	ck_assert_int_eq(SSL_session_reused(pair.ssl), resumed);
	user_end(&next);
	return resumed;
}

/* N31 */
START_TEST(a_session_is_resumed_for_its_own_user_alone)
{
	struct tls_counters counters;

	tls_open();
	ck_assert(!tls_resumes(7));
	ck_assert(tls_resumes(7));
	ck_assert(!tls_resumes(8));
	ck_assert(tls_resumes(0));
	ck_assert(tls_resumes(8));
	counters = tls_store_counters(pair.store);
	ck_assert_uint_eq(counters.full, 3);
	ck_assert_uint_eq(counters.resumed, 3);
	tls_end();
}
END_TEST

UNIT_MAIN("net/conn_tls", &a_session_is_resumed_for_its_own_user_alone,
	&tls_carries_a_request_and_its_response, &tls_that_is_closed_says_how,
	&a_handshake_that_ends_early_is_its_own_fault, &an_abort_ends_a_handshake,
	&idle_tls_takes_no_plaintext,
	&plaintext_beyond_a_response_ends_a_connection_given_back_in_its_data,
	&a_short_tls_send_is_gone_on_with, &a_warmed_one_shakes_hands_alone_and_serves,
	&a_warmed_one_is_lent_while_its_last_flight_is_not_sent,
	&a_warmed_one_is_taken_over_in_its_handshake, &a_warmed_one_that_cannot_shake_hands_goes,
	&a_drain_ends_a_warmed_one_in_its_handshake)
