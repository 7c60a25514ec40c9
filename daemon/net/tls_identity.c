/* SPDX-License-Identifier: MIT */
/*
 * Our own certificate, for a peer that asks for one: read from PEM text into a context, with the
 * key that must be its own. Whatever is wrong with it is said before a byte goes to anybody.
 *
 * OpenSSL asks the terminal for the passphrase of a key that has one, unless it is told not to:
 * here there is nobody to ask, so such a key is refused.
 *
 * Limits: TLS_CHAIN_MAX certificates behind our own; a key of TLS_KEY_BITS_MAX, since each
 * handshake signs with it in the loop.
 */
#include "net/tls_private.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#define TLS_CHAIN_MAX 16

/* What OpenSSL calls for a passphrase: there is none. */
static int tls_identity_on_passphrase(char *to, int size, int writing, void *context)
{
	bool *was_asked = context;

	*was_asked = true;
	return -1;
}

static bool tls_identity_refuse(struct fault *fault, const char *message)
{
	fault_set(fault, FAULT_CLIENT_CERT, "%s", message);
	return false;
}

/* The next certificate. NULL: there is none, or, with *ret_broken, it does not parse. */
static X509 *tls_identity_next(BIO *bio, bool *ret_broken)
{
	bool was_asked = false;
	X509 *x509 = PEM_read_bio_X509_AUX(bio, NULL, tls_identity_on_passphrase, &was_asked);

	*ret_broken = !x509 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	ERR_clear_error();
	return x509;
}

/* What stands behind our certificate: its chain. False: it does not parse, or is too long. */
static bool tls_identity_add_chain(SSL_CTX *ssl_ctx, BIO *bio)
{
	bool is_broken = false;

	for (unsigned i = 0; i <= TLS_CHAIN_MAX; i++) {
		X509 *x509 = tls_identity_next(bio, &is_broken);

		if (!x509)
			return !is_broken;
		if (i == TLS_CHAIN_MAX || !SSL_CTX_add0_chain_cert(ssl_ctx, x509)) {
			X509_free(x509);
			return false;
		}
	}
	return false;
}

static bool tls_identity_load_cert(SSL_CTX *ssl_ctx, struct text cert, struct fault *ret_fault)
{
	BIO *bio = BIO_new_mem_buf(cert.data, (int)cert.size);
	bool is_broken = false, done = true;
	X509 *x509 = bio ? tls_identity_next(bio, &is_broken) : NULL;

	if (!bio) {
		tls_fault_set_memory(ret_fault);
		done = false;
	} else if (!x509) {
		done = tls_identity_refuse(ret_fault, "cert is not a certificate in PEM");
	} else if (!SSL_CTX_use_certificate(ssl_ctx, x509)) {
		/* Not too little memory, but a key too short or a digest too old. */
		const char *why = ERR_reason_error_string(ERR_peek_error());

		tls_fault_set_identity(ret_fault, x509, why ? why : "it cannot be used");
		done = false;
	} else if (!tls_identity_add_chain(ssl_ctx, bio)) {
		tls_fault_set_identity(
			ret_fault, x509, "what stands behind it in cert is not its chain in PEM");
		done = false;
	}
	X509_free(x509);
	BIO_free(bio);
	ERR_clear_error();
	return done;
}

static EVP_PKEY *tls_identity_read_key(struct text key, struct fault *ret_fault)
{
	BIO *bio = BIO_new_mem_buf(key.data, (int)key.size);
	bool was_asked = false;
	EVP_PKEY *private_key;

	if (!bio) {
		tls_fault_set_memory(ret_fault);
		return NULL;
	}
	private_key = PEM_read_bio_PrivateKey(bio, NULL, tls_identity_on_passphrase, &was_asked);
	BIO_free(bio);
	if (!private_key)
		tls_identity_refuse(
			ret_fault, was_asked ? "key has a passphrase: it must be given without one"
					     : "key is not a private key in PEM");
	ERR_clear_error();
	return private_key;
}

bool tls_identity_load(SSL_CTX *ssl_ctx, struct text cert, struct text key, struct fault *ret_fault)
{
	EVP_PKEY *private_key;
	bool done = false;
	X509 *x509;

	if (cert.size > INT32_MAX || key.size > INT32_MAX)
		return tls_identity_refuse(ret_fault, "cert or key is too large");
	if (!tls_identity_load_cert(ssl_ctx, cert, ret_fault))
		return false;
	private_key = tls_identity_read_key(key, ret_fault);
	if (!private_key)
		return false;
	x509 = SSL_CTX_get0_certificate(ssl_ctx);
	if (EVP_PKEY_get_bits(private_key) > TLS_KEY_BITS_MAX)
		tls_fault_set_identity(ret_fault, x509, "key is too large: 8192 bits are the most");
	else if (!X509_check_private_key(x509, private_key))
		tls_fault_set_identity(ret_fault, x509, "key is the key of another one");
	else if (!SSL_CTX_use_PrivateKey(ssl_ctx, private_key))
		tls_fault_set_memory(ret_fault);
	else
		done = true;
	EVP_PKEY_free(private_key);
	ERR_clear_error();
	return done;
}
