/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The other end of a struct tls, for its tests: certificates made on the spot, an OpenSSL server
 * over memory BIOs, and a wire between the two that cuts what it carries as a test wants it.
 * What fails here fails the test.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/tls.h"

struct peer_cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct peer_cert_options {
	/* The common name. */
	const char *name;
	/* As in openssl.cnf: "DNS:a.example,IP:192.0.2.1". NULL: no such extension. */
	const char *names;
	/* Instead of `names`: one DNS name, byte by byte. */
	struct text raw_name;
	/* As in openssl.cnf: "clientAuth". NULL: no such extension. */
	const char *usage;
	/* NULL: self-signed. */
	const struct peer_cert *issuer;
	/* Days from now; both 0: from yesterday to tomorrow. */
	int days_from, days_to;
	/* 0: a key on P-256. */
	unsigned rsa_bits;
	/* NULL: SHA-256. */
	const EVP_MD *digest;
	bool is_authority;
};

struct peer_cert peer_cert_new(const struct peer_cert_options *options);
void peer_cert_free(struct peer_cert *cert);

/* Its PEM, to free(). */
char *peer_cert_pem(const struct peer_cert *cert);

/* The PEM of its private key, with a passphrase or (NULL) without, to free(). */
char *peer_key_pem(const struct peer_cert *cert, const char *passphrase);

struct peer_options {
	const struct peer_cert *cert;
	/* Sent along, if not NULL. */
	const struct peer_cert *chain;
	/* 0: any. */
	int version_min, version_max;
	/* The ALPN answer, whatever the client offered; NULL: none. */
	const char *protocol;
	bool wants_client_cert;
	/* Whose client certificates are good, if not NULL: it is named to the client. */
	const struct peer_cert *client_ca;
	int security_level;
};

/* A client and its server. */
struct pair {
	struct tls_store *store;
	struct tls *tls;
	SSL_CTX *ssl_ctx;
	SSL *ssl;
	/* At most so many bytes to the client in a feed; 0: all there are. */
	size_t piece;
	/* The transport to the client ends after so many bytes; 0: never. */
	size_t cut;
	/* Bytes that went to the client. */
	size_t n_fed;
	/* Ciphertext on the way to the client. */
	char *wire;
	size_t wire_size;
	size_t wire_at;
	struct fault fault;
};

/* The server's side and the store; the client is made by pair_connect(). */
void pair_init(struct pair *pair, const struct peer_options *options);
void pair_deinit(struct pair *pair);

/* tls_new(), with the PEM text `ca` (NULL: the system's). Fails the test if it fails. */
void pair_connect(struct pair *pair, const char *server_name, const char *ca, bool insecure);

/* The same with all of a policy. */
void pair_connect_by(struct pair *pair, const struct tls_policy *policy);

/* Another connection to the same server: to be connected. */
void pair_again(struct pair *pair);

/* Client's output to the server; the server's answer onto the wire. */
void pair_flush(struct pair *pair);

/* The next piece of the wire to the client. False: there is none. */
bool pair_feed(struct pair *pair);

/* Until it is not TLS_MORE, or nothing moves any more. */
enum tls_result pair_handshake(struct pair *pair);

/* The client reads all that comes: how it ended. `*ret_size` of `size` bytes of plaintext. */
enum tls_result pair_read(struct pair *pair, char *data, size_t size, size_t *ret_size);

/* The server writes plaintext onto the wire. */
void pair_server_write(struct pair *pair, const char *data, size_t size);

/* What is in OpenSSL's error queue is nobody's: it must be empty. */
void pair_check_queue(void);
