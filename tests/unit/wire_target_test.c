#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/target.h"

#include <stdlib.h>
#include <string.h>

static void describes(const char *url, const char *want)
{
	struct target target;
	struct buf text = {0};
	struct err err = {0};

	target_init(&target);
	if (target_parse_url(&target, url, &err) < 0) {
		printf("# %s: %s\n", url, err.text);
		check_bad_in_test = 1;
	} else {
		target_describe(&target, &text);
		CHECK_STR(buf_str(&text), want);
	}
	buf_release(&text);
	target_release(&target);
}

/* The URL is refused, with part in the message, and never shows "secret". */
static void refuses(const char *url, const char *part)
{
	struct target target;
	struct err err = {0};

	target_init(&target);
	target.db = 7;
	if (target_parse_url(&target, url, &err) != -1 || err.kind != ERR_USAGE ||
	    !strstr(err.text, part) || strstr(err.text, "secret")) {
		printf("# %s: '%s', expected '%s'\n", url, err.text, part);
		check_bad_in_test = 1;
	}
	CHECK_INT(target.db, 7);
	CHECK_STR(target.host, "127.0.0.1");
	target_release(&target);
}

TEST(forms_of_a_url)
{
	describes("redis://", "127.0.0.1:6379/0");
	describes("redis://cache.example", "cache.example:6379/0");
	describes("redis://h:7000/15", "h:7000/15");
	describes("redis://h/", "h:6379/0");
	describes("redis://h?db=4", "h:6379/4");
	describes("redis://h/2?database=4", "h:6379/4");
	describes("rediss://h:6380/1", "tls://h:6380/1");
	describes("valkey://h", "h:6379/0");
	describes("valkeys://h", "tls://h:6379/0");
	describes("redis://[::1]:6380/2", "[::1]:6380/2");
	describes("redis://[fe80::1%25eth0]", "[fe80::1%eth0]:6379/0");
	describes("redis://u:secret@h", "h:6379/0");
	describes("unix:///run/redis.sock", "unix:/run/redis.sock/0");
	describes("unix:///run/a%20b.sock?db=3", "unix:/run/a b.sock/3");
	describes("redis-socket:///s?database=5", "unix:/s/5");
	describes("redis+unix://u:secret@/s?db=1", "unix:/s/1");
}

TEST(a_login_is_decoded)
{
	struct target target;
	struct err err = {0};

	target_init(&target);
	CHECK_INT(target_parse_url(&target, "redis://my%3Auser:p%40ss%2Fw:rd%25@h", &err), 0);
	CHECK_STR(target.user, "my:user");
	CHECK_STR(target.password, "p@ss/w:rd%");
	CHECK_INT(target_parse_url(&target, "redis://:a@b@h", &err), 0);
	CHECK_STR(target.password, "a@b");
	CHECK_STR(target.user, "my:user");
	target_release(&target);
}

TEST(what_a_url_does_not_say_stays)
{
	struct target target;
	struct err err = {0};

	target_init(&target);
	CHECK_INT(target_parse_url(&target, "redis://u:secret@h:1234/9", &err), 0);
	CHECK_INT(target_parse_url(&target, "redis://other", &err), 0);
	CHECK_STR(target.host, "other");
	CHECK_INT(target.port, 1234);
	CHECK_INT(target.db, 9);
	CHECK_STR(target.password, "secret");
	CHECK_INT(target_parse_url(&target, "unix:///s", &err), 0);
	CHECK_STR(target.socket, "/s");
	CHECK_INT(target_parse_url(&target, "redis://", &err), 0);
	CHECK(target.socket == NULL);
	target_release(&target);
}

TEST(slips_are_named_without_the_password)
{
	refuses("", "scheme");
	refuses("localhost:6379", "scheme");
	refuses("secret://h", "unknown scheme");
	refuses("redis-sentinel://h", "sentinelMasterId=NAME");
	refuses("redis-sentinel://h:0?sentinelMasterId=m", "HOST:PORT");
	refuses("redis-sentinel://h,?sentinelMasterId=m", "commas");
	refuses("redis-sentinel://[::1?sentinelMasterId=m", "HOST:PORT");
	refuses("redis-sentinel://[::1]1?sentinelMasterId=m", "HOST:PORT");
	refuses("redis://h?sentinelMasterId=m", "only ?db=N is known");
	refuses("redis://h:0", "port");
	refuses("redis://h:65536", "port");
	refuses("redis://h:63x79", "port");
	refuses("redis://h/x", "db");
	refuses("redis://h/-1", "db");
	refuses("redis://h/1?db=99999999999", "db");
	refuses("redis://h?timeout=5", "?db=N");
	refuses("redis://[::1", "]");
	refuses("redis://[::1]6379", "]");
	refuses("redis://u:secret%2@h", "percent escape");
	refuses("redis://u:secret%00@h", "percent escape");
	refuses("redis://u:secret%zz@h", "percent escape");
	refuses("redis://:sec/secret@h", "%2F");
	refuses("redis://:sec?secret@h", "%3F");
	refuses("redis://:sec#secret@h", "%23");
	refuses("unix://run/redis.sock", "absolute");
	refuses("unix://", "absolute");
}

int main(void)
{
	RUN(forms_of_a_url);
	RUN(a_login_is_decoded);
	RUN(what_a_url_does_not_say_stays);
	RUN(slips_are_named_without_the_password);
	CHECK_DONE();
}
