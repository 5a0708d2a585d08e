#include "invalidate.h"

#include "app.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An option of the selection: "--name", or "--name=value". */
static void add_word(struct buf *text, size_t *ends, size_t *count, const char *name,
		     struct bytes value)
{
	buf_add_str(text, name);
	buf_add(text, value);
	ends[(*count)++] = text->len;
}

static void add_time(struct buf *text, size_t *ends, size_t *count, const char *name,
		     uint64_t ms)
{
	char value[32];

	if (ms == OPT_UNSET)
		return;
	snprintf(value, sizeof value, "%" PRIu64 "ms", ms);
	add_word(text, ends, count, name, bytes_of(value));
}

struct bytes *invalidate_selection(const struct invalidate_options *options,
				   const struct opt_words *words, struct buf *text,
				   size_t *ret_count)
{
	const struct {
		const char *name, *value;
	} texts[] = {{"--keys=", options->keys_file},
		     {"--match=", options->match},
		     {"--tag=", options->tag}};
	const struct {
		const char *name;
		bool is;
	} flags[] = {{"--all", options->all},
		     {"--everything", options->everything},
		     {"--null", options->nul},
		     {"--no-relations", options->no_relations},
		     {"--soft", options->soft}};
	size_t most = words->count + options->keys.count + options->where.count + 16;
	size_t *ends = mem_zalloc(most, sizeof *ends);
	struct bytes *list = mem_zalloc(most, sizeof *list);
	struct bytes none = {NULL, 0};
	size_t count = 0;

	for (size_t i = 0; i < words->count; i++)
		add_word(text, ends, &count, "", bytes_of(words->items[i]));
	for (size_t i = 0; i < options->keys.count; i++)
		add_word(text, ends, &count, "--key=", bytes_of(options->keys.items[i]));
	for (size_t i = 0; i < options->where.count; i++)
		add_word(text, ends, &count, "--where=", bytes_of(options->where.items[i]));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].value)
			add_word(text, ends, &count, texts[i].name, bytes_of(texts[i].value));
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (flags[i].is)
			add_word(text, ends, &count, flags[i].name, none);
	add_time(text, ends, &count, "--older-than=", options->older_ms);
	add_time(text, ends, &count, "--ttl-below=", options->ttl_below_ms);
	add_time(text, ends, &count, "--ttl-above=", options->ttl_above_ms);
	add_time(text, ends, &count, "--in=", options->in_ms);
	for (size_t i = 0, at = 0; i < count; at = ends[i++])
		list[i] = bytes_sub(buf_bytes(text), at, ends[i] - at);
	free(ends);
	*ret_count = count;
	return list;
}

/* What was said now holds; the selection is the file's. */
static void merge(struct invalidate_options *into, const struct invalidate_options *now)
{
	into->dry_run = now->dry_run;
	into->yes = now->yes;
	into->max_keys = now->max_keys;
	into->throttle = now->throttle;
	into->rewarm = now->rewarm;
	into->verify = now->verify;
	into->backup_limit = now->backup_limit;
	into->resume = now->resume;
}

static int read_selection(struct invalidate_resumed *resumed,
			  const struct backup_reader *reader, struct err *err)
{
	struct opt_group group = {invalidate_rows, &resumed->options};
	const struct bytes *words = NULL;

	resumed->argc = backup_words(reader, &words);
	resumed->argv = mem_zalloc(resumed->argc + 1, sizeof *resumed->argv);
	for (size_t i = 0; i < resumed->argc; i++)
		resumed->argv[i] = mem_bytesdup(words[i]);
	opt_defaults(invalidate_rows, &resumed->options);
	if (opt_parse(&group, 1, (int)resumed->argc, resumed->argv, false, &resumed->words,
		      NULL, err) != 0)
		return err_wrap(err, "the selection in the undo file");
	if (resumed->options.keys_file && strcmp(resumed->options.keys_file, "-") == 0)
		return err_set(
		    err, ERR_USAGE,
		    "that run read its keys from standard input, which cannot be read "
		    "again: give the same --keys once more, without --resume");
	return 0;
}

int invalidate_resume(struct app *app, const struct invalidate_options *options,
		      struct invalidate_resumed *ret_resumed, struct err *err)
{
	struct backup_reader *reader = NULL;
	struct backup_origin here;

	*ret_resumed = (struct invalidate_resumed){0};
	if (backup_read(options->resume, &reader, err) != 0)
		return -1;
	const struct backup_origin *there = &backup_checked(reader)->origin;
	int status = backup_origin_ask(app->redis, "invalidate", &here, err);
	if (status == 0 && strcmp(there->what, "invalidate") != 0)
		status = err_set(err, ERR_USAGE, "undo file '%s' is not of an invalidate run",
				 options->resume);
	else if (status == 0 && (there->db != here.db || !backup_same_server(there, &here)))
		status = err_set(err, ERR_REFUSED,
				 "undo file '%s' is of %s, which was restarted since or is "
				 "another than %s: start the run anew",
				 options->resume, there->target, here.target);
	if (status == 0)
		status = read_selection(ret_resumed, reader, err);
	if (status == 0)
		merge(&ret_resumed->options, options);
	ret_resumed->reader = reader;
	return status;
}

void invalidate_resumed_release(struct invalidate_resumed *resumed)
{
	backup_reader_free(resumed->reader);
	opt_release(invalidate_rows, &resumed->options);
	opt_words_release(&resumed->words);
	for (size_t i = 0; i < resumed->argc; i++)
		free(resumed->argv[i]);
	free(resumed->argv);
}
