#ifndef UPSTREAM_DOCUMENT_H
#define UPSTREAM_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* The systems' compound documents, as JSON. i is the number of the thing they are about (0
 * where there is only one). */

/* Four to twelve calls of subaccount i in the voice API's envelope; the database (call_ids)
 * does not know every fourth. */
void document_call_logs(struct buf *out, size_t i);
void document_call_ids(struct buf *out, size_t i);

void document_active_calls(struct buf *out, size_t i);
void document_recent_calls(struct buf *out, size_t i);
void document_dashboard_summary(struct buf *out, size_t i);
void document_duration_stats(struct buf *out, size_t i);
void document_campaign_status(struct buf *out, size_t i);
void document_campaign_contacts(struct buf *out, size_t i);

void document_sms_session(struct buf *out, size_t i);
void document_sms_automation(struct buf *out, size_t i);
void document_dashboard_stats(struct buf *out, size_t i);
void document_dashboard_leads(struct buf *out, size_t i);

void document_lead_context(struct buf *out, size_t i);
void document_lead_session(struct buf *out, size_t i);
void document_lead_greeting(struct buf *out, size_t i);
/* limit conversation rows of lead i, without the brackets. */
void document_turns(struct buf *out, size_t i, uint64_t limit);

#endif
