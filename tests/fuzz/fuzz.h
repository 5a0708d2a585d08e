#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * Each file here gives one function FUZZ(name) that must bear any bytes: no crash, no leak, no
 * broken promise (EXPECT). `make fuzz` looks for bytes that it does not bear; the unit test
 * fuzz_corpus_test gives it those of corpus/name/ and, beside them, what was found before.
 */
typedef void fuzz_fn(struct bytes input);

void fuzz_config(struct bytes input);
void fuzz_template(struct bytes input);
void fuzz_words(struct bytes input);
void fuzz_event(struct bytes input);
void fuzz_url(struct bytes input);
void fuzz_reply(struct bytes input);
void fuzz_resp(struct bytes input);
void fuzz_backup(struct bytes input);
void fuzz_http(struct bytes input);
void fuzz_fleet(struct bytes input);
void fuzz_monitor(struct bytes input);
void fuzz_packed(struct bytes input);
void fuzz_json(struct bytes input);
void fuzz_figures(struct bytes input);
void fuzz_rows(struct bytes input);
void fuzz_cluster(struct bytes input);
void fuzz_feed(struct bytes input);
void fuzz_greet(struct bytes input);
void fuzz_shape(struct bytes input);

#ifdef FUZZING
#define FUZZ(name)                                                                             \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);                          \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                           \
	{                                                                                      \
		fuzz_##name((struct bytes){(const char *)data, size});                         \
		return 0;                                                                      \
	}                                                                                      \
	void fuzz_##name(struct bytes input)
#else
#define FUZZ(name) void fuzz_##name(struct bytes input)
#endif

#define EXPECT(condition)                                                                      \
	do {                                                                                   \
		if (!(condition))                                                              \
			abort();                                                               \
	} while (0)

/* Cuts the part before the first separator off the input; all of it when there is none. */
static inline struct bytes fuzz_part(struct bytes *input, char separator)
{
	size_t end = bytes_index(*input, separator);
	struct bytes part = bytes_sub(*input, 0, end);

	*input = bytes_sub(*input, end + 1, input->len);
	return part;
}

/* A file in memory that holds these bytes: its descriptor, to be closed, and its path. */
#define FUZZ_PATH 64
int fuzz_file(struct bytes content, char path[FUZZ_PATH]);

#endif
