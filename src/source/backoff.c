#include "source/backoff.h"

#include "base/clock.h"

#include <sys/random.h>

void backoff_init(struct backoff *backoff)
{
	if (getrandom(&backoff->seed, sizeof backoff->seed, GRND_NONBLOCK) !=
	    (long)sizeof backoff->seed)
		backoff->seed = clock_mono_ns();
	backoff->seed |= 1;
}

/* xorshift64* (Vigna 2016): spread, not secrecy. */
static uint64_t next_random(struct backoff *backoff)
{
	uint64_t x = backoff->seed;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	backoff->seed = x;
	return x * 0x2545F4914F6CDD1DU;
}

uint64_t backoff_next_ms(struct backoff *backoff, uint64_t base_ms, uint64_t cap_ms,
			 uint64_t previous_ms)
{
	uint64_t low = base_ms < cap_ms ? base_ms : cap_ms;
	uint64_t high = previous_ms > low ? previous_ms : low;

	high = high > cap_ms / 3 ? cap_ms : high * 3;
	return high > low ? low + next_random(backoff) % (high - low) + 1 : low;
}
