/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An IP address with its port.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "util/text.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* "[ffff:…:ffff]:65535" and its NUL. */
#define ADDRESS_TEXT_MAX 56

static inline socklen_t address_size(const struct address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

/* An IP literal without brackets, as inet_pton(3) has it. False where it is none. */
bool address_parse(struct text literal, uint16_t port, struct address *ret_address);

/* "127.0.0.1:80", "[::1]:443"; terminated. */
void address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);

void address_set_port(struct address *address, uint16_t port);
