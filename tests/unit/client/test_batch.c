/* SPDX-License-Identifier: MIT */
#include "client/cli/batch.h"

#include <signal.h>
#include <stdlib.h>

#include "client/cli/batch_chunk.h"
#include "client/cli/batch_line.h"
#include "client/cli/exit.h"
#include "client/cli/interrupt.h"
#include "client/cli/message.h"
#include "tests/unit/client/peer.h"
#include "tests/unit/client/words.h"
#include "util/container.h"

/* -- Lines ------------------------------------------------------------------------------------- */

START_TEST(a_line_is_a_url_or_a_job)
{
	static const struct {
		const char *line;
		enum batch_line kind;
		enum fault_code code;
		const char *trimmed;
	} cases[] = {
		{"", BATCH_LINE_NOTHING, FAULT_NONE, ""},
		{" \t\r", BATCH_LINE_NOTHING, FAULT_NONE, ""},
		{"  # http://x", BATCH_LINE_NOTHING, FAULT_NONE, "# http://x"},
		{"http://x/#a", BATCH_LINE_URL, FAULT_NONE, "http://x/#a"},
		{" x.test/ \r", BATCH_LINE_URL, FAULT_NONE, "x.test/"},
		{"http://\xff/", BATCH_LINE_BAD, FAULT_URL_INVALID, "http://\xff/"},
		{"{\"url\":\"http://x\"} ", BATCH_LINE_JOB, FAULT_NONE, "{\"url\":\"http://x\"}"},
		{"{}", BATCH_LINE_JOB, FAULT_NONE, "{}"},
		{"{\"headers\":{\"a\":\"{{secret.x}} \\\\{{0}}\"}}", BATCH_LINE_JOB, FAULT_NONE,
			NULL},
		{"{\"url\"", BATCH_LINE_BAD, FAULT_GRAPH_SYNTAX, NULL},
		{"{} {}", BATCH_LINE_BAD, FAULT_GRAPH_SYNTAX, NULL},
		{"[]", BATCH_LINE_BAD, FAULT_GRAPH_TYPE, NULL},
		{"{\"id\":\"a\"}", BATCH_LINE_BAD, FAULT_GRAPH_KEY, NULL},
		{"{\"after\":[]}", BATCH_LINE_BAD, FAULT_GRAPH_KEY, NULL},
		{"{\"each\":[]}", BATCH_LINE_BAD, FAULT_GRAPH_KEY, NULL},
		{"{\"jobs\":[]}", BATCH_LINE_BAD, FAULT_GRAPH_KEY, NULL},
		{"{\"url\":\"http://x/{{0}}\"}", BATCH_LINE_BAD, FAULT_GRAPH_UNKNOWN_JOB, NULL},
		{"{\"json\":[{\"a\":\"\\u007b{1.status}}\"}]}", BATCH_LINE_BAD,
			FAULT_GRAPH_UNKNOWN_JOB, NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text line = text_from(cases[i].line);
		struct fault fault = {.code = FAULT_NONE};

		ck_assert_msg(batch_line_read(&line, &fault) == cases[i].kind, "%s", cases[i].line);
		ck_assert_msg(fault.code == cases[i].code, "%s: %s", cases[i].line,
			fault_name(fault.code));
		if (cases[i].trimmed)
			ck_assert(text_is(line, cases[i].trimmed));
	}
}
END_TEST

/* -- Chunks ------------------------------------------------------------------------------------ */

static void chunk_add(struct batch_chunk *chunk, uint64_t line, const char *text)
{
	struct batch_job job = {.line = line, .turn = line};

	ck_assert(batch_chunk_add(chunk, &job, text_from(text)));
}

static void chunk_expect(const struct batch_chunk *chunk, const char *wanted)
{
	struct buffer out;

	buffer_init(&out, 65536);
	batch_chunk_document(chunk, TEXT("{\"jobs\":"), &out);
	buffer_append_byte(&out, '\0');
	ck_assert_str_eq(out.data, wanted);
	buffer_deinit(&out);
}

START_TEST(a_chunk_is_a_document)
{
	struct batch_chunk *chunk = batch_chunk_new();

	chunk->concurrency = 2;
	chunk_expect(chunk, "{\"jobs\":[],\"concurrency\":2}");
	chunk_add(chunk, 7, "http://a/{b}");
	chunk_add(chunk, 8, "{\"url\":\"http://b\"}");
	chunk_add(chunk, 9, "c");
	chunk_expect(chunk, "{\"jobs\":[{\"url\":\"http://a/%7Bb%7D\"},{\"url\":\"http://b\"},"
			    "{\"url\":\"http://c\"}],\"concurrency\":2}");
	batch_chunk_get(chunk, 0)->is_settled = true;
	batch_chunk_get(chunk, 2)->is_settled = true;
	batch_chunk_shrink(chunk);
	ck_assert_uint_eq(chunk->n_jobs, 1);
	ck_assert_uint_eq(batch_chunk_get(chunk, 0)->line, 8);
	chunk_expect(chunk, "{\"jobs\":[{\"url\":\"http://b\"}],\"concurrency\":2}");
	batch_chunk_free(chunk);
}
END_TEST

/* Its places on the wire, or fewer where it has fewer jobs left. */
START_TEST(a_chunk_gives_its_places_back_as_it_ends)
{
	static const uint32_t shares[] = {2, 2, 2, 1, 0};
	struct batch_chunk *chunk = batch_chunk_new();

	for (uint64_t i = 0; i < 4; i++)
		chunk_add(chunk, i, "a");
	chunk->concurrency = 2;
	for (uint32_t i = 0; i < countof(shares); i++) {
		chunk->n_settled = i;
		ck_assert_uint_eq(batch_chunk_share(chunk), shares[i]);
	}
	batch_chunk_free(chunk);
}
END_TEST

START_TEST(an_error_is_some_lines_or_all_lines_fault)
{
	static const struct {
		const char *at;
		uint32_t place;
	} cases[] = {
		{"/jobs/0", 0},
		{"/jobs/1/url", 1},
		{"/jobs/2", UINT32_MAX},
		{"/jobs/x", UINT32_MAX},
		{"/jobs", UINT32_MAX},
		{"/defaults/headers/host", UINT32_MAX},
		{"", UINT32_MAX},
	};
	struct batch_chunk *chunk = batch_chunk_new();

	chunk_add(chunk, 7, "a");
	chunk_add(chunk, 8, "b");
	for (size_t i = 0; i < countof(cases); i++)
		ck_assert_uint_eq(batch_chunk_place(chunk, text_from(cases[i].at)), cases[i].place);
	batch_chunk_free(chunk);
}
END_TEST

/* -- The log ----------------------------------------------------------------------------------- */

static struct batch_log_row log_row(uint64_t line, const char *command, bool is_rejected)
{
	return (struct batch_log_row){
		.line = line,
		.command = text_from(command),
		.json = TEXT("{\"value\":{\"bytes\":41},\"time\":{\"start\":0.5,\"queue\":1,"
			     "\"end\":13.25}}"),
		.submitted_unix_ns = UINT64_C(1700000000123000000),
		.is_rejected = is_rejected,
	};
}

START_TEST(a_log_is_read_as_it_was_written)
{
	char path[] = "/tmp/settle-test.XXXXXX", line[256], wanted[4096];
	struct batch_log_row row = log_row(4, "http://x/\tb", false);
	struct options options;
	struct batch_log log;
	FILE *file;
	size_t size;

	close(mkstemp(path));
	snprintf(line, sizeof(line), "batch --joblog %s", path);
	words_parse(line, &options);
	ck_assert_int_eq(batch_log_open(&log, &options), 0);
	batch_log_append(&log, &row);
	row = log_row(5, "{}", true);
	batch_log_append(&log, &row);
	ck_assert_int_eq(batch_log_flush(&log), 0);
	batch_log_close(&log);
	option_deinit(&options);
	file = fopen(path, "re");
	size = fread(wanted, 1, sizeof(wanted) - 1, file);
	wanted[size] = '\0';
	fclose(file);
	ck_assert_str_eq(wanted,
		"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
		"5\t:\t1700000000.124\t0.011\t0\t41\t0\t0\thttp://x/?b\n"
		"6\t:\t1700000000.124\t0.011\t0\t41\t1\t0\t{}\n");
	snprintf(line, sizeof(line), "batch --resume-from %s", path);
	words_parse(line, &options);
	ck_assert_int_eq(batch_log_open(&log, &options), 0);
	ck_assert(batch_log_has(&log, 4, TEXT("http://x/\tb")));
	ck_assert(!batch_log_has(&log, 4, TEXT("http://x/")));
	ck_assert(!batch_log_has(&log, 5, TEXT("{}")));
	ck_assert(!batch_log_has(&log, 3, TEXT("http://x/\tb")));
	ck_assert(!batch_log_has(&log, 1000000, TEXT("{}")));
	batch_log_close(&log);
	option_deinit(&options);
	unlink(path);
}
END_TEST

/* -- The whole --------------------------------------------------------------------------------- */

#define HEAD         "{\"defaults\":{},\"jobs\":"
#define ACCEPTED(id) "{\"id\":" id ",\"accepted\":{\"jobs\":2}}\n"
#define DONE(id)     "{\"id\":" id ",\"done\":{\"status\":\"fulfilled\",\"jobs\":2}}\n"
#define RECORD(name)                                                                               \
	"{\"job\":\"" name "\",\"index\":" name ",\"status\":\"fulfilled\",\"via\":\"network\","   \
	"\"value\":{\"status\":200,\"headers\":{},\"bytes\":0},\"time\":{}}"
#define REJECTED(name)                                                                             \
	"{\"job\":\"" name "\",\"index\":" name ",\"status\":\"rejected\",\"reason\":{\"code\":"   \
	"\"CONNECT_REFUSED\",\"message\":\"no\"},\"time\":{}}"
#define SETTLED(id, record) "{\"id\":" id ",\"settled\":" record "}\n"

struct batch_world {
	struct peer peer;
	struct session session;
	struct batch_log log;
	struct batch_options options;
	struct sink sink;
	int out[2];
};

/* All that the daemon will say is said beforehand; `lines` is all of the input. */
static void batch_begin(struct batch_world *world, const char *lines, const char *said)
{
	int fds[2];

	message_silence();
	ck_assert_int_eq(interrupt_init(), 0);
	*world = (struct batch_world){.peer = peer_open()};
	world->session.settle = world->peer.settle;
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], lines, strlen(lines)), (ssize_t)strlen(lines));
	close(fds[1]);
	ck_assert_int_eq(pipe(world->out), 0);
	sink_init(&world->sink, world->out[1], SINK_RAW);
	sink_init(&world->log.sink, -1, SINK_RAW);
	peer_say(&world->peer, said);
	world->options = (struct batch_options){
		.session = &world->session,
		.render = render_jsonl_new(&(struct render_options){.sink = &world->sink}),
		.sink = &world->sink,
		.log = &world->log,
		.head = TEXT(HEAD),
		.fd = fds[0],
		.window = 8,
	};
}

/* Everything ended; the status is this, and so is what was written. */
static void batch_expect(struct batch_world *world, int status, const char *wanted)
{
	char text[8192];
	ssize_t size;

	shutdown(world->peer.fd, SHUT_WR);
	ck_assert_int_eq(batch_run(&world->options), status);
	close(world->out[1]);
	size = read(world->out[0], text, sizeof(text) - 1);
	ck_assert_int_ge(size, 0);
	text[size] = '\0';
	ck_assert_str_eq(text, wanted);
	close(world->out[0]);
	close(world->options.fd);
	render_free(world->options.render);
	sink_deinit(&world->sink);
	sink_deinit(&world->log.sink);
	peer_close(&world->peer);
}

#define LINE(n)                                                                                    \
	"{\"job\":\"" n "\",\"index\":" n                                                          \
	",\"status\":\"fulfilled\",\"via\":\"network\",\"value\":"                                 \
	"{\"status\":200,\"headers\":{},\"bytes\":0,\"body\":\"\"},\"time\":{}}\n"

START_TEST(records_are_named_by_their_line)
{
	struct batch_world world;

	batch_begin(&world, "# one\nhttp://a\n\nhttp://b\n",
		ACCEPTED("1") SETTLED("1", RECORD("1")) SETTLED("1", RECORD("0")) DONE("1"));
	batch_expect(&world, EXIT_FULFILLED, LINE("3") LINE("1"));
}
END_TEST

START_TEST(an_empty_input_asks_nothing)
{
	struct batch_world world;

	batch_begin(&world, "\n#\n", "");
	batch_expect(&world, EXIT_FULFILLED, "");
}
END_TEST

START_TEST(order_is_kept_where_it_is_wanted)
{
	struct batch_world world;

	batch_begin(&world, "http://a\nhttp://b\n",
		ACCEPTED("1") SETTLED("1", RECORD("1")) SETTLED("1", RECORD("0")) DONE("1"));
	world.options.keep_order = true;
	batch_expect(&world, EXIT_FULFILLED, LINE("0") LINE("1"));
}
END_TEST

START_TEST(a_bad_line_is_taken_out_and_the_rest_sent_again)
{
	struct batch_world world;

	batch_begin(&world, "http://a\nhttp://b b\nhttp://c\n",
		"{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"URL_INVALID\",\"at\":"
		"\"/jobs/1/url\",\"message\":\"no\"}]}}\n" ACCEPTED("2") SETTLED("2", RECORD("1"))
			SETTLED("2", RECORD("0")) DONE("2"));
	world.options.keep_order = true;
	batch_expect(&world, EXIT_REJECTED, LINE("0") LINE("2"));
}
END_TEST

START_TEST(what_all_lines_share_ends_it)
{
	struct batch_world world;

	batch_begin(&world, "http://a\nhttp://b\n",
		"{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"HEADER_INVALID\",\"at\":"
		"\"/defaults/headers/host\",\"message\":\"no\"}]}}\n");
	batch_expect(&world, EXIT_REFUSED, "");
	batch_begin(&world, "http://a\n",
		"{\"id\":1,\"refused\":{\"errors\":[{\"code\":\"DRAINING\",\"at\":\"\","
		"\"message\":\"no\"}]}}\n");
	batch_expect(&world, EXIT_POLICY, "");
}
END_TEST

START_TEST(exits_as_the_contract_says)
{
	struct batch_world world;

	batch_begin(&world, "http://a\nhttp://b\n",
		ACCEPTED("1") SETTLED("1", RECORD("0")) SETTLED("1", REJECTED("1")) DONE("1"));
	batch_expect(&world, EXIT_REJECTED, LINE("0") REJECTED("1") "\n");
	batch_begin(&world, "http://a\nhttp://b\n", ACCEPTED("1") SETTLED("1", RECORD("0")));
	batch_expect(&world, EXIT_DAEMON, LINE("0"));
	batch_begin(&world, "{\nhttp://b\n", ACCEPTED("1") SETTLED("1", RECORD("0")) DONE("1"));
	batch_expect(&world, EXIT_REJECTED, LINE("1"));
	batch_begin(&world, "http://a\n", "garbage\n");
	batch_expect(&world, EXIT_DAEMON, "");
}
END_TEST

START_TEST(the_first_signal_cancels)
{
	struct batch_world world;

	batch_begin(&world, "http://a\nhttp://b\n",
		ACCEPTED("1") SETTLED("1", RECORD("0")) SETTLED("1", REJECTED("1")) DONE("1"));
	raise(SIGTERM);
	batch_expect(&world, EXIT_SIGNAL + SIGTERM, LINE("0") REJECTED("1") "\n");
}
END_TEST

UNIT_MAIN("client/batch", &a_line_is_a_url_or_a_job, &a_chunk_is_a_document,
	&a_chunk_gives_its_places_back_as_it_ends, &an_error_is_some_lines_or_all_lines_fault,
	&a_log_is_read_as_it_was_written, &records_are_named_by_their_line,
	&an_empty_input_asks_nothing, &order_is_kept_where_it_is_wanted,
	&a_bad_line_is_taken_out_and_the_rest_sent_again, &what_all_lines_share_ends_it,
	&exits_as_the_contract_says, &the_first_signal_cancels)
