#include "core/repair.h"

#include "base/num.h"
#include "core/backup.h"
#include "core/namespace.h"
#include "core/store.h"
#include "wire/redis.h"
#include "wire/slot.h"

#include <inttypes.h>
#include <stdio.h>

/* KEYS: what is changed, and (where one script may see both) the other side of the relation. */
static const char script_ttl[] =
    "local p=redis.call('PTTL',KEYS[1]) "
    "if p==-2 or (p>=0 and p<=tonumber(ARGV[1])) then return 0 end "
    "return redis.call('PEXPIREAT',KEYS[1],ARGV[2])";
static const char script_drop[] =
    "if KEYS[2] and redis.call('EXISTS',KEYS[2])==1 then return 0 end "
    "if redis.call('GET',KEYS[1])~=ARGV[1] then return 0 end "
    "return redis.call('UNLINK',KEYS[1])";
static const char script_member[] =
    "if KEYS[2] and redis.call('EXISTS',KEYS[2])==1 then return 0 end "
    "return redis.call('SREM',KEYS[1],ARGV[1])";

static int call(struct repair *repair, const struct bytes *argv, size_t argc,
		const struct reply **ret_reply, struct err *err)
{
	return redis_call(repair->redis, argv, argc, 0, ret_reply, err);
}

/* This one failed; others may go on. */
static int fail(struct repair *repair, const struct reply *reply, const char *command,
		struct bytes key)
{
	if (repair->failed++ == 0)
		redis_fail(repair->redis, reply, command, key, &repair->problem);
	return 0;
}

static int server_now_ms(struct repair *repair, int64_t *ret_ms, struct err *err)
{
	const struct bytes argv[] = {BYTES("TIME")};
	const struct reply *reply = NULL;
	int64_t s = 0;
	int64_t us = 0;

	if (call(repair, argv, 1, &reply, err) != 0)
		return -1;
	if (reply->type != REPLY_ARRAY || reply->count != 2 ||
	    num_parse_i64(reply->items[0]->text, 0, INT64_MAX / 2000, &s) != 0 ||
	    num_parse_i64(reply->items[1]->text, 0, 1000000, &us) != 0)
		return redis_fail(repair->redis, reply, "TIME", (struct bytes){NULL, 0}, err);
	*ret_ms = s * 1000 + us / 1000;
	return 0;
}

/* In the file before anything changes. */
static int record(struct repair *repair, struct backup_record *record, struct err *err)
{
	if (!repair->backup)
		return 0;
	return backup_add(repair->backup, record, err) == 0 ? backup_flush(repair->backup, err)
							    : -1;
}

/* Runs the script; what it did not change is struck from the record. */
static int change(struct repair *repair, const char *script,
		  const struct audit_finding *finding, const struct bytes *args, size_t count,
		  const struct backup_record *kept, struct err *err)
{
	bool relation = finding->other.len > 0;
	bool both = relation && (redis_nodes(repair->redis, err) == 1 ||
				 slot_of(finding->key) == slot_of(finding->other));
	struct bytes argv[8] = {BYTES("EVAL"), bytes_of(script), both ? BYTES("2") : BYTES("1"),
				finding->key};
	const struct bytes exists[] = {BYTES("EXISTS"), finding->other};
	const struct reply *reply = NULL;
	size_t argc = 4;
	bool there = false;

	if (both)
		argv[argc++] = finding->other;
	for (size_t i = 0; i < count; i++)
		argv[argc++] = args[i];
	if (relation && !both) {
		if (call(repair, exists, 2, &reply, err) != 0)
			return -1;
		there = reply->type != REPLY_INTEGER || reply->integer != 0;
	}
	if (!there && call(repair, argv, argc, &reply, err) != 0)
		return -1;
	bool changed = !there && reply->type == REPLY_INTEGER && reply->integer == 1;
	if (changed)
		repair->done++;
	else if (there || reply->type == REPLY_INTEGER)
		repair->gone++;
	else
		fail(repair, reply, "EVAL", finding->key);
	if (changed || !repair->backup)
		return 0;
	return backup_void(repair->backup, kept->number, kept->number, err);
}

static int repair_ttl(struct repair *repair, const struct audit_finding *finding,
		      int64_t now_ms, struct err *err)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	char limit[24], at[24];

	template_match(finding->ns->key, finding->key, values);
	int64_t ttl_ms = store_ttl_ms(finding->ns, values, -1, (uint64_t)now_ms);
	if (ttl_ms <= 0) { /* no policy says how long */
		repair->gone++;
		return 0;
	}
	struct backup_record kept = {
	    .kind = BACKUP_TTL,
	    .key = finding->key,
	    .expires_ms = finding->ttl_ms < 0 ? BACKUP_FOREVER : now_ms + finding->ttl_ms,
	    .set_ms = now_ms + ttl_ms};
	const struct bytes args[] = {
	    {limit, (size_t)snprintf(limit, sizeof limit, "%" PRIu64,
				     finding->limit_ms ? finding->limit_ms : UINT64_MAX >> 12)},
	    {at, (size_t)snprintf(at, sizeof at, "%" PRId64, kept.set_ms)}};
	if (record(repair, &kept, err) != 0)
		return -1;
	return change(repair, script_ttl, finding, args, 2, &kept, err);
}

/*
 * When the key ends, as the server has it: the record of a life that was shortened a moment ago
 * is undone only where that very end is met. Before Redis 7, as near as two questions come.
 */
static int ask_expiry(struct repair *repair, struct bytes key, int64_t now_ms, int64_t *ret_ms,
		      struct err *err)
{
	const struct bytes end[] = {BYTES("PEXPIRETIME"), key};
	const struct bytes left[] = {BYTES("PTTL"), key};
	const struct reply *reply = NULL;
	int64_t since_ms = 0;
	int status = call(repair, end, 2, &reply, err);

	if (status == 0 && reply->type == REPLY_ERROR) {
		since_ms = now_ms;
		status = call(repair, left, 2, &reply, err);
	}
	if (status == 0 && reply->type == REPLY_INTEGER && reply->integer >= 0)
		*ret_ms = since_ms + reply->integer;
	return status;
}

/* A small string is dropped, if it is still what was recorded. */
static int repair_drop(struct repair *repair, const struct audit_finding *finding,
		       int64_t now_ms, struct err *err)
{
	const struct bytes get[] = {BYTES("GET"), finding->key};
	const struct bytes dump[] = {BYTES("DUMP"), finding->key};
	struct backup_record kept = {
	    .kind = BACKUP_DUMP, .key = finding->key, .expires_ms = BACKUP_FOREVER};
	const struct reply *reply = NULL;
	struct buf value = {0};
	struct buf dumped = {0};
	int status = call(repair, get, 2, &reply, err);

	if (status != 0)
		return -1;
	if (reply->type != REPLY_STRING) {
		repair->gone++;
		return 0;
	}
	buf_add(&value, reply->text);
	status = ask_expiry(repair, finding->key, now_ms, &kept.expires_ms, err);
	if (status == 0)
		status = call(repair, dump, 2, &reply, err);
	if (status == 0 && reply->type != REPLY_STRING) {
		fail(repair, reply, "DUMP", finding->key);
	} else if (status == 0) {
		buf_add(&dumped, reply->text);
		struct bytes item = buf_bytes(&dumped);
		struct bytes arg = buf_bytes(&value);

		kept.items = &item;
		kept.item_count = 1;
		status = record(repair, &kept, err);
		if (status == 0)
			status = change(repair, script_drop, finding, &arg, 1, &kept, err);
	}
	buf_release(&value);
	buf_release(&dumped);
	return status;
}

static int repair_member(struct repair *repair, const struct audit_finding *finding,
			 int64_t now_ms, struct err *err)
{
	struct backup_record kept = {
	    .kind = BACKUP_REMOVED,
	    .key = finding->key,
	    .expires_ms = finding->ttl_ms < 0 ? BACKUP_FOREVER : now_ms + finding->ttl_ms,
	    .items = &finding->member,
	    .item_count = 1};

	if (record(repair, &kept, err) != 0)
		return -1;
	return change(repair, script_member, finding, &finding->member, 1, &kept, err);
}

int repair_apply(struct repair *repair, const struct audit_finding *finding, struct err *err)
{
	int64_t now_ms = 0;

	if (!audit_rules[finding->rule].repairable)
		return 0;
	if (repair->done + repair->failed >= repair->max) {
		repair->left++;
		return 0;
	}
	if (server_now_ms(repair, &now_ms, err) != 0)
		return -1;
	if (finding->rule == AUDIT_TTL_MISSING || finding->rule == AUDIT_TTL_OVER)
		return repair_ttl(repair, finding, now_ms, err);
	if (finding->rule == AUDIT_MEMBER_DANGLING)
		return repair_member(repair, finding, now_ms, err);
	return repair_drop(repair, finding, now_ms, err);
}
