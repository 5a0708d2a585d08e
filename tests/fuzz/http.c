/* An HTTP answer, headers and all, from a server that says the input and closes. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "listen.h"
#include "source/http.h"
#include "source/origin.h"
#include "source/source.h"
#include "source/verdict.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bytes says;

static void say(struct bytes text)
{
	listen_pause(); /* whom it served has gone */
	says = text;
	listen_go_on();
}

static void serve(int client)
{
	char request[4096];

	if (recv(client, request, sizeof request, 0) > 0)
		(void)!send(client, says.ptr, says.len, MSG_NOSIGNAL);
}

static CURLcode transfer(CURLM *multi)
{
	int running = 1, left = 0;
	CURLcode code = CURLE_OK;

	while (running) {
		curl_multi_perform(multi, &running);
		if (running)
			curl_multi_poll(multi, NULL, 0, 100, NULL);
	}
	for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;)
		code = message->data.result;
	return code;
}

static void look(struct http *http, CURLcode code, const struct source_request *request)
{
	struct http_result result;
	enum source_cause cause;
	struct buf url = {0};
	struct origin origin;
	struct err err = {0};

	http_finish(http, code, &result);
	enum verdict verdict = verdict_of(&result, request, true, &cause, &err);
	EXPECT((verdict != VERDICT_RETRY && verdict != VERDICT_FAIL) || err_is_set(&err));
	verdict_health(code, result.status);
	http_header(http, "ETag");
	EXPECT(http_max_age_s(http) >= -1);
	http_retry_after_s(http);
	const char *location = http_header(http, "Location");
	EXPECT(origin_init(&origin, request->source->base_url, &err) == 0);
	if (location)
		origin_follow(&origin, location, &url, &err);
	origin_release(&origin);
	buf_release(&url);
}

FUZZ(http)
{
	static char base[64];
	static CURLM *multi;
	struct origin origin;
	struct err err = {0};

	if (!multi) {
		signal(SIGPIPE, SIG_IGN);
		multi = curl_multi_init();
		snprintf(base, sizeof base, "http://127.0.0.1:%u", listen_start(serve));
	}
	struct source_def def = {.name = "api",
				 .base_url = base,
				 .timeout_ms = 5000,
				 .connect_ms = 5000,
				 .max_body = 10000};
	struct source_request request = {.source = &def, .path = "/x"};

	say(input);
	EXPECT(origin_init(&origin, base, &err) == 0);
	struct http *http = http_new(&def, &origin, NULL, "fuzz");
	http_condition(http, BYTES("\"tag\""), (struct bytes){NULL, 0});
	http_start(http, multi, base, input.len % 2);
	CURLcode code = transfer(multi);
	look(http, code, &request);
	http_stop(http, multi);
	http_free(http);
	say((struct bytes){NULL, 0});
	origin_release(&origin);
}
