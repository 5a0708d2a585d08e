#include "core/selection_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)16 * 1024)
#define LONGEST_LINE (1 << 20)

/* --- words --- */

struct words {
	struct selection selection;
	const struct bytes *words;
	size_t count;
	size_t per_item;
	size_t at;
};

static enum selection_status words_next(struct selection *selection, struct var *ret_vars,
					size_t *ret_count, struct err *err)
{
	struct words *words = (struct words *)selection;
	const struct bytes *item = words->words + words->at;

	if (words->at >= words->count)
		return SELECTION_END;
	words->at += words->per_item;
	if (ns_parse_vars(selection->ns, item, words->per_item, false, ret_vars, ret_count,
			  err) != 0)
		return SELECTION_BAD;
	return SELECTION_ITEM;
}

static void plain_free(struct selection *selection)
{
	free(selection);
}

int selection_from_words(const struct ns *ns, const struct bytes *words, size_t count,
			 struct selection **ret_selection, struct err *err)
{
	size_t vars = template_var_count(ns->key);
	size_t per_item = vars;
	struct var first[TEMPLATE_VARS_MAX];
	size_t first_count = 0;

	if (vars == 0 && count > 0)
		return err_set(err, ERR_USAGE,
			       "namespace '%s' has the one key '%.*s': it takes no ids",
			       ns->name, BYTES_ARG(template_text(ns->key)));
	if (vars == 0) {
		*ret_selection = selection_from_vars(ns, NULL, 0);
		return 0;
	}
	if (vars > 1 &&
	    (count < vars ||
	     count % vars != 0)) /* defaults may stand in for the rest of one item */
		per_item = count;
	if (ns_parse_vars(ns, words, per_item, false, first, &first_count, err) != 0)
		return -1;

	struct words *selection = mem_zalloc(1, sizeof *selection);
	selection->selection = (struct selection){.ns = ns,
						  .is_explicit = true,
						  .total = count / per_item,
						  .fd = -1,
						  .next = words_next,
						  .free = plain_free};
	selection->words = words;
	selection->count = count;
	selection->per_item = per_item;
	*ret_selection = &selection->selection;
	return 0;
}

/* --- one item --- */

struct one {
	struct selection selection;
	const struct var *vars;
	size_t count;
};

static enum selection_status one_next(struct selection *selection, struct var *ret_vars,
				      size_t *ret_count, struct err *err)
{
	struct one *one = (struct one *)selection;

	(void)err;
	if (selection->total == 0)
		return SELECTION_END;
	selection->total = 0;
	for (size_t i = 0; i < one->count; i++)
		ret_vars[i] = one->vars[i];
	*ret_count = one->count;
	return SELECTION_ITEM;
}

struct selection *selection_from_vars(const struct ns *ns, const struct var *vars, size_t count)
{
	struct one *one = mem_zalloc(1, sizeof *one);

	one->selection = (struct selection){.ns = ns,
					    .is_explicit = count > 0,
					    .total = 1,
					    .fd = -1,
					    .next = one_next,
					    .free = plain_free};
	one->vars = vars;
	one->count = count;
	return &one->selection;
}

/* --- lines of a file --- */

struct lines {
	struct selection selection;
	const char *path;
	struct buf input; /* read and not yet given out, from `at` on */
	size_t at;
	bool ended;
	size_t number;
	uint64_t size;     /* of a regular file, else 0 */
	uint64_t taken;    /* bytes that were given out */
	struct buf values; /* decoded JSON values, back to back */
};

/* {"name": value, …} → vars, values decoded into lines->values. */
static int parse_object(struct lines *lines, struct bytes text, struct var *ret_vars,
			size_t *ret_count, struct err *err)
{
	size_t offsets[TEMPLATE_VARS_MAX + 1] = {0};
	struct json_error problem = {0};
	struct json_iter iter;
	struct bytes name, value;
	size_t count = 0;

	buf_clear(&lines->values);
	if (json_check(text, JSON_STRICT, JSON_DEPTH_CONFIG, &problem) != 0 ||
	    json_iter_init(&iter, text) != 0)
		return err_set(err, ERR_ITEM, "not a JSON object at column %zu: %s",
			       problem.offset + 1,
			       problem.what ? problem.what : "a value of another kind");
	while (json_iter_next(&iter, &name, &value) == 1) {
		int index = template_var_index(lines->selection.ns->key,
					       bytes_sub(name, 1, name.len - 2));

		if (index < 0 || count == TEMPLATE_VARS_MAX)
			continue; /* an id list may carry more than the key needs */
		offsets[count] = lines->values.len;
		if (json_scalar_text(&lines->values, value) != 0)
			return err_set(
			    err, ERR_ITEM, "'%s' is neither a string nor a number",
			    template_var_name(lines->selection.ns->key, (size_t)index));
		ret_vars[count++].name =
		    bytes_of(template_var_name(lines->selection.ns->key, (size_t)index));
	}
	offsets[count] = lines->values.len;
	for (size_t i = 0; i < count; i++) /* the buffer has stopped moving */
		ret_vars[i].value = bytes_sub(buf_bytes(&lines->values), offsets[i],
					      offsets[i + 1] - offsets[i]);
	*ret_count = count;
	return 0;
}

static int parse_tabs(const struct ns *ns, struct bytes line, struct var *ret_vars,
		      size_t *ret_count, struct err *err)
{
	struct bytes words[TEMPLATE_VARS_MAX];
	size_t count = 0;

	if (template_var_count(ns->key) == 1) {
		ret_vars[0] = (struct var){bytes_of(template_var_name(ns->key, 0)), line};
		*ret_count = 1;
		return 0;
	}
	while (count < TEMPLATE_VARS_MAX) {
		size_t tab = bytes_index(line, '\t');

		words[count++] = bytes_sub(line, 0, tab);
		if (tab == line.len)
			break;
		line = bytes_sub(line, tab + 1, line.len);
	}
	return ns_parse_vars(ns, words, count, false, ret_vars, ret_count, err);
}

static void lines_locate(const struct selection *selection, struct err *err)
{
	const struct lines *lines = (const struct lines *)selection;

	err_wrap(err, "%s:%zu", lines->path, lines->number);
}

/* 1: more input, or its end; 0: nothing there yet; -1: no more can be had. */
static int read_on(struct lines *lines, struct err *err)
{
	struct pollfd ready = {.fd = lines->selection.fd, .events = POLLIN};

	buf_consume(&lines->input, lines->at);
	lines->at = 0;
	if (lines->input.len > LONGEST_LINE)
		return err_set(err, ERR_USAGE, "%s:%zu: longer than %d bytes: no list of ids",
			       lines->path, lines->number + 1, LONGEST_LINE);
	if (poll(&ready, 1, 0) == 0)
		return 0;
	ssize_t got = read(lines->selection.fd, buf_reserve(&lines->input, CHUNK), CHUNK);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (got < 0)
		return err_set(err, ERR_USAGE, "%s:%zu: cannot be read on: %s", lines->path,
			       lines->number + 1, strerror(errno));
	lines->input.len += (size_t)got;
	lines->ended = got == 0;
	return 1;
}

/* The next line, without its end. The status is SELECTION_ITEM when there is one. */
static enum selection_status next_line(struct lines *lines, struct bytes *ret_line,
				       struct err *err)
{
	for (;;) {
		struct bytes rest =
		    bytes_sub(buf_bytes(&lines->input), lines->at, lines->input.len);
		size_t end = bytes_index(rest, '\n');

		if (end < rest.len || (lines->ended && rest.len > 0)) {
			lines->at += end < rest.len ? end + 1 : end;
			lines->taken += end < rest.len ? end + 1 : end;
			lines->number++;
			while (end > 0 && rest.ptr[end - 1] == '\r')
				end--;
			*ret_line = bytes_sub(rest, 0, end);
			return SELECTION_ITEM;
		}
		if (lines->ended && lines->taken < lines->size) {
			err_set(err, ERR_USAGE,
				"%s:%zu: the file became shorter while it was read: %" PRIu64
				" of %" PRIu64 " bytes were there",
				lines->path, lines->number, lines->taken, lines->size);
			return SELECTION_FAILED;
		}
		if (lines->ended)
			return SELECTION_END;
		int more = read_on(lines, err);
		if (more <= 0)
			return more < 0 ? SELECTION_FAILED : SELECTION_WAIT;
	}
}

static enum selection_status lines_next(struct selection *selection, struct var *ret_vars,
					size_t *ret_count, struct err *err)
{
	struct lines *lines = (struct lines *)selection;
	struct bytes line = {0};

	do {
		enum selection_status status = next_line(lines, &line, err);

		if (status != SELECTION_ITEM)
			return status;
	} while (line.len == 0 || line.ptr[0] == '#');

	int status = line.ptr[0] == '{'
			 ? parse_object(lines, line, ret_vars, ret_count, err)
			 : parse_tabs(selection->ns, line, ret_vars, ret_count, err);
	if (status == 0)
		return SELECTION_ITEM;
	lines_locate(selection, err);
	return SELECTION_BAD;
}

static double lines_share(const struct selection *selection)
{
	const struct lines *lines = (const struct lines *)selection;

	return lines->size && lines->taken <= lines->size
		   ? (double)lines->taken / (double)lines->size
		   : 0;
}

static void lines_free(struct selection *selection)
{
	struct lines *lines = (struct lines *)selection;

	if (lines->selection.fd != STDIN_FILENO)
		close(lines->selection.fd);
	buf_release(&lines->input);
	buf_release(&lines->values);
	free(lines);
}

int selection_from_file(const struct ns *ns, const char *path, struct selection **ret_selection,
			struct err *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	struct stat info = {0};

	if (template_var_count(ns->key) == 0)
		return err_set(err, ERR_USAGE, "namespace '%s' has one key: it takes no ids",
			       ns->name);
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_USAGE, "--ids %s: %s", path, strerror(errno));
	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
		if (!standard_input)
			close(fd);
		return err_set(err, ERR_USAGE,
			       "--ids %s: it is a directory; name a file of ids", path);
	}
	struct lines *lines = mem_zalloc(1, sizeof *lines);
	lines->selection = (struct selection){.ns = ns,
					      .is_explicit = true,
					      .next = lines_next,
					      .locate = lines_locate,
					      .share = lines_share,
					      .free = lines_free};
	lines->selection.fd = fd;
	lines->size = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
	lines->path = standard_input ? "standard input" : path;
	*ret_selection = &lines->selection;
	return 0;
}

/* --- all kinds --- */

enum selection_status selection_next(struct selection *selection, struct var *ret_vars,
				     size_t *ret_count, struct err *err)
{
	return selection->next(selection, ret_vars, ret_count, err);
}

void selection_locate(const struct selection *selection, struct err *err)
{
	if (selection->locate)
		selection->locate(selection, err);
}

int selection_fd(const struct selection *selection)
{
	return selection->fd;
}

bool selection_is_explicit(const struct selection *selection)
{
	return selection->is_explicit;
}

uint64_t selection_total(const struct selection *selection)
{
	return selection->total;
}

double selection_share(const struct selection *selection)
{
	return selection->share ? selection->share(selection) : 0;
}

void selection_free(struct selection *selection)
{
	if (selection)
		selection->free(selection);
}
