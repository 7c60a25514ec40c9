/* SPDX-License-Identifier: MIT */
#include "tests/unit/proto/document_case.h"

START_TEST(finds_all_errors_in_one_go)
{
	static const struct {
		enum fault_code code;
		const char *at;
	} wanted[] = {
		{FAULT_GRAPH_KEY, "/mod"},
		{FAULT_GRAPH_VALUE, "/timeout"},
		{FAULT_GRAPH_VALUE, "/jobs/b c"},
		{FAULT_GRAPH_KEY, "/defaults/url"},
		{FAULT_GRAPH_KEY, "/jobs/a/heders"},
		{FAULT_URL_INVALID, "/jobs/a/url"},
		{FAULT_HEADER_INVALID, "/jobs/b c/headers/host"},
		{FAULT_GRAPH_KEY, "/jobs/b c"},
		{FAULT_GRAPH_TYPE, "/jobs/c"},
		{FAULT_GRAPH_UNKNOWN_JOB, "/jobs/d/json/x/0"},
		{FAULT_GRAPH_UNKNOWN_JOB, "/return"},
		{FAULT_GRAPH_CYCLE, "/jobs/d"},
	};
	struct plan_errors errors;

	document_errors("{'mod':'all','timeout':'x','defaults':{'url':'http://h'},'jobs':{"
			"'a':{'heders':{},'url':'ftp://h'},'b c':{'headers':{'host':'x'}},'c':7,"
			"'d':{'url':'http://h/{{d}}','json':{'x':['{{e}}']}}},'return':'{{f}}'}",
		&errors);
	ck_assert_uint_eq(errors.n, countof(wanted));
	for (size_t i = 0; i < countof(wanted); i++) {
		ck_assert_msg(errors.errors[i].code == wanted[i].code, "%zu: %s", i,
			fault_name(errors.errors[i].code));
		document_assert_text(errors.errors[i].at, wanted[i].at);
	}
	plan_errors_deinit(&errors);
}
END_TEST

START_TEST(stops_at_twenty)
{
	char json[4096] = "{'jobs':{'a':{'url':'http://h'";
	struct plan_errors errors;
	size_t at = strlen(json);

	for (unsigned i = 0; i < PLAN_ERRORS_MAX + 5; i++)
		at += (size_t)snprintf(json + at, sizeof(json) - at, ",'k%u':1", i);
	snprintf(json + at, sizeof(json) - at, "}}}");
	document_errors(json, &errors);
	ck_assert_uint_eq(errors.n, PLAN_ERRORS_MAX);
	document_assert_text(errors.errors[PLAN_ERRORS_MAX - 1].at, "/jobs/a/k19");
	plan_errors_deinit(&errors);
}
END_TEST

START_TEST(names_the_nearest_key)
{
	static const struct {
		const char *key, *message;
	} cases[] = {
		{"heders", "unknown key \"heders\"; did you mean \"headers\"?"},
		{"URL", "did you mean \"url\"?"},
		{"maxBody", "did you mean \"max_body\"?"},
		{"tiemout", "did you mean \"timeout\"?"},
		{"retrys", "did you mean \"retry\"?"},
		{"attempt-timeout", "did you mean \"attempt_timeout\"?"},
		{"depends_on", "did you mean \"after\"?"},
		{"dependsOn", "did you mean \"after\"?"},
		{"if", "did you mean \"when\"?"},
		{"xyzzyx", "unknown key \"xyzzyx\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct refusal wanted = {.code = FAULT_GRAPH_KEY, .message = cases[i].message};
		char json[128], at[64];

		snprintf(json, sizeof(json), "'%s':1", cases[i].key);
		snprintf(at, sizeof(at), "/%s", cases[i].key);
		wanted.json = json;
		wanted.at = at;
		document_job_refusals(&wanted, 1);
	}
}
END_TEST

START_TEST(lists_keys_where_none_is_near_if_they_are_few)
{
	struct plan_errors errors;

	document_errors("{'jobs':{'a':{'url':'http://h','xyzzyxyzzy':1}},'xyzzyxyzzy':1}", &errors);
	document_assert_text(errors.errors[0].message,
		"unknown key \"xyzzyxyzzy\"; known are \"version\", \"name\", \"mode\", "
		"\"concurrency\", \"timeout\", \"input\", \"defaults\", \"jobs\", \"return\" and "
		"\"priority\"");
	document_assert_text(errors.errors[1].message, "unknown key \"xyzzyxyzzy\"");
	plan_errors_deinit(&errors);
}
END_TEST

START_TEST(a_message_quotes_little_and_what_prints)
{
	static const struct {
		const char *key, *message;
	} cases[] = {
		{"\\u001b[31m\\n", "unknown key \"?[31m?\""},
		{"\\u009bx\\u007f", "unknown key \"??x?\""},
		{"0123456789012345678901234567890123456789012345678901234567890123456789",
			"unknown key "
			"\"0123456789012345678901234567890123456789012345678901234567890123...\""},
		{"012345678901234567890123456789012345678901234567890123456789012\xc3\xbc---",
			"unknown key "
			"\"012345678901234567890123456789012345678901234567890123456789012...\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct plan_errors errors;
		char json[256];

		snprintf(json, sizeof(json), "{'jobs':{'a':{'url':'http://h','%s':1}}}",
			cases[i].key);
		document_errors(json, &errors);
		document_assert_text(errors.errors[0].message, cases[i].message);
		plan_errors_deinit(&errors);
	}
}
END_TEST

START_TEST(pointers_are_escaped_and_bounded)
{
	char key[5000], json[sizeof(key) + 128];
	struct plan_errors errors;

	document_errors("{'jobs':{},'a/b~c':1}", &errors);
	document_assert_text(errors.errors[0].at, "/a~1b~0c");
	plan_errors_deinit(&errors);

	/* Too long a step: the pointer ends at the object that holds it. */
	memset(key, 'x', sizeof(key) - 1);
	key[0] = ' ';
	key[sizeof(key) - 1] = '\0';
	snprintf(json, sizeof(json), "{'jobs':{'a':{'url':'http://h','headers':{'%s':1}}}}", key);
	document_errors(json, &errors);
	document_assert_text(errors.errors[0].at, "/jobs/a/headers");
	plan_errors_deinit(&errors);
}
END_TEST

UNIT_MAIN("proto/document_error", &finds_all_errors_in_one_go, &stops_at_twenty,
	&names_the_nearest_key, &lists_keys_where_none_is_near_if_they_are_few,
	&a_message_quotes_little_and_what_prints, &pointers_are_escaped_and_bounded)
