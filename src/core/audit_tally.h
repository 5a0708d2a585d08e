#ifndef CORE_AUDIT_TALLY_H
#define CORE_AUDIT_TALLY_H

#include "base/buf.h"
#include "core/audit.h"

/* A finding that is kept to be shown. */
struct audit_example {
	struct buf key;
	struct buf other;
	struct buf member;
	struct buf detail;
	int64_t ttl_ms;
	uint64_t limit_ms;
};

/* One rule's findings in one namespace. */
struct audit_count {
	enum audit_rule rule;
	const struct ns *ns; /* NULL: keys of no namespace, sidecars */
	uint64_t count;
	struct audit_example *examples;
	size_t example_count;
};

/* Findings counted by rule and namespace, with the first few of each. */
struct audit_tally {
	struct audit_count *counts; /* by rule, then by namespace; the last of a rule: none */
	size_t count;
	size_t namespaces; /* and one */
	size_t examples;   /* kept of each */
};

void audit_tally_init(struct audit_tally *tally, const struct nsset *set, size_t examples);
void audit_tally_add(struct audit_tally *tally, const struct audit_finding *finding);
/* Of a severity. */
uint64_t audit_tally_total(const struct audit_tally *tally, enum audit_severity severity);
void audit_tally_release(struct audit_tally *tally);

#endif
