#include "inspect_check_view.h"

#include "core/audit.h"
#include "core/audit_tally.h"
#include "core/namespace.h"
#include "out/sink.h"

static struct out_value duration(int64_t ms)
{
	return ms >= 0 ? out_int(ms) : OUT_NONE;
}

static struct out_value limit_of(uint64_t ms)
{
	return ms ? out_uint(ms) : OUT_NONE;
}

static struct out_value text_of(struct bytes text)
{
	return text.len ? out_text(text) : OUT_NONE;
}

static void add(struct sink *sink, const char *name, const char *title, unsigned flags,
		struct out_value value)
{
	const struct out_column column = {
	    .name = name, .title = title, .unit = OUT_COUNT, .flags = flags};

	sink_field(sink, &column, value);
}

/* For people only when there is something to say. */
static void add_some(struct sink *sink, const char *name, const char *title, uint64_t count)
{
	if (count || sink_format(sink) != OUT_TABLE)
		add(sink, name, title, 0, out_uint(count));
}

static void add_complete(struct sink *sink, const struct audit_result *result)
{
	if (!result->scan.complete || sink_format(sink) != OUT_TABLE)
		add(sink, "complete", "Complete", 0, out_bool(result->scan.complete));
}

/* --- the audit --- */

enum { F_CODE, F_SEVERITY, F_NAMESPACE, F_COUNT, F_REPAIRABLE, F_WHAT, F_COLUMNS };

static const struct out_column finding_columns[F_COLUMNS] = {
    [F_CODE] = {.name = "code", .title = "CODE", .flags = OUT_LABEL},
    [F_SEVERITY] = {.name = "severity", .title = "SEVERITY", .flags = OUT_LABEL | OUT_MINOR},
    [F_NAMESPACE] = {.name = "namespace",
		     .title = "NAMESPACE",
		     .flags = OUT_LABEL | OUT_SHRINK},
    [F_COUNT] = {.name = "count",
		 .title = "COUNT",
		 .unit = OUT_COUNT,
		 .metric = "callcache_audit_findings",
		 .help = "Findings of a rule in a namespace"},
    [F_REPAIRABLE] = {.name = "repairable", .title = "REPAIRABLE", .flags = OUT_DETAIL},
    [F_WHAT] = {.name = "what", .title = "THE KEY", .flags = OUT_SHRINK | OUT_MINOR},
};
static const struct out_table finding_table = {
    .name = "findings", .columns = finding_columns, .column_count = F_COLUMNS, .primary = true};

enum { E_CODE, E_NAMESPACE, E_KEY, E_OTHER, E_MEMBER, E_TTL, E_LIMIT, E_DETAIL, E_COLUMNS };

static const struct out_column example_columns[E_COLUMNS] = {
    [E_CODE] = {.name = "code", .title = "CODE"},
    [E_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE", .flags = OUT_DETAIL},
    [E_KEY] = {.name = "key", .title = "SUCH AS", .flags = OUT_SHRINK},
    [E_OTHER] = {.name = "other", .title = "AND", .flags = OUT_SHRINK | OUT_MINOR},
    [E_MEMBER] = {.name = "member", .title = "MEMBER", .flags = OUT_DETAIL},
    [E_TTL] = {.name = "ttl_ms", .title = "TTL", .unit = OUT_MS, .flags = OUT_MINOR},
    [E_LIMIT] = {.name = "ttl_limit_ms",
		 .title = "BY POLICY",
		 .unit = OUT_MS,
		 .flags = OUT_MINOR},
    [E_DETAIL] = {.name = "detail", .title = "WHY", .flags = OUT_SHRINK | OUT_MINOR},
};
static const struct out_table example_table = {
    .name = "examples", .columns = example_columns, .column_count = E_COLUMNS};

static const char *name_of(const struct ns *ns)
{
	return ns ? ns->name : "(none)";
}

static void add_findings(struct sink *sink, const struct audit_tally *tally)
{
	sink_table_begin(sink, &finding_table);
	for (size_t i = 0; i < tally->count; i++) {
		const struct audit_count *count = &tally->counts[i];
		const struct audit_rule_info *rule = &audit_rules[count->rule];

		if (count->count)
			sink_row(sink, (struct out_value[F_COLUMNS]){
					   [F_CODE] = out_str(rule->code),
					   [F_SEVERITY] =
					       out_str(audit_severity_names[rule->severity]),
					   [F_NAMESPACE] = out_str(name_of(count->ns)),
					   [F_COUNT] = out_uint(count->count),
					   [F_REPAIRABLE] = out_bool(rule->repairable),
					   [F_WHAT] = out_str(rule->what),
				       });
	}
	sink_table_end(sink);
}

static void add_example(struct sink *sink, const struct audit_count *count,
			const struct audit_example *example)
{
	sink_row(sink, (struct out_value[E_COLUMNS]){
			   [E_CODE] = out_str(audit_rules[count->rule].code),
			   [E_NAMESPACE] = out_str(name_of(count->ns)),
			   [E_KEY] = out_text(buf_bytes(&example->key)),
			   [E_OTHER] = text_of(buf_bytes(&example->other)),
			   [E_MEMBER] = text_of(buf_bytes(&example->member)),
			   [E_TTL] = duration(example->ttl_ms),
			   [E_LIMIT] = limit_of(example->limit_ms),
			   [E_DETAIL] = text_of(buf_bytes(&example->detail)),
		       });
}

static void add_examples(struct sink *sink, const struct audit_tally *tally)
{
	sink_table_begin(sink, &example_table);
	for (size_t i = 0; i < tally->count; i++)
		for (size_t j = 0; j < tally->counts[i].example_count; j++)
			add_example(sink, &tally->counts[i], &tally->counts[i].examples[j]);
	sink_table_end(sink);
}

void inspect_check_view_audit(struct sink *sink, const char *target,
			      const struct audit_tally *tally,
			      const struct audit_result *result)
{
	static const struct out_column where = {.name = "target", .title = "Target"};
	uint64_t errors = audit_tally_total(tally, AUDIT_ERROR);
	uint64_t warnings = audit_tally_total(tally, AUDIT_WARNING);
	uint64_t notes = audit_tally_total(tally, AUDIT_NOTE);

	sink_field(sink, &where, out_str(target));
	add(sink, "keys", "Keys", 0, out_uint(result->keys));
	add_some(sink, "sidecars", "Sidecars", result->sidecars);
	add(sink, "errors", "Errors", OUT_WARN, out_uint(errors));
	add(sink, "warnings", "Warnings", OUT_WARN, out_uint(warnings));
	add(sink, "notes", "Notes", 0, out_uint(notes));
	add_some(sink, "unread", "Not read", result->unread);
	add_complete(sink, result);
	bool any = errors + warnings + notes > 0;
	if (any || sink_format(sink) != OUT_TABLE)
		add_findings(sink, tally);
	if (any || sink_format(sink) != OUT_TABLE)
		add_examples(sink, tally);
}

/* --- TTLs alone --- */

enum { V_KEY, V_NAMESPACE, V_CODE, V_TTL, V_LIMIT, V_COLUMNS };

static const struct out_column violation_columns[V_COLUMNS] = {
    [V_KEY] = {.name = "key", .title = "KEY", .flags = OUT_SHRINK},
    [V_NAMESPACE] = {.name = "namespace", .title = "NAMESPACE", .flags = OUT_MINOR},
    [V_CODE] = {.name = "code", .title = "CODE", .flags = OUT_MINOR},
    [V_TTL] = {.name = "ttl_ms", .title = "TTL", .unit = OUT_MS},
    [V_LIMIT] = {.name = "ttl_limit_ms",
		 .title = "BY POLICY",
		 .unit = OUT_MS,
		 .flags = OUT_MINOR},
};
static const struct out_table violation_table = {.name = "violating",
						 .title = "Violations",
						 .columns = violation_columns,
						 .column_count = V_COLUMNS};

enum { T_NAMESPACE, T_KEYS, T_LIMIT, T_SHORTEST, T_LONGEST, T_NO_TTL, T_OVER, T_OK, T_COLUMNS };

static const struct out_column ttl_columns[T_COLUMNS] = {
    [T_NAMESPACE] = {.name = "namespace",
		     .title = "NAMESPACE",
		     .flags = OUT_LABEL | OUT_SHRINK},
    [T_KEYS] = {.name = "keys", .title = "KEYS", .unit = OUT_COUNT},
    [T_LIMIT] = {.name = "ttl_limit_ms",
		 .title = "BY POLICY",
		 .unit = OUT_MS,
		 .flags = OUT_MINOR},
    [T_SHORTEST] = {.name = "ttl_min_ms",
		    .title = "SHORTEST",
		    .unit = OUT_MS,
		    .flags = OUT_MINOR},
    [T_LONGEST] = {.name = "ttl_max_ms",
		   .title = "LONGEST",
		   .unit = OUT_MS,
		   .flags = OUT_MINOR},
    [T_NO_TTL] = {.name = "no_ttl",
		  .title = "NO TTL",
		  .unit = OUT_COUNT,
		  .flags = OUT_WARN | OUT_MINOR,
		  .metric = "callcache_keys_without_ttl",
		  .help = "Keys that live for ever"},
    [T_OVER] = {.name = "over_policy",
		.title = "OVER",
		.unit = OUT_COUNT,
		.flags = OUT_WARN | OUT_MINOR,
		.metric = "callcache_keys_over_policy",
		.help = "Keys that live longer than declared"},
    [T_OK] = {.name = "ok", .title = "OK"},
};
static const struct out_table ttl_table = {
    .name = "namespaces", .columns = ttl_columns, .column_count = T_COLUMNS, .primary = true};

void inspect_check_view_violations_begin(struct sink *sink)
{
	sink_table_begin(sink, &violation_table);
}

void inspect_check_view_violation(struct sink *sink, const struct audit_finding *finding)
{
	sink_row(sink, (struct out_value[V_COLUMNS]){
			   [V_KEY] = out_text(finding->key),
			   [V_NAMESPACE] = out_str(finding->ns->name),
			   [V_CODE] = out_str(audit_rules[finding->rule].code),
			   [V_TTL] = duration(finding->ttl_ms),
			   [V_LIMIT] = limit_of(finding->limit_ms),
		       });
}

static void ttl_row(struct sink *sink, const struct ns *ns,
		    const struct inspect_ttl_group *group)
{
	sink_row(sink, (struct out_value[T_COLUMNS]){
			   [T_NAMESPACE] = out_str(ns ? ns->name : "(unclassified)"),
			   [T_KEYS] = out_uint(group->keys),
			   [T_LIMIT] = limit_of(group->limit_ms),
			   [T_SHORTEST] = duration(group->expiring ? group->shortest_ms : -1),
			   [T_LONGEST] = duration(group->expiring ? group->longest_ms : -1),
			   [T_NO_TTL] = out_uint(group->no_ttl),
			   [T_OVER] = out_uint(group->over),
			   [T_OK] = out_bool(group->violations == 0),
		       });
}

void inspect_check_view_ttl(const struct inspect_ttl *ttl, const char *target,
			    const struct audit_result *result)
{
	static const struct out_column where = {.name = "target", .title = "Target"};
	struct sink *sink = ttl->sink;

	sink_table_end(sink);
	sink_table_begin(sink, &ttl_table);
	for (size_t i = 0; i < ttl->count; i++)
		if (ttl->groups[i].keys)
			ttl_row(sink, i < ttl->count - 1 ? nsset_at(ttl->set, i) : NULL,
				&ttl->groups[i]);
	sink_table_end(sink);
	sink_field(sink, &where, out_str(target));
	add(sink, "keys", "Keys", 0, out_uint(result->keys));
	add(sink, "violations", "Violations", OUT_WARN, out_uint(ttl->violations));
	if (sink_format(sink) != OUT_TABLE)
		add(sink, "listed", "Listed", 0, out_uint(ttl->listed));
	add_complete(sink, result);
}
