/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS that hides nothing: records with a type and a length, their payload with every bit of
 * SIM_TLS_MASK turned, so that neither side takes it for plaintext. The daemon's side stands for
 * net/tls.h (sim_tls.c), the origin's is sim_tls_server.c.
 *
 *   client                       server
 *     HELLO number, what it wants
 *                                HELLO certificate, ALPN, whether FINISHED follows
 *     FINISHED
 *                                (FINISHED)
 *     DATA ...                   DATA ...
 *     ALERT: the end             ALERT: the end, or a failure
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim_model.h"

#define SIM_TLS_HEAD 5
#define SIM_TLS_MAX  ((size_t)16 * 1024)
#define SIM_TLS_MASK 0x55

enum sim_tls_type {
	SIM_TLS_ALERT = 21,
	SIM_TLS_HANDSHAKE = 22,
	SIM_TLS_DATA = 23,
};

/* The one byte of an alert. */
#define SIM_TLS_CLOSE 'c'
#define SIM_TLS_FATAL 'f'

/* The payload of either's end of the handshake. */
#define SIM_TLS_FINISHED "finished"

/* A record's head. */
static inline void sim_tls_put_head(char head[SIM_TLS_HEAD], enum sim_tls_type type, size_t size)
{
	head[0] = (char)type;
	head[1] = 3;
	head[2] = 3;
	head[3] = (char)(size >> 8);
	head[4] = (char)size;
}

static inline size_t sim_tls_size(const char head[SIM_TLS_HEAD])
{
	return (size_t)(unsigned char)head[3] << 8 | (unsigned char)head[4];
}

/* Hide and show. */
static inline void sim_tls_mask(char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] ^= SIM_TLS_MASK;
}

/* -- The daemon's side ---------------------------------------------------------------------- */

/* A new world: none is left of the last. */
void sim_tls_begin(void);

/* The daemon begins to send its hello on that connection: from now on the oracle hears what is
 * read and written there. */
void sim_tls_join(struct sim_conn *conn, const char *data, size_t size);

/* -- The origin's side ---------------------------------------------------------------------- */

/* Somebody has connected: what will come of the handshake is drawn. */
void sim_tls_serve(struct sim_conn *conn);

/* Bytes have come from the daemon: what they say goes to conn->request. */
void sim_tls_hear(struct sim_conn *conn, const char *data, size_t size);

/* Say these bytes. */
void sim_tls_say(struct sim_conn *conn, const char *data, size_t size);

/* Say that this is the end. */
void sim_tls_say_end(struct sim_conn *conn);

/* Say what no TLS says. */
void sim_tls_say_rubbish(struct sim_conn *conn);
