/* SPDX-License-Identifier: MIT */
#include "client/cli/refusal.h"

#include <errno.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "proto/document.h"
#include "proto/json.h"
#include "util/container.h"

/* -- Who is to blame --------------------------------------------------------------------------- */

/* The options that the keys of a request are made of. A key that several make (headers) tells its
 * own name, which no option has. */
static const char *refusal_option(struct text key)
{
	static const struct {
		const char *key;
		const char *option;
	} options[] = {
		{"tls/cert", "cert"},
		{"tls/key", "key"},
		{"tls/pin", "pinnedpubkey"},
		{"tls/ca", "cacert"},
		{"tls/insecure", "insecure"},
		{"resolve", "resolve"},
		{"proxy", "proxy"},
		{"method", "request"},
		{"http", "http2"},
		{"max_body", "max-filesize"},
	};

	for (size_t i = 0; i < countof(options); i++) {
		struct text name = text_from(options[i].key);

		if (text_starts_with(key, name) &&
			(key.size == name.size || key.data[name.size] == '/'))
			return options[i].option;
	}
	return NULL;
}

/* "/jobs/3/url": "url" and 3; "/defaults/url": "url". False: it is another place. */
static bool refusal_key(struct text at, struct text *ret_key, size_t *ret_job)
{
	static const struct text defaults = {"/defaults/", 10}, jobs = {"/jobs/", 6};
	size_t i;

	*ret_job = SIZE_MAX;
	if (text_starts_with(at, defaults)) {
		*ret_key = text_from_at(at, defaults.size);
		return true;
	}
	if (!text_starts_with(at, jobs))
		return false;
	*ret_job = 0;
	for (i = jobs.size; i < at.size && at.data[i] >= '0' && at.data[i] <= '9'; i++) {
		if (*ret_job > SIZE_MAX / 16)
			return false;
		*ret_job = *ret_job * 10 + (size_t)(at.data[i] - '0');
	}
	*ret_key = text_from_at(at, i < at.size ? i + 1 : i);
	return i > jobs.size;
}

/* "settle: option --proxy: GRAPH_VALUE: ..." and "settle: http://a b/: URL_INVALID: ..."; false:
 * neither an option nor a URL is to blame. */
static bool refusal_print_source(
	const struct refusal_source *source, struct text code, struct text at, struct text message)
{
	const char *option;
	struct text key;
	size_t job;

	if (!refusal_key(at, &key, &job))
		return false;
	option = refusal_option(key);
	if (option)
		message_print(
			"option --%s: %.*s: %.*s", option, TEXT_ARGS(code), TEXT_ARGS(message));
	else if (text_starts_with(key, TEXT("headers/")))
		message_print("%.*s: %.*s", TEXT_ARGS(code), TEXT_ARGS(message));
	else if (job < source->n_urls)
		message_print(
			"%s: %.*s: %.*s", source->urls[job], TEXT_ARGS(code), TEXT_ARGS(message));
	return option || text_starts_with(key, TEXT("headers/")) || job < source->n_urls;
}

/* -- Telling ----------------------------------------------------------------------------------- */

/* "settle: GRAPH_CYCLE at /jobs/a: a -> b -> a" */
static void refusal_print(
	const struct refusal_source *source, struct text code, struct text at, struct text message)
{
	if (source && refusal_print_source(source, code, at, message))
		return;
	message_print("%.*s%s%.*s: %.*s", TEXT_ARGS(code), at.size > 0 ? " at " : "", TEXT_ARGS(at),
		TEXT_ARGS(message));
}

/* True where it is the configuration or a quota that says no, not the document. */
static bool refusal_is_policy(struct text code)
{
	enum fault_code fault = fault_from_name(code);

	return fault_class(fault) == FAULT_CLASS_ADMISSION || fault == FAULT_SECRET_UNKNOWN ||
	       text_starts_with(code, TEXT("POLICY_"));
}

static struct text refusal_text(yyjson_val *error, const char *key)
{
	struct text text = json_string(yyjson_obj_get(error, key));

	return text.data ? text : TEXT("");
}

int refusal_tell(struct text json, const struct refusal_source *source)
{
	struct json_error read_error;
	yyjson_doc *doc = json_read(json, &read_error);
	yyjson_val *errors = yyjson_obj_get(yyjson_doc_get_root(doc), "errors");
	size_t i, n, n_policy = 0;
	yyjson_val *error;

	yyjson_arr_foreach(errors, i, n, error)
	{
		struct text code = refusal_text(error, "code");

		n_policy += refusal_is_policy(code);
		refusal_print(
			source, code, refusal_text(error, "at"), refusal_text(error, "message"));
	}
	n = yyjson_arr_size(errors);
	yyjson_doc_free(doc);
	if (n == 0)
		message_print("the graph was refused");
	return n > 0 && n_policy == n ? EXIT_POLICY : EXIT_REFUSED;
}

static int refusal_tell_all(const struct plan_errors *errors, const struct refusal_source *source)
{
	uint32_t n_policy = 0;

	for (uint32_t i = 0; i < errors->n; i++) {
		const struct plan_error *error = &errors->errors[i];
		struct text code = text_from(fault_name(error->code));

		n_policy += refusal_is_policy(code);
		refusal_print(source, code, error->at, error->message);
	}
	return errors->n > 0 && n_policy == errors->n ? EXIT_POLICY : EXIT_REFUSED;
}

int refusal_tell_errors(const struct plan_errors *errors)
{
	return refusal_tell_all(errors, NULL);
}

int refusal_check(
	struct text document, const struct refusal_source *source, struct buffer *ret_json)
{
	struct plan_errors errors;
	struct plan *plan;
	int r, status = 0;

	plan_errors_init(&errors);
	r = document_parse(document, &document_limits_default, &plan, &errors);
	if (r == 0) {
		plan_free(plan);
	} else if (r == DOCUMENT_E_REFUSED) {
		status = refusal_tell_all(&errors, source);
		if (ret_json)
			refusal_append(ret_json, &errors);
	} else {
		message_print("no memory to check the graph");
		status = EXIT_LOCAL_IO;
	}
	plan_errors_deinit(&errors);
	return status;
}

void refusal_append(struct buffer *out, const struct plan_errors *errors)
{
	buffer_append_literal(out, "{\"errors\":[");
	for (uint32_t i = 0; i < errors->n; i++) {
		const struct plan_error *error = &errors->errors[i];

		buffer_append_text(out, i > 0 ? TEXT(",{\"code\":") : TEXT("{\"code\":"));
		json_append_string(out, text_from(fault_name(error->code)));
		buffer_append_literal(out, ",\"at\":");
		json_append_string(out, error->at);
		buffer_append_literal(out, ",\"message\":");
		json_append_string(out, error->message);
		buffer_append_byte(out, '}');
	}
	buffer_append_literal(out, "]}");
}
