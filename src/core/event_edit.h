#ifndef CORE_EVENT_EDIT_H
#define CORE_EVENT_EDIT_H

#include "base/bytes.h"

#include <stdbool.h>

struct buf;
struct err;

/*
 * Changes to JSON text that touch only the bytes they must: numbers of any
 * length, key order, blanks and escapes elsewhere stay as they are. Documents
 * are checked here; patches must be well-formed already.
 */

/*
 * Appends doc with an RFC 7396 merge patch (an object) applied. A member that
 * is new goes behind the others; of duplicate names each is changed.
 * ERR_ITEM: doc is not JSON, or no object.
 */
int event_edit_merge(struct bytes doc, struct bytes patch, struct buf *buf, struct err *err);

/* One element of an array within a document. */
struct event_element {
	struct bytes array; /* pointer of the array in the document */
	struct bytes id_at; /* pointer of the id within an element */
	struct bytes id;    /* as text: 7 and "7" are the same */
};
enum event_edit {
	EVENT_EDIT_NONE, /* nothing to do: the element is not there (remove) */
	EVENT_EDIT_REPLACED,
	EVENT_EDIT_ADDED,
	EVENT_EDIT_REMOVED,
};
/*
 * Appends doc with the element replaced by item (the first with that id;
 * further ones go), or item added at the array's end or front. ERR_ITEM: doc
 * is not JSON, or there is no array.
 */
int event_edit_upsert(struct bytes doc, const struct event_element *element, struct bytes item,
		      bool first, struct buf *buf, enum event_edit *ret_edit, struct err *err);
/* Appends doc without the elements of that id. */
int event_edit_remove(struct bytes doc, const struct event_element *element, struct buf *buf,
		      enum event_edit *ret_edit, struct err *err);

#endif
