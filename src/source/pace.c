#include "source/pace.h"

#include <math.h>
#include <string.h>

#define NS_PER_S 1000000000U
#define NS_PER_DAY (86400U * (uint64_t)NS_PER_S)
#define SLOT_NS (NS_PER_S / PACE_SLOTS)
/* Waits end on whole milliseconds: who overslept may catch up this much. */
#define CATCH_UP_NS 10000000U
#define STRICT_NS 5000000U /* no catching up on a learned rate that is slower than this */
#define BURST_S 0.1        /* of the configured rate may start at once */
#define BELOW 0.97         /* of what was served, after a rejection */
#define CREEP 0.02 /* rise per second at the source's limit, as much more with each second */
#define SEARCH 2.0 /* doublings per second until it is found */
#define RETURN 0.5 /* more of it, by how far below that the rate is */
#define LEARNED_MIN 0.2
#define LEARNED_MAX 1e6
#define SEARCH_AGAIN_NS (30 * (uint64_t)NS_PER_S) /* without a rejection: the limit moved */

void pace_init(struct pace *pace, double rate)
{
	*pace = (struct pace){.rate = rate};
}

double pace_rate(const struct pace *pace)
{
	if (pace->learned <= 0 || (pace->rate > 0 && pace->rate < pace->learned))
		return pace->rate;
	return pace->learned;
}

static uint64_t interval_ns(double rate)
{
	double interval = NS_PER_S / rate;

	return interval < NS_PER_DAY ? (uint64_t)interval : NS_PER_DAY;
}

/* How late a start may be and still not lose its turn: the bucket's depth, in time. */
static uint64_t slack_ns(const struct pace *pace, double rate)
{
	bool configured = pace->rate > 0 && rate >= pace->rate;
	double burst_ns = configured ? BURST_S * NS_PER_S - (double)interval_ns(rate) : 0;

	/*
	 * A limit without a burst counts from one request to the next. A slow rate can keep
	 * to that; a fast one cannot, the clock that wakes us ticks in milliseconds.
	 */
	if (!configured && interval_ns(rate) > STRICT_NS)
		return 0;
	return burst_ns > CATCH_UP_NS ? (uint64_t)burst_ns : CATCH_UP_NS;
}

/*
 * What was turned away may have come a moment too early, at half of what the
 * source takes: so the longer nothing is turned away, the faster the rate rises.
 */
static double rise(const struct pace *pace, uint64_t now_ns, double passed_s)
{
	double below = 1 - pace->learned / pace->ceiling;
	double calm_s = (double)(now_ns - pace->cut_ns) / NS_PER_S;

	if (pace->searching)
		return exp2(SEARCH * passed_s);
	return 1 + passed_s * (CREEP * (1 + calm_s) + (below > 0 ? RETURN * below : 0));
}

/* Only a rate that held somebody back may rise. */
static void probe(struct pace *pace, uint64_t now_ns)
{
	double passed_s = (double)(now_ns - pace->last_ns) / NS_PER_S;

	passed_s = passed_s > 1 ? 1 : passed_s;
	pace->searching |= now_ns - pace->cut_ns > SEARCH_AGAIN_NS;
	pace->learned *= rise(pace, now_ns, passed_s);
	if (pace->learned > LEARNED_MAX)
		pace->learned = LEARNED_MAX;
}

/* A token bucket, written as its next admission (GCRA, ITU-T I.371). */
void pace_spend(struct pace *pace, uint64_t now_ns)
{
	double rate = pace_rate(pace);

	if (rate > 0) {
		uint64_t slack = slack_ns(pace, rate);
		bool idle = pace->next_ns + slack < now_ns;

		if (pace->learned > 0 && pace->next_ns + slack + interval_ns(rate) > now_ns)
			probe(pace, now_ns);
		pace->next_ns = idle ? now_ns - slack : pace->next_ns;
		pace->next_ns += interval_ns(rate);
	}
	pace->last_ns = now_ns;
}

/* Forgets the slots that are older than a second. */
static void turn_to(struct pace *pace, uint64_t now_ns)
{
	uint64_t slot = now_ns / SLOT_NS;

	if (slot - pace->slot >= PACE_SLOTS)
		memset(pace->served, 0, sizeof pace->served);
	else
		while (pace->slot < slot)
			pace->served[++pace->slot % PACE_SLOTS] = 0;
	pace->slot = slot;
}

void pace_served(struct pace *pace, uint64_t now_ns)
{
	turn_to(pace, now_ns);
	pace->served[pace->slot % PACE_SLOTS]++;
}

static double served_per_s(struct pace *pace, uint64_t now_ns)
{
	double sum = 0;

	turn_to(pace, now_ns);
	for (unsigned i = 0; i < PACE_SLOTS; i++)
		sum += pace->served[i];
	return sum;
}

void pace_rejected(struct pace *pace, uint64_t started_ns, uint64_t now_ns, bool sure)
{
	double before = pace_rate(pace);
	double served = served_per_s(pace, now_ns);

	/* What left before the last cut says nothing about the rate since. */
	if (started_ns < pace->cut_ns || (served <= 0 && !sure))
		return;
	if (before > 0 && before < served)
		served = before;
	pace->learned = served > 0 ? served * BELOW : (before > 0 ? before : 1) / 2;
	if (pace->learned < LEARNED_MIN)
		pace->learned = LEARNED_MIN;
	/* A cut that deep was made from too little: the limit lies well above. */
	pace->searching = before <= 0 || pace->learned < before / 2;
	pace->ceiling = before;
	pace->cut_ns = now_ns;
	pace->next_ns = now_ns + interval_ns(pace->learned);
}
