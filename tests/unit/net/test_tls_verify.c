/* SPDX-License-Identifier: MIT */
#include "net/tls_private.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/container.h"

/* What becomes of whole handshakes, is in test_tls_fault.c and test_tls_pin.c. */

START_TEST(knows_names_from_addresses)
{
	static const struct {
		const char *said, *name;
		size_t address_size;
	} cases[] = {
		{"a.example", "a.example", 0},
		{"A.example.", "A.example", 0},
		{"192.0.2.1", "192.0.2.1", 4},
		{"192.0.2.1.", "192.0.2.1", 4},
		{"2001:db8::1", "2001:db8::1", 16},
		{"[2001:db8::1]", "2001:db8::1", 16},
		/* No address, so it is asked for as a name. */
		{"192.0.2", "192.0.2", 0},
		{"0x7f.1", "0x7f.1", 0},
		/* None at all. */
		{"", NULL, 0},
		{".a.example", NULL, 0},
		{"a..example", NULL, 0},
		{"a.example..", NULL, 0},
		{"a b", NULL, 0},
		{"a\x7f", NULL, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct tls_policy policy = {.server_name = text_from(cases[i].said)};
		struct tls_verify verify;
		struct fault fault = {0};

		ck_assert_msg(tls_verify_init(&verify, &policy, &fault) == !!cases[i].name, "%s",
			cases[i].said);
		if (cases[i].name) {
			ck_assert_str_eq(verify.name, cases[i].name);
			ck_assert_uint_eq(verify.address_size, cases[i].address_size);
		} else {
			ck_assert_int_eq(fault.code, FAULT_CERT_NAME);
		}
		tls_verify_deinit(&verify);
	}
}
END_TEST

START_TEST(keeps_what_the_policy_pointed_to)
{
	char name[] = "a.example", pins[2 * TLS_DIGEST_SIZE];
	struct tls_policy policy = {
		.server_name = text_from(name),
		.pins = {pins, sizeof(pins)},
		.insecure = true,
	};
	struct tls_verify verify;
	struct fault fault;

	memset(pins, 7, sizeof(pins));
	ck_assert(tls_verify_init(&verify, &policy, &fault));
	memset(name, 'x', sizeof(name));
	memset(pins, 'x', sizeof(pins));
	ck_assert_str_eq(verify.name, "a.example");
	ck_assert_uint_eq(verify.n_pins, 2);
	for (size_t i = 0; i < sizeof(pins); i++)
		ck_assert_int_eq(verify.pins[i], 7);
	ck_assert(verify.insecure);
	ck_assert(verify.is_system);
	tls_verify_deinit(&verify);
}
END_TEST

/* How long what is verified now may be relied upon, of a certificate that is good that long. */
static uint64_t relied_upon_s(long leaf_s, long ca_s, bool insecure)
{
	struct peer_cert ca =
		peer_cert_new(&(struct peer_cert_options){.name = "ca", .is_authority = true});
	struct peer_cert cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "DNS:a.example", .issuer = &ca});
	char *pem;
	struct tls_policy policy = {.server_name = TEXT("a.example"), .insecure = insecure};
	X509_STORE_CTX *chain = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	struct tls_verify verify;
	struct fault fault;
	SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ssl_ctx);
	uint64_t now_ns = clock_now_ns();

	X509_gmtime_adj(X509_getm_notAfter(ca.x509), ca_s);
	X509_sign(ca.x509, ca.key, EVP_sha256());
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), leaf_s);
	X509_sign(cert.x509, ca.key, EVP_sha256());
	pem = peer_cert_pem(&ca);
	policy.ca = text_from(pem);
	ck_assert(X509_STORE_add_cert(store, ca.x509));
	ck_assert(tls_verify_init(&verify, &policy, &fault));
	ck_assert(tls_verify_set(&verify, ssl));
	ck_assert(X509_STORE_CTX_init(chain, store, cert.x509, NULL));
	X509_STORE_CTX_set_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl);
	ck_assert_int_eq(tls_verify_on_chain(chain, NULL), 1);
	ck_assert_int_eq(X509_STORE_CTX_get_error(chain), X509_V_OK);
	X509_STORE_CTX_free(chain);
	X509_STORE_free(store);
	SSL_free(ssl);
	SSL_CTX_free(ssl_ctx);
	free(pem);
	peer_cert_free(&ca);
	peer_cert_free(&cert);
	tls_verify_deinit(&verify);
	/* Rounded: making the certificates took its time. */
	return (verify.until_ns - now_ns + 30 * NS_PER_S) / (60 * NS_PER_S) * 60;
}

START_TEST(is_relied_upon_until_the_first_end_of_the_chain)
{
	static const struct {
		long leaf_s, ca_s;
		bool insecure;
		uint64_t seconds;
	} cases[] = {
		{86400L * 365 * 300, 86400L * 365 * 300, false, 3600},
		{86400, 86400, false, 3600},
		{7200, 7200, false, 3600},
		{600, 7200, false, 600},
		{7200, 1200, false, 1200},
		{600, 7200, true, 3600},
	};

	tls_store_free(tls_store_new());
	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t seconds = relied_upon_s(cases[i].leaf_s, cases[i].ca_s, cases[i].insecure);

		ck_assert_msg(
			seconds == cases[i].seconds, "case %zu: %lu", i, (unsigned long)seconds);
	}
}
END_TEST

UNIT_MAIN("net/tls_verify", &knows_names_from_addresses, &keeps_what_the_policy_pointed_to,
	&is_relied_upon_until_the_first_end_of_the_chain)
