#include "core/backup_read.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/backup_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)
#define SERVERS_MAX 4096 /* of a cluster */
#define BLOCK 4096       /* records whose places are held at once */

struct backup_reader {
	char *path;
	int fd;
	uint64_t size;
	struct backup_check check;
	struct backup_tail tail;
	/* where each BLOCK of whole frames begins */
	uint64_t *blocks;
	size_t block_count;
	uint64_t frames;
	/* the places of the block at hand, and how many of them are still to be told */
	uint64_t places[BLOCK];
	size_t left;
	size_t block; /* blocks before it are still to come */
	struct buf body;
	struct bytes *items;
	size_t items_size;
	/* numbers of voided records that have not been passed */
	uint64_t *voids;
	size_t void_count;
	struct buf header; /* its body: words are views into it */
	struct bytes *words;
	size_t word_count;
	struct cursor {
		struct buf cursor;
		struct buf id;
	} * cursors; /* of each server */
	size_t cursor_count;
	struct buf piece;
};

/* Reads len bytes at offset; fewer mean the end. */
static ssize_t read_at(const struct backup_reader *reader, char *to, size_t len,
		       uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(reader->fd, to + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* A whole frame at offset? Its body is looked at in pieces. */
static bool frame_at(struct backup_reader *reader, uint64_t offset,
		     struct backup_frame *ret_frame, unsigned char *ret_kind)
{
	char head[BACKUP_FRAME_HEAD];

	if (read_at(reader, head, sizeof head, offset) != (ssize_t)sizeof head ||
	    !backup_frame_head(head, ret_frame) ||
	    offset + sizeof head + ret_frame->len > reader->size)
		return false;
	uint32_t check = backup_frame_check(ret_frame);
	char *piece = buf_reserve(&reader->piece, PIECE);
	for (uint64_t done = 0; done < ret_frame->len;) {
		size_t want = ret_frame->len - done < PIECE ? ret_frame->len - done : PIECE;

		if (read_at(reader, piece, want, offset + sizeof head + done) != (ssize_t)want)
			return false;
		if (done == 0)
			*ret_kind = (unsigned char)piece[0];
		check = backup_frame_check_more(check, (struct bytes){piece, want});
		done += want;
	}
	return check == ret_frame->check;
}

/* The next place from offset on (that one included) where a whole frame begins, or the size. */
static uint64_t find_frame(struct backup_reader *reader, uint64_t offset,
			   struct backup_frame *ret_frame, unsigned char *ret_kind)
{
	char window[4096 + 3];

	while (offset < reader->size) {
		ssize_t n = read_at(reader, window, sizeof window, offset);
		const char *found = n < 4 ? NULL : memmem(window, (size_t)n, BACKUP_MARKER, 4);

		if (!found) {
			offset += n < 4 ? reader->size - offset : (uint64_t)n - 3;
			continue;
		}
		offset += (uint64_t)(found - window);
		if (frame_at(reader, offset, ret_frame, ret_kind))
			return offset;
		offset++;
	}
	return reader->size;
}

static int load(struct backup_reader *reader, uint64_t offset, struct backup_record *ret_record,
		struct err *err)
{
	char head[BACKUP_FRAME_HEAD];
	struct backup_frame frame;

	buf_clear(&reader->body);
	if (read_at(reader, head, sizeof head, offset) != (ssize_t)sizeof head ||
	    !backup_frame_head(head, &frame) ||
	    read_at(reader, buf_reserve(&reader->body, frame.len), frame.len,
		    offset + sizeof head) != (ssize_t)frame.len)
		goto changed;
	reader->body.len = frame.len;
	if (backup_frame_check_more(backup_frame_check(&frame), buf_bytes(&reader->body)) !=
		frame.check ||
	    !backup_frame_read(buf_bytes(&reader->body), frame.number, &reader->items,
			       &reader->items_size, ret_record))
		goto changed;
	return 0;
changed:
	return err_set(err, ERR_ITEM, "undo file '%s' changes while it is read", reader->path);
}

static bool is_own(enum backup_kind kind)
{
	return kind == BACKUP_HEADER || kind == BACKUP_VOID || kind == BACKUP_CURSOR ||
	       kind == BACKUP_END;
}

static void keep_cursor(struct backup_reader *reader, const struct backup_record *record)
{
	size_t i = 0;

	if (record->item_count < 2)
		return;
	while (i < reader->cursor_count &&
	       !bytes_equal(buf_bytes(&reader->cursors[i].id), record->items[1]))
		i++;
	if (i == SERVERS_MAX)
		return;
	if (i == reader->cursor_count) {
		reader->cursors = mem_resize(reader->cursors, ++reader->cursor_count,
					     sizeof *reader->cursors);
		reader->cursors[i] = (struct cursor){0};
		buf_add(&reader->cursors[i].id, record->items[1]);
	}
	buf_clear(&reader->cursors[i].cursor);
	buf_add(&reader->cursors[i].cursor, record->items[0]);
}

/* One whole frame in the first look over the file. */
static int note(struct backup_reader *reader, uint64_t offset, const struct backup_frame *frame,
		unsigned char kind, struct err *err)
{
	struct backup_record record;

	if (reader->frames++ % BLOCK == 0) {
		reader->blocks =
		    mem_resize(reader->blocks, reader->block_count + 1, sizeof *reader->blocks);
		reader->blocks[reader->block_count++] = offset;
	}
	reader->check.finished = kind == BACKUP_END;
	if (kind == BACKUP_END)
		return 0;
	reader->tail.offset = offset + BACKUP_FRAME_HEAD + frame->len;
	reader->tail.next_number = frame->number + 1;
	if (!is_own((enum backup_kind)kind))
		reader->check.records++;
	if (kind != BACKUP_CURSOR && kind != BACKUP_VOID)
		return 0;
	if (load(reader, offset, &record, err) != 0)
		return -1;
	if (kind == BACKUP_CURSOR)
		keep_cursor(reader, &record);
	else
		reader->tail.records += record.item_count; /* taken off below */
	return 0;
}

static void note_damage(struct backup_reader *reader, uint64_t offset)
{
	if (reader->check.damaged++ == 0)
		reader->check.first_damage = offset;
}

static int look(struct backup_reader *reader, struct err *err)
{
	uint64_t offset = BACKUP_MAGIC_LEN;

	while (offset < reader->size) {
		struct backup_frame frame;
		unsigned char kind = 0;
		uint64_t place = find_frame(reader, offset, &frame, &kind);

		if (place >=
		    reader->size) { /* cut within a record: an end is missing, no more */
			reader->check.finished = false;
			break;
		}
		if (place != offset)
			note_damage(reader, offset);
		if (note(reader, place, &frame, kind, err) != 0)
			return -1;
		offset = place + BACKUP_FRAME_HEAD + frame.len;
	}
	uint64_t voided = reader->tail.records;
	reader->tail.records =
	    reader->check.records > voided ? reader->check.records - voided : 0;
	reader->check.bytes = reader->size;
	reader->block = reader->block_count;
	return 0;
}

static int read_header(struct backup_reader *reader, struct err *err)
{
	char magic[BACKUP_MAGIC_LEN];
	struct backup_record record;
	struct backup_frame frame;
	unsigned char kind = 0;

	if (read_at(reader, magic, sizeof magic, 0) != (ssize_t)sizeof magic ||
	    memcmp(magic, BACKUP_MAGIC, sizeof magic - 2) != 0)
		return err_set(err, ERR_USAGE, "'%s' is no undo file", reader->path);
	if (memcmp(magic, BACKUP_MAGIC, sizeof magic) != 0)
		return err_set(err, ERR_USAGE,
			       "undo file '%s' is of a newer format than this program reads",
			       reader->path);
	if (!frame_at(reader, BACKUP_MAGIC_LEN, &frame, &kind) || kind != BACKUP_HEADER ||
	    load(reader, BACKUP_MAGIC_LEN, &record, err) != 0)
		return err_set(err, ERR_USAGE,
			       "undo file '%s': its header is damaged: it does not say which "
			       "server it belongs to",
			       reader->path);
	backup_frame_origin(&record, &reader->check.origin);
	/* the words outlive the record: they go with its body */
	reader->header = reader->body;
	reader->body = (struct buf){0};
	reader->words = mem_zalloc(record.item_count / 2 + 1, sizeof *reader->words);
	for (size_t i = 0; i + 1 < record.item_count; i += 2)
		if (bytes_equal_str(record.items[i], "word"))
			reader->words[reader->word_count++] = record.items[i + 1];
	return 0;
}

int backup_read(const char *path, struct backup_reader **ret_reader, struct err *err)
{
	struct stat at;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_USAGE, "undo file '%s': %s", path, strerror(errno));
	if (fstat(fd, &at) != 0 || !S_ISREG(at.st_mode)) {
		close(fd);
		return err_set(err, ERR_USAGE, "'%s' is no undo file", path);
	}
	struct backup_reader *reader = mem_zalloc(1, sizeof *reader);
	reader->path = mem_strdup(path);
	reader->fd = fd;
	reader->size = (uint64_t)at.st_size;
	if (read_header(reader, err) != 0 || look(reader, err) != 0) {
		backup_reader_free(reader);
		return -1;
	}
	*ret_reader = reader;
	return 0;
}

void backup_reader_free(struct backup_reader *reader)
{
	if (!reader)
		return;
	close(reader->fd);
	buf_release(&reader->body);
	buf_release(&reader->header);
	for (size_t i = 0; i < reader->cursor_count; i++) {
		buf_release(&reader->cursors[i].cursor);
		buf_release(&reader->cursors[i].id);
	}
	free(reader->cursors);
	buf_release(&reader->piece);
	free(reader->blocks);
	free(reader->items);
	free(reader->voids);
	free(reader->words);
	free(reader->path);
	free(reader);
}

const struct backup_check *backup_checked(const struct backup_reader *reader)
{
	return &reader->check;
}

void backup_reader_tail(const struct backup_reader *reader, struct backup_tail *ret_tail)
{
	*ret_tail = reader->tail;
}

size_t backup_words(const struct backup_reader *reader, const struct bytes **ret_words)
{
	*ret_words = reader->words;
	return reader->word_count;
}

bool backup_cursor(const struct backup_reader *reader, const char *id, struct bytes *ret_cursor)
{
	for (size_t i = 0; id[0] && i < reader->cursor_count; i++)
		if (bytes_equal_str(buf_bytes(&reader->cursors[i].id), id)) {
			*ret_cursor = buf_bytes(&reader->cursors[i].cursor);
			return true;
		}
	return false;
}

bool backup_has_cursor(const struct backup_reader *reader, struct bytes start)
{
	for (size_t i = 0; start.len && i < reader->cursor_count; i++)
		if (bytes_starts_with(buf_bytes(&reader->cursors[i].id), start))
			return true;
	return false;
}

void backup_rewind(struct backup_reader *reader)
{
	reader->block = reader->block_count;
	reader->left = 0;
	reader->void_count = 0;
}

/* The places of the block before. */
static void step_back(struct backup_reader *reader)
{
	uint64_t offset = reader->blocks[--reader->block];
	uint64_t end = reader->block + 1 < reader->block_count
			   ? reader->blocks[reader->block + 1]
			   : reader->size;
	struct backup_frame frame;
	unsigned char kind = 0;

	while (offset < end && reader->left < BLOCK) {
		offset = find_frame(reader, offset, &frame, &kind);
		if (offset >= end)
			break;
		reader->places[reader->left++] = offset;
		offset += BACKUP_FRAME_HEAD + frame.len;
	}
}

static void add_voids(struct backup_reader *reader, const struct backup_record *record)
{
	reader->voids = mem_resize(reader->voids, reader->void_count + record->item_count + 1,
				   sizeof *reader->voids);
	for (size_t i = 0; i < record->item_count; i++)
		if (record->items[i].len == 8)
			reader->voids[reader->void_count++] =
			    backup_number(record->items[i].ptr, 8);
}

/* True for a voided one, which is then forgotten: each is met once. */
static bool take_void(struct backup_reader *reader, uint64_t number)
{
	for (size_t i = 0; i < reader->void_count; i++)
		if (reader->voids[i] == number) {
			reader->voids[i] = reader->voids[--reader->void_count];
			return true;
		}
	return false;
}

int backup_prev(struct backup_reader *reader, struct backup_record *ret_record, struct err *err)
{
	for (;;) {
		if (reader->left == 0 && reader->block == 0)
			return 0;
		if (reader->left == 0)
			step_back(reader);
		if (reader->left == 0)
			continue;
		if (load(reader, reader->places[--reader->left], ret_record, err) != 0)
			return -1;
		if (ret_record->kind == BACKUP_VOID)
			add_voids(reader, ret_record);
		else if (!is_own(ret_record->kind) && !take_void(reader, ret_record->number))
			return 1;
	}
}
