/* SPDX-License-Identifier: MIT */
#include "client/cli/render/phrase.h"

#include "client/cli/clean.h"
#include "util/container.h"

static const struct {
	uint16_t status;
	struct text phrase;
} phrases[] = {
	{100, TEXT_INIT("Continue")},
	{101, TEXT_INIT("Switching Protocols")},
	{102, TEXT_INIT("Processing")},
	{103, TEXT_INIT("Early Hints")},
	{200, TEXT_INIT("OK")},
	{201, TEXT_INIT("Created")},
	{202, TEXT_INIT("Accepted")},
	{203, TEXT_INIT("Non-Authoritative Information")},
	{204, TEXT_INIT("No Content")},
	{205, TEXT_INIT("Reset Content")},
	{206, TEXT_INIT("Partial Content")},
	{207, TEXT_INIT("Multi-Status")},
	{208, TEXT_INIT("Already Reported")},
	{226, TEXT_INIT("IM Used")},
	{300, TEXT_INIT("Multiple Choices")},
	{301, TEXT_INIT("Moved Permanently")},
	{302, TEXT_INIT("Found")},
	{303, TEXT_INIT("See Other")},
	{304, TEXT_INIT("Not Modified")},
	{305, TEXT_INIT("Use Proxy")},
	{307, TEXT_INIT("Temporary Redirect")},
	{308, TEXT_INIT("Permanent Redirect")},
	{400, TEXT_INIT("Bad Request")},
	{401, TEXT_INIT("Unauthorized")},
	{402, TEXT_INIT("Payment Required")},
	{403, TEXT_INIT("Forbidden")},
	{404, TEXT_INIT("Not Found")},
	{405, TEXT_INIT("Method Not Allowed")},
	{406, TEXT_INIT("Not Acceptable")},
	{407, TEXT_INIT("Proxy Authentication Required")},
	{408, TEXT_INIT("Request Timeout")},
	{409, TEXT_INIT("Conflict")},
	{410, TEXT_INIT("Gone")},
	{411, TEXT_INIT("Length Required")},
	{412, TEXT_INIT("Precondition Failed")},
	{413, TEXT_INIT("Content Too Large")},
	{414, TEXT_INIT("URI Too Long")},
	{415, TEXT_INIT("Unsupported Media Type")},
	{416, TEXT_INIT("Range Not Satisfiable")},
	{417, TEXT_INIT("Expectation Failed")},
	{421, TEXT_INIT("Misdirected Request")},
	{422, TEXT_INIT("Unprocessable Content")},
	{423, TEXT_INIT("Locked")},
	{424, TEXT_INIT("Failed Dependency")},
	{425, TEXT_INIT("Too Early")},
	{426, TEXT_INIT("Upgrade Required")},
	{428, TEXT_INIT("Precondition Required")},
	{429, TEXT_INIT("Too Many Requests")},
	{431, TEXT_INIT("Request Header Fields Too Large")},
	{451, TEXT_INIT("Unavailable For Legal Reasons")},
	{500, TEXT_INIT("Internal Server Error")},
	{501, TEXT_INIT("Not Implemented")},
	{502, TEXT_INIT("Bad Gateway")},
	{503, TEXT_INIT("Service Unavailable")},
	{504, TEXT_INIT("Gateway Timeout")},
	{505, TEXT_INIT("HTTP Version Not Supported")},
	{506, TEXT_INIT("Variant Also Negotiates")},
	{507, TEXT_INIT("Insufficient Storage")},
	{508, TEXT_INIT("Loop Detected")},
	{510, TEXT_INIT("Not Extended")},
	{511, TEXT_INIT("Network Authentication Required")},
};

struct text phrase_registered(uint64_t status)
{
	for (size_t i = 0; i < countof(phrases); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return (struct text){NULL, 0};
}

/* What the server has said: "404 Gone Fishing" is the message of such a rejection. */
static struct text phrase_said(yyjson_val *root, struct text status)
{
	yyjson_val *reason = yyjson_obj_get(root, "reason");
	struct text message = json_string(yyjson_obj_get(reason, "message"));

	if (!yyjson_equals_str(yyjson_obj_get(reason, "code"), "HTTP_STATUS") || !message.data ||
		!text_starts_with(message, status) || message.size < status.size + 2)
		return (struct text){NULL, 0};
	return text_from_at(message, status.size + 1);
}

static void phrase_append_line(
	struct buffer *out, struct text version, struct text status, struct text said)
{
	uint64_t number = 0;
	struct text phrase = said;

	if (!version.data)
		version = TEXT("1.1");
	buffer_append_literal(out, "HTTP/");
	clean_line(out, version);
	buffer_printf(out, " %.*s", TEXT_ARGS(status));
	if (!phrase.data && text_to_u64(status, 999, &number))
		phrase = phrase_registered(number);
	if (!phrase.data || text_is(version, "2"))
		return;
	buffer_append_byte(out, ' ');
	clean_line(out, phrase);
}

void phrase_append(struct buffer *out, yyjson_val *root, yyjson_val *response)
{
	struct text status = json_number(yyjson_obj_get(response, "status"));

	if (status.data)
		phrase_append_line(out, json_string(yyjson_obj_get(response, "version")), status,
			phrase_said(root, status));
}

void phrase_append_hop(struct buffer *out, yyjson_val *response, yyjson_val *hop)
{
	struct text status = json_number(yyjson_obj_get(hop, "status"));
	struct text url = json_string(yyjson_obj_get(hop, "url"));
	struct text version = json_string(yyjson_obj_get(response, "version"));

	if (url.data && text_starts_with(url, TEXT("http:")))
		version = TEXT("1.1");
	if (status.data)
		phrase_append_line(out, version, status, (struct text){NULL, 0});
}

struct text phrase_hop_target(yyjson_val *response, size_t i)
{
	yyjson_val *next = yyjson_arr_get(yyjson_obj_get(response, "hops"), i + 1);

	return json_string(yyjson_obj_get(next ? next : response, "url"));
}
