#include "core/traffic_side.h"

#include "base/clock.h"
#include "base/num.h"
#include "core/server.h"
#include "wire/redis.h"
#include "wire/resp.h"
#include "wire/tap.h"
#include "wire/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASELINE_PINGS 5
#define INFO_EVERY 10 /* looks */
#define REPLY_MAX ((size_t)1024 * 1024)

/* What looks a key up, the most telling first: PEXPIRETIME came with 7.0. */
enum lookup { LOOKUP_PEXPIRETIME, LOOKUP_PTTL, LOOKUP_EXISTS, LOOKUPS };
static const char *const lookups[LOOKUPS] = {"PEXPIRETIME", "PTTL", "EXISTS"};
static const char *const plain_names[SIDE_NAMES] = {"", "STRLEN", "PING", "INFO", "CLIENT"};

/* aB…, and the rest by the bits of this process: no client spells a command so. */
static void spell(char *out, const char *plain)
{
	unsigned bits = (unsigned)getpid() * 2654435761u;

	for (size_t i = 0; i <= strlen(plain); i++) {
		bool lower = i == 0 || (i > 1 && (bits >> (i + 8) & 1));

		out[i] = (char)(lower && plain[i] ? plain[i] | 0x20 : plain[i]);
	}
}

static int submit(struct traffic_side *side, const struct bytes *argv, size_t argc,
		  redis_reply_fn *fn, struct err *err)
{
	struct redis_command command = {.argv = argv, .argc = argc, .fn = fn, .ctx = side};

	return redis_submit(side->redis, &command, err);
}

/* --- the state of a key --- */

static void on_probe(void *ctx, const struct reply *reply)
{
	struct traffic_side *side = ctx;
	struct side_probe *probe = &side->probes[side->answered++ % SIDE_RING];

	probe->answered = true;
	probe->failed = reply->type != REPLY_INTEGER;
	probe->value = reply->integer;
}

static int ask(struct traffic_side *side, uint64_t hash, struct bytes key, struct err *err)
{
	const struct bytes argv[] = {bytes_of(side->names[SIDE_LOOKUP]), key};

	side->probes[side->asked++ % SIDE_RING] = (struct side_probe){.hash = hash};
	return submit(side, argv, 2, on_probe, err);
}

/* A failure of the session shows at its next turn. */
static bool probe(void *ctx, uint64_t hash, struct bytes key)
{
	struct traffic_side *side = ctx;

	if (side->asked - side->echoed >= SIDE_RING - 1)
		return false;
	side->traffic->probes++;
	ask(side, hash, key, NULL);
	return true;
}

int traffic_side_ask_last(struct traffic_side *side, struct err *err)
{
	const struct bytes argv[] = {bytes_of(side->names[SIDE_PING]), BYTES("last")};

	return submit(side, argv, 2, NULL, err);
}

static struct traffic_answer read_answer(const struct traffic_side *side,
					 const struct side_probe *probe, uint64_t time_us)
{
	struct traffic_answer answer = {.time_us = time_us, .failed = probe->failed};

	answer.present = side->lookup == LOOKUP_EXISTS ? probe->value == 1 : probe->value != -2;
	answer.expires_ms = probe->value;
	if (side->lookup == LOOKUP_EXISTS)
		answer.expires_ms = LIFE_UNKNOWN;
	else if (side->lookup == LOOKUP_PTTL && probe->value >= 0)
		answer.expires_ms = (int64_t)(time_us / 1000) + probe->value;
	return answer;
}

static void take_answer(struct traffic_side *side, struct side_probe *probe, uint64_t time_us)
{
	struct traffic_answer answer = read_answer(side, probe, time_us);

	side->echoed++;
	side->traffic->probe_hits += !answer.failed && answer.present;
	side->traffic->probe_misses += !answer.failed && !answer.present;
	traffic_judge_answer(side->judge, probe->hash, &answer);
}

/* The echo of the oldest question. Those before it that were refused have none. */
static enum side_echo on_echo(struct traffic_side *side, uint64_t time_us, struct err *err)
{
	while (side->echoed < side->asked) {
		struct side_probe *oldest = &side->probes[side->echoed % SIDE_RING];

		while (!oldest->answered)
			if (redis_drain(side->redis, redis_outstanding(side->redis) - 1, err) !=
			    0)
				return SIDE_BROKEN;
		bool failed = oldest->failed;
		take_answer(side, oldest, time_us);
		if (!failed)
			break;
	}
	return SIDE_OWN;
}

enum side_echo traffic_side_echo(struct traffic_side *side,
				 const struct monitor_command *command, struct err *err)
{
	for (size_t i = 0; i < SIDE_NAMES; i++) {
		if (!bytes_equal_str(command->argv[0], side->names[i]))
			continue;
		if (i == SIDE_LOOKUP)
			return on_echo(side, command->time_us, err);
		return i == SIDE_PING && command->argc > 1 ? SIDE_LAST : SIDE_OWN;
	}
	return SIDE_FOREIGN;
}

/* --- the size of a text --- */

static void on_size(void *ctx, const struct reply *reply)
{
	struct traffic_side *side = ctx;
	uint64_t hash = side->sizes[side->sizes_answered++ % SIDE_RING];

	if (reply->type != REPLY_INTEGER)
		return;
	side->traffic->probe_hits += reply->integer > 0;
	side->traffic->probe_misses += reply->integer == 0;
	if (reply->integer > 0)
		traffic_judge_size(side->judge, hash, (uint64_t)reply->integer);
}

static void measure(void *ctx, uint64_t hash, struct bytes key)
{
	struct traffic_side *side = ctx;
	const struct bytes argv[] = {bytes_of(side->names[SIDE_STRLEN]), key};

	if (side->sizes_asked - side->sizes_answered >= SIDE_RING)
		return;
	side->sizes[side->sizes_asked++ % SIDE_RING] = hash;
	submit(side, argv, 2, on_size, NULL);
}

/* --- the server --- */

static void note_latency(struct traffic_side *side, uint64_t took_us)
{
	if (side->limit_us)
		side->strikes = took_us > side->limit_us ? side->strikes + 1 : 0;
	if (took_us > side->traffic->latency_worst_us)
		side->traffic->latency_worst_us = took_us;
	side->latencies[side->latency_count++ % SIDE_LATENCIES] =
	    took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static uint64_t median(struct traffic_side *side)
{
	size_t count =
	    side->latency_count < SIDE_LATENCIES ? side->latency_count : SIDE_LATENCIES;

	qsort(side->latencies, count, sizeof side->latencies[0], compare);
	return count ? side->latencies[count / 2] : 0;
}

static void on_ping(void *ctx, const struct reply *reply)
{
	struct traffic_side *side = ctx;

	if (reply->type != REPLY_LOST)
		note_latency(side, clock_mono_us() - side->pinged_us);
	side->pinged_us = 0;
}

/* "… omem=20504 …" */
static void on_client(void *ctx, const struct reply *reply)
{
	struct traffic_side *side = ctx;
	const char *at = reply->type == REPLY_STRING
			     ? memmem(reply->text.ptr, reply->text.len, " omem=", 6)
			     : NULL;

	if (!at)
		return;
	struct bytes rest =
	    bytes_sub(reply->text, (size_t)(at - reply->text.ptr) + 6, reply->text.len);
	num_parse_u64(bytes_sub(rest, 0, bytes_index(rest, ' ')), 0, UINT64_MAX,
		      &side->backlog);
}

/* What is evicted is gone without a command: what was known may be wrong. */
static void on_info(void *ctx, const struct reply *reply)
{
	struct traffic_side *side = ctx;
	int64_t evicted = -1;

	if (reply->type != REPLY_STRING) {
		side->traffic->counters_denied = true;
		return;
	}
	num_parse_i64(server_info_field(reply->text, "evicted_keys"), 0, INT64_MAX, &evicted);
	if (side->evicted >= 0 && evicted != side->evicted)
		traffic_keys_doubt(&side->judge->keys);
	side->evicted = evicted;
}

int traffic_side_look(struct traffic_side *side, struct err *err)
{
	uint64_t now_us = clock_mono_us();
	char id[24];
	const struct bytes ping[] = {bytes_of(side->names[SIDE_PING])};
	const struct bytes info[] = {bytes_of(side->names[SIDE_INFO]), BYTES("stats")};

	if (side->pinged_us) { /* no answer is an answer, too */
		if (side->limit_us && now_us - side->pinged_us > side->limit_us)
			side->strikes++;
		return 0;
	}
	side->pinged_us = now_us;
	if (submit(side, ping, 1, on_ping, err) != 0)
		return -1;
	if (side->look++ % INFO_EVERY == 0 && submit(side, info, 2, on_info, err) != 0)
		return -1;
	if (*side->monitor_id == 0)
		return 0;
	const struct bytes client[] = {
	    bytes_of(side->names[SIDE_CLIENT]),
	    BYTES("LIST"),
	    BYTES("ID"),
	    {id,
	     (size_t)snprintf(id, sizeof id, "%llu", (unsigned long long)*side->monitor_id)}};
	return submit(side, client, 4, on_client, err);
}

/* --- notifications --- */

static int on_event(void *ctx, const struct reply *reply)
{
	struct traffic_side *side = ctx;

	if (reply->type == REPLY_ERROR)
		side->traffic->subscribe_denied = true;
	if (reply->type != REPLY_ARRAY || reply->count != 3)
		return 0;
	if (bytes_equal_str(reply->items[0]->text, "subscribe"))
		side->traffic->notifications = true;
	if (!bytes_equal_str(reply->items[0]->text, "message"))
		return 0;
	struct bytes channel = reply->items[1]->text;
	traffic_judge_event(side->judge, reply->items[2]->text,
			    channel.len > 7 &&
				memcmp(channel.ptr + channel.len - 7, "evicted", 7) == 0);
	return 0;
}

void traffic_side_hear(struct traffic_side *side)
{
	char data[4096];
	size_t len = 1;

	while (side->events && len > 0) {
		if (tap_read(side->events, data, sizeof data, &len, NULL) != 0 ||
		    resp_feed(side->event_reader, data, len, NULL) != 0) {
			tap_close(side->events); /* expiries are an extra */
			side->events = NULL;
			side->traffic->notifications = false;
		}
	}
}

int traffic_side_fd(const struct traffic_side *side)
{
	return side->events ? tap_fd(side->events) : -1;
}

static void subscribe(struct traffic_side *side, const struct target *target)
{
	const struct reply *reply = NULL;
	char channels[2][48];

	if (redis_call_words(side->redis, REDIS_IDEMPOTENT, &reply, NULL, "CONFIG", "GET",
			     "notify-keyspace-events", NULL) != 0)
		return;
	side->traffic->config_denied = reply->type == REPLY_ERROR;
	if (reply->type != REPLY_ARRAY || reply->count != 2)
		return;
	struct bytes flags = reply->items[1]->text;
	if (bytes_index(flags, 'E') == flags.len ||
	    (bytes_index(flags, 'A') == flags.len && bytes_index(flags, 'x') == flags.len))
		return;
	snprintf(channels[0], sizeof channels[0], "__keyevent@%u__:expired", target->db);
	snprintf(channels[1], sizeof channels[1], "__keyevent@%u__:evicted", target->db);
	const struct bytes argv[] = {BYTES("SUBSCRIBE"), bytes_of(channels[0]),
				     bytes_of(channels[1])};
	if (tap_open(target, &side->traffic->stop, &side->events, NULL) != 0)
		return;
	side->event_reader = resp_new(REPLY_MAX, on_event, side);
	tap_send(side->events, argv, 3, NULL); /* its answers tell whether it is heard */
}

/* --- opening --- */

/* True when this user may run it; a key that is not allowed is another matter. */
static int try_lookup(struct traffic_side *side, unsigned lookup, bool *ret_allowed,
		      struct err *err)
{
	const struct reply *reply = NULL;

	spell(side->names[SIDE_LOOKUP], lookups[lookup]);
	const struct bytes argv[] = {bytes_of(side->names[SIDE_LOOKUP]), BYTES("cc:c:")};
	if (redis_call(side->redis, argv, 2, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	/* on a node of a cluster the key may be another's */
	*ret_allowed = reply->type == REPLY_INTEGER ||
		       reply_error_kind(reply) == REPLY_ERR_MOVED ||
		       (reply_error_kind(reply) == REPLY_ERR_NOPERM &&
			!memmem(reply->text.ptr, reply->text.len, " run the ", 9));
	side->traffic->probe_hits += reply->type == REPLY_INTEGER && reply->integer >= -1;
	side->traffic->probe_misses += reply->type == REPLY_INTEGER && reply->integer < -1;
	side->lookup = lookup;
	return 0;
}

static int choose_lookup(struct traffic_side *side, struct err *err)
{
	bool allowed = false;

	for (unsigned i = 0; i < LOOKUPS && !allowed; i++)
		if (try_lookup(side, i, &allowed, err) != 0)
			return -1;
	side->denied = !allowed;
	return allowed ? 0
		       : err_set(err, ERR_REDIS,
				 "this user may run none of PEXPIRETIME, PTTL, EXISTS (ACL "
				 "SETUSER … +pttl)");
}

static int take_baseline(struct traffic_side *side, struct err *err)
{
	const struct reply *reply = NULL;
	const struct bytes ping[] = {bytes_of(side->names[SIDE_PING])};

	for (int i = 0; i < BASELINE_PINGS; i++) {
		uint64_t start = clock_mono_us();

		if (redis_call(side->redis, ping, 1, REDIS_IDEMPOTENT, &reply, err) != 0)
			return -1;
		side->latencies[side->latency_count++] = (uint32_t)(clock_mono_us() - start);
	}
	side->traffic->latency_before_us = median(side);
	side->latency_count = 0;
	return 0;
}

int traffic_side_open(struct traffic_side *side, struct traffic_judge *judge,
		      const struct target *target, const struct traffic_options *options,
		      struct err *err)
{
	side->judge = judge;
	side->traffic = judge->traffic;
	side->evicted = -1;
	side->limit_us = options->max_latency_ms * 1000;
	judge->probe = probe;
	judge->measure = measure;
	judge->ctx = side;
	judge->db = target->db;
	for (size_t i = 0; i < SIDE_NAMES; i++)
		spell(side->names[i], plain_names[i]);
	side->redis = redis_new_plain(target, &side->traffic->stop);
	if (redis_connect(side->redis, err) != 0 || choose_lookup(side, err) != 0 ||
	    take_baseline(side, err) != 0)
		return -1;
	subscribe(side, target);
	return 0;
}

void traffic_side_close(struct traffic_side *side)
{
	side->traffic->latency_us = median(side);
	tap_close(side->events);
	resp_free(side->event_reader);
	redis_free(side->redis);
}

bool traffic_side_parent_stopped(void)
{
	char path[48], text[512] = "";

	snprintf(path, sizeof path, "/proc/%d/stat", (int)getppid());
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	size_t len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	const char *state = strrchr(text, ')');
	return state && (strncmp(state, ") T", 3) == 0 || strncmp(state, ") t", 3) == 0);
}
