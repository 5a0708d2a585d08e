#include "source/source.h"

#include "base/clock.h"
#include "base/err.h"
#include "source/fetch.h"
#include "source/fetcher_private.h"
#include "source/http.h"
#include "source/lane.h"

#include <poll.h>

#define NS_PER_MS 1000000U
#define NEVER UINT64_MAX
/* A signal between the check of *cancel and the wait is noticed this late. */
#define CANCEL_CHECK_MS 100

static void start(struct fetcher *fetcher, struct lane *lane, struct fetch *fetch,
		  uint64_t now_ns)
{
	struct bytes etag = {0};
	struct bytes last_modified = {0};
	struct err err = {0};

	fetch->queued_us += now_ns / 1000 - fetch->enqueued_us;
	if (err_is_set(&lane->broken)) {
		err = lane->broken;
		fetcher_fail(fetcher, fetch, SOURCE_CAUSE_CONNECT, &err);
	} else if (fetch_begin(fetch, &lane->origin, &err) < 0) {
		fetcher_fail(fetcher, fetch, SOURCE_CAUSE_REDIRECT, &err);
	} else {
		struct http *http = lane_take(lane, now_ns);

		http->owner = fetch;
		fetch_condition(fetch, &etag, &last_modified);
		http_condition(http, etag, last_modified);
		http_start(http, fetcher->multi, buf_str(&fetch->url), fetch_wants_json(fetch));
	}
}

/* Those that wait now; who is submitted meanwhile has its turn later. */
static void refuse_waiting(struct fetcher *fetcher, struct lane *lane)
{
	struct fetch *fetch = lane_pop_all(lane);

	while (fetch) {
		struct fetch *next = fetch->next;
		struct source_answer reply;
		struct err err = {0};

		fetch->queued_us += clock_mono_us() - fetch->enqueued_us;
		breaker_explain(&lane->breaker, lane->def->name, lane->origin.prefix, &err);
		fetch_fail(fetch, SOURCE_CAUSE_BREAKER, &err, &reply);
		fetcher_answer(fetcher, fetch, &reply);
		fetch = next;
	}
}

/* Starts what may start; returns when the clock alone will let more in, else NEVER. */
static uint64_t admit(struct fetcher *fetcher)
{
	uint64_t due_ns = NEVER;

	for (size_t i = 0; i < fetcher->lane_count; i++) {
		struct lane *lane = fetcher->lanes[i];
		uint64_t open_ns = 0;

		while (lane->first) {
			uint64_t now_ns = clock_mono_ns();

			if (breaker_refuses(&lane->breaker, now_ns)) {
				refuse_waiting(fetcher, lane);
				break;
			}
			if (!lane_is_open(lane, now_ns, &open_ns))
				break;
			start(fetcher, lane, lane_pop(lane), now_ns);
		}
		if (lane->first && open_ns && open_ns < due_ns)
			due_ns = open_ns;
	}
	return due_ns;
}

static void wake(struct fetcher *fetcher)
{
	if (fetcher->delay.count == 0)
		return;
	uint64_t now_ns = clock_mono_ns();
	while (delay_due_ns(&fetcher->delay) <= now_ns)
		fetcher_resume(fetcher, delay_pop(&fetcher->delay));
}

static void sleep_before_retry(struct fetcher *fetcher, struct lane *lane, struct fetch *fetch,
			       uint64_t quiet_ms)
{
	uint64_t now_ns = clock_mono_ns();

	if (quiet_ms)
		lane_hold(lane, now_ns + quiet_ms * NS_PER_MS);
	delay_add(&fetcher->delay, fetch, now_ns + fetch->sleep_ms * NS_PER_MS);
}

/* Nobody sleeps for a source that is not asked again. */
static void wake_lane(struct fetcher *fetcher, const struct lane *lane)
{
	struct delay sleepers = fetcher->delay;

	fetcher->delay = (struct delay){0};
	while (sleepers.count) {
		uint64_t due_ns = delay_due_ns(&sleepers);
		struct fetch *fetch = delay_pop(&sleepers);

		if (fetch->request->source == lane->def)
			fetcher_resume(fetcher, fetch);
		else
			delay_add(&fetcher->delay, fetch, due_ns);
	}
	delay_release(&sleepers);
}

static void answer(struct fetcher *fetcher, struct lane *lane, struct fetch *fetch,
		   struct source_answer *reply, struct err *err)
{
	if (reply->status == SOURCE_FAILED) {
		if (verdict_is_down(reply->cause, reply->http_status) &&
		    breaker_fail(&lane->breaker, err, clock_mono_ns()))
			wake_lane(fetcher, lane);
		fetch_name_error(fetch, err);
	}
	fetcher_answer(fetcher, fetch, reply);
}

static void finish(struct fetcher *fetcher, struct http *http, CURLcode code)
{
	struct fetch *fetch = http->owner;
	struct lane *lane = fetcher_lane(fetcher, fetch->request->source);
	struct source_answer reply;
	struct err err = {0};
	uint64_t quiet_ms = 0;

	http_stop(http, fetcher->multi);
	enum fetch_next next = fetch_advance(fetch, http, code, &lane->origin,
					     &fetcher->backoff, &reply, &quiet_ms, &err);
	lane_learn(lane, http, verdict_health(code, fetch->http_status), clock_mono_ns());
	switch (next) {
	case FETCH_SEND:
		fetcher_resume(fetcher, fetch);
		break;
	case FETCH_SLEEP:
		sleep_before_retry(fetcher, lane, fetch, quiet_ms);
		break;
	case FETCH_ANSWER:
		answer(fetcher, lane, fetch, &reply, &err);
		break;
	}
	lane_give(lane, http);
}

static void collect(struct fetcher *fetcher)
{
	CURLMsg *message = NULL;
	int left = 0;

	while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		struct http *http = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &http);
		finish(fetcher, http, code);
	}
}

static bool is_cancelled(const struct fetcher *fetcher)
{
	return fetcher->cancel && __atomic_load_n(fetcher->cancel, __ATOMIC_RELAXED);
}

/* The caller's wait, cut short by what the fetcher itself waits for. */
static int bound_wait(const struct fetcher *fetcher, int timeout_ms, uint64_t open_ns)
{
	uint64_t wait_ms = timeout_ms < 0 ? NEVER : (uint64_t)timeout_ms;
	uint64_t due_ns = delay_due_ns(&fetcher->delay);
	uint64_t own_ms = NEVER;

	if (fetcher->cancel && wait_ms > CANCEL_CHECK_MS)
		wait_ms = CANCEL_CHECK_MS;
	if (due_ns != NEVER) {
		uint64_t now_ns = clock_mono_ns();
		uint64_t sleep_ns = due_ns > now_ns ? due_ns - now_ns : 0;

		own_ms = (sleep_ns + NS_PER_MS - 1) / NS_PER_MS;
	}
	if (open_ns != NEVER && open_ns / NS_PER_MS + 1 < own_ms)
		own_ms = open_ns / NS_PER_MS + 1;
	if (own_ms < wait_ms)
		wait_ms = own_ms;
	return wait_ms > 60000 ? 60000 : (int)wait_ms;
}

static int wait_for(struct fetcher *fetcher, int timeout_ms, int fd, short events,
		    bool *ret_ready, struct err *err)
{
	size_t count = 0;
	struct curl_waitfd *fds = locals_waits(&fetcher->locals, &count);

	if (fd >= 0) {
		fds[count] = (struct curl_waitfd){.fd = fd};
		if (events & POLLIN)
			fds[count].events |= CURL_WAIT_POLLIN;
		if (events & POLLOUT)
			fds[count].events |= CURL_WAIT_POLLOUT;
	}
	CURLMcode code =
	    curl_multi_poll(fetcher->multi, fds, (unsigned)count + (fd >= 0), timeout_ms, NULL);
	if (code != CURLM_OK)
		return err_set(err, ERR_SOURCE, "waiting: %s", curl_multi_strerror(code));
	if (ret_ready)
		*ret_ready = fd >= 0 && fds[count].revents != 0;
	return 0;
}

int fetcher_turn(struct fetcher *fetcher, int timeout_ms, int fd, short events, bool *ret_ready,
		 struct err *err)
{
	size_t answered = fetcher->answered;
	int running = 0;

	if (is_cancelled(fetcher))
		fetcher_cancel(fetcher);
	wake(fetcher);
	admit(fetcher);
	CURLMcode code = curl_multi_perform(fetcher->multi, &running);
	if (code != CURLM_OK)
		return err_set(err, ERR_SOURCE, "fetching: %s", curl_multi_strerror(code));
	collect(fetcher);
	uint64_t local_ns = locals_turn(&fetcher->locals);
	uint64_t open_ns = admit(fetcher);
	if (local_ns < open_ns)
		open_ns = local_ns;
	if (fetcher->answered != answered || (fetcher->outstanding == 0 && fd < 0))
		timeout_ms = 0;
	return wait_for(fetcher, bound_wait(fetcher, timeout_ms, open_ns), fd, events,
			ret_ready, err);
}

int fetcher_drain(struct fetcher *fetcher, struct err *err)
{
	while (fetcher->outstanding)
		if (fetcher_turn(fetcher, -1, -1, 0, NULL, err) < 0)
			return -1;
	return 0;
}
