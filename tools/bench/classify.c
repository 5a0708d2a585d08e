/*
 * How fast is the classifier: a mix of keys of all five systems (and strangers)
 * against a bare loop that only hashes the bytes. Prints keys/s, medians of
 * interleaved rounds.
 *
 *   make bench-tools && build/bench/classify [KEYS [ROUNDS]]
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/config.h"
#include "core/namespace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 99

struct keys {
	struct buf text;
	size_t *starts; /* count + 1 */
	size_t count;
};

static const char *const ids[] = {"507f1f77bcf86cd799439011",
				  "CA5ef8732a3c49700934481addd5ce1659",
				  "b0c1b1c1-0000-0000-0000-000000000001", "17786528784"};

static void add_key(struct keys *keys, const struct nsset *set, size_t n)
{
	const struct ns *ns = nsset_at(set, n % nsset_count(set));
	struct var vars[TEMPLATE_VARS_MAX];
	char id[64];

	snprintf(id, sizeof id, "%.*s%02zx", (int)strlen(ids[n % 4]) - 2, ids[n % 4], n % 256);
	for (size_t i = 0; i < template_var_count(ns->key); i++)
		vars[i] = (struct var){bytes_of(template_var_name(ns->key, i)), bytes_of(id)};
	if (n % 16 == 15 ||
	    template_expand(ns->key, vars, template_var_count(ns->key), &keys->text, NULL))
		buf_printf(&keys->text, "stranger:%zu:%s", n, id);
}

/* xorshift64*: a repeating order would be learnt by the branch predictor. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717) >> 16;
}

static void fill(struct keys *keys, const struct nsset *set, size_t count)
{
	uint64_t random = 42;

	keys->starts = mem_zalloc(count + 1, sizeof *keys->starts);
	keys->count = count;
	for (size_t i = 0; i < count; i++) {
		keys->starts[i] = keys->text.len;
		add_key(keys, set, (size_t)next_random(&random));
	}
	keys->starts[count] = keys->text.len;
}

static struct bytes key_at(const struct keys *keys, size_t i)
{
	return (struct bytes){keys->text.ptr + keys->starts[i],
			      keys->starts[i + 1] - keys->starts[i]};
}

static double keys_per_s(const struct keys *keys, uint64_t start_ns)
{
	return (double)keys->count * 1e9 / (double)(clock_mono_ns() - start_ns);
}

static double run_classifier(const struct keys *keys, const struct nsset *set,
			     size_t *ret_known)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	uint64_t start = clock_mono_ns();
	size_t known = 0;

	for (size_t i = 0; i < keys->count; i++)
		known += nsset_classify(set, key_at(keys, i), values) != NULL;
	*ret_known = known;
	return keys_per_s(keys, start);
}

static double run_bare(const struct keys *keys, unsigned long long *ret_sum)
{
	uint64_t start = clock_mono_ns();
	unsigned long long sum = 0;

	for (size_t i = 0; i < keys->count; i++)
		sum += bytes_hash(key_at(keys, i));
	*ret_sum = sum;
	return keys_per_s(keys, start);
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *rates, size_t count)
{
	qsort(rates, count, sizeof *rates, compare_doubles);
	return rates[count / 2];
}

int main(int argc, char **argv)
{
	uint64_t count = 1000000;
	uint64_t rounds = 7;
	struct config *config = NULL;
	double classified[ROUNDS_MAX];
	double bare[ROUNDS_MAX];
	struct keys keys = {0};
	size_t known = 0;
	unsigned long long sum = 0;
	struct err err = {0};

	if ((argc > 1 && num_parse_u64(bytes_of(argv[1]), 1, 100000000, &count)) ||
	    (argc > 2 && num_parse_u64(bytes_of(argv[2]), 1, ROUNDS_MAX, &rounds))) {
		fprintf(stderr, "usage: classify [KEYS [ROUNDS]]\n");
		return 2;
	}
	if (config_load(NULL, "all", &config, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	const struct nsset *set = config_namespaces(config);
	fill(&keys, set, count);
	for (size_t i = 0; i < rounds; i++) {
		classified[i] = run_classifier(&keys, set, &known);
		bare[i] = run_bare(&keys, &sum);
	}
	double rate = median(classified, rounds);
	double bare_rate = median(bare, rounds);
	printf("%llu keys of %zu namespaces, %.1f bytes each, %zu known, checksum %llx\n",
	       (unsigned long long)count, nsset_count(set),
	       (double)keys.text.len / (double)count, known, sum);
	printf("classify  %6.2f M keys/s\nbare hash %6.2f M keys/s\nratio     %6.2f\n",
	       rate / 1e6, bare_rate / 1e6, rate / bare_rate);
	free(keys.starts);
	buf_release(&keys.text);
	config_free(config);
	return 0;
}
