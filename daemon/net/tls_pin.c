/* SPDX-License-Identifier: MIT */
/*
 * Pins: the digests of the public keys that a peer may have.
 *
 * What is digested is the SubjectPublicKeyInfo, not the certificate: a certificate is renewed with
 * its key kept, and a key is what somebody must own (RFC 7469 2.4; written as curl writes it). Only
 * the peer's own key counts, not its authorities': who pins one says that he wants no other.
 */
#include "net/tls_private.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

/* Four characters for each three bytes, and a NUL. */
#define TLS_PIN_TEXT_SIZE ((TLS_DIGEST_SIZE + 2) / 3 * 4 + 1)

bool tls_digest(struct text text, unsigned char ret_digest[TLS_DIGEST_SIZE])
{
	bool done = EVP_Digest(text.data, text.size, ret_digest, NULL, EVP_sha256(), NULL);

	ERR_clear_error();
	return done;
}

bool tls_pin_of(X509 *x509, unsigned char ret_pin[TLS_DIGEST_SIZE])
{
	unsigned char *der = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
	bool done = size > 0 && tls_digest((struct text){(char *)der, (size_t)size}, ret_pin);

	OPENSSL_free(der);
	ERR_clear_error();
	return done;
}

static void tls_pin_write(const unsigned char *pin, char text[TLS_PIN_TEXT_SIZE])
{
	EVP_EncodeBlock((unsigned char *)text, pin, TLS_DIGEST_SIZE);
}

bool tls_pin_matches(const unsigned char *pins, size_t n_pins, X509 *x509, struct fault *ret_fault)
{
	char expected[TLS_PIN_TEXT_SIZE], got[TLS_PIN_TEXT_SIZE];
	unsigned char pin[TLS_DIGEST_SIZE];

	if (!tls_pin_of(x509, pin)) {
		tls_fault_set_memory(ret_fault);
		return false;
	}
	for (size_t i = 0; i < n_pins; i++) {
		if (memcmp(pins + i * TLS_DIGEST_SIZE, pin, TLS_DIGEST_SIZE) == 0)
			return true;
	}
	tls_pin_write(pins, expected);
	tls_pin_write(pin, got);
	if (n_pins == 1)
		fault_set(ret_fault, FAULT_CERT_PIN, "expected sha256//%s, got sha256//%s",
			expected, got);
	else
		fault_set(ret_fault, FAULT_CERT_PIN,
			"expected sha256//%s or one of %zu more, got sha256//%s", expected,
			n_pins - 1, got);
	return false;
}
