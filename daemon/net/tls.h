/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS as a codec: ciphertext in and out, plaintext in and out; no descriptor, no clock. OpenSSL
 * behind a BIO of our own, so that all records of one step leave in one send.
 *
 * A tls_store holds what is costly and shared: the system's certificates (loaded at the first https
 * request or by tls_store_load, and again when their file has changed), one context for each
 * distinct configuration (the least recently used of TLS_CONTEXTS_MAX goes), and what peers gave us
 * to resume sessions by (the oldest of TLS_SESSIONS_MAX goes). A struct tls is one connection's.
 *
 * The environment changes nothing: not SSL_CERT_FILE, not OPENSSL_CONF, not SSLKEYLOGFILE.
 * TLS 1.2 is the least. Renegotiation is refused. Subject alternative names only; wildcards as
 * one whole left-most label; an IP address only by IP SAN. No SNI for an IP address.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"
#include "util/buffer.h"
#include "util/text.h"

struct tls;
struct tls_store;

#define TLS_CONTEXTS_MAX 64
#define TLS_SESSIONS_MAX 1024

/* Of a SHA-256. */
#define TLS_DIGEST_SIZE 32

/* What a connection must satisfy. Views, copied where kept. */
struct tls_policy {
	/* The SNI and the name verified, or an IP literal. A trailing dot does not count. */
	struct text server_name;
	/* PEM; data == NULL: the system's store. */
	struct text ca;
	/* PEM: our certificate, any chain behind it, and its private key, for a peer that asks for
	 * one. data == NULL: none, of both. */
	struct text cert, key;
	/* Digests of public keys (SubjectPublicKeyInfo), one behind the other: the peer's is one of
	 * them. Holds with `insecure` too. size == 0: any key will do. */
	struct text pins;
	/* TLS_DIGEST_SIZE bytes that are equal exactly where all is equal that must be for two
	 * connections to resume one session; NULL: nothing is resumed, and nothing kept. */
	const unsigned char *session_key;
	/* True exactly when neither chain nor name are verified. */
	bool insecure;
	/* HTTP/2 is offered beside HTTP/1.1. */
	bool offers_h2;
};

struct tls_counters {
	/* Handshakes that came to a good end: with certificates, and without. */
	uint64_t full, resumed;
	/* Sessions that could be resumed now. */
	unsigned n_sessions;
};

/* False: no memory. */
bool tls_digest(struct text text, unsigned char ret_digest[TLS_DIGEST_SIZE]);

/* Allocates little; loads no certificates. NULL: no memory. */
struct tls_store *tls_store_new(void);
struct tls_store *tls_store_free(struct tls_store *store);

/* Load the system's certificates now (some milliseconds). 0 or -errno; none found is 0. */
int tls_store_load(struct tls_store *store);

/* The configuration has changed: new connections begin without contexts and without sessions. */
void tls_store_forget(struct tls_store *store);

struct tls_counters tls_store_counters(const struct tls_store *store);

/* A client's connection. 0; or -1 and the fault (the CA does not parse: CERT_UNTRUSTED; the
 * certificate or its key: CLIENT_CERT; no memory: OVERLOADED). */
int tls_new(struct tls_store *store, const struct tls_policy *policy, struct tls **ret_tls,
	struct fault *ret_fault);

/* Takes NULL, returns NULL. */
struct tls *tls_free(struct tls *tls);

enum tls_result {
	TLS_OK,
	/* More ciphertext is needed. */
	TLS_MORE,
	/* The peer has closed properly (close_notify). */
	TLS_END,
	/* *ret_fault: final. */
	TLS_FAULT,
};

/* Ciphertext that came: borrowed until tls_handshake() and tls_read() have answered TLS_MORE,
 * which says that all of it was taken. */
void tls_feed(struct tls *tls, const char *data, size_t size);

/* The transport has ended: what TLS wants more of now will never come. */
void tls_feed_end(struct tls *tls);

/* Go on with the handshake. The first call makes the ClientHello. */
enum tls_result tls_handshake(struct tls *tls, struct fault *ret_fault);

/* The protocol that the peer chose of those offered; empty: none, which is HTTP/1.1. A view, good
 * as long as the connection. After the handshake only. */
struct text tls_alpn(const struct tls *tls);

/* True exactly when the session was resumed: the peer has shown no certificate this time. */
bool tls_is_resumed(const struct tls *tls);

/* Up to `size` bytes of plaintext: TLS_OK and *ret_size > 0. At the transport's end without
 * close_notify: TLS_FAULT with BODY_TRUNCATED (who knows that the message was complete may
 * ignore it). */
enum tls_result tls_read(
	struct tls *tls, char *data, size_t size, size_t *ret_size, struct fault *ret_fault);

/* Encrypt all of it into the output. TLS_OK or TLS_FAULT. After the handshake only. */
enum tls_result tls_write(struct tls *tls, const char *data, size_t size, struct fault *ret_fault);

/* Say close_notify into the output, if that can still be said. */
void tls_close(struct tls *tls);

/* Ciphertext to be sent: the caller sends it and empties it (buffer_clear). */
struct buffer *tls_output(struct tls *tls);

/* The connection is idle: its buffers go back, unless it is one of the last that were used. Writing
 * ends that. */
void tls_rest(struct tls *tls);
