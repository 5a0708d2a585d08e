/*
 * download FILE [CONCURRENCY]: the URLs of a file, one a line, fetched and
 * thrown away by the barest curl-multi loop. What a program that also stores
 * them can be measured by.
 */
#include "base/clock.h"
#include "base/num.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONCURRENCY_MAX 1024

struct download {
	CURLM *multi;
	FILE *file;
	char *line;
	size_t size;
	uint64_t done;
	size_t bytes;
	size_t under_way;
};

static size_t count_bytes(char *data, size_t size, size_t count, void *ctx)
{
	(void)data;
	*(size_t *)ctx += size * count;
	return size * count;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "download: %s: %s\n", what, why);
	exit(1);
}

/* The next URL is easy's, if there are more. */
static void next(struct download *download, CURL *easy)
{
	ssize_t len = getline(&download->line, &download->size, download->file);

	if (len <= 0)
		return;
	download->line[len - (download->line[len - 1] == '\n')] = '\0';
	curl_easy_setopt(easy, CURLOPT_URL, download->line);
	curl_multi_add_handle(download->multi, easy);
	download->under_way++;
}

static void collect(struct download *download)
{
	CURLMsg *message = NULL;
	int left = 0;

	while ((message = curl_multi_info_read(download->multi, &left)) != NULL) {
		CURL *easy = message->easy_handle;
		long status = 0;

		if (message->data.result != CURLE_OK)
			die("a transfer failed", curl_easy_strerror(message->data.result));
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		if (status != 200)
			die("an answer", "its status is not 200");
		curl_multi_remove_handle(download->multi, easy);
		download->done++;
		download->under_way--;
		next(download, easy);
	}
}

static void work(struct download *download, size_t concurrency)
{
	CURL *handles[CONCURRENCY_MAX];
	int running = 0;

	curl_multi_setopt(download->multi, CURLMOPT_MAXCONNECTS, (long)concurrency);
	for (size_t i = 0; i < concurrency; i++) {
		handles[i] = curl_easy_init();
		curl_easy_setopt(handles[i], CURLOPT_WRITEFUNCTION, count_bytes);
		curl_easy_setopt(handles[i], CURLOPT_WRITEDATA, &download->bytes);
		curl_easy_setopt(handles[i], CURLOPT_NOSIGNAL, 1L);
		next(download, handles[i]);
	}
	while (download->under_way > 0) {
		curl_multi_perform(download->multi, &running);
		collect(download);
		curl_multi_poll(download->multi, NULL, 0, 100, NULL);
	}
	for (size_t i = 0; i < concurrency; i++) {
		curl_multi_remove_handle(download->multi, handles[i]);
		curl_easy_cleanup(handles[i]);
	}
}

int main(int argc, char **argv)
{
	struct download download = {.multi = curl_multi_init()};
	uint64_t concurrency = 64;

	if (argc < 2 || argc > 3 ||
	    (argc == 3 &&
	     num_parse_u64(bytes_of(argv[2]), 1, CONCURRENCY_MAX, &concurrency) < 0)) {
		fprintf(stderr, "usage: download FILE [CONCURRENCY]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	download.file = fopen(argv[1], "r");
	if (!download.file)
		die(argv[1], "cannot be read");
	uint64_t start_us = clock_mono_us();
	work(&download, concurrency);
	double took_s = (double)(clock_mono_us() - start_us) / 1e6;
	printf("%llu answers, %zu bytes, %.3f s, %.0f/s\n", (unsigned long long)download.done,
	       download.bytes, took_s, (double)download.done / took_s);
	curl_multi_cleanup(download.multi);
	fclose(download.file);
	free(download.line);
	return 0;
}
