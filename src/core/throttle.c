#include "core/throttle.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/num.h"

#include <poll.h>
#include <string.h>

#define SLICE_MS 50  /* how long a signal may wait */
#define SLOW 3.0     /* times the best that still counts as well */
#define FLOOR_US 500 /* an answer within it never slows down: that is noise */
#define PAUSE_MIN_US 1000
#define PAUSE_MAX_US 1000000

int throttle_parse(const char *text, struct throttle *ret_throttle)
{
	struct bytes rate = bytes_of(text);
	uint64_t per_second = 0;

	if (bytes_equal_str(rate, "auto")) {
		*ret_throttle = (struct throttle){0};
		return 0;
	}
	if (rate.len > 2 && memcmp(rate.ptr + rate.len - 2, "/s", 2) == 0)
		rate.len -= 2;
	if (num_parse_u64(rate, 1, 1000000000, &per_second) != 0)
		return -1;
	*ret_throttle = (struct throttle){.per_second = per_second};
	return 0;
}

void throttle_wait(struct throttle *throttle, size_t keys, const volatile int *cancel)
{
	uint64_t start = clock_mono_us();

	for (;;) {
		uint64_t now = clock_mono_us();

		if (now >= throttle->due_us || (cancel && *cancel))
			break;
		uint64_t left = (throttle->due_us - now + 999) / 1000;
		poll(NULL, 0, left < SLICE_MS ? (int)left : SLICE_MS);
	}
	throttle->asked_us = clock_mono_us();
	throttle->keys = keys;
	if (!throttle->per_second)
		return;
	if (throttle->due_us < start) /* what was not used is not saved up */
		throttle->due_us = start;
	throttle->due_us += keys * 1000000 / throttle->per_second;
}

/* Twice the pause while answers are slow, half of it when they are quick again. */
void throttle_answered(struct throttle *throttle)
{
	uint64_t now = clock_mono_us();
	uint64_t took = now - throttle->asked_us;
	double each = (double)took / (double)(throttle->keys ? throttle->keys : 1);

	if (throttle->per_second)
		return;
	if (throttle->best_us == 0 || each < throttle->best_us)
		throttle->best_us = each;
	if (took > FLOOR_US && each > throttle->best_us * SLOW) {
		throttle->pause_us = throttle->pause_us ? throttle->pause_us * 2 : PAUSE_MIN_US;
		if (throttle->pause_us > PAUSE_MAX_US)
			throttle->pause_us = PAUSE_MAX_US;
	} else {
		throttle->pause_us /= 2;
	}
	throttle->due_us = now + throttle->pause_us;
}
