#ifndef TESTS_FUZZ_LISTEN_H
#define TESTS_FUZZ_LISTEN_H

#include <stdint.h>

/* Serves each connection with `serve` in a thread of this process, on a port of 127.0.0.1; the
 * port. */
typedef void listen_fn(int client);
uint16_t listen_start(listen_fn *serve);
/* Between these two no connection is served. */
void listen_pause(void);
void listen_go_on(void);

#endif
