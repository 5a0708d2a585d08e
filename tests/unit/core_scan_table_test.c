#include "check.h"

#include "core/scan_table.h"
#include "wire/redis.h"

static struct scan_table table_of(uint32_t version, bool valkey, bool cluster)
{
	const struct redis_server server = {version, valkey, cluster};
	struct scan_table table = {.keys_min = UINT64_MAX};

	scan_table_of(&table, &server);
	return table;
}

/* A walk that met this cursor, from a table of between so many keys. */
static bool is_steady(struct scan_table table, uint64_t cursor, int64_t min, int64_t max)
{
	scan_table_cursor(&table, cursor);
	scan_table_keys(&table, min);
	scan_table_keys(&table, max);
	scan_table_cursor(&table, 0);
	return scan_table_is_steady(&table);
}

TEST(a_resize_is_noticed)
{
	struct scan_table table = {.keys_min = UINT64_MAX};

	scan_table_cursor(&table, 0);
	CHECK(scan_table_is_steady(&table)); /* one page is one moment */
	scan_table_cursor(&table, 1023);
	CHECK(!scan_table_is_steady(&table)); /* nothing known of the number of keys */
	scan_table_keys(&table, 900);
	scan_table_keys(&table, 950);
	CHECK(scan_table_is_steady(&table));
	scan_table_keys(&table, 1025);
	CHECK(!scan_table_is_steady(&table)); /* more keys than buckets: it grows */

	struct scan_table sparse = {.keys_min = UINT64_MAX};
	scan_table_cursor(&sparse, 1000000);
	scan_table_cursor(&sparse, 0);
	scan_table_keys(&sparse, 110000);
	CHECK(!scan_table_is_steady(&sparse)); /* it may be made smaller at any moment */

	struct scan_table silent = {.keys_min = UINT64_MAX};
	scan_table_cursor(&silent, 1000);
	scan_table_cursor(&silent, 0);
	scan_table_keys(&silent, -1);
	CHECK(!scan_table_is_steady(&silent));
}

TEST(buckets_of_seven_keys)
{
	const struct scan_table redis = table_of(80002, false, false);
	const struct scan_table valkey = table_of(80101, true, false);

	CHECK(is_steady(redis, 1023, 900, 950));
	CHECK(is_steady(redis, 1023, 200, 250));
	CHECK(!is_steady(redis, 1023, 120, 128));
	/* 1024 buckets hold 7168 keys; below some 930 they become fewer */
	CHECK(is_steady(valkey, 1023, 4000, 7168));
	CHECK(!is_steady(valkey, 1023, 7168, 7169));
	CHECK(is_steady(valkey, 1023, 1100, 1200));
	CHECK(!is_steady(valkey, 1023, 900, 950));
	/* a Valkey 8.0 has Redis' table; who does not say what it is, or may pretend, has
	 * either */
	CHECK(is_steady(table_of(80001, true, false), 1023, 200, 250));
	CHECK(!is_steady(table_of(0, false, false), 1023, 200, 250));
	CHECK(!is_steady(table_of(70204, false, false), 1023, 200, 250));
}

static uint64_t in_slot(unsigned slot, uint64_t bucket)
{
	return bucket << 14 | slot;
}

TEST(a_table_for_each_slot)
{
	CHECK(table_of(80002, false, true).by_slot && table_of(80001, true, true).by_slot);
	CHECK(!table_of(80002, false, false).by_slot);
	CHECK(!table_of(70015, false, true).by_slot && !table_of(0, false, true).by_slot);

	/* pages that end between two tables, whatever came and went */
	struct scan_table table = table_of(80002, false, true);
	for (unsigned slot = 1; slot < 9; slot++)
		scan_table_cursor(&table, in_slot(slot, 0));
	scan_table_cursor(&table, 0);
	CHECK(scan_table_is_steady(&table));

	/* one that three pages cover */
	scan_table_cursor(&table, in_slot(9, 128));
	CHECK(table.inside && !scan_table_is_steady(&table));
	scan_table_keys(&table, 200);
	scan_table_cursor(&table, in_slot(9, 64));
	scan_table_keys(&table, 210);
	scan_table_cursor(&table, in_slot(11, 7));
	scan_table_keys(&table, 6);
	scan_table_cursor(&table, 0);
	CHECK(scan_table_is_steady(&table));

	/* of which one lost its keys meanwhile, and the next has many */
	scan_table_cursor(&table, in_slot(12, 200));
	scan_table_keys(&table, 12);
	scan_table_cursor(&table, in_slot(13, 1));
	scan_table_keys(&table, 5000);
	scan_table_cursor(&table, 0);
	CHECK(!scan_table_is_steady(&table));

	/* whose keys may not be counted */
	table = table_of(80002, false, true);
	scan_table_cursor(&table, in_slot(1, 200));
	scan_table_keys(&table, -1);
	scan_table_cursor(&table, 0);
	CHECK(!scan_table_is_steady(&table));
}

int main(void)
{
	RUN(a_resize_is_noticed);
	RUN(buckets_of_seven_keys);
	RUN(a_table_for_each_slot);
	CHECK_DONE();
}
