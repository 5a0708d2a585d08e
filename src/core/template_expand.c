#include "core/template_parts.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#include <string.h>

#define SHOWN 64 /* bytes of a value in a message */

static const struct var *find_var(const struct var *vars, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal_str(vars[i].name, name))
			return &vars[i];
	return NULL;
}

static const struct template_filter *find_default(const struct template_part *part)
{
	for (size_t i = 0; i < part->filter_count; i++)
		if (part->filters[i].kind == FILTER_DEFAULT)
			return &part->filters[i];
	return NULL;
}

/* The value that an occurrence starts from: the var's, or its default. */
static int find_value(const struct template *tmpl, const struct template_part *part,
		      const struct var *vars, size_t count, struct bytes *ret_value,
		      struct err *err)
{
	const char *name = tmpl->names[part->var];
	const struct var *var = find_var(vars, count, name);
	const struct template_filter *fallback = find_default(part);

	if (fallback && (!var || var->value.len == 0)) {
		*ret_value = fallback->text;
		return 0;
	}
	if (!var)
		return err_set(err, ERR_USAGE, "%s is missing", name);
	if (memchr(var->value.ptr ? var->value.ptr : "", '\0', var->value.len) &&
	    tmpl->context != TEMPLATE_EVENT)
		return err_set(err, ERR_USAGE, "%s holds a NUL byte", name);
	*ret_value = var->value;
	return 0;
}

int template_part_text(const struct template *tmpl, const struct template_part *part,
		       const struct var *vars, size_t count, struct buf *buf, struct err *err)
{
	struct bytes value;
	struct buf old = {0};
	struct buf now = {0};
	int status = -1;

	if (!part->is_var) {
		buf_add(buf, part->literal);
		return 0;
	}
	if (find_value(tmpl, part, vars, count, &value, err))
		return -1;
	for (size_t i = 0; i < part->filter_count; i++) {
		buf_clear(&now);
		if (template_filter_apply(&part->filters[i], value, &now, err)) {
			err_wrap(err, "%s", tmpl->names[part->var]);
			goto out;
		}
		struct buf spare = old;
		old = now;
		now = spare;
		value = buf_bytes(&old);
	}
	buf_add(buf, value);
	status = 0;
out:
	buf_release(&old);
	buf_release(&now);
	return status;
}

/* RFC 3986 §2.3: unreserved characters stay. */
static void percent_encode(struct buf *buf, struct bytes b, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.ptr[i];
		bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			     (c >= '0' && c <= '9') || (c && strchr("-._~", c)) ||
			     (keep_slash && c == '/');

		if (plain) {
			buf_add_char(buf, (char)c);
			continue;
		}
		buf_add_char(buf, '%');
		buf_add_char(buf, hex[c >> 4]);
		buf_add_char(buf, hex[c & 15]);
	}
}

static bool is_dots(struct bytes b)
{
	return bytes_equal_str(b, ".") || bytes_equal_str(b, "..");
}

/* curl and servers resolve "/a/../b": an id must not walk to another resource. */
static int check_path(struct bytes url, struct err *err)
{
	struct bytes path = bytes_sub(url, 0, bytes_index(url, '?'));

	while (path.len) {
		size_t end = bytes_index(path, '/');

		if (is_dots(bytes_sub(path, 0, end)))
			return err_set(err, ERR_USAGE, "a '.' or '..' segment in the path %.*s",
				       url.len > SHOWN ? SHOWN : (int)url.len, url.ptr);
		path = bytes_sub(path, end + 1, path.len);
	}
	return 0;
}

static int check_not_empty(const struct template *tmpl, const struct template_part *part,
			   bool empty, struct err *err)
{
	if (!empty || tmpl->context == TEMPLATE_EVENT)
		return 0;
	return err_set(err, ERR_USAGE, "%s is empty%s", tmpl->names[part->var],
		       part->lossy ? " behind its filter" : "");
}

/* in_query: behind the URL's '?'. */
static int expand_url_var(const struct template *tmpl, const struct template_part *part,
			  const struct var *vars, size_t count, bool in_query, struct buf *buf,
			  struct err *err)
{
	struct buf text = {0};
	int status = template_part_text(tmpl, part, vars, count, &text, err);

	if (status == 0 && !in_query)
		status = check_not_empty(tmpl, part, text.len == 0, err);
	if (status == 0 && !in_query && is_dots(buf_bytes(&text)))
		status = err_set(err, ERR_USAGE, "%s may not be '%s' in a path",
				 tmpl->names[part->var], buf_str(&text));
	if (status == 0)
		percent_encode(buf, buf_bytes(&text), part->class == CLASS_REST);
	buf_release(&text);
	return status;
}

/* The part's text as it goes into the result. */
static int expand_var(const struct template *tmpl, const struct template_part *part,
		      const struct var *vars, size_t count, bool in_query, struct buf *buf,
		      struct err *err)
{
	size_t start = buf->len;

	if (tmpl->context == TEMPLATE_URL)
		return expand_url_var(tmpl, part, vars, count, in_query, buf, err);
	if (template_part_text(tmpl, part, vars, count, buf, err))
		return -1;
	return check_not_empty(tmpl, part, buf->len == start, err);
}

int template_expand(const struct template *tmpl, const struct var *vars, size_t count,
		    struct buf *buf, struct err *err)
{
	size_t start = buf->len;
	bool in_query = false;

	for (size_t i = 0; i < tmpl->part_count; i++) {
		const struct template_part *part = &tmpl->parts[i];

		if (part->is_var && expand_var(tmpl, part, vars, count, in_query, buf, err))
			goto fail;
		if (!part->is_var)
			buf_add(buf, part->literal);
		if (tmpl->context == TEMPLATE_URL && !part->is_var)
			in_query =
			    in_query || bytes_index(part->literal, '?') < part->literal.len;
		if (buf->len - start > TEMPLATE_KEY_MAX) {
			err_set(err, ERR_USAGE, "the expansion is longer than %d bytes",
				TEMPLATE_KEY_MAX);
			goto fail;
		}
	}
	if (tmpl->context == TEMPLATE_URL &&
	    check_path(bytes_sub(buf_bytes(buf), start, buf->len), err))
		goto fail;
	return 0;
fail:
	buf->len = start;
	return -1;
}

int template_read_back(const struct template *tmpl, size_t index, const struct var *vars,
		       size_t count, struct buf *buf, struct err *err)
{
	return template_part_text(tmpl, &tmpl->parts[tmpl->plain_part[index]], vars, count, buf,
				  err);
}

int template_glob(const struct template *tmpl, const struct var *vars, size_t count,
		  struct buf *buf, struct err *err)
{
	size_t start = buf->len;
	struct buf text = {0};
	int status = 0;

	for (size_t i = 0; i < tmpl->part_count && status == 0; i++) {
		const struct template_part *part = &tmpl->parts[i];

		if (part->is_var && !find_var(vars, count, tmpl->names[part->var])) {
			buf_add_char(buf, '*');
			continue;
		}
		buf_clear(&text);
		status = template_part_text(tmpl, part, vars, count, &text, err);
		if (status == 0 && text.len == 0)
			status = err_set(err, ERR_USAGE, "%s is empty", tmpl->names[part->var]);
		if (status == 0)
			text_glob_escape(buf, buf_bytes(&text));
	}
	buf_release(&text);
	if (status)
		buf->len = start;
	return status;
}
