/* SPDX-License-Identifier: MIT */
/*
 * multi URL REQUESTS HANDLES [1.1|2 CA]: the same requests by libcurl's multi interface: a fixed
 * set of easy handles used again and again, bodies dropped in a callback. It has no daemon, no
 * graph, and prints no record; a program that wants many responses fast would be written so. A
 * number is put behind the URL. With HTTP/2 all handles are streams of one connection; CA is the
 * certificate that a server is held against.
 *
 * Rejected: curl_multi_socket_action() over epoll. It is made for thousands of connections; with
 * these few it costs a third more, since libcurl takes a socket out of the set after each
 * transfer and puts it back before the next.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "measure.h"

#define MULTI_CONNS_MAX 1024
#define MULTI_WAIT_MS   1000

struct multi_request {
	uint64_t begin_ns;
	char url[128];
};

struct multi {
	CURLM *curl;
	uint64_t n_requests, n_started;
	uint64_t now_ns;
	uint64_t n_turns;
	const char *url;
	/* NULL: none. */
	const char *ca;
	bool is_http2;
	struct multi_request requests[MULTI_CONNS_MAX];
};

static struct multi self;
static struct measure measured;

static size_t multi_on_body(char *data, size_t size, size_t n, void *context)
{
	return size * n;
}

static void multi_start(CURL *easy)
{
	struct multi_request *request;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request);
	snprintf(request->url, sizeof(request->url), "%s%llu", self.url,
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
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
		self.is_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, self.is_http2 ? 1L : 0L);
	if (self.ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, self.ca);
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

static void multi_turn(void)
{
	int running;

	if (curl_multi_poll(self.curl, NULL, 0, MULTI_WAIT_MS, NULL) != CURLM_OK)
		measure_fail("curl_multi_poll");
	self.n_turns++;
	self.now_ns = measure_now_ns();
	curl_multi_perform(self.curl, &running);
	multi_reap();
}

int main(int argc, char **argv)
{
	unsigned long n_conns;

	if (argc != 4 && argc != 6)
		return 2;
	self.url = argv[1];
	self.is_http2 = argc == 6 && strcmp(argv[4], "2") == 0;
	self.ca = argc == 6 ? argv[5] : NULL;
	self.n_requests = strtoull(argv[2], NULL, 10);
	n_conns = strtoul(argv[3], NULL, 10);
	if (n_conns > MULTI_CONNS_MAX || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return 2;
	self.curl = curl_multi_init();
	if (self.is_http2)
		curl_multi_setopt(self.curl, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
	measured.begin_ns = self.now_ns = measure_now_ns();
	for (unsigned long i = 0; i < n_conns && i < self.n_requests; i++)
		multi_make(&self.requests[i]);
	while (measured.n < self.n_requests)
		multi_turn();
	measure_print(&measured, self.n_turns);
	curl_multi_cleanup(self.curl);
	return 0;
}
