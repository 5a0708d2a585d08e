#ifndef CMD_BENCH_JOB_H
#define CMD_BENCH_JOB_H

#include <stddef.h>

struct bench_options;
struct err;
struct opt_words;
struct out_file;

/* The systems' own scenarios, for --preset; NULL-terminated. */
extern const char *const bench_preset_names[];

/*
 * A load that is kept: the options' words as JSON, which people may edit.
 *   {"schema":"ccache.bench-job/1","namespaces":["call-logs"],"rate":"2000",…}
 * A preset is such a job too, built in.
 */
struct bench_job_file {
	struct bench_options *options; /* owned: those of the job */
	char **words;                  /* the namespaces */
	size_t word_count;
	char **argv; /* what options point into */
	size_t argc;
};

/*
 * What --preset or --job asks for, over what is given beside: options that
 * differ from their defaults win, and so do namespaces. ERR_USAGE names what is
 * wrong in the file. *ret_file is NULL when neither is asked for.
 */
int bench_job_load(const struct bench_options *given, const struct opt_words *words,
		   struct bench_job_file **ret_file, struct err *err);
void bench_job_free(struct bench_job_file *file);
/* Writes the load that options and words describe, as out_file_replace. */
int bench_job_save(const struct out_file *file, const struct bench_options *options,
		   const struct opt_words *words, struct err *err);

#endif
