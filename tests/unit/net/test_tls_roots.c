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

#define BROKEN_BASE64 "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"
#define BROKEN_DER    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define OTHER_LABEL   "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"

/* A bundle on disk of authorities "ca0", "ca1", …, and a server that each may vouch for. */
struct fixture {
	char path[32];
	FILE *file;
	struct pair pair;
};

static void fixture_init(struct fixture *fixture)
{
	static const char path[] = "/tmp/test_tls_roots.XXXXXX";

	memcpy(fixture->path, path, sizeof(path));
	fixture->file = fdopen(mkstemp(fixture->path), "w");
	pair_init(&fixture->pair, &(struct peer_options){0});
}

static void fixture_deinit(struct fixture *fixture)
{
	pair_deinit(&fixture->pair);
	unlink(fixture->path);
}

static struct peer_cert fixture_add(struct fixture *fixture, const char *name)
{
	struct peer_cert cert =
		peer_cert_new(&(struct peer_cert_options){.name = name, .is_authority = true});
	char *pem = peer_cert_pem(&cert);

	fputs(pem, fixture->file);
	free(pem);
	return cert;
}

static void fixture_load(struct fixture *fixture)
{
	fclose(fixture->file);
	ck_assert_int_eq(tls_store_load_from(fixture->pair.store, fixture->path), 0);
	pair_check_queue();
}

/* What the handshake with a server becomes whom `issuer` vouches for. */
static enum tls_result fixture_try(struct fixture *fixture, const struct peer_cert *issuer)
{
	struct peer_cert cert = peer_cert_new(&(struct peer_cert_options){
		.name = "a", .names = "DNS:a.example", .issuer = issuer});
	enum tls_result result;

	SSL_clear(fixture->pair.ssl);
	SSL_use_certificate(fixture->pair.ssl, cert.x509);
	SSL_use_PrivateKey(fixture->pair.ssl, cert.key);
	fixture->pair.tls = tls_free(fixture->pair.tls);
	fixture->pair.wire_at = fixture->pair.wire_size = 0;
	pair_connect(&fixture->pair, "a.example", NULL, false);
	result = pair_handshake(&fixture->pair);
	peer_cert_free(&cert);
	return result;
}

START_TEST(parses_only_those_that_are_asked_for)
{
	struct fixture fixture;
	struct tls_roots *roots;
	struct peer_cert certs[5];
	char name[] = "ca0";

	fixture_init(&fixture);
	for (size_t i = 0; i < countof(certs); i++, name[2]++)
		certs[i] = fixture_add(&fixture, name);
	fixture_load(&fixture);
	roots = fixture.pair.store->roots;
	ck_assert_uint_eq(tls_roots_count(roots), countof(certs));
	ck_assert_uint_eq(tls_roots_count_parsed(roots), 0);
	ck_assert_int_eq(fixture_try(&fixture, &certs[3]), TLS_OK);
	ck_assert_uint_eq(tls_roots_count_parsed(roots), 1);
	/* The store has it now. */
	ck_assert_int_eq(fixture_try(&fixture, &certs[3]), TLS_OK);
	ck_assert_uint_eq(tls_roots_count_parsed(roots), 1);
	ck_assert_int_eq(fixture_try(&fixture, &certs[0]), TLS_OK);
	ck_assert_uint_eq(tls_roots_count_parsed(roots), 2);
	for (size_t i = 0; i < countof(certs); i++)
		peer_cert_free(&certs[i]);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(finds_each_of_several_with_one_subject)
{
	struct fixture fixture;
	struct peer_cert certs[3], stranger;

	fixture_init(&fixture);
	for (size_t i = 0; i < countof(certs); i++)
		certs[i] = fixture_add(&fixture, "same");
	fixture_load(&fixture);
	for (size_t i = 0; i < countof(certs); i++)
		ck_assert_msg(fixture_try(&fixture, &certs[i]) == TLS_OK, "%s",
			fixture.pair.fault.message);
	ck_assert_uint_eq(tls_roots_count_parsed(fixture.pair.store->roots), 3);
	/* The name alone is not enough. */
	stranger = peer_cert_new(&(struct peer_cert_options){.name = "same", .is_authority = true});
	ck_assert_int_eq(fixture_try(&fixture, &stranger), TLS_FAULT);
	ck_assert_int_eq(fixture.pair.fault.code, FAULT_CERT_UNTRUSTED);
	peer_cert_free(&stranger);
	for (size_t i = 0; i < countof(certs); i++)
		peer_cert_free(&certs[i]);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(takes_the_same_certificate_twice)
{
	struct fixture fixture;
	struct peer_cert cert;
	char *pem;

	fixture_init(&fixture);
	cert = fixture_add(&fixture, "twice");
	pem = peer_cert_pem(&cert);
	fputs(pem, fixture.file);
	fixture_load(&fixture);
	ck_assert_int_eq(fixture_try(&fixture, &cert), TLS_OK);
	ck_assert_int_eq(fixture_try(&fixture, &cert), TLS_OK);
	free(pem);
	peer_cert_free(&cert);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(leaves_out_what_is_broken)
{
	struct fixture fixture;
	struct peer_cert first, last;

	fixture_init(&fixture);
	fputs("# A comment.\n" BROKEN_BASE64, fixture.file);
	first = fixture_add(&fixture, "first");
	fputs(BROKEN_DER OTHER_LABEL BROKEN_BASE64, fixture.file);
	last = fixture_add(&fixture, "last");
	fputs("-----BEGIN CERTIFICATE-----\nMIIB", fixture.file);
	fixture_load(&fixture);
	ck_assert_uint_eq(tls_roots_count(fixture.pair.store->roots), 2);
	ck_assert_int_eq(fixture_try(&fixture, &first), TLS_OK);
	ck_assert_int_eq(fixture_try(&fixture, &last), TLS_OK);
	peer_cert_free(&first);
	peer_cert_free(&last);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(says_that_there_are_none)
{
	struct fixture fixture;
	struct peer_cert cert;

	fixture_init(&fixture);
	fixture_load(&fixture);
	ck_assert_uint_eq(tls_roots_count(fixture.pair.store->roots), 0);
	cert = peer_cert_new(&(struct peer_cert_options){.name = "ca", .is_authority = true});
	ck_assert_int_eq(fixture_try(&fixture, &cert), TLS_FAULT);
	ck_assert_int_eq(fixture.pair.fault.code, FAULT_CERT_UNTRUSTED);
	ck_assert_ptr_nonnull(strstr(fixture.pair.fault.message, "ca-certificates"));
	peer_cert_free(&cert);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(reads_no_directory)
{
	struct tls_store *store = tls_store_new();
	struct tls_roots *roots = NULL;

	if (tls_roots_new("/tmp", &roots) == 0)
		ck_assert_uint_eq(tls_roots_count(roots), 0);
	tls_roots_free(roots);
	tls_store_free(store);
}
END_TEST

START_TEST(takes_what_a_user_names_whole_or_not_at_all)
{
	struct tls_store *store = tls_store_new();
	struct peer_cert cert =
		peer_cert_new(&(struct peer_cert_options){.name = "ca", .is_authority = true});
	char *pem = peer_cert_pem(&cert);
	const struct {
		const char *before, *after;
		unsigned n;
		int result;
	} cases[] = {
		{"", "", 1, 0},
		{"# A comment.\n", OTHER_LABEL "# Another.\n", 2, 0},
		{"", "", TLS_CA_MAX, 0},
		{"", "", TLS_CA_MAX + 1, -E2BIG},
		{"", "", 0, -EINVAL},
		{"no PEM", OTHER_LABEL, 0, -EINVAL},
		{BROKEN_BASE64, "", 1, -EINVAL},
		{"", BROKEN_DER, 1, -EINVAL},
		{"", "-----BEGIN CERTIFICATE-----\nMIIB", 1, -EINVAL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct tls_roots *roots = NULL;
		struct buffer text;

		buffer_init(&text, SIZE_MAX);
		buffer_append_text(&text, text_from(cases[i].before));
		for (unsigned n = 0; n < cases[i].n; n++)
			buffer_append_text(&text, text_from(pem));
		buffer_append_text(&text, text_from(cases[i].after));
		ck_assert_msg(tls_roots_new_text(buffer_text(&text), &roots) == cases[i].result,
			"case %zu", i);
		pair_check_queue();
		if (roots) {
			ck_assert_uint_eq(tls_roots_count(roots), cases[i].n);
			/* Nobody has asked for one. */
			ck_assert_uint_eq(tls_roots_count_parsed(roots), 0);
		}
		tls_roots_free(roots);
		buffer_deinit(&text);
	}
	free(pem);
	peer_cert_free(&cert);
	tls_store_free(store);
}
END_TEST

UNIT_MAIN("net/tls_roots", &takes_what_a_user_names_whole_or_not_at_all,
	&parses_only_those_that_are_asked_for, &finds_each_of_several_with_one_subject,
	&takes_the_same_certificate_twice, &leaves_out_what_is_broken, &says_that_there_are_none,
	&reads_no_directory)
