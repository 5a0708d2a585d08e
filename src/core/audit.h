#ifndef CORE_AUDIT_H
#define CORE_AUDIT_H

#include "base/bytes.h"
#include "core/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct inspect_filter;
struct ns;
struct nsset;
struct redis;

/* What can be wrong with a key. The names (audit_rules) are stable: scripts match on them. */
enum audit_rule {
	AUDIT_TTL_MISSING,
	AUDIT_TTL_OVER,
	AUDIT_TYPE,
	AUDIT_JSON,
	AUDIT_PACKED,
	AUDIT_INDEX_VALUE,
	AUDIT_INDEX_DANGLING,
	AUDIT_MEMBER_VALUE,
	AUDIT_MEMBER_DANGLING,
	AUDIT_MEMBER_MISSING,
	AUDIT_SIDECAR_ORPHAN,
	AUDIT_UNCLASSIFIED,
	AUDIT_RULE_COUNT,
};
#define AUDIT_BIT(rule) (1u << (rule))
#define AUDIT_TTL_RULES (AUDIT_BIT(AUDIT_TTL_MISSING) | AUDIT_BIT(AUDIT_TTL_OVER))
#define AUDIT_ALL_RULES (AUDIT_BIT(AUDIT_RULE_COUNT) - 1)

/* A note is worth knowing, and no reason to fail a check. */
enum audit_severity { AUDIT_NOTE, AUDIT_WARNING, AUDIT_ERROR };
extern const char *const audit_severity_names[];

struct audit_rule_info {
	const char *code; /* "ttl-missing" */
	enum audit_severity severity;
	const char *what; /* one phrase */
	bool repairable;
};
extern const struct audit_rule_info audit_rules[AUDIT_RULE_COUNT];

struct audit_finding {
	enum audit_rule rule;
	const struct ns *ns; /* NULL: no namespace claims the key */
	struct bytes key;
	/* The other side of a relation: the key that an index or member leads to, the set that
	 * misses a member, the key that a sidecar belongs to. */
	struct bytes other;
	struct bytes member; /* of a set; what an index holds */
	const char *detail;  /* "a list", "byte 7: …"; may be NULL */
	int64_t ttl_ms;      /* SCAN_TTL_NONE: for ever */
	uint64_t limit_ms;   /* the longest life by policy, 0: none declared */
};
/*
 * Called once per finding, outside of every reply: may use any session but the one that is
 * audited. 0, or -1 with err to end the audit.
 */
typedef int audit_finding_fn(void *ctx, const struct audit_finding *finding, struct err *err);

struct audit_options {
	const struct nsset *set;
	/* These keys; else those of the filter; else every key, and the sidecars. */
	const struct bytes *keys;
	size_t key_count;
	const struct inspect_filter *filter;
	unsigned rules;     /* AUDIT_BIT… */
	uint64_t max_value; /* longer values are not read, and counted as unread */
	bool lenient;       /* go on where PTTL is refused */
	audit_finding_fn *finding;
	/* Each key of a namespace as it is met, before its findings. May be NULL. */
	void (*key)(void *ctx, const struct ns *ns, const struct scan_key *key,
		    uint64_t limit_ms);
	void (*progress)(void *ctx, uint64_t keys); /* may be NULL */
	void *ctx;
	const volatile int *cancel; /* of the second connection; may be NULL */
};

struct audit_result {
	struct scan_result scan;
	uint64_t keys;      /* looked at: of the filter, sidecars left out */
	uint64_t absent;    /* named, but not there */
	uint64_t sidecars;  /* looked at */
	uint64_t unread;    /* values that were too long to be read */
	const char *denied; /* a command that this user may not run: what it would have told is
			       missing. NULL: none */
	bool fenced;        /* some keys are outside this user's key patterns */
};

/*
 * Walks the keyspace once and checks every key against its namespace. What keys
 * have to do with each other is asked on a second connection, page by page, and
 * asked again before it is called a finding: keys come and go meanwhile. Memory
 * is a page. *ret_result is filled on failure too.
 */
int audit_run(struct redis *redis, const struct audit_options *options,
	      struct audit_result *ret_result, struct err *err);

/* True when key may live longer than limit_ms allows (a clock tick of slack). */
bool audit_is_over(int64_t ttl_ms, uint64_t limit_ms);

#endif
