/* Names of keys, a line each, and text that others left in Redis: the shapes of names, whose
 * keys they are companions of, what a command named so does, and a history. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/effect.h"
#include "core/shape.h"
#include "core/sidecar.h"
#include "core/template.h"
#include "core/volatility.h"

/* What was made here comes back. */
static void companions(struct bytes key)
{
	struct buf name = {0};
	struct bytes back;

	sidecar_key(key, &back);
	sidecar_name(&name, key);
	EXPECT(sidecar_key(buf_bytes(&name), &back) && bytes_equal(back, key));
	buf_release(&name);
}

static void history(struct bytes line)
{
	struct volatility told, again;
	struct buf text = {0};

	if (!volatility_read(line, &told))
		return;
	volatility_write(&text, &told);
	EXPECT(volatility_read(buf_bytes(&text), &again));
	EXPECT(told.ttl_ms == again.ttl_ms && told.same == again.same &&
	       told.refreshes == again.refreshes && told.changes == again.changes);
	buf_release(&text);
}

static void command(struct bytes line)
{
	struct bytes argv[8];
	size_t argc = 0;
	long long expires = 0;

	while (line.len > 0 && argc < 8)
		argv[argc++] = fuzz_part(&line, ' ');
	const struct effect *effect = argc > 0 ? effect_find(argv[0]) : NULL;
	if (effect && effect->kind == EFFECT_FRESH &&
	    effect_life(effect, argv, argc, 1700000000000, &expires))
		EXPECT(expires >= -1);
}

/* A pattern is a template of its keys, or says why it is none. */
static void patterns(const struct shapes *shapes, struct bytes input)
{
	for (size_t i = 0; i < shapes_count(shapes); i++) {
		const struct shape_group *group = shapes_at(shapes, i);
		struct template *made = NULL;
		struct err err = {0};

		EXPECT(group->keys > 0 && group->var_count <= SHAPE_VARS_MAX);
		EXPECT((template_parse(group->pattern, TEMPLATE_KEY, &made, &err) != 0) ==
		       err_is_set(&err));
		template_free(made);
	}
	while (input.len > 0) {
		long found = shapes_find(shapes, fuzz_part(&input, '\n'));

		EXPECT(found >= -1 && found < (long)shapes_count(shapes));
	}
}

FUZZ(shape)
{
	struct shapes *shapes = shapes_new();
	struct bytes left = input;
	uint64_t keys = 0, counted = 0;

	while (left.len > 0) {
		struct bytes line = fuzz_part(&left, '\n');

		companions(line);
		history(line);
		command(line);
		shapes_add(shapes, &(struct shape_key){line, -1, 10, -1});
		keys++;
	}
	shapes_finish(shapes);
	for (size_t i = 0; i < shapes_count(shapes); i++)
		counted += shapes_at(shapes, i)->keys;
	EXPECT(counted + shapes_rest(shapes) == keys);
	patterns(shapes, input);
	shapes_free(shapes);
}
