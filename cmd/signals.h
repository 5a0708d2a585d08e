#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * SIGINT, SIGTERM and SIGHUP ask the verb to stop and to tell what it did; the second
 * SIGINT or SIGTERM ends the process, except that at a prompt SIGINT never does. Those that
 * come within 100 ms are one. SIGPIPE and SIGXFSZ are ignored, and SIGHUP where it was.
 */
void signals_catch(void);
void signals_at_prompt(bool is_prompt);
/* The signal that came, 0: none. */
volatile int *signals_flag(void);
/* The second SIGINT at a prompt, 0: none. */
volatile int *signals_again(void);

/* Waits so long, or until one came: then true. */
bool signals_wait(uint64_t ms);

#endif
