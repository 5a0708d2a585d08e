#include "core/bulk.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/bulk_row.h"
#include "core/lease.h"
#include "core/listed.h"
#include "core/namespace.h"
#include "core/room.h"
#include "core/rowfile.h"
#include "core/store.h"
#include "wire/redis.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Rows sent and not answered, at most: as many as the session's window comes to over a long
 * link. */
#define SENT_MAX 65536
#define KEY_SHOWN 100
#define TURN_MS 100
#define KEY_COST 100 /* bytes of a server for a key, beside its text and its value, about */
#define TEXT_KEPT ((size_t)4096)

struct bulk;

/* What must be known of a row until its answer comes: a cluster's nodes do not answer in the
 * order of the rows. */
struct sent {
	struct bulk *bulk;
	struct sent *next; /* free */
	uint64_t line;
	struct warm_report *report;
	uint32_t value_len;
	uint8_t key_len;
	char key[KEY_SHOWN + 3];
};

struct bulk {
	const struct bulk_job *job;
	struct warm_report *reports;
	struct bulk_parser parser;
	struct buf packed;
	struct sent *sent;
	size_t touched;    /* the first so many were used already */
	struct sent *free; /* of those */
	uint64_t done;
	uint64_t failed;
	uint64_t now_ms; /* of this piece of the file */
	struct err stop; /* why no more is begun */
	enum warm_end end;
	struct room room;
	uint64_t stored;
	const struct ns *row_ns; /* of the last row */
	bool row_listed;         /* a set lists such keys */
	struct buf *texts;       /* of the rows sent, when failed ones are written down */
	struct err fault;        /* of the row at hand: too large to be cleared for each */
};

static struct warm_report *report_of(struct bulk *bulk, const struct ns *ns)
{
	return &bulk->reports[ns ? ns->index : nsset_count(bulk->job->set)];
}

/* err, with the file and the line in front. column 0: not known. */
static void tell(const struct bulk *bulk, uint64_t line, size_t column, struct err *err)
{
	const char *name = rowfile_name(bulk->job->file);

	if (column)
		err_wrap(err, "%s:%" PRIu64 ":%zu", name, line, column);
	else
		err_wrap(err, "%s:%" PRIu64, name, line);
	if (bulk->job->problem)
		bulk->job->problem(bulk->job->ctx, err);
}

/* The first reason counts. */
static void stop(struct bulk *bulk, enum warm_end end, const struct err *why)
{
	if (err_is_set(&bulk->stop))
		return;
	bulk->stop = *why;
	bulk->end = why->kind == ERR_INTERRUPTED ? WARM_END_INTERRUPTED : end;
}

static void count_failure(struct bulk *bulk, struct warm_report *report, enum warm_cause cause,
			  struct bytes text)
{
	if (bulk->job->failed && text.len)
		bulk->job->failed(bulk->job->ctx, text);
	report->failed++;
	report->causes[cause]++;
	bulk->failed++;
	bulk->done++;
}

static void fail_row(struct bulk *bulk, enum warm_cause cause, struct bytes text,
		     struct err *err)
{
	struct warm_report *report = report_of(bulk, bulk->parser.ns);

	report->requested++;
	count_failure(bulk, report, cause, text);
	tell(bulk, rowfile_line(bulk->job->file), bulk->parser.column, err);
}

static struct bytes sent_text(const struct bulk *bulk, const struct sent *sent)
{
	return bulk->texts ? buf_bytes(&bulk->texts[sent - bulk->sent]) : (struct bytes){0};
}

/* The text of a row on its way, in case it fails; large ones are not kept when they are
 * through. */
static void note_text(struct bulk *bulk, const struct sent *sent, struct bytes text)
{
	struct buf *at = &bulk->texts[sent - bulk->sent];

	if (at->len > TEXT_KEPT)
		buf_release(at);
	buf_clear(at);
	buf_add(at, text);
}

static void refused(struct bulk *bulk, const struct sent *sent, const struct reply *reply)
{
	struct err err = {0};

	redis_fail(bulk->job->redis, reply, "SET", (struct bytes){sent->key, sent->key_len},
		   &err);
	if (reply_stops_writing(reply))
		stop(bulk, WARM_END_REDIS, &err);
	count_failure(bulk, sent->report, WARM_CAUSE_REDIS, sent_text(bulk, sent));
	tell(bulk, sent->line, 0, &err);
}

static void on_stored(void *ctx, const struct reply *reply)
{
	struct sent *sent = ctx;
	struct bulk *bulk = sent->bulk;

	sent->next = bulk->free;
	bulk->free = sent;
	if (reply->type != REPLY_STATUS) {
		refused(bulk, sent, reply);
		return;
	}
	sent->report->stored++;
	bulk->stored++;
	sent->report->bytes += sent->value_len;
	bulk->done++;
}

/* A set that should list the row's key, being told. */
struct telling {
	struct bulk *bulk;
	const struct ns *list;
	struct listed listed;
};

static void on_listed(void *ctx, const struct reply *reply)
{
	struct telling *telling = ctx;
	struct err err = telling->listed.err;

	if (reply->type != REPLY_INTEGER)
		redis_fail(telling->listed.redis, reply, "PEXPIRE", (struct bytes){NULL, 0},
			   &err);
	if (err_is_set(&err)) { /* the next row would meet the same */
		err_wrap(&err, "%s does not list what is stored", telling->list->name);
		stop(telling->bulk, WARM_END_REDIS, &err);
	}
	free(telling);
}

/* Behind the row itself: the sets that list such keys. */
static void list_row(struct bulk *bulk, const struct bulk_row *row)
{
	const struct bulk_job *job = bulk->job;
	const struct ns *list = NULL;

	if (bulk->row_ns != row->ns) {
		bulk->row_ns = row->ns;
		bulk->row_listed = listed_next(job->set, row->ns, NULL) != NULL;
	}
	while (bulk->row_listed && (list = listed_next(job->set, row->ns, list))) {
		struct telling *telling = mem_zalloc(1, sizeof *telling);

		telling->bulk = bulk;
		telling->list = list;
		if (listed_add(job->redis, job->set, row->ns, list, row->key, &telling->listed,
			       on_listed, telling, &bulk->fault) != 0) {
			free(telling);
			stop(bulk, WARM_END_REDIS, &bulk->fault);
			return;
		}
	}
}

static void note_key(struct sent *sent, struct bytes key)
{
	bool cut = key.len > KEY_SHOWN;
	size_t len = cut ? KEY_SHOWN : key.len;

	memcpy(sent->key, key.ptr, len);
	if (cut)
		memcpy(sent->key + len, "…", 3);
	sent->key_len = (uint8_t)(len + (cut ? 3 : 0));
}

/* STORE_TTL_NONE and STORE_TTL_DO_NOT as store_ttl_ms. */
static int64_t life_of(const struct bulk *bulk, const struct bulk_row *row)
{
	struct bytes values[TEMPLATE_VARS_MAX];

	if (row->ttl_ms)
		return row->ttl_ms;
	if (bulk->job->ttl_ms)
		return bulk->job->ttl_ms;
	if (row->ns->ttl_kind == NS_TTL_DAY)
		template_match(row->ns->key, row->key, values);
	return store_ttl_ms(row->ns, values, -1, bulk->now_ms);
}

static bool is_full(const struct bulk *bulk)
{
	return !bulk->free && bulk->touched == SENT_MAX;
}

static struct sent *take_sent(struct bulk *bulk)
{
	struct sent *sent = bulk->free;

	if (sent)
		bulk->free = sent->next;
	else
		sent = &bulk->sent[bulk->touched++];
	sent->bulk = bulk;
	return sent;
}

static void store_row(struct bulk *bulk, const struct bulk_row *row, struct bytes text)
{
	const struct bulk_job *job = bulk->job;
	struct warm_report *report = report_of(bulk, row->ns);
	int64_t ttl_ms = life_of(bulk, row);

	if (is_full(bulk) && redis_drain(job->redis, SENT_MAX / 2, &bulk->fault) != 0) {
		stop(bulk, WARM_END_REDIS, &bulk->fault);
		return;
	}
	report->requested++;
	if (job->dry_run || ttl_ms == STORE_TTL_DO_NOT) {
		report->skipped++;
		report->skips[job->dry_run ? WARM_SKIP_DRY_RUN : WARM_SKIP_NO_STORE]++;
		report->estimated +=
		    job->dry_run ? row->key.len + row->value.len + KEY_COST : 0;
		bulk->done++;
		return;
	}
	struct sent *sent = take_sent(bulk);
	sent->line = rowfile_line(job->file);
	sent->report = report;
	struct bytes value = codec_encode(&row->ns->compress, row->value, &bulk->packed);
	sent->value_len = (uint32_t)value.len;
	note_key(sent, row->key);
	if (bulk->texts)
		note_text(bulk, sent, text);
	/* When it fails, on_stored has heard of this row too. */
	if (store_submit(job->redis, row->key, value, ttl_ms, on_stored, sent, &bulk->fault) !=
	    0)
		stop(bulk, WARM_END_REDIS, &bulk->fault);
	else if (row->ns)
		list_row(bulk, row);
}

static void take_row(struct bulk *bulk, struct bytes text)
{
	struct bulk_row row;

	if (bulk_row_parse(&bulk->parser, text, &row, &bulk->fault) == 0)
		store_row(bulk, &row, text);
	else
		fail_row(bulk,
			 bulk->fault.kind == ERR_CONFIG ? WARM_CAUSE_ROW : WARM_CAUSE_VARS,
			 text, &bulk->fault);
}

static void refuse_long(struct bulk *bulk)
{
	struct err err = {0};

	bulk->parser.ns = bulk->job->only;
	bulk->parser.column = 0;
	err_set(&err, ERR_ITEM, "a row may have %zu MiB at most; it is left out",
		ROWFILE_ROW_MAX / 1024 / 1024);
	fail_row(bulk, WARM_CAUSE_ROW, (struct bytes){0}, &err);
}

/* The rows that are read: false when there are no more. */
static bool take_rows(struct bulk *bulk)
{
	struct bytes text;

	for (;;) {
		if (bulk->job->cancel && *bulk->job->cancel && !err_is_set(&bulk->stop)) {
			err_set(&bulk->fault, ERR_INTERRUPTED,
				"interrupted: not every row had its turn");
			stop(bulk, WARM_END_INTERRUPTED, &bulk->fault);
		}
		if (err_is_set(&bulk->stop))
			return false;
		switch (rowfile_next(bulk->job->file, &text)) {
		case ROWFILE_ROW:
			take_row(bulk, text);
			break;
		case ROWFILE_LONG:
			refuse_long(bulk);
			break;
		case ROWFILE_MORE:
			return true;
		case ROWFILE_END:
			return false;
		}
	}
}

/* Between two pieces of the file: the lease, and the server's memory. */
static void look_around(struct bulk *bulk)
{
	const struct room_progress progress = {.stored = bulk->stored,
					       .share = rowfile_share(bulk->job->file)};
	struct err err = {0};

	if (bulk->job->lease && lease_beat(bulk->job->lease, &err) != 0)
		stop(bulk, err.kind == ERR_LOCKED ? WARM_END_LEASE : WARM_END_REDIS, &err);
	else if (room_check(&bulk->room, &progress, clock_mono_ms(), &err) != 0)
		stop(bulk, err.kind == ERR_REFUSED ? WARM_END_MEMORY : WARM_END_EVICTIONS,
		     &err);
}

/* Until a pipe has more, or cancel: what was sent before is answered meanwhile. */
static int wait_for_input(struct bulk *bulk, struct err *err)
{
	const struct bulk_job *job = bulk->job;
	struct pollfd fds[2] = {{.fd = rowfile_fd(job->file), .events = POLLIN}};
	int status = 0;

	if (poll(fds, 1, 0) == 1)
		return 0;
	while (status == 0 && fds[0].revents == 0 && !err_is_set(&bulk->stop) &&
	       !(job->cancel && *job->cancel)) {
		struct redis_wait wait = {.fd = -1, .timeout_ms = -1};

		look_around(bulk);
		if (redis_outstanding(job->redis) > 0) {
			status = redis_turn(job->redis, err);
			redis_wait(job->redis, &wait);
		}
		fds[1] = (struct pollfd){.fd = wait.fd, .events = wait.events};
		if (poll(fds, 2, TURN_MS) < 0)
			fds[0].revents = 0;
	}
	return status;
}

static void tell_progress(const struct bulk *bulk)
{
	if (bulk->job->progress)
		bulk->job->progress(bulk->job->ctx, bulk->done, bulk->failed,
				    rowfile_share(bulk->job->file));
}

/* Stores rows until there are no more, or something stops it (bulk->stop). */
static void work(struct bulk *bulk)
{
	struct rowfile *file = bulk->job->file;
	struct err err = {0};

	while (take_rows(bulk)) {
		tell_progress(bulk);
		look_around(bulk);
		bulk->now_ms = clock_wall_ms();
		if (rowfile_may_wait(file) && wait_for_input(bulk, &err) != 0)
			stop(bulk, WARM_END_REDIS, &err);
		if (err_is_set(&bulk->stop))
			continue;
		if (bulk->job->cancel && *bulk->job->cancel)
			continue;
		if (rowfile_read(file, &err) != 0 && err.kind != ERR_INTERRUPTED)
			stop(bulk, WARM_END_INPUT, &err);
	}
}

int bulk_run(const struct bulk_job *job, struct warm_report *reports, struct err *err)
{
	struct bulk bulk = {.job = job,
			    .reports = reports,
			    .parser = {.set = job->set, .only = job->only},
			    .now_ms = clock_wall_ms()};
	struct err err_at_end = {0};
	size_t count = nsset_count(job->set);

	memset(reports, 0, (count + 1) * sizeof *reports);
	for (size_t i = 0; i < count; i++)
		reports[i].ns = nsset_at(job->set, i);
	bulk.sent = mem_zalloc(SENT_MAX, sizeof *bulk.sent);
	if (job->failed)
		bulk.texts = mem_zalloc(SENT_MAX, sizeof *bulk.texts);
	if (!job->dry_run && !job->evict)
		room_init(&bulk.room, job->redis);
	/* what was sent should be answered before the report */
	struct redis_grace before = redis_set_grace(job->redis, WARM_GRACE);
	work(&bulk);
	if (redis_drain(job->redis, 0, &err_at_end) != 0)
		stop(&bulk, WARM_END_REDIS, &err_at_end);
	redis_set_grace(job->redis, before);
	tell_progress(&bulk);
	for (size_t i = 0; i <= count; i++)
		reports[i].end = bulk.end;
	bulk_parser_release(&bulk.parser);
	buf_release(&bulk.packed);
	for (size_t i = 0; bulk.texts && i < SENT_MAX; i++)
		buf_release(&bulk.texts[i]);
	free(bulk.texts);
	free(bulk.sent);
	if (!err_is_set(&bulk.stop))
		return 0;
	*err = bulk.stop;
	return -1;
}
