#include "check.h"
#include "source_server.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Commands and files through the fetcher; what an operator sees of them is in sources.bats. */
static const char *argv[4] = {"/bin/sh", "-c", NULL, NULL};
static struct source_def def;

static void use_script(const char *script, unsigned batch)
{
	argv[2] = script;
	def = (struct source_def){.name = "db",
				  .kind = SOURCE_COMMAND,
				  .argv = argv,
				  .batch = batch,
				  .timeout_ms = 20000,
				  .max_body = 1000,
				  .concurrency = 2};
}

static const struct source_arg arg = {"id", {"a\"b", 3}};

static struct source_request request(void)
{
	return (struct source_request){
	    .source = &def, .args = &arg, .arg_count = 1, .json = true};
}

static struct got fetched(const char *script, unsigned batch)
{
	struct got got = {0};

	use_script(script, batch);
	struct source_request one = request();
	got_fetch(&got, &one, 1);
	CHECK_INT(got.calls, 1);
	return got;
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void check_failed(const char *script, unsigned batch, enum source_cause cause,
			 const char *text)
{
	struct got got = fetched(script, batch);

	CHECK_INT(got.answer.status, SOURCE_FAILED);
	CHECK_INT(got.answer.cause, cause);
	CHECK(strstr(got.error.text, text));
	if (!strstr(got.error.text, text))
		printf("# got: %s\n# want: %s\n", got.error.text, text);
	got_release(&got);
}

TEST(a_request_is_one_line_and_then_the_end)
{
	struct got got = fetched("cat | sed 's/.*/[&]/'", 0);

	CHECK_BYTES(got.answer.value, BYTES("[{\"id\":1,\"vars\":{\"id\":\"a\\\"b\"}}]\n"));
	CHECK_INT(got.answer.attempts, 1);
	got_release(&got);
}

TEST(the_slice_of_value_is_exact)
{
	struct got got = fetched("cat >/dev/null; printf '%s' "
				 "'{\"id\":1, \"value\" : { \"a\":1.10, \"a\":2 } }'",
				 5);

	CHECK_BYTES(got.answer.value, BYTES("{ \"a\":1.10, \"a\":2 }"));
	got_release(&got);
}

TEST(what_is_not_said_is_absent)
{
	struct got got = fetched("cat >/dev/null", 0);

	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	got_release(&got);
	got = fetched("cat >/dev/null", 5);
	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	got_release(&got);
	got = fetched("cat >/dev/null; echo '{\"id\":1}'", 5);
	CHECK_INT(got.answer.status, SOURCE_EMPTY);
	got_release(&got);
}

TEST(failures_say_why)
{
	check_failed("exit 3", 0, SOURCE_CAUSE_STATUS, "db: /bin/sh: exit status 3");
	check_failed("printf '\\n \\033[2Jno' >&2; exit 1", 0, SOURCE_CAUSE_STATUS,
		     "exit status 1: \\x1b[2Jno");
	check_failed("printf '\\0\\0why\\0more' >&2; exit 1", 0, SOURCE_CAUSE_STATUS,
		     "exit status 1: why");
	check_failed("kill -9 $$", 5, SOURCE_CAUSE_STATUS, "killed by signal 9");
	check_failed("echo 1; exit 1", 0, SOURCE_CAUSE_STATUS, "exit status 1");
	check_failed("echo; echo '{'", 5, SOURCE_CAUSE_BODY, "line 2 of its standard output");
	check_failed("echo '{\"id\":2,\"value\":1}'", 5, SOURCE_CAUSE_BODY, "none of 1 to 1");
	check_failed("echo '{\"id\":1,\"error\":7}'", 5, SOURCE_CAUSE_BODY, "not a string");
	check_failed("echo {", 0, SOURCE_CAUSE_BODY, "not JSON");
	check_failed("head -c 2000 /dev/zero", 0, SOURCE_CAUSE_BODY, "larger than 1000 bytes");
	check_failed("head -c 900000 /dev/zero", 5, SOURCE_CAUSE_BODY,
		     "larger than 1000 bytes");
	check_failed("printf '{\"id\":1,\"value\":\"%01100d\"}' 0", 5, SOURCE_CAUSE_BODY,
		     "larger than 1000 bytes");
}

TEST(endless_output_is_ended)
{
	check_failed("cat /dev/zero", 0, SOURCE_CAUSE_BODY, "larger than 1000 bytes");
	struct got got = fetched("exec yes '{\"id\":1,\"value\":1}'", 5); /* the first counts */
	CHECK_INT(got.answer.status, SOURCE_OK);
	got_release(&got);
}

TEST(arguments_are_refused_before_anything_starts)
{
	static const char *const words[] = {"/bin/echo", "{id}", NULL};
	static const struct source_arg bad[] = {
	    {"id", {"-n", 2}}, {"id", {"a\377", 2}}, {"id", {"a\0b", 3}}, {"no", {"x", 1}}};
	static const char *const texts[] = {"begins with '-'", "not UTF-8", "NUL byte",
					    "{id} has no value"};

	for (size_t i = 0; i < 4; i++) {
		struct got got = {0};
		struct source_request one;

		use_script("", 0);
		def.argv = words;
		one = request();
		one.args = &bad[i];
		got_fetch(&got, &one, 1);
		CHECK_INT(got.answer.status, SOURCE_FAILED);
		CHECK(strstr(got.error.text, texts[i]));
		got_release(&got);
	}
}

#define MANY 50

static struct got many[MANY];

static struct fetcher *many_submitted(struct source_request *one)
{
	struct err err = {0};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, &err);

	memset(many, 0, sizeof many);
	for (size_t i = 0; i < MANY; i++)
		fetcher_submit(fetcher, one, 1, got_answer, &many[i]);
	return fetcher;
}

TEST(a_failure_spares_what_was_answered)
{
	use_script("read a; read b; echo '{\"id\":2,\"value\":2}'; exit 9", 10);
	struct source_request one = request();
	struct fetcher *fetcher = many_submitted(&one);
	struct err err = {0};
	int ok = 0;

	CHECK_INT(fetcher_drain(fetcher, &err), 0);
	for (size_t i = 0; i < MANY; i++) {
		CHECK_INT(many[i].calls, 1);
		ok += many[i].answer.status == SOURCE_OK;
		got_release(&many[i]);
	}
	CHECK_INT(ok, MANY / 10);
	fetcher_free(fetcher);
}

TEST(freeing_answers_all_and_leaves_neither_process_nor_descriptor)
{
	int before = open_descriptors();
	struct err err = {0};

	use_script("trap '' TERM; sleep 60 & wait; wait", 10);
	struct source_request one = request();
	struct fetcher *fetcher = many_submitted(&one);

	CHECK_INT(fetcher_turn(fetcher, 0, -1, 0, NULL, &err), 0);
	fetcher_free(fetcher);
	for (size_t i = 0; i < MANY; i++) {
		CHECK_INT(many[i].calls, 1);
		CHECK_INT(many[i].answer.cause, SOURCE_CAUSE_CANCELLED);
		got_release(&many[i]);
	}
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1); /* ECHILD */
	CHECK_INT(open_descriptors(), before);
}

TEST(the_caller_s_descriptor_is_heard_while_a_command_is_silent)
{
	struct err err = {0};
	bool ready = false;
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	CHECK_INT((int)write(fds[1], "x", 1), 1);
	use_script("exec sleep 60", 0);
	struct source_request one = request();
	struct got got = {0};
	struct fetcher *fetcher = fetcher_new("ccache-test", NULL, &err);
	fetcher_submit(fetcher, &one, 1, got_answer, &got);
	CHECK_INT(fetcher_turn(fetcher, 10000, fds[0], POLLIN, &ready, &err), 0);
	CHECK(ready);
	fetcher_free(fetcher);
	got_release(&got);
	close(fds[0]);
	close(fds[1]);
}

TEST(a_chain_goes_from_http_over_a_command_to_a_file)
{
	static struct server_route routes[] = {
	    ROUTE("/first", REPLY("404 Not Found", NULL, "")), ROUTE_END};
	static struct server server;
	char root[] = "/tmp/source_local_test" UNIQUE;
	char path[64];
	struct got got = {0};

	CHECK(mkdtemp(root) != NULL);
	snprintf(path, sizeof path, "%s/a b", root);
	FILE *file = fopen(path, "w");
	fputs("{\"id\":1.10}", file);
	fclose(file);
	server_start(&server, routes);
	struct source_def api = server_source(server.url);
	struct source_def disk = {
	    .name = "disk", .kind = SOURCE_FILE, .root = root, .max_body = 1000};
	use_script("cat >/dev/null", 5);
	struct source_request steps[] = {{.source = &api, .path = "/first", .json = true},
					 request(),
					 {.source = &disk, .path = "/a%20b", .json = true}};
	got_fetch(&got, steps, 3);
	CHECK_INT(got.answer.status, SOURCE_OK);
	CHECK_INT(got.answer.step, 2);
	CHECK_INT(got.answer.attempts, 3);
	CHECK_BYTES(got.answer.value, BYTES("{\"id\":1.10}"));
	got_release(&got);
	server_stop(&server);
	unlink(path);
	rmdir(root);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(a_request_is_one_line_and_then_the_end);
	RUN(the_slice_of_value_is_exact);
	RUN(what_is_not_said_is_absent);
	RUN(failures_say_why);
	RUN(arguments_are_refused_before_anything_starts);
	RUN(a_failure_spares_what_was_answered);
	RUN(freeing_answers_all_and_leaves_neither_process_nor_descriptor);
	RUN(the_caller_s_descriptor_is_heard_while_a_command_is_silent);
	RUN(a_chain_goes_from_http_over_a_command_to_a_file);
	RUN(endless_output_is_ended);
	CHECK_DONE();
}
