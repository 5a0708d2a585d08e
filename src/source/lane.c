#include "source/lane.h"

#include "base/mem.h"
#include "source/fetch.h"
#include "source/http.h"
#include "source/source.h"

#include <stdlib.h>

struct lane *lane_new(const struct source_def *def, const char *user_agent)
{
	struct lane *lane = mem_zalloc(1, sizeof *lane);
	const char *bad = NULL;

	lane->def = def;
	lane->user_agent = user_agent;
	if (origin_init(&lane->origin, def->base_url, &lane->broken) == 0 &&
	    http_headers(def, &lane->headers, &bad) < 0)
		err_set(&lane->broken, ERR_CONFIG, "header '%s' cannot be sent", bad);
	window_init(&lane->window, def->concurrency, def->concurrency_max);
	pace_init(&lane->pace, def->rate);
	breaker_init(&lane->breaker, def->retry.cap_ms);
	lane->handles = mem_zalloc(lane_width_max(lane), sizeof *lane->handles);
	return lane;
}

static void wipe_headers(struct curl_slist *headers)
{
	for (struct curl_slist *at = headers; at; at = at->next)
		for (char *c = at->data; *c; c++)
			*(volatile char *)c = '\0';
	curl_slist_free_all(headers);
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	for (unsigned i = 0; i < lane->made; i++)
		http_free(lane->handles[i]);
	free(lane->handles);
	wipe_headers(lane->headers);
	origin_release(&lane->origin);
	free(lane);
}

void lane_push(struct lane *lane, struct fetch *fetch)
{
	fetch->next = NULL;
	if (lane->last)
		lane->last->next = fetch;
	else
		lane->first = fetch;
	lane->last = fetch;
}

void lane_push_front(struct lane *lane, struct fetch *fetch)
{
	fetch->next = lane->first;
	lane->first = fetch;
	if (!lane->last)
		lane->last = fetch;
}

struct fetch *lane_pop(struct lane *lane)
{
	struct fetch *fetch = lane->first;

	if (fetch) {
		lane->first = fetch->next;
		if (!lane->first)
			lane->last = NULL;
	}
	return fetch;
}

struct fetch *lane_pop_all(struct lane *lane)
{
	struct fetch *all = lane->first;

	lane->first = lane->last = NULL;
	return all;
}

unsigned lane_width_max(const struct lane *lane)
{
	return lane->window.max;
}

bool lane_is_open(const struct lane *lane, uint64_t now_ns, uint64_t *ret_wait_ns)
{
	uint64_t next_ns = lane->pace.next_ns;
	uint64_t open_ns = next_ns > lane->hold_until_ns ? next_ns : lane->hold_until_ns;

	*ret_wait_ns = 0;
	if (lane->running >= window_size(&lane->window))
		return false;
	if (open_ns <= now_ns)
		return true;
	*ret_wait_ns = open_ns - now_ns;
	return false;
}

struct http *lane_take(struct lane *lane, uint64_t now_ns)
{
	if (lane->running == lane->made)
		lane->handles[lane->made++] =
		    http_new(lane->def, &lane->origin, lane->headers, lane->user_agent);
	struct http *http = lane->handles[lane->running];
	http->slot = lane->running++;
	http->started_ns = now_ns;
	lane->requests++;
	pace_spend(&lane->pace, now_ns);
	breaker_start(&lane->breaker);
	return http;
}

void lane_give(struct lane *lane, struct http *http)
{
	struct http *moved = lane->handles[--lane->running];

	http_clear(http);
	lane->handles[http->slot] = moved;
	moved->slot = http->slot;
	lane->handles[lane->running] = http;
	http->slot = lane->running;
}

void lane_hold(struct lane *lane, uint64_t until_ns)
{
	if (until_ns > lane->hold_until_ns)
		lane->hold_until_ns = until_ns;
}

void lane_learn(struct lane *lane, const struct http *http, enum verdict_health health,
		uint64_t now_ns)
{
	breaker_end(&lane->breaker, health == VERDICT_SERVED, now_ns);
	switch (health) {
	case VERDICT_SERVED:
		window_grow(&lane->window, lane->running);
		pace_served(&lane->pace, now_ns);
		break;
	case VERDICT_TOO_MANY:
	case VERDICT_OVERLOADED:
		lane->rejected++;
		pace_rejected(&lane->pace, http->started_ns, now_ns,
			      health == VERDICT_TOO_MANY);
		window_shrink(&lane->window, http->started_ns, now_ns);
		break;
	case VERDICT_TIMED_OUT:
		window_shrink(&lane->window, http->started_ns, now_ns);
		break;
	case VERDICT_DOWN:
		break;
	}
}

void lane_stats(const struct lane *lane, struct source_lane_stats *ret_stats)
{
	*ret_stats = (struct source_lane_stats){
	    .window = window_size(&lane->window),
	    .in_flight = lane->running,
	    .rate = pace_rate(&lane->pace),
	    .requests = lane->requests,
	    .rejected = lane->rejected,
	    .opened = lane->breaker.opened,
	    .refused = lane->breaker.refused,
	};
}
