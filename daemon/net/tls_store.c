/* SPDX-License-Identifier: MIT */
/*
 * What connections share: the system's certificates and the contexts.
 *
 * A context (SSL_CTX) costs 0.15 ms, the first of a process 1.5 ms, because OpenSSL 3 fetches
 * its algorithms by name. One is kept for each distinct configuration: whether chains are
 * verified at all, by which authorities, and what we show of ourselves. What is verified against
 * them (the name, the pins) belongs to the connection. Users share contexts: whose private key is
 * equal has the same key. That is looked up by a keyed hash first, so that how long it takes tells
 * nothing about others' keys.
 *
 * The system's certificates are read again when their file has changed: it is looked at when a
 * connection wants them, once in TLS_LOOK_INTERVAL_NS at most. Then the contexts that have the old
 * ones go, and all sessions, because the new ones might not vouch for those peers. Connections
 * that live keep what they have. So it is, too, when the configuration has changed.
 *
 * The environment changes nothing: OpenSSL is told not to load openssl.cnf before it does
 * anything else (OPENSSL_CONF, and with it providers, engines and the system's cipher policy),
 * the certificates come from fixed paths (not SSL_CERT_FILE, SSL_CERT_DIR), and SSLKEYLOGFILE,
 * which OpenSSL 3.5 may be built to obey, is removed. So what openssl.cnf may lower, we set:
 * TLS 1.2 and security level 2 (RSA of 2048 bits, no SHA-1 in a chain) at the least.
 *
 * Limits: TLS_CONTEXTS_MAX contexts, the least recently used goes. A connection holds a share of
 * its own, so it outlives the eviction. No directory of single certificates is read.
 */
#include "net/tls_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/container.h"
#include "util/panic.h"
#include "util/table.h"

#define TLS_SECURITY_LEVEL_MIN 2

/* Without Diffie-Hellman in finite fields, of which the peer chooses the size: one handshake with
 * 10,000 bits held the loop for 0.9 s, one with ffdhe8192 for 0.15 s. No browser has it any more.
 */
#define TLS_CIPHERS "DEFAULT:!kDHE"

/* OpenSSL's own lists without those: of 3.5 and later, with a post-quantum one and two key shares;
 * and of those before, which cannot read it. */
#define TLS_GROUPS_LATER "?*X25519MLKEM768 / ?*X25519:?secp256r1 / ?X448:?secp384r1:?secp521r1"
#define TLS_GROUPS       "X25519:P-256:X448:P-521:P-384"

#define TLS_LOOK_INTERVAL_NS NS_PER_S

struct tls_context {
	struct list link;
	SSL_CTX *ssl_ctx;
	/* Of the private key; 0: none. */
	uint64_t key_hash;
	bool insecure;
	/* True exactly when the authorities are the system's, not those of `ca`. */
	bool is_system;
	/* Views into `texts`; data == NULL: none. */
	struct text ca, cert, key;
	char texts[];
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
	list_init(&store->resting);
	tls_sessions_init(&store->sessions);
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
	if (context->key.data)
		explicit_bzero((char *)context->key.data, context->key.size);
	free(context);
}

/* Those that have the system's certificates, or all. */
static void tls_store_drop_contexts(struct tls_store *store, bool all)
{
	list_each_safe(link, &store->contexts) {
		struct tls_context *context = list_entry(link, struct tls_context, link);

		if (all || context->is_system)
			tls_context_free(store, context);
	}
}

struct tls_store *tls_store_free(struct tls_store *store)
{
	if (!store)
		return NULL;
	expect(store->n_connections == 0);
	tls_store_drop_contexts(store, true);
	tls_sessions_deinit(&store->sessions);
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
	store->looked_ns = clock_now_ns();
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

/* Nobody resumes what began before now: not even what connections that live are still given. */
static void tls_store_drop_sessions(struct tls_store *store)
{
	store->generation++;
	tls_sessions_clear(&store->sessions);
}

void tls_store_forget(struct tls_store *store)
{
	tls_store_drop_contexts(store, true);
	tls_store_drop_sessions(store);
	store->looked_ns = 0;
}

/* The system's certificates as they are now, or as they last could be read. */
static void tls_store_look(struct tls_store *store)
{
	uint64_t now_ns = clock_now_ns();
	struct tls_roots *roots;

	if (store->looked_ns && now_ns - store->looked_ns < TLS_LOOK_INTERVAL_NS)
		return;
	store->looked_ns = now_ns;
	/* Those that were made without any can be had with them now, perhaps. */
	if (!store->roots) {
		tls_store_drop_contexts(store, false);
		return;
	}
	if (!tls_roots_are_stale(store->roots) ||
		tls_roots_new(tls_roots_path(store->roots), &roots) < 0)
		return;
	tls_store_drop_contexts(store, false);
	tls_store_drop_sessions(store);
	tls_roots_free(store->roots);
	store->roots = roots;
}

struct tls_counters tls_store_counters(const struct tls_store *store)
{
	struct tls_counters counters = store->counters;

	counters.n_sessions = store->sessions.n_sessions;
	return counters;
}

bool tls_store_lacks_roots(const struct tls_store *store)
{
	return !store->roots || tls_roots_count(store->roots) == 0;
}

/* What handshakes may cost us. */
static bool tls_context_set_exchange(SSL_CTX *ssl_ctx)
{
	if (!SSL_CTX_set_cipher_list(ssl_ctx, TLS_CIPHERS))
		return false;
	if (SSL_CTX_set1_groups_list(ssl_ctx, TLS_GROUPS_LATER))
		return true;
	ERR_clear_error();
	return SSL_CTX_set1_groups_list(ssl_ctx, TLS_GROUPS);
}

static bool tls_context_configure(SSL_CTX *ssl_ctx)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);

	SSL_CTX_set_options(ssl_ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(
		ssl_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* OpenSSL's cache is told what comes, and keeps nothing. */
	SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ssl_ctx, tls_on_session);
	SSL_CTX_set_cert_verify_callback(ssl_ctx, tls_verify_on_chain, NULL);
	if (SSL_CTX_get_security_level(ssl_ctx) < TLS_SECURITY_LEVEL_MIN)
		SSL_CTX_set_security_level(ssl_ctx, TLS_SECURITY_LEVEL_MIN);
	/* Whom the user names is trusted, also where it is no root: as curl and Go have it. */
	if (!X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN))
		return false;
	return SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION) &&
	       tls_context_set_exchange(ssl_ctx);
}

static bool tls_context_trust_text(const struct tls_context *context, struct fault *ret_fault)
{
	struct tls_roots *roots;

	switch (tls_roots_new_text(context->ca, &roots)) {
	case 0:
		SSL_CTX_set1_cert_store(context->ssl_ctx, tls_roots_store(roots));
		/* The context has its share. */
		tls_roots_free(roots);
		return true;
	case -EINVAL:
		fault_set(
			ret_fault, FAULT_CERT_UNTRUSTED, "ca is not a list of certificates in PEM");
		return false;
	case -E2BIG:
		fault_set(ret_fault, FAULT_CERT_UNTRUSTED, "ca has more than %u certificates",
			TLS_CA_MAX);
		return false;
	default: tls_fault_set_memory(ret_fault); return false;
	}
}

/* The authorities of a context: none, the system's, or those of the policy. */
static bool tls_context_trust(
	struct tls_store *store, struct tls_context *context, struct fault *ret_fault)
{
	if (context->insecure)
		return true;
	if (!context->is_system)
		return tls_context_trust_text(context, ret_fault);
	if (tls_store_load(store) == -ENOMEM) {
		tls_fault_set_memory(ret_fault);
		return false;
	}
	/* Without any, the chain fails to verify, and that says it. */
	if (store->roots)
		SSL_CTX_set1_cert_store(context->ssl_ctx, tls_roots_store(store->roots));
	return true;
}

/* NULL is no text, and equal to none. */
static bool tls_text_is_same(struct text a, struct text b)
{
	return !a.data == !b.data && text_equal(a, b);
}

static bool tls_context_matches(
	const struct tls_context *context, const struct tls_policy *policy, uint64_t key_hash)
{
	if (context->insecure != policy->insecure || context->key_hash != key_hash)
		return false;
	/* Without verification no authority matters. */
	return (policy->insecure || tls_text_is_same(context->ca, policy->ca)) &&
	       tls_text_is_same(context->cert, policy->cert) &&
	       tls_text_is_same(context->key, policy->key);
}

static struct tls_context *tls_store_find(
	struct tls_store *store, const struct tls_policy *policy, uint64_t key_hash)
{
	list_each(link, &store->contexts) {
		struct tls_context *context = list_entry(link, struct tls_context, link);

		if (tls_context_matches(context, policy, key_hash))
			return context;
	}
	return NULL;
}

static struct text tls_text_put(char **at, struct text text)
{
	char *copy = *at;

	if (!text.data)
		return text;
	memcpy(copy, text.data, text.size);
	*at += text.size;
	return (struct text){copy, text.size};
}

/* All that is to be known of it, nothing of it loaded. */
static struct tls_context *tls_context_alloc(const struct tls_policy *policy, uint64_t key_hash)
{
	struct text ca = policy->insecure ? (struct text){NULL, 0} : policy->ca;
	size_t size = ca.size + policy->cert.size + policy->key.size;
	struct tls_context *context = calloc(1, sizeof(*context) + size);
	char *at;

	if (!context)
		return NULL;
	at = context->texts;
	context->key_hash = key_hash;
	context->insecure = policy->insecure;
	context->is_system = !policy->insecure && !ca.data;
	context->ca = tls_text_put(&at, ca);
	context->cert = tls_text_put(&at, policy->cert);
	context->key = tls_text_put(&at, policy->key);
	return context;
}

/* One that matches the policy, first in the list. */
static struct tls_context *tls_context_new(struct tls_store *store, const struct tls_policy *policy,
	uint64_t key_hash, struct fault *ret_fault)
{
	struct tls_context *context = tls_context_alloc(policy, key_hash);

	if (!context) {
		tls_fault_set_memory(ret_fault);
		return NULL;
	}
	list_push_front(&store->contexts, &context->link);
	store->n_contexts++;
	context->ssl_ctx = SSL_CTX_new(TLS_client_method());
	if (!context->ssl_ctx || !tls_context_configure(context->ssl_ctx))
		tls_fault_set_memory(ret_fault);
	else if (tls_context_trust(store, context, ret_fault) &&
		 (!context->cert.data || tls_identity_load(context->ssl_ctx, context->cert,
						 context->key, ret_fault)))
		return context;
	tls_context_free(store, context);
	return NULL;
}

SSL_CTX *tls_store_context(
	struct tls_store *store, const struct tls_policy *policy, struct fault *ret_fault)
{
	uint64_t key_hash = policy->key.data ? table_hash(policy->key) : 0;
	struct tls_context *context;

	ERR_clear_error();
	if (!policy->insecure && !policy->ca.data)
		tls_store_look(store);
	context = tls_store_find(store, policy, key_hash);
	if (context) {
		list_remove(&context->link);
		list_push_front(&store->contexts, &context->link);
		return context->ssl_ctx;
	}
	context = tls_context_new(store, policy, key_hash, ret_fault);
	ERR_clear_error();
	if (!context)
		return NULL;
	if (store->n_contexts > TLS_CONTEXTS_MAX)
		tls_context_free(
			store, list_entry(store->contexts.previous, struct tls_context, link));
	return context->ssl_ctx;
}
