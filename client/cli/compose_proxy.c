/* SPDX-License-Identifier: MIT */
/*
 * Which proxy a request goes by. No variable of the environment decides that by itself: a daemon
 * has none of its user's, and what is not asked for is not done. With --proxy-from-env they are
 * read here, and stand in the document like an option.
 *
 * Whether a proxy is for a host follows from the URL that was given: where a redirect leads on, it
 * is the same proxy's.
 */
#include "client/cli/compose_private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/data.h"
#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/value.h"
#include "proto/json.h"

/* curl's, for a proxy without one. */
#define COMPOSE_PROXY_PORT ":1080"

/* -- What it is for ---------------------------------------------------------------------------- */

/* The host of a URL, an IPv6 address without its brackets. */
static struct text compose_host(struct text url)
{
	const char *scheme = memmem(url.data, url.size, "://", 3);

	if (scheme)
		url = text_from_at(url, (size_t)(scheme - url.data) + 3);
	url.size = text_find(url, '/');
	url.size = text_find(url, '?');
	url.size = text_find(url, '#');
	if (url.size > 0 && url.data[0] == '[') {
		url = text_from_at(url, 1);
		url.size = text_find(url, ']');
		return url;
	}
	url.size = text_find(url, ':');
	return url;
}

/* An address as bytes: how many, 0 where it is none. */
static size_t compose_address(struct text text, unsigned char bytes[static 16])
{
	char word[INET6_ADDRSTRLEN];

	if (text.size >= sizeof(word))
		return 0;
	memcpy(word, text.data, text.size);
	word[text.size] = '\0';
	if (inet_pton(AF_INET, word, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, word, bytes) == 1 ? 16 : 0;
}

/* 10.0.0.0/8, 2001:db8::/32, or an address. */
static bool compose_is_within(struct text host, struct text network)
{
	unsigned char address[16] = {0}, base[16] = {0};
	size_t slash = text_find(network, '/');
	struct text digits = text_from_at(network, slash + 1);
	size_t size = compose_address(host, address);
	uint64_t bits = 8 * size;

	if (size == 0 || compose_address((struct text){network.data, slash}, base) != size)
		return false;
	if (slash < network.size && !text_to_u64(digits, 8 * size, &bits))
		return false;
	for (size_t i = 0; i < bits; i++) {
		if ((address[i / 8] ^ base[i / 8]) >> (7 - i % 8) & 1)
			return false;
	}
	return true;
}

/* As curl: "example.com" is for that host and all below it, and so is ".example.com". */
static bool compose_is_named(struct text host, struct text name)
{
	struct text tail;

	if (text_is(name, "*"))
		return true;
	if (name.size > 0 && name.data[0] == '.')
		name = text_from_at(name, 1);
	if (name.size > 0 && name.data[name.size - 1] == '.')
		name.size--;
	if (host.size > 0 && host.data[host.size - 1] == '.')
		host.size--;
	if (name.size == 0 || name.size > host.size)
		return false;
	tail = text_from_at(host, host.size - name.size);
	return text_equal_nocase(tail, name) && (name.size == host.size || tail.data[-1] == '.');
}

static bool compose_is_exempt(struct text host, const char *list)
{
	struct text rest = text_from(list);

	while (rest.size > 0) {
		size_t end = strcspn(rest.data, ", \t");
		struct text name = {rest.data, end < rest.size ? end : rest.size};

		if (name.size > 0 &&
			(compose_is_named(host, name) || compose_is_within(host, name)))
			return true;
		rest = text_from_at(rest, name.size + 1);
	}
	return false;
}

/* -- Which it is ------------------------------------------------------------------------------- */

static const char *compose_variable(const char *lower, const char *upper)
{
	const char *value = getenv(lower);

	if ((!value || !*value) && upper)
		value = getenv(upper);
	return value && *value ? value : NULL;
}

/* As curl: HTTP_PROXY could be a header that a server made of a request (CVE-2016-5385). */
static const char *compose_proxy_of_environment(struct text url)
{
	bool is_https =
		url.size >= 8 && text_equal_nocase((struct text){url.data, 8}, TEXT("https://"));
	const char *value = is_https ? compose_variable("https_proxy", "HTTPS_PROXY")
				     : compose_variable("http_proxy", NULL);

	return value ? value : compose_variable("all_proxy", "ALL_PROXY");
}

static const char *compose_no_proxy(const struct options *options)
{
	const char *list = option_value(options, OPTION_NOPROXY);

	if (!list && option_given(options, OPTION_PROXY_FROM_ENV))
		list = compose_variable("no_proxy", "NO_PROXY");
	return list;
}

/* -U and -u alike have a name and a password, and neither is asked for. */
static int compose_proxy_user(struct buffer *out, const char *user)
{
	struct text name = {user, strcspn(user, ":")};

	if (strncmp(user, "secret:", strlen("secret:")) == 0) {
		buffer_append_text(out, text_from(user));
		return 0;
	}
	if (user[name.size] == '\0') {
		message_print("option --proxy-user: write USER:PASSWORD (or secret:NAME, which the "
			      "daemon has): nothing is asked for");
		return EXIT_USAGE;
	}
	data_append_percent(out, name);
	buffer_append_byte(out, ':');
	data_append_percent(out, text_from(user + name.size + 1));
	return 0;
}

/* As curl: a scheme and a port are implied, a path means nothing. */
static int compose_proxy_url(struct compose *compose, const char *value)
{
	const char *user = option_value(compose->options, OPTION_PROXY_USER);
	struct text rest = text_from(value), host, scheme = TEXT("http");
	const char *mark = strstr(value, "://");
	struct buffer url;
	size_t at;
	int r = 0;

	if (mark) {
		scheme.data = value;
		scheme.size = (size_t)(mark - value);
		rest = text_from_at(rest, scheme.size + 3);
	}
	rest.size = text_find(rest, '/');
	/* A password may hold one, too. */
	for (at = rest.size; at > 0 && rest.data[at - 1] != '@';)
		at--;
	host = text_from_at(rest, at);
	buffer_init(&url, SIZE_MAX / 4);
	buffer_append_text(&url, scheme);
	buffer_append_literal(&url, "://");
	if (user) {
		r = compose_proxy_user(&url, user);
		buffer_append_byte(&url, '@');
	} else {
		buffer_append(&url, rest.data, at);
	}
	buffer_append_text(&url, host);
	if (host.size > 0 && host.data[0] == '[')
		host = text_from_at(host, text_find(host, ']'));
	if (text_find(host, ':') == host.size)
		buffer_append_literal(&url, COMPOSE_PROXY_PORT);
	compose_key(compose->out, "proxy");
	json_append_string(compose->out, buffer_text(&url));
	if (url.failed || !text_is_utf8(buffer_text(&url)))
		compose->out->failed = true;
	buffer_deinit(&url);
	return r;
}

/* True where each URL has its own. */
static bool compose_proxy_varies(const struct compose *compose)
{
	return option_given(compose->options, OPTION_NOPROXY) ||
	       option_given(compose->options, OPTION_PROXY_FROM_ENV);
}

int compose_proxy(struct compose *compose)
{
	const char *value = option_value(compose->options, OPTION_PROXY);

	/* As curl: an empty one is none. */
	if (!value || !*value || compose_proxy_varies(compose))
		return 0;
	return compose_proxy_url(compose, value);
}

int compose_proxy_for(struct compose *compose, struct text url)
{
	const char *value = option_value(compose->options, OPTION_PROXY);
	const char *list;

	if (!compose_proxy_varies(compose))
		return 0;
	if (!value && option_given(compose->options, OPTION_PROXY_FROM_ENV))
		value = compose_proxy_of_environment(url);
	list = compose_no_proxy(compose->options);
	if (!value || !*value || (list && compose_is_exempt(compose_host(url), list)))
		return 0;
	return compose_proxy_url(compose, value);
}
