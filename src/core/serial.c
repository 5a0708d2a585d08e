#include "core/serial.h"

#include "base/num.h"
#include "core/serial_msgpack.h"

#include <string.h>

static int byte_at(struct bytes b, size_t at)
{
	return at < b.len ? (unsigned char)b.ptr[at] : -1;
}

static bool is_one_of(int c, const char *set)
{
	return c > 0 && strchr(set, c) != NULL;
}

static bool has(struct bytes b, size_t at, struct bytes what)
{
	return at <= b.len && bytes_starts_with(bytes_sub(b, at, b.len), what);
}

/* --- Ruby --- */

#define RAILS_HEADER 15 /* 00 11, type, expiry (a double), length of the version */

/* ActiveSupport::Cache::Coder: 00 11, then pack("CEl<"). */
static const char *rails_71(struct bytes b)
{
	int type = byte_at(b, 2) & 0x7f;

	if (!has(b, 0, BYTES("\0\x11")) || b.len < RAILS_HEADER || type < 1 || type > 4)
		return NULL;
	return byte_at(b, 2) & 0x80 ? "Rails cache entry (7.1, compressed)"
				    : "Rails cache entry (7.1)";
}

/* Marshal70WithFallback: a mark in front of what Marshal, or zlib, wrote. */
static const char *rails_70(struct bytes b)
{
	if (has(b, 0, BYTES("\0\x04\x08")))
		return "Rails cache entry (7.0)";
	if (has(b, 0, BYTES("\1\x78")) && (0x7800 + byte_at(b, 2)) % 31 == 0)
		return "Rails cache entry (7.0, compressed)";
	return NULL;
}

static const char *ruby_marshal(struct bytes b)
{
	if (!has(b, 0, BYTES("\x04\x08")) ||
	    !is_one_of(byte_at(b, 2), "0TFi[{\":;@foIcmMlSuUe/Cdk"))
		return NULL;
	return has(b, 3,
		   BYTES(":\x20"
			 "ActiveSupport::Cache::Entry"))
		   ? "Rails cache entry"
		   : "Ruby Marshal";
}

static const char *rails_msgpack(struct bytes b)
{
	return has(b, 0, BYTES("\xcc\x80")) ? "Rails MessagePack" : NULL;
}

/* --- PHP --- */

/* a:1:{s:10:"9D, expiry, creation, 5F";…} before 6.4, a class called A9 since. */
static bool symfony_php(struct bytes b)
{
	if (has(b, 0, BYTES("O:1:\"\xa9\":")))
		return true;
	return has(b, 0, BYTES("a:1:{s:10:\"\x9d")) && byte_at(b, 20) == 0x5f;
}

static bool symfony_igbinary(struct bytes b)
{
	if (has(b, 4, BYTES("\x17\x01\xa9"))) /* object8 with a name of 1 byte */
		return true;
	return has(b, 4, BYTES("\x14\x01\x11\x0a\x9d")) && byte_at(b, 17) == 0x5f;
}

#define IGBINARY_TYPES 0x1f /* tags below it are in use */

static const char *php_igbinary(struct bytes b)
{
	if (!has(b, 0, BYTES("\0\0\0\1")) && !has(b, 0, BYTES("\0\0\0\2")))
		return NULL;
	if (symfony_igbinary(b))
		return "Symfony cache item (igbinary)";
	return b.len > 4 && byte_at(b, 4) < IGBINARY_TYPES ? "PHP igbinary" : NULL;
}

/* Digits and a colon at *at, which moves behind them. */
static bool read_length(struct bytes b, size_t *at, uint64_t *ret_len)
{
	struct bytes rest = bytes_sub(b, *at, b.len);
	size_t colon = bytes_index(rest, ':');

	if (num_parse_u64(bytes_sub(rest, 0, colon), 0, UINT32_MAX, ret_len) != 0)
		return false;
	*at += colon + 1;
	return colon < rest.len;
}

/* A string alone: s:LEN:"…"; and nothing behind. */
static bool is_php_string(struct bytes b)
{
	uint64_t len = 0;
	size_t at = 2;

	return has(b, 0, BYTES("s:")) && read_length(b, &at, &len) && has(b, at, BYTES("\"")) &&
	       b.len == at + 1 + len + 2 && has(b, at + 1 + (size_t)len, BYTES("\";"));
}

/* a:N:{, O:LEN:"Class":, C:LEN:"Class":, E:LEN:"Class:Case"; */
static bool is_php_container(struct bytes b)
{
	uint64_t len = 0;
	size_t at = 2;

	if (!is_one_of(byte_at(b, 0), "aOCE") || byte_at(b, 1) != ':' ||
	    !read_length(b, &at, &len))
		return false;
	if (b.ptr[0] == 'a')
		return has(b, at, len ? BYTES("{") : BYTES("{}"));
	const char *end = b.ptr[0] == 'E' ? "\";" : "\":";
	return has(b, at, BYTES("\"")) && has(b, at + 1 + (size_t)len, bytes_of(end));
}

static bool is_php_scalar(struct bytes b)
{
	double real = 0;
	struct bytes text = bytes_sub(b, 2, b.len < 3 ? 0 : b.len - 3);

	if (bytes_equal_str(b, "N;") || bytes_equal_str(b, "b:0;") ||
	    bytes_equal_str(b, "b:1;"))
		return true;
	return is_one_of(byte_at(b, 0), "id") && byte_at(b, 1) == ':' &&
	       b.ptr[b.len - 1] == ';' && num_parse_real(text, -1e308, 1e308, &real) == 0;
}

static const char *php_serialize(struct bytes b)
{
	if (symfony_php(b))
		return "Symfony cache item";
	return is_php_string(b) || is_php_container(b) || is_php_scalar(b) ? "PHP serialize"
									   : NULL;
}

/* --- Python, Java, MessagePack --- */

/* PROTO n, and FRAME (since protocol 4) or, at the end, STOP. */
static const char *python_pickle(struct bytes b)
{
	int protocol = byte_at(b, 1);

	if (b.len < 4 || byte_at(b, 0) != 0x80 || protocol < 2 || protocol > 5)
		return NULL;
	return byte_at(b, 2) == 0x95 || b.ptr[b.len - 1] == '.' ? "Python pickle (django-redis)"
								: NULL;
}

/* The magic, version 5, and one of the type codes TC_NULL to TC_ENUM. */
static const char *java_stream(struct bytes b)
{
	int type = byte_at(b, 4);

	return has(b, 0, BYTES("\xac\xed\0\5")) && type >= 0x70 && type <= 0x7e
		   ? "Java serialization"
		   : NULL;
}

static const char *msgpack(struct bytes b)
{
	return serial_msgpack_certain(b) ? "MessagePack" : NULL;
}

const char *serial_name(struct bytes value)
{
	static const char *(*const names[])(struct bytes) = {
	    rails_71,      rails_70,      ruby_marshal, rails_msgpack, php_igbinary,
	    php_serialize, python_pickle, java_stream,  msgpack,
	};
	const char *name = NULL;

	for (size_t i = 0; !name && i < sizeof names / sizeof *names; i++)
		name = names[i](value);
	return name;
}
