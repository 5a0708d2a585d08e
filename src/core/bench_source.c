#include "core/bench_source.h"

#include "base/clock.h"
#include "base/err.h"
#include "core/namespace.h"
#include "core/request.h"
#include "core/selection.h"
#include "source/source.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <stdio.h>

#define DIGITS_3 10
#define WAIT_MS 1000

struct fetched {
	bool done;
	enum source_status status;
	struct buf value;
	struct err err;
};

static void on_answer(void *ctx, const struct source_answer *answer)
{
	struct fetched *fetched = ctx;

	fetched->done = true;
	fetched->status = answer->status;
	if (answer->status == SOURCE_OK)
		buf_add(&fetched->value, answer->value);
	if (answer->status == SOURCE_FAILED && answer->error)
		fetched->err = *answer->error;
}

static int fetch(const struct bench_source_plan *plan, const struct var *vars, size_t count,
		 struct fetched *fetched, struct err *err)
{
	struct request request = {0};
	int status = request_prepare(&request, plan->ns, vars, count, err);

	buf_clear(&fetched->value);
	fetched->done = false;
	if (status == 0) {
		fetcher_submit(plan->fetcher, request.steps, request.count, on_answer, fetched);
		while (status == 0 && !fetched->done)
			status = fetcher_turn(plan->fetcher, WAIT_MS, -1, 0, NULL, err);
	}
	request_release(&request);
	return status;
}

static int ask(const struct bench_source_plan *plan, const struct bytes *argv, size_t argc,
	       struct err *err)
{
	const struct reply *reply = NULL;

	if (redis_call(plan->redis, argv, argc, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	if (reply->type == REPLY_ERROR)
		return redis_fail(plan->redis, reply, argv[0].ptr, argv[1], err);
	return 0;
}

/* One id: the miss and what fills it, then the hits. */
static int read_one(const struct bench_source_plan *plan, struct bytes key,
		    const struct var *vars, size_t count, struct fetched *fetched,
		    struct bench_saving *saving, struct err *err)
{
	const struct bytes get[] = {BYTES("GET"), key};
	char ttl[24];
	uint64_t begin_ns = clock_mono_ns();

	if (ask(plan, get, 2, err) != 0)
		return -1;
	uint64_t fetch_ns = clock_mono_ns();
	if (fetch(plan, vars, count, fetched, err) != 0)
		return -1;
	uint64_t fetched_ns = clock_mono_ns();
	saving->ids++;
	if (fetched->status == SOURCE_FAILED) {
		if (saving->failed++ == 0)
			saving->first_failure = fetched->err;
		return fetched->err.kind == ERR_INTERRUPTED
			   ? err_set(err, ERR_INTERRUPTED, "interrupted")
			   : 0;
	}
	histogram_add(&saving->source, fetched_ns - fetch_ns);
	if (fetched->status != SOURCE_OK) {
		saving->absent++;
		return 0;
	}
	snprintf(ttl, sizeof ttl, "%" PRIu64, plan->job->families[0].ttl_ms);
	const struct bytes set[] = {BYTES("SET"), key, buf_bytes(&fetched->value), BYTES("PX"),
				    bytes_of(ttl)};
	if (ask(plan, set, 5, err) != 0)
		return -1;
	histogram_add(&saving->miss, clock_mono_ns() - begin_ns);
	saving->bytes += fetched->value.len;
	for (unsigned i = 0; i < plan->hits; i++) {
		begin_ns = clock_mono_ns();
		if (ask(plan, get, 2, err) != 0)
			return -1;
		histogram_add(&saving->hit, clock_mono_ns() - begin_ns);
	}
	return 0;
}

/* 1: an item; 0: the end; -1 */
static int next_item(const struct bench_source_plan *plan, struct var *vars, size_t *ret_count,
		     struct err *err)
{
	for (;;) {
		switch (selection_next(plan->selection, vars, ret_count, err)) {
		case SELECTION_ITEM:
			return 1;
		case SELECTION_WAIT:
			if (fetcher_turn(plan->fetcher, WAIT_MS, -1, 0, NULL, err) != 0)
				return -1;
			break;
		case SELECTION_END:
			return 0;
		case SELECTION_BAD:
		case SELECTION_FAILED:
			selection_locate(plan->selection, err);
			return -1;
		}
	}
}

int bench_source_run(const struct bench_source_plan *plan, struct bench_names *ret_keys,
		     struct bench_saving *ret_saving, struct err *err)
{
	struct bench_saving *saving = ret_saving;
	struct var vars[TEMPLATE_VARS_MAX];
	struct fetched fetched = {0};
	struct buf key = {0};
	size_t count = 0;
	int status = 1;

	*saving = (struct bench_saving){0};
	histogram_init(&saving->source, DIGITS_3);
	histogram_init(&saving->miss, DIGITS_3);
	histogram_init(&saving->hit, DIGITS_3);
	while (saving->ids < plan->limit &&
	       (status = next_item(plan, vars, &count, err)) == 1) {
		buf_clear(&key);
		if (ns_expand(plan->set, plan->ns, vars, count, &key, err) != 0) {
			status = -1;
			break;
		}
		bench_names_add(ret_keys, buf_bytes(&key));
		buf_clear(&key);
		buf_printf(&key, BENCH_PREFIX "%s:", plan->job->run);
		buf_add(&key, bench_names_at(ret_keys, ret_keys->count - 1));
		if (read_one(plan, buf_bytes(&key), vars, count, &fetched, saving, err) != 0) {
			status = -1;
			break;
		}
	}
	if (status >= 0 && saving->ids == 0)
		status = err_set(err, ERR_ITEM, "namespace %s: there is no id to read",
				 plan->ns->name);
	else if (status >= 0 && saving->failed == saving->ids) {
		*err = saving->first_failure;
		status = -1;
	}
	buf_release(&key);
	buf_release(&fetched.value);
	return status < 0 ? -1 : 0;
}

void bench_saving_release(struct bench_saving *saving)
{
	histogram_release(&saving->source);
	histogram_release(&saving->miss);
	histogram_release(&saving->hit);
}
