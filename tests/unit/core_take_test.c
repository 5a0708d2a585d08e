#include "check.h"
#include "client.h"

#include "core/backup.h"
#include "core/take_clock.h"
#include "core/take_flow.h"
#include "core/take_piece.h"

#include <signal.h>
#include <sys/resource.h>

/*
 * Keys that are dropped while others are saved (take_flow.h), stopped between two steps of
 * their way while another client does what it likes: what is gone is in the undo file, as it
 * was last.
 */
static struct server server;
static struct client own;   /* the flow's */
static struct client other; /* everybody else */
static char path[128];

#define KEYS_MAX 64

static struct {
	struct take_job job;
	struct take_counts counts;
	struct take_flow *flow;
	struct err err;
} run;

/* One line to the server from another client. */
static const struct reply *say(const char *line)
{
	return client_say(&other, line);
}

static long long ask(const char *command, const char *key)
{
	char line[256];

	snprintf(line, sizeof line, "%s %s", command, key);
	return say(line)->integer;
}

static struct backup *create(uint64_t room)
{
	const struct backup_origin origin = {.target = "here", .what = "test"};
	struct backup *backup = NULL;
	struct err err = {0};
	uint64_t limit = 0;

	for (int i = 0; i < 2; i++) { /* the first tells how long its header is */
		backup_free(backup);
		unlink(path);
		CHECK_INT(backup_create(path, &origin, NULL, 0, limit, &backup, &err), 0);
		limit = room ? backup_size(backup) + room : 0;
	}
	return backup;
}

/* room: how many bytes of records the undo file may hold; 0: any number. */
static void begin(uint64_t room, bool soft)
{
	client_unix(&own, &server, 0);
	own.err = run.err = (struct err){0};
	run.counts = (struct take_counts){0};
	run.job = (struct take_job){.redis = own.redis,
				    .backup = create(room),
				    .soft = soft,
				    .soft_ms = 60000,
				    .cancel = &own.cancel};
	run.flow = take_flow_new(&run.job, KEYS_MAX, &run.counts);
	say("FLUSHALL");
}

/* What was asked is answered. */
static void answered(void)
{
	CHECK_INT(redis_drain(own.redis, 0, &run.err), 0);
}

/* Added, and looked at: nothing is saved. */
static void looked(const char *const *keys)
{
	for (; *keys; keys++)
		CHECK_INT(take_flow_add(run.flow, bytes_of(*keys), NULL, &run.err), 0);
	answered();
}

/* Then saved: nothing is dropped. */
static void saved(const char *const *keys)
{
	looked(keys);
	CHECK_INT(take_flow_turn(run.flow, &run.err), 0);
	answered();
}

/* Adds up what became of the keys; the flow's status. */
static int ended(void)
{
	struct take_counts *counts = &run.counts;
	int status = take_flow_settle(run.flow, &run.err);

	take_flow_free(run.flow);
	CHECK_INT(counts->asked, counts->removed + counts->shortened + counts->kept +
				     counts->gone + counts->failed);
	return status;
}

static void finished(void)
{
	struct err err = {0};

	backup_finish(run.job.backup, NULL, &err);
	backup_free(run.job.backup);
	buf_release(&run.counts.problem);
	client_close(&own);
}

/* How many records the file has of key; the last of them. */
static size_t records_of(const char *key, struct backup_record *ret_record,
			 struct buf *ret_item)
{
	struct backup_reader *reader = NULL;
	struct backup_record record;
	struct err err = {0};
	size_t count = 0;

	if (backup_read(path, &reader, &err) != 0)
		return 0;
	while (backup_prev(reader, &record, &err) == 1) {
		if (!bytes_equal(record.key, bytes_of(key)) || count++ > 0)
			continue;
		if (ret_record)
			*ret_record = record;
		if (ret_item && record.item_count)
			buf_add(ret_item, record.items[0]);
	}
	backup_reader_free(reader);
	return count;
}

/* Of each key that is gone the file has one record, and none of the others. */
static size_t gone_are_saved(const char *const *keys)
{
	size_t gone = 0;

	for (; *keys; keys++) {
		bool is_there = ask("EXISTS", *keys) != 0;

		CHECK_INT(records_of(*keys, NULL, NULL), !is_there);
		gone += !is_there;
	}
	return gone;
}

static const char *const one[] = {"k", NULL};
static const char *const three[] = {"a", "b", "c", NULL};

/* What another client does to the key, and what it leaves there. */
static const struct change {
	const char *lines[3];
	bool stays; /* something */
} changes[] = {
    {{"SET k new"}, true},
    {{"SET k old PX 7000000"}, true},
    {{"PERSIST k"}, true},
    {{"SET k new KEEPTTL"}, true},
    {{"APPEND k more"}, true},
    {{"DEL k", "RPUSH k old"}, true},
    {{"DEL k", "HSET k old old", "PEXPIREAT k 99999999999999"}, true},
    {{"SET k2 other PXAT 99999999999999", "RENAME k2 k"}, true},
    {{"DEL k"}, false},
    {{"PEXPIRE k 1"}, false},
    {{"DEL k", "SET k old PXAT 99999999999999"}, true}, /* as it was */
};

static void check_change(const struct change *change, void (*until)(const char *const *keys))
{
	struct backup_record record;
	struct buf dump = {0}, item = {0};

	begin(0, false);
	say("SET k old PXAT 99999999999999");
	until(one);
	for (size_t i = 0; i < 3 && change->lines[i]; i++)
		say(change->lines[i]);
	if (!change->stays)
		CHECK(SERVER_UNTIL(ask("EXISTS", "k") == 0));
	long long expires_ms = ask("PEXPIRETIME", "k");
	buf_add(&dump, say("DUMP k")->text);
	CHECK_INT(ended(), 0);
	finished();
	CHECK_INT(ask("EXISTS", "k"), 0);
	CHECK_INT(run.counts.removed, change->stays);
	CHECK_INT(run.counts.gone, !change->stays);
	CHECK_INT(records_of("k", &record, &item), change->stays);
	if (change->stays) {
		CHECK_BYTES(buf_bytes(&item), buf_bytes(&dump));
		CHECK_INT(record.expires_ms, expires_ms);
	}
	buf_release(&item);
	buf_release(&dump);
}

TEST(what_changes_between_look_and_save_is_saved_as_it_was_last)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		check_change(&changes[i], looked);
}

TEST(what_changes_between_save_and_drop_is_saved_as_it_was_last)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		check_change(&changes[i], saved);
}

TEST(nothing_is_dropped_once_a_record_was_refused)
{
	for (int soft = 0; soft < 2; soft++) {
		begin(60, soft); /* one record, of three that come in one turn */
		say("MSET a 1 b 2 c 3");
		looked(three);
		CHECK_INT(ended(), -1);
		CHECK_INT(run.err.kind, ERR_REFUSED);
		finished();
		CHECK_INT(run.counts.failed, 3);
		CHECK_INT(gone_are_saved(three), 0);
		CHECK_INT(ask("PTTL", "a"), -1);
		CHECK_INT(ask("PTTL", "b"), -1);
	}
}

/* The file may grow no further, as on a disk that is full. */
static void fill_disk(rlim_t bytes)
{
	struct rlimit limit;

	CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(nothing_is_dropped_that_the_disk_did_not_take)
{
	begin(0, false);
	say("MSET a 1 b 2 c 3");
	saved(three);
	fill_disk(backup_size(run.job.backup) - 1);
	CHECK_INT(ended(), -1);
	fill_disk(RLIM_INFINITY);
	CHECK_INT(run.err.kind, ERR_OUTPUT);
	finished();
	CHECK_INT(run.counts.failed, 3);
	CHECK_INT(ask("EXISTS", "a b c"), 3);
}

/* Records of more than is kept before it is written: adding one fails. */
TEST(nothing_is_dropped_once_a_record_found_the_disk_full)
{
	static const char *const keys[] = {"0", "1", "2", "3", "4", "5", "6", "7", NULL};
	struct buf line = {0};

	begin(0, false);
	say("CONFIG SET rdbcompression no");
	for (const char *const *key = keys; *key; key++) {
		buf_clear(&line);
		buf_printf(&line, "SET %s %050000d", *key, 0);
		say(buf_str(&line));
	}
	buf_release(&line);
	fill_disk(100000);
	saved(keys);
	CHECK_INT(ended(), -1);
	fill_disk(RLIM_INFINITY);
	CHECK_INT(run.err.kind, ERR_OUTPUT);
	finished();
	CHECK_INT(run.counts.failed, 8);
	CHECK_INT(say("DBSIZE")->integer, 8);
}

TEST(what_was_dropped_before_a_record_was_refused_is_in_the_file)
{
	static const char *const more[] = {"d", "e", "f", NULL};

	begin(400, false);
	say("MSET a 1 b 2 c 3 d 4 e 5");
	say("SETRANGE f 300 x");
	saved(three);
	CHECK_INT(take_flow_turn(run.flow, &run.err), 0);
	answered();
	looked(more);
	CHECK_INT(ended(), -1);
	CHECK_INT(run.err.kind, ERR_REFUSED);
	finished();
	CHECK_INT(gone_are_saved(three), 3);
	CHECK_INT(ask("EXISTS", "d e f"), 3);
	CHECK_INT(run.counts.removed, 3);
	CHECK_INT(run.counts.failed, 3);
}

TEST(a_key_that_an_interrupted_run_left_is_not_called_busy)
{
	begin(0, false);
	say("MSET a 1 b 2 c 3");
	redis_set_grace(own.redis, REDIS_GRACE);
	saved(three);
	say("SET b 4");
	own.cancel = SIGINT;
	CHECK_INT(ended(), 0);
	CHECK_STR(buf_str(&run.counts.problem), "'b' was not dropped: interrupted");
	finished();
	CHECK_INT(gone_are_saved(three), 2);
	CHECK_INT(run.counts.failed, 1);
}

TEST(long_names_under_way_are_bounded_in_bytes)
{
	static char name[600000];

	begin(0, false);
	memset(name, 'n', sizeof name - 1);
	for (size_t i = 0; i < 9; i++) {
		name[0] = (char)('1' + i);
		CHECK_INT(take_flow_add(run.flow, bytes_of(name), NULL, &run.err), 0);
		CHECK(take_flow_added(run.flow) - take_flow_done(run.flow) <= 3);
	}
	CHECK_INT(ended(), 0);
	finished();
	CHECK_INT(run.counts.gone, 9);
}

TEST(nothing_more_is_dropped_once_the_server_refused_a_key)
{
	begin(0, false);
	say("MSET a 1 b 2 x:c 3");
	say("ACL SETUSER plain on >secret ~* +@all -dump");
	say("ACL SETUSER plain (+dump ~a ~b)");
	CHECK_INT(client_call(&own, BYTES("AUTH"), BYTES("plain"), BYTES("secret"))->type,
		  REPLY_STATUS);
	looked((const char *const[]){"a", "b", "x:c", NULL});
	CHECK_INT(ended(), -1);
	CHECK(run.counts.denied);
	finished();
	CHECK_INT(run.counts.failed, 3);
	CHECK_INT(ask("EXISTS", "a b x:c"), 3);
	say("ACL DELUSER plain");
}

TEST(an_interrupt_between_save_and_drop_loses_nothing)
{
	begin(0, false);
	say("MSET a 1 b 2 c 3");
	saved(three);
	own.cancel = 1;
	ended();
	finished();
	CHECK_INT(gone_are_saved(three), run.counts.removed + run.counts.unsure);
}

TEST(a_server_that_forgot_the_script_is_told_it_again)
{
	begin(0, false);
	say("MSET a 1 b 2 c 3");
	saved(three);
	say("SCRIPT FLUSH");
	CHECK_INT(ended(), 0);
	finished();
	CHECK_INT(run.counts.removed, 3);
	CHECK_INT(run.counts.again, 3);
	CHECK_INT(gone_are_saved(three), 3);
}

TEST(where_scripts_become_forbidden_a_transaction_does_it_and_each_key_keeps_its_grace)
{
	for (int soft = 0; soft < 2; soft++) {
		begin(0, soft);
		say("MSET a 1 b 2 c 3");
		say("ACL SETUSER default -evalsha");
		for (size_t i = 0; i < 3; i++) {
			run.job.soft_ms = (i + 1) * 1000000;
			looked((const char *const[]){three[i], NULL});
		}
		CHECK_INT(ended(), 0);
		finished();
		say("ACL SETUSER default +evalsha");
		CHECK_INT(run.counts.removed + run.counts.shortened, 3);
		CHECK(soft || gone_are_saved(three) == 3);
		for (size_t i = 0; soft && i < 3; i++)
			CHECK(ask("PTTL", three[i]) <= (long long)(i + 1) * 1000000 &&
			      ask("PTTL", three[i]) > (long long)i * 1000000);
	}
}

TEST(a_life_whose_servers_time_is_not_known_is_shortened_once_it_is_asked)
{
	begin(0, true);
	say("MSET a 1 b 2 c 3");
	looked(three);
	take_clocks_release(
	    &run.flow->clocks); /* another node stands in for the one that told */
	CHECK_INT(ended(), 0);
	finished();
	CHECK_INT(run.counts.shortened, 3);
	CHECK(ask("PTTL", "b") > 0 && ask("PTTL", "b") <= 60000);
}

int main(void)
{
	signal(SIGXFSZ, SIG_IGN);
	server_start(&server, false, NULL);
	client_unix(&other, &server, 0);
	snprintf(path, sizeof path, "%s/undo", server.dir);
	RUN(what_changes_between_look_and_save_is_saved_as_it_was_last);
	RUN(what_changes_between_save_and_drop_is_saved_as_it_was_last);
	RUN(nothing_is_dropped_once_a_record_was_refused);
	RUN(nothing_is_dropped_that_the_disk_did_not_take);
	RUN(nothing_is_dropped_once_a_record_found_the_disk_full);
	RUN(what_was_dropped_before_a_record_was_refused_is_in_the_file);
	RUN(a_key_that_an_interrupted_run_left_is_not_called_busy);
	RUN(long_names_under_way_are_bounded_in_bytes);
	RUN(nothing_more_is_dropped_once_the_server_refused_a_key);
	RUN(an_interrupt_between_save_and_drop_loses_nothing);
	RUN(a_server_that_forgot_the_script_is_told_it_again);
	RUN(where_scripts_become_forbidden_a_transaction_does_it_and_each_key_keeps_its_grace);
	RUN(a_life_whose_servers_time_is_not_known_is_shortened_once_it_is_asked);
	client_close(&other);
	server_stop(&server);
	CHECK_DONE();
}
