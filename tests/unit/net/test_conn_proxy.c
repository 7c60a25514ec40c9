/* SPDX-License-Identifier: MIT */
#include "net/conn.h"

#include <errno.h>

#include "tests/unit/net/mux_world.h"

#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"
#define RIDERS      3

static struct mux_world world;
static struct rider riders[RIDERS];

/* By http://192.0.2.99:3128 to the world's origin. */
static struct route_key proxy_key(void)
{
	struct route_key key = mux_world_key(&world);

	key.host = TEXT("a.example");
	key.server_name = (struct text){NULL, 0};
	key.proxy_host = TEXT("192.0.2.99");
	key.proxy_port = 3128;
	return key;
}

static void begin_with(struct route_key (*make_key)(void))
{
	struct route_key key;

	mux_world_begin(&world);
	key = make_key();
	for (unsigned i = 0; i < RIDERS; i++)
		rider_init_for(&riders[i], &world, "/hello", &key);
}

static void begin(void)
{
	begin_with(proxy_key);
}

static void end(void)
{
	for (unsigned i = 0; i < RIDERS; i++)
		rider_end(&riders[i]);
	mux_world_end(&world);
}

/* The tunnel is asked for; its descriptor. */
static int ask(void)
{
	int fd;

	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_AWAITED);
	ck_assert_int_eq(rider_lease(&riders[1]), LEASE_AWAITED);
	fake_run();
	fd = fake_find(FAKE_RECEIVE, -1)->fd;
	ck_assert(text_is(
		fake_sent(fd), "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n"));
	fake_forget(fd);
	rider_hears(&riders[0], "P");
	ck_assert_int_eq(pool_awaited(riders[0].route)->state, CONN_TUNNELLING);
	return fd;
}

static void both_hear(const char *said, enum fault_code code)
{
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_str_eq(riders[i].said + (i == 1), said);
		riders[i].said[0] = '\0';
		ck_assert_int_eq(riders[i].fault.code, code);
	}
}

START_TEST(tls_begins_when_the_tunnel_stands)
{
	const struct conn_times *times;
	int fd;

	begin();
	fd = ask();
	times = &pool_awaited(riders[0].route)->times;
	fake_pass(NS_PER_S);
	/* Until then it is connecting, as far as limits go. */
	ck_assert_uint_eq(times->connected_ns, 0);
	fake_receive(fd, "HTTP/1.1 200 Connection ");
	fake_run();
	ck_assert_uint_eq(fake_sent(fd).size, 0);
	fake_receive(fd, "established\r\n\r\n");
	ck_assert_uint_eq(times->connected_ns, ring_now(world.conns.ring));
	rider_hears(&riders[0], "P");
	/* The certificate must be the origin's, and HTTP/2 is offered as ever. */
	mux_world_pass(&world);
	rider_hears(&riders[0], "MSHBE");
	rider_hears(&riders[1], "PPMSHBE");
	ck_assert_str_eq(mux_conn(riders[0].mux)->remote, "192.0.2.99:3128");
	end();
}
END_TEST

START_TEST(within_it_there_may_be_http_1_1)
{
	int fd;

	begin();
	world.protocol = "http/1.1";
	fd = ask();
	fake_receive(fd, ESTABLISHED);
	for (int i = 0; i < 10 && !riders[0].user.conn; i++)
		peer_turn(&world, fd), fake_run();
	rider_hears(&riders[0], "PR");
	/* Nothing of the tunnel counts as the request's. */
	ck_assert_uint_eq(riders[0].user.conn->sent_size, 0);
	conn_send(riders[0].user.conn, "GET /", 5);
	fake_run();
	peer_turn(&world, fd);
	ck_assert(text_is(buffer_text(&world.peers[0].got), "GET /"));
	rider_hears(&riders[0], "s");
	end();
}
END_TEST

START_TEST(an_http_origin_is_asked_for_without_a_tunnel)
{
	struct route_key key;

	mux_world_begin(&world);
	key = (struct route_key){.port = 80,
		.host = TEXT("a.example"),
		.proxy_host = TEXT("192.0.2.99"),
		.proxy_port = 3128};
	for (unsigned i = 0; i < RIDERS; i++)
		rider_init_for(&riders[i], &world, "/hello", &key);
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_OWN);
	fake_run();
	rider_hears(&riders[0], "PR");
	ck_assert_str_eq(riders[0].user.conn->remote, "192.0.2.99:3128");
	ck_assert_uint_eq(fake_sent(riders[0].user.conn->fd).size, 0);
	end();
}
END_TEST

START_TEST(a_tunnel_that_is_refused_is_told_to_all)
{
	static const struct {
		const char *answer;
		enum fault_code code;
	} cases[] = {
		{"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", FAULT_PROXY_AUTH},
		{"HTTP/1.1 503 Service Unavailable\r\n\r\n", FAULT_PROXY_REFUSED},
		{ESTABLISHED "hello", FAULT_PROXY_REFUSED},
		{"no HTTP\r\n\r\n", FAULT_PROXY_REFUSED},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int fd;

		begin();
		fd = ask();
		fake_receive(fd, cases[i].answer);
		both_hear("F", cases[i].code);
		fake_run();
		ck_assert(!fake_is_open(fd));
		end();
	}
}
END_TEST

START_TEST(a_proxy_that_breaks_off_is_told_to_all)
{
	static const struct {
		enum fake_kind kind;
		int result;
	} cases[] = {
		{FAKE_RECEIVE, 0},
		{FAKE_RECEIVE, -ECONNRESET},
		{FAKE_RECEIVE, -ETIMEDOUT},
		{FAKE_SEND, -ETIMEDOUT},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		begin();
		fake_holds.sends = true;
		ck_assert_int_eq(rider_lease(&riders[0]), LEASE_AWAITED);
		fake_run();
		fake_complete(cases[i].kind, -1, cases[i].result);
		fake_run();
		rider_hears(&riders[0], "PF");
		ck_assert_int_eq(riders[0].fault.code, FAULT_PROXY_CONNECT);
		ck_assert(pool_is_empty(world.conns.pool));
		end();
	}
}
END_TEST

static struct route_key named_key(void)
{
	struct route_key key = proxy_key();

	key.proxy_host = TEXT("proxy.example");
	return key;
}

START_TEST(a_proxy_that_cannot_be_reached_is_told_so)
{
	/* Its name; its address. */
	for (int i = 0; i < 2; i++) {
		begin_with(named_key);
		fake_holds.connects = true;
		ck_assert_int_eq(rider_lease(&riders[0]), LEASE_AWAITED);
		fake_run();
		if (i == 0) {
			fake_lookup_fail("proxy.example", FAULT_DNS_NOT_FOUND);
		} else {
			fake_lookup_answer("proxy.example", "192.0.2.99");
			fake_run();
			fake_complete(FAKE_CONNECT, -1, -ECONNREFUSED);
		}
		fake_run();
		ck_assert_int_eq(riders[0].fault.code, FAULT_PROXY_CONNECT);
		ck_assert_ptr_nonnull(strstr(riders[0].fault.message, "proxy.example:3128"));
		rider_hears(&riders[0], i == 0 ? "F" : "PF");
		end();
	}
}
END_TEST

static struct route_key overridden_key(void)
{
	static const struct text address = TEXT_INIT("192.0.2.1");
	struct route_key key = proxy_key();

	key.resolve = TEXT("x");
	key.addresses = &address;
	key.n_addresses = 1;
	return key;
}

START_TEST(the_proxy_is_dialled_whatever_is_said_of_the_origin)
{
	begin_with(overridden_key);
	ask();
	ck_assert_str_eq(pool_awaited(riders[0].route)->remote, "192.0.2.99:3128");
	end();
}
END_TEST

START_TEST(an_answer_may_come_before_all_of_the_request_is_sent)
{
	int fd;

	begin();
	fake_holds.sends = true;
	rider_lease(&riders[0]);
	fake_run();
	fd = fake_find(FAKE_SEND, -1)->fd;
	fake_complete(FAKE_SEND, fd, 10);
	fake_receive(fd, ESTABLISHED);
	fake_run();
	ck_assert_int_eq(pool_awaited(riders[0].route)->state, CONN_TUNNELLING);
	fake_holds.sends = false;
	fake_complete(FAKE_SEND, fd, (int)fake_find(FAKE_SEND, fd)->size);
	ck_assert_int_eq(pool_awaited(riders[0].route)->state, CONN_HANDSHAKING);
	ck_assert(text_is(
		fake_sent(fd), "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n"));
	fake_forget(fd);
	mux_world_pass(&world);
	rider_hears(&riders[0], "PPMSHBE");
	end();

	/* And bytes behind it, meanwhile. */
	begin();
	fake_holds.sends = true;
	rider_lease(&riders[0]);
	fake_run();
	fd = fake_find(FAKE_SEND, -1)->fd;
	fake_receive(fd, ESTABLISHED);
	fake_receive(fd, "x");
	rider_hears(&riders[0], "PF");
	ck_assert_int_eq(riders[0].fault.code, FAULT_PROXY_REFUSED);
	end();
}
END_TEST

static struct route_key own_key(void)
{
	struct route_key key = proxy_key();

	key.http = PLAN_HTTP_1_1;
	key.proxy_credentials = TEXT("u:p");
	return key;
}

START_TEST(an_abort_ends_it_while_the_tunnel_is_made)
{
	int fd;

	begin_with(own_key);
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_OWN);
	fake_run();
	fd = riders[0].user.conn->fd;
	ck_assert_int_eq(riders[0].user.conn->state, CONN_TUNNELLING);
	ck_assert_ptr_nonnull(strstr(fake_sent(fd).data, "proxy-authorization: Basic dTpw\r\n"));
	conn_abort(riders[0].user.conn);
	fake_run();
	rider_hears(&riders[0], "PX");
	ck_assert(!fake_is_open(fd));
	end();
}
END_TEST

START_TEST(a_tunnel_is_made_ahead_like_any_connection)
{
	int fd;

	begin();
	pool_warm(world.conns.pool, riders[0].route, 1);
	fake_run();
	fd = fake_find(FAKE_RECEIVE, -1)->fd;
	fake_forget(fd);
	fake_receive(fd, ESTABLISHED);
	mux_world_pass(&world);
	ck_assert_int_eq(rider_lease(&riders[0]), LEASE_SHARED);
	mux_world_pass(&world);
	rider_hears(&riders[0], "MSHBE");
	end();

	/* And just goes where it is refused. */
	begin();
	pool_warm(world.conns.pool, riders[0].route, 1);
	fake_run();
	fake_receive(fake_find(FAKE_RECEIVE, -1)->fd, "HTTP/1.1 407 No\r\n\r\n");
	fake_run();
	ck_assert(pool_is_empty(world.conns.pool));
	end();
}
END_TEST

UNIT_MAIN("net/conn_proxy", &tls_begins_when_the_tunnel_stands, &within_it_there_may_be_http_1_1,
	&an_http_origin_is_asked_for_without_a_tunnel, &a_tunnel_that_is_refused_is_told_to_all,
	&a_proxy_that_breaks_off_is_told_to_all, &a_proxy_that_cannot_be_reached_is_told_so,
	&the_proxy_is_dialled_whatever_is_said_of_the_origin,
	&an_answer_may_come_before_all_of_the_request_is_sent,
	&an_abort_ends_it_while_the_tunnel_is_made, &a_tunnel_is_made_ahead_like_any_connection)
