/* SPDX-License-Identifier: MIT */
#include "tests/unit/net/tls_peer.h"

#include <check.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define PEER_TURNS_MAX 100000

static void peer_cert_add(X509 *x509, const struct peer_cert *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer ? issuer->x509 : x509, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ck_assert_ptr_nonnull(extension);
	ck_assert(X509_add_ext(x509, extension, -1));
	X509_EXTENSION_free(extension);
}

static void peer_cert_add_raw_name(X509 *x509, struct text raw)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	ck_assert(ASN1_STRING_set(string, raw.data, (int)raw.size));
	GENERAL_NAME_set0_value(name, GEN_DNS, string);
	ck_assert(sk_GENERAL_NAME_push(names, name));
	ck_assert(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0));
	GENERAL_NAMES_free(names);
}

static X509_NAME *peer_name_new(const char *common_name)
{
	X509_NAME *name = X509_NAME_new();

	ck_assert(X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0));
	return name;
}

struct peer_cert peer_cert_new(const struct peer_cert_options *options)
{
	static long serial;
	bool is_dated = options->days_from || options->days_to;
	const struct peer_cert *issuer = options->issuer;
	X509_NAME *name = peer_name_new(options->name);
	struct peer_cert cert = {X509_new(), NULL};

	cert.key = options->rsa_bits ? EVP_RSA_gen(options->rsa_bits) : EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(cert.key);
	X509_set_version(cert.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), ++serial);
	X509_gmtime_adj(
		X509_getm_notBefore(cert.x509), (is_dated ? options->days_from : -1) * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), (is_dated ? options->days_to : 1) * 86400L);
	X509_set_subject_name(cert.x509, name);
	X509_set_issuer_name(cert.x509, issuer ? X509_get_subject_name(issuer->x509) : name);
	X509_set_pubkey(cert.x509, cert.key);
	peer_cert_add(cert.x509, issuer, NID_basic_constraints,
		options->is_authority ? "critical,CA:TRUE" : "CA:FALSE");
	/* By which OpenSSL tells issuers of one name apart. */
	peer_cert_add(cert.x509, issuer, NID_subject_key_identifier, "hash");
	if (issuer)
		peer_cert_add(cert.x509, issuer, NID_authority_key_identifier, "keyid:always");
	if (options->names)
		peer_cert_add(cert.x509, issuer, NID_subject_alt_name, options->names);
	if (options->usage)
		peer_cert_add(cert.x509, issuer, NID_ext_key_usage, options->usage);
	if (options->raw_name.data)
		peer_cert_add_raw_name(cert.x509, options->raw_name);
	ck_assert(X509_sign(cert.x509, issuer ? issuer->key : cert.key,
		options->digest ? options->digest : EVP_sha256()));
	X509_NAME_free(name);
	return cert;
}

void peer_cert_free(struct peer_cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	*cert = (struct peer_cert){0};
}

char *peer_cert_pem(const struct peer_cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem;
	long size;

	ck_assert(PEM_write_bio_X509(bio, cert->x509));
	size = BIO_get_mem_data(bio, &data);
	pem = strndup(data, (size_t)size);
	BIO_free(bio);
	return pem;
}

char *peer_key_pem(const struct peer_cert *cert, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem;
	long size;

	ck_assert(PEM_write_bio_PrivateKey(bio, cert->key, passphrase ? EVP_aes_128_cbc() : NULL,
		(const unsigned char *)passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL,
		NULL));
	size = BIO_get_mem_data(bio, &data);
	pem = strndup(data, (size_t)size);
	BIO_free(bio);
	return pem;
}

static int peer_on_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_size,
	const unsigned char *offered, unsigned offered_size, void *context)
{
	const char *protocol = context;

	*ret_name = (const unsigned char *)protocol;
	*ret_size = (unsigned char)strlen(protocol);
	return SSL_TLSEXT_ERR_OK;
}

static void pair_listen(struct pair *pair)
{
	pair->ssl = SSL_new(pair->ssl_ctx);
	SSL_set_bio(pair->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(pair->ssl);
	ERR_clear_error();
}

void pair_again(struct pair *pair)
{
	pair->tls = tls_free(pair->tls);
	/* Else what it gave is no good. */
	SSL_set_shutdown(pair->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(pair->ssl);
	free(pair->wire);
	pair->wire = NULL;
	pair->wire_at = pair->wire_size = pair->n_fed = 0;
	pair->fault = (struct fault){0};
	pair_listen(pair);
}

void pair_init(struct pair *pair, const struct peer_options *options)
{
	*pair = (struct pair){0};
	/* First, so that it and nobody else starts OpenSSL. */
	pair->store = tls_store_new();
	ck_assert_ptr_nonnull(pair->store);
	pair->ssl_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_security_level(pair->ssl_ctx, options->security_level);
	SSL_CTX_set_min_proto_version(pair->ssl_ctx, options->version_min);
	SSL_CTX_set_max_proto_version(pair->ssl_ctx, options->version_max);
	if (options->cert) {
		ck_assert(SSL_CTX_use_certificate(pair->ssl_ctx, options->cert->x509));
		ck_assert(SSL_CTX_use_PrivateKey(pair->ssl_ctx, options->cert->key));
	}
	if (options->chain)
		ck_assert(SSL_CTX_add1_chain_cert(pair->ssl_ctx, options->chain->x509));
	if (options->protocol)
		SSL_CTX_set_alpn_select_cb(
			pair->ssl_ctx, peer_on_protocol, (void *)options->protocol);
	if (options->wants_client_cert)
		SSL_CTX_set_verify(
			pair->ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (options->client_ca) {
		SSL_CTX_add_client_CA(pair->ssl_ctx, options->client_ca->x509);
		X509_STORE_add_cert(
			SSL_CTX_get_cert_store(pair->ssl_ctx), options->client_ca->x509);
	}
	/* Whose sessions are resumed though it asks for certificates, says which are its own. */
	SSL_CTX_set_session_id_context(pair->ssl_ctx, (const unsigned char *)"peer", 4);
	pair_listen(pair);
}

void pair_deinit(struct pair *pair)
{
	tls_free(pair->tls);
	tls_store_free(pair->store);
	SSL_free(pair->ssl);
	SSL_CTX_free(pair->ssl_ctx);
	free(pair->wire);
}

void pair_connect_by(struct pair *pair, const struct tls_policy *policy)
{
	int r = tls_new(pair->store, policy, &pair->tls, &pair->fault);

	ck_assert_msg(r == 0, "%.*s: %s", TEXT_ARGS(policy->server_name), pair->fault.message);
}

void pair_connect(struct pair *pair, const char *server_name, const char *ca, bool insecure)
{
	pair_connect_by(pair, &(struct tls_policy){
				      .server_name = text_from(server_name),
				      .ca = ca ? text_from(ca) : (struct text){0},
				      .insecure = insecure,
			      });
}

void pair_flush(struct pair *pair)
{
	struct buffer *output = tls_output(pair->tls);
	BIO *answer = SSL_get_wbio(pair->ssl);
	size_t n;

	if (output->size > 0)
		ck_assert_int_eq(
			BIO_write(SSL_get_rbio(pair->ssl), output->data, (int)output->size),
			(int)output->size);
	buffer_clear(output);
	if (!SSL_is_init_finished(pair->ssl))
		SSL_do_handshake(pair->ssl);
	ERR_clear_error();
	n = BIO_ctrl_pending(answer);
	if (n == 0)
		return;
	/* The client may still hold a borrow of what is there: nothing of it moves. */
	ck_assert(pair->wire_at == pair->wire_size || pair->wire_size == 0);
	free(pair->wire);
	pair->wire = malloc(n);
	pair->wire_size = n;
	pair->wire_at = 0;
	ck_assert_int_eq(BIO_read(answer, pair->wire, (int)n), (int)n);
}

bool pair_feed(struct pair *pair)
{
	size_t n = pair->wire_size - pair->wire_at;

	if (pair->piece && n > pair->piece)
		n = pair->piece;
	if (pair->cut && n > pair->cut - pair->n_fed)
		n = pair->cut - pair->n_fed;
	if (n > 0)
		tls_feed(pair->tls, pair->wire + pair->wire_at, n);
	pair->wire_at += n;
	pair->n_fed += n;
	if (pair->cut && pair->n_fed == pair->cut) {
		tls_feed_end(pair->tls);
		return true;
	}
	return n > 0;
}

enum tls_result pair_handshake(struct pair *pair)
{
	enum tls_result result = TLS_MORE;

	for (unsigned i = 0; i < PEER_TURNS_MAX; i++) {
		result = tls_handshake(pair->tls, &pair->fault);
		pair_check_queue();
		if (pair->wire_at == pair->wire_size)
			pair_flush(pair);
		if (result != TLS_MORE || !pair_feed(pair))
			break;
	}
	return result;
}

enum tls_result pair_read(struct pair *pair, char *data, size_t size, size_t *ret_size)
{
	enum tls_result result = TLS_MORE;

	*ret_size = 0;
	for (unsigned i = 0; i < PEER_TURNS_MAX && *ret_size < size; i++) {
		size_t n;

		result = tls_read(pair->tls, data + *ret_size, size - *ret_size, &n, &pair->fault);
		pair_check_queue();
		*ret_size += n;
		if (result == TLS_MORE && pair->wire_at == pair->wire_size)
			pair_flush(pair);
		if (result == TLS_MORE && !pair_feed(pair))
			break;
		if (result != TLS_MORE && result != TLS_OK)
			break;
	}
	return result;
}

void pair_server_write(struct pair *pair, const char *data, size_t size)
{
	ck_assert_int_eq(SSL_write(pair->ssl, data, (int)size), (int)size);
}

void pair_check_queue(void)
{
	ck_assert_msg(ERR_peek_error() == 0, "OpenSSL's queue holds %s",
		ERR_reason_error_string(ERR_peek_error()));
}
