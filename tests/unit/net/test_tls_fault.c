/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* The handshake of a client that trusts `ca` with a server that shows `cert`. */
static enum tls_result try_cert(const struct peer_cert *cert, const struct peer_cert *chain,
	const struct peer_cert *ca, const char *server_name, struct fault *ret_fault)
{
	struct pair pair;
	char *pem = peer_cert_pem(ca);
	enum tls_result result;

	pair_init(&pair, &(struct peer_options){.cert = cert, .chain = chain});
	pair_connect(&pair, server_name, pem, false);
	result = pair_handshake(&pair);
	*ret_fault = pair.fault;
	/* Nothing is said to a peer that is refused but why. */
	if (result == TLS_FAULT)
		ck_assert(!SSL_is_init_finished(pair.ssl));
	pair_deinit(&pair);
	free(pem);
	return result;
}

static void check_fault(
	const struct fault *fault, enum fault_code code, const char *part, const char *what)
{
	ck_assert_msg(
		fault->code == code, "%s: %s: %s", what, fault_name(fault->code), fault->message);
	ck_assert_msg(strstr(fault->message, part), "%s: \"%s\" lacks \"%s\"", what, fault->message,
		part);
}

static struct peer_cert make_authority(void)
{
	/* Before anything else of OpenSSL's. */
	tls_store_free(tls_store_new());
	return peer_cert_new(&(struct peer_cert_options){.name = "Test CA", .is_authority = true});
}

START_TEST(verifies_names)
{
	static const struct {
		const char *names;
		const char *server_name;
		bool ok;
	} cases[] = {
		{"DNS:a.example", "a.example", true},
		{"DNS:a.example", "A.EXAMPLE", true},
		{"DNS:A.Example", "a.example", true},
		{"DNS:b.example,DNS:a.example", "a.example", true},
		{"DNS:a.example", "b.example", false},
		{"DNS:a.example", "x.a.example", false},
		{"DNS:x.a.example", "a.example", false},
		/* A trailing dot is the same name. */
		{"DNS:a.example", "a.example.", true},
		{"DNS:*.a.example", "x.a.example.", true},
		/* Wildcards: one whole left-most label. */
		{"DNS:*.a.example", "x.a.example", true},
		{"DNS:*.a.example", "xn--bcher-kva.a.example", true},
		{"DNS:*.a.example", "a.example", false},
		{"DNS:*.a.example", "x.y.a.example", false},
		{"DNS:f*.a.example", "foo.a.example", false},
		{"DNS:*o.a.example", "foo.a.example", false},
		{"DNS:f*o.a.example", "foo.a.example", false},
		{"DNS:x.*.example", "x.a.example", false},
		{"DNS:*.*.example", "x.a.example", false},
		{"DNS:xn--*.a.example", "xn--bcher-kva.a.example", false},
		{"DNS:*.example", "a.example", false},
		{"DNS:*", "a.example", false},
		{"DNS:*", "localhost", false},
		{"DNS:localhost", "localhost", true},
		/* Addresses: by IP SAN only. */
		{"IP:192.0.2.1", "192.0.2.1", true},
		{"IP:192.0.2.1", "192.0.2.2", false},
		{"DNS:192.0.2.1", "192.0.2.1", false},
		{"DNS:*.0.2.1", "192.0.2.1", false},
		{"IP:2001:db8::1", "2001:db8::1", true},
		{"IP:2001:db8::1", "[2001:0db8:0:0::1]", true},
		{"IP:2001:db8::1", "2001:db8::2", false},
		{"IP:192.0.2.1", "::ffff:192.0.2.1", false},
		/* A name is no other kind of name. */
		{"email:a@a.example", "a.example", false},
		{"URI:https://a.example/", "a.example", false},
		/* The common name does not count: it is "a.example" here. */
		{NULL, "a.example", false},
		{"IP:192.0.2.1", "a.example", false},
	};
	struct peer_cert ca = make_authority();

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer_cert cert = peer_cert_new(&(struct peer_cert_options){
			.name = "a.example", .names = cases[i].names, .issuer = &ca});
		const char *names = cases[i].names ? cases[i].names : "(none)";
		struct fault fault = {0};
		enum tls_result result;

		result = try_cert(&cert, NULL, &ca, cases[i].server_name, &fault);
		ck_assert_msg(result == (cases[i].ok ? TLS_OK : TLS_FAULT), "%s for %s: %s", names,
			cases[i].server_name, fault.message);
		if (!cases[i].ok)
			check_fault(&fault, FAULT_CERT_NAME, "", names);
		peer_cert_free(&cert);
	}
	peer_cert_free(&ca);
}
END_TEST

START_TEST(says_which_names_came)
{
	static const struct {
		const char *names;
		const char *message;
	} cases[] = {
		{"DNS:a.example", "the certificate is for a.example, not for c.example"},
		{"DNS:a.example,IP:192.0.2.1",
			"the certificate is for a.example, 192.0.2.1, not for c.example"},
		{"DNS:a,DNS:b,DNS:d,DNS:e,DNS:f",
			"the certificate is for a, b, d and 2 more, not for c.example"},
		{"IP:2001:db8::1", "the certificate is for 2001:db8::1, not for c.example"},
		{NULL, "the certificate has no subject alternative names, so none is c.example"},
	};
	struct peer_cert ca = make_authority();

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer_cert cert = peer_cert_new(&(struct peer_cert_options){
			.name = "c.example", .names = cases[i].names, .issuer = &ca});
		struct fault fault = {0};

		ck_assert_int_eq(try_cert(&cert, NULL, &ca, "c.example", &fault), TLS_FAULT);
		ck_assert_str_eq(fault.message, cases[i].message);
		peer_cert_free(&cert);
	}
	peer_cert_free(&ca);
}
END_TEST

START_TEST(quotes_hostile_names_harmlessly)
{
	static const char nul[] = "a.example\0.evil.example";
	static const char escape[] = "\x1b[31mred\r\n\xff";
	char large[1000];
	const struct {
		struct text name;
		const char *message;
	} cases[] = {
		{{nul, sizeof(nul) - 1}, "for a.example?.evil.example, not for a.example"},
		{{escape, sizeof(escape) - 1}, "for ?[31mred???, not for a.example"},
		{{large, sizeof(large)}, "x, not for a.example"},
	};
	struct peer_cert ca = make_authority();

	memset(large, 'x', sizeof(large));
	for (size_t i = 0; i < countof(cases); i++) {
		struct peer_cert cert = peer_cert_new(&(struct peer_cert_options){
			.name = "a.example", .raw_name = cases[i].name, .issuer = &ca});
		struct fault fault = {0};

		ck_assert_int_eq(try_cert(&cert, NULL, &ca, "a.example", &fault), TLS_FAULT);
		check_fault(&fault, FAULT_CERT_NAME, cases[i].message, "hostile");
		peer_cert_free(&cert);
	}
	peer_cert_free(&ca);
}
END_TEST

START_TEST(refuses_server_names_that_are_none)
{
	char large[300];
	const char *const cases[] = {
		"",
		".",
		"..",
		".a.example",
		"a..example",
		"a.example..",
		"a example",
		"a\n",
		"[]",
		"\xc3\xa9.example",
		large,
	};
	struct tls_store *store = tls_store_new();

	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	for (size_t i = 0; i < countof(cases); i++) {
		for (int insecure = 0; insecure < 2; insecure++) {
			struct tls_policy policy = {
				.server_name = text_from(cases[i]), .insecure = insecure};
			struct fault fault = {0};
			struct tls *tls;

			ck_assert_msg(tls_new(store, &policy, &tls, &fault) == -1, "%s", cases[i]);
			check_fault(&fault, FAULT_CERT_NAME, "not the name of a server", cases[i]);
		}
	}
	tls_store_free(store);
}
END_TEST

START_TEST(sends_no_sni_for_an_address)
{
	struct peer_cert ca = make_authority();
	struct peer_cert cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "IP:192.0.2.1", .issuer = &ca});
	char *pem = peer_cert_pem(&ca);
	struct pair pair;

	pair_init(&pair, &(struct peer_options){.cert = &cert});
	pair_connect(&pair, "192.0.2.1", pem, false);
	ck_assert_int_eq(pair_handshake(&pair), TLS_OK);
	ck_assert_ptr_null(SSL_get_servername(pair.ssl, TLSEXT_NAMETYPE_host_name));
	pair_deinit(&pair);
	free(pem);
	peer_cert_free(&cert);
	peer_cert_free(&ca);
}
END_TEST

START_TEST(verifies_times)
{
	static const struct {
		int days_from, days_to;
		enum fault_code code;
		const char *part;
	} cases[] = {
		{-1, 1, FAULT_NONE, ""},
		{-20, -10, FAULT_CERT_EXPIRED, "the certificate of a.example expired 20"},
		{10, 20, FAULT_CERT_NOT_YET_VALID,
			"the certificate of a.example is not valid before 20"},
	};
	struct peer_cert ca = make_authority();

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer_cert cert =
			peer_cert_new(&(struct peer_cert_options){.name = "a.example",
				.names = "DNS:a.example",
				.issuer = &ca,
				.days_from = cases[i].days_from,
				.days_to = cases[i].days_to});
		struct fault fault = {0};
		enum tls_result result = try_cert(&cert, NULL, &ca, "a.example", &fault);

		ck_assert_int_eq(result, cases[i].code == FAULT_NONE ? TLS_OK : TLS_FAULT);
		check_fault(&fault, cases[i].code, cases[i].part, "times");
		peer_cert_free(&cert);
	}
	peer_cert_free(&ca);
}
END_TEST

START_TEST(says_whose_certificate_has_expired)
{
	struct peer_cert ca, cert;
	struct fault fault = {0};

	tls_store_free(tls_store_new());
	ca = peer_cert_new(&(struct peer_cert_options){
		.name = "Old CA", .is_authority = true, .days_from = -20, .days_to = -10});
	cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "DNS:a.example", .issuer = &ca});
	ck_assert_int_eq(try_cert(&cert, NULL, &ca, "a.example", &fault), TLS_FAULT);
	check_fault(&fault, FAULT_CERT_EXPIRED, "Old CA expired 20", "ca");
	peer_cert_free(&cert);
	peer_cert_free(&ca);
}
END_TEST

START_TEST(refuses_who_is_not_vouched_for)
{
	struct peer_cert ca = make_authority(), stranger = make_authority();
	struct peer_cert between = peer_cert_new(&(struct peer_cert_options){
		.name = "Between", .is_authority = true, .issuer = &ca});
	struct peer_cert no_authority =
		peer_cert_new(&(struct peer_cert_options){.name = "No CA", .issuer = &ca});
	struct peer_cert rsa = peer_cert_new(&(struct peer_cert_options){
		.name = "RSA CA", .is_authority = true, .issuer = &ca, .rsa_bits = 2048});
	const struct {
		struct peer_cert_options options;
		const struct peer_cert *chain;
		enum fault_code code;
		const char *part;
	} cases[] = {
		{{.issuer = &ca}, NULL, FAULT_NONE, ""},
		{{.issuer = &between}, &between, FAULT_NONE, ""},
		/* The missing intermediate. */
		{{.issuer = &between}, NULL, FAULT_CERT_UNTRUSTED, "its issuer, Between"},
		/* Unknown CA, with and without its certificate. Its name is the good one's. */
		{{.issuer = &stranger}, NULL, FAULT_CERT_UNTRUSTED, "Test CA"},
		{{.issuer = &stranger}, &stranger, FAULT_CERT_UNTRUSTED, "self-signed"},
		{{.issuer = NULL}, NULL, FAULT_CERT_UNTRUSTED, "self-signed"},
		{{.issuer = &no_authority}, &no_authority, FAULT_CERT_UNTRUSTED, "without CA"},
		/* Not for servers. */
		{{.issuer = &ca, .usage = "serverAuth"}, NULL, FAULT_NONE, ""},
		{{.issuer = &ca, .usage = "clientAuth"}, NULL, FAULT_CERT_UNTRUSTED, "TLS clients"},
		{{.issuer = &ca, .usage = "1.2.3.4"}, NULL, FAULT_CERT_UNTRUSTED, "something else"},
		/* Weak. */
		{{.issuer = &ca, .rsa_bits = 1024}, NULL, FAULT_CERT_UNTRUSTED, "RSA of 1024 bits"},
		{{.issuer = &ca, .digest = EVP_sha1()}, NULL, FAULT_CERT_UNTRUSTED, "with-SHA1"},
		{{.issuer = &rsa, .digest = EVP_md5()}, &rsa, FAULT_CERT_UNTRUSTED, "got RSA-MD5"},
		{{.issuer = &ca, .rsa_bits = 2048}, NULL, FAULT_NONE, ""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct peer_cert_options options = cases[i].options;
		struct peer_cert cert;
		struct fault fault = {0};
		enum tls_result result;

		options.name = "a";
		options.names = "DNS:a.example";
		cert = peer_cert_new(&options);
		result = try_cert(&cert, cases[i].chain, &ca, "a.example", &fault);
		ck_assert_msg(result == (cases[i].code ? TLS_FAULT : TLS_OK), "case %zu: %s", i,
			fault.message);
		check_fault(&fault, cases[i].code, cases[i].part, "chain");
		peer_cert_free(&cert);
	}
	peer_cert_free(&rsa);
	peer_cert_free(&no_authority);
	peer_cert_free(&between);
	peer_cert_free(&stranger);
	peer_cert_free(&ca);
}
END_TEST

START_TEST(trusts_what_the_user_names)
{
	struct peer_cert ca = make_authority();
	struct peer_cert between = peer_cert_new(&(struct peer_cert_options){
		.name = "Between", .is_authority = true, .issuer = &ca});
	struct peer_cert cert = peer_cert_new(&(struct peer_cert_options){
		.name = "a", .names = "DNS:a.example", .issuer = &between});
	struct fault fault = {0};

	/* An intermediate, or the certificate itself. */
	ck_assert_int_eq(try_cert(&cert, NULL, &between, "a.example", &fault), TLS_OK);
	ck_assert_int_eq(try_cert(&cert, NULL, &cert, "a.example", &fault), TLS_OK);
	/* But not for another name. */
	ck_assert_int_eq(try_cert(&cert, NULL, &cert, "b.example", &fault), TLS_FAULT);
	ck_assert_int_eq(fault.code, FAULT_CERT_NAME);
	peer_cert_free(&cert);
	peer_cert_free(&between);
	peer_cert_free(&ca);
}
END_TEST

START_TEST(asks_nothing_where_insecure)
{
	struct peer_cert cert;
	struct pair pair;

	tls_store_free(tls_store_new());
	cert = peer_cert_new(&(struct peer_cert_options){
		.name = "x", .names = "DNS:x.example", .days_from = -20, .days_to = -10});
	pair_init(&pair, &(struct peer_options){.cert = &cert});
	pair_connect(&pair, "a.example", NULL, true);
	ck_assert_int_eq(pair_handshake(&pair), TLS_OK);
	ck_assert_str_eq(SSL_get_servername(pair.ssl, TLSEXT_NAMETYPE_host_name), "a.example");
	pair_deinit(&pair);
	peer_cert_free(&cert);
}
END_TEST

START_TEST(refuses_old_versions)
{
	static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};
	struct peer_cert ca = make_authority();
	struct peer_cert cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "DNS:a.example", .issuer = &ca});

	for (size_t i = 0; i < countof(old); i++) {
		struct pair pair;

		pair_init(&pair, &(struct peer_options){.cert = &cert, .version_max = old[i]});
		pair_connect(&pair, "a.example", NULL, true);
		ck_assert_int_eq(pair_handshake(&pair), TLS_FAULT);
		check_fault(&pair.fault, FAULT_TLS_HANDSHAKE, "protocol_version", "old");
		pair_deinit(&pair);
	}
	peer_cert_free(&cert);
	peer_cert_free(&ca);
}
END_TEST

/* A client without a server, fed by hand. */
static void check_reply(
	const char *reply, size_t size, size_t piece, enum fault_code code, const char *part)
{
	struct tls_store *store = tls_store_new();
	struct tls_policy policy = {.server_name = TEXT("a.example"), .insecure = true};
	enum tls_result result;
	struct fault fault = {0};
	struct tls *tls;

	ck_assert_int_eq(tls_new(store, &policy, &tls, &fault), 0);
	result = tls_handshake(tls, &fault);
	for (size_t at = 0; result == TLS_MORE && at < size; at += piece) {
		tls_feed(tls, reply + at, size - at < piece ? size - at : piece);
		result = tls_handshake(tls, &fault);
	}
	ck_assert_int_eq(result, TLS_FAULT);
	check_fault(&fault, code, part, "reply");
	pair_check_queue();
	tls_close(tls);
	tls_free(tls);
	tls_store_free(store);
}

START_TEST(knows_what_is_not_tls)
{
	static const struct {
		struct text reply;
		const char *part;
	} cases[] = {
		{TEXT_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"), "\"HTTP/1.1 400 Bad\""},
		{TEXT_INIT("SSH-2.0-OpenSSH\r\n"), "\"SSH-2.0-OpenSSH\""},
		{TEXT_INIT("220\r\n"), "\"220\""},
		{TEXT_INIT("\x1b[31m"), "0x1b"},
		{TEXT_INIT("\0"), "0x00"},
		/* As if it were data of TLS. */
		{TEXT_INIT("\x17\x03\x03"), "0x17"},
	};

	for (size_t i = 0; i < countof(cases); i++)
		check_reply(cases[i].reply.data, cases[i].reply.size, 100, FAULT_TLS_NOT_TLS,
			cases[i].part);
	check_reply("HTTP/1.1 400", 12, 1, FAULT_TLS_NOT_TLS, "\"H\"");
}
END_TEST

START_TEST(names_the_alert_that_refuses)
{
	static const struct {
		char alert;
		enum fault_code code;
		const char *part;
	} cases[] = {
		{40, FAULT_TLS_HANDSHAKE, "handshake_failure"},
		{70, FAULT_TLS_HANDSHAKE, "protocol_version"},
		{80, FAULT_TLS_HANDSHAKE, "internal_error"},
		{112, FAULT_TLS_HANDSHAKE, "unrecognized_name"},
		{120, FAULT_TLS_HANDSHAKE, "no_application_protocol"},
		{42, FAULT_CLIENT_CERT, "bad_certificate"},
		{116, FAULT_CLIENT_CERT, "certificate_required"},
		{99, FAULT_TLS_HANDSHAKE, "alert 99"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char record[] = {0x15, 3, 3, 0, 2, 2, cases[i].alert};

		for (size_t piece = 1; piece <= sizeof(record); piece++)
			check_reply(record, sizeof(record), piece, cases[i].code, cases[i].part);
	}
}
END_TEST

START_TEST(fails_at_garbage_that_looks_like_tls)
{
	static const struct text cases[] = {
		TEXT_INIT("\x16\x03\x03\x00\x04\x02\x00\x00\x00"),
		TEXT_INIT("\x16\x03\x03\xff\xff"),
		TEXT_INIT("\x16\x03\x03\x00\x04\x0e\x00\x00\x00"),
		TEXT_INIT("\x16HTTP/1.1 200"),
		TEXT_INIT("\x15\x03\x03\x00\x01\x02"),
	};

	for (size_t i = 0; i < countof(cases); i++)
		check_reply(cases[i].data, cases[i].size, 100, FAULT_TLS_HANDSHAKE, "TLS: ");
}
END_TEST

START_TEST(ends_a_handshake_without_end)
{
	static const struct {
		struct text record;
		const char *part;
	} cases[] = {
		/* Warnings, and what TLS 1.3 ignores for middleboxes: OpenSSL counts. */
		{TEXT_INIT("\x15\x03\x03\x00\x02\x01\x5a"), "TLS: "},
		{TEXT_INIT("\x14\x03\x03\x00\x01\x01"), "TLS: "},
		/* HelloRequest, ignored in a handshake (RFC 5246 7.4.1.1): we count. */
		{TEXT_INIT("\x16\x03\x03\x00\x04\x00\x00\x00\x00"), "without end"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		size_t n_records = 400000 / cases[i].record.size;
		size_t size = n_records * cases[i].record.size;
		char *flood = malloc(size);

		for (size_t at = 0; at < size; at += cases[i].record.size)
			memcpy(flood + at, cases[i].record.data, cases[i].record.size);
		check_reply(flood, size, 8192, FAULT_TLS_HANDSHAKE, cases[i].part);
		free(flood);
	}
}
END_TEST

START_TEST(fails_where_the_handshake_is_cut_at_any_byte)
{
	struct peer_cert ca = make_authority();
	struct peer_cert cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "DNS:a.example", .issuer = &ca});

	for (size_t v = 0; v < countof(versions); v++) {
		enum tls_result result = TLS_FAULT;
		size_t cut = 1;

		for (; result == TLS_FAULT && cut < 10000; cut++) {
			struct pair pair;

			pair_init(&pair,
				&(struct peer_options){.cert = &cert, .version_max = versions[v]});
			pair_connect(&pair, "a.example", NULL, true);
			pair.cut = cut;
			result = pair_handshake(&pair);
			if (result == TLS_FAULT)
				check_fault(&pair.fault, FAULT_TLS_HANDSHAKE,
					"closed the connection during the TLS handshake", "cut");
			pair_deinit(&pair);
		}
		/* At last nothing was missing. */
		ck_assert_int_eq(result, TLS_OK);
		ck_assert_uint_gt(cut, 500);
	}
	peer_cert_free(&cert);
	peer_cert_free(&ca);
}
END_TEST

START_TEST(says_that_the_peer_wants_a_certificate)
{
	struct peer_cert ca = make_authority();
	struct peer_cert cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "DNS:a.example", .issuer = &ca});

	for (size_t v = 0; v < countof(versions); v++) {
		enum tls_result result;
		struct pair pair;
		char data[16];
		size_t n;

		pair_init(&pair, &(struct peer_options){.cert = &cert,
					 .version_max = versions[v],
					 .wants_client_cert = true});
		pair_connect(&pair, "a.example", NULL, true);
		result = pair_handshake(&pair);
		/* TLS 1.3: the client is done before the server judges. */
		if (versions[v] == TLS1_3_VERSION) {
			ck_assert_int_eq(result, TLS_OK);
			result = pair_read(&pair, data, sizeof(data), &n);
		}
		ck_assert_int_eq(result, TLS_FAULT);
		check_fault(&pair.fault, FAULT_CLIENT_CERT, "alert", "wanted");
		pair_deinit(&pair);
	}
	peer_cert_free(&cert);
	peer_cert_free(&ca);
}
END_TEST

START_TEST(tells_the_peer_why_it_is_refused)
{
	struct peer_cert ca = make_authority(), stranger = make_authority();
	char *pem = peer_cert_pem(&ca);
	struct pair pair;

	pair_init(&pair, &(struct peer_options){.cert = &stranger});
	pair_connect(&pair, "a.example", pem, false);
	ck_assert_int_eq(pair_handshake(&pair), TLS_FAULT);
	/* pair_handshake() has handed it on; the server's next step meets it. */
	ck_assert_int_le(SSL_do_handshake(pair.ssl), 0);
	ERR_clear_error();
	ck_assert_uint_eq(tls_output(pair.tls)->size, 0);
	pair_deinit(&pair);
	free(pem);
	peer_cert_free(&stranger);
	peer_cert_free(&ca);
}
END_TEST

UNIT_MAIN("net/tls_fault", &verifies_names, &says_which_names_came,
	&quotes_hostile_names_harmlessly, &refuses_server_names_that_are_none,
	&sends_no_sni_for_an_address, &verifies_times, &says_whose_certificate_has_expired,
	&refuses_who_is_not_vouched_for, &trusts_what_the_user_names, &asks_nothing_where_insecure,
	&refuses_old_versions, &knows_what_is_not_tls, &names_the_alert_that_refuses,
	&fails_at_garbage_that_looks_like_tls, &ends_a_handshake_without_end,
	&fails_where_the_handshake_is_cut_at_any_byte, &says_that_the_peer_wants_a_certificate,
	&tells_the_peer_why_it_is_refused)
