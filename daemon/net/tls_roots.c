/* SPDX-License-Identifier: MIT */
/*
 * Authorities, the system's or a user's, each parsed when it is first asked for.
 *
 * The problem: a distribution trusts some 150 authorities, a chain needs one. OpenSSL 3 takes
 * 0.15 ms to parse a certificate, 24 ms for the bundle: five times what a whole process that
 * fetches one page may cost. The directory of hashed names, OpenSSL's own answer, opens files
 * in the loop's thread for every issuer it has not met, for as long as the daemon lives. And a user
 * may name as many authorities as go into a document: 2,400 of them held the loop for seconds.
 *
 * The idea: read the bundle once, undo its base64 (1.3 ms), and parse of each certificate only
 * the subject (0.8 ms for all). A look-up method of the X509_STORE parses the rest of those that
 * have the subject a chain asks for, and puts them into the store, which is asked first from
 * then on. Nothing more is read from the disk later, unless the file has changed.
 *
 * Life: contexts have shares of the store, and so have connections, which may be in the middle of
 * their handshake when a newer bundle replaces this one. The store's look-up needs the
 * certificates, so they go with it: when the last share does.
 *
 * Invariant: all certificates of one subject go into the store together, because the store does
 * not ask again for a subject that it has.
 *
 * What is broken in the system's bundle is left out, as much as can be seen of it; in what a user
 * names it is refused.
 *
 * Limits: TLS_ROOTS_MAX certificates; what the file holds beyond them is left out. TLS_CA_MAX of a
 * user's: since all of one subject are parsed at once, that many is the most one look-up costs.
 */
#include "net/tls_private.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/panic.h"

#define TLS_ROOTS_MAX 4096

struct tls_root {
	/* NULL once it is in the store, or found broken. */
	unsigned char *der;
	long size;
	X509_NAME *subject;
};

struct tls_roots {
	/* Owned; NULL: from no file. */
	char *path;
	/* What the file was when it was read. */
	struct stat file;
	X509_LOOKUP_METHOD *method;
	/* Ours is one share of several; owns all of this. */
	X509_STORE *store;
	size_t n_roots;
	size_t n_parsed;
	struct tls_root roots[];
};

/* PEM blocks, their labels looked at. */
enum tls_pem_result {
	TLS_PEM_CERTIFICATE,
	TLS_PEM_OTHER,
	TLS_PEM_END,
	TLS_PEM_BROKEN,
};

/* The next block: a certificate's bytes become the caller's. */
static enum tls_pem_result tls_pem_next(BIO *bio, unsigned char **ret_der, long *ret_size)
{
	enum tls_pem_result result = TLS_PEM_OTHER;
	char *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	long size = 0;

	ERR_clear_error();
	if (!PEM_read_bio(bio, &label, &header, &der, &size)) {
		bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

		ERR_clear_error();
		return at_end ? TLS_PEM_END : TLS_PEM_BROKEN;
	}
	if (strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0 ||
		strcmp(label, PEM_STRING_X509_TRUSTED) == 0) {
		*ret_der = der;
		*ret_size = size;
		der = NULL;
		result = TLS_PEM_CERTIFICATE;
	}
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_free(der);
	return result;
}

/* Past one element of DER, or NULL. */
static const unsigned char *tls_der_skip(const unsigned char *at, const unsigned char *end)
{
	int tag, class;
	long size;

	if (!at || at >= end)
		return NULL;
	if (ASN1_get_object(&at, &size, &tag, &class, end - at) & 0x80)
		return NULL;
	return at + size;
}

/* Into an element of DER, or NULL. */
static const unsigned char *tls_der_enter(const unsigned char *at, const unsigned char *end)
{
	int tag, class;
	long size;

	if (!at || at >= end)
		return NULL;
	if (ASN1_get_object(&at, &size, &tag, &class, end - at) != V_ASN1_CONSTRUCTED)
		return NULL;
	return at;
}

/* The subject alone. RFC 5280 4.1: Certificate and TBSCertificate are sequences; before the
 * subject stand [0] version (optional), serial number, signature, issuer, validity. */
static X509_NAME *tls_root_read_subject(const struct tls_root *root)
{
	const unsigned char *at = root->der, *end = root->der + root->size;

	at = tls_der_enter(at, end);
	at = tls_der_enter(at, end);
	if (at && at < end && *at == (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED))
		at = tls_der_skip(at, end);
	for (unsigned i = 0; i < 4; i++)
		at = tls_der_skip(at, end);
	if (!at || at >= end)
		return NULL;
	return d2i_X509_NAME(NULL, &at, end - at);
}

static void tls_root_drop(struct tls_root *root)
{
	OPENSSL_free(root->der);
	X509_NAME_free(root->subject);
	root->der = NULL;
	root->subject = NULL;
}

/* Parse the rest and put it into the store. NULL where it is broken; else, for the first of its
 * subject, a borrow of the store's. */
static X509 *tls_root_parse(struct tls_roots *roots, struct tls_root *root)
{
	const unsigned char *at = root->der;
	X509 *x509 = d2i_X509_AUX(NULL, &at, root->size);
	bool added = x509 && X509_STORE_add_cert(roots->store, x509);

	tls_root_drop(root);
	/* The store has its own share, unless the same certificate stood in the bundle before. */
	X509_free(x509);
	if (!added)
		return NULL;
	roots->n_parsed++;
	return x509;
}

/* The store's look-up method: it has no certificate of that subject yet. */
static int tls_roots_on_lookup(
	X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *ret_object)
{
	struct tls_roots *roots = X509_LOOKUP_get_method_data(lookup);
	X509 *found = NULL;

	if (type != X509_LU_X509)
		return 0;
	for (size_t i = 0; i < roots->n_roots; i++) {
		struct tls_root *root = &roots->roots[i];

		if (root->der && X509_NAME_cmp(root->subject, name) == 0) {
			X509 *x509 = tls_root_parse(roots, root);

			found = found ? found : x509;
		}
	}
	if (!found || !X509_OBJECT_set1_X509(ret_object, found))
		return 0;
	/* The caller adds a reference to what it finds in ret_object, and never gives back the one
	 * that was there: X509_LOOKUP_meth_set_get_by_subject(3) wants it dropped here. */
	X509_free(found);
	return 1;
}

/* All certificates of the bundle with their subjects. False: something in it is broken. */
static bool tls_roots_read(struct tls_roots *roots, BIO *bio)
{
	bool is_sound = true;

	/* Broken blocks and other labels count too: the loop is bounded by the bound of blocks. */
	for (unsigned i = 0; i < TLS_ROOTS_MAX; i++) {
		struct tls_root *root = &roots->roots[roots->n_roots];
		enum tls_pem_result result = tls_pem_next(bio, &root->der, &root->size);

		if (result == TLS_PEM_END)
			break;
		if (result == TLS_PEM_BROKEN)
			is_sound = false;
		if (result != TLS_PEM_CERTIFICATE)
			continue;
		root->subject = tls_root_read_subject(root);
		if (root->subject) {
			roots->n_roots++;
		} else {
			tls_root_drop(root);
			is_sound = false;
		}
	}
	ERR_clear_error();
	return is_sound;
}

/* All but the store. */
static void tls_roots_release(struct tls_roots *roots)
{
	X509_LOOKUP_meth_free(roots->method);
	for (size_t i = 0; i < roots->n_roots; i++)
		tls_root_drop(&roots->roots[i]);
	free(roots->path);
	free(roots);
}

/* The last share of the store goes, and the look-up with it: OpenSSL is done with its method. */
static void tls_roots_on_free(X509_LOOKUP *lookup)
{
	struct tls_roots *roots = X509_LOOKUP_get_method_data(lookup);

	if (roots)
		tls_roots_release(roots);
}

/* From then on the roots are the store's. False: they are still the caller's, as is the store. */
static bool tls_roots_add_lookup(struct tls_roots *roots)
{
	X509_LOOKUP *lookup;

	roots->store = X509_STORE_new();
	roots->method = X509_LOOKUP_meth_new("settled");
	if (!roots->store || !roots->method)
		return false;
	if (!X509_LOOKUP_meth_set_get_by_subject(roots->method, tls_roots_on_lookup) ||
		!X509_LOOKUP_meth_set_free(roots->method, tls_roots_on_free))
		return false;
	lookup = X509_STORE_add_lookup(roots->store, roots->method);
	return lookup && X509_LOOKUP_set_method_data(lookup, roots);
}

/* All of it, which becomes the callee's; NULL: no memory. */
static struct tls_roots *tls_roots_read_bio(BIO *bio, bool *ret_is_sound)
{
	size_t size = sizeof(struct tls_roots) + TLS_ROOTS_MAX * sizeof(struct tls_root);
	/* Zeroed pages that nobody touches cost nothing. */
	struct tls_roots *roots = calloc(1, size), *smaller;

	if (!roots || !bio) {
		BIO_free(bio);
		free(roots);
		return NULL;
	}
	*ret_is_sound = tls_roots_read(roots, bio);
	BIO_free(bio);
	smaller = realloc(roots, sizeof(*roots) + roots->n_roots * sizeof(roots->roots[0]));
	return smaller ? smaller : roots;
}

/* They are not to be had, and nobody else has them. */
static int tls_roots_give_up(struct tls_roots *roots, int error)
{
	X509_STORE_free(roots->store);
	tls_roots_release(roots);
	ERR_clear_error();
	return error;
}

int tls_roots_new(const char *path, struct tls_roots **ret_roots)
{
	FILE *file = fopen(path, "re");
	struct tls_roots *roots = NULL;
	struct stat status;
	bool is_sound;
	int error = 0;

	if (!file)
		return -errno;
	/* First: what is written while we read makes it stale. */
	if (fstat(fileno(file), &status) < 0)
		error = -errno;
	else
		roots = tls_roots_read_bio(BIO_new_fp(file, BIO_NOCLOSE), &is_sound);
	fclose(file);
	if (!roots)
		return error ? error : -ENOMEM;
	roots->file = status;
	roots->path = strdup(path);
	if (!roots->path || !tls_roots_add_lookup(roots))
		return tls_roots_give_up(roots, -ENOMEM);
	*ret_roots = roots;
	return 0;
}

int tls_roots_new_text(struct text pem, struct tls_roots **ret_roots)
{
	struct tls_roots *roots;
	bool is_sound;

	if (pem.size > INT32_MAX)
		return -E2BIG;
	if (pem.size == 0)
		return -EINVAL;
	roots = tls_roots_read_bio(BIO_new_mem_buf(pem.data, (int)pem.size), &is_sound);
	if (!roots)
		return -ENOMEM;
	if (!is_sound || roots->n_roots == 0)
		return tls_roots_give_up(roots, -EINVAL);
	if (roots->n_roots > TLS_CA_MAX)
		return tls_roots_give_up(roots, -E2BIG);
	if (!tls_roots_add_lookup(roots))
		return tls_roots_give_up(roots, -ENOMEM);
	*ret_roots = roots;
	return 0;
}

struct tls_roots *tls_roots_free(struct tls_roots *roots)
{
	if (roots)
		X509_STORE_free(roots->store);
	return NULL;
}

bool tls_roots_are_stale(const struct tls_roots *roots)
{
	struct stat status;

	expect(roots->path);
	/* One that is gone for a moment, or cannot be read, is no reason to trust nobody. */
	if (stat(roots->path, &status) < 0)
		return false;
	return status.st_dev != roots->file.st_dev || status.st_ino != roots->file.st_ino ||
	       status.st_size != roots->file.st_size ||
	       status.st_mtim.tv_sec != roots->file.st_mtim.tv_sec ||
	       status.st_mtim.tv_nsec != roots->file.st_mtim.tv_nsec;
}

const char *tls_roots_path(const struct tls_roots *roots)
{
	return roots->path;
}

X509_STORE *tls_roots_store(struct tls_roots *roots)
{
	return roots->store;
}

size_t tls_roots_count(const struct tls_roots *roots)
{
	return roots->n_roots;
}

size_t tls_roots_count_parsed(const struct tls_roots *roots)
{
	return roots->n_parsed;
}
