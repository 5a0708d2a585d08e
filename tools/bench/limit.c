/*
 * limit URL [COUNT [CONCURRENCY [SETTLE_S]]]: COUNT fetches of one URL whose server
 * limits the rate (429). Prints each second what was served and turned away,
 * and both from SETTLE_S seconds on, when the fetcher should have found the limit.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "source/source.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
	uint64_t served;
	uint64_t failed;
	uint64_t start_ms;
	uint64_t settled_served;
	uint64_t settled_rejected;
	uint64_t settled_ms; /* when; 0: not yet */
};

static void count_answer(void *ctx, const struct source_answer *answer)
{
	struct run *run = ctx;

	run->served += answer->status == SOURCE_OK;
	run->failed += answer->status != SOURCE_OK;
	if (answer->error)
		fprintf(stderr, "%s\n", answer->error->text);
}

static void print_second(const struct run *run, const struct source_lane_stats *stats,
			 const struct source_lane_stats *before, uint64_t served)
{
	printf("%5.1f s  served %5" PRIu64 "/s  turned away %4" PRIu64
	       "/s  rate %7.1f/s  window %u\n",
	       (double)(clock_mono_ms() - run->start_ms) / 1000, served,
	       stats->rejected - before->rejected, stats->rate, stats->window);
}

static void print_sum(const struct run *run, const struct source_lane_stats *stats)
{
	uint64_t now_ms = clock_mono_ms();
	double all = (double)stats->rejected * 100 / (double)(run->served + stats->rejected);

	printf("all:     %.1f/s served, %.1f %% turned away, %" PRIu64 " failed for good\n",
	       (double)run->served * 1000 / (double)(now_ms - run->start_ms), all, run->failed);
	if (!run->settled_ms)
		return;
	double served = (double)(run->served - run->settled_served);
	double rejected = (double)(stats->rejected - run->settled_rejected);
	printf("settled: %.1f/s served, %.1f %% turned away\n",
	       served * 1000 / (double)(now_ms - run->settled_ms),
	       rejected * 100 / (served + rejected));
}

static int run_all(struct fetcher *fetcher, const struct source_def *def, struct run *run,
		   uint64_t settle_ms, struct err *err)
{
	struct source_lane_stats stats = {0}, before = {0};
	uint64_t served = 0;
	uint64_t next_ms = run->start_ms + 1000;

	while (fetcher_outstanding(fetcher)) {
		if (fetcher_turn(fetcher, 100, -1, 0, NULL, err) < 0)
			return -1;
		fetcher_lane_stats(fetcher, def, &stats);
		if (!run->settled_ms && clock_mono_ms() >= run->start_ms + settle_ms) {
			run->settled_ms = clock_mono_ms();
			run->settled_served = run->served;
			run->settled_rejected = stats.rejected;
		}
		if (clock_mono_ms() < next_ms)
			continue;
		print_second(run, &stats, &before, run->served - served);
		before = stats;
		served = run->served;
		next_ms += 1000;
	}
	print_sum(run, &stats);
	return 0;
}

static uint64_t number(int argc, char **argv, int at, uint64_t max, uint64_t fallback)
{
	if (at < argc && num_parse_u64(bytes_of(argv[at]), 1, max, &fallback) < 0) {
		fprintf(stderr, "limit: '%s' is not a number from 1 to %" PRIu64 "\n", argv[at],
			max);
		exit(2);
	}
	return fallback;
}

int main(int argc, char **argv)
{
	static const uint16_t statuses[] = {429, 503};
	const char *host = argc > 1 ? strstr(argv[1], "://") : NULL;
	const char *path = host ? strchr(host + 3, '/') : NULL;

	if (!path) {
		fprintf(stderr, "usage: limit URL [COUNT [CONCURRENCY [SETTLE_S]]]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	char *origin = mem_bytesdup((struct bytes){argv[1], (size_t)(path - argv[1])});
	struct source_def def = {.name = "bench",
				 .base_url = origin,
				 .timeout_ms = 10000,
				 .connect_ms = 5000,
				 .max_body = 1 << 24,
				 .concurrency = (unsigned)number(argc, argv, 3, 1024, 16),
				 .concurrency_max = 128,
				 .retry = {.max = 4,
					   .base_ms = 100,
					   .cap_ms = 10000,
					   .statuses = statuses,
					   .status_count = 2}};
	struct source_request request = {.source = &def, .path = path};
	struct run run = {.start_ms = clock_mono_ms()};
	struct err err = {0};
	struct fetcher *fetcher = fetcher_new("ccache-bench", NULL, &err);
	uint64_t count = number(argc, argv, 2, 10000000, 1000);

	for (uint64_t i = 0; fetcher && i < count; i++)
		fetcher_submit(fetcher, &request, 1, count_answer, &run);
	if (!fetcher ||
	    run_all(fetcher, &def, &run, number(argc, argv, 4, 600, 5) * 1000, &err) < 0)
		fprintf(stderr, "limit: %s\n", err.text);
	fetcher_free(fetcher);
	free(origin);
	return err_is_set(&err) || run.failed ? 1 : 0;
}
