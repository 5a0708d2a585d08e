/* Files that people and other programs write: rows for `warm --from`, names of keys, a result
 * and a job of `bench`. The first byte says which. */
#include "fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "bench_job.h"
#include "bench_options.h"
#include "core/bench_compare.h"
#include "core/bulk_row.h"
#include "core/config.h"
#include "core/keylist.h"
#include "core/rowfile.h"
#include "opt/opt.h"

#include <unistd.h>

#define KEYS_MAX 100

static const struct nsset *systems(void)
{
	static struct config *config;

	if (!config)
		config_report_free(config_read_profile("all", &config));
	return config_namespaces(config);
}

static void read_row(struct bulk_parser *parser, struct bytes text)
{
	struct bulk_row row = {0};
	struct err err = {0};

	if (bulk_row_parse(parser, text, &row, &err) == 0)
		EXPECT(row.ns && row.key.len > 0 && row.ttl_ms >= 0);
	else
		EXPECT(err_is_set(&err) && !row.ns);
}

static void rows(const char *path)
{
	struct bulk_parser parser = {.set = systems()};
	struct rowfile *file = NULL;
	struct err err = {0};
	enum rowfile_status status = ROWFILE_MORE;
	struct bytes text;

	EXPECT(rowfile_open(path, &file, &err) == 0);
	while (status != ROWFILE_END) {
		status = rowfile_next(file, &text);
		if (status == ROWFILE_ROW)
			read_row(&parser, text);
		else if (status == ROWFILE_MORE && rowfile_read(file, &err) != 0)
			break;
	}
	rowfile_close(file);
	bulk_parser_release(&parser);
}

static void keys(const char *path, char separator)
{
	struct keylist list = {0};
	struct keylist_walk walk = {0};
	struct err err = {0};
	struct bytes key;
	uint64_t count = 0;

	keylist_read(&list, path, separator, KEYS_MAX, &err);
	while (keylist_next(&list, &walk, &key))
		count++;
	EXPECT(count == list.count && count <= KEYS_MAX);
	keylist_release(&list);
}

static void baseline(const char *path)
{
	struct bench_rounds rounds = {0};
	struct err err = {0};

	if (bench_rounds_read(path, &rounds, &err) == 0)
		EXPECT(rounds.count > 0);
	bench_rounds_release(&rounds);
}

static void job(const char *path)
{
	struct bench_options *options = mem_zalloc(1, sizeof *options);
	struct opt_words words = {0};
	struct bench_job_file *file = NULL;
	struct err err = {0};

	opt_defaults(bench_rows, options);
	options->job = path;
	if (bench_job_load(options, &words, &file, &err) == 0)
		bench_job_free(file);
	else
		EXPECT(err_is_set(&err));
	opt_release(bench_rows, options);
	free(options);
}

FUZZ(rows)
{
	char path[FUZZ_PATH];

	if (input.len == 0)
		return;
	int fd = fuzz_file(bytes_sub(input, 1, input.len), path);
	switch (input.ptr[0] % 4) {
	case 0:
		rows(path);
		break;
	case 1:
		keys(path, input.ptr[0] & 4 ? '\n' : '\0');
		break;
	case 2:
		baseline(path);
		break;
	default:
		job(path);
		break;
	}
	close(fd);
}
