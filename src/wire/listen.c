#include "wire/listen.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/dial.h"
#include "wire/resp.h"
#include "wire/target.h"
#include "wire/transport.h"

#include <poll.h>
#include <stdlib.h>

#define MAX_MESSAGE ((size_t)512 * 1024 * 1024)
/* A silent connection is asked for a sign of life. */
#define QUIET_MS 10000
#define READS_MAX 16

struct listener {
	const struct target *target;
	const volatile int *cancel;
	char *channel;
	size_t channel_len;
	listen_fn *fn;
	void *ctx;
	struct transport *transport;
	struct resp *resp;
	char *input;
	uint64_t heard_ms;
	bool asked; /* a PING is under way */
	struct err refused;
};

struct listener *listen_new(const struct target *target, struct bytes channel,
			    const volatile int *cancel, listen_fn *fn, void *ctx)
{
	struct listener *listener = mem_zalloc(1, sizeof *listener);

	listener->target = target;
	listener->cancel = cancel;
	listener->channel = mem_bytesdup(channel);
	listener->channel_len = channel.len;
	listener->fn = fn;
	listener->ctx = ctx;
	listener->input = mem_alloc(RESP_FEED);
	return listener;
}

static void hang_up(struct listener *listener)
{
	transport_close(listener->transport);
	resp_free(listener->resp);
	listener->transport = NULL;
	listener->resp = NULL;
	listener->asked = false;
}

void listen_free(struct listener *listener)
{
	if (!listener)
		return;
	hang_up(listener);
	free(listener->channel);
	free(listener->input);
	free(listener);
}

/* ["message", channel, text], ["subscribe", …], ["pong", ""] */
static int on_reply(void *ctx, const struct reply *reply)
{
	struct listener *listener = ctx;

	if (reply->type == REPLY_ERROR) {
		struct buf text = {0};

		buf_add(&text, reply->text);
		err_set(&listener->refused, ERR_REDIS, "SUBSCRIBE: %s", buf_str(&text));
		buf_release(&text);
		return -1;
	}
	if (reply->type == REPLY_ARRAY && reply->count == 3 &&
	    bytes_equal_str(reply->items[0]->text, "message"))
		listener->fn(listener->ctx, reply->items[2]->text);
	return 0;
}

static int send_all(struct listener *listener, const struct bytes *argv, size_t argc,
		    struct err *err)
{
	size_t len = resp_command_size(argv, argc);
	char *command = mem_alloc(len);
	size_t sent = 0;
	int status = 0;

	resp_command_write(command, argv, argc);
	while (sent < len && status == 0) {
		size_t done = 0;

		switch (transport_send(listener->transport, command + sent, len - sent, &done,
				       err)) {
		case TRANSPORT_OK:
			sent += done;
			break;
		case TRANSPORT_AGAIN:
			status = transport_wait(listener->transport, POLLOUT,
						(int)listener->target->timeout_ms,
						listener->cancel, err) > 0
				     ? 0
				     : -1;
			break;
		case TRANSPORT_CLOSED:
			status = -1;
		}
	}
	free(command);
	return status;
}

static int subscribe(struct listener *listener, struct err *err)
{
	const struct target *target = listener->target;
	const struct bytes argv[] = {BYTES("SUBSCRIBE"),
				     {listener->channel, listener->channel_len}};
	uint64_t deadline = target->timeout_ms ? clock_mono_ms() + target->timeout_ms : 0;
	struct setup_facts facts;
	bool refused = false;

	if (dial_open(target, listener->cancel, deadline, &listener->transport, &facts,
		      &refused, err) != 0)
		return -1;
	listener->resp = resp_new(MAX_MESSAGE, on_reply, listener);
	listener->heard_ms = clock_mono_ms();
	return send_all(listener, argv, 2, err);
}

/* What there is, up to a bound: who speaks faster than we listen must not fill our memory. */
static int read_some(struct listener *listener, struct err *err)
{
	for (int i = 0; i < READS_MAX; i++) {
		size_t done = 0;

		switch (transport_recv(listener->transport, listener->input, RESP_FEED, &done,
				       err)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_AGAIN:
			return 0;
		case TRANSPORT_CLOSED:
			return -1;
		}
		listener->heard_ms = clock_mono_ms();
		listener->asked = false;
		if (resp_feed(listener->resp, listener->input, done, err) != 0) {
			if (err_is_set(&listener->refused))
				*err = listener->refused;
			return -1;
		}
		if (done < RESP_FEED && !listener->target->tls)
			break;
	}
	return 0;
}

/* A connection whose other end is gone without a word would be listened to for ever. */
static int check_alive(struct listener *listener, struct err *err)
{
	const struct bytes argv[] = {BYTES("PING")};
	uint64_t quiet = clock_mono_ms() - listener->heard_ms;

	if (quiet < QUIET_MS)
		return 0;
	if (!listener->asked) {
		listener->asked = true;
		return send_all(listener, argv, 1, err);
	}
	return quiet < 2 * QUIET_MS
		   ? 0
		   : err_set(err, ERR_REDIS, "no sign of life within %d s", QUIET_MS / 1000);
}

int listen_wait(struct listener *listener, int wait_ms, struct err *err)
{
	struct buf name = {0};
	int status = listener->transport ? 0 : subscribe(listener, err);

	if (status == 0) {
		int ready =
		    transport_wait(listener->transport, POLLIN, wait_ms, listener->cancel, err);

		status = ready > 0   ? read_some(listener, err)
			 : ready < 0 ? -1
				     : check_alive(listener, err);
	}
	if (status == 0)
		return 0;
	hang_up(listener);
	target_describe(listener->target, &name);
	if (err->kind == ERR_REDIS)
		err_wrap(err, "redis %s", buf_str(&name));
	buf_release(&name);
	return -1;
}

bool listen_refused(const struct listener *listener)
{
	return err_is_set(&listener->refused);
}
