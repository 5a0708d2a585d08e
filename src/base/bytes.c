#include "base/bytes.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

struct bytes bytes_of(const char *str)
{
	return (struct bytes){str, str ? strlen(str) : 0};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool bytes_equal_str(struct bytes a, const char *str)
{
	return bytes_equal(a, bytes_of(str));
}

bool bytes_equal_word(struct bytes a, const char *word)
{
	return a.len == strlen(word) && (a.len == 0 || strncasecmp(a.ptr, word, a.len) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.ptr, b.ptr, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool bytes_starts_with(struct bytes b, struct bytes prefix)
{
	return b.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(b.ptr, prefix.ptr, prefix.len) == 0);
}

size_t bytes_index(struct bytes b, char c)
{
	const char *at = b.len ? memchr(b.ptr, c, b.len) : NULL;

	return at ? (size_t)(at - b.ptr) : b.len;
}

struct bytes bytes_sub(struct bytes b, size_t offset, size_t len)
{
	if (offset >= b.len)
		return (struct bytes){NULL, 0};
	if (len > b.len - offset)
		len = b.len - offset;
	return (struct bytes){b.ptr + offset, len};
}

/* The ranges are those of Unicode 15, table 3-7. */
size_t bytes_utf8_len(struct bytes b)
{
	const unsigned char *p = (const unsigned char *)b.ptr;
	unsigned char low = 0x80, high = 0xBF;
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xC2 ? 0
		     : p[0] < 0xE0 ? 2
		     : p[0] < 0xF0 ? 3
		     : p[0] < 0xF5 ? 4
				   : 0;

	if (len < 2)
		return len;
	if (b.len < len)
		return 0;
	if (p[0] == 0xE0)
		low = 0xA0;
	else if (p[0] == 0xED)
		high = 0x9F;
	else if (p[0] == 0xF0)
		low = 0x90;
	else if (p[0] == 0xF4)
		high = 0x8F;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return len;
}

/* The offset of the first byte from at on that is not ASCII, or b.len. */
static size_t skip_ascii(struct bytes b, size_t at)
{
	uint64_t word = 0;

	for (; b.len - at >= sizeof word; at += sizeof word) {
		memcpy(&word, b.ptr + at, sizeof word);
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (at < b.len && !(b.ptr[at] & 0x80))
		at++;
	return at;
}

bool bytes_is_utf8(struct bytes b)
{
	size_t i = 0;

	while ((i = skip_ascii(b, i)) < b.len) {
		size_t len = bytes_utf8_len(bytes_sub(b, i, b.len));

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

unsigned long long bytes_hash(struct bytes b)
{
	unsigned long long hash = 14695981039346656037ULL;

	for (size_t i = 0; i < b.len; i++)
		hash = (hash ^ (unsigned char)b.ptr[i]) * 1099511628211ULL;
	return hash;
}
