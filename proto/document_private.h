/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of document share, and nobody else. A reader of a key refuses what is wrong and
 * goes on: document_refuse() collects, document_parse() looks at the end.
 */

#include "proto/document.h"
#include "proto/json.h"
#include "proto/reference.h"

/* A place in the document: a step of its JSON pointer, on the stack of who goes that way. NULL is
 * the document itself. */
struct document_at {
	const struct document_at *parent;
	/* data == NULL: an element of an array, at `index`. */
	struct text key;
	size_t index;
};

/* Where a string with references stands. */
enum document_place {
	DOCUMENT_IN_URL,
	DOCUMENT_IN_HEADER,
	DOCUMENT_IN_QUERY,
	DOCUMENT_IN_BODY,
	DOCUMENT_IN_EACH,
	DOCUMENT_IN_CONDITION,
	DOCUMENT_IN_RETURN,
	/* No references are read there. */
	DOCUMENT_IN_LITERAL,
};

/* Whose keys are read, as a bit: of a fan-out those of its child. */
enum document_owner {
	DOCUMENT_OF_LEAF = 1,
	DOCUMENT_OF_GROUP = 2,
	DOCUMENT_OF_DEFAULTS = 4,
	DOCUMENT_OF_GRAPH = 8,
};

/* What is being read: a job, or what stands outside of all jobs. */
struct document_job {
	enum document_owner owner;
	/* In plan->jobs; of a fan-out its child. */
	uint32_t index;
	/* In plan->jobs: who waits for what is referred to; the fan-out instead of its child. */
	uint32_t dependent;
	/* The innermost fan-out whose jobs may be referred to; PLAN_NONE: those of no fan-out. */
	uint32_t region;
	/* True exactly when {{item}} and {{index}} have a meaning. */
	bool has_item;
	/* No two that are read have the same one; from 1 on. */
	uint32_t number;
	enum document_place place;
	/* In a header: the number of the first field of its name. */
	uint32_t field;
	/* Begins as a copy of the defaults. */
	struct plan_spec spec;
	/* A group's; the graph's mode, concurrency and timeout besides. */
	struct plan_group group;
	/* A fan-out's; concurrency 0: not said. */
	struct plan_each each;
	struct plan_retry retry;
	/* `concurrency`; 0: not said. */
	uint32_t concurrency;
	/* Of a group, or of the graph. */
	yyjson_val *jobs, *defaults;
	bool has_body;
	bool has_max_body;
	bool has_fd;
	/* True exactly when it has the key itself. */
	bool says_http, says_headers, says_auth, says_proxy;
	/* True exactly when a reference was found in what the spec holds. */
	bool has_references;
};

/* A dependency that the defaults give to each job that takes over this part of them. */
struct document_inheritance {
	uint32_t from;
	enum document_place place;
	/* Of a header: the number of its name; while it is read, of its field. */
	uint32_t name;
};

/* A name among the headers of the defaults; `taken` by the job (its number) that gives a header of
 * that name itself. */
struct document_name {
	struct text name;
	uint32_t taken;
};

/* What the graph and the groups around a job say for it, merged: those of the graph, or of the
 * innermost group that has some. */
struct document_defaults {
	/* Jobs at this depth (the graph's own: 1) and below take them. */
	uint32_t depth;
	/* In the plan's arena; what jobs without keys of their own share. */
	struct plan_spec *spec;
	bool has_max_body;
	/* Of fan-outs of leaves; 0: not said. */
	uint32_t concurrency;
	/* The names of the headers, and for each header the number of its name; those of the
	 * defaults around where no header was added. */
	struct document_name *names;
	uint32_t *name_of_field;
	struct table name_table;
	bool owns_names;
	/* Where their part of document->inheritance begins, which goes on to its end. */
	uint32_t first_inheritance;
};

struct document {
	struct plan *plan;
	struct plan_errors *errors;
	const struct document_limits *limits;
	uint8_t priority;
	uint32_t n_registered;
	/* What is left of the room for indices as text: its end. */
	char *digits;
	/* One in another; the last ones are those of the job being read. */
	struct document_defaults defaults[PLAN_DEPTH_MAX];
	uint32_t n_defaults;
	struct document_inheritance *inheritance;
	uint32_t n_inheritance, inheritance_room;
	/* Where it begins to be that of the defaults being read. */
	uint32_t own_inheritance;
	uint32_t n_read;
	/* In the plan's arena; what groups share that say nothing. */
	struct plan_spec *group_spec;
	/* Fan-outs read. */
	uint32_t n_eaches;
	struct plan_edge *edges;
	uint32_t n_edges, edges_room;
	/* Dependencies looked at: bounded, because defaults multiply. */
	uint64_t n_steps;
	/* The fields of one object while they are read. */
	struct plan_field *fields;
	uint32_t n_fields, fields_room;
	struct buffer scratch;
	/* Scheme, host and port of the last URL that was right, as written, with the '/' behind
	 * them; empty where there is none. */
	struct text origin;
	/* For each descriptor the job that writes to it: its place in plan->jobs and 1; 0: none. */
	uint32_t writers[PLAN_FDS_MAX];
	/* True exactly when somebody said that a body is not to be kept. */
	bool has_sinks;
	/* NULL, or when the document is read again: for each of plan->jobs the enum plan_output
	 * that leaves no body to refer to; 0 (PLAN_INLINE): it has one. */
	const uint8_t *sinks;
	/* The same, of what was read without them; NULL: there is nobody who refers to one. */
	uint8_t *found_sinks;
	/* The last job that gave its spec to be shared, or NULL. */
	yyjson_val *alike;
	const struct plan_spec *alike_spec;
	bool no_memory;
	/* True exactly when the plan would be too large, which was told. */
	bool is_too_large;
};

typedef void (*document_read)(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at);

/* A key, and who reads it. */
struct document_key {
	struct text name;
	document_read read;
	/* Bits of enum document_owner: who may have it; 0: all. */
	unsigned owners;
};

/* At most 64. */
struct document_keys {
	const struct document_key *keys;
	size_t n;
};

/* A word a value may be; `value` is not negative. */
struct document_word {
	struct text name;
	int value;
};

/* document_error.c */

void document_refuse(struct document *document, const struct document_at *at, enum fault_code code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "must be a string, not a number" */
void document_refuse_type(struct document *document, const struct document_at *at,
	yyjson_val *value, const char *wanted);

/* True where there is no use in reading on: the errors are full, or memory is. */
bool document_is_over(const struct document *document);

/* The document asks for more than there may be of something: said once. */
void document_refuse_size(struct document *document, const struct document_at *at, const char *why);

/* A text for a message: short, printable, terminated. */
struct document_quote {
	char text[80];
};
struct document_quote document_quote(struct text text);

/* "; did you mean \"headers\"?", or nothing where no candidate is near. `candidates`: `n` objects
 * of `size` bytes, each of which begins with its name. */
struct document_hint {
	char text[256];
};
struct document_hint document_hint(const struct document *document, struct text word,
	const void *candidates, size_t n, size_t size);

/* The same of a key: one that is near, or that others call so; else, where there are few, all. */
struct document_hint document_hint_key(const struct document *document, struct text key,
	const void *candidates, size_t n, size_t size);

/* "\"auto\", \"1.1\" or \"2\"", as `last` ("or") says: the names of candidates as above, few. */
struct document_list {
	char text[224];
};
struct document_list document_list(const char *last, const void *candidates, size_t n, size_t size);

/* Zeroed, from the plan's arena. NULL: see no_memory and is_too_large. */
void *document_alloc(struct document *document, size_t n, size_t size);

/* The array, with room for one more behind its `n` members of `size` bytes. NULL, and the array
 * as it was: no memory. */
void *document_grow(
	struct document *document, void *array, uint32_t n, uint32_t *roomp, size_t size);

/* document_value.c. False, and refused, where the value is not what it should be. */

bool document_read_bool(
	struct document *document, yyjson_val *value, const struct document_at *at, bool *ret_bool);
bool document_read_string(struct document *document, yyjson_val *value,
	const struct document_at *at, struct text *ret_string);
/* Never 0. */
bool document_read_duration(struct document *document, yyjson_val *value,
	const struct document_at *at, uint64_t *ret_ns);
/* As above, or 0. */
bool document_read_delay(struct document *document, yyjson_val *value, const struct document_at *at,
	uint64_t *ret_ns);
/* RFC 4648 section 4, strictly: padded, without line ends, unused bits 0. The bytes go to `out`, of
 * at least three for each four characters; -1 where it is none. */
ptrdiff_t document_decode_base64(struct text text, char *out);
bool document_read_size(struct document *document, yyjson_val *value, const struct document_at *at,
	uint64_t *ret_bytes);
/* A whole number from 1 on, below PLAN_UNBOUNDED. */
bool document_read_count(struct document *document, yyjson_val *value, const struct document_at *at,
	uint32_t *ret_count);
/* One that may be "unbounded", too. */
bool document_read_bound(struct document *document, yyjson_val *value, const struct document_at *at,
	uint32_t *ret_bound);
bool document_read_priority(struct document *document, yyjson_val *value,
	const struct document_at *at, uint8_t *ret_priority);
/* The word's value, or -1. `words` end in one without a name. */
int document_read_word(struct document *document, yyjson_val *value, const struct document_at *at,
	const struct document_word *words);
/* What statuses are read into. `words` (NULL: none) may stand among them, and end in one without a
 * name: each that is there sets its bit (1 << value) in `seen`. */
struct document_statuses {
	const struct document_word *words;
	unsigned seen;
	struct plan_range *ranges;
	uint32_t n;
};
/* A status, a string of ranges, or an array of both. */
bool document_read_statuses(struct document *document, yyjson_val *value,
	const struct document_at *at, struct document_statuses *statuses);
void document_read_ok(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_base64(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_timeouts(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_object.c */

/* Each member by its key's reader. Returns a bit for each key that is there. */
uint64_t document_read_object(struct document *document, const struct document_keys *keys,
	yyjson_val *object, struct document_job *job, const struct document_at *at);

/* Refuses keys that stand twice in an object whose keys are anybody's. */
void document_check_keys(
	struct document *document, yyjson_val *object, const struct document_at *at);

/* Any JSON: its strings may hold references (but for DOCUMENT_IN_LITERAL), its keys may not. */
void document_read_json(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_template.c */

/* A string that may hold references: checks them, and notes what they depend on. */
void document_read_template(struct document *document, struct document_job *job, struct text text,
	const struct document_at *at);

/* A reference that is well-formed. */
void document_refer(struct document *document, struct document_job *job,
	const struct reference *reference, const struct document_at *at);

/* `after`, or a reference: the job of that id, which `job` may refer to; or NULL and refused. */
struct plan_job *document_find_job(struct document *document, const struct document_job *job,
	struct text id, const struct document_at *at);

/* The job being read depends on `from`. */
void document_depend(struct document *document, const struct document_job *job, uint32_t from);

/* True where one more dependency may be looked at. */
bool document_count_step(struct document *document);

/* The job takes over what the defaults refer to in the places whose bits (1 << place) are set,
 * without the headers it gives itself. */
void document_inherit(struct document *document, const struct document_job *job, unsigned places);

void document_read_url(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_field.c */

void document_read_headers(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_query(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_form(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* The headers of these defaults are known: jobs may merge with them. */
void document_note_names(struct document *document, struct document_defaults *defaults);

/* The number that the name has in these defaults. It is there. */
uint32_t document_name_number(const struct document_defaults *defaults, struct text name);

/* document_origin.c */

void document_read_tls(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_resolve(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_request.c: the keys of a leaf that are about its request. */

/* True, and *job begun on what a request body is: it has none yet. */
bool document_take_body(
	struct document *document, struct document_job *job, const struct document_at *at);

void document_read_method(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_json_body(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_body(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_body_fd(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_fd(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_auth(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_output(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_omit(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_http(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_max_body(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_redirects(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_decode(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_dedupe(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* Of a job, or of defaults: refuses credentials that a header gives, too. */
void document_check_credentials(
	struct document *document, const struct document_job *job, const struct document_at *at);

/* Of a job of that spec: refuses HTTP/2 where its URL is not https. */
void document_check_http(struct document *document, const struct document_job *job,
	const struct plan_spec *spec, const struct document_at *at);

/* All keys of a leaf are read: refuses those that do not go together. */
void document_check_request(
	struct document *document, const struct document_job *job, const struct document_at *at);

/* document_proxy.c */

void document_read_proxy(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_retry.c */

void document_read_retry(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_condition.c */

void document_read_when(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_each.c */

void document_read_each(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* All keys of a fan-out are read. Its spec, and the job's own has become its child's; NULL: no
 * memory. */
struct plan_spec *document_end_each(
	struct document *document, struct document_job *job, const struct document_at *at);

/* document_group.c: the keys of a group, which are the graph's too. */

void document_read_mode(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_concurrency(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at);
void document_note_jobs(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_note_defaults(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* All keys of a group, or of the graph, are read: refuses a race of nobody. */
void document_end_group(
	struct document *document, const struct document_job *job, const struct document_at *at);

/* document_defaults.c */

/* Of a group or of the graph (`value` may be NULL for it), for the jobs at `depth` and below, which
 * are in that `region`. False: no memory. */
bool document_push_defaults(struct document *document, yyjson_val *value, uint32_t depth,
	uint32_t region, const struct document_at *at);

/* Those that are not of jobs at `depth` go. */
void document_pop_defaults(struct document *document, uint32_t depth);

/* Behind what the defaults being read refer to already. */
void document_add_inheritance(
	struct document *document, const struct document_inheritance *inheritance);

/* The innermost ones. */
static inline struct document_defaults *document_defaults(struct document *document)
{
	return &document->defaults[document->n_defaults - 1];
}

/* document_walk.c: over all jobs, depth first. */

/* The jobs of a group, or of the graph, while the walk is in them. */
struct document_level {
	/* The object or array, and the member the walk is at. */
	struct document_at jobs, member;
	yyjson_val *next;
	size_t left;
	bool is_array;
	/* In plan->jobs; PLAN_NONE: the graph. */
	uint32_t group;
};

/* Must not move: places of the document point into it. */
struct document_walk {
	struct document_level levels[PLAN_DEPTH_MAX];
	uint32_t depth;
};

/* The next job, at &walk->levels[walk->depth - 1].member; NULL: that was all. */
yyjson_val *document_walk_next(struct document_walk *walk);

/* Into the jobs of the graph (on an empty walk) or of the group the walk is at; of what is neither
 * object nor array there are none. False: too deep. */
bool document_walk_enter(struct document_walk *walk, yyjson_val *jobs, uint32_t group);

/* All jobs have an id, a kind and a place, and can be found. False: nothing more can be read. */
bool document_register_jobs(struct document *document, yyjson_val *jobs);

/* Sends the walk, which is empty, to plan->jobs[index]. */
void document_walk_to(const struct document *document, struct document_walk *walk, yyjson_val *jobs,
	uint32_t index);

/* document_job.c */

/* What nobody has said anything about. */
extern const struct plan_spec document_base_spec;

extern const struct document_keys document_job_keys;

/* All keys that one says depends on another of are read. */
void document_end_spec(struct document_job *job);

/* Bits of the places that a job, or defaults, take over where these keys were seen. */
unsigned document_inherited_places(uint64_t seen);

/* plan->jobs[index], registered, a fan-out together with its child. */
void document_read_job(struct document *document, struct document_job *job, uint32_t index,
	yyjson_val *value, const struct document_at *at);
