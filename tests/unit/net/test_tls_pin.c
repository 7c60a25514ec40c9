/* SPDX-License-Identifier: MIT */
#include "net/tls_private.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* A server, and somebody else. */
static struct peer_cert ca, server, other;
static char *pem;
/* Pins of the server, of the other, of the authority. */
static unsigned char of_server[TLS_DIGEST_SIZE], of_other[TLS_DIGEST_SIZE], of_ca[TLS_DIGEST_SIZE];

static struct peer_cert make(const char *name, const struct peer_cert *issuer)
{
	return peer_cert_new(&(struct peer_cert_options){
		.name = name, .names = "DNS:a.example", .issuer = issuer, .is_authority = !issuer});
}

static void begin(void)
{
	/* Before anything else of OpenSSL's. */
	tls_store_free(tls_store_new());
	ca = make("Test CA", NULL);
	server = make("server", &ca);
	other = make("other", &ca);
	pem = peer_cert_pem(&ca);
	ck_assert(tls_pin_of(server.x509, of_server));
	ck_assert(tls_pin_of(other.x509, of_other));
	ck_assert(tls_pin_of(ca.x509, of_ca));
}

static void end(void)
{
	peer_cert_free(&ca);
	peer_cert_free(&server);
	peer_cert_free(&other);
	free(pem);
}

/* The pins named by letters: server, other, authority. */
static struct text pins_of(const char *letters, unsigned char *to)
{
	size_t n = strlen(letters);

	for (size_t i = 0; i < n; i++)
		memcpy(to + i * TLS_DIGEST_SIZE,
			letters[i] == 's'   ? of_server
			: letters[i] == 'o' ? of_other
					    : of_ca,
			TLS_DIGEST_SIZE);
	return (struct text){(const char *)to, n * TLS_DIGEST_SIZE};
}

START_TEST(is_the_digest_of_the_key_alone)
{
	unsigned char again[TLS_DIGEST_SIZE], der[256], *at = der;
	struct peer_cert renewed;
	int size;

	begin();
	/* As "openssl pkey -pubin -outform der | openssl dgst -sha256" has it. */
	size = i2d_PUBKEY(server.key, &at);
	ck_assert_int_gt(size, 0);
	ck_assert(tls_digest((struct text){(char *)der, (size_t)size}, again));
	ck_assert_mem_eq(again, of_server, TLS_DIGEST_SIZE);
	ck_assert_mem_ne(of_other, of_server, TLS_DIGEST_SIZE);
	/* Another certificate of the same key. */
	renewed = make("renewed", &ca);
	X509_set_pubkey(renewed.x509, server.key);
	ck_assert(X509_sign(renewed.x509, ca.key, EVP_sha256()));
	ck_assert(tls_pin_of(renewed.x509, again));
	ck_assert_mem_eq(again, of_server, TLS_DIGEST_SIZE);
	peer_cert_free(&renewed);
	end();
}
END_TEST

START_TEST(digests_as_everybody_does)
{
	static const unsigned char abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41,
		0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a,
		0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
	unsigned char digest[TLS_DIGEST_SIZE];

	tls_store_free(tls_store_new());
	ck_assert(tls_digest(TEXT("abc"), digest));
	ck_assert_mem_eq(digest, abc, sizeof(abc));
}
END_TEST

START_TEST(holds_besides_the_chain_and_without_it)
{
	static const struct {
		const char *pins;
		bool ok;
	} cases[] = {
		{"", true},
		{"s", true},
		{"os", true},
		{"sao", true},
		{"o", false},
		/* Its own key counts, not who vouches for it. */
		{"a", false},
		{"oa", false},
	};

	begin();
	for (size_t i = 0; i < countof(cases) * 4; i++) {
		unsigned char pins[3 * TLS_DIGEST_SIZE];
		struct tls_policy policy = {
			.server_name = TEXT("a.example"),
			.ca = text_from(pem),
			.pins = pins_of(cases[i / 4].pins, pins),
			.insecure = i & 1,
		};
		struct pair pair;
		enum tls_result result;

		pair_init(&pair, &(struct peer_options){
					 .cert = &server, .version_max = versions[i >> 1 & 1]});
		pair_connect_by(&pair, &policy);
		result = pair_handshake(&pair);
		ck_assert_msg(result == (cases[i / 4].ok ? TLS_OK : TLS_FAULT), "case %zu: %s", i,
			pair.fault.message);
		if (!cases[i / 4].ok)
			ck_assert_int_eq(pair.fault.code, FAULT_CERT_PIN);
		pair_deinit(&pair);
	}
	end();
}
END_TEST

START_TEST(a_right_pin_makes_up_for_no_wrong_chain)
{
	struct tls_policy policy = {.server_name = TEXT("a.example")};
	struct pair pair;
	char *wrong;

	begin();
	wrong = peer_cert_pem(&other);
	policy.ca = text_from(wrong);
	policy.pins = (struct text){(const char *)of_server, TLS_DIGEST_SIZE};
	pair_init(&pair, &(struct peer_options){.cert = &server});
	pair_connect_by(&pair, &policy);
	ck_assert_int_eq(pair_handshake(&pair), TLS_FAULT);
	ck_assert_int_eq(pair.fault.code, FAULT_CERT_UNTRUSTED);
	pair_again(&pair);
	policy.ca = text_from(pem);
	policy.server_name = TEXT("b.example");
	pair_connect_by(&pair, &policy);
	ck_assert_int_eq(pair_handshake(&pair), TLS_FAULT);
	ck_assert_int_eq(pair.fault.code, FAULT_CERT_NAME);
	pair_deinit(&pair);
	free(wrong);
	end();
}
END_TEST

/* A wrong peer is told nothing of us. */
START_TEST(is_checked_before_our_certificate_is_shown)
{
	char *own, *key;

	begin();
	own = peer_cert_pem(&other);
	key = peer_key_pem(&other, NULL);
	for (size_t v = 0; v < countof(versions); v++) {
		struct tls_policy policy = {
			.server_name = TEXT("a.example"),
			.cert = text_from(own),
			.key = text_from(key),
			.pins = {(const char *)of_other, TLS_DIGEST_SIZE},
			.insecure = true,
		};
		struct pair pair;

		pair_init(&pair, &(struct peer_options){.cert = &server,
					 .version_max = versions[v],
					 .wants_client_cert = true,
					 .client_ca = &ca});
		pair_connect_by(&pair, &policy);
		ck_assert_int_eq(pair_handshake(&pair), TLS_FAULT);
		ck_assert_int_eq(pair.fault.code, FAULT_CERT_PIN);
		ck_assert(!SSL_is_init_finished(pair.ssl));
		ck_assert_ptr_null(SSL_get0_peer_certificate(pair.ssl));
		pair_deinit(&pair);
	}
	free(own);
	free(key);
	end();
}
END_TEST

START_TEST(says_what_was_expected_and_what_came)
{
	char expected[64], got[64], message[300];
	unsigned char pins[2 * TLS_DIGEST_SIZE];
	struct fault fault;

	begin();
	EVP_EncodeBlock((unsigned char *)expected, of_other, TLS_DIGEST_SIZE);
	EVP_EncodeBlock((unsigned char *)got, of_server, TLS_DIGEST_SIZE);
	ck_assert(!tls_pin_matches(of_other, 1, server.x509, &fault));
	snprintf(message, sizeof(message), "expected sha256//%s, got sha256//%s", expected, got);
	ck_assert_str_eq(fault.message, message);
	pins_of("oa", pins);
	ck_assert(!tls_pin_matches(pins, 2, server.x509, &fault));
	snprintf(message, sizeof(message), "expected sha256//%s or one of 1 more, got sha256//%s",
		expected, got);
	ck_assert_str_eq(fault.message, message);
	ck_assert_int_eq(fault.code, FAULT_CERT_PIN);
	end();
}
END_TEST

UNIT_MAIN("net/tls_pin", &is_the_digest_of_the_key_alone, &digests_as_everybody_does,
	&holds_besides_the_chain_and_without_it, &a_right_pin_makes_up_for_no_wrong_chain,
	&is_checked_before_our_certificate_is_shown, &says_what_was_expected_and_what_came)
