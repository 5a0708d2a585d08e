#include "wire/swarm_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/setup.h"
#include "wire/target.h"
#include "wire/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that are needed beside the connections, and per connection (libcurl's own). */
#define SPARE_FDS 64
#define CLIENT_FDS 3

static int on_reply(void *ctx, const struct reply *reply)
{
	struct swarm_client *client = ctx;
	struct swarm *swarm = client->swarm;
	struct swarm_ring *ring = &client->ring;

	if (ring->count == 0)
		return -1;
	struct swarm_op op = ring->ops[ring->head & (ring->size - 1)];
	ring->head++;
	ring->count--;
	swarm->under_way--;
	swarm->driver->done(swarm->driver->ctx, &op, reply, swarm->now_ns);
	return 0;
}

static int allow_descriptors(size_t clients, struct err *err)
{
	struct rlimit limit;
	rlim_t need = clients * CLIENT_FDS + SPARE_FDS;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return 0;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	if (limit.rlim_cur < need || setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_set(err, ERR_USAGE,
			       "%zu connections need %llu file descriptors, this process may "
			       "open %llu: fewer --clients, or raise the limit (ulimit -n)",
			       clients, (unsigned long long)need,
			       (unsigned long long)limit.rlim_max);
	return 0;
}

static int open_client(struct swarm *swarm, struct swarm_client *client, size_t reply_max,
		       const volatile int *cancel, struct err *err)
{
	struct setup_facts facts;
	bool refused = false;
	uint64_t deadline = clock_mono_ms() + swarm->target->timeout_ms;

	if (transport_open(swarm->target, cancel, &client->transport, err) != 0 ||
	    setup_run(client->transport, swarm->target, cancel, deadline, &facts, &refused,
		      err) != 0)
		return -1;
	client->fd = transport_fd(client->transport);
	client->resp = resp_new(reply_max, on_reply, client);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	if (epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
		return err_set(err, ERR_REDIS, "cannot watch the connection: %s",
			       strerror(errno));
	return 0;
}

static int refuse(const struct swarm *swarm, size_t opened, size_t wanted, struct err *err)
{
	struct buf server = {0};

	target_describe(swarm->target, &server);
	/* A server over its maxclients may hang up before it has said so. */
	if (err->kind == ERR_REDIS && opened > 0)
		err_wrap(err, "redis %s: connection %zu of %zu (does maxclients allow more?)",
			 buf_str(&server), opened + 1, wanted);
	else if (err->kind != ERR_INTERRUPTED)
		err_wrap(err, "redis %s: connection %zu of %zu", buf_str(&server), opened + 1,
			 wanted);
	buf_release(&server);
	return -1;
}

int swarm_open(const struct target *target, const struct swarm_plan *plan,
	       const volatile int *cancel, struct swarm **ret_swarm, struct err *err)
{
	struct swarm *swarm = NULL;

	if (allow_descriptors(plan->clients, err) != 0)
		return -1;
	swarm = mem_zalloc(1, sizeof *swarm);
	swarm->target = target;
	swarm->driver = plan->driver;
	swarm->depth = plan->depth;
	swarm->clients = mem_zalloc(plan->clients, sizeof *swarm->clients);
	swarm->dirty = mem_zalloc(plan->clients, sizeof *swarm->dirty);
	swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (swarm->epoll < 0) {
		err_set(err, ERR_REDIS, "epoll: %s", strerror(errno));
		goto fail;
	}
	for (; swarm->count < plan->clients; swarm->count++) {
		struct swarm_client *client = &swarm->clients[swarm->count];

		client->swarm = swarm;
		client->index = swarm->count;
		if (open_client(swarm, client, plan->reply_max, cancel, err) != 0) {
			refuse(swarm, swarm->count, plan->clients, err);
			swarm->count++;
			goto fail;
		}
	}
	*ret_swarm = swarm;
	return 0;
fail:
	swarm_free(swarm);
	return -1;
}

void swarm_free(struct swarm *swarm)
{
	if (!swarm)
		return;
	for (size_t i = 0; i < swarm->count; i++) {
		struct swarm_client *client = &swarm->clients[i];

		transport_close(client->transport);
		resp_free(client->resp);
		buf_release(&client->filling);
		buf_release(&client->sending);
		free(client->ring.ops);
	}
	if (swarm->epoll >= 0)
		close(swarm->epoll);
	free(swarm->clients);
	free(swarm->dirty);
	free(swarm);
}
