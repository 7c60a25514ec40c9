/* SPDX-License-Identifier: MIT */
#include "job/template.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* Job "b", whose members are given, refers to "a", whose body is given. */
struct template_case {
	const char *members, *body;
	/* The URL, or what must stand in the request, or why not. */
	const char *wanted;
	enum fault_code code;
};

static bool find_secret(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value)
{
	*ret_value = text_is(name, "BAD") ? TEXT("a\r\nb") : TEXT("hush");
	return text_is(host, "192.0.2.1") && !text_is(name, "NONE");
}

static struct world_graph *begin(const struct template_case *at)
{
	struct scheduler_options options = world_options();
	struct buffer document, response;
	struct world_graph *graph;

	options.secrets = (struct secret_source){find_secret, NULL};
	world_begin_with(&options, BOUND_NONE);
	buffer_init(&document, SIZE_MAX);
	buffer_init(&response, SIZE_MAX);
	buffer_printf(&document,
		"{'input':{'i':'in'},'jobs':{'a':{'url':'@a'},'b':{'after':['a'],'needs':'settled',"
		"%s}}}",
		at->members);
	buffer_append_byte(&document, '\0');
	buffer_printf(&response, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\nx-y: z\r\n\r\n%s",
		strlen(at->body), at->body);
	buffer_append_byte(&response, '\0');
	graph = world_hold(document.data, response.data);
	buffer_deinit(&document);
	buffer_deinit(&response);
	return graph;
}

static void check_url(const struct template_case *wanted)
{
	struct world_graph *graph = begin(wanted);
	struct fault fault = {0};
	struct buffer out;
	struct url url;
	bool filled;

	buffer_init(&out, SIZE_MAX);
	/* What it held before is nobody's. */
	buffer_append_literal(&out, "before");
	filled = template_url(world_job(graph, "b"), &out, &url, &fault);
	ck_assert_msg(filled == (wanted->code == FAULT_NONE), "%s of %s: %s %s", wanted->members,
		wanted->body, filled ? out.data : fault_name(fault.code), fault.message);
	if (filled)
		ck_assert_msg(text_is(url.text, wanted->wanted), "%s of %s: %.*s", wanted->members,
			wanted->body, TEXT_ARGS(url.text));
	else
		ck_assert_msg(fault.code == wanted->code, "%s of %s: %s", wanted->members,
			wanted->body, fault_name(fault.code));
	buffer_deinit(&out);
	world_give_up(graph);
	world_end();
}

/* What must stand in the request: "X-A: 1\r\n", or its body behind the empty line. */
static void check_request(const struct template_case *wanted)
{
	struct world_graph *graph = begin(wanted);
	struct buffer text, out;
	struct fault fault = {0};
	struct url url;
	bool filled;

	buffer_init(&text, SIZE_MAX);
	buffer_init(&out, SIZE_MAX);
	buffer_append_literal(&out, "before");
	ck_assert(template_url(world_job(graph, "b"), &text, &url, &fault));
	filled = template_request(world_job(graph, "b"), &url, UINT64_MAX, &out, &fault);
	ck_assert_msg(filled == (wanted->code == FAULT_NONE), "%s of %s: %s %s", wanted->members,
		wanted->body, fault_name(fault.code), fault.message);
	if (filled)
		ck_assert_msg(memmem(out.data, out.size, wanted->wanted, strlen(wanted->wanted)),
			"%s of %s: %.*s", wanted->members, wanted->body,
			TEXT_ARGS(buffer_text(&out)));
	else
		ck_assert_msg(fault.code == wanted->code, "%s: %s", wanted->members,
			fault_name(fault.code));
	buffer_deinit(&text);
	buffer_deinit(&out);
	world_give_up(graph);
	world_end();
}

static void check_urls(const struct template_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_url(&cases[i]);
}

static void check_requests(const struct template_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_request(&cases[i]);
}

#define V(json) "{\"v\":" json "}"
#define HERE    "http://192.0.2.1"

START_TEST(a_value_in_a_path_is_one_step_of_it)
{
	static const struct template_case cases[] = {
		{"'url':'@u/{{a#/v}}/w'", V("\"x\""), HERE "/u/x/w", 0},
		{"'url':'@u/{{a#/v}}'", V("\"a b/c?d=e&f#g;\""),
			HERE "/u/a%20b%2Fc%3Fd%3De%26f%23g%3B", 0},
		{"'url':'@u/{{a#/v}}'", V("\"%2e%2F\""), HERE "/u/%252e%252F", 0},
		{"'url':'@u/{{a#/v}}'", V("\"~a-b_c.d\""), HERE "/u/~a-b_c.d", 0},
		{"'url':'@u/{{a#/v}}'", V("\"\xc3\xbc\""), HERE "/u/%C3%BC", 0},
		{"'url':'@u/{{a#/v}}'", V("\"\\r\\n\\u0000\""), HERE "/u/%0D%0A%00", 0},
		{"'url':'@u/{{a#/v}}/w'", V("\"\""), HERE "/u//w", 0},
		{"'url':'@u/{{a#/v}}'", V("9007199254740993"), HERE "/u/9007199254740993", 0},
		{"'url':'@u/{{a#/v}}'", V("1.50"), HERE "/u/1.50", 0},
		{"'url':'@u/{{a#/v}}'", V("true"), HERE "/u/true", 0},
		{"'url':'@u/{{a#/v}}'", V("null"), HERE "/u/null", 0},
		{"'url':'@u/{{a#/v}}'", V("{\"k\": [1]}"), HERE "/u/%7B%22k%22%3A%5B1%5D%7D", 0},
		{"'url':'@u/{{a}}'", "x y", HERE "/u/x%20y", 0},
		{"'url':'@u/{{a.status}}/{{a.outcome}}/{{a.code}}'", "", HERE "/u/200/fulfilled/",
			0},
		{"'url':'@u/{{a.headers.x-y}}/{{input#/i}}'", "", HERE "/u/z/in", 0},
		{"'url':'@u/{{a.url}}'", "", HERE "/u/http%3A%2F%2F192.0.2.1%2Fa", 0},
		{"'url':'@u/{{a#/none ?? d e}}'", V("1"), HERE "/u/d%20e", 0},
		{"'url':'@u/{{a#/none ??}}'", V("1"), HERE "/u/", 0},
		{"'url':'@u/{{a#/v ?? d}}'", V("null"), HERE "/u/null", 0},
		{"'url':'@u/{{a#/none}}'", V("1"), NULL, FAULT_REF_MISSING},
		{"'url':'@u/{{a#/v}}'", "no json", NULL, FAULT_REF_NOT_JSON},
		{"'url':'@u/{{a#/v ?? d}}'", "no json", HERE "/u/d", 0},
		{"'url':'@u#{{a#/v}}'", V("\"x\""), HERE "/u", 0},
	};

	check_urls(cases, countof(cases));
}
END_TEST

START_TEST(a_step_that_becomes_dots_is_unsafe)
{
	static const struct template_case cases[] = {
		{"'url':'@u/{{a#/v}}'", V("\".\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}/w'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}?q'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}#f'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@{{a#/v}}/w'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/.{{a#/v}}'", V("\".\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/.{{a#/v}}'", V("\"\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}.'", V("\".\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/%2e{{a#/v}}'", V("\".\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}%2E/w'", V("\".\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}{{a#/v}}'", V("\".\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v}}/{{a.status}}'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a.status}}/{{a#/v}}'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/none ?? ..}}'", V("1"), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"%2e%2E\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"x/../y\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"x/..\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}/w'", V("\"../x\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/.{{a#/v | raw}}'", V("\"/x\""), NULL, FAULT_TEMPLATE_UNSAFE},
		/* And what is not. */
		{"'url':'@u/{{a#/v}}'", V("\"...\""), HERE "/u/...", 0},
		{"'url':'@u/{{a#/v}}'", V("\".a\""), HERE "/u/.a", 0},
		{"'url':'@u/..{{a#/v}}'", V("\"x\""), HERE "/u/..x", 0},
		{"'url':'@u?q={{a#/v}}'", V("\"..\""), HERE "/u?q=..", 0},
		{"'url':'@u?q=/{{a#/v}}/x'", V("\"..\""), HERE "/u?q=/../x", 0},
		/* The author's own. */
		{"'url':'@u/../{{a#/v}}/./x'", V("\"x\""), HERE "/u/../x/./x", 0},
	};

	check_urls(cases, countof(cases));
}
END_TEST

START_TEST(raw_is_left_as_it_is_but_for_what_no_url_may_hold)
{
	static const struct template_case cases[] = {
		{"'url':'@u/{{a#/v | raw}}'", V("\"x/y?z=1&w=%20\""), HERE "/u/x/y?z=1&w=%20", 0},
		{"'url':'@u/{{a#/v | raw}}'", V("\"x#y\""), HERE "/u/x", 0},
		{"'url':'@u/{{a#/v | raw}}'", V("\"a b\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"a\\rb\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"a\\nb\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"a\\u0000b\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u?q={{a#/v | raw}}'", V("\"a b\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u/{{a#/v | raw}}'", V("\"a\\tb\""), NULL, FAULT_URL_INVALID},
	};

	check_urls(cases, countof(cases));
}
END_TEST

START_TEST(a_url_that_is_one_reference_is_used_as_it_stands)
{
	static const struct template_case cases[] = {
		{"'url':'{{a#/v}}'", V("\"http://192.0.2.9:8080/x/../y?z#f\""),
			"http://192.0.2.9:8080/x/../y?z", 0},
		{"'url':'{{a#/v}}'", V("\"HTTPS://H.Example/%7e\""), "https://h.example/%7e", 0},
		{"'url':'{{ a }}'", "http://h/", "http://h/", 0},
		{"'url':'{{a#/none ?? http://d/}}'", V("1"), "http://d/", 0},
		{"'url':'{{a#/v}}'", V("\" http://h/\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'{{a}}'", "http://h/\n", NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'{{a#/v}}'", V("\"http://h/\\u0000\""), NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'{{a#/v}}'", V("\"/relative\""), NULL, FAULT_URL_INVALID},
		{"'url':'{{a#/v}}'", V("\"ftp://h/\""), NULL, FAULT_URL_INVALID},
		{"'url':'{{a#/v}}'", V("\"http://u@h/\""), NULL, FAULT_URL_INVALID},
		{"'url':'{{a#/v}}'", V("\"http://h:0/\""), NULL, FAULT_URL_INVALID},
		{"'url':'{{a#/v}}'", V("\"http://0x7f.1/\""), NULL, FAULT_URL_INVALID},
		{"'url':'{{a#/v}}'", V("\"\""), NULL, FAULT_URL_INVALID},
		{"'url':'{{a#/v}}'", V("12"), NULL, FAULT_URL_INVALID},
		{"'url':'{{a#/v}}','query':{'q':'{{a.status}}'}", V("\"http://h/?x#f\""),
			"http://h/?x&q=200", 0},
		/* HTTP/2 is for https: what is no reference was asked at admission. */
		{"'url':'{{a}}','http':'2'", "https://h/", "https://h/", 0},
		{"'url':'{{a}}','http':'2'", "http://h/", NULL, FAULT_URL_INVALID},
	};

	check_urls(cases, countof(cases));
}
END_TEST

START_TEST(a_query_is_appended_and_encoded)
{
	static const struct template_case cases[] = {
		{"'url':'@u?q={{a#/v}}'", V("\"a b&c=d+e\""), HERE "/u?q=a%20b%26c%3Dd%2Be", 0},
		{"'url':'@u','query':{'n':1,'t':true,'s':'x y','l':['p','q&']}", "",
			HERE "/u?n=1&t=true&s=x%20y&l=p&l=q%26", 0},
		{"'url':'@u?x=1','query':{'q':2}", "", HERE "/u?x=1&q=2", 0},
		{"'url':'@u#f','query':{'q':2}", "", HERE "/u?q=2", 0},
		{"'url':'@u?x#f','query':{'q':2}", "", HERE "/u?x&q=2", 0},
		{"'url':'@u','query':{'a b&':1}", "", HERE "/u?a%20b%26=1", 0},
		{"'url':'@u','query':{'q':'{{a#/v}}'}", V("\"a b&c=d\""), HERE "/u?q=a%20b%26c%3Dd",
			0},
		{"'url':'@u','query':{'q':'x={{a#/v}}&'}", V("\"1\""), HERE "/u?q=x%3D1%26", 0},
		{"'url':'@u','query':{'q':'{{a#/v}}'}", V("\"\\r\\n \""), HERE "/u?q=%0D%0A%20", 0},
		{"'url':'@u','query':{'q':'{{a#/v}}'}", V("9007199254740993"),
			HERE "/u?q=9007199254740993", 0},
		{"'url':'@u','query':{'q':'{{a#/none ?? d e}}'}", V("1"), HERE "/u?q=d%20e", 0},
		{"'url':'@u','query':{'q':'{{a#/none}}'}", V("1"), NULL, FAULT_REF_MISSING},
		{"'url':'@u','query':{'q':'{{a#/none}}'}", "no", NULL, FAULT_REF_NOT_JSON},
		{"'url':'@u/{{a#/v}}','query':{'q':1}", V("\"?\""), HERE "/u/%3F?q=1", 0},
	};

	check_urls(cases, countof(cases));
}
END_TEST

START_TEST(a_header_takes_text_that_is_safe)
{
	static const struct template_case cases[] = {
		{"'url':'@u','headers':{'X-A':'p {{a#/v}} q'}", V("\"x/y z\""),
			"X-A: p x/y z q\r\n", 0},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("9007199254740993"),
			"X-A: 9007199254740993\r\n", 0},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("{\"k\": 1}"), "X-A: {\"k\":1}\r\n",
			0},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("\"  x \\t\""), "X-A: x\r\n", 0},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("\"\xc3\xbc\""), "X-A: \xc3\xbc\r\n",
			0},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("\"\""), "X-A: \r\n", 0},
		{"'url':'@u','headers':{'X-A':['1','{{a#/v}}']}", V("2"), "X-A: 1\r\nX-A: 2\r\n",
			0},
		{"'url':'@u','headers':{'X-A':'{{a#/none ?? d}}'}", V("1"), "X-A: d\r\n", 0},
		{"'url':'@u','headers':{'X-A':'\\\\{{a}}'}", "", "X-A: {{a}}\r\n", 0},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("\"a\\r\\nb: c\""), NULL,
			FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("\"a\\n\""), NULL,
			FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("\"a\\rb\""), NULL,
			FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u','headers':{'X-A':'{{a#/v}}'}", V("\"a\\u0000b\""), NULL,
			FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u','headers':{'X-A':'{{a}}'}", "a\n", NULL, FAULT_TEMPLATE_UNSAFE},
		{"'url':'@u','headers':{'X-A':'{{a#/none}}'}", V("1"), NULL, FAULT_REF_MISSING},
		{"'url':'@u','headers':{'X-A':'Bearer {{secret.KEY}}'}", "", "X-A: Bearer hush\r\n",
			0},
		{"'url':'@u','headers':{'X-A':'{{secret.NONE}}'}", "", NULL, FAULT_SECRET_UNKNOWN},
		{"'url':'@u','headers':{'X-A':'{{secret.BAD}}'}", "", NULL, FAULT_TEMPLATE_UNSAFE},
		/* It may not go to another host. */
		{"'url':'http://192.0.2.2/','headers':{'X-A':'{{secret.KEY}}'}", "", NULL,
			FAULT_SECRET_UNKNOWN},
	};

	check_requests(cases, countof(cases));
}
END_TEST

START_TEST(a_json_body_takes_values_and_keeps_its_shape)
{
	static const struct template_case cases[] = {
		{"'url':'@u','json':{'k':'{{a#/v}}'}", V("9007199254740993"),
			"\r\n\r\n{\"k\":9007199254740993}", 0},
		{"'url':'@u','json':{'k':'{{a#/v}}'}", V("\"x\\\",\\\"l\\\":1\""),
			"\r\n\r\n{\"k\":\"x\\\",\\\"l\\\":1\"}", 0},
		{"'url':'@u','json':'{{a}}'", "{\"v\": [1.0, null]}", "\r\n\r\n{\"v\":[1.0,null]}",
			0},
		{"'url':'@u','json':'{{a}}'", "no json", "\r\n\r\n\"no json\"", 0},
		{"'url':'@u','json':['{{a#/v}} and {{a#/v}}']", V("1"), "\r\n\r\n[\"1 and 1\"]", 0},
		{"'url':'@u','json':['{{a#/none ?? 7}}','{{a#/none ?? x}}']", V("1"),
			"\r\n\r\n[7,\"x\"]", 0},
		{"'url':'@u','json':{'n':9007199254740993,'s':'plain'}", "",
			"\r\n\r\n{\"n\":9007199254740993,\"s\":\"plain\"}", 0},
		{"'url':'@u','json':'{{a#/none}}'", V("1"), NULL, FAULT_REF_MISSING},
		{"'url':'@u','json':['{{a#/v}}']", "no json", NULL, FAULT_REF_NOT_JSON},
		{"'url':'@u','json':1", "", "content-type: application/json\r\n", 0},
		{"'url':'@u','json':1", "", "Content-Length: 1\r\n", 0},
		{"'url':'@u','json':1,'headers':{'Content-Type':'x/y'}", "",
			"Content-Type: x/y\r\n", 0},
	};

	check_requests(cases, countof(cases));
}
END_TEST

START_TEST(other_bodies_are_encoded_in_their_way)
{
	static const struct template_case cases[] = {
		{"'url':'@u','form':{'k':'{{a#/v}}','n':1,'l':['x','y z']}", V("\"a b&c=d\""),
			"\r\n\r\nk=a+b%26c%3Dd&n=1&l=x&l=y+z", 0},
		{"'url':'@u','form':{'k&':'x{{a#/v}}'}", V("\"\xc3\xbc\""), "\r\n\r\nk%26=x%C3%BC",
			0},
		{"'url':'@u','form':{'k':1}", "",
			"content-type: application/x-www-form-urlencoded\r\n", 0},
		{"'url':'@u','form':{'k':'{{a#/none}}'}", V("1"), NULL, FAULT_REF_MISSING},
		{"'url':'@u','body':'p {{a}} q'", "a\r\nb & c", "\r\n\r\np a\r\nb & c q", 0},
		{"'url':'@u','body':'{{a#/none ?? d}}'", V("1"), "\r\n\r\nd", 0},
		{"'url':'@u','body':'\\\\{{a}}'", "x", "\r\n\r\n{{a}}", 0},
		{"'url':'@u','body':'x'", "", "content-type: text/plain;charset=utf-8\r\n", 0},
		{"'url':'@u','body':'{{a#/none}}'", V("1"), NULL, FAULT_REF_MISSING},
		{"'url':'@u','body_base64':'e3thfX0='", "", "\r\n\r\n{{a}}", 0},
		{"'url':'@u','body':''", "", "Content-Length: 0\r\n", 0},
	};

	check_requests(cases, countof(cases));
}
END_TEST

START_TEST(a_request_is_what_the_job_says)
{
	static const struct template_case cases[] = {
		{"'url':'@u?x#f'", "", "GET /u?x HTTP/1.1\r\nHost: 192.0.2.1\r\n", 0},
		{"'url':'@u','json':1", "", "POST /u HTTP/1.1\r\n", 0},
		{"'url':'@u','method':'PUT','body':'x'", "", "PUT /u HTTP/1.1\r\n", 0},
		{"'url':'@u','method':'HEAD'", "", "HEAD /u HTTP/1.1\r\n", 0},
		{"'url':'http://192.0.2.1:8080/u'", "", "Host: 192.0.2.1:8080\r\n", 0},
		{"'url':'@u'", "", "user-agent: settled/", 0},
		{"'url':'@u'", "", "accept: */*\r\n", 0},
		{"'url':'@u','headers':{'ACCEPT':'x/y'}", "", "ACCEPT: x/y\r\n", 0},
		{"'url':'@u','method':'POST'", "", "Content-Length: 0\r\n", 0},
	};

	check_requests(cases, countof(cases));
}
END_TEST

START_TEST(what_the_author_sets_is_not_set_twice)
{
	static const struct {
		const char *members, *absent;
	} cases[] = {
		{"'url':'@u','headers':{'Accept':'x/y'}", "*/*"},
		{"'url':'@u','headers':{'user-agent':'me'}", "settled/"},
		{"'url':'@u','json':1,'headers':{'content-type':'x/y'}", "application/json"},
		{"'url':'@u'", "ontent-"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct template_case at = {cases[i].members, "", NULL, 0};
		struct world_graph *graph = begin(&at);
		struct buffer text, out;
		struct fault fault;
		struct url url;

		buffer_init(&text, SIZE_MAX);
		buffer_init(&out, SIZE_MAX);
		ck_assert(template_url(world_job(graph, "b"), &text, &url, &fault));
		ck_assert(template_request(world_job(graph, "b"), &url, UINT64_MAX, &out, &fault));
		ck_assert_msg(!memmem(out.data, out.size, cases[i].absent, strlen(cases[i].absent)),
			"%.*s", TEXT_ARGS(buffer_text(&out)));
		buffer_deinit(&text);
		buffer_deinit(&out);
		world_give_up(graph);
		world_end();
	}
}
END_TEST

START_TEST(what_does_not_fit_into_memory_is_overload)
{
	struct template_case at = {"'url':'@u/{{a}}','body':'{{a}}'", "xxxxxxxxxx", NULL, 0};
	struct world_graph *graph = begin(&at);
	struct buffer text, small;
	struct fault fault;
	struct url url;

	buffer_init(&text, SIZE_MAX);
	buffer_init(&small, 20);
	ck_assert(!template_url(world_job(graph, "b"), &small, &url, &fault));
	ck_assert_int_eq(fault.code, FAULT_OVERLOADED);
	ck_assert(template_url(world_job(graph, "b"), &text, &url, &fault));
	buffer_deinit(&small);
	/* The body would fit, the whole does not; and neither. */
	for (size_t size = 5; size < 150; size += 5) {
		buffer_init(&small, size);
		ck_assert(
			!template_request(world_job(graph, "b"), &url, UINT64_MAX, &small, &fault));
		ck_assert_int_eq(fault.code, FAULT_OVERLOADED);
		buffer_deinit(&small);
	}
	buffer_deinit(&text);
	world_give_up(graph);
	world_end();
}
END_TEST

#define SECRET "'url':'@','headers':{'x-a':'{{secret.TOKEN}}'}"

/* Who says himself where the host is could have it sent to anybody. */
START_TEST(a_secret_goes_to_nobody_the_job_itself_vouches_for)
{
	static const struct template_case cases[] = {
		{SECRET, "", "x-a: hush\r\n", 0},
		{SECRET ",'resolve':{'h:80':'127.0.0.1'}", "", "", FAULT_SECRET_UNKNOWN},
		{SECRET ",'tls':{'insecure':true}", "", "", FAULT_SECRET_UNKNOWN},
		{SECRET ",'tls':{'server_name':'h'}", "", "", FAULT_SECRET_UNKNOWN},
		{SECRET ",'tls':{'ca':"
			"'-----BEGIN CERTIFICATE-----'}",
			"", "", FAULT_SECRET_UNKNOWN},
		/* The administrator's authority is not the job's word; a pin says only more. */
		{SECRET ",'tls':{'ca':'secret:CA'}", "", "x-a: hush\r\n", 0},
		{SECRET ",'tls':{'pin':'sha256//"
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='}",
			"", "x-a: hush\r\n", 0},
	};

	check_requests(cases, countof(cases));
}
END_TEST

UNIT_MAIN("job/template", &a_value_in_a_path_is_one_step_of_it, &a_step_that_becomes_dots_is_unsafe,
	&raw_is_left_as_it_is_but_for_what_no_url_may_hold,
	&a_url_that_is_one_reference_is_used_as_it_stands, &a_query_is_appended_and_encoded,
	&a_header_takes_text_that_is_safe, &a_json_body_takes_values_and_keeps_its_shape,
	&other_bodies_are_encoded_in_their_way, &a_request_is_what_the_job_says,
	&what_the_author_sets_is_not_set_twice, &what_does_not_fit_into_memory_is_overload,
	&a_secret_goes_to_nobody_the_job_itself_vouches_for)
