#ifndef WIRE_WATCH_H
#define WIRE_WATCH_H

#include <poll.h>
#include <stdbool.h>

/*
 * Waiting awake. To wake a process that sleeps costs its waker several times
 * what a short answer costs, and on a virtual machine both CPUs are halted and
 * started again for it; so an answer that is due within some 0.1 ms is looked for again and
 * again instead, giving way to whoever else may run on this CPU. Zero-initialise.
 */
struct watch {
	unsigned skip; /* waits to sleep through: watching did not help lately */
	int cpus;      /* that this process may run on; 0: not asked yet */
};

/* True as soon as one of fds is ready; false after limit_us, or when it is better to sleep. */
bool watch_for(struct watch *watch, struct pollfd *fds, nfds_t count, unsigned limit_us);

#endif
