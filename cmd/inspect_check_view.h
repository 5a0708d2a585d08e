#ifndef CMD_INSPECT_CHECK_VIEW_H
#define CMD_INSPECT_CHECK_VIEW_H

#include <stddef.h>
#include <stdint.h>

struct audit_finding;
struct audit_result;
struct audit_tally;
struct nsset;
struct sink;

/* The TTLs of one namespace's keys. */
struct inspect_ttl_group {
	uint64_t keys;
	uint64_t expiring; /* have a TTL */
	uint64_t no_ttl;
	uint64_t over;
	uint64_t violations;
	uint64_t limit_ms; /* by policy; 0: none declared, or it differs from key to key */
	int64_t shortest_ms;
	int64_t longest_ms;
};

struct inspect_ttl {
	const struct nsset *set;
	struct sink *sink;
	struct inspect_ttl_group *groups; /* per namespace, then the unclassified */
	size_t count;
	uint64_t limit; /* of the list, 0: none */
	uint64_t listed;
	uint64_t violations;
};

/* ccache.inspect-audit */
void inspect_check_view_audit(struct sink *sink, const char *target,
			      const struct audit_tally *tally,
			      const struct audit_result *result);
/* ccache.inspect-ttl: the list of violations as they come, then the rest. */
void inspect_check_view_violations_begin(struct sink *sink);
void inspect_check_view_violation(struct sink *sink, const struct audit_finding *finding);
void inspect_check_view_ttl(const struct inspect_ttl *ttl, const char *target,
			    const struct audit_result *result);

#endif
