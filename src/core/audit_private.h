#ifndef CORE_AUDIT_PRIVATE_H
#define CORE_AUDIT_PRIVATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/audit.h"
#include "core/template.h"
#include "wire/redis.h"

#define AUDIT_BATCH 256
#define AUDIT_BATCH_FAR 8192 /* over a long link, where a batch costs some round trips */

/* A key under audit. Bytes live in the batch's arena. */
struct audit_key {
	struct audit *audit;
	const struct ns *ns; /* NULL: a sidecar */
	struct bytes key;
	struct bytes vars[TEMPLATE_VARS_MAX];
	struct bytes subject; /* of a sidecar: whose it is */
	int64_t ttl_ms;
	uint64_t limit_ms;
	int type;       /* enum ns_type; -1: not known */
	int64_t length; /* STRLEN, SCARD */
};

/* A finding about two keys, until it is confirmed. */
struct audit_suspicion {
	struct audit_finding finding;
	struct audit *audit;
	bool stands; /* the relation is still there */
	bool absent; /* and its other side is still not */
	struct audit_suspicion *next;
};

/* Findings of the batch in the order they came. */
struct audit_found {
	struct audit_finding finding;
	struct audit_found *next;
};

struct audit {
	const struct audit_options *options;
	struct audit_result *result;
	struct redis *probe; /* the second connection */
	struct mem_arena arena;
	struct scan *scan; /* the walk that goes on meanwhile; NULL: none */
	struct audit_key *keys;
	size_t count;
	size_t full; /* as many as a batch has */
	struct audit_found *found, **found_end;
	struct audit_suspicion *suspicions;
	struct buf scratch;
	struct err err; /* what a callback met */
	uint64_t now_ms;
};

bool audit_wants(const struct audit *audit, enum audit_rule rule);
/* A finding about key (its other fields are the caller's to add). */
struct audit_finding *audit_add(struct audit_key *key, enum audit_rule rule);
/* One that is asked about again first. */
struct audit_suspicion *audit_suspect(struct audit_key *key, enum audit_rule rule);
/* True when the answer is an error, which is then noted: a command that is not allowed, or what
 * ends the audit. */
bool audit_refused(struct audit *audit, const struct reply *reply, const char *command,
		   struct bytes key);
/* Queues command on the second connection; expect: bytes of the answer. */
int audit_ask(struct audit *audit, const struct bytes *argv, size_t argc, size_t expect,
	      redis_reply_fn *fn, void *ctx, struct err *err);
int audit_drain(struct audit *audit, struct err *err);
/* Hands over what was found so far. */
int audit_emit(struct audit *audit, struct err *err);

/* The rules about values and relations, for every key of the batch. */
int audit_check_values(struct audit *audit, struct err *err);
int audit_check_sets(struct audit *audit, struct err *err);
/* Whatever is not so any more is dropped, the rest becomes findings. */
int audit_confirm(struct audit *audit, struct err *err);

#endif
