/* Drawn figures: a line of bars, and one bar. */
#include "out/spark.h"

#include "base/buf.h"
#include "check.h"

static void check_spark(const uint64_t *values, size_t count, bool ascii, const char *want)
{
	struct buf buf = {0};

	out_spark(&buf, values, count, ascii);
	CHECK_STR(buf_str(&buf), want);
	buf_release(&buf);
}

TEST(a_spark_is_as_high_as_its_share_of_the_most)
{
	static const uint64_t values[] = {0, 1, 50, 100, 800};
	static const uint64_t none[] = {0, 0};

	check_spark(values, 5, false, "·▁▁▁█");
	check_spark(values, 4, false, "·▁▄█");
	check_spark(values, 5, true, ".1118");
	check_spark(none, 2, false, "··");
	check_spark(NULL, 0, true, "");
}

static void check_bar(double share, bool ascii, const char *want)
{
	struct buf buf = {0};

	out_bar(&buf, share, 4, ascii);
	CHECK_STR(buf_str(&buf), want);
	buf_release(&buf);
}

TEST(a_bar_is_as_long_as_its_share)
{
	check_bar(0, false, "");
	check_bar(1e-9, false, "▏");
	check_bar(0.5, false, "██");
	check_bar(0.6, false, "██▍");
	check_bar(1, false, "████");
	check_bar(7, false, "████");
	check_bar(-1, false, "");
	check_bar(0.5, true, "##");
	check_bar(0.65, true, "###");
}

int main(void)
{
	RUN(a_spark_is_as_high_as_its_share_of_the_most);
	RUN(a_bar_is_as_long_as_its_share);
	CHECK_DONE();
}
