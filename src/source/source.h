#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* A request header. */
struct source_header {
	const char *name;
	const char *value; /* may hold secrets: never printed */
};

/* An entry of a command's environment; value as an argument's. */
struct source_env {
	const char *name;
	const char *value; /* may hold secrets: never printed */
};

/* A value that a command is asked with. UTF-8. */
struct source_arg {
	const char *name;
	struct bytes value;
};

enum source_kind {
	SOURCE_HTTP,
	SOURCE_FILE,    /* files below a directory: root, max_body */
	SOURCE_COMMAND, /* a program: argv, env, batch, timeout_ms, max_body, concurrency */
};

/*
 * A place where values come from, as configured. Strings are the
 * configuration's.
 *
 * A command is started from its argument vector, without a shell, in a session
 * of its own, with our environment and env, and killed when we die. An argument or a value of
 *env that is exactly "{name}" is that var of the request ("{{name}}" is the text
 * "{name}"); nothing else is ever replaced. For each request it reads one line
 * of JSON from its standard input, and then the end of input:
 *	{"id":1,"vars":{"leadId":"507f"}}
 * batch 0: one process a request; its standard output is the body, no byte
 * means "nothing there".
 * batch N: one process answers up to N requests, numbered from 1, in any
 * order, one line of JSON each, best as soon as it is known:
 *	{"id":1,"value":{"name":"Ada"}}
 *	{"id":2,"error":"no such table"}
 *	{"id":3}
 * The exact bytes of value are the body (of a request that is not JSON: the
 * text of the string that value is). Without value, or without any line,
 * nothing is there.
 * Exit status 0 ends well. Any other fails what is unanswered, with the first
 * line of standard error; so does a line that is none of these. timeout_ms is
 * the longest wait for the next answer; then the process group gets TERM, and
 * KILL soon after, as when it is cancelled. Failures are not tried again;
 * after twenty processes in a row that failed, and answered nothing, no more
 * are started for a while (breaker.h).
 */
struct source_def {
	const char *name; /* "calls-api" */
	enum source_kind kind;
	const char *root;        /* of a FILE: an absolute directory */
	const char *const *argv; /* of a COMMAND: ends with NULL */
	const struct source_env *env;
	size_t env_count;
	unsigned batch;       /* requests a process, 0: one, without numbers */
	const char *base_url; /* http:// or https:// ; no trailing slash */
	struct source_header *headers;
	size_t header_count;
	uint64_t timeout_ms; /* one attempt, from its start */
	uint64_t connect_ms;
	uint64_t max_body;    /* bytes after content decoding */
	double rate;          /* requests per second, 0: unlimited; a tenth may start at once */
	unsigned concurrency; /* requests under way at once, at first */
	unsigned concurrency_max; /* and at most; less than concurrency: the same */
	struct {
		unsigned max; /* further attempts */
		uint64_t base_ms;
		uint64_t cap_ms;          /* also the clamp of Retry-After */
		const uint16_t *statuses; /* that are tried again */
		size_t status_count;
	} retry;
	unsigned max_redirects; /* only within the origin */
	const char *cacert;     /* PEM, NULL: the system's */
	bool insecure;
};

/*
 * An answer that means "nothing there": a status, or text that the body, or
 * the value made from it, equals (blanks around it aside).
 */
struct source_empty {
	uint16_t status; /* 0: by text */
	struct bytes text;
};

/*
 * One request with everything expanded. Strings are borrowed until the fetch
 * is answered.
 */
struct source_request {
	const struct source_def *source;
	/*
	 * Percent-encoded: '/…' below base_url, or an absolute URL on its origin. Of
	 * a file '/…' below root; each segment is decoded for itself and is one name.
	 */
	const char *path;
	const struct source_arg *args; /* what a command is asked with */
	size_t arg_count;
	/* JSON pointer of the part to keep, exact bytes; empty: the whole body. */
	struct bytes select;
	/* The body must be strict JSON (implied by select and keep_only). */
	bool json;
	/* What else than a 404 means "nothing there". */
	const struct source_empty *empty;
	size_t empty_count;
	/*
	 * NULL, or the request whose select gives an array of ids: of the array
	 * selected here only the elements stay whose keep_item is among them. Ids
	 * are compared as text ("7" is 7); an empty answer means no ids.
	 */
	const struct source_request *keep_only;
	struct bytes keep_item; /* pointer within an element, "/call_id" */
	/*
	 * What is known of the value (If-None-Match, If-Modified-Since; empty: nothing):
	 * the answer may be NOT_MODIFIED. Heeded only in a chain of one step without
	 * keep_only, elsewhere an answer is made of more than this request; and not
	 * when a header cannot hold it.
	 */
	struct bytes etag;
	struct bytes last_modified;
};

enum source_status {
	SOURCE_OK,
	SOURCE_EMPTY,        /* every step answered "nothing there" */
	SOURCE_NOT_MODIFIED, /* the value is the one that etag or last_modified told of */
	SOURCE_FAILED,       /* error says which host, what, after how many tries */
};

/* Of a failure, for summaries. */
enum source_cause {
	SOURCE_CAUSE_NONE,
	SOURCE_CAUSE_CONNECT, /* refused, unresolvable, reset; no such root, program not started
			       */
	SOURCE_CAUSE_TIMEOUT,
	SOURCE_CAUSE_TLS,
	SOURCE_CAUSE_STATUS,   /* a 4xx or 5xx; http_status says which; an exit status */
	SOURCE_CAUSE_BODY,     /* truncated, over the limit, not JSON, pointer absent */
	SOURCE_CAUSE_REDIRECT, /* off the origin, looping, a forbidden scheme; out of root */
	SOURCE_CAUSE_BREAKER,  /* not asked: the source failed too often in a row */
	SOURCE_CAUSE_CANCELLED,
};
extern const char *const source_cause_names[]; /* "connect", … in that order */

/* Valid inside the callback. */
struct source_answer {
	enum source_status status;
	enum source_cause cause;
	struct bytes value;         /* when OK */
	unsigned http_status;       /* of the last attempt, 0: none */
	struct bytes etag;          /* of the step that answered; empty: none, or keep_only */
	struct bytes last_modified; /* likewise */
	int64_t max_age_s;    /* Cache-Control: max-age; -1: not given; 0: no-store, no-cache */
	unsigned attempts;    /* HTTP requests made, all steps */
	uint64_t duration_us; /* from submit to answer without waits for admission */
	uint64_t body_bytes;  /* received after decoding, all attempts */
	size_t step;          /* index of the step that answered */
	const struct err *error; /* when FAILED */
};

typedef void source_answer_fn(void *ctx, const struct source_answer *answer);

/* 0, or -1 with ERR_USAGE when an arg cannot be given to that command: a leading '-', not
 * UTF-8. */
int source_check_args(const struct source_def *def, const struct source_arg *args, size_t count,
		      struct err *err);

/*
 * Fetches from every kind of source, many at once; the program ignores
 * SIGPIPE. Over HTTP: one curl multi handle, an admission queue
 * per source, retries with backoff and Retry-After, redirect and size limits.
 * TLS is verified; http(s) only; credentials never leave the origin. Proxies
 * are taken from the environment as curl does (http_proxy, https_proxy,
 * all_proxy, no_proxy). Retried: the source's statuses, failed and broken
 * connections, truncated bodies, timeouts. Retry-After silences the whole
 * source for as long. How many are under way follows what the source can take
 * (window.h), and so does how many start per second once it turns requests away
 * (pace.h). A source that is down is left alone (breaker.h). An answer's errors are ERR_CONFIG,
 * ERR_SOURCE, ERR_ITEM or ERR_INTERRUPTED by what they are about.
 */
struct fetcher;

/*
 * *cancel (may be NULL) turning non-zero ends waits and answers everything
 * with CANCELLED; zero again, the fetcher serves on. user_agent: "ccache/0.1".
 * The source_defs of requests must outlive the fetcher.
 */
struct fetcher *fetcher_new(const char *user_agent, const volatile int *cancel,
			    struct err *err);
/* Answers what is outstanding with CANCELLED first. */
void fetcher_free(struct fetcher *fetcher);
/*
 * Fetches steps[0], or the first of steps[0..count) that is not empty. The
 * steps and what they point to are borrowed until fn was called (exactly once,
 * never from inside the submit). fn may submit again, but not turn or free.
 */
void fetcher_submit(struct fetcher *fetcher, const struct source_request *steps, size_t count,
		    source_answer_fn *fn, void *ctx);
size_t fetcher_outstanding(const struct fetcher *fetcher);

/* How the fetcher deals with one source, for reports. */
struct source_lane_stats {
	unsigned window;    /* requests that may be under way now */
	unsigned in_flight; /* requests that are */
	double rate;        /* requests per second now, configured or learned; 0: unlimited */
	uint64_t requests;  /* made, ever */
	uint64_t rejected;  /* of them answered 429 or 503 */
	uint64_t opened;    /* times the breaker opened */
	uint64_t refused;   /* fetches that it answered */
};
/* False, with *ret_stats untouched, when nothing was asked of the source yet. */
bool fetcher_lane_stats(const struct fetcher *fetcher, const struct source_def *source,
			struct source_lane_stats *ret_stats);
/*
 * One turn: moves data, calls back, then, unless it called back, waits at most
 * timeout_ms (-1: without end, while anything is outstanding) for anything, also
 * for the extra descriptor (fd -1: none; *ret_ready, which may be NULL, tells
 * whether it is ready for events, POLLIN and POLLOUT). -1 only when libcurl fails.
 */
int fetcher_turn(struct fetcher *fetcher, int timeout_ms, int fd, short events, bool *ret_ready,
		 struct err *err);
/* Turns until nothing is outstanding. */
int fetcher_drain(struct fetcher *fetcher, struct err *err);

#endif
