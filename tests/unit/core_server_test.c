#include "check.h"

#include "core/server.h"

#include <string.h>

/* What INFO says is told by its fields' names, whoever's server it is. */
static struct server_info told(const char *info)
{
	struct server_info ret = {.keys = -1};

	server_info_read(bytes_of(info), &ret);
	return ret;
}

static void is(const char *info, const char *name, const char *version)
{
	struct server_info got = told(info);

	CHECK_STR(got.name, name);
	CHECK_STR(got.version, version);
}

TEST(a_server_goes_by_its_own_name_and_version)
{
	is("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n", "redis", "7.0.15");
	is("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n"
	   "valkey_release_stage:ga\r\nserver_mode:standalone\r\n",
	   "valkey", "9.1.2");
	is("redis_version:7.2.4\nserver_name:other\n", "redis", "7.2.4");
	is("redis_version:7.2.4\nserver_name:\n", "redis", "7.2.4");
	is("redis_version:7.2.4\nserver_name:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	   "redis", "7.2.4");
	is("", "", "");
}

TEST(servers_that_differ_are_mixed)
{
	struct server_info sum = told("redis_version:7.2.4\nserver_name:valkey\n"
				      "valkey_version:8.1.1\n");
	struct server_info part = told("redis_version:7.2.4\nserver_name:valkey\n"
				       "valkey_version:9.1.2\n");

	server_info_add(&sum, &part);
	CHECK_STR(sum.name, "valkey");
	CHECK_STR(sum.version, "mixed");
	part = told("redis_version:8.0.2\n");
	server_info_add(&sum, &part);
	CHECK_STR(sum.name, "mixed");
}

TEST(the_slowest_replica_by_any_line)
{
	struct server_info got =
	    told("role:master\r\nconnected_slaves:2\r\n"
		 "slave0:ip=127.0.0.1,port=1,state=online,offset=5,lag=1\r\n"
		 "slave1:ip=127.0.0.1,port=2,state=online,offset=5,lag=7,type=replica\r\n");

	CHECK_INT(got.connected_replicas, 2);
	CHECK_INT(got.replica_lag_s, 7);
}

int main(void)
{
	RUN(a_server_goes_by_its_own_name_and_version);
	RUN(servers_that_differ_are_mixed);
	RUN(the_slowest_replica_by_any_line);
	CHECK_DONE();
}
