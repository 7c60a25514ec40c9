/* SPDX-License-Identifier: MIT */
/*
 * Whom connections are made to, and who we are to them. Certificates and keys are read here and
 * stand in the document: the daemon opens no file that a client names. What is called secret:NAME
 * is one that the daemon has by itself.
 */
#include "client/cli/compose_private.h"

#include <string.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "client/cli/value.h"
#include "proto/json.h"

/* -- TLS --------------------------------------------------------------------------------------- */

static int compose_pem(struct compose *compose, const char *key, const char *path)
{
	struct buffer file;
	int r;

	if (strncmp(path, "secret:", strlen("secret:")) == 0) {
		compose_key(compose->out, key);
		json_append_string(compose->out, text_from(path));
		return 0;
	}
	r = compose_read(path, &file);
	if (r != 0)
		return r;
	if (!text_is_utf8(buffer_text(&file))) {
		message_print("%s is not PEM", path);
		r = EXIT_USAGE;
	} else {
		compose_key(compose->out, key);
		json_append_string(compose->out, buffer_text(&file));
	}
	buffer_deinit(&file);
	return r;
}

/* What was appended from `start` on has the label of a private key (RFC 7468 sections 10 and 11),
 * or is a secret's name. */
static bool compose_has_key(const struct compose *compose, size_t start)
{
	struct text text = text_from_at(buffer_text(compose->out), start);

	return memmem(text.data, text.size, "PRIVATE KEY-----", strlen("PRIVATE KEY-----")) ||
	       memmem(text.data, text.size, "\"secret:", strlen("\"secret:"));
}

/* As curl: a key that is not named stands in the certificate's file. */
static int compose_identity(struct compose *compose, const char *cert)
{
	const char *key = option_value(compose->options, OPTION_KEY);
	size_t start = compose->out->size;
	int r;

	if (!cert) {
		message_print("option --key: there is no --cert that it is the key of");
		return EXIT_USAGE;
	}
	r = compose_pem(compose, "cert", cert);
	if (r == 0 && !key && !compose->out->failed && !compose_has_key(compose, start)) {
		message_print("option --cert: %s has no private key, and there is no --key", cert);
		return EXIT_USAGE;
	}
	return r ? r : compose_pem(compose, "key", key ? key : cert);
}

/* sha256//HASH[;sha256//HASH]… */
static int compose_pins(struct compose *compose, const char *value)
{
	struct text rest = text_from(value);

	compose_key(compose->out, "pin");
	buffer_append_byte(compose->out, '[');
	while (rest.size > 0) {
		struct text pin = {rest.data, text_find(rest, ';')};

		if (!text_starts_with(pin, TEXT("sha256//"))) {
			value_refuse(OPTION_PINNEDPUBKEY, value,
				"not of the form sha256//HASH[;sha256//HASH]");
			return EXIT_USAGE;
		}
		if (compose->out->data[compose->out->size - 1] != '[')
			buffer_append_byte(compose->out, ',');
		json_append_string(compose->out, pin);
		rest = text_from_at(rest, pin.size + 1);
	}
	buffer_append_byte(compose->out, ']');
	return 0;
}

int compose_tls(struct compose *compose)
{
	const char *ca = option_value(compose->options, OPTION_CACERT);
	const char *cert = option_value(compose->options, OPTION_CERT);
	const char *pins = option_value(compose->options, OPTION_PINNEDPUBKEY);
	bool is_insecure = option_given(compose->options, OPTION_INSECURE);
	bool has_identity = cert || option_given(compose->options, OPTION_KEY);
	int r = 0;

	if (!ca && !has_identity && !pins && !is_insecure)
		return 0;
	compose_key(compose->out, "tls");
	buffer_append_byte(compose->out, '{');
	if (is_insecure) {
		compose_key(compose->out, "insecure");
		buffer_append_literal(compose->out, "true");
	}
	if (ca)
		r = compose_pem(compose, "ca", ca);
	if (r == 0 && has_identity)
		r = compose_identity(compose, cert);
	if (r == 0 && pins)
		r = compose_pins(compose, pins);
	buffer_append_byte(compose->out, '}');
	return r;
}

/* -- Addresses --------------------------------------------------------------------------------- */

/* ADDRESS[,ADDRESS]…, a literal of IPv6 with or without brackets. */
static bool compose_addresses(struct buffer *out, struct text addresses)
{
	buffer_append_byte(out, '[');
	while (addresses.data) {
		size_t end = text_find(addresses, ',');
		struct text address = {addresses.data, end};

		if (address.size > 2 && address.data[0] == '[' &&
			address.data[address.size - 1] == ']') {
			address.data++;
			address.size -= 2;
		}
		if (address.size == 0)
			return false;
		if (out->data[out->size - 1] != '[')
			buffer_append_byte(out, ',');
		json_append_string(out, address);
		addresses =
			end < addresses.size ? text_from_at(addresses, end + 1) : (struct text){0};
	}
	buffer_append_byte(out, ']');
	return true;
}

/* HOST:PORT:ADDRESS…, as curl has it. */
static bool compose_resolve_entry(struct buffer *out, const char *value)
{
	struct text text = text_from(value);
	size_t colon, port;

	if (text.size > 0 && text.data[0] == '+')
		text = text_from_at(text, 1);
	colon = text_find(text, text.size > 0 && text.data[0] == '[' ? ']' : ':');
	if (colon < text.size && text.data[colon] == ']')
		colon++;
	if (colon == 0 || colon >= text.size || text.data[colon] != ':')
		return false;
	port = colon + 1 + text_find(text_from_at(text, colon + 1), ':');
	if (port >= text.size)
		return false;
	if (out->data[out->size - 1] != '{')
		buffer_append_byte(out, ',');
	json_append_string(out, (struct text){text.data, port});
	buffer_append_byte(out, ':');
	return compose_addresses(out, text_from_at(text, port + 1));
}

int compose_resolve(struct compose *compose)
{
	if (!option_given(compose->options, OPTION_RESOLVE))
		return 0;
	compose_key(compose->out, "resolve");
	buffer_append_byte(compose->out, '{');
	for (size_t i = 0; i < compose->options->n_uses; i++) {
		const struct option_use *use = &compose->options->uses[i];

		if (use->option != OPTION_RESOLVE ||
			compose_resolve_entry(compose->out, use->value))
			continue;
		value_refuse(OPTION_RESOLVE, use->value, "not of the form HOST:PORT:ADDRESS");
		return EXIT_USAGE;
	}
	buffer_append_byte(compose->out, '}');
	return 0;
}
