#include "wire/tap.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/dial.h"
#include "wire/resp.h"
#include "wire/target.h"
#include "wire/transport.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>

struct tap {
	const struct target *target;
	const volatile int *cancel;
	struct transport *transport;
};

static int fail(const struct target *target, struct err *err)
{
	struct buf name = {0};

	target_describe(target, &name);
	err_wrap(err, "redis %s", buf_str(&name));
	buf_release(&name);
	return -1;
}

int tap_open(const struct target *target, const volatile int *cancel, struct tap **ret_tap,
	     struct err *err)
{
	uint64_t deadline = target->timeout_ms ? clock_mono_ms() + target->timeout_ms : 0;
	struct transport *transport = NULL;
	struct setup_facts facts;
	bool refused = false;

	if (dial_open(target, cancel, deadline, &transport, &facts, &refused, err) < 0)
		return fail(target, err);
	struct tap *tap = mem_zalloc(1, sizeof *tap);
	*tap = (struct tap){.target = target, .cancel = cancel, .transport = transport};
	*ret_tap = tap;
	return 0;
}

void tap_close(struct tap *tap)
{
	if (!tap)
		return;
	transport_close(tap->transport);
	free(tap);
}

int tap_send(struct tap *tap, const struct bytes *argv, size_t argc, struct err *err)
{
	size_t size = resp_command_size(argv, argc);
	char *out = mem_alloc(size);
	int status = 0;

	resp_command_write(out, argv, argc);
	for (size_t at = 0; at < size && status == 0;) {
		size_t done = 0;

		switch (transport_send(tap->transport, out + at, size - at, &done, err)) {
		case TRANSPORT_OK:
			at += done;
			break;
		case TRANSPORT_AGAIN:
			status =
			    transport_wait(tap->transport, POLLOUT, -1, tap->cancel, err) < 0
				? -1
				: 0;
			break;
		case TRANSPORT_CLOSED:
			status = -1;
			break;
		}
	}
	free(out);
	return status == 0 ? 0 : fail(tap->target, err);
}

int tap_read(struct tap *tap, char *data, size_t size, size_t *ret_len, struct err *err)
{
	size_t done = 0;

	switch (transport_recv(tap->transport, data, size, &done, err)) {
	case TRANSPORT_OK:
		*ret_len = done;
		return 0;
	case TRANSPORT_AGAIN:
		*ret_len = 0;
		return 0;
	case TRANSPORT_CLOSED:
		break;
	}
	return fail(tap->target, err);
}

int tap_fd(const struct tap *tap)
{
	return transport_fd(tap->transport);
}
