#include "wire/cluster_private.h"

#include "base/clock.h"
#include "wire/redis_queue.h"
#include "wire/resp.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 50
/* A command that was redirected so often takes its time: two nodes may disagree for a while. */
#define HASTY_TRIES 5
/* A node that was silent for the whole timeout: how long another one may take to stand in. */
#define GRACE_MS 1000
/* Memory of a parked command that is worth keeping. */
#define KEEP_BYTES 4096

static void deliver(struct cluster_flight *flight, const struct reply *reply)
{
	struct cluster *cluster = flight->cluster;
	const struct cluster_node *before = cluster->answering;
	redis_reply_fn *fn = flight->fn;
	void *ctx = flight->ctx;

	cluster->answering = flight->node;
	flight->next = cluster->spare;
	cluster->spare = flight;
	if (fn)
		fn(ctx, reply);
	cluster->answering = before;
}

/* How much longer than the timeout another node may take to stand in for a silent one. */
static uint64_t grace_ms(const struct cluster *cluster)
{
	uint64_t haste_ms = cluster->self->haste_ms;

	return haste_ms && haste_ms < GRACE_MS ? haste_ms : GRACE_MS;
}

/* Its node is out, and nobody stood in for it in time. */
static bool is_vain(const struct cluster_flight *flight)
{
	return flight->node && redis_is_out(flight->node->session, grace_ms(flight->cluster));
}

static void deliver_trouble(struct cluster_flight *flight)
{
	char *text = buf_steal(&flight->text); /* the flight may be used anew inside */
	struct reply reply = {
	    .type = flight->said, .text = bytes_of(text), .integer = is_vain(flight)};

	deliver(flight, &reply);
	free(text);
}

static void deliver_lost(struct cluster_flight *flight, const struct reply *reply)
{
	struct reply lost = *reply;

	lost.integer = is_vain(flight);
	deliver(flight, &lost);
}

/* What comes back is older than what was parked behind it meanwhile. */
static struct cluster_flight **place_of(struct cluster *cluster,
					const struct cluster_flight *flight)
{
	struct cluster_flight **at = cluster->parked_last;

	if (flight->number == cluster->begun)
		return cluster->parked_end;
	if (!*at || (*at)->number > flight->number)
		at = &cluster->parked;
	while (*at && (*at)->number < flight->number)
		at = &(*at)->next;
	return at;
}

static void park(struct cluster_flight *flight, uint64_t due_ms)
{
	struct cluster *cluster = flight->cluster;
	struct cluster_flight **at = place_of(cluster, flight);

	flight->due_ms = due_ms;
	flight->next = *at;
	*at = flight;
	if (!flight->next)
		cluster->parked_end = &flight->next;
	cluster->parked_last = at;
	cluster->parked_count++;
	if (flight->slot >= 0)
		cluster->slots[flight->slot].parked++;
}

static bool is_redirection(const struct reply *reply)
{
	enum reply_error kind = reply_error_kind(reply);

	return kind == REPLY_ERR_MOVED || kind == REPLY_ERR_ASK;
}

/* An empty host is that of the node that said so. */
static struct cluster_node *redirected_to(struct cluster_flight *flight, struct bytes text)
{
	struct bytes host;
	uint16_t port;

	if (reply_redirection(text, &host, &port) != 0)
		return NULL;
	if (host.len == 0)
		host = bytes_of(flight->node->target.host);
	return cluster_nodes_find(flight->cluster, host, port);
}

/*
 * Nodes that point at each other for as long as the timeout: who was asked last belongs to what
 * it said, for the answer outlives the flight.
 */
static void deliver_redirection(struct cluster_flight *flight, const struct reply *reply)
{
	struct buf text = {0};
	struct reply named = {.type = REPLY_ERROR, .integer = flight->tries};

	buf_add(&text, reply->text);
	buf_add_str(&text, ", says node ");
	target_describe(&flight->node->target, &text);
	buf_printf(&text, ", after %u redirections", flight->tries);
	named.text = buf_bytes(&text);
	deliver(flight, &named);
	buf_release(&text);
}

/* Whether an answer is a trouble that goes away, and what to do before the next try. */
static bool may_pass(struct cluster_flight *flight, const struct reply *reply, bool again)
{
	struct cluster *cluster = flight->cluster;
	struct cluster_node *node;

	switch (reply_error_kind(reply)) {
	case REPLY_ERR_LOST:
		cluster->is_stale = true;
		return again;
	case REPLY_ERR_MOVED:
		node = flight->slot >= 0 ? redirected_to(flight, reply->text) : NULL;
		if (!node)
			return false;
		if (!cluster->self->reads_only) /* else the map says who stands in for it */
			cluster->slots[flight->slot].owner = node;
		cluster->is_stale = true;
		return true;
	case REPLY_ERR_ASK:
		flight->ask = flight->slot >= 0 ? redirected_to(flight, reply->text) : NULL;
		return flight->ask != NULL;
	case REPLY_ERR_CLUSTERDOWN:
	case REPLY_ERR_MASTERDOWN:
		cluster->is_stale = true;
		return true;
	case REPLY_ERR_TRYAGAIN:
		return true;
	default:
		return false;
	}
}

/* Until when a command's trouble may last. */
static uint64_t patience_end(const struct cluster_flight *flight, uint64_t now)
{
	uint64_t timeout = redis_timeout_ms(flight->cluster->self);
	uint64_t ill_ms = flight->said == REPLY_LOST ? flight->node->session->ill_ms : 0;

	if (timeout == 0)
		return UINT64_MAX;
	return ill_ms ? ill_ms + timeout + grace_ms(flight->cluster) : now + timeout;
}

static void retry_later(struct cluster_flight *flight, const struct reply *reply,
			struct bytes raw)
{
	uint64_t now = clock_mono_ms();
	bool hasty = is_redirection(reply) ||
		     (reply_error_kind(reply) == REPLY_ERR_LOST && flight->tries == 0);

	flight->said = reply->type;
	buf_clear(&flight->text);
	buf_add(&flight->text, reply->text);
	buf_add(&flight->raw, raw);
	if (flight->give_up_ms == 0)
		flight->give_up_ms = patience_end(flight, now);
	park(flight, hasty && flight->tries < HASTY_TRIES ? now : now + RETRY_MS);
	flight->tries++;
}

/* A redis_reply_fn. */
static void answer(void *ctx, const struct reply *reply)
{
	struct cluster_flight *flight = ctx;
	struct cluster *cluster = flight->cluster;
	bool started = false;
	struct bytes raw = redis_queue_raw(flight->node->session, &started);
	bool again = raw.len > 0 && (!started || (flight->flags & REDIS_IDEMPOTENT));
	/* Whoever is out of reach for too long fails in the pump, where that may be said. */
	bool in_time = reply->type == REPLY_LOST || flight->give_up_ms == 0 ||
		       clock_mono_ms() < flight->give_up_ms;

	if (flight->counted)
		cluster->slots[flight->slot].flying--;
	flight->counted = false;
	if (!cluster->giving_up && in_time && raw.len > 0 && may_pass(flight, reply, again))
		retry_later(flight, reply, raw);
	else if (!in_time && is_redirection(reply))
		deliver_redirection(flight, reply);
	else if (reply->type == REPLY_LOST)
		deliver_lost(flight, reply);
	else
		deliver(flight, reply);
}

static void send(struct cluster_flight *flight, struct cluster_node *node,
		 const struct redis_command *command, struct bytes raw)
{
	static const struct bytes asking[] = {{"ASKING", 6}};
	struct cluster *cluster = flight->cluster;
	struct redis_command sent = *command;

	sent.fn = answer;
	sent.ctx = flight;
	if (flight->ask) {
		struct redis_command ask = {
		    .argv = asking, .argc = 1, .flags = REDIS_IDEMPOTENT};

		redis_put(node->session, &ask, (struct bytes){0});
		flight->ask = NULL;
	} else if (flight->slot >= 0) {
		struct cluster_slot *slot = &cluster->slots[flight->slot];

		slot->at = node;
		if (slot->flying++ == 0 || slot->latest < flight->number)
			slot->latest = flight->number;
		flight->counted = true;
	}
	flight->node = node;
	redis_put(node->session, &sent, raw);
}

static struct cluster_flight *take_spare(struct cluster *cluster)
{
	struct cluster_flight *flight = cluster->spare;

	if (!flight)
		return mem_zalloc(1, sizeof *flight);
	cluster->spare = flight->next;
	if (flight->raw.size > KEEP_BYTES)
		buf_release(&flight->raw);
	struct buf raw = flight->raw, text = flight->text;
	*flight = (struct cluster_flight){.raw = raw, .text = text};
	buf_clear(&flight->raw);
	buf_clear(&flight->text);
	return flight;
}

/* Older commands of the slot come first, and no node is overtaken by another. One that came
 * back waits for those behind it that are under way: sent again after a break it would come
 * last. */
static bool is_free(const struct cluster_flight *flight, const struct cluster_node *node)
{
	const struct cluster_slot *slot =
	    flight->slot >= 0 ? &flight->cluster->slots[flight->slot] : NULL;

	return node && !node->session->abandoning &&
	       (!slot || slot->flying == 0 ||
		(slot->at == node && slot->latest <= flight->number));
}

void cluster_flight_begin(struct cluster *cluster, const struct redis_command *command,
			  struct cluster_node *node, int slot)
{
	struct cluster_flight *flight = take_spare(cluster);

	flight->cluster = cluster;
	flight->number = ++cluster->begun;
	flight->node = node;
	flight->slot = slot;
	flight->expect = command->expect;
	flight->flags = command->flags;
	flight->fn = command->fn;
	flight->ctx = command->ctx;
	if (is_free(flight, node) && (slot < 0 || cluster->slots[slot].parked == 0)) {
		send(flight, node, command, (struct bytes){0});
		return;
	}
	size_t len = resp_command_size(command->argv, command->argc);
	resp_command_write(buf_reserve(&flight->raw, len), command->argv, command->argc);
	flight->raw.len += len;
	if (!node) {
		flight->said = REPLY_ERROR;
		buf_add_str(&flight->text, "CLUSTERDOWN no node serves this slot");
		cluster->is_stale = true;
		flight->give_up_ms = patience_end(flight, clock_mono_ms());
	}
	park(flight, 0);
}

static bool is_blocked(const struct cluster *cluster, int slot)
{
	return slot >= 0 && (cluster->blocked[slot / 8] & (1u << (slot % 8)));
}

static void block(struct cluster *cluster, int slot)
{
	if (slot >= 0)
		cluster->blocked[slot / 8] |= (uint8_t)(1u << (slot % 8));
}

static struct cluster_node *destination(struct cluster *cluster,
					const struct cluster_flight *flight)
{
	if (flight->ask)
		return flight->ask;
	return flight->slot >= 0 ? cluster->slots[flight->slot].owner
				 : cluster_nodes_any(cluster);
}

static void unpark(struct cluster *cluster, struct cluster_flight **at)
{
	struct cluster_flight *flight = *at;

	*at = flight->next;
	if (!*at)
		cluster->parked_end = at;
	cluster->parked_last = &cluster->parked;
	cluster->parked_count--;
	if (flight->slot >= 0)
		cluster->slots[flight->slot].parked--;
}

/* The node is out of reach: the first that is lost so says it for all. */
static void lose(struct cluster_flight *flight)
{
	struct err *err = &flight->cluster->lost;
	struct buf name = {0};

	if (!err_is_set(err) && !(flight->flags & REDIS_ALONE)) {
		target_describe(&flight->node->target, &name);
		err_set(err, ERR_REDIS, "redis node %s: %s", buf_str(&name),
			buf_str(&flight->text));
		buf_release(&name);
	}
	deliver_trouble(flight);
}

void cluster_flight_pump(struct cluster *cluster)
{
	if (!cluster->parked)
		return;
	cluster_nodes_refresh(cluster);
	memset(cluster->blocked, 0, sizeof cluster->blocked);
	uint64_t now = clock_mono_ms();
	for (struct cluster_flight **at = &cluster->parked; *at;) {
		struct cluster_flight *flight = *at;
		struct cluster_node *node = destination(cluster, flight);
		bool is_late = flight->give_up_ms && now >= flight->give_up_ms;

		if (is_late && flight->said == REPLY_LOST && (!node || node == flight->node)) {
			unpark(cluster, at);
			lose(flight);
			continue;
		}
		if (is_late && !node) {
			unpark(cluster, at);
			deliver_trouble(flight);
			continue;
		}
		if (flight->due_ms > now || is_blocked(cluster, flight->slot) ||
		    !(flight->ask ? !node->session->abandoning : is_free(flight, node))) {
			block(cluster, flight->slot);
			at = &flight->next;
			continue;
		}
		unpark(cluster, at);
		struct redis_command command = {.expect = flight->expect,
						.flags = flight->flags};
		send(flight, node, &command, buf_bytes(&flight->raw));
		buf_clear(&flight->raw);
	}
}

int cluster_flight_patience(const struct cluster *cluster)
{
	int least = -1;

	for (const struct cluster_flight *flight = cluster->parked; flight;
	     flight = flight->next) {
		int left = clock_until_ms(flight->due_ms ? flight->due_ms : 1);

		/* Due, but behind others of its slot: their answers end the wait. */
		if (left == 0)
			left = RETRY_MS;
		least = least < 0 || left < least ? left : least;
	}
	return least;
}

void cluster_flight_abandon(struct cluster *cluster, const char *why)
{
	while (cluster->parked) {
		struct cluster_flight *flight = cluster->parked;

		unpark(cluster, &cluster->parked);
		flight->said = REPLY_LOST;
		buf_clear(&flight->text);
		buf_add_str(&flight->text, why);
		deliver_trouble(flight);
	}
}

static void free_all(struct cluster_flight *flight)
{
	while (flight) {
		struct cluster_flight *next = flight->next;

		buf_release(&flight->raw);
		buf_release(&flight->text);
		free(flight);
		flight = next;
	}
}

void cluster_flight_release(struct cluster *cluster)
{
	free_all(cluster->parked);
	free_all(cluster->spare);
}
