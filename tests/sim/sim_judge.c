/* SPDX-License-Identifier: MIT */
#include "sim_judge.h"

#include <math.h>
#include <string.h>

#include "sim_json.h"
#include "sim_oracle.h"
#include "sim_world.h"

/* Bytes said to a client from which on its graphs may be held back. */
#define SIM_OUTPUT_FREE ((uint64_t)200 * 1024)

const char *sim_member(yyjson_val *object, const char *name)
{
	const char *string = yyjson_get_str(yyjson_obj_get(object, name));

	return string ? string : "";
}

bool sim_is_hurried(const struct sim_graph *graph)
{
	return sim_world.memory_failed || graph->client->n_heard > SIM_OUTPUT_FREE;
}

/* -- Reading ------------------------------------------------------------------------------ */

static uint64_t sim_time(const struct sim_record *record, yyjson_val *times, const char *name)
{
	yyjson_val *value = yyjson_obj_get(times, name);

	if (!yyjson_is_num(value) || yyjson_get_num(value) < 0)
		sim_fail("%s: its record has no time %s", record->instance->id, name);
	return (uint64_t)llround(yyjson_get_num(value) * 1000);
}

static enum fault_code sim_code_of(yyjson_val *object)
{
	yyjson_val *code = yyjson_obj_get(object, "code");

	return fault_from_name((struct text){yyjson_get_str(code), yyjson_get_len(code)});
}

static unsigned sim_word(const char *word, const char *const *words, unsigned n_words)
{
	for (unsigned i = 0; i < n_words; i++) {
		if (strcmp(word, words[i]) == 0)
			return i;
	}
	sim_fail("a record says \"%s\"", word);
}

static void sim_record_read_tries(struct sim_record *record)
{
	yyjson_val *tries = yyjson_obj_get(record->object, "tries"), *try;
	size_t i, n;

	record->has_tries = tries != NULL;
	if (tries && yyjson_arr_size(tries) != record->n_attempts)
		sim_fail("%s: its record tells of %zu of %u attempts", record->instance->id,
			yyjson_arr_size(tries), record->n_attempts);
	if (!tries && record->n_attempts > 1)
		sim_fail("%s: its record does not tell of its attempts", record->instance->id);
	yyjson_arr_foreach(tries, i, n, try)
	{
		yyjson_val *times = yyjson_obj_get(try, "time");
		struct sim_attempt *attempt = &record->attempts[i];

		attempt->code = yyjson_obj_get(try, "code") ? sim_code_of(try) : FAULT_NONE;
		attempt->status = (uint16_t)yyjson_get_uint(yyjson_obj_get(try, "status"));
		attempt->start_us = sim_time(record, times, "start");
		attempt->queue_us = sim_time(record, times, "queue");
		attempt->end_us = sim_time(record, times, "end");
		attempt->backoff_us =
			(uint64_t)llround(yyjson_get_num(yyjson_obj_get(try, "backoff")) * 1000);
	}
}

static void sim_record_read_attempts(struct sim_record *record)
{
	record->n_attempts = (unsigned)yyjson_get_uint(yyjson_obj_get(record->object, "attempts"));
	if (record->n_attempts > SIM_ATTEMPTS_MAX)
		sim_fail("%s: %u attempts", record->instance->id, record->n_attempts);
	record->attempts[0] = (struct sim_attempt){
		.code = record->code,
		.status = (uint16_t)yyjson_get_uint(yyjson_obj_get(record->response, "status")),
		.start_us = record->start_us,
		.queue_us = record->queue_us,
		.end_us = record->end_us,
	};
	sim_record_read_tries(record);
}

static void sim_record_read_how(struct sim_record *record)
{
	static const char *const vias[] = {"", "network", "fallback", "skipped", "dedupe"};
	static const char *const bys[] = {
		"", "fail_fast", "winner", "client", "disconnect", "timeout", "shutdown"};
	const char *id = record->instance->id;
	const char *status = sim_member(record->object, "status");
	bool is_fulfilled = strcmp(status, "fulfilled") == 0;
	yyjson_val *cause = yyjson_obj_get(record->object, "cause");

	record->value = yyjson_obj_get(record->object, "value");
	record->reason = yyjson_obj_get(record->object, "reason");
	record->is_rejected = !is_fulfilled;
	if (is_fulfilled ? !record->value || record->reason : !record->reason || record->value)
		sim_fail("%s: its record has not just what its status wants", id);
	if (!is_fulfilled && strcmp(status, "rejected") != 0)
		sim_fail("%s: settled as %s", id, status);
	record->via = (enum sim_via)sim_word(sim_member(record->object, "via"), vias, 5);
	if ((record->via == SIM_VIA_FALLBACK) != (cause != NULL))
		sim_fail("%s: a fallback has a cause, and nothing else has", id);
	if (cause)
		record->reason = cause;
	record->code = record->reason ? sim_code_of(record->reason) : FAULT_NONE;
	if (record->reason && record->code == FAULT_NONE)
		sim_fail("%s: rejected with no code", id);
	record->by = (enum sim_by)sim_word(sim_member(record->reason, "by"), bys, 7);
	if (yyjson_obj_get(record->object, "of")) {
		record->leader = sim_tree_find(record->graph, sim_member(record->object, "of"));
		if (!record->leader || record->leader == record->instance)
			sim_fail("%s: shared a flight of \"%s\"", id,
				sim_member(record->object, "of"));
	}
	if (!record->leader && record->via == SIM_VIA_DEDUPE)
		sim_fail("%s: shared the flight of nobody", id);
	record->response =
		record->reason ? yyjson_obj_get(record->reason, "response") : record->value;
}

static struct sim_record sim_record_read(
	struct sim_graph *graph, yyjson_val *object, struct text payload)
{
	struct sim_record record = {.graph = graph, .object = object, .payload = payload};
	const char *id = sim_member(object, "job");
	struct sim_instance *instance = sim_tree_find(graph, id);
	const struct sim_instance *item;
	yyjson_val *times = yyjson_obj_get(object, "time");

	if (!instance && sim_world.memory_failed)
		return record;
	if (!instance)
		sim_fail("a record of \"%s\", which there is not", id);
	record.instance = instance;
	item = sim_tree_item(instance);
	if (yyjson_get_uint(yyjson_obj_get(object, "index")) != instance->node->number)
		sim_fail("%s: its record has another index", id);
	if (yyjson_is_true(yyjson_obj_get(object, "group")) != (instance->role != SIM_LEAF))
		sim_fail("%s: its record does not say well whether it is a group", id);
	if ((yyjson_obj_get(object, "item") != NULL) != (item != NULL) ||
		(item && yyjson_get_uint(yyjson_obj_get(object, "item")) != item->place))
		sim_fail("%s: its record has another item", id);
	sim_record_read_how(&record);
	record.start_us = sim_time(&record, times, "start");
	record.end_us = sim_time(&record, times, "end");
	record.queue_us = sim_time(&record, times, "queue");
	if (instance->role == SIM_LEAF)
		sim_record_read_attempts(&record);
	if (record.end_us + SIM_ROUNDING_US < record.start_us)
		sim_fail("%s: its times do not add up", id);
	return record;
}

/* -- What was decided before -------------------------------------------------------------- */

static uint64_t sim_group_end_us(const struct sim_instance *group)
{
	return group->is_decided ? group->decided_us : group->ended_us;
}

/* Nothing settles by itself any more once what it is in was decided, timed out or cancelled. */
static void sim_judge_is_live(const struct sim_record *record, const struct sim_fate *fate)
{
	const struct sim_instance *holder = record->instance, *group;
	bool is_sealed = fate->kind == SIM_DOOMED || fate->kind == SIM_SKIPS;

	if (is_sealed)
		holder = fate->holder;
	/* A group that was decided before that says so, and not what came after. */
	if (holder->role != SIM_LEAF && holder->is_decided)
		return;
	/* So does one whose fate was sealed in that turn: its children came first. */
	is_sealed = (is_sealed && holder->role != SIM_LEAF) || fate->open ||
		    record->code == FAULT_GROUP_TIMEOUT;
	group = holder;
	while ((group = group->parent)) {
		uint64_t over_us = group->begin_us + group->begin_slack_us +
				   group->node->timeout_ns / 1000 + SIM_LATE_US;

		if (is_sealed && sim_is_at(record->end_us, sim_group_end_us(group), 0))
			return;
		if (group->is_settled || group->is_decided || group->is_ended)
			sim_fail("%s settled by itself after %s had come to its end",
				record->instance->id, group->parent ? group->id : "its graph");
		if (group->role == SIM_GROUP && group->node->timeout_ns && group->has_begun &&
			record->end_us > over_us)
			sim_fail("%s settled by itself after the timeout of %s",
				record->instance->id, group->parent ? group->id : "its graph");
	}
}

/* -- Fates -------------------------------------------------------------------------------- */

static void sim_judge_prompt(const struct sim_record *record, const struct sim_fate *fate)
{
	if (sim_is_hurried(record->graph))
		return;
	if (!sim_is_at(record->end_us, fate->at_us, fate->slack_us))
		sim_fail("%s: settled after %llu us, its fate was sealed after %llu",
			record->instance->id, (unsigned long long)record->end_us,
			(unsigned long long)fate->at_us);
}

/* Of what the cause itself was rejected for. */
static bool sim_is_root(const struct sim_instance *cause, const char *root)
{
	while (cause) {
		if (strcmp(cause->id, root) == 0 && cause->code != FAULT_DEPENDENCY_REJECTED)
			return true;
		if (cause->code == FAULT_DEPENDENCY_REJECTED)
			cause = cause->root;
		else if (cause->role != SIM_LEAF)
			cause = cause->decider;
		else
			cause = NULL;
	}
	return false;
}

static bool sim_is_dependency(const struct sim_instance *holder, const char *id)
{
	for (unsigned i = 0; i < holder->node->n_deps; i++) {
		const struct sim_instance *dep = sim_tree_see(holder, holder->node->deps[i]);

		if (dep->is_settled && dep->is_rejected && strcmp(dep->id, id) == 0)
			return true;
	}
	return false;
}

static void sim_judge_doomed(const struct sim_record *record, const struct sim_fate *fate)
{
	struct sim_instance *instance = record->instance;
	const char *job = sim_member(record->reason, "job"), *id = instance->id;
	const char *root = sim_member(record->reason, "root");

	if (fate->kind != SIM_DOOMED)
		sim_fail("%s: rejected for a dependency, and none of them explains it", id);
	/* One in a doomed group may have been told of its own dependency meanwhile. */
	if (!sim_is_dependency(fate->holder, job) && !sim_is_dependency(instance, job))
		sim_fail("%s: rejected for %s, which is no rejected dependency of it", id, job);
	if (!sim_is_root(fate->cause, root) &&
		!sim_is_root(sim_tree_find(record->graph, job), root))
		sim_fail("%s: rejected for %s, and the root of that is not %s", id, job, root);
	instance->root = sim_tree_find(record->graph, root);
	sim_judge_prompt(record, fate);
}

/* The value and the payload of a record whose body is the author's. */
static void sim_judge_given(const struct sim_record *record, const char *json)
{
	struct sim_instance *instance = record->instance;
	struct text given = text_from(json ? json : "null");
	uint64_t bytes = yyjson_get_uint(yyjson_obj_get(record->value, "bytes"));

	instance->body = given;
	instance->is_value = true;
	if (instance->role != SIM_LEAF)
		return;
	if (instance->node->is_omitted || sim_node_is_closed(instance->node)) {
		if (instance->node->is_omitted && record->payload.size > 0)
			sim_fail("%s: a payload of an omitted body", instance->id);
		return;
	}
	if (bytes != record->payload.size || !sim_json_is_equal(record->payload, given))
		sim_fail("%s: its body is %.*s, not %s", instance->id,
			(int)(record->payload.size < 200 ? record->payload.size : 200),
			record->payload.data, given.data);
}

static void sim_judge_skipped(const struct sim_record *record, const struct sim_fate *fate)
{
	struct sim_instance *instance = record->instance;

	if (fate->kind != SIM_SKIPS)
		sim_fail("%s: skipped, and there is no reason to", instance->id);
	sim_judge_prompt(record, fate);
	if (record->n_attempts > 0)
		sim_fail("%s: skipped after %u attempts", instance->id, record->n_attempts);
	/* `else` is its children's, as all but what it depends on. */
	sim_judge_given(record, instance->role == SIM_EACH ? NULL : instance->node->otherwise);
}

/* -- One that ran ------------------------------------------------------------------------- */

static void sim_judge_ready(const struct sim_record *record, const struct sim_fate *fate)
{
	const char *id = record->instance->id;

	/* What its children have decided, cancelled one by one, is so before it begins. */
	if (record->instance->role == SIM_GROUP && record->instance->is_decided)
		return;
	if (fate->kind == SIM_WAITS)
		sim_fail("%s ran, but what it needs had not settled", id);
	if (fate->kind == SIM_DOOMED)
		sim_fail("%s ran, but %s had been rejected", id, fate->cause->id);
	if (fate->kind == SIM_SKIPS)
		sim_fail("%s ran, but was to be skipped", id);
	if (record->instance->role == SIM_EACH || sim_is_hurried(record->graph))
		return;
	if (!sim_is_at(record->start_us, fate->at_us, fate->slack_us))
		sim_fail("%s: ready after %llu us, what it needs had settled after %llu", id,
			(unsigned long long)record->start_us, (unsigned long long)fate->at_us);
}

/* A fan-out begins with its items; that it has none is its own rejection. */
static bool sim_judge_items(const struct sim_record *record)
{
	struct sim_instance *each = record->instance;
	enum fault_code code = FAULT_NONE;

	if (each->role == SIM_EACH)
		code = sim_fate_expand(each);
	if (code == FAULT_NONE)
		return false;
	if (record->code != code)
		sim_fail("%s: settled as %s, its items are %s", each->id,
			sim_code_name(record->code), sim_code_name(code));
	return true;
}

static bool sim_judge_group_timeout(const struct sim_record *record)
{
	const struct sim_instance *group = record->instance;
	uint64_t timeout_us = group->node->timeout_ns / 1000;

	if (record->code != FAULT_GROUP_TIMEOUT)
		return false;
	if (group->role != SIM_GROUP || !timeout_us ||
		record->end_us + SIM_ROUNDING_US < group->begin_us + timeout_us)
		sim_fail("%s: timed out, but not in time", group->id);
	if (group->is_decided && group->decided_us + SIM_ROUNDING_US < record->end_us)
		sim_fail("%s: timed out after it had been decided", group->id);
	return true;
}

static void sim_judge_run(struct sim_record *record, const struct sim_fate *fate)
{
	sim_judge_ready(record, fate);
	if (record->instance->role == SIM_LEAF)
		sim_leaf_judge(record);
	else if (!sim_judge_items(record) && !sim_judge_group_timeout(record))
		sim_group_judge(record);
}

/* -- All of it ---------------------------------------------------------------------------- */

static bool sim_is_taken_down(const struct sim_record *record)
{
	return record->code == FAULT_CANCELLED || record->code == FAULT_SHUTDOWN;
}

static void sim_judge_taken_down(const struct sim_record *record)
{
	if (record->via == SIM_VIA_FALLBACK)
		sim_fail("%s: a fallback for what was cancelled", record->instance->id);
	if (record->code == FAULT_SHUTDOWN ? !sim_model.drain_ns : !sim_cancel_is_fair(record))
		sim_fail("%s: cancelled by %s, and nothing explains it", record->instance->id,
			sim_member(record->reason, "by"));
}

static void sim_judge_fallback(const struct sim_record *record)
{
	const struct sim_instance *instance = record->instance;
	bool may_have = instance->role != SIM_EACH && instance->node->fallback;

	if (record->via == SIM_VIA_FALLBACK) {
		if (!may_have)
			sim_fail("%s: has no fallback", instance->id);
		sim_judge_given(record, instance->node->fallback);
	} else if (may_have && record->is_rejected && !sim_is_taken_down(record)) {
		sim_fail("%s: rejected, but has a fallback", instance->id);
	}
}

static void sim_judge_outcome(struct sim_record *record)
{
	struct sim_fate fate;

	if (sim_is_taken_down(record)) {
		sim_judge_taken_down(record);
		record->graph->has_unknown_slots = true;
		if (record->instance->role == SIM_LEAF &&
			sim_fate_of(record->instance).kind == SIM_READY)
			sim_leaf_take_down(record);
		return;
	}
	if (record->code == FAULT_OVERLOADED && sim_world.memory_failed)
		return;
	fate = sim_fate_of(record->instance);
	/* It may have been either: the record says which. */
	if (fate.open && fate.kind != SIM_SKIPS && record->via == SIM_VIA_SKIPPED) {
		fate.kind = SIM_SKIPS;
		fate.holder = fate.open;
	}
	record->instance->is_inherited = (fate.kind == SIM_DOOMED || fate.kind == SIM_SKIPS) &&
					 fate.holder != record->instance;
	sim_judge_is_live(record, &fate);
	if (record->code == FAULT_DEPENDENCY_REJECTED)
		sim_judge_doomed(record, &fate);
	else if (record->via == SIM_VIA_SKIPPED)
		sim_judge_skipped(record, &fate);
	else
		sim_judge_run(record, &fate);
}

static void sim_judge_keep_group(struct sim_instance *group)
{
	group->body = sim_value_of_group(group);
	group->is_value =
		sim_instance_mode(group) < SIM_ANY || (group->decider && group->decider->is_value);
}

/* It is as its record says. */
static void sim_judge_apply(const struct sim_record *record)
{
	struct sim_instance *instance = record->instance;
	struct sim_graph *graph = record->graph;

	instance->is_settled = true;
	instance->is_rejected = record->is_rejected;
	instance->code = record->is_rejected ? record->code : FAULT_NONE;
	instance->via = record->via;
	instance->by = record->by;
	instance->start_us = record->start_us;
	instance->end_us = record->end_us;
	instance->order = graph->n_records++;
	graph->last_us = record->end_us;
	if (instance->role != SIM_LEAF && !record->is_rejected && record->via == SIM_VIA_NONE)
		sim_judge_keep_group(instance);
	sim_group_tell(instance);
}

void sim_judge(struct sim_graph *graph, yyjson_val *object, struct text payload)
{
	struct sim_record record = sim_record_read(graph, object, payload);
	const char *id = record.instance ? record.instance->id : "";

	if (!record.instance)
		return;
	if (graph->state != SIM_GRAPH_ACCEPTED)
		sim_fail("%s settled, but its graph is not running", id);
	if (record.instance->is_settled)
		sim_fail("%s settled twice", id);
	if (record.end_us < graph->last_us)
		sim_fail("%s settled before one whose record came first", id);
	/* Without memory values get lost, and what follows is not known. */
	if (!sim_world.memory_failed) {
		sim_judge_outcome(&record);
		sim_judge_fallback(&record);
	}
	if (record.is_rejected && record.code != FAULT_HTTP_STATUS && record.payload.size > 0)
		sim_fail("%s: a payload where there is no body", id);
	sim_judge_apply(&record);
}
