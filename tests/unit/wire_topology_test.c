#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/resp.h"
#include "wire/topology.h"

static struct topology topology;
static struct err err;
static int status;

static int hear(void *ctx, const struct reply *reply)
{
	status = topology_read(reply, ctx, &topology, &err);
	return 0;
}

/* Reads an answer to CLUSTER SLOTS, written with a blank for each line end of RESP, ~ for a
 * NUL. */
static int read_map(const char *text)
{
	char *stream = mem_alloc(2 * strlen(text) + 1);
	struct resp *resp = resp_new(1 << 24, hear, "asked");
	size_t len = 0;

	status = -2; /* no whole answer */
	for (; *text; text++) {
		if (*text == ' ')
			stream[len++] = '\r';
		stream[len++] = (char)(*text == ' ' ? '\n' : *text == '~' ? '\0' : *text);
	}
	CHECK_INT(resp_feed(resp, stream, len, &err), 0);
	resp_free(resp);
	free(stream);
	return status;
}

static void check_node(size_t index, const char *host, unsigned port, bool is_replica)
{
	CHECK(index < topology.count);
	if (index >= topology.count)
		return;
	CHECK_STR(topology.nodes[index].host, host);
	CHECK_INT(topology.nodes[index].port, port);
	CHECK_INT(topology.nodes[index].is_replica, is_replica);
}

TEST(host_names_and_announced_addresses_are_taken_as_they_are)
{
	CHECK_INT(read_map("*3 "
			   "*4 :0 :5460 *4 $9 localhost :7001 $2 n1 *2 $2 ip $9 127.0.0.1 "
			   "*4 $9 localhost :7004 $2 n4 *2 $2 ip $9 127.0.0.1 "
			   "*3 :5461 :10922 *4 $11 203.0.113.7 :31002 $2 n2 *2 $8 hostname "
			   "$9 localhost "
			   "*3 :10923 :16383 *3 $3 ::1 :7003 $2 n3 "),
		  0);
	CHECK_INT(topology.count, 4);
	CHECK_INT(topology.nodes[1].primary, 0);
	check_node(0, "localhost", 7001, false);
	check_node(1, "localhost", 7004, true);
	check_node(2, "203.0.113.7", 31002, false);
	check_node(3, "::1", 7003, false);
	CHECK_INT(topology.owner[5460], 0);
	CHECK_INT(topology.owner[5461], 2);
	CHECK_INT(topology.owner[16383], 3);
	topology_release(&topology);
}

TEST(who_does_not_know_its_host_is_where_it_was_asked)
{
	/* nil: unknown-endpoint, whatever its address; empty: before 7.0, alone */
	CHECK_INT(read_map("*3 *3 :0 :1 *4 $-1 :7001 $2 n1 *2 $2 ip $8 10.0.0.1 "
			   "*3 :2 :3 *3 $0  :7002 $2 n2 "
			   "*3 :4 :5 *4 $1 ? :7003 $2 n3 *0 "),
		  0);
	CHECK_INT(topology.count, 3);
	check_node(0, "asked", 7001, false);
	check_node(1, "asked", 7002, false);
	check_node(2, "asked", 7003, false);
	CHECK_INT(topology.owner[6], -1);
	topology_release(&topology);
}

/* cluster-preferred-endpoint-type hostname, where not every node was given one. */
TEST(a_node_without_a_host_name_is_found_by_its_address)
{
	CHECK_INT(read_map("*2 *3 :0 :1 *4 $1 ? :7001 $2 n1 *2 $2 ip $8 10.0.0.1 "
			   "*3 :2 :3 *4 $1 ? :7001 $2 n2 *2 $2 ip $8 10.0.0.2 "),
		  0);
	CHECK_INT(topology.count, 2);
	check_node(0, "10.0.0.1", 7001, false);
	check_node(1, "10.0.0.2", 7001, false);
	CHECK_INT(topology.owner[3], 1);
	topology_release(&topology);
}

TEST(what_comes_with_a_node_may_be_anything)
{
	CHECK_INT(read_map("*1 *3 :0 :1 *4 $1 ? :7001 $2 n1 *3 $2 ip :5 $2 ip "), 0);
	check_node(0, "asked", 7001, false);
	topology_release(&topology);
	CHECK_INT(read_map("*1 *3 :0 :1 *4 $1 ? :7001 $2 n1 $2 ip "), 0);
	check_node(0, "asked", 7001, false);
	topology_release(&topology);
	CHECK_INT(read_map("*0 "), 0);
	CHECK_INT(topology.count, 0);
	CHECK_INT(topology.owner[0], -1);
	topology_release(&topology);
}

TEST(a_map_that_makes_no_sense_is_refused)
{
	static const char *const maps[] = {
	    "*1 *3 :0 :16384 *2 $1 h :7001 ",
	    "*1 *3 :6 :5 *2 $1 h :7001 ",
	    "*1 *3 :-1 :5 *2 $1 h :7001 ",
	    "*1 *3 :0 :5 *2 $1 h :65536 ",
	    "*1 *3 :0 :5 *2 $1 h $-1 ",
	    "*1 *3 :0 :5 *1 $1 h ",
	    "*1 *3 :0 :5 *2 :1 :7001 ",
	    "*1 *1 :0 ",
	    "*1 $1 h ",
	    "*1 *3 :0 :5 *2 $2 h~ :7001 ",
	    "*1 *3 :0 :5 *4 $1 ? :7001 $2 n1 *2 $2 ip $1 ~ ",
	};

	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
		CHECK_INT(read_map(maps[i]), -1);
		CHECK_STR(err.text, "CLUSTER SLOTS: range 1 makes no sense");
	}
	CHECK_INT(read_map("$1 h "), -1);
	CHECK_STR(err.text, "CLUSTER SLOTS: not a list of slot ranges");
}

/* Each is looked for among all others: what a hostile server lists takes no longer than that.
 */
TEST(no_range_has_nodes_without_end)
{
	struct buf text = {0};

	buf_add_str(&text, "*1 *100002 :0 :5 ");
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&text, "*2 $6 %06u :7001 ", i);
	CHECK_INT(read_map(buf_str(&text)), -1);
	CHECK_STR(err.text, "CLUSTER SLOTS: range 1 makes no sense");
	buf_release(&text);
}

int main(void)
{
	RUN(host_names_and_announced_addresses_are_taken_as_they_are);
	RUN(who_does_not_know_its_host_is_where_it_was_asked);
	RUN(a_node_without_a_host_name_is_found_by_its_address);
	RUN(what_comes_with_a_node_may_be_anything);
	RUN(a_map_that_makes_no_sense_is_refused);
	RUN(no_range_has_nodes_without_end);
	CHECK_DONE();
}
