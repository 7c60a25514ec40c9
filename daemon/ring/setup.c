/* SPDX-License-Identifier: MIT */
#include "ring/ring_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ring/compat.h"
#include "util/container.h"
#include "util/panic.h"
#include "util/text.h"

/*
 * A ring as good as this kernel gives it. What it has is found by trying, not by its version:
 * distributions carry both features and their bugs back. Each step down the ladder is taken on
 * EINVAL alone; any other error is told, with its cause and its cure.
 *
 * The ring is born disabled, told the few operations a fetch daemon makes, and then enabled: what
 * an attacker inside the process could ask of it ends there (seccomp does not see ring
 * operations).
 */

/* A table of half a megabyte: more sockets than that stay descriptors. */
#define SLOTS_MAX 65536

static const uint8_t ring_operations[] = {
	IORING_OP_ACCEPT,
	IORING_OP_ASYNC_CANCEL,
	IORING_OP_CLOSE,
	IORING_OP_CONNECT,
	IORING_OP_POLL_ADD,
	IORING_OP_READ,
	IORING_OP_RECV,
	IORING_OP_SEND,
	IORING_OP_WRITE,
};

/* True where the comma separated list does not name the feature. */
static bool ring_wants(const char *disable, const char *feature)
{
	struct text rest = disable ? text_from(disable) : (struct text){"", 0};

	while (rest.size > 0) {
		size_t comma = text_find(rest, ',');

		if (text_is((struct text){rest.data, comma}, feature))
			return false;
		rest = text_from_at(rest, comma + 1);
	}
	return true;
}

static int sysctl_io_uring_disabled(void)
{
	FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static const char *ring_refusal(int error)
{
	switch (error) {
	case -ENOSYS:
		return "this kernel has no io_uring, or a seccomp filter hides it: use Linux 6.1 "
		       "or "
		       "later with CONFIG_IO_URING, and a container profile that allows io_uring";
	case -EPERM:
		if (sysctl_io_uring_disabled() > 0)
			return "io_uring is switched off by the sysctl kernel.io_uring_disabled: "
			       "set it "
			       "to 0, or to 1 and add the daemon's group to kernel.io_uring_group";
		return "io_uring is forbidden by a seccomp filter or a security module: allow "
		       "io_uring_setup, io_uring_enter and io_uring_register (container engines: "
		       "--security-opt seccomp=PROFILE with these three added)";
	case -EACCES:
		return "io_uring is forbidden by a seccomp filter or a security module: allow "
		       "io_uring_setup, io_uring_enter and io_uring_register";
	case -ENOMEM:
		return "no memory for the ring: raise LimitMEMLOCK= (ulimit -l) or the memory "
		       "limit";
	case -EMFILE:
	case -ENFILE: return "no descriptor left for the ring: raise LimitNOFILE= (ulimit -n)";
	case -EINVAL: return "this kernel's io_uring is too old: use Linux 6.1 or later";
	default: return "io_uring_setup failed";
	}
}

/* The ladder of set-up flags, the best first. */
static int uring_init(struct ring *ring, const struct ring_options *options)
{
	static const unsigned rungs[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
		0,
	};
	size_t rung = ring_wants(options->disable, "defer") ? 0 : 1;
	unsigned disabled =
		ring_wants(options->disable, "restrictions") ? IORING_SETUP_R_DISABLED : 0;
	int r;

	for (; rung < countof(rungs); rung++) {
		struct io_uring_params params = {
			.flags = rungs[rung] | disabled | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
			.cq_entries = options->completions,
		};

		r = io_uring_queue_init_params(options->entries, &ring->uring, &params);
		if (r == -EINVAL)
			continue;
		if (r < 0)
			return r;
		ring->features.defer = rung == 0;
		ring->features.restrictions = disabled != 0;
		return 0;
	}
	return -EINVAL;
}

/* Must come last while the ring is disabled: what is registered later must be allowed here. */
static int uring_restrict(struct ring *ring)
{
	struct io_uring_restriction rules[countof(ring_operations) + 4];
	size_t n = 0;
	int r;

	memset(rules, 0, sizeof(rules));
	for (size_t i = 0; i < countof(ring_operations); i++) {
		rules[n].opcode = IORING_RESTRICTION_SQE_OP;
		rules[n++].sqe_op = ring_operations[i];
	}
	rules[n].opcode = IORING_RESTRICTION_SQE_OP;
	rules[n++].sqe_op = ring->features.truncate ? IORING_OP_FTRUNCATE_ : IORING_OP_NOP;
	rules[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	rules[n++].sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE | IOSQE_ASYNC;
	rules[n].opcode = IORING_RESTRICTION_REGISTER_OP;
	rules[n++].register_op = IORING_UNREGISTER_RING_FDS;
	rules[n].opcode = IORING_RESTRICTION_REGISTER_OP;
	rules[n++].register_op = IORING_REGISTER_FILES_UPDATE;
	/* liburing 2.3 declares wrappers for these two and does not export them. */
	r = io_uring_register(
		(unsigned)ring->uring.ring_fd, IORING_REGISTER_RESTRICTIONS, rules, (unsigned)n);
	if (r < 0)
		return r;
	return io_uring_register(
		(unsigned)ring->uring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int buffers_set_up(struct ring *ring, const struct ring_options *options)
{
	if (ring_wants(options->disable, "buffers")) {
		int r = buffers_init(&ring->small, &ring->uring, options->n_buffers,
			options->buffer_size, BUFFER_GROUP_SMALL);

		if (r == 0)
			r = buffers_init(&ring->large, &ring->uring, options->n_large_buffers,
				options->large_buffer_size, BUFFER_GROUP_LARGE);
		if (r == 0) {
			ring->features.buffers = true;
			return 0;
		}
		if (r == -ENOMEM)
			return r;
		buffers_deinit(&ring->small);
	}
	if (buffers_init_single(&ring->small, options->buffer_size) < 0)
		return -ENOMEM;
	return buffers_init_single(&ring->large, options->large_buffer_size);
}

/* As many as there may be descriptors: each came from one. */
static void slots_set_up(struct ring *ring, const struct ring_options *options)
{
	struct rlimit limit = {.rlim_cur = 0};
	uint32_t n = SLOTS_MAX;

	/* Slots are sound since 6.13; the nearest the kernel says of itself is 6.14. */
	if (!ring_wants(options->disable, "slots") || !ring->features.buffers ||
		!(ring->uring.features & IORING_FEAT_RW_ATTR))
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == 0)
		return;
	if (limit.rlim_cur < n)
		n = (uint32_t)limit.rlim_cur;
	ring->features.slots = slots_init(&ring->slots, &ring->uring, n) == 0;
}

/* Asked, not tried: it would need a file. */
static bool has_truncate(struct ring *ring)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(&ring->uring);
	bool has = probe && io_uring_opcode_supported(probe, IORING_OP_FTRUNCATE_);

	io_uring_free_probe(probe);
	return has;
}

/* Only what waits for a file needs a worker thread: the descriptors that clients pass. Few are
 * enough for disks; a file whose server does not answer holds one, and must not hold all. */
static void limit_workers(struct ring *ring)
{
	unsigned workers[2] = {8, 4};

	(void)io_uring_register_iowq_max_workers(&ring->uring, workers);
}

/* A receive on a socket pair that holds a byte: does it stay armed? */
static bool multishot_works(struct ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	struct __kernel_timespec second = {.tv_sec = 1};
	struct io_uring_cqe *cqe = NULL;
	bool works = false;
	int pair[2];

	if (!sqe || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	io_uring_prep_recv(sqe, pair[0], NULL, 0, 0);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = BUFFER_GROUP_SMALL;
	io_uring_sqe_set_data64(sqe, 0);
	if (write(pair[1], "x", 1) == 1 &&
		io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1, &second, NULL) >= 0 &&
		cqe) {
		works = cqe->res == 1 && cqe->flags & IORING_CQE_F_MORE;
		if (cqe->flags & IORING_CQE_F_BUFFER)
			buffers_put(&ring->small, cqe->flags);
		io_uring_cqe_seen(&ring->uring, cqe);
	}
	/* The other end's close ends the receive; its completion is nobody's. */
	close(pair[1]);
	close(pair[0]);
	return works;
}

static void find_features(struct ring *ring, const struct ring_options *options)
{
	struct ring_features *features = &ring->features;

	/* liburing 2.3 writes the indirection array at each submit, later ones at set-up; we fill
	 * the submission queue ourselves, so it is written once, here. */
	for (unsigned i = 0; ring->uring.sq.array && i < ring->uring.sq.ring_entries; i++)
		ring->uring.sq.array[i] = i;
	ring->enter_flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
	features->noiowait = ring_wants(options->disable, "noiowait") &&
			     ring->uring.features & IORING_FEAT_NO_IOWAIT;
	if (features->noiowait)
		ring->enter_flags |= IORING_ENTER_NO_IOWAIT;
	if (features->registered)
		ring->enter_flags |= IORING_ENTER_REGISTERED_RING;
	/* Came with the buffer rings, in 5.19. */
	features->sendwait = ring_wants(options->disable, "sendwait") && features->buffers;
	features->multishot = ring_wants(options->disable, "multishot") && features->buffers &&
			      multishot_works(ring);
}

int ring_set_up(struct ring *ring, const struct ring_options *options, const char **ret_why)
{
	unsigned needed = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL;
	int r = uring_init(ring, options);

	*ret_why = ring_refusal(r);
	if (r < 0)
		return r;
	if ((ring->uring.features & needed) != needed) {
		*ret_why = ring_refusal(-EINVAL);
		r = -EINVAL;
		goto failed;
	}
	io_uring_ring_dontfork(&ring->uring);
	limit_workers(ring);
	ring->features.registered = ring_wants(options->disable, "registered") &&
				    io_uring_register_ring_fd(&ring->uring) == 1;
	r = buffers_set_up(ring, options);
	if (r == 0)
		r = buffers_init_single(&ring->message, options->large_buffer_size);
	*ret_why = ring_refusal(r);
	if (r < 0)
		goto failed;
	slots_set_up(ring, options);
	ring->features.truncate = ring_wants(options->disable, "truncate") && has_truncate(ring);
	if (ring->features.restrictions) {
		*ret_why = "the ring refused its list of allowed operations "
			   "(SETTLED_URING_DISABLE=restrictions does without)";
		r = uring_restrict(ring);
		if (r < 0)
			goto failed;
	}
	find_features(ring, options);
	return 0;

failed:
	io_uring_queue_exit(&ring->uring);
	buffers_deinit(&ring->small);
	buffers_deinit(&ring->large);
	buffers_deinit(&ring->message);
	slots_deinit(&ring->slots);
	return r;
}
