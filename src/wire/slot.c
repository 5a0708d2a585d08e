#include "wire/slot.h"

#include <stdbool.h>
#include <string.h>

#define NAME_MAX_LEN 5 /* with its NUL */

static void fill_table(uint16_t table[256])
{
	for (unsigned i = 0; i < 256; i++) {
		unsigned value = i << 8;

		for (int bit = 0; bit < 8; bit++)
			value = value & 0x8000 ? (value << 1) ^ 0x1021 : value << 1;
		table[i] = (uint16_t)value;
	}
}

uint16_t slot_crc16(struct bytes b)
{
	static uint16_t table[256];
	uint16_t crc = 0;

	if (!table[1])
		fill_table(table);
	for (size_t i = 0; i < b.len; i++)
		crc = (uint16_t)((crc << 8) ^ table[(crc >> 8) ^ (unsigned char)b.ptr[i]]);
	return crc;
}

struct bytes slot_tag(struct bytes key)
{
	size_t open = bytes_index(key, '{');
	struct bytes inner = bytes_sub(key, open + 1, key.len);
	size_t close = bytes_index(inner, '}');

	if (open == key.len || close == inner.len || close == 0)
		return key;
	return bytes_sub(inner, 0, close);
}

unsigned slot_of(struct bytes key)
{
	return slot_crc16(slot_tag(key)) % SLOT_COUNT;
}

/* Every slot's first name in the order of counting: about 170,000 names fill them all, once. */
static void fill_names(char names[SLOT_COUNT][NAME_MAX_LEN])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	unsigned missing = SLOT_COUNT;

	for (unsigned count = 0; missing > 0; count++) {
		char name[NAME_MAX_LEN] = "";
		unsigned rest = count;

		for (size_t i = 0; i + 1 < NAME_MAX_LEN && (rest || i == 0); i++, rest /= 36)
			name[i] = digits[rest % 36];
		unsigned slot = slot_of(bytes_of(name));
		if (!names[slot][0]) {
			memcpy(names[slot], name, NAME_MAX_LEN);
			missing--;
		}
	}
}

const char *slot_name(unsigned slot)
{
	static char names[SLOT_COUNT][NAME_MAX_LEN];
	static bool filled;

	if (!filled)
		fill_names(names);
	filled = true;
	return names[slot % SLOT_COUNT];
}
