#include "source/dialog.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "source/source.h"

#include <string.h>
#include <unistd.h>

/* The name within braces (one pair or two), when text is nothing else. */
static struct bytes braced(const char *text, size_t braces)
{
	struct bytes name = bytes_of(text);

	if (name.len <= 2 * braces || strspn(text, "{") != braces)
		return (struct bytes){0};
	name = bytes_sub(name, braces, name.len - 2 * braces);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool digit = c >= '0' && c <= '9';

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '_' &&
		    !(digit && i > 0))
			return (struct bytes){0};
	}
	bool closed = strcmp(name.ptr + name.len, braces == 1 ? "}" : "}}") == 0;
	return closed ? name : (struct bytes){0};
}

struct bytes dialog_var(const char *argument)
{
	return braced(argument, 1);
}

static const struct source_arg *find_arg(const struct source_arg *args, size_t count,
					 struct bytes name)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal_str(name, args[i].name))
			return &args[i];
	return NULL;
}

/* A configured word with its var filled in. NULL: err says why. */
static const char *fill_word(struct mem_arena *arena, const char *word,
			     const struct source_request *request, struct err *err)
{
	struct bytes name = dialog_var(word);
	struct bytes literal = braced(word, 2);

	if (literal.len)
		return mem_arena_printf(arena, "{%.*s}", BYTES_ARG(literal));
	if (name.len == 0)
		return word;
	const struct source_arg *arg = find_arg(request->args, request->arg_count, name);
	if (arg && bytes_index(arg->value, '\0') == arg->value.len)
		return mem_arena_bytes(arena, arg->value).ptr;
	err_set(err, ERR_USAGE, "{%.*s} %s", BYTES_ARG(name),
		arg ? "holds a NUL byte" : "has no value");
	return NULL;
}

static bool is_overridden(const struct source_def *def, const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (size_t i = 0; i < def->env_count; i++)
		if (strlen(def->env[i].name) == len &&
		    strncmp(def->env[i].name, entry, len) == 0)
			return true;
	return false;
}

static int fill_env(const struct source_def *def, const struct source_request *request,
		    struct dialog_call *call, struct err *err)
{
	size_t inherited = 0;
	size_t count = 0;

	while (environ && environ[inherited])
		inherited++;
	call->envp = mem_arena_alloc(&call->arena,
				     (inherited + def->env_count + 1) * sizeof *call->envp);
	for (size_t i = 0; i < inherited; i++)
		if (!is_overridden(def, environ[i]))
			call->envp[count++] = environ[i];
	for (size_t i = 0; i < def->env_count; i++) {
		const char *value = fill_word(&call->arena, def->env[i].value, request, err);

		if (!value)
			return -1;
		call->envp[count++] =
		    mem_arena_printf(&call->arena, "%s=%s", def->env[i].name, value);
	}
	call->envp[count] = NULL;
	return 0;
}

int dialog_call(const struct source_def *def, const struct source_request *request,
		struct dialog_call *ret_call, struct err *err)
{
	size_t count = 0;

	*ret_call = (struct dialog_call){0};
	if (source_check_args(def, request->args, request->arg_count, err) < 0)
		return -1;
	while (def->argv[count])
		count++;
	ret_call->argv =
	    mem_arena_alloc(&ret_call->arena, (count + 1) * sizeof *ret_call->argv);
	for (size_t i = 0; i < count; i++) {
		ret_call->argv[i] = fill_word(&ret_call->arena, def->argv[i], request, err);
		if (!ret_call->argv[i])
			return -1;
	}
	ret_call->argv[count] = NULL;
	return fill_env(def, request, ret_call, err);
}

void dialog_call_release(struct dialog_call *call)
{
	mem_arena_release(&call->arena);
}

void dialog_ask(const struct source_request *request, size_t number, struct buf *input)
{
	buf_printf(input, "{\"id\":%zu,\"vars\":{", number);
	for (size_t i = 0; i < request->arg_count; i++) {
		if (i > 0)
			buf_add_char(input, ',');
		json_quote(input, bytes_of(request->args[i].name));
		buf_add_char(input, ':');
		json_quote(input, request->args[i].value);
	}
	buf_add_str(input, "}}\n");
}

int dialog_read(struct bytes line, size_t count, struct dialog_answer *ret_answer,
		struct err *err)
{
	struct json_error bad = {0};
	struct dialog_answer answer = {0};
	struct bytes id;
	uint64_t number = 0;

	if (json_check(line, JSON_STRICT, JSON_DEPTH_DATA, &bad) < 0)
		return err_set(err, ERR_SOURCE, "is not JSON: column %zu: %s", bad.offset + 1,
			       bad.what);
	if (json_find(line, BYTES(""), &id) < 0 || json_type_of(id) != JSON_OBJECT)
		return err_set(err, ERR_SOURCE, "is not an object");
	if (json_find(line, BYTES("/id"), &id) < 0)
		return err_set(err, ERR_SOURCE, "has no 'id'");
	if (num_parse_u64(id, 1, count, &number) < 0)
		return err_set(err, ERR_SOURCE, "its 'id' is none of 1 to %zu", count);
	answer.number = (size_t)number;
	json_find(line, BYTES("/value"), &answer.value);
	if (json_find(line, BYTES("/error"), &answer.error) == 0 &&
	    json_type_of(answer.error) != JSON_STRING)
		return err_set(err, ERR_SOURCE, "its 'error' is not a string");
	*ret_answer = answer;
	return 0;
}

int dialog_value(bool json, struct bytes value, struct buf *text, struct bytes *ret_body,
		 struct err *err)
{
	if (json) {
		*ret_body = value;
		return 0;
	}
	if (json_type_of(value) != JSON_STRING)
		return err_set(err, ERR_ITEM,
			       "its value is not a string, as one that is not JSON must be");
	json_decode_string(text, value);
	*ret_body = buf_bytes(text);
	return 0;
}
