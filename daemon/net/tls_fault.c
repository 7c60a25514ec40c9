/* SPDX-License-Identifier: MIT */
/*
 * What OpenSSL says went wrong, as one of our codes and a sentence that names what was expected
 * and what came.
 *
 * Two sources: the error of the chain's verification, told while the certificate at fault is at
 * hand (afterwards OpenSSL has forgotten it); and the error queue, in which the oldest entry is
 * the cause and the later ones are what followed from it.
 *
 * Names in certificates are the peer's bytes. What is not a printable ASCII character becomes
 * '?', so that a NUL or an escape sequence neither ends nor colours a message.
 */
#include "net/tls_private.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/container.h"
#include "util/text.h"

/* What a message quotes of a certificate, and how many of its names. */
#define TLS_QUOTE_MAX 64
#define TLS_NAMES_MAX 3

struct tls_quote {
	char data[TLS_QUOTE_MAX];
	size_t size;
};

static void tls_quote_append(struct tls_quote *quote, const char *data, size_t size)
{
	for (size_t i = 0; i < size && quote->size + 1 < sizeof(quote->data); i++) {
		bool printable = data[i] >= ' ' && data[i] <= '~';

		quote->data[quote->size++] = printable ? data[i] : '?';
	}
	quote->data[quote->size] = '\0';
}

static void tls_quote_append_string(struct tls_quote *quote, const char *string)
{
	tls_quote_append(quote, string, strlen(string));
}

/* One name of a certificate. False: of a kind that no server is known by. */
static bool tls_quote_append_name(struct tls_quote *quote, const GENERAL_NAME *name)
{
	char address[INET6_ADDRSTRLEN] = "";
	const ASN1_OCTET_STRING *string;
	int type, family;

	string = GENERAL_NAME_get0_value(name, &type);
	if (type != GEN_DNS && type != GEN_IPADD)
		return false;
	if (quote->size > 0)
		tls_quote_append_string(quote, ", ");
	if (type == GEN_DNS) {
		tls_quote_append(quote, (const char *)ASN1_STRING_get0_data(string),
			(size_t)ASN1_STRING_length(string));
		return true;
	}
	family = ASN1_STRING_length(string) == 4 ? AF_INET : AF_INET6;
	if (family == AF_INET || ASN1_STRING_length(string) == 16)
		inet_ntop(family, ASN1_STRING_get0_data(string), address, sizeof(address));
	tls_quote_append_string(quote, address);
	return true;
}

/* The subject alternative names: "a.example, b.example and 7 more"; empty where there are none. */
static void tls_quote_append_names(struct tls_quote *quote, X509 *x509)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	int n_names = names ? sk_GENERAL_NAME_num(names) : 0, n_quoted = 0;
	char more[32];

	for (int i = 0; i < n_names && n_quoted < TLS_NAMES_MAX; i++)
		n_quoted += tls_quote_append_name(quote, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	if (n_quoted == 0 || n_names == n_quoted)
		return;
	snprintf(more, sizeof(more), " and %d more", n_names - n_quoted);
	/* The count is worth more than the end of a long name. */
	if (quote->size + strlen(more) + 1 > sizeof(quote->data))
		quote->size = sizeof(quote->data) - strlen(more) - 1;
	tls_quote_append_string(quote, more);
}

/* Whom a subject or issuer names: the last of its common names, or organisations. */
static void tls_quote_append_entity(struct tls_quote *quote, const X509_NAME *name)
{
	static const int kinds[] = {NID_commonName, NID_organizationName};

	for (size_t i = 0; i < countof(kinds); i++) {
		int at = -1;

		for (int next = X509_NAME_get_index_by_NID(name, kinds[i], -1); next >= 0;
			next = X509_NAME_get_index_by_NID(name, kinds[i], at))
			at = next;
		if (at >= 0) {
			const ASN1_STRING *data =
				X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));

			tls_quote_append(quote, (const char *)ASN1_STRING_get0_data(data),
				(size_t)ASN1_STRING_length(data));
			return;
		}
	}
	tls_quote_append_string(quote, "a nameless one");
}

static void tls_fault_set_name(struct fault *fault, X509 *x509, const char *expected)
{
	struct tls_quote names = {0};

	tls_quote_append_names(&names, x509);
	if (names.size > 0)
		fault_set(fault, FAULT_CERT_NAME, "the certificate is for %s, not for %s",
			names.data, expected);
	else
		fault_set(fault, FAULT_CERT_NAME,
			"the certificate has no subject alternative names, so none is %s",
			expected);
}

/* "2026-07-28"; empty where it is no time. */
static void tls_quote_append_date(struct tls_quote *quote, const ASN1_TIME *time)
{
	char date[32];
	struct tm tm = {0};

	if (!time || !ASN1_TIME_to_tm(time, &tm))
		return;
	snprintf(
		date, sizeof(date), "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	tls_quote_append_string(quote, date);
}

static void tls_fault_set_time(
	struct fault *fault, enum fault_code code, X509 *x509, const ASN1_TIME *time)
{
	struct tls_quote entity = {0}, issuer = {0}, date = {0}, today = {0};
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);

	tls_quote_append_entity(&entity, X509_get_subject_name(x509));
	tls_quote_append_entity(&issuer, X509_get_issuer_name(x509));
	tls_quote_append_date(&date, time);
	tls_quote_append_date(&today, now);
	ASN1_TIME_free(now);
	fault_set(fault, code, "the certificate of %s %s %s, today is %s; its issuer is %s",
		entity.data, code == FAULT_CERT_EXPIRED ? "expired" : "is not valid before",
		date.data, today.data, issuer.data);
}

/* "RSA of 1024 bits". */
static void tls_quote_append_key(struct tls_quote *quote, X509 *x509)
{
	const EVP_PKEY *key = X509_get0_pubkey(x509);
	const char *kind = key ? EVP_PKEY_get0_type_name(key) : NULL;
	char bits[32];

	if (!kind) {
		tls_quote_append_string(quote, "one that is not known");
		return;
	}
	snprintf(bits, sizeof(bits), " of %d bits", EVP_PKEY_get_bits(key));
	tls_quote_append_string(quote, kind);
	tls_quote_append_string(quote, bits);
}

/* Whom a certificate says it is for (RFC 5280 4.2.1.12). */
static const char *tls_usage_name(X509 *x509)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} usages[] = {
		{XKU_SSL_CLIENT, "TLS clients"},
		{XKU_SMIME, "e-mail"},
		{XKU_CODE_SIGN, "signing code"},
		{XKU_OCSP_SIGN, "OCSP"},
		{XKU_TIMESTAMP, "time stamps"},
	};
	uint32_t flags = X509_get_extended_key_usage(x509);

	for (size_t i = 0; i < countof(usages); i++) {
		if (flags & usages[i].flag)
			return usages[i].name;
	}
	return "something else";
}

/* It is itself not what it should be. False: nothing of that kind. */
static bool tls_fault_set_unfit(struct fault *fault, X509 *x509, int error, const char *entity)
{
	struct tls_quote key = {0};

	switch (error) {
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		tls_quote_append_key(&key, x509);
		fault_set(fault, FAULT_CERT_UNTRUSTED,
			"the certificate of %s: expected a key as strong as RSA of 2048 bits, got "
			"%s",
			entity, key.data);
		return true;
	case X509_V_ERR_CA_MD_TOO_WEAK:
		fault_set(fault, FAULT_CERT_UNTRUSTED,
			"the certificate of %s: expected a digest as strong as SHA-256, got %s",
			entity, OBJ_nid2sn(X509_get_signature_nid(x509)));
		return true;
	case X509_V_ERR_INVALID_PURPOSE:
		fault_set(fault, FAULT_CERT_UNTRUSTED,
			"the certificate of %s: expected one for TLS servers, got one for %s",
			entity, tls_usage_name(x509));
		return true;
	case X509_V_ERR_INVALID_CA:
		fault_set(fault, FAULT_CERT_UNTRUSTED,
			"the certificate of %s vouches for another one: expected that of an "
			"authority, got one without CA:TRUE",
			entity);
		return true;
	default: return false;
	}
}

static void tls_fault_set_untrusted(
	struct fault *fault, X509 *x509, int error, const struct tls_verify *verify)
{
	const char *where = verify->is_system ? "the system's store" : "ca";
	struct tls_quote entity = {0}, issuer = {0};

	tls_quote_append_entity(&entity, X509_get_subject_name(x509));
	tls_quote_append_entity(&issuer, X509_get_issuer_name(x509));
	if (tls_fault_set_unfit(fault, x509, error, entity.data))
		return;
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		fault_set(fault, FAULT_CERT_UNTRUSTED,
			"the certificate of %s: %s does not have its issuer, %s", entity.data,
			where, issuer.data);
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		fault_set(fault, FAULT_CERT_UNTRUSTED,
			"the certificate of %s is self-signed, and %s does not have it",
			entity.data, where);
		return;
	default:
		fault_set(fault, FAULT_CERT_UNTRUSTED,
			"the certificate of %s: %s; its issuer is %s", entity.data,
			X509_verify_cert_error_string(error), issuer.data);
	}
}

static void tls_fault_set_rootless(struct fault *fault, X509 *x509)
{
	struct tls_quote entity = {0}, issuer = {0};

	tls_quote_append_entity(&entity, X509_get_subject_name(x509));
	tls_quote_append_entity(&issuer, X509_get_issuer_name(x509));
	fault_set(fault, FAULT_CERT_UNTRUSTED,
		"no authority is trusted on this machine (package ca-certificates), so not that of "
		"%s either: its issuer is %s",
		entity.data, issuer.data);
}

static void tls_fault_set_cert(struct tls_verify *verify, X509 *x509, int error)
{
	struct fault *fault = &verify->fault;

	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: tls_fault_set_name(fault, x509, verify->name); return;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		tls_fault_set_time(fault, FAULT_CERT_EXPIRED, x509, X509_get0_notAfter(x509));
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		tls_fault_set_time(
			fault, FAULT_CERT_NOT_YET_VALID, x509, X509_get0_notBefore(x509));
		return;
	default: break;
	}
	if (verify->lacks_roots)
		tls_fault_set_rootless(fault, x509);
	else
		tls_fault_set_untrusted(fault, x509, error, verify);
}

void tls_fault_set_verify(struct tls_verify *verify, X509_STORE_CTX *chain)
{
	int error = X509_STORE_CTX_get_error(chain);
	X509 *x509 = X509_STORE_CTX_get_current_cert(chain);

	x509 = x509 ? x509 : X509_STORE_CTX_get0_cert(chain);
	if (error == X509_V_ERR_OUT_OF_MEM)
		tls_fault_set_memory(&verify->fault);
	else if (x509)
		tls_fault_set_cert(verify, x509, error);
	else
		fault_set(&verify->fault, FAULT_CERT_UNTRUSTED, "%s",
			X509_verify_cert_error_string(error));
}

void tls_fault_set_identity(struct fault *fault, X509 *x509, const char *what)
{
	struct tls_quote entity = {0};

	tls_quote_append_entity(&entity, X509_get_subject_name(x509));
	fault_set(fault, FAULT_CLIENT_CERT, "cert, of %s: %s", entity.data, what);
}

void tls_fault_set_memory(struct fault *fault)
{
	fault_set(fault, FAULT_OVERLOADED, "no memory left for TLS");
}

void tls_fault_set_not_tls(struct fault *fault, const char *data, size_t size)
{
	size_t n_printable = 0;

	while (n_printable < size && n_printable < 16 && data[n_printable] >= ' ' &&
		data[n_printable] <= '~')
		n_printable++;
	if (n_printable > 0)
		fault_set(fault, FAULT_TLS_NOT_TLS, "the peer does not speak TLS, it said \"%.*s\"",
			(int)n_printable, data);
	else
		fault_set(fault, FAULT_TLS_NOT_TLS,
			"the peer does not speak TLS, its first byte is 0x%02x",
			(unsigned)(unsigned char)data[0]);
}

/* RFC 8446 6, RFC 5246 7.2, RFC 6066, RFC 4279, RFC 7301: their names for what a peer says. */
static const char *tls_alert_name(int alert)
{
	static const struct {
		int alert;
		const char *name;
	} names[] = {
		{0, "close_notify"},
		{10, "unexpected_message"},
		{20, "bad_record_mac"},
		{21, "decryption_failed"},
		{22, "record_overflow"},
		{30, "decompression_failure"},
		{40, "handshake_failure"},
		{41, "no_certificate"},
		{42, "bad_certificate"},
		{43, "unsupported_certificate"},
		{44, "certificate_revoked"},
		{45, "certificate_expired"},
		{46, "certificate_unknown"},
		{47, "illegal_parameter"},
		{48, "unknown_ca"},
		{49, "access_denied"},
		{50, "decode_error"},
		{51, "decrypt_error"},
		{60, "export_restriction"},
		{70, "protocol_version"},
		{71, "insufficient_security"},
		{80, "internal_error"},
		{86, "inappropriate_fallback"},
		{90, "user_canceled"},
		{100, "no_renegotiation"},
		{109, "missing_extension"},
		{110, "unsupported_extension"},
		{111, "certificate_unobtainable"},
		{112, "unrecognized_name"},
		{113, "bad_certificate_status_response"},
		{114, "bad_certificate_hash_value"},
		{115, "unknown_psk_identity"},
		{116, "certificate_required"},
		{120, "no_application_protocol"},
	};

	for (size_t i = 0; i < countof(names); i++) {
		if (names[i].alert == alert)
			return names[i].name;
	}
	return NULL;
}

/* A server that speaks of a certificate speaks of ours: we judged its own ourselves. TLS 1.3
 * has an alert for the lack of one, TLS 1.2 fails the handshake. */
static bool tls_alert_is_about_us(int alert, const struct tls_failure *failure)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_CERTIFICATE_REQUIRED: return true;
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_HANDSHAKE_FAILURE: return failure->was_asked;
	default: return false;
	}
}

/* What the peer wanted of us, and what it got. */
static void tls_fault_set_refused(
	struct fault *fault, const char *alert, const struct tls_failure *failure)
{
	struct tls_quote entity = {0}, issuer = {0}, date = {0}, wanted = {0};

	if (sk_X509_NAME_num(failure->wanted) > 0) {
		tls_quote_append_string(&wanted, " by ");
		tls_quote_append_entity(&wanted, sk_X509_NAME_value(failure->wanted, 0));
	}
	if (!failure->own) {
		fault_set(fault, FAULT_CLIENT_CERT,
			"TLS alert %s: the peer wants a certificate of ours%s, and got none", alert,
			wanted.data);
		return;
	}
	tls_quote_append_entity(&entity, X509_get_subject_name(failure->own));
	tls_quote_append_entity(&issuer, X509_get_issuer_name(failure->own));
	tls_quote_append_date(&date, X509_get0_notAfter(failure->own));
	fault_set(fault, FAULT_CLIENT_CERT,
		"TLS alert %s: the peer wants a certificate of ours%s, and got that of %s by %s, "
		"valid until %s",
		alert, wanted.data, entity.data, issuer.data, date.data);
}

static void tls_fault_set_alert(
	struct fault *fault, int alert, enum fault_code code, const struct tls_failure *failure)
{
	const char *name = tls_alert_name(alert);

	if (name && tls_alert_is_about_us(alert, failure))
		tls_fault_set_refused(fault, name, failure);
	else if (name && alert == SSL_AD_PROTOCOL_VERSION)
		fault_set(fault, code,
			"expected TLS 1.2 or 1.3, got the TLS alert %s from the peer", name);
	else if (name)
		fault_set(fault, code, "the peer sent the TLS alert %s", name);
	else
		fault_set(fault, code, "the peer sent the TLS alert %d", alert);
}

void tls_fault_set_queue(struct fault *fault, const struct tls_failure *failure)
{
	enum fault_code code = failure->in_handshake ? FAULT_TLS_HANDSHAKE : FAULT_TLS_BROKEN;
	unsigned long error = ERR_peek_error();
	int reason = ERR_GET_REASON(error);
	const char *sentence = ERR_reason_error_string(error);

	ERR_clear_error();
	if (reason == ERR_R_MALLOC_FAILURE)
		tls_fault_set_memory(fault);
	else if (failure->at_end)
		fault_set(fault, code, "the peer closed the connection%s",
			failure->in_handshake ? " during the TLS handshake" : "");
	else if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET)
		tls_fault_set_alert(fault, reason - SSL_AD_REASON_OFFSET, code, failure);
	else if (sentence)
		fault_set(fault, code, "TLS: %s", sentence);
	else
		fault_set(fault, code, "%s", "");
}
