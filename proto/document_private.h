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
	DOCUMENT_IN_RETURN,
	/* No references are read there. */
	DOCUMENT_IN_INPUT,
};

/* What is being read: a job, or what stands outside of all jobs. */
struct document_job {
	enum {
		DOCUMENT_OF_JOB,
		DOCUMENT_OF_DEFAULTS,
		DOCUMENT_OF_GRAPH,
	} owner;
	/* In plan->jobs. */
	uint32_t index;
	enum document_place place;
	/* Where in the place: for a header of the defaults, the number of the first field of its
	 * key. */
	uint32_t part;
	/* Begins as a copy of the defaults. */
	struct plan_spec spec;
	bool has_body;
	bool has_max_body;
	/* True exactly when a reference was found in what the spec holds. */
	bool has_references;
};

/* A dependency that the defaults give to each job that takes over this part of them. */
struct document_inheritance {
	uint32_t from;
	enum document_place place;
	uint32_t part;
};

/* A name among the headers of the defaults; `taken` by the job (its index, plus 1) that gives a
 * header of that name itself. */
struct document_name {
	struct text name;
	uint32_t taken;
};

struct document {
	struct plan *plan;
	struct plan_errors *errors;
	const struct document_limits *limits;
	/* What the graph's keys hold, read in another order than they stand. */
	yyjson_val *jobs, *defaults;
	/* In the plan's arena; what jobs without keys of their own share. */
	struct plan_spec *default_spec;
	bool default_has_max_body;
	/* The names of the default headers, and for each default header the number of its name. */
	struct document_name *names;
	uint32_t *name_of_field;
	struct table name_table;
	struct document_inheritance *inheritance;
	uint32_t n_inheritance, inheritance_room;
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
	/* The last job that gave its spec to be shared, or NULL. */
	yyjson_val *alike;
	const struct plan_spec *alike_spec;
	bool no_memory;
	/* True exactly when the plan would be too large, which was told. */
	bool is_too_large;
};

typedef void (*document_read)(struct document *document, struct document_job *job,
	yyjson_val *value, const struct document_at *at);

/* A key, and who reads it; NULL: known, but not supported by this version. */
struct document_key {
	struct text name;
	document_read read;
};

/* At most 64. */
struct document_keys {
	const struct document_key *keys;
	size_t n;
};

/* A word a value may be; a negative `value`: known, but not supported by this version. */
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
	char text[112];
};
struct document_hint document_hint(const struct document *document, struct text word,
	const void *candidates, size_t n, size_t size);

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
bool document_read_size(struct document *document, yyjson_val *value, const struct document_at *at,
	uint64_t *ret_bytes);
/* The word's value, or -1. `words` end in one without a name. */
int document_read_word(struct document *document, yyjson_val *value, const struct document_at *at,
	const struct document_word *words);
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

/* Any JSON: its strings may hold references (but for DOCUMENT_IN_INPUT), its keys may not. */
void document_read_json(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_template.c */

/* A string that may hold references: checks them, and notes what they depend on. */
void document_read_template(struct document *document, struct document_job *job, struct text text,
	const struct document_at *at);

/* `after`, or a reference: the job of that id, or NULL and refused. */
struct plan_job *document_find_job(
	struct document *document, struct text id, const struct document_at *at);

/* The job being read depends on `from`. */
void document_depend(struct document *document, const struct document_job *job, uint32_t from);

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

/* The default headers are known: jobs may merge with them. */
void document_note_default_headers(struct document *document);

/* True where the job gives a header of the same name as that field of the default headers. */
bool document_has_taken(
	const struct document *document, const struct document_job *job, uint32_t field);

/* document_origin.c */

void document_read_tls(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
void document_read_resolve(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);

/* document_job.c */

/* True, and *job begun on what a request body is: it has none yet. */
bool document_take_body(
	struct document *document, struct document_job *job, const struct document_at *at);

/* The graph's defaults, or NULL where it has none. Jobs are registered. */
void document_read_defaults(struct document *document, yyjson_val *value);

/* plan->jobs[index], its id already set. */
void document_read_job(struct document *document, struct document_job *job, yyjson_val *value,
	const struct document_at *at);
