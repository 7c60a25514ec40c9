/* SPDX-License-Identifier: MIT */
#include "ring/ring_private.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ring/rights.h"
#include "util/clock.h"
#include "util/panic.h"

/*
 * The loop's engine. What the daemon starts in a turn is queued; one entry to the kernel hands
 * all of it over and waits; what has completed is told; deadlines that have passed are told; what
 * both put off is done; and the next turn begins. A request in the steady state so costs one
 * send, one completion for it, and one for the bytes that came, and shares two entries with all
 * requests that moved in the same turns.
 *
 * A completion finds its operation by address. The sixteen bits an address leaves free carry the
 * flight's number: nothing is freed while in flight, and this proves it at each completion.
 *
 * The kernel is entered by io_uring_enter2 directly, because with DEFER_TASKRUN every entry must
 * ask for events (liburing's wait leaves that out where it sees enough completions already), and
 * to carry flags newer than the library.
 */

#define ADDRESS_BITS 48

/* The low bits of a tag that is no operation's address: a slot is being closed for nobody. */
#define TAG_MASK UINT64_C(7)
#define TAG_SLOT UINT64_C(1)

static uint64_t op_tag(const struct op *op)
{
	uintptr_t address = (uintptr_t)op;

	expect(address >> ADDRESS_BITS == 0);
	return (uint64_t)op->generation << ADDRESS_BITS | address;
}

/* Entering. */

static unsigned ring_publish(struct ring *ring)
{
	struct io_uring_sq *sq = &ring->uring.sq;

	sq->sqe_head = sq->sqe_tail;
	io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
	return sq->sqe_tail - IO_URING_READ_ONCE(*sq->khead);
}

static int ring_enter(struct ring *ring, unsigned wait, uint64_t wait_ns)
{
	struct __kernel_timespec timeout = {
		.tv_sec = (long long)(wait_ns / NS_PER_S),
		.tv_nsec = (long long)(wait_ns % NS_PER_S),
	};
	struct io_uring_getevents_arg argument = {
		.sigmask_sz = _NSIG / 8,
		.ts = wait_ns == UINT64_MAX ? 0 : (uintptr_t)&timeout,
	};
	int r;

	ring->counters.enters++;
	r = io_uring_enter2((unsigned)ring->uring.enter_ring_fd, ring_publish(ring), wait,
		ring->enter_flags, (sigset_t *)&argument, sizeof(argument));
	switch (r) {
	/* Time is up; a signal; and the kernel's ways to say "first take what is there". */
	case -ETIME:
	case -EINTR:
	case -EAGAIN:
	case -EBUSY: return 0;
	default: return r < 0 ? r : 0;
	}
}

struct io_uring_sqe *ring_sqe(struct ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	for (int tries = 0; !sqe; tries++) {
		expect(tries < 1000);
		expect(ring_enter(ring, 0, 0) == 0);
		sqe = io_uring_get_sqe(&ring->uring);
	}
	return sqe;
}

void ring_start(struct io_uring_sqe *sqe, struct op *op, enum op_kind kind)
{
	op->kind = (uint8_t)kind;
	sqe->user_data = op_tag(op);
	if (slots_has(op->fd) && kind != OP_CLOSE_SLOT) {
		sqe->fd = op->fd - SLOTS_BASE;
		sqe->flags |= IOSQE_FIXED_FILE;
	}
}

/* True where it closes a slot. */
static bool ring_prepare_close(struct io_uring_sqe *sqe, int fd)
{
	if (!slots_has(fd)) {
		io_uring_prep_close(sqe, fd);
		return false;
	}
	io_uring_prep_close_direct(sqe, (unsigned)(fd - SLOTS_BASE));
	return true;
}

/* Completing. */

/* The receive that a poll has announced. */
static void completion_receive(
	struct ring *ring, const struct op *op, struct completion *completion)
{
	struct buffers *buffers = op->kind == OP_POLL_SMALL ? &ring->small : &ring->large;
	ssize_t r;

	if (completion->result < 0)
		return;
	r = recv(op->fd, buffers->memory, buffers->size, MSG_DONTWAIT);
	completion->result = r < 0 ? -errno : (int)r;
	completion->data = buffers->memory;
}

static void completion_receive_message(
	struct ring *ring, const struct op *op, struct completion *completion)
{
	struct rights rights = {.fds = ring->message_fds};

	if (completion->result < 0)
		return;
	completion->result =
		rights_receive(op->fd, ring->message.memory, ring->message.size, &rights);
	completion->data = ring->message.memory;
	completion->fds = rights.fds;
	completion->n_fds = rights.n_fds;
	completion->lost_fds = rights.lost_fds;
}

static void ring_dispatch(struct ring *ring, uint64_t tag, int result, uint32_t flags)
{
	struct op *op = (struct op *)(uintptr_t)(tag & ((UINT64_C(1) << ADDRESS_BITS) - 1));
	struct buffers *buffers = NULL;
	struct completion completion = {
		.result = result,
		.more = flags & IORING_CQE_F_MORE,
		.nonempty = flags & IORING_CQE_F_SOCK_NONEMPTY,
	};

	ring->counters.completions++;
	if ((tag & TAG_MASK) == TAG_SLOT)
		slots_give(&ring->slots, (uint32_t)(tag >> 3));
	if (!op || tag & TAG_MASK)
		return;
	if (op->generation != tag >> ADDRESS_BITS || !op->in_flight) {
		ring->counters.stale++;
		unreachable("a completion for an operation that is no longer in flight");
	}
	op->in_flight = completion.more;
	switch ((enum op_kind)op->kind) {
	case OP_PLAIN: break;
	case OP_RECEIVE_SMALL: buffers = &ring->small; break;
	case OP_RECEIVE_LARGE: buffers = &ring->large; break;
	case OP_POLL_SMALL:
	case OP_POLL_LARGE: completion_receive(ring, op, &completion); break;
	case OP_POLL_MESSAGE: completion_receive_message(ring, op, &completion); break;
	case OP_CLOSE_SLOT: slots_give(&ring->slots, (uint32_t)(op->fd - SLOTS_BASE)); break;
	case OP_FAILED:
	default: completion.result = OP_FAILED - op->kind; break;
	}
	if (result == -ENOBUFS)
		ring->counters.buffers_empty++;
	if (!buffers || !(flags & IORING_CQE_F_BUFFER)) {
		op->on_complete(op, &completion);
		return;
	}
	completion.data = buffers_get(buffers, flags);
	op->on_complete(op, &completion);
	buffers_put(buffers, flags);
}

static void ring_collect(struct ring *ring)
{
	struct io_uring_cq *cq = &ring->uring.cq;
	unsigned head = *cq->khead;

	if (IO_URING_READ_ONCE(*ring->uring.sq.kflags) & IORING_SQ_CQ_OVERFLOW)
		ring->counters.overflows++;
	while (head != io_uring_smp_load_acquire(cq->ktail)) {
		const struct io_uring_cqe *cqe = &cq->cqes[head & *cq->kring_mask];
		uint64_t tag = cqe->user_data;
		int result = cqe->res;
		uint32_t flags = cqe->flags;

		io_uring_smp_store_release(cq->khead, ++head);
		ring_dispatch(ring, tag, result, flags);
	}
}

int ring_turn(struct ring *ring, uint64_t until_ns)
{
	uint64_t next = timer_next_ns(&ring->timers);
	uint64_t now = clock_now_ns();
	uint64_t wait_ns = UINT64_MAX;
	int r;

	if (until_ns < next)
		next = until_ns;
	if (next != TIMER_NEVER)
		wait_ns = next > now ? next - now : 0;
	if (task_queue_has_work(&ring->tasks))
		wait_ns = 0;
	r = ring_enter(ring, wait_ns ? 1 : 0, wait_ns);
	if (r < 0)
		return r;
	ring->now_ns = clock_now_ns();
	ring_collect(ring);
	timer_advance(&ring->timers, ring->now_ns);
	task_queue_run(&ring->tasks);
	return 0;
}

/* Waking. */

static void ring_on_wake_read(struct op *op, const struct completion *completion);

static void ring_arm_wake(struct ring *ring)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(&ring->wake_op, ring->wake_fd, ring_on_wake_read);
	io_uring_prep_read(sqe, ring->wake_fd, &ring->wake_value, sizeof(ring->wake_value), 0);
	ring_start(sqe, &ring->wake_op, OP_PLAIN);
}

static void ring_on_wake_read(struct op *op, const struct completion *completion)
{
	struct ring *ring = container_of(op, struct ring, wake_op);

	if (completion->result == -ECANCELED)
		return;
	ring_arm_wake(ring);
	if (ring->on_wake)
		ring->on_wake(ring->wake_context);
}

void ring_on_wake(struct ring *ring, ring_wake_callback on_wake, void *context)
{
	ring->on_wake = on_wake;
	ring->wake_context = context;
}

void ring_wake(struct ring *ring)
{
	uint64_t one = 1;

	/* It can fail only where 2^64 - 2 wakes are waiting already. */
	if (write(ring->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* Life. */

int ring_new(const struct ring_options *options, struct ring **ret_ring, const char **ret_why)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int r;

	*ret_why = "no memory";
	if (!ring)
		return -ENOMEM;
	r = ring_set_up(ring, options, ret_why);
	if (r < 0) {
		free(ring);
		return r;
	}
	ring->now_ns = clock_now_ns();
	timer_wheel_init(&ring->timers, ring->now_ns);
	task_queue_init(&ring->tasks);
	ring->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (ring->wake_fd < 0) {
		r = -errno;
		*ret_why = "no descriptor left for the wake event";
		ring_free(ring);
		return r;
	}
	ring_arm_wake(ring);
	*ret_ring = ring;
	return 0;
}

struct ring *ring_free(struct ring *ring)
{
	if (!ring)
		return NULL;
	if (!op_is_idle(&ring->wake_op)) {
		ring_cancel(ring, &ring->wake_op);
		for (int i = 0; i < 100 && !op_is_idle(&ring->wake_op); i++)
			ring_turn(ring, clock_now_ns() + 10 * NS_PER_MS);
	}
	io_uring_queue_exit(&ring->uring);
	buffers_deinit(&ring->small);
	buffers_deinit(&ring->large);
	buffers_deinit(&ring->message);
	slots_deinit(&ring->slots);
	if (ring->wake_fd >= 0)
		close(ring->wake_fd);
	free(ring);
	return NULL;
}

const struct ring_features *ring_features(const struct ring *ring)
{
	return &ring->features;
}

const struct ring_counters *ring_counters(const struct ring *ring)
{
	return &ring->counters;
}

struct timer_wheel *ring_timers(struct ring *ring)
{
	return &ring->timers;
}

struct task_queue *ring_tasks(struct ring *ring)
{
	return &ring->tasks;
}

uint64_t ring_now(const struct ring *ring)
{
	return ring->now_ns;
}

/* Sockets: what takes no time needs no ring. */

int ring_socket(struct ring *ring, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return slots_take(&ring->slots, &ring->uring, fd);
}

int ring_peer_uid(struct ring *ring, int fd, uid_t *ret_uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	(void)ring;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	*ret_uid = peer.uid;
	return 0;
}

bool ring_peer_is_gone(struct ring *ring, int fd)
{
	struct pollfd state = {.fd = fd};

	(void)ring;
	return poll(&state, 1, 0) == 1 && state.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/* Operations. */

void ring_accept(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(op, fd, on_complete);
	ring->counters.accepts++;
	if (ring->features.multishot)
		io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
	else
		io_uring_prep_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
	ring_start(sqe, op, OP_PLAIN);
}

void ring_connect(struct ring *ring, struct op *op, int fd, const struct sockaddr *address,
	socklen_t address_size, op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(op, fd, on_complete);
	ring->counters.connects++;
	io_uring_prep_connect(sqe, fd, address, address_size);
	ring_start(sqe, op, OP_PLAIN);
}

void ring_send(struct ring *ring, struct op *op, int fd, const void *data, size_t size,
	op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(op, fd, on_complete);
	ring->counters.sends++;
	io_uring_prep_send(sqe, fd, data, size, ring->features.sendwait ? MSG_WAITALL : 0);
	ring_start(sqe, op, OP_PLAIN);
}

static void ring_poll(struct ring *ring, struct op *op, enum op_kind kind)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_poll_add(sqe, op->fd, POLLIN);
	ring_start(sqe, op, kind);
}

void ring_receive(struct ring *ring, struct op *op, int fd, bool soon, op_callback on_complete)
{
	struct io_uring_sqe *sqe;

	op_begin(op, fd, on_complete);
	ring->counters.receives++;
	if (!ring->features.buffers) {
		ring_poll(ring, op, OP_POLL_SMALL);
		return;
	}
	sqe = ring_sqe(ring);
	io_uring_prep_recv(sqe, fd, NULL, 0, 0);
	if (ring->features.multishot)
		sqe->ioprio |= IORING_RECV_MULTISHOT;
	if (!soon)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = ring->small.group;
	ring_start(sqe, op, OP_RECEIVE_SMALL);
}

void ring_receive_large(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	struct io_uring_sqe *sqe;

	op_begin(op, fd, on_complete);
	ring->counters.receives++;
	if (!ring->features.buffers) {
		ring_poll(ring, op, OP_POLL_LARGE);
		return;
	}
	sqe = ring_sqe(ring);
	io_uring_prep_recv(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = ring->large.group;
	ring_start(sqe, op, OP_RECEIVE_LARGE);
}

void ring_receive_message(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	op_begin(op, fd, on_complete);
	ring->counters.receives++;
	ring_poll(ring, op, OP_POLL_MESSAGE);
}

void ring_receive_drop(
	struct ring *ring, struct op *op, int fd, size_t size, op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(op, fd, on_complete);
	ring->counters.receives++;
	io_uring_prep_recv(sqe, fd, NULL, size, MSG_TRUNC);
	ring_start(sqe, op, OP_PLAIN);
}

void ring_close(struct ring *ring, struct op *op, int fd, op_callback on_complete)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	op_begin(op, fd, on_complete);
	ring->counters.closes++;
	ring_start(sqe, op, ring_prepare_close(sqe, fd) ? OP_CLOSE_SLOT : OP_PLAIN);
}

void ring_close_forget(struct ring *ring, int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	ring->counters.closes++;
	sqe->user_data = 0;
	if (ring_prepare_close(sqe, fd))
		sqe->user_data = (uint64_t)(uint32_t)(fd - SLOTS_BASE) << 3 | TAG_SLOT;
}

void ring_cancel(struct ring *ring, struct op *op)
{
	struct io_uring_sqe *sqe;

	if (!op->in_flight || op->cancelled)
		return;
	op->cancelled = true;
	ring->counters.cancels++;
	sqe = ring_sqe(ring);
	io_uring_prep_cancel64(sqe, op_tag(op), 0);
	/* What the cancel itself says (done already, running) is nobody's: the target's completion
	 * comes in any case. */
	sqe->user_data = 0;
}
