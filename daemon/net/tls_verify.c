/* SPDX-License-Identifier: MIT */
/*
 * Who a peer must be: its chain, its name or address, its key.
 *
 * OpenSSL verifies chain and name, and asks us in the place of its own verification, so that the
 * pins are checked there too, with `insecure` as well as without: a peer whose key is another one
 * hears an alert for an answer, and never a certificate of ours. Who resumes a session is not asked
 * here; see net/tls_session.c for what that rests upon.
 */
#include "net/tls_private.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

/* No empty label, nothing that is not printable ASCII: X509_VERIFY_PARAM_set1_host() takes a name
 * with a leading dot for all names below it. */
static bool tls_name_is_valid(struct text name)
{
	char before = '.';

	if (name.size == 0 || name.size > TLS_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] <= ' ' || name.data[i] > '~')
			return false;
		if (name.data[i] == '.' && before == '.')
			return false;
		before = name.data[i];
	}
	return before != '.';
}

/* Copies the name that is to be verified; brackets and one trailing dot do not count. */
static bool tls_verify_set_name(struct tls_verify *verify, struct text name)
{
	if (name.size > 1 && name.data[0] == '[' && name.data[name.size - 1] == ']')
		name = (struct text){name.data + 1, name.size - 2};
	if (name.size > 0 && name.data[name.size - 1] == '.')
		name.size--;
	if (!tls_name_is_valid(name))
		return false;
	memcpy(verify->name, name.data, name.size);
	verify->name[name.size] = '\0';
	if (inet_pton(AF_INET, verify->name, &verify->address) == 1)
		verify->address_size = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, verify->name, &verify->address) == 1)
		verify->address_size = sizeof(struct in6_addr);
	return true;
}

bool tls_verify_init(
	struct tls_verify *verify, const struct tls_policy *policy, struct fault *ret_fault)
{
	*verify = (struct tls_verify){
		.insecure = policy->insecure,
		.is_system = !policy->ca.data,
	};
	if (!tls_verify_set_name(verify, policy->server_name)) {
		fault_set(ret_fault, FAULT_CERT_NAME, "not the name of a server: \"%.*s\"",
			TEXT_ARGS(policy->server_name));
		return false;
	}
	verify->n_pins = policy->pins.size / TLS_DIGEST_SIZE;
	if (verify->n_pins == 0)
		return true;
	verify->pins = malloc(policy->pins.size);
	if (!verify->pins) {
		tls_fault_set_memory(ret_fault);
		return false;
	}
	memcpy(verify->pins, policy->pins.data, policy->pins.size);
	return true;
}

void tls_verify_deinit(struct tls_verify *verify)
{
	free(verify->pins);
	verify->pins = NULL;
}

/* OpenSSL has checked a certificate of the chain, or has an objection. */
static int tls_verify_on_cert(int ok, X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_verify *verify = SSL_get_app_data(ssl);

	if (!ok)
		tls_fault_set_verify(verify, chain);
	return ok;
}

/* The earlier of the two: what was verified, and the end of this certificate's time. */
static uint64_t tls_verify_until(uint64_t until_ns, uint64_t now_ns, const X509 *x509)
{
	int days, seconds;

	if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x509)))
		return 0;
	if (days > 0)
		return until_ns;
	if (days < 0 || seconds < 0)
		return 0;
	now_ns += (uint64_t)seconds * NS_PER_S;
	return now_ns < until_ns ? now_ns : until_ns;
}

/* It was seen just now: for how long that may be relied upon. */
static void tls_verify_set_until(struct tls_verify *verify, X509_STORE_CTX *chain)
{
	const STACK_OF(X509) *links = X509_STORE_CTX_get0_chain(chain);
	uint64_t now_ns = clock_now_ns();

	_Static_assert(TLS_SESSION_LIFETIME_NS < 24 * 3600 * NS_PER_S, "less than a day");
	verify->until_ns = now_ns + TLS_SESSION_LIFETIME_NS;
	for (int i = 0; !verify->insecure && i < sk_X509_num(links); i++)
		verify->until_ns =
			tls_verify_until(verify->until_ns, now_ns, sk_X509_value(links, i));
}

int tls_verify_on_chain(X509_STORE_CTX *chain, void *context)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_verify *verify = SSL_get_app_data(ssl);

	if (!verify->insecure && X509_verify_cert(chain) <= 0) {
		/* It may have failed without asking about a certificate. */
		if (verify->fault.code == FAULT_NONE)
			tls_fault_set_verify(verify, chain);
		return 0;
	}
	if (verify->n_pins > 0 && !tls_pin_matches(verify->pins, verify->n_pins,
					  X509_STORE_CTX_get0_cert(chain), &verify->fault)) {
		X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	X509_STORE_CTX_set_error(chain, X509_V_OK);
	tls_verify_set_until(verify, chain);
	return 1;
}

bool tls_verify_set(struct tls_verify *verify, SSL *ssl)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	SSL_set_app_data(ssl, verify);
	/* With `insecure` too: what tls_verify_on_chain() says, holds. */
	SSL_set_verify(ssl, SSL_VERIFY_PEER, tls_verify_on_cert);
	/* RFC 6066 3: no SNI for addresses. */
	if (verify->address_size == 0 && !SSL_set_tlsext_host_name(ssl, verify->name))
		return false;
	if (verify->insecure)
		return true;
	if (verify->address_size > 0)
		return X509_VERIFY_PARAM_set1_ip(
			param, (const unsigned char *)&verify->address, verify->address_size);
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_set1_host(param, verify->name, 0);
}
