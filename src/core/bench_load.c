#include "core/bench_load.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/bench_blank.h"
#include "core/bench_verify.h"
#include "core/namespace.h"
#include "wire/resp.h"
#include "wire/slot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const bench_kind_names[] = {"get", "set", "del", "command", NULL};
const char *const bench_ids_names[] = {"uniform", "zipfian", "sequential", NULL};

#define DIGITS_LIMIT UINT64_C(1000000000000)

struct bench_load {
	const struct bench_job *job;
	struct bench_random random;
	double family_bounds[BENCH_FAMILIES_MAX]; /* cumulated weights */
	double kind_bounds[BENCH_KINDS];
	int only_kind; /* of a mix of one; -1 */
	struct bench_zipf zipf[BENCH_FAMILIES_MAX];
	uint64_t sequence[BENCH_FAMILIES_MAX];
	struct bench_blank blanks[BENCH_FAMILIES_MAX][BENCH_KINDS];
	struct bench_verify *verify;
	struct bench_sheet sheet;
	char *filler; /* values are cut from it; with verify, made in it */
	size_t value_size;
	const struct bench_blank
	    *written; /* the last command; NULL: rendered, its key is in key */
	struct buf key;
	struct buf words;
};

/* --- names --- */

void bench_names_add(struct bench_names *names, struct bytes name)
{
	if ((names->count & (names->count + 1)) == 0)
		names->ends =
		    mem_resize(names->ends, names->count * 2 + 2, sizeof *names->ends);
	buf_add(&names->text, name);
	names->ends[names->count++] = names->text.len;
}

struct bytes bench_names_at(const struct bench_names *names, size_t index)
{
	size_t from = index ? names->ends[index - 1] : 0;

	return bytes_sub(buf_bytes(&names->text), from, names->ends[index] - from);
}

void bench_names_release(struct bench_names *names)
{
	buf_release(&names->text);
	free(names->ends);
	*names = (struct bench_names){0};
}

static int expand(const struct bench_family *family, struct bytes id, struct buf *buf,
		  struct err *err)
{
	struct var vars[TEMPLATE_VARS_MAX];
	size_t count = template_var_count(family->ns->key);

	for (size_t i = 0; i < count; i++)
		vars[i] = (struct var){bytes_of(template_var_name(family->ns->key, i)), id};
	if (template_expand(family->ns->key, vars, count, buf, err) == 0)
		return 0;
	return err_wrap(err,
			"namespace %s: numbers do not fill its key (give ids with --ids FILE)",
			family->name);
}

int bench_key(const struct bench_job *job, const struct bench_family *family, uint64_t index,
	      struct buf *buf, struct err *err)
{
	char id[BENCH_DIGITS];

	if (!family->live)
		buf_printf(buf, BENCH_PREFIX "%s:", job->run);
	if (family->names && index < family->names->count) {
		buf_add(buf, bench_names_at(family->names, (size_t)index));
		return 0;
	}
	bench_blank_digits(id, index % DIGITS_LIMIT);
	if (family->ns && !family->live)
		return expand(family, (struct bytes){id, BENCH_DIGITS}, buf, err);
	buf_add(buf, family->live ? BYTES("cc:bench:nothing:") : BYTES("key:"));
	buf_add(buf, (struct bytes){id, BENCH_DIGITS});
	return 0;
}

/* --- the bytes of a command --- */

static size_t pick_size(struct bench_load *load, const struct bench_family *family,
			uint64_t index)
{
	enum ns_type type = bench_words_type(family);

	/* Members of another size would be other members: the set would grow. */
	if (type == NS_SET || type == NS_ZSET) {
		uint64_t place = index * UINT64_C(0x9e3779b97f4a7c15) >> 32;

		return family->size_min +
		       (size_t)(place % (family->size_max - family->size_min + 1));
	}
	if (family->sizes)
		return family->sizes[bench_random_below(&load->random, family->size_count)];
	return family->size_min +
	       (family->size_max > family->size_min
		    ? (size_t)bench_random_below(&load->random,
						 family->size_max - family->size_min + 1)
		    : 0);
}

static uint64_t pick_ttl(struct bench_load *load, const struct bench_family *family)
{
	return family->ttls ? family->ttls[bench_random_below(&load->random, family->ttl_count)]
			    : family->ttl_ms;
}

/* word with {key} and {value} replaced, appended to load->words. */
static void replace(struct bench_load *load, struct bytes word, struct bytes key,
		    struct bytes value)
{
	while (word.len > 0) {
		if (bytes_starts_with(word, BYTES("{key}"))) {
			buf_add(&load->words, key);
			word = bytes_sub(word, 5, word.len);
		} else if (bytes_starts_with(word, BYTES("{value}"))) {
			buf_add(&load->words, value);
			word = bytes_sub(word, 7, word.len);
		} else {
			buf_add_char(&load->words, word.ptr[0]);
			word = bytes_sub(word, 1, word.len);
		}
	}
}

static size_t command_words(struct bench_load *load, const struct bytes *words, size_t count,
			    struct bytes key, struct bytes value, struct bytes *argv)
{
	size_t ends[BENCH_WORDS_MAX];
	size_t from = 0;

	buf_clear(&load->words);
	for (size_t i = 0; i < count; i++) {
		replace(load, words[i], key, value);
		ends[i] = load->words.len;
	}
	for (size_t i = 0; i < count; from = ends[i++])
		argv[i] = bytes_sub(buf_bytes(&load->words), from, ends[i] - from);
	return count;
}

static void write_words(const struct bytes *argv, size_t argc, struct buf *out)
{
	size_t size = resp_command_size(argv, argc);

	resp_command_write(buf_reserve(out, size), argv, argc);
	out->len += size;
}

size_t bench_load_words(struct bench_load *load, struct bench_op op, struct bytes *argv)
{
	const struct bench_family *family = &load->job->families[op.family];

	buf_clear(&load->key);
	/* It was tried when the job was checked. */
	(void)bench_key(load->job, family, op.index, &load->key, NULL);
	struct bytes key = buf_bytes(&load->key);
	argv[1] = key;
	load->value_size = pick_size(load, family, op.index);
	struct bytes value = {load->filler, load->value_size};
	if (load->verify && op.kind == BENCH_SET)
		bench_verify_fill(load->filler, value.len, op.family, op.index, op.number);
	switch (op.kind) {
	case BENCH_GET:
		return bench_words_read(bench_words_type(family), key, argv);
	case BENCH_DEL:
		argv[0] = BYTES("UNLINK");
		return 2;
	case BENCH_COMMAND:
		return command_words(load, load->job->command, load->job->command_count, key,
				     value, argv);
	case BENCH_SET:
	case BENCH_KINDS:
		break;
	}
	return bench_words_write(bench_words_type(family), key, value, pick_ttl(load, family),
				 &load->words, argv);
}

size_t bench_load_tails(const struct bench_load *load, struct bench_op op)
{
	const struct bench_family *family = &load->job->families[op.family];

	return op.kind == BENCH_SET ? bench_words_tails(bench_words_type(family)) : 0;
}

size_t bench_load_tail_words(struct bench_load *load, struct bench_op op, size_t index,
			     struct bytes *argv)
{
	const struct bench_family *family = &load->job->families[op.family];

	buf_clear(&load->key);
	(void)bench_key(load->job, family, op.index, &load->key, NULL);
	return bench_words_tail(bench_words_type(family), index, buf_bytes(&load->key),
				pick_ttl(load, family), &load->words, argv);
}

/* The slow way, which works for every family. */
static void render(struct bench_load *load, struct bench_op op, struct buf *out)
{
	struct bytes argv[BENCH_WORDS_MAX];

	write_words(argv, bench_load_words(load, op, argv), out);
	for (size_t i = 0; i < bench_load_tails(load, op); i++)
		write_words(argv, bench_load_tail_words(load, op, i, argv), out);
}

/* A family's command on the key of that number, as bench_blank_make wants it. */
struct rendering {
	struct bench_load *load;
	struct bench_op op;
};

static struct bytes on_render(void *ctx, uint64_t number, struct buf *out)
{
	struct rendering *rendering = ctx;

	rendering->op.index = number;
	render(rendering->load, rendering->op, out);
	return buf_bytes(&rendering->load->key);
}

static void make_blank(struct bench_load *load, unsigned family, enum bench_kind kind)
{
	const struct bench_family *of = &load->job->families[family];
	struct rendering rendering = {load, {.family = family, .kind = kind}};

	/* Commands that differ in more than their ids. */
	if (of->names || of->sizes || of->ttls || of->size_min != of->size_max ||
	    (load->verify && kind == BENCH_SET))
		return;
	bench_blank_make(&load->blanks[family][kind], on_render, &rendering);
}

void bench_load_write(struct bench_load *load, struct bench_op op, struct buf *out)
{
	const struct bench_blank *blank = &load->blanks[op.family][op.kind];

	if (blank->usable) {
		bench_blank_fill(blank, op.index, buf_reserve(out, blank->text.len));
		out->len += blank->text.len;
		load->value_size = load->job->families[op.family].size_min;
		load->written = blank;
		return;
	}
	render(load, op, out);
	load->written = NULL;
}

void bench_load_begin(struct bench_load *load)
{
	bench_sheet_begin(&load->sheet);
}

void bench_load_add(struct bench_load *load, struct bench_op op)
{
	const struct bench_blank *blank = &load->blanks[op.family][op.kind];

	if (!blank->usable) {
		render(load, op, bench_sheet_other(&load->sheet));
		return;
	}
	bench_sheet_add(&load->sheet, blank, op.index);
	load->value_size = load->job->families[op.family].size_min;
}

struct buf *bench_load_batch(struct bench_load *load)
{
	return &load->sheet.text;
}

unsigned bench_load_slot(const struct bench_load *load, const struct buf *out)
{
	const struct bench_blank *blank = load->written;

	if (!blank)
		return slot_of(buf_bytes(&load->key));
	return slot_of(bytes_sub(buf_bytes(out), out->len - blank->text.len + blank->key_at,
				 blank->key_len));
}

size_t bench_load_prepare_words(struct bench_load *load, struct bench_op op, struct bytes *argv)
{
	size_t argc = bench_load_words(load, op, argv);

	if (!load->job->prepare)
		return argc;
	return command_words(load, load->job->prepare, load->job->prepare_count, argv[1],
			     (struct bytes){load->filler, load->value_size}, argv);
}

size_t bench_load_value_size(const struct bench_load *load)
{
	return load->value_size;
}

/* --- which one comes next --- */

static size_t pick(const double *bounds, size_t count, double at)
{
	size_t i = 0;

	while (i + 1 < count && at >= bounds[i])
		i++;
	return i;
}

static uint64_t pick_index(struct bench_load *load, unsigned family)
{
	uint64_t keys = load->job->families[family].keys;

	switch (load->job->ids) {
	case BENCH_ZIPFIAN:
		return bench_zipf_next(&load->zipf[family], &load->random);
	case BENCH_SEQUENTIAL:
		return load->sequence[family]++ % keys;
	case BENCH_UNIFORM:
		break;
	}
	return bench_random_below(&load->random, keys);
}

/* Every key is written by one client alone. */
static uint64_t own_index(const struct bench_job *job, uint64_t keys, uint64_t index,
			  size_t client)
{
	uint64_t own = index - index % job->clients + client;

	return own < keys ? own : client;
}

/* What a value must tell, or what a read must find. */
static uint32_t pick_number(struct bench_load *load, struct bench_op op)
{
	if (op.index >= load->job->families[op.family].keys)
		return 0;
	return op.kind == BENCH_SET ? bench_verify_issue(load->verify, op.family, op.index)
				    : bench_verify_floor(load->verify, op.family, op.index);
}

struct bench_op bench_load_pick(struct bench_load *load, size_t client)
{
	const struct bench_job *job = load->job;
	struct bench_op op = {0};

	if (job->family_count > 1)
		op.family = (unsigned)pick(load->family_bounds, job->family_count,
					   bench_random_real(&load->random));
	const struct bench_family *family = &job->families[op.family];
	op.kind =
	    (enum bench_kind)(load->only_kind >= 0 ? (size_t)load->only_kind
						   : pick(load->kind_bounds, BENCH_KINDS,
							  bench_random_real(&load->random)));
	if (op.kind == BENCH_GET && job->miss > 0 &&
	    bench_random_real(&load->random) < job->miss)
		op.index = family->keys + bench_random_below(&load->random, family->misses);
	else
		op.index = pick_index(load, op.family);
	if (load->verify) {
		if (op.kind != BENCH_GET)
			op.index = own_index(job, family->keys, op.index, client);
		op.number = pick_number(load, op);
	}
	return op;
}

/* --- making and freeing --- */

static void cumulate(struct bench_load *load)
{
	const struct bench_job *job = load->job;
	double sum = 0;
	double total = 0;

	for (size_t i = 0; i < job->family_count; i++)
		total += job->families[i].weight;
	for (size_t i = 0; i < job->family_count; i++)
		load->family_bounds[i] = sum += job->families[i].weight / total;
	sum = 0;
	load->only_kind = -1;
	for (size_t i = 0; i < BENCH_KINDS; i++) {
		if (job->mix[i] == 1)
			load->only_kind = (int)i;
		load->kind_bounds[i] = sum += job->mix[i];
		/* The rest of the rounding goes to the last kind that is wanted. */
		if (sum > 1 - 1e-9)
			load->kind_bounds[i] = 2;
	}
}

static size_t largest_value(const struct bench_job *job)
{
	size_t size = 1;

	for (size_t i = 0; i < job->family_count; i++) {
		const struct bench_family *family = &job->families[i];

		if (family->size_max > size)
			size = family->size_max;
		for (size_t j = 0; j < family->size_count; j++)
			if (family->sizes[j] > size)
				size = family->sizes[j];
	}
	return size;
}

struct bench_load *bench_load_new(const struct bench_job *job, uint64_t seed,
				  struct bench_verify *verify)
{
	struct bench_load *load = mem_zalloc(1, sizeof *load);
	size_t filler = largest_value(job);

	load->job = job;
	load->verify = verify;
	load->filler = mem_alloc(filler);
	/* The same for all threads: members of sets must be. */
	bench_random_seed(&load->random, job->seed);
	for (size_t i = 0; i < filler; i++)
		load->filler[i] = (char)('a' + bench_random_below(&load->random, 26));
	bench_random_seed(&load->random, seed);
	cumulate(load);
	for (unsigned i = 0; i < job->family_count; i++) {
		load->sequence[i] = bench_random_below(&load->random, job->families[i].keys);
		if (job->ids == BENCH_ZIPFIAN)
			bench_zipf_init(&load->zipf[i], job->exponent, job->families[i].keys);
		for (unsigned kind = 0; kind < BENCH_KINDS; kind++)
			if (kind != BENCH_COMMAND || job->command_count > 0)
				make_blank(load, i, (enum bench_kind)kind);
	}
	return load;
}

void bench_load_free(struct bench_load *load)
{
	if (!load)
		return;
	for (size_t i = 0; i < BENCH_FAMILIES_MAX; i++)
		for (size_t kind = 0; kind < BENCH_KINDS; kind++)
			buf_release(&load->blanks[i][kind].text);
	bench_sheet_release(&load->sheet);
	buf_release(&load->key);
	buf_release(&load->words);
	free(load->filler);
	free(load);
}
