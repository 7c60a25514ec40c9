/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a URL. One that parses has a normal form that parses to itself, is made of its
 * parts, and has nothing in it that a request line or Host must not have.
 *
 * What we take, curl takes, and finds the same host, port, path and query in it: two programs
 * that look at one URL are never sent to two places. (What we refuse curl may take, and often
 * does: userinfo, spaces, 127.1.) It differs in form alone, and here is all of it:
 * - the host keeps its upper case;
 * - an IPv6 address is written anew, in its shortest form;
 * - a query that is empty is none: "/?" asks for "/" (7.88; newer ones can tell);
 * - bytes that are neither target bytes nor ASCII controls are encoded only where asked for, and
 *   in lower-case hexadecimal digits: they are compared as they were written.
 */

#include <arpa/inet.h>
#include <stdlib.h>
#ifdef FUZZ_CURL
#include <curl/curl.h>
#endif

#include "http/url.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_BEFORE "what was there"

static void fuzz_check_parts(const struct url *url)
{
	struct text scheme = url->is_https ? TEXT("https://") : TEXT("http://");
	size_t at = scheme.size;

	expect(text_starts_with(url->text, scheme));
	expect(url->authority.data == url->text.data + at);
	at += url->authority.size;
	expect(url->target.data == url->text.data + at);
	expect(at + url->target.size == url->text.size);
	expect(url->host.size > 0 && url->host.size <= url->authority.size);
	expect(url->host.data == url->authority.data + (url->is_ipv6 ? 1 : 0));
	expect(url->port != 0);
	expect(!(url->is_ipv4 && url->is_ipv6));
}

static void fuzz_check_bytes(const struct url *url)
{
	for (size_t i = 0; i < url->text.size; i++) {
		unsigned char c = (unsigned char)url->text.data[i];

		expect(c > ' ' && c < 0x7f && c != '\\' && c != '#');
	}
	expect(url->target.data[0] == '/');
	for (size_t i = 0; i < url->target.size; i++)
		expect(url_is_target_byte((unsigned char)url->target.data[i]));
	for (size_t i = 0; i < url->host.size; i++) {
		char c = url->host.data[i];

		expect(c != '@' && c != '/' && c != '?' && c != '%' && c == text_lower(c));
		expect(url->is_ipv6 || c != ':');
	}
}

static void fuzz_check_again(const struct url *url)
{
	struct buffer out;
	struct url again;

	buffer_init(&out, 4 * URL_SIZE_MAX);
	if (url->text.size <= URL_SIZE_MAX) {
		expect(url_parse(url->text, &out, &again) == URL_OK);
		expect(text_equal(again.text, url->text));
		expect(text_equal(again.host, url->host));
		expect(text_equal(again.authority, url->authority));
		expect(text_equal(again.target, url->target));
		expect(again.port == url->port);
		expect(again.is_https == url->is_https);
		expect(again.is_ipv6 == url->is_ipv6);
		expect(again.is_ipv4 == url->is_ipv4);
	}
	buffer_deinit(&out);
}

static int fuzz_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	expect(c >= 'A' && c <= 'F');
	return c - 'A' + 10;
}

/* What was encoded, decoded again, is what went in. */
static void fuzz_check_encoded(struct text input, bool is_form)
{
	struct buffer out;
	size_t at = 0;

	buffer_init(&out, 3 * input.size + 1);
	if (is_form)
		url_append_form_encoded(&out, input);
	else
		url_append_encoded(&out, input);
	expect(!out.failed);
	for (size_t i = 0; i < input.size; i++) {
		char c;

		expect(at < out.size);
		c = out.data[at++];
		if (c == '%') {
			expect(at + 2 <= out.size);
			c = (char)(fuzz_hex(out.data[at]) << 4 | fuzz_hex(out.data[at + 1]));
			at += 2;
		} else {
			expect(c == '+' || url_is_target_byte((unsigned char)c));
			expect(c != '&' && c != '=' && c != '/' && c != '?');
			c = is_form && c == '+' ? ' ' : c;
		}
		expect(c == input.data[i]);
	}
	expect(at == out.size);
	buffer_deinit(&out);
}

#ifdef FUZZ_CURL
static char *fuzz_curl_part(CURLU *curl, CURLUPart what, unsigned flags)
{
	char *part = NULL;

	expect(curl_url_get(curl, what, &part, flags) == CURLUE_OK && part);
	return part;
}

static void fuzz_check_curl_host(CURLU *curl, const struct url *url)
{
	char *part = fuzz_curl_part(curl, CURLUPART_HOST, 0);
	struct text host = text_from(part);

	if (url->is_ipv6) {
		char ours[INET6_ADDRSTRLEN] = "", theirs[INET6_ADDRSTRLEN] = "";
		struct in6_addr a, b;

		expect(host.size > 2 && host.size - 2 < sizeof(theirs));
		expect(host.data[0] == '[' && host.data[host.size - 1] == ']');
		memcpy(theirs, host.data + 1, host.size - 2);
		memcpy(ours, url->host.data, url->host.size);
		expect(inet_pton(AF_INET6, ours, &a) == 1 && inet_pton(AF_INET6, theirs, &b) == 1);
		expect(memcmp(&a, &b, sizeof(a)) == 0);
	} else {
		expect(text_equal_nocase(host, url->host));
	}
	curl_free(part);
}

/* Path and query as curl has them, what is no target byte encoded as ours is. */
static void fuzz_check_curl_target(CURLU *curl, const struct url *url)
{
	static const char digits[] = "0123456789ABCDEF";
	char *path = fuzz_curl_part(curl, CURLUPART_PATH, 0), *query = NULL;
	struct text target = url->target;
	struct buffer raw, encoded;

	buffer_init(&raw, 4 * URL_SIZE_MAX);
	buffer_init(&encoded, 12 * URL_SIZE_MAX);
	buffer_append_text(&raw, text_from(path));
	if (curl_url_get(curl, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
		buffer_append_byte(&raw, '?');
		buffer_append_text(&raw, text_from(query));
	} else if (text_find(target, '?') == target.size - 1) {
		target.size--;
	}
	for (size_t i = 0; i < raw.size; i++) {
		unsigned char c = (unsigned char)raw.data[i];

		if (url_is_target_byte(c)) {
			buffer_append_byte(&encoded, (char)c);
		} else {
			buffer_append_byte(&encoded, '%');
			buffer_append_byte(&encoded, digits[c >> 4]);
			buffer_append_byte(&encoded, digits[c & 15]);
		}
	}
	expect(!raw.failed && !encoded.failed);
	expect(text_equal(buffer_text(&encoded), target));
	buffer_deinit(&encoded);
	buffer_deinit(&raw);
	curl_free(query);
	curl_free(path);
}

static void fuzz_check_curl(struct text input, const struct url *url)
{
	CURLU *curl = curl_url();
	char *string = strndup(input.data, input.size);
	char *scheme, *port;
	uint64_t number;

	expect(curl && string);
	expect(curl_url_set(curl, CURLUPART_URL, string, CURLU_PATH_AS_IS) == CURLUE_OK);
	scheme = fuzz_curl_part(curl, CURLUPART_SCHEME, 0);
	expect(strcmp(scheme, url->is_https ? "https" : "http") == 0);
	port = fuzz_curl_part(curl, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	expect(text_to_u64(text_from(port), UINT16_MAX, &number) && number == url->port);
	fuzz_check_curl_host(curl, url);
	fuzz_check_curl_target(curl, url);
	curl_free(port);
	curl_free(scheme);
	free(string);
	curl_url_cleanup(curl);
}
#else
static void fuzz_check_curl(struct text input, const struct url *url)
{
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = {(const char *)data, size};
	struct url untouched = {.port = 4711};
	struct url url = untouched;
	enum url_error error;
	struct buffer out;

	buffer_init(&out, 4 * URL_SIZE_MAX);
	buffer_append_literal(&out, FUZZ_BEFORE);
	error = url_parse(input, &out, &url);
	expect(text_starts_with(buffer_text(&out), TEXT(FUZZ_BEFORE)));
	if (error == URL_OK) {
		expect(out.size == strlen(FUZZ_BEFORE) + url.text.size);
		fuzz_check_parts(&url);
		fuzz_check_bytes(&url);
		fuzz_check_again(&url);
		fuzz_check_curl(input, &url);
	} else {
		expect(out.size == strlen(FUZZ_BEFORE));
		expect(url.port == untouched.port && !url.text.data);
	}
	expect(url_error_text(error)[0] != '\0');
	buffer_deinit(&out);
	fuzz_check_encoded(input, false);
	fuzz_check_encoded(input, true);
	return 0;
}
