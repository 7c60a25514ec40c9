/* SPDX-License-Identifier: MIT */
#include "client/cli/refusal.h"

#include <errno.h>

#include "client/cli/exit.h"
#include "client/cli/message.h"
#include "proto/document.h"
#include "proto/json.h"

/* "settle: GRAPH_CYCLE at /jobs/a: a -> b -> a" */
static void refusal_print(struct text code, struct text at, struct text message)
{
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

int refusal_tell(struct text json)
{
	struct json_error read_error;
	yyjson_doc *doc = json_read(json, &read_error);
	yyjson_val *errors = yyjson_obj_get(yyjson_doc_get_root(doc), "errors");
	size_t i, n, n_policy = 0;
	yyjson_val *error;

	yyjson_arr_foreach(errors, i, n, error) {
		struct text code = refusal_text(error, "code");

		n_policy += refusal_is_policy(code);
		refusal_print(code, refusal_text(error, "at"), refusal_text(error, "message"));
	}
	n = yyjson_arr_size(errors);
	yyjson_doc_free(doc);
	if (n == 0)
		message_print("the graph was refused");
	return n > 0 && n_policy == n ? EXIT_POLICY : EXIT_REFUSED;
}

int refusal_tell_errors(const struct plan_errors *errors)
{
	uint32_t n_policy = 0;

	for (uint32_t i = 0; i < errors->n; i++) {
		const struct plan_error *error = &errors->errors[i];
		struct text code = text_from(fault_name(error->code));

		n_policy += refusal_is_policy(code);
		refusal_print(code, error->at, error->message);
	}
	return errors->n > 0 && n_policy == errors->n ? EXIT_POLICY : EXIT_REFUSED;
}

int refusal_check(struct text document, struct buffer *ret_json)
{
	struct plan_errors errors;
	struct plan *plan;
	int r, status = 0;

	plan_errors_init(&errors);
	r = document_parse(document, &document_limits_default, &plan, &errors);
	if (r == 0) {
		plan_free(plan);
	} else if (r == DOCUMENT_E_REFUSED) {
		status = refusal_tell_errors(&errors);
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
