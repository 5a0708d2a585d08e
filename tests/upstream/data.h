#ifndef UPSTREAM_DATA_H
#define UPSTREAM_DATA_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * The five systems' data, generated: thing number i of a kind is always the
 * same, so the server holds nothing. Lead, conversation and session i belong
 * together; lead i belongs to organisation i modulo their count.
 */
enum data_kind {
	DATA_SUBACCOUNT,
	DATA_CAMPAIGN,
	DATA_CALL,
	DATA_MESSAGE,
	DATA_CONVERSATION,
	DATA_LEAD,
	DATA_SESSION,
	DATA_ORGANIZATION,
	DATA_HUMAN, /* every fifth lead; its id is the lead's */
	DATA_KINDS
};

/* Once, before anything else: how many things of each kind (organisations and humans are
 * fewer). */
void data_init(size_t items);
size_t data_count(enum data_kind kind);
void data_id(struct buf *out, enum data_kind kind, size_t i);
/* Which thing an id names; false when it names none. */
bool data_find(enum data_kind kind, struct bytes id, size_t *ret_i);
/* The thing as JSON. */
void data_item(struct buf *out, enum data_kind kind, size_t i);
bool data_campaign_is_active(size_t i);

/* Lead i's phone, "+17786528784" onwards, and back (with or without the plus sign). */
void data_phone(struct buf *out, size_t i);
bool data_find_phone(struct bytes phone, size_t *ret_i);
/*
 * An organisation's phone. Even ones are on record as "+1604555…", odd ones
 * as "1604555…": those are found by their normalised form only.
 */
void data_organization_phone(struct buf *out, size_t i);
bool data_find_organization_phone(struct bytes phone, size_t *ret_i);

#endif
