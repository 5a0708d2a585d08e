#include "source/source.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "source/fetch.h"
#include "source/fetcher_private.h"
#include "source/http.h"
#include "source/lane.h"
#include "source/local.h"

#include <stdlib.h>

static local_done_fn on_local;

struct fetcher *fetcher_new(const char *user_agent, const volatile int *cancel, struct err *err)
{
	CURLM *multi = NULL;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		multi = curl_multi_init();
	if (!multi) {
		err_set(err, ERR_SOURCE, "libcurl cannot be initialised");
		return NULL;
	}
	struct fetcher *fetcher = mem_zalloc(1, sizeof *fetcher);
	fetcher->multi = multi;
	fetcher->user_agent = mem_strdup(user_agent);
	fetcher->cancel = cancel;
	fetcher->locals = (struct locals){.done = on_local, .ctx = fetcher};
	backoff_init(&fetcher->backoff);
	return fetcher;
}

struct lane *fetcher_lane(struct fetcher *fetcher, const struct source_def *def)
{
	for (size_t i = 0; i < fetcher->lane_count; i++)
		if (fetcher->lanes[i]->def == def)
			return fetcher->lanes[i];
	struct lane *lane = lane_new(def, fetcher->user_agent);

	fetcher->lanes =
	    mem_resize(fetcher->lanes, fetcher->lane_count + 1, sizeof(struct lane *));
	fetcher->lanes[fetcher->lane_count++] = lane;
	fetcher->connections += lane_width_max(lane);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, fetcher->connections);
	return lane;
}

void fetcher_submit(struct fetcher *fetcher, const struct source_request *steps, size_t count,
		    source_answer_fn *fn, void *ctx)
{
	struct fetch *fetch = fetcher->idle;

	if (fetch)
		fetcher->idle = fetch->next;
	else
		fetch = mem_zalloc(1, sizeof *fetch);
	fetch_init(fetch, steps, count, fn, ctx);
	fetch->submitted_us = fetch->enqueued_us = clock_mono_us();
	fetcher->outstanding++;
	if (steps[0].source->kind == SOURCE_HTTP)
		lane_push(fetcher_lane(fetcher, steps[0].source), fetch);
	else
		locals_push(&fetcher->locals, fetch);
}

size_t fetcher_outstanding(const struct fetcher *fetcher)
{
	return fetcher->outstanding;
}

bool fetcher_lane_stats(const struct fetcher *fetcher, const struct source_def *source,
			struct source_lane_stats *ret_stats)
{
	for (size_t i = 0; i < fetcher->lane_count; i++) {
		if (fetcher->lanes[i]->def != source)
			continue;
		lane_stats(fetcher->lanes[i], ret_stats);
		return true;
	}
	return false;
}

void fetcher_resume(struct fetcher *fetcher, struct fetch *fetch)
{
	fetch->enqueued_us = clock_mono_us();
	if (fetch->request->source->kind == SOURCE_HTTP)
		lane_push_front(fetcher_lane(fetcher, fetch->request->source), fetch);
	else
		locals_push(&fetcher->locals, fetch);
}

void fetcher_answer(struct fetcher *fetcher, struct fetch *fetch, struct source_answer *reply)
{
	uint64_t age_us = clock_mono_us() - fetch->submitted_us;

	reply->duration_us = age_us - fetch->queued_us;
	fetcher->outstanding--;
	fetcher->answered++;
	fetch->fn(fetch->ctx, reply);
	fetch_trim(fetch);
	fetch->next = fetcher->idle;
	fetcher->idle = fetch;
}

void fetcher_fail(struct fetcher *fetcher, struct fetch *fetch, enum source_cause cause,
		  struct err *err)
{
	struct source_answer reply;

	fetch_name_error(fetch, err);
	fetch_fail(fetch, cause, err, &reply);
	fetcher_answer(fetcher, fetch, &reply);
}

static void on_local(void *ctx, struct fetch *fetch, const struct local_result *result,
		     struct err *err)
{
	struct fetcher *fetcher = ctx;
	struct source_answer reply;

	if (fetch_settle(fetch, result, &reply, err) == FETCH_SEND) {
		fetcher_resume(fetcher, fetch);
		return;
	}
	if (reply.status == SOURCE_FAILED && reply.cause != SOURCE_CAUSE_BREAKER)
		fetch_name_error(fetch, err);
	fetcher_answer(fetcher, fetch, &reply);
}

/* Takes every fetch out of where it waits or runs. */
static struct fetch *uproot(struct fetcher *fetcher)
{
	struct fetch *all = locals_uproot(&fetcher->locals);
	struct fetch *fetch = NULL;

	for (size_t i = 0; i < fetcher->lane_count; i++) {
		struct lane *lane = fetcher->lanes[i];

		while (lane->running) {
			struct http *http = lane->handles[0];

			fetch = http->owner;
			http_stop(http, fetcher->multi);
			lane_give(lane, http);
			fetch->next = all;
			all = fetch;
		}
		breaker_abandon(&lane->breaker);
		while ((fetch = lane_pop(lane)) != NULL) {
			fetch->next = all;
			all = fetch;
		}
	}
	while ((fetch = delay_pop(&fetcher->delay)) != NULL) {
		fetch->next = all;
		all = fetch;
	}
	return all;
}

void fetcher_cancel(struct fetcher *fetcher)
{
	struct fetch *fetch = uproot(fetcher);

	while (fetch) {
		struct fetch *next = fetch->next;
		struct err err = {0};

		err_set(&err, ERR_INTERRUPTED, "cancelled");
		fetcher_fail(fetcher, fetch, SOURCE_CAUSE_CANCELLED, &err);
		fetch = next;
	}
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	while (fetcher->outstanding)
		fetcher_cancel(fetcher);
	for (size_t i = 0; i < fetcher->lane_count; i++)
		lane_free(fetcher->lanes[i]);
	locals_release(&fetcher->locals);
	while (fetcher->idle) {
		struct fetch *fetch = fetcher->idle;

		fetcher->idle = fetch->next;
		fetch_release(fetch);
		free(fetch);
	}
	delay_release(&fetcher->delay);
	free(fetcher->lanes);
	free(fetcher->user_agent);
	curl_multi_cleanup(fetcher->multi);
	free(fetcher);
}
