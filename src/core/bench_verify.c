#include "core/bench_verify.h"

#include "base/mem.h"
#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "FF:IIIIIIIIIIII:NNNNNN:", the filler, 16 hexadecimal digits of the checksum. */
#define HEAD 23
#define TAIL 16
#define MASK (BENCH_VERIFY_MODULO - 1)

const char *const bench_verdict_names[] = {"right", "foreign", "torn", "stale", NULL};

struct counters {
	uint32_t issued;
	uint32_t answered;
	uint32_t stored; /* the last number that was acknowledged */
};

struct bench_verify {
	struct counters *families[BENCH_FAMILIES_MAX];
	size_t count;
};

struct bench_verify *bench_verify_new(const struct bench_job *job)
{
	struct bench_verify *verify = mem_zalloc(1, sizeof *verify);

	verify->count = job->family_count;
	for (size_t i = 0; i < verify->count; i++)
		verify->families[i] =
		    mem_zalloc((size_t)job->families[i].keys, sizeof *verify->families[i]);
	return verify;
}

void bench_verify_free(struct bench_verify *verify)
{
	if (!verify)
		return;
	for (size_t i = 0; i < verify->count; i++)
		free(verify->families[i]);
	free(verify);
}

static void put_head(char *head, unsigned family, uint64_t index, uint32_t number)
{
	char text[HEAD + 9];

	snprintf(text, sizeof text, "%02x:%012" PRIx64 ":%06" PRIx32 ":", family & 0xff,
		 index & UINT64_C(0xffffffffffff), number & MASK);
	memcpy(head, text, HEAD);
}

static void put_checksum(char *tail, struct bytes body)
{
	char text[TAIL + 1];

	snprintf(text, sizeof text, "%016llx", bytes_hash(body));
	memcpy(tail, text, TAIL);
}

void bench_verify_fill(char *value, size_t size, unsigned family, uint64_t index,
		       uint32_t number)
{
	uint64_t state = index * UINT64_C(0x9e3779b97f4a7c15) + number + family;

	put_head(value, family, index, number);
	for (size_t i = HEAD; i < size - TAIL; i++) {
		state = state * UINT64_C(6364136223846793005) + 1;
		value[i] = (char)('a' + (state >> 33) % 26);
	}
	put_checksum(value + size - TAIL, (struct bytes){value, size - TAIL});
}

uint32_t bench_verify_issue(struct bench_verify *verify, unsigned family, uint64_t index)
{
	return ++verify->families[family][index].issued & MASK;
}

void bench_verify_settle(struct bench_verify *verify, unsigned family, uint64_t index,
			 bool stored)
{
	struct counters *counters = &verify->families[family][index];

	counters->answered++;
	if (stored)
		__atomic_store_n(&counters->stored, counters->answered, __ATOMIC_RELEASE);
}

uint32_t bench_verify_floor(const struct bench_verify *verify, unsigned family, uint64_t index)
{
	return __atomic_load_n(&verify->families[family][index].stored, __ATOMIC_ACQUIRE) &
	       MASK;
}

enum bench_verdict bench_verify_check(struct bytes value, unsigned family, uint64_t index,
				      uint32_t floor)
{
	char expected[HEAD];
	char checksum[TAIL];
	uint32_t number = 0;

	put_head(expected, family, index, 0);
	if (value.len < BENCH_VERIFY_SIZE || memcmp(value.ptr, expected, HEAD - 7) != 0)
		return BENCH_FOREIGN;
	put_checksum(checksum, bytes_sub(value, 0, value.len - TAIL));
	if (memcmp(value.ptr + value.len - TAIL, checksum, TAIL) != 0)
		return BENCH_TORN;
	for (size_t i = HEAD - 7; i < HEAD - 1; i++)
		number = number << 4 | (uint32_t)num_hex_digit(value.ptr[i]);
	/* Newer than floor, or it, when the difference is in the lower half. */
	return ((number - floor) & MASK) < BENCH_VERIFY_MODULO / 2 ? BENCH_RIGHT : BENCH_STALE;
}
