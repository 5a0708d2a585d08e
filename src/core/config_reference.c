#include "core/config_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_MAX_BYTES ((size_t)64 * 1024)
#define SECRET_MIN 4 /* bytes: shorter ones would mask ordinary text */

/* The text of ${file:PATH}, one line end at its end left out. */
static int read_secret(struct config_reader *reader, const struct json_node *node,
		       const char *path, struct buf *out)
{
	size_t start = out->len;

	if (buf_read_file(out, path, start + FILE_MAX_BYTES) != 0) {
		config_field_error(reader, node, "cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	if (out->len > start && out->ptr[out->len - 1] == '\n')
		out->len--;
	if (out->len > start && out->ptr[out->len - 1] == '\r')
		out->len--;
	return 0;
}

/* What `config show` masks wherever it stands. */
static void add_secret(struct config_reader *reader, struct bytes secret)
{
	struct config *config = reader->config;

	if (secret.len < SECRET_MIN)
		return;
	config->secrets =
	    mem_resize(config->secrets, config->secret_count + 1, sizeof *config->secrets);
	config->secrets[config->secret_count++] = mem_arena_bytes(reader->arena, secret);
}

static void resolve_file(struct config_reader *reader, const struct json_node *node,
			 struct bytes name, struct buf *out)
{
	if (name.len && name.ptr[0] != '/' && !reader->doc->dir) {
		config_field_error(reader, node, "${file:%.*s} needs an absolute path here",
				   CONFIG_SHOWN(name));
		return;
	}
	char *path = name.len && name.ptr[0] == '/'
			 ? mem_bytesdup(name)
			 : mem_printf("%s/%.*s", reader->doc->dir, BYTES_ARG(name));
	size_t start = out->len;
	if (read_secret(reader, node, path, out) == 0)
		add_secret(reader, bytes_sub(buf_bytes(out), start, out->len));
	free(path);
}

static void resolve_env(struct config_reader *reader, const struct json_node *node,
			struct bytes text, struct buf *out)
{
	size_t end = bytes_index(text, ':');
	bool has_default = end + 1 < text.len && text.ptr[end + 1] == '-';
	char *name = mem_bytesdup(bytes_sub(text, 0, has_default ? end : text.len));
	const char *value = getenv(name);

	if (value && (*value || !has_default)) {
		buf_add_str(out, value);
		if (config_reference_secret(bytes_of(name)))
			add_secret(reader, bytes_of(value));
	} else if (has_default)
		buf_add(out, bytes_sub(text, end + 2, text.len));
	else
		config_field_error(
		    reader, node,
		    "the environment variable %s is not set (${env:%s:-…} gives a default)",
		    name, name);
	free(name);
}

/* One reference, text being what stands between the braces. */
static void resolve_one(struct config_reader *reader, const struct json_node *node,
			struct bytes text, struct buf *out)
{
	if (bytes_starts_with(text, BYTES("env:")) && text.len > 4)
		resolve_env(reader, node, bytes_sub(text, 4, text.len), out);
	else if (bytes_starts_with(text, BYTES("file:")) && text.len > 5)
		resolve_file(reader, node, bytes_sub(text, 5, text.len), out);
	else
		config_field_error(
		    reader, node,
		    "unknown reference ${%.*s} (${env:NAME}, ${env:NAME:-default}, "
		    "${file:PATH}; a literal one is $${)",
		    CONFIG_SHOWN(text));
}

static void resolve_text(struct config_reader *reader, const struct json_node *node,
			 struct bytes *text)
{
	struct bytes rest = *text;
	struct buf out = {0};

	while (rest.len) {
		size_t dollar = bytes_index(rest, '$');
		struct bytes after = bytes_sub(rest, dollar, rest.len);

		buf_add(&out, bytes_sub(rest, 0, dollar));
		if (bytes_starts_with(after, BYTES("$${"))) {
			buf_add_str(&out, "${");
			rest = bytes_sub(after, 3, after.len);
		} else if (bytes_starts_with(after, BYTES("${"))) {
			size_t end = bytes_index(after, '}');

			if (end == after.len)
				config_field_error(reader, node, "'${' is never closed");
			else
				resolve_one(reader, node, bytes_sub(after, 2, end - 2), &out);
			rest = bytes_sub(after, end + 1, after.len);
		} else {
			buf_add(&out, bytes_sub(after, 0, 1));
			rest = bytes_sub(after, 1, after.len);
		}
	}
	if (!bytes_is_utf8(buf_bytes(&out)))
		config_field_error(reader, node, "what the reference gives is not UTF-8");
	*text = mem_arena_bytes(reader->arena, buf_bytes(&out));
	buf_release(&out);
}

static bool refers(struct bytes text)
{
	return text.len > 0 && memmem(text.ptr, text.len, "${", 2);
}

static void resolve_node(struct config_reader *reader, struct json_node *node)
{
	if (refers(node->name))
		resolve_text(reader, node, &node->name);
	if (node->type == JSON_STRING && refers(node->text))
		resolve_text(reader, node, &node->text);
	if (node->type == JSON_STRING && node->text.len &&
	    memchr(node->text.ptr, '\0', node->text.len))
		config_field_error(reader, node, "a NUL may not stand in a string here");
}

void config_reference_resolve(struct config_reader *reader, struct json_node *root)
{
	size_t index = 0;

	resolve_node(reader, root);
	if (bytes_index(root->name, '\0') < root->name.len)
		config_field_name_error(reader, root, "a NUL may not stand in a name here");
	for (struct json_node *child = root->child; child; child = child->next) {
		char number[24];

		snprintf(number, sizeof number, "%zu", index++);
		size_t len = config_field_push(
		    reader, root->type == JSON_OBJECT ? child->name : bytes_of(number));
		config_reference_resolve(reader, child);
		config_field_pop(reader, len);
	}
}

void config_reference_warn(struct config_reader *reader, const struct json_node *node)
{
	bool referred = memmem(node->raw.ptr, node->raw.len, "${env:", 6) ||
			memmem(node->raw.ptr, node->raw.len, "${file:", 7);

	if (reader->doc->shared && !referred && node->text.len)
		config_report_add(
		    reader->report, CONFIG_WARNING, reader->doc, node->offset,
		    buf_str(&reader->path),
		    "a literal secret in a file that others can read: chmod 600 it, or "
		    "write ${env:NAME} or ${file:PATH}");
}

bool config_reference_secret(struct bytes text)
{
	static const char *const parts[] = {"auth",   "key",    "token",
					    "secret", "cookie", "password"};
	char *name = mem_bytesdup(text);
	bool secret = false;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		secret = secret || strcasestr(name, parts[i]);
	free(name);
	return secret;
}
