/* SPDX-License-Identifier: MIT */
#include "front/session.h"

#include <errno.h>
#include <stdlib.h>

#include "front/message.h"
#include "front/session_private.h"
#include "front/submission.h"
#include "job/graph.h"
#include "util/clock.h"
#include "util/panic.h"

/*
 * Receiving takes a buffer only when there is something to read, so that an idle session costs a
 * few hundred bytes; what is not a whole line yet is collected in the session's own reader. One
 * send is in flight at most, and a turn's records leave together at its end.
 *
 * Descriptors wait beside the bytes they came with until their line is read: what submits a graph
 * takes them, anything else has them closed (front/passed).
 *
 * While the client does not read, we do not read from it either: its questions cannot pile up
 * answers. That its connection has gone then shows in the send that waits.
 */

/* How long a session that is to be closed waits for its last words to be read. */
#define LINGER_NS (5 * NS_PER_S)

/* How often a half-closed client is looked after. The ring's polls cannot tell a client that will
 * send no more from one that is gone: they always answer to the first as well. */
#define WATCH_NS (100 * NS_PER_MS)

static void session_receive(struct session *session);
static void session_read_lines(struct session *session);
static void session_check_end(struct session *session);
static void session_on_linger(struct timer *timer);

/* Ending. */

static void session_enter(struct session *session, enum session_state state)
{
	expect(state >= session->state);
	session->state = state;
	/* Only while it is open its lines are read. */
	if (state > SESSION_OPEN)
		passed_close(&session->passed, &session->front->passed);
}

bool session_is_listening(const struct session *session)
{
	return session->state <= SESSION_FINISHING;
}

static void session_free(struct session *session)
{
	struct front *front = session->front;

	expect(session->n_graphs == 0);
	timer_stop(ring_timers(front->ring), &session->linger);
	timer_stop(ring_timers(front->ring), &session->watch);
	task_cancel(&session->flush);
	outbox_clear(&session->out);
	line_reader_deinit(&session->reader);
	list_remove(&session->link);
	front->n_sessions--;
	free(session);
}

static void session_on_closed(struct op *op, const struct completion *completion)
{
	struct session *session = container_of(op, struct session, close_op);

	(void)completion;
	session->is_closed = true;
	session_check_end(session);
}

static bool session_has_in_flight(const struct session *session)
{
	return !op_is_idle(&session->receive_op) || !op_is_idle(&session->send_op);
}

static void session_cancel_graphs(struct session *session, enum record_by by)
{
	list_each(link, &session->submissions)
		graph_cancel(list_entry(link, struct submission, link)->graph, by);
}

/* At once: nothing more is said. */
static void session_close(struct session *session)
{
	struct ring *ring = session->front->ring;

	if (session->state == SESSION_CLOSING)
		return;
	session_enter(session, SESSION_CLOSING);
	timer_stop(ring_timers(ring), &session->linger);
	timer_stop(ring_timers(ring), &session->watch);
	list_each(link, &session->submissions)
		graph_pause(list_entry(link, struct submission, link)->graph, false);
	session_cancel_graphs(session, RECORD_BY_DISCONNECT);
	ring_cancel(ring, &session->receive_op);
	ring_cancel(ring, &session->send_op);
	session_check_end(session);
}

/* One step towards the end, if it is time; the session may be gone after it. */
static void session_check_end(struct session *session)
{
	switch (session->state) {
	case SESSION_OPEN: return;
	case SESSION_FINISHING:
		if (session->n_graphs == 0 && session->out.bytes == 0)
			session_close(session);
		return;
	case SESSION_LEAVING:
		if (session->out.bytes == 0)
			session_close(session);
		return;
	case SESSION_CLOSING: break;
	}
	if (session_has_in_flight(session) || !op_is_idle(&session->close_op))
		return;
	if (!session->is_closed)
		ring_close(
			session->front->ring, &session->close_op, session->fd, session_on_closed);
	else if (session->n_graphs == 0)
		session_free(session);
}

/* Its last words are in the outbox: it closes when they are sent, or after a while. */
static void session_leave(struct session *session)
{
	struct ring *ring = session->front->ring;

	if (session->state >= SESSION_LEAVING)
		return;
	session_enter(session, SESSION_LEAVING);
	session_cancel_graphs(session, RECORD_BY_DISCONNECT);
	timer_set(ring_timers(ring), &session->linger, ring_now(ring) + LINGER_NS);
	task_defer(ring_tasks(ring), &session->flush);
}

static void session_on_linger(struct timer *timer)
{
	session_close(container_of(timer, struct session, linger));
}

void session_on_graph_gone(struct session *session)
{
	if (session->state == SESSION_OPEN && session->front->is_draining && session->n_graphs == 0)
		session_enter(session, SESSION_FINISHING);
	session_check_end(session);
}

void session_drain(struct session *session)
{
	if (session->state == SESSION_OPEN && session->n_graphs == 0)
		session_enter(session, SESSION_FINISHING);
	session_check_end(session);
}

void session_shut_down(struct session *session)
{
	struct ring *ring = session->front->ring;

	session_cancel_graphs(session, RECORD_BY_SHUTDOWN);
	if (session->state >= SESSION_LEAVING)
		return;
	if (session->state == SESSION_OPEN)
		session_enter(session, SESSION_FINISHING);
	timer_set(ring_timers(ring), &session->linger, ring_now(ring) + LINGER_NS);
	session_check_end(session);
}

/* Sending. */

static void session_set_slow(struct session *session, bool is_slow)
{
	if (session->is_slow == is_slow)
		return;
	session->is_slow = is_slow;
	list_each(link, &session->submissions)
		graph_pause(list_entry(link, struct submission, link)->graph, is_slow);
	if (is_slow)
		return;
	session_read_lines(session);
	session_receive(session);
}

static void session_on_send(struct op *op, const struct completion *completion)
{
	struct session *session = container_of(op, struct session, send_op);

	if (session->state == SESSION_CLOSING) {
		session_check_end(session);
		return;
	}
	if (completion->result < 0 && completion->result != -EINTR &&
		completion->result != -EAGAIN) {
		session_close(session);
		return;
	}
	if (completion->result > 0)
		outbox_sent(&session->out, (size_t)completion->result);
	if (session->out.bytes <= session->front->options.out_low)
		session_set_slow(session, false);
	/* What this turn still brings goes with it. */
	task_defer(ring_tasks(session->front->ring), &session->flush);
}

static void session_flush(struct task *task)
{
	struct session *session = container_of(task, struct session, flush);
	const char *data;
	size_t size;

	if (session->state == SESSION_CLOSING)
		return;
	if (session->out.failed) {
		session_close(session);
		return;
	}
	if (!op_is_idle(&session->send_op))
		return;
	if (outbox_front(&session->out, &data, &size))
		ring_send(session->front->ring, &session->send_op, session->fd, data, size,
			session_on_send);
	else
		session_check_end(session);
}

struct buffer *session_message(struct session *session)
{
	struct buffer *message = &session->front->message;

	buffer_reset(message, OUTBOX_CHUNK_SIZE);
	return message;
}

void session_say(struct session *session)
{
	struct buffer *message = &session->front->message;

	if (message->failed)
		session->out.failed = true;
	outbox_append(&session->out, message->data, message->size);
	session_said(session);
}

void session_said(struct session *session)
{
	task_defer(ring_tasks(session->front->ring), &session->flush);
	if (session->out.bytes > session->front->options.out_high)
		session_set_slow(session, true);
}

/* Receiving. */

static void session_protocol_error(struct session *session, const char *why)
{
	struct buffer *message = session_message(session);

	buffer_printf(message, "{\"error\":{\"code\":\"PROTOCOL\",\"message\":\"%s\"}}\n", why);
	session_say(session);
	session_leave(session);
}

/* The line is one of its messages; NULL, or what is wrong with it. */
static const char *session_read_line(struct session *session, struct text line)
{
	struct passed_common *common = &session->front->passed;
	struct passed *passed = &session->passed;
	uint64_t end = session->n_received - line_reader_left(&session->reader);
	const char *why;

	passed_begin_line(passed, common, end - line.size - 1, end);
	why = message_read(session, line);
	passed_end_line(passed, common);
	return why;
}

/* No line has begun: what came with empty lines is nobody's. */
static void session_await_line(struct session *session)
{
	if (line_reader_is_empty(&session->reader))
		passed_close(&session->passed, &session->front->passed);
}

/* All whole lines that have come, as long as their answers are read. */
static void session_read_lines(struct session *session)
{
	struct text line;

	while (session->state == SESSION_OPEN && !session->is_slow) {
		const char *why = NULL;

		switch (line_reader_next(&session->reader, &line)) {
		case LINE_FOUND: why = session_read_line(session, line); break;
		case LINE_MORE: session_await_line(session); return;
		case LINE_TOO_LONG: why = "the line is too long"; break;
		}
		if (why)
			session_protocol_error(session, why);
	}
}

static void session_on_watch(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, watch);
	struct ring *ring = session->front->ring;

	if (ring_peer_is_gone(ring, session->fd))
		session_close(session);
	else
		timer_set(ring_timers(ring), timer, ring_now(ring) + WATCH_NS);
}

/* The client has gone, or has said all it had to say. */
static void session_on_end(struct session *session)
{
	struct ring *ring = session->front->ring;

	if (session->state >= SESSION_LEAVING)
		return;
	if (ring_peer_is_gone(ring, session->fd)) {
		session_close(session);
		return;
	}
	session_enter(session, SESSION_FINISHING);
	timer_set(ring_timers(ring), &session->watch, ring_now(ring) + WATCH_NS);
	session_check_end(session);
}

static bool receive_is_passing(int result)
{
	return result == -ENOBUFS || result == -EINTR || result == -EAGAIN || result == -ECANCELED;
}

/* A piece of its stream. */
static void session_take(struct session *session, const struct completion *completion)
{
	struct passed_common *common = &session->front->passed;

	if (!line_reader_append(&session->reader, completion->data, (size_t)completion->result)) {
		passed_refuse(common, completion->fds, completion->n_fds);
		session_protocol_error(
			session, "the line is too long, or there is no memory for it");
		return;
	}
	session->n_received += (uint64_t)completion->result;
	if (completion->lost_fds)
		passed_lose(&session->passed, session->n_received);
	if (passed_add(&session->passed, common, completion->fds, completion->n_fds,
		    session->n_received))
		session_read_lines(session);
	else
		session_protocol_error(
			session, "too many descriptors, or there is no memory for them");
}

static void session_on_receive(struct op *op, const struct completion *completion)
{
	struct session *session = container_of(op, struct session, receive_op);
	int result = completion->result;

	if (session->state > SESSION_OPEN)
		passed_refuse(&session->front->passed, completion->fds, completion->n_fds);
	if (session->state == SESSION_CLOSING) {
		session_check_end(session);
		return;
	}
	if (result == 0) {
		session_on_end(session);
		return;
	}
	if (result < 0 && !receive_is_passing(result)) {
		session_close(session);
		return;
	}
	if (result > 0 && session->state == SESSION_OPEN) {
		session_take(session, completion);
		if (line_reader_is_empty(&session->reader))
			line_reader_release(&session->reader);
	}
	session_receive(session);
}

/* Also while finishing, to see it go; but not while it does not read. */
static void session_receive(struct session *session)
{
	if (session->state == SESSION_CLOSING || session->is_slow)
		return;
	if (op_is_idle(&session->receive_op) && !timer_is_armed(&session->watch))
		ring_receive_message(session->front->ring, &session->receive_op, session->fd,
			session_on_receive);
}

int session_new(struct front *front, int fd, uid_t uid)
{
	struct session *session = NULL;
	int r = -EMFILE;

	if (front->n_sessions < front->options.sessions_max) {
		session = calloc(1, sizeof(*session));
		r = -ENOMEM;
	}
	if (!session) {
		ring_close_forget(front->ring, fd);
		return r;
	}
	session->front = front;
	session->fd = fd;
	session->uid = uid;
	session->state = SESSION_OPEN;
	line_reader_init(&session->reader, front->options.line_max);
	outbox_init(&session->out, &front->outbox_pool, &front->scheduler->body_bytes);
	list_init(&session->submissions);
	task_init(&session->flush, session_flush);
	timer_init(&session->linger, session_on_linger);
	timer_init(&session->watch, session_on_watch);
	list_push_back(&front->sessions, &session->link);
	front->n_sessions++;
	front->sessions_total++;
	session_receive(session);
	return 0;
}
