#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "base/buf.h"
#include "base/bytes.h"
#include "wire/redis.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

/*
 * Writes that depend on what is there. A fetch announces itself before it asks
 * the source (guard_begin); its value is stored only if the key was neither
 * invalidated nor fetched again since (guard_store, guard_renew): one short
 * script over the key and its sidecar, which share a slot; where scripts are
 * forbidden a transaction that watches both, one at a time.
 */
struct guard;

#define GUARD_TOKEN_LEN 16
/* Values up to here get their ETag kept: to renew one the server must hash it (about 3 µs a
 * KiB). */
#define GUARD_VALUE_MAX ((size_t)128 * 1024)

/* Borrows redis. Loads the scripts; -1 with ERR_REDIS (*ret_denied: this user may use neither
 * scripts nor transactions). */
int guard_new(struct redis *redis, struct guard **ret_guard, bool *ret_denied, struct err *err);
void guard_free(struct guard *guard);
/* Loads the scripts again, after a reply said NOSCRIPT (the server was restarted, or flushed
 * them). */
int guard_reload(struct guard *guard, struct err *err);

/* Fills token with GUARD_TOKEN_LEN random letters and a NUL. */
void guard_make_token(char token[GUARD_TOKEN_LEN + 1]);

struct guard_intent {
	const char *token;
	uint64_t hold_ms;  /* the fetch ends within */
	int64_t enough_ms; /* do not announce when the key lives longer; -1: announce in any
			      case; 0: only an absent one */
	bool heed_absent;  /* do not announce when the source had nothing there a moment ago */
};

/* A beginning under way; guard_begin's own. */
struct guard_look {
	struct guard *guard;
	struct bytes key;
	struct guard_intent intent;
	redis_reply_fn *fn;
	void *ctx;
};

/* What is known of a key before its fetch. Zero-initialise, release. */
struct guard_state {
	int64_t ttl_ms; /* -1: lives for ever, -2: not there */
	bool begun;  /* the fetch is announced; false: the key lives long enough, or `absent` */
	bool absent; /* the source had nothing there a moment ago */
	struct buf note;      /* the sidecar's text as it was, for guard_renew */
	struct bytes digest;  /* of the value last stored, a view into note; empty: not known */
	struct bytes history; /* its line of the note (volatility.h), likewise */
	struct bytes etag;    /* views into note; empty: none, or the value is gone */
	struct bytes last_modified;
	struct guard_look look;
};
void guard_state_release(struct guard_state *state);

/*
 * Announces a fetch. key, token and state are borrowed until fn is called; its
 * reply goes to guard_read_state: 0, or -1 with err.
 */
int guard_begin(struct guard *guard, struct bytes key, const struct guard_intent *intent,
		struct guard_state *state, redis_reply_fn *fn, void *ctx, struct err *err);
int guard_read_state(struct guard *guard, struct bytes key, const struct reply *reply,
		     struct guard_state *state, struct err *err);

enum guard_outcome {
	GUARD_OVERTAKEN, /* invalidated or fetched again meanwhile: nothing was written */
	GUARD_STORED,
	GUARD_RENEWED, /* the same bytes were there: only their TTL was renewed */
	GUARD_CHANGED, /* guard_renew: somebody else wrote the value; fetch it in full */
};
/* 0 with *ret_outcome; -1 when the reply is an error. */
int guard_read_outcome(struct guard *guard, struct bytes key, const struct reply *reply,
		       enum guard_outcome *ret_outcome, struct err *err);

/* What is kept of a key's past beside the value; nothing where it is all zero. */
struct guard_past {
	struct bytes history; /* a line (volatility.h) */
	const char *digest;   /* SHA1_HEX_LEN letters, of the value that is stored */
	uint64_t memory_ms;   /* how long the note outlives the value */
};

struct guard_value {
	struct bytes key;
	struct bytes value;
	int64_t ttl_ms;    /* 0: for ever */
	struct bytes etag; /* empty: none */
	struct bytes last_modified;
	bool keep_same; /* when the same bytes are there, renew their TTL instead of rewriting
			   them */
	struct guard_past past;
};
int guard_store(struct guard *guard, const struct guard_value *value, const char *token,
		redis_reply_fn *fn, void *ctx, struct err *err);
/* Renews the TTL if the value is still the one that state's ETag came with. */
int guard_renew(struct guard *guard, struct bytes key, const struct guard_state *state,
		int64_t ttl_ms, const struct guard_past *past, const char *token,
		redis_reply_fn *fn, void *ctx, struct err *err);
/*
 * Ends a fetch that failed: takes the token back, and what state knows of the
 * key's past is noted again. fn may be NULL.
 */
int guard_give_up(struct guard *guard, struct bytes key, const struct guard_state *state,
		  uint64_t memory_ms, const char *token, redis_reply_fn *fn, void *ctx,
		  struct err *err);
/*
 * Ends a fetch that brought nothing: takes the token back, and notes for ttl_ms
 * (0: not at all) that the source has nothing there. fn may be NULL.
 */
int guard_end(struct guard *guard, struct bytes key, uint64_t ttl_ms, const char *token,
	      redis_reply_fn *fn, void *ctx, struct err *err);

#endif
