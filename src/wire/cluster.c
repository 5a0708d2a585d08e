#include "wire/cluster_private.h"

#include "base/clock.h"
#include "wire/redis_link.h"
#include "wire/redis_queue.h"
#include "wire/route.h"
#include "wire/transport.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Commands that wait for a redirection, before a submit waits too. */
#define PARKED_MAX 4096
#define CANCEL_MS 100

struct cluster *cluster_new(struct redis *self, struct err *err)
{
	struct cluster *cluster = mem_zalloc(1, sizeof *cluster);
	const char *host = self->target->socket ? "127.0.0.1" : self->target->host;

	cluster->self = self;
	cluster->parked_end = cluster->parked_last = &cluster->parked;
	cluster->descriptors = -1;
	if (cluster_nodes_learn(cluster, self, host, err) < 0) {
		cluster_free(cluster);
		return NULL;
	}
	return cluster;
}

void cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return;
	cluster_nodes_release(cluster);
	cluster_flight_release(cluster);
	if (cluster->descriptors >= 0)
		close(cluster->descriptors);
	free(cluster);
}

size_t cluster_outstanding(const struct cluster *cluster)
{
	size_t sum = cluster->parked_count;

	for (size_t i = 0; i < cluster->count; i++)
		sum += redis_outstanding(cluster->nodes[i]->session);
	return sum;
}

bool cluster_waits(const struct cluster *cluster)
{
	return cluster && cluster->parked_count > 0;
}

/* Answers everything with REPLY_LOST. */
static int fail(struct cluster *cluster, const struct err *err)
{
	cluster->giving_up = true;
	for (size_t i = 0; i < cluster->count; i++)
		redis_give_up(cluster->nodes[i]->session, err);
	cluster_flight_abandon(cluster, err->text);
	cluster->lost = (struct err){0}; /* err says enough */
	cluster->giving_up = false;
	return -1;
}

/* What goes without waiting, at every node. A node that fails is not the end: see the pump. */
static int turn(struct cluster *cluster, bool *moved, struct err *err)
{
	struct err why = {0};

	cluster->turning = true;
	for (size_t i = 0; i < cluster->count; i++) {
		struct cluster_node *node = cluster->nodes[i];

		if (redis_outstanding(node->session) > 0 &&
		    redis_advance(node->session, moved, &why) < 0) {
			if (why.kind == ERR_INTERRUPTED)
				break;
			cluster->is_stale = true;
			*moved = true;
			why = (struct err){0};
		}
	}
	int status = 0;
	if (err_is_set(&why)) {
		*err = why;
		status = fail(cluster, err);
	} else {
		cluster_flight_pump(cluster);
	}
	cluster->turning = false;
	if (*moved)
		cluster->self->progress_ms = clock_mono_ms();
	return status;
}

/* What a lost command has to say, when all the others are answered. */
static int tell_lost(struct cluster *cluster, struct err *err)
{
	if (!err_is_set(&cluster->lost) || cluster_outstanding(cluster) > 0)
		return 0;
	*err = cluster->lost;
	cluster->lost = (struct err){0};
	return -1;
}

/* The least of the nodes' times and the parked commands'. */
static int patience(const struct cluster *cluster)
{
	int least = cluster_flight_patience(cluster);

	for (size_t i = 0; i < cluster->count; i++) {
		struct redis_wait wait;

		redis_wait(cluster->nodes[i]->session, &wait);
		if (wait.timeout_ms >= 0 && (least < 0 || wait.timeout_ms < least))
			least = wait.timeout_ms;
	}
	return least;
}

/* Until a node has something; a slice of the time when there is a cancel flag to look at. */
static void rest(struct cluster *cluster)
{
	struct pollfd *fds = mem_resize(NULL, cluster->count, sizeof *fds);
	int left = patience(cluster);

	for (size_t i = 0; i < cluster->count; i++) {
		struct redis_wait wait;

		redis_wait(cluster->nodes[i]->session, &wait);
		fds[i] = (struct pollfd){.fd = wait.fd, .events = wait.events};
	}
	if (!watch_for(&cluster->self->watch, fds, (nfds_t)cluster->count,
		       cluster->self->limits.watch_us))
		poll(fds, (nfds_t)cluster->count,
		     left < 0 || left > CANCEL_MS ? CANCEL_MS : left);
	for (size_t i = 0; i < cluster->count; i++)
		redis_heard(cluster->nodes[i]->session, fds[i].revents);
	free(fds);
}

int cluster_step(struct cluster *cluster, struct err *err)
{
	bool moved = false;

	if (turn(cluster, &moved, err) < 0)
		return -1;
	if (redis_is_cancelled(cluster->self, err))
		return fail(cluster, err);
	if (!moved && cluster_outstanding(cluster) > 0)
		rest(cluster);
	return tell_lost(cluster, err);
}

static bool has_room(const struct cluster *cluster, const struct cluster_node *node)
{
	return cluster->parked_count < PARKED_MAX &&
	       (!node || node->session->ring.granted == node->session->ring.count);
}

static void begin_everywhere(struct cluster *cluster, const struct redis_command *command)
{
	struct redis_command silent = *command;
	struct cluster_node *last = cluster_nodes_any(cluster);

	silent.fn = NULL;
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->nodes[i]->is_serving && cluster->nodes[i] != last)
			cluster_flight_begin(cluster, &silent, cluster->nodes[i], -1);
	cluster_flight_begin(cluster, command, last, -1);
}

int cluster_submit(struct cluster *cluster, const struct redis_command *command,
		   struct err *err)
{
	struct bytes key = {0};
	struct cluster_node *node = NULL;
	int slot = -1;
	bool moved = false;

	if (cluster->giving_up)
		return err_set(err, ERR_REDIS, "the cluster's session is being given up");
	switch (route_of(command->argv, command->argc, &key)) {
	case ROUTE_KEY:
		slot = (int)slot_of(key);
		node = cluster->slots[slot].owner;
		cluster_flight_begin(cluster, command, node, slot);
		break;
	case ROUTE_ANY:
		node = cluster_nodes_any(cluster);
		cluster_flight_begin(cluster, command, node, -1);
		break;
	case ROUTE_EVERY:
		begin_everywhere(cluster, command);
		break;
	}
	if (cluster->turning || cluster->self->in_callback || (command->flags & REDIS_NO_WAIT))
		return 0;
	if (has_room(cluster, node))
		return node && redis_has_full_block(node->session) &&
			       turn(cluster, &moved, err) < 0
			   ? -1
			   : tell_lost(cluster, err);
	while (cluster->parked_count > PARKED_MAX / 2 ||
	       (node && !redis_queue_has_room(node->session))) {
		if (cluster_step(cluster, err) < 0)
			return -1;
	}
	return 0;
}

int cluster_drain(struct cluster *cluster, size_t outstanding, struct err *err)
{
	while (cluster_outstanding(cluster) > outstanding) {
		if (cluster_step(cluster, err) < 0)
			return -1;
	}
	return tell_lost(cluster, err);
}

/* The node's descriptor in the set, as it is now. A closed one has left it by itself. */
static void watch(struct cluster *cluster, struct cluster_node *node)
{
	struct epoll_event event = {0};
	struct redis_wait wait;

	redis_wait(node->session, &wait);
	if (wait.fd < 0 ||
	    (node->opened == node->session->opened && node->events == wait.events))
		return;
	event.events =
	    (wait.events & POLLIN ? EPOLLIN : 0u) | (wait.events & POLLOUT ? EPOLLOUT : 0u);
	if (epoll_ctl(cluster->descriptors, EPOLL_CTL_MOD, wait.fd, &event) < 0)
		epoll_ctl(cluster->descriptors, EPOLL_CTL_ADD, wait.fd, &event);
	node->opened = node->session->opened;
	node->events = wait.events;
}

void cluster_wait(struct cluster *cluster, struct redis_wait *ret_wait)
{
	if (cluster->descriptors < 0)
		cluster->descriptors = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < cluster->count; i++)
		watch(cluster, cluster->nodes[i]);
	*ret_wait = (struct redis_wait){
	    .fd = cluster->descriptors, .events = POLLIN, .timeout_ms = patience(cluster)};
}

int cluster_turn(struct cluster *cluster, struct err *err)
{
	bool moved = false;

	for (size_t i = 0; i < cluster->count; i++)
		cluster->nodes[i]->session->readable = true;
	if (turn(cluster, &moved, err) < 0)
		return -1;
	return cluster->self->grace.silent_ms && redis_is_cancelled(cluster->self, err)
		   ? fail(cluster, err)
		   : tell_lost(cluster, err);
}

void cluster_follow_cancel(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++) {
		redis_set_cancel(cluster->nodes[i]->session, cluster->self->cancel);
		redis_set_grace(cluster->nodes[i]->session, cluster->self->grace);
		redis_set_haste(cluster->nodes[i]->session, cluster->self->haste_ms);
	}
}

void cluster_follow_limits(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++)
		redis_set_limits(cluster->nodes[i]->session, &cluster->self->limits);
}

const struct redis_counts *cluster_counts(struct cluster *cluster)
{
	struct redis_counts *counts = &cluster->sum;

	*counts = cluster->self->counts;
	for (size_t i = 0; i < cluster->count; i++) {
		const struct redis_counts *node = &cluster->nodes[i]->session->counts;

		counts->commands += node->commands;
		counts->replies += node->replies;
		counts->bytes_sent += node->bytes_sent;
		counts->bytes_received += node->bytes_received;
		counts->reconnects += node->reconnects;
	}
	return counts;
}

void cluster_renew(struct cluster *cluster)
{
	cluster_nodes_refresh(cluster);
}

static int connect_primaries(struct cluster *cluster, struct err *err)
{
	for (size_t i = 0; i < cluster->count; i++) {
		struct cluster_node *node = cluster->nodes[i];

		node->session->due_ms = 0; /* it is waited for: without a pause */
		if (node->is_serving && redis_connect(node->session, err) < 0)
			return -1;
	}
	return 0;
}

int cluster_recover(struct cluster *cluster, struct err *err)
{
	uint64_t timeout_ms = redis_timeout_ms(cluster->self);
	uint64_t end_ms = timeout_ms ? clock_mono_ms() + timeout_ms : UINT64_MAX;

	for (;;) {
		struct err why = {0};

		cluster->is_stale = true;
		cluster_nodes_refresh(cluster);
		if (connect_primaries(cluster, &why) == 0)
			return 0;
		if (why.kind != ERR_REDIS || clock_mono_ms() >= end_ms)
			return err_set(err, why.kind, "%s", why.text);
		if (transport_wait(NULL, 0, CANCEL_MS, cluster->self->cancel, err) < 0)
			return -1;
	}
}

size_t cluster_primaries(const struct cluster *cluster)
{
	size_t count = 0;

	for (size_t i = 0; i < cluster->count; i++)
		count += cluster->nodes[i]->is_serving;
	return count;
}

static struct cluster_node *serving(struct cluster *cluster, size_t index)
{
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->nodes[i]->is_serving && index-- == 0)
			return cluster->nodes[i];
	return NULL;
}

struct redis *cluster_primary(struct cluster *cluster, size_t index)
{
	struct cluster_node *node = serving(cluster, index);

	return node ? node->session : NULL;
}

struct redis *cluster_primary_of(struct cluster *cluster, size_t index)
{
	struct cluster_node *node = serving(cluster, index);

	return node && node->primary ? node->primary->session : cluster_primary(cluster, index);
}

void cluster_place(struct cluster *cluster, size_t index, struct redis_place *ret_place)
{
	const struct cluster_node *node = serving(cluster, index);
	bool is_replica = node->primary && node->primary != node;

	*ret_place = (struct redis_place){
	    .target = &node->target,
	    .is_replica = is_replica,
	    .primary = is_replica ? buf_str(&node->primary_name) : NULL,
	    .behind = node->behind,
	    .why = node->why.len ? buf_str(&node->why) : NULL,
	};
}

struct redis *cluster_owner(struct cluster *cluster, unsigned slot)
{
	struct cluster_node *owner = cluster->slots[slot].owner;

	return owner ? owner->session : NULL;
}

const struct redis *cluster_answering(const struct cluster *cluster)
{
	return cluster->answering ? cluster->answering->session : NULL;
}
