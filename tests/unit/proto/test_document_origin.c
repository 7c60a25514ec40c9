/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

#define PEM "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"
#define KEY "-----BEGIN EC PRIVATE KEY-----\\nMIIB\\n-----END EC PRIVATE KEY-----\\n"

/* Digests of 32 bytes of 0 and of 0xff. */
#define PIN_ZERO "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN_ONES "sha256////////////////////////////////////////////8="

START_TEST(reads_tls)
{
	struct plan *plan = document_plan_of_job(
		"'tls':{'insecure':true,'ca':'" PEM "','server_name':'Example.com'}");
	const struct plan_tls *tls = &plan->jobs[0].spec->tls;

	ck_assert(tls->insecure);
	document_assert_text(tls->server_name, "Example.com");
	ck_assert(text_starts_with(tls->ca, TEXT("-----BEGIN CERTIFICATE-----\n")));
	tls = &plan->jobs[1].spec->tls;
	ck_assert(!tls->insecure);
	ck_assert_ptr_null(tls->ca.data);
	ck_assert_ptr_null(tls->server_name.data);
	plan_free(plan);

	plan = document_plan_of_job("'tls':{'ca':'secret:my-CA_1','server_name':'::1'}");
	document_assert_text(plan->jobs[0].spec->tls.ca, "secret:my-CA_1");
	plan_free(plan);
}
END_TEST

START_TEST(reads_a_client_certificate)
{
	static const struct {
		const char *keys;
		const char *cert, *key;
	} cases[] = {
		{"'tls':{'cert':'" PEM "','key':'" KEY "'}", "-----BEGIN CERT", "-----BEGIN EC"},
		{"'tls':{'key':'secret:k','cert':'secret:c'}", "secret:c", "secret:k"},
		{"'tls':{'cert':'" PEM "','key':'secret:k'}", "-----BEGIN CERT", "secret:k"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].keys);
		const struct plan_tls *tls = &plan->jobs[0].spec->tls;

		ck_assert(text_starts_with(tls->cert, text_from(cases[i].cert)));
		ck_assert(text_starts_with(tls->key, text_from(cases[i].key)));
		ck_assert_ptr_null(plan->jobs[1].spec->tls.cert.data);
		ck_assert_ptr_null(plan->jobs[1].spec->tls.key.data);
		plan_free(plan);
	}
}
END_TEST

START_TEST(reads_pins_in_one_order_and_each_once)
{
	static const struct {
		const char *keys;
		/* The first byte of each. */
		const char *pins;
	} cases[] = {
		{"'tls':{'pin':'" PIN_ZERO "'}", "0"},
		{"'tls':{'pin':['" PIN_ZERO "']}", "0"},
		{"'tls':{'pin':['" PIN_ZERO "','" PIN_ZERO "']}", "0"},
		{"'tls':{'pin':['" PIN_ONES "','" PIN_ZERO "']}", "01"},
		{"'tls':{'pin':['" PIN_ZERO "','" PIN_ONES "']}", "01"},
		{"'tls':{'pin':['" PIN_ONES "','" PIN_ZERO "','" PIN_ONES "']}", "01"},
		{"'tls':{'server_name':'x'}", ""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].keys);
		struct text pins = plan->jobs[0].spec->tls.pins;
		size_t n = strlen(cases[i].pins);

		ck_assert_uint_eq(pins.size, n * PLAN_PIN_SIZE);
		ck_assert(!pins.data == (n == 0));
		for (size_t k = 0; k < pins.size; k++)
			ck_assert_int_eq(
				pins.data[k], cases[i].pins[k / PLAN_PIN_SIZE] == '0' ? 0 : '\xff');
		plan_free(plan);
	}
}
END_TEST

START_TEST(tls_of_a_job_replaces_that_of_the_defaults)
{
	struct plan *plan =
		document_plan("{'defaults':{'tls':{'insecure':true}},'jobs':[{'url':'https://h'},"
			      "{'url':'https://h','tls':{'server_name':'x'}}]}");

	ck_assert(plan->jobs[0].spec->tls.insecure);
	ck_assert(!plan->jobs[1].spec->tls.insecure);
	plan_free(plan);
}
END_TEST

START_TEST(refuses_bad_tls)
{
	static const struct refusal cases[] = {
		{"'tls':true", FAULT_GRAPH_TYPE, "/tls", "an object, not a boolean"},
		{"'tls':{'insecure':'yes'}", FAULT_GRAPH_TYPE, "/tls/insecure", "a boolean"},
		{"'tls':{'ca':'/etc/ca.pem'}", FAULT_GRAPH_VALUE, "/tls/ca", "PEM"},
		{"'tls':{'ca':''}", FAULT_GRAPH_VALUE, "/tls/ca", "PEM"},
		{"'tls':{'ca':'secret:'}", FAULT_GRAPH_VALUE, "/tls/ca", "secret:NAME"},
		{"'tls':{'ca':'secret:a b'}", FAULT_GRAPH_VALUE, "/tls/ca", "secret:NAME"},
		{"'tls':{'server_name':''}", FAULT_GRAPH_VALUE, "/tls/server_name", "no host"},
		{"'tls':{'server_name':'a b'}", FAULT_GRAPH_VALUE, "/tls/server_name", "no host"},
		{"'tls':{'server_name':'a\\u0000'}", FAULT_GRAPH_VALUE, "/tls/server_name",
			"no host"},
		{"'tls':{'cert':'x','key':'" KEY "'}", FAULT_GRAPH_VALUE, "/tls/cert",
			"certificates as PEM text, or \"secret:NAME\""},
		{"'tls':{'cert':'" PEM "','key':'" PEM "'}", FAULT_GRAPH_VALUE, "/tls/key",
			"a private key as PEM text, or \"secret:NAME\""},
		{"'tls':{'cert':'" PEM "','key':'secret:'}", FAULT_GRAPH_VALUE, "/tls/key",
			"secret:NAME"},
		{"'tls':{'cert':'" PEM "','key':1}", FAULT_GRAPH_TYPE, "/tls/key", "a string"},
		{"'tls':{'cert':'" PEM "'}", FAULT_GRAPH_KEY, "/tls", "\"key\" is missing"},
		{"'tls':{'key':'" KEY "'}", FAULT_GRAPH_KEY, "/tls", "\"cert\" is missing"},
		{"'tls':{'pin':1}", FAULT_GRAPH_TYPE, "/tls/pin", "a string"},
		{"'tls':{'pin':[]}", FAULT_GRAPH_VALUE, "/tls/pin", "1 to 32 pins"},
		{"'tls':{'pin':''}", FAULT_GRAPH_VALUE, "/tls/pin", "sha256//"},
		{"'tls':{'pin':'sha256//'}", FAULT_GRAPH_VALUE, "/tls/pin", "SHA-256"},
		/* No prefix, another one; a byte too few, and one too many; not base64. */
		{"'tls':{'pin':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='}", FAULT_GRAPH_VALUE,
			"/tls/pin", "sha256//"},
		{"'tls':{'pin':'sha512//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='}",
			FAULT_GRAPH_VALUE, "/tls/pin", "sha256//"},
		{"'tls':{'pin':'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=='}",
			FAULT_GRAPH_VALUE, "/tls/pin", "sha256//"},
		{"'tls':{'pin':'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}",
			FAULT_GRAPH_VALUE, "/tls/pin", "sha256//"},
		{"'tls':{'pin':'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB='}",
			FAULT_GRAPH_VALUE, "/tls/pin", "sha256//"},
		{"'tls':{'pin':'sha256//AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAA='}",
			FAULT_GRAPH_VALUE, "/tls/pin", "sha256//"},
		{"'tls':{'pin':['" PIN_ZERO "','x']}", FAULT_GRAPH_VALUE, "/tls/pin/1", "sha256//"},
		{"'tls':{'verify':false}", FAULT_GRAPH_KEY, "/tls/verify", "unknown key"},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

START_TEST(reads_resolve_in_canonical_form)
{
	struct plan *plan = document_plan_of_job(
		"'resolve':{'b.Example:443':'192.0.2.1','a:80':['2001:DB8:0::1','192.0.2.2'],"
		"'[::1]:8080':'::ffff:1.2.3.4','a:08':'1.1.1.1'}");
	const struct plan_spec *spec = plan->jobs[0].spec;

	ck_assert_uint_eq(spec->n_resolve, 4);
	document_assert_text(spec->resolve_key,
		"::1:8080=::ffff:1.2.3.4;a:8=1.1.1.1;a:80=2001:db8::1,192.0.2.2;"
		"b.example:443=192.0.2.1;");
	document_assert_text(spec->resolve[0].host, "::1");
	ck_assert_uint_eq(spec->resolve[0].port, 8080);
	document_assert_text(spec->resolve[2].host, "a");
	ck_assert_uint_eq(spec->resolve[2].n_addresses, 2);
	document_assert_text(spec->resolve[2].addresses[0], "2001:db8::1");
	document_assert_text(spec->resolve[2].addresses[1], "192.0.2.2");
	document_assert_text(spec->resolve[3].host, "b.example");
	ck_assert_ptr_null(plan->jobs[1].spec->resolve_key.data);
	ck_assert_uint_eq(plan->jobs[1].spec->n_resolve, 0);
	plan_free(plan);
}
END_TEST

START_TEST(the_same_resolve_has_the_same_key)
{
	struct plan *plan = document_plan(
		"{'jobs':[{'url':'http://h','resolve':{'a:1':'::1','b:2':['127.0.0.1']}},"
		"{'url':'http://h','resolve':{'B:2':'127.0.0.1','A:1':'0:0::1'}},"
		"{'url':'http://h','resolve':{}}]}");

	ck_assert(text_equal(plan->jobs[0].spec->resolve_key, plan->jobs[1].spec->resolve_key));
	ck_assert_ptr_null(plan->jobs[2].spec->resolve_key.data);
	plan_free(plan);
}
END_TEST

START_TEST(refuses_bad_resolve)
{
	static const struct refusal cases[] = {
		{"'resolve':'h:80:1.2.3.4'", FAULT_GRAPH_TYPE, "/resolve", "an object"},
		{"'resolve':{'h':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/h", "host:port"},
		{"'resolve':{'h:0':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/h:0", "host:port"},
		{"'resolve':{'h:65536':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/h:65536",
			"host:port"},
		{"'resolve':{':80':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/:80", "host:port"},
		{"'resolve':{'::1:80':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/::1:80",
			"brackets"},
		{"'resolve':{'[h]:80':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/[h]:80",
			"host:port"},
		{"'resolve':{'[::1:80':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/[::1:80",
			"host:port"},
		/* A URL has no such host. */
		{"'resolve':{'[0::1]:80':'1.2.3.4'}", FAULT_GRAPH_VALUE, "/resolve/[0::1]:80",
			"host:port"},
		{"'resolve':{'h:80':'example.com'}", FAULT_GRAPH_VALUE, "/resolve/h:80",
			"no IP address"},
		{"'resolve':{'h:80':'1.2.3'}", FAULT_GRAPH_VALUE, "/resolve/h:80", "\"1.2.3\""},
		{"'resolve':{'h:80':['1.2.3.4','[::1]']}", FAULT_GRAPH_VALUE, "/resolve/h:80/1",
			"without brackets"},
		{"'resolve':{'h:80':'1.2.3.4\\u0000'}", FAULT_GRAPH_VALUE, "/resolve/h:80",
			"no IP"},
		{"'resolve':{'h:80':[]}", FAULT_GRAPH_VALUE, "/resolve/h:80", "have an address"},
		{"'resolve':{'h:80':7}", FAULT_GRAPH_TYPE, "/resolve/h:80", "a string"},
		{"'resolve':{'h:80':['1.2.3.4',null]}", FAULT_GRAPH_TYPE, "/resolve/h:80/1",
			"null"},
		{"'resolve':{'h:80':'1.2.3.4','H:080':'1.2.3.4'}", FAULT_GRAPH_KEY, "/resolve",
			"twice"},
		{"'resolve':{'h:80':'1.2.3.4','h:80':'1.2.3.4'}", FAULT_GRAPH_KEY, "/resolve/h:80",
			"twice"},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

/* A job may hold its key: no message shows it. */
START_TEST(quotes_no_key)
{
	static const char *const cases[] = {
		"'tls':{'cert':'hush','key':'hush'}",
		"'tls':{'cert':'" PEM "','key':['hush']}",
		"'tls':{'cert':'" PEM "','key':'hush PRIVATE KEY'}",
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan_errors errors;
		char json[1000];

		snprintf(json, sizeof(json), "{'jobs':{'a':{'url':'https://h/',%s}}}", cases[i]);
		document_errors(json, &errors);
		for (uint32_t k = 0; k < errors.n; k++) {
			struct text message = errors.errors[k].message;

			ck_assert_ptr_null(memmem(message.data, message.size, "hush", 4));
		}
		plan_errors_deinit(&errors);
	}
}
END_TEST

START_TEST(refuses_pem_and_pins_beyond_their_bounds)
{
	size_t size = PLAN_PEM_MAX + 200;
	char *json = malloc(size), *at = json;
	struct plan_errors errors;

	at += snprintf(json, size, "{'jobs':{'a':{'url':'https://h/','tls':{'ca':'" PEM);
	memset(at, 'x', PLAN_PEM_MAX);
	memcpy(at + PLAN_PEM_MAX, "'}}}}", sizeof("'}}}}"));
	document_errors(json, &errors);
	ck_assert_int_eq(errors.errors[0].code, FAULT_GRAPH_VALUE);
	document_assert_text(errors.errors[0].at, "/jobs/a/tls/ca");
	document_assert_text(errors.errors[0].message, "more than 1048576 bytes");
	plan_errors_deinit(&errors);

	at = json + snprintf(json, size, "{'jobs':{'a':{'url':'https://h/','tls':{'pin':[");
	for (unsigned i = 0; i <= PLAN_PINS_MAX; i++)
		at += snprintf(at, 100, "%s'" PIN_ZERO "'", i ? "," : "");
	memcpy(at, "]}}}}", sizeof("]}}}}"));
	document_errors(json, &errors);
	document_assert_text(errors.errors[0].at, "/jobs/a/tls/pin");
	plan_errors_deinit(&errors);
	free(json);
}
END_TEST

UNIT_MAIN("proto/document_origin", &reads_tls, &reads_a_client_certificate,
	&reads_pins_in_one_order_and_each_once, &quotes_no_key,
	&refuses_pem_and_pins_beyond_their_bounds, &tls_of_a_job_replaces_that_of_the_defaults,
	&refuses_bad_tls, &reads_resolve_in_canonical_form, &the_same_resolve_has_the_same_key,
	&refuses_bad_resolve)
