#include "app.h"
#include "help.h"
#include "run.h"
#include "signals.h"

#include "base/err.h"
#include "opt/opt.h"
#include "out/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_repl;

/* A closed standard descriptor must not become a socket that output is written to. */
static void hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			_exit(EXIT_PARTIAL);
}

/* "gcc", "/usr/bin/clang-15", "x86_64-linux-gnu-g++-12" */
static bool is_compiler(const char *word)
{
	static const char *const names[] = {"gcc",   "g++",     "cc",  "c++",
					    "clang", "clang++", "nvcc"};
	const char *slash = strrchr(word, '/');
	const char *base = slash ? slash + 1 : word;
	size_t len = strlen(base);
	size_t digits = len;

	while (digits > 0 && strchr("0123456789.", base[digits - 1]))
		digits--;
	if (digits > 0 && digits < len && base[digits - 1] == '-')
		len = digits - 1;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t size = strlen(names[i]);

		if (len >= size && memcmp(base + len - size, names[i], size) == 0 &&
		    (len == size || base[len - size - 1] == '-'))
			return true;
	}
	return false;
}

/* Called in the C compiler cache's way, this program says who it is. */
static bool meant_compiler_cache(int argc, char **argv)
{
	static const char *const switches[] = {"-s",           "-z",      "-C",
					       "-c",           "-x",      "--show-stats",
					       "--zero-stats", "--clear", "--cleanup"};
	const char *word = argc > 1 ? argv[1] : "";

	for (size_t i = 0; argc == 2 && i < sizeof switches / sizeof switches[0]; i++)
		if (strcmp(word, switches[i]) == 0)
			return true;
	return is_compiler(word);
}

static enum exit_code run(struct app *app, int argc, char **argv)
{
	struct err err = {0};
	struct opt_group globals = {app_global_rows, &app->globals};
	int used = 0;

	if (meant_compiler_cache(argc, argv)) {
		err_set(&err, ERR_USAGE,
			"this is Call Cache, which operates application caches on Redis, not "
			"the C compiler "
			"cache; call that one by its path (such as /usr/bin/ccache)");
		return app_fail(app, &err);
	}
	int parsed = opt_parse(&globals, 1, argc - 1, argv + 1, true, NULL, &used, &err);
	app_configure(app);
	if (parsed < 0)
		return app_fail(app, &err);
	if (parsed == 1) {
		help_overview(app, STDOUT_FILENO);
		return EXIT_DONE;
	}
	if (app->globals.version) {
		help_version(app);
		return EXIT_DONE;
	}
	bool at_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (used + 1 >= argc && !app->globals.help && at_terminal)
		return run_verb(app, &command_repl, 0, argv + argc);
	if (used + 1 >= argc) {
		help_overview(app, app->globals.help ? STDOUT_FILENO : STDERR_FILENO);
		return app->globals.help ? EXIT_DONE : EXIT_USAGE;
	}

	const struct command *command = command_need(argv[used + 1], false, &err);
	if (!command)
		return app_fail(app, &err);
	return run_verb(app, command, argc - used - 2, argv + used + 2);
}

/* The name it was called by: it is installed as callcache where the other ccache is. */
static const char *program_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;
	bool plain = name && *name;

	for (const char *at = name; plain && *at; at++)
		plain = *at > ' ' && *at <= '~' && *at != '\'';
	return plain ? name : "ccache";
}

int main(int argc, char **argv)
{
	struct app app;
	struct err err = {0};

	setlocale(LC_CTYPE, "");
	hold_standard_descriptors();
	signals_catch();
	app_init(&app, signals_flag(), signals_again());
	app.messages.program = program_name(argv[0]);
	enum exit_code code = run(&app, argc, argv);
	if (out_stream_flush(app.out, &err) != 0) {
		if (!out_stream_closed(app.out) && code == EXIT_DONE)
			app_fail(&app, &err);
		code = exit_worst(code, EXIT_PARTIAL);
	}
	app_release(&app);
	int signal_number = *signals_flag();
	return signal_number ? 128 + signal_number : (int)code;
}
