#include "out/jsonview.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "out/stream.h"
#include "out/terminal.h"

#define INDENT 2
#define PIECE ((size_t)64 * 1024) /* of the text held before it is written */

struct view {
	struct out_stream *stream;
	const struct out_terminal *terminal;
	struct buf text;
	size_t left;  /* bytes that may still be shown */
	size_t shown; /* bytes of the document that were */
};

static void flush(struct view *view)
{
	out_stream_write(view->stream, buf_bytes(&view->text));
	buf_clear(&view->text);
}

/* As much of token as may be shown, whole characters only. */
static struct bytes clip(const struct view *view, struct bytes token)
{
	size_t len = token.len < view->left ? token.len : view->left;

	while (len < token.len && len > 0 && ((unsigned char)token.ptr[len] & 0xC0) == 0x80)
		len--;
	return bytes_sub(token, 0, len);
}

/* False when the token did not fit: the view ends. */
static bool add_token(struct view *view, enum out_style style, struct bytes token)
{
	struct bytes part = clip(view, token);

	if (style != OUT_STYLE_NONE && part.len)
		buf_add_str(&view->text, out_style(view->terminal, style));
	text_escape(&view->text, part);
	if (style != OUT_STYLE_NONE && part.len)
		buf_add_str(&view->text, out_style(view->terminal, OUT_STYLE_NONE));
	view->left -= part.len;
	view->shown += part.len;
	if (view->text.len >= PIECE)
		flush(view);
	return part.len == token.len;
}

static bool add_layout(struct view *view, const char *text, unsigned depth)
{
	size_t len = bytes_of(text).len + INDENT * (size_t)depth;

	if (len > view->left)
		return false;
	buf_add_str(&view->text, text);
	for (unsigned i = 0; i < INDENT * depth; i++)
		buf_add_char(&view->text, ' ');
	view->left -= len;
	return true;
}

static enum out_style style_of(const struct json_token *token)
{
	if (token->event == JSON_EV_KEY)
		return OUT_STYLE_CYAN;
	if (token->event != JSON_EV_VALUE)
		return OUT_STYLE_NONE;
	if (token->type == JSON_STRING)
		return OUT_STYLE_GREEN;
	return token->type == JSON_NUMBER ? OUT_STYLE_YELLOW : OUT_STYLE_DIM;
}

/* The comma and the line before a token, as what came before it asks. */
static bool add_gap(struct view *view, enum json_event before, const struct json_token *token)
{
	bool end = token->event == JSON_EV_END;

	if (before == JSON_EV_KEY)
		return true;
	if (before == JSON_EV_BEGIN && end)
		return true;
	return add_layout(view, before != JSON_EV_BEGIN && !end ? ",\n" : "\n", token->depth);
}

static bool add_tokens(struct view *view, struct json_reader *reader)
{
	/* which asks for nothing in front of the first value */
	enum json_event before = JSON_EV_KEY;
	struct json_token token;

	while (json_read(reader, &token) > 0) {
		if (!add_gap(view, before, &token))
			return false;
		view->shown = token.offset;
		if (!add_token(view, style_of(&token), token.raw) ||
		    (token.event == JSON_EV_KEY && !add_layout(view, ": ", 0)))
			return false;
		before = token.event;
	}
	if (!reader->error.what)
		return true;
	/* from the last whole token on: its comma or colon is part of the rest */
	struct bytes rest = bytes_sub(reader->doc, view->shown, reader->doc.len);
	return rest.len == 0 ||
	       (add_layout(view, "\n", 0) && add_token(view, OUT_STYLE_NONE, rest));
}

static bool at_line_start(const struct buf *text)
{
	return text->len && text->ptr[text->len - 1] == '\n';
}

void out_jsonview(struct out_stream *stream, const struct out_terminal *terminal,
		  struct bytes doc, size_t max)
{
	struct view view = {.stream = stream, .terminal = terminal, .left = max};
	struct json_reader reader;

	json_reader_init(&reader, doc, JSON_STRICT, JSON_DEPTH_DATA);
	bool whole = add_tokens(&view, &reader);
	if (view.left < max && !at_line_start(&view.text))
		buf_add_char(&view.text, '\n');
	if (!whole)
		buf_printf(&view.text, "%s… %zu bytes more%s\n",
			   out_style(terminal, OUT_STYLE_DIM), doc.len - view.shown,
			   out_style(terminal, OUT_STYLE_NONE));
	flush(&view);
	buf_release(&view.text);
}
