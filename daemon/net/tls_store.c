/* SPDX-License-Identifier: MIT */
/*
 * What connections share: the system's certificates and the contexts.
 *
 * A context (SSL_CTX) costs 0.15 ms, the first of a process 1.5 ms, because OpenSSL 3 fetches
 * its algorithms by name. One is kept for each distinct configuration: whether chains are
 * verified at all, and by which authorities. What is verified against them (the name) belongs to
 * the connection.
 *
 * The environment changes nothing: OpenSSL is told not to load openssl.cnf before it does
 * anything else (OPENSSL_CONF, and with it providers, engines and the system's cipher policy),
 * the certificates come from fixed paths (not SSL_CERT_FILE, SSL_CERT_DIR), and SSLKEYLOGFILE,
 * which OpenSSL 3.5 may be built to obey, is removed. So what openssl.cnf may lower, we set:
 * TLS 1.2 and security level 2 (RSA of 2048 bits, no SHA-1 in a chain) at the least.
 *
 * Limits: TLS_CONTEXTS_MAX contexts, the least recently used goes. A connection holds a share of
 * its own, so it outlives the eviction.
 */
#include "net/tls_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "util/container.h"
#include "util/panic.h"
#include "util/table.h"

#define TLS_SECURITY_LEVEL_MIN 2

struct tls_context {
	struct list link;
	SSL_CTX *ssl_ctx;
	uint64_t hash;
	bool insecure;
	/* True exactly when the authorities are the system's, not those of `ca`. */
	bool is_system;
	size_t ca_size;
	char ca[];
};

/* Where distributions keep their bundle; the first that is there is the one. */
static const char *const tls_bundles[] = {
	/* Debian, Arch, Gentoo. */
	"/etc/ssl/certs/ca-certificates.crt",
	/* Fedora, RHEL. */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	/* openSUSE. */
	"/etc/ssl/ca-bundle.pem",
	/* Alpine. */
	"/etc/ssl/cert.pem",
};

struct tls_store *tls_store_new(void)
{
	struct tls_store *store;

	/* Before any other thread may read the environment. */
	if (getenv("SSLKEYLOGFILE"))
		unsetenv("SSLKEYLOGFILE");
	/* The first call of a process decides: later ones do not load the file any more. */
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return NULL;
	store = calloc(1, sizeof(*store));
	if (!store)
		return NULL;
	list_init(&store->contexts);
	store->bio_method = tls_bio_method_new();
	if (!store->bio_method)
		return tls_store_free(store);
	return store;
}

static void tls_context_free(struct tls_store *store, struct tls_context *context)
{
	list_remove(&context->link);
	store->n_contexts--;
	SSL_CTX_free(context->ssl_ctx);
	free(context);
}

struct tls_store *tls_store_free(struct tls_store *store)
{
	if (!store)
		return NULL;
	expect(store->n_connections == 0);
	list_each_safe (link, &store->contexts)
		tls_context_free(store, list_entry(link, struct tls_context, link));
	tls_roots_free(store->roots);
	BIO_meth_free(store->bio_method);
	free(store);
	return NULL;
}

int tls_store_load_from(struct tls_store *store, const char *path)
{
	expect(!store->roots);
	return tls_roots_new(path, &store->roots);
}

int tls_store_load(struct tls_store *store)
{
	int error = 0;

	if (store->roots)
		return 0;
	/* What OpenSSL was built with comes first: the administrator's OpenSSL, his paths. */
	error = tls_store_load_from(store, X509_get_default_cert_file());
	for (size_t i = 0; !store->roots && i < countof(tls_bundles); i++) {
		int next = tls_store_load_from(store, tls_bundles[i]);

		/* The first reason that is more than absence is the one to tell. */
		if (error == -ENOENT || error == -ENOTDIR)
			error = next;
	}
	if (store->roots || error == -ENOENT || error == -ENOTDIR)
		return 0;
	return error;
}

bool tls_store_lacks_roots(const struct tls_store *store)
{
	return !store->roots || tls_roots_count(store->roots) == 0;
}

/* No ticket is kept yet, no protocol but HTTP/1.1 is spoken. */
static bool tls_context_configure(SSL_CTX *ssl_ctx)
{
	static const unsigned char protocols[] = "\x08http/1.1";
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);

	SSL_CTX_set_options(ssl_ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(
		ssl_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_get_security_level(ssl_ctx) < TLS_SECURITY_LEVEL_MIN)
		SSL_CTX_set_security_level(ssl_ctx, TLS_SECURITY_LEVEL_MIN);
	/* Whom the user names is trusted, also where it is no root: as curl and Go have it. */
	if (!X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN))
		return false;
	/* Unlike its neighbours this one answers 0 for success. */
	if (SSL_CTX_set_alpn_protos(ssl_ctx, protocols, sizeof(protocols) - 1) != 0)
		return false;
	return SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION);
}

/* The authorities of a context: none, the system's, or those of the policy. */
static bool tls_context_trust(
	struct tls_store *store, struct tls_context *context, struct fault *ret_fault)
{
	struct text ca = {context->ca, context->ca_size};

	if (context->insecure)
		return true;
	if (!context->is_system) {
		if (tls_pem_add(ca, SSL_CTX_get_cert_store(context->ssl_ctx)) > 0)
			return true;
		fault_set(
			ret_fault, FAULT_CERT_UNTRUSTED, "ca is not a list of certificates in PEM");
		return false;
	}
	if (tls_store_load(store) == -ENOMEM) {
		tls_fault_set_memory(ret_fault);
		return false;
	}
	/* Without any, the chain fails to verify, and that says it. */
	if (store->roots)
		SSL_CTX_set1_cert_store(context->ssl_ctx, tls_roots_store(store->roots));
	return true;
}

static uint64_t tls_policy_hash(const struct tls_policy *policy)
{
	if (policy->insecure || !policy->ca.data)
		return 0;
	return table_hash(policy->ca);
}

static bool tls_context_matches(
	const struct tls_context *context, const struct tls_policy *policy, uint64_t hash)
{
	if (context->insecure || policy->insecure)
		return context->insecure == policy->insecure;
	if (context->is_system || !policy->ca.data)
		return context->is_system == !policy->ca.data;
	return context->hash == hash &&
	       text_equal((struct text){context->ca, context->ca_size}, policy->ca);
}

static struct tls_context *tls_store_find(
	struct tls_store *store, const struct tls_policy *policy, uint64_t hash)
{
	list_each (link, &store->contexts) {
		struct tls_context *context = list_entry(link, struct tls_context, link);

		if (tls_context_matches(context, policy, hash))
			return context;
	}
	return NULL;
}

/* One that matches the policy, first in the list. */
static struct tls_context *tls_context_new(struct tls_store *store, const struct tls_policy *policy,
	uint64_t hash, struct fault *ret_fault)
{
	/* Without verification no authority matters. */
	struct text ca = policy->insecure ? (struct text){0} : policy->ca;
	struct tls_context *context = calloc(1, sizeof(*context) + ca.size);

	if (!context) {
		tls_fault_set_memory(ret_fault);
		return NULL;
	}
	context->hash = hash;
	context->insecure = policy->insecure;
	context->is_system = !policy->insecure && !ca.data;
	context->ca_size = ca.size;
	if (ca.size > 0)
		memcpy(context->ca, ca.data, ca.size);
	list_push_front(&store->contexts, &context->link);
	store->n_contexts++;
	context->ssl_ctx = SSL_CTX_new(TLS_client_method());
	if (!context->ssl_ctx || !tls_context_configure(context->ssl_ctx))
		tls_fault_set_memory(ret_fault);
	else if (tls_context_trust(store, context, ret_fault))
		return context;
	tls_context_free(store, context);
	return NULL;
}

SSL_CTX *tls_store_context(
	struct tls_store *store, const struct tls_policy *policy, struct fault *ret_fault)
{
	uint64_t hash = tls_policy_hash(policy);
	struct tls_context *context = tls_store_find(store, policy, hash);

	ERR_clear_error();
	if (context) {
		list_remove(&context->link);
		list_push_front(&store->contexts, &context->link);
		return context->ssl_ctx;
	}
	context = tls_context_new(store, policy, hash, ret_fault);
	ERR_clear_error();
	if (!context)
		return NULL;
	if (store->n_contexts > TLS_CONTEXTS_MAX)
		tls_context_free(
			store, list_entry(store->contexts.previous, struct tls_context, link));
	return context->ssl_ctx;
}
