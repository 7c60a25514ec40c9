/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of TLS share among themselves and with their tests; nobody else includes it.
 * tls.c holds a connection, tls_verify.c judges its peer, tls_pin.c the peer's key; tls_store.c
 * holds the contexts, tls_identity.c puts our certificate into one, tls_roots.c the system's
 * certificates; tls_session.c keeps what sessions are resumed by; tls_fault.c says in our words
 * what OpenSSL said in its own.
 */

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tls.h"
#include "proto/fault.h"
#include "util/list.h"
#include "util/table.h"

/* RFC 1035 3.1: 253 characters, as written without the trailing dot. */
#define TLS_NAME_MAX 253

/* How long a peer that was verified once may resume its sessions, and how many of them are kept
 * for one session key. */
#define TLS_SESSION_LIFETIME_NS  (3600 * UINT64_C(1000000000))
#define TLS_SESSIONS_PER_KEY_MAX 4

/* Of one, written down. */
#define TLS_SESSION_SIZE_MAX 16384

/* Authorities that a user may name; distributions trust some 150. */
#define TLS_CA_MAX 512

/* Of a private key that we sign with, for who asks for a certificate of ours. RSA of that many bits
 * takes some 30 milliseconds; OpenSSL would take twice as many bits, and a second. */
#define TLS_KEY_BITS_MAX 8192

struct tls_roots;

/* tls_session.c */

struct tls_sessions {
	/* struct tls_shelf, by session key. */
	struct table shelves;
	/* The oldest first. */
	struct list sessions;
	unsigned n_sessions;
};

/* Allocates nothing. */
void tls_sessions_init(struct tls_sessions *sessions);
void tls_sessions_deinit(struct tls_sessions *sessions);

/* Keep a copy of it, until that time at most (of clock_now_ns()); the peer may have said less. */
void tls_sessions_keep(struct tls_sessions *sessions, const unsigned char *key,
	SSL_SESSION *session, uint64_t until_ns);

/* The newest of that key, and until when it is good; the caller's. One of TLS 1.3 is given out
 * once (RFC 8446 C.4). NULL: there is none. */
SSL_SESSION *tls_sessions_take(
	struct tls_sessions *sessions, const unsigned char *key, uint64_t *ret_until_ns);

/* Forget those of one key, or all. */
void tls_sessions_drop(struct tls_sessions *sessions, const unsigned char *key);
void tls_sessions_clear(struct tls_sessions *sessions);

/* tls_store.c */

struct tls_store {
	/* What every connection's BIO is made of. */
	BIO_METHOD *bio_method;
	/* The system's certificates. NULL until the first connection that wants them. */
	struct tls_roots *roots;
	/* When it was last seen whether they have changed; 0: never. */
	uint64_t looked_ns;
	/* The contexts, the most recently used first. */
	struct list contexts;
	unsigned n_contexts;
	/* Connections that live: they hold on to the methods above. */
	unsigned n_connections;
	/* Those at rest that have their buffers still, the longest first. */
	struct list resting;
	unsigned n_resting;
	struct tls_sessions sessions;
	/* Sessions of connections of an earlier one are not kept. */
	uint64_t generation;
	struct tls_counters counters;
};

/* A borrow until the next call; SSL_new() takes its own share. NULL and the fault: the CA does
 * not parse (CERT_UNTRUSTED), nor our certificate or its key (CLIENT_CERT), no memory
 * (OVERLOADED). */
SSL_CTX *tls_store_context(
	struct tls_store *store, const struct tls_policy *policy, struct fault *ret_fault);

/* True where the system has no certificates, or none were loaded. */
bool tls_store_lacks_roots(const struct tls_store *store);

/* As tls_store_load(), from this bundle. -ENOENT where there is none. */
int tls_store_load_from(struct tls_store *store, const char *path);

/* tls_identity.c */

/* Our certificate, its chain and its key. False: the fault. */
bool tls_identity_load(
	SSL_CTX *ssl_ctx, struct text cert, struct text key, struct fault *ret_fault);

/* tls_roots.c */

/* The certificates of a bundle of PEM. 0; -errno where the file cannot be read or there is no
 * memory. A certificate that does not parse is left out. */
int tls_roots_new(const char *path, struct tls_roots **ret_roots);

/* Those of a PEM text of a user's. 0; -EINVAL where there are none or something in it is broken,
 * -E2BIG where there are more than TLS_CA_MAX, -ENOMEM. */
int tls_roots_new_text(struct text pem, struct tls_roots **ret_roots);

/* Contexts that use them have shares of their own. Takes NULL, returns NULL. */
struct tls_roots *tls_roots_free(struct tls_roots *roots);

/* True where another file, or another content, is there now. Of a file's alone. */
bool tls_roots_are_stale(const struct tls_roots *roots);

/* As it was given; NULL: from no file. */
const char *tls_roots_path(const struct tls_roots *roots);

/* A borrow. */
X509_STORE *tls_roots_store(struct tls_roots *roots);

/* How many there are, and how many of them were needed so far. */
size_t tls_roots_count(const struct tls_roots *roots);
size_t tls_roots_count_parsed(const struct tls_roots *roots);

/* tls_verify.c */

/* Who a peer must be. A part of its connection, and the SSL's app data. */
struct tls_verify {
	/* A name in lower or upper case as given, or an address. */
	char name[TLS_NAME_MAX + 1];
	struct in6_addr address;
	/* 0: `name` is no address. */
	size_t address_size;
	bool insecure;
	/* True exactly when the authorities are the system's; and when there are none. */
	bool is_system, lacks_roots;
	/* Owned. */
	unsigned char *pins;
	size_t n_pins;
	/* Until when what was seen of the peer may be relied upon; 0: nothing was. */
	uint64_t until_ns;
	/* Why the peer was refused, if it was. */
	struct fault fault;
};

/* False: the fault, CERT_NAME or OVERLOADED. To be deinited in any case. */
bool tls_verify_init(
	struct tls_verify *verify, const struct tls_policy *policy, struct fault *ret_fault);
void tls_verify_deinit(struct tls_verify *verify);

/* Makes the connection verify so. False: no memory. */
bool tls_verify_set(struct tls_verify *verify, SSL *ssl);

/* In place of OpenSSL's own verification: a context's, for all its connections. */
int tls_verify_on_chain(X509_STORE_CTX *chain, void *context);

/* tls_pin.c */

/* The digest of its public key. False: no memory. */
bool tls_pin_of(X509 *x509, unsigned char ret_pin[TLS_DIGEST_SIZE]);

/* True where its key is one of the n pins, one behind the other; else the fault. */
bool tls_pin_matches(const unsigned char *pins, size_t n_pins, X509 *x509, struct fault *ret_fault);

/* tls.c */

/* The method of the BIO that tls.c puts under OpenSSL. NULL: no memory. */
BIO_METHOD *tls_bio_method_new(void);

/* The peer gave us something to resume the session by. Returns 0: nothing of it is taken over. */
int tls_on_session(SSL *ssl, SSL_SESSION *session);

/* tls_fault.c */

/* Why a chain was refused, into verify->fault. */
void tls_fault_set_verify(struct tls_verify *verify, X509_STORE_CTX *chain);

/* Our own certificate is no good; `what` goes on after its name. */
void tls_fault_set_identity(struct fault *fault, X509 *x509, const char *what);

/* How far a connection had come when OpenSSL gave up on it. */
struct tls_failure {
	/* True exactly when the handshake was not complete. */
	bool in_handshake;
	/* True exactly when the transport had ended. */
	bool at_end;
	/* True exactly when the peer had asked for a certificate of ours. */
	bool was_asked;
	/* Ours; NULL: we have none. */
	X509 *own;
	/* The authorities of which the peer wants it; NULL: it named none. */
	const STACK_OF(X509_NAME) * wanted;
};

/* The fault for what stands in OpenSSL's error queue, which is empty afterwards. */
void tls_fault_set_queue(struct fault *fault, const struct tls_failure *failure);

/* OpenSSL found no memory, or we none for it. */
void tls_fault_set_memory(struct fault *fault);

/* The peer's first bytes are not TLS. */
void tls_fault_set_not_tls(struct fault *fault, const char *data, size_t size);
