#include "core/resume.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/sha1.h"
#include "core/backup.h"
#include "core/scan_slots.h"
#include "core/server.h"
#include "wire/redis.h"

#include <stdlib.h>
#include <string.h>

#define RUN_ID_MAX 47

/* Adds what the node says of its slots; one whose slots are on their way, or untold, has no
 * id. */
static int ask_slots(struct resume_point *point, struct redis *node, struct err *err)
{
	const struct reply *reply = NULL;
	struct scan_slots slots = {0};
	size_t len = strlen(point->id);

	if (redis_call_words(node, REDIS_IDEMPOTENT, &reply, err, "CLUSTER", "NODES", NULL) !=
	    0)
		return -1;
	scan_slots_told(&slots, reply);
	if (slots.unknown || scan_slots_moved(&slots)) {
		point->id[0] = '\0';
	} else if (len + 1 + SHA1_HEX_LEN < sizeof point->id) {
		point->id[len] = ':';
		sha1_hex(buf_bytes(&slots.first), point->id + len + 1);
	}
	scan_slots_release(&slots);
	return 0;
}

static int ask(struct resume_point *point, struct redis *node, bool is_cluster, struct err *err)
{
	const struct reply *reply = NULL;

	*point = (struct resume_point){.node = node};
	if (redis_call_words(node, REDIS_IDEMPOTENT, &reply, err, "INFO", "server", NULL) != 0)
		return -1;
	if (reply->type != REPLY_STRING) /* not allowed: from the beginning */
		return 0;
	struct bytes run_id = server_info_field(reply->text, "run_id");
	if (run_id.len == 0 || run_id.len > RUN_ID_MAX)
		return 0;
	memcpy(point->id, run_id.ptr, run_id.len);
	return is_cluster ? ask_slots(point, node, err) : 0;
}

static size_t run_id_len(const char *id)
{
	return bytes_index(bytes_of(id), ':');
}

static void take_cursor(struct resume *resume, struct resume_point *point,
			const struct backup_reader *reader)
{
	struct bytes cursor;

	if (backup_cursor(reader, point->id, &cursor)) {
		if (num_parse_u64(cursor, 0, UINT64_MAX, &point->cursor) != 0)
			point->cursor = 0;
	} else {
		resume->moved += backup_has_cursor(
		    reader, bytes_sub(bytes_of(point->id), 0, run_id_len(point->id)));
	}
}

int resume_init(struct resume *resume, struct redis *redis, const struct backup_reader *reader,
		struct err *err)
{
	size_t count = redis_nodes(redis, err);

	if (count == 0)
		return -1;
	resume->points = mem_zalloc(count, sizeof *resume->points);
	for (size_t i = 0; i < count; i++) {
		struct resume_point *point = &resume->points[resume->count++];

		if (ask(point, redis_node(redis, i), redis_is_cluster(redis), err) != 0)
			return -1;
		if (reader)
			take_cursor(resume, point, reader);
	}
	return 0;
}

/* The same run of the server, but other slots, or some on their way. */
static bool has_moved(const struct resume_point *before, const struct resume_point *now)
{
	size_t len = run_id_len(before->id);

	return before->cursor != 0 && strcmp(before->id, now->id) != 0 &&
	       (now->id[0] == '\0' || strncmp(before->id, now->id, len) == 0);
}

int resume_check(const struct resume *resume, struct redis *redis, struct err *err)
{
	struct resume now = {0};
	int status = 0;
	bool is_needed = false;

	for (size_t i = 0; i < resume->count; i++)
		is_needed = is_needed || resume->points[i].cursor != 0;
	if (!is_needed || !redis_is_cluster(redis))
		return 0;
	status = resume_init(&now, redis, NULL, err);
	for (size_t i = 0; i < now.count && status == 0; i++)
		for (size_t j = 0; j < resume->count && status == 0; j++)
			if (resume->points[j].node == now.points[i].node &&
			    has_moved(&resume->points[j], &now.points[i]))
				status = err_set(err, ERR_ITEM,
						 "slots moved between the cluster's nodes "
						 "since the cursors were looked up, and keys "
						 "may have been missed: resume once more");
	resume_release(&now);
	return status;
}

void resume_release(struct resume *resume)
{
	free(resume->points);
	*resume = (struct resume){0};
}

static const struct resume_point *find(const struct resume *resume, const struct redis *node)
{
	for (size_t i = 0; i < resume->count; i++)
		if (resume->points[i].node == node)
			return &resume->points[i];
	return NULL;
}

uint64_t resume_start(const struct resume *resume, const struct redis *node)
{
	const struct resume_point *point = find(resume, node);

	return point ? point->cursor : 0;
}

const char *resume_id(const struct resume *resume, const struct redis *node)
{
	const struct resume_point *point = find(resume, node);

	return point ? point->id : "";
}
