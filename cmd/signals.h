#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * SIGINT and SIGTERM ask the verb to stop and to tell what it did; the second
 * one ends the process, except that in a session SIGINT never does. SIGPIPE is
 * ignored.
 */
void signals_catch(void);
void signals_in_session(bool in_session);
/* The signal that came, 0: none. */
volatile int *signals_flag(void);

/* Waits so long, or until one came: then true. */
bool signals_wait(uint64_t ms);

#endif
