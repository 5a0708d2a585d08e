#include "base/buf.h"
#include "base/num.h"
#include "check.h"

TEST(u64_values)
{
	uint64_t value = 7;

	CHECK_INT(num_parse_u64(BYTES("0"), 0, 10, &value), 0);
	CHECK_INT(value, 0);
	CHECK_INT(num_parse_u64(BYTES("18446744073709551615"), 0, UINT64_MAX, &value), 0);
	CHECK(value == UINT64_MAX);
	CHECK_INT(num_parse_u64(BYTES("007"), 0, 10, &value), 0);
	CHECK_INT(value, 7);
}

TEST(u64_refusals)
{
	static const char *const bad[] = {
	    "",
	    "-1",
	    "-0",
	    "+1",
	    " 1",
	    "1 ",
	    "1.0",
	    "0x10",
	    "1e3",
	    "a",
	    "1a",
	    "nan",
	    "١",
	    "18446744073709551616",
	    "99999999999999999999999999999999",
	};
	uint64_t value = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_INT(num_parse_u64(bytes_of(bad[i]), 0, UINT64_MAX, &value), -1);
	CHECK_INT(num_parse_u64(BYTES("1\0"), 0, UINT64_MAX, &value), -1);
	CHECK_INT(num_parse_u64(BYTES("4"), 5, 6, &value), -1);
	CHECK_INT(num_parse_u64(BYTES("7"), 5, 6, &value), -1);
	CHECK_INT(value, 7);
}

TEST(i64_values_and_refusals)
{
	static const char *const bad[] = {"",   "-",     "--1",
					  "+1", "- 1",   "-9223372036854775809",
					  "1-", "-0x1f", "9223372036854775808"};
	int64_t value = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_INT(num_parse_i64(bytes_of(bad[i]), INT64_MIN, INT64_MAX, &value), -1);
	CHECK_INT(num_parse_i64(BYTES("-11"), -10, 10, &value), -1);
	CHECK_INT(value, 7);
	CHECK_INT(num_parse_i64(BYTES("-9223372036854775808"), INT64_MIN, INT64_MAX, &value),
		  0);
	CHECK(value == INT64_MIN);
	CHECK_INT(num_parse_i64(BYTES("9223372036854775807"), INT64_MIN, INT64_MAX, &value), 0);
	CHECK(value == INT64_MAX);
	CHECK_INT(num_parse_i64(BYTES("-0"), -1, 1, &value), 0);
	CHECK_INT(value, 0);
}

TEST(real_values_and_refusals)
{
	static const char *const bad[] = {
	    "",    "nan",  "inf", "-inf", "0x1p3", "1e400", "-1e400", ".5",  "5.", "1e",
	    "1e+", "1.e5", " 1",  "1 ",   "1,5",   "+1",    "1.5.",   "1d5", "-",  "--1"};
	double value = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_INT(num_parse_real(bytes_of(bad[i]), -1e308, 1e308, &value), -1);
	CHECK_INT(num_parse_real(BYTES("1.1"), 0, 1, &value), -1);
	CHECK(value == 7);
	CHECK(num_parse_real(BYTES("0.8"), 0, 1, &value) == 0 && value == 0.8);
	CHECK(num_parse_real(BYTES("-12"), -20, 20, &value) == 0 && value == -12);
	CHECK(num_parse_real(BYTES("1e-3"), 0, 1, &value) == 0 && value == 1e-3);
	CHECK(num_parse_real(BYTES("2.5E+2"), 0, 1000, &value) == 0 && value == 250);
}

struct parse_case {
	const char *text;
	uint64_t value;
};

TEST(duration_values)
{
	static const struct parse_case good[] = {
	    {"0", 0},           {"300", 300000},
	    {"1.5", 1500},      {"250ms", 250},
	    {"5s", 5000},       {"1.5m", 90000},
	    {"2h", 7200000},    {"7d", 604800000},
	    {"1h30m", 5400000}, {"1d2h3m4s5ms", 93784005},
	    {"0.333m", 19980},  {"1.0005s", 1001},
	    {"1m0.5s", 60500},  {"365000d", NUM_DURATION_MAX_MS},
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		uint64_t ms = 12345;

		CHECK_INT(num_parse_duration_ms(bytes_of(good[i].text), &ms), 0);
		CHECK_INT(ms, good[i].value);
	}
}

TEST(duration_refusals)
{
	static const char *const bad[] = {
	    "",        "s",
	    "-5s",     "5 s",
	    " 5s",     "5s ",
	    "5x",      "5S",
	    "1h30",    "30m1h",
	    "1m1m",    "1.m",
	    ".5m",     "1..5m",
	    "0.1ms",   "0.0001s",
	    "365001d", "18446744073709551616",
	    "1e3s",    "0x10s",
	    "1w",      "1h.5m",
	    "1.5m.",   "213503982334601d",
	    "5ms5s",   "1.0000000001s",
	};
	uint64_t ms = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (num_parse_duration_ms(bytes_of(bad[i]), &ms) == 0)
			printf("# accepted %s\n", bad[i]);
		CHECK_INT(num_parse_duration_ms(bytes_of(bad[i]), &ms), -1);
	}
	CHECK_INT(ms, 7);
}

TEST(size_values)
{
	static const struct parse_case good[] = {
	    {"0", 0},         {"512", 512},          {"512B", 512},
	    {"64KiB", 65536}, {"16MiB", 16777216},   {"1GiB", 1073741824},
	    {"64kB", 64000},  {"1MB", 1000000},      {"2GB", 2000000000},
	    {"1.5KiB", 1536}, {"0.5GiB", 536870912},
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		uint64_t size = 12345;

		CHECK_INT(num_parse_size(bytes_of(good[i].text), &size), 0);
		CHECK_INT(size, good[i].value);
	}
}

TEST(size_refusals)
{
	static const char *const bad[] = {
	    "",      "B",
	    "-1",    "1 KiB",
	    "1K",    "1KB",
	    "1kib",  "1.5",
	    "1.5B",  "1KiBB",
	    "1KiB1", "0x1B",
	    "1TiB!", "99999999999GiB",
	    "1e3B",  "18446744073709551616",
	};
	uint64_t size = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_INT(num_parse_size(bytes_of(bad[i]), &size), -1);
	CHECK_INT(size, 7);
}

TEST(ratio_values_and_refusals)
{
	static const char *const bad[] = {"",    "%",    "101%", "1.1",
					  "-1%", "80 %", "80%%", "nan%"};
	double ratio = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_INT(num_parse_ratio(bytes_of(bad[i]), &ratio), -1);
	CHECK(ratio == 7);
	CHECK(num_parse_ratio(BYTES("80%"), &ratio) == 0 && ratio == 0.8);
	CHECK(num_parse_ratio(BYTES("0.8"), &ratio) == 0 && ratio == 0.8);
	CHECK(num_parse_ratio(BYTES("100%"), &ratio) == 0 && ratio == 1);
	CHECK(num_parse_ratio(BYTES("0"), &ratio) == 0 && ratio == 0);
}

static void check_duration(int64_t ms, const char *want)
{
	struct buf buf = {0};

	num_format_duration_ms(&buf, ms);
	CHECK_STR(buf_str(&buf), want);
	buf_release(&buf);
}

TEST(duration_texts)
{
	check_duration(0, "0ms");
	check_duration(850, "850ms");
	check_duration(999, "999ms");
	check_duration(1000, "1s");
	check_duration(4299, "4.2s");
	check_duration(59999, "59.9s");
	check_duration(60000, "1m");
	check_duration(300000, "5m");
	check_duration(90500, "1m30s");
	check_duration(5400000, "1h30m");
	check_duration(3600999, "1h");
	check_duration(187200000 + 59999, "2d4h");
	check_duration(-1500, "-1.5s");
	check_duration(INT64_MIN, "-106751991167d7h");
}

static void check_size(uint64_t size, const char *want)
{
	struct buf buf = {0};

	num_format_size(&buf, size);
	CHECK_STR(buf_str(&buf), want);
	buf_release(&buf);
}

TEST(size_texts)
{
	check_size(0, "0 B");
	check_size(512, "512 B");
	check_size(1023, "1023 B");
	check_size(1024, "1 KiB");
	check_size(1434, "1.4 KiB");
	check_size(1464, "1.43 KiB");
	check_size(12 << 20, "12 MiB");
	check_size((12 << 20) + (300 << 10), "12.3 MiB");
	check_size(10 * 1024 - 1, "10 KiB");
	check_size(100 * 1024 - 1, "100 KiB");
	check_size(123 * 1024 + 600, "124 KiB");
	check_size(1024 * 1024 - 1, "1 MiB");
	check_size(1023 * 1024, "1023 KiB");
	check_size(UINT64_MAX, "16 EiB");
}

static void check_count(int64_t count, const char *want)
{
	struct buf buf = {0};

	num_format_count(&buf, count);
	CHECK_STR(buf_str(&buf), want);
	buf_release(&buf);
}

TEST(count_texts)
{
	check_count(0, "0");
	check_count(999, "999");
	check_count(1000, "1,000");
	check_count(12345678, "12,345,678");
	check_count(-123456, "-123,456");
	check_count(INT64_MIN, "-9,223,372,036,854,775,808");
}

int main(void)
{
	RUN(u64_values);
	RUN(u64_refusals);
	RUN(i64_values_and_refusals);
	RUN(real_values_and_refusals);
	RUN(duration_values);
	RUN(duration_refusals);
	RUN(size_values);
	RUN(size_refusals);
	RUN(ratio_values_and_refusals);
	RUN(duration_texts);
	RUN(size_texts);
	RUN(count_texts);
	CHECK_DONE();
}
