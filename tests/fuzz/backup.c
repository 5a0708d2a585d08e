/* An undo file: opened, checked, walked from its end. */
#include "fuzz.h"

#include "base/err.h"
#include "core/backup.h"

#include <unistd.h>

FUZZ(backup)
{
	struct backup_reader *reader = NULL;
	const struct bytes *words = NULL;
	struct backup_record record;
	struct err err = {0};
	char path[FUZZ_PATH];
	int fd = fuzz_file(input, path);

	if (backup_read(path, &reader, &err) == 0) {
		struct bytes cursor;

		backup_words(reader, &words);
		backup_cursor(reader, "aa11", &cursor);
		while (backup_prev(reader, &record, &err) == 1)
			;
		backup_reader_free(reader);
	}
	close(fd);
}
