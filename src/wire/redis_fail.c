#include "wire/redis_private.h"

#include "base/buf.h"
#include "base/text.h"
#include "wire/cluster.h"
#include "wire/reply.h"
#include "wire/target.h"

const char *redis_remedy(enum reply_error kind)
{
	switch (kind) {
	case REPLY_ERR_NOAUTH:
		return "give the password with --askpass or REDISCLI_AUTH";
	case REPLY_ERR_WRONGPASS:
		return "check --user, and the password (--askpass or REDISCLI_AUTH)";
	case REPLY_ERR_READONLY:
		return "this is a replica: connect to its primary";
	case REPLY_ERR_OOM:
		return "the server is at its maxmemory: raise it, or free keys; nothing was "
		       "written";
	case REPLY_ERR_MISCONF:
		return "the server refuses writes until it can save to disk: see its log";
	case REPLY_ERR_LOADING:
		return "the server is still loading its data: try again in a while";
	case REPLY_ERR_BUSY:
		return "a script keeps the server busy: try again, or look at it there";
	case REPLY_ERR_MASTERDOWN:
		return "this replica lost its primary and serves no stale data";
	case REPLY_ERR_NOREPLICAS:
		return "too few replicas are in sync for the server to accept writes";
	case REPLY_ERR_WRONGTYPE:
		return "the key holds another type: look with 'inspect'";
	case REPLY_ERR_MOVED:
	case REPLY_ERR_ASK:
	case REPLY_ERR_TRYAGAIN:
		return "the cluster is moving this slot: try again in a while";
	case REPLY_ERR_CLUSTERDOWN:
		return "see 'cluster info' and 'cluster nodes' there";
	case REPLY_ERR_UNKNOWN_COMMAND:
		return "the server is too old for it, or it was renamed away";
	default:
		return NULL;
	}
}

static void add_noperm(struct buf *line, const struct target *target, const char *command,
		       struct bytes key)
{
	buf_printf(line, "NOPERM: this user may not run '%s'", command);
	if (key.len > 0) {
		buf_add_str(line, " on '");
		text_escape(line, key);
		buf_add_str(line, "'");
	}
	buf_printf(line, " (ACL SETUSER %s +%s", target->user ? target->user : "default",
		   command);
	if (key.len > 0) {
		buf_add_str(line, " ~");
		text_escape(line, key);
	}
	buf_add_str(line, ")");
}

/* Nodes that went on to point elsewhere for as long as the timeout move nothing. */
static const char *remedy_of(const struct reply *reply, enum reply_error kind)
{
	if (kind == REPLY_ERR_MOVED && reply->integer > 0)
		return "the cluster's nodes do not agree who serves this slot: compare "
		       "'cluster "
		       "nodes' of both; redis-cli --cluster fix mends it";
	if (kind == REPLY_ERR_ASK && reply->integer > 0)
		return "this slot has been on its way for as long, and the node that it goes "
		       "to "
		       "does not take it: see 'cluster nodes' of both; redis-cli --cluster fix "
		       "ends it";
	return redis_remedy(kind);
}

int redis_fail(const struct redis *redis, const struct reply *reply, const char *command,
	       struct bytes key, struct err *err)
{
	enum reply_error kind = reply_error_kind(reply);
	const char *remedy = remedy_of(reply, kind);
	const struct redis *node = redis->cluster ? cluster_answering(redis->cluster) : NULL;
	const struct target *target = (node ? node : redis)->target;
	struct buf line = {0};

	buf_add_str(&line, "redis ");
	target_describe(target, &line);
	buf_add_str(&line, ": ");
	if (kind == REPLY_ERR_NOPERM) {
		add_noperm(&line, target, command, key);
	} else {
		buf_printf(&line, "%s", command);
		if (key.len > 0) {
			buf_add_str(&line, " '");
			text_escape(&line, key);
			buf_add_str(&line, "'");
		}
		buf_add_str(&line, ": ");
		if (kind == REPLY_ERR_LOST)
			buf_add_str(&line, "unknown whether it ran: ");
		if (kind == REPLY_ERR_NONE)
			buf_add_str(&line, "an answer of another type than expected");
		else
			text_escape(&line, bytes_sub(reply->text, 0, 300));
		if (remedy)
			buf_printf(&line, " (%s)", remedy);
	}
	err_set(err, ERR_REDIS, "%s", buf_str(&line));
	buf_release(&line);
	return -1;
}

int redis_unreached(const struct redis *redis, const struct reply *reply, struct err *err)
{
	const struct redis *node = redis->cluster ? cluster_answering(redis->cluster) : NULL;
	struct buf name = {0};

	redis = node ? node : redis;
	target_describe(redis->target, &name);
	err_set(err, ERR_REDIS, "redis %s%s: %.*s", redis->router ? "node " : "",
		buf_str(&name), BYTES_ARG(bytes_sub(reply->text, 0, 300)));
	buf_release(&name);
	return -1;
}
