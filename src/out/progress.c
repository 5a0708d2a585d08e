#include "out/progress.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "out/stderr.h"
#include "out/terminal.h"
#include "out/tty.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	REDRAW_MS = 100,
	FIRST_MS = 200, /* a quick run shows no bar at all */
	LINE_MS = 5000,
	SMOOTH_MS = 3000, /* the rate is an average over about this long */
	BAR_LEAST = 8,
	BAR_MOST = 30,
};

struct out_progress {
	enum out_progress_mode mode;
	struct out_terminal terminal;
	char *verb;
	uint64_t total;
	uint64_t done;
	uint64_t failed;
	uint64_t last_ms;   /* of the last line shown */
	uint64_t last_done; /* then */
	uint64_t interval_ms;
	double rate; /* per second, smoothed; 0 until known */
};

/* Standard error has one line to draw on; out_message must be able to clear it. */
static const struct out_progress *drawn;

struct out_progress *out_progress_new(enum out_progress_mode mode,
				      const struct out_terminal *terminal, const char *verb,
				      uint64_t total)
{
	struct out_progress *progress = mem_zalloc(1, sizeof *progress);

	progress->mode = mode;
	progress->terminal = *terminal;
	progress->verb = mem_strdup(verb);
	progress->total = total;
	progress->last_ms = clock_mono_ms();
	progress->interval_ms = mode == OUT_PROGRESS_LINES ? LINE_MS : FIRST_MS;
	return progress;
}

void out_progress_hide(void)
{
	if (drawn)
		out_stderr_write(BYTES("\r\033[K"));
	drawn = NULL;
}

static void update_rate(struct out_progress *progress, uint64_t now_ms)
{
	double elapsed_ms = (double)(now_ms - progress->last_ms);
	double rate = (double)(progress->done - progress->last_done) * 1000 / elapsed_ms;
	double weight = elapsed_ms / (elapsed_ms + SMOOTH_MS);

	progress->rate =
	    progress->rate > 0 ? progress->rate + weight * (rate - progress->rate) : rate;
	progress->last_ms = now_ms;
	progress->last_done = progress->done;
}

enum part { PART_PERCENT, PART_COUNT, PART_RATE, PART_ETA, PART_FAILED, PARTS };

static void put_part(struct buf *buf, const struct out_progress *progress, enum part part)
{
	uint64_t left = progress->total > progress->done ? progress->total - progress->done : 0;

	if (part == PART_PERCENT && progress->total) {
		double share = (double)progress->done / (double)progress->total;

		buf_printf(buf, "%.0f %%", share < 1 ? share * 100 : 100.0);
	} else if (part == PART_COUNT) {
		num_format_count(buf, (int64_t)progress->done);
		if (progress->total) {
			buf_add_char(buf, '/');
			num_format_count(buf, (int64_t)progress->total);
		}
	} else if (part == PART_RATE && progress->rate > 0) {
		num_format_count(buf, (int64_t)(progress->rate + 0.5));
		buf_add_str(buf, "/s");
	} else if (part == PART_ETA && left && progress->rate > 0) {
		double eta_s = (double)left / progress->rate;

		buf_add_str(buf, "ETA ");
		num_format_duration_ms(buf,
				       eta_s < 1e9 ? (int64_t)(eta_s + 0.5) * 1000 : INT64_MAX);
	} else if (part == PART_FAILED && progress->failed) {
		num_format_count(buf, (int64_t)progress->failed);
		buf_add_str(buf, " failed");
	}
}

static void put_bar(struct buf *buf, const struct out_progress *progress, size_t cells)
{
	static const char *const full[] = {"#", "█"};
	static const char *const rest[] = {"-", "░"};
	double share = (double)progress->done / (double)progress->total;
	size_t filled = share < 1 ? (size_t)(share * (double)cells) : cells;

	for (size_t i = 0; i < cells; i++)
		buf_add_str(buf, (i < filled ? full : rest)[progress->terminal.utf8]);
}

/* What fits of the parts, the more important ones first, then a bar in the room left over. */
static void put_fitting(struct buf *line, const struct out_progress *progress, size_t room)
{
	static const enum part by_weight[] = {PART_PERCENT, PART_FAILED, PART_ETA, PART_COUNT,
					      PART_RATE};
	struct buf parts[PARTS] = {0};
	bool shown[PARTS] = {0};
	size_t used = bytes_of(progress->verb).len;

	for (size_t i = 0; i < PARTS; i++) {
		struct buf *part = &parts[by_weight[i]];

		put_part(part, progress, by_weight[i]);
		shown[by_weight[i]] = part->len && used + 2 + part->len <= room;
		used += shown[by_weight[i]] ? 2 + part->len : 0;
	}
	buf_add(line, bytes_sub(bytes_of(progress->verb), 0, room));
	if (progress->mode == OUT_PROGRESS_BAR && progress->total &&
	    used + 2 + BAR_LEAST <= room) {
		size_t cells = room - used - 2;

		buf_add_str(line, "  ");
		put_bar(line, progress, cells < BAR_MOST ? cells : BAR_MOST);
	}
	for (size_t i = 0; i < PARTS; i++) {
		if (shown[i])
			buf_printf(line, "  %s", buf_str(&parts[i]));
		buf_release(&parts[i]);
	}
}

static void show(struct out_progress *progress)
{
	bool bar = progress->mode == OUT_PROGRESS_BAR;
	struct buf line = {0};

	if (bar && out_tty_is_behind(STDERR_FILENO))
		return;
	/* The last column stays free: a character there makes some terminals wrap. */
	buf_add_str(&line, bar ? "\r" : "");
	put_fitting(&line, progress, bar ? progress->terminal.width - 1 : SIZE_MAX / 2);
	buf_add_str(&line, bar ? "\033[K" : "\n");
	out_stderr_write(buf_bytes(&line));
	buf_release(&line);
	if (bar)
		drawn = progress;
}

void out_progress_update(struct out_progress *progress, uint64_t done, uint64_t failed)
{
	if (progress->mode == OUT_PROGRESS_OFF)
		return;
	uint64_t now_ms = clock_mono_ms();
	progress->done = done;
	progress->failed = failed;
	if (now_ms - progress->last_ms < progress->interval_ms)
		return;
	update_rate(progress, now_ms);
	show(progress);
	if (progress->mode == OUT_PROGRESS_BAR)
		progress->interval_ms = REDRAW_MS;
}

void out_progress_total(struct out_progress *progress, uint64_t total)
{
	progress->total = total;
}

void out_progress_free(struct out_progress *progress)
{
	if (!progress)
		return;
	if (drawn == progress)
		out_progress_hide();
	free(progress->verb);
	free(progress);
}
