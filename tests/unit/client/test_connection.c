/* SPDX-License-Identifier: MIT */
#include "client/handle.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "proto/json.h"
#include "tests/unit/client/peer.h"
#include "util/container.h"

#define ACCEPTED "{\"id\":1,\"accepted\":{\"jobs\":1}}\n"
#define SETTLED                                                                                    \
	"{\"id\":1,\"settled\":{\"job\":\"a\",\"index\":0,\"status\":\"fulfilled\"},\"payload\":"  \
	"5}\n"

static int submit(const struct peer *peer, const char *json, uint64_t *ret_graph)
{
	return settle_submit(peer->settle, json, strlen(json), ret_graph);
}

START_TEST(sends_what_was_asked_in_order)
{
	struct peer peer = peer_open();
	uint64_t graph = 0;

	ck_assert_int_eq(settle_poll_events(peer.settle), POLLIN);
	ck_assert_int_eq(settle_ask_hello(peer.settle), 0);
	ck_assert_int_eq(submit(&peer, "{\"jobs\":{}}", &graph), 0);
	ck_assert_uint_eq(graph, 1);
	ck_assert_int_eq(submit(&peer, "{\n \"jobs\": [\r\n]\n}\n", &graph), 0);
	ck_assert_uint_eq(graph, 2);
	ck_assert_int_eq(settle_cancel(peer.settle, 1, NULL), 0);
	ck_assert_int_eq(settle_cancel(peer.settle, 2, "po\"sts"), 0);
	ck_assert_int_eq(settle_ask_status(peer.settle), 0);
	ck_assert_int_eq(settle_cancel(peer.settle, 2, "posts[3]"), 0);
	ck_assert_int_eq(settle_ask_cancel(peer.settle, 12, NULL), 0);
	ck_assert_int_eq(settle_ask_cancel(peer.settle, UINT64_MAX, "posts[3]"), 0);
	ck_assert_int_eq(settle_ask_flush(peer.settle, "dns"), 0);
	ck_assert_int_eq(settle_ask_flush(peer.settle, "conns"), 0);
	ck_assert_int_eq(settle_poll_events(peer.settle), POLLIN | POLLOUT);
	peer_expect_said(&peer, "");
	peer_expect_result(&peer, 0);
	ck_assert_int_eq(settle_poll_events(peer.settle), POLLIN);
	peer_expect_said(&peer, "{\"hello\":{\"version\":1}}\n"
				"{\"id\":1,\"submit\":{\"jobs\":{}}}\n"
				"{\"id\":2,\"submit\":{  \"jobs\": [  ] } }\n"
				"{\"id\":1,\"cancel\":{}}\n"
				"{\"id\":2,\"cancel\":{\"job\":\"po\\\"sts\"}}\n"
				"{\"status\":{}}\n"
				"{\"id\":2,\"cancel\":{\"job\":\"posts[3]\"}}\n"
				"{\"cancel\":{\"graph\":12}}\n"
				"{\"cancel\":{\"graph\":18446744073709551615,"
				"\"job\":\"posts[3]\"}}\n"
				"{\"flush\":{\"dns\":true}}\n"
				"{\"flush\":{\"conns\":true}}\n");
	peer_close(&peer);
}
END_TEST

START_TEST(refuses_to_ask_what_would_break_the_session)
{
	struct peer peer = peer_open();
	uint64_t graph = 0;
	char deep[2 * JSON_DEPTH_MAX];

	ck_assert_int_eq(submit(&peer, "", &graph), -EINVAL);
	ck_assert_int_eq(submit(&peer, "{\"jobs\":", &graph), -EINVAL);
	ck_assert_int_eq(submit(&peer, "{} {}", &graph), -EINVAL);
	ck_assert_int_eq(submit(&peer, "{},\"status\":{}", &graph), -EINVAL);
	ck_assert_int_eq(submit(&peer, "{\"a\":\"\n\"}", &graph), -EINVAL);
	ck_assert_int_eq(settle_submit(peer.settle, "{}", (size_t)LINE_SIZE_MAX, NULL), -EMSGSIZE);
	ck_assert_int_eq(settle_cancel(peer.settle, 0, NULL), -EINVAL);
	ck_assert_int_eq(settle_cancel(peer.settle, 1, NULL), -EINVAL);
	ck_assert_int_eq(settle_ask_flush(peer.settle, "all"), -EINVAL);
	ck_assert_int_eq(settle_ask_flush(peer.settle, ""), -EINVAL);
	ck_assert_int_eq(settle_ask_flush(peer.settle, NULL), -EINVAL);
	ck_assert_uint_eq(graph, 0);
	ck_assert_int_eq(settle_poll_events(peer.settle), POLLIN);

	/* Well-formed, but a message within whose limit of nesting it does not fit. */
	memset(deep, '[', JSON_DEPTH_MAX);
	memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	ck_assert_int_eq(settle_submit(peer.settle, deep, sizeof(deep), &graph), -EMSGSIZE);
	ck_assert_int_eq(settle_submit(peer.settle, deep + 1, sizeof(deep) - 2, &graph), 0);
	ck_assert_uint_eq(graph, 1);
	peer_close(&peer);
}
END_TEST

START_TEST(takes_messages_split_at_every_byte)
{
	static const char stream[] = ACCEPTED SETTLED "he\nlo{\"id\":1,\"done\":{}}\n";

	for (size_t cut = 0; cut < sizeof(stream) - 1; cut++) {
		static const enum settle_event_type types[] = {
			SETTLE_ACCEPTED, SETTLE_SETTLED, SETTLE_DONE};
		struct peer peer = peer_open_graphs(1);
		const struct settle_event *event;
		size_t n = 0;

		for (size_t part = 0; part < 2; part++) {
			size_t from = part ? cut : 0, to = part ? sizeof(stream) - 1 : cut;

			if (to > from)
				peer_say_bytes(&peer, stream + from, to - from);
			while (settle_next(peer.settle, 0, &event) == 1) {
				struct text body;

				body.data = settle_event_payload(event, &body.size);
				ck_assert_uint_lt(n, countof(types));
				ck_assert_int_eq(settle_event_type(event), types[n]);
				ck_assert_int_eq(body.data != NULL, n == 1);
				if (n == 1)
					ck_assert(text_is(body, "he\nlo"));
				n++;
			}
		}
		ck_assert_uint_eq(n, countof(types));
		peer_expect_result(&peer, 0);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(takes_messages_byte_by_byte)
{
	static const char stream[] = ACCEPTED SETTLED "he\nlo{\"id\":1,\"done\":{}}\n";
	struct peer peer = peer_open_graphs(1);
	size_t n = 0;

	for (size_t i = 0; i < sizeof(stream) - 1; i++) {
		const struct settle_event *event;
		int result;

		peer_say_bytes(&peer, stream + i, 1);
		result = settle_next(peer.settle, 0, &event);
		ck_assert_int_ge(result, 0);
		n += (size_t)result;
	}
	ck_assert_uint_eq(n, 3);
	peer_close(&peer);
}
END_TEST

START_TEST(serves_several_graphs_at_once)
{
	struct peer peer = peer_open();
	uint64_t graphs[3];

	for (size_t i = 0; i < countof(graphs); i++)
		ck_assert_int_eq(submit(&peer, "{}", &graphs[i]), 0);
	peer_say(&peer, "{\"id\":3,\"accepted\":{}}\n{\"id\":1,\"accepted\":{}}\n"
			"{\"id\":2,\"refused\":{\"errors\":[]}}\n");
	peer_expect_event(&peer, SETTLE_ACCEPTED, graphs[2]);
	peer_expect_event(&peer, SETTLE_ACCEPTED, graphs[0]);
	peer_expect_event(&peer, SETTLE_REFUSED, graphs[1]);
	ck_assert_uint_eq(peer.settle->graphs_open, 2);
	peer_say(&peer, "{\"id\":1,\"done\":{}}\n{\"id\":3,\"done\":{}}\n");
	peer_expect_event(&peer, SETTLE_DONE, 1);
	peer_expect_event(&peer, SETTLE_DONE, 3);
	ck_assert_uint_eq(peer.settle->graphs_open, 0);
	peer_close(&peer);
}
END_TEST

START_TEST(tells_a_daemon_that_went_away)
{
	static const char *const last_words[] = {
		"",
		"{\"id\":1,\"acc",
		SETTLED,
		SETTLED "he",
	};

	for (size_t i = 0; i < countof(last_words); i++) {
		struct peer peer = peer_open_graphs(1);

		peer_say(&peer, last_words[i]);
		peer_hang_up(&peer);
		peer_expect_result(&peer, -EPIPE);
		peer_expect_result(&peer, -EPIPE);
		ck_assert_int_eq(submit(&peer, "{}", NULL), -EPIPE);
		ck_assert_int_eq(settle_cancel(peer.settle, 1, NULL), -EPIPE);
		ck_assert_int_eq(settle_ask_status(peer.settle), -EPIPE);
		ck_assert_int_eq(settle_ask_cancel(peer.settle, 1, NULL), -EPIPE);
		ck_assert_int_eq(settle_ask_flush(peer.settle, "dns"), -EPIPE);
		ck_assert_int_eq(settle_ask_flush(peer.settle, "all"), -EPIPE);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(hears_why_a_daemon_closes_though_it_takes_no_more)
{
	struct peer peer = peer_open();

	ck_assert_int_eq(submit(&peer, "{}", NULL), 0);
	peer_say(&peer, "{\"error\":{\"code\":\"PROTOCOL\",\"message\":\"no\"}}\n");
	peer_hang_up(&peer);
	peer_expect_json(peer_expect_event(&peer, SETTLE_ERROR, 0),
		"{\"code\":\"PROTOCOL\",\"message\":\"no\"}");
	peer_expect_result(&peer, -EPIPE);
	peer_close(&peer);
}
END_TEST

START_TEST(refuses_what_is_not_the_protocol)
{
	static const char *const garbage[] = {
		"garbage\n",
		"HTTP/1.1 400 Bad Request\r\n",
		"{\"id\":1,\"settled\":41}\n",
		"{\"id\":1,\"done\":{\"a\":}}\n",
		"{\"id\":2,\"done\":{}}\n",
		"{\"id\":0,\"done\":{}}\n",
		"{\"done\":{}}\n",
		"{\"id\":\"1\",\"done\":{}}\n",
		"{\"id\":-1,\"done\":{}}\n",
		"{\"id\":1,\"payload\":5,\"settled\":{}}\n",
		"{\"id\":1,\"settled\":{},\"payload\":18446744073709551615}\n",
		"{\"id\":1,\"settled\":{},\"payload\":4294967296}\n",
		"[]\n",
		"{\"id\":1,\"done\":{\xff}}\n",
		"{\n",
	};

	for (size_t i = 0; i < countof(garbage); i++) {
		struct peer peer = peer_open_graphs(1);
		const struct settle_event *event;
		int result;

		peer_say(&peer, garbage[i]);
		result = settle_next(peer.settle, 0, &event);
		ck_assert_msg(result == -EPROTO, "%s gave %d", garbage[i], result);
		peer_say(&peer, "{\"id\":1,\"done\":{}}\n");
		peer_expect_result(&peer, -EPROTO);
		peer_close(&peer);
	}
}
END_TEST

START_TEST(bounds_a_line_that_never_ends)
{
	static char part[128 * 1024];
	struct peer peer = peer_open();
	const struct settle_event *event;
	size_t said = 0;
	int result = 0;

	memset(part, 'x', sizeof(part));
	while (result == 0 && said < 2 * (size_t)LINE_SIZE_MAX) {
		ssize_t size = send(peer.fd, part, sizeof(part), MSG_DONTWAIT);

		ck_assert_int_gt(size, 0);
		said += (size_t)size;
		result = settle_next(peer.settle, 0, &event);
	}
	ck_assert_int_eq(result, -EPROTO);
	peer_close(&peer);
}
END_TEST

START_TEST(takes_a_payload_larger_than_any_buffer)
{
	static char body[3 * 1024 * 1024];
	struct peer peer = peer_open_graphs(1);
	const struct settle_event *event;
	size_t said = 0, size;
	char line[100];
	int result = 0;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(i * 31 >> 3);
	snprintf(line, sizeof(line), "{\"id\":1,\"settled\":{},\"payload\":%zu}\n", sizeof(body));
	peer_say(&peer, line);
	while (result == 0) {
		ssize_t sent = send(peer.fd, body + said, sizeof(body) - said, MSG_DONTWAIT);

		ck_assert_int_gt(sent, 0);
		said += (size_t)sent;
		result = settle_next(peer.settle, 0, &event);
	}
	ck_assert_int_eq(result, 1);
	ck_assert_uint_eq(said, sizeof(body));
	ck_assert(memcmp(settle_event_payload(event, &size), body, sizeof(body)) == 0);
	ck_assert_uint_eq(size, sizeof(body));
	/* What it needed for that is given back. */
	peer_expect_result(&peer, 0);
	ck_assert_uint_le(peer.settle->in.bytes.capacity, 1024 * 1024);
	peer_close(&peer);
}
END_TEST

START_TEST(sends_a_large_graph_as_the_socket_takes_it)
{
	static char json[2 * 1024 * 1024], taken[sizeof(json) + 64];
	struct peer peer = peer_open();
	size_t n = 0;

	memset(json, ' ', sizeof(json));
	json[0] = '{';
	json[sizeof(json) - 1] = '}';
	ck_assert_int_eq(settle_submit(peer.settle, json, sizeof(json), NULL), 0);
	peer_expect_result(&peer, 0);
	ck_assert_int_eq(settle_poll_events(peer.settle), POLLIN | POLLOUT);
	while (settle_poll_events(peer.settle) & POLLOUT) {
		ssize_t size = recv(peer.fd, taken + n, sizeof(taken) - n, MSG_DONTWAIT);

		ck_assert_int_gt(size, 0);
		n += (size_t)size;
		peer_expect_result(&peer, 0);
	}
	n += (size_t)recv(peer.fd, taken + n, sizeof(taken) - n, MSG_DONTWAIT);
	ck_assert_uint_eq(n, sizeof(json) + strlen("{\"id\":1,\"submit\":}\n"));
	ck_assert(memcmp(taken + strlen("{\"id\":1,\"submit\":"), json, sizeof(json)) == 0);
	peer_close(&peer);
}
END_TEST

START_TEST(waits_no_longer_than_told)
{
	struct peer peer = peer_open();
	const struct settle_event *event;

	ck_assert_int_eq(settle_next(peer.settle, 1, &event), 0);
	peer_say(&peer, "{\"status\":{}}\n");
	ck_assert_int_eq(settle_next(peer.settle, -1, &event), 1);
	ck_assert_int_eq(settle_event_type(event), SETTLE_STATUS);
	peer_close(&peer);
}
END_TEST

/* A listening socket at DIRECTORY/settled/settled.sock. */
static int listen_below(const char *directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/settled", directory);
	ck_assert_int_eq(mkdir(address.sun_path, 0700), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/settled/settled.sock", directory);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

START_TEST(finds_the_daemon_where_the_contract_says)
{
	char directory[] = "/tmp/settle-test-XXXXXX", path[128], nowhere[128];
	struct settle *settle = NULL;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/settled/settled.sock", directory);
	snprintf(nowhere, sizeof(nowhere), "%s/nowhere.sock", directory);
	fd = listen_below(directory);
	unsetenv("SETTLE_SOCKET");
	setenv("XDG_RUNTIME_DIR", directory, 1);
	ck_assert_int_eq(settle_open(NULL, &settle), 0);
	settle = settle_close(settle);

	/* If set, $SETTLE_SOCKET is the only place. */
	setenv("SETTLE_SOCKET", nowhere, 1);
	ck_assert_int_eq(settle_open(NULL, &settle), -ENOENT);
	setenv("SETTLE_SOCKET", path, 1);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	ck_assert_int_eq(settle_open(NULL, &settle), 0);
	settle = settle_close(settle);

	/* A path is the only place too. */
	ck_assert_int_eq(settle_open(nowhere, &settle), -ENOENT);
	ck_assert_int_eq(settle_open("", &settle), -ENOENT);
	close(fd);
	ck_assert_int_eq(settle_open(path, &settle), -ECONNREFUSED);
	memset(nowhere, 'x', sizeof(nowhere) - 1);
	nowhere[sizeof(nowhere) - 1] = '\0';
	ck_assert_int_eq(settle_open(nowhere, &settle), -ENAMETOOLONG);
	ck_assert_ptr_null(settle);

	unlink(path);
	snprintf(path, sizeof(path), "%s/settled", directory);
	rmdir(path);
	rmdir(directory);
}
END_TEST

START_TEST(takes_only_stream_sockets)
{
	struct settle *settle = NULL;
	int fds[2];

	ck_assert_int_eq(settle_open_fd(-1, &settle), -EBADF);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(settle_open_fd(fds[0], &settle), -ENOTSOCK);
	close(fds[0]);
	close(fds[1]);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	ck_assert_int_eq(settle_open_fd(fds[0], &settle), -EPROTOTYPE);
	close(fds[0]);
	close(fds[1]);
	ck_assert_ptr_null(settle);
	ck_assert_ptr_null(settle_close(NULL));
}
END_TEST

UNIT_MAIN("client/connection", &sends_what_was_asked_in_order,
	&refuses_to_ask_what_would_break_the_session, &takes_messages_split_at_every_byte,
	&takes_messages_byte_by_byte, &serves_several_graphs_at_once,
	&tells_a_daemon_that_went_away, &hears_why_a_daemon_closes_though_it_takes_no_more,
	&refuses_what_is_not_the_protocol, &bounds_a_line_that_never_ends,
	&takes_a_payload_larger_than_any_buffer, &sends_a_large_graph_as_the_socket_takes_it,
	&waits_no_longer_than_told, &finds_the_daemon_where_the_contract_says,
	&takes_only_stream_sockets)
