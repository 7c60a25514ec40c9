/* SPDX-License-Identifier: MIT */
#include "front/message.h"

#include "front/session.h"
#include "tests/unit/front/front_world.h"
#include "tests/unit/unit.h"

/* One line to a session of its own: the name of what comes back; of an error its message, and
 * then the session is closed. */
static const struct line_case {
	const char *line, *heard, *error;
} line_cases[] = {
	/* Hello. */
	{"{'hello':{'version':1}}", "hello", NULL},
	{"{'hello':{}}", "hello", NULL},
	{"{'hello':{'version':1,'color':'red'},'later':[]}", "hello", NULL},
	{"{'hello':{'version':'x'}}", "error", "this daemon speaks version 1 of the protocol"},
	{"{'hello':[]}", "error", "the value of cancel, hello, status and flush is an object"},
	{"{'status':1}", "error", "the value of cancel, hello, status and flush is an object"},
	{"{'id':7,'cancel':5}", "error",
		"the value of cancel, hello, status and flush is an object"},
	{" { 'hello' : { 'version' : 1 } } ", "hello", NULL},
	{"{'hello':{'version':2}}", "error", "this daemon speaks version 1 of the protocol"},
	{"{'hello':{'version':0}}", "error", "this daemon speaks version 1 of the protocol"},
	{"{'hello':{'version':1.5}}", "error", "this daemon speaks version 1 of the protocol"},
	{"{'hello':{'version':10000000000000000000000}}", "error",
		"this daemon speaks version 1 of the protocol"},
	/* Status. */
	{"{'status':{}}", "status", NULL},
	/* Submit: its id. */
	{"{'id':0,'submit':{'jobs':{}}}", "0:accepted 0:done", NULL},
	{"{'submit':{'jobs':{}},'id':9007199254740992}",
		"9007199254740992:accepted 9007199254740992:done", NULL},
	{"{'id':9007199254740993,'submit':{'jobs':{}}}", "error",
		"submit needs an id: a whole number up to 2^53"},
	{"{'id':-1,'submit':{'jobs':{}}}", "error",
		"submit needs an id: a whole number up to 2^53"},
	{"{'id':1.0,'submit':{'jobs':{}}}", "error",
		"submit needs an id: a whole number up to 2^53"},
	{"{'id':1e3,'submit':{'jobs':{}}}", "error",
		"submit needs an id: a whole number up to 2^53"},
	{"{'id':'7','submit':{'jobs':{}}}", "error",
		"submit needs an id: a whole number up to 2^53"},
	{"{'id':null,'submit':{'jobs':{}}}", "error",
		"submit needs an id: a whole number up to 2^53"},
	{"{'submit':{'jobs':{}}}", "error", "submit needs an id: a whole number up to 2^53"},
	/* What is no graph is refused, and the session goes on. */
	{"{'id':1,'submit':5}", "1:refused", NULL},
	{"{'id':1,'submit':null}", "1:refused", NULL},
	/* Cancel: of what is not there. */
	{"{'id':7,'cancel':{}}", "", NULL},
	{"{'id':7,'cancel':{'job':'a'}}", "", NULL},
	{"{'cancel':{}}", "error", "cancel needs the id of a graph"},
	{"{'id':'x','cancel':{}}", "error", "cancel needs the id of a graph"},
	{"{'id':7,'cancel':{'job':5}}", "error", "the job of cancel is not a string"},
	{"{'id':7,'cancel':{'job':null}}", "error", "the job of cancel is not a string"},
	/* No message at all. */
	{"GET / HTTP/1.1", "error", "the line is not JSON"},
	{"{'status':{}", "error", "the line is not JSON"},
	{"{'status':{}}}", "error", "the line is not JSON"},
	{"{'status':{}} {'status':{}}", "error", "the line is not JSON"},
	{"{'a':'\xff'}", "error", "the line is not JSON"},
	{" ", "error", "the line is not JSON"},
	{"[]", "error", "a message is a JSON object"},
	{"null", "error", "a message is a JSON object"},
	{"'status'", "error", "a message is a JSON object"},
	{"{}", "error", "a message of a kind that is not known"},
	{"{'id':7}", "error", "a message of a kind that is not known"},
	/* Flush. */
	{"{'flush':'dns'}", "error", "the value of cancel, hello, status and flush is an object"},
	{"{'flush':{}}", "error", "flush needs dns or conns to be true"},
	{"{'flush':{'dns':false}}", "error", "flush needs dns or conns to be true"},
	{"{'flush':{'dns':1}}", "error", "flush needs dns or conns to be true"},
	{"{'flush':{'dns':true}}", "flushed", NULL},
	{"{'flush':{'conns':true,'dns':true}}", "flushed", NULL},
	/* Cancel by the daemon's number: of what is not there. */
	{"{'cancel':{'graph':12}}", "cancelled", NULL},
	{"{'cancel':{'graph':12,'job':'a'}}", "cancelled", NULL},
	{"{'cancel':{'graph':'12'}}", "error", "the graph of cancel is not a number"},
	{"{'cancel':{'graph':-1}}", "error", "the graph of cancel is not a number"},
	{"{'cancel':{'graph':12,'job':5}}", "error", "the job of cancel is not a string"},
	{"{'Status':{}}", "error", "a message of a kind that is not known"},
	/* A payload would be read as lines. */
	{"{'status':{},'payload':3}", "error",
		"a client's message with a payload is not supported by this version"},
	{"{'id':7,'submit':{'jobs':{}},'payload':0}", "error",
		"a client's message with a payload is not supported by this version"},
};

static void assert_line(const struct line_case *at)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_say(fd, at->line);
	client_assert_heard(fd, at->heard);
	ck_assert_msg(fake_is_open(fd) == !at->error, "%s: open or closed", at->line);
	if (at->error) {
		client_assert(fd, 0, "/error/code", "PROTOCOL");
		client_assert(fd, 0, "/error/message", at->error);
	} else {
		/* It goes on. */
		fake_forget(fd);
		client_say(fd, "{'status':{}}");
		client_assert_heard(fd, "status");
	}
	front_world_leave();
}

START_TEST(every_kind_of_line_has_its_answer)
{
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(line_cases[0]); i++)
		assert_line(&line_cases[i]);
}
END_TEST

START_TEST(hello_tells_version_name_and_limits)
{
	struct front_options options = front_world_options();
	int fd;

	options.line_max = 12345;
	options.jobs_max = 77;
	front_world_begin_with(&options);
	fd = front_world_connect();
	client_say(fd, "{'hello':{'version':1}}");
	client_assert(fd, 0, "/hello/version", "1");
	client_assert(fd, 0, "/hello/server", "settled/" SETTLED_VERSION);
	client_assert(fd, 0, "/hello/limits/line", "12345");
	client_assert(fd, 0, "/hello/limits/jobs", "77");
	client_assert(fd, 0, "/hello/features/0", "http/1.1");
	client_assert(fd, 0, "/hello/features/1", "http/2");
	front_world_leave();
}
END_TEST

START_TEST(status_is_the_daemon_s_own_object)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 1, "{'jobs':{'a':{'url':'@a'}}}");
	fake_forget(fd);
	client_say(fd, "{'status':{}}");
	client_assert(fd, 0, "/status/graphs", "1");
	client_assert(fd, 0, "/status/graph_list/0/jobs", "1");
	front_world_leave();
}
END_TEST

START_TEST(status_lists_the_user_s_own_graphs)
{
	int fd, other, stranger, root;

	front_world_begin();
	fd = front_world_connect();
	other = front_world_connect();
	stranger = front_world_connect_as(1001);
	root = front_world_connect_as(0);
	client_submit(fd, 7, "{'name':'one','jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	client_submit(other, 7, "{'jobs':{'a':{'url':'@c'}}}");
	client_submit(stranger, 7, "{'jobs':{'a':{'url':'@d'}}}");
	world_answer("/a", "200 OK", "");
	fake_pass(5 * NS_PER_MS);
	fake_forget(other);
	client_say(other, "{'status':{}}");
	client_assert(other, 0, "/status/graph_list",
		"[{\"graph\":1,\"name\":\"one\",\"jobs\":2,\"settled\":1,\"in_flight\":1,"
		"\"age_ms\":5},{\"graph\":2,\"jobs\":1,\"settled\":0,\"in_flight\":1,"
		"\"age_ms\":5}]");
	fake_forget(stranger);
	client_say(stranger, "{'status':{}}");
	client_assert(stranger, 0, "/status/graph_list/0/graph", "3");
	client_assert(stranger, 0, "/status/graph_list/1", "-");
	client_say(root, "{'status':{}}");
	client_assert(root, 0, "/status/graph_list/0/uid", "1000");
	client_assert(root, 0, "/status/graph_list/2/uid", "1001");
	front_world_leave();
}
END_TEST

START_TEST(status_lists_a_bounded_number_of_graphs)
{
	struct front_options options = front_world_options();
	int fd;

	options.graphs_max = 200;
	front_world_begin_with(&options);
	fd = front_world_connect();
	for (unsigned i = 0; i < 101; i++)
		client_submit(fd, i, "{'jobs':{'a':{'url':'@a'}}}");
	fake_forget(fd);
	client_say(fd, "{'status':{}}");
	client_assert(fd, 0, "/status/graph_list/99/graph", "100");
	client_assert(fd, 0, "/status/graph_list/100", "-");
	front_world_leave();
}
END_TEST

START_TEST(cancel_by_number_reaches_every_session_of_the_user)
{
	int fd, other;

	front_world_begin();
	fd = front_world_connect();
	other = front_world_connect();
	client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	client_say(other, "{'cancel':{'graph':1,'job':'a'}}");
	client_say(other, "{'cancel':{'graph':1,'job':'nobody'}}");
	client_assert_heard(fd, "7:accepted 7:settled");
	client_say(other, "{'cancel':{'graph':1}}");
	client_assert_heard(other, "cancelled cancelled cancelled");
	client_assert(other, 0, "/cancelled/found", "true");
	client_assert(other, 0, "/cancelled/graph", "1");
	client_assert(other, 1, "/cancelled/found", "false");
	client_assert(other, 2, "/cancelled/found", "true");
	client_assert(fd, 1, "/settled/job", "a");
	client_assert(fd, client_n_heard(fd) - 1, "/done/rejected", "2");
	/* It is done: its number is nobody's. */
	fake_forget(other);
	client_say(other, "{'cancel':{'graph':1}}");
	client_assert(other, 0, "/cancelled/found", "false");
	front_world_leave();
}
END_TEST

START_TEST(cancel_by_number_spares_strangers_but_not_from_root)
{
	int fd, stranger, root;

	front_world_begin();
	fd = front_world_connect();
	stranger = front_world_connect_as(1001);
	root = front_world_connect_as(0);
	client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'}}}");
	client_say(stranger, "{'cancel':{'graph':1}}");
	client_assert(stranger, 0, "/cancelled/found", "false");
	client_assert_heard(fd, "7:accepted");
	client_say(root, "{'cancel':{'graph':1}}");
	client_assert(root, 0, "/cancelled/found", "true");
	client_assert(fd, client_n_heard(fd) - 1, "/done/rejected", "1");
	front_world_leave();
}
END_TEST

START_TEST(an_id_beside_it_makes_cancel_the_session_s_own)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'}}}");
	client_say(fd, "{'id':9,'cancel':{'graph':1}}");
	client_assert_heard(fd, "7:accepted");
	front_world_leave();
}
END_TEST

START_TEST(flush_tells_how_many_there_were)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'}}}");
	world_answer("/a", "200 OK", "");
	fake_forget(fd);
	client_say(fd, "{'flush':{'dns':true,'conns':true}}");
	client_assert(fd, 0, "/flushed/conns", "1");
	client_assert(fd, 0, "/flushed/dns", "0");
	client_say(fd, "{'flush':{'conns':true}}");
	client_assert(fd, 1, "/flushed/conns", "0");
	client_assert(fd, 1, "/flushed/dns", "-");
	front_world_leave();
}
END_TEST

START_TEST(a_line_that_nests_too_deeply_is_told_so)
{
	char line[401];
	int fd;

	memset(line, '[', 200);
	memset(line + 200, ']', 200);
	line[400] = '\0';
	front_world_begin();
	fd = front_world_connect();
	client_say(fd, line);
	client_assert_heard(fd, "error");
	client_assert(fd, 0, "/error/message", "the line nests too deeply");
	front_world_leave();
}
END_TEST

START_TEST(an_id_in_use_is_refused_and_one_that_is_done_is_free)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	for (int i = 0; i < 2; i++) {
		client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'}}}");
		world_answer("/a", "200 OK", "hi");
	}
	client_submit(fd, 7, "{'jobs':{'a':{}}}");
	client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'}}}");
	client_assert_heard(fd, "7:accepted 7:settled 7:done 7:accepted 7:settled 7:done "
				"7:refused 7:accepted");
	fake_forget(fd);
	client_submit(fd, 8, "{'jobs':{'a':{'url':'@b'}}}");
	client_submit(fd, 7, "{'jobs':{'a':{'url':'@a'}}}");
	client_assert_heard(fd, "8:accepted error");
	client_assert(fd, 1, "/error/message", "the id is in use by another graph of this session");
	ck_assert(!fake_is_open(fd));
	front_world_end();
}
END_TEST

START_TEST(an_id_is_the_session_s_own)
{
	int one, two;

	front_world_begin();
	one = front_world_connect();
	two = front_world_connect();
	client_submit(one, 7, "{'jobs':{'a':{'url':'@a'}}}");
	client_submit(two, 7, "{'jobs':{'a':{'url':'@b'}}}");
	client_say(two, "{'id':7,'cancel':{}}");
	client_assert_heard(one, "7:accepted");
	client_assert_heard(two, "7:accepted 7:decided 7:settled 7:done");
	world_answer("/a", "200 OK", "");
	client_assert_heard(one, "7:accepted 7:settled 7:done");
	front_world_leave();
}
END_TEST

START_TEST(cancel_settles_what_has_not)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 3,
		"{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'},"
		"'c':{'url':'@c','after':['a']}}}");
	world_answer("/b", "200 OK", "");
	client_say(fd, "{'id':3,'cancel':{}}");
	/* What is not on the wire is swept up in the next millisecond. */
	fake_pass(NS_PER_MS);
	client_assert_heard(fd, "3:accepted 3:settled 3:decided 3:settled 3:settled 3:done");
	client_assert(fd, 1, "/settled/status", "fulfilled");
	client_assert(fd, 2, "/decided/reason/code", "CANCELLED");
	for (unsigned i = 3; i < 5; i++) {
		client_assert(fd, i, "/settled/reason/code", "CANCELLED");
		client_assert(fd, i, "/settled/reason/by", "client");
	}
	client_assert(fd, 5, "/done/rejected", "2");
	ck_assert_int_eq(world_find("/a"), -1);
	front_world_leave();
}
END_TEST

START_TEST(cancel_of_one_job_leaves_the_others)
{
	int fd;

	front_world_begin();
	fd = front_world_connect();
	client_submit(fd, 3, "{'jobs':{'a':{'url':'@a'},'b':{'url':'@b'}}}");
	client_say(fd, "{'id':3,'cancel':{'job':'nobody'}}");
	client_say(fd, "{'id':4,'cancel':{'job':'a'}}");
	client_assert_heard(fd, "3:accepted");
	client_say(fd, "{'id':3,'cancel':{'job':'a'}}");
	client_assert_heard(fd, "3:accepted 3:settled");
	client_assert(fd, 1, "/settled/job", "a");
	client_assert(fd, 1, "/settled/reason/by", "client");
	/* It has settled already. */
	client_say(fd, "{'id':3,'cancel':{'job':'a'}}");
	client_assert_heard(fd, "3:accepted 3:settled");
	world_answer("/b", "200 OK", "");
	client_assert_heard(fd, "3:accepted 3:settled 3:settled 3:done");
	client_assert(fd, 3, "/done/fulfilled", "1");
	front_world_leave();
}
END_TEST

UNIT_MAIN("front/message", &every_kind_of_line_has_its_answer, &hello_tells_version_name_and_limits,
	&status_is_the_daemon_s_own_object, &status_lists_the_user_s_own_graphs,
	&status_lists_a_bounded_number_of_graphs,
	&cancel_by_number_reaches_every_session_of_the_user,
	&cancel_by_number_spares_strangers_but_not_from_root,
	&an_id_beside_it_makes_cancel_the_session_s_own, &flush_tells_how_many_there_were,
	&a_line_that_nests_too_deeply_is_told_so,
	&an_id_in_use_is_refused_and_one_that_is_done_is_free, &an_id_is_the_session_s_own,
	&cancel_settles_what_has_not, &cancel_of_one_job_leaves_the_others)
