/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(reads_a_proxy_in_normal_form)
{
	static const struct {
		const char *proxy;
		const char *url, *host;
		uint16_t port;
		/* NULL: none. */
		const char *credentials;
		bool is_secret;
	} cases[] = {
		{"http://proxy.local:3128", "http://proxy.local:3128", "proxy.local", 3128, NULL,
			false},
		{"http://proxy.local:3128/", "http://proxy.local:3128", "proxy.local", 3128, NULL,
			false},
		{"HTTP://Proxy.Local", "http://proxy.local:80", "proxy.local", 80, NULL, false},
		{"http://proxy:080", "http://proxy:80", "proxy", 80, NULL, false},
		{"http://192.0.2.1:1", "http://192.0.2.1:1", "192.0.2.1", 1, NULL, false},
		{"http://[::1]:3128", "http://[::1]:3128", "::1", 3128, NULL, false},
		{"http://[::1]", "http://[::1]:80", "::1", 80, NULL, false},
		{"http://u:p@proxy", "http://proxy:80", "proxy", 80, "u:p", false},
		{"http://u@proxy:8", "http://proxy:8", "proxy", 8, "u:", false},
		{"http://:p@proxy", "http://proxy:80", "proxy", 80, ":p", false},
		{"http://u:p:q@proxy", "http://proxy:80", "proxy", 80, "u:p:q", false},
		{"http://u:a%40b%3a%25%2F@proxy", "http://proxy:80", "proxy", 80, "u:a@b:%/",
			false},
		{"http://\xc3\xbc:%C3%BC@proxy", "http://proxy:80", "proxy", 80,
			"\xc3\xbc:\xc3\xbc", false},
		{"http://secret:NAME_1@proxy:81/", "http://proxy:81", "proxy", 81, "NAME_1", true},
		/* A user of that name. */
		{"http://%73ecret:x@proxy", "http://proxy:80", "proxy", 80, "secret:x", false},
		{"http://Secret:x@proxy", "http://proxy:80", "proxy", 80, "Secret:x", false},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		const struct plan_proxy *proxy;
		struct plan *plan;
		char members[200];

		snprintf(members, sizeof(members), "'proxy':'%s'", cases[i].proxy);
		plan = document_plan_of_job(members);
		proxy = &plan->jobs[0].spec->proxy;
		document_assert_text(proxy->url, cases[i].url);
		document_assert_text(proxy->host, cases[i].host);
		ck_assert_uint_eq(proxy->port, cases[i].port);
		ck_assert(!proxy->credentials.data == !cases[i].credentials);
		if (cases[i].credentials)
			document_assert_text(proxy->credentials, cases[i].credentials);
		ck_assert(proxy->is_secret == cases[i].is_secret);
		ck_assert_ptr_null(plan->jobs[1].spec->proxy.url.data);
		plan_free(plan);
	}
}
END_TEST

START_TEST(refuses_what_is_no_proxy_and_quotes_nothing_of_it)
{
	static const struct refusal cases[] = {
		{"'proxy':1", FAULT_GRAPH_TYPE, "/proxy", "a string"},
		{"'proxy':null", FAULT_GRAPH_TYPE, "/proxy", "a string"},
		{"'proxy':'hush:3128'", FAULT_GRAPH_VALUE, "/proxy",
			"must be \"http://host:port\""},
		{"'proxy':'hush'", FAULT_GRAPH_VALUE, "/proxy", "must be \"http://host:port\""},
		{"'proxy':'http:/hush'", FAULT_GRAPH_VALUE, "/proxy", "must be"},
		{"'proxy':'https://hush'", FAULT_GRAPH_VALUE, "/proxy",
			"not supported by this version"},
		{"'proxy':'socks4://hush'", FAULT_GRAPH_VALUE, "/proxy",
			"not supported by this version"},
		{"'proxy':'socks4a://hush'", FAULT_GRAPH_VALUE, "/proxy",
			"not supported by this version"},
		{"'proxy':'SOCKS5://hush'", FAULT_GRAPH_VALUE, "/proxy",
			"not supported by this version"},
		{"'proxy':'socks5h://hush'", FAULT_GRAPH_VALUE, "/proxy",
			"not supported by this version"},
		{"'proxy':'ftp://hush'", FAULT_GRAPH_VALUE, "/proxy", "begins with http://"},
		{"'proxy':'http://'", FAULT_GRAPH_VALUE, "/proxy", "host"},
		{"'proxy':'http://:3128'", FAULT_GRAPH_VALUE, "/proxy", "host"},
		{"'proxy':'http://p:0'", FAULT_GRAPH_VALUE, "/proxy", "port"},
		{"'proxy':'http://p:65536'", FAULT_GRAPH_VALUE, "/proxy", "port"},
		{"'proxy':'http://127.1'", FAULT_GRAPH_VALUE, "/proxy", "address"},
		{"'proxy':'http://p:80/hush'", FAULT_GRAPH_VALUE, "/proxy", "nothing may stand"},
		{"'proxy':'http://p:80?hush'", FAULT_GRAPH_VALUE, "/proxy", "nothing may stand"},
		{"'proxy':'http://p:80#hush'", FAULT_GRAPH_VALUE, "/proxy", "nothing may stand"},
		{"'proxy':'http://u:hu/sh@p'", FAULT_GRAPH_VALUE, "/proxy", "nothing may stand"},
		{"'proxy':'http://@p'", FAULT_GRAPH_VALUE, "/proxy", "before the '@'"},
		{"'proxy':'http://u:hu@sh@p'", FAULT_GRAPH_VALUE, "/proxy", "\"%40\""},
		{"'proxy':'http://u:hush%@p'", FAULT_GRAPH_VALUE, "/proxy", "\"%25\""},
		{"'proxy':'http://u:hush%4@p'", FAULT_GRAPH_VALUE, "/proxy", "\"%25\""},
		{"'proxy':'http://u:hush%0g@p'", FAULT_GRAPH_VALUE, "/proxy", "\"%25\""},
		{"'proxy':'http://u:hush%0d%0a@p'", FAULT_GRAPH_VALUE, "/proxy", "control"},
		{"'proxy':'http://hu%00sh@p'", FAULT_GRAPH_VALUE, "/proxy", "control"},
		{"'proxy':'http://hu\\u0000sh@p'", FAULT_GRAPH_VALUE, "/proxy", "control"},
		{"'proxy':'http://p\\u0000:80'", FAULT_GRAPH_VALUE, "/proxy", ""},
		{"'proxy':'http://hu%3ash:x@p'", FAULT_GRAPH_VALUE, "/proxy", "':' in its name"},
		{"'proxy':'http://secret:@p'", FAULT_GRAPH_VALUE, "/proxy", "name of a secret"},
		{"'proxy':'http://secret:hu.sh@p'", FAULT_GRAPH_VALUE, "/proxy",
			"name of a secret"},
		{"'proxy':'http://{{a}}'", FAULT_GRAPH_VALUE, "/proxy", ""},
	};

	document_job_refusals(cases, countof(cases));
	for (size_t i = 0; i < countof(cases); i++) {
		struct plan_errors errors;
		char json[300];

		snprintf(
			json, sizeof(json), "{'jobs':{'a':{'url':'http://h/',%s}}}", cases[i].json);
		document_errors(json, &errors);
		ck_assert_ptr_null(memmem(
			errors.errors[0].message.data, errors.errors[0].message.size, "hush", 4));
		plan_errors_deinit(&errors);
	}
}
END_TEST

START_TEST(a_job_may_have_another_proxy_than_the_defaults_or_none)
{
	struct plan *plan = document_plan(
		"{'defaults':{'proxy':'http://u:p@one:1'},'jobs':{"
		"'a':{'url':'http://h/'},'b':{'url':'http://h/','proxy':'http://two:2'},"
		"'c':{'url':'http://h/','proxy':''}}}");

	document_assert_text(plan->jobs[0].spec->proxy.url, "http://one:1");
	document_assert_text(plan->jobs[0].spec->proxy.credentials, "u:p");
	document_assert_text(plan->jobs[1].spec->proxy.url, "http://two:2");
	ck_assert_ptr_null(plan->jobs[1].spec->proxy.credentials.data);
	ck_assert_ptr_null(plan->jobs[2].spec->proxy.url.data);
	plan_free(plan);
}
END_TEST

UNIT_MAIN("proto/document_proxy", &reads_a_proxy_in_normal_form,
	&refuses_what_is_no_proxy_and_quotes_nothing_of_it,
	&a_job_may_have_another_proxy_than_the_defaults_or_none)
