#ifndef UPSTREAM_LATER_H
#define UPSTREAM_LATER_H

#include <stdint.h>

struct MHD_Connection;

/* Connections that wait without holding one of the server's threads. */

/* Starts the thread that wakes them; aborts when it cannot. */
void later_init(void);
/* Suspends the connection and resumes it after delay_ms; LATER_HOLD: by later_release. */
void later_resume(struct MHD_Connection *connection, uint64_t delay_ms);
#define LATER_HOLD UINT64_MAX
/* Resumes all that are held. */
void later_release(void);

#endif
