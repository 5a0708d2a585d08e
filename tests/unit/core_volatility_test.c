#include "check.h"

#include "core/namespace.h"
#include "core/volatility.h"

#include <string.h>

/* How a TTL between 1 and 15 minutes follows what refreshes find. */
static const struct ns ns = {
    .ttl_kind = NS_TTL_ADAPTIVE, .ttl_min_ms = 60000, .ttl_ms = 900000};

static struct volatility after(const char *found)
{
	struct volatility now = {0};

	for (; *found; found++)
		now = volatility_next(&ns, &now,
				      *found == '='   ? VOLATILITY_SAME
				      : *found == '!' ? VOLATILITY_CHANGED
						      : VOLATILITY_FIRST);
	return now;
}

static void becomes(const char *found, uint64_t ttl_ms, uint64_t same, uint64_t refreshes,
		    uint64_t changes)
{
	struct volatility now = after(found);

	CHECK_INT((int64_t)now.ttl_ms, (int64_t)ttl_ms);
	CHECK_INT((int64_t)now.same, (int64_t)same);
	CHECK_INT((int64_t)now.refreshes, (int64_t)refreshes);
	CHECK_INT((int64_t)now.changes, (int64_t)changes);
}

TEST(grows_while_the_same_and_shrinks_on_change)
{
	becomes("1", 60000, 0, 0, 0);
	becomes("1=", 120000, 1, 1, 0);
	becomes("1===", 480000, 3, 3, 0);
	becomes("1====", 900000, 4, 4, 0);
	becomes("1======", 900000, 6, 6, 0);
	becomes("1====!", 450000, 0, 5, 1);
	becomes("1====!!", 225000, 0, 6, 2);
	becomes("1====!!!!!", 60000, 0, 9, 5);
	becomes("1!", 60000, 0, 1, 1);
	becomes("1!=", 120000, 1, 2, 1);
	becomes("1===1", 60000, 0, 0, 0);
}

TEST(other_bounds_than_remembered)
{
	struct volatility much = {.ttl_ms = INT64_MAX};
	struct volatility little = {.ttl_ms = 1};

	CHECK_INT((int64_t)volatility_next(&ns, &much, VOLATILITY_SAME).ttl_ms, 900000);
	CHECK_INT((int64_t)volatility_next(&ns, &much, VOLATILITY_CHANGED).ttl_ms, 900000);
	CHECK_INT((int64_t)volatility_next(&ns, &little, VOLATILITY_SAME).ttl_ms, 120000);
	CHECK_INT((int64_t)volatility_next(&ns, &little, VOLATILITY_CHANGED).ttl_ms, 60000);
}

TEST(a_line_comes_back)
{
	struct volatility written = {
	    .ttl_ms = 240000, .same = 2, .refreshes = UINT32_MAX, .changes = 1};
	struct volatility read = {0};
	struct buf line = {0};

	volatility_write(&line, &written);
	CHECK_STR(buf_str(&line), "240000 2 4294967295 1");
	CHECK(volatility_read(buf_bytes(&line), &read));
	CHECK(memcmp(&read, &written, sizeof read) == 0);
	buf_release(&line);
}

TEST(what_is_no_line_is_none)
{
	static const char *const lines[] = {
	    "",       "1",        "1 2 3",     "1 2 3 4 5", "1 2 3 x",
	    "1  2 3", "-1 2 3 4", "1 2 3 4\n", " 1 2 3 4",  "99999999999999999999 1 1 1"};
	struct volatility read = {.ttl_ms = 7};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		CHECK(!volatility_read(bytes_of(lines[i]), &read));
	CHECK_INT((int64_t)read.ttl_ms, 7);
}

TEST(only_adaptive_namespaces_remember)
{
	static const struct ns fixed = {.ttl_kind = NS_TTL_FIXED, .ttl_ms = 900000};

	CHECK_INT((int64_t)volatility_memory_ms(&fixed), 0);
	CHECK_INT((int64_t)volatility_memory_ms(&ns), 3600000);
}

int main(void)
{
	RUN(grows_while_the_same_and_shrinks_on_change);
	RUN(other_bounds_than_remembered);
	RUN(a_line_comes_back);
	RUN(what_is_no_line_is_none);
	RUN(only_adaptive_namespaces_remember);
	CHECK_DONE();
}
