#ifndef TESTS_UNIT_SYSTEMS_H
#define TESTS_UNIT_SYSTEMS_H

/* The keys of the five systems, one example each. */
static const struct system_row {
	const char *name;
	const char *key;
	const char *vars; /* "name=value name=value" that give the example */
	const char *example;
} system_rows[] = {
    {"call-logs", "call:logs:{subaccountId}", "subaccountId=507f1f77bcf86cd799439011",
     "call:logs:507f1f77bcf86cd799439011"},
    {"active-calls", "active_calls", "", "active_calls"},
    {"dashboard-summary", "dashboard_summary", "", "dashboard_summary"},
    {"recent-calls", "recent_calls", "", "recent_calls"},
    {"campaign", "campaign_{campaignId}", "campaignId=123456", "campaign_123456"},
    {"campaign-contacts", "campaign_{campaignId}_contacts", "campaignId=123456",
     "campaign_123456_contacts"},
    {"campaign-shard", "campaign:shard{campaignId|js_hex_mod(10)}:{campaignId}",
     "campaignId=507f1f77bcf86cd799439011", "campaign:shard6:507f1f77bcf86cd799439011"},
    {"call", "call:{callId}", "callId=CA123456789", "call:CA123456789"},
    {"call-duration-stats", "call_duration_stats", "", "call_duration_stats"},
    {"analytics-daily", "analytics:daily:{date}", "date=2025-03-26",
     "analytics:daily:2025-03-26"},
    {"api-response", "api:{path|rest}", "path=calls/recent:1", "api:calls/recent:1"},
    {"call-session", "bici:sess:call:{sessionId}", "sessionId=s-1", "bici:sess:call:s-1"},
    {"call-session-by-lead", "bici:sess:call:lead:{leadId}", "leadId=l-1",
     "bici:sess:call:lead:l-1"},
    {"call-session-by-conversation", "bici:sess:call:conv:{conversationId}",
     "conversationId=c-1", "bici:sess:call:conv:c-1"},
    {"human-session", "bici:sess:human:{leadId}", "leadId=l-1", "bici:sess:human:l-1"},
    {"human-sessions", "bici:sess:human:all", "", "bici:sess:human:all"},
    {"sms-session", "bici:sess:sms:{leadId}", "leadId=l-1", "bici:sess:sms:l-1"},
    {"sms-automation", "bici:sms:auto:{leadId}", "leadId=l-1", "bici:sms:auto:l-1"},
    {"dashboard-stats", "bici:dashboard:stats:{orgId}", "orgId=o-1",
     "bici:dashboard:stats:o-1"},
    {"dashboard-leads", "bici:dashboard:leads:{orgId}", "orgId=o-1",
     "bici:dashboard:leads:o-1"},
    {"message", "message:{message_id}", "message_id=m-1", "message:m-1"},
    {"conversation", "conversation:{conversation_id}", "conversation_id=c-1",
     "conversation:c-1"},
    {"lead", "{phone|digits}:{organizationId}",
     "phone=+1(778)652-8784 organizationId=b0c1b1c1-0000-0000-0000-000000000001",
     "17786528784:b0c1b1c1-0000-0000-0000-000000000001"},
    {"org-by-phone", "bici:org:{phone}", "phone=+17786528784", "bici:org:+17786528784"},
    {"lead-context", "bici:ctx:{leadId}", "leadId=l-1", "bici:ctx:l-1"},
    {"lead-conversations", "bici:conv:{leadId}:{limit}", "leadId=l-1 limit=10",
     "bici:conv:l-1:10"},
    {"lead-session", "bici:sess:{leadId}", "leadId=l-1", "bici:sess:l-1"},
    {"lead-greeting", "bici:greet:{leadId}", "leadId=l-1", "bici:greet:l-1"},
};
#define SYSTEM_ROWS (sizeof system_rows / sizeof *system_rows)

#endif
