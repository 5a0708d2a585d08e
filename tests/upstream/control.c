#include "control.h"

#include "answer.h"
#include "base/num.h"
#include "fault.h"
#include "later.h"
#include "ledger.h"

#include <stdio.h>
#include <string.h>

bool control_is(const char *target)
{
	return strncmp(target, "/_", 2) == 0;
}

static struct bytes argument(struct MHD_Connection *connection, const char *name)
{
	return bytes_of(MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name));
}

static struct bytes header(struct MHD_Connection *connection, const char *name)
{
	return bytes_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

/* Fills in the number when it is given; false when it is none. */
static bool read_number(struct bytes text, uint64_t max, uint64_t *ret_value)
{
	return text.len == 0 || num_parse_u64(text, 0, max, ret_value) == 0;
}

static void copy(char *to, size_t size, struct bytes text, const char *otherwise)
{
	snprintf(to, size, "%.*s", text.len ? (int)text.len : (int)strlen(otherwise),
		 text.len ? text.ptr : otherwise);
}

static unsigned replace(struct MHD_Connection *connection, const char *target,
			struct bytes body)
{
	struct ledger_answer answer = {.body = body};
	uint64_t status = MHD_HTTP_OK;

	if (!read_number(header(connection, "X-Status"), 599, &status) || status < 200)
		return MHD_HTTP_BAD_REQUEST;
	answer.status = (unsigned)status;
	copy(answer.content_type, sizeof(answer.content_type),
	     header(connection, MHD_HTTP_HEADER_CONTENT_TYPE), "application/json");
	copy(answer.content_encoding, sizeof(answer.content_encoding),
	     header(connection, MHD_HTTP_HEADER_CONTENT_ENCODING), "");
	ledger_replace(target, &answer);
	return MHD_HTTP_OK;
}

/* A redirect's and a status' value is what is sent; other kinds have a usual one. */
static uint64_t usual_value(enum fault_kind kind)
{
	switch (kind) {
	case FAULT_STATUS:
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	case FAULT_REDIRECT:
		return MHD_HTTP_FOUND;
	case FAULT_HUGE:
		return 64u << 20;
	default:
		return 50;
	}
}

static unsigned add_fault(struct MHD_Connection *connection)
{
	struct bytes kind = argument(connection, "kind");
	struct bytes path = argument(connection, "path");
	struct bytes url = argument(connection, "url");
	struct fault fault = {.kind = kind.len ? fault_kind_of(kind.ptr) : FAULT_NONE};
	uint64_t retry_after = UINT64_MAX;
	uint64_t count = 0;

	fault.value = usual_value(fault.kind);
	if (fault.kind == FAULT_NONE || (fault.kind == FAULT_REDIRECT) != (url.len > 0))
		return MHD_HTTP_BAD_REQUEST;
	if (!read_number(argument(connection, "value"), UINT32_MAX, &fault.value) ||
	    !read_number(argument(connection, "count"), UINT32_MAX, &count) ||
	    !read_number(argument(connection, "retry_after"), UINT32_MAX, &retry_after))
		return MHD_HTTP_BAD_REQUEST;
	if (fault.kind == FAULT_STATUS && (fault.value < 200 || fault.value > 599))
		return MHD_HTTP_BAD_REQUEST;
	fault.retry_after = retry_after == UINT64_MAX ? -1 : (int64_t)retry_after;
	copy(fault.url, sizeof(fault.url), url, "");
	fault_add(path.len ? path.ptr : "/", &fault, count);
	return MHD_HTTP_OK;
}

static unsigned ask(const char *target, struct buf *out)
{
	if (strcmp(target, "/_count") == 0)
		ledger_counts(out);
	else if (strcmp(target, "/_last") == 0)
		ledger_last(out);
	else
		return MHD_HTTP_NOT_FOUND;
	return MHD_HTTP_OK;
}

static unsigned drop(const char *target)
{
	if (strncmp(target, "/_data/", 7) == 0)
		return ledger_restore(target + 6) ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND;
	if (strcmp(target, "/_fault") == 0) {
		fault_clear();
		later_release();
	} else if (strcmp(target, "/_count") == 0) {
		ledger_forget();
	} else {
		return MHD_HTTP_NOT_FOUND;
	}
	return MHD_HTTP_OK;
}

/* Newer clients leave out the question mark of an empty query. */
static bool is_fault(const char *target)
{
	return strncmp(target, "/_fault", 7) == 0 && (target[7] == '\0' || target[7] == '?');
}

void control_answer(struct MHD_Connection *connection, const char *method, const char *target,
		    struct bytes body, struct answer *ret_answer)
{
	unsigned status = MHD_HTTP_NOT_FOUND;

	*ret_answer =
	    (struct answer){.content_type = "application/json", .cache_control = "no-store"};
	if (strcmp(method, "GET") == 0)
		status = ask(target, &ret_answer->body);
	else if (strcmp(method, "PUT") == 0 && strncmp(target, "/_data/", 7) == 0)
		status = replace(connection, target + 6, body);
	else if (strcmp(method, "POST") == 0 && is_fault(target))
		status = add_fault(connection);
	else if (strcmp(method, "DELETE") == 0)
		status = drop(target);
	ret_answer->status = status;
	if (ret_answer->body.len == 0)
		buf_printf(&ret_answer->body, "{\"status\":%u}", status);
	buf_add_char(&ret_answer->body, '\n');
}
