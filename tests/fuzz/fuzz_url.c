/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a URL. One that parses has a normal form that parses to itself, is made of its
 * parts, and has nothing in it that a request line or Host must not have.
 */

#include <stdlib.h>

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
