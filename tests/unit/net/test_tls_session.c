/* SPDX-License-Identifier: MIT */
#include "net/tls_private.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Session keys: what they are digests of is others' business. */
static const unsigned char key_a[TLS_DIGEST_SIZE] = "a", key_b[TLS_DIGEST_SIZE] = "b";

/* A server for a.example, and clients that trust it. */
struct fixture {
	struct peer_cert cert;
	char *pem;
	struct pair pair;
	struct tls_policy policy;
};

static void fixture_init_with(struct fixture *fixture, struct peer_options options)
{
	/* Before anything else of OpenSSL's. */
	struct tls_store *store = tls_store_new();

	if (!fixture->cert.x509)
		fixture->cert = peer_cert_new(
			&(struct peer_cert_options){.name = "a", .names = "DNS:a.example"});
	fixture->pem = peer_cert_pem(&fixture->cert);
	options.cert = &fixture->cert;
	pair_init(&fixture->pair, &options);
	fixture->policy = (struct tls_policy){
		.server_name = TEXT("a.example"),
		.ca = text_from(fixture->pem),
		.session_key = key_a,
	};
	tls_store_free(store);
}

static void fixture_init(struct fixture *fixture, int version)
{
	*fixture = (struct fixture){0};
	fixture_init_with(fixture, (struct peer_options){.version_max = version});
	SSL_CTX_set_num_tickets(fixture->pair.ssl_ctx, 1);
}

static void fixture_deinit(struct fixture *fixture)
{
	pair_deinit(&fixture->pair);
	peer_cert_free(&fixture->cert);
	free(fixture->pem);
}

/* Reads what came with or after the handshake: the tickets of TLS 1.3. */
static void fixture_read(struct fixture *fixture)
{
	ck_assert_int_eq(pair_read(&fixture->pair, (char[1]){0}, 1, &(size_t){0}), TLS_MORE);
}

/* One more connection with that key. True: it was resumed; both ends say the same. */
static bool fixture_connect(struct fixture *fixture, const unsigned char *key)
{
	struct pair *pair = &fixture->pair;
	bool resumed;

	pair_again(pair);
	fixture->policy.session_key = key;
	pair_connect_by(pair, &fixture->policy);
	ck_assert_msg(pair_handshake(pair) == TLS_OK, "%s", pair->fault.message);
	resumed = tls_is_resumed(pair->tls);
	ck_assert_int_eq(SSL_session_reused(pair->ssl), resumed);
	pair_check_queue();
	return resumed;
}

/* The same, and what comes is kept. */
static bool fixture_connect_and_read(struct fixture *fixture, const unsigned char *key)
{
	bool resumed = fixture_connect(fixture, key);

	fixture_read(fixture);
	return resumed;
}

static unsigned fixture_count(const struct fixture *fixture)
{
	return tls_store_counters(fixture->pair.store).n_sessions;
}

START_TEST(resumes_in_both_versions)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;
		struct tls_counters counters;

		fixture_init(&fixture, versions[v]);
		ck_assert(!fixture_connect_and_read(&fixture, key_a));
		ck_assert_uint_eq(fixture_count(&fixture), 1);
		for (int i = 0; i < 3; i++) {
			char data[8];
			size_t n;

			ck_assert_msg(fixture_connect_and_read(&fixture, key_a), "version %zu", v);
			pair_server_write(&fixture.pair, "hello", 5);
			pair_read(&fixture.pair, data, sizeof(data), &n);
			ck_assert_uint_eq(n, 5);
		}
		counters = tls_store_counters(fixture.pair.store);
		ck_assert_uint_eq(counters.full, 1);
		ck_assert_uint_eq(counters.resumed, 3);
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(a_ticket_of_tls_1_3_is_used_once)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;

		fixture_init(&fixture, versions[v]);
		fixture_connect_and_read(&fixture, key_a);
		ck_assert(fixture_connect(&fixture, key_a));
		/* Nothing new was read: in TLS 1.2 the old one is good again. */
		ck_assert_int_eq(fixture_connect(&fixture, key_a), versions[v] == TLS1_2_VERSION);
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(another_key_or_none_resumes_nothing)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;

		fixture_init(&fixture, versions[v]);
		fixture_connect_and_read(&fixture, key_a);
		ck_assert(!fixture_connect_and_read(&fixture, key_b));
		ck_assert(!fixture_connect_and_read(&fixture, NULL));
		ck_assert_uint_eq(fixture_count(&fixture), 2);
		ck_assert(fixture_connect(&fixture, key_b));
		ck_assert(fixture_connect(&fixture, key_a));
		fixture_deinit(&fixture);
	}
}
END_TEST

/* What the peer is told is left of a session's time, and how long we would resume it. */
static uint64_t fixture_until(struct fixture *fixture)
{
	uint64_t until_ns = 0;
	SSL_SESSION *session = tls_sessions_take(&fixture->pair.store->sessions, key_a, &until_ns);

	ck_assert_ptr_nonnull(session);
	tls_sessions_keep(&fixture->pair.store->sessions, key_a, session, until_ns);
	SSL_SESSION_free(session);
	return until_ns;
}

START_TEST(a_resumed_session_does_not_live_longer_than_the_first)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;
		uint64_t until_ns, begin_ns = clock_now_ns();

		fixture_init(&fixture, versions[v]);
		SSL_CTX_set_timeout(fixture.pair.ssl_ctx, 100000);
		fixture_connect_and_read(&fixture, key_a);
		until_ns = fixture_until(&fixture);
		ck_assert_uint_ge(until_ns, begin_ns + TLS_SESSION_LIFETIME_NS);
		ck_assert_uint_le(until_ns, clock_now_ns() + TLS_SESSION_LIFETIME_NS);
		ck_assert(fixture_connect_and_read(&fixture, key_a));
		ck_assert_uint_eq(fixture_until(&fixture), until_ns);
		/* A full handshake begins anew. */
		tls_sessions_clear(&fixture.pair.store->sessions);
		ck_assert(!fixture_connect_and_read(&fixture, key_a));
		ck_assert_uint_gt(fixture_until(&fixture), until_ns);
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(no_session_outlives_the_certificate)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture = {0};

		tls_store_free(tls_store_new());
		fixture.cert = peer_cert_new(
			&(struct peer_cert_options){.name = "a", .names = "DNS:a.example"});
		X509_gmtime_adj(X509_getm_notAfter(fixture.cert.x509), 600);
		ck_assert(X509_sign(fixture.cert.x509, fixture.cert.key, EVP_sha256()));
		fixture_init_with(&fixture, (struct peer_options){.version_max = versions[v]});
		SSL_CTX_set_timeout(fixture.pair.ssl_ctx, 100000);
		fixture_connect_and_read(&fixture, key_a);
		ck_assert_uint_le(fixture_until(&fixture), clock_now_ns() + 600 * NS_PER_S);
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(obeys_the_lifetime_that_the_peer_says)
{
	struct fixture fixture;

	for (size_t v = 0; v < countof(versions); v++) {
		fixture_init(&fixture, versions[v]);
		SSL_CTX_set_timeout(fixture.pair.ssl_ctx, 100);
		fixture_connect_and_read(&fixture, key_a);
		ck_assert_uint_le(fixture_until(&fixture), clock_now_ns() + 100 * NS_PER_S);
		fixture_deinit(&fixture);
	}
}
END_TEST

/* A session to keep under keys of the test's own. */
static SSL_SESSION *fixture_session(struct fixture *fixture, int version)
{
	SSL_SESSION *session;
	uint64_t until_ns;

	fixture_init(fixture, version);
	SSL_CTX_set_timeout(fixture->pair.ssl_ctx, 100000);
	fixture_connect_and_read(fixture, key_a);
	session = tls_sessions_take(&fixture->pair.store->sessions, key_a, &until_ns);
	ck_assert_ptr_nonnull(session);
	return session;
}

/* RFC 8446 4.6.1: a lifetime of 0 says not to keep it. OpenSSL's server does not say that, so it is
 * written into what a session is written down as. */
START_TEST(a_lifetime_of_nothing_is_none)
{
	static const unsigned char hint[] = {0xa9, 3, 2, 1, 100};
	struct tls_sessions sessions;
	struct fixture fixture;
	unsigned char *der = NULL, *at;
	const unsigned char *begin;
	SSL_SESSION *session;
	uint64_t until_ns;
	int size;

	fixture_init(&fixture, TLS1_3_VERSION);
	SSL_CTX_set_timeout(fixture.pair.ssl_ctx, 100);
	fixture_connect_and_read(&fixture, key_a);
	session = tls_sessions_take(&fixture.pair.store->sessions, key_a, &until_ns);
	size = i2d_SSL_SESSION(session, &der);
	SSL_SESSION_free(session);
	at = memmem(der, (size_t)size, hint, sizeof(hint));
	ck_assert_ptr_nonnull(at);
	tls_sessions_init(&sessions);
	for (int seconds = 0; seconds < 200; seconds += 100) {
		at[sizeof(hint) - 1] = (unsigned char)seconds;
		begin = der;
		session = d2i_SSL_SESSION(NULL, &begin, size);
		ck_assert_ptr_nonnull(session);
		tls_sessions_keep(&sessions, key_a, session, UINT64_MAX);
		ck_assert_uint_eq(sessions.n_sessions, seconds > 0);
		SSL_SESSION_free(session);
	}
	tls_sessions_deinit(&sessions);
	OPENSSL_free(der);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(what_is_over_is_not_given_out)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct tls_sessions sessions;
		struct fixture fixture;
		SSL_SESSION *session = fixture_session(&fixture, versions[v]);
		uint64_t until_ns = clock_now_ns() + NS_PER_MS;

		tls_sessions_init(&sessions);
		tls_sessions_keep(&sessions, key_a, session, clock_now_ns() - 1);
		ck_assert_uint_eq(sessions.n_sessions, 0);
		tls_sessions_keep(&sessions, key_a, session, until_ns);
		while (clock_now_ns() < until_ns)
			;
		ck_assert_ptr_null(tls_sessions_take(&sessions, key_a, &until_ns));
		ck_assert_uint_eq(sessions.n_sessions, 0);
		ck_assert_uint_eq(sessions.shelves.count, 0);
		tls_sessions_deinit(&sessions);
		SSL_SESSION_free(session);
		fixture_deinit(&fixture);
	}
}
END_TEST

START_TEST(keeps_a_bounded_number_and_the_newest)
{
	struct tls_sessions sessions;
	struct fixture fixture;
	SSL_SESSION *session = fixture_session(&fixture, TLS1_3_VERSION);
	uint64_t now_ns = clock_now_ns(), until_ns;

	tls_sessions_init(&sessions);
	for (unsigned i = 1; i <= TLS_SESSIONS_PER_KEY_MAX + 3; i++)
		tls_sessions_keep(&sessions, key_a, session, now_ns + i * 60 * NS_PER_S);
	ck_assert_uint_eq(sessions.n_sessions, TLS_SESSIONS_PER_KEY_MAX);
	for (unsigned i = TLS_SESSIONS_PER_KEY_MAX + 3; i > 3; i--) {
		SSL_SESSION *taken = tls_sessions_take(&sessions, key_a, &until_ns);

		ck_assert_ptr_nonnull(taken);
		ck_assert_uint_eq(until_ns, now_ns + i * 60 * NS_PER_S);
		SSL_SESSION_free(taken);
	}
	ck_assert_ptr_null(tls_sessions_take(&sessions, key_a, &until_ns));
	ck_assert_uint_eq(sessions.shelves.count, 0);

	for (unsigned i = 0; i < TLS_SESSIONS_MAX + 10; i++) {
		unsigned char key[TLS_DIGEST_SIZE] = {0};

		memcpy(key, &i, sizeof(i));
		tls_sessions_keep(&sessions, key, session, now_ns + 3000 * NS_PER_S);
	}
	ck_assert_uint_eq(sessions.n_sessions, TLS_SESSIONS_MAX);
	ck_assert_uint_eq(sessions.shelves.count, TLS_SESSIONS_MAX);
	tls_sessions_deinit(&sessions);
	SSL_SESSION_free(session);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(drops_those_of_one_key)
{
	struct tls_sessions sessions;
	struct fixture fixture;
	SSL_SESSION *session = fixture_session(&fixture, TLS1_3_VERSION);
	uint64_t until_ns = clock_now_ns() + 60 * NS_PER_S;

	tls_sessions_init(&sessions);
	for (int i = 0; i < 3; i++) {
		tls_sessions_keep(&sessions, key_a, session, until_ns);
		tls_sessions_keep(&sessions, key_b, session, until_ns);
	}
	tls_sessions_drop(&sessions, key_a);
	tls_sessions_drop(&sessions, key_a);
	ck_assert_uint_eq(sessions.n_sessions, 3);
	ck_assert_ptr_null(tls_sessions_take(&sessions, key_a, &until_ns));
	tls_sessions_clear(&sessions);
	ck_assert_uint_eq(sessions.n_sessions, 0);
	tls_sessions_deinit(&sessions);
	SSL_SESSION_free(session);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(a_handshake_that_fails_forgets_what_was_offered)
{
	for (size_t v = 0; v < countof(versions); v++) {
		for (int cut = 0; cut < 2; cut++) {
			struct fixture fixture;
			struct pair *pair = &fixture.pair;

			fixture_init(&fixture, versions[v]);
			SSL_CTX_set_num_tickets(pair->ssl_ctx, 3);
			fixture_connect_and_read(&fixture, key_a);
			pair_again(pair);
			pair_connect_by(pair, &fixture.policy);
			ck_assert_int_eq(tls_handshake(pair->tls, &pair->fault), TLS_MORE);
			if (cut) {
				tls_feed_end(pair->tls);
				ck_assert_int_eq(tls_handshake(pair->tls, &pair->fault), TLS_FAULT);
			} else {
				/* The transport has gone without a word to TLS. */
				pair->tls = tls_free(pair->tls);
			}
			ck_assert_uint_eq(fixture_count(&fixture), 0);
			ck_assert(!fixture_connect(&fixture, key_a));
			fixture_deinit(&fixture);
		}
	}
}
END_TEST

START_TEST(an_end_without_close_notify_forgets_nothing)
{
	struct fixture fixture;
	struct pair *pair = &fixture.pair;
	struct fault fault;
	char data[1];
	size_t n;

	fixture_init(&fixture, 0);
	fixture_connect_and_read(&fixture, key_a);
	tls_feed_end(pair->tls);
	ck_assert_int_eq(tls_read(pair->tls, data, 1, &n, &fault), TLS_FAULT);
	ck_assert_int_eq(fault.code, FAULT_BODY_TRUNCATED);
	ck_assert(fixture_connect(&fixture, key_a));
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(after_a_reload_nothing_of_before_is_resumed)
{
	struct fixture fixture;

	fixture_init(&fixture, TLS1_3_VERSION);
	fixture_connect_and_read(&fixture, key_a);
	tls_store_forget(fixture.pair.store);
	ck_assert_uint_eq(fixture_count(&fixture), 0);
	ck_assert(!fixture_connect(&fixture, key_a));
	/* Its ticket is still on the way. */
	tls_store_forget(fixture.pair.store);
	fixture_read(&fixture);
	ck_assert_uint_eq(fixture_count(&fixture), 0);
	ck_assert(!fixture_connect_and_read(&fixture, key_a));
	ck_assert(fixture_connect(&fixture, key_a));
	fixture_deinit(&fixture);
}
END_TEST

/* The peer may have forgotten what it gave: then it shows its certificate, and it is looked at. */
START_TEST(a_refused_session_is_a_full_handshake)
{
	for (size_t v = 0; v < countof(versions); v++) {
		struct fixture fixture;
		struct peer_cert other;
		struct pair *pair = &fixture.pair;
		unsigned char keys[80] = "other keys";

		fixture_init(&fixture, versions[v]);
		fixture_connect_and_read(&fixture, key_a);
		SSL_CTX_set_tlsext_ticket_keys(pair->ssl_ctx, keys, sizeof(keys));
		ck_assert(!fixture_connect_and_read(&fixture, key_a));
		ck_assert_uint_eq(tls_store_counters(pair->store).full, 2);
		ck_assert(fixture_connect_and_read(&fixture, key_a));

		other = peer_cert_new(
			&(struct peer_cert_options){.name = "b", .names = "DNS:a.example"});
		keys[0]++;
		SSL_CTX_set_tlsext_ticket_keys(pair->ssl_ctx, keys, sizeof(keys));
		SSL_CTX_use_certificate(pair->ssl_ctx, other.x509);
		SSL_CTX_use_PrivateKey(pair->ssl_ctx, other.key);
		pair_again(pair);
		pair_connect_by(pair, &fixture.policy);
		ck_assert_int_eq(pair_handshake(pair), TLS_FAULT);
		ck_assert_int_eq(pair->fault.code, FAULT_CERT_UNTRUSTED);
		ck_assert_uint_eq(fixture_count(&fixture), 0);
		peer_cert_free(&other);
		fixture_deinit(&fixture);
	}
}
END_TEST

UNIT_MAIN("net/tls_session", &resumes_in_both_versions, &a_ticket_of_tls_1_3_is_used_once,
	&another_key_or_none_resumes_nothing,
	&a_resumed_session_does_not_live_longer_than_the_first,
	&no_session_outlives_the_certificate, &obeys_the_lifetime_that_the_peer_says,
	&a_lifetime_of_nothing_is_none, &what_is_over_is_not_given_out,
	&keeps_a_bounded_number_and_the_newest, &drops_those_of_one_key,
	&a_handshake_that_fails_forgets_what_was_offered,
	&an_end_without_close_notify_forgets_nothing, &after_a_reload_nothing_of_before_is_resumed,
	&a_refused_session_is_a_full_handshake)
