#include "core/backup.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/backup_dir.h"
#include "core/backup_frame.h"
#include "core/backup_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT ((size_t)256 * 1024)

struct backup {
	char *path;
	int fd;
	uint64_t limit;
	uint64_t written; /* in the file */
	struct buf pending;
	uint64_t next_number;
	uint64_t count;
	struct err failed; /* sticky */
	bool finished;
	bool is_named;
};

static bool can_be_undone(enum backup_kind kind)
{
	return kind != BACKUP_HEADER && kind != BACKUP_VOID && kind != BACKUP_CURSOR &&
	       kind != BACKUP_END;
}

static int fail(struct backup *backup, struct err *err)
{
	if (err)
		*err = backup->failed;
	return -1;
}

/* What could not be written whole is taken back: the file ends with a whole record. */
static int cannot_write(struct backup *backup, int why, struct err *err)
{
	err_set(
	    &backup->failed, ERR_OUTPUT,
	    "undo file '%s': %s; nothing is dropped that is not saved (--backup FILE writes "
	    "elsewhere, --no-backup saves nothing)",
	    backup->path, strerror(why));
	if (ftruncate(backup->fd, (off_t)backup->written) != 0)
		err_wrap(&backup->failed, "its end is damaged");
	buf_clear(&backup->pending);
	return fail(backup, err);
}

int backup_flush(struct backup *backup, struct err *err)
{
	size_t done = 0;

	if (backup->failed.kind == ERR_OUTPUT)
		return fail(backup, err);
	while (done < backup->pending.len) {
		ssize_t n =
		    write(backup->fd, backup->pending.ptr + done, backup->pending.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return cannot_write(backup, n < 0 ? errno : ENOSPC, err);
		done += (size_t)n;
	}
	backup->written += done;
	buf_clear(&backup->pending);
	return 0;
}

static int over_limit(struct backup *backup, struct err *err)
{
	struct buf limit = {0};

	num_format_size(&limit, backup->limit);
	err_set(&backup->failed, ERR_REFUSED,
		"undo file '%s' would grow over %s; allow more with --backup-limit SIZE, or do "
		"without with --no-backup",
		backup->path, buf_str(&limit));
	buf_release(&limit);
	return fail(backup, err);
}

int backup_add(struct backup *backup, struct backup_record *record, struct err *err)
{
	/* over its limit, a file may still tell which changes were not made, and end */
	if (backup->failed.kind == ERR_OUTPUT ||
	    (err_is_set(&backup->failed) && can_be_undone(record->kind)))
		return fail(backup, err);
	if (backup->limit && can_be_undone(record->kind) &&
	    backup_size(backup) + backup_frame_size(record) > backup->limit)
		return over_limit(backup, err);
	record->number = backup->next_number++;
	backup_frame_write(&backup->pending, record);
	backup->count += can_be_undone(record->kind);
	return backup->pending.len >= FLUSH_AT ? backup_flush(backup, err) : 0;
}

int backup_void(struct backup *backup, uint64_t first, uint64_t last, struct err *err)
{
	size_t count = (size_t)(last - first + 1);
	char *numbers = mem_alloc(count * 8);
	struct bytes *items = mem_zalloc(count, sizeof *items);
	struct backup_record record = {
	    .kind = BACKUP_VOID, .items = items, .item_count = count};

	for (size_t i = 0; i < count; i++) {
		backup_put_number(numbers + i * 8, 8, first + i);
		items[i] = (struct bytes){numbers + i * 8, 8};
	}
	int status = backup_add(backup, &record, err);
	backup->count -= status == 0 && count <= backup->count ? count : 0;
	free(items);
	free(numbers);
	return status;
}

static int add_header(struct backup *backup, const struct backup_origin *origin,
		      const struct bytes *words, size_t word_count, struct err *err)
{
	char db[24], made[24], keep[24];
	struct bytes *items = mem_zalloc(2 * (8 + word_count), sizeof *items);
	size_t count = 0;
#define ITEM(name, text)                                                                       \
	do {                                                                                   \
		items[count++] = BYTES(name);                                                  \
		items[count++] = (text);                                                       \
	} while (0)

	snprintf(db, sizeof db, "%" PRIu64, origin->db);
	snprintf(made, sizeof made, "%" PRId64, origin->made_ms);
	snprintf(keep, sizeof keep, "%" PRIu64, origin->keep_ms);
	ITEM("what", bytes_of(origin->what));
	ITEM("target", bytes_of(origin->target));
	ITEM("run_id", bytes_of(origin->run_id));
	ITEM("replid", bytes_of(origin->replid));
	ITEM("replid2", bytes_of(origin->replid2));
	ITEM("db", bytes_of(db));
	ITEM("made_ms", bytes_of(made));
	ITEM("keep_ms", bytes_of(keep));
	for (size_t i = 0; i < word_count; i++)
		ITEM("word", words[i]);
#undef ITEM
	struct backup_record record = {
	    .kind = BACKUP_HEADER, .items = items, .item_count = count};
	buf_add(&backup->pending, BYTES(BACKUP_MAGIC));
	int status = backup_add(backup, &record, err);
	free(items);
	return status == 0 ? backup_flush(backup, err) : -1;
}

int backup_create(const char *path, const struct backup_origin *origin,
		  const struct bytes *words, size_t word_count, uint64_t limit,
		  struct backup **ret_backup, struct err *err)
{
	char *own = path ? mem_strdup(path) : NULL;
	struct backup_origin kept = *origin;

	kept.keep_ms = path ? 0 : BACKUP_KEEP_MS;
	if (!own && backup_dir_new_path(origin->what, &own, err) != 0)
		return -1;
	int fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0) {
		int why = errno;

		err_set(err, why == EEXIST ? ERR_USAGE : ERR_OUTPUT, "undo file '%s': %s", own,
			why == EEXIST ? "it is there already; name a new one" : strerror(why));
		free(own);
		return -1;
	}
	struct backup *backup = mem_zalloc(1, sizeof *backup);
	backup->path = own;
	backup->fd = fd;
	backup->limit = limit;
	backup->is_named = path != NULL;
	if (add_header(backup, &kept, words, word_count, err) != 0) {
		backup_free(backup);
		return -1;
	}
	*ret_backup = backup;
	return 0;
}

int backup_reopen(const char *path, uint64_t limit, struct backup **ret_backup, struct err *err)
{
	struct backup_reader *reader = NULL;
	struct backup_tail tail;

	if (backup_read(path, &reader, err) != 0)
		return -1;
	backup_reader_tail(reader, &tail);
	backup_reader_free(reader);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)tail.offset) != 0) {
		err_set(err, ERR_OUTPUT, "undo file '%s': %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	struct backup *backup = mem_zalloc(1, sizeof *backup);
	backup->path = mem_strdup(path);
	backup->fd = fd;
	backup->limit = limit;
	backup->is_named = true;
	backup->written = tail.offset;
	backup->next_number = tail.next_number;
	backup->count = tail.records;
	*ret_backup = backup;
	return 0;
}

const char *backup_path(const struct backup *backup)
{
	return backup->path;
}

bool backup_is_named(const struct backup *backup)
{
	return backup->is_named;
}

uint64_t backup_size(const struct backup *backup)
{
	return backup->written + backup->pending.len;
}

int backup_finish(struct backup *backup, bool *ret_kept, struct err *err)
{
	struct backup_record end = {.kind = BACKUP_END, .set_ms = (int64_t)backup->count};

	if (ret_kept)
		*ret_kept = backup->count > 0;
	if (backup->count == 0)
		return 0; /* backup_free removes it */
	if (backup_add(backup, &end, err) != 0 || backup_flush(backup, err) != 0)
		return -1;
	if (fsync(backup->fd) != 0)
		return err_set(err, ERR_OUTPUT, "undo file '%s': %s", backup->path,
			       strerror(errno));
	backup->finished = true;
	return 0;
}

void backup_free(struct backup *backup)
{
	struct err ignored = {0};

	if (!backup)
		return;
	if (!backup->finished)
		backup_flush(backup, &ignored);
	if (backup->count == 0)
		unlink(backup->path);
	close(backup->fd);
	buf_release(&backup->pending);
	free(backup->path);
	free(backup);
}
