/* Shapes discovered in undeclared keys: ids recognised, words that are ids, bounds, templates
 * that read back. */
#include "core/shape.h"

#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "core/scan.h"
#include "core/template.h"

static void add(struct shapes *shapes, const char *key)
{
	shapes_add(shapes,
		   &(struct shape_key){
		       .key = bytes_of(key), .ttl_ms = SCAN_TTL_NONE, .bytes = 100, .type = 0});
}

/* The shape of a key seen alone. */
static void check_shape(const char *key, const char *want)
{
	struct shapes *shapes = shapes_new();

	add(shapes, key);
	shapes_finish(shapes);
	CHECK_INT(shapes_count(shapes), 1);
	CHECK_STR(shapes_at(shapes, 0)->pattern.ptr, want);
	CHECK_STR(shapes_at(shapes, 0)->example.ptr, key);
	CHECK_INT(shapes_find(shapes, bytes_of(key)), 0);
	shapes_free(shapes);
}

TEST(ids_are_recognised)
{
	check_shape("user:42:cart", "user:{id}:cart");
	check_shape("session:b0c1b1c1-0000-4000-8000-000000000001", "session:{id}");
	check_shape("call:logs:507f1f77bcf86cd799439011", "call:logs:{id}");
	check_shape("analytics:daily:2025-03-26", "analytics:daily:{date}");
	check_shape("campaign_123456_contacts", "campaign_{id}_contacts");
	check_shape("lead-17:conv-9", "lead-{id}:conv-{id2}");
	check_shape("call:CA81f00123456", "call:{id}");
	check_shape("token:aB3-xYz_99QrStUvW", "token:{id}");
	check_shape("org:+17786528784", "org:{id}");
	check_shape("17786528784:b0c1b1c1-0000-0000-0000-000000000001", "{id}:{id2}");
	check_shape("files/2025-03-26/7", "files/{date}/{id}");
}

TEST(words_are_not)
{
	check_shape("active_calls", "active_calls");
	check_shape("user:cafe:face", "user:cafe:face");
	check_shape("cache:v2:shard6", "cache:v2:shard6");
	check_shape("{tag}:x", "{{tag}}:x");
	check_shape("{id}:x", "{{id}}:x");
	check_shape("{user:42}:cart", "{{user:{id}}}:cart");
	check_shape("a::b:", "a::b:");
	check_shape("", "");
}

TEST(what_is_no_text_is_an_id)
{
	check_shape("blob:\377\001", "blob:{id}");
	check_shape("a:1:b:2:c:3:d:4:e:5:f:6:g:7",
		    "a:{id}:b:{id2}:c:{id3}:d:{id4}:e:{id5}:f:{rest|rest}");
}

TEST(too_many_words_are_ids)
{
	struct shapes *shapes = shapes_new();
	char key[64];

	for (int i = 0; i < 2000; i++) {
		snprintf(key, sizeof key, "user:%c%c%c:cart", 'a' + i % 26, 'a' + i / 26 % 26,
			 'a' + i / 676);
		add(shapes, key);
		snprintf(key, sizeof key, "user:orders:%d", i);
		add(shapes, key);
	}
	shapes_finish(shapes);
	CHECK_INT(shapes_count(shapes), 2);
	CHECK_STR(shapes_at(shapes, 0)->pattern.ptr, "user:orders:{id}");
	CHECK_STR(shapes_at(shapes, 1)->pattern.ptr, "user:{id}:cart");
	CHECK_INT(shapes_at(shapes, 1)->keys, 2000);
	CHECK_INT(shapes_at(shapes, 1)->bytes, 200000);
	CHECK_INT(shapes_at(shapes, 1)->no_ttl, 2000);
	CHECK_INT(shapes_at(shapes, 1)->types, 1);
	CHECK_INT(shapes_at(shapes, 1)->vars[0].kinds, SHAPE_WORD);
	CHECK_STR(shapes_at(shapes, 1)->vars[0].name, "id");
	CHECK_INT(shapes_find(shapes, BYTES("user:never-seen:cart")), 1);
	CHECK_INT(shapes_find(shapes, BYTES("user:orders:5")), 0);
	CHECK_INT(shapes_find(shapes, BYTES("user:never-seen:basket")), -1);
	CHECK_INT(shapes_rest(shapes), 0);
	shapes_free(shapes);
}

/* Every key is counted once, and a pattern is a template that its example reads back from. */
TEST(hostile_keys_stay_bounded_and_add_up)
{
	struct shapes *shapes = shapes_new();
	uint64_t state = 42;
	uint64_t total = 0;

	for (int i = 0; i < 200000; i++) {
		char key[40];
		size_t len = 1 + (size_t)(state % 30);

		for (size_t k = 0; k < len; k++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
			key[k] = "abcdefghijklm:/_-{}0123456789\n\377"[(state >> 33) % 31];
		}
		shapes_add(shapes,
			   &(struct shape_key){.key = {key, len}, .ttl_ms = i, .type = -1});
	}
	shapes_finish(shapes);
	for (size_t i = 0; i < shapes_count(shapes); i++) {
		const struct shape_group *group = shapes_at(shapes, i);

		total += group->keys;
		CHECK(group->ttl_max_ms >= 0 && group->types == 0);
	}
	CHECK_INT(total + shapes_rest(shapes), 200000);
	CHECK(shapes_count(shapes) <= 8192);
	shapes_free(shapes);
}

TEST(a_pattern_is_a_template)
{
	static const char *const keys[] = {"user:42:cart", "{tag}:{x}:7", "a_1_b:2025-01-02/9",
					   "lead-17:conv-9"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct shapes *shapes = shapes_new();
		struct template *tmpl = NULL;
		struct bytes values[TEMPLATE_VARS_MAX];
		struct err err = {0};

		add(shapes, keys[i]);
		shapes_finish(shapes);
		CHECK_INT(
		    template_parse(shapes_at(shapes, 0)->pattern, TEMPLATE_KEY, &tmpl, &err),
		    0);
		CHECK(tmpl && template_match(tmpl, bytes_of(keys[i]), values));
		template_free(tmpl);
		shapes_free(shapes);
	}
}

int main(void)
{
	RUN(ids_are_recognised);
	RUN(words_are_not);
	RUN(what_is_no_text_is_an_id);
	RUN(too_many_words_are_ids);
	RUN(hostile_keys_stay_bounded_and_add_up);
	RUN(a_pattern_is_a_template);
	CHECK_DONE();
}
