#include "core/event_run_private.h"

#include "core/event_edit.h"
#include "core/namespace.h"

/* Writers that keep coming in between are given up against. */
#define TRIES_MAX 100

/* What stands in Redis now, and what is to stand there. */
struct patch {
	struct event_runner *runner;
	struct event_step *step;
	struct buf stored; /* as it is */
	struct buf plain;  /* unpacked, when it is packed */
	struct buf edited;
	struct buf packed;
	bool is_packed;
	enum codec_kind kind;
	enum event_edit edit;
};

static void patch_release(struct patch *patch)
{
	buf_release(&patch->stored);
	buf_release(&patch->plain);
	buf_release(&patch->edited);
	buf_release(&patch->packed);
}

/* 1: it is there. 0: the step has its outcome. -1: the server is lost. */
static int fetch(struct patch *patch, struct err *err)
{
	const struct bytes argv[] = {BYTES("GET"), patch->step->key};
	const struct reply *reply = NULL;

	if (redis_call(patch->runner->redis, argv, 2, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	buf_clear(&patch->stored);
	if (reply->type == REPLY_NIL)
		patch->step->outcome = EVENT_ABSENT;
	else if (reply->type != REPLY_STRING)
		event_step_fail(patch->step, reply, "GET");
	else
		buf_add(&patch->stored, reply->text);
	return reply->type == REPLY_STRING;
}

/* Values are unpacked when they look so, whatever the policy says now: it may have changed. */
static int unpack(struct patch *patch, struct bytes *ret_plain, struct err *err)
{
	struct bytes stored = buf_bytes(&patch->stored);
	const struct codec_policy any = {.kind = CODEC_GZIP};

	patch->is_packed = codec_is_packed(&any, stored);
	*ret_plain = stored;
	if (!patch->is_packed)
		return 0;
	patch->kind = codec_detect(stored);
	buf_clear(&patch->plain);
	if (codec_expand(patch->kind, stored, CODEC_LIMIT, &patch->plain, err) != 0)
		return -1;
	*ret_plain = buf_bytes(&patch->plain);
	return 0;
}

static int edit(struct patch *patch, struct bytes plain, struct err *err)
{
	const struct event_step *step = patch->step;
	const struct event_rule *rule = step->rule;
	struct event_element element = {
	    .array = rule->array, .id_at = rule->match, .id = step->expect};

	buf_clear(&patch->edited);
	if (step->action == EVENT_PATCH)
		return event_edit_merge(plain, step->text, &patch->edited, err);
	if (step->action == EVENT_UPSERT)
		return event_edit_upsert(plain, &element, step->text, rule->at_front,
					 &patch->edited, &patch->edit, err);
	element.id = step->text;
	return event_edit_remove(plain, &element, &patch->edited, &patch->edit, err);
}

/* What was packed is packed again, what was plain stays plain: only what must change does. */
static struct bytes pack(struct patch *patch)
{
	const struct codec_policy *policy = &patch->step->ns->compress;
	enum codec_kind kind =
	    policy->kind == CODEC_NONE ? patch->kind : (enum codec_kind)policy->kind;

	if (!patch->is_packed)
		return buf_bytes(&patch->edited);
	buf_clear(&patch->packed);
	codec_compress(kind, buf_bytes(&patch->edited), &patch->packed);
	return buf_bytes(&patch->packed);
}

static enum event_outcome outcome_of(const struct event_step *step)
{
	return step->action == EVENT_REMOVE ? EVENT_REMOVED : EVENT_PATCHED;
}

static int script_replace(struct patch *patch, struct bytes ttl, int64_t *ret_replaced,
			  struct err *err)
{
	struct event_step *step = patch->step;
	const struct reply *reply = NULL;
	const struct bytes keys[] = {step->key, event_sidecar(patch->runner, step->key)};
	const struct bytes args[] = {buf_bytes(&patch->stored), pack(patch), ttl};

	if (event_script_call(patch->runner, EVENT_SCRIPT_REPLACE, keys, 2, args, 3, &reply,
			      err) != 0)
		return -1;
	if (reply->type == REPLY_INTEGER)
		*ret_replaced = reply->integer;
	else
		event_step_fail(step, reply, "EVALSHA");
	return 0;
}

/* 1: done. 0: somebody wrote meanwhile. -1: the server is lost. */
static int put_back(struct patch *patch, struct err *err)
{
	struct event_step *step = patch->step;
	struct event_runner *runner = patch->runner;
	char room[24];
	bool keep = step->action == EVENT_REMOVE || step->rule->ttl == EVENT_TTL_KEEP;
	int64_t ttl = keep ? 0 : event_step_ttl(step);
	int64_t replaced = 0;

	if (ttl < 0) {
		step->outcome = EVENT_ABSENT;
		return 1;
	}
	struct bytes new_ttl = keep ? BYTES("k") : event_decimal(room, ttl);
	if (event_script_load(runner, err) != 0 ||
	    (err_is_set(&runner->forbidden)
		 ? event_watch_replace(runner, step, buf_bytes(&patch->stored), pack(patch),
				       new_ttl, &replaced, err)
		 : script_replace(patch, new_ttl, &replaced, err)) != 0)
		return -1;
	if (step->outcome == EVENT_FAILED)
		return 1;
	if (replaced == 0)
		return 0;
	step->outcome = replaced == 1 ? outcome_of(step) : EVENT_ABSENT;
	step->keys = replaced == 1;
	return 1;
}

static int try_once(struct patch *patch, struct err *err)
{
	struct event_step *step = patch->step;
	struct bytes plain;
	struct err why = {0};
	int status = fetch(patch, err);

	if (status <= 0)
		return status < 0 ? -1 : 1;
	if (unpack(patch, &plain, &why) != 0 || edit(patch, plain, &why) != 0) {
		event_step_problem(step, "%s", why.text);
		return 1;
	}
	bool keep = step->action == EVENT_REMOVE || step->rule->ttl == EVENT_TTL_KEEP;
	if (keep && bytes_equal(plain, buf_bytes(&patch->edited))) {
		step->outcome = step->action == EVENT_REMOVE ? EVENT_ABSENT : EVENT_SAME;
		return 1;
	}
	return put_back(patch, err);
}

int event_patch(struct event_runner *runner, struct event_step *step, struct err *err)
{
	struct patch patch = {.runner = runner, .step = step};
	int status = 0;

	for (int tries = 0; tries < TRIES_MAX && status == 0; tries++)
		status = try_once(&patch, err);
	if (status == 0)
		event_step_problem(step, "other writers came in between %d times", TRIES_MAX);
	patch_release(&patch);
	return status < 0 ? -1 : 0;
}
