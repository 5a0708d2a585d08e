#include "core/undo_private.h"

#include "base/mem.h"
#include "core/sidecar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Large values come back under a temporary name in their key's slot, which
 * expires by itself should this run be killed, and get their own name when
 * they are whole.
 */
#define TEMP_LIFE_MS "3600000"

static void on_exists(void *ctx, const struct reply *reply)
{
	struct undo *undo = ctx;

	if (reply->type == REPLY_INTEGER)
		undo->pages.answer = reply->integer ? PAGES_YES : PAGES_NO;
	else
		undo->pages.answer = PAGES_REFUSED;
	if (reply->type != REPLY_INTEGER)
		undo_refuse(undo, reply, "EXISTS");
}

/* A refused page spoils its key: one failure, told once. */
static void on_page(void *ctx, const struct reply *reply)
{
	struct undo *undo = ctx;

	if (reply->type == REPLY_INTEGER || reply->type == REPLY_STATUS || undo->pages.skip)
		return;
	undo->pages.skip = true;
	undo_refuse(undo, reply, "restoring a page");
}

static void on_renamed(void *ctx, const struct reply *reply)
{
	struct undo *undo = ctx;

	if (reply->type != REPLY_INTEGER)
		undo_refuse(undo, reply, "RENAMENX");
	else if (reply->integer == 1)
		undo->report->restored++;
	else
		undo->report->kept++;
}

static int send_two(struct undo *undo, const char *command, struct bytes key,
		    redis_reply_fn *fn)
{
	const struct bytes argv[] = {bytes_of(command), key};

	return undo_send(undo, argv, 2, fn);
}

static int drop_temp(struct undo *undo)
{
	return undo->pages.begun ? send_two(undo, "UNLINK", buf_bytes(&undo->pages.temp), NULL)
				 : 0;
}

/* The last page: is the key to come back at all? */
static int begin(struct undo *undo, const struct backup_record *record)
{
	struct undo_pages *pages = &undo->pages;

	undo->report->changes++;
	pages->under_way = true;
	pages->skip = pages->begun = false;
	pages->next_number = record->number;
	pages->expires_ms = record->expires_ms;
	buf_clear(&pages->key);
	buf_add(&pages->key, record->key);
	buf_clear(&pages->temp);
	sidecar_name(&pages->temp, record->key);
	buf_printf(&pages->temp, ":undo:%08x", arc4random());
	if (undo_has_expired(undo, record->expires_ms)) {
		undo->report->expired++;
		pages->skip = true;
		return 0;
	}
	pages->answer = PAGES_UNKNOWN;
	if (send_two(undo, "EXISTS", record->key, on_exists) != 0 ||
	    redis_drain(undo->job->redis, 0, &undo->err) != 0)
		return -1;
	pages->skip = pages->answer != PAGES_NO;
	undo->report->kept += pages->answer == PAGES_YES;
	return 0;
}

static const char *command_of(enum backup_kind kind)
{
	return kind == BACKUP_HASH   ? "HSET"
	       : kind == BACKUP_SET  ? "SADD"
	       : kind == BACKUP_ZSET ? "ZADD"
				     : "LPUSH";
}

static int send_items(struct undo *undo, const struct backup_record *record)
{
	struct bytes *argv = mem_zalloc(record->item_count + 2, sizeof *argv);
	size_t count = record->item_count;

	argv[0] = bytes_of(command_of(record->kind));
	argv[1] = buf_bytes(&undo->pages.temp);
	for (size_t i = 0; i < count; i++) {
		size_t from = record->kind == BACKUP_ZSET   ? i ^ 1 /* score before member */
			      : record->kind == BACKUP_LIST ? count - 1 - i
							    : i;

		argv[2 + i] = record->items[from];
	}
	int status = count ? undo_send(undo, argv, count + 2, on_page) : 0;
	free(argv);
	return status;
}

static int send_slice(struct undo *undo, const struct backup_record *record)
{
	char offset[24];
	const struct bytes argv[] = {
	    BYTES("SETRANGE"),
	    buf_bytes(&undo->pages.temp),
	    {offset, (size_t)snprintf(offset, sizeof offset, "%" PRId64, record->set_ms)},
	    record->items[0]};

	return undo_send(undo, argv, 4, on_page);
}

static int name_it(struct undo *undo)
{
	struct undo_pages *pages = &undo->pages;
	char at[24];
	const struct bytes expire[] = {
	    BYTES("PEXPIREAT"),
	    buf_bytes(&pages->temp),
	    {at, (size_t)snprintf(at, sizeof at, "%" PRId64, pages->expires_ms)}};
	const struct bytes rename[] = {BYTES("RENAMENX"), buf_bytes(&pages->temp),
				       buf_bytes(&pages->key)};
	int status = pages->expires_ms == BACKUP_FOREVER
			 ? send_two(undo, "PERSIST", buf_bytes(&pages->temp), on_page)
			 : undo_send(undo, expire, 3, on_page);

	/* every page must have gone well before the key gets its name */
	if (status != 0 || redis_drain(undo->job->redis, 0, &undo->err) != 0)
		return -1;
	if (!pages->skip && undo_send(undo, rename, 3, on_renamed) != 0)
		return -1;
	return drop_temp(undo);
}

static int spoil(struct undo *undo)
{
	undo->pages.under_way = false;
	if (undo->pages.skip)
		return drop_temp(undo);
	undo->pages.skip = true;
	undo->report->failed++;
	if (undo->report->problem.len == 0)
		buf_add_str(&undo->report->problem,
			    "a key that was saved in pages lacks one: it was not brought back");
	return drop_temp(undo);
}

int undo_pages_end(struct undo *undo)
{
	return undo->pages.under_way ? spoil(undo) : 0;
}

int undo_page(struct undo *undo, const struct backup_record *record)
{
	struct undo_pages *pages = &undo->pages;

	if (record->flags & BACKUP_LAST) {
		if (undo_pages_end(undo) != 0 || begin(undo, record) != 0)
			return -1;
	} else if (!pages->under_way) {
		return 0; /* a run that was killed here had not removed the key */
	}
	if (record->number != pages->next_number ||
	    !bytes_equal(record->key, buf_bytes(&pages->key)))
		return spoil(undo);
	pages->next_number--;
	if (!pages->skip) {
		const struct bytes life[] = {BYTES("PEXPIRE"), buf_bytes(&pages->temp),
					     BYTES(TEMP_LIFE_MS)};
		int status = record->kind == BACKUP_STRING ? send_slice(undo, record)
							   : send_items(undo, record);

		if (status == 0 && !pages->begun)
			status = undo_send(undo, life, 3, on_page);
		pages->begun = true;
		if (status != 0)
			return -1;
	}
	if (!(record->flags & BACKUP_FIRST))
		return 0;
	pages->under_way = false;
	return pages->skip ? drop_temp(undo) : name_it(undo);
}
