#include "invalidate.h"

#include "app.h"

#include "base/err.h"
#include "core/witness.h"
#include "wire/redis.h"

#include <stdio.h>
#include <string.h>

struct witness *invalidate_watch(struct app *app, const struct keylist *keys)
{
	struct witness *witness = NULL;
	struct err err = {0};

	if (keys->count && witness_begin(app->redis, keys, &witness, &err) != 0)
		app_warn(app, "who writes a key again cannot be told: %s", err.text);
	return witness;
}

/* The value of " name=" in a line of CLIENT LIST. */
static struct bytes field(struct bytes line, const char *name)
{
	const char *at = memmem(line.ptr, line.len, name, strlen(name));
	struct bytes rest = {NULL, 0};

	if (!at)
		return rest;
	rest = bytes_sub(line, (size_t)(at - line.ptr) + strlen(name), line.len);
	return bytes_sub(rest, 0, bytes_index(rest, ' '));
}

/* Clients of a unix socket look all alike; one that went has no name any more. */
static void look_up_name(struct bytes list, const char *client, char *name, size_t size)
{
	while (list.len) {
		size_t end = bytes_index(list, '\n');
		struct bytes line = bytes_sub(list, 0, end);
		struct bytes found = field(line, " name=");

		if (bytes_equal_str(field(line, " addr="), client) && found.len < size) {
			memcpy(name, found.ptr, found.len);
			name[found.len] = '\0';
			return;
		}
		list = bytes_sub(list, end + 1, list.len);
	}
}

static void look_up_names(struct app *app, struct invalidate_outcome *outcome)
{
	size_t nodes = redis_nodes(app->redis, NULL);

	for (size_t i = 0; i < nodes; i++) {
		const struct reply *reply = NULL;

		if (redis_call_words(redis_node(app->redis, i), REDIS_IDEMPOTENT, &reply, NULL,
				     "CLIENT", "LIST", NULL) != 0 ||
		    reply->type != REPLY_STRING)
			continue; /* the address alone */
		for (size_t k = 0; k < outcome->look.sample.count; k++)
			if (outcome->writers[k] && !outcome->names[k][0])
				look_up_name(reply->text, outcome->writers[k]->client,
					     outcome->names[k], sizeof outcome->names[k]);
	}
}

enum exit_code invalidate_verify(struct app *app, struct witness *witness,
				 const struct keylist *keys, struct invalidate_outcome *outcome)
{
	struct err err = {0};

	if (look_again(app->redis, keys, &outcome->look, &err) != 0)
		return app_fail(app, &err);
	outcome->verified = true;
	if (!witness || outcome->look.back == 0)
		return EXIT_DONE;
	if (witness_end(witness, app->redis, &err) != 0)
		app_warn(app, "who wrote a key again may not have been seen: %s", err.text);
	for (size_t i = 0; i < outcome->look.sample.count; i++)
		outcome->writers[i] = witness_of(witness, outcome->look.indexes[i]);
	look_up_names(app, outcome);
	return EXIT_DONE;
}
