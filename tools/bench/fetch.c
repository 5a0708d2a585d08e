/*
 * fetch URL [SECONDS [CONCURRENCY [ROUNDS]]]: the fetcher against a bare
 * curl-multi loop on one URL, in turns, in one process. Prints requests/s and
 * CPU µs per request of both, and the ratio of the medians.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "source/source.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define ROUNDS_MAX 64

struct run {
	double per_s;
	double cpu_us;
};

struct job {
	const char *url;
	char *origin;     /* of url */
	const char *path; /* of url */
	uint64_t ms;
	unsigned concurrency;
	bool json;
};

static double cpu_us_now(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static size_t count_bytes(char *data, size_t size, size_t count, void *ctx)
{
	(void)data;
	*(size_t *)ctx += size * count;
	return size * count;
}

static void add_bare(CURLM *multi, CURL *easy, const char *url)
{
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_multi_add_handle(multi, easy);
}

static uint64_t collect_bare(CURLM *multi, const char *url)
{
	uint64_t done = 0;
	CURLMsg *message = NULL;
	int left = 0;

	while ((message = curl_multi_info_read(multi, &left)) != NULL) {
		CURL *easy = message->easy_handle;

		if (message->data.result != CURLE_OK) {
			fprintf(stderr, "bare: %s\n", curl_easy_strerror(message->data.result));
			exit(1);
		}
		curl_multi_remove_handle(multi, easy);
		add_bare(multi, easy, url);
		done++;
	}
	return done;
}

static uint64_t run_bare(const struct job *job)
{
	CURLM *multi = curl_multi_init();
	CURL **handles = calloc(job->concurrency, sizeof(CURL *));
	uint64_t end_ms = clock_mono_ms() + job->ms;
	uint64_t done = 0;
	size_t bytes = 0;
	int running = 0;

	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)job->concurrency);
	for (unsigned i = 0; i < job->concurrency; i++) {
		handles[i] = curl_easy_init();
		curl_easy_setopt(handles[i], CURLOPT_WRITEFUNCTION, count_bytes);
		curl_easy_setopt(handles[i], CURLOPT_WRITEDATA, &bytes);
		curl_easy_setopt(handles[i], CURLOPT_NOSIGNAL, 1L);
		add_bare(multi, handles[i], job->url);
	}
	while (clock_mono_ms() < end_ms) {
		curl_multi_perform(multi, &running);
		done += collect_bare(multi, job->url);
		curl_multi_poll(multi, NULL, 0, 100, NULL);
	}
	for (unsigned i = 0; i < job->concurrency; i++) {
		curl_multi_remove_handle(multi, handles[i]);
		curl_easy_cleanup(handles[i]);
	}
	free(handles);
	curl_multi_cleanup(multi);
	return done;
}

struct load {
	struct fetcher *fetcher;
	struct source_request request;
	uint64_t end_ms;
	uint64_t done;
};

static void fetch_next(void *ctx, const struct source_answer *answer)
{
	struct load *load = ctx;

	if (answer->cause == SOURCE_CAUSE_CANCELLED)
		return;
	if (answer->status != SOURCE_OK) {
		fprintf(stderr, "fetcher: %s\n", answer->error ? answer->error->text : "empty");
		exit(1);
	}
	load->done++;
	fetcher_submit(load->fetcher, &load->request, 1, fetch_next, load);
}

static uint64_t run_fetcher(const struct job *job)
{
	struct source_def def = {.name = "bench",
				 .base_url = job->origin,
				 .timeout_ms = 10000,
				 .connect_ms = 5000,
				 .max_body = 1 << 24,
				 .concurrency = job->concurrency};
	struct err err = {0};
	struct load load = {.fetcher = fetcher_new("ccache-bench", NULL, &err),
			    .request = {.source = &def, .path = job->path, .json = job->json},
			    .end_ms = clock_mono_ms() + job->ms};

	for (unsigned i = 0; load.fetcher && i < job->concurrency; i++)
		fetcher_submit(load.fetcher, &load.request, 1, fetch_next, &load);
	while (load.fetcher && clock_mono_ms() < load.end_ms)
		if (fetcher_turn(load.fetcher, 100, -1, 0, NULL, &err) < 0)
			break;
	if (err_is_set(&err)) {
		fprintf(stderr, "fetcher: %s\n", err.text);
		exit(1);
	}
	fetcher_free(load.fetcher);
	return load.done;
}

static struct run measure(uint64_t (*work)(const struct job *), const struct job *job)
{
	double cpu_us = cpu_us_now();
	uint64_t start_us = clock_mono_us();
	double done = (double)work(job);
	double took_us = (double)(clock_mono_us() - start_us);

	return (struct run){done * 1e6 / took_us, (cpu_us_now() - cpu_us) / done};
}

static int by_rate(const void *a, const void *b)
{
	double x = ((const struct run *)a)->per_s;
	double y = ((const struct run *)b)->per_s;

	return (x > y) - (x < y);
}

static struct run median(struct run *runs, size_t count)
{
	qsort(runs, count, sizeof *runs, by_rate);
	return runs[count / 2];
}

static uint64_t number(int argc, char **argv, int at, uint64_t max, uint64_t fallback)
{
	if (at < argc && num_parse_u64(bytes_of(argv[at]), 1, max, &fallback) < 0) {
		fprintf(stderr, "fetch: '%s' is not a number from 1 to %llu\n", argv[at],
			(unsigned long long)max);
		exit(2);
	}
	return fallback;
}

static void split_url(struct job *job)
{
	const char *host = strstr(job->url, "://");

	job->path = host ? strchr(host + 3, '/') : NULL;
	if (!job->path) {
		fprintf(stderr, "fetch: '%s' is no URL with a path\n", job->url);
		exit(2);
	}
	job->origin = mem_bytesdup((struct bytes){job->url, (size_t)(job->path - job->url)});
}

int main(int argc, char **argv)
{
	struct run bare[ROUNDS_MAX], plain[ROUNDS_MAX], json[ROUNDS_MAX];
	struct job job = {.url = argc > 1 ? argv[1] : NULL};

	if (!job.url) {
		fprintf(stderr, "usage: fetch URL [SECONDS [CONCURRENCY [ROUNDS]]]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	split_url(&job);
	job.ms = number(argc, argv, 2, 600, 2) * 1000;
	job.concurrency = (unsigned)number(argc, argv, 3, 1024, 64);
	size_t rounds = number(argc, argv, 4, ROUNDS_MAX, 3);
	for (size_t i = 0; i < rounds; i++) {
		bare[i] = measure(run_bare, &job);
		plain[i] = measure(run_fetcher, &job);
		job.json = true;
		json[i] = measure(run_fetcher, &job);
		job.json = false;
	}
	struct run b = median(bare, rounds), p = median(plain, rounds),
		   j = median(json, rounds);
	printf("bare curl-multi loop  %8.0f/s  %5.1f us CPU each\n", b.per_s, b.cpu_us);
	printf("fetcher               %8.0f/s  %5.1f us CPU each  %.2f x\n", p.per_s, p.cpu_us,
	       p.per_s / b.per_s);
	printf("fetcher, JSON checked %8.0f/s  %5.1f us CPU each  %.2f x\n", j.per_s, j.cpu_us,
	       j.per_s / b.per_s);
	free(job.origin);
	return 0;
}
