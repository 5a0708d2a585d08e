#ifndef CORE_BACKUP_READ_H
#define CORE_BACKUP_READ_H

#include "core/backup.h"

/* Where a writer may go on: behind the last whole record that is no end. */
struct backup_tail {
	uint64_t offset;
	uint64_t next_number;
	uint64_t records; /* that can be undone */
};
void backup_reader_tail(const struct backup_reader *reader, struct backup_tail *ret_tail);

#endif
