#include "core/event_run.h"

#include "core/tally.h"

/* What became of a step, as the counters name it. */
static enum tally_what what_of(const struct event_step *step)
{
	bool failed = step->outcome == EVENT_FAILED;

	switch (step->action) {
	case EVENT_INVALIDATE:
	case EVENT_EXPIRE:
		return failed ? TALLY_INVALIDATE_ERROR : TALLY_INVALIDATED;
	case EVENT_WARM:
		return failed                          ? TALLY_FETCH_ERROR
		       : step->outcome == EVENT_ABSENT ? TALLY_FETCH_ABSENT
						       : TALLY_FETCHED;
	default:
		return failed ? TALLY_SET_ERROR : TALLY_SET;
	}
}

void event_tally(struct tally *tally, const struct event_plan *plan)
{
	for (const struct event_step *step = plan->first; step; step = step->next) {
		bool once = step->outcome == EVENT_FAILED || step->action == EVENT_WARM;

		if (!step->ns || step->outcome == EVENT_PENDING ||
		    step->outcome == EVENT_SKIPPED)
			continue;
		tally_add(tally, step->ns, what_of(step), once ? 1 : step->keys);
		if (step->outcome == EVENT_WARMED)
			tally_add(tally, step->ns, TALLY_SET, step->keys);
	}
}
