#include "bench_job.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "base/mem.h"
#include "bench_options.h"
#include "opt/opt.h"
#include "out/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "ccache.bench-job/1"
#define FILE_MAX ((size_t)1024 * 1024)

const char *const bench_preset_names[] = {"call-logs", "conversations", "dashboard",
					  "sessions",  "messages",      NULL};

/* In the order of the names. What each system's page says of its traffic. */
static const char *const presets[] = {
    /* read-through: four of five reads hit, every miss is stored */
    "{\"namespaces\":[\"call-logs\"],\"mix\":\"get=84,set=16\",\"miss\":0.2,"
    "\"size\":\"2KiB-32KiB\",\"pick\":\"zipfian\",\"keys\":2000}",
    /* a webhook that begins a conversation asks for the organization, the lead, its context */
    "{\"namespaces\":[\"org-by-phone\",\"lead\",\"lead-context\",\"lead-conversations\"],"
    "\"mix\":\"get=80,set=20\",\"miss\":0.25,\"size\":\"300-4KiB\",\"keys\":5000}",
    /* every open dashboard polls the same few keys */
    "{\"namespaces\":[\"active-calls\",\"dashboard-summary\",\"recent-calls\"],"
    "\"mix\":\"get=99,set=1\",\"size\":\"1KiB-16KiB\"}",
    /* an index names the session, which is then read */
    "{\"namespaces\":[\"call-session-by-lead\",\"call-session\"],\"mix\":\"get=90,set=10\","
    "\"size\":\"36-1KiB\",\"keys\":5000}",
    /* every change of a message's status is written through, then read */
    "{\"namespaces\":[\"message\"],\"mix\":\"get=60,set=40\",\"size\":\"400-1KiB\","
    "\"pick\":\"zipfian\",\"keys\":20000}",
};

/* Options that are about one run, not about the load. */
static bool is_of_the_run(const struct opt_row *row)
{
	static const char *const names[] = {"yes", "dry-run",  "assert",
					    "hdr", "baseline", "max-regress",
					    "job", "save-job", "preset"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(row->name, names[i]) == 0)
			return true;
	return false;
}

static size_t value_size(const struct opt_row *row)
{
	switch (row->type) {
	case OPT_FLAG:
		return sizeof(bool);
	case OPT_TEXT:
		return sizeof(const char *);
	case OPT_RATIO:
		return sizeof(double);
	case OPT_CHOICE:
		return sizeof(int);
	case OPT_LIST:
		return sizeof(struct opt_list);
	case OPT_COUNT:
	case OPT_DURATION:
	case OPT_SIZE:
		break;
	}
	return sizeof(uint64_t);
}

/* --- reading --- */

static int wrong(const char *where, const struct json_node *node, struct err *err)
{
	return err_set(err, ERR_USAGE, "%s: '%.*s' is not an option's value", where,
		       BYTES_ARG(bytes_sub(node->name, 0, 60)));
}

static char *as_word(const struct json_node *node)
{
	struct buf word = {0};

	buf_add_str(&word, "--");
	buf_add(&word, node->name);
	if (node->type != JSON_TRUE) {
		buf_add_char(&word, '=');
		buf_add(&word, node->text);
	}
	return buf_steal(&word);
}

static int read_namespaces(const char *where, const struct json_node *list,
			   struct bench_job_file *file, struct err *err)
{
	if (list->type != JSON_ARRAY)
		return wrong(where, list, err);
	file->words = mem_zalloc(list->count, sizeof *file->words);
	for (const struct json_node *item = list->child; item; item = item->next) {
		if (item->type != JSON_STRING)
			return wrong(where, list, err);
		file->words[file->word_count++] = mem_bytesdup(item->text);
	}
	return 0;
}

static int read_members(const char *where, const struct json_node *root,
			struct bench_job_file *file, struct err *err)
{
	file->argv = mem_zalloc(root->count, sizeof *file->argv);
	for (const struct json_node *node = root->child; node; node = node->next) {
		if (bytes_equal_str(node->name, "schema"))
			continue;
		if (bytes_equal_str(node->name, "namespaces")) {
			if (read_namespaces(where, node, file, err) != 0)
				return -1;
			continue;
		}
		if (node->type != JSON_STRING && node->type != JSON_NUMBER &&
		    node->type != JSON_TRUE)
			return wrong(where, node, err);
		file->argv[file->argc++] = as_word(node);
	}
	return 0;
}

static int parse(const char *where, struct bytes text, struct bench_job_file *file,
		 struct err *err)
{
	struct mem_arena arena = {0};
	struct json_node *root = NULL;
	struct json_error error;
	struct opt_group group = {bench_rows, file->options};
	struct opt_words words = {0};
	size_t line = 0;
	size_t column = 0;
	int status = 0;

	if (json_tree_parse(&arena, text, JSON_COMMENTS, JSON_DEPTH_CONFIG, &root, &error) !=
	    0) {
		json_locate(text, error.offset, &line, &column);
		status =
		    err_set(err, ERR_USAGE, "%s:%zu:%zu: %s", where, line, column, error.what);
	} else if (root->type != JSON_OBJECT) {
		status = err_set(err, ERR_USAGE, "%s: not a job: no JSON object", where);
	} else {
		status = read_members(where, root, file, err);
	}
	if (status == 0 &&
	    opt_parse(&group, 1, (int)file->argc, file->argv, false, &words, NULL, err) != 0)
		status = err_wrap(err, "%s", where);
	opt_words_release(&words);
	mem_arena_release(&arena);
	return status;
}

/* What was given beside the job wins. */
static void overlay(const struct bench_options *given, struct bench_options *options)
{
	struct bench_options *defaults = mem_zalloc(1, sizeof *defaults);

	opt_defaults(bench_rows, defaults);
	for (const struct opt_row *row = bench_rows; row->name; row++) {
		const char *from = (const char *)given + row->offset;

		if (memcmp(from, (const char *)defaults + row->offset, value_size(row)) != 0)
			memcpy((char *)options + row->offset, from, value_size(row));
	}
	opt_release(bench_rows, defaults);
	free(defaults);
}

int bench_job_load(const struct bench_options *given, const struct opt_words *words,
		   struct bench_job_file **ret_file, struct err *err)
{
	struct bench_job_file *file = NULL;
	struct buf text = {0};
	int status = 0;

	*ret_file = NULL;
	if (!given->job && given->preset < 0)
		return 0;
	if (given->job && given->preset >= 0)
		return err_set(err, ERR_USAGE, "--job and --preset exclude each other");
	file = mem_zalloc(1, sizeof *file);
	file->options = mem_zalloc(1, sizeof *file->options);
	opt_defaults(bench_rows, file->options);
	if (given->job) {
		status =
		    buf_read_file(&text, given->job, FILE_MAX) == 0
			? 0
			: err_set(err, ERR_USAGE, "--job %s: %s", given->job, strerror(errno));
		if (status == 0)
			status = parse(given->job, buf_bytes(&text), file, err);
	} else {
		status = parse("the preset", bytes_of(presets[given->preset]), file, err);
	}
	buf_release(&text);
	if (status != 0) {
		bench_job_free(file);
		return -1;
	}
	overlay(given, file->options);
	if (words->count > 0) {
		for (size_t i = 0; i < file->word_count; i++)
			free(file->words[i]);
		free(file->words);
		file->words = mem_zalloc(words->count, sizeof *file->words);
		file->word_count = words->count;
		for (size_t i = 0; i < words->count; i++)
			file->words[i] = mem_strdup(words->items[i]);
	}
	*ret_file = file;
	return 0;
}

void bench_job_free(struct bench_job_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < file->word_count; i++)
		free(file->words[i]);
	for (size_t i = 0; i < file->argc; i++)
		free(file->argv[i]);
	free(file->words);
	free(file->argv);
	/* Its only list is what was given beside it: not ours. */
	free(file->options);
	free(file);
}

/* --- writing --- */

/* False when the option is not set. */
static bool put_value(const struct opt_row *row, const struct bench_options *options,
		      struct buf *buf)
{
	const void *at = (const char *)options + row->offset;
	uint64_t number = 0;

	switch (row->type) {
	case OPT_FLAG:
		buf_add_str(buf, "true");
		return *(const bool *)at;
	case OPT_TEXT:
		if (*(const char *const *)at)
			json_quote(buf, bytes_of(*(const char *const *)at));
		return *(const char *const *)at != NULL;
	case OPT_RATIO:
		buf_printf(buf, "%.15g", *(const double *)at);
		return *(const double *)at >= 0;
	case OPT_CHOICE:
		if (*(const int *)at >= 0)
			buf_printf(buf, "\"%s\"", row->choices[*(const int *)at]);
		return *(const int *)at >= 0;
	case OPT_LIST:
		return false;
	case OPT_COUNT:
	case OPT_DURATION:
	case OPT_SIZE:
		break;
	}
	number = *(const uint64_t *)at;
	if (row->type == OPT_DURATION)
		buf_printf(buf, "\"%" PRIu64 "ms\"", number);
	else
		buf_printf(buf, "%" PRIu64, number);
	return number != OPT_UNSET;
}

static void describe(const struct bench_options *options, const struct opt_words *words,
		     struct buf *buf)
{
	buf_add_str(buf, "{\n  \"schema\": \"" SCHEMA "\",\n  \"namespaces\": [");
	for (size_t i = 0; i < words->count; i++) {
		buf_add_str(buf, i ? ", " : "");
		json_quote(buf, bytes_of(words->items[i]));
	}
	buf_add_str(buf, "]");
	for (const struct opt_row *row = bench_rows; row->name; row++) {
		struct buf value = {0};

		if (!is_of_the_run(row) && put_value(row, options, &value))
			buf_printf(buf, ",\n  \"%s\": %s", row->name, buf_str(&value));
		buf_release(&value);
	}
	buf_add_str(buf, "\n}\n");
}

int bench_job_save(const struct out_file *file, const struct bench_options *options,
		   const struct opt_words *words, struct err *err)
{
	struct buf text = {0};

	describe(options, words, &text);
	int status = out_file_replace(file, buf_bytes(&text), err);
	buf_release(&text);
	return status;
}
