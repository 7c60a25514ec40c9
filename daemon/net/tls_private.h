/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of TLS share among themselves and with their tests; nobody else includes it.
 * tls.c holds a connection, tls_store.c the contexts, tls_roots.c the system's certificates,
 * tls_fault.c says in our words what OpenSSL said in its own.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tls.h"
#include "proto/fault.h"
#include "util/list.h"

struct tls_roots;

struct tls_store {
	/* What every connection's BIO is made of. */
	BIO_METHOD *bio_method;
	/* The system's certificates. NULL until the first connection that wants them. */
	struct tls_roots *roots;
	/* The contexts, the most recently used first. */
	struct list contexts;
	unsigned n_contexts;
	/* Connections that live: they hold on to the methods above. */
	unsigned n_connections;
};

/* The method of the BIO that tls.c puts under OpenSSL. NULL: no memory. */
BIO_METHOD *tls_bio_method_new(void);

/* A borrow until the next call; SSL_new() takes its own share. NULL and the fault: the CA does
 * not parse (CERT_UNTRUSTED), no memory (OVERLOADED). */
SSL_CTX *tls_store_context(
	struct tls_store *store, const struct tls_policy *policy, struct fault *ret_fault);

/* True where the system has no certificates, or none were loaded. */
bool tls_store_lacks_roots(const struct tls_store *store);

/* As tls_store_load(), from this bundle. -ENOENT where there is none. */
int tls_store_load_from(struct tls_store *store, const char *path);

/* The certificates of a bundle of PEM. 0; -errno where the file cannot be read or there is no
 * memory. A certificate that does not parse is left out. */
int tls_roots_new(const char *path, struct tls_roots **ret_roots);

/* Takes NULL, returns NULL. No context may live that uses them. */
struct tls_roots *tls_roots_free(struct tls_roots *roots);

/* A borrow. */
X509_STORE *tls_roots_store(struct tls_roots *roots);

/* How many there are, and how many of them were needed so far. */
size_t tls_roots_count(const struct tls_roots *roots);
size_t tls_roots_count_parsed(const struct tls_roots *roots);

/* Add all certificates of a PEM text to a store; how many, or -1 where one does not parse. */
int tls_pem_add(struct text pem, X509_STORE *store);

/* Why a chain was refused; `expected` is the name or address it should have been for. */
void tls_fault_set_verify(struct fault *fault, X509_STORE_CTX *verify, const char *expected);

/* There is no authority to ask. */
void tls_fault_set_no_roots(struct fault *fault);

/* How far a connection had come when OpenSSL gave up on it. */
struct tls_failure {
	/* True exactly when the handshake was not complete. */
	bool in_handshake;
	/* True exactly when the transport had ended. */
	bool at_end;
	/* True exactly when the peer had asked for a certificate of ours. */
	bool was_asked;
};

/* The fault for what stands in OpenSSL's error queue, which is empty afterwards. */
void tls_fault_set_queue(struct fault *fault, const struct tls_failure *failure);

/* OpenSSL found no memory, or we none for it. */
void tls_fault_set_memory(struct fault *fault);

/* The peer's first bytes are not TLS. */
void tls_fault_set_not_tls(struct fault *fault, const char *data, size_t size);
