/*
 * The tests' upstream: an HTTP server on 127.0.0.1 with the data of the five
 * systems, a control API (control.h) and faults on demand (fault.h). It runs
 * until SIGTERM or SIGINT.
 */
#include "answer.h"
#include "base/mem.h"
#include "base/num.h"
#include "control.h"
#include "data.h"
#include "fault.h"
#include "later.h"
#include "ledger.h"
#include "route.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 2

static struct settings {
	uint64_t port;
	uint64_t delay_ms;
	uint64_t items;
	uint64_t page;
	const char *token; /* wanted as "Authorization: Bearer TOKEN"; NULL: anyone */
} settings = {.items = 25, .page = 10};

/* One request; freed when it is answered. */
struct request {
	char *target; /* as sent: percent-encoded, with query */
	struct buf upload;
	struct fault fault;
	bool begun;
	bool noted;
	bool rested; /* delays are over */
};

/* Called with the raw request target; what it returns is the request's *cls. */
static void *request_new(void *unused, const char *target, struct MHD_Connection *connection)
{
	struct request *request = mem_zalloc(1, sizeof(*request));

	(void)unused;
	(void)connection;
	request->target = mem_strdup(target);
	return request;
}

static void request_free(void *unused, struct MHD_Connection *connection, void **cls,
			 enum MHD_RequestTerminationCode code)
{
	struct request *request = *cls;

	(void)unused;
	(void)connection;
	(void)code;
	if (!request)
		return;
	buf_release(&request->upload);
	free(request->target);
	free(request);
	*cls = NULL;
}

static bool is_authorized(struct MHD_Connection *connection)
{
	const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_AUTHORIZATION);

	if (!settings.token)
		return true;
	return given && strncmp(given, "Bearer ", 7) == 0 &&
	       strcmp(given + 7, settings.token) == 0;
}

static void problem(struct answer *answer, unsigned status, const char *text)
{
	answer->status = status;
	answer->content_type = "application/json";
	buf_printf(&answer->body, "{\"error\":\"%s\"}", text);
}

static enum MHD_Result answer_data(struct MHD_Connection *connection, const char *method,
				   struct request *request)
{
	struct ledger_answer replaced;
	struct route_answer routed = {0};
	struct answer answer = {0};

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		problem(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed");
	} else if (!is_authorized(connection)) {
		problem(&answer, MHD_HTTP_UNAUTHORIZED, "unauthorized");
	} else if (ledger_replaced(request->target, &replaced, &answer.body)) {
		answer.status = replaced.status;
		answer.content_type = replaced.content_type;
		answer.content_encoding = replaced.content_encoding;
	} else {
		route_answer(connection, request->target, settings.page, &routed);
		answer = (struct answer){routed.status, routed.body, routed.content_type, NULL,
					 routed.cache_control};
	}
	return answer_spoil(connection, &answer, &request->fault);
}

/* True when the request has to wait first; it comes back when that is over. */
static bool must_rest(struct MHD_Connection *connection, struct request *request)
{
	uint64_t delay_ms = settings.delay_ms;

	if (request->rested)
		return false;
	request->rested = true;
	if (request->fault.kind == FAULT_DELAY)
		delay_ms += request->fault.value;
	if (request->fault.kind == FAULT_HOLD)
		delay_ms = LATER_HOLD;
	if (delay_ms)
		later_resume(connection, delay_ms);
	if (delay_ms == LATER_HOLD && !fault_any())
		later_release(); /* they were cleared before this one was held */
	return delay_ms > 0;
}

static enum MHD_Result handle(void *unused, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_len, void **cls)
{
	struct request *request = *cls;
	struct answer answer;

	(void)unused;
	(void)path;
	(void)version;
	if (!request->begun) {
		request->begun = true;
		return MHD_YES;
	}
	if (*upload_len) {
		buf_add(&request->upload, (struct bytes){upload, *upload_len});
		*upload_len = 0;
		return MHD_YES;
	}
	if (control_is(request->target)) {
		control_answer(connection, method, request->target, buf_bytes(&request->upload),
			       &answer);
		return answer_send(connection, &answer);
	}
	if (!request->noted) {
		request->noted = true;
		ledger_note(connection, method, request->target);
		fault_take(request->target, &request->fault);
	}
	if (must_rest(connection, request))
		return MHD_YES;
	return answer_data(connection, method, request);
}

static int usage(FILE *stream, int status)
{
	fputs(
	    "usage: upstream [--port N] [--delay MS] [--items N] [--page N] [--token TOKEN]\n",
	    stream);
	return status;
}

static int read_options(int argc, char **argv)
{
	static const struct option options[] = {
	    {"port", required_argument, NULL, 'p'},  {"delay", required_argument, NULL, 'd'},
	    {"items", required_argument, NULL, 'i'}, {"page", required_argument, NULL, 's'},
	    {"token", required_argument, NULL, 't'}, {0},
	};
	int bad = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		struct bytes value = bytes_of(optarg);

		if (c == 'p')
			bad |= num_parse_u64(value, 0, 65535, &settings.port);
		else if (c == 'd')
			bad |= num_parse_u64(value, 0, 600000, &settings.delay_ms);
		else if (c == 'i')
			bad |= num_parse_u64(value, 1, 100000000, &settings.items);
		else if (c == 's')
			bad |= num_parse_u64(value, 1, 100000, &settings.page);
		else if (c == 't')
			settings.token = optarg;
		else
			bad = -1;
	}
	return bad || optind != argc ? -1 : 0;
}

static struct MHD_Daemon *start(void)
{
	struct sockaddr_in loopback = {.sin_family = AF_INET,
				       .sin_port = htons((uint16_t)settings.port),
				       .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, (uint16_t)settings.port,
	    NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback,
	    MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT, 4096u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)128 * 1024, MHD_OPTION_URI_LOG_CALLBACK,
	    request_new, NULL, MHD_OPTION_NOTIFY_COMPLETED, request_free, NULL, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
	sigset_t stops;
	int signal_number;

	if (read_options(argc, argv))
		return usage(stderr, 2);
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stops,
			NULL); /* before there are threads: sigwait alone takes them */
	signal(SIGPIPE, SIG_IGN);

	data_init(settings.items);
	later_init();
	struct MHD_Daemon *daemon = start();
	if (!daemon) {
		fprintf(stderr, "upstream: cannot listen on 127.0.0.1:%u: is the port free?\n",
			(unsigned)settings.port);
		return 1;
	}
	printf("listening on 127.0.0.1:%u\n",
	       MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&stops, &signal_number);
	_exit(0); /* an orderly stop would wait for every delayed and trickling answer */
}
