#include "base/buf.h"
#include "check.h"

#include <errno.h>
#include <unistd.h>

/* A file that holds text; its descriptor stands at the start. */
static int file_of(const char *text)
{
	FILE *file = tmpfile();

	if (!file || fputs(text, file) < 0 || fflush(file) != 0)
		abort();
	int fd = dup(fileno(file));
	fclose(file);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

TEST(reads_to_the_end_behind_what_it_holds)
{
	struct buf buf = {0};
	int fd = file_of("and more");

	buf_add_str(&buf, "this ");
	CHECK_INT(buf_read_fd(&buf, fd, 13), 0);
	CHECK_STR(buf_str(&buf), "this and more");
	close(fd);
	buf_release(&buf);
}

TEST(stops_at_the_limit)
{
	struct buf buf = {0};
	int fd = file_of("12345");

	errno = 0;
	CHECK_INT(buf_read_fd(&buf, fd, 4), -1);
	CHECK_INT(errno, EFBIG);
	close(fd);
	buf_release(&buf);
}

TEST(says_why_a_file_is_not_read)
{
	struct buf buf = {0};

	errno = 0;
	CHECK_INT(buf_read_file(&buf, "/nowhere/at/all", 10), -1);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(buf_read_file(&buf, "/", 10), -1);
	CHECK_INT(errno, EISDIR);
	CHECK_INT(buf_read_file(&buf, "/dev/null", 10), 0);
	CHECK_INT(buf.len, 0);
	CHECK_STR(buf_str(&buf), "");
	buf_release(&buf);
}

int main(void)
{
	RUN(reads_to_the_end_behind_what_it_holds);
	RUN(stops_at_the_limit);
	RUN(says_why_a_file_is_not_read);
	CHECK_DONE();
}
