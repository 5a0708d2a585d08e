#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A unit test file is a program: TEST(name) functions listed in main with
 * RUN(name); it prints TAP ("ok 1 - name") and exits 1 when one failed.
 */
static int check_failures;
static int check_number;

/* The end of a name that mkstemp(3) or mkdtemp(3) makes unique. */
#define UNIQUE                                                                                 \
	"."                                                                                    \
	"XX"                                                                                   \
	"XX"                                                                                   \
	"XX"

#define TEST(name) static void name(void)
#define RUN(name) check_run(#name, name)
#define CHECK_DONE() return (printf("1..%d\n", check_number), check_failures ? 1 : 0)

static int check_bad_in_test;

static inline void check_run(const char *name, void (*test)(void))
{
	/* a child that a test forks, and that a sanitizer ends, has nothing of ours to print */
	if (check_number == 0)
		setvbuf(stdout, NULL, _IOLBF, 0);
	check_bad_in_test = 0;
	test();
	printf("%s %d - %s\n", check_bad_in_test ? "not ok" : "ok", ++check_number, name);
	check_failures += check_bad_in_test ? 1 : 0;
}

static inline void check_fail(const char *file, int line, const char *what)
{
	printf("# %s:%d: %s\n", file, line, what);
	check_bad_in_test = 1;
}

#define CHECK(condition)                                                                       \
	do {                                                                                   \
		if (!(condition))                                                              \
			check_fail(__FILE__, __LINE__, #condition);                            \
	} while (0)

static inline void check_int(const char *file, int line, const char *what, long long got,
			     long long want)
{
	if (got == want)
		return;
	printf("# %s:%d: %s is %lld, expected %lld\n", file, line, what, got, want);
	check_bad_in_test = 1;
}
#define CHECK_INT(got, want)                                                                   \
	check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))

static inline void check_bytes(const char *file, int line, const char *what, struct bytes got,
			       struct bytes want)
{
	if (bytes_equal(got, want))
		return;
	printf("# %s:%d: %s is \"%.*s\" (%zu bytes), expected \"%.*s\" (%zu bytes)\n", file,
	       line, what, (int)got.len, got.ptr ? got.ptr : "", got.len, (int)want.len,
	       want.ptr ? want.ptr : "", want.len);
	check_bad_in_test = 1;
}
#define CHECK_BYTES(got, want) check_bytes(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_STR(got, want)                                                                   \
	check_bytes(__FILE__, __LINE__, #got, bytes_of(got), bytes_of(want))

#endif
