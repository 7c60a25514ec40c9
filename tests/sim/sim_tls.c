/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <stdlib.h>
#include <string.h>

#include "sim_oracle.h"
#include "sim_tls.h"
#include "sim_world.h"
#include "util/container.h"
#include "util/list.h"
#include "util/panic.h"

/*
 * net/tls.h without cryptography: the promises of that header, and every way in which a codec may
 * answer. It looks at how it is used, and tells the oracle what the daemon says and is told, in
 * plaintext and at that moment: which connection it is on is known since its hello went out.
 *
 * Its memory is the daemon's: counted, and refused like any other.
 */

#define SIM_TLS_OUTPUT_MAX ((size_t)128 << 20)

enum sim_tls_state {
	/* The hello has not been said; its answer is awaited; so is the server's FINISHED. */
	SIM_TLS_FRESH,
	SIM_TLS_GREETED,
	SIM_TLS_UNFINISHED,
	SIM_TLS_OPEN,
	SIM_TLS_ENDED,
	SIM_TLS_FAULTED,
};

struct tls_store {
	unsigned n_connections;
	struct tls_counters counters;
};

struct tls {
	struct list link;
	struct tls_store *store;
	/* In this world. */
	unsigned number;
	/* NULL until the hello is on its way. */
	struct sim_conn *conn;
	enum sim_tls_state state;
	bool insecure, offers_h2, input_ended, was_probed;
	char server_name[128];
	const char *input;
	size_t input_size;
	/* A record of which a part has come; what of its payload was read. */
	struct buffer record;
	size_t n_read;
	struct buffer output;
	char alpn[16];
};

static struct list sim_tlses;
static unsigned n_tlses;

void sim_tls_begin(void)
{
	list_init(&sim_tlses);
	n_tlses = 0;
}

void sim_tls_join(struct sim_conn *conn, const char *data, size_t size)
{
	unsigned number = 0;

	if (size < SIM_TLS_HEAD + sizeof(number) || data[0] != SIM_TLS_HANDSHAKE)
		sim_fail("an origin is sent what is no TLS");
	memcpy(&number, data + SIM_TLS_HEAD, sizeof(number));
	sim_tls_mask((char *)&number, sizeof(number));
	list_each(link, &sim_tlses) {
		struct tls *tls = list_entry(link, struct tls, link);

		if (tls->number == number)
			tls->conn = conn;
	}
}

/* -- The store -------------------------------------------------------------------------------- */

bool tls_digest(struct text text, unsigned char ret_digest[TLS_DIGEST_SIZE])
{
	uint64_t sum = sim_sum(text.data, text.size);

	for (unsigned i = 0; i < TLS_DIGEST_SIZE; i++)
		ret_digest[i] = (unsigned char)(sum >> (i % 8 * 8));
	return true;
}

struct tls_store *tls_store_new(void)
{
	return calloc(1, sizeof(struct tls_store));
}

struct tls_store *tls_store_free(struct tls_store *store)
{
	if (store && store->n_connections > 0)
		sim_fail("the store of TLS goes before its connections");
	free(store);
	return NULL;
}

int tls_store_load(struct tls_store *store)
{
	return 0;
}

void tls_store_forget(struct tls_store *store)
{
}

struct tls_counters tls_store_counters(const struct tls_store *store)
{
	return store->counters;
}

/* -- A connection ----------------------------------------------------------------------------- */

int tls_new(struct tls_store *store, const struct tls_policy *policy, struct tls **ret_tls,
	struct fault *ret_fault)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls) {
		fault_set(ret_fault, FAULT_OVERLOADED, "no memory for TLS");
		return -1;
	}
	expect(policy->server_name.size > 0);
	expect(policy->server_name.size < sizeof(tls->server_name));
	tls->store = store;
	tls->number = ++n_tlses;
	tls->insecure = policy->insecure;
	tls->offers_h2 = policy->offers_h2;
	memcpy(tls->server_name, policy->server_name.data, policy->server_name.size);
	buffer_init(&tls->record, SIM_TLS_HEAD + SIM_TLS_MAX);
	buffer_init(&tls->output, SIM_TLS_OUTPUT_MAX);
	list_push_back(&sim_tlses, &tls->link);
	store->n_connections++;
	*ret_tls = tls;
	return 0;
}

struct tls *tls_free(struct tls *tls)
{
	if (!tls)
		return NULL;
	list_remove(&tls->link);
	tls->store->n_connections--;
	buffer_deinit(&tls->record);
	buffer_deinit(&tls->output);
	free(tls);
	return NULL;
}

void tls_feed(struct tls *tls, const char *data, size_t size)
{
	if (tls->state == SIM_TLS_ENDED || tls->state == SIM_TLS_FAULTED)
		return;
	if (tls->input_size > 0 || tls->input_ended)
		sim_fail("TLS is fed before it has taken all, or after its end");
	tls->input = data;
	tls->input_size = size;
}

void tls_feed_end(struct tls *tls)
{
	tls->input_ended = true;
}

struct buffer *tls_output(struct tls *tls)
{
	return &tls->output;
}

void tls_rest(struct tls *tls)
{
	if (tls->record.size == 0)
		buffer_reset(&tls->record, 0);
	if (tls->output.size == 0)
		buffer_reset(&tls->output, 0);
}

struct text tls_alpn(const struct tls *tls)
{
	expect(tls->state >= SIM_TLS_OPEN);
	return text_from(tls->alpn);
}

bool tls_is_resumed(const struct tls *tls)
{
	return false;
}

/* -- Records ---------------------------------------------------------------------------------- */

static void sim_tls_append(struct tls *tls, enum sim_tls_type type, const char *data, size_t size)
{
	char head[SIM_TLS_HEAD];

	sim_tls_put_head(head, type, size);
	buffer_append(&tls->output, head, sizeof(head));
	buffer_append(&tls->output, data, size);
	if (!tls->output.failed)
		sim_tls_mask(tls->output.data + tls->output.size - size, size);
}

static enum tls_result sim_tls_fail(struct tls *tls, struct fault *ret_fault, enum fault_code code)
{
	tls->state = SIM_TLS_FAULTED;
	tls->input_size = 0;
	fault_set(ret_fault, code, "the simulator's TLS says %s", fault_name(code));
	return TLS_FAULT;
}

static enum fault_code sim_tls_broken(const struct tls *tls)
{
	return tls->state < SIM_TLS_OPEN ? FAULT_TLS_HANDSHAKE : FAULT_TLS_BROKEN;
}

/* So many bytes of the record, if they are there. */
static bool sim_tls_gather(struct tls *tls, size_t wanted)
{
	size_t n = wanted > tls->record.size ? wanted - tls->record.size : 0;

	if (n > tls->input_size)
		n = tls->input_size;
	buffer_append(&tls->record, tls->input, n);
	if (tls->record.failed)
		return false;
	tls->input += n;
	tls->input_size -= n;
	return tls->record.size >= wanted;
}

/* The next record is whole in tls->record, and can be read; else why not. */
static enum tls_result sim_tls_next(struct tls *tls, struct fault *ret_fault)
{
	const char *head;
	size_t size;

	if (!tls->was_probed && tls->input_size > 0 &&
		(tls->input[0] < SIM_TLS_ALERT || tls->input[0] > SIM_TLS_HANDSHAKE))
		return sim_tls_fail(tls, ret_fault, FAULT_TLS_NOT_TLS);
	tls->was_probed |= tls->input_size > 0;
	if (tls->record.failed)
		return sim_tls_fail(tls, ret_fault, FAULT_OVERLOADED);
	if (sim_tls_gather(tls, SIM_TLS_HEAD)) {
		head = tls->record.data;
		size = sim_tls_size(head);
		if (head[0] < SIM_TLS_ALERT || head[0] > SIM_TLS_DATA || size > SIM_TLS_MAX)
			return sim_tls_fail(tls, ret_fault, sim_tls_broken(tls));
		if (sim_tls_gather(tls, SIM_TLS_HEAD + size)) {
			sim_tls_mask(tls->record.data + SIM_TLS_HEAD, size);
			tls->n_read = 0;
			return TLS_OK;
		}
	}
	if (tls->record.failed)
		return sim_tls_fail(tls, ret_fault, FAULT_OVERLOADED);
	if (tls->input_ended)
		return TLS_END;
	return TLS_MORE;
}

/* -- The handshake ---------------------------------------------------------------------------- */

/* The number, what is wanted, and who the peer should be. */
static void sim_tls_say_hello(struct tls *tls)
{
	char hello[sizeof(tls->number) + 2 + sizeof(tls->server_name)];
	size_t size = strlen(tls->server_name);

	memcpy(hello, &tls->number, sizeof(tls->number));
	hello[sizeof(tls->number)] = (char)tls->insecure;
	hello[sizeof(tls->number) + 1] = (char)tls->offers_h2;
	memcpy(hello + sizeof(tls->number) + 2, tls->server_name, size);
	sim_tls_append(tls, SIM_TLS_HANDSHAKE, hello, sizeof(tls->number) + 2 + size);
	tls->state = SIM_TLS_GREETED;
}

static enum tls_result sim_tls_open(struct tls *tls)
{
	tls->state = SIM_TLS_OPEN;
	tls->store->counters.full++;
	sim_oracle_on_told(tls->conn, SIM_CONNECT, 0);
	return TLS_OK;
}

/* The server's hello: its certificate's flaw (a code, or 0), whether FINISHED follows, ALPN. */
static enum tls_result sim_tls_on_hello(struct tls *tls, struct fault *ret_fault)
{
	const char *hello = tls->record.data + SIM_TLS_HEAD;
	size_t size = tls->record.size - SIM_TLS_HEAD - 2;

	expect(size < sizeof(tls->alpn));
	if (hello[0] && !tls->insecure) {
		sim_tls_append(tls, SIM_TLS_ALERT, (char[]){SIM_TLS_FATAL}, 1);
		return sim_tls_fail(tls, ret_fault, (enum fault_code)(unsigned char)hello[0]);
	}
	memcpy(tls->alpn, hello + 2, size);
	if (strcmp(tls->alpn, "") != 0 && strcmp(tls->alpn, "http/1.1") != 0 &&
		!(tls->offers_h2 && strcmp(tls->alpn, "h2") == 0))
		return sim_tls_fail(tls, ret_fault, FAULT_TLS_HANDSHAKE);
	tls->state = SIM_TLS_UNFINISHED;
	sim_tls_append(tls, SIM_TLS_HANDSHAKE, SIM_TLS_FINISHED, sizeof(SIM_TLS_FINISHED) - 1);
	return hello[1] ? TLS_MORE : TLS_OK;
}

/* One record of it. */
static enum tls_result sim_tls_on_record(struct tls *tls, struct fault *ret_fault)
{
	bool is_handshake = tls->record.data[0] == SIM_TLS_HANDSHAKE;
	enum tls_result result = TLS_OK;

	if (!is_handshake)
		result = sim_tls_fail(tls, ret_fault, FAULT_TLS_HANDSHAKE);
	else if (tls->state == SIM_TLS_GREETED)
		result = sim_tls_on_hello(tls, ret_fault);
	buffer_clear(&tls->record);
	return result;
}

enum tls_result tls_handshake(struct tls *tls, struct fault *ret_fault)
{
	enum tls_result result;

	if (tls->state > SIM_TLS_UNFINISHED)
		sim_fail("a handshake goes on that is over");
	if (tls->state == SIM_TLS_FRESH)
		sim_tls_say_hello(tls);
	do {
		result = sim_tls_next(tls, ret_fault);
		if (result == TLS_OK)
			result = sim_tls_on_record(tls, ret_fault);
	} while (result == TLS_MORE && (tls->input_size > 0 || tls->input_ended));
	if (result == TLS_END)
		return sim_tls_fail(tls, ret_fault, FAULT_TLS_HANDSHAKE);
	if (tls->output.failed && result != TLS_FAULT)
		return sim_tls_fail(tls, ret_fault, FAULT_OVERLOADED);
	return result == TLS_OK ? sim_tls_open(tls) : result;
}

/* -- Data ------------------------------------------------------------------------------------- */

/* The peer says that this is all. */
static enum tls_result sim_tls_end(struct tls *tls)
{
	tls->state = SIM_TLS_ENDED;
	tls->input_size = 0;
	tls->conn->ended_well = true;
	sim_oracle_on_told(tls->conn, SIM_RECEIVE, 0);
	return TLS_END;
}

static enum tls_result sim_tls_break(struct tls *tls, struct fault *ret_fault)
{
	enum tls_result result = sim_tls_fail(tls, ret_fault, FAULT_TLS_BROKEN);

	sim_oracle_on_broken(tls->conn);
	return result;
}

/* A record is there of which not all has been read; else why not. */
static enum tls_result sim_tls_fetch(struct tls *tls, struct fault *ret_fault)
{
	enum tls_result result;

	if (tls->record.size > SIM_TLS_HEAD &&
		tls->record.size == SIM_TLS_HEAD + sim_tls_size(tls->record.data))
		return TLS_OK;
	result = sim_tls_next(tls, ret_fault);
	if (result == TLS_END) {
		sim_oracle_on_told(tls->conn, SIM_RECEIVE, 0);
		return sim_tls_fail(tls, ret_fault, FAULT_BODY_TRUNCATED);
	}
	if (result == TLS_FAULT && ret_fault->code == FAULT_TLS_BROKEN)
		sim_oracle_on_broken(tls->conn);
	if (result != TLS_OK || tls->record.data[0] == SIM_TLS_DATA)
		return result;
	if (tls->record.data[0] == SIM_TLS_ALERT && tls->record.data[SIM_TLS_HEAD] == SIM_TLS_CLOSE)
		return sim_tls_end(tls);
	return sim_tls_break(tls, ret_fault);
}

enum tls_result tls_read(
	struct tls *tls, char *data, size_t size, size_t *ret_size, struct fault *ret_fault)
{
	enum tls_result result;
	size_t n;

	expect(tls->state >= SIM_TLS_OPEN);
	expect(size > 0);
	*ret_size = 0;
	if (tls->state == SIM_TLS_ENDED)
		return TLS_END;
	if (tls->state == SIM_TLS_FAULTED)
		return sim_tls_fail(tls, ret_fault, FAULT_TLS_BROKEN);
	result = sim_tls_fetch(tls, ret_fault);
	if (result != TLS_OK)
		return result;
	n = tls->record.size - SIM_TLS_HEAD - tls->n_read;
	if (n > size)
		n = size;
	if (n > 1 && sim_chance(sim_world.profile.short_receive))
		n = (size_t)sim_between(1, n);
	memcpy(data, tls->record.data + SIM_TLS_HEAD + tls->n_read, n);
	tls->n_read += n;
	if (SIM_TLS_HEAD + tls->n_read == tls->record.size)
		buffer_clear(&tls->record);
	*ret_size = n;
	sim_oracle_on_told(tls->conn, SIM_RECEIVE, (int)n);
	return TLS_OK;
}

enum tls_result tls_write(struct tls *tls, const char *data, size_t size, struct fault *ret_fault)
{
	expect(tls->state >= SIM_TLS_OPEN);
	if (tls->state == SIM_TLS_FAULTED)
		return sim_tls_fail(tls, ret_fault, FAULT_TLS_BROKEN);
	sim_oracle_on_send(tls->conn, data, size);
	while (size > 0) {
		size_t n = size < SIM_TLS_MAX ? size : SIM_TLS_MAX;

		sim_tls_append(tls, SIM_TLS_DATA, data, n);
		data += n;
		size -= n;
	}
	if (tls->output.failed)
		return sim_tls_fail(tls, ret_fault, FAULT_OVERLOADED);
	return TLS_OK;
}

void tls_close(struct tls *tls)
{
	if (tls->state == SIM_TLS_OPEN || tls->state == SIM_TLS_ENDED)
		sim_tls_append(tls, SIM_TLS_ALERT, (char[]){SIM_TLS_CLOSE}, 1);
}
