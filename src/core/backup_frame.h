#ifndef CORE_BACKUP_FRAME_H
#define CORE_BACKUP_FRAME_H

#include "core/backup.h"

#define BACKUP_MAGIC "callcache undo 1\n"
#define BACKUP_MAGIC_LEN (sizeof BACKUP_MAGIC - 1)
#define BACKUP_MARKER "\327und"
#define BACKUP_FRAME_HEAD 20

/* The fixed part in front of a body. */
struct backup_frame {
	uint32_t len; /* of the body */
	uint64_t number;
	uint32_t check;
};

/* Appends a whole frame. */
void backup_frame_write(struct buf *buf, const struct backup_record *record);
/* Bytes that it takes. */
uint64_t backup_frame_size(const struct backup_record *record);
/* Reads BACKUP_FRAME_HEAD bytes; false when they are no frame's. */
bool backup_frame_head(const char *bytes, struct backup_frame *ret_frame);
/* The check over a frame's head, to be gone on with over its body. */
uint32_t backup_frame_check(const struct backup_frame *frame);
uint32_t backup_frame_check_more(uint32_t check, struct bytes bytes);
/*
 * A body → record; views into it, and *items (grown as needed, malloc'd by
 * mem) for record->items. False when its lengths do not add up.
 */
bool backup_frame_read(struct bytes body, uint64_t number, struct bytes **items,
		       size_t *items_size, struct backup_record *ret_record);
/* Header items → origin; words are the items that follow a "word" name. */
void backup_frame_origin(const struct backup_record *record, struct backup_origin *ret_origin);

uint64_t backup_number(const char *bytes, size_t size);
void backup_put_number(char *bytes, size_t size, uint64_t value);

#endif
