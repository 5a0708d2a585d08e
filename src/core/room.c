#include "core/room.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "core/namespace.h"
#include "core/scan.h"
#include "core/server.h"

#include <inttypes.h>

#define LOOK_MS 1000
#define KEYS_MAX 20000     /* looked at for the size of a value */
#define SIZES_MAX 50       /* that it is the mean of */
#define EARLY 500          /* stored: a first look, whatever the time */
#define EVICTED_MIN 100    /* so few may be anybody's */
#define GROWN_MIN 0x100000 /* less is as well the server's own buffers */

void room_init(struct room *room, struct redis *redis)
{
	struct server_info info;

	*room = (struct room){.redis = redis};
	if (server_info(redis, &info, NULL) != 0 || info.max_memory <= 0)
		return;
	room->is_limited = true;
	room->used = info.used_memory;
	room->evicted = info.evicted;
}

int64_t room_left(struct redis *redis)
{
	struct server_info info;

	if (server_info(redis, &info, NULL) != 0 || info.max_memory <= 0)
		return -1;
	return info.used_memory < info.max_memory ? info.max_memory - info.used_memory : 0;
}

struct sizes {
	const struct nsset *set;
	const struct ns *ns;
	uint64_t seen;
	uint64_t count;
	uint64_t bytes;
};

static unsigned ask_size(void *ctx, struct scan_key *key)
{
	struct sizes *sizes = ctx;
	struct bytes values[TEMPLATE_VARS_MAX];

	return nsset_classify(sizes->set, key->key, values) == sizes->ns ? SCAN_BYTES : 0;
}

static bool add_size(void *ctx, const struct scan_key *key)
{
	struct sizes *sizes = ctx;

	if (key->asked && key->bytes > 0) {
		sizes->count++;
		sizes->bytes += (uint64_t)key->bytes;
	}
	return ++sizes->seen < KEYS_MAX && sizes->count < SIZES_MAX;
}

uint64_t room_value_size(struct redis *redis, const struct nsset *set, const struct ns *ns)
{
	struct sizes sizes = {.set = set, .ns = ns};
	struct scan_options options = {.probes_of = ask_size, .fn = add_size, .ctx = &sizes};
	struct scan_result result = {0};

	if (scan_run(redis, &options, &result, NULL) != 0 || sizes.count == 0)
		return 0;
	return sizes.bytes / sizes.count;
}

static int judge_evictions(const struct room *room, const struct server_info *info,
			   uint64_t stored, struct err *err)
{
	uint64_t evicted = room->evicted >= 0 && info->evicted > room->evicted
			       ? (uint64_t)(info->evicted - room->evicted)
			       : 0;

	if (evicted <= EVICTED_MIN || evicted <= stored / 2)
		return 0;
	return err_set(err, ERR_REDIS,
		       "the server evicted %" PRIu64 " keys while %" PRIu64
		       " were stored: it is full; raise maxmemory, warm less, or go on with "
		       "--evict",
		       evicted, stored);
}

static int judge_rest(const struct room *room, const struct server_info *info, double share,
		      struct err *err)
{
	double grown = (double)(info->used_memory - room->used);
	double left = (double)(info->max_memory - info->used_memory);
	double rest = share > 0 ? grown * (1 - share) / share : 0;
	struct buf sizes = {0};

	if (room->used < 0 || grown < GROWN_MIN || rest <= left)
		return 0;
	num_format_size(&sizes, (uint64_t)rest);
	buf_add_str(&sizes, " more would be stored, and the server has ");
	num_format_size(&sizes, left > 0 ? (uint64_t)left : 0);
	err_set(err, ERR_REFUSED,
		"%d %% are done; about %s left of its maxmemory: raise it, warm less, or go on "
		"with --evict",
		(int)(share * 100), buf_str(&sizes));
	buf_release(&sizes);
	return -1;
}

int room_check(struct room *room, const struct room_progress *progress, uint64_t now_ms,
	       struct err *err)
{
	struct server_info info;
	bool early = !room->has_looked && progress->stored >= EARLY;

	if (!room->is_limited || (now_ms < room->look_ms && !early))
		return 0;
	room->look_ms = now_ms + LOOK_MS;
	room->has_looked = progress->stored >= EARLY;
	if (server_info(room->redis, &info, NULL) != 0 || info.max_memory <= 0)
		return 0;
	if (judge_evictions(room, &info, progress->stored, err) != 0)
		return -1;
	return room->has_looked ? judge_rest(room, &info, progress->share, err) : 0;
}
