#include "core/bench.h"

#include "base/err.h"
#include "core/bench_load.h"
#include "core/bench_prepare.h"
#include "core/bench_verify.h"
#include "core/namespace.h"
#include "wire/redis.h"

/* --- the job --- */

static int check_load(const struct bench_job *job, struct err *err)
{
	if (job->clients < job->threads)
		return err_set(
		    err, ERR_USAGE,
		    "--threads %zu over --clients %zu: a thread without a client does "
		    "nothing",
		    job->threads, job->clients);
	if (job->rate > 0 && job->depth > 1)
		return err_set(
		    err, ERR_USAGE,
		    "--pipeline goes with --max: with a rate, commands are sent when "
		    "they are due");
	if (job->rate_to > 0 && job->duration_ms == 0)
		return err_set(err, ERR_USAGE, "--ramp-to needs a --duration");
	return 0;
}

static int check_verify(const struct bench_job *job, const struct bench_family *family,
			struct err *err)
{
	size_t least = family->size_min;

	for (size_t i = 0; i < family->size_count; i++)
		least = family->sizes[i] < least ? family->sizes[i] : least;
	if (family->live || job->command_count > 0)
		return err_set(err, ERR_USAGE,
			       "--verify knows only values that it wrote: leave %s out",
			       family->live ? "--read-live" : "--command");
	if (bench_words_type(family) != NS_STRING)
		return err_set(err, ERR_USAGE,
			       "--verify knows only strings: namespace %s holds a %s",
			       family->name, ns_type_names[bench_words_type(family)]);
	if (least < BENCH_VERIFY_SIZE)
		return err_set(err, ERR_USAGE,
			       "--verify needs values of at least %d bytes (--size)",
			       BENCH_VERIFY_SIZE);
	if (family->keys < job->clients)
		return err_set(err, ERR_USAGE,
			       "--verify: namespace %s has fewer keys (%llu) than there are "
			       "--clients, and each key is written by one of them alone",
			       family->name, (unsigned long long)family->keys);
	return 0;
}

static int check_family(const struct bench_job *job, const struct bench_family *family,
			struct err *err)
{
	struct buf first = {0};
	struct buf second = {0};
	int status = bench_key(job, family, 0, &first, err);

	if (status == 0 && family->keys > 1) {
		status = bench_key(job, family, 1, &second, err);
		if (status == 0 && bytes_equal(buf_bytes(&first), buf_bytes(&second)))
			status = err_set(err, ERR_USAGE,
					 "namespace %s: every number gives the same key '%s'; "
					 "give ids with --ids FILE",
					 family->name, buf_str(&first));
	}
	if (status == 0 && family->live &&
	    (job->mix[BENCH_SET] > 0 || job->mix[BENCH_DEL] > 0 || job->command_count > 0))
		status = err_set(err, ERR_USAGE,
				 "--read-live only reads: leave --mix and --command out");
	if (status == 0 && bench_words_type(family) == NS_STREAM)
		status = err_set(err, ERR_USAGE,
				 "namespace %s holds a stream, which has no value to read "
				 "whole: give a --command",
				 family->name);
	if (status == 0 && job->verify)
		status = check_verify(job, family, err);
	buf_release(&first);
	buf_release(&second);
	return status;
}

int bench_check(const struct bench_job *job, struct err *err)
{
	if (check_load(job, err) != 0)
		return -1;
	for (size_t i = 0; i < job->family_count; i++)
		if (check_family(job, &job->families[i], err) != 0)
			return -1;
	return 0;
}

/* --- the command --- */

/* Commands without a key that do nothing to the server. */
static bool is_harmless(struct bytes name)
{
	static const char *const names[] = {"ping", "echo", "time", "lastsave"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (bytes_equal_word(name, names[i]))
			return true;
	return false;
}

static int check_command(struct redis *redis, const char *option, const struct bytes *words,
			 size_t count, struct err *err)
{
	static const char marker[] = "cc:bench:the-key";
	struct bytes argv[BENCH_WORDS_MAX + 2] = {BYTES("COMMAND"), BYTES("GETKEYS")};
	const struct reply *reply = NULL;
	struct bytes name = words[0];

	if (is_harmless(name))
		return 0;
	for (size_t i = 0; i < count; i++)
		argv[i + 2] = bytes_equal_str(words[i], "{key}") ? bytes_of(marker) : words[i];
	if (redis_call(redis, argv, count + 2, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	if (reply->type == REPLY_ERROR)
		return err_set(err, ERR_REFUSED,
			       "%s: the server does not say which keys '%.*s' touches "
			       "(%.*s), so it is not run",
			       option, BYTES_ARG(bytes_sub(name, 0, 40)),
			       BYTES_ARG(bytes_sub(reply->text, 0, 200)));
	for (size_t i = 0; i < reply->count; i++)
		if (!bytes_equal_str(reply->items[i]->text, marker))
			return err_set(err, ERR_REFUSED,
				       "%s: '%.*s' is a key of its own: every key must be "
				       "written {key}",
				       option,
				       BYTES_ARG(bytes_sub(reply->items[i]->text, 0, 200)));
	return 0;
}

int bench_check_commands(struct redis *redis, const struct bench_job *job, struct err *err)
{
	if (job->command_count > 0 &&
	    check_command(redis, "--command", job->command, job->command_count, err) != 0)
		return -1;
	if (job->prepare_count > 0)
		return check_command(redis, "--prepare", job->prepare, job->prepare_count, err);
	return 0;
}
