#include "base/err.h"

#include "base/text.h"
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies text into err without control bytes, cut at a character's start. */
static void store(struct err *err, const char *text)
{
	static const char mark[] = "…";
	struct buf clean = {0};
	size_t room = sizeof err->text - 1;

	text_escape(&clean, bytes_of(text));
	if (clean.len > room) {
		size_t cut = room - (sizeof mark - 1);

		while (cut > 0 && ((unsigned char)clean.ptr[cut] & 0xC0) == 0x80)
			cut--;
		clean.len = cut;
		buf_add_str(&clean, mark);
	}
	memcpy(err->text, buf_str(&clean), clean.len + 1);
	buf_release(&clean);
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	char text[4096];
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	err->kind = kind;
	store(err, text);
	return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
	char text[4096 + sizeof err->text];
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	int len = vsnprintf(text, 4096, format, args);
	va_end(args);
	size_t at = len < 0 ? 0 : len > 4095 ? 4095 : (size_t)len;
	snprintf(text + at, sizeof text - at, ": %s", err->text);
	store(err, text);
	return -1;
}

bool err_is_set(const struct err *err)
{
	return err->kind != ERR_NONE;
}
