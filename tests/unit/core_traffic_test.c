#include "check.h"

#include "core/effect.h"
#include "core/monitor.h"
#include "core/topk.h"
#include "core/traffic.h"

/* What MONITOR's lines and counts come to, without a server. */

static struct monitor_command command;
static struct buf scratch;

static int parse(const char *line)
{
	return monitor_parse(bytes_of(line), false, &scratch, &command);
}

TEST(lines_of_tcp_unix_and_scripts)
{
	CHECK_INT(parse("+1339518083.107412 [3 [::1]:60866] \"GET\" \"a b\""), 0);
	CHECK_INT(command.time_us, 1339518083107412);
	CHECK_INT(command.db, 3);
	CHECK_BYTES(command.client, BYTES("[::1]:60866"));
	CHECK_INT(command.argc, 2);
	CHECK_BYTES(command.argv[1], BYTES("a b"));
	CHECK_INT(parse("+1.000001 [0 unix:/tmp/a b] c] \"get\" \"k\""), 0);
	CHECK_BYTES(command.client, BYTES("unix:/tmp/a b] c"));
	CHECK_INT(parse("+1.000001 [0 lua] \"set\" \"\\x00\\\"\\\\\\n\" \"\""), 0);
	CHECK_BYTES(command.client, BYTES("lua"));
	CHECK_BYTES(command.argv[1], BYTES("\0\"\\\n"));
	CHECK_INT(command.argv[2].len, 0);
}

TEST(what_is_no_line_is_refused)
{
	static const char *const bad[] = {"",
					  "+OK",
					  "+1.1 [0 lua] \"get\"",
					  "+1.000001 0 lua \"get\"",
					  "+1.000001 [0 lua]",
					  "-ERR",
					  "+1.000001 [x lua] \"get\""};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_INT(parse(bad[i]), -1);
	CHECK_INT(parse("+1.000001 [0 lua] \"set\" \"k\" \"unclosed"), 0);
	CHECK_INT(command.argc, 2);
	CHECK(command.cut);
}

static int lines_seen;
static size_t longest;
static int on_line(void *ctx, struct bytes line, bool cut)
{
	(void)ctx;
	lines_seen += !cut;
	longest = line.len > longest ? line.len : longest;
	return 0;
}

TEST(lines_come_whole_however_they_are_cut_and_long_ones_are_bounded)
{
	struct monitor_lines lines = {0};
	char big[4096];

	memset(big, 'x', sizeof big);
	for (int i = 0; i < 100; i++)
		monitor_feed(&lines, (struct bytes){big, sizeof big}, on_line, NULL);
	monitor_feed(&lines, BYTES("\r\n+a\r\n+b"), on_line, NULL);
	CHECK_INT(lines_seen, 1);
	CHECK_INT(longest, MONITOR_LINE_MAX);
	monitor_feed(&lines, BYTES("c\r"), on_line, NULL);
	monitor_feed(&lines, BYTES("\n"), on_line, NULL);
	CHECK_INT(lines_seen, 2);
	monitor_lines_release(&lines);
}

static long long life_of(const char *line, bool *ret_known)
{
	long long life = 0;

	parse(line);
	*ret_known =
	    effect_life(effect_find(command.argv[0]), command.argv, command.argc, 1000, &life);
	return life;
}

TEST(the_life_that_a_write_gives)
{
	bool known = false;

	CHECK_INT(life_of("+1.000001 [0 lua] \"SET\" \"k\" \"v\"", &known), -1);
	CHECK(known);
	CHECK_INT(life_of("+1.000001 [0 lua] \"set\" \"k\" \"v\" \"ex\" \"5\"", &known), 6000);
	CHECK_INT(life_of("+1.000001 [0 lua] \"SET\" \"k\" \"v\" \"PXAT\" \"77\"", &known), 77);
	CHECK_INT(life_of("+1.000001 [0 lua] \"PSETEX\" \"k\" \"9\" \"v\"", &known), 1009);
	life_of("+1.000001 [0 lua] \"SET\" \"k\" \"v\" \"KEEPTTL\"", &known);
	CHECK(!known);
	life_of("+1.000001 [0 lua] \"SET\" \"k\" \"v\" \"NX\"", &known);
	CHECK(!known);
	CHECK(effect_find(BYTES("nonesuch")) == NULL);
	CHECK_INT(effect_find(BYTES("hGetAll"))->flags, EFFECT_READ);
}

TEST(the_most_frequent_stand_out_of_many)
{
	static struct topk topk;
	const struct topk_item *best[3];
	char name[16];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "rare%d", i);
		topk_add(&topk, bytes_of(name));
		topk_add(&topk, BYTES("hot"));
		if (i % 2)
			topk_add(&topk, BYTES("warm"));
	}
	CHECK_INT(topk_best(&topk, best, 3), 2);
	CHECK_BYTES(((struct bytes){best[0]->text, best[0]->len}), BYTES("hot"));
	CHECK_BYTES(((struct bytes){best[1]->text, best[1]->len}), BYTES("warm"));
	CHECK(best[0]->count >= 20000 && best[0]->count - best[0]->error <= 20000);
}

TEST(ratios_take_fills_for_what_they_mostly_are)
{
	struct traffic_figures figures = {.hits = 50, .misses = 10, .fills = 40};
	struct traffic_ratio ratio = traffic_ratio(&figures);

	CHECK(ratio.known && ratio.ratio > 0.499 && ratio.ratio < 0.501);
	CHECK(ratio.low > 0.40 && ratio.low < 0.41 && ratio.high > 0.59 && ratio.high < 0.60);
	figures = (struct traffic_figures){.ambiguous = 5};
	CHECK(!traffic_ratio(&figures).known);
	figures = (struct traffic_figures){.hits = 50, .misses = 50, .uncertain = 100};
	ratio = traffic_ratio(&figures);
	CHECK(ratio.low < 0.26 && ratio.high > 0.74);
}

int main(void)
{
	RUN(lines_of_tcp_unix_and_scripts);
	RUN(what_is_no_line_is_refused);
	RUN(lines_come_whole_however_they_are_cut_and_long_ones_are_bounded);
	RUN(the_life_that_a_write_gives);
	RUN(the_most_frequent_stand_out_of_many);
	RUN(ratios_take_fills_for_what_they_mostly_are);
	buf_release(&scratch);
	CHECK_DONE();
}
