/*
 * stall SOCKET KEY [RATE]: GET KEY at RATE (1000) a second on a schedule of its
 * own, whatever the server does, until SIGTERM; then one line: how many
 * answers, and the median, 99th percentile and worst time in microseconds from
 * the moment a GET was due to its answer. What another client does to the
 * server's users shows here.
 */
#include "base/clock.h"
#include "base/num.h"
#include "core/histogram.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DUE_MAX 65536 /* GETs under way: more than a minute's */

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* Replies in data: each "$LEN\r\n…\r\n" with a value that has no line end of its own. */
static unsigned count_replies(const char *data, size_t len, unsigned *lines)
{
	unsigned before = *lines / 2;

	for (size_t i = 0; i < len; i++)
		*lines += data[i] == '\n';
	return *lines / 2 - before;
}

static void run(int fd, const char *request, uint64_t gap_ns, struct histogram *latency)
{
	static uint64_t due_ns[DUE_MAX];
	static char data[65536];
	uint64_t sent = 0;
	uint64_t answered = 0;
	unsigned lines = 0;
	uint64_t next_ns = clock_mono_ns();

	while (!stop) {
		uint64_t now = clock_mono_ns();
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		struct timespec left = {.tv_nsec = next_ns > now ? (long)(next_ns - now) : 0};

		if (ppoll(&wait, 1, &left, NULL) > 0) {
			ssize_t len = read(fd, data, sizeof data);

			if (len <= 0)
				break;
			now = clock_mono_ns();
			for (unsigned n = count_replies(data, (size_t)len, &lines); n; n--)
				histogram_add(latency,
					      (now - due_ns[answered++ % DUE_MAX]) / 1000);
		}
		for (now = clock_mono_ns(); next_ns <= now; next_ns += gap_ns) {
			due_ns[sent++ % DUE_MAX] = next_ns;
			if (write(fd, request, strlen(request)) < 0)
				return;
		}
	}
}

int main(int argc, char **argv)
{
	struct histogram latency;
	char request[512];
	uint64_t rate = 1000;

	if (argc < 3 || strlen(argv[2]) > 400 ||
	    (argc > 3 && num_parse_u64(bytes_of(argv[3]), 1, 100000, &rate) != 0)) {
		fprintf(stderr, "usage: stall SOCKET KEY [RATE]\n");
		return 2;
	}
	signal(SIGTERM, on_signal);
	prctl(PR_SET_TIMERSLACK, 1UL);
	histogram_init(&latency, 10);
	snprintf(request, sizeof request, "*2\r\n$3\r\nGET\r\n$%zu\r\n%s\r\n", strlen(argv[2]),
		 argv[2]);
	run(connect_to(argv[1]), request, UINT64_C(1000000000) / rate, &latency);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", latency.total,
	       histogram_quantile(&latency, 0.5), histogram_quantile(&latency, 0.99),
	       latency.max);
	histogram_release(&latency);
	return 0;
}
