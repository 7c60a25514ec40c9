/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "sim_graph.h"
#include "sim_put.h"
#include "sim_server.h"
#include "sim_world.h"

/*
 * References by the book (settled-graph(5), "References"), from what the records said of the
 * dependencies: what must a request look like, or why must there be none?
 */

struct sim_value {
	/* NULL: there is none. */
	const char *text;
	/* As JSON, where it is to stand as a value. */
	const char *json;
	bool is_not_json;
};

static const char *sim_quote(const char *text)
{
	struct sim_bytes out = {0};

	sim_put(&out, "\"");
	sim_put_json(&out, text);
	sim_put(&out, "\"");
	return sim_put_end(&out);
}

static struct sim_value sim_value_body(const struct sim_ref *ref)
{
	const struct sim_reply *reply = &ref->job->reply;
	const char *object = "{\"a\":[1,2.50,\"x y\"]}";

	if (ref->kind == SIM_REF_BODY)
		return (struct sim_value){reply->body, reply->body, false};
	if (reply->content != SIM_JSON)
		return (struct sim_value){.is_not_json = true};
	switch (ref->kind) {
	case SIM_REF_KEY:
		return (struct sim_value){
			sim_format("%u", ref->job->key), sim_format("%u", ref->job->key), false};
	case SIM_REF_STRING:
		return (struct sim_value){reply->string, sim_quote(reply->string), false};
	case SIM_REF_NUMBER:
		return (struct sim_value){"9007199254740993", "9007199254740993", false};
	case SIM_REF_NULL: return (struct sim_value){"null", "null", false};
	case SIM_REF_OBJECT: return (struct sim_value){object, object, false};
	default: return (struct sim_value){0};
	}
}

static struct sim_value sim_value_of(const struct sim_ref *ref)
{
	const struct sim_job *job = ref->job;
	/* A response that was rejected for its status alone can be referred to. */
	bool has_response = !job->is_rejected || job->code == FAULT_HTTP_STATUS;

	switch (ref->kind) {
	case SIM_REF_OUTCOME:
		return (struct sim_value){job->is_rejected ? "rejected" : "fulfilled", NULL, false};
	case SIM_REF_CODE:
		return (struct sim_value){
			job->is_rejected ? fault_name(job->code) : "", NULL, false};
	default: break;
	}
	if (!has_response)
		return (struct sim_value){0};
	switch (ref->kind) {
	case SIM_REF_STATUS:
		return (struct sim_value){sim_format("%u", job->reply.status), NULL, false};
	case SIM_REF_HEADER: return (struct sim_value){sim_format("%u", job->key), NULL, false};
	default: return sim_value_body(ref);
	}
}

/* The value of the place's reference; `otherwise` where there is none. */
static struct sim_value sim_fill_place(const struct sim_job *job, enum sim_place place,
	const char *otherwise, struct sim_filled *filled)
{
	const struct sim_ref *ref = &job->refs[place];
	struct sim_value value;

	if (!ref->job)
		return (struct sim_value){otherwise, sim_quote(otherwise), false};
	value = sim_value_of(ref);
	if (!value.text && ref->has_default)
		value = (struct sim_value){"dflt", "\"dflt\"", false};
	if (!value.text) {
		sim_codes_add(
			&filled->codes, value.is_not_json ? FAULT_REF_NOT_JSON : FAULT_REF_MISSING);
		filled->fails = true;
		return (struct sim_value){"", "\"\"", false};
	}
	return value;
}

struct sim_filled sim_fill(const struct sim_job *job)
{
	struct sim_filled filled = {0};
	struct sim_bytes target = {0}, header = {0}, json = {0};
	struct sim_value value = sim_fill_place(job, SIM_IN_PATH, "p", &filled);

	sim_put(&target, "/%u/", job->key);
	sim_put_url(&target, value.text);
	if (strcmp(value.text, "..") == 0 || strcmp(value.text, ".") == 0) {
		sim_codes_add(&filled.codes, FAULT_TEMPLATE_UNSAFE);
		filled.fails = true;
	}
	sim_put(&target, "?q=");
	sim_put_url(&target, sim_fill_place(job, SIM_IN_QUERY, "q", &filled).text);
	filled.target = sim_put_end(&target);

	if (job->refs[SIM_IN_HEADER].job || job->key % 5 == 0) {
		value = sim_fill_place(job, SIM_IN_HEADER, "h", &filled);
		if (strpbrk(value.text, "\r\n")) {
			sim_codes_add(&filled.codes, FAULT_TEMPLATE_UNSAFE);
			filled.fails = true;
		}
		sim_put(&header, "<%s>", value.text);
		filled.header = sim_put_end(&header);
	}
	if (job->has_body) {
		value = sim_fill_place(job, SIM_IN_JSON, "j", &filled);
		sim_put(&json, "{\"v\":%s,\"t\":\"[", value.json);
		sim_put_json(&json, sim_fill_place(job, SIM_IN_JSON_TEXT, "t", &filled).text);
		sim_put(&json, "]\",\"p\":\"");
		for (size_t i = 0; i < job->padding; i++)
			sim_bytes_append(&json, "p", 1);
		sim_put(&json, "\"}");
		filled.json = sim_put_end(&json);
	}
	return filled;
}
