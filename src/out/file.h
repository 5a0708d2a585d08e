#ifndef OUT_FILE_H
#define OUT_FILE_H

#include "base/bytes.h"

#include <sys/types.h>

struct err;

/* A file that an option names: "--hdr", "times.hlog". */
struct out_file {
	const char *option;
	const char *path;
	mode_t mode; /* 0: as the former one's, or as the umask has it */
	const volatile int *cancel;
};

/*
 * Writes it whole or not at all: beside it, then renamed; what stood there stays whatever
 * fails, and no signal comes between. A symbolic link stays one. What is no file (a
 * device, a FIFO, which may wait for its reader until *cancel, /dev/stdout) is written to.
 * -1 with ERR_OUTPUT, or ERR_INTERRUPTED, that names the option and the path.
 */
int out_file_replace(const struct out_file *file, struct bytes b, struct err *err);

#endif
