#ifndef CORE_SELECTION_H
#define CORE_SELECTION_H

#include "base/bytes.h"
#include "core/template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fetcher;
struct ns;
struct nsset;
struct redis;

/*
 * The vars to work on, one set at a time: from words, from lines of a file,
 * from the pages of the namespace's list, or the single empty set of a
 * namespace without vars. Memory is one page, whatever the number of ids.
 */
struct selection;

/*
 * words: for a template with one var every word is an item; with several, each
 * group of as many words is, or one group of name=value words. No words: the
 * empty set of a namespace without vars. Borrowed.
 */
int selection_from_words(const struct ns *ns, const struct bytes *words, size_t count,
			 struct selection **ret_selection, struct err *err);
/*
 * Lines of a file ("-": standard input): vars separated by tabs in template
 * order, or a JSON object {"name": value}. Blank lines and lines that start
 * with '#' are skipped.
 */
int selection_from_file(const struct ns *ns, const char *path, struct selection **ret_selection,
			struct err *err);
/* The namespace's own list, or the empty set when its key has no vars. ERR_USAGE when it has
 * neither. */
int selection_from_list(const struct ns *ns, struct fetcher *fetcher,
			struct selection **ret_selection, struct err *err);
/* One item with these vars (borrowed); the others of the namespace's vars must have defaults.
 */
struct selection *selection_from_vars(const struct ns *ns, const struct var *vars,
				      size_t count);
/* What is cached already: the vars read back from the namespace's keys, page by page. Borrows
 * redis. */
int selection_from_cache(const struct nsset *set, const struct ns *ns, struct redis *redis,
			 struct selection **ret_selection, struct err *err);
void selection_free(struct selection *selection);

enum selection_status {
	SELECTION_ITEM, /* ret_vars and *ret_count are filled, valid until the next call */
	SELECTION_WAIT, /* a page or a line is still to come: turn the fetcher, then ask again
			 */
	SELECTION_BAD,  /* this item cannot be used (err says which and why); ask on */
	SELECTION_END,
	SELECTION_FAILED, /* no more will come: a page could not be had, the file cannot be read
			   */
};
/* ret_vars has room for TEMPLATE_VARS_MAX. */
enum selection_status selection_next(struct selection *selection, struct var *ret_vars,
				     size_t *ret_count, struct err *err);
/* Puts where the last item came from (file and line, page of the list) in front of err. */
void selection_locate(const struct selection *selection, struct err *err);
/* What becomes readable when a line is to come, -1: the fetcher's turns bring the items. */
int selection_fd(const struct selection *selection);
/* True when the user named the items (words, file): an absent one is then a failure. */
bool selection_is_explicit(const struct selection *selection);
/* How many items there will be, 0: unknown. */
uint64_t selection_total(const struct selection *selection);
/* How much of a file was given out, 0..1; 0: unknown. */
double selection_share(const struct selection *selection);

#endif
