/* Inputs of the fuzz targets: the seeds, and whatever once made one crash. */
#include "check.h"

#include "../fuzz/fuzz.h"
#include "base/buf.h"

#include <dirent.h>

#define CORPUS "tests/fuzz/corpus"

static void read_into(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "rb");
	char part[4096];
	size_t len;

	CHECK(file != NULL);
	while (file && (len = fread(part, 1, sizeof part, file)) > 0)
		buf_add(text, (struct bytes){part, len});
	if (file)
		fclose(file);
}

/* All that stands there, and its halves. */
static void bears(const char *name, fuzz_fn *fn)
{
	char path[512];
	size_t count = 0;

	snprintf(path, sizeof path, CORPUS "/%s", name);
	DIR *dir = opendir(path);
	CHECK(dir != NULL);
	for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		struct buf text = {0};

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, CORPUS "/%s/%s", name, entry->d_name);
		read_into(path, &text);
		fn(buf_bytes(&text));
		fn(bytes_sub(buf_bytes(&text), 0, text.len / 2));
		fn(bytes_sub(buf_bytes(&text), text.len / 2, text.len));
		buf_release(&text);
		count++;
	}
	CHECK(count > 0);
	if (dir)
		closedir(dir);
}

#define BEARS(name)                                                                            \
	TEST(name)                                                                             \
	{                                                                                      \
		bears(#name, fuzz_##name);                                                     \
	}
BEARS(config)
BEARS(template)
BEARS(words)
BEARS(event)
BEARS(url)
BEARS(reply)
BEARS(resp)
BEARS(backup)
BEARS(http)
BEARS(fleet)
BEARS(monitor)
BEARS(packed)
BEARS(json)
BEARS(figures)
BEARS(rows)
BEARS(cluster)
BEARS(feed)
BEARS(greet)
BEARS(shape)

int main(void)
{
	RUN(config);
	RUN(template);
	RUN(words);
	RUN(event);
	RUN(url);
	RUN(reply);
	RUN(resp);
	RUN(backup);
	RUN(http);
	RUN(fleet);
	RUN(monitor);
	RUN(packed);
	RUN(json);
	RUN(figures);
	RUN(rows);
	RUN(cluster);
	RUN(feed);
	RUN(greet);
	RUN(shape);
	CHECK_DONE();
}
