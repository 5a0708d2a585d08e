#ifndef WIRE_SETUP_H
#define WIRE_SETUP_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct target;
struct transport;

/* What a fresh connection told about its server. */
struct setup_facts {
	uint32_t version; /* 70015 for 7.0.15; 0: HELLO is not allowed */
	bool cluster;     /* the server is a node of a Redis Cluster */
	bool sentinel;    /* it is a Sentinel */
	bool valkey;      /* that version is a Valkey's */
	bool no_touch;    /* it has CLIENT NO-TOUCH, and one that does no harm */
};

/*
 * Makes a fresh connection ready: AUTH, SELECT, CLIENT SETNAME ccache, CLIENT
 * NO-TOUCH on where that is safe, and a PING that waits out LOADING and BUSY.
 * 0; -1 with ERR_REDIS or ERR_INTERRUPTED. *ret_refused says whether the server
 * answered with a refusal, so that trying again is of no use. The deadline is
 * one of clock_mono_ms, 0: none.
 */
int setup_run(struct transport *transport, const struct target *target,
	      const volatile int *cancel, uint64_t deadline_ms, struct setup_facts *ret_facts,
	      bool *ret_refused, struct err *err);
/* "7.0.15" → 70015; 0 when it is not of that form. */
uint32_t setup_parse_version(struct bytes text);

#endif
