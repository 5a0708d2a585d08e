#ifndef SOURCE_VERDICT_H
#define SOURCE_VERDICT_H

#include "source/source.h"

#include <curl/curl.h>
#include <stdbool.h>

struct err;
struct http_result;

/* What one HTTP request's end means for the fetch. */
enum verdict {
	VERDICT_BODY,     /* a body, well-formed as far as the request asks for it */
	VERDICT_EMPTY,    /* "nothing there" */
	VERDICT_SAME,     /* 304: the body is the one that the condition told of */
	VERDICT_REDIRECT, /* the Location header says where */
	VERDICT_RETRY,    /* failed in a way that may pass */
	VERDICT_FAIL,
};

/*
 * Judges a result; json: a body must be strict JSON. With RETRY and FAIL fills *ret_cause and
 * err: what happened and the remedy, without naming the request.
 */
enum verdict verdict_of(const struct http_result *result, const struct source_request *request,
			bool json, enum source_cause *ret_cause, struct err *err);
/* The same of a whole body: BODY, EMPTY or FAIL. */
enum verdict verdict_of_body(struct bytes body, const struct source_request *request, bool json,
			     enum source_cause *ret_cause, struct err *err);
/* What a request's end says about the source's strength. */
enum verdict_health {
	VERDICT_SERVED,     /* it answered, whatever it was */
	VERDICT_TOO_MANY,   /* 429 */
	VERDICT_OVERLOADED, /* 503; or it is down */
	VERDICT_TIMED_OUT,
	VERDICT_DOWN, /* another 5xx, or no answer */
};
enum verdict_health verdict_health(CURLcode code, unsigned status);
/* True when a fetch that failed so failed because the source is down. */
bool verdict_is_down(enum source_cause cause, unsigned status);
/* True when text, blanks around it aside, is one of the request's empty answers. */
bool verdict_is_empty_text(const struct source_request *request, struct bytes text);

#endif
