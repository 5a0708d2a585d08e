#include "out/spark.h"

#include "base/buf.h"

#include <math.h>

void out_spark(struct buf *buf, const uint64_t *values, size_t count, bool ascii)
{
	static const char *const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	uint64_t most = 0;

	for (size_t i = 0; i < count; i++)
		most = values[i] > most ? values[i] : most;
	for (size_t i = 0; i < count; i++) {
		size_t height = most ? (size_t)ceil((double)values[i] / (double)most * 8) : 0;

		if (height > 8)
			height = 8;
		if (ascii)
			buf_add_char(buf, height ? (char)('0' + height) : '.');
		else
			buf_add_str(buf, height ? heights[height - 1] : "·");
	}
}

void out_bar(struct buf *buf, double share, size_t width, bool ascii)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	double columns = share < 0 ? 0 : share > 1 ? (double)width : share * (double)width;
	size_t parts = (size_t)lround(columns * 8);

	if (parts == 0 && share > 0) /* little is not nothing */
		parts = 1;
	for (size_t i = 0; i < parts / 8; i++)
		buf_add_str(buf, ascii ? "#" : "█");
	if (ascii && parts % 8 >= 4)
		buf_add_char(buf, '#');
	else if (!ascii)
		buf_add_str(buf, eighths[parts % 8]);
}
