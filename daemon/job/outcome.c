/* SPDX-License-Identifier: MIT */
#include "job/outcome.h"

#include <stdlib.h>

#include "job/scheduler.h"
#include "proto/json.h"
#include "proto/plan.h"

/* One allocation: the outcome, its headers, and all texts behind them. */

static size_t texts_size(const struct record_response *response, struct text body, uint8_t keep)
{
	size_t size = response->url.size + body.size;

	for (uint32_t i = 0; keep & PLAN_KEEP_HEADERS && i < response->n_headers; i++)
		size += response->headers[i].name.size + response->headers[i].value.size;
	return size;
}

static struct text text_put(char **at, struct text text)
{
	struct text copy = {*at, text.size};

	if (!text.data)
		return text;
	memcpy(*at, text.data, text.size);
	*at += text.size;
	return copy;
}

/* What others see of it: a fallback hides the response that it stands for, and of the rejections
 * only one for its status shows it. */
static const struct record_response *outcome_response(const struct record *record)
{
	static const struct record_response none;

	if (record->via == RECORD_VIA_FALLBACK || record->response.status == 0)
		return &none;
	if (record->via == RECORD_VIA_NONE && record->reason.fault->code != FAULT_HTTP_STATUS)
		return &none;
	return &record->response;
}

struct outcome *outcome_new(const struct record *record, struct text body, uint8_t keep)
{
	const struct record_response *response = outcome_response(record);
	bool has_body = record->via != RECORD_VIA_NONE || response->status != 0;
	uint32_t n_headers = keep & PLAN_KEEP_HEADERS ? response->n_headers : 0;
	struct outcome *outcome;
	struct header *headers;
	char *at;

	if (!has_body || !(keep & PLAN_KEEP_BODY))
		body = (struct text){NULL, 0};
	outcome = calloc(1, sizeof(*outcome) + n_headers * sizeof(struct header) +
				    texts_size(response, body, keep));
	if (!outcome)
		return NULL;
	headers = (struct header *)(outcome + 1);
	at = (char *)(headers + n_headers);
	outcome->code = record->via == RECORD_VIA_NONE ? record->reason.fault->code : FAULT_NONE;
	outcome->status = response->status;
	outcome->url = text_put(&at, response->url);
	outcome->body = text_put(&at, body);
	outcome->headers = headers;
	outcome->n_headers = n_headers;
	for (uint32_t i = 0; i < n_headers; i++) {
		headers[i].name = text_put(&at, response->headers[i].name);
		headers[i].value = text_put(&at, response->headers[i].value);
	}
	return outcome;
}

void outcome_drop(struct scheduler *scheduler, struct outcome **outcomep)
{
	struct outcome *outcome = *outcomep;

	if (!outcome)
		return;
	scheduler->body_bytes -= outcome->body.size;
	yyjson_doc_free(outcome->json);
	free(outcome);
	*outcomep = NULL;
}

yyjson_val *outcome_json(struct outcome *outcome)
{
	struct json_error error;

	if (!outcome->json_read && outcome->body.data) {
		outcome->json = json_read(outcome->body, &error);
		outcome->json_lost = !outcome->json && error.no_memory;
	}
	outcome->json_read = true;
	return yyjson_doc_get_root(outcome->json);
}
