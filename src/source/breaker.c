#include "source/breaker.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000U

void breaker_init(struct breaker *breaker, uint64_t rest_ms)
{
	*breaker = (struct breaker){.rest_ns = rest_ms * NS_PER_MS};
}

bool breaker_refuses(const struct breaker *breaker, uint64_t now_ns)
{
	return breaker->open_ns && (breaker->trying || now_ns < breaker->open_ns);
}

void breaker_start(struct breaker *breaker)
{
	breaker->trying = breaker->open_ns != 0;
}

void breaker_end(struct breaker *breaker, bool served, uint64_t now_ns)
{
	if (served) {
		breaker->failures = 0;
		breaker->open_ns = 0;
	} else if (breaker->trying) {
		breaker->open_ns = now_ns + breaker->rest_ns;
	}
	breaker->trying = false;
}

void breaker_abandon(struct breaker *breaker)
{
	breaker->trying = false;
}

bool breaker_fail(struct breaker *breaker, const struct err *err, uint64_t now_ns)
{
	/* What comes behind the semicolon is the remedy of a single failure. */
	snprintf(breaker->last, sizeof breaker->last, "%.*s", (int)strcspn(err->text, ";"),
		 err->text);
	breaker->failures++;
	if (breaker->open_ns || breaker->failures < BREAKER_LIMIT)
		return false;
	breaker->open_ns = now_ns + breaker->rest_ns;
	breaker->opened++;
	return true;
}

void breaker_explain(struct breaker *breaker, const char *name, const char *place,
		     struct err *err)
{
	breaker->refused++;
	err_set(err, ERR_SOURCE,
		"source '%s' %s: %u failures in a row (last: %s); no more is asked of it in "
		"this run",
		name, place, breaker->failures, breaker->last);
}
