#include "check.h"

#include "base/mem.h"
#include "core/effect.h"
#include "core/namespace.h"
#include "core/traffic_private.h"

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
	CHECK_INT(effect_find(BYTES("HGETEX"))->flags, EFFECT_READ); /* Redis 8, Valkey 9 */
	CHECK_INT(effect_find(BYTES("DELIFEQ"))->flags, EFFECT_DELETE);
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

/* --- what a stream of commands tells --- */

static struct nsset *no_names;
static struct traffic_judge judge;
static uint64_t asked; /* the key of the latest question */

static bool on_question(void *ctx, uint64_t hash, struct bytes key)
{
	(void)ctx;
	(void)key;
	asked = hash;
	return true;
}

static void on_measure(void *ctx, uint64_t hash, struct bytes key)
{
	(void)ctx;
	(void)hash;
	(void)key;
}

/* A new sample without namespaces: every key is of the unclassified, whose figures these are.
 */
static struct traffic_figures *begin_sample(void)
{
	judge = (struct traffic_judge){.set = no_names,
				       .traffic = traffic_new(no_names),
				       .probe = on_question,
				       .measure = on_measure};
	traffic_keys_init(&judge.keys, 1024);
	return &judge.traffic->figures[0];
}

static void end_sample(void)
{
	traffic_keys_release(&judge.keys);
	traffic_free(judge.traffic);
	buf_release(&judge.script_name);
}

static void see(const char *line)
{
	parse(line);
	traffic_judge_command(&judge, &command);
}

TEST(a_read_is_what_the_answer_or_the_writes_before_it_say)
{
	struct traffic_figures *figures = begin_sample();

	see("+1.000000 [0 a:1] \"GET\" \"k\"");
	traffic_judge_answer(&judge, asked,
			     &(struct traffic_answer){
				 .time_us = 1000100, .present = true, .expires_ms = LIFE_NONE});
	see("+1.100000 [0 a:1] \"GET\" \"k\"");
	CHECK_INT(figures->hits, 2);
	see("+1.200000 [0 b:1] \"DEL\" \"k\"");
	see("+1.300000 [0 a:1] \"GET\" \"k\"");
	CHECK_INT(figures->misses, 1);
	/* its reader, or another, writes it before the answer */
	see("+1.400000 [0 a:1] \"GET\" \"filled\"");
	see("+1.400100 [0 a:1] \"SET\" \"filled\" \"v\"");
	see("+1.500000 [0 a:1] \"GET\" \"raced\"");
	see("+1.500100 [0 b:1] \"SET\" \"raced\" \"v\"");
	CHECK_INT(figures->fills, 1);
	CHECK_INT(figures->ambiguous, 1);
	CHECK_INT(figures->uncertain, 0);
	CHECK_INT(figures->reads, 5);
	end_sample();
}

TEST(a_read_around_which_the_key_ends_is_uncertain)
{
	struct traffic_figures *figures = begin_sample();

	/* a key is followed once it was read */
	see("+0.900000 [0 a:1] \"GET\" \"k\"");
	traffic_judge_answer(&judge, asked, &(struct traffic_answer){.time_us = 900100});
	CHECK_INT(figures->misses, 1);
	/* a life that ends within the slack of the clocks */
	see("+1.000000 [0 a:1] \"SET\" \"k\" \"v\" \"PX\" \"100\"");
	see("+1.050000 [0 a:1] \"GET\" \"k\"");
	CHECK_INT(figures->hits, 1);
	see("+1.098000 [0 a:1] \"GET\" \"k\"");
	CHECK_INT(figures->uncertain, 1);
	traffic_judge_answer(&judge, asked, &(struct traffic_answer){.time_us = 1098100});
	see("+1.300000 [0 a:1] \"GET\" \"k\"");
	CHECK_INT(figures->misses, 2);
	/* gone when the answer comes, and the life it had once may have ended between the two
	 */
	see("+2.000000 [0 a:1] \"SET\" \"k\" \"v\" \"PX\" \"500\"");
	see("+2.100000 [0 a:1] \"EXPIRE\" \"k\" \"1\" \"NX\"");
	see("+2.499000 [0 a:1] \"GET\" \"k\"");
	traffic_judge_answer(&judge, asked, &(struct traffic_answer){.time_us = 2501000});
	CHECK_INT(figures->uncertain, 2);
	/* expired or evicted while the question was under way */
	see("+3.000000 [0 a:1] \"GET\" \"x\"");
	traffic_judge_event(&judge, BYTES("x"), true);
	CHECK_INT(figures->uncertain, 3);
	CHECK_INT(figures->evicted, 1);
	/* no answer, and none until the end */
	see("+4.000000 [0 a:1] \"GET\" \"y\"");
	traffic_judge_answer(&judge, asked, &(struct traffic_answer){.failed = true});
	see("+5.000000 [0 a:1] \"GET\" \"z\"");
	traffic_judge_end(&judge);
	CHECK_INT(figures->uncertain, 5);
	CHECK_INT(figures->hits + figures->misses + figures->uncertain, figures->reads);
	end_sample();
}

TEST(several_servers_add_up)
{
	static struct topk more;
	const struct topk_item *best[2];
	struct traffic *sum = traffic_new(no_names);
	struct traffic *parts[2] = {traffic_new(no_names), traffic_new(no_names)};

	for (unsigned i = 0; i < 2; i++) {
		struct traffic *part = parts[i];

		part->servers = 1;
		part->interval_us = 1000000 * (i + 1);
		part->followed = i ? 0.5 : 1;
		part->notifications = i == 0;
		part->end = i ? TRAFFIC_LINES : TRAFFIC_DENIED;
		part->figures[0] =
		    (struct traffic_figures){.reads = 10, .hits = 6, .misses = 4};
		topk_add(&part->figures[0].hot, BYTES("both"));
		traffic_settle(part);
		traffic_add(sum, part);
	}
	CHECK_INT(sum->servers, 2);
	CHECK_INT(sum->end, TRAFFIC_LINES);
	CHECK_INT(sum->interval_us, 2000000);
	CHECK(sum->followed < 0.51 && !sum->notifications);
	CHECK_INT(sum->figures[0].reads, 20);
	CHECK_INT(sum->figures[0].hits, 12);
	CHECK(sum->figures[0].rates.reads > 14.9 && sum->figures[0].rates.reads < 15.1);
	topk_add(&more, BYTES("one"));
	topk_merge(&more, &sum->figures[0].hot);
	CHECK_INT(topk_best(&more, best, 2), 2);
	CHECK_BYTES(((struct bytes){best[0]->text, best[0]->len}), BYTES("both"));
	CHECK_INT(best[0]->count, 2);
	traffic_free(parts[0]);
	traffic_free(parts[1]);
	traffic_free(sum);
}

int main(void)
{
	no_names = nsset_new(mem_zalloc(0, sizeof(struct ns)), 0);
	RUN(lines_of_tcp_unix_and_scripts);
	RUN(what_is_no_line_is_refused);
	RUN(lines_come_whole_however_they_are_cut_and_long_ones_are_bounded);
	RUN(the_life_that_a_write_gives);
	RUN(the_most_frequent_stand_out_of_many);
	RUN(ratios_take_fills_for_what_they_mostly_are);
	RUN(a_read_is_what_the_answer_or_the_writes_before_it_say);
	RUN(a_read_around_which_the_key_ends_is_uncertain);
	RUN(several_servers_add_up);
	nsset_free(no_names);
	buf_release(&scratch);
	CHECK_DONE();
}
