#include "core/predicate.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define DEPTH_MAX 64
#define NAMES_MAX 128

struct parser {
	struct bytes text;
	size_t at;
	unsigned depth;
	struct bytes doc;
	struct buf *unknown;
	struct err *err;
};

struct operand {
	bool known;
	bool is_text;
	double number;
	struct buf text;
};

static int fail(struct parser *parser, const char *what)
{
	return err_set(parser->err, ERR_USAGE, "--fail-if '%.*s': column %zu: %s",
		       BYTES_ARG(parser->text), parser->at + 1, what);
}

static void skip_blanks(struct parser *parser)
{
	while (parser->at < parser->text.len && strchr(" \t", parser->text.ptr[parser->at]))
		parser->at++;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-' || c == '%';
}

/* The longest run of characters of names and numbers; of "(unclassified)" the parentheses, too.
 */
static struct bytes peek_word(struct parser *parser)
{
	static const struct bytes rest = BYTES("ns.(unclassified).");
	struct bytes left;
	size_t len = 0;

	skip_blanks(parser);
	left = bytes_sub(parser->text, parser->at, parser->text.len);
	if (bytes_starts_with(left, rest))
		len = rest.len;
	while (len < left.len && is_word_char(left.ptr[len]))
		len++;
	return bytes_sub(left, 0, len);
}

static bool take(struct parser *parser, const char *token)
{
	size_t len = strlen(token);
	struct bytes left;

	skip_blanks(parser);
	left = bytes_sub(parser->text, parser->at, parser->text.len);
	if (is_word_char(token[0]) ? !bytes_equal_str(peek_word(parser), token)
				   : !bytes_starts_with(left, bytes_of(token)))
		return false;
	parser->at += len;
	return true;
}

/* --- fields --- */

static int no_such(struct parser *parser, struct bytes name, const char *const *names,
		   size_t count, const char *kind)
{
	const char *nearest = text_nearest(name, names, count);

	return nearest ? err_set(parser->err, ERR_USAGE,
				 "--fail-if: there is no %s '%.*s'; did you mean '%s'?", kind,
				 BYTES_ARG(name), nearest)
		       : err_set(parser->err, ERR_USAGE,
				 "--fail-if: there is no %s '%.*s'; 'ccache stats -o json' "
				 "shows what there is",
				 kind, BYTES_ARG(name));
}

/* Finds name among an object's members; scalar fields alone count. */
static int find_field(struct parser *parser, struct bytes object, struct bytes name,
		      struct bytes *ret_value)
{
	struct buf names = {0};
	const char *list[NAMES_MAX];
	size_t offsets[NAMES_MAX] = {0}, count = 0;
	struct bytes member, value;
	struct json_iter iter;
	int status = -1;

	if (json_iter_init(&iter, object) == 0)
		while (status != 0 && json_iter_next(&iter, &member, &value)) {
			struct bytes inner = bytes_sub(member, 1, member.len - 2);
			enum json_type type = json_type_of(value);

			if (type == JSON_ARRAY || type == JSON_OBJECT || count == NAMES_MAX)
				continue;
			offsets[count++] = names.len;
			buf_add(&names, inner);
			buf_add_char(&names, '\0');
			if (bytes_equal(inner, name)) {
				*ret_value = value;
				status = 0;
			}
		}
	for (size_t i = 0; i < count; i++)
		list[i] = names.ptr + offsets[i];
	if (status != 0)
		no_such(parser, name, list, count, "field");
	buf_release(&names);
	return status;
}

static int find_namespace(struct parser *parser, struct bytes name, struct bytes *ret_row)
{
	struct buf names = {0}, text = {0};
	const char *list[NAMES_MAX];
	size_t offsets[NAMES_MAX] = {0}, count = 0;
	struct bytes rows, row, no_name, value;
	struct json_iter iter;
	int status = -1;

	if (json_find(parser->doc, BYTES("/namespaces"), &rows) == 0 &&
	    json_iter_init(&iter, rows) == 0)
		while (status != 0 && json_iter_next(&iter, &no_name, &row)) {
			if (json_find(row, BYTES("/namespace"), &value) != 0 ||
			    count == NAMES_MAX)
				continue;
			buf_clear(&text);
			json_scalar_text(&text, value);
			offsets[count++] = names.len;
			buf_add(&names, buf_bytes(&text));
			buf_add_char(&names, '\0');
			if (bytes_equal(buf_bytes(&text), name)) {
				*ret_row = row;
				status = 0;
			}
		}
	for (size_t i = 0; i < count; i++)
		list[i] = names.ptr + offsets[i];
	if (status != 0)
		no_such(parser, name, list, count, "namespace");
	buf_release(&names);
	buf_release(&text);
	return status;
}

static int read_field(struct parser *parser, struct bytes path, struct operand *operand)
{
	struct bytes object = parser->doc, name = path, value;

	if (bytes_starts_with(path, BYTES("ns."))) {
		size_t dot = path.len;

		while (dot > 3 && path.ptr[dot - 1] != '.')
			dot--;
		if (dot <= 3)
			return fail(parser, "say ns.NAMESPACE.FIELD");
		if (find_namespace(parser, bytes_sub(path, 3, dot - 4), &object) != 0)
			return -1;
		name = bytes_sub(path, dot, path.len);
	}
	if (find_field(parser, object, name, &value) != 0)
		return -1;
	operand->known = json_type_of(value) != JSON_NULL;
	operand->is_text = json_type_of(value) != JSON_NUMBER;
	if (!operand->known) {
		if (parser->unknown)
			buf_printf(parser->unknown, "%s%.*s", parser->unknown->len ? ", " : "",
				   BYTES_ARG(path));
		return 0;
	}
	json_scalar_text(&operand->text, value);
	if (!operand->is_text)
		num_parse_real(buf_bytes(&operand->text), -1e300, 1e300, &operand->number);
	return 0;
}

/* --- values --- */

static int read_number(struct bytes word, double *ret_number)
{
	uint64_t whole = 0;

	if (num_parse_real(word, -1e300, 1e300, ret_number) == 0)
		return 0;
	if (word.ptr[word.len - 1] == '%' &&
	    num_parse_real(bytes_sub(word, 0, word.len - 1), -1e300, 1e300, ret_number) == 0) {
		*ret_number /= 100;
		return 0;
	}
	if (num_parse_size(word, &whole) != 0 && num_parse_duration_ms(word, &whole) != 0)
		return -1;
	*ret_number = (double)whole;
	return 0;
}

static int read_quoted(struct parser *parser, struct operand *operand)
{
	struct bytes left = bytes_sub(parser->text, parser->at + 1, parser->text.len);
	size_t end = bytes_index(left, parser->text.ptr[parser->at]);

	if (end == left.len)
		return fail(parser, "the quote is not closed");
	buf_add(&operand->text, bytes_sub(left, 0, end));
	operand->known = operand->is_text = true;
	parser->at += end + 2;
	return 0;
}

static int read_operand(struct parser *parser, struct operand *operand)
{
	skip_blanks(parser);
	if (parser->at < parser->text.len && strchr("'\"", parser->text.ptr[parser->at]))
		return read_quoted(parser, operand);
	struct bytes word = peek_word(parser);
	if (word.len == 0)
		return fail(parser, "a field, a number or a text is missing");
	bool is_number = (word.ptr[0] >= '0' && word.ptr[0] <= '9') || word.ptr[0] == '-' ||
			 word.ptr[0] == '.';
	if (is_number && read_number(word, &operand->number) != 0)
		return fail(parser, "this is no number (0.8, 80%, 64KiB, 500ms)");
	operand->known = is_number;
	if (!is_number && read_field(parser, word, operand) != 0)
		return -1;
	parser->at += word.len;
	return 0;
}

enum operator{ OP_LE, OP_GE, OP_EQ, OP_NE, OP_LT, OP_GT, OPS };

static int compare(struct parser *parser, const struct operand *left, int op,
		   const struct operand *right, enum predicate_result *ret_result)
{
	double difference = left->number - right->number;

	if (!left->known || !right->known) {
		*ret_result = PREDICATE_UNKNOWN;
		return 0;
	}
	if (left->is_text != right->is_text)
		return fail(parser, "a text and a number do not compare");
	if (left->is_text)
		difference = bytes_compare(buf_bytes(&left->text), buf_bytes(&right->text));
	bool holds[OPS] = {[OP_LE] = difference <= 0,
			   [OP_GE] = difference >= 0,
			   [OP_EQ] = fabs(difference) <= 0,
			   [OP_NE] = fabs(difference) > 0,
			   [OP_LT] = difference<0, [OP_GT] = difference> 0};
	*ret_result = holds[op] ? PREDICATE_TRUE : PREDICATE_FALSE;
	return 0;
}

static int read_comparison(struct parser *parser, enum predicate_result *ret_result)
{
	static const char *const names[OPS] = {[OP_LE] = "<=", [OP_GE] = ">=", [OP_EQ] = "==",
					       [OP_NE] = "!=", [OP_LT] = "<",  [OP_GT] = ">"};
	struct operand left = {0}, right = {0};
	int status = read_operand(parser, &left);
	int op = 0;

	while (status == 0 && op < OPS && !take(parser, names[op]))
		op++;
	if (status == 0 && op == OPS && take(parser, "="))
		op = OP_EQ;
	if (status == 0 && op == OPS)
		status = fail(parser, "one of < <= > >= == != is missing");
	if (status == 0)
		status = read_operand(parser, &right);
	if (status == 0)
		status = compare(parser, &left, op, &right, ret_result);
	buf_release(&left.text);
	buf_release(&right.text);
	return status;
}

/* --- logic, of three values (Kleene) --- */

static int read_or(struct parser *parser, enum predicate_result *ret_result);

static int read_not(struct parser *parser, enum predicate_result *ret_result)
{
	int status = 0;

	if (++parser->depth > DEPTH_MAX)
		return fail(parser, "too deeply nested");
	skip_blanks(parser);
	bool differs =
	    parser->at + 1 < parser->text.len && parser->text.ptr[parser->at + 1] == '=';
	if (take(parser, "not") || (!differs && take(parser, "!"))) {
		status = read_not(parser, ret_result);
		if (status == 0 && *ret_result != PREDICATE_UNKNOWN)
			*ret_result =
			    *ret_result == PREDICATE_TRUE ? PREDICATE_FALSE : PREDICATE_TRUE;
	} else if (take(parser, "(")) {
		status = read_or(parser, ret_result);
		if (status == 0 && !take(parser, ")"))
			status = fail(parser, "')' is missing");
	} else {
		status = read_comparison(parser, ret_result);
	}
	parser->depth--;
	return status;
}

static int read_and(struct parser *parser, enum predicate_result *ret_result)
{
	enum predicate_result right = PREDICATE_UNKNOWN;
	int status = read_not(parser, ret_result);

	while (status == 0 && (take(parser, "and") || take(parser, "&&"))) {
		status = read_not(parser, &right);
		if (*ret_result == PREDICATE_FALSE || right == PREDICATE_FALSE)
			*ret_result = PREDICATE_FALSE;
		else if (right == PREDICATE_UNKNOWN)
			*ret_result = PREDICATE_UNKNOWN;
	}
	return status;
}

static int read_or(struct parser *parser, enum predicate_result *ret_result)
{
	enum predicate_result right = PREDICATE_UNKNOWN;
	int status = read_and(parser, ret_result);

	while (status == 0 && (take(parser, "or") || take(parser, "||"))) {
		status = read_and(parser, &right);
		if (*ret_result == PREDICATE_TRUE || right == PREDICATE_TRUE)
			*ret_result = PREDICATE_TRUE;
		else if (right == PREDICATE_UNKNOWN)
			*ret_result = PREDICATE_UNKNOWN;
	}
	return status;
}

int predicate_eval(const char *text, struct bytes doc, enum predicate_result *ret_result,
		   struct buf *unknown, struct err *err)
{
	struct parser parser = {
	    .text = bytes_of(text), .doc = doc, .unknown = unknown, .err = err};
	int status = read_or(&parser, ret_result);

	skip_blanks(&parser);
	if (status == 0 && parser.at < parser.text.len)
		status = fail(&parser, "and or or is missing before this");
	return status;
}
