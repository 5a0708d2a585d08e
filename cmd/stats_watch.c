#include "stats_watch.h"

#include "app.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "opt/opt.h"
#include "out/screen.h"
#include "out/stream.h"
#include "out/tty.h"
#include "stats_render.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 50 /* at the terminal's size, while waiting */

struct watch {
	struct app *app;
	const struct stats_show *show;
	struct stats_history history;
	struct stats stats; /* the latest */
	struct findings findings;
	struct server_info before; /* the interval's first figures */
	bool has_before;
	struct err trouble; /* of the last look, and so of what the page lacks */
};

/* --- history --- */

static void push(double *values, size_t count, double value)
{
	if (count == STATS_HISTORY)
		memmove(values, values + 1, (STATS_HISTORY - 1) * sizeof *values);
	values[count < STATS_HISTORY ? count : STATS_HISTORY - 1] = value;
}

static double interval_ratio(const struct watch *watch)
{
	const struct server_info *now = &watch->stats.info;
	int64_t hits = now->hits - watch->before.hits;
	int64_t misses = now->misses - watch->before.misses;

	if (!watch->has_before || now->hits < 0 || watch->before.hits < 0 || hits < 0 ||
	    misses < 0 || hits + misses <= 0)
		return -1;
	return (double)hits / (double)(hits + misses);
}

static void remember(struct watch *watch)
{
	struct stats_history *history = &watch->history;
	const struct stats *stats = &watch->stats;
	const struct traffic *traffic = stats->traffic;

	push(history->commands, history->count, (double)stats->info.ops_per_second);
	push(history->ratio, history->count, interval_ratio(watch));
	push(history->memory, history->count, (double)stats->info.used_memory);
	for (size_t i = 0; i <= nsset_count(stats->set); i++) {
		bool known = traffic && traffic->interval_us > 0;

		push(history->reads[i], history->count,
		     known ? traffic->figures[i].rates.reads : -1);
	}
	if (history->count < STATS_HISTORY)
		history->count++;
	watch->before = stats->info;
	watch->has_before = true;
}

/* --- drawing --- */

#define TROUBLE_LINES 4 /* at most, for a message of usual length on a narrow terminal */

/* What could not be learnt, above figures that are fewer than usual, or of then. */
static void add_trouble(const struct watch *watch, struct buf *text)
{
	struct buf line = {0};
	unsigned width = watch->app->out_terminal.width;

	buf_printf(&line, "! %s; trying again", watch->trouble.text);
	opt_help_text(text, buf_str(&line), 2, width > 1 ? width - 1 : 79);
	buf_release(&line);
}

static int draw(struct watch *watch, struct err *err)
{
	struct app *app = watch->app;
	struct stats_page page = {.stats = &watch->stats,
				  .findings = &watch->findings,
				  .show = watch->show,
				  .history = &watch->history,
				  .width = app->out_terminal.width,
				  .height = app->out_terminal.height};
	struct buf text = {0};

	if (err_is_set(&watch->trouble)) {
		add_trouble(watch, &text);
		page.height -= page.height > TROUBLE_LINES ? TROUBLE_LINES : 0;
	}
	int status = stats_render_page(&app->out_terminal, &page, &text, err);
	if (status == 0) {
		out_tty_foreground(STDOUT_FILENO, app->cancel);
		out_screen_draw(app->out, &app->out_terminal, buf_bytes(&text));
		status = out_stream_flush(app->out, err);
	}
	buf_release(&text);
	return status;
}

static bool was_resized(struct app *app)
{
	struct out_terminal now;

	out_terminal_query(STDOUT_FILENO, &now);
	bool resized =
	    now.width != app->out_terminal.width || now.height != app->out_terminal.height;
	app->out_terminal = now;
	return resized;
}

static int wait_until(struct watch *watch, uint64_t until_ms, struct err *err)
{
	int status = 0;

	while (status == 0 && !*watch->app->cancel && clock_until_ms(until_ms) > 0) {
		int left = clock_until_ms(until_ms);

		poll(NULL, 0, left < LOOK_MS ? left : LOOK_MS);
		if (was_resized(watch->app))
			status = draw(watch, err);
	}
	return status;
}

/* A server that was there comes back; who watches wants to see it. */
static bool may_last(const struct watch *watch, const struct err *err)
{
	return err->kind == ERR_REDIS && watch->history.count > 0;
}

/* The first thing that a look could not learn, though a server answered. */
static struct err trouble_of(const struct stats *stats)
{
	for (size_t i = 0; i < stats->node_count; i++)
		if (err_is_set(&stats->nodes[i].err))
			return stats->nodes[i].err;
	return err_is_set(&stats->own_err) ? stats->own_err : stats->scan_err;
}

static int look(struct watch *watch, const struct stats_want *want, struct err *err)
{
	struct stats next;
	int status =
	    stats_gather(app_namespaces(watch->app), watch->app->redis, want, &next, err);

	if (*watch->app->cancel || (status != 0 && !may_last(watch, err))) {
		stats_release(&next);
		return status;
	}
	watch->trouble = status != 0 ? *err : trouble_of(&next);
	*err = (struct err){0};
	if (status != 0) {
		stats_release(&next);
	} else {
		stats_release(&watch->stats);
		watch->stats = next;
		findings_make(&watch->stats, &watch->findings);
		remember(watch);
	}
	was_resized(watch->app);
	return draw(watch, err);
}

enum exit_code stats_watch(struct app *app, const struct stats_want *want,
			   const struct stats_show *show, uint64_t interval_ms)
{
	struct watch watch = {.app = app, .show = show};
	struct err err = {0};
	int status = 0;

	watch.history.reads =
	    mem_zalloc(nsset_count(app_namespaces(app)) + 1, sizeof *watch.history.reads);
	stats_init(&watch.stats, app_namespaces(app));
	while (status == 0 && !*app->cancel) {
		uint64_t next_ms = clock_mono_ms() + interval_ms;

		status = look(&watch, want, &err);
		if (status == 0)
			status = wait_until(&watch, next_ms, &err);
	}
	free(watch.history.reads);
	findings_release(&watch.findings);
	stats_release(&watch.stats);
	if (status == 0 || err.kind == ERR_INTERRUPTED)
		return EXIT_DONE; /* Ctrl-C is how a watch ends; main tells the signal */
	return app_fail(app, &err);
}
