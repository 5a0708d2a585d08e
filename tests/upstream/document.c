#include "document.h"

#include "base/buf.h"
#include "data.h"

#include <inttypes.h>

#define STAMP "2025-03-26T08:17:30Z"

static void add_id(struct buf *out, enum data_kind kind, size_t i)
{
	buf_add_char(out, '"');
	data_id(out, kind, i);
	buf_add_char(out, '"');
}

/* The first `most` things of a kind, comma separated. */
static void add_items(struct buf *out, enum data_kind kind, size_t most)
{
	for (size_t i = 0; i < most && i < data_count(kind); i++) {
		buf_add_str(out, i ? "," : "");
		data_item(out, kind, i);
	}
}

static void call_id(struct buf *out, size_t i, int call)
{
	buf_add_str(out, "\"call_");
	data_id(out, DATA_SUBACCOUNT, i);
	buf_printf(out, "%08x\"", call);
}

/* The first subaccount's are few, for who reads them on a screen. */
static int calls_of(size_t i)
{
	return 4 + (int)(i % 9);
}

/* 64-bit numbers and trailing zeros are there on purpose: who stores the received bytes keeps
 * them. */
static void logged_call(struct buf *out, size_t i, int call)
{
	buf_add_str(out, "{\"call_id\":");
	call_id(out, i, call);
	buf_printf(
	    out, ",\"agent_id\":\"agent_%04zu\",\"call_type\":\"%s\",\"call_status\":\"ended\"",
	    i % 9, call % 2 ? "web_call" : "phone_call");
	buf_printf(out, ",\"start_timestamp\":%d,\"duration_ms\":%d,\"cost\":%d.10",
		   1742976900 + call * 60, 30000 + call * 1500, call);
	buf_printf(out,
		   ",\"sequence\":%" PRIu64
		   ",\"transcript\":\"Agent: Hello. \\u2014 User: Hi, it's call %d.\"}",
		   UINT64_C(9007199254740993) + (uint64_t)call, call);
}

void document_call_logs(struct buf *out, size_t i)
{
	buf_add_str(
	    out,
	    "{\"success\":true,\"message\":\"Call logs retrieved successfully\",\"data\":[");
	for (int call = 0; call < calls_of(i); call++) {
		buf_add_str(out, call ? "," : "");
		logged_call(out, i, call);
	}
	buf_printf(
	    out, "],\"meta\":{\"operationId\":\"op_%zu\",\"duration\":\"231ms\",\"count\":%d}}",
	    i, calls_of(i));
}

void document_call_ids(struct buf *out, size_t i)
{
	const char *separator = "";

	buf_add_str(out, "{\"data\":[");
	for (int call = 0; call < calls_of(i); call++) {
		if (call % 4 == 3)
			continue;
		buf_add_str(out, separator);
		call_id(out, i, call);
		separator = ",";
	}
	buf_add_str(out, "]}");
}

void document_active_calls(struct buf *out, size_t i)
{
	size_t count = data_count(DATA_CALL) < 5 ? data_count(DATA_CALL) : 5;

	(void)i;
	buf_add_str(out, "{\"active_calls\":[");
	add_items(out, DATA_CALL, count);
	buf_printf(out, "],\"active_calls_count\":%zu,\"last_updated\":\"" STAMP "\"}", count);
}

void document_recent_calls(struct buf *out, size_t i)
{
	(void)i;
	buf_add_str(out, "{\"calls\":[");
	add_items(out, DATA_CALL, 20);
	buf_add_str(out, "]}");
}

void document_dashboard_summary(struct buf *out, size_t i)
{
	(void)i;
	buf_add_str(out,
		    "{\"summary\":{\"totalCalls\":1250,\"activeCalls\":5,\"completedCalls\":"
		    "1200,\"failedCalls\":45,"
		    "\"totalDuration\":98400,\"averageDuration\":82,\"successRate\":96.40},"
		    "\"period\":\"today\",\"last_updated\":\"" STAMP "\"}");
}

void document_duration_stats(struct buf *out, size_t i)
{
	(void)i;
	buf_add_str(
	    out, "{\"count\":1250,\"average\":82,\"median\":61,\"p90\":190,\"longest\":1804}");
}

void document_campaign_status(struct buf *out, size_t i)
{
	buf_printf(out,
		   "{\"activeCalls\":%zu,\"queuedCalls\":%zu,\"completedCalls\":%zu,"
		   "\"successRate\":94.20,"
		   "\"status\":\"%s\",\"last_updated\":\"" STAMP "\"}",
		   i % 7, i % 40, 50 + i % 300,
		   data_campaign_is_active(i) ? "active" : "paused");
}

void document_campaign_contacts(struct buf *out, size_t i)
{
	buf_add_str(out, "{\"campaignId\":");
	add_id(out, DATA_CAMPAIGN, i);
	buf_add_str(out, ",\"contacts\":[");
	for (size_t n = 0; n < 8; n++) {
		buf_printf(out, "%s{\"name\":\"Contact %zu\",\"phone\":\"", n ? "," : "",
			   n + 1);
		data_phone(out, i + n);
		buf_add_str(out, "\"}");
	}
	buf_add_str(out, "]}");
}

void document_sms_session(struct buf *out, size_t i)
{
	buf_add_str(out, "{\"leadId\":");
	add_id(out, DATA_LEAD, i);
	buf_printf(out,
		   ",\"messageCount\":%zu,\"history\":[{\"direction\":\"inbound\",\"body\":"
		   "\"Hi\",\"at\":\"" STAMP "\"}]}",
		   1 + i % 9);
}

void document_sms_automation(struct buf *out, size_t i)
{
	buf_add_str(out, "{\"leadId\":");
	add_id(out, DATA_LEAD, i);
	buf_add_str(out, ",\"lastTemplate\":\"follow_up\",\"lastSentAt\":\"" STAMP "\"}");
}

void document_dashboard_stats(struct buf *out, size_t i)
{
	buf_add_str(out, "{\"orgId\":");
	add_id(out, DATA_ORGANIZATION, i);
	buf_printf(out, ",\"totalLeads\":%zu,\"activeSessions\":%zu,\"conversionRate\":12.50}",
		   data_count(DATA_LEAD), i % 6);
}

void document_dashboard_leads(struct buf *out, size_t i)
{
	size_t organizations = data_count(DATA_ORGANIZATION);

	buf_add_str(out, "{\"orgId\":");
	add_id(out, DATA_ORGANIZATION, i);
	buf_add_str(out, ",\"leads\":[");
	for (size_t n = 0, lead = i; n < 10 && lead < data_count(DATA_LEAD);
	     n++, lead += organizations) {
		buf_add_str(out, n ? "," : "");
		data_item(out, DATA_LEAD, lead);
	}
	buf_add_str(out, "]}");
}

void document_lead_context(struct buf *out, size_t i)
{
	buf_add_str(out, "{\"lead\":");
	data_item(out, DATA_LEAD, i);
	buf_add_str(out, ",\"organization\":");
	data_item(out, DATA_ORGANIZATION, i % data_count(DATA_ORGANIZATION));
	buf_add_str(out, ",\"summary\":\"Asked about pricing.\"}");
}

void document_lead_session(struct buf *out, size_t i)
{
	data_item(out, DATA_SESSION, i);
}

void document_lead_greeting(struct buf *out, size_t i)
{
	buf_printf(out,
		   "{\"greeting\":\"Hello Lead No %zu, how can I help?\",\"language\":\"en\"}",
		   i + 1);
}

void document_turns(struct buf *out, size_t i, uint64_t limit)
{
	for (uint64_t n = 0; n < limit && n < 20; n++) {
		buf_printf(out, "%s{\"lead_id\":", n ? "," : "");
		add_id(out, DATA_LEAD, i);
		buf_printf(out,
			   ",\"sent_by\":\"%s\",\"content\":\"Message %" PRIu64
			   "\",\"created_at\":\"" STAMP "\"}",
			   n % 2 ? "agent" : "lead", n + 1);
	}
}
