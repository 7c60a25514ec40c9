/* SPDX-License-Identifier: MIT */
#include "http/decode.h"

#include "tests/unit/unit.h"

START_TEST(says_what_it_accepts)
{
	ck_assert(text_starts_with(decode_accept(), TEXT("gzip, deflate")));
}
END_TEST

UNIT_MAIN("http/decode", &says_what_it_accepts)
