#include "core/event_run_private.h"

#include "core/event_edit.h"
#include "core/namespace.h"

/* Writers that keep coming in between are given up against. */
#define TRIES_MAX 100

bool event_edit_keeps_life(const struct event_step *step)
{
	return step->action == EVENT_REMOVE || step->rule->ttl == EVENT_TTL_KEEP;
}

/* Values are unpacked when they look so, whatever the policy says now: it may have changed. */
static int unpack(struct event_editing *editing, struct bytes stored, bool *ret_packed,
		  struct bytes *ret_plain, struct err *err)
{
	const struct codec_policy any = {.kind = CODEC_GZIP};

	*ret_packed = codec_is_packed(&any, stored);
	*ret_plain = stored;
	if (!*ret_packed)
		return 0;
	buf_clear(&editing->plain);
	if (codec_expand(codec_detect(stored), stored, CODEC_LIMIT, &editing->plain, err) != 0)
		return -1;
	*ret_plain = buf_bytes(&editing->plain);
	return 0;
}

static int edit(struct event_editing *editing, const struct event_step *step,
		struct bytes plain, struct err *err)
{
	const struct event_rule *rule = step->rule;
	struct event_element element = {
	    .array = rule->array, .id_at = rule->match, .id = step->expect};
	enum event_edit ignored;

	buf_clear(&editing->edited);
	if (step->action == EVENT_PATCH)
		return event_edit_merge(plain, step->text, &editing->edited, err);
	if (step->action == EVENT_UPSERT)
		return event_edit_upsert(plain, &element, step->text, rule->at_front,
					 &editing->edited, &ignored, err);
	element.id = step->text;
	return event_edit_remove(plain, &element, &editing->edited, &ignored, err);
}

/* What was packed is packed again, what was plain stays plain: only what must change does. */
static struct bytes pack(struct event_editing *editing, const struct event_step *step,
			 enum codec_kind before)
{
	const struct codec_policy *policy = &step->ns->compress;
	enum codec_kind kind =
	    policy->kind == CODEC_NONE ? before : (enum codec_kind)policy->kind;

	buf_clear(&editing->packed);
	codec_compress(kind, buf_bytes(&editing->edited), &editing->packed);
	return buf_bytes(&editing->packed);
}

enum event_outcome event_edit_step(struct event_runner *runner, const struct event_step *step,
				   struct bytes stored, struct bytes *ret_after,
				   struct err *err)
{
	struct event_editing *editing = &runner->editing;
	struct bytes plain;
	bool packed = false;

	if (unpack(editing, stored, &packed, &plain, err) != 0 ||
	    edit(editing, step, plain, err) != 0)
		return EVENT_FAILED;
	if (event_edit_keeps_life(step) && bytes_equal(plain, buf_bytes(&editing->edited)))
		return EVENT_SAME;
	*ret_after =
	    packed ? pack(editing, step, codec_detect(stored)) : buf_bytes(&editing->edited);
	return EVENT_PENDING;
}

/* 1: it is there, in *stored. 0: the step has its outcome. -1: the server is lost. */
static int fetch(struct event_runner *runner, struct event_step *step, struct buf *stored,
		 struct err *err)
{
	const struct bytes argv[] = {BYTES("GET"), step->key};
	const struct reply *reply = NULL;

	if (redis_call(runner->redis, argv, 2, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	buf_clear(stored);
	if (reply->type == REPLY_NIL)
		step->outcome = EVENT_ABSENT;
	else if (reply->type != REPLY_STRING)
		event_step_fail(step, reply, "GET");
	else
		buf_add(stored, reply->text);
	return reply->type == REPLY_STRING;
}

/* 1: done. 0: somebody wrote meanwhile. -1: the server is lost. */
static int put_back(struct event_runner *runner, struct event_step *step, struct bytes before,
		    struct bytes after, struct err *err)
{
	char room[24];
	bool keep = event_edit_keeps_life(step);
	int64_t ttl = keep ? 0 : event_step_ttl(step);
	const struct reply *reply = NULL;

	if (ttl < 0) {
		step->outcome = EVENT_ABSENT;
		return 1;
	}
	const struct bytes keys[] = {step->key, event_sidecar(runner, step->key)};
	const struct bytes args[] = {before, after,
				     keep ? BYTES("k") : event_decimal(room, ttl)};
	if (event_script_call(runner, EVENT_SCRIPT_REPLACE, keys, 2, args, 3, &reply, err) != 0)
		return -1;
	if (reply->type != REPLY_INTEGER) {
		event_step_fail(step, reply, "EVALSHA");
		return 1;
	}
	if (reply->integer == 0)
		return 0;
	step->keys = reply->integer == 1;
	step->outcome = !step->keys                    ? EVENT_ABSENT
			: step->action == EVENT_REMOVE ? EVENT_REMOVED
						       : EVENT_PATCHED;
	return 1;
}

static int try_once(struct event_runner *runner, struct event_step *step, struct buf *stored,
		    struct err *err)
{
	struct err why = {0};
	struct bytes after = {NULL, 0};
	int status = fetch(runner, step, stored, err);

	if (status <= 0)
		return status < 0 ? -1 : 1;
	switch (event_edit_step(runner, step, buf_bytes(stored), &after, &why)) {
	case EVENT_PENDING:
		return put_back(runner, step, buf_bytes(stored), after, err);
	case EVENT_FAILED:
		event_step_problem(step, "%s", why.text);
		return 1;
	default:
		step->outcome = step->action == EVENT_REMOVE ? EVENT_ABSENT : EVENT_SAME;
		return 1;
	}
}

int event_patch(struct event_runner *runner, struct event_step *step, struct err *err)
{
	struct buf stored = {0};
	int status = 0;

	for (int tries = 0; tries < TRIES_MAX && status == 0; tries++)
		status = try_once(runner, step, &stored, err);
	if (status == 0)
		event_step_problem(step, "other writers came in between %d times", TRIES_MAX);
	buf_release(&stored);
	return status < 0 ? -1 : 0;
}
