#include "core/bench_schedule.h"

#include <math.h>

void bench_schedule_init(struct bench_schedule *schedule,
			 const struct bench_schedule_plan *plan, uint64_t begin_ns,
			 unsigned thread, unsigned threads)
{
	*schedule = (struct bench_schedule){
	    .begin_ns = begin_ns,
	    .rate = plan->rate / 1e9,
	    .rate_to = (plan->rate_to > 0 ? plan->rate_to : plan->rate) / 1e9,
	    .flat_ns = (double)plan->flat_ns,
	    .ramp_ns = (double)plan->ramp_ns,
	    .poisson = plan->poisson,
	    .position = plan->poisson ? 0 : thread,
	    .step = threads,
	};
	bench_random_seed(&schedule->random, plan->seed + thread);
}

/* The time at which so many operations have become due. */
static double when(const struct bench_schedule *schedule, double position)
{
	double flat = schedule->rate * schedule->flat_ns;
	double climb = schedule->rate_to - schedule->rate;

	if (climb == 0 || position <= flat)
		return position / schedule->rate;
	/* rate × t + climb × t² / 2 ramp = position, in the form that does not cancel out. */
	double left = position - flat;
	double root = schedule->rate * schedule->rate + 2 * climb / schedule->ramp_ns * left;

	if (root < 0)
		return HUGE_VAL;
	return schedule->flat_ns + 2 * left / (schedule->rate + sqrt(root));
}

uint64_t bench_schedule_next(struct bench_schedule *schedule)
{
	/* The n-th part of a Poisson process is one of an n-th of the rate. */
	if (schedule->poisson)
		schedule->position +=
		    bench_random_exponential(&schedule->random, schedule->step);
	double at = when(schedule, schedule->position);

	if (!schedule->poisson)
		schedule->position += schedule->step;
	return at < 1e18 ? schedule->begin_ns + (uint64_t)(at + 0.5) : UINT64_MAX;
}
