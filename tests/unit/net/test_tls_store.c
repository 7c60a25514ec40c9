/* SPDX-License-Identifier: MIT */
#include "net/tls_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/net/tls_peer.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
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
		{.ca = variant(data[0], sizeof(data[0]), 1, pem)},
		{.ca = variant(data[1], sizeof(data[1]), 2, pem)},
		{.ca = variant(data[0], sizeof(data[0]), 1, pem), .insecure = true},
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

START_TEST(shares_no_context_where_it_shows_another_certificate)
{
	struct tls_store *store = tls_store_new();
	struct peer_cert one = peer_cert_new(&(struct peer_cert_options){.name = "one"});
	struct peer_cert two = peer_cert_new(&(struct peer_cert_options){.name = "two"});
	char *pem = peer_cert_pem(&one), *key = peer_key_pem(&one, NULL), data[2][4096];
	char *other_pem = peer_cert_pem(&two), *other_key = peer_key_pem(&two, NULL);
	struct text ca = text_from(pem);
	const struct tls_policy policies[] = {
		{.ca = ca},
		{.insecure = true},
		{.ca = ca, .cert = text_from(pem), .key = text_from(key)},
		{.insecure = true, .cert = text_from(pem), .key = text_from(key)},
		{.ca = ca, .cert = text_from(other_pem), .key = text_from(other_key)},
		/* The same in other words. */
		{.ca = ca,
			.cert = variant(data[0], sizeof(data[0]), 1, pem),
			.key = text_from(key)},
		{.ca = ca,
			.cert = text_from(pem),
			.key = variant(data[1], sizeof(data[1]), 1, key)},
	};
	SSL_CTX *contexts[countof(policies)];
	struct fault fault;

	for (size_t i = 0; i < countof(policies); i++) {
		contexts[i] = tls_store_context(store, &policies[i], &fault);
		ck_assert_ptr_nonnull(contexts[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(contexts[i], contexts[j]);
	}
	for (size_t i = 0; i < countof(policies); i++)
		ck_assert_ptr_eq(tls_store_context(store, &policies[i], &fault), contexts[i]);
	tls_store_forget(store);
	ck_assert_uint_eq(store->n_contexts, 0);
	free(pem);
	free(key);
	free(other_pem);
	free(other_key);
	peer_cert_free(&one);
	peer_cert_free(&two);
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

START_TEST(says_that_nobody_is_trusted_here)
{
	struct peer_cert ca, cert;
	struct pair pair;

	tls_store_free(tls_store_new());
	ca = peer_cert_new(&(struct peer_cert_options){.name = "Test CA", .is_authority = true});
	cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "DNS:a.example", .issuer = &ca});
	pair_init(&pair, &(struct peer_options){.cert = &cert});
	ck_assert_int_eq(tls_store_load_from(pair.store, "/dev/null"), 0);
	pair_connect(&pair, "a.example", NULL, false);
	ck_assert_int_eq(pair_handshake(&pair), TLS_FAULT);
	ck_assert_int_eq(pair.fault.code, FAULT_CERT_UNTRUSTED);
	ck_assert_ptr_nonnull(strstr(pair.fault.message, "ca-certificates"));
	ck_assert_ptr_nonnull(strstr(pair.fault.message, "of a either: its issuer is Test CA"));
	pair_deinit(&pair);
	peer_cert_free(&cert);
	peer_cert_free(&ca);
}
END_TEST

/* A bundle of the system on disk, and a server. */
struct bundle {
	char path[40];
	struct peer_cert cert;
	struct pair pair;
};

/* Replaced as update-ca-certificates(8) does it: another file takes the name. */
static void bundle_write(struct bundle *bundle, const struct peer_cert *ca)
{
	char *pem = peer_cert_pem(ca), path[60];
	FILE *file;

	snprintf(path, sizeof(path), "%s.new", bundle->path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(pem, file);
	fclose(file);
	ck_assert_int_eq(rename(path, bundle->path), 0);
	free(pem);
}

static void bundle_begin(struct bundle *bundle, struct peer_cert *ca, struct peer_cert *other)
{
	static const char path[] = "/tmp/test_tls_store.XXXXXX";
	struct peer_cert_options options = {.name = "Test CA", .is_authority = true};
	/* Before anything else of OpenSSL's. */
	struct tls_store *store = tls_store_new();

	memcpy(bundle->path, path, sizeof(path));
	close(mkstemp(bundle->path));
	*ca = peer_cert_new(&options);
	*other = peer_cert_new(&options);
	bundle->cert = peer_cert_new(
		&(struct peer_cert_options){.name = "a", .names = "DNS:a.example", .issuer = ca});
	pair_init(&bundle->pair, &(struct peer_options){.cert = &bundle->cert});
	bundle_write(bundle, ca);
	ck_assert_int_eq(tls_store_load_from(bundle->pair.store, bundle->path), 0);
	tls_store_free(store);
}

static void bundle_end(struct bundle *bundle, struct peer_cert *ca, struct peer_cert *other)
{
	unlink(bundle->path);
	pair_deinit(&bundle->pair);
	peer_cert_free(&bundle->cert);
	peer_cert_free(ca);
	peer_cert_free(other);
}

/* A handshake with the system's certificates. */
static enum tls_result bundle_try(struct bundle *bundle)
{
	static const unsigned char key[TLS_DIGEST_SIZE] = "k";
	struct tls_policy policy = {.server_name = TEXT("a.example"), .session_key = key};
	struct pair *pair = &bundle->pair;
	enum tls_result result;

	pair_again(pair);
	pair_connect_by(pair, &policy);
	result = pair_handshake(pair);
	if (result == TLS_OK)
		pair_read(pair, (char[1]){0}, 1, &(size_t){0});
	return result;
}

START_TEST(reads_the_system_again_when_it_has_changed)
{
	struct peer_cert ca, other;
	struct bundle bundle;
	struct tls_store *store;

	bundle_begin(&bundle, &ca, &other);
	store = bundle.pair.store;
	ck_assert_int_eq(bundle_try(&bundle), TLS_OK);
	ck_assert(!tls_is_resumed(bundle.pair.tls));
	ck_assert_int_eq(bundle_try(&bundle), TLS_OK);
	ck_assert(tls_is_resumed(bundle.pair.tls));
	/* Within the second nobody looks. */
	bundle_write(&bundle, &other);
	ck_assert_int_eq(bundle_try(&bundle), TLS_OK);
	ck_assert(tls_is_resumed(bundle.pair.tls));
	/* Who is not trusted any more, has nothing to resume either. */
	store->looked_ns -= NS_PER_S;
	ck_assert_int_eq(bundle_try(&bundle), TLS_FAULT);
	ck_assert_int_eq(bundle.pair.fault.code, FAULT_CERT_UNTRUSTED);
	ck_assert_uint_eq(tls_store_counters(store).n_sessions, 0);
	bundle_write(&bundle, &ca);
	store->looked_ns -= NS_PER_S;
	ck_assert_int_eq(bundle_try(&bundle), TLS_OK);
	ck_assert(!tls_is_resumed(bundle.pair.tls));
	/* What has not changed is not read again. */
	store->looked_ns -= NS_PER_S;
	ck_assert_int_eq(bundle_try(&bundle), TLS_OK);
	ck_assert(tls_is_resumed(bundle.pair.tls));
	bundle_end(&bundle, &ca, &other);
}
END_TEST

START_TEST(a_system_that_is_gone_for_a_moment_is_kept)
{
	struct peer_cert ca, other;
	struct bundle bundle;

	bundle_begin(&bundle, &ca, &other);
	unlink(bundle.path);
	for (int i = 0; i < 2; i++) {
		bundle.pair.store->looked_ns -= NS_PER_S;
		ck_assert_int_eq(bundle_try(&bundle), TLS_OK);
	}
	bundle_end(&bundle, &ca, &other);
}
END_TEST

START_TEST(a_handshake_goes_on_with_what_it_began_with)
{
	struct tls_policy policy = {.server_name = TEXT("a.example")};
	struct peer_cert ca, other;
	struct bundle bundle;
	struct tls_store *store;
	struct fault fault;

	bundle_begin(&bundle, &ca, &other);
	store = bundle.pair.store;
	pair_connect_by(&bundle.pair, &policy);
	ck_assert_int_eq(tls_handshake(bundle.pair.tls, &fault), TLS_MORE);
	bundle_write(&bundle, &other);
	store->looked_ns -= NS_PER_S;
	ck_assert_ptr_nonnull(tls_store_context(store, &policy, &fault));
	ck_assert_uint_eq(store->generation, 1);
	/* Its certificates are parsed only now. */
	ck_assert_int_eq(pair_handshake(&bundle.pair), TLS_OK);
	ck_assert_uint_eq(tls_roots_count_parsed(store->roots), 0);
	bundle_end(&bundle, &ca, &other);
}
END_TEST

UNIT_MAIN("net/tls_store", &says_that_nobody_is_trusted_here,
	&shares_no_context_where_it_shows_another_certificate,
	&reads_the_system_again_when_it_has_changed, &a_system_that_is_gone_for_a_moment_is_kept,
	&a_handshake_goes_on_with_what_it_began_with, &shares_a_context_where_the_policy_is_equal,
	&drops_the_least_recently_used_context, &refuses_a_ca_that_is_none,
	&refuses_a_ca_that_is_broken_behind_a_good_one, &obeys_no_environment,
	&loads_the_system_once, &is_none_where_the_file_is_none)
