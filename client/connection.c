/* SPDX-License-Identifier: MIT */
/*
 * The problem: one socket carries many graphs in both directions, and a program may wait for it
 * in its own loop. Neither side may block the other: a daemon that is writing records while a
 * large graph is being sent must be read from, or both wait for ever.
 *
 * The idea: what is asked only goes into a queue. settle_next() sends of it what the socket
 * takes, then gives the next message out of the bytes already received, and only if there is none
 * receives, and only if there are none waits, for both directions at once. So a hundred messages
 * that came together cost one receive.
 *
 * A failure is for good: what the daemon said after it cannot be trusted, and every later call
 * tells the same. A daemon that takes no more is still read to its end, because it says why it
 * closes. Memory grows with what was really received, never with what a line announces.
 */
#include "client/handle.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/json.h"
#include "util/clock.h"

/* A record with its body; a body as large as its job's max_body allows. */
#define CONNECTION_MESSAGE_MAX (SIZE_MAX / 2 < UINT64_C(1) << 32 ? SIZE_MAX / 2 : (size_t)1 << 32)

/* What may wait to be sent: a few of the largest graphs. */
#define CONNECTION_QUEUE_MAX  (4 * (size_t)LINE_SIZE_MAX)
#define CONNECTION_QUEUE_KEPT (64u * 1024)

/* Received at once, and where more of a payload is known to come. */
#define CONNECTION_RECEIVE     (64u * 1024)
#define CONNECTION_RECEIVE_MAX (256u * 1024)

/* What a handle keeps for receiving when it has been told all there was. */
#define CONNECTION_IN_KEPT (1024u * 1024)

/* A deadline that never passes. */
#define CONNECTION_NEVER UINT64_MAX

/* {"id":18446744073709551615,"submit": and its end. */
#define CONNECTION_ENVELOPE 64

const char *settle_version(void)
{
	return SETTLED_VERSION;
}

/* -- Opening ------------------------------------------------------------------------------ */

static int connection_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(path);
	int fd, result;

	if (size == 0)
		return -ENOENT;
	if (size >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, size);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	do {
		result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	} while (result < 0 && errno == EINTR);
	if (result == 0)
		return fd;
	result = -errno;
	close(fd);
	return result;
}

/* In the order of the contract. The first error that says more than "not there" is told. */
static int connection_search(void)
{
	const char *alone = secure_getenv("SETTLE_SOCKET");
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	int result = -ENOENT, last;
	struct buffer path;

	if (alone && *alone)
		return connection_connect(alone);
	if (runtime && *runtime) {
		buffer_init(&path, 4096);
		buffer_append_text(&path, text_from(runtime));
		buffer_append(&path, "/settled/settled.sock", sizeof("/settled/settled.sock"));
		result = path.failed ? -ENAMETOOLONG : connection_connect(path.data);
		buffer_deinit(&path);
	}
	if (result >= 0)
		return result;
	last = connection_connect("/run/settled/settled.sock");
	return last >= 0 || result == -ENOENT ? last : result;
}

int settle_open_fd(int fd, struct settle **ret_settle)
{
	struct settle *settle;
	socklen_t size = sizeof(int);
	int type;

	if (!ret_settle)
		return -EINVAL;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return -EPROTOTYPE;
	settle = calloc(1, sizeof(*settle));
	if (!settle)
		return -ENOMEM;
	settle->fd = fd;
	settle->graph_next = 1;
	line_reader_init(&settle->in, CONNECTION_MESSAGE_MAX);
	buffer_init(&settle->out, CONNECTION_QUEUE_MAX);
	buffer_init(&settle->rewritten, CONNECTION_MESSAGE_MAX);
	buffer_init(&settle->memory, CONNECTION_MESSAGE_MAX);
	*ret_settle = settle;
	return 0;
}

int settle_open(const char *path, struct settle **ret_settle)
{
	int fd = path ? connection_connect(path) : connection_search();
	int result;

	if (fd < 0)
		return fd;
	result = settle_open_fd(fd, ret_settle);
	if (result < 0)
		close(fd);
	return result;
}

/* Descriptors that nobody will send. */
static void connection_drop_parcels(struct settle *settle)
{
	while (settle->parcels) {
		struct parcel *parcel = settle->parcels;

		settle->parcels = parcel->next;
		parcel_free(parcel);
	}
}

struct settle *settle_close(struct settle *settle)
{
	if (!settle)
		return NULL;
	event_clear(settle);
	connection_drop_parcels(settle);
	settle->parcel = parcel_free(settle->parcel);
	close(settle->fd);
	line_reader_deinit(&settle->in);
	buffer_deinit(&settle->out);
	buffer_deinit(&settle->rewritten);
	buffer_deinit(&settle->memory);
	free(settle);
	return NULL;
}

int settle_fd(const struct settle *settle)
{
	return settle->fd;
}

static bool connection_has_output(const struct settle *settle)
{
	return settle->out.size > settle->out_sent;
}

short settle_poll_events(const struct settle *settle)
{
	return (short)(POLLIN | (connection_has_output(settle) ? POLLOUT : 0));
}

/* -- Asking ------------------------------------------------------------------------------- */

/* The queue as it was, or with a whole message more. */
static int connection_queued(struct settle *settle, size_t before)
{
	if (!settle->out.failed)
		return 0;
	settle->out.failed = false;
	settle->out.size = before;
	return -ENOMEM;
}

/* Line ends within well-formed JSON are white space, and a message is one line. */
static void connection_flatten(char *json, size_t size)
{
	for (const char *end = "\n\r"; *end; end++) {
		char *at = json;

		while ((at = memchr(at, *end, size - (size_t)(at - json))) != NULL)
			*at++ = ' ';
	}
}

/* What is not JSON, or nests deeper than JSON_DEPTH_MAX, would end the whole session; what brings
 * members of its own beside "submit" would be another message. */
static int connection_check_submit(struct text line)
{
	struct json_error error;
	yyjson_doc *doc = json_read(line, &error);
	size_t n_members = yyjson_obj_size(yyjson_doc_get_root(doc));

	yyjson_doc_free(doc);
	if (doc)
		return n_members == 2 ? 0 : -EINVAL;
	if (error.too_deep)
		return -EMSGSIZE;
	return error.no_memory ? -ENOMEM : -EINVAL;
}

int settle_pass_fd(struct settle *settle, int fd)
{
	if (settle->error)
		return settle->error;
	if (!settle->parcel)
		settle->parcel = parcel_new();
	return settle->parcel ? parcel_add(settle->parcel, fd) : -ENOMEM;
}

/* The descriptors that were passed go with the line from `before` to the end of what is queued. */
static void connection_send_parcel(struct settle *settle, size_t before)
{
	struct parcel **place = &settle->parcels;

	if (!settle->parcel)
		return;
	while (*place)
		place = &(*place)->next;
	settle->parcel->at = before;
	settle->parcel->end = settle->out.size;
	*place = settle->parcel;
	settle->parcel = NULL;
}

/* A message that submits the graph, queued. */
static int connection_submit(struct settle *settle, const char *json, size_t size)
{
	struct buffer *out = &settle->out;
	size_t before = out->size;
	int result;

	if (!json || size == 0)
		return -EINVAL;
	if (size > LINE_SIZE_MAX - CONNECTION_ENVELOPE)
		return -EMSGSIZE;
	buffer_reserve(out, size + CONNECTION_ENVELOPE);
	buffer_append_literal(out, "{\"id\":");
	buffer_append_u64(out, settle->graph_next);
	buffer_append_literal(out, ",\"submit\":");
	buffer_append(out, json, size);
	buffer_append_literal(out, "}");
	result = connection_queued(settle, before);
	if (result == 0)
		result = connection_check_submit(text_from_at(buffer_text(out), before));
	if (result < 0) {
		out->size = before;
		return result;
	}
	connection_flatten(out->data + before, out->size - before);
	/* There is room: the envelope was reserved. */
	buffer_append_literal(out, "\n");
	connection_send_parcel(settle, before);
	return 0;
}

int settle_submit(struct settle *settle, const char *json, size_t size, uint64_t *ret_graph)
{
	int result = settle->error ? settle->error : connection_submit(settle, json, size);

	if (result < 0) {
		settle->parcel = parcel_free(settle->parcel);
		return result;
	}
	settle->graphs_open++;
	if (ret_graph)
		*ret_graph = settle->graph_next;
	settle->graph_next++;
	return 0;
}

int settle_cancel(struct settle *settle, uint64_t graph, const char *job)
{
	struct buffer *out = &settle->out;
	size_t before = out->size;

	if (settle->error)
		return settle->error;
	if (graph == 0 || graph >= settle->graph_next)
		return -EINVAL;
	buffer_append_literal(out, "{\"id\":");
	buffer_append_u64(out, graph);
	buffer_append_literal(out, ",\"cancel\":{");
	if (job) {
		buffer_append_literal(out, "\"job\":");
		json_append_string(out, text_from(job));
	}
	buffer_append_literal(out, "}}\n");
	return connection_queued(settle, before);
}

int settle_ask_cancel(struct settle *settle, uint64_t number, const char *job)
{
	struct buffer *out = &settle->out;
	size_t before = out->size;

	if (settle->error)
		return settle->error;
	buffer_append_literal(out, "{\"cancel\":{\"graph\":");
	buffer_append_u64(out, number);
	if (job) {
		buffer_append_literal(out, ",\"job\":");
		json_append_string(out, text_from(job));
	}
	buffer_append_literal(out, "}}\n");
	return connection_queued(settle, before);
}

static int connection_ask(struct settle *settle, struct text message)
{
	size_t before = settle->out.size;

	if (settle->error)
		return settle->error;
	buffer_append_text(&settle->out, message);
	return connection_queued(settle, before);
}

int settle_ask_status(struct settle *settle)
{
	return connection_ask(settle, TEXT("{\"status\":{}}\n"));
}

int settle_ask_flush(struct settle *settle, const char *what)
{
	if (what && strcmp(what, "dns") == 0)
		return connection_ask(settle, TEXT("{\"flush\":{\"dns\":true}}\n"));
	if (what && strcmp(what, "conns") == 0)
		return connection_ask(settle, TEXT("{\"flush\":{\"conns\":true}}\n"));
	return settle->error ? settle->error : -EINVAL;
}

int settle_ask_hello(struct settle *settle)
{
	return connection_ask(settle, TEXT("{\"hello\":{\"version\":1}}\n"));
}

/* -- Events ------------------------------------------------------------------------------- */

/* Drops what was sent, or all of it where nobody takes it. */
static void connection_drop_output(struct settle *settle)
{
	buffer_reset(&settle->out, CONNECTION_QUEUE_KEPT);
	settle->out_sent = 0;
	connection_drop_parcels(settle);
}

/* Sends a piece: as send(2). One with descriptors holds bytes of their line only. */
static ssize_t connection_send_piece(struct settle *settle)
{
	struct text piece = text_from_at(buffer_text(&settle->out), settle->out_sent);
	struct parcel *parcel = settle->parcels;
	ssize_t sent;

	if (!parcel || parcel->at > settle->out_sent) {
		if (parcel)
			piece.size = parcel->at - settle->out_sent;
		return send(settle->fd, piece.data, piece.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	piece.size = parcel->end - settle->out_sent;
	sent = parcel_send(parcel, settle->fd, piece);
	if (sent > 0) {
		settle->parcels = parcel->next;
		parcel_free(parcel);
	}
	return sent;
}

/* Sends what the socket takes. */
static int connection_send(struct settle *settle)
{
	while (connection_has_output(settle) && !settle->is_deaf) {
		ssize_t sent = connection_send_piece(settle);

		if (sent >= 0) {
			settle->out_sent += (size_t)sent;
			continue;
		}
		switch (errno) {
		case EAGAIN: return 0;
		case EINTR: continue;
		case EPIPE:
		case ECONNRESET: settle->is_deaf = true; break;
		case ENOBUFS: return -ENOMEM;
		default: return -errno;
		}
	}
	if (settle->out.size > 0)
		connection_drop_output(settle);
	return 0;
}

/* A line is not whole yet. */
static int connection_want_line(struct settle *settle, size_t *ret_want)
{
	bool is_large = settle->in.bytes.capacity > CONNECTION_IN_KEPT;

	if (settle->in.scanned > LINE_SIZE_MAX)
		return -EPROTO;
	if (is_large && line_reader_is_empty(&settle->in))
		line_reader_release(&settle->in);
	*ret_want = CONNECTION_RECEIVE;
	return 0;
}

/* The next message's event out of what was received: 1; 0 and how many bytes it wants at least;
 * -errno. */
static int connection_take(struct settle *settle, size_t *ret_want)
{
	struct settle_event *event = &settle->event;
	struct text line, payload;
	int result = 0;

	while (result == 0) {
		bool has_payload;
		uint64_t size = 0;
		size_t at;

		switch (line_reader_next(&settle->in, &line)) {
		case LINE_FOUND: break;
		case LINE_MORE: return connection_want_line(settle, ret_want);
		case LINE_TOO_LONG: return -EPROTO;
		}
		has_payload = line_find_payload(line, &at, &size);
		if (size > CONNECTION_MESSAGE_MAX - LINE_SIZE_MAX)
			return -EPROTO;
		if (has_payload && !line_reader_payload(&settle->in, (size_t)size, &payload)) {
			line_reader_unread(&settle->in, line);
			*ret_want = CONNECTION_RECEIVE;
			if (size > CONNECTION_RECEIVE)
				*ret_want = CONNECTION_RECEIVE_MAX;
			return 0;
		}
		result = event_cut(settle, line);
		if (result > 0 && has_payload) {
			event->payload = event->record.body = payload;
			event->has_payload = event->record.has_body = true;
		}
	}
	return result;
}

/* 1 where bytes came, or the end; 0 where there is nothing for now; -errno. */
static int connection_receive(struct settle *settle, size_t want)
{
	size_t room;
	char *at = line_reader_room(&settle->in, want, &room);
	ssize_t size;

	if (!at)
		return -ENOMEM;
	do {
		size = recv(settle->fd, at, room, MSG_DONTWAIT);
	} while (size < 0 && errno == EINTR);
	if (size > 0) {
		line_reader_filled(&settle->in, (size_t)size);
		return 1;
	}
	if (size == 0)
		return -EPIPE;
	switch (errno) {
	case EAGAIN: return 0;
	case ECONNRESET:
	case EPIPE: return -EPIPE;
	case ENOBUFS: return -ENOMEM;
	default: return -errno;
	}
}

/* Waits for either direction until the deadline. 1; 0: it has passed. */
static int connection_wait(struct settle *settle, uint64_t deadline_ns)
{
	struct pollfd poller = {.fd = settle->fd, .events = settle_poll_events(settle)};
	int timeout_ms = -1;
	int ready;

	if (deadline_ns != CONNECTION_NEVER) {
		uint64_t now_ns = clock_now_ns();
		uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

		timeout_ms = (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
	}
	if (timeout_ms == 0)
		return 0;
	ready = poll(&poller, 1, timeout_ms);
	return ready < 0 ? -errno : ready;
}

/* 1 and the handle's event; 0: none came in time; -errno. */
static int connection_next(struct settle *settle, int timeout_ms)
{
	/* Time is asked for only when there is nothing to do. */
	uint64_t deadline_ns = timeout_ms < 0 ? CONNECTION_NEVER : 0;

	for (;;) {
		size_t want = 0;
		int result = connection_send(settle);

		if (result == 0)
			result = connection_take(settle, &want);
		if (result != 0)
			return result;
		result = connection_receive(settle, want);
		if (result == 0 && timeout_ms != 0) {
			if (deadline_ns == 0)
				deadline_ns = clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
			result = connection_wait(settle, deadline_ns);
		}
		if (result <= 0)
			return result;
	}
}

int settle_next(struct settle *settle, int timeout_ms, const struct settle_event **ret_event)
{
	int result;

	event_clear(settle);
	if (settle->error)
		return settle->error;
	result = connection_next(settle, timeout_ms);
	if (result < 0 && result != -EINTR)
		settle->error = result;
	if (result <= 0)
		return result;
	if (settle->event.type == SETTLE_DONE || settle->event.type == SETTLE_REFUSED)
		settle->graphs_open -= settle->graphs_open > 0;
	*ret_event = &settle->event;
	return 1;
}
