#include "core/undo_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/sidecar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_EVERY 256

/* Each answers 1: undone, 0: another value is there (or none), -1: its time has passed. */

/* before, set: the TTL is as we set it, within the clock's granularity? PEXPIRETIME is exact
 * but unknown before Redis 7.0; a script's PTTL and TIME read two clocks, that may be far
 * apart. */
static const char undo_ttl[] =
    "local k,b,s=KEYS[1],ARGV[1],tonumber(ARGV[2]) "
    "local p=redis.call('PTTL',k) if p==-2 then return -1 end "
    "local t=redis.call('TIME') local n=t[1]*1000+math.floor(t[2]/1000) "
    "local e=redis.pcall('PEXPIRETIME',k) if type(e)~='number' then e=n+p end "
    "if p==-1 or math.abs(e-s)>5 then return 0 end "
    "if b=='-1' then redis.call('PERSIST',k) return 1 end "
    "if tonumber(b)<=n then return -1 end "
    "redis.call('PEXPIREAT',k,b) return 1";

/* expiry, what was written, what was there */
static const char undo_value[] =
    "local k=KEYS[1] if redis.pcall('GET',k)~=ARGV[2] then return 0 end "
    "redis.call('SET',k,ARGV[3]) "
    "if ARGV[1]~='-1' then redis.call('PEXPIREAT',k,ARGV[1]) end return 1";

/* what was written */
static const char undo_created[] = "if redis.pcall('GET',KEYS[1])~=ARGV[1] then return 0 end "
				   "redis.call('DEL',KEYS[1]) return 1";

/* expiry, members … */
static const char undo_removed[] =
    "local k=KEYS[1] local is=redis.call('EXISTS',k) "
    "for i=2,#ARGV do redis.call('SADD',k,ARGV[i]) end "
    "if is==0 and ARGV[1]~='-1' then redis.call('PEXPIREAT',k,ARGV[1]) end return 1";

static const char undo_added[] =
    "for i=1,#ARGV do redis.call('SREM',KEYS[1],ARGV[i]) end return 1";

/* mark, then field, by, before … Counted with a mark it is taken off whatever was counted
 * since; without one only while the fields hold what the change made of them. */
static const char undo_counted[] =
    "local k,m,once=KEYS[1],KEYS[2],ARGV[1] "
    "local function near(a,b) return a and math.abs(a-b)<=1e-9*math.max(1,math.abs(b)) end "
    "if once~='' then if redis.call('SISMEMBER',m,once)==0 then return 0 end end "
    "for i=2,#ARGV,3 do local v=tonumber(redis.call('HGET',k,ARGV[i]) or '') "
    "if not v then return 0 end if once=='' and "
    "not near(v,(tonumber(ARGV[i+2]) or 0)+tonumber(ARGV[i+1])) then return 0 end end "
    "for i=2,#ARGV,3 do local f,b=ARGV[i],ARGV[i+1] "
    "local v=redis.call('HGET',k,f) "
    "b=string.sub(b,1,1)=='-' and string.sub(b,2) or '-'..b "
    "local whole=string.match(v,'^%-?%d+$') and string.match(b,'^%-?%d+$') "
    "v=redis.call(whole and 'HINCRBY' or 'HINCRBYFLOAT',k,f,b) "
    "if ARGV[i+2]=='' and near(tonumber(v),0) then redis.call('HDEL',k,f) end end "
    "if once~='' then redis.call('SREM',m,once) end return 1";

static int ask_time(struct redis *redis, struct undo *undo, struct err *err)
{
	if (backup_clock_ask(redis, &undo->now_ms, err) != 0)
		return -1;
	undo->mono_ms = clock_mono_ms();
	return 0;
}

bool undo_has_expired(const struct undo *undo, int64_t expires_ms)
{
	int64_t now = undo->now_ms + (int64_t)(clock_mono_ms() - undo->mono_ms);

	return expires_ms != BACKUP_FOREVER && expires_ms <= now;
}

int undo_send(struct undo *undo, const struct bytes *argv, size_t argc, redis_reply_fn *fn)
{
	struct redis_command command = {.argv = argv, .argc = argc, .fn = fn, .ctx = undo};

	return redis_submit(undo->job->redis, &command, &undo->err);
}

/* The file's own checksums are right: what the server cannot read is the format. */
static void tell_format(struct buf *problem, const struct reply *reply)
{
	if (memmem(reply->text.ptr, reply->text.len, "payload version", 15))
		buf_add_str(problem, ": the file's server was a newer one, or of another kind; "
				     "bring back there what it saved");
}

void undo_refuse(struct undo *undo, const struct reply *reply, const char *command)
{
	struct err err = {0};

	undo->report->failed++;
	redis_fail(undo->job->redis, reply, command, (struct bytes){NULL, 0}, &err);
	if (undo->report->problem.len == 0) {
		buf_add_str(&undo->report->problem, err.text);
		tell_format(&undo->report->problem, reply);
	}
	if (reply_stops_writing(reply) && !err_is_set(&undo->err))
		undo->err = err;
}

static void on_restored(void *ctx, const struct reply *reply)
{
	struct undo *undo = ctx;

	if (reply->type == REPLY_STATUS)
		undo->report->restored++;
	else if (reply->type == REPLY_ERROR && bytes_starts_with(reply->text, BYTES("BUSYKEY")))
		undo->report->kept++;
	else
		undo_refuse(undo, reply, "RESTORE");
}

static void on_undone(void *ctx, const struct reply *reply)
{
	struct undo *undo = ctx;

	if (reply->type != REPLY_INTEGER)
		undo_refuse(undo, reply, "EVAL");
	else if (reply->integer > 0)
		undo->report->restored++;
	else if (reply->integer == 0)
		undo->report->kept++;
	else
		undo->report->expired++;
}

static struct bytes decimal(char text[24], int64_t value)
{
	return (struct bytes){text, (size_t)snprintf(text, 24, "%" PRId64, value)};
}

static int restore(struct undo *undo, const struct backup_record *record)
{
	char ttl[24];
	int64_t expires = record->expires_ms == BACKUP_FOREVER ? 0 : record->expires_ms;
	const struct bytes argv[] = {BYTES("RESTORE"), record->key, decimal(ttl, expires),
				     record->items[0], BYTES("ABSTTL")};

	return undo_send(undo, argv, 5, on_restored);
}

/* EVAL script 1 KEY args … items … */
static int eval(struct undo *undo, const char *script, const struct backup_record *record,
		const struct bytes *args, size_t arg_count, const struct bytes *items,
		size_t item_count)
{
	struct bytes *argv = mem_zalloc(4 + arg_count + item_count, sizeof *argv);
	size_t argc = 0;

	argv[argc++] = BYTES("EVAL");
	argv[argc++] = bytes_of(script);
	argv[argc++] = BYTES("1");
	argv[argc++] = record->key;
	for (size_t i = 0; i < arg_count; i++)
		argv[argc++] = args[i];
	for (size_t i = 0; i < item_count; i++)
		argv[argc++] = items[i];
	int status = undo_send(undo, argv, argc, on_undone);
	free(argv);
	return status;
}

/* EVAL script 2 KEY MARKS items … */
static int count_back(struct undo *undo, const struct backup_record *record)
{
	struct bytes *argv = mem_zalloc(5 + record->item_count, sizeof *argv);
	struct buf marks = {0};

	sidecar_once_name(&marks, record->key);
	argv[0] = BYTES("EVAL");
	argv[1] = bytes_of(undo_counted);
	argv[2] = BYTES("2");
	argv[3] = record->key;
	argv[4] = buf_bytes(&marks);
	for (size_t i = 0; i < record->item_count; i++)
		argv[5 + i] = record->items[i];
	int status = undo_send(undo, argv, 5 + record->item_count, on_undone);
	buf_release(&marks);
	free(argv);
	return status;
}

static int change_back(struct undo *undo, const struct backup_record *record)
{
	char expires[24], set[24];
	const struct bytes times[] = {decimal(expires, record->expires_ms),
				      decimal(set, record->set_ms)};
	const struct bytes *items = record->items;
	size_t count = record->item_count;

	switch (record->kind) {
	case BACKUP_TTL:
		return eval(undo, undo_ttl, record, times, 2, NULL, 0);
	case BACKUP_VALUE: {
		const struct bytes both[] = {items[1], items[0]};

		return eval(undo, undo_value, record, times, 1, both, 2);
	}
	case BACKUP_CREATED:
		return eval(undo, undo_created, record, NULL, 0, items, 1);
	case BACKUP_COUNTED:
		return count_back(undo, record);
	case BACKUP_REMOVED:
		return eval(undo, undo_removed, record, times, 1, items, count);
	default: /* BACKUP_ADDED: is_sound let no other pass */
		return eval(undo, undo_added, record, NULL, 0, items, count);
	}
}

bool undo_is_page(const struct backup_record *record)
{
	return record->kind == BACKUP_STRING || record->kind == BACKUP_HASH ||
	       record->kind == BACKUP_SET || record->kind == BACKUP_ZSET ||
	       record->kind == BACKUP_LIST;
}

/* Whether its items are as many as its kind must have. */
static bool is_sound(const struct backup_record *record)
{
	switch (record->kind) {
	case BACKUP_DUMP:
	case BACKUP_CREATED:
	case BACKUP_STRING:
		return record->item_count == 1;
	case BACKUP_VALUE:
		return record->item_count == 2;
	case BACKUP_HASH:
	case BACKUP_ZSET:
		return record->item_count % 2 == 0;
	case BACKUP_COUNTED:
		return record->item_count % 3 == 1;
	case BACKUP_SET:
	case BACKUP_LIST:
	case BACKUP_TTL:
	case BACKUP_REMOVED:
	case BACKUP_ADDED:
		return true;
	default: /* of a later version */
		return false;
	}
}

static bool needs_time(const struct backup_record *record)
{
	return record->kind != BACKUP_TTL && record->kind != BACKUP_CREATED &&
	       record->kind != BACKUP_ADDED;
}

static int undo_one(struct undo *undo, const struct backup_record *record)
{
	if (undo_is_page(record) && is_sound(record))
		return undo_page(undo, record);
	if (undo_pages_end(undo) != 0)
		return -1;
	undo->report->changes++;
	if (!is_sound(record)) {
		undo->report->failed++;
		if (undo->report->problem.len == 0)
			buf_add_str(&undo->report->problem,
				    "a record is not what its kind must be");
		return 0;
	}
	if (needs_time(record) && undo_has_expired(undo, record->expires_ms)) {
		undo->report->expired++;
		return 0;
	}
	return record->kind == BACKUP_DUMP ? restore(undo, record) : change_back(undo, record);
}

static int walk(struct undo *undo, struct err *err)
{
	const struct undo_job *job = undo->job;
	struct backup_record record;
	int more = 1;

	for (uint64_t count = 0; !(job->cancel && *job->cancel); count++) {
		more = backup_prev(job->reader, &record, err);
		if (more <= 0)
			break;
		if (undo_one(undo, &record) != 0 || err_is_set(&undo->err))
			break;
		if (job->progress && count % PROGRESS_EVERY == 0)
			job->progress(job->ctx, undo->report->changes, undo->report->failed);
	}
	if (!err_is_set(&undo->err))
		undo_pages_end(undo);
	redis_drain(job->redis, 0, &undo->err);
	if (err_is_set(&undo->err)) {
		*err = undo->err;
		return -1;
	}
	if (more > 0)
		return err_set(err, ERR_INTERRUPTED,
			       "interrupted: run the same again to bring back the rest");
	return more;
}

int undo_run(const struct undo_job *job, struct undo_report *ret_report, struct err *err)
{
	struct undo undo = {.job = job, .report = ret_report};
	struct redis_grace before = redis_set_grace(job->redis, REDIS_GRACE);

	*ret_report = (struct undo_report){0};
	backup_rewind(job->reader);
	int status = ask_time(job->redis, &undo, err);
	if (status == 0)
		status = walk(&undo, err);
	redis_set_grace(job->redis, before);
	/* what was sent and not answered */
	uint64_t known =
	    ret_report->restored + ret_report->kept + ret_report->expired + ret_report->failed;
	if (known < ret_report->changes)
		ret_report->failed += ret_report->changes - known;
	ret_report->complete = status == 0;
	buf_release(&undo.pages.key);
	buf_release(&undo.pages.temp);
	return status;
}

void undo_report_release(struct undo_report *report)
{
	buf_release(&report->problem);
}

int undo_plan(struct redis *redis, struct backup_reader *reader, struct undo_plan *ret_plan,
	      struct err *err)
{
	struct undo undo = {0};
	struct backup_record record;
	int more = 0;

	*ret_plan = (struct undo_plan){0};
	if (ask_time(redis, &undo, err) != 0)
		return -1;
	while ((more = backup_prev(reader, &record, err)) == 1) {
		for (size_t i = 0; i < record.item_count; i++)
			ret_plan->bytes += record.items[i].len;
		if (undo_is_page(&record) && !(record.flags & BACKUP_LAST))
			continue;
		ret_plan->changes++;
		ret_plan->expired +=
		    needs_time(&record) && undo_has_expired(&undo, record.expires_ms);
	}
	backup_rewind(reader);
	return more;
}
