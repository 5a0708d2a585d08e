#include "base/sha1.h"

#include <stdint.h>
#include <string.h>

#define BLOCK 64
#define WORDS 5

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t load(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void mix(uint32_t state[WORDS], const unsigned char *block)
{
	uint32_t w[80];
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

	for (int i = 0; i < 16; i++)
		w[i] = load(block + (size_t)i * 4);
	for (int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20   ? (d ^ (b & (c ^ d))) + 0x5A827999
			     : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
			     : i < 60 ? ((b & c) | (d & (b | c))) + 0x8F1BBCDC
				      : (b ^ c ^ d) + 0xCA62C1D6;
		uint32_t next = rotate(a, 5) + f + e + w[i];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

void sha1_hex(struct bytes data, char hex[SHA1_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint32_t state[WORDS] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
	unsigned char end[2 * BLOCK] = {0};
	const unsigned char *at = (const unsigned char *)data.ptr;
	size_t left = data.len;

	for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
		mix(state, at);
	size_t padded = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	if (left)
		memcpy(end, at, left);
	end[left] = 0x80;
	for (size_t i = 0; i < 8; i++)
		end[padded - 1 - i] = (unsigned char)((uint64_t)data.len * 8 >> 8 * i);
	mix(state, end);
	if (padded > BLOCK)
		mix(state, end + BLOCK);
	for (size_t i = 0; i < SHA1_HEX_LEN; i++)
		hex[i] = digits[state[i / 8] >> (28 - i % 8 * 4) & 15];
	hex[SHA1_HEX_LEN] = '\0';
}
