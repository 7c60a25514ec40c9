/* SPDX-License-Identifier: MIT */
#include "net/mux.h"

#include <stdlib.h>

#include "net/pool.h"
#include "util/clock.h"
#include "util/panic.h"

/*
 * The codec is asked for output once a turn, in a task: what all users of the connection have said
 * in it leaves in one send, and the next one follows when the kernel has taken that. All else that
 * depends on where the connection stands is decided in the same task: whether who waits for room
 * gets it, whether it is idle, whether it is over.
 *
 * A user stands in one list after the other: those whose request is not all put out, those whose
 * request is in the send under way, those that were told on_sent; and when it has left, those
 * whose reset is not put out, those whose reset is in the send under way. The codec puts out
 * resets before requests and bodies, and there are never so many that they would not fit into one
 * output: so whoever has left before is through with it after it. Who leaves in upcalls is not.
 * Where the connection has failed, nothing that is put out says that nobody waits for a response:
 * its end does, and the peer may be at work until then, so nobody has left before it is closed.
 *
 * Two things a connection of one request at a time need not mind. A peer that is gone without a
 * word would eat request after request, each up to its own limit: where one is given up because
 * nothing was heard since it began, the connection takes no more of them. And a peer that takes
 * nothing any more would keep those who leave from leaving: where nothing moves for a while, it
 * ends. Nobody closes a connection under who is still on it for any other reason.
 *
 * The codec may not be freed from within its upcalls, where users leave. So it is freed when the
 * connection is closed, or, where users are late, with the last of them.
 */

/* What one output may be: 64 KiB, and a head of 256 KiB at its worst encoding beyond that. */
#define MUX_OUTPUT_MAX  (2 * 1024 * 1024)
#define MUX_OUTPUT_KEEP (64 * 1024)

/* Bytes of one turn that make it worth while to receive in large pieces, and that do not. */
#define MUX_LONG_SIZE  (32 * 1024)
#define MUX_SHORT_SIZE (8 * 1024)

/* How long a send may stand still, with others on the connection or without. */
#define MUX_STALL_NS       (10 * NS_PER_S)
#define MUX_STALL_ALONE_NS NS_PER_S

/* A request that was given up sooner says nothing of its peer. */
#define MUX_SILENCE_NS NS_PER_S

struct mux {
	struct conn_user user;
	struct ring *ring;
	struct pool *pool;
	struct route *route;
	/* NULL when it is closed. */
	struct conn *conn;
	struct h2 *h2;
	/* Among those of its route that take streams, or may do so later. */
	struct list link;
	uint64_t number;
	/* Users, by how far their request has come; and those who have left, by their reset. */
	struct list opening, sending, open;
	struct list leaving, resetting;
	/* All of them, and those who have not left. */
	uint32_t n_users, n_here;
	/* Streams that were ever opened on it. */
	uint32_t n_opened;
	/* What the kernel has, or is to get. */
	struct buffer out;
	struct task task;
	struct timer stall;
	/* What the connection's taken_size was when the stall began. */
	uint64_t stalled_at;
	/* When something was last heard, and how much in that turn. */
	uint64_t heard_ns;
	size_t heard_size;
	/* `out` is not empty. */
	bool is_sending;
	/* The peer is silent: no more streams. */
	bool is_silent;
	/* It takes no streams and is in no list; it is closed as soon as what there is to be said
	 * has been. */
	bool is_over;
};

static void mux_kick(struct mux *mux)
{
	if (mux->conn)
		task_defer(ring_tasks(mux->ring), &mux->task);
}

static uint64_t mux_now(const struct mux *mux)
{
	return ring_now(mux->ring);
}

static struct mux_user *mux_user_of(struct list *link)
{
	return list_entry(link, struct mux_user, link);
}

static bool mux_has_failed(const struct mux *mux)
{
	return h2_fault(mux->h2).kind != H2_FAULT_NONE;
}

/* The end. */

static void mux_free(struct mux *mux)
{
	expect(!mux->conn);
	expect(mux->n_users == 0);
	h2_free(mux->h2);
	buffer_deinit(&mux->out);
	free(mux);
}

/* It takes no streams from now on, and is nobody's to find. */
static void mux_retire(struct mux *mux)
{
	if (mux->is_over)
		return;
	mux->is_over = true;
	list_remove(&mux->link);
	pool_on_unshared(mux->pool, mux->route);
}

/* Its connection failed or is given up: all streams are told. */
static void mux_abort(struct mux *mux)
{
	mux_retire(mux);
	h2_feed_end(mux->h2);
	conn_abort(mux->conn);
}

static void mux_watch(struct mux *mux)
{
	struct timer_wheel *timers = ring_timers(mux->ring);
	bool waits = mux->is_over || mux->n_users > mux->n_here;

	if (!mux->is_sending || !waits) {
		timer_stop(timers, &mux->stall);
		return;
	}
	if (timer_is_armed(&mux->stall))
		return;
	mux->stalled_at = mux->conn->taken_size;
	timer_set(timers, &mux->stall,
		mux_now(mux) + (mux->n_here > 0 ? MUX_STALL_NS : MUX_STALL_ALONE_NS));
}

static void mux_on_stall(struct timer *timer)
{
	struct mux *mux = container_of(timer, struct mux, stall);

	if (!mux->is_over && mux->conn->taken_size != mux->stalled_at)
		mux_watch(mux);
	else
		mux_abort(mux);
}

static void mux_tell_left(struct mux *mux, struct list *users)
{
	while (!list_is_empty(users)) {
		struct mux_user *user = mux_user_of(list_pop_front(users));

		mux->n_users--;
		user->mux = NULL;
		user->is_leaving = false;
		user->events->on_left(user);
	}
}

static void mux_on_closed(struct conn_user *conn_user)
{
	struct mux *mux = container_of(conn_user, struct mux, user);

	mux->conn = NULL;
	timer_stop(ring_timers(mux->ring), &mux->stall);
	task_cancel(&mux->task);
	mux_retire(mux);
	/* Those who leave in the upcalls must not free it. */
	mux->n_users++;
	h2_feed_end(mux->h2);
	mux_tell_left(mux, &mux->resetting);
	mux_tell_left(mux, &mux->leaving);
	if (--mux->n_users == 0)
		mux_free(mux);
}

/* Sending. */

/* What the codec has put out is to be sent: who is through with that. */
static void mux_sort(struct mux *mux)
{
	list_each_safe(link, &mux->opening) {
		struct mux_user *user = mux_user_of(link);

		if (h2_sent(user->stream) != H2_SENT_FULL)
			continue;
		list_remove(link);
		list_push_back(&mux->sending, link);
	}
}

/* What the codec puts out next has the resets of those who have left up to now. */
static void mux_sort_left(struct mux *mux)
{
	list_each_safe(link, &mux->leaving) {
		list_remove(link);
		list_push_back(&mux->resetting, link);
	}
}

static void mux_told(struct mux *mux)
{
	struct list *link;

	while ((link = list_pop_front(&mux->sending))) {
		struct mux_user *user = mux_user_of(link);

		list_push_back(&mux->open, link);
		user->is_sent = true;
		user->events->on_sent(user);
	}
	if (!mux_has_failed(mux))
		mux_tell_left(mux, &mux->resetting);
}

/* The next send, where there is something to be sent. */
static void mux_send(struct mux *mux)
{
	bool is_alive;

	mux_sort_left(mux);
	is_alive = h2_output(mux->h2, &mux->out);
	mux_sort(mux);
	if (!is_alive) {
		mux_retire(mux);
		/* Nobody else may be on it to have it closed. */
		mux_kick(mux);
	}
	if (mux->out.size == 0)
		return;
	mux->is_sending = true;
	conn_send(mux->conn, mux->out.data, mux->out.size);
}

void mux_push(struct mux *mux)
{
	if (!mux->is_sending && h2_wants_output(mux->h2))
		mux_send(mux);
	if (mux->is_sending)
		return;
	/* Nothing had to be sent for them. */
	if (!h2_wants_output(mux->h2))
		mux_sort_left(mux);
	mux_sort(mux);
	mux_told(mux);
}

static void mux_on_sent(struct conn_user *conn_user)
{
	struct mux *mux = container_of(conn_user, struct mux, user);

	mux->is_sending = false;
	buffer_reset(&mux->out, MUX_OUTPUT_KEEP);
	timer_stop(ring_timers(mux->ring), &mux->stall);
	mux_told(mux);
	mux_kick(mux);
}

/* Where it stands. */

/* What nobody needs while nothing is asked of it. */
static void mux_rest(struct mux *mux)
{
	struct conn *conn = mux->conn;

	if (!mux->is_sending)
		buffer_reset(&mux->out, 0);
	if (conn->tls && conn_is_quiet(conn))
		tls_rest(conn->tls);
	conn_receive(conn, CONN_RECEIVE_SHORT);
	mux->heard_size = 0;
}

static uint32_t route_double(uint32_t n)
{
	return n < UINT32_MAX / 2 ? 2 * n : UINT32_MAX;
}

/* Nobody is on it: it is idle, or over. */
static void mux_settle(struct mux *mux)
{
	if (!mux->is_over && !mux->is_silent && h2_is_usable(mux->h2)) {
		/* The peer takes more than it was thought to. */
		if (mux->n_opened >= mux->route->requests_max)
			mux->route->requests_max = route_double(mux->route->requests_max);
		mux_rest(mux);
		if (!list_is_linked(&mux->conn->idle_link))
			pool_rest(mux->pool, mux->conn);
		return;
	}
	mux_retire(mux);
	/* What it still says may say why. */
	if (!mux->is_sending)
		conn_abort(mux->conn);
}

static void mux_run(struct task *task)
{
	struct mux *mux = container_of(task, struct mux, task);

	if (mux->conn->state != CONN_ACTIVE)
		return;
	mux_push(mux);
	if (mux->n_users == 0)
		mux_settle(mux);
	else if (mux->is_over && !mux->is_sending)
		conn_abort(mux->conn);
	if (mux->conn->state != CONN_ACTIVE)
		return;
	mux_watch(mux);
	if (!mux->is_over && mux->route->n_waiting > 0)
		pool_serve(mux->route);
}

/* Receiving. */

/* Long bodies come in large pieces, one turn after the other. */
static void mux_receive(struct mux *mux, size_t size)
{
	uint64_t now_ns = mux_now(mux);
	bool is_new_turn = mux->heard_ns != now_ns;
	size_t last_size = mux->heard_size;

	if (is_new_turn)
		mux->heard_size = 0;
	mux->heard_ns = now_ns;
	mux->heard_size += size;
	if (mux->heard_size >= MUX_LONG_SIZE)
		conn_receive(mux->conn, CONN_RECEIVE_LONG);
	else if (is_new_turn && last_size < MUX_SHORT_SIZE)
		conn_receive(mux->conn, CONN_RECEIVE_SHORT);
}

/* What the peer allows is known to the route's next connection from its beginning: so many streams
 * at once, so many requests in all. */
static void mux_learn(struct mux *mux)
{
	struct route *route = mux->route;
	uint32_t n_accepted = h2_n_accepted(mux->h2), n_streams = h2_streams_max(mux->h2);

	route->streams_max = n_streams > 0 ? n_streams : 1;
	/* Who takes none at all is about to stop, and does not count. */
	if (n_accepted > 0 && n_accepted < mux->n_opened)
		route->requests_max = n_accepted;
}

static void mux_on_data(struct conn_user *conn_user, const char *data, size_t size)
{
	struct mux *mux = container_of(conn_user, struct mux, user);

	/* It has failed before. */
	if (mux->is_over)
		return;
	mux_receive(mux, size);
	if (h2_feed(mux->h2, data, size, mux->heard_ns))
		mux_learn(mux);
	else
		mux_retire(mux);
	mux_kick(mux);
}

static void mux_on_end(struct conn_user *conn_user, const struct fault *fault)
{
	(void)fault;
	mux_abort(container_of(conn_user, struct mux, user));
}

static const struct conn_events mux_events = {
	.on_sent = mux_on_sent,
	.on_data = mux_on_data,
	.on_end = mux_on_end,
	.on_closed = mux_on_closed,
};

struct mux *mux_new(struct pool *pool, struct conn *conn, uint64_t number)
{
	struct mux *mux = calloc(1, sizeof(*mux));

	if (!mux)
		return NULL;
	mux->h2 = h2_new(ring_now(conn->ring), conn->route->streams_max);
	if (!mux->h2) {
		free(mux);
		return NULL;
	}
	mux->user.events = &mux_events;
	mux->user.conn = conn;
	mux->ring = conn->ring;
	mux->pool = pool;
	mux->route = conn->route;
	mux->conn = conn;
	mux->number = number;
	list_init(&mux->link);
	list_init(&mux->opening);
	list_init(&mux->sending);
	list_init(&mux->open);
	list_init(&mux->leaving);
	list_init(&mux->resetting);
	buffer_init(&mux->out, MUX_OUTPUT_MAX);
	task_init(&mux->task, mux_run);
	timer_init(&mux->stall, mux_on_stall);
	return mux;
}

/* What the pool asks. */

struct conn_user *mux_conn_user(struct mux *mux)
{
	return &mux->user;
}

struct list *mux_link(struct mux *mux)
{
	return &mux->link;
}

struct mux *mux_of_link(struct list *link)
{
	return list_entry(link, struct mux, link);
}

uint64_t mux_number(const struct mux *mux)
{
	return mux->number;
}

bool mux_can_open(const struct mux *mux)
{
	return mux->conn && mux->conn->state == CONN_ACTIVE && !mux->is_over && !mux->is_silent &&
	       mux->n_opened < mux->route->requests_max && h2_can_open(mux->h2);
}

/* Users. */

void mux_user_init(struct mux_user *user, const struct mux_events *events, struct h2_stream *stream)
{
	*user = (struct mux_user){.events = events, .stream = stream};
	list_init(&user->link);
}

bool mux_open(struct mux *mux, struct mux_user *user, const struct h2_request *request,
	struct h2_fault *ret_fault)
{
	expect(!user->mux);
	expect(mux_can_open(mux));
	/* Its task looks after it whether this succeeds or not. */
	mux_kick(mux);
	if (!h2_request(mux->h2, user->stream, request, ret_fault))
		return false;
	pool_wake(mux->pool, mux->conn);
	user->mux = mux;
	user->opened_ns = mux_now(mux);
	user->is_sent = false;
	user->is_leaving = false;
	user->is_first = mux->n_opened == 0 && !mux->conn->reused;
	mux->n_opened++;
	mux->n_users++;
	mux->n_here++;
	list_push_back(&mux->opening, &user->link);
	pool_on_stream(mux->pool, mux->conn, user->is_first);
	return true;
}

/* True where nothing came from the peer since that user's request began, long ago. */
static bool mux_is_unheard(const struct mux *mux, const struct mux_user *user)
{
	return h2_sent(user->stream) == H2_SENT_FULL && mux->heard_ns <= user->opened_ns &&
	       user->opened_ns + MUX_SILENCE_NS <= mux_now(mux);
}

/* True where nothing of it is left to be said to the peer. */
static bool mux_is_through(const struct mux *mux, const struct mux_user *user)
{
	if (h2_is_under_way(user->stream))
		return h2_sent(user->stream) == H2_SENT_NONE;
	if (!h2_owes_reset(user->stream) || !mux->conn)
		return true;
	return !mux_has_failed(mux) && !h2_wants_output(mux->h2);
}

bool mux_leave(struct mux_user *user)
{
	struct mux *mux = user->mux;
	bool is_at_once;

	expect(mux && !user->is_leaving);
	is_at_once = mux_is_through(mux, user);
	if (h2_is_under_way(user->stream) && mux_is_unheard(mux, user))
		mux->is_silent = true;
	h2_cancel(user->stream);
	list_remove(&user->link);
	mux->n_here--;
	pool_on_stream_over(mux->pool);
	mux_kick(mux);
	if (!is_at_once) {
		user->is_leaving = true;
		list_push_back(&mux->leaving, &user->link);
		return false;
	}
	user->mux = NULL;
	mux->n_users--;
	if (!mux->conn && mux->n_users == 0)
		mux_free(mux);
	return true;
}

void mux_consume(struct mux_user *user, size_t size)
{
	h2_consume(user->stream, size);
	mux_kick(user->mux);
}

void mux_resume(struct mux_user *user)
{
	h2_resume(user->stream);
	mux_kick(user->mux);
}

const struct conn *mux_conn(const struct mux *mux)
{
	return mux->conn;
}

bool mux_is_first(const struct mux_user *user)
{
	return user->is_first;
}
