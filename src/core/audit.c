#include "core/audit_private.h"

#include "base/clock.h"
#include "core/inspect_filter.h"
#include "core/namespace.h"
#include "core/sidecar.h"

#define PROGRESS_EVERY 4096
/* What a key's name and TTL tell. */
#define TTL_ALONE (AUDIT_TTL_RULES | AUDIT_BIT(AUDIT_UNCLASSIFIED))
/* A TTL read just after it was set may exceed its policy by the server's clock granularity. */
#define POLICY_SLACK_MS 1000

const char *const audit_severity_names[] = {"note", "warning", "error"};

const struct audit_rule_info audit_rules[AUDIT_RULE_COUNT] = {
    [AUDIT_TTL_MISSING] = {"ttl-missing", AUDIT_ERROR,
			   "lives for ever though its namespace declares a TTL", true},
    [AUDIT_TTL_OVER] = {"ttl-over", AUDIT_WARNING, "lives longer than its namespace declares",
			true},
    [AUDIT_TYPE] = {"type", AUDIT_ERROR, "is not of its namespace's type", false},
    [AUDIT_JSON] = {"json", AUDIT_ERROR, "holds no well-formed JSON", false},
    [AUDIT_PACKED] = {"packed", AUDIT_ERROR, "is packed and does not expand", false},
    [AUDIT_INDEX_VALUE] = {"index-value", AUDIT_ERROR, "holds what makes no key", false},
    [AUDIT_INDEX_DANGLING] = {"index-dangling", AUDIT_WARNING,
			      "leads to a key that is not there", true},
    [AUDIT_MEMBER_VALUE] = {"member-value", AUDIT_ERROR, "has a member that makes no key",
			    false},
    [AUDIT_MEMBER_DANGLING] = {"member-dangling", AUDIT_WARNING,
			       "has a member whose key is not there", true},
    [AUDIT_MEMBER_MISSING] = {"member-missing", AUDIT_WARNING,
			      "is not among the members of its set", false},
    [AUDIT_SIDECAR_ORPHAN] = {"sidecar-orphan", AUDIT_WARNING,
			      "belongs to a key that is not there", true},
    [AUDIT_UNCLASSIFIED] = {"unclassified", AUDIT_NOTE, "belongs to no namespace", false},
};

bool audit_is_over(int64_t ttl_ms, uint64_t limit_ms)
{
	return limit_ms && ttl_ms >= 0 && (uint64_t)ttl_ms > limit_ms + POLICY_SLACK_MS;
}

bool audit_wants(const struct audit *audit, enum audit_rule rule)
{
	return (audit->options->rules & AUDIT_BIT(rule)) != 0;
}

static void fill(struct audit_finding *finding, const struct audit_key *key,
		 enum audit_rule rule)
{
	*finding = (struct audit_finding){.rule = rule,
					  .ns = key->ns,
					  .key = key->key,
					  .ttl_ms = key->ttl_ms,
					  .limit_ms = key->limit_ms};
}

static struct audit_finding *append(struct audit *audit)
{
	struct audit_found *found = mem_arena_alloc(&audit->arena, sizeof *found);

	found->next = NULL;
	*audit->found_end = found;
	audit->found_end = &found->next;
	return &found->finding;
}

struct audit_finding *audit_add(struct audit_key *key, enum audit_rule rule)
{
	struct audit_finding *finding = append(key->audit);

	fill(finding, key, rule);
	return finding;
}

struct audit_suspicion *audit_suspect(struct audit_key *key, enum audit_rule rule)
{
	struct audit *audit = key->audit;
	struct audit_suspicion *suspicion = mem_arena_alloc(&audit->arena, sizeof *suspicion);

	*suspicion = (struct audit_suspicion){.audit = audit, .next = audit->suspicions};
	fill(&suspicion->finding, key, rule);
	audit->suspicions = suspicion;
	return suspicion;
}

int audit_emit(struct audit *audit, struct err *err)
{
	struct audit_found *found = audit->found;

	audit->found = NULL;
	audit->found_end = &audit->found;
	for (; found; found = found->next)
		if (audit->options->finding(audit->options->ctx, &found->finding, err) != 0)
			return -1;
	return 0;
}

bool audit_refused(struct audit *audit, const struct reply *reply, const char *command,
		   struct bytes key)
{
	if (reply->type != REPLY_ERROR && reply->type != REPLY_LOST)
		return false;
	/* another type: somebody wrote meanwhile, or the rule about types says it */
	if (reply_error_kind(reply) == REPLY_ERR_WRONGTYPE)
		return true;
	if (reply_refuses_key(reply))
		audit->result->fenced = true;
	else if (reply_error_kind(reply) == REPLY_ERR_NOPERM)
		audit->result->denied = command;
	else if (!err_is_set(&audit->err))
		redis_fail(audit->probe, reply, command, key, &audit->err);
	return true;
}

int audit_ask(struct audit *audit, const struct bytes *argv, size_t argc, size_t expect,
	      redis_reply_fn *fn, void *ctx, struct err *err)
{
	return redis_ask(audit->probe, argv, argc, expect, fn, ctx, err);
}

int audit_drain(struct audit *audit, struct err *err)
{
	if (scan_drain_beside(audit->scan, audit->probe, err) != 0)
		return -1;
	return redis_settle(audit->probe, &audit->err, err);
}

/* --- suspicions --- */

/* What must still be so: the index its value, the set its member, the key its life. */
static void on_relation(void *ctx, const struct reply *reply)
{
	struct audit_suspicion *suspicion = ctx;

	if (reply->type == REPLY_INTEGER)
		suspicion->stands = reply->integer == 1;
	else if (reply->type == REPLY_STRING)
		suspicion->stands = bytes_equal(reply->text, suspicion->finding.member);
	else
		audit_refused(suspicion->audit, reply, "EXISTS", suspicion->finding.key);
}

static void on_other(void *ctx, const struct reply *reply)
{
	struct audit_suspicion *suspicion = ctx;

	if (reply->type == REPLY_INTEGER)
		suspicion->absent = reply->integer == 0;
	else
		audit_refused(suspicion->audit, reply, "EXISTS", suspicion->finding.key);
}

static int ask_other(struct audit_suspicion *suspicion, struct err *err)
{
	const struct audit_finding *finding = &suspicion->finding;
	const struct bytes exists[] = {BYTES("EXISTS"), finding->other};
	const struct bytes lists[] = {BYTES("SISMEMBER"), finding->other, finding->member};
	bool set = finding->rule == AUDIT_MEMBER_MISSING;

	return audit_ask(suspicion->audit, set ? lists : exists, set ? 3 : 2, 0, on_other,
			 suspicion, err);
}

static int ask_relation(struct audit_suspicion *suspicion, struct err *err)
{
	const struct audit_finding *finding = &suspicion->finding;
	const struct bytes exists[] = {BYTES("EXISTS"), finding->key};
	const struct bytes get[] = {BYTES("GET"), finding->key};
	const struct bytes has[] = {BYTES("SISMEMBER"), finding->key, finding->member};
	const struct bytes *argv = exists;

	if (finding->rule == AUDIT_INDEX_DANGLING)
		argv = get;
	else if (finding->rule == AUDIT_MEMBER_DANGLING)
		argv = has;
	return audit_ask(suspicion->audit, argv, argv == has ? 3 : 2, finding->member.len,
			 on_relation, suspicion, err);
}

/* The other side first, of all: then what still stands stood while that was not there. The
 * nodes of a cluster answer in no common order, hence two rounds. */
int audit_confirm(struct audit *audit, struct err *err)
{
	for (struct audit_suspicion *s = audit->suspicions; s; s = s->next)
		if (ask_other(s, err) != 0)
			return -1;
	if (audit_drain(audit, err) != 0)
		return -1;
	for (struct audit_suspicion *s = audit->suspicions; s; s = s->next)
		if (s->absent && ask_relation(s, err) != 0)
			return -1;
	if (audit_drain(audit, err) != 0)
		return -1;
	for (struct audit_suspicion *s = audit->suspicions; s; s = s->next)
		if (s->stands && s->absent)
			*append(audit) = s->finding;
	audit->suspicions = NULL;
	return 0;
}

/* --- the walk --- */

static void check_ttl(struct audit_key *key)
{
	if (audit_wants(key->audit, AUDIT_TTL_MISSING) && key->ttl_ms == SCAN_TTL_NONE &&
	    (key->limit_ms || key->ns->ttl_kind == NS_TTL_CACHE_CONTROL))
		audit_add(key, AUDIT_TTL_MISSING);
	if (audit_wants(key->audit, AUDIT_TTL_OVER) &&
	    audit_is_over(key->ttl_ms, key->limit_ms))
		audit_add(key, AUDIT_TTL_OVER);
}

static void begin_batch(struct audit *audit)
{
	audit->full = redis_is_far(audit->probe) ? AUDIT_BATCH_FAR : AUDIT_BATCH;
	audit->keys = mem_arena_alloc(&audit->arena, audit->full * sizeof *audit->keys);
	audit->count = 0;
}

/* Every rule over the keys of the batch; then it is empty. */
static int flush(struct audit *audit, struct err *err)
{
	int status = 0;

	if (audit->options->rules & ~TTL_ALONE) {
		status = audit_check_values(audit, err);
		if (status == 0)
			status = audit_confirm(audit, err);
	}
	if (status == 0)
		status = audit_emit(audit, err);
	if (status == 0)
		status = audit_check_sets(audit, err);
	mem_arena_clear(&audit->arena);
	begin_batch(audit);
	return status;
}

static struct audit_key *add_key(struct audit *audit, const struct scan_key *key)
{
	struct audit_key *added = &audit->keys[audit->count++];

	*added = (struct audit_key){.audit = audit,
				    .key = mem_arena_bytes(&audit->arena, key->key),
				    .ttl_ms = key->ttl_ms,
				    .type = key->type,
				    .length = -1};
	return added;
}

static void on_sidecar(struct audit *audit, const struct scan_key *key)
{
	struct bytes subject;

	if (!audit_wants(audit, AUDIT_SIDECAR_ORPHAN) || !sidecar_key(key->key, &subject))
		return;
	audit->result->sidecars++;
	struct audit_key *added = add_key(audit, key);
	sidecar_key(added->key, &added->subject);
}

static void on_user_key(struct audit *audit, const struct scan_key *key)
{
	const struct audit_options *options = audit->options;
	struct bytes vars[TEMPLATE_VARS_MAX];
	const struct ns *ns = NULL;

	if (!options->filter)
		ns = nsset_classify(options->set, key->key, vars);
	else if (!inspect_filter_accepts(options->filter, key->key, &ns, vars))
		return;
	audit->result->keys++;
	struct audit_key *added = add_key(audit, key);
	if (!ns) {
		if (audit_wants(audit, AUDIT_UNCLASSIFIED))
			audit_add(added, AUDIT_UNCLASSIFIED);
	} else {
		added->ns = nsset_classify(options->set, added->key, added->vars);
		added->limit_ms = ns_ttl_limit_ms(ns, vars, audit->now_ms);
		check_ttl(added);
	}
	if (options->key)
		options->key(options->ctx, ns, key, added->limit_ms);
}

static bool on_key(void *ctx, const struct scan_key *key)
{
	struct audit *audit = ctx;

	if (ns_is_own_key(key->key))
		on_sidecar(audit, key);
	else
		on_user_key(audit, key);
	if (audit->options->progress && audit->result->keys % PROGRESS_EVERY == 0)
		audit->options->progress(audit->options->ctx, audit->result->keys);
	audit->scan = key->scan;
	return audit->count < audit->full || flush(audit, &audit->err) == 0;
}

struct named {
	struct scan_key key;
	struct redis *redis;
	struct scan_result *result;
	struct err err;
};

static void on_named_ttl(void *ctx, const struct reply *reply)
{
	struct named *named = ctx;

	scan_take(named->redis, SCAN_TTL, reply, &named->key, named->result, &named->err);
}

static void on_named_type(void *ctx, const struct reply *reply)
{
	struct named *named = ctx;

	scan_take(named->redis, SCAN_TYPE, reply, &named->key, named->result, &named->err);
}

/* Named keys: asked one by one, there are few. */
static int walk_named(struct redis *redis, struct audit *audit, struct err *err)
{
	for (size_t i = 0; i < audit->options->key_count; i++) {
		struct named named = {.key = {.key = audit->options->keys[i],
					      .lenient = audit->options->rules & ~TTL_ALONE,
					      .bytes = -1,
					      .type = -1},
				      .redis = redis,
				      .result = &audit->result->scan};
		struct redis_command ttl = {
		    .flags = REDIS_IDEMPOTENT, .fn = on_named_ttl, .ctx = &named};
		struct redis_command type = {
		    .flags = REDIS_IDEMPOTENT, .fn = on_named_type, .ctx = &named};

		if (scan_ask(redis, SCAN_TTL, named.key.key, &ttl, err) != 0 ||
		    scan_ask(redis, SCAN_TYPE, named.key.key, &type, err) != 0 ||
		    redis_drain(redis, 0, err) != 0)
			return -1;
		if (err_is_set(&named.err)) {
			*err = named.err;
			return -1;
		}
		if (named.key.ttl_ms == SCAN_TTL_GONE)
			audit->result->absent++;
		else if (!on_key(audit, &named.key))
			break;
	}
	audit->result->scan.complete = true;
	return 0;
}

static int walk(struct redis *redis, struct audit *audit, struct err *err)
{
	const struct inspect_filter *filter = audit->options->filter;
	bool wide = audit->options->rules & ~TTL_ALONE;
	struct scan_options scan = {.probes = SCAN_TTL | (wide ? SCAN_TYPE : 0),
				    .gentle = true,
				    .lenient = audit->options->lenient,
				    .own = !filter,
				    .fn = on_key,
				    .ctx = audit};

	if (audit->options->keys)
		return walk_named(redis, audit, err);
	if (filter)
		scan.match = buf_bytes(&filter->glob);
	return scan_run(redis, &scan, &audit->result->scan, err);
}

int audit_run(struct redis *redis, const struct audit_options *options,
	      struct audit_result *ret_result, struct err *err)
{
	struct audit audit = {.options = options, .result = ret_result};

	*ret_result = (struct audit_result){0};
	audit.probe = redis_new_beside(redis, options->cancel);
	audit.now_ms = clock_wall_ms();
	audit.found_end = &audit.found;
	begin_batch(&audit);
	int status = walk(redis, &audit, err);

	audit.scan = NULL;
	if (status == 0 && !err_is_set(&audit.err))
		flush(&audit, &audit.err);
	if (ret_result->scan.denied & (SCAN_TTL | SCAN_TYPE))
		ret_result->denied = ret_result->scan.denied & SCAN_TTL ? "PTTL" : "TYPE";
	ret_result->fenced = ret_result->fenced || ret_result->scan.forbidden;
	if (status == 0 && err_is_set(&audit.err)) {
		*err = audit.err;
		status = -1;
	}
	redis_free(audit.probe);
	buf_release(&audit.scratch);
	mem_arena_release(&audit.arena);
	return status;
}
