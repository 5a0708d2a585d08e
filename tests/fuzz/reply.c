/*
 * Replies to what the verbs ask, from a server that speaks as answer.h says. The first byte of
 * the input tells which reader asks.
 */
#include "fuzz.h"

#include "answer.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/discover.h"
#include "core/keyinfo.h"
#include "core/namespace.h"
#include "core/resume.h"
#include "core/sample.h"
#include "core/scan.h"
#include "core/server.h"
#include "core/server_command.h"
#include "core/tally.h"
#include "wire/redis.h"
#include "wire/replica.h"
#include "wire/sentinel.h"
#include "wire/target.h"

#include <stdlib.h>

static bool on_key(void *ctx, const struct scan_key *key)
{
	uint64_t *seen = ctx;

	*seen += key->key.len;
	return *seen < 100000;
}

static void scan(struct redis *redis)
{
	uint64_t seen = 0;
	struct scan_result result = {0};
	struct err err = {0};
	struct scan_options options = {.probes = SCAN_TTL | SCAN_TYPE | SCAN_BYTES | SCAN_IDLE,
				       .fn = on_key,
				       .ctx = &seen};

	scan_run(redis, &options, &result, &err);
}

static void begin_again(void *ctx)
{
	uint64_t *seen = ctx;

	*seen = 0;
}

static void sample(struct redis *redis)
{
	uint64_t seen = 0;
	struct sample_result result = {0};
	struct err err = {0};
	struct sample_options options = {.keys = 1000,
					 .seed = 1,
					 .probes = SCAN_TTL | SCAN_BYTES,
					 .fn = on_key,
					 .restart = begin_again,
					 .ctx = &seen};

	EXPECT((sample_run(redis, &options, &result, &err) != 0) == err_is_set(&err));
}

static bool on_item(void *ctx, struct bytes name, struct bytes value, bool cut)
{
	(void)ctx, (void)name, (void)value;
	return !cut;
}

static void read_key(struct redis *redis)
{
	const struct keyinfo_limits limits = {.value_bytes = 1000, .items = 100};
	struct keyinfo info = {0};
	struct err err = {0};

	if (keyinfo_read(redis, BYTES("key"), limits.value_bytes, &info, &err) == 0)
		keyinfo_walk(redis, BYTES("key"), &info, &limits, on_item, NULL, &err);
	EXPECT(info.refused_count <= KEYINFO_REFUSED_MAX);
	keyinfo_release(&info);
}

static void read_figures(struct redis *redis)
{
	static struct config *config;
	struct server_info info;
	struct err err = {0};
	bool denied = false;

	if (!config)
		config_report_free(config_read_profile("sessions", &config));
	const struct nsset *set = config_namespaces(config);
	struct tally_figures *figures = mem_zalloc(nsset_count(set) + 1, sizeof *figures);

	server_info(redis, &info, &err);
	err = (struct err){0};
	tally_read(set, redis, NULL, 0, figures, &denied, &err);
	free(figures);
}

/* As a sentinel: where the primary is, and its replicas. */
static void ask_sentinel(const struct target *target)
{
	struct target guarded = *target;
	struct replica_places places = {0};
	struct mem_arena arena = {0};
	struct target primary;
	struct err err = {0};
	struct buf text = {0};

	buf_printf(&text, "127.0.0.1:%u", target->port);
	EXPECT(sentinel_parse(buf_bytes(&text), BYTES("main"), &guarded.sentinel, &err) == 0);
	buf_clear(&text);
	if (sentinel_find(&guarded, NULL, &primary, &err) == 0)
		EXPECT(primary.host[0] && primary.port > 0);
	sentinel_describe(&guarded, &text);
	sentinel_replicas(&guarded, NULL, &arena, &places, &err);
	for (size_t i = 0; i < places.count; i++)
		EXPECT(places.ptr[i].host[0] && places.ptr[i].port > 0);
	mem_arena_release(&arena);
	sentinel_free(guarded.sentinel);
	buf_release(&text);
}

static void ask_of_commands(struct redis *redis)
{
	const struct bytes argv[] = {BYTES("CONFIG"), BYTES("SET")};
	struct server_command command;
	struct resume resume = {0};
	struct err err = {0};

	if (server_command_ask(redis, argv, 2, &command, &err) == 0 && command.told)
		EXPECT(!command.reads || !command.writes);
	err = (struct err){0};
	resume_init(&resume, redis, NULL, &err);
	resume_release(&resume);
}

/* What is written of the keys can be read as a configuration. */
static void discover(struct redis *redis)
{
	const struct discover_options options = {.target = "fuzz", .max_keys = 100};
	struct discover found;
	struct config *config = NULL;
	struct buf text = {0};
	struct err err = {0};

	EXPECT((discover_run(redis, &options, &found, &err) != 0) == err_is_set(&err));
	if (!err_is_set(&err)) {
		discover_write(&found, &text);
		config_report_free(config_read("found.json", buf_bytes(&text), &config));
		EXPECT(config || found.count == 0);
		config_free(config);
	}
	discover_release(&found);
	buf_release(&text);
}

FUZZ(reply)
{
	static struct target target;

	if (input.len == 0)
		return;
	answer_target(&target, 20);
	answer_with(&(struct answer_script){.text = bytes_sub(input, 1, input.len)});
	struct redis *redis = redis_new(&target, NULL);
	switch (input.ptr[0] % 7) {
	case 0:
		scan(redis);
		break;
	case 1:
		read_key(redis);
		break;
	case 2:
		read_figures(redis);
		break;
	case 3:
		sample(redis);
		break;
	case 4:
		ask_of_commands(redis);
		break;
	case 5:
		discover(redis);
		break;
	default:
		ask_sentinel(&target);
		break;
	}
	redis_free(redis);
	answer_with(NULL);
}
