#ifndef WIRE_DIAL_H
#define WIRE_DIAL_H

#include "wire/setup.h"

/*
 * A connection that is ready for commands: transport_open and setup_run, and
 * where sentinels know the place, their primary, asked for again within the
 * deadline until it is there and says of itself that it is one. Contract as of
 * setup_run; *ret_transport is set on success only.
 */
int dial_open(const struct target *target, const volatile int *cancel, uint64_t deadline_ms,
	      struct transport **ret_transport, struct setup_facts *ret_facts,
	      bool *ret_refused, struct err *err);

#endif
