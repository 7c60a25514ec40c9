/* SPDX-License-Identifier: MIT */
#include "sim_outcome.h"

#include <math.h>
#include <string.h>

#include "sim_graph.h"
#include "sim_oracle.h"
#include "sim_ring.h"
#include "sim_server.h"
#include "sim_world.h"
#include "util/clock.h"

/*
 * Every rejection needs its reason: a code is fair only where the world did what it says. What
 * has no code of its own here was noted when it was done to the job (job->codes).
 */

/* How late a deadline may be: a slow turn, and the wheel's tick. */
#define SIM_LATE_US ((SIM_SLOW_TURN_NS + 2 * NS_PER_MS) / 1000)
/* Times are written in milliseconds with three digits behind the point. */
#define SIM_ROUNDING_US 2

/* A client that is to get less can be written to at once. */
#define SIM_OUTPUT_FREE ((uint64_t)64 * 1024)
#define SIM_JOBS_FREE   100

/* How long it may take to cancel a graph's last job. */
#define SIM_CANCEL_US 100000

#define SIM_JOB_TIMEOUT_NS     (60 * NS_PER_S)
#define SIM_ATTEMPT_TIMEOUT_NS (30 * NS_PER_S)
#define SIM_CONNECT_TIMEOUT_NS (10 * NS_PER_S)
#define SIM_IDLE_TIMEOUT_NS    (30 * NS_PER_S)

/* A record, read. */
struct sim_record {
	struct sim_job *job;
	yyjson_val *object, *value, *reason, *response;
	struct text payload;
	enum fault_code code;
	uint64_t start_us, queue_us, end_us;
	/* From the first slot to the end. */
	uint64_t held_us;
};

static const char *sim_string(yyjson_val *object, const char *name)
{
	const char *string = yyjson_get_str(yyjson_obj_get(object, name));

	return string ? string : "";
}

static uint64_t sim_record_time(const struct sim_record *record, const char *name)
{
	yyjson_val *value = yyjson_obj_get(yyjson_obj_get(record->object, "time"), name);

	if (!yyjson_is_num(value) || yyjson_get_num(value) < 0)
		sim_fail("job %u: its record has no time %s", record->job->key, name);
	return (uint64_t)llround(yyjson_get_num(value) * 1000);
}

static struct sim_record sim_record_read(
	struct sim_graph *graph, yyjson_val *object, struct text payload)
{
	struct sim_record record = {.object = object, .payload = payload};
	uint64_t index = yyjson_get_uint(yyjson_obj_get(object, "index"));
	bool is_fulfilled = strcmp(sim_string(object, "status"), "fulfilled") == 0;
	yyjson_val *code;

	if (index >= graph->n_jobs)
		sim_fail("a record of job number %llu", (unsigned long long)index);
	record.job = &graph->jobs[index];
	if (strcmp(sim_string(object, "job"), record.job->id) != 0)
		sim_fail("job %u: its record is of %s", record.job->key, sim_string(object, "job"));
	record.value = yyjson_obj_get(object, "value");
	record.reason = yyjson_obj_get(object, "reason");
	if (is_fulfilled ? !record.value || record.reason : !record.reason || record.value)
		sim_fail("job %u: its record has not just what its status wants", record.job->key);
	if (!is_fulfilled && strcmp(sim_string(object, "status"), "rejected") != 0)
		sim_fail("job %u: settled as %s", record.job->key, sim_string(object, "status"));
	code = yyjson_obj_get(record.reason, "code");
	record.code =
		record.reason
			? fault_from_name((struct text){yyjson_get_str(code), yyjson_get_len(code)})
			: FAULT_NONE;
	if (record.reason && record.code == FAULT_NONE)
		sim_fail("job %u: rejected with no code", record.job->key);
	record.response = record.reason ? yyjson_obj_get(record.reason, "response") : record.value;
	record.start_us = sim_record_time(&record, "start");
	record.queue_us = sim_record_time(&record, "queue");
	record.end_us = sim_record_time(&record, "end");
	if (record.end_us + SIM_ROUNDING_US < record.start_us + record.queue_us)
		sim_fail("job %u: its times do not add up", record.job->key);
	if (record.end_us > record.start_us + record.queue_us)
		record.held_us = record.end_us - record.start_us - record.queue_us;
	return record;
}

/* -- Deadlines ---------------------------------------------------------------------------- */

static uint64_t sim_us(uint64_t ns, uint64_t otherwise_ns)
{
	return (ns ? ns : otherwise_ns) / 1000;
}

/* True where something keeps the job waiting for long; all else takes less than some seconds. */
static bool sim_job_is_slow(const struct sim_job *job)
{
	const struct sim_origin *origin = job->origin;

	switch (job->reply.fault) {
	case SIM_REPLY_STALL:
	case SIM_REPLY_STALL_HEAD:
	case SIM_REPLY_STALL_BODY: return true;
	default: break;
	}
	for (unsigned i = 0; i < origin->n_addresses; i++) {
		if (origin->addresses[i].behaviour == SIM_DEAD)
			return true;
	}
	return origin->lookup == SIM_LOOKUP_STUCK;
}

/* The time that has passed, and a reason for it where the document set no limit. */
static bool sim_limit_is_over(
	const struct sim_record *record, uint64_t limit_ns, uint64_t otherwise_ns)
{
	if (!limit_ns && !sim_job_is_slow(record->job))
		return false;
	return record->held_us + SIM_ROUNDING_US >= sim_us(limit_ns, otherwise_ns);
}

static bool sim_timeout_is_fair(const struct sim_record *record)
{
	const struct sim_timeouts *timeouts = &record->job->timeouts;

	switch (record->code) {
	case FAULT_JOB_TIMEOUT:
		return sim_limit_is_over(record, timeouts->job_ns, SIM_JOB_TIMEOUT_NS);
	case FAULT_ATTEMPT_TIMEOUT:
		return sim_limit_is_over(record, timeouts->attempt_ns, SIM_ATTEMPT_TIMEOUT_NS);
	case FAULT_CONNECT_TIMEOUT:
		return sim_limit_is_over(record, timeouts->connect_ns, SIM_CONNECT_TIMEOUT_NS);
	case FAULT_IDLE_TIMEOUT:
		return sim_limit_is_over(record, timeouts->idle_ns, SIM_IDLE_TIMEOUT_NS);
	case FAULT_FIRST_BYTE_TIMEOUT:
		return timeouts->first_byte_ns &&
		       record->held_us + SIM_ROUNDING_US >= timeouts->first_byte_ns / 1000;
	case FAULT_QUEUE_TIMEOUT:
		return timeouts->queue_ns &&
		       record->queue_us + SIM_ROUNDING_US >= timeouts->queue_ns / 1000;
	default: return false;
	}
}

/* Nobody is kept waiting beyond a deadline. */
static void sim_outcome_check_times(const struct sim_record *record)
{
	const struct sim_timeouts *timeouts = &record->job->timeouts;
	uint64_t job_us = sim_us(timeouts->job_ns, SIM_JOB_TIMEOUT_NS);
	uint64_t attempt_us = sim_us(timeouts->attempt_ns, SIM_ATTEMPT_TIMEOUT_NS);
	uint64_t bound_us = job_us < attempt_us ? job_us : attempt_us;

	if (record->held_us > bound_us + SIM_LATE_US)
		sim_fail("job %u: settled after %llu us, its deadline was after %llu",
			record->job->key, (unsigned long long)record->held_us,
			(unsigned long long)bound_us);
	if (timeouts->queue_ns && record->queue_us > timeouts->queue_ns / 1000 + SIM_LATE_US)
		sim_fail("job %u: waited %llu us for a slot, it wanted to wait %llu",
			record->job->key, (unsigned long long)record->queue_us,
			(unsigned long long)timeouts->queue_ns / 1000);
}

/* Where nothing bounds it, a job does not wait. */
static void sim_outcome_check_queue(const struct sim_record *record)
{
	const struct sim_graph *graph = record->job->graph;

	if (graph->concurrency || sim_model.requests_max != UINT32_MAX ||
		sim_model.requests_per_origin_max != UINT32_MAX)
		return;
	if (graph->client->body_bytes > SIM_OUTPUT_FREE || graph->n_jobs > SIM_JOBS_FREE)
		return;
	if (record->queue_us > 0)
		sim_fail("job %u: waited %llu us for a slot, and nothing bounds it",
			record->job->key, (unsigned long long)record->queue_us);
}

/* What cancels a graph cancels it now. */
static void sim_outcome_check_cancel(const struct sim_record *record)
{
	const struct sim_graph *graph = record->job->graph;
	const char *by = sim_string(record->reason, "by");
	uint64_t since_us = 0;

	if (strcmp(by, "fail_fast") == 0)
		since_us = graph->first_rejection->end_us;
	else if (strcmp(by, "timeout") == 0)
		since_us = graph->timeout_ns / 1000;
	else
		return;
	if (record->end_us > since_us + SIM_CANCEL_US)
		sim_fail("job %u was cancelled %llu us late", record->job->key,
			(unsigned long long)(record->end_us - since_us));
}

/* A job is ready in the very turn in which its last dependency settles. */
static void sim_outcome_check_start(const struct sim_record *record)
{
	const struct sim_job *job = record->job;
	uint64_t ready_us = 0;

	for (unsigned i = 0; i < job->n_deps; i++) {
		if (!job->deps[i]->is_settled)
			sim_fail("job %u was sent before job %u had settled", job->key,
				job->deps[i]->key);
		if (job->deps[i]->end_us > ready_us)
			ready_us = job->deps[i]->end_us;
	}
	if (record->start_us + SIM_ROUNDING_US < ready_us ||
		record->start_us > ready_us + SIM_ROUNDING_US)
		sim_fail(
			"job %u: ready after %llu us, the last of its dependencies settled at %llu",
			job->key, (unsigned long long)record->start_us,
			(unsigned long long)ready_us);
}

/* -- Reasons ------------------------------------------------------------------------------ */

static bool sim_dependency_is_fair(const struct sim_record *record)
{
	const struct sim_job *job = record->job;
	const struct sim_graph *graph = job->graph;
	const char *name = sim_string(record->reason, "job");
	const char *root = sim_string(record->reason, "root");
	bool has_job = false, has_root = false;

	if (job->needs_settled || job->n_sent > 0)
		return false;
	for (unsigned i = 0; i < job->n_deps; i++)
		has_job |= strcmp(job->deps[i]->id, name) == 0 && job->deps[i]->is_rejected;
	for (unsigned i = 0; i < graph->n_jobs; i++)
		has_root |= strcmp(graph->jobs[i].id, root) == 0 && graph->jobs[i].is_rejected &&
			    graph->jobs[i].code != FAULT_DEPENDENCY_REJECTED;
	return has_job && has_root;
}

static bool sim_cancel_is_fair(const struct sim_record *record)
{
	const struct sim_graph *graph = record->job->graph;
	const char *by = sim_string(record->reason, "by");

	if (strcmp(by, "fail_fast") == 0)
		return graph->is_all && graph->first_rejection;
	if (strcmp(by, "client") == 0)
		return graph->is_cancelled || record->job->is_cancelled;
	if (strcmp(by, "timeout") == 0)
		return graph->timeout_ns &&
		       record->end_us + SIM_ROUNDING_US >= graph->timeout_ns / 1000;
	if (strcmp(by, "disconnect") == 0)
		return graph->client->is_over || graph->client->is_rude;
	if (strcmp(by, "shutdown") == 0)
		return sim_model.drain_ns != 0;
	return false;
}

/* Where can a connection for this job go wrong for good? */
static bool sim_connect_is_fair(const struct sim_record *record)
{
	const struct sim_job *job = record->job;
	const struct sim_origin *origin = job->origin;
	enum sim_behaviour wanted =
		record->code == FAULT_CONNECT_REFUSED ? SIM_REFUSES : SIM_UNREACHABLE;
	bool is_found = false;

	if (sim_codes_has(&origin->codes, record->code))
		return true;
	if (record->code == FAULT_CONNECT_RESET || job->is_resolved)
		return false;
	for (unsigned i = 0; i < origin->n_addresses; i++) {
		/* One that would have answered: unless something else kept it from being tried. */
		if (origin->addresses[i].behaviour == SIM_ALIVE &&
			sim_codes_is_empty(&origin->codes) && !sim_model.has_local_trouble)
			return false;
		is_found |= origin->addresses[i].behaviour == wanted;
	}
	return is_found;
}

static bool sim_reason_is_fair(const struct sim_record *record)
{
	const struct sim_job *job = record->job;

	switch (record->code) {
	case FAULT_DEPENDENCY_REJECTED: return sim_dependency_is_fair(record);
	case FAULT_CANCELLED: return sim_cancel_is_fair(record);
	case FAULT_HTTP_STATUS:
		return job->is_answered && job->reply.status >= 400 && !job->any_status_ok;
	case FAULT_BODY_TOO_LARGE:
		/* A bad chunk may bring bytes of its own. */
		return job->n_sent > 0 && job->max_body &&
		       (sim_reply_size(job) > job->max_body ||
			       job->reply.fault == SIM_REPLY_BAD_CHUNK);
	case FAULT_REF_MISSING:
	case FAULT_REF_NOT_JSON:
	case FAULT_TEMPLATE_UNSAFE: {
		struct sim_filled filled = sim_fill(job);

		return job->n_sent == 0 && sim_codes_has(&filled.codes, record->code);
	}
	case FAULT_CONNECT_LOCAL:
		return sim_model.has_local_trouble || sim_world.memory_failed ||
		       sim_codes_has(&job->origin->codes, record->code);
	case FAULT_CONNECT_REFUSED:
	case FAULT_CONNECT_UNREACHABLE:
	case FAULT_CONNECT_RESET: return sim_connect_is_fair(record);
	case FAULT_DNS_NOT_FOUND:
	case FAULT_DNS_TEMPORARY:
	case FAULT_DNS_TIMEOUT:
		if (record->code == FAULT_DNS_TEMPORARY && sim_world.memory_failed)
			return true;
		return sim_codes_has(&job->origin->codes, record->code);
	case FAULT_SHUTDOWN: return sim_model.drain_ns != 0;
	case FAULT_OVERLOADED: return sim_world.memory_failed;
	default: return sim_timeout_is_fair(record) || sim_codes_has(&job->codes, record->code);
	}
}

/* -- Responses and requests --------------------------------------------------------------- */

static void sim_outcome_check_response(const struct sim_record *record)
{
	const struct sim_job *job = record->job;
	yyjson_val *headers = yyjson_obj_get(record->response, "headers");
	size_t size = sim_reply_size(job);
	bool has_payload = !job->is_omitted && !job->is_discarded;

	if (!job->is_answered)
		sim_fail("job %u: its record shows a response that has not come", job->key);
	if (yyjson_get_uint(yyjson_obj_get(record->response, "status")) != job->reply.status)
		sim_fail("job %u: its record has another status", job->key);
	if (strcmp(sim_string(headers, "x-k"), sim_format("%u", job->key)) != 0)
		sim_fail("job %u: its record has another's headers", job->key);
	if (yyjson_get_uint(yyjson_obj_get(record->response, "bytes")) != size)
		sim_fail("job %u: its record has %llu bytes, its response %zu", job->key,
			(unsigned long long)yyjson_get_uint(
				yyjson_obj_get(record->response, "bytes")),
			size);
	if (record->payload.size != (has_payload ? size : 0))
		sim_fail("job %u: %zu bytes of payload for a body of %zu", job->key,
			record->payload.size, size);
	if (has_payload && size && memcmp(record->payload.data, job->reply.body, size) != 0)
		sim_fail("job %u: its body is not what its origin said", job->key);
}

/* The bodies are JSON of the same members in the same order. */
static bool sim_json_is_equal(const char *a, size_t a_size, const char *b)
{
	const yyjson_read_flag flags = YYJSON_READ_NUMBER_AS_RAW;
	yyjson_doc *one = yyjson_read(a, a_size, flags), *other = yyjson_read(b, strlen(b), flags);
	bool is_equal =
		one && other && yyjson_equals(yyjson_doc_get_root(one), yyjson_doc_get_root(other));

	yyjson_doc_free(one);
	yyjson_doc_free(other);
	return is_equal;
}

/* What its origin read is what the document and the records before it say. */
static void sim_outcome_check_request(const struct sim_record *record)
{
	const struct sim_job *job = record->job;
	struct sim_filled filled = sim_fill(job);

	if (filled.fails)
		sim_fail("job %u was sent, though a reference has no value", job->key);
	if (!job->target)
		return;
	if (strcmp(job->target, filled.target) != 0)
		sim_fail("job %u was sent to %s, not %s", job->key, job->target, filled.target);
	if (!!job->header != !!filled.header ||
		(job->header && strcmp(job->header, filled.header) != 0))
		sim_fail("job %u was sent with x-r: %s, not %s", job->key,
			job->header ? job->header : "(none)",
			filled.header ? filled.header : "(none)");
	if (!job->body)
		return;
	if (filled.json ? !sim_json_is_equal(job->body, job->body_size, filled.json)
			: job->body_size > 0)
		sim_fail("job %u was sent with the body %.*s, not %s", job->key,
			(int)(job->body_size < 200 ? job->body_size : 200), job->body,
			filled.json ? filled.json : "");
}

static void sim_outcome_check_sent(const struct sim_record *record)
{
	const struct sim_job *job = record->job;
	const char *sent = sim_string(record->reason, "sent");

	if (strcmp(sent, "none") != 0 && strcmp(sent, "partial") != 0 && strcmp(sent, "full") != 0)
		sim_fail("job %u: sent is \"%s\"", job->key, sent);
	if (job->n_sent == 0 && strcmp(sent, "none") != 0)
		sim_fail("job %u: sent is \"%s\", and it was not", job->key, sent);
	if (job->target && strcmp(sent, "none") == 0)
		sim_fail("job %u: sent is \"none\", and its origin has read it", job->key);
}

/* -- All of it ---------------------------------------------------------------------------- */

static void sim_outcome_check_mode(const struct sim_record *record)
{
	const struct sim_graph *graph = record->job->graph;

	if (!graph->is_all || !graph->first_rejection)
		return;
	if (record->code == FAULT_SHUTDOWN)
		return;
	if (record->code != FAULT_CANCELLED && record->code != FAULT_DEPENDENCY_REJECTED)
		sim_fail("job %u settled by itself after job %u had decided its graph",
			record->job->key, graph->first_rejection->key);
}

void sim_outcome_check(struct sim_graph *graph, yyjson_val *object, struct text payload)
{
	struct sim_record record = sim_record_read(graph, object, payload);
	struct sim_job *job = record.job;

	if (graph->state != SIM_GRAPH_ACCEPTED)
		sim_fail("job %u settled, but its graph is not running", job->key);
	if (job->is_settled)
		sim_fail("job %u settled twice", job->key);
	if (record.end_us < graph->last_us)
		sim_fail("job %u settled before one whose record came first", job->key);
	if (record.reason && !sim_reason_is_fair(&record))
		sim_fail("job %u: rejected with %s (%s), and nothing explains it", job->key,
			fault_name(record.code), sim_string(record.reason, "message"));
	sim_outcome_check_mode(&record);
	sim_outcome_check_times(&record);
	if (record.code == FAULT_CANCELLED)
		sim_outcome_check_cancel(&record);
	if (job->n_sent > 0) {
		sim_outcome_check_start(&record);
		sim_outcome_check_queue(&record);
		sim_outcome_check_request(&record);
	}
	if (record.reason)
		sim_outcome_check_sent(&record);
	else if (!sim_oracle_is_ok(job))
		sim_fail("job %u: fulfilled with a status or a size that is not ok", job->key);
	if (!record.reason || record.code == FAULT_HTTP_STATUS)
		sim_outcome_check_response(&record);
	else if (record.payload.size > 0)
		sim_fail("job %u: a payload where there is no body", job->key);

	graph->last_us = record.end_us;
	graph->n_settled++;
	graph->n_fulfilled += !record.reason;
	job->is_settled = true;
	job->is_rejected = record.reason != NULL;
	job->code = record.code;
	job->end_us = record.end_us;
	if (job->is_rejected && !job->is_optional && !graph->first_rejection)
		graph->first_rejection = job;
}
