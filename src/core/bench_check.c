#include "core/bench.h"

#include "base/err.h"
#include "core/bench_load.h"
#include "core/bench_prepare.h"
#include "core/namespace.h"
#include "wire/redis.h"

#include <string.h>

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
	if (status == 0 && family->ns && family->ns->type != NS_STRING &&
	    family->ns->type != NS_ANY)
		status = err_set(err, ERR_USAGE,
				 "namespace %s holds a %s: bench reads and writes strings",
				 family->name, ns_type_names[family->ns->type]);
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
		if (strlen(names[i]) == name.len &&
		    strncasecmp(names[i], name.ptr, name.len) == 0)
			return true;
	return false;
}

int bench_check_command(struct redis *redis, const struct bench_job *job, struct err *err)
{
	static const char marker[] = "cc:bench:the-key";
	struct bytes argv[BENCH_WORDS_MAX + 2] = {BYTES("COMMAND"), BYTES("GETKEYS")};
	const struct reply *reply = NULL;
	struct bytes name = job->command[0];

	if (is_harmless(name))
		return 0;
	for (size_t i = 0; i < job->command_count; i++)
		argv[i + 2] = bytes_equal_str(job->command[i], "{key}") ? bytes_of(marker)
									: job->command[i];
	if (redis_call(redis, argv, job->command_count + 2, REDIS_IDEMPOTENT, &reply, err) != 0)
		return -1;
	if (reply->type == REPLY_ERROR)
		return err_set(err, ERR_REFUSED,
			       "--command: the server does not say which keys '%.*s' touches "
			       "(%.*s), so it is not run",
			       BYTES_ARG(bytes_sub(name, 0, 40)),
			       BYTES_ARG(bytes_sub(reply->text, 0, 200)));
	for (size_t i = 0; i < reply->count; i++)
		if (!bytes_equal_str(reply->items[i]->text, marker))
			return err_set(
			    err, ERR_REFUSED,
			    "--command: '%.*s' is a key of its own: every key must be "
			    "written {key}",
			    BYTES_ARG(bytes_sub(reply->items[i]->text, 0, 200)));
	return 0;
}
