/*
 * Events as they come: lines, entries of a stream (from a server that speaks as answer.h says),
 * messages of a channel. The first byte says which. What cannot be used says why, and all of it
 * can be set aside.
 */
#include "fuzz.h"

#include "answer.h"
#include "core/event_feed.h"
#include "wire/target.h"

#include <fcntl.h>
#include <unistd.h>

#define BATCH 4
#define TURNS 12

static void look(const struct event_batch *batch)
{
	EXPECT(batch->count <= batch->max);
	for (size_t i = 0; i < batch->count; i++) {
		const struct event_item *item = &batch->items[i];

		EXPECT(!item->bad || err_is_set(&item->problem));
		EXPECT(item->bad || item->event.name.len > 0 || item->event.data.len == 0);
	}
}

/* Until it ends; how many there were. */
static uint64_t follow(struct event_feed *feed, int turns)
{
	struct event_item items[BATCH];
	struct event_batch batch = {.items = items, .max = BATCH};
	uint64_t count = 0;
	int status = 0;

	while (turns-- > 0 && status != 1) {
		struct err err = {0};

		batch.count = 0;
		mem_arena_clear(&batch.arena);
		status = feed->next(feed, &batch, 10, &err);
		EXPECT((status < 0) == err_is_set(&err));
		look(&batch);
		count += batch.count;
		if (status != 0)
			continue;
		status = feed->done(feed, &batch, &err);
		EXPECT((status < 0) == err_is_set(&err));
	}
	feed->waiting(feed);
	feed->free(feed, status != -1);
	mem_arena_release(&batch.arena);
	return count;
}

static void lines(struct bytes text, const struct event_feed_options *options)
{
	char path[FUZZ_PATH];
	int written = fuzz_file(text, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t count = follow(event_feed_lines(fd, options), 1 + (int)text.len);

	while (text.len > 0) {
		struct bytes line = fuzz_part(&text, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		count -= line.len > 0;
	}
	EXPECT(count == 0);
	close(fd);
	close(written);
}

FUZZ(feed)
{
	static struct target target;
	const struct event_feed_options options = {.name_at = BYTES("/event"),
						   .target = &target,
						   .key = BYTES("s"),
						   .group = "g",
						   .consumer = "c",
						   .claim_ms = 60000,
						   .max_tries = 3,
						   .channel = BYTES("c")};

	if (input.len == 0)
		return;
	answer_target(&target, 20);
	struct bytes text = bytes_sub(input, 1, input.len);
	unsigned kind = (unsigned char)input.ptr[0] % 3;
	if (kind == 0) {
		lines(text, &options);
		return;
	}
	answer_with(&(struct answer_script){.text = text});
	follow(kind == 1 ? event_feed_stream(&options) : event_feed_channel(&options), TURNS);
	answer_with(NULL);
}
