/* SPDX-License-Identifier: MIT */
#include "net/tls_private.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/container.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* An authority, one it vouches for that vouches for clients, a server and two clients. */
static struct peer_cert ca, between, server, client, other;
static char *ca_pem, *between_pem, *client_pem, *client_key, *other_key;

static struct peer_cert make(const char *name, const struct peer_cert *issuer, bool is_authority)
{
	return peer_cert_new(&(struct peer_cert_options){.name = name,
		.names = is_authority ? NULL : "DNS:a.example",
		.issuer = issuer,
		.is_authority = is_authority});
}

static void begin(void)
{
	/* Before anything else of OpenSSL's. */
	tls_store_free(tls_store_new());
	ca = make("Test CA", NULL, true);
	between = make("Between", &ca, true);
	server = make("server", &ca, false);
	client = make("client", &ca, false);
	other = make("other", &ca, false);
	ca_pem = peer_cert_pem(&ca);
	between_pem = peer_cert_pem(&between);
	client_pem = peer_cert_pem(&client);
	client_key = peer_key_pem(&client, NULL);
	other_key = peer_key_pem(&other, NULL);
}

static void end(void)
{
	struct peer_cert *const certs[] = {&ca, &between, &server, &client, &other};

	for (size_t i = 0; i < countof(certs); i++)
		peer_cert_free(certs[i]);
	free(ca_pem);
	free(between_pem);
	free(client_pem);
	free(client_key);
	free(other_key);
}

/* A connection that shows `cert`, if asked, until the server has had its say. */
static enum tls_result connect_with(
	struct pair *pair, struct peer_options options, const char *cert, const char *key)
{
	struct tls_policy policy = {.server_name = TEXT("a.example"), .ca = text_from(ca_pem)};
	enum tls_result result;
	size_t n;

	if (cert) {
		policy.cert = text_from(cert);
		policy.key = text_from(key);
	}
	options.cert = &server;
	pair_init(pair, &options);
	pair_connect_by(pair, &policy);
	result = pair_handshake(pair);
	if (result == TLS_OK)
		result = pair_read(pair, (char[1]){0}, 1, &n);
	return result;
}

START_TEST(shows_its_certificate_to_who_asks)
{
	begin();
	for (size_t v = 0; v < countof(versions); v++) {
		struct peer_options options = {.version_max = versions[v]};
		struct pair pair;
		X509 *shown;

		ck_assert_int_eq(connect_with(&pair, options, client_pem, client_key), TLS_MORE);
		ck_assert_ptr_null(SSL_get0_peer_certificate(pair.ssl));
		pair_deinit(&pair);

		options.wants_client_cert = true;
		options.client_ca = &ca;
		ck_assert_msg(connect_with(&pair, options, client_pem, client_key) == TLS_MORE,
			"%s", pair.fault.message);
		shown = SSL_get0_peer_certificate(pair.ssl);
		ck_assert_ptr_nonnull(shown);
		ck_assert_int_eq(X509_cmp(shown, client.x509), 0);
		pair_deinit(&pair);
	}
	end();
}
END_TEST

START_TEST(shows_its_chain_as_well)
{
	struct peer_cert deep;
	char *pem, *key, chain[8192];

	begin();
	deep = make("deep", &between, false);
	pem = peer_cert_pem(&deep);
	key = peer_key_pem(&deep, NULL);
	snprintf(chain, sizeof(chain), "# Of the test.\n%s%s%s", pem, between_pem, client_key);
	for (size_t v = 0; v < countof(versions); v++) {
		struct peer_options options = {
			.version_max = versions[v], .wants_client_cert = true, .client_ca = &ca};
		struct pair pair;

		ck_assert_int_eq(connect_with(&pair, options, pem, key), TLS_FAULT);
		ck_assert_int_eq(pair.fault.code, FAULT_CLIENT_CERT);
		pair_deinit(&pair);
		/* A private key among them is passed over. */
		ck_assert_msg(connect_with(&pair, options, chain, key) == TLS_MORE, "%s",
			pair.fault.message);
		ck_assert_int_eq(X509_cmp(SSL_get0_peer_certificate(pair.ssl), deep.x509), 0);
		pair_deinit(&pair);
	}
	free(pem);
	free(key);
	peer_cert_free(&deep);
	end();
}
END_TEST

START_TEST(says_why_it_cannot_be_loaded)
{
	static const char broken[] =
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	char *locked, behind[8192], *weak_pem, *weak_key, *chain;
	struct peer_cert weak;
	struct tls_store *store;

	begin();
	store = tls_store_new();
	locked = peer_key_pem(&client, "hush");
	snprintf(behind, sizeof(behind), "%s%s", client_pem, broken);
	chain = calloc(1, 40 * (strlen(between_pem) + 1));
	memcpy(chain, client_pem, strlen(client_pem));
	for (int i = 0; i < 20; i++)
		memcpy(chain + strlen(chain), between_pem, strlen(between_pem));
	weak = peer_cert_new(
		&(struct peer_cert_options){.name = "weak", .names = "DNS:weak", .rsa_bits = 1024});
	weak_pem = peer_cert_pem(&weak);
	weak_key = peer_key_pem(&weak, NULL);

	const struct {
		const char *cert, *key;
		const char *part;
	} cases[] = {
		{"", client_key, "cert is not a certificate in PEM"},
		{"hello", client_key, "cert is not a certificate in PEM"},
		{client_key, client_key, "cert is not a certificate in PEM"},
		{broken, client_key, "cert is not a certificate in PEM"},
		{behind, client_key, "of client: what stands behind it"},
		{chain, client_key, "of client: what stands behind it"},
		{client_pem, "", "key is not a private key in PEM"},
		{client_pem, client_pem, "key is not a private key in PEM"},
		{client_pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
			"key is not a private key in PEM"},
		{client_pem, locked, "key has a passphrase"},
		{client_pem, other_key, "of client: key is the key of another one"},
		{client_pem, weak_key, "of client: key is the key of another one"},
		{weak_pem, weak_key, "of weak: ee key too small"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		for (int insecure = 0; insecure < 2; insecure++) {
			struct tls_policy policy = {
				.server_name = TEXT("a.example"),
				.ca = text_from(ca_pem),
				.cert = text_from(cases[i].cert),
				.key = text_from(cases[i].key),
				.insecure = insecure,
			};
			struct fault fault = {0};
			struct tls *tls;

			ck_assert_msg(tls_new(store, &policy, &tls, &fault) == -1, "case %zu", i);
			ck_assert_int_eq(fault.code, FAULT_CLIENT_CERT);
			ck_assert_msg(strstr(fault.message, cases[i].part), "case %zu: %s", i,
				fault.message);
			ck_assert_uint_eq(store->n_contexts, 0);
			pair_check_queue();
		}
	}
	tls_store_free(store);
	peer_cert_free(&weak);
	free(locked);
	free(chain);
	free(weak_pem);
	free(weak_key);
	end();
}
END_TEST

/* A key of RSA of so many bits, in numbers that are none: to make a real one takes minutes. */
static EVP_PKEY *make_rsa(int bits)
{
	static const char *const names[] = {"n", "e", "d", "rsa-factor1", "rsa-factor2",
		"rsa-exponent1", "rsa-exponent2", "rsa-coefficient1"};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *numbers[countof(names)];
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	for (size_t i = 0; i < countof(names); i++) {
		int size = i == 0 || i == 2 ? bits : i == 1 ? 17 : bits / 2;

		numbers[i] = BN_new();
		ck_assert(BN_rand(numbers[i], size, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD));
		ck_assert(OSSL_PARAM_BLD_push_BN(builder, names[i], numbers[i]));
	}
	params = OSSL_PARAM_BLD_to_param(builder);
	ck_assert_int_eq(EVP_PKEY_fromdata_init(context), 1);
	ck_assert_int_eq(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params), 1);
	for (size_t i = 0; i < countof(names); i++)
		BN_free(numbers[i]);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(context);
	return key;
}

START_TEST(signs_with_no_key_that_would_take_long)
{
	static const struct {
		int bits;
		bool ok;
	} cases[] = {{TLS_KEY_BITS_MAX, true}, {TLS_KEY_BITS_MAX + 64, false}};

	begin();
	for (size_t i = 0; i < countof(cases); i++) {
		struct peer_cert large = make("large", &ca, false);
		SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_client_method());
		struct fault fault = {0};
		char *pem, *key;

		EVP_PKEY_free(large.key);
		large.key = make_rsa(cases[i].bits);
		X509_set_pubkey(large.x509, large.key);
		X509_sign(large.x509, ca.key, EVP_sha256());
		pem = peer_cert_pem(&large);
		key = peer_key_pem(&large, NULL);
		ck_assert_msg(tls_identity_load(ssl_ctx, text_from(pem), text_from(key), &fault) ==
				      cases[i].ok,
			"%d bits: %s", cases[i].bits, fault.message);
		if (!cases[i].ok)
			ck_assert_str_eq(fault.message,
				"cert, of large: key is too large: 8192 bits are the most");
		pair_check_queue();
		SSL_CTX_free(ssl_ctx);
		free(pem);
		free(key);
		peer_cert_free(&large);
	}
	end();
}
END_TEST

START_TEST(says_what_was_wanted_and_what_was_shown)
{
	struct peer_cert stranger;
	char *pem, *key;

	begin();
	stranger = make("Nobody", NULL, false);
	pem = peer_cert_pem(&stranger);
	key = peer_key_pem(&stranger, NULL);
	for (size_t v = 0; v < countof(versions); v++) {
		struct peer_options options = {.version_max = versions[v],
			.wants_client_cert = true,
			.client_ca = &between};
		const char *alert = versions[v] == TLS1_2_VERSION ? "handshake_failure"
								  : "certificate_required";
		struct pair pair;

		ck_assert_int_eq(connect_with(&pair, options, NULL, NULL), TLS_FAULT);
		ck_assert_int_eq(pair.fault.code, FAULT_CLIENT_CERT);
		ck_assert_ptr_nonnull(strstr(pair.fault.message, alert));
		ck_assert_ptr_nonnull(
			strstr(pair.fault.message, "of ours by Between, and got none"));
		pair_deinit(&pair);

		ck_assert_int_eq(connect_with(&pair, options, pem, key), TLS_FAULT);
		ck_assert_int_eq(pair.fault.code, FAULT_CLIENT_CERT);
		ck_assert_ptr_nonnull(strstr(pair.fault.message, "TLS alert unknown_ca"));
		ck_assert_ptr_nonnull(strstr(pair.fault.message,
			"by Between, and got that of Nobody by Nobody, valid until 20"));
		pair_deinit(&pair);
	}
	free(pem);
	free(key);
	peer_cert_free(&stranger);
	end();
}
END_TEST

UNIT_MAIN("net/tls_identity", &shows_its_certificate_to_who_asks, &shows_its_chain_as_well,
	&says_why_it_cannot_be_loaded, &signs_with_no_key_that_would_take_long,
	&says_what_was_wanted_and_what_was_shown)
