#!/usr/bin/env bats
# System 3, session caching, by its document: call sessions, human takeovers that outlive a restart, SMS state,
# dashboards, and the same with Redis off.
load helpers
load verbs
load system

LEAD=618dace3-5eed-4000-8000-000000000000 # the API's first lead: a person has taken it over
ID='[^:]+'

setup() {
	sandbox
	export CALLCACHE_PROFILE=sessions
	start_system --items 12 --page 5
}

# --- key patterns, TTL settings ---

@test "sessions: every key pattern and TTL of the document" {
	local humans organizations
	humans=$(api_count /api/human-sessions)
	organizations=$(api_count /api/organizations)
	warmed $((5 * 12 + humans + 2 * organizations)) 1
	has call-session 12 "bici:sess:call:$ID" 120
	has call-session-by-lead 12 "bici:sess:call:lead:$ID" 120
	has call-session-by-conversation 12 "bici:sess:call:conv:$ID" 120
	has human-session "$humans" "bici:sess:human:$ID" 1800
	has human-sessions 1 'bici:sess:human:all' 1800
	has sms-session 12 "bici:sess:sms:$ID" 300
	has sms-automation 12 "bici:sms:auto:$ID" 600
	has dashboard-stats "$organizations" "bici:dashboard:stats:$ID" 30 10
	has dashboard-leads "$organizations" "bici:dashboard:leads:$ID" 60 10
	cc_run inspect --audit -o json
	assert_exit 0
}

# --- call sessions ---

@test "call sessions: cache first, the database behind; by session, by lead, by conversation" {
	local session conversation
	session=$(api_value /api/leads/$LEAD/call-session-id)
	conversation=$(curl -fsS "$UPSTREAM_URL/api/conversations?limit=1" | jq -r '.data[0].id')
	curl -fsS -X DELETE "$UPSTREAM_URL/_count"
	# a miss asks for the index and for the session, and stores both
	cc_run get call-session leadId=$LEAD --meta
	assert_exit 0
	assert_json '[.data.id, .meta.namespace, .meta.key, .meta.cacheHit]' "[\"$session\",\"call-session\",\"bici:sess:call:$session\",false]"
	assert_equal "$(upstream_count)" 2
	assert_equal "$(value_of bici:sess:call:lead:$LEAD)" "$session"
	# from then on the database is not asked, whichever way
	cc_run get call-session leadId=$LEAD --meta
	assert_json .meta.cacheHit true
	cc_run get call-session "$session" --meta
	assert_json .meta.cacheHit true
	assert_equal "$(upstream_count)" 2
	cc_run get call-session "conversationId=$conversation"
	assert_json .id "$session"
	assert_equal "$(upstream_count)" 3
	cc_run get call-session "conversationId=$conversation" --no-fetch
	assert_exit 0
	# no such lead, no such variable
	cc_run get call-session leadId=nobody
	assert_exit 3
	assert_stderr_line "'bici:sess:call:lead:nobody' is not cached and the source has nothing there"
	cc_run get call-session leadId=$LEAD orgId=1
	assert_exit 2
}

@test "call sessions: an index that leads to an ended session is asked of the database again" {
	set_data /api/call-sessions/S-new '{"id":"S-new"}'
	set_data /api/leads/L1/call-session-id S-new -H 'Content-Type: text/plain'
	rcli SET bici:sess:call:lead:L1 S-old EX 100 >/dev/null
	cc_run get call-session leadId=L1 --no-fetch
	assert_exit 1
	cc_run get call-session leadId=L1
	assert_exit 0
	assert_json .id S-new
	assert_equal "$(value_of bici:sess:call:lead:L1)" S-new
}

@test "call sessions: created and updated write session and both indexes; completed leaves 30 seconds" {
	local session='{"sessionId":"S1","leadId":"L1","conversationId":"C1","session":{"id":"S1","status":"active"}}'
	event session.created "$session"
	assert_json '[.steps[].outcome]' '["stored","stored","stored"]'
	assert_equal "$(keys_now | paste -sd' ')" 'bici:sess:call:S1 bici:sess:call:conv:C1 bici:sess:call:lead:L1'
	event session.updated '{"sessionId":"S1","leadId":"L1","conversationId":"C1","session":{"id":"S1","status":"talking"}}'
	for by in S1 leadId=L1 conversationId=C1; do
		cc_run get call-session "$by" --no-fetch
		assert_json .status talking
	done
	event session.completed '{"sessionId":"S1","leadId":"L1","conversationId":"C1"}'
	assert_json '[.steps[].outcome]' '["expiring","expiring","expiring"]'
	for key in S1 lead:L1 conv:C1; do
		ttl_at_most "bici:sess:call:$key" 30000
	done
	# it can still be found, and ends by itself
	cc_run get call-session leadId=L1 --no-fetch
	assert_exit 0
	# the lead has called again meanwhile: the new session's index is left alone
	event session.created '{"sessionId":"S2","leadId":"L1","session":{"id":"S2"}}'
	event session.completed '{"sessionId":"S1","leadId":"L1"}'
	assert_json '[.steps[].outcome]' '["same","foreign"]'
	(($(rcli PTTL bici:sess:call:lead:L1) > 30000))
}

# --- human control ---

members() { rcli SMEMBERS bici:sess:human:all | sort | paste -sd' '; }

@test "human control: the key first on start, the member first on end; what fails between is found" {
	event human.started '{"leadId":"L7","session":{"agent":"Ann"}}'
	assert_json '[.steps[] | [.action, .key]]' '[["set","bici:sess:human:L7"],["upsert","bici:sess:human:all"]]'
	assert_equal "$(members) $(value_of bici:sess:human:L7)" 'L7 {"agent":"Ann"}'
	event human.ended '{"leadId":"L7"}'
	assert_json '[.steps[] | [.action, .key]]' '[["remove","bici:sess:human:all"],["invalidate","bici:sess:human:L7"]]'
	assert_equal "$(keys_now)" ''
	# a start that comes half-way leaves a session that no list knows: found, no ghost
	rcli SET bici:sess:human:all 'not a set' EX 100 >/dev/null
	event human.started '{"leadId":"L8","session":{}}'
	assert_exit 3
	assert_equal "$(rcli EXISTS bici:sess:human:L8)" 1
	rcli DEL bici:sess:human:all >/dev/null
	cc_run inspect human-session --audit -o json
	assert_exit 1
	assert_json '[.findings[] | .code]' '["member-missing"]'
}

@test "human control: whoever stores or drops a session keeps the set in step" {
	cc_run warm human-session -o json
	assert_exit 0
	assert_adds_up
	local humans
	humans=$(jq .stored <<<"$output")
	assert_equal "$(rcli SCARD bici:sess:human:all)" "$humans"
	# renewed sessions renew the set; a lost member comes back
	rcli SREM bici:sess:human:all $LEAD >/dev/null
	rcli EXPIRE bici:sess:human:all 5 >/dev/null
	cc_run warm human-session $LEAD -o json
	assert_json .renewed 1
	assert_equal "$(rcli SISMEMBER bici:sess:human:all $LEAD)" 1
	(($(rcli TTL bici:sess:human:all) > 1700))
	# one read through, rows of a file
	set_data /api/human-sessions/L1 '{"agent":"Ann"}'
	cc_run get human-session L1
	assert_equal "$(rcli SISMEMBER bici:sess:human:all L1)" 1
	printf '%s\n' '{"vars":{"leadId":"L2"},"value":{"agent":"Bob"}}' >"$DIR/rows"
	cc_run warm human-session --from "$DIR/rows"
	assert_exit 0
	assert_equal "$(rcli SISMEMBER bici:sess:human:all L2)" 1
	# and out again: dropped, dropped because the database knows it no more, and back by undo
	cc_run invalidate human-session L1 --yes -q --backup "$DIR/undo"
	assert_equal "$(rcli SISMEMBER bici:sess:human:all L1)" 0
	cc_run invalidate --undo "$DIR/undo" --yes -q
	assert_equal "$(rcli SISMEMBER bici:sess:human:all L1)" 1
	cc_run warm human-session L2 --prune -o json
	assert_json '[.absent, .pruned]' '[1,1]'
	assert_equal "$(rcli EXISTS bici:sess:human:L2) $(rcli SISMEMBER bici:sess:human:all L2)" '0 0'
	cc_run inspect --audit
	assert_exit 0
	# the list itself has no source
	cc_run warm human-sessions
	assert_exit 2
	assert_stderr_line "'human-sessions' lists the keys of human-session: it is filled when those are"
	# a set that is none: told, and the numbers add up
	rcli SET bici:sess:human:all x EX 100 >/dev/null
	cc_run warm human-session $LEAD --if always -o json
	assert_exit 3
	assert_adds_up
	assert_stderr_line 'stored, but not listed in human-sessions'
	cc_run get human-session $LEAD --refresh
	assert_exit 0
	assert_stderr_line 'is not listed in human-sessions'
	cc_run warm human-session --from "$DIR/rows" -o json
	assert_exit 4
	assert_stderr_line 'human-sessions does not list what is stored'
}

@test "human control: after a restart the sessions are read back from the set, dangling ones reported and repaired" {
	rcli CONFIG SET appendonly yes >/dev/null
	local id
	for id in L1 L2 L3; do
		event human.started "{\"leadId\":\"$id\",\"session\":{\"lead\":\"$id\"}}"
	done
	stop_redis
	start_redis --appendonly yes
	rcli DEL bici:sess:human:L2 >/dev/null # its time came while all was down
	# what an application does as it starts
	cc_run inspect human-sessions -o json
	assert_json '[.items[].value] | sort' '["L1","L2","L3"]'
	for id in $(jq -r '.items[].value' <<<"$output"); do
		"$CCACHE" get human-session "$id" --no-fetch -q >>"$DIR/restored" || echo "$id" >>"$DIR/dangling"
	done
	assert_equal "$(jq -r .lead "$DIR/restored" | sort | paste -sd' ') / $(cat "$DIR/dangling")" 'L1 L3 / L2'
	cc_run inspect human-sessions --audit -o json
	assert_exit 1
	assert_json '[.findings[] | [.code, .count]]' '[["member-dangling",1]]'
	cc_run inspect human-sessions --audit --repair --yes -o json
	assert_json '[.repaired, .remaining]' '[1,0]'
	assert_equal "$(members)" 'L1 L3'
}

# --- SMS ---

@test "sms: state and automation are written by one event; the cooldown is what is left, in scripts too" {
	# nothing was sent: no cooldown, exit code 1
	cc_run repl -e 'ttl sms-automation L1' -o json
	assert_exit 1
	event sms.sent '{"leadId":"L1","session":{"messageCount":3,"history":["hi"]},"automation":{"lastTemplate":"follow_up"}}'
	assert_json '[.steps[].outcome]' '["stored","stored"]'
	cc_run repl -e 'ttl sms-automation L1' -o json
	assert_exit 0
	assert_json '[.exists, .ttl_ms > 500000, .ttl_ms <= 600000, .policy_ttl_ms]' '[true,true,true,600000]'
	cc_run inspect sms-automation L1 -o json
	assert_json '.ttl_ms > 500000' true
	# the same template is not sent again within it
	cc_run get sms-automation L1 --no-fetch
	assert_json .lastTemplate follow_up
	cc_run get sms-session L1 --no-fetch
	assert_json '[.messageCount, .history[0]]' '[3,"hi"]'
	# a message by hand: the state is kept, the cooldown runs on
	rcli PEXPIRE bici:sms:auto:L1 60000 >/dev/null
	event sms.sent '{"leadId":"L1","session":{"messageCount":4}}'
	assert_json '[.steps[].outcome]' '["stored"]'
	ttl_at_most bici:sms:auto:L1 60000
	# "ttl" outside the prompt says where it belongs
	for word in ttl use watch; do
		cc_run $word sms-automation L1
		assert_exit 2
		assert_stderr_line "'$word' belongs to the prompt: 'ccache repl', or ccache repl -e '$word …'"
	done
}

# --- dashboards ---

@test "dashboards: cached for seconds, dropped together for one organisation, by an event and by hand" {
	local first second
	read -r first second < <(curl -fsS "$UPSTREAM_URL/api/organizations?limit=2" | jq -r '[.data[].id] | @tsv')
	cc_run warm dashboard-stats
	cc_run warm dashboard-leads
	event lead.changed "{\"orgId\":\"$first\",\"leadId\":\"$LEAD\"}"
	assert_json '[.steps[].outcome]' '["removed","removed"]'
	assert_equal "$(keys_now | paste -sd' ')" "bici:dashboard:leads:$second bici:dashboard:stats:$second"
	# the admin's endpoint
	cc_run invalidate dashboard-stats "$second" --yes -q
	cc_run invalidate dashboard-leads "$second" --yes -q
	assert_equal "$(keys_now)" ''
	cc_run get dashboard-leads "$first" --meta
	assert_json '[.meta.cacheHit, (.data.leads | length > 0)]' '[false,true]'
}

# --- Redis off, Redis away ---

@test "sessions: REDIS_ENABLED=false answers the same, byte for byte and code for code" {
	local session org
	session=$(api_value /api/leads/$LEAD/call-session-id)
	org=$(curl -fsS "$UPSTREAM_URL/api/organizations?limit=1" | jq -r '.data[0].id')
	while read -r -a words; do
		same_without_redis get "${words[@]}"
	done <<-ROWS
		call-session $session
		call-session leadId=$LEAD
		call-session leadId=nobody
		call-session-by-lead $LEAD
		human-session $LEAD
		human-session nobody
		human-session all
		sms-session $LEAD
		sms-automation $LEAD
		dashboard-stats $org
		dashboard-leads $org
	ROWS
	rcli FLUSHALL >/dev/null
	export REDIS_ENABLED=false
	cc_run warm --all
	assert_exit 0
	assert_stderr_line 'REDIS_ENABLED=false: warm does nothing'
	event human.started '{"leadId":"L7","session":{}}'
	assert_exit 0
	cc_run invalidate dashboard-stats "$org" --yes
	assert_exit 0
	assert_equal "$(keys_now)" ''
	cc_run inspect
	assert_exit 4
}

@test "sessions: Redis goes away: the database answers; ping is the health endpoint" {
	cc_run ping -q
	assert_exit 0
	cc_run get call-session leadId=$LEAD
	local value=$output
	stop_redis
	cc_run ping -q
	assert_exit 4
	cc_run get call-session leadId=$LEAD
	assert_exit 0
	assert_equal "$output" "$value"
	assert_stderr_line 'the source answered'
}
