/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* A server for a.example that the client trusts. */
struct fixture {
	struct peer_cert cert;
	char *pem;
	struct pair pair;
};

static void fixture_init(struct fixture *fixture, struct peer_options options)
{
	const struct peer_cert_options cert = {.name = "a", .names = "DNS:a.example"};
	/* Before anything else of OpenSSL's. */
	struct tls_store *store = tls_store_new();

	fixture->cert = peer_cert_new(&cert);
	fixture->pem = peer_cert_pem(&fixture->cert);
	options.cert = &fixture->cert;
	pair_init(&fixture->pair, &options);
	pair_connect(&fixture->pair, "a.example", fixture->pem, false);
	tls_store_free(store);
}

static void fixture_deinit(struct fixture *fixture)
{
	pair_deinit(&fixture->pair);
	peer_cert_free(&fixture->cert);
	free(fixture->pem);
}

static void fixture_init_open(struct fixture *fixture, int version)
{
	fixture_init(fixture, (struct peer_options){.version_max = version});
	ck_assert_int_eq(pair_handshake(&fixture->pair), TLS_OK);
	/* What comes at once: the tickets of TLS 1.3. */
	ck_assert_int_eq(pair_read(&fixture->pair, (char[1]){0}, 1, &(size_t){0}), TLS_MORE);
}

/* Written by the server, read by the client: the same. */
static void fixture_check_read(struct fixture *fixture, const char *sent, size_t size)
{
	char *data = malloc(size + 1);
	size_t n;

	pair_server_write(&fixture->pair, sent, size);
	ck_assert_int_eq(pair_read(&fixture->pair, data, size + 1, &n), TLS_MORE);
	ck_assert_uint_eq(n, size);
	ck_assert_mem_eq(data, sent, size);
	free(data);
}

/* Written by the client, read by the server: the same. */
static void fixture_check_write(struct fixture *fixture, const char *sent, size_t size)
{
	char *data = malloc(size + 1);
	size_t at = 0, n;

	ck_assert_int_eq(tls_write(fixture->pair.tls, sent, size, &fixture->pair.fault), TLS_OK);
	pair_check_queue();
	pair_flush(&fixture->pair);
	while (SSL_read_ex(fixture->pair.ssl, data + at, size + 1 - at, &n))
		at += n;
	ERR_clear_error();
	ck_assert_uint_eq(at, size);
	ck_assert_mem_eq(data, sent, size);
	free(data);
}

static char *random_text(size_t size)
{
	char *data = malloc(size);

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 + i / 251);
	return data;
}

START_TEST(speaks_both_versions_in_pieces_of_any_size)
{
	static const size_t pieces[] = {0, 1, 2, 3, 5, 7, 64, 1000};

	for (size_t v = 0; v < countof(versions); v++) {
		for (size_t i = 0; i < countof(pieces); i++) {
			struct fixture fixture;

			fixture_init(&fixture, (struct peer_options){.version_max = versions[v]});
			fixture.pair.piece = pieces[i];
			ck_assert_msg(pair_handshake(&fixture.pair) == TLS_OK, "%s",
				fixture.pair.fault.message);
			ck_assert_int_eq(SSL_version(fixture.pair.ssl), versions[v]);
			ck_assert_str_eq(
				SSL_get_servername(fixture.pair.ssl, TLSEXT_NAMETYPE_host_name),
				"a.example");
			fixture_check_write(&fixture, "GET", 3);
			fixture_check_read(&fixture, "HTTP/1.1 200", 12);
			fixture_deinit(&fixture);
		}
	}
}
END_TEST

START_TEST(sends_finished_and_request_together)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	char data[16];

	fixture_init(&fixture, (struct peer_options){0});
	ck_assert_int_eq(tls_handshake(pair->tls, &pair->fault), TLS_MORE);
	pair_flush(pair);
	ck_assert(pair_feed(pair));
	ck_assert_int_eq(tls_handshake(pair->tls, &pair->fault), TLS_OK);
	ck_assert_int_eq(tls_write(pair->tls, "GET", 3, &pair->fault), TLS_OK);
	pair_flush(pair);
	ck_assert_int_eq(SSL_read(pair->ssl, data, sizeof(data)), 3);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(reads_records_split_at_every_byte)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;
		struct pair *pair = &fixture.pair;
		size_t size = 2;

		fixture_init_open(&fixture, versions[v]);
		for (size_t at = 1; at < size; at++) {
			char data[32];
			size_t n, first;

			pair_server_write(pair, "first ", 6);
			pair_server_write(pair, "second", 6);
			pair_flush(pair);
			size = pair->wire_size;
			pair->piece = at;
			ck_assert(pair_feed(pair));
			first = 0;
			while (tls_read(pair->tls, data + first, sizeof(data) - first, &n,
				       &pair->fault) == TLS_OK)
				first += n;
			pair->piece = 0;
			ck_assert_int_eq(
				pair_read(pair, data + first, sizeof(data) - first, &n), TLS_MORE);
			ck_assert_uint_eq(first + n, 12);
			ck_assert_mem_eq(data, "first second", 12);
		}
		ck_assert_uint_gt(size, 12);
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(reads_many_records_of_one_feed)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	char data[1000];
	size_t n;

	fixture_init_open(&fixture, 0);
	for (unsigned i = 0; i < 300; i++)
		pair_server_write(pair, "abc", 3);
	ck_assert_int_eq(pair_read(pair, data, sizeof(data), &n), TLS_MORE);
	ck_assert_uint_eq(n, 900);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(carries_a_megabyte_each_way)
{
	size_t size = (1 << 20) + 17;
	char *text = random_text(size);

	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;

		fixture_init_open(&fixture, versions[v]);
		fixture_check_write(&fixture, text, size);
		fixture.pair.piece = 8192;
		fixture_check_read(&fixture, text, size);
		fixture_deinit(&fixture);
	}
	free(text);
}
END_TEST

START_TEST(reads_into_less_room_than_a_record)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	char data[2];
	size_t n;

	fixture_init_open(&fixture, 0);
	pair_server_write(pair, "abc", 3);
	pair_flush(pair);
	pair_feed(pair);
	ck_assert_int_eq(tls_read(pair->tls, data, 2, &n, &pair->fault), TLS_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(tls_read(pair->tls, data, 2, &n, &pair->fault), TLS_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(tls_read(pair->tls, data, 2, &n, &pair->fault), TLS_MORE);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(ends_at_close_notify_and_may_still_write)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;
		struct pair *pair = &fixture.pair;
		char data[16];
		size_t n;

		fixture_init_open(&fixture, versions[v]);
		pair_server_write(pair, "bye", 3);
		SSL_shutdown(pair->ssl);
		ck_assert_int_eq(pair_read(pair, data, sizeof(data), &n), TLS_END);
		ck_assert_uint_eq(n, 3);
		/* What follows is nobody's, the transport's end included. */
		tls_feed(pair->tls, "garbage", 7);
		tls_feed_end(pair->tls);
		ck_assert_int_eq(pair_read(pair, data, sizeof(data), &n), TLS_END);
		fixture_check_write(&fixture, "more", 4);
		tls_close(pair->tls);
		pair_flush(pair);
		ck_assert_int_eq(SSL_read(pair->ssl, data, sizeof(data)), 0);
		ck_assert_int_eq(SSL_get_error(pair->ssl, 0), SSL_ERROR_ZERO_RETURN);
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(tells_truncation_from_close_notify)
{
	for (size_t v = 0; v < countof(versions); v++) {
		for (size_t kept = 0; kept < 30; kept++) {
			struct fixture fixture;
			struct pair *pair = &fixture.pair;
			char data[16];
			size_t n;

			fixture_init_open(&fixture, versions[v]);
			pair_server_write(pair, "half", 4);
			/* The whole record is read, of the next one `kept` bytes come. */
			ck_assert_int_eq(pair_read(pair, data, sizeof(data), &n), TLS_MORE);
			ck_assert_uint_eq(n, 4);
			pair_server_write(pair, "lost lost lost", 14);
			pair_flush(pair);
			pair->cut = pair->n_fed + kept;
			ck_assert_int_eq(pair_read(pair, data, sizeof(data), &n), TLS_FAULT);
			ck_assert_uint_eq(n, 0);
			ck_assert_int_eq(pair->fault.code, FAULT_BODY_TRUNCATED);
			fixture_deinit(&fixture);
		}
	}
}
END_TEST

START_TEST(says_close_notify_once)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	size_t size;

	fixture_init_open(&fixture, 0);
	tls_close(pair->tls);
	size = tls_output(pair->tls)->size;
	ck_assert_uint_gt(size, 0);
	tls_close(pair->tls);
	ck_assert_uint_eq(tls_output(pair->tls)->size, size);
	pair_check_queue();
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(closes_in_silence_before_the_handshake_is_done)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;

	fixture_init(&fixture, (struct peer_options){0});
	tls_close(pair->tls);
	ck_assert_uint_eq(tls_output(pair->tls)->size, 0);
	ck_assert_int_eq(tls_handshake(pair->tls, &pair->fault), TLS_MORE);
	buffer_clear(tls_output(pair->tls));
	tls_close(pair->tls);
	ck_assert_uint_eq(tls_output(pair->tls)->size, 0);
	pair_check_queue();
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(follows_key_updates)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;

	fixture_init_open(&fixture, TLS1_3_VERSION);
	for (unsigned i = 0; i < 10; i++) {
		ck_assert(SSL_key_update(pair->ssl, SSL_KEY_UPDATE_REQUESTED));
		ck_assert_int_eq(SSL_do_handshake(pair->ssl), 1);
		fixture_check_read(&fixture, "down", 4);
		fixture_check_write(&fixture, "up", 2);
	}
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(ends_a_flood_of_key_updates)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	enum tls_result result = TLS_MORE;
	unsigned n_updates = 0;
	char data[16];
	size_t n;

	fixture_init_open(&fixture, TLS1_3_VERSION);
	while (result == TLS_MORE && n_updates < 20000) {
		for (unsigned i = 0; i < 100; i++, n_updates++) {
			ck_assert(SSL_key_update(pair->ssl, SSL_KEY_UPDATE_REQUESTED));
			ck_assert_int_eq(SSL_do_handshake(pair->ssl), 1);
		}
		result = pair_read(pair, data, sizeof(data), &n);
	}
	ck_assert_int_eq(result, TLS_FAULT);
	ck_assert_int_eq(pair->fault.code, FAULT_TLS_BROKEN);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(refuses_to_renegotiate)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	char data[16];
	size_t n;

	fixture_init_open(&fixture, TLS1_2_VERSION);
	/* A HelloRequest. */
	ck_assert(SSL_renegotiate(pair->ssl));
	SSL_do_handshake(pair->ssl);
	ERR_clear_error();
	ck_assert_int_eq(pair_read(pair, data, sizeof(data), &n), TLS_MORE);
	/* The server has got an alert, not a ClientHello. */
	ck_assert_int_le(SSL_read(pair->ssl, data, sizeof(data)), 0);
	ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	ERR_clear_error();
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(breaks_at_garbage_after_the_handshake)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;
		struct pair *pair = &fixture.pair;
		char data[64] = "HTTP/1.1 200 OK\r\n\r\n";
		size_t n;

		fixture_init_open(&fixture, versions[v]);
		tls_feed(pair->tls, data, sizeof(data));
		ck_assert_int_eq(
			tls_read(pair->tls, data, sizeof(data), &n, &pair->fault), TLS_FAULT);
		ck_assert_int_eq(pair->fault.code, FAULT_TLS_BROKEN);
		pair_check_queue();
		/* And stays broken. */
		tls_feed(pair->tls, data, sizeof(data));
		ck_assert_int_eq(
			tls_read(pair->tls, data, sizeof(data), &n, &pair->fault), TLS_FAULT);
		ck_assert_int_eq(tls_write(pair->tls, data, 1, &pair->fault), TLS_FAULT);
		tls_close(pair->tls);
		pair_check_queue();
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(names_the_alert_that_comes_amid_a_body)
{
	for (size_t v = 0; v < countof(versions); v++) {
		/* A record that does not decrypt: the server complains. */
		static const char record[] = "\x17\x03\x03\x00\x20"
					     "................................";
		struct fixture fixture;
		struct pair *pair = &fixture.pair;
		char data[16];
		size_t n;

		fixture_init_open(&fixture, versions[v]);
		pair_server_write(pair, "half", 4);
		BIO_write(SSL_get_rbio(pair->ssl), record, sizeof(record) - 1);
		ck_assert_int_le(SSL_read(pair->ssl, data, sizeof(data)), 0);
		ERR_clear_error();
		ck_assert_int_eq(pair_read(pair, data, sizeof(data), &n), TLS_FAULT);
		ck_assert_uint_eq(n, 4);
		ck_assert_int_eq(pair->fault.code, FAULT_TLS_BROKEN);
		ck_assert_ptr_nonnull(strstr(pair->fault.message, "bad_record_mac"));
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(rests_and_goes_on)
{
	struct fixture fixture;
	char *text = random_text(100000);

	fixture_init_open(&fixture, 0);
	fixture_check_write(&fixture, text, 100000);
	tls_rest(fixture.pair.tls);
	ck_assert_uint_eq(tls_output(fixture.pair.tls)->capacity, 0);
	fixture_check_read(&fixture, text, 100000);
	tls_rest(fixture.pair.tls);
	fixture_check_write(&fixture, text, 100000);
	/* Not while the output waits to be sent. */
	ck_assert_int_eq(tls_write(fixture.pair.tls, "abc", 3, &fixture.pair.fault), TLS_OK);
	tls_rest(fixture.pair.tls);
	ck_assert_uint_gt(tls_output(fixture.pair.tls)->size, 3);
	free(text);
	fixture_deinit(&fixture);
}
END_TEST

/* What the last ones have, the next request needs. */
START_TEST(only_the_last_to_rest_keep_their_buffers)
{
	const struct tls_policy policy = {.server_name = TEXT_INIT("a.example"), .insecure = true};
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	struct tls *others[16];

	fixture_init_open(&fixture, 0);
	fixture_check_write(&fixture, "GET", 3);
	tls_rest(pair->tls);
	tls_rest(pair->tls);
	ck_assert_uint_gt(tls_output(pair->tls)->capacity, 0);
	for (size_t i = 0; i < countof(others); i++) {
		ck_assert_int_eq(tls_new(pair->store, &policy, &others[i], &pair->fault), 0);
		ck_assert_uint_gt(tls_output(pair->tls)->capacity, 0);
		tls_rest(others[i]);
	}
	ck_assert_uint_eq(tls_output(pair->tls)->capacity, 0);
	fixture_check_read(&fixture, "HTTP/1.1 200", 12);
	fixture_check_write(&fixture, "GET", 3);
	/* Who goes, makes room. */
	for (size_t i = 0; i < countof(others); i++)
		tls_free(others[i]);
	tls_rest(pair->tls);
	ck_assert_uint_gt(tls_output(pair->tls)->capacity, 0);
	fixture_deinit(&fixture);
}
END_TEST

/* N32 */
START_TEST(takes_by_alpn_what_was_offered_or_nothing)
{
	static const struct {
		const char *protocol;
		bool offers_h2;
		enum tls_result result;
	} cases[] = {
		{NULL, false, TLS_OK},
		{"http/1.1", false, TLS_OK},
		{"h2", false, TLS_FAULT},
		{"http/1.0", false, TLS_FAULT},
		{NULL, true, TLS_OK},
		{"http/1.1", true, TLS_OK},
		{"h2", true, TLS_OK},
		{"h3", true, TLS_FAULT},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct fixture fixture;
		struct pair *pair = &fixture.pair;
		struct tls_policy policy = {.server_name = TEXT("a.example"),
			.offers_h2 = cases[i].offers_h2,
			.insecure = true};

		fixture_init(&fixture, (struct peer_options){.protocol = cases[i].protocol});
		pair_again(pair);
		pair_connect_by(pair, &policy);
		ck_assert_int_eq(pair_handshake(pair), cases[i].result);
		if (cases[i].result == TLS_FAULT) {
			ck_assert_int_eq(pair->fault.code, FAULT_TLS_HANDSHAKE);
		} else {
			const char *chosen = cases[i].protocol ? cases[i].protocol : "";

			ck_assert(text_is(tls_alpn(pair->tls), chosen));
		}
		fixture_deinit(&fixture);
	}
}
END_TEST

/* A peer that has nothing else. */
START_TEST(exchanges_keys_by_no_finite_field)
{
	static const struct {
		int version;
		const char *ciphers, *groups;
		enum tls_result result;
	} cases[] = {
		{TLS1_2_VERSION, "DHE-ECDSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256", "P-256",
			TLS_FAULT},
		{TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", "P-256", TLS_OK},
		{TLS1_3_VERSION, "DEFAULT", "ffdhe2048", TLS_FAULT},
		{TLS1_3_VERSION, "DEFAULT", "ffdhe8192", TLS_FAULT},
		{TLS1_3_VERSION, "DEFAULT", "X25519", TLS_OK},
		{TLS1_3_VERSION, "DEFAULT", "P-521", TLS_OK},
	};
	struct peer_cert cert;

	tls_store_free(tls_store_new());
	cert = peer_cert_new(&(struct peer_cert_options){
		.name = "a", .names = "DNS:a.example", .rsa_bits = 2048});
	for (size_t i = 0; i < countof(cases); i++) {
		struct pair pair;

		pair_init(&pair,
			&(struct peer_options){.cert = &cert, .version_max = cases[i].version});
		ck_assert(SSL_set_cipher_list(pair.ssl, cases[i].ciphers));
		ck_assert(SSL_set1_groups_list(pair.ssl, cases[i].groups));
		SSL_set_dh_auto(pair.ssl, 1);
		pair_connect(&pair, "a.example", NULL, true);
		ck_assert_msg(pair_handshake(&pair) == cases[i].result, "case %zu: %s", i,
			pair.fault.message);
		if (cases[i].result == TLS_FAULT)
			ck_assert_int_eq(pair.fault.code, FAULT_TLS_HANDSHAKE);
		pair_deinit(&pair);
	}
	peer_cert_free(&cert);
}
END_TEST

UNIT_MAIN("net/tls", &exchanges_keys_by_no_finite_field,
	&speaks_both_versions_in_pieces_of_any_size, &sends_finished_and_request_together,
	&reads_records_split_at_every_byte, &reads_many_records_of_one_feed,
	&carries_a_megabyte_each_way, &reads_into_less_room_than_a_record,
	&ends_at_close_notify_and_may_still_write, &tells_truncation_from_close_notify,
	&says_close_notify_once, &closes_in_silence_before_the_handshake_is_done,
	&follows_key_updates, &ends_a_flood_of_key_updates, &refuses_to_renegotiate,
	&breaks_at_garbage_after_the_handshake, &names_the_alert_that_comes_amid_a_body,
	&rests_and_goes_on, &only_the_last_to_rest_keep_their_buffers,
	&takes_by_alpn_what_was_offered_or_nothing)
