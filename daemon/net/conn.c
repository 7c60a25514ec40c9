/* SPDX-License-Identifier: MIT */
#include "net/conn_private.h"

#include <errno.h>

#include "util/panic.h"

/*
 * Three operations at most are in flight: a receive, a send, the close. The receive stays armed
 * all the time, also while idle, so that a peer's goodbye is seen before the connection is lent
 * again. Reading and writing know nothing of each other: a response may come before its request
 * was fully sent.
 *
 * Completions are told apart by what the connection has become meanwhile (uring notes call this
 * the receive table): data for a user goes up; data for nobody makes an idle connection doubtful,
 * and it is closed; what comes while cancelling is only counted.
 *
 * Under TLS the user's bytes become records in the codec's output. What is handed to the kernel
 * is swapped out of there first, because it must not change while in flight.
 */

/* Plaintext of one TLS record at most. */
#define CONN_PLAINTEXT_MAX (16 * 1024)

/* One drop at most: some ten thousand packets. */
#define CONN_DROP_MAX (16 * 1024 * 1024)

/* One send at most, so that a slow upload shows that it moves. */
#define CONN_SEND_MAX (256 * 1024)

/* Ciphertext kept for the next send. */
#define CONN_CIPHERTEXT_KEEP (4 * 1024)

void conn_enter(struct conn *conn, enum conn_state state)
{
	expect(state > CONN_IDLE || conn->state <= CONN_IDLE);
	conn->state = state;
}

/* The end. */

static void conn_reap(struct task *task)
{
	struct conn *conn = container_of(task, struct conn, reap);
	struct conn_user *user = conn->user;

	task_cancel(&conn->broken);
	tls_free(conn->tls);
	tunnel_free(conn->tunnel);
	buffer_deinit(&conn->ciphertext);
	pool_forget(conn->pool, conn);
	if (user)
		user->events->on_closed(user);
}

static void conn_on_close(struct op *op, const struct completion *completion)
{
	struct conn *conn = container_of(op, struct conn, close_op);

	(void)completion;
	conn->fd = -1;
	task_defer(ring_tasks(conn->ring), &conn->reap);
}

void conn_join(struct conn *conn)
{
	if (conn->state != CONN_CANCELLING || conn->dialling)
		return;
	if (!op_is_idle(&conn->receive_op) || !op_is_idle(&conn->send_op))
		return;
	conn_enter(conn, CONN_CLOSING);
	if (conn->fd >= 0)
		ring_close(conn->ring, &conn->close_op, conn->fd, conn_on_close);
	else
		task_defer(ring_tasks(conn->ring), &conn->reap);
}

void conn_abort(struct conn *conn)
{
	if (!conn_is_open(conn))
		return;
	if (list_is_linked(&conn->idle_link))
		pool_withdraw(conn->pool, conn);
	conn_enter(conn, CONN_CANCELLING);
	pool_closing(conn->pool);
	if (conn->dialling)
		dial_abort(&conn->dialling->dial);
	ring_cancel(conn->ring, &conn->receive_op);
	ring_cancel(conn->ring, &conn->send_op);
	conn_join(conn);
}

void conn_end(struct conn *conn, const struct fault *fault)
{
	if (!conn->user) {
		pool_on_lost(conn->pool, conn, fault);
		return;
	}
	conn->wanted = CONN_RECEIVE_NONE;
	conn->user->events->on_end(conn->user, fault);
}

static void conn_on_broken(struct task *task)
{
	struct conn *conn = container_of(task, struct conn, broken);
	struct fault fault;

	fault_set(&fault, FAULT_TLS_BROKEN, "%s: the request could not be encrypted", conn->remote);
	if (conn_is_open(conn))
		conn_end(conn, &fault);
}

void conn_init(struct conn *conn, struct pool *pool, struct route *route, struct conn_user *user)
{
	conn->pool = pool;
	conn->ring = pool_ring(pool);
	conn->route = route;
	conn->user = user;
	conn->is_warm = !user;
	conn->state = CONN_DIALING;
	conn->fd = -1;
	conn->wanted = CONN_RECEIVE_SHORT;
	buffer_init(&conn->ciphertext, SIZE_MAX);
	task_init(&conn->reap, conn_reap);
	task_init(&conn->broken, conn_on_broken);
	list_init(&conn->route_link);
	list_init(&conn->idle_link);
	conn->times.dialed_ns = ring_now(conn->ring);
}

/* Receiving. */

static enum fault_code conn_receive_fault(const struct conn *conn)
{
	if (conn->state == CONN_TUNNELLING)
		return FAULT_PROXY_CONNECT;
	return conn->state == CONN_HANDSHAKING ? FAULT_TLS_HANDSHAKE : FAULT_RECV_RESET;
}

static void conn_on_receive_error(struct conn *conn, int error)
{
	struct fault fault;

	switch (error) {
	/* Out of buffers: they are back before the next turn. Asked to stop: for another mode. */
	case ENOBUFS:
	case ECANCELED:
	case EAGAIN:
	case EINTR: conn_arm(conn, true); return;
	default: break;
	}
	fault_set(&fault, conn_receive_fault(conn), "%s: %s", conn->remote, strerrordesc_np(error));
	conn_end(conn, &fault);
}

void conn_pump_tls(struct conn *conn)
{
	enum tls_result result = TLS_OK;
	struct fault fault;
	size_t size;

	if (conn->state == CONN_HANDSHAKING) {
		result = tls_handshake(conn->tls, &fault);
		if (result == TLS_OK)
			conn_become_ready(conn);
	}
	while (result == TLS_OK && (conn->state == CONN_ACTIVE || conn->state == CONN_IDLE)) {
		char *plaintext = pool_plaintext(conn->pool);

		result = tls_read(conn->tls, plaintext, CONN_PLAINTEXT_MAX, &size, &fault);
		if (result != TLS_OK)
			break;
		if (conn->user)
			conn->user->events->on_data(conn->user, plaintext, size);
		else
			conn_abort(conn);
	}
	if (!conn_is_open(conn))
		return;
	conn_pump_send(conn);
	if (result == TLS_END || result == TLS_FAULT)
		conn_end(conn, result == TLS_END ? NULL : &fault);
}

static void conn_on_dropped(struct conn *conn, size_t size)
{
	expect(size <= conn->drop_size);
	conn->drop_size -= size;
	conn->wanted = conn->drop_size > 0 ? CONN_RECEIVE_DROP : CONN_RECEIVE_SHORT;
	if (conn->user)
		conn->user->events->on_dropped(conn->user, size);
}

static void conn_on_bytes(struct conn *conn, const char *data, size_t size)
{
	if (conn->tunnel) {
		conn_feed_tunnel(conn, data, size);
	} else if (conn->tls) {
		tls_feed(conn->tls, data, size);
		conn_pump_tls(conn);
	} else if (conn->user) {
		conn->user->events->on_data(conn->user, data, size);
	} else {
		/* A reply nobody asked for: what follows it could be taken for the next one. */
		conn_abort(conn);
	}
}

static void conn_on_peer_end(struct conn *conn)
{
	if (conn->tunnel) {
		conn_end_tunnel(conn);
		return;
	}
	if (conn->tls) {
		tls_feed_end(conn->tls);
		conn_pump_tls(conn);
		return;
	}
	conn_end(conn, NULL);
}

static void conn_on_receive(struct op *op, const struct completion *completion)
{
	struct conn *conn = container_of(op, struct conn, receive_op);

	if (!conn_is_open(conn)) {
		conn_join(conn);
		return;
	}
	if (completion->result < 0) {
		conn_on_receive_error(conn, -completion->result);
		return;
	}
	if (completion->result == 0) {
		conn_on_peer_end(conn);
		return;
	}
	if (conn->armed == CONN_RECEIVE_DROP)
		conn_on_dropped(conn, (size_t)completion->result);
	else
		conn_on_bytes(conn, completion->data, (size_t)completion->result);
	if (conn_is_open(conn))
		conn_arm(conn, completion->nonempty);
	else
		conn_join(conn);
}

void conn_arm(struct conn *conn, bool soon)
{
	if (!op_is_idle(&conn->receive_op)) {
		/* A long receive ends by itself with the next bytes. */
		if (conn->armed != conn->wanted && conn->armed == CONN_RECEIVE_SHORT)
			ring_cancel(conn->ring, &conn->receive_op);
		return;
	}
	conn->armed = conn->wanted;
	switch (conn->wanted) {
	case CONN_RECEIVE_SHORT:
		ring_receive(conn->ring, &conn->receive_op, conn->fd, soon, conn_on_receive);
		break;
	case CONN_RECEIVE_LONG:
		ring_receive_large(conn->ring, &conn->receive_op, conn->fd, conn_on_receive);
		break;
	case CONN_RECEIVE_DROP:
		ring_receive_drop(conn->ring, &conn->receive_op, conn->fd,
			conn->drop_size < CONN_DROP_MAX ? (size_t)conn->drop_size : CONN_DROP_MAX,
			conn_on_receive);
		break;
	case CONN_RECEIVE_NONE: break;
	}
}

void conn_drop(struct conn *conn, uint64_t size)
{
	expect(conn->state == CONN_ACTIVE);
	expect(!conn->tls);
	expect(size > 0);
	conn->drop_size = size;
	conn->wanted = CONN_RECEIVE_DROP;
	conn_arm(conn, true);
}

void conn_receive(struct conn *conn, enum conn_receive how)
{
	expect(conn->state == CONN_ACTIVE);
	expect(how != CONN_RECEIVE_DROP);
	if (conn->wanted == how)
		return;
	conn->wanted = how;
	conn_arm(conn, true);
}

/* Sending. */

static void conn_on_send(struct op *op, const struct completion *completion);

static void conn_fail_send(struct conn *conn, int error)
{
	struct fault fault;

	/* The reset may stand behind a response that is still to be read: reading will tell. A
	 * peer that takes no more can still have answered (RFC 9112 9.5). */
	if (error == EPIPE || error == ECONNRESET)
		return;
	fault_set(&fault, conn->tunnel ? FAULT_PROXY_CONNECT : FAULT_SEND_FAILED, "%s: %s",
		conn->remote, strerrordesc_np(error));
	conn_end(conn, &fault);
}

static void conn_sent(struct conn *conn)
{
	conn->sending = false;
	conn->send_size = 0;
	conn->user->events->on_sent(conn->user);
}

static void conn_on_send(struct op *op, const struct completion *completion)
{
	struct conn *conn = container_of(op, struct conn, send_op);
	size_t size;

	if (!conn_is_open(conn)) {
		conn_join(conn);
		return;
	}
	if (completion->result < 0 && completion->result != -EINTR &&
		completion->result != -EAGAIN) {
		conn_fail_send(conn, -completion->result);
		return;
	}
	size = completion->result < 0 ? 0 : (size_t)completion->result;
	conn->taken_size += size;
	if (conn->tls) {
		expect(size <= conn->send_size);
		conn->send_size -= size;
		conn->send_data += size;
	} else {
		conn->sent_size += size;
	}
	conn_pump_send(conn);
	if (conn->tunnel)
		conn_check_tunnel(conn);
}

static void conn_hand_over(struct conn *conn, const char *data, size_t size)
{
	if (size > CONN_SEND_MAX)
		size = CONN_SEND_MAX;
	ring_send(conn->ring, &conn->send_op, conn->fd, data, size, conn_on_send);
}

void conn_pump_send(struct conn *conn)
{
	if (!op_is_idle(&conn->send_op))
		return;
	if (conn->tls) {
		struct buffer *output = tls_output(conn->tls);

		if (conn->send_size == 0 && output->size > 0) {
			struct buffer empty = conn->ciphertext;

			buffer_reset(&empty, CONN_CIPHERTEXT_KEEP);
			empty.size_max = output->size_max;
			conn->ciphertext = *output;
			*output = empty;
			conn->send_data = conn->ciphertext.data;
			conn->send_size = conn->ciphertext.size;
		}
		if (conn->send_size > 0) {
			conn_hand_over(conn, conn->send_data, conn->send_size);
			return;
		}
	} else if (conn->sent_size < conn->send_size) {
		conn_hand_over(
			conn, conn->send_data + conn->sent_size, conn->send_size - conn->sent_size);
		return;
	}
	if (conn->sending)
		conn_sent(conn);
}

void conn_send(struct conn *conn, const char *data, size_t size)
{
	struct fault fault;

	expect(conn->state == CONN_ACTIVE);
	expect(!conn->sending);
	expect(size > 0);
	conn->sending = true;
	conn->sent_size = 0;
	if (!conn->tls) {
		conn->send_data = data;
		conn->send_size = size;
		conn_pump_send(conn);
		return;
	}
	if (tls_write(conn->tls, data, size, &fault) != TLS_OK) {
		conn->sending = false;
		task_defer(ring_tasks(conn->ring), &conn->broken);
		return;
	}
	conn->sent_size = size;
	conn_pump_send(conn);
}

/* Between users. */

void conn_rest(struct conn *conn)
{
	expect(conn->is_warm || conn_is_quiet(conn));
	conn->user = NULL;
	conn->reused = true;
	conn_enter(conn, CONN_IDLE);
	conn->wanted = CONN_RECEIVE_SHORT;
	conn->idle_since_ns = ring_now(conn->ring);
	if (conn->tls)
		tls_rest(conn->tls);
	conn_arm(conn, false);
}

/* What was over before took the user no time, and what is under way begins now: the user's limits
 * count from there. */
void conn_hurry(struct conn *conn)
{
	struct conn_times *times = &conn->times;
	uint64_t now = ring_now(conn->ring);

	conn->is_warm = false;
	times->dialed_ns = now;
	times->resolved_ns = times->resolved_ns ? now : 0;
	times->connected_ns = times->connected_ns ? now : 0;
	if (conn->dialling)
		dial_set_patient(&conn->dialling->dial, pool_gate(conn->pool), false);
}

void conn_lend(struct conn *conn, struct conn_user *user)
{
	expect(conn->state == CONN_IDLE || conn->is_warm);
	expect(!conn->user);
	conn->user = user;
	conn->sent_size = 0;
	if (conn->state == CONN_IDLE)
		conn_enter(conn, CONN_ACTIVE);
	else
		conn_hurry(conn);
	conn->is_warm = false;
}

void conn_give(struct conn *conn, struct conn_user *user)
{
	expect(conn_is_open(conn));
	conn->user = user;
	conn_enter(conn, CONN_ACTIVE);
}
