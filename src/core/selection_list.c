#include "core/selection_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/request.h"
#include "core/namespace.h"
#include "source/source.h"

#include <stdlib.h>

/*
 * A namespace's list, page by page: each page is an answer whose `items` hold
 * the vars and whose `next` holds the cursor of the following page.
 */
struct pages {
	struct selection selection;
	struct fetcher *fetcher;
	struct request request;
	bool waiting;
	bool last;       /* no page will follow */
	struct buf page; /* the answer as it came */
	struct json_iter iter;
	bool has_page;
	struct buf cursor;
	struct buf mark;   /* an earlier cursor: see is_circle */
	size_t marked;     /* the page that named it */
	struct buf values; /* of the current item, back to back */
	size_t number;     /* of the page, from 1 */
	struct err err;
};

static void pages_locate(const struct selection *selection, struct err *err)
{
	const struct pages *pages = (const struct pages *)selection;

	err_wrap(err, "list of '%s', page %zu", selection->ns->name, pages->number);
}

static int fail(struct pages *pages, const char *what)
{
	err_set(&pages->err, ERR_SOURCE, "%s", what);
	pages_locate(&pages->selection, &pages->err);
	return -1;
}

/*
 * True when the cursor came before. One earlier cursor is kept, renewed at
 * pages 1, 2, 4, 8…: any circle is met by it (Brent, BIT 20, 1980), whatever
 * its length, and a list of any length needs no more memory.
 */
static bool is_circle(struct pages *pages, struct bytes cursor)
{
	if (pages->marked && bytes_equal(cursor, buf_bytes(&pages->mark)))
		return true;
	if (pages->number >= 2 * pages->marked) {
		pages->marked = pages->number;
		buf_clear(&pages->mark);
		buf_add(&pages->mark, cursor);
	}
	return false;
}

/* Takes the cursor of the next page out of this one. */
static int read_next(struct pages *pages)
{
	const struct ns_list *list = pages->selection.ns->list;
	struct bytes value;
	struct buf cursor = {0};

	pages->last = true;
	if (list->next.len == 0 ||
	    json_find(buf_bytes(&pages->page), list->next, &value) != 0 ||
	    json_type_of(value) == JSON_NULL)
		return 0;
	if (json_scalar_text(&cursor, value) != 0) {
		buf_release(&cursor);
		return fail(pages, "the next cursor is neither a string nor a number");
	}
	if (cursor.len && is_circle(pages, buf_bytes(&cursor))) {
		buf_release(&cursor);
		return fail(pages,
			    "its next page has been there before: the list would never end");
	}
	pages->last = cursor.len == 0;
	buf_release(&pages->cursor);
	pages->cursor = cursor;
	return 0;
}

static void on_page(void *ctx, const struct source_answer *answer)
{
	struct pages *pages = ctx;
	struct bytes items;

	pages->waiting = false;
	pages->number++;
	if (answer->status == SOURCE_FAILED) {
		pages->err = *answer->error;
		if (pages->err.kind == ERR_ITEM) /* for the list no other item goes on */
			pages->err.kind = ERR_SOURCE;
		pages_locate(&pages->selection, &pages->err);
		return;
	}
	if (answer->status == SOURCE_EMPTY) {
		fail(pages, "the source has no such list (404)");
		return;
	}
	buf_clear(&pages->page);
	buf_add(&pages->page, answer->value);
	if (json_find(buf_bytes(&pages->page), pages->selection.ns->list->step.body, &items) !=
		0 ||
	    json_type_of(items) != JSON_ARRAY || json_iter_init(&pages->iter, items) != 0) {
		fail(pages, "holds no array of items where 'items' points to");
		return;
	}
	pages->has_page = read_next(pages) == 0;
}

static int ask(struct pages *pages, struct err *err)
{
	struct var cursor = {BYTES("cursor"), buf_bytes(&pages->cursor)};

	if (request_prepare_step(&pages->request, &pages->selection.ns->list->step, &cursor, 1,
				 err) != 0)
		return -1;
	pages->request.steps[0].select =
	    (struct bytes){NULL, 0}; /* the cursor stands beside the items */
	pages->waiting = true;
	fetcher_submit(pages->fetcher, pages->request.steps, 1, on_page, pages);
	return 0;
}

/* Reads the vars of one item. */
static int read_item(struct pages *pages, struct bytes item, struct var *ret_vars,
		     size_t *ret_count, struct err *err)
{
	const struct ns_list *list = pages->selection.ns->list;
	size_t offsets[TEMPLATE_VARS_MAX + 1] = {0};

	buf_clear(&pages->values);
	for (size_t i = 0; i < list->var_count; i++) {
		struct bytes value;

		offsets[i] = pages->values.len;
		if (json_find(item, list->vars[i].pointer, &value) != 0 ||
		    json_scalar_text(&pages->values, value) != 0)
			return err_set(err, ERR_ITEM, "an item has no '%s' at '%.*s'",
				       list->vars[i].name, BYTES_ARG(list->vars[i].pointer));
	}
	offsets[list->var_count] = pages->values.len;
	for (size_t i = 0; i < list->var_count; i++) { /* the buffer has stopped moving */
		ret_vars[i].name = bytes_of(list->vars[i].name);
		ret_vars[i].value = bytes_sub(buf_bytes(&pages->values), offsets[i],
					      offsets[i + 1] - offsets[i]);
	}
	*ret_count = list->var_count;
	return 0;
}

static enum selection_status pages_next(struct selection *selection, struct var *ret_vars,
					size_t *ret_count, struct err *err)
{
	struct pages *pages = (struct pages *)selection;
	struct bytes name, item;

	if (err_is_set(&pages->err)) {
		*err = pages->err;
		return SELECTION_FAILED;
	}
	if (pages->waiting)
		return SELECTION_WAIT;
	if (pages->has_page && json_iter_next(&pages->iter, &name, &item) == 1) {
		if (read_item(pages, item, ret_vars, ret_count, err) == 0)
			return SELECTION_ITEM;
		pages_locate(selection, err);
		return SELECTION_BAD;
	}
	pages->has_page = false;
	if (pages->last)
		return SELECTION_END;
	return ask(pages, err) == 0 ? SELECTION_WAIT : SELECTION_FAILED;
}

static void pages_free(struct selection *selection)
{
	struct pages *pages = (struct pages *)selection;

	request_release(&pages->request);
	buf_release(&pages->page);
	buf_release(&pages->cursor);
	buf_release(&pages->mark);
	buf_release(&pages->values);
	free(pages);
}

int selection_from_list(const struct ns *ns, struct fetcher *fetcher,
			struct selection **ret_selection, struct err *err)
{
	if (template_var_count(ns->key) == 0) {
		*ret_selection = selection_from_vars(ns, NULL, 0);
		return 0;
	}
	if (!ns->list)
		return err_set(err, ERR_USAGE,
			       "namespace '%s' has no list of its ids; name them, or give a "
			       "file with --ids",
			       ns->name);
	struct pages *pages = mem_zalloc(1, sizeof *pages);
	pages->selection = (struct selection){
	    .ns = ns, .fd = -1, .next = pages_next, .locate = pages_locate, .free = pages_free};
	pages->fetcher = fetcher;
	*ret_selection = &pages->selection;
	return 0;
}
