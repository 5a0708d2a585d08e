#include "route.h"

#include "base/num.h"
#include "data.h"
#include "document.h"

#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>

/* One request on its way through a route. */
struct ask {
	struct MHD_Connection *connection;
	const struct route *route;
	size_t page_size;
	size_t i; /* the thing that the path names */
	enum data_kind kind;
};

/* Writes the body and returns the status. */
typedef unsigned route_fn(const struct ask *ask, struct buf *body);
typedef void document_fn(struct buf *body, size_t i);

#define TEXT "text/plain"
#define SECONDS(n) "public, max-age=" #n

/* '*' stands for one segment that names a thing of the kind. */
struct route {
	const char *path;
	enum data_kind kind;
	route_fn *fn;
	document_fn *document; /* for those fn that write one */
	const char *cache_control;
	const char *content_type; /* NULL: JSON */
};

static struct bytes argument(const struct ask *ask, const char *name)
{
	return bytes_of(
	    MHD_lookup_connection_value(ask->connection, MHD_GET_ARGUMENT_KIND, name));
}

/* PostgREST's filters: phone=eq.17786528784 */
static struct bytes filter(const struct ask *ask, const char *name)
{
	struct bytes value = argument(ask, name);

	return bytes_starts_with(value, BYTES("eq.")) ? bytes_sub(value, 3, value.len)
						      : (struct bytes){0};
}

static unsigned item(const struct ask *ask, struct buf *body)
{
	data_item(body, ask->kind, ask->i);
	return MHD_HTTP_OK;
}

/*
 * Cursors read "from:10+": opaque to clients, and the plus sign comes back
 * right only from one that percent-encodes it.
 */
static bool read_cursor(struct bytes cursor, size_t count, size_t *ret_from)
{
	uint64_t from = 0;

	if (cursor.len == 0) {
		*ret_from = 0;
		return true;
	}
	if (cursor.len < 7 || !bytes_starts_with(cursor, BYTES("from:")) ||
	    cursor.ptr[cursor.len - 1] != '+')
		return false;
	if (num_parse_u64(bytes_sub(cursor, 5, cursor.len - 6), 0, count, &from))
		return false;
	*ret_from = from;
	return true;
}

typedef void item_fn(struct buf *out, enum data_kind kind, size_t i);

static unsigned page(const struct ask *ask, struct buf *body, size_t count, item_fn *write,
		     bool active_only)
{
	struct bytes limit = argument(ask, "limit");
	uint64_t size = ask->page_size;
	size_t from = 0;
	size_t written = 0;

	if (limit.len && num_parse_u64(limit, 1, 100000, &size))
		return MHD_HTTP_BAD_REQUEST;
	if (!read_cursor(argument(ask, "after"), count, &from))
		return MHD_HTTP_BAD_REQUEST;
	buf_add_str(body, "{\"data\":[");
	for (; from < count && written < size; from++) {
		if (active_only && !data_campaign_is_active(from))
			continue;
		buf_add_str(body, written++ ? "," : "");
		write(body, ask->kind, from);
	}
	if (from < count)
		buf_printf(body, "],\"next\":\"from:%zu+\"}", from);
	else
		buf_add_str(body, "],\"next\":null}");
	return MHD_HTTP_OK;
}

static unsigned list(const struct ask *ask, struct buf *body)
{
	bool active_only =
	    ask->kind == DATA_CAMPAIGN && bytes_equal_str(argument(ask, "status"), "active");

	return page(ask, body, data_count(ask->kind), data_item, active_only);
}

/* An organisation's phone as a caller dials it; the last one belongs to nobody: the default
 * organisation. */
static void phone_item(struct buf *out, enum data_kind kind, size_t i)
{
	(void)kind;
	buf_add_str(out, "{\"phone\":\"");
	if (i == data_count(DATA_ORGANIZATION))
		buf_add_str(out, "+16045559999");
	else if (i % 2)
		buf_add_char(out, '+'), data_organization_phone(out, i);
	else
		data_organization_phone(out, i);
	buf_add_str(out, "\"}");
}

static unsigned phones(const struct ask *ask, struct buf *body)
{
	return page(ask, body, data_count(DATA_ORGANIZATION) + 1, phone_item, false);
}

static void window_item(struct buf *out, enum data_kind kind, size_t i)
{
	buf_add_str(out, "{\"lead_id\":\"");
	data_id(out, kind, i);
	buf_printf(out, "\",\"limit\":%d}", i % 2 ? 5 : 10);
}

static unsigned windows(const struct ask *ask, struct buf *body)
{
	return page(ask, body, data_count(ask->kind), window_item, false);
}

/* PostgREST answers a filter with an array, empty when nothing matches. */
static unsigned rows(struct buf *body, enum data_kind kind, bool found, size_t i)
{
	buf_add_char(body, '[');
	if (found)
		data_item(body, kind, i);
	buf_add_char(body, ']');
	return MHD_HTTP_OK;
}

static unsigned lead_rows(const struct ask *ask, struct buf *body)
{
	size_t lead = 0;
	size_t organization = 0;
	bool found =
	    data_find_phone(filter(ask, "phone"), &lead) &&
	    data_find(DATA_ORGANIZATION, filter(ask, "organization_id"), &organization) &&
	    lead % data_count(DATA_ORGANIZATION) == organization;

	return rows(body, DATA_LEAD, found, lead);
}

static unsigned organization_rows(const struct ask *ask, struct buf *body)
{
	size_t i = 0;
	bool found = bytes_equal_str(filter(ask, "is_default"), "true") ||
		     data_find_organization_phone(filter(ask, "phone"), &i);

	return rows(body, DATA_ORGANIZATION, found, i);
}

static unsigned conversation_rows(const struct ask *ask, struct buf *body)
{
	uint64_t limit = 10;
	size_t lead = 0;

	if (argument(ask, "limit").len &&
	    num_parse_u64(argument(ask, "limit"), 1, 1000, &limit))
		return MHD_HTTP_BAD_REQUEST;
	buf_add_char(body, '[');
	if (data_find(DATA_LEAD, filter(ask, "lead_id"), &lead))
		document_turns(body, lead, limit);
	buf_add_char(body, ']');
	return MHD_HTTP_OK;
}

static unsigned document(const struct ask *ask, struct buf *body)
{
	ask->route->document(body, ask->i);
	return MHD_HTTP_OK;
}

/* A remote procedure about a lead: null for a lead that is not there. */
static unsigned about_lead(const struct ask *ask, struct buf *body)
{
	size_t lead = 0;

	if (data_find(DATA_LEAD, argument(ask, "lead_id"), &lead))
		ask->route->document(body, lead);
	else
		buf_add_str(body, "null");
	return MHD_HTTP_OK;
}

static unsigned session_id(const struct ask *ask, struct buf *body)
{
	data_id(body, DATA_SESSION, ask->i);
	return MHD_HTTP_OK;
}

/* The paths of src/profiles. */
static const struct route routes[] = {
    {"/api/subaccounts", DATA_SUBACCOUNT, list, NULL, NULL, NULL},
    {"/api/subaccounts/*/call-ids", DATA_SUBACCOUNT, document, document_call_ids, NULL, NULL},
    {"/api/calls/*/logs", DATA_SUBACCOUNT, document, document_call_logs, SECONDS(300), NULL},
    {"/api/active-calls", DATA_CALL, document, document_active_calls, SECONDS(15), NULL},
    {"/api/recent-calls", DATA_CALL, document, document_recent_calls, SECONDS(60), NULL},
    {"/api/dashboard/summary", DATA_CALL, document, document_dashboard_summary, SECONDS(60),
     NULL},
    {"/api/stats/call-duration", DATA_CALL, document, document_duration_stats, SECONDS(300),
     NULL},
    {"/api/campaigns", DATA_CAMPAIGN, list, NULL, SECONDS(30), NULL},
    {"/api/campaigns/*", DATA_CAMPAIGN, item, NULL, SECONDS(30), NULL},
    {"/api/campaigns/*/status", DATA_CAMPAIGN, document, document_campaign_status, SECONDS(30),
     NULL},
    {"/api/campaigns/*/contacts", DATA_CAMPAIGN, document, document_campaign_contacts,
     SECONDS(300), NULL},
    {"/api/calls", DATA_CALL, list, NULL, SECONDS(30), NULL},
    {"/api/calls/*", DATA_CALL, item, NULL, SECONDS(300), NULL},
    {"/api/call-sessions", DATA_SESSION, list, NULL, NULL, NULL},
    {"/api/call-sessions/*", DATA_SESSION, item, NULL, NULL, NULL},
    {"/api/leads", DATA_LEAD, list, NULL, NULL, NULL},
    {"/api/leads/*/call-session-id", DATA_LEAD, session_id, NULL, NULL, TEXT},
    {"/api/leads/*/sms-session", DATA_LEAD, document, document_sms_session, NULL, NULL},
    {"/api/leads/*/sms-automation", DATA_LEAD, document, document_sms_automation, NULL, NULL},
    {"/api/conversations", DATA_CONVERSATION, list, NULL, NULL, NULL},
    {"/api/conversations/*", DATA_CONVERSATION, item, NULL, NULL, NULL},
    {"/api/conversations/*/call-session-id", DATA_CONVERSATION, session_id, NULL, NULL, TEXT},
    {"/api/human-sessions", DATA_HUMAN, list, NULL, NULL, NULL},
    {"/api/human-sessions/*", DATA_HUMAN, item, NULL, NULL, NULL},
    {"/api/organizations", DATA_ORGANIZATION, list, NULL, NULL, NULL},
    {"/api/organizations/*/dashboard/stats", DATA_ORGANIZATION, document,
     document_dashboard_stats, SECONDS(30), NULL},
    {"/api/organizations/*/dashboard/leads", DATA_ORGANIZATION, document,
     document_dashboard_leads, SECONDS(60), NULL},
    {"/api/messages", DATA_MESSAGE, list, NULL, NULL, NULL},
    {"/api/messages/*", DATA_MESSAGE, item, NULL, NULL, NULL},
    {"/leads", DATA_LEAD, lead_rows, NULL, NULL, NULL},
    {"/organizations", DATA_ORGANIZATION, organization_rows, NULL, NULL, NULL},
    {"/conversations", DATA_CONVERSATION, conversation_rows, NULL, NULL, NULL},
    {"/rpc/leads_page", DATA_LEAD, list, NULL, NULL, NULL},
    {"/rpc/phones_page", DATA_ORGANIZATION, phones, NULL, NULL, NULL},
    {"/rpc/conversation_windows_page", DATA_LEAD, windows, NULL, NULL, NULL},
    {"/rpc/lead_context", DATA_LEAD, about_lead, document_lead_context, NULL, NULL},
    {"/rpc/lead_session", DATA_LEAD, about_lead, document_lead_session, NULL, NULL},
    {"/rpc/lead_greeting", DATA_LEAD, about_lead, document_lead_greeting, NULL, NULL},
};

/* True when path fits the pattern; *ret_name is the segment under '*', if there is one. */
static bool path_fits(const char *pattern, struct bytes path, struct bytes *ret_name)
{
	size_t at = 0;

	for (; *pattern; pattern++) {
		if (*pattern == '*') {
			*ret_name = bytes_sub(path, at,
					      bytes_index(bytes_sub(path, at, path.len), '/'));
			at += ret_name->len;
		} else if (at < path.len && path.ptr[at] == *pattern) {
			at++;
		} else {
			return false;
		}
	}
	return at == path.len;
}

static unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

void route_decode(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned high =
		    i + 2 < text.len && text.ptr[i] == '%' ? hex_digit(text.ptr[i + 1]) : 16;
		unsigned low = high < 16 ? hex_digit(text.ptr[i + 2]) : 16;

		if (low < 16) {
			buf_add_char(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_add_char(out, text.ptr[i]);
		}
	}
}

static const struct route *route_find(struct bytes path, size_t *ret_i)
{
	const struct route *found = NULL;
	struct buf id = {0};

	for (size_t r = 0; r < sizeof(routes) / sizeof(routes[0]) && !found; r++) {
		struct bytes name = {0};

		if (!path_fits(routes[r].path, path, &name))
			continue;
		buf_clear(&id);
		route_decode(&id, name);
		if (!name.ptr || data_find(routes[r].kind, buf_bytes(&id), ret_i))
			found = &routes[r];
	}
	buf_release(&id);
	return found;
}

static const char *reason(unsigned status)
{
	return status == MHD_HTTP_NOT_FOUND ? "not found" : "bad request";
}

void route_answer(struct MHD_Connection *connection, const char *target, size_t page_size,
		  struct route_answer *ret_answer)
{
	struct bytes path = bytes_of(target);
	struct ask ask = {.connection = connection, .page_size = page_size};
	const struct route *route =
	    route_find(bytes_sub(path, 0, bytes_index(path, '?')), &ask.i);

	*ret_answer = (struct route_answer){.status = MHD_HTTP_NOT_FOUND,
					    .content_type = "application/json"};
	if (route) {
		ask.route = route;
		ask.kind = route->kind;
		ret_answer->status = route->fn(&ask, &ret_answer->body);
	}
	if (ret_answer->status != MHD_HTTP_OK) {
		buf_clear(&ret_answer->body);
		buf_printf(&ret_answer->body, "{\"error\":\"%s\"}", reason(ret_answer->status));
		return;
	}
	ret_answer->cache_control = route->cache_control;
	if (route->content_type)
		ret_answer->content_type = route->content_type;
}
