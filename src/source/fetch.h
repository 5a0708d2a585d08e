#ifndef SOURCE_FETCH_H
#define SOURCE_FETCH_H

#include "base/buf.h"
#include "source/source.h"

#include <curl/curl.h>
#include <stdint.h>

struct backoff;
struct err;
struct http;
struct local_result;
struct origin;

/* One submitted chain on its way to one answer. Knows what comes next, not when. */
struct fetch {
	struct fetch *next; /* in the list that holds it: waiting, or free */
	const struct source_request *steps;
	size_t count;
	source_answer_fn *fn;
	void *ctx;
	size_t step;
	const struct source_request *request; /* asked now: the step's, or its keep_only's */
	struct buf url;   /* of the request under way; empty: not built yet */
	struct buf array; /* what to keep elements of, while their ids are fetched */
	struct buf kept;
	unsigned tries;     /* of request */
	unsigned redirects; /* of this try */
	uint64_t sleep_ms;  /* before this try, 0 before the first */
	unsigned attempts;  /* all HTTP requests */
	unsigned http_status;
	uint64_t body_bytes;
	int64_t max_age_s;
	uint64_t submitted_us;
	uint64_t queued_us; /* spent waiting for admission so far */
	uint64_t enqueued_us;
};

enum fetch_next {
	FETCH_SEND,   /* queue fetch->request */
	FETCH_SLEEP,  /* the same after fetch->sleep_ms */
	FETCH_ANSWER, /* *ret_answer is complete but for duration_us */
};

/* Starts over with a new chain; buffers are reused. */
void fetch_init(struct fetch *fetch, const struct source_request *steps, size_t count,
		source_answer_fn *fn, void *ctx);
void fetch_release(struct fetch *fetch);
/* Gives back what large answers took, before the fetch rests in a pool. */
void fetch_trim(struct fetch *fetch);

/* The request begins: builds its URL unless a redirect did. -1: it has none. */
int fetch_begin(struct fetch *fetch, const struct origin *origin, struct err *err);
/* True when the body asked for now must be strict JSON. */
bool fetch_wants_json(const struct fetch *fetch);
/*
 * What follows from the request's end with code. *ret_answer borrows from
 * fetch, http and err. *ret_quiet_ms: the source asked all for quiet so long.
 */
enum fetch_next fetch_advance(struct fetch *fetch, const struct http *http, CURLcode code,
			      const struct origin *origin, struct backoff *backoff,
			      struct source_answer *ret_answer, uint64_t *ret_quiet_ms,
			      struct err *err);
/* For a fetch from a local source: the request begins; what follows from its end. */
void fetch_launch(struct fetch *fetch);
enum fetch_next fetch_settle(struct fetch *fetch, const struct local_result *result,
			     struct source_answer *ret_answer, struct err *err);
/* What the request asked now may be conditional on; both empty: nothing. */
void fetch_condition(const struct fetch *fetch, struct bytes *ret_etag,
		     struct bytes *ret_last_modified);
/* The answer of a fetch that fails. */
void fetch_fail(const struct fetch *fetch, enum source_cause cause, const struct err *err,
		struct source_answer *ret_answer);
/* Puts the request's name before the error that it failed with. */
void fetch_name_error(const struct fetch *fetch, struct err *err);

#endif
