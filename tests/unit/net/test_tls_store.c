/* SPDX-License-Identifier: MIT */
#include "net/tls_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* A CA that is the same but for the text between its certificates. */
static struct text variant(char *to, size_t size, unsigned number, const char *pem)
{
	int n = snprintf(to, size, "# %u\n%s", number, pem);

	return (struct text){to, (size_t)n};
}

START_TEST(shares_a_context_where_the_policy_is_equal)
{
	struct tls_store *store = tls_store_new();
	struct peer_cert cert = peer_cert_new(&(struct peer_cert_options){.name = "ca"});
	char *pem = peer_cert_pem(&cert), data[2][4096];
	struct tls_policy policies[] = {
		{TEXT("a.example"), variant(data[0], sizeof(data[0]), 1, pem), false},
		{TEXT("a.example"), variant(data[1], sizeof(data[1]), 2, pem), false},
		{TEXT("a.example"), variant(data[0], sizeof(data[0]), 1, pem), true},
	};
	SSL_CTX *contexts[countof(policies)];
	struct fault fault;

	for (size_t i = 0; i < countof(policies); i++)
		contexts[i] = tls_store_context(store, &policies[i], &fault);
	for (size_t i = 0; i < countof(policies); i++) {
		struct tls_policy same = policies[i];
		char *copy = strndup(same.ca.data, same.ca.size);

		same.ca.data = copy;
		same.server_name = TEXT("b.example");
		ck_assert_ptr_nonnull(contexts[i]);
		ck_assert_ptr_eq(tls_store_context(store, &same, &fault), contexts[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(contexts[i], contexts[j]);
		free(copy);
	}
	ck_assert_uint_eq(store->n_contexts, countof(policies));
	/* Who does not verify, shares one whatever the authorities. */
	policies[2].ca = (struct text){0};
	ck_assert_ptr_eq(tls_store_context(store, &policies[2], &fault), contexts[2]);
	pair_check_queue();
	free(pem);
	peer_cert_free(&cert);
	tls_store_free(store);
}
END_TEST

START_TEST(drops_the_least_recently_used_context)
{
	struct peer_cert cert;
	struct pair pair;
	char *pem, data[4096];
	struct tls_policy policy = {.server_name = TEXT("a.example")};
	SSL_CTX *first;

	pair_init(&pair, &(struct peer_options){0});
	cert = peer_cert_new(&(struct peer_cert_options){.name = "a", .names = "DNS:a.example"});
	pem = peer_cert_pem(&cert);
	SSL_use_certificate(pair.ssl, cert.x509);
	SSL_use_PrivateKey(pair.ssl, cert.key);
	/* The connection's own context is the first to go, the second is kept warm. */
	pair_connect(&pair, "a.example", pem, false);
	policy.ca = variant(data, sizeof(data), 0, pem);
	first = tls_store_context(pair.store, &policy, &pair.fault);
	for (unsigned i = 1; i <= TLS_CONTEXTS_MAX + 5; i++) {
		policy.ca = variant(data, sizeof(data), i, pem);
		ck_assert_ptr_nonnull(tls_store_context(pair.store, &policy, &pair.fault));
		policy.ca = variant(data, sizeof(data), 0, pem);
		ck_assert_ptr_eq(tls_store_context(pair.store, &policy, &pair.fault), first);
		ck_assert_uint_le(pair.store->n_contexts, TLS_CONTEXTS_MAX);
	}
	ck_assert_uint_eq(pair.store->n_contexts, TLS_CONTEXTS_MAX);
	/* It has a share of its own. */
	ck_assert_int_eq(pair_handshake(&pair), TLS_OK);
	free(pem);
	peer_cert_free(&cert);
	pair_deinit(&pair);
}
END_TEST

START_TEST(refuses_a_ca_that_is_none)
{
	static const char *const cases[] = {
		"",
		"hello",
		"-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	};
	struct tls_store *store = tls_store_new();

	for (size_t i = 0; i < countof(cases); i++) {
		struct tls_policy policy = {
			.server_name = TEXT("a.example"), .ca = text_from(cases[i])};
		struct fault fault = {0};
		struct tls *tls;

		ck_assert_msg(tls_new(store, &policy, &tls, &fault) == -1, "case %zu", i);
		ck_assert_int_eq(fault.code, FAULT_CERT_UNTRUSTED);
		ck_assert_uint_eq(store->n_contexts, 0);
		pair_check_queue();
	}
	tls_store_free(store);
}
END_TEST

START_TEST(refuses_a_ca_that_is_broken_behind_a_good_one)
{
	struct tls_store *store = tls_store_new();
	struct peer_cert cert = peer_cert_new(&(struct peer_cert_options){.name = "ca"});
	char *pem = peer_cert_pem(&cert), data[4096];
	struct tls_policy policy = {.server_name = TEXT("a.example"), .ca = {data, 0}};
	struct fault fault = {0};

	policy.ca.size = (size_t)snprintf(data, sizeof(data),
		"%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", pem);
	ck_assert_ptr_null(tls_store_context(store, &policy, &fault));
	ck_assert_int_eq(fault.code, FAULT_CERT_UNTRUSTED);
	free(pem);
	peer_cert_free(&cert);
	tls_store_free(store);
}
END_TEST

START_TEST(obeys_no_environment)
{
	static const char config[] = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\n"
				     "system_default = c\n[c]\nMaxProtocol = TLSv1.2\n";
	char directory[] = "/tmp/test_tls_store.XXXXXX", path[64], keys[64];
	struct peer_cert cert;
	struct pair pair;
	char *pem;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/openssl.cnf", directory);
	snprintf(keys, sizeof(keys), "%s/keys", directory);
	file = fopen(path, "w");
	fputs(config, file);
	fclose(file);
	setenv("OPENSSL_CONF", path, 1);
	setenv("SSLKEYLOGFILE", keys, 1);
	setenv("SSL_CERT_FILE", "/nowhere", 1);

	pair_init(&pair, &(struct peer_options){0});
	cert = peer_cert_new(&(struct peer_cert_options){.name = "a", .names = "DNS:a.example"});
	pem = peer_cert_pem(&cert);
	SSL_use_certificate(pair.ssl, cert.x509);
	SSL_use_PrivateKey(pair.ssl, cert.key);
	pair_connect(&pair, "a.example", pem, false);
	ck_assert_int_eq(pair_handshake(&pair), TLS_OK);
	ck_assert_int_eq(SSL_version(pair.ssl), TLS1_3_VERSION);
	ck_assert_int_ne(access(keys, F_OK), 0);
	ck_assert_ptr_null(getenv("SSLKEYLOGFILE"));

	unsetenv("OPENSSL_CONF");
	unsetenv("SSL_CERT_FILE");
	unlink(path);
	rmdir(directory);
	free(pem);
	peer_cert_free(&cert);
	pair_deinit(&pair);
}
END_TEST

START_TEST(loads_the_system_once)
{
	struct tls_store *store = tls_store_new();
	struct tls_roots *roots;

	/* The machine may have none. */
	ck_assert_int_eq(tls_store_load(store), 0);
	roots = store->roots;
	ck_assert_int_eq(tls_store_load(store), 0);
	ck_assert_ptr_eq(store->roots, roots);
	pair_check_queue();
	tls_store_free(store);
}
END_TEST

START_TEST(is_none_where_the_file_is_none)
{
	struct tls_store *store = tls_store_new();

	ck_assert_int_eq(tls_store_load_from(store, "/nowhere/bundle.pem"), -ENOENT);
	ck_assert(tls_store_lacks_roots(store));
	tls_store_free(store);
}
END_TEST

UNIT_MAIN("net/tls_store", &shares_a_context_where_the_policy_is_equal,
	&drops_the_least_recently_used_context, &refuses_a_ca_that_is_none,
	&refuses_a_ca_that_is_broken_behind_a_good_one, &obeys_no_environment,
	&loads_the_system_once, &is_none_where_the_file_is_none)
