#include "core/resume.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/backup.h"
#include "core/server.h"
#include "wire/redis.h"

#include <stdlib.h>
#include <string.h>

static int ask(struct resume_point *point, struct redis *node,
	       const struct backup_reader *reader, struct err *err)
{
	const struct reply *reply = NULL;
	struct bytes cursor;

	*point = (struct resume_point){.node = node};
	if (redis_call_words(node, REDIS_IDEMPOTENT, &reply, err, "INFO", "server", NULL) != 0)
		return -1;
	if (reply->type != REPLY_STRING) /* not allowed: from the beginning */
		return 0;
	struct bytes run_id = server_info_field(reply->text, "run_id");
	if (run_id.len < sizeof point->run_id)
		memcpy(point->run_id, run_id.ptr, run_id.len);
	if (reader && backup_cursor(reader, point->run_id, &cursor) &&
	    num_parse_u64(cursor, 0, UINT64_MAX, &point->cursor) != 0)
		point->cursor = 0;
	return 0;
}

int resume_init(struct resume *resume, struct redis *redis, const struct backup_reader *reader,
		struct err *err)
{
	size_t count = redis_nodes(redis, err);

	if (count == 0)
		return -1;
	resume->points = mem_zalloc(count, sizeof *resume->points);
	for (size_t i = 0; i < count; i++)
		if (ask(&resume->points[resume->count++], redis_node(redis, i), reader, err) !=
		    0)
			return -1;
	return 0;
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

const char *resume_run_id(const struct resume *resume, const struct redis *node)
{
	const struct resume_point *point = find(resume, node);

	return point ? point->run_id : "";
}
