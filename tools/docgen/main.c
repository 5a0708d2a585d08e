#include "docgen.h"

#include "base/mem.h"
#include "command.h"
#include "core/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Regenerates the generated parts of a file, in place. 0 or -1, told. */

static int read_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "re");

	if (!file) {
		perror(path);
		return -1;
	}
	for (size_t got = 1; got;) {
		got = fread(buf_reserve(text, 65536), 1, 65536, file);
		text->len += got;
	}
	buf_add_str(text, ""); /* the NUL behind it */
	int failed = ferror(file);
	fclose(file);
	if (failed)
		fprintf(stderr, "%s: cannot be read\n", path);
	return failed ? -1 : 0;
}

static int write_file(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "we");
	int failed = !file || fwrite(text->ptr, 1, text->len, file) != text->len;

	if (file && fclose(file) != 0)
		failed = 1;
	if (failed)
		perror(path);
	return failed ? -1 : 0;
}

/* The line behind the one that holds mark, or NULL. */
static const char *behind(const char *text, const char *mark)
{
	const char *found = strstr(text, mark);
	const char *end = found ? strchr(found, '\n') : NULL;

	return end ? end + 1 : NULL;
}

static const char *line_of(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

static int put_region(const char *path, struct buf *text, const char *name,
		      docgen_writer *write, const char *detail)
{
	struct buf made = {0};
	char *begin_mark = mem_printf("BEGIN %s (generated)", name);
	char *end_mark = mem_printf("END %s\n", name);
	const char *begin = behind(buf_str(text), begin_mark);
	const char *end = begin ? strstr(begin, end_mark) : NULL;

	if (end) {
		end = line_of(begin, end);
		buf_add(&made, bytes_sub(buf_bytes(text), 0, (size_t)(begin - text->ptr)));
		write(&made, detail);
		buf_add_str(&made, end);
		buf_release(text);
		*text = made;
	} else {
		fprintf(stderr, "%s: has no part from '%s' to 'END %s'\n", path, begin_mark,
			name);
	}
	free(begin_mark);
	free(end_mark);
	return end ? 0 : -1;
}

struct part {
	const char *name;
	docgen_writer *write;
	const char *detail;
};

static int renew(const char *root, const char *file, const struct part *parts, size_t count)
{
	char *path = mem_printf("%s/%s", root, file);
	struct buf old = {0};
	struct buf text = {0};
	int status = read_file(path, &old);

	buf_add(&text, buf_bytes(&old));
	for (size_t i = 0; status == 0 && i < count; i++)
		status =
		    put_region(path, &text, parts[i].name, parts[i].write, parts[i].detail);
	if (status == 0 && !bytes_equal(buf_bytes(&old), buf_bytes(&text)))
		status = write_file(path, &text);
	buf_release(&old);
	buf_release(&text);
	free(path);
	return status;
}

/* help is told by ccache(1) */
static int renew_verb_page(const char *root, const char *verb)
{
	const struct part parts[] = {{"SYNOPSIS", man_synopsis, verb},
				     {"OPTIONS", man_options, verb}};
	char *file = mem_printf("man/ccache-%s.1", verb);
	int status = strcmp(verb, "help") == 0 ? 0 : renew(root, file, parts, 2);

	free(file);
	return status;
}

static int renew_systems_page(const char *root)
{
	int status = 0;

	for (size_t i = 0; i < config_profile_count(); i++) {
		const char *name = config_profile_name(i);
		char *namespaces = mem_printf("%s NAMESPACES", name);
		char *variables = mem_printf("%s VARIABLES", name);
		const struct part parts[] = {{namespaces, profile_namespaces, name},
					     {variables, profile_variables, name}};

		if (config_profile_text(name)) /* not "all" */
			status |= renew(root, "man/callcache-systems.7", parts, 2);
		free(namespaces);
		free(variables);
	}
	return status;
}

int main(int argc, char **argv)
{
	static const struct part overview[] = {{"VERBS", man_verbs, NULL},
					       {"OPTIONS", man_globals, NULL}};
	static const struct part session = {"COMMANDS", man_session, NULL};
	static const struct part bash = {"TABLES", bash_tables, NULL};
	static const struct part zsh = {"TABLES", zsh_tables, NULL};
	static const struct part fish = {"TABLES", fish_tables, NULL};
	const struct command *command;

	if (argc != 2) {
		fputs("usage: docgen ROOT\n"
		      "Renews the generated parts of ROOT/man and ROOT/completions.\n",
		      stderr);
		return 2;
	}
	int status = renew(argv[1], "man/ccache.1", overview, 2);
	status |= renew(argv[1], "man/ccache-repl.1", &session, 1);
	for (size_t i = 0; (command = command_at(i)); i++)
		status |= renew_verb_page(argv[1], command->name);
	status |= renew_systems_page(argv[1]);
	status |= renew(argv[1], "completions/ccache.bash", &bash, 1);
	status |= renew(argv[1], "completions/_ccache", &zsh, 1);
	status |= renew(argv[1], "completions/ccache.fish", &fish, 1);
	return status ? 1 : 0;
}
