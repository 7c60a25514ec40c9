/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The header Retry-After (RFC 9110 10.2.3): how long a server wants to be left alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

/* From its value, and the time since 1970: seconds, or a date in any of the three forms of RFC
 * 9110 5.6.7 (of a date that has passed it is 0). What is too long for 64 bits is very long, but
 * never UINT64_MAX. False: neither. */
bool retry_after_parse(struct text text, uint64_t now_unix_seconds, uint64_t *ret_ns);
