#include "data.h"

#include "base/buf.h"
#include "base/num.h"

#include <inttypes.h>
#include <stdint.h>
#include <time.h>

#define FIRST_PHONE 17786528784ull
#define FIRST_ORG_PHONE 16045550100ull
#define EPOCH 1742976900 /* 2025-03-26T08:15:00Z */

static size_t item_count = 1;

void data_init(size_t items)
{
	item_count = items;
}

size_t data_count(enum data_kind kind)
{
	if (kind == DATA_ORGANIZATION)
		return item_count / 10 + 1;
	if (kind == DATA_HUMAN)
		return (item_count + 4) / 5;
	return item_count;
}

/* splitmix64 */
static uint64_t mix(enum data_kind kind, size_t i)
{
	uint64_t x = ((uint64_t)kind << 56) + i + 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static unsigned pick(enum data_kind kind, size_t i, unsigned range)
{
	return (unsigned)(mix(kind, i) % range);
}

/* The number at an id's end is the thing's number plus this. */
static uint64_t id_base(enum data_kind kind)
{
	switch (kind) {
	case DATA_SUBACCOUNT:
		return 0x99439011; /* 507f1f77bcf86cd799439011, as in the documents */
	case DATA_ORGANIZATION:
		return 1; /* b0c1b1c1-0000-0000-0000-000000000001 */
	default:
		return 0;
	}
}

void data_id(struct buf *out, enum data_kind kind, size_t i)
{
	uint64_t number = id_base(kind) + i;

	switch (kind) {
	case DATA_SUBACCOUNT:
		buf_printf(out, "507f1f77bcf86cd7%08" PRIx64, number);
		break;
	case DATA_CAMPAIGN:
		buf_printf(out, "65a0c1b2d3e4f5a6%08" PRIx64, number);
		break;
	case DATA_CALL:
		buf_printf(out, "66b17c09e2d1c3f4%08" PRIx64, number);
		break;
	case DATA_ORGANIZATION:
		buf_printf(out, "b0c1b1c1-0000-0000-0000-%012" PRIx64, number);
		break;
	case DATA_HUMAN:
		data_id(out, DATA_LEAD, i * 5);
		break;
	default:
		buf_printf(out, "%08" PRIx32 "-5eed-4000-8000-%012" PRIx64,
			   (uint32_t)mix(kind, i), number);
	}
}

static bool parse_hex(struct bytes text, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
							: 16;

		if (digit == 16)
			return false;
		value = value << 4 | digit;
	}
	*ret_value = value;
	return true;
}

bool data_find(enum data_kind kind, struct bytes id, size_t *ret_i)
{
	struct buf again = {0};
	uint64_t number = 0;
	bool found = false;

	if (id.len < 8 || !parse_hex(bytes_sub(id, id.len - 8, 8), &number) ||
	    number < id_base(kind))
		return false;
	number -= id_base(kind);
	if (kind == DATA_HUMAN && number % 5)
		return false;
	if (kind == DATA_HUMAN)
		number /= 5;
	if (number < data_count(kind)) {
		data_id(&again, kind, number);
		found = bytes_equal(buf_bytes(&again), id);
	}
	buf_release(&again);
	if (found)
		*ret_i = number;
	return found;
}

bool data_campaign_is_active(size_t i)
{
	return i % 4 != 3;
}

void data_phone(struct buf *out, size_t i)
{
	buf_printf(out, "+%llu", FIRST_PHONE + i);
}

static bool find_phone(struct bytes phone, uint64_t first, size_t count, size_t *ret_i)
{
	uint64_t number = 0;

	if (bytes_starts_with(phone, BYTES("+")))
		phone = bytes_sub(phone, 1, phone.len);
	if (num_parse_u64(phone, first, first + count - 1, &number))
		return false;
	*ret_i = number - first;
	return true;
}

bool data_find_phone(struct bytes phone, size_t *ret_i)
{
	return find_phone(phone, FIRST_PHONE, data_count(DATA_LEAD), ret_i);
}

void data_organization_phone(struct buf *out, size_t i)
{
	buf_printf(out, "%s%llu", i % 2 ? "" : "+", FIRST_ORG_PHONE + i);
}

bool data_find_organization_phone(struct bytes phone, size_t *ret_i)
{
	size_t i = 0;

	if (!find_phone(phone, FIRST_ORG_PHONE, data_count(DATA_ORGANIZATION), &i))
		return false;
	if (bytes_starts_with(phone, BYTES("+")) == (i % 2 == 1))
		return false;
	*ret_i = i;
	return true;
}

static void add_id(struct buf *out, const char *name, enum data_kind kind, size_t i)
{
	buf_printf(out, ",\"%s\":\"", name);
	data_id(out, kind, i);
	buf_add_char(out, '"');
}

static void add_time(struct buf *out, const char *name, size_t minutes)
{
	time_t at = EPOCH + (time_t)minutes * 60;
	struct tm when;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &when));
	buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

static void add_phone(struct buf *out, const char *name, size_t i)
{
	buf_printf(out, ",\"%s\":\"", name);
	data_phone(out, i);
	buf_add_char(out, '"');
}

static void campaign(struct buf *out, size_t i)
{
	buf_printf(out, ",\"name\":\"Campaign %zu\",\"status\":\"%s\",\"contacts\":%u", i + 1,
		   data_campaign_is_active(i) ? "active" : "paused",
		   50 + pick(DATA_CAMPAIGN, i, 400));
	add_time(out, "createdAt", i * 60);
}

static void call(struct buf *out, size_t i)
{
	static const char *const statuses[] = {"completed", "in-progress", "failed",
					       "completed", "ringing"};

	buf_printf(out,
		   ",\"sid\":\"CA%016" PRIx64 "%016" PRIx64
		   "\",\"status\":\"%s\",\"direction\":\"%s\"",
		   mix(DATA_CALL, i), mix(DATA_CALL, i + 1), statuses[i % 5],
		   i % 3 ? "outbound" : "inbound");
	buf_printf(out, ",\"duration\":%u,\"price\":%u.%u0", pick(DATA_CALL, i, 600),
		   pick(DATA_CALL, i, 3), pick(DATA_CALL, i, 10));
	add_phone(out, "from", i);
	add_id(out, "campaignId", DATA_CAMPAIGN, i % item_count);
	add_time(out, "startTime", i);
	add_time(out, "updatedAt", i + 10);
}

static void message(struct buf *out, size_t i)
{
	add_id(out, "conversation_id", DATA_CONVERSATION, i);
	buf_printf(out, ",\"provider\":\"twilio\",\"provider_message_id\":\"SM%016" PRIx64 "\"",
		   mix(DATA_MESSAGE, i));
	buf_printf(out, ",\"direction\":\"%s\",\"status\":\"%s\",\"message_type\":\"sms\"",
		   i % 2 ? "outbound" : "inbound", i % 7 ? "delivered" : "sent");
	add_phone(out, "from_address", i);
	add_phone(out, "to_address", (i + 1) % item_count);
	buf_printf(out,
		   ",\"body\":\"Bonjour, \\u00e9l\\u00e8ve %zu \xe2\x80\x94 see you at "
		   "10:%02u\",\"attachments\":[]",
		   i, pick(DATA_MESSAGE, i, 60));
	add_time(out, "sent_at", i);
	add_time(out, "delivered_at", i + 1);
	add_time(out, "created_at", i);
	add_time(out, "updated_at", i + 1);
	buf_printf(out, ",\"meta_data\":{\"sequence\":%" PRIu64 "}",
		   UINT64_C(9007199254740993) + i);
}

static void conversation(struct buf *out, size_t i)
{
	add_phone(out, "participant_from", i);
	add_phone(out, "participant_to", (i + 1) % item_count);
	buf_printf(out,
		   ",\"channel_type\":\"sms\",\"status\":\"active\",\"message_count\":%u,"
		   "\"unread_count\":%u",
		   1 + pick(DATA_CONVERSATION, i, 40), pick(DATA_CONVERSATION, i, 5));
	buf_printf(out, ",\"title\":\"Conversation %zu\"", i + 1);
	add_time(out, "last_message_at", i + 3);
	add_time(out, "created_at", i);
	add_time(out, "updated_at", i + 3);
	buf_add_str(out, ",\"meta_data\":{}");
}

static void lead(struct buf *out, size_t i)
{
	add_phone(out, "phone", i);
	buf_printf(out, ",\"phone_normalized\":\"%llu\"", FIRST_PHONE + i);
	add_id(out, "organization_id", DATA_ORGANIZATION, i % data_count(DATA_ORGANIZATION));
	buf_printf(out,
		   ",\"first_name\":\"Lead\",\"last_name\":\"No "
		   "%zu\",\"email\":\"lead%zu@example.com\"",
		   i + 1, i + 1);
	buf_printf(out, ",\"status\":\"%s\",\"sentiment\":\"neutral\"",
		   i % 2 ? "qualified" : "new");
	add_time(out, "created_at", i);
	add_time(out, "updated_at", i + 5);
}

static void session(struct buf *out, size_t i)
{
	add_id(out, "leadId", DATA_LEAD, i);
	add_id(out, "conversationId", DATA_CONVERSATION, i);
	add_id(out, "organizationId", DATA_ORGANIZATION, i % data_count(DATA_ORGANIZATION));
	buf_printf(out, ",\"status\":\"active\",\"sessionType\":\"voice\",\"turns\":%u",
		   pick(DATA_SESSION, i, 20));
	add_time(out, "startedAt", i);
}

static void organization(struct buf *out, size_t i)
{
	buf_printf(out, ",\"name\":\"Organisation %zu\",\"phone\":\"", i + 1);
	data_organization_phone(out, i);
	buf_printf(out, "\",\"is_default\":%s,\"timezone\":\"America/Vancouver\"",
		   i == 0 ? "true" : "false");
}

static void human(struct buf *out, size_t i)
{
	add_id(out, "leadId", DATA_LEAD, i * 5);
	buf_printf(out, ",\"agentName\":\"Agent %zu\",\"queue\":[]", i + 1);
	add_time(out, "startedAt", i);
}

void data_item(struct buf *out, enum data_kind kind, size_t i)
{
	static void (*const fields[DATA_KINDS])(struct buf *, size_t) = {
	    [DATA_CAMPAIGN] = campaign,         [DATA_CALL] = call,   [DATA_MESSAGE] = message,
	    [DATA_CONVERSATION] = conversation, [DATA_LEAD] = lead,   [DATA_SESSION] = session,
	    [DATA_ORGANIZATION] = organization, [DATA_HUMAN] = human,
	};

	buf_add_str(out, "{\"id\":\"");
	data_id(out, kind, i);
	buf_add_char(out, '"');
	if (fields[kind])
		fields[kind](out, i);
	buf_add_char(out, '}');
}
