/* SPDX-License-Identifier: MIT */
/*
 * origin: an HTTP/1.1 server with exact latencies and thousands of connections.
 *
 * GET /d/MICROSECONDS is answered that long after the request was read, all else at once. It
 * listens on a free port of 127.0.0.1 and says it on stdout: "PORT\n". One thread: epoll, waiting
 * by the nanosecond until the first of the answers that stand in a heap by their time. A measured
 * client can so be held against the latencies themselves, and not against a server's jitter.
 *
 * For cancelling: GET /hold... is never answered, GET /decide/N as soon as N of those are held.
 * GET /ended says how many of them have been ended since, and how long after that answer the last
 * one was: {"n":N,"us":MICROSECONDS}.
 *
 * It serves its own bench: requests without a body, no pipelining, no head above a read's size.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define ORIGIN_CONNS_MAX 20000
#define ORIGIN_EVENTS    512
#define ORIGIN_DELAY     "GET /d/"
#define ORIGIN_HOLD      "GET /hold"
#define ORIGIN_DECIDE    "GET /decide/"
#define ORIGIN_ENDED     "GET /ended"

struct origin_answer {
	uint64_t due_ns;
	int fd;
};

struct origin {
	int epoll_fd, listen_fd;
	/* A binary heap: the first is due first. A connection stands in it at most once, since it
	 * has at most one request. */
	struct origin_answer heap[ORIGIN_CONNS_MAX];
	size_t n;
	/* By descriptor: an answer is owed, so that its end must wait. */
	bool owed[ORIGIN_CONNS_MAX], ended[ORIGIN_CONNS_MAX];
	/* By descriptor: its request is held. How many are, and were ended after the decision. */
	bool held[ORIGIN_CONNS_MAX];
	size_t n_held, n_ended;
	/* Whose answer waits for n_wanted to be held; -1: nobody's. */
	int decider_fd;
	size_t n_wanted;
	uint64_t decided_ns, last_ended_ns;
};

static const char origin_response[] = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
				      "content-length: 11\r\n\r\n{\"ok\":true}";

static struct origin self = {.decider_fd = -1};

static void origin_push(struct origin_answer answer)
{
	size_t i = self.n++;

	for (; i > 0 && self.heap[(i - 1) / 2].due_ns > answer.due_ns; i = (i - 1) / 2)
		self.heap[i] = self.heap[(i - 1) / 2];
	self.heap[i] = answer;
}

static struct origin_answer origin_pop(void)
{
	struct origin_answer first = self.heap[0], last = self.heap[--self.n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < self.n) {
		if (child + 1 < self.n && self.heap[child + 1].due_ns < self.heap[child].due_ns)
			child++;
		if (last.due_ns <= self.heap[child].due_ns)
			break;
		self.heap[i] = self.heap[child];
		i = child;
	}
	self.heap[i] = last;
	return first;
}

static void origin_answer(int fd)
{
	/* A client that is gone shows in the next read. */
	(void)!send(fd, origin_response, sizeof(origin_response) - 1, MSG_NOSIGNAL);
	self.owed[fd] = false;
	if (self.ended[fd])
		close(fd);
}

static void origin_end(int fd)
{
	epoll_ctl(self.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	if (self.held[fd]) {
		self.held[fd] = self.owed[fd] = false;
		self.n_held--;
		self.n_ended++;
		self.last_ended_ns = measure_now_ns();
	}
	self.ended[fd] = true;
	if (!self.owed[fd])
		close(fd);
}

static void origin_decide(void)
{
	int fd = self.decider_fd;

	if (fd < 0 || self.n_held < self.n_wanted)
		return;
	self.decider_fd = -1;
	self.n_ended = 0;
	self.decided_ns = self.last_ended_ns = measure_now_ns();
	origin_answer(fd);
}

static void origin_tell_ended(int fd)
{
	char body[64], data[256];
	int n = snprintf(body, sizeof(body), "{\"n\":%zu,\"us\":%llu}", self.n_ended,
		(unsigned long long)(self.last_ended_ns - self.decided_ns) / 1000);

	n = snprintf(data, sizeof(data), "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", n,
		body);
	(void)!send(fd, data, (size_t)n, MSG_NOSIGNAL);
}

/* True: it was a request that has to do with cancelling. */
static bool origin_hold(int fd, const char *data)
{
	if (strncmp(data, ORIGIN_ENDED, strlen(ORIGIN_ENDED)) == 0) {
		origin_tell_ended(fd);
		return true;
	}
	if (strncmp(data, ORIGIN_HOLD, strlen(ORIGIN_HOLD)) == 0) {
		self.held[fd] = self.owed[fd] = true;
		self.n_held++;
	} else if (strncmp(data, ORIGIN_DECIDE, strlen(ORIGIN_DECIDE)) == 0) {
		self.owed[fd] = true;
		self.decider_fd = fd;
		self.n_wanted = strtoull(data + strlen(ORIGIN_DECIDE), NULL, 10);
	} else {
		return false;
	}
	origin_decide();
	return true;
}

static void origin_read(int fd)
{
	char data[8192];
	ssize_t n = recv(fd, data, sizeof(data) - 1, 0);
	uint64_t delay_us = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		origin_end(fd);
		return;
	}
	data[n] = '\0';
	if (origin_hold(fd, data))
		return;
	if (strncmp(data, ORIGIN_DELAY, strlen(ORIGIN_DELAY)) == 0)
		delay_us = strtoull(data + strlen(ORIGIN_DELAY), NULL, 10);
	self.owed[fd] = true;
	if (delay_us == 0)
		origin_answer(fd);
	else
		origin_push((struct origin_answer){
			.due_ns = measure_now_ns() + delay_us * 1000, .fd = fd});
}

static void origin_accept(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int on = 1, fd;

	while ((fd = accept4(self.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= ORIGIN_CONNS_MAX) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		self.owed[fd] = self.ended[fd] = self.held[fd] = false;
		event.data.fd = fd;
		epoll_ctl(self.epoll_fd, EPOLL_CTL_ADD, fd, &event);
	}
}

static void origin_answer_due(void)
{
	while (self.n > 0 && self.heap[0].due_ns <= measure_now_ns())
		origin_answer(origin_pop().fd);
}

static void origin_turn(void)
{
	struct epoll_event events[ORIGIN_EVENTS];
	struct timespec wait = {0}, *waitp = NULL;
	int n;

	if (self.n > 0) {
		uint64_t now_ns = measure_now_ns(), due_ns = self.heap[0].due_ns;

		if (due_ns > now_ns) {
			wait.tv_sec = (time_t)((due_ns - now_ns) / 1000000000);
			wait.tv_nsec = (long)((due_ns - now_ns) % 1000000000);
		}
		waitp = &wait;
	}
	n = epoll_pwait2(self.epoll_fd, events, ORIGIN_EVENTS, waitp, NULL);
	origin_answer_due();
	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == self.listen_fd)
			origin_accept();
		else
			origin_read(events[i].data.fd);
	}
}

static void origin_listen(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct epoll_event event = {.events = EPOLLIN};

	self.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(self.listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(self.listen_fd, 65535) < 0 ||
		getsockname(self.listen_fd, (struct sockaddr *)&address, &size) < 0)
		measure_fail("listen");
	event.data.fd = self.listen_fd;
	epoll_ctl(self.epoll_fd, EPOLL_CTL_ADD, self.listen_fd, &event);
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
}

int main(void)
{
	struct rlimit files;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	origin_listen();
	while (true)
		origin_turn();
}
