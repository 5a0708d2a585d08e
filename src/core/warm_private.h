#ifndef CORE_WARM_PRIVATE_H
#define CORE_WARM_PRIVATE_H

#include "base/err.h"
#include "core/guard.h"
#include "core/listed.h"
#include "core/request.h"
#include "core/volatility.h"
#include "core/warm.h"

/*
 * Items under way at once: enough to keep any source's admission queue full. Where all
 * of them wait for Redis time and again, the link is long, and more are begun.
 */
#define WARM_WINDOW 256
#define WARM_WINDOW_MOST 6144 /* some 40 MB, at 100 ms a trip 30,000 items a second */

/* An item under way, from its key to Redis' acknowledgement. Recycled. */
struct warm_item {
	struct warm *warm;
	struct warm_item
	    *next; /* in the free list, or in the list of those that wait for another try */
	struct buf key;
	struct buf vars; /* {"name":"value",…}, when failures are written down */
	struct request request;
	struct guard_state state;
	char token[GUARD_TOKEN_LEN + 1];
	unsigned tries;
	uint64_t trouble_ms; /* when Redis failed it first; 0: not */
	uint64_t again_ms;   /* when to try again */
	size_t value_len;
	struct volatility_lesson lesson;
	bool renewed;          /* what Redis did: kept the same bytes */
	const struct ns *list; /* the set that is told of it, one after the other */
	struct listed listed;
};

struct warm {
	const struct warm_job *job;
	struct warm_report *report;
	struct warm_item *free;
	struct warm_item
	    *again; /* wait for another try: Redis lost or could not take their write */
	struct warm_item *items[WARM_WINDOW_MOST]; /* all that exist, for the release */
	size_t item_count;
	size_t under_way;
	size_t window;     /* how many may be */
	uint64_t begun;    /* since the window grew */
	struct buf packed; /* a value on its way, when its namespace packs them */
	uint64_t hold_ms;  /* a fetch ends within */
	bool reload;       /* the server forgot the scripts */
	struct err stop;   /* why no more is begun; report->end says it in a word */
};

/* No more is begun. The first reason counts. */
void warm_stop(struct warm *warm, enum warm_end end, const struct err *why);

/* Takes a fresh item for vars and starts it; all that happens to it ends in the report. */
void warm_item_begin(struct warm *warm, const struct var *vars, size_t count);
/* Starts again those whose time has come. */
void warm_item_retry(struct warm *warm, uint64_t now_ms);
/* How long until the first of them, in ms; -1: none waits. */
int warm_item_wait(const struct warm *warm, uint64_t now_ms);
/* Gives up those that wait, when the run stops. */
void warm_item_abandon(struct warm *warm);
/* Counts and tells an item that made no key at all. */
void warm_item_bad(struct warm *warm, const struct err *err);
void warm_item_release(struct warm *warm);

/* What may end an item. Each counts it, tells it and takes it back. */
void warm_item_finish(struct warm_item *item);
void warm_item_fail(struct warm_item *item, unsigned cause, const struct err *err);
void warm_item_skip(struct warm_item *item, enum warm_skip why);
/* The fetch brought nothing, as there is nothing or as it failed: its token goes. */
void warm_item_unannounce(struct warm_item *item, bool absent);
/* Redis answered with an error: the item fails, is tried again, or ends the run. */
void warm_item_trouble(struct warm_item *item, const struct reply *reply, const char *command);
/* A submit failed: the session is gone for good. The item itself has heard REPLY_LOST. */
void warm_item_unsent(struct warm *warm, const struct err *err);
void warm_item_tell(const struct warm *warm, struct bytes key, const struct err *err);

/* Asks the source; the answer's way to Redis and its acknowledgement end the item
 * (warm_answer.c). */
void warm_answer_fetch(struct warm_item *item);

#endif
