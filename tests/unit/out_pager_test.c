/* What a screen cannot hold, and streams that keep or page what is written. */
#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "out/frame.h"
#include "out/pager.h"
#include "out/stream.h"
#include "out/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(lines_are_counted_as_the_terminal_wraps_them)
{
	CHECK(!out_pager_exceeds(BYTES(""), 80, 2));
	CHECK(!out_pager_exceeds(BYTES("a\nb\n"), 80, 2));
	CHECK(out_pager_exceeds(BYTES("a\nb\nc"), 80, 2));
	CHECK(out_pager_exceeds(BYTES("\n\n\n"), 80, 2));
	CHECK(!out_pager_exceeds(BYTES("0123456789\n"), 10, 1));
	CHECK(out_pager_exceeds(BYTES("0123456789a\n"), 10, 1));
	CHECK(!out_pager_exceeds(BYTES("\033[31m0123456789\033[0m\n"), 10, 1));
	CHECK(!out_pager_exceeds(BYTES("äöüäöüäöüä\n"), 10, 1));
	CHECK(!out_pager_exceeds(BYTES("\033["), 10, 1));
}

TEST(a_stream_that_keeps_drops_what_is_too_much)
{
	struct out_stream *stream = out_stream_new_kept(8);

	out_stream_write(stream, BYTES("0123"));
	CHECK_INT(out_stream_flush(stream, NULL), 0);
	CHECK_BYTES(out_stream_kept(stream), BYTES("0123"));
	out_stream_write(stream, BYTES("456789"));
	out_stream_flush(stream, NULL);
	CHECK_BYTES(out_stream_kept(stream), BYTES("01234567"));
	out_stream_free(stream);
}

/* What reaches the file when text is written to a stream that pages, with this pager. */
static const char *paged(const char *pager, const char *text, bool *ret_held)
{
	static char content[256];
	char path[] = "/tmp/out_pager_test" UNIQUE;
	int fd = mkstemp(path);
	struct out_stream *stream = out_stream_new(fd, path);

	setenv("PAGER", pager, 1);
	dup2(fd, STDOUT_FILENO); /* where the pager writes */
	out_stream_page(stream, 80, 2);
	out_stream_write(stream, bytes_of(text));
	out_stream_flush(stream, NULL);
	*ret_held = lseek(fd, 0, SEEK_CUR) == 0;
	out_stream_page_end(stream);
	CHECK(!out_stream_failed(stream));
	ssize_t got = pread(fd, content, sizeof content - 1, 0);
	content[got > 0 ? got : 0] = '\0';
	out_stream_free(stream);
	close(fd);
	unlink(path);
	return content;
}

TEST(only_what_exceeds_the_screen_is_paged)
{
	int out = dup(STDOUT_FILENO);
	bool held = false;
	char *small = strdup(paged("sed s/^/paged:/", "a\nb\n", &held));
	bool small_held = held;
	char *large = strdup(paged("sed s/^/paged:/", "a\nb\nc\n", &held));
	char *none = strdup(paged("cat", "a\nb\nc\n", &held));
	char *early = strdup(paged("true", "a\nb\nc\n", &held));

	dup2(out, STDOUT_FILENO);
	close(out);
	CHECK(small_held);
	CHECK_STR(small, "a\nb\n");
	CHECK_STR(large, "paged:a\npaged:b\npaged:c\n");
	CHECK_STR(none, "a\nb\nc\n");
	CHECK_STR(early, "");
	free(small);
	free(large);
	free(none);
	free(early);
}

TEST(a_frame_is_cut_to_the_screen)
{
	struct out_terminal terminal = {.is_tty = true, .width = 20, .height = 6};
	struct out_stream *stream = out_stream_new_kept(4096);

	out_frame_draw(stream, &terminal, "title", BYTES("1\n2\n3\n4\n"), true);
	CHECK_BYTES(out_stream_kept(stream),
		    BYTES("\033[H\033[2Jtitle\033[K\n\033[K\n1\033[K\n2\033[K\n"
			  "(2 lines more)\033[K\n\033[J"));
	out_stream_free(stream);
	stream = out_stream_new_kept(4096);
	out_frame_draw(stream, &terminal, "t",
		       BYTES("\033[31m01234567890123456789rest\033[0m\n"), false);
	CHECK_BYTES(
	    out_stream_kept(stream),
	    BYTES("\033[Ht\033[K\n\033[K\n\033[31m01234567890123456789\033[0m\033[K\n\033[J"));
	out_stream_free(stream);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as the program does */
	RUN(lines_are_counted_as_the_terminal_wraps_them);
	RUN(a_stream_that_keeps_drops_what_is_too_much);
	RUN(only_what_exceeds_the_screen_is_paged);
	RUN(a_frame_is_cut_to_the_screen);
	CHECK_DONE();
}
