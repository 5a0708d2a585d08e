#include "check.h"
#include "server.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/backup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Undo files: written, read back from the end, cut, altered at every byte, too large. */
static struct server place; /* only its directory */
static char path[128];
static const struct backup_origin origin = {
    .target = "127.0.0.1:6379/3", .run_id = "aa11", .db = 3, .made_ms = 1234, .what = "test"};

static struct backup *create(uint64_t limit)
{
	struct backup *backup = NULL;
	struct err err = {0};
	const struct bytes words[] = {BYTES("call-logs"), BYTES("--all")};

	unlink(path);
	CHECK_INT(backup_create(path, &origin, words, 2, limit, &backup, &err), 0);
	CHECK_STR(err.text, "");
	return backup;
}

/* A record of key with one item. */
static int add(struct backup *backup, const char *key, struct bytes item, uint64_t *ret_number)
{
	struct err err = {0};
	struct backup_record record = {.kind = BACKUP_DUMP,
				       .key = bytes_of(key),
				       .expires_ms = BACKUP_FOREVER,
				       .items = &item,
				       .item_count = 1};
	int status = backup_add(backup, &record, &err);

	if (ret_number)
		*ret_number = record.number;
	return status == 0 ? 0 : (int)err.kind;
}

static void finish(struct backup *backup)
{
	struct err err = {0};

	CHECK_INT(backup_finish(backup, NULL, &err), 0);
	backup_free(backup);
}

/* The keys of the file from the end on, with blanks between. */
static const char *keys_of(struct backup_reader *reader)
{
	static struct buf keys;
	struct backup_record record;
	struct err err = {0};
	int more;

	buf_clear(&keys);
	while ((more = backup_prev(reader, &record, &err)) == 1) {
		buf_add(&keys, record.key);
		buf_add_char(&keys, ' ');
	}
	CHECK_INT(more, 0);
	return buf_str(&keys);
}

static const char *keys_in_file(struct backup_check *ret_check)
{
	struct backup_reader *reader = NULL;
	struct err err = {0};

	*ret_check = (struct backup_check){0};
	if (backup_read(path, &reader, &err) != 0)
		return "unreadable";
	*ret_check = *backup_checked(reader);
	const char *keys = keys_of(reader);
	backup_reader_free(reader);
	return keys;
}

TEST(what_is_written_is_read_from_the_end)
{
	struct backup *backup = create(0);
	struct backup_reader *reader = NULL;
	struct backup_record record;
	struct err err = {0};
	struct stat at;
	const struct bytes *words = NULL;
	const struct bytes items[] = {BYTES("a\0b"), BYTES(""), BYTES("\xff")};
	struct backup_record pages = {.kind = BACKUP_HASH,
				      .flags = BACKUP_FIRST | BACKUP_LAST,
				      .key = BYTES("k\0y"),
				      .expires_ms = 99,
				      .set_ms = -7,
				      .items = items,
				      .item_count = 3};

	CHECK_INT(add(backup, "one", BYTES("1"), NULL), 0);
	CHECK_INT(backup_add(backup, &pages, &err), 0);
	finish(backup);
	CHECK_INT(stat(path, &at), 0);
	CHECK_INT(at.st_mode & 0777, 0600);
	CHECK_INT(backup_read(path, &reader, &err), 0);
	const struct backup_check *check = backup_checked(reader);
	CHECK_STR(check->origin.target, "127.0.0.1:6379/3");
	CHECK_STR(check->origin.run_id, "aa11");
	CHECK_STR(check->origin.what, "test");
	CHECK_INT(check->origin.db, 3);
	CHECK_INT(check->origin.made_ms, 1234);
	CHECK_INT(check->records, 2);
	CHECK_INT(check->finished, true);
	CHECK_INT(check->damaged, 0);
	CHECK_INT(check->bytes, at.st_size);
	CHECK_INT(backup_words(reader, &words), 2);
	CHECK_BYTES(words[1], BYTES("--all"));
	CHECK_INT(backup_prev(reader, &record, &err), 1);
	CHECK_INT(record.kind, BACKUP_HASH);
	CHECK_INT(record.flags, BACKUP_FIRST | BACKUP_LAST);
	CHECK_BYTES(record.key, BYTES("k\0y"));
	CHECK_INT(record.expires_ms, 99);
	CHECK_INT(record.set_ms, -7);
	CHECK_INT(record.item_count, 3);
	CHECK_BYTES(record.items[0], items[0]);
	CHECK_BYTES(record.items[1], items[1]);
	CHECK_BYTES(record.items[2], items[2]);
	CHECK_STR(keys_of(reader), "one ");
	backup_reader_free(reader);
}

TEST(many_records_come_in_reverse_and_voided_ones_do_not)
{
	struct backup *backup = create(0);
	struct backup_reader *reader = NULL;
	struct backup_record record;
	struct err err = {0};
	char key[32];
	uint64_t number = 0;
	int next = 19999;

	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof key, "k%d", i);
		CHECK_INT(add(backup, key, BYTES("value"), &number), 0);
		if (i % 1000 == 999)
			CHECK_INT(backup_void(backup, number - 1, number, &err), 0);
	}
	finish(backup);
	CHECK_INT(backup_read(path, &reader, &err), 0);
	while (backup_prev(reader, &record, &err) == 1) {
		if (next % 1000 == 999)
			next -= 2;
		snprintf(key, sizeof key, "k%d", next--);
		CHECK_BYTES(record.key, bytes_of(key));
		if (check_bad_in_test)
			break;
	}
	CHECK_INT(next, -1);
	backup_reader_free(reader);
}

static size_t slurp(char **ret_bytes)
{
	struct stat at;
	int fd = open(path, O_RDONLY);

	CHECK_INT(fstat(fd, &at), 0);
	*ret_bytes = mem_alloc((size_t)at.st_size);
	CHECK_INT(read(fd, *ret_bytes, (size_t)at.st_size), at.st_size);
	close(fd);
	return (size_t)at.st_size;
}

static void spill(const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	CHECK_INT(write(fd, bytes, len), (long long)len);
	close(fd);
}

/* A file of three records, as bytes. */
static size_t three(char **ret_bytes)
{
	struct backup *backup = create(0);

	add(backup, "one", BYTES("1111"), NULL);
	add(backup, "two", BYTES("2222"), NULL);
	add(backup, "three", BYTES("3333"), NULL);
	finish(backup);
	return slurp(ret_bytes);
}

TEST(a_file_cut_anywhere_is_seen_and_holds_what_was_whole)
{
	char *bytes = NULL;
	size_t len = three(&bytes);
	struct backup_check check;

	for (size_t cut = 0; cut < len; cut++) {
		spill(bytes, cut);
		const char *keys = keys_in_file(&check);
		CHECK(!check.finished);
		CHECK(strcmp(keys, "unreadable") == 0 || strcmp(keys, "") == 0 ||
		      strcmp(keys, "one ") == 0 || strcmp(keys, "two one ") == 0 ||
		      strcmp(keys, "three two one ") == 0);
	}
	spill(bytes, len);
	CHECK_STR(keys_in_file(&check), "three two one ");
	CHECK(check.finished);
	free(bytes);
}

TEST(any_altered_byte_is_seen_and_costs_one_record)
{
	char *bytes = NULL;
	size_t len = three(&bytes);
	struct backup_check check;

	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x20;
		spill(bytes, len);
		const char *keys = keys_in_file(&check);
		bytes[i] ^= 0x20;
		if (strcmp(keys, "unreadable") == 0)
			continue;
		CHECK(check.damaged == 1 ? check.first_damage <= i
					 : check.damaged == 0 && !check.finished);
		CHECK(strcmp(keys, "three two ") == 0 || strcmp(keys, "three one ") == 0 ||
		      strcmp(keys, "two one ") == 0 ||
		      (strcmp(keys, "three two one ") == 0 && !check.finished));
	}
	free(bytes);
}

TEST(a_file_of_noise_is_no_undo_file)
{
	struct backup_check check;
	char noise[4096];

	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (char)(i * 2654435761u >> 13);
	spill(noise, sizeof noise);
	CHECK_STR(keys_in_file(&check), "unreadable");
	spill("", 0);
	CHECK_STR(keys_in_file(&check), "unreadable");
	unlink(path);
	CHECK_STR(keys_in_file(&check), "unreadable");
}

TEST(an_unfinished_file_goes_on_where_it_was_whole)
{
	char *bytes = NULL;
	size_t len = three(&bytes);
	struct backup *backup = NULL;
	struct backup_check check;
	struct err err = {0};

	for (size_t cut = len - 100; cut <= len; cut++) {
		spill(bytes, cut);
		CHECK_INT(backup_reopen(path, 0, &backup, &err), 0);
		CHECK_INT(add(backup, "four", BYTES("4444"), NULL), 0);
		finish(backup);
		const char *keys = keys_in_file(&check);
		CHECK(check.finished && check.damaged == 0);
		CHECK(strncmp(keys, "four ", 5) == 0 && strstr(keys, "one ") != NULL);
	}
	CHECK_STR(keys_in_file(&check), "four three two one ");
	free(bytes);
}

TEST(the_cursor_that_counts_is_the_last_of_its_server)
{
	struct backup *backup = create(0);
	struct backup_reader *reader = NULL;
	struct bytes cursor;
	struct err err = {0};

	for (int i = 0; i < 3; i++) {
		const struct bytes items[] = {i == 2 ? BYTES("77") : BYTES("5"),
					      i == 1 ? BYTES("bb22") : BYTES("aa11")};
		struct backup_record record = {
		    .kind = BACKUP_CURSOR, .items = items, .item_count = 2};

		add(backup, "k", BYTES("v"), NULL);
		CHECK_INT(backup_add(backup, &record, &err), 0);
	}
	CHECK_INT(backup_flush(backup, &err), 0);
	CHECK_INT(backup_read(path, &reader, &err), 0);
	CHECK(backup_cursor(reader, "aa11", &cursor));
	CHECK_BYTES(cursor, BYTES("77"));
	CHECK(backup_cursor(reader, "bb22", &cursor));
	CHECK_BYTES(cursor, BYTES("5"));
	CHECK(!backup_cursor(reader, "cc33", &cursor));
	CHECK(!backup_cursor(reader, "", &cursor));
	CHECK(!backup_checked(reader)->finished);
	backup_reader_free(reader);
	backup_free(backup);
}

TEST(over_its_limit_nothing_more_is_taken)
{
	struct backup *backup = create(400);
	struct backup_check check;
	char large[200] = {0};
	struct bytes item = {large, sizeof large};

	CHECK_INT(add(backup, "small", BYTES("1"), NULL), 0);
	CHECK_INT(add(backup, "large", item, NULL), ERR_REFUSED);
	CHECK_INT(add(backup, "small", BYTES("2"), NULL), ERR_REFUSED);
	backup_free(backup);
	CHECK_STR(keys_in_file(&check), "small ");
}

TEST(a_full_disk_leaves_whole_records)
{
	struct backup *backup = create(0);
	struct rlimit before, limit;
	struct backup_check check;
	struct err err = {0};

	add(backup, "one", BYTES("1"), NULL);
	CHECK_INT(backup_flush(backup, &err), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = backup_size(backup) + 50;
	setrlimit(RLIMIT_FSIZE, &limit);
	CHECK_INT(add(backup, "two", BYTES("2222222222222222222222222222"), NULL), 0);
	CHECK_INT(backup_flush(backup, &err), -1);
	CHECK_INT(err.kind, ERR_OUTPUT);
	CHECK(strstr(err.text, "too large") != NULL);
	CHECK_INT(add(backup, "three", BYTES("3"), NULL), ERR_OUTPUT);
	setrlimit(RLIMIT_FSIZE, &before);
	backup_free(backup);
	CHECK_STR(keys_in_file(&check), "one ");
	CHECK_INT(check.damaged, 0);
}

TEST(nothing_saved_leaves_no_file)
{
	struct backup *backup = create(0);
	struct err err = {0};
	bool kept = true;

	CHECK_INT(backup_finish(backup, &kept, &err), 0);
	CHECK(!kept);
	backup_free(backup);
	CHECK(access(path, F_OK) != 0);
}

TEST(a_file_that_is_there_is_never_overwritten)
{
	struct backup *backup = NULL;
	struct err err = {0};

	spill("mine", 4);
	CHECK_INT(backup_create(path, &origin, NULL, 0, 0, &backup, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK(strstr(err.text, "it is there already") != NULL);
	unlink(path);
}

static char *own_path(void)
{
	struct backup *backup = NULL;
	struct err err = {0};

	CHECK_INT(backup_create(NULL, &origin, NULL, 0, 0, &backup, &err), 0);
	add(backup, "k", BYTES("v"), NULL);
	char *own = mem_strdup(backup_path(backup));
	finish(backup);
	return own;
}

TEST(own_files_go_to_the_state_directory_and_old_ones_go)
{
	struct stat at;
	char state[128];

	snprintf(state, sizeof state, "%s/state", place.dir);
	setenv("XDG_STATE_HOME", state, 1);
	char *old = own_path(), *young = own_path();
	CHECK(strcmp(old, young) != 0);
	CHECK(strncmp(old, state, strlen(state)) == 0 && strstr(old, "/callcache/undo/test-"));
	CHECK_INT(stat(state, &at), 0);
	CHECK_INT(at.st_mode & 0777, 0700);
	struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	CHECK_INT(utimensat(AT_FDCWD, old, past, 0), 0);
	char *third = own_path();
	/* its name may have been taken again */
	CHECK(stat(old, &at) != 0 || at.st_mtime != 1000);
	CHECK(access(young, F_OK) == 0);
	free(old);
	free(young);
	free(third);
}

TEST(servers_are_told_apart)
{
	struct backup_origin a = {.run_id = "a1", .replid = "r1"};
	struct backup_origin restarted = {.run_id = "a2", .replid = "r2", .replid2 = "r1"};
	struct backup_origin other = {.run_id = "b", .replid = "q"};
	struct backup_origin silent = {0};
	struct backup_origin zeros = {.replid = "000", .replid2 = "000"};

	CHECK(backup_same_server(&a, &a));
	CHECK(backup_same_server(&a, &restarted));
	CHECK(!backup_same_server(&a, &other));
	CHECK(!backup_same_server(&silent, &silent));
	CHECK(!backup_same_server(&zeros, &zeros));
}

int main(void)
{
	server_make_dir(&place);
	snprintf(path, sizeof path, "%s/file", place.dir);
	RUN(what_is_written_is_read_from_the_end);
	RUN(many_records_come_in_reverse_and_voided_ones_do_not);
	RUN(a_file_cut_anywhere_is_seen_and_holds_what_was_whole);
	RUN(any_altered_byte_is_seen_and_costs_one_record);
	RUN(a_file_of_noise_is_no_undo_file);
	RUN(an_unfinished_file_goes_on_where_it_was_whole);
	RUN(the_cursor_that_counts_is_the_last_of_its_server);
	RUN(over_its_limit_nothing_more_is_taken);
	RUN(a_full_disk_leaves_whole_records);
	RUN(nothing_saved_leaves_no_file);
	RUN(a_file_that_is_there_is_never_overwritten);
	RUN(own_files_go_to_the_state_directory_and_old_ones_go);
	RUN(servers_are_told_apart);
	server_stop(&place);
	CHECK_DONE();
}
