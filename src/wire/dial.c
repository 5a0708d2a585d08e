#include "wire/dial.h"

#include "base/clock.h"
#include "base/err.h"
#include "wire/sentinel.h"
#include "wire/target.h"
#include "wire/transport.h"

#define RETRY_MS 100

static int open_one(const struct target *target, const volatile int *cancel,
		    uint64_t deadline_ms, struct transport **ret_transport,
		    struct setup_facts *ret_facts, bool *ret_refused, struct err *err)
{
	struct transport *transport = NULL;

	*ret_refused = false;
	if (transport_open(target, cancel, &transport, err) < 0)
		return -1;
	if (setup_run(transport, target, cancel, deadline_ms, ret_facts, ret_refused, err) <
	    0) {
		transport_close(transport);
		return -1;
	}
	*ret_transport = transport;
	return 0;
}

int dial_open(const struct target *target, const volatile int *cancel, uint64_t deadline_ms,
	      struct transport **ret_transport, struct setup_facts *ret_facts,
	      bool *ret_refused, struct err *err)
{
	struct target primary;

	if (!target->sentinel)
		return open_one(target, cancel, deadline_ms, ret_transport, ret_facts,
				ret_refused, err);
	for (;;) {
		struct err why = {0};

		*ret_refused = false;
		if (sentinel_find(target, cancel, &primary, &why) == 0 &&
		    open_one(&primary, cancel, deadline_ms, ret_transport, ret_facts,
			     ret_refused, &why) == 0)
			return 0;
		if (*ret_refused || why.kind != ERR_REDIS || clock_until_ms(deadline_ms) == 0)
			return err_set(err, why.kind, "%s", why.text);
		if (transport_wait(NULL, 0, RETRY_MS, cancel, err) < 0)
			return -1;
	}
}
