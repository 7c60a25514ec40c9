/* SPDX-License-Identifier: MIT */
#include "front/listener.h"

#include <errno.h>
#include <string.h>

#include "front/session.h"
#include "util/clock.h"
#include "util/log.h"

#define RETRY_NS (100 * NS_PER_MS)

static void listener_arm(struct listener *listener);

static void listener_on_retry(struct timer *timer)
{
	listener_arm(container_of(timer, struct listener, retry));
}

void listener_init(struct listener *listener, struct front *front)
{
	*listener = (struct listener){.front = front, .fd = -1};
	timer_init(&listener->retry, listener_on_retry);
}

static void listener_serve(struct listener *listener, int fd)
{
	struct front *front = listener->front;
	uid_t uid;
	int r = ring_peer_uid(front->ring, fd, &uid);

	if (listener->fd < 0 || r < 0) {
		ring_close_forget(front->ring, fd);
		return;
	}
	r = session_new(front, fd, uid);
	if (r < 0)
		log_warning("a session was turned away: %s", strerrordesc_np(-r));
}

static void listener_on_accept(struct op *op, const struct completion *completion)
{
	struct listener *listener = container_of(op, struct listener, op);
	bool passing = completion->result >= 0 || completion->result == -ECONNABORTED ||
		       completion->result == -EINTR;
	struct ring *ring = listener->front->ring;

	if (completion->result >= 0)
		listener_serve(listener, completion->result);
	if (completion->more || listener->fd < 0)
		return;
	/* EMFILE and its like: not at once, or it would spin. */
	if (passing)
		listener_arm(listener);
	else
		timer_set(ring_timers(ring), &listener->retry, ring_now(ring) + RETRY_NS);
}

static void listener_arm(struct listener *listener)
{
	ring_accept(listener->front->ring, &listener->op, listener->fd, listener_on_accept);
}

void listener_start(struct listener *listener, int fd)
{
	listener->fd = fd;
	listener_arm(listener);
}

void listener_stop(struct listener *listener)
{
	listener->fd = -1;
	timer_stop(ring_timers(listener->front->ring), &listener->retry);
	ring_cancel(listener->front->ring, &listener->op);
}

bool listener_is_idle(const struct listener *listener)
{
	return op_is_idle(&listener->op);
}
