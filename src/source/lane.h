#ifndef SOURCE_LANE_H
#define SOURCE_LANE_H

#include "base/err.h"
#include "source/breaker.h"
#include "source/origin.h"
#include "source/pace.h"
#include "source/verdict.h"
#include "source/window.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct fetch;
struct http;
struct source_def;
struct source_lane_stats;

/*
 * One source's admission: who waits, who is under way, how fast they may
 * start, and its handles, which keep their connections warm.
 */
struct lane {
	const struct source_def *def;
	struct origin origin;
	struct curl_slist *headers;
	const char *user_agent;
	struct err broken;   /* why nothing can be asked of this source, if so */
	struct fetch *first; /* waiting, linked through fetch->next */
	struct fetch *last;
	struct http **handles; /* the first `running` are under way, the rest idle */
	unsigned running;
	unsigned made;
	struct window window;
	struct pace pace;
	struct breaker breaker;
	uint64_t hold_until_ns; /* Retry-After of a source that asked for quiet */
	uint64_t requests;      /* ever */
	uint64_t rejected;
};

struct lane *lane_new(const struct source_def *def, const char *user_agent);
/* Nothing may be under way. */
void lane_free(struct lane *lane);

void lane_push(struct lane *lane, struct fetch *fetch);
/* For what was begun before: retries, redirects, next steps. */
void lane_push_front(struct lane *lane, struct fetch *fetch);
/* NULL when nobody waits. */
struct fetch *lane_pop(struct lane *lane);
/* All who wait, linked through fetch->next. */
struct fetch *lane_pop_all(struct lane *lane);

/* The most that may ever be under way. */
unsigned lane_width_max(const struct lane *lane);
/* True when one may start now. Otherwise *ret_wait_ns is when time alone will do, 0: never. */
bool lane_is_open(const struct lane *lane, uint64_t now_ns, uint64_t *ret_wait_ns);
/* A handle for a request that starts now; lane_is_open. */
struct http *lane_take(struct lane *lane, uint64_t now_ns);
void lane_give(struct lane *lane, struct http *http);
/* Learns from how a request ended; before lane_give. */
void lane_learn(struct lane *lane, const struct http *http, enum verdict_health health,
		uint64_t now_ns);
void lane_stats(const struct lane *lane, struct source_lane_stats *ret_stats);
/* No start before then. */
void lane_hold(struct lane *lane, uint64_t until_ns);

#endif
