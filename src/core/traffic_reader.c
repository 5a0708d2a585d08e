#include "core/traffic_private.h"

#include "base/clock.h"
#include "core/traffic_side.h"
#include "wire/redis.h"
#include "wire/tap.h"

#include <poll.h>
#include <string.h>

#define READ_SIZE ((size_t)64 * 1024)
#define READS_A_TURN 16
#define TURN_MS 10
#define LOOK_MS 50
#define LAST_WAIT_MS 5000 /* for what was asked before the duration was over */
#define LATENCY_STRIKES 3
#define BACKLOG_MAX ((uint64_t)32 * 1024 * 1024)

struct reader {
	const struct traffic_options *options;
	struct traffic *traffic;
	struct traffic_judge judge;
	struct traffic_side side;
	struct tap *tap;
	struct monitor_lines lines;
	struct buf scratch;
	struct monitor_command command;
	char data[READ_SIZE];
	uint64_t client_id;       /* of the MONITOR connection; 0: not told */
	uint64_t opened_us;       /* the lines began */
	uint64_t look_ms;         /* when to look around next */
	uint64_t last_sent_ms;    /* the duration is over: the last question went out */
	unsigned answers;         /* to CLIENT ID and MONITOR */
	enum traffic_end closing; /* why no more reads are counted, while answers still come */
	bool ended;
	struct err err;
};

static void end(struct reader *reader, enum traffic_end why)
{
	if (reader->ended)
		return;
	reader->ended = true;
	/* who is to stop finds the connections given up, before looking why */
	if (why == TRAFFIC_LOST && reader->traffic->stop)
		why = TRAFFIC_INTERRUPTED;
	reader->traffic->end = why;
	if (reader->last_sent_ms == 0)
		reader->traffic->interval_us =
		    reader->opened_us ? clock_mono_us() - reader->opened_us : 0;
	if (err_is_set(&reader->err))
		reader->traffic->err = reader->err;
}

/*
 * No more reads from here on, but the answers to what was asked still come: to
 * leave them out would favour the keys that were known.
 */
static void close_sample(struct reader *reader, enum traffic_end why)
{
	if (reader->last_sent_ms || reader->ended)
		return;
	reader->closing = why;
	reader->judge.closed = true;
	reader->last_sent_ms = clock_mono_ms();
	reader->traffic->interval_us = clock_mono_us() - reader->opened_us;
	if (traffic_side_ask_last(&reader->side, &reader->err) != 0)
		end(reader, TRAFFIC_LOST);
}

/* --- lines --- */

/* Answers to what was asked on this connection, before the first line. */
static void on_answer(struct reader *reader, struct bytes line)
{
	reader->answers++;
	if (reader->answers == 1) {
		for (size_t i = 1; bytes_starts_with(line, BYTES(":")) && i < line.len; i++)
			reader->client_id =
			    reader->client_id * 10 + (uint64_t)(line.ptr[i] - '0');
		return;
	}
	if (bytes_starts_with(line, BYTES("+"))) {
		reader->opened_us = clock_mono_us();
	} else if (bytes_starts_with(line, BYTES("-NOPERM")) ||
		   bytes_starts_with(line, BYTES("-ERR unknown command"))) {
		err_set(&reader->err, ERR_REDIS, "%.*s (ACL SETUSER … +monitor)",
			BYTES_ARG(bytes_sub(line, 1, 200)));
		end(reader, TRAFFIC_DENIED);
	} else {
		err_set(&reader->err, ERR_REDIS, "MONITOR was answered with '%.*s'",
			BYTES_ARG(bytes_sub(line, 0, 200)));
		end(reader, TRAFFIC_LOST);
	}
}

static void look_around(struct reader *reader);

static int on_line(void *ctx, struct bytes line, bool cut)
{
	struct reader *reader = ctx;
	struct traffic *traffic = reader->traffic;

	if (line.len == 0)
		return 0;
	if (reader->answers < 2) {
		on_answer(reader, line);
		return reader->ended ? -1 : 0;
	}
	if (monitor_parse(line, cut, &reader->scratch, &reader->command) != 0) {
		traffic->unreadable++;
		return 0;
	}
	switch (traffic_side_echo(&reader->side, &reader->command, &reader->err)) {
	case SIDE_FOREIGN:
		traffic->lines += !reader->judge.closed;
		traffic_judge_command(&reader->judge, &reader->command);
		break;
	case SIDE_OWN:
		break;
	case SIDE_LAST:
		end(reader, reader->closing);
		break;
	case SIDE_BROKEN:
		end(reader, TRAFFIC_LOST);
		break;
	}
	if (traffic->lines >= reader->options->max_lines)
		close_sample(reader, TRAFFIC_LINES);
	/* on a starved machine a page of lines takes long: the server buffers meanwhile */
	traffic->beat++;
	look_around(reader);
	return reader->ended ? -1 : 0;
}

static void read_lines(struct reader *reader)
{
	for (unsigned i = 0; i < READS_A_TURN && !reader->ended; i++) {
		size_t len = 0;

		if (tap_read(reader->tap, reader->data, sizeof reader->data, &len,
			     &reader->err) != 0) {
			end(reader, TRAFFIC_LOST);
			return;
		}
		if (len == 0)
			return;
		reader->traffic->bytes += len;
		if (reader->traffic->bytes >= reader->options->max_bytes)
			close_sample(reader, TRAFFIC_BYTES);
		monitor_feed(&reader->lines, (struct bytes){reader->data, len}, on_line,
			     reader);
	}
}

/* --- what else may end it --- */

static void look_around(struct reader *reader)
{
	const struct traffic_options *options = reader->options;
	uint64_t now_ms = clock_mono_ms();

	if (reader->traffic->stop)
		end(reader, TRAFFIC_INTERRUPTED);
	if (now_ms < reader->look_ms)
		return;
	reader->look_ms = now_ms + LOOK_MS;
	if (traffic_side_parent_stopped())
		end(reader, TRAFFIC_SUSPENDED);
	if (traffic_side_look(&reader->side, &reader->err) != 0)
		end(reader, TRAFFIC_LOST);
	if (options->max_latency_ms && reader->side.strikes >= LATENCY_STRIKES)
		end(reader, TRAFFIC_LATENCY);
	if (reader->side.backlog > BACKLOG_MAX)
		end(reader, TRAFFIC_BACKLOG);
	if (reader->last_sent_ms && now_ms > reader->last_sent_ms + LAST_WAIT_MS)
		end(reader, reader->closing);
	if (reader->opened_us &&
	    clock_mono_us() - reader->opened_us >= options->duration_ms * 1000)
		close_sample(reader, TRAFFIC_WHOLE);
}

static void turn(struct reader *reader)
{
	struct redis_wait wait = {.fd = -1};
	struct pollfd fds[3] = {{.fd = tap_fd(reader->tap), .events = POLLIN}};

	redis_wait(reader->side.redis, &wait);
	fds[1] = (struct pollfd){.fd = wait.fd, .events = wait.events};
	fds[2] = (struct pollfd){.fd = traffic_side_fd(&reader->side), .events = POLLIN};
	poll(fds, 3, TURN_MS);
	reader->traffic->beat++;
	if (redis_turn(reader->side.redis, &reader->err) != 0)
		end(reader, TRAFFIC_LOST);
	traffic_side_hear(&reader->side);
	read_lines(reader);
	/* what the lines raised goes out at once: the sooner a question, the fewer are
	 * overtaken
	 */
	if (!reader->ended && redis_turn(reader->side.redis, &reader->err) != 0)
		end(reader, TRAFFIC_LOST);
	look_around(reader);
}

static int ask_monitor(struct reader *reader)
{
	const struct bytes id[] = {BYTES("CLIENT"), BYTES("ID")};
	const struct bytes monitor[] = {BYTES("MONITOR")};

	return tap_send(reader->tap, id, 2, &reader->err) != 0 ||
		       tap_send(reader->tap, monitor, 1, &reader->err) != 0
		   ? -1
		   : 0;
}

void traffic_reader_run(const struct nsset *set, const struct target *target,
			const struct traffic_options *options, struct traffic *traffic)
{
	static struct reader reader; /* its process has only one, and 64 KB would be much on a
					stack */

	reader.options = options;
	reader.traffic = traffic;
	reader.judge = (struct traffic_judge){.set = set, .traffic = traffic};
	traffic_keys_init(&reader.judge.keys, options->max_keys);
	if (traffic_side_open(&reader.side, &reader.judge, target, options, &reader.err) != 0 ||
	    tap_open(target, &traffic->stop, &reader.tap, &reader.err) != 0 ||
	    ask_monitor(&reader) != 0)
		end(&reader, reader.side.denied ? TRAFFIC_DENIED : TRAFFIC_LOST);
	reader.side.monitor_id = &reader.client_id;
	while (!reader.ended)
		turn(&reader);
	traffic_judge_end(&reader.judge);
	traffic_side_close(&reader.side);
	tap_close(reader.tap);
	traffic->followed = (double)reader.judge.keys.threshold / (double)UINT64_MAX;
	traffic_keys_release(&reader.judge.keys);
	monitor_lines_release(&reader.lines);
	buf_release(&reader.scratch);
}
