/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include "tests/unit/unit.h"
#include "util/container.h"

START_TEST(reads_and_writes_literals)
{
	static const struct {
		const char *literal;
		uint16_t port;
		/* NULL: it is none. */
		const char *text;
	} cases[] = {
		{"127.0.0.1", 80, "127.0.0.1:80"},
		{"255.255.255.255", 65535, "255.255.255.255:65535"},
		{"0.0.0.0", 0, "0.0.0.0:0"},
		{"::1", 443, "[::1]:443"},
		{"2001:DB8:0:0::1", 1, "[2001:db8::1]:1"},
		{"::ffff:192.0.2.1", 8080, "[::ffff:192.0.2.1]:8080"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
		{"", 80, NULL},
		{"localhost", 80, NULL},
		{"[::1]", 80, NULL},
		{"1.2.3", 80, NULL},
		{"1.2.3.4.5", 80, NULL},
		{"01.2.3.4", 80, NULL},
		{"0x7f.1.1.1", 80, NULL},
		{" 127.0.0.1", 80, NULL},
		{"fe80::1%eth0", 80, NULL},
		{"1:2:3:4:5:6:7:8:9", 80, NULL},
		{"0000000000000000000000000000000000000000000000000000000000000001", 80, NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct address address = {.any.sa_family = AF_UNIX};
		char text[ADDRESS_TEXT_MAX];
		bool ok = address_parse(text_from(cases[i].literal), cases[i].port, &address);

		ck_assert_msg(ok == (cases[i].text != NULL), "%s", cases[i].literal);
		if (!ok) {
			ck_assert_msg(address.any.sa_family == AF_UNIX, "%s was written",
				cases[i].literal);
			continue;
		}
		address_format(&address, text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(does_not_read_beyond_the_view)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	ck_assert(address_parse((struct text){"10.0.0.123", 8}, 80, &address));
	address_format(&address, text);
	ck_assert_str_eq(text, "10.0.0.1:80");
}
END_TEST

START_TEST(knows_its_family_s_size_and_port)
{
	struct address v4, v6;

	ck_assert(address_parse(TEXT("192.0.2.1"), 1, &v4));
	ck_assert(address_parse(TEXT("2001:db8::1"), 1, &v6));
	ck_assert_uint_eq(address_size(&v4), sizeof(struct sockaddr_in));
	ck_assert_uint_eq(address_size(&v6), sizeof(struct sockaddr_in6));
	address_set_port(&v4, 258);
	address_set_port(&v6, 258);
	ck_assert_uint_eq(v4.v4.sin_port, htons(258));
	ck_assert_uint_eq(v6.v6.sin6_port, htons(258));
}
END_TEST

UNIT_MAIN("net/address", &reads_and_writes_literals, &does_not_read_beyond_the_view,
	&knows_its_family_s_size_and_port)
