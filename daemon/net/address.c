/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>

bool address_parse(struct text literal, uint16_t port, struct address *ret_address)
{
	char text[INET6_ADDRSTRLEN];
	struct address address = {0};

	if (literal.size >= sizeof(text))
		return false;
	memcpy(text, literal.data, literal.size);
	text[literal.size] = '\0';
	if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1)
		address.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1)
		address.v6.sin6_family = AF_INET6;
	else
		return false;
	address_set_port(&address, port);
	*ret_address = address;
	return true;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN];

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(address->v6.sin6_port));
		return;
	}
	inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
	snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(address->v4.sin_port));
}

void address_set_port(struct address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons(port);
	else
		address->v4.sin_port = htons(port);
}
