/* SPDX-License-Identifier: MIT */
/*
 * One connection's TLS, between a piece of ciphertext that came and a buffer of ciphertext to go.
 *
 * OpenSSL wants to read and write a transport itself. Ours is a BIO that reads from the piece
 * borrowed with tls_feed() and writes to the output buffer, so that nothing is copied twice and
 * all records of one step leave in one send: the client's Finished and the first request.
 * Memory BIOs would do the same with two more copies; a socket BIO would send each flight alone.
 *
 * The end: OpenSSL is told to take a transport's end for a proper one (a missing close_notify
 * would else spoil the session), and then cannot tell one from the other. The BIO can: `saw_end`
 * says that OpenSSL was given an end to read, which after a close_notify it never asks for.
 *
 * Whom the peer must be is net/tls_verify.c's; here stands when sessions are resumed: one is
 * offered at the begin if one is kept, what comes is kept as it comes, and a failure forgets all of
 * its key. Early data is never sent: it could be replayed.
 *
 * Invariants: OpenSSL's error queue, which is the thread's, is empty on return from each function.
 * After TLS_MORE nothing of the input is left. Writing never waits: the output grows.
 *
 * Limits: TLS_OUTPUT_MAX of output; TLS_BARREN_MAX bytes in a row that bring no plaintext, in
 * the handshake and after it. That ends floods of key updates, tickets, empty records and
 * requests to renegotiate, each of which costs us more than the peer.
 */
#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_private.h"
#include "util/container.h"
#include "util/panic.h"

/* More than any request that is admitted, with what TLS adds. */
#define TLS_OUTPUT_MAX ((size_t)128 << 20)

/* A handshake has at most 100 KiB of certificates (OpenSSL's bound) and as much of the names of
 * authorities; one record has 16 KiB. */
#define TLS_BARREN_MAX ((size_t)256 << 10)

/* A record of 16 KiB becomes so much longer at most (RFC 5246 6.2.3). */
#define TLS_RECORD_MAX      ((size_t)16 << 10)
#define TLS_RECORD_OVERHEAD ((size_t)64)

/* Connections at rest that keep their buffers, 34 KiB each: mostly the next request comes in the
 * same turn, so that few rest at a time, however many there are. */
#define TLS_RESTING_MAX    16
#define TLS_RESTING_OUTPUT ((size_t)4 << 10)

enum tls_state {
	TLS_HANDSHAKING,
	TLS_OPEN,
	/* The peer has said close_notify; we may still write. */
	TLS_ENDED,
	TLS_FAULTED,
};

struct tls {
	/* Its owner; counts us. */
	struct tls_store *store;
	SSL *ssl;
	enum tls_state state;
	/* Ciphertext borrowed from the caller. */
	const char *input;
	size_t input_size;
	/* True exactly when no more will be fed. */
	bool input_ended;
	/* True exactly when OpenSSL has read the transport's end. */
	bool saw_end;
	/* True exactly when the peer asked for a certificate of ours. */
	bool was_asked;
	/* True exactly when the first byte fed was looked at. */
	bool was_probed;
	/* Bytes read since the last plaintext. */
	size_t barren;
	struct buffer output;
	struct tls_verify verify;
	/* By which sessions are kept and resumed, if they are. */
	unsigned char session_key[TLS_DIGEST_SIZE];
	bool keeps_sessions;
	/* The store's, when we were made. */
	uint64_t generation;
	/* True exactly when the peer was offered to resume one. */
	bool offers_session;
	bool offers_h2;
	/* Of store->resting; unlinked: it is in use, or has given its buffers back. */
	struct list resting;
};

/* ERR_clear_error() goes through all places of the queue, 800 instructions, where none is taken. */
static void tls_clear_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

static int tls_bio_read(BIO *bio, char *data, int size)
{
	struct tls *tls = BIO_get_data(bio);
	size_t n = (size_t)size < tls->input_size ? (size_t)size : tls->input_size;

	BIO_clear_retry_flags(bio);
	if (n == 0 && tls->input_ended) {
		tls->saw_end = true;
		return 0;
	}
	if (n == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(data, tls->input, n);
	tls->input += n;
	tls->input_size -= n;
	tls->barren += n;
	return (int)n;
}

static int tls_bio_write(BIO *bio, const char *data, int size)
{
	struct tls *tls = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	buffer_append(&tls->output, data, (size_t)size);
	return tls->output.failed ? -1 : size;
}

/* BIO_CTRL_GET_KTLS_SEND and its kin must be 0: they are among the unknown. */
static long tls_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	struct tls *tls = BIO_get_data(bio);

	switch (command) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP: return 1;
	case BIO_CTRL_EOF: return tls->input_ended && tls->input_size == 0;
	case BIO_CTRL_PENDING: return (long)tls->input_size;
	case BIO_CTRL_WPENDING: return (long)tls->output.size;
	default: return 0;
	}
}

BIO_METHOD *tls_bio_method_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "settled");

	if (!method)
		return NULL;
	if (BIO_meth_set_read(method, tls_bio_read) && BIO_meth_set_write(method, tls_bio_write) &&
		BIO_meth_set_ctrl(method, tls_bio_ctrl))
		return method;
	BIO_meth_free(method);
	return NULL;
}

static struct tls *tls_of(SSL *ssl)
{
	return container_of(SSL_get_app_data(ssl), struct tls, verify);
}

int tls_on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = tls_of(ssl);

	/* Nothing that was not verified is ever kept as if it were. */
	if (tls->keeps_sessions && tls->generation == tls->store->generation &&
		SSL_get_verify_result(ssl) == X509_V_OK)
		tls_sessions_keep(
			&tls->store->sessions, tls->session_key, session, tls->verify.until_ns);
	return 0;
}

/* The peer asks for a certificate of ours: it gets what the context has, or none. */
static int tls_on_asked(SSL *ssl, void *context)
{
	tls_of(ssl)->was_asked = true;
	return 1;
}

/* RFC 7301 3.1. The connection's own, because contexts need not differ in it. */
static bool tls_set_protocols(struct tls *tls)
{
	static const unsigned char all[] = "\x02h2\x08http/1.1";
	const unsigned char *offered = tls->offers_h2 ? all : all + 3;
	unsigned size = sizeof(all) - 1 - (unsigned)(offered - all);

	/* Unlike its neighbours this one answers 0 for success. */
	return SSL_set_alpn_protos(tls->ssl, offered, size) == 0;
}

static bool tls_set_ssl(struct tls *tls, SSL_CTX *context)
{
	BIO *bio;

	tls->ssl = SSL_new(context);
	if (!tls->ssl)
		return false;
	bio = BIO_new(tls->store->bio_method);
	if (!bio)
		return false;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_connect_state(tls->ssl);
	SSL_set_cert_cb(tls->ssl, tls_on_asked, NULL);
	return tls_verify_set(&tls->verify, tls->ssl) && tls_set_protocols(tls);
}

/* Offers the peer to resume a session, if one is kept. */
static void tls_offer_session(struct tls *tls)
{
	SSL_SESSION *session;

	if (!tls->keeps_sessions)
		return;
	session = tls_sessions_take(&tls->store->sessions, tls->session_key, &tls->verify.until_ns);
	if (!session)
		return;
	tls->offers_session = SSL_set_session(tls->ssl, session);
	SSL_SESSION_free(session);
	tls_clear_errors();
}

/* All but what tls_new() has to allocate first. */
static bool tls_init(struct tls *tls, const struct tls_policy *policy, struct fault *ret_fault)
{
	SSL_CTX *context;

	buffer_init(&tls->output, TLS_OUTPUT_MAX);
	tls->offers_h2 = policy->offers_h2;
	if (!tls_verify_init(&tls->verify, policy, ret_fault))
		return false;
	context = tls_store_context(tls->store, policy, ret_fault);
	if (!context)
		return false;
	if (!tls_set_ssl(tls, context)) {
		tls_clear_errors();
		tls_fault_set_memory(ret_fault);
		return false;
	}
	tls->verify.lacks_roots = tls->verify.is_system && tls_store_lacks_roots(tls->store);
	if (policy->session_key) {
		tls->keeps_sessions = true;
		/* After the look-up of the context, which may have begun a new one. */
		tls->generation = tls->store->generation;
		memcpy(tls->session_key, policy->session_key, sizeof(tls->session_key));
	}
	tls_offer_session(tls);
	return true;
}

int tls_new(struct tls_store *store, const struct tls_policy *policy, struct tls **ret_tls,
	struct fault *ret_fault)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls) {
		tls_fault_set_memory(ret_fault);
		return -1;
	}
	tls->store = store;
	list_init(&tls->resting);
	store->n_connections++;
	if (!tls_init(tls, policy, ret_fault)) {
		tls_free(tls);
		return -1;
	}
	*ret_tls = tls;
	return 0;
}

/* What the peer gave us does us no good: RFC 8446 6.2 wants it forgotten with a fatal alert, and
 * a peer that stumbles over what it is offered would do so again. */
static void tls_drop_sessions(struct tls *tls)
{
	if (tls->keeps_sessions)
		tls_sessions_drop(&tls->store->sessions, tls->session_key);
}

static void tls_wake(struct tls *tls)
{
	if (!list_is_linked(&tls->resting))
		return;
	list_remove(&tls->resting);
	tls->store->n_resting--;
}

struct tls *tls_free(struct tls *tls)
{
	if (!tls)
		return NULL;
	tls_wake(tls);
	/* Whoever gave up, the peer may have been at a loss. */
	if (tls->state == TLS_HANDSHAKING && tls->offers_session)
		tls_drop_sessions(tls);
	SSL_free(tls->ssl);
	tls_verify_deinit(&tls->verify);
	buffer_deinit(&tls->output);
	tls->store->n_connections--;
	free(tls);
	return NULL;
}

void tls_feed(struct tls *tls, const char *data, size_t size)
{
	/* What follows a close_notify or a fault is nobody's. */
	if (tls->state == TLS_ENDED || tls->state == TLS_FAULTED)
		return;
	expect(tls->input_size == 0);
	expect(!tls->input_ended);
	tls->input = data;
	tls->input_size = size;
}

void tls_feed_end(struct tls *tls)
{
	tls->input_ended = true;
}

/* The connection is past use; what the caller's fault is to be, is set. */
static enum tls_result tls_enter_faulted(struct tls *tls)
{
	tls->state = TLS_FAULTED;
	tls->input_size = 0;
	tls_clear_errors();
	return TLS_FAULT;
}

/* OpenSSL will not go on. */
static enum tls_result tls_fail(struct tls *tls, struct fault *ret_fault)
{
	const struct tls_failure failure = {
		.in_handshake = tls->state == TLS_HANDSHAKING,
		.at_end = tls->saw_end,
		.was_asked = tls->was_asked,
		.own = SSL_get_certificate(tls->ssl),
		.wanted = SSL_get0_peer_CA_list(tls->ssl),
	};

	if (tls->output.failed)
		tls_fault_set_memory(ret_fault);
	else if (tls->verify.fault.code != FAULT_NONE)
		*ret_fault = tls->verify.fault;
	else
		tls_fault_set_queue(ret_fault, &failure);
	tls_drop_sessions(tls);
	return tls_enter_faulted(tls);
}

/* OpenSSL wants more ciphertext. */
static enum tls_result tls_want(struct tls *tls, struct fault *ret_fault)
{
	expect(tls->input_size == 0);
	if (tls->output.failed)
		return tls_fail(tls, ret_fault);
	if (tls->barren <= TLS_BARREN_MAX)
		return TLS_MORE;
	fault_set(ret_fault, tls->state == TLS_HANDSHAKING ? FAULT_TLS_HANDSHAKE : FAULT_TLS_BROKEN,
		"the peer sends TLS records without end and no data");
	return tls_enter_faulted(tls);
}

/* A server's first record is of its handshake, an alert, or a change_cipher_spec, which may come
 * at any time (RFC 8446 5). OpenSSL would wait for five bytes and then speak of a wrong version. */
static bool tls_input_is_tls(struct tls *tls)
{
	if (tls->was_probed || tls->input_size == 0)
		return true;
	tls->was_probed = true;
	return tls->input[0] == SSL3_RT_HANDSHAKE || tls->input[0] == SSL3_RT_ALERT ||
	       tls->input[0] == SSL3_RT_CHANGE_CIPHER_SPEC;
}

struct text tls_alpn(const struct tls *tls)
{
	const unsigned char *name;
	unsigned size;

	SSL_get0_alpn_selected(tls->ssl, &name, &size);
	return size ? (struct text){(const char *)name, size} : TEXT("");
}

bool tls_is_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl);
}

/* RFC 7301 3.2: a server chooses among those offered, or none. */
static bool tls_protocol_was_offered(const struct tls *tls)
{
	struct text chosen = tls_alpn(tls);

	return chosen.size == 0 || text_is(chosen, "http/1.1") ||
	       (tls->offers_h2 && text_is(chosen, "h2"));
}

static void tls_enter_open(struct tls *tls)
{
	tls->state = TLS_OPEN;
	tls->barren = 0;
	if (tls_is_resumed(tls))
		tls->store->counters.resumed++;
	else
		tls->store->counters.full++;
}

enum tls_result tls_handshake(struct tls *tls, struct fault *ret_fault)
{
	int result;

	expect(tls->state == TLS_HANDSHAKING);
	if (!tls_input_is_tls(tls)) {
		tls_fault_set_not_tls(ret_fault, tls->input, tls->input_size);
		return tls_enter_faulted(tls);
	}
	tls_clear_errors();
	result = SSL_do_handshake(tls->ssl);
	if (result != 1 && SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
		return tls_want(tls, ret_fault);
	if (result != 1 || tls->output.failed)
		return tls_fail(tls, ret_fault);
	if (!tls_protocol_was_offered(tls)) {
		fault_set(ret_fault, FAULT_TLS_HANDSHAKE,
			"expected %shttp/1.1 by ALPN, got \"%.*s\", which was not offered",
			tls->offers_h2 ? "h2 or " : "", TEXT_ARGS(tls_alpn(tls)));
		tls_drop_sessions(tls);
		return tls_enter_faulted(tls);
	}
	tls_enter_open(tls);
	return TLS_OK;
}

/* For a call that comes after the end of it all. */
static enum tls_result tls_fail_again(struct fault *ret_fault)
{
	fault_set(ret_fault, FAULT_TLS_BROKEN, "TLS has failed before");
	return TLS_FAULT;
}

enum tls_result tls_read(
	struct tls *tls, char *data, size_t size, size_t *ret_size, struct fault *ret_fault)
{
	int error;

	expect(tls->state != TLS_HANDSHAKING);
	expect(size > 0);
	*ret_size = 0;
	if (tls->state == TLS_ENDED)
		return TLS_END;
	if (tls->state == TLS_FAULTED)
		return tls_fail_again(ret_fault);
	/* What was fed is read: OpenSSL would say so too, at twice the cost of a small record. */
	if (tls->input_size == 0 && !tls->input_ended && !SSL_has_pending(tls->ssl))
		return tls_want(tls, ret_fault);
	tls_clear_errors();
	if (SSL_read_ex(tls->ssl, data, size, ret_size)) {
		tls->barren = 0;
		return TLS_OK;
	}
	error = SSL_get_error(tls->ssl, 0);
	if (error == SSL_ERROR_WANT_READ)
		return tls_want(tls, ret_fault);
	if (tls->saw_end) {
		fault_set(ret_fault, FAULT_BODY_TRUNCATED,
			"the peer closed the connection without TLS's close_notify");
		return tls_enter_faulted(tls);
	}
	if (error != SSL_ERROR_ZERO_RETURN)
		return tls_fail(tls, ret_fault);
	tls_clear_errors();
	tls->state = TLS_ENDED;
	tls->input_size = 0;
	return TLS_END;
}

enum tls_result tls_write(struct tls *tls, const char *data, size_t size, struct fault *ret_fault)
{
	size_t n_records = size / TLS_RECORD_MAX + 1, n;

	expect(tls->state != TLS_HANDSHAKING);
	if (tls->state == TLS_FAULTED)
		return tls_fail_again(ret_fault);
	tls_wake(tls);
	tls_clear_errors();
	/* Grow once. Where that fails, the first record fails. */
	buffer_reserve(&tls->output, size + n_records * TLS_RECORD_OVERHEAD);
	while (size > 0) {
		if (!SSL_write_ex(tls->ssl, data, size, &n) || tls->output.failed)
			return tls_fail(tls, ret_fault);
		data += n;
		size -= n;
	}
	return TLS_OK;
}

void tls_close(struct tls *tls)
{
	if (tls->state != TLS_OPEN && tls->state != TLS_ENDED)
		return;
	/* Twice says it once. Whether the peer has said it too is all the same here. */
	tls_clear_errors();
	SSL_shutdown(tls->ssl);
	tls_clear_errors();
}

struct buffer *tls_output(struct tls *tls)
{
	return &tls->output;
}

static void tls_release(struct tls *tls)
{
	/* Does nothing where OpenSSL still holds a part of a record. */
	SSL_free_buffers(tls->ssl);
	if (tls->output.size == 0)
		buffer_reset(&tls->output, 0);
}

void tls_rest(struct tls *tls)
{
	struct tls_store *store = tls->store;

	/* A large request was an exception. */
	if (tls->output.size == 0)
		buffer_reset(&tls->output, TLS_RESTING_OUTPUT);
	tls_wake(tls);
	list_push_back(&store->resting, &tls->resting);
	if (++store->n_resting <= TLS_RESTING_MAX)
		return;
	tls = list_entry(store->resting.next, struct tls, resting);
	tls_wake(tls);
	tls_release(tls);
}
