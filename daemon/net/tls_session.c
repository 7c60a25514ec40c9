/* SPDX-License-Identifier: MIT */
/*
 * What sessions are resumed by: the tickets of TLS 1.3, the tickets and ids of TLS 1.2.
 *
 * The problem: who resumes a session is not verified again. Whatever is kept here under too coarse
 * a key lets a request through that would have been refused (another authority, another pin, a
 * connection that verified nothing), or one user speak with another's certificate. OpenSSL's own
 * cache has no key at all on a client's side.
 *
 * The idea: the key is a digest of all that must be equal for two requests to share a connection,
 * the user included, and what is kept goes with it or not at all. A shelf holds the sessions of
 * one key. A ticket of TLS 1.3 is taken off when it is used, because who sees it twice knows that
 * both connections are ours (RFC 8446 C.4). A session of TLS 1.2 may stay.
 *
 * Each session has a time after which the peer must show its certificate again, counted from when
 * it last did: tickets that come of resumed sessions inherit it. Else a peer that was good once
 * would be good for ever.
 *
 * A session is kept as the text OpenSSL makes of it: 2 KB and one piece, where the object holds a
 * parsed chain that the peer chose the size of. It holds the secrets of connections to come, so it
 * is wiped.
 *
 * Limits: TLS_SESSIONS_MAX in all, the oldest goes; TLS_SESSIONS_PER_KEY_MAX of a key, the same;
 * TLS_SESSION_SIZE_MAX bytes each, larger ones are not kept.
 */
#include "net/tls_private.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/container.h"

/* The sessions of one key; at least one. */
struct tls_shelf {
	uint64_t hash;
	unsigned char key[TLS_DIGEST_SIZE];
	/* The oldest first. */
	struct list sessions;
	unsigned n_sessions;
};

struct tls_session {
	/* Among all, and on its shelf. */
	struct list link, shelf_link;
	struct tls_shelf *shelf;
	uint64_t until_ns;
	/* True exactly when it goes when it is taken. */
	bool is_single;
	size_t size;
	unsigned char der[];
};

void tls_sessions_init(struct tls_sessions *sessions)
{
	table_init(&sessions->shelves);
	list_init(&sessions->sessions);
	sessions->n_sessions = 0;
}

static bool tls_shelf_matches(const void *value, const void *key)
{
	return memcmp(((const struct tls_shelf *)value)->key, key, TLS_DIGEST_SIZE) == 0;
}

static uint64_t tls_key_hash(const unsigned char *key)
{
	return table_hash((struct text){(const char *)key, TLS_DIGEST_SIZE});
}

static struct tls_shelf *tls_sessions_find(
	const struct tls_sessions *sessions, const unsigned char *key)
{
	return table_find(&sessions->shelves, tls_key_hash(key), tls_shelf_matches, key);
}

/* Its shelf goes with the last one. */
static void tls_session_free(struct tls_sessions *sessions, struct tls_session *session)
{
	struct tls_shelf *shelf = session->shelf;

	list_remove(&session->link);
	list_remove(&session->shelf_link);
	sessions->n_sessions--;
	shelf->n_sessions--;
	explicit_bzero(session->der, session->size);
	free(session);
	if (shelf->n_sessions > 0)
		return;
	table_remove(&sessions->shelves, shelf->hash, shelf);
	free(shelf);
}

void tls_sessions_clear(struct tls_sessions *sessions)
{
	list_each_safe(link, &sessions->sessions)
		tls_session_free(sessions, list_entry(link, struct tls_session, link));
}

void tls_sessions_deinit(struct tls_sessions *sessions)
{
	tls_sessions_clear(sessions);
	table_deinit(&sessions->shelves);
}

void tls_sessions_drop(struct tls_sessions *sessions, const unsigned char *key)
{
	struct tls_shelf *shelf = tls_sessions_find(sessions, key);
	unsigned n = shelf ? shelf->n_sessions : 0;

	/* The last one takes the shelf with it. */
	for (; n > 0; n--)
		tls_session_free(
			sessions, list_entry(shelf->sessions.next, struct tls_session, shelf_link));
}

static struct tls_shelf *tls_shelf_new(struct tls_sessions *sessions, const unsigned char *key)
{
	struct tls_shelf *shelf = calloc(1, sizeof(*shelf));

	if (!shelf)
		return NULL;
	shelf->hash = tls_key_hash(key);
	memcpy(shelf->key, key, TLS_DIGEST_SIZE);
	list_init(&shelf->sessions);
	if (table_insert(&sessions->shelves, shelf->hash, shelf))
		return shelf;
	free(shelf);
	return NULL;
}

/* Until when the peer lets it be resumed. */
static uint64_t tls_session_until(const SSL_SESSION *session)
{
	uint64_t hint = SSL_SESSION_get_ticket_lifetime_hint(session), now = clock_now_ns();

	/* RFC 5077 3.3: 0 says nothing; RFC 8446 4.6.1: 0 says not to keep it. */
	if (hint == 0 && SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
		return UINT64_MAX;
	return now + hint * NS_PER_S;
}

/* The session as it is kept; NULL: it is not. */
static struct tls_session *tls_session_new(SSL_SESSION *session)
{
	int size = i2d_SSL_SESSION(session, NULL);
	struct tls_session *kept;
	unsigned char *at;

	if (size <= 0 || size > TLS_SESSION_SIZE_MAX)
		return NULL;
	kept = calloc(1, sizeof(*kept) + (size_t)size);
	if (!kept)
		return NULL;
	at = kept->der;
	kept->size = (size_t)size;
	i2d_SSL_SESSION(session, &at);
	kept->is_single = SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
	return kept;
}

void tls_sessions_keep(struct tls_sessions *sessions, const unsigned char *key,
	SSL_SESSION *session, uint64_t until_ns)
{
	uint64_t said_ns = tls_session_until(session);
	struct tls_shelf *shelf;
	struct tls_session *kept;

	until_ns = said_ns < until_ns ? said_ns : until_ns;
	if (until_ns <= clock_now_ns() || !SSL_SESSION_is_resumable(session))
		return;
	kept = tls_session_new(session);
	ERR_clear_error();
	if (!kept)
		return;
	shelf = tls_sessions_find(sessions, key);
	shelf = shelf ? shelf : tls_shelf_new(sessions, key);
	if (!shelf) {
		explicit_bzero(kept->der, kept->size);
		free(kept);
		return;
	}
	kept->until_ns = until_ns;
	kept->shelf = shelf;
	list_push_back(&shelf->sessions, &kept->shelf_link);
	list_push_back(&sessions->sessions, &kept->link);
	shelf->n_sessions++;
	sessions->n_sessions++;
	if (shelf->n_sessions > TLS_SESSIONS_PER_KEY_MAX)
		tls_session_free(
			sessions, list_entry(shelf->sessions.next, struct tls_session, shelf_link));
	if (sessions->n_sessions > TLS_SESSIONS_MAX)
		tls_session_free(
			sessions, list_entry(sessions->sessions.next, struct tls_session, link));
}

SSL_SESSION *tls_sessions_take(
	struct tls_sessions *sessions, const unsigned char *key, uint64_t *ret_until_ns)
{
	struct tls_shelf *shelf = tls_sessions_find(sessions, key);
	unsigned n = shelf ? shelf->n_sessions : 0;
	uint64_t now = clock_now_ns();

	for (; n > 0; n--) {
		struct tls_session *kept =
			list_entry(shelf->sessions.previous, struct tls_session, shelf_link);
		const unsigned char *at = kept->der;
		SSL_SESSION *session = NULL;

		if (kept->until_ns > now)
			session = d2i_SSL_SESSION(NULL, &at, (long)kept->size);
		ERR_clear_error();
		*ret_until_ns = kept->until_ns;
		if (kept->is_single || !session)
			tls_session_free(sessions, kept);
		if (session)
			return session;
	}
	return NULL;
}
