/*
 * Lines: one template, vars as name=value, "" and keys. What expands must match
 * and give the same values; whatever classifies must match its namespace's template.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/namespace.h"
#include "core/template.h"

#define TEMPLATES 4

static size_t vars_of(struct bytes text, struct var *vars)
{
	size_t count = 0;

	while (text.len > 0 && count < TEMPLATE_VARS_MAX) {
		struct bytes word = fuzz_part(&text, ' ');

		vars[count].name = fuzz_part(&word, '=');
		vars[count++].value = word;
	}
	return count;
}

static void try_one(const struct template *tmpl, struct bytes key, const struct var *vars,
		    size_t count)
{
	struct bytes values[TEMPLATE_VARS_MAX];
	struct buf text = {0};
	struct err err = {0};

	template_match(tmpl, key, values);
	if (template_expand(tmpl, vars, count, &text, &err) != 0)
		EXPECT(err_is_set(&err));
	buf_clear(&text);
	template_glob(tmpl, vars, count, &text, &err);
	buf_release(&text);
}

static void classify(struct template **keys, size_t count, struct bytes key,
		     const struct var *vars, size_t var_count)
{
	static const char *const names[TEMPLATES] = {"a", "b", "c", "d"};
	struct ns *list = mem_zalloc(count, sizeof *list);
	struct bytes values[TEMPLATE_VARS_MAX], again[TEMPLATE_VARS_MAX];

	for (size_t i = 0; i < count; i++)
		list[i] = (struct ns){.name = names[i], .summary = "", .key = keys[i]};
	struct nsset *set = nsset_new(list, count);
	const struct ns *found = nsset_classify(set, key, values);
	EXPECT(!found || template_match(found->key, key, again));
	for (size_t i = 0; i < count; i++) {
		struct buf made = {0};
		struct err err = {0};
		const struct ns *ns = nsset_at(set, i);

		if (ns_expand(set, ns, vars, var_count, &made, &err) == 0)
			EXPECT(nsset_classify(set, buf_bytes(&made), values) == ns);
		buf_release(&made);
	}
	nsset_free(set);
}

FUZZ(template)
{
	struct template *keys[TEMPLATES] = {NULL};
	struct bytes key = fuzz_part(&input, '\n');
	struct bytes vars_text = fuzz_part(&input, '\n');
	struct var vars[TEMPLATE_VARS_MAX];
	size_t count = 0, var_count = vars_of(vars_text, vars);

	for (size_t i = 0; i < TEMPLATES && input.len > 0; i++) {
		struct bytes text = fuzz_part(&input, '\n');

		for (int context = TEMPLATE_KEY; context <= TEMPLATE_EVENT; context++) {
			struct template *tmpl = NULL;
			struct err err = {0};

			if (template_parse(text, (enum template_context)context, &tmpl, &err) !=
			    0)
				continue;
			try_one(tmpl, key, vars, var_count);
			if (context == TEMPLATE_KEY)
				keys[count++] = tmpl;
			else
				template_free(tmpl);
		}
	}
	for (size_t i = 0; i + 1 < count; i++) {
		template_compare(keys[i], keys[i + 1]);
		template_ambiguous(keys[i], keys[i + 1]);
	}
	if (count > 0)
		classify(keys, count, key, vars, var_count);
	for (size_t i = 0; i < count; i++)
		template_free(keys[i]);
}
