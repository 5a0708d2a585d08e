#include "core/traffic.h"

#include <math.h>

#define Z 1.959964 /* of 95 % */

static double wilson(double share, double n, double side)
{
	double z2 = Z * Z;
	double middle = share + z2 / (2 * n);
	double spread = Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
	double bound = (middle + side * spread) / (1 + z2 / n);

	return bound < 0 ? 0 : bound > 1 ? 1 : bound;
}

/*
 * A read whose reader wrote the key next was a miss as often as the same
 * pattern was one where the answer is known: left out, it would make the ratio
 * of every read-through application look too good.
 */
struct traffic_ratio traffic_ratio(const struct traffic_figures *figures)
{
	double known = (double)(figures->fill_after_miss + figures->fill_after_hit);
	double miss_share = ((double)figures->fill_after_miss + 1) / (known + 1);
	double fills = (double)figures->fills;
	double hits = (double)figures->hits + fills * (1 - miss_share);
	double misses = (double)figures->misses + fills * miss_share;
	double unclear = (double)(figures->ambiguous + figures->uncertain);
	double n = hits + misses + unclear;
	struct traffic_ratio ratio = {.known = hits + misses > 0};

	if (!ratio.known)
		return ratio;
	ratio.ratio = hits / (hits + misses);
	ratio.low = wilson(hits / n, n, -1);
	ratio.high = wilson((hits + unclear) / n, n, 1);
	return ratio;
}

void traffic_settle(struct traffic *traffic)
{
	double seconds = (double)traffic->interval_us / 1e6;

	for (size_t i = 0; i < traffic->count && traffic->interval_us > 0; i++) {
		struct traffic_figures *figures = &traffic->figures[i];
		struct traffic_ratio ratio = traffic_ratio(figures);
		struct traffic_rates *rates = &figures->rates;

		*rates = (struct traffic_rates){.reads = (double)figures->reads / seconds,
						.writes = (double)figures->writes / seconds,
						.deletes = (double)figures->deletes / seconds,
						.expired = (double)figures->expired / seconds,
						.bytes_known =
						    ratio.known && figures->sized_hits > 0};
		if (rates->bytes_known)
			rates->read_bytes = rates->reads * ratio.ratio *
					    (double)figures->sized_bytes /
					    (double)figures->sized_hits;
	}
}

/* --- of several servers --- */

static void add_figures(struct traffic_figures *sum, const struct traffic_figures *part)
{
	sum->reads += part->reads;
	sum->writes += part->writes;
	sum->deletes += part->deletes;
	sum->expired += part->expired;
	sum->evicted += part->evicted;
	sum->hits += part->hits;
	sum->misses += part->misses;
	sum->fills += part->fills;
	sum->ambiguous += part->ambiguous;
	sum->uncertain += part->uncertain;
	sum->keys += part->keys;
	sum->fill_after_miss += part->fill_after_miss;
	sum->fill_after_hit += part->fill_after_hit;
	sum->sized_hits += part->sized_hits;
	sum->sized_bytes += part->sized_bytes;
	sum->rates.reads += part->rates.reads;
	sum->rates.writes += part->rates.writes;
	sum->rates.deletes += part->rates.deletes;
	sum->rates.expired += part->rates.expired;
	sum->rates.bytes_known = sum->rates.bytes_known || part->rates.bytes_known;
	sum->rates.read_bytes += part->rates.read_bytes;
	topk_merge(&sum->commands, &part->commands);
	topk_merge(&sum->clients, &part->clients);
	topk_merge(&sum->hot, &part->hot);
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Where one server was sampled the sum is a sample; what the others lack shows in end. */
static void add_end(struct traffic *sum, const struct traffic *part)
{
	bool first = sum->servers == 0;

	if (first || sum->end == TRAFFIC_DENIED ||
	    (part->end != TRAFFIC_DENIED && part->end > sum->end)) {
		sum->end = part->end;
		sum->err = part->err;
	}
}

void traffic_add(struct traffic *sum, const struct traffic *part)
{
	bool first = sum->servers == 0;

	add_end(sum, part);
	sum->servers += part->servers;
	sum->config_denied = sum->config_denied || part->config_denied;
	sum->subscribe_denied = sum->subscribe_denied || part->subscribe_denied;
	sum->counters_denied = sum->counters_denied || part->counters_denied;
	sum->notifications = part->notifications && (first || sum->notifications);
	sum->followed =
	    first || part->followed < sum->followed ? part->followed : sum->followed;
	if (first || part->started_ms < sum->started_ms)
		sum->started_ms = part->started_ms;
	sum->interval_us = greater(sum->interval_us, part->interval_us);
	sum->latency_before_us = greater(sum->latency_before_us, part->latency_before_us);
	sum->latency_us = greater(sum->latency_us, part->latency_us);
	sum->latency_worst_us = greater(sum->latency_worst_us, part->latency_worst_us);
	sum->lines += part->lines;
	sum->bytes += part->bytes;
	sum->probes += part->probes;
	sum->probe_hits += part->probe_hits;
	sum->probe_misses += part->probe_misses;
	sum->other_dbs += part->other_dbs;
	sum->unreadable += part->unreadable;
	for (size_t i = 0; i < sum->count; i++)
		add_figures(&sum->figures[i], &part->figures[i]);
}
