#include "check.h"

#include "core/serial.h"

/* The bytes of each framework's writer, with where its layout is laid down. */
static const struct {
	const char *name;
	struct bytes value;
} samples[] = {
    /* rails: activesupport/lib/active_support/cache/coder.rb: 00 11, pack("CEl<"), payload */
    {"Rails cache entry (7.1)", BYTES("\0\x11\x02\0\0\0\0\0\0\xf0\xbf\xff\xff\xff\xff"
				      "hello")},
    {"Rails cache entry (7.1)",
     BYTES("\0\x11\x01\0\0\0\0\0\0\xf0\xbf\xff\xff\xff\xff\x04\x08i\x06")},
    {"Rails cache entry (7.1, compressed)",
     BYTES("\0\x11\x81\0\0\0\0\0\0\xf0\xbf\xff\xff\xff\xff\x78\x9c")},
    /* rails: serializer_with_fallback.rb, Marshal70WithFallback: a mark, then Marshal or zlib
     */
    {"Rails cache entry (7.0)", BYTES("\0\x04\x08[\x06I\"\x06x\x06:\x06"
				      "ET")},
    {"Rails cache entry (7.0, compressed)", BYTES("\1\x78\x9c\x63\xe1\x88\x66\x03\0")},
    /* ruby: doc/marshal.rdoc; a symbol's length is written plus 5 */
    {"Rails cache entry", BYTES("\x04\x08o:\x20"
				"ActiveSupport::Cache::Entry\x06:\x0b@valuei\x06")},
    /* [1, 2, 3]: README of github.com/gaynetdinov/ex_marshal */
    {"Ruby Marshal", BYTES("\x04\x08[\x08i\x06i\x07i\x08")},
    /* rails: active_support/message_pack/serializer.rb: 128.to_msgpack, then the object */
    {"Rails MessagePack", BYTES("\xcc\x80\x91\x01")},
    /* php.net: serialize() */
    {"PHP serialize", BYTES("a:1:{i:0;s:1:\"x\";}")},
    {"PHP serialize", BYTES("a:0:{}")},
    {"PHP serialize", BYTES("s:5:\"hello\";")},
    {"PHP serialize", BYTES("O:8:\"stdClass\":1:{s:1:\"a\";i:1;}")},
    {"PHP serialize", BYTES("E:11:\"Suit:Hearts\";")},
    {"PHP serialize", BYTES("i:-5;")},
    {"PHP serialize", BYTES("d:0.5;")},
    {"PHP serialize", BYTES("b:1;")},
    {"PHP serialize", BYTES("N;")},
    /* igbinary: igbinary.h, IGBINARY_FORMAT_VERSION as 32 bits, then a type: ["a" => 1] */
    {"PHP igbinary", BYTES("\0\0\0\2\x14\x01\x11\x01"
			   "a\x06\x01")},
    {"PHP igbinary", BYTES("\0\0\0\1\x05")},
    /* symfony 4.2 to 6.3: ChainAdapter.php, "\x9D".pack('VN', …)."\x5F" => value */
    {"Symfony cache item", BYTES("a:1:{s:10:\"\x9d\1\2\3\4\5\6\7\x08\x5f\";i:1;}")},
    {"Symfony cache item (igbinary)",
     BYTES("\0\0\0\2\x14\x01\x11\x0a\x9d\1\2\3\4\5\6\7\x08\x5f\x06\x01")},
    /* symfony since 6.4: Traits/ValueWrapper.php, a class named A9 with pack('Vn', …) => value
     */
    {"Symfony cache item", BYTES("O:1:\"\xa9\":1:{s:6:\"\1\2\3\4\5\6\";i:1;}")},
    {"Symfony cache item (igbinary)",
     BYTES("\0\0\0\2\x17\x01\xa9\x14\x01\x11\x06\1\2\3\4\5\6\x06\x01")},
    /* python: pickle.dumps({'a': 1}, 2 to 5), as django-redis' serializers/pickle.py has it */
    {"Python pickle (django-redis)", BYTES("\x80\x02}q\0X\1\0\0\0aq\1K\1s.")},
    {"Python pickle (django-redis)", BYTES("\x80\x03}q\0X\1\0\0\0aq\1K\1s.")},
    {"Python pickle (django-redis)",
     BYTES("\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94\x8c\1a\x94K\1s.")},
    {"Python pickle (django-redis)", BYTES("\x80\x05\x95\x0a\0\0\0\0\0\0\0}\x94\x8c\1a")},
    /* Java Object Serialization Specification, chapter 6.4.2: TC_STRING */
    {"Java serialization", BYTES("\xac\xed\0\5t\0\5hello")},
    /* msgpack.org: {"compact":true,"schema":0} */
    {"MessagePack", BYTES("\x82\xa7"
			  "compact\xc3\xa6schema\0")},
    {"MessagePack", BYTES("\x91\x82\xa7"
			  "compact\xc3\xa6schema\0")},
    {"MessagePack", BYTES("\xde\0\1\xd9\1a\xdc\0\5\xca\0\0\0\0\xc4\1x\xc7\1\1x\xcf\0\0\0\0\0\0"
			  "\0\0\xd8"
			  "12345678901234567")},
};

TEST(each_writer_is_recognised)
{
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		const char *name = serial_name(samples[i].value);

		CHECK_STR(name ? name : "(none)", samples[i].name);
	}
}

TEST(other_values_have_no_name)
{
	static const struct bytes others[] = {
	    BYTES(""),
	    BYTES("{\"a\":1}"),
	    BYTES("[1,2,3]"),
	    BYTES("a: b"),
	    BYTES("a:1:x"),
	    BYTES("a:12"),
	    BYTES("s:5:\"hell\";"),
	    BYTES("s:99999999999999999999:\"x\";"),
	    BYTES("O:3:\"ab\":"),
	    BYTES("i:;"),
	    BYTES("i:x;"),
	    BYTES("i:"),
	    BYTES("d"),
	    BYTES("N;x"),
	    BYTES("12345"),
	    BYTES("\0\x11\x02"),
	    BYTES("\0\x11\x09\0\0\0\0\0\0\xf0\xbf\xff\xff\xff\xff"),
	    BYTES("\1\x78\x9d"),
	    BYTES("\x04\x08"),
	    BYTES("\x04\x08\x01"),
	    BYTES("\0\0\0\2"),
	    BYTES("\0\0\0\2\xff"),
	    BYTES("\0\0\0\3\x05"),
	    BYTES("\x80\x02xy"),
	    BYTES("\x80\x06\x95."),
	    BYTES("\xac\xed\0\5\x6f"),
	    BYTES("\x80"),
	    BYTES("\x91\1"),
	    BYTES("\x81\1\1"),
	    BYTES("\x81\xa1"
		  "a"),
	    BYTES("\x81\xa1"
		  "a\1\1"),
	    BYTES("\x81\xa1\xff\1"),
	    BYTES("\xdf\xff\xff\xff\xff\xa1"
		  "a\1"),
	    BYTES("\x81\xa1"
		  "a\xdd\xff\xff\xff\xff"),
	    BYTES("\x81\xa1"
		  "a\xc1"),
	};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const char *name = serial_name(others[i]);

		CHECK_STR(name ? name : "(none)", "(none)");
		if (name)
			printf("# sample %zu\n", i);
	}
}

/* Bytes without a pattern; every beginning of a sample too, for the reads past its end. */
TEST(noise_is_not_taken_for_msgpack)
{
	unsigned long long state = 88172645463325252ull;
	unsigned taken = 0;

	for (unsigned round = 0; round < 200000; round++) {
		char some[24];

		for (size_t i = 0; i < sizeof some; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			some[i] = (char)(state >> 32);
		}
		const char *name = serial_name((struct bytes){some, 2 + round % 23});
		taken += name && strcmp(name, "MessagePack") == 0;
	}
	CHECK_INT(taken, 0);
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		for (size_t len = 0; len < samples[i].value.len; len++) {
			char *exact = malloc(len ? len : 1); /* a read behind it is seen */

			memcpy(exact, samples[i].value.ptr, len);
			serial_name((struct bytes){exact, len});
			free(exact);
		}
}

int main(void)
{
	RUN(each_writer_is_recognised);
	RUN(other_values_have_no_name);
	RUN(noise_is_not_taken_for_msgpack);
	CHECK_DONE();
}
