/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the daemon takes away from itself once its ring exists, also where no service manager has
 * fenced it in. For good, and for all its threads.
 */

/* No new privileges by exec; no second ring; no core dump and no other process of the same user
 * looking in, except in debug builds. What the kernel does not have is left out, and logged once
 * in one line. */
void sandbox_enter(void);
