#include "wire/swarm_private.h"

#include "base/err.h"
#include "base/mem.h"
#include "wire/sentinel.h"
#include "wire/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that are needed beside the connections, and per connection (libcurl's own). */
#define SPARE_FDS 64
#define CLIENT_FDS 3

static int allow_descriptors(size_t connections, struct err *err)
{
	struct rlimit limit;
	rlim_t need = connections * CLIENT_FDS + SPARE_FDS;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return 0;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	if (limit.rlim_cur < need || setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_set(err, ERR_USAGE,
			       "%zu connections need %llu file descriptors, this process may "
			       "open %llu: fewer --clients, or raise the limit (ulimit -n)",
			       connections, (unsigned long long)need,
			       (unsigned long long)limit.rlim_max);
	return 0;
}

static int refuse(const struct swarm *swarm, size_t opened, struct err *err)
{
	struct buf server = {0};
	size_t wanted = swarm->clients * swarm->node_count;

	target_describe(swarm->failed ? &swarm->failed->target : swarm->target, &server);
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

static int open_links(struct swarm *swarm, struct err *err)
{
	size_t opened = 0;

	if (allow_descriptors(swarm->clients * swarm->node_count, err) != 0)
		return -1;
	for (size_t i = 0; i < swarm->clients; i++)
		for (size_t n = 0; n < swarm->node_count; n++, opened++)
			if (swarm_link_open(&swarm->nodes[n]->links[i], err) != 0)
				return refuse(swarm, opened, err);
	return 0;
}

int swarm_open(const struct target *target, const struct swarm_plan *plan,
	       const volatile int *cancel, struct swarm **ret_swarm, struct err *err)
{
	struct swarm *swarm = mem_zalloc(1, sizeof *swarm);
	int status = 0;

	swarm->at = sentinel_found(target);
	swarm->target = &swarm->at;
	swarm->driver = plan->driver;
	swarm->cancel = cancel;
	swarm->depth = plan->depth;
	swarm->clients = plan->clients;
	swarm->reply_max = plan->reply_max;
	swarm->lanes = mem_zalloc(plan->clients, sizeof *swarm->lanes);
	swarm->batch = mem_zalloc(plan->depth + 1, sizeof *swarm->batch);
	swarm->input = mem_alloc(SWARM_INPUT);
	swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (swarm->epoll < 0)
		status = err_set(err, ERR_REDIS, "epoll: %s", strerror(errno));
	else if (plan->cluster)
		status = swarm_node_learn(swarm, err);
	else
		swarm_node_add(swarm, NULL, 0);
	swarm->in_order = swarm_order_fits(swarm);
	if (status == 0)
		status = open_links(swarm, err);
	if (status != 0) {
		swarm_free(swarm);
		return -1;
	}
	*ret_swarm = swarm;
	return 0;
}

size_t swarm_servers(const struct swarm *swarm)
{
	return swarm->node_count;
}

struct swarm_server swarm_server(const struct swarm *swarm, size_t index)
{
	const struct swarm_node *node = swarm->nodes[index];

	return (struct swarm_server){
	    .host = node->target.socket ? NULL : node->target.host,
	    .port = node->target.port,
	    .moved = node->moved,
	    .asked = node->asked,
	    .tried_again = node->tried_again,
	};
}

void swarm_free(struct swarm *swarm)
{
	if (!swarm)
		return;
	for (size_t i = 0; i < swarm->node_count; i++)
		swarm_node_free(swarm->nodes[i]);
	if (swarm->epoll >= 0)
		close(swarm->epoll);
	buf_release(&swarm->scratch);
	free(swarm->returned.items);
	free(swarm->waiting.items);
	free(swarm->batch);
	free(swarm->input);
	free(swarm->nodes);
	free(swarm->lanes);
	free(swarm->slots);
	free(swarm->dirty);
	free(swarm);
}
