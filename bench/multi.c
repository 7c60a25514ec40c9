/* SPDX-License-Identifier: MIT */
/*
 * multi PORT REQUESTS CONNECTIONS: the same requests by libcurl's multi interface, used as its
 * manual advises whom performance matters: curl_multi_socket_action() over epoll, a fixed set of
 * easy handles used again and again, bodies dropped in a callback. It has no daemon, no graph,
 * and prints no record; a program that wants many responses fast would be written so.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

#include "measure.h"

#define MULTI_EVENTS 64

struct multi_request {
	uint64_t begin_ns;
	char url[64];
};

struct multi {
	CURLM *curl;
	int epoll_fd;
	/* UINT64_MAX: libcurl wants no timer. */
	uint64_t timer_ns;
	uint64_t n_requests, n_started;
	uint64_t now_ns;
	int port;
};

static struct multi self;
static struct measure measured;

static size_t multi_on_body(char *data, size_t size, size_t n, void *context)
{
	return size * n;
}

static int multi_on_timer(CURLM *curl, long timeout_ms, void *context)
{
	self.timer_ns = timeout_ms < 0 ? UINT64_MAX
				       : measure_now_ns() + (uint64_t)timeout_ms * 1000000;
	return 0;
}

/* `known` is not NULL once this socket is in the epoll set. */
static int multi_on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct epoll_event event = {
		.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
			(what & CURL_POLL_OUT ? EPOLLOUT : 0u),
		.data.fd = fd,
	};

	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(self.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	epoll_ctl(self.epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	if (!known)
		curl_multi_assign(self.curl, fd, &self);
	return 0;
}

static void multi_start(CURL *easy)
{
	struct multi_request *request;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request);
	snprintf(request->url, sizeof(request->url), "http://127.0.0.1:%d/item/%llu", self.port,
		(unsigned long long)self.n_started++);
	request->begin_ns = self.now_ns;
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_multi_add_handle(self.curl, easy);
}

static void multi_make(struct multi_request *request)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		measure_fail("curl_easy_init");
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, multi_on_body);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	multi_start(easy);
}

static void multi_reap(void)
{
	struct multi_request *request;
	CURLMsg *message;
	long status;
	int left;

	while ((message = curl_multi_info_read(self.curl, &left))) {
		CURL *easy = message->easy_handle;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		if (message->data.result != CURLE_OK || status != 200)
			measure_fail("a request failed");
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request);
		measure_add(&measured, self.now_ns - request->begin_ns);
		curl_multi_remove_handle(self.curl, easy);
		if (self.n_started < self.n_requests)
			multi_start(easy);
		else
			curl_easy_cleanup(easy);
	}
}

static int multi_timeout_ms(void)
{
	uint64_t now_ns;

	if (self.timer_ns == UINT64_MAX)
		return -1;
	now_ns = measure_now_ns();
	return self.timer_ns <= now_ns ? 0 : (int)((self.timer_ns - now_ns + 999999) / 1000000);
}

static void multi_turn(void)
{
	struct epoll_event events[MULTI_EVENTS];
	int running, n = epoll_wait(self.epoll_fd, events, MULTI_EVENTS, multi_timeout_ms());

	self.now_ns = measure_now_ns();
	for (int i = 0; i < n; i++) {
		int action = (events[i].events & ~(unsigned)EPOLLOUT ? CURL_CSELECT_IN : 0) |
			(events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);

		curl_multi_socket_action(self.curl, events[i].data.fd, action, &running);
	}
	if (self.timer_ns <= self.now_ns) {
		self.timer_ns = UINT64_MAX;
		curl_multi_socket_action(self.curl, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	multi_reap();
}

int main(int argc, char **argv)
{
	static struct multi_request requests[1024];
	unsigned long n_conns;

	if (argc != 4)
		return 2;
	self.port = (int)strtol(argv[1], NULL, 10);
	self.n_requests = strtoull(argv[2], NULL, 10);
	n_conns = strtoul(argv[3], NULL, 10);
	if (n_conns > 1024 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return 2;
	self.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self.timer_ns = UINT64_MAX;
	self.curl = curl_multi_init();
	curl_multi_setopt(self.curl, CURLMOPT_SOCKETFUNCTION, multi_on_socket);
	curl_multi_setopt(self.curl, CURLMOPT_TIMERFUNCTION, multi_on_timer);
	measured.begin_ns = self.now_ns = measure_now_ns();
	for (unsigned long i = 0; i < n_conns; i++)
		multi_make(&requests[i]);
	while (measured.n < self.n_requests)
		multi_turn();
	measure_print(&measured);
	curl_multi_cleanup(self.curl);
	return 0;
}
