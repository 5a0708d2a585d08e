#include "../fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int fuzz_file(struct bytes content, char path[FUZZ_PATH])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	EXPECT(fd >= 0 && write(fd, content.ptr, content.len) == (ssize_t)content.len);
	snprintf(path, FUZZ_PATH, "/proc/self/fd/%d", fd);
	return fd;
}
