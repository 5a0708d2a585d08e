#ifndef SOURCE_HTTP_H
#define SOURCE_HTTP_H

#include "base/buf.h"
#include "base/bytes.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct origin;
struct source_def;

/*
 * One GET at a time on a reused handle. Everything that a source fixes is set
 * once, when the handle is made; a request changes the URL only.
 */
struct http {
	CURL *easy;
	struct curl_slist *headers;    /* borrowed */
	struct curl_slist *conditions; /* of this request, with headers behind; NULL: none */
	struct buf body; /* after content decoding, at most the source's max_body */
	bool over_limit; /* the body went over max_body and was cut off */
	uint64_t max_body;
	bool decodes;        /* asks for and undoes content codings */
	void *owner;         /* the caller's, for the length of a request */
	unsigned slot;       /* the caller's */
	uint64_t started_ns; /* the caller's */
	char message[CURL_ERROR_SIZE];
};

/* How a request ended. Views live until the handle's next request. */
struct http_result {
	CURLcode code;
	unsigned status; /* 0: no status line came */
	struct bytes body;
	bool over_limit;
	bool connected;
	bool conditional;    /* a condition was sent */
	const char *coding;  /* a content coding that is still on the body, or NULL */
	const char *message; /* curl's own words */
};

/* Borrows all but headers' content, which must outlive the handle. */
struct http *http_new(const struct source_def *def, const struct origin *origin,
		      struct curl_slist *headers, const char *user_agent);
void http_free(struct http *http);
/*
 * The request begins: its timeouts run from here. json: the body will be
 * checked. Others go without content coding, because libcurl takes a gzip
 * stream that ends early for a whole one (seen with 7.88).
 */
void http_start(struct http *http, CURLM *multi, const char *url, bool json);
/*
 * Before http_start: makes the next request conditional on either, or on none
 * when both are empty or no header can hold them.
 */
void http_condition(struct http *http, struct bytes etag, struct bytes last_modified);
/* Takes the handle out of multi, finished or not. */
void http_stop(struct http *http, CURLM *multi);
/* The handle that finished with code. */
void http_finish(const struct http *http, CURLcode code, struct http_result *ret_result);
/* Forgets the body; gives back memory that an unusually large one took. */
void http_clear(struct http *http);

/* A header of the last answer, NULL when absent. */
const char *http_header(const struct http *http, const char *name);
/* Cache-Control's max-age in s (RFC 9111 §5.2.2); 0 with no-store or no-cache, -1 when not
 * given. */
int64_t http_max_age_s(const struct http *http);
/* Retry-After in s, from seconds or a date; 0 when not given or past. */
uint64_t http_retry_after_s(const struct http *http);
/* "Name: value" lines for http_new; -1 and *ret_bad when a header cannot be sent as it is. */
int http_headers(const struct source_def *def, struct curl_slist **ret_list,
		 const char **ret_bad);

#endif
