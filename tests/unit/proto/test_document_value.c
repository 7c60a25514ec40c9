/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

#define MS UINT64_C(1000000)

START_TEST(reads_durations)
{
	static const struct {
		const char *json;
		uint64_t ns;
	} cases[] = {
		{"'timeout':2", 2000 * MS},
		{"'timeout':0.25", 250 * MS},
		{"'timeout':'250ms'", 250 * MS},
		{"'timeout':'2s'", 2000 * MS},
		{"'timeout':'1m'", 60000 * MS},
		{"'timeout':'1h'", 3600000 * MS},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].json);

		ck_assert_uint_eq(plan->jobs[0].spec->timeouts.job_ns, cases[i].ns);
		plan_free(plan);
	}
}
END_TEST

START_TEST(reads_each_timeout)
{
	struct plan *plan =
		document_plan_of_job("'timeout':1,'attempt_timeout':2,'queue_timeout':3,"
				     "'timeouts':{'connect':4,'tls':5,'first_byte':6,'idle':7}");
	const struct plan_timeouts *timeouts = &plan->jobs[0].spec->timeouts;

	ck_assert_uint_eq(timeouts->job_ns, 1000 * MS);
	ck_assert_uint_eq(timeouts->attempt_ns, 2000 * MS);
	ck_assert_uint_eq(timeouts->queue_ns, 3000 * MS);
	ck_assert_uint_eq(timeouts->connect_ns, 4000 * MS);
	ck_assert_uint_eq(timeouts->tls_ns, 5000 * MS);
	ck_assert_uint_eq(timeouts->first_byte_ns, 6000 * MS);
	ck_assert_uint_eq(timeouts->idle_ns, 7000 * MS);

	timeouts = &plan->jobs[1].spec->timeouts;
	ck_assert_uint_eq(timeouts->job_ns, 60000 * MS);
	ck_assert_uint_eq(timeouts->attempt_ns, 30000 * MS);
	ck_assert_uint_eq(timeouts->queue_ns, PLAN_NEVER);
	ck_assert_uint_eq(timeouts->connect_ns, 10000 * MS);
	ck_assert_uint_eq(timeouts->tls_ns, 10000 * MS);
	ck_assert_uint_eq(timeouts->first_byte_ns, PLAN_NEVER);
	ck_assert_uint_eq(timeouts->idle_ns, 30000 * MS);
	plan_free(plan);
}
END_TEST

START_TEST(refuses_bad_durations)
{
	static const struct refusal cases[] = {
		{"'timeout':0", FAULT_GRAPH_VALUE, "/timeout", "longer than 0"},
		{"'timeout':'0ms'", FAULT_GRAPH_VALUE, "/timeout", "longer than 0"},
		{"'timeout':-1", FAULT_GRAPH_VALUE, "/timeout", "\"-1\" is no duration"},
		{"'timeout':'5 parsecs'", FAULT_GRAPH_VALUE, "/timeout", "5 parsecs"},
		{"'timeout':'1d'", FAULT_GRAPH_VALUE, "/timeout", "ms, s, m or h"},
		{"'timeout':null", FAULT_GRAPH_TYPE, "/timeout", "not null"},
		{"'attempt_timeout':true", FAULT_GRAPH_TYPE, "/attempt_timeout", "a boolean"},
		{"'queue_timeout':''", FAULT_GRAPH_VALUE, "/queue_timeout", "no duration"},
		{"'timeouts':{'idle':0}", FAULT_GRAPH_VALUE, "/timeouts/idle", "longer than 0"},
		{"'timeouts':{'connect':{}}", FAULT_GRAPH_TYPE, "/timeouts/connect", "an object"},
		{"'timeouts':{'tls':'x'}", FAULT_GRAPH_VALUE, "/timeouts/tls", "no duration"},
		{"'timeouts':{'first-byte':1}", FAULT_GRAPH_KEY, "/timeouts/first-byte",
			"did you mean \"first_byte\"?"},
		{"'timeouts':5", FAULT_GRAPH_TYPE, "/timeouts", "an object, not a number"},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

START_TEST(reads_sizes)
{
	static const struct {
		const char *json;
		uint64_t bytes;
	} cases[] = {
		{"'max_body':0", 0},
		{"'max_body':4096", 4096},
		{"'max_body':'64k'", 65536},
		{"'max_body':'1g','output':'discard'", 1073741824},
		{"'omit':true", 16777216},
		{"'output':'inline'", 16777216},
		{"'output':'discard'", UINT64_MAX},
	};
	static const struct refusal refusals[] = {
		{"'max_body':'64kb'", FAULT_GRAPH_VALUE, "/max_body", "no size"},
		{"'max_body':1.5", FAULT_GRAPH_VALUE, "/max_body", "no size"},
		{"'max_body':-1", FAULT_GRAPH_VALUE, "/max_body", "no size"},
		{"'max_body':null", FAULT_GRAPH_TYPE, "/max_body", "not null"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].json);

		ck_assert_uint_eq(plan->jobs[0].spec->max_body, cases[i].bytes);
		plan_free(plan);
	}
	document_job_refusals(refusals, countof(refusals));
}
END_TEST

START_TEST(reads_statuses_that_are_ok)
{
	static const struct {
		const char *json;
		uint32_t n;
		struct plan_range ranges[3];
	} cases[] = {
		{"'omit':false", 1, {{200, 399}}},
		{"'ok':404", 1, {{404, 404}}},
		{"'ok':'200-299'", 1, {{200, 299}}},
		{"'ok':'200-299,404'", 2, {{200, 299}, {404, 404}}},
		{"'ok':' 200 - 299 , 404 '", 2, {{200, 299}, {404, 404}}},
		{"'ok':['200-204,304',404]", 3, {{200, 204}, {304, 304}, {404, 404}}},
		{"'ok':'100-999'", 1, {{100, 999}}},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan *plan = document_plan_of_job(cases[i].json);
		const struct plan_spec *spec = plan->jobs[0].spec;

		ck_assert_msg(spec->n_ok == cases[i].n, "%s", cases[i].json);
		for (uint32_t k = 0; k < spec->n_ok; k++) {
			ck_assert_uint_eq(spec->ok[k].from, cases[i].ranges[k].from);
			ck_assert_uint_eq(spec->ok[k].to, cases[i].ranges[k].to);
		}
		plan_free(plan);
	}
}
END_TEST

START_TEST(refuses_bad_statuses)
{
	static const struct refusal cases[] = {
		{"'ok':99", FAULT_GRAPH_VALUE, "/ok", "\"99\" is no status"},
		{"'ok':1000", FAULT_GRAPH_VALUE, "/ok", "no status"},
		{"'ok':200.0", FAULT_GRAPH_VALUE, "/ok", "no status"},
		{"'ok':''", FAULT_GRAPH_VALUE, "/ok", "no status"},
		{"'ok':[]", FAULT_GRAPH_VALUE, "/ok", "no status"},
		{"'ok':'2xx'", FAULT_GRAPH_VALUE, "/ok", "2xx"},
		{"'ok':'299-200'", FAULT_GRAPH_VALUE, "/ok", "299-200"},
		{"'ok':'200,'", FAULT_GRAPH_VALUE, "/ok", "no status"},
		{"'ok':'200-'", FAULT_GRAPH_VALUE, "/ok", "200-"},
		{"'ok':[200,'x']", FAULT_GRAPH_VALUE, "/ok/1", "no status"},
		{"'ok':[200,[201]]", FAULT_GRAPH_TYPE, "/ok/1", "an array"},
		{"'ok':true", FAULT_GRAPH_TYPE, "/ok", "a boolean"},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

START_TEST(reads_base64)
{
	static const struct {
		const char *base64;
		struct text bytes;
	} cases[] = {
		/* RFC 4648 section 10. */
		{"", TEXT_INIT("")},
		{"Zg==", TEXT_INIT("f")},
		{"Zm8=", TEXT_INIT("fo")},
		{"Zm9v", TEXT_INIT("foo")},
		{"Zm9vYg==", TEXT_INIT("foob")},
		{"Zm9vYmE=", TEXT_INIT("fooba")},
		{"Zm9vYmFy", TEXT_INIT("foobar")},
		{"AP/+", TEXT_INIT("\0\xff\xfe")},
		{"e3thfX0=", TEXT_INIT("{{a}}")},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char json[128];
		struct plan *plan;
		const struct plan_spec *spec;

		snprintf(json, sizeof(json), "'body_base64':'%s'", cases[i].base64);
		plan = document_plan_of_job(json);
		spec = plan->jobs[0].spec;
		ck_assert_uint_eq(spec->body, PLAN_BODY_BYTES);
		ck_assert_ptr_nonnull(spec->body_text.data);
		ck_assert_msg(text_equal(spec->body_text, cases[i].bytes), "%s", cases[i].base64);
		plan_free(plan);
	}
}
END_TEST

START_TEST(refuses_what_is_not_base64)
{
	static const char *const cases[] = {"Zg", "Zg=", "Z", "Zg==Zg==", "====", "Zm9v\\n", "Zm 9",
		"Zm9_", "Zh==", "Zm9=", "=Zm9", "Z=m9"};

	for (size_t i = 0; i < countof(cases); i++) {
		struct refusal wanted = {NULL, FAULT_GRAPH_VALUE, "/body_base64", "not base64"};
		char json[64];

		snprintf(json, sizeof(json), "'body_base64':'%s'", cases[i]);
		wanted.json = json;
		document_job_refusals(&wanted, 1);
	}
}
END_TEST

START_TEST(refuses_words_of_other_types_and_values)
{
	static const struct refusal cases[] = {
		{"'optional':1", FAULT_GRAPH_TYPE, "/optional", "a boolean, not a number"},
		{"'omit':'yes'", FAULT_GRAPH_TYPE, "/omit", "a boolean, not a string"},
		{"'needs':'all'", FAULT_GRAPH_VALUE, "/needs", "not \"all\""},
		{"'http':2", FAULT_GRAPH_TYPE, "/http",
			"must be \"auto\", \"1.1\" or \"2\", not a number"},
		{"'needs':'fulfiled'", FAULT_GRAPH_VALUE, "/needs", "must be \"fulfilled\", "},
		{"'needs':['settled']", FAULT_GRAPH_TYPE, "/needs", "or \"any\", not an array"},
		{"'http':1.1", FAULT_GRAPH_TYPE, "/http", "or \"2\", not a number"},
		{"'http':'3'", FAULT_GRAPH_VALUE, "/http",
			"must be \"auto\", \"1.1\" or \"2\", not \"3\""},
		{"'output':'memory'", FAULT_GRAPH_VALUE, "/output", "not \"memory\""},
	};

	document_job_refusals(cases, countof(cases));
}
END_TEST

UNIT_MAIN("proto/document_value", &reads_durations, &reads_each_timeout, &refuses_bad_durations,
	&reads_sizes, &reads_statuses_that_are_ok, &refuses_bad_statuses, &reads_base64,
	&refuses_what_is_not_base64, &refuses_words_of_other_types_and_values)
