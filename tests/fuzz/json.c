/*
 * Two documents, a line end between them: read by token, as a tree and by pointer, compared,
 * and shown. What is well-formed to one reader is so to all; nothing shown drives a terminal.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/json_diff.h"
#include "base/json_tree.h"
#include "base/mem.h"
#include "out/jsonview.h"
#include "out/stream.h"
#include "out/terminal.h"

static bool is_sound(struct bytes doc, unsigned flags)
{
	struct json_error wrong = {0};
	struct json_reader reader;
	struct json_token token;
	size_t line = 0, column = 0;
	int more = 1;

	json_reader_init(&reader, doc, flags, JSON_DEPTH_DATA);
	while (more == 1)
		more = json_read(&reader, &token);
	int status = json_check(doc, flags, JSON_DEPTH_DATA, &wrong);
	EXPECT(status == more);
	if (status != 0) {
		EXPECT(wrong.offset == reader.error.offset && wrong.offset <= doc.len);
		json_locate(doc, wrong.offset, &line, &column);
		EXPECT(line > 0 && column > 0);
	}
	return status == 0;
}

static void decode(const struct json_node *node)
{
	struct buf text = {0};

	for (; node; node = node->next) {
		buf_clear(&text);
		if (json_scalar_text(&text, node->raw) == 0 && node->type == JSON_STRING)
			EXPECT(bytes_equal(buf_bytes(&text), node->text));
		decode(node->child);
	}
	buf_release(&text);
}

static void tree(struct bytes doc, bool sound)
{
	struct mem_arena arena = {0};
	struct json_node *root = NULL;
	struct json_error wrong = {0};

	/* names may stand twice in what json_check accepts */
	if (json_tree_parse(&arena, doc, JSON_STRICT, JSON_DEPTH_DATA, &root, &wrong) == 0) {
		EXPECT(sound);
		decode(root);
	}
	mem_arena_release(&arena);
}

static void show(struct bytes doc, size_t max)
{
	const struct out_terminal plain = {.utf8 = true, .width = 80, .height = 24};
	struct out_stream *stream = out_stream_new_kept(1 << 20);

	out_jsonview(stream, &plain, doc, max);
	struct bytes shown = out_stream_kept(stream);
	for (size_t i = 0; i < shown.len; i++)
		EXPECT(shown.ptr[i] == '\n' || (unsigned char)shown.ptr[i] >= ' ');
	EXPECT(bytes_is_utf8(shown));
	out_stream_free(stream);
}

static bool on_change(void *ctx, const struct json_change *change)
{
	const struct bytes *before = ctx;
	struct bytes found;

	if (change->before.ptr)
		EXPECT(json_find(*before, change->path, &found) == 0 &&
		       bytes_equal(found, change->before));
	EXPECT(change->before.ptr || change->after.ptr);
	return true;
}

FUZZ(json)
{
	struct bytes docs[2];
	struct bytes found;

	docs[1] = input;
	docs[0] = fuzz_part(&docs[1], '\n');
	is_sound(input, JSON_COMMENTS);
	bool sound = is_sound(docs[0], JSON_STRICT);
	tree(docs[0], sound);
	show(docs[0], 1000);
	show(docs[0], docs[0].len / 2);
	json_find(docs[0], docs[1], &found);
	json_find(docs[0], BYTES("/a/0/b"), &found);
	if (!sound)
		return;
	EXPECT(json_same(docs[0], docs[0]));
	if (is_sound(docs[1], JSON_STRICT))
		json_diff(docs[0], docs[1], on_change, &docs[0]);
}
