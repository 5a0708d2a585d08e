#include "core/audit_tally.h"

#include "base/mem.h"
#include "core/namespace.h"

#include <stdlib.h>

void audit_tally_init(struct audit_tally *tally, const struct nsset *set, size_t examples)
{
	size_t namespaces = nsset_count(set) + 1;

	*tally = (struct audit_tally){.count = AUDIT_RULE_COUNT * namespaces,
				      .namespaces = namespaces,
				      .examples = examples};
	tally->counts = mem_zalloc(tally->count, sizeof *tally->counts);
	for (size_t i = 0; i < tally->count; i++) {
		tally->counts[i].rule = (enum audit_rule)(i / namespaces);
		if (i % namespaces < namespaces - 1)
			tally->counts[i].ns = nsset_at(set, i % namespaces);
	}
}

void audit_tally_add(struct audit_tally *tally, const struct audit_finding *finding)
{
	size_t column = finding->ns ? finding->ns->index : tally->namespaces - 1;
	struct audit_count *count =
	    &tally->counts[(size_t)finding->rule * tally->namespaces + column];

	count->count++;
	if (count->example_count >= tally->examples)
		return;
	count->examples =
	    mem_resize(count->examples, count->example_count + 1, sizeof *count->examples);
	struct audit_example *example = &count->examples[count->example_count++];
	*example =
	    (struct audit_example){.ttl_ms = finding->ttl_ms, .limit_ms = finding->limit_ms};
	buf_add(&example->key, finding->key);
	buf_add(&example->other, finding->other);
	buf_add(&example->member, finding->member);
	if (finding->detail)
		buf_add_str(&example->detail, finding->detail);
}

uint64_t audit_tally_total(const struct audit_tally *tally, enum audit_severity severity)
{
	uint64_t total = 0;

	for (size_t i = 0; i < tally->count; i++)
		if (audit_rules[tally->counts[i].rule].severity == severity)
			total += tally->counts[i].count;
	return total;
}

void audit_tally_release(struct audit_tally *tally)
{
	for (size_t i = 0; i < tally->count; i++) {
		struct audit_count *count = &tally->counts[i];

		for (size_t j = 0; j < count->example_count; j++) {
			buf_release(&count->examples[j].key);
			buf_release(&count->examples[j].other);
			buf_release(&count->examples[j].member);
			buf_release(&count->examples[j].detail);
		}
		free(count->examples);
	}
	free(tally->counts);
	*tally = (struct audit_tally){0};
}
