#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Monotonic time since an arbitrary start; for intervals and deadlines. */
uint64_t clock_mono_ns(void);
uint64_t clock_mono_us(void);
uint64_t clock_mono_ms(void);
/* Unix time. */
uint64_t clock_wall_ms(void);
/* Milliseconds from now until a clock_mono_ms deadline, 0 when past, capped at INT_MAX; -1 for
 * deadline 0 (none). */
int clock_until_ms(uint64_t deadline_ms);

#endif
