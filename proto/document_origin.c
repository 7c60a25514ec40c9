/* SPDX-License-Identifier: MIT */
#include "proto/document_private.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "http/url.h"
#include "util/container.h"

/*
 * What a job says about its origin beside the URL: TLS, and addresses instead of the resolver's.
 *
 * What PEM holds is the daemon's to find out, when it first connects: here it need only look like
 * it. A pin is checked whole.
 *
 * `resolve` is part of what must be equal before a connection serves another job, so it gets a
 * canonical text: entries in the order of host and port, hosts in lower case, addresses as
 * inet_ntop(3) writes them, in the order given (in which they are tried, until something is known
 * about them). An IPv6 host has its canonical form, as in a URL.
 */

/* RFC 1035 section 2.3.4, as text. */
#define DOCUMENT_HOST_MAX 253

/* What PEM text must have in it, and what that is called. */
struct document_pem {
	const char *label;
	const char *what;
};

static const struct document_pem document_certificates = {
	"-----BEGIN CERTIFICATE-----", "certificates"};
/* "PRIVATE KEY", "EC PRIVATE KEY" (RFC 5915), "RSA PRIVATE KEY" and so on. */
static const struct document_pem document_private_key = {"PRIVATE KEY-----", "a private key"};

static bool document_read_address(struct text text, int family, void *ret_address)
{
	char string[INET6_ADDRSTRLEN];

	if (text.size >= sizeof(string) || text_find(text, '\0') < text.size)
		return false;
	memcpy(string, text.data, text.size);
	string[text.size] = '\0';
	return inet_pton(family, string, ret_address) == 1;
}

/* A name or an IPv4 address: letters, digits, '-', '_', '.'. */
static bool document_is_host(struct text host)
{
	if (host.size == 0 || host.size > DOCUMENT_HOST_MAX)
		return false;
	for (size_t i = 0; i < host.size; i++) {
		char c = text_lower(host.data[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
			c != '.')
			return false;
	}
	return true;
}

static bool document_is_ipv6(struct text host)
{
	return url_is_ipv6(host);
}

static void document_read_insecure(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	document_read_bool(document, value, at, &job->spec.tls.insecure);
}

/* PEM of that kind, or a secret of that name; data == NULL, and refused, where it is neither. What
 * is refused is not quoted: it may be a key. */
static struct text document_read_pem(struct document *document, yyjson_val *value,
	const struct document_at *at, const struct document_pem *pem)
{
	struct text none = {NULL, 0}, text;

	if (!document_read_string(document, value, at, &text))
		return none;
	if (text.size > PLAN_PEM_MAX) {
		document_refuse(
			document, at, FAULT_GRAPH_VALUE, "more than %u bytes", PLAN_PEM_MAX);
		return none;
	}
	if (plan_secret_name(text).data ||
		memmem(text.data, text.size, pem->label, strlen(pem->label)))
		return text;
	document_refuse(document, at, FAULT_GRAPH_VALUE,
		"must be %s as PEM text, or \"secret:NAME\"", pem->what);
	return none;
}

static void document_read_ca(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	job->spec.tls.ca = document_read_pem(document, value, at, &document_certificates);
}

static void document_read_cert(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->spec.tls.cert = document_read_pem(document, value, at, &document_certificates);
}

static void document_read_key(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	job->spec.tls.key = document_read_pem(document, value, at, &document_private_key);
}

/* "sha256//" and the base64 of a digest, whose bytes are written to `pin`. */
static void document_read_one_pin(
	struct document *document, yyjson_val *value, const struct document_at *at, char *pin)
{
	struct text prefix = TEXT("sha256//"), text;
	/* Three bytes for each four characters. */
	char digest[PLAN_PIN_SIZE + 1];

	if (!document_read_string(document, value, at, &text))
		return;
	if (text.size == prefix.size + sizeof(digest) / 3 * 4 && text_starts_with(text, prefix) &&
		document_decode_base64(text_from_at(text, prefix.size), digest) == PLAN_PIN_SIZE)
		memcpy(pin, digest, PLAN_PIN_SIZE);
	else
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"must be \"sha256//\" and the base64 of the SHA-256 of a public key");
}

static int document_compare_pins(const void *a, const void *b)
{
	return memcmp(a, b, PLAN_PIN_SIZE);
}

/* In one order and each once, because they are part of what must be equal before a connection
 * serves another job. Returns how many are left. */
static size_t document_sort_pins(char *pins, size_t n)
{
	size_t n_kept = 1;

	qsort(pins, n, PLAN_PIN_SIZE, document_compare_pins);
	for (size_t i = 1; i < n; i++) {
		const char *pin = pins + i * PLAN_PIN_SIZE;
		char *next = pins + n_kept * PLAN_PIN_SIZE;

		if (memcmp(next - PLAN_PIN_SIZE, pin, PLAN_PIN_SIZE) == 0)
			continue;
		memmove(next, pin, PLAN_PIN_SIZE);
		n_kept++;
	}
	return n_kept;
}

static void document_read_pin(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	bool is_array = yyjson_is_arr(value);
	size_t n = is_array ? yyjson_arr_size(value) : 1;
	yyjson_arr_iter iter = yyjson_arr_iter_with(value);
	struct document_at element = {.parent = at};
	char *pins;

	/* None would be met by every key, or by none: nobody can mean that. */
	if (n == 0 || n > PLAN_PINS_MAX) {
		document_refuse(
			document, at, FAULT_GRAPH_VALUE, "must be 1 to %d pins", PLAN_PINS_MAX);
		return;
	}
	pins = document_alloc(document, n, PLAN_PIN_SIZE);
	if (!pins)
		return;
	if (!is_array)
		document_read_one_pin(document, value, at, pins);
	for (; is_array && element.index < n; element.index++)
		document_read_one_pin(document, yyjson_arr_iter_next(&iter), &element,
			pins + element.index * PLAN_PIN_SIZE);
	job->spec.tls.pins = (struct text){pins, document_sort_pins(pins, n) * PLAN_PIN_SIZE};
}

static void document_read_server_name(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at)
{
	struct text text;

	if (!document_read_string(document, value, at, &text))
		return;
	if (document_is_host(text) || document_is_ipv6(text))
		job->spec.tls.server_name = text;
	else
		document_refuse(document, at, FAULT_GRAPH_VALUE, "\"%s\" is no host",
			document_quote(text).text);
}

void document_read_tls(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	enum { KEY_CERT, KEY_KEY };
	static const struct document_key keys[] = {
		[KEY_CERT] = {TEXT_INIT("cert"), document_read_cert, 0},
		[KEY_KEY] = {TEXT_INIT("key"), document_read_key, 0},
		{TEXT_INIT("insecure"), document_read_insecure, 0},
		{TEXT_INIT("ca"), document_read_ca, 0},
		{TEXT_INIT("server_name"), document_read_server_name, 0},
		{TEXT_INIT("pin"), document_read_pin, 0},
	};
	static const struct document_keys schema = {keys, countof(keys)};
	uint64_t seen;
	bool has_cert, has_key;

	job->spec.tls = (struct plan_tls){0};
	seen = document_read_object(document, &schema, value, job, at);
	has_cert = seen & UINT64_C(1) << KEY_CERT;
	has_key = seen & UINT64_C(1) << KEY_KEY;
	if (has_cert != has_key)
		document_refuse(document, at, FAULT_GRAPH_KEY,
			"the key \"%s\" is missing: a certificate needs its private key",
			has_cert ? "key" : "cert");
}

/* "host:port", "[::1]:443". False where it is none. */
static bool document_cut_endpoint(struct text key, struct text *ret_host, uint16_t *ret_port)
{
	size_t colon = key.size;
	struct text host;
	uint64_t port;

	while (colon > 0 && key.data[colon - 1] != ':')
		colon--;
	if (colon == 0 || !text_to_u64(text_from_at(key, colon), UINT16_MAX, &port) || port == 0)
		return false;
	host = (struct text){key.data, colon - 1};
	*ret_port = (uint16_t)port;
	if (host.size < 2 || host.data[0] != '[') {
		*ret_host = host;
		return document_is_host(host);
	}
	*ret_host = (struct text){host.data + 1, host.size - 2};
	return host.data[host.size - 1] == ']' && document_is_ipv6(*ret_host);
}

static struct text document_lower(struct document *document, struct text text)
{
	char *lower = document_alloc(document, text.size, 1);

	if (!lower)
		return (struct text){"", 0};
	for (size_t i = 0; i < text.size; i++)
		lower[i] = text_lower(text.data[i]);
	return (struct text){lower, text.size};
}

/* An address in its canonical form; data == NULL, and refused, where it is none. */
static struct text document_read_ip(
	struct document *document, yyjson_val *value, const struct document_at *at)
{
	unsigned char address[sizeof(struct in6_addr)];
	char string[INET6_ADDRSTRLEN] = "";
	struct text none = {NULL, 0}, text;
	char *copy;

	if (!document_read_string(document, value, at, &text))
		return none;
	if (document_read_address(text, AF_INET, address))
		inet_ntop(AF_INET, address, string, sizeof(string));
	else if (document_read_address(text, AF_INET6, address))
		inet_ntop(AF_INET6, address, string, sizeof(string));
	if (!string[0]) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"\"%s\" is no IP address (one of IPv6 stands without brackets)",
			document_quote(text).text);
		return none;
	}
	copy = document_alloc(document, strlen(string), 1);
	if (!copy)
		return none;
	memcpy(copy, string, strlen(string));
	return (struct text){copy, strlen(string)};
}

static void document_read_addresses(struct document *document, struct plan_resolve *entry,
	yyjson_val *value, const struct document_at *at)
{
	bool is_array = yyjson_is_arr(value);
	size_t n = is_array ? yyjson_arr_size(value) : 1;
	struct text *addresses = document_alloc(document, n, sizeof(*addresses));
	yyjson_arr_iter iter = yyjson_arr_iter_with(value);
	struct document_at element = {.parent = at};

	if (n == 0)
		document_refuse(document, at, FAULT_GRAPH_VALUE, "must have an address");
	if (!addresses || n == 0)
		return;
	entry->addresses = addresses;
	entry->n_addresses = (uint32_t)n;
	if (!is_array) {
		addresses[0] = document_read_ip(document, value, at);
		return;
	}
	for (; element.index < n; element.index++)
		addresses[element.index] =
			document_read_ip(document, yyjson_arr_iter_next(&iter), &element);
}

static int document_compare_resolve(const void *left, const void *right)
{
	const struct plan_resolve *a = left, *b = right;
	size_t size = a->host.size < b->host.size ? a->host.size : b->host.size;
	int order = memcmp(a->host.data, b->host.data, size);

	if (order != 0)
		return order;
	if (a->host.size != b->host.size)
		return a->host.size < b->host.size ? -1 : 1;
	return (a->port > b->port) - (a->port < b->port);
}

/* "host:port=address,address;", one after the other. */
static void document_set_resolve_key(struct document *document, struct plan_spec *spec)
{
	struct buffer *out = &document->scratch;
	char *key;

	buffer_clear(out);
	for (uint32_t i = 0; i < spec->n_resolve; i++) {
		const struct plan_resolve *entry = &spec->resolve[i];

		buffer_append_text(out, entry->host);
		buffer_append_byte(out, ':');
		buffer_append_u64(out, entry->port);
		for (uint32_t k = 0; k < entry->n_addresses; k++) {
			buffer_append_byte(out, k ? ',' : '=');
			buffer_append_text(out, entry->addresses[k]);
		}
		buffer_append_byte(out, ';');
	}
	if (out->failed)
		document->no_memory = true;
	key = document_alloc(document, out->size, 1);
	if (!key || out->size == 0)
		return;
	memcpy(key, out->data, out->size);
	spec->resolve_key = (struct text){key, out->size};
}

/* Keys that were two texts but are one endpoint ("A:80", "a:080"). */
static void document_check_endpoints(struct document *document, const struct plan_resolve *entries,
	uint32_t n, const struct document_at *at)
{
	for (uint32_t i = 1; i < n; i++) {
		if (document_compare_resolve(&entries[i - 1], &entries[i]) == 0)
			document_refuse(document, at, FAULT_GRAPH_KEY,
				"\"%s\" is there twice with port %u",
				document_quote(entries[i].host).text, entries[i].port);
	}
}

/* The entry of one member, behind those before it. */
static void document_read_endpoint(struct document *document, struct plan_spec *spec,
	struct plan_resolve *entries, yyjson_val *value, const struct document_at *at)
{
	struct plan_resolve *entry = &entries[spec->n_resolve];
	struct text host;

	if (!document_cut_endpoint(at->key, &host, &entry->port)) {
		document_refuse(document, at, FAULT_GRAPH_VALUE,
			"\"%s\" is not \"host:port\" (a host of IPv6 stands in brackets)",
			document_quote(at->key).text);
		return;
	}
	entry->host = document_lower(document, host);
	document_read_addresses(document, entry, value, at);
	spec->n_resolve++;
}

void document_read_resolve(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(value);
	uint32_t n_errors = document->errors->n;
	struct plan_spec *spec = &job->spec;
	struct plan_resolve *entries;
	yyjson_val *key;

	if (!yyjson_is_obj(value)) {
		document_refuse_type(document, at, value, "an object");
		return;
	}
	document_check_keys(document, value, at);
	entries = document_alloc(document, yyjson_obj_size(value), sizeof(*entries));
	spec->n_resolve = 0;
	spec->resolve_key = (struct text){NULL, 0};
	spec->resolve = entries;
	while (entries && (key = yyjson_obj_iter_next(&iter))) {
		struct document_at member = {.parent = at, .key = json_string(key)};

		document_read_endpoint(
			document, spec, entries, yyjson_obj_iter_get_val(key), &member);
	}
	if (spec->n_resolve == 0 || document->errors->n > n_errors)
		return;
	qsort(entries, spec->n_resolve, sizeof(*entries), document_compare_resolve);
	document_check_endpoints(document, entries, spec->n_resolve, at);
	document_set_resolve_key(document, spec);
}
