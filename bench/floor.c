/* SPDX-License-Identifier: MIT */
/*
 * floor PORT REQUESTS CONNECTIONS BATCH: what a small keep-alive request costs at least on this
 * machine.
 *
 * Nothing but the system calls a client cannot do without, made in the cheapest way io_uring has:
 * one thread, one ring, one entry to the kernel for all that a turn has to start and to hear; a
 * receive per connection that stays armed, into a few shared buffers; a send per request that
 * completes silently; registered descriptors. No parser, no timer, no pool: the length of a
 * response is learnt once, and its bytes are counted. The URLs are distinct, as everywhere in the
 * bench, so each request is written anew.
 *
 * A turn waits for BATCH completions. With 1 the loop is one that could be used. With more it is
 * cheaper, for what a turn costs is shared, and could not: nothing bounds the wait where fewer are
 * in flight. A client whose turns take longer gets such batches for nothing, so that both belong
 * beside it. No client that makes one send per request can be cheaper by much than the latter:
 * the distance to it is what a client's own work costs.
 *
 * Rejected: SQPOLL (a second thread burns a core) and several requests per send (no client of
 * many origins can).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define FLOOR_BUFFERS     64
#define FLOOR_BUFFER_SIZE 4096
#define FLOOR_CONNS_MAX   1024
#define FLOOR_SEND        UINT64_MAX

struct floor_conn {
	uint64_t sent_ns;
	/* Bytes of the response that have not come yet. */
	size_t left;
	char request[256];
};

struct floor {
	struct io_uring ring;
	struct io_uring_buf_ring *buffers;
	char *memory;
	uint16_t tail;
	uint64_t now_ns;
	size_t response_size;
	uint64_t n_requests, n_sent;
	unsigned n_conns, batch;
	int port;
	uint64_t n_turns;
	/* All requests are alike but for their number. */
	size_t suffix_size;
	char suffix[128];
	struct floor_conn conns[FLOOR_CONNS_MAX];
};

static struct floor self;
static struct measure measured;

static int floor_connect(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)self.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		measure_fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static size_t floor_write_request(char *out, uint64_t number)
{
	static const char prefix[] = "GET /item/";
	char digits[20], *digit = digits + sizeof(digits);
	size_t size = sizeof(prefix) - 1, n;

	do
		*--digit = (char)('0' + number % 10);
	while (number /= 10);
	n = (size_t)(digits + sizeof(digits) - digit);
	memcpy(out, prefix, size);
	memcpy(out + size, digit, n);
	memcpy(out + size + n, self.suffix, self.suffix_size);
	return size + n + self.suffix_size;
}

/* One request the slow way: how long is a response? */
static void floor_learn(int fd)
{
	char data[4096] = "", *end = NULL, *length;
	size_t size = floor_write_request(data, 0), got = 0;

	if (send(fd, data, size, 0) != (ssize_t)size)
		measure_fail("send");
	while (!end) {
		ssize_t n = recv(fd, data + got, sizeof(data) - 1 - got, 0);

		if (n <= 0)
			measure_fail("recv");
		got += (size_t)n;
		data[got] = '\0';
		end = strstr(data, "\r\n\r\n");
	}
	length = strcasestr(data, "content-length: ");
	if (!length)
		measure_fail("no content-length");
	self.response_size = (size_t)(end + 4 - data) + strtoul(length + 16, NULL, 10);
	while (got < self.response_size) {
		ssize_t n = recv(fd, data, self.response_size - got, 0);

		if (n <= 0)
			measure_fail("recv");
		got += (size_t)n;
	}
}

static void floor_put_buffer(unsigned id)
{
	struct io_uring_buf *entry = &self.buffers->bufs[self.tail++ & (FLOOR_BUFFERS - 1)];

	entry->addr = (uintptr_t)(self.memory + (size_t)id * FLOOR_BUFFER_SIZE);
	entry->len = FLOOR_BUFFER_SIZE;
	entry->bid = (uint16_t)id;
}

static void floor_publish_buffers(void)
{
	__atomic_store_n(&self.buffers->tail, self.tail, __ATOMIC_RELEASE);
}

static void floor_set_up_ring(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
		.cq_entries = 4096,
	};
	struct io_uring_buf_reg group = {.ring_entries = FLOOR_BUFFERS};
	size_t size = FLOOR_BUFFERS * sizeof(struct io_uring_buf);

	if (io_uring_queue_init_params(FLOOR_CONNS_MAX, &self.ring, &params) < 0 ||
		io_uring_register_ring_fd(&self.ring) < 0)
		measure_fail("io_uring");
	self.buffers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	self.memory = malloc(FLOOR_BUFFERS * FLOOR_BUFFER_SIZE);
	group.ring_addr = (uintptr_t)self.buffers;
	if (self.buffers == MAP_FAILED || !self.memory ||
		io_uring_register_buf_ring(&self.ring, &group, 0) < 0)
		measure_fail("buffers");
	for (unsigned i = 0; i < FLOOR_BUFFERS; i++)
		floor_put_buffer(i);
	floor_publish_buffers();
}

static void floor_open(void)
{
	int fds[FLOOR_CONNS_MAX];

	for (unsigned i = 0; i < self.n_conns; i++)
		fds[i] = floor_connect();
	floor_learn(fds[0]);
	floor_set_up_ring();
	if (io_uring_register_files(&self.ring, fds, self.n_conns) < 0)
		measure_fail("register_files");
}

static struct io_uring_sqe *floor_sqe(unsigned i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self.ring);

	if (!sqe) {
		io_uring_submit(&self.ring);
		sqe = io_uring_get_sqe(&self.ring);
	}
	io_uring_sqe_set_data64(sqe, i);
	return sqe;
}

static void floor_receive(unsigned i)
{
	struct io_uring_sqe *sqe = floor_sqe(i);

	io_uring_prep_recv_multishot(sqe, (int)i, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
	sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
}

static void floor_send(unsigned i)
{
	struct floor_conn *conn = &self.conns[i];
	struct io_uring_sqe *sqe;
	size_t size;

	if (self.n_sent == self.n_requests)
		return;
	size = floor_write_request(conn->request, self.n_sent++);
	conn->left = self.response_size;
	conn->sent_ns = self.now_ns;
	sqe = floor_sqe(i);
	io_uring_prep_send(sqe, (int)i, conn->request, size, MSG_WAITALL | MSG_NOSIGNAL);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(sqe, FLOOR_SEND);
}

static void floor_on_completion(const struct io_uring_cqe *cqe)
{
	unsigned i = (unsigned)cqe->user_data;
	struct floor_conn *conn = &self.conns[i];

	if (cqe->user_data == FLOOR_SEND || (cqe->res <= 0 && cqe->res != -ENOBUFS)) {
		errno = -cqe->res;
		measure_fail("a connection broke");
	}
	if (!(cqe->flags & IORING_CQE_F_MORE))
		floor_receive(i);
	if (cqe->res < 0)
		return;
	floor_put_buffer(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
	if ((size_t)cqe->res > conn->left)
		measure_fail("a response of another length");
	conn->left -= (size_t)cqe->res;
	if (conn->left == 0) {
		measure_add(&measured, self.now_ns - conn->sent_ns);
		floor_send(i);
	}
}

static void floor_turn(void)
{
	struct io_uring_cqe *cqe;
	unsigned head, n = 0;
	/* The last ones come as they come. */
	bool is_ending = self.n_requests - measured.n < self.n_conns;

	if (io_uring_submit_and_wait(&self.ring, is_ending ? 1 : self.batch) < 0)
		measure_fail("submit_and_wait");
	self.now_ns = measure_now_ns();
	io_uring_for_each_cqe(&self.ring, head, cqe)
	{
		floor_on_completion(cqe);
		n++;
	}
	io_uring_cq_advance(&self.ring, n);
	floor_publish_buffers();
	self.n_turns++;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	self.port = (int)strtol(argv[1], NULL, 10);
	self.n_requests = strtoull(argv[2], NULL, 10);
	self.n_conns = (unsigned)strtoul(argv[3], NULL, 10);
	self.batch = (unsigned)strtoul(argv[4], NULL, 10);
	if (self.n_conns > FLOOR_CONNS_MAX)
		return 2;
	self.suffix_size = (size_t)snprintf(self.suffix, sizeof(self.suffix),
		" HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept: */*\r\n\r\n", self.port);
	floor_open();
	measured.begin_ns = self.now_ns = measure_now_ns();
	for (unsigned i = 0; i < self.n_conns; i++) {
		floor_receive(i);
		floor_send(i);
	}
	while (measured.n < self.n_requests)
		floor_turn();
	measure_print(&measured, self.n_turns);
	return 0;
}
