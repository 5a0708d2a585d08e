#include "check.h"

#include "wire/reply.h"

static void points_to(const char *text, const char *want_host, int want_port)
{
	struct bytes host = BYTES("untouched");
	uint16_t port = 0;

	CHECK_INT(reply_redirection(bytes_of(text), &host, &port), want_port ? 0 : -1);
	CHECK_BYTES(host, bytes_of(want_host));
	CHECK_INT(port, want_port);
}

TEST(a_redirection_names_host_and_port)
{
	points_to("MOVED 3999 127.0.0.1:6381", "127.0.0.1", 6381);
	points_to("ASK 0 cache-2.internal:7000", "cache-2.internal", 7000);
	points_to("MOVED 16383 fe80::1:6379", "fe80::1", 6379);
}

TEST(an_unnamed_host_is_the_speaker)
{
	points_to("MOVED 3999 :6381", "", 6381);
	points_to("MOVED 3999 ?:6381", "", 6381);
}

TEST(what_names_no_port_is_refused)
{
	points_to("MOVED 3999", "untouched", 0);
	points_to("MOVED 3999 127.0.0.1", "untouched", 0);
	points_to("MOVED 3999 127.0.0.1:", "untouched", 0);
	points_to("MOVED 3999 127.0.0.1:0", "untouched", 0);
	points_to("MOVED 3999 127.0.0.1:65536", "untouched", 0);
	points_to("MOVED 3999 127.0.0.1:6381 ", "untouched", 0);
	points_to("", "untouched", 0);
}

int main(void)
{
	RUN(a_redirection_names_host_and_port);
	RUN(an_unnamed_host_is_the_speaker);
	RUN(what_names_no_port_is_refused);
	CHECK_DONE();
}
