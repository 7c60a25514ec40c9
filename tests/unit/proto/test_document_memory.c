/* SPDX-License-Identifier: MIT */

/*
 * proto/document without memory: whichever allocation fails, there is a plan, or errors, or
 * neither, and nothing is lost or given back twice (which the sanitizers see).
 */

#include <errno.h>

#include "tests/unit/front/memory.h"
#include "tests/unit/proto/document_case.h"

/* More than any of the documents takes. */
#define ALLOCATIONS_MAX 100

static int document_try_without(const char *text, unsigned n)
{
	struct plan_errors errors;
	struct plan *plan = NULL;
	int r;

	plan_errors_init(&errors);
	memory_fail_after(n);
	r = document_parse(text_from(text), &document_limits_default, &plan, &errors);
	if (!memory_has_failed())
		r = 1;
	ck_assert((r == 0) == (plan != NULL) || r == 1);
	if (plan)
		plan_free(plan);
	plan_errors_deinit(&errors);
	return r;
}

START_TEST(any_allocation_may_fail)
{
	static const char *const documents[] = {
		"{'jobs':[{'url':'http://h/'},{'url':'http://h/{{0}}'}]}",
		"{'defaults':{'headers':{'a':'b'},'retry':2},'jobs':{'a':{'url':'http://h/'},"
		"'g':{'mode':'race','jobs':{'b':{'url':'http://h/','after':['a']},"
		"'c':{'each':[1,2],'url':'http://h/{{item}}','json':{'x':'{{a}}'}}}}},"
		"'return':{'x':'{{g}}'}}",
		/* Refused: more than one thing; and what is found at the end, by reading again. */
		"{'jobs':{'a':{'heders':{},'url':'ftp://h'},'b c':7,'d':{'url':'http://h/{{d}}'}}}",
		"{'jobs':{'a':{'url':'http://h','output':'discard'},'b':{'url':'http://h/{{a}}'}}}",
	};

	for (size_t i = 0; i < countof(documents); i++) {
		char *text = document_quoted(documents[i]);
		unsigned n = 0, n_without = 0;
		int r;

		while ((r = document_try_without(text, n++)) != 1) {
			ck_assert_msg(r == -ENOMEM || r == DOCUMENT_E_REFUSED || r == 0,
				"%s without the %uth gave %d", documents[i], n, r);
			n_without += r == -ENOMEM;
			ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		}
		ck_assert_msg(n_without > 2, "%s: %u", documents[i], n_without);
		free(text);
	}
}
END_TEST

UNIT_MAIN("proto/document_memory", &any_allocation_may_fail)
