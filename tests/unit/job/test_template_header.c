/* SPDX-License-Identifier: MIT */
#include "job/template.h"

#include "http/decode.h"
#include "job/trail.h"
#include "tests/unit/job/job_world.h"
#include "tests/unit/unit.h"
#include "util/container.h"

/* A job on its own, and a request of it. */
struct header_case {
	/* Beside its `url`, unless they have one. */
	const char *members;
	/* What must and what must not stand in the request; NULL: anything may. */
	const char *wanted, *unwanted;
	enum fault_code code;
};

static bool find_secret(
	void *context, struct text name, uid_t uid, struct text host, struct text *ret_value)
{
	static const struct {
		const char *host, *name;
		struct text value;
	} secrets[] = {
		{"192.0.2.1", "TOKEN", TEXT_INIT("hush")},
		{"192.0.2.1", "USER", TEXT_INIT("Aladdin:open sesame")},
		{"192.0.2.1", "LINES", TEXT_INIT("a\r\nb")},
		{"192.0.2.1", "EMPTY", TEXT_INIT("")},
		{"proxy.local", "PROXY", TEXT_INIT("p:q")},
	};

	for (size_t i = 0; i < countof(secrets); i++) {
		*ret_value = secrets[i].value;
		if (text_is(host, secrets[i].host) && text_is(name, secrets[i].name))
			return true;
	}
	return false;
}

/* The request of a job that comes from there by redirects (NULL: none). */
static void check(const struct header_case *wanted, struct trail *trail, uint64_t length)
{
	struct scheduler_options options = world_options();
	struct buffer document, text, out;
	struct fault fault = {0};
	struct world_graph *graph;
	struct job *job;
	struct url url;
	bool filled;

	options.secrets = (struct secret_source){find_secret, NULL};
	world_begin_with(&options, BOUND_NONE);
	buffer_init(&document, SIZE_MAX);
	buffer_init(&text, SIZE_MAX);
	buffer_init(&out, SIZE_MAX);
	buffer_printf(&document, "{'jobs':{'a':{'url':'@a'},'b':{'after':['a'],%s%s}}}",
		strstr(wanted->members, "'url'") ? "" : "'url':'@b',", wanted->members);
	buffer_append_byte(&document, '\0');
	graph = world_hold(document.data, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
	job = world_job(graph, "b");
	ck_assert(template_url(job, &text, &url, &fault));
	job->trail = trail;
	filled = template_request(job, trail ? &trail->url : &url, length, &out, &fault);
	job->trail = NULL;
	ck_assert_msg(fault.code == wanted->code && filled == (wanted->code == FAULT_NONE),
		"%s: %s %s", wanted->members, fault_name(fault.code), fault.message);
	if (filled && wanted->wanted)
		ck_assert_msg(memmem(out.data, out.size, wanted->wanted, strlen(wanted->wanted)),
			"%s: %.*s", wanted->members, TEXT_ARGS(buffer_text(&out)));
	if (filled && wanted->unwanted)
		ck_assert_msg(
			!memmem(out.data, out.size, wanted->unwanted, strlen(wanted->unwanted)),
			"%s: %.*s", wanted->members, TEXT_ARGS(buffer_text(&out)));
	buffer_deinit(&document);
	buffer_deinit(&text);
	buffer_deinit(&out);
	world_give_up(graph);
	world_end();
}

static void check_all(const struct header_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(&cases[i], NULL, UINT64_MAX);
}

/* "`decode` true (default): Accept-Encoding unless `headers` have one, or a Range." */
START_TEST(codings_are_asked_for_unless_the_job_says_otherwise)
{
	static const struct header_case cases[] = {
		{"'decode':false", NULL, "ccept-encoding", 0},
		{"'headers':{'accept-encoding':'x'}", "accept-encoding: x\r\n", "gzip", 0},
		{"'headers':{'Accept-Encoding':''}", "Accept-Encoding: \r\n", "gzip", 0},
		{"'headers':{'Range':'bytes=0-1'}", "Range: bytes=0-1\r\n", "ccept-encoding", 0},
		{"'decode':true,'headers':{'range':'bytes=0-1','accept-encoding':'br'}",
			"accept-encoding: br\r\n", "gzip", 0},
	};
	struct header_case usual = {"'ok':200", NULL, NULL, 0};
	struct buffer line;

	check_all(cases, countof(cases));
	buffer_init(&line, 1000);
	buffer_printf(&line, "accept-encoding: %.*s\r\n", TEXT_ARGS(decode_accept()));
	buffer_append_byte(&line, '\0');
	usual.wanted = line.data;
	check(&usual, NULL, UINT64_MAX);
	usual.members = "'method':'HEAD','decode':true";
	check(&usual, NULL, UINT64_MAX);
	buffer_deinit(&line);
}
END_TEST

START_TEST(credentials_are_made_of_secrets)
{
	static const struct header_case cases[] = {
		{"'auth':{'bearer':'TOKEN'}", "\r\nauthorization: Bearer hush\r\n", NULL, 0},
		/* RFC 7617 section 2. */
		{"'auth':{'basic':'USER'}",
			"\r\nauthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", NULL, 0},
		{"'auth':{'basic':'LINES'}", "authorization: Basic YQ0KYg==\r\n", NULL, 0},
		{"'auth':{'bearer':'LINES'}", NULL, NULL, FAULT_TEMPLATE_UNSAFE},
		{"'auth':{'bearer':'EMPTY'}", NULL, NULL, FAULT_TEMPLATE_UNSAFE},
		{"'auth':{'bearer':'OTHER'}", NULL, NULL, FAULT_SECRET_UNKNOWN},
		/* As of a secret in a header: what the job itself vouches for gets none. */
		{"'auth':{'basic':'USER'},'url':'http://192.0.2.2/'", NULL, NULL,
			FAULT_SECRET_UNKNOWN},
		{"'auth':{'basic':'USER'},'resolve':{'h:80':'127.0.0.1'}", NULL, NULL,
			FAULT_SECRET_UNKNOWN},
		{"'auth':{'basic':'USER'},'tls':{'insecure':true}", NULL, NULL,
			FAULT_SECRET_UNKNOWN},
		{"'ok':200", NULL, "authorization", 0},
	};

	check_all(cases, countof(cases));
}
END_TEST

/* RFC 9112 3.2.2, RFC 9110 11.7.2. */
START_TEST(a_proxy_is_asked_in_absolute_form)
{
	static const struct header_case cases[] = {
		{"'proxy':'http://proxy.local'",
			"GET http://192.0.2.1/b HTTP/1.1\r\nHost: 192.0.2.1\r\n", "roxy-", 0},
		{"'url':'http://192.0.2.1:8080?q','proxy':'http://proxy.local'",
			"GET http://192.0.2.1:8080/?q HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n", NULL,
			0},
		{"'proxy':'http://p:q@proxy.local'", "\r\nproxy-authorization: Basic cDpx\r\n",
			NULL, 0},
		{"'proxy':'http://secret:PROXY@proxy.local'",
			"\r\nproxy-authorization: Basic cDpx\r\n", NULL, 0},
		/* The secret is for another proxy. */
		{"'proxy':'http://secret:PROXY@proxy.other'", NULL, NULL, FAULT_SECRET_UNKNOWN},
		{"'proxy':'http://secret:NONE@proxy.local'", NULL, NULL, FAULT_SECRET_UNKNOWN},
		/* Through a tunnel the origin is asked as ever, and learns nothing of it. */
		{"'url':'https://192.0.2.1/b','proxy':'http://p:q@proxy.local'",
			"GET /b HTTP/1.1\r\nHost: 192.0.2.1\r\n", "roxy-", 0},
		{"'url':'https://192.0.2.1/b','proxy':'http://secret:PROXY@proxy.other'",
			"GET /b HTTP/1.1\r\n", "roxy-", 0},
		{"'ok':200", "GET /b HTTP/1.1\r\n", "roxy-", 0},
	};

	check_all(cases, countof(cases));
}
END_TEST

START_TEST(a_body_from_a_descriptor_is_announced)
{
	static const struct {
		uint64_t length;
		struct header_case wanted;
	} cases[] = {
		{7, {"'body_fd':0", "\r\nContent-Length: 7\r\n\r\n", "content-type", 0}},
		{0, {"'body_fd':0", "\r\nContent-Length: 0\r\n\r\n", "Transfer-", 0}},
		{UINT64_MAX,
			{"'body_fd':0", "\r\nTransfer-Encoding: chunked\r\n\r\n", "Content-", 0}},
		{7, {"'body_fd':0,'method':'PUT'", "PUT /b HTTP/1.1\r\n", NULL, 0}},
		{7, {"'body_fd':0,'headers':{'content-type':'x/y'}", "content-type: x/y\r\n", NULL,
			    0}},
		/* Of no other body it says anything. */
		{7, {"'body':'x'", "\r\nContent-Length: 1\r\n\r\nx", NULL, 0}},
		{7, {"'ok':200", NULL, "Content-Length", 0}},
	};

	for (size_t i = 0; i < countof(cases); i++)
		check(&cases[i].wanted, NULL, cases[i].length);
}
END_TEST

#define OWN                                                                                        \
	"'headers':{'X-A':'own','Authorization':'own','Cookie':'own','Accept':'a/b',"              \
	"'Accept-Language':'{{secret.TOKEN}}','User-Agent':'me','Content-Language':'de'},"         \
	"'body':'x'"

/* "On a change of origin only accept*, user-agent, range and the kept body's content headers
 * travel" */
START_TEST(a_redirect_takes_along_what_may_travel)
{
	enum { HERE, THERE };
	static const struct {
		int where;
		const char *method;
		bool keeps_body;
		struct header_case wanted;
	} cases[] = {
		{HERE, "GET", false,
			{OWN, "GET /r HTTP/1.1\r\nHost: 192.0.2.1\r\n", "Content-", 0}},
		{HERE, "GET", false, {OWN, "Cookie: own\r\n", "content-", 0}},
		{HERE, "GET", false, {OWN, "Accept-Language: hush\r\n", NULL, 0}},
		{HERE, "PUT", true, {OWN, "PUT /r HTTP/1.1\r\n", NULL, 0}},
		{HERE, "PUT", true,
			{OWN, "Content-Language: de\r\nContent-Length: 1\r\n\r\nx", NULL, 0}},
		{HERE, "PUT", true, {OWN, "content-type: text/plain", NULL, 0}},
		{HERE, "POST", false, {"'json':1", "Content-Length: 0\r\n\r\n", "content-type", 0}},
		{HERE, "GET", false, {"'auth':{'bearer':'TOKEN'}", "Bearer hush\r\n", NULL, 0}},
		{HERE, "GET", false, {"'body_fd':0", "\r\n\r\n", "Transfer-Encoding", 0}},
		{HERE, "PUT", true, {"'body_fd':0", "Transfer-Encoding: chunked\r\n", NULL, 0}},
		{THERE, "GET", false, {OWN, "GET /r HTTP/1.1\r\nHost: h.example\r\n", "own", 0}},
		{THERE, "GET", false, {OWN, "Accept: a/b\r\n", "Content-", 0}},
		{THERE, "GET", false, {OWN, "User-Agent: me\r\n", "content-", 0}},
		/* It holds a secret. */
		{THERE, "GET", false, {OWN, NULL, "Accept-Language", 0}},
		{THERE, "PUT", true, {OWN, "Content-Language: de\r\n", "own", 0}},
		{THERE, "PUT", true, {OWN, "content-type: text/plain", "hush", 0}},
		{THERE, "GET", false, {"'auth':{'bearer':'TOKEN'}", NULL, "uthorization", 0}},
		{THERE, "GET", false, {"'auth':{'bearer':'NONE'}", NULL, "uthorization", 0}},
		{THERE, "GET", false, {"'ok':200", "accept-encoding: gzip", NULL, 0}},
		{THERE, "GET", false,
			{"'headers':{'range':'bytes=1-'}", "range: bytes=1-\r\n", "accept-encoding",
				0}},
		{THERE, "GET", false,
			{"'proxy':'http://p:q@proxy.local'", "GET http://h.example/r HTTP/1.1\r\n",
				NULL, 0}},
		{THERE, "GET", false,
			{"'proxy':'http://p:q@proxy.local'", "proxy-authorization: Basic cDpx\r\n",
				NULL, 0}},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct trail trail = {
			.method = text_from(cases[i].method),
			.keeps_body = cases[i].keeps_body,
			.is_foreign = cases[i].where == THERE,
		};
		struct buffer text;

		buffer_init(&text, 1000);
		ck_assert_int_eq(url_parse(cases[i].where == THERE ? TEXT("http://h.example/r")
								   : TEXT("http://192.0.2.1/r"),
					 &text, &trail.url),
			URL_OK);
		check(&cases[i].wanted, &trail, UINT64_MAX);
		buffer_deinit(&text);
	}
}
END_TEST

UNIT_MAIN("job/template_header", &codings_are_asked_for_unless_the_job_says_otherwise,
	&credentials_are_made_of_secrets, &a_proxy_is_asked_in_absolute_form,
	&a_body_from_a_descriptor_is_announced, &a_redirect_takes_along_what_may_travel)
