/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Constants of kernels newer than the oldest liburing we build with (2.3). They are numbers of the
 * kernel's interface; liburing is never handed a set-up flag it does not know.
 */

#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7) /* 6.15 */
#endif

/* An enumerator where it is known, which no #ifndef sees. */
#define IORING_OP_FTRUNCATE_ 55 /* 6.9 */

#ifndef IORING_FEAT_RW_ATTR
#define IORING_FEAT_RW_ATTR (1U << 16) /* 6.14 */
#endif

#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17) /* 6.15 */
#endif
