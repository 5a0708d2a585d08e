# ccache invalidate --event: what the five systems declare for their events, executed; what is refused.
load helpers
load verbs

LEAD='{"leadId":"L1","phone":"+1 (778) 652-8784","organizationId":"b0c1b1c1-0000-0000-0000-000000000001"}'

setup() {
	sandbox
	on_redis
}

# event NAME DATA [options]: JSON on stdout; in every answer the steps add up.
event() {
	local name=$1 data=$2
	shift 2
	cc_run invalidate -o json --event "$name" --data "$data" "$@"
	[[ $status != [03] || $* == *--explain* || $* == *--dry-run* ]] ||
		assert_json '.keys == ([.steps[].keys] | add // 0) and .failed == ([.steps[] | select(.outcome == "failed")] | length)' true
}

# own_config MEMBERS: namespaces and events of a test's own.
own_config() {
	printf '{ %s }' "$1" >"$DIR/config.json"
	export CALLCACHE_CONFIG=$DIR/config.json
}

DOC='"doc": { "key": "doc:{id}", "ttl": "5m" }'
LIST='"list": { "key": "list:{id}", "ttl": "5m" }'

outcomes() { assert_json '[.steps[] | .outcome] | join(" ")' "$1"; }
ttl_within() { # KEY MIN MAX, milliseconds
	local ttl
	ttl=$(rcli PTTL "$1")
	((ttl >= $2 && ttl <= $3)) || fail "PTTL $1 is $ttl, not within $2..$3"
}

# --- the five systems ---

@test "call-logs: its four events drop the list of that subaccount and of no other" {
	local name
	for name in web-call.created phone-call.created call.updated call.deleted; do
		rcli MSET call:logs:507f1f77bcf86cd799439011 1 call:logs:507f1f77bcf86cd799439012 2 'cc:m:{call:logs:507f1f77bcf86cd799439011}34:call:logs:507f1f77bcf86cd799439011' s >/dev/null
		event "$name" '{"subaccountId":"507f1f77bcf86cd799439011","callId":"CA1","agentId":"a"}'
		assert_exit 0
		assert_json '[.event, .keys, .steps[0].outcome, .steps[0].key]' "[\"$name\",1,\"removed\",\"call:logs:507f1f77bcf86cd799439011\"]"
		assert_equal "$(keys_now)" call:logs:507f1f77bcf86cd799439012
	done
	event call.updated '{"subaccountId":"507f1f77bcf86cd799439011"}'
	assert_exit 0
	outcomes absent
}

@test "realtime: call.status drops, patches, counts once and tells" {
	local status_event='{"callId":"c1","campaignId":42,"status":"completed","direction":"outbound","duration":125,"endTime":"2025-03-26T08:15:00Z"}'
	local today
	rcli MSET active_calls 1 campaign_42 1 campaign_43 1 dashboard_summary 1 >/dev/null
	rcli SET call:c1 '{ "id" : "c1", "status":"in-progress", "n":9007199254740993, "p":1.10 }' PX 5000 >/dev/null
	rcli SET 'cc:m:{call:c1}7:call:c1' side >/dev/null
	in_background heard redis-cli -s "$REDIS_SOCKET" SUBSCRIBE calls_room campaigns_room
	wait_for grep -q campaigns_room "$DIR/heard"
	event call.status "$status_event"
	assert_exit 0
	outcomes 'removed removed removed patched counted published published'
	assert_equal "$(rcli EXISTS active_calls campaign_42 dashboard_summary 'cc:m:{call:c1}7:call:c1') $(rcli EXISTS campaign_43)" '0 1'
	assert_equal "$(value_of call:c1 | sed -E 's/"[0-9-]+T[0-9:.]+Z"/NOW/')" \
		'{ "id" : "c1", "status":"completed", "n":9007199254740993, "p":1.10,"updatedAt":NOW }'
	ttl_within call:c1 250000 300000
	today=$(rcli --scan --pattern 'analytics:daily:*')
	[[ $today == analytics:daily:20??-??-?? ]]
	assert_equal "$(rcli HGETALL "$today" | paste -sd' ')" \
		'callVolume.total 1 callVolume.byHour.8 1 callVolume.byStatus.completed 1 callVolume.byDirection.outbound 1 duration.total 125'
	ttl_within "$today" $((48 * 3600 * 1000)) $((72 * 3600 * 1000))
	wait_for grep -q '"campaignId":42' "$DIR/heard"
	grep -qxF '{"event":"call_update","callId":"c1","status":"completed"}' "$DIR/heard"

	# said again, it counts no second time
	event call.status "$status_event"
	assert_json '.steps[4].outcome' same
	assert_equal "$(rcli HGET "$today" callVolume.total)" 1
	# the next call counts; without a duration it adds nothing to that
	event call.status '{"callId":"c2","status":"completed","direction":"inbound","endTime":"2025-03-26T23:59:59Z"}'
	outcomes 'absent absent absent counted published'
	assert_equal "$(rcli HMGET "$today" callVolume.total callVolume.byHour.23 duration.total | paste -sd' ')" '2 1 125'
	assert_equal "$(rcli EXPIRETIME "$today")" "$(rcli EXPIRETIME "$(rcli --scan --pattern 'cc:o:*')")"
}

@test "realtime: a call under way touches neither the summary nor the counters" {
	rcli MSET active_calls 1 campaign_42 1 dashboard_summary 1 >/dev/null
	event call.status '{"callId":"c1","status":"ringing","direction":"inbound"}'
	assert_exit 0
	outcomes 'removed absent published'
	assert_equal "$(rcli EXISTS campaign_42 dashboard_summary)" 2
	assert_equal "$(rcli EXISTS call:c1)" 0 # a patch never makes a key
}

# change OPERATION [MEMBERS]: a change document of calls.
change() {
	printf '{"_id":{"_data":"82"},"operationType":"%s","ns":{"db":"app","coll":"calls"},"documentKey":{"_id":{"$oid":"507f1f77bcf86cd799439011"}}%s}' \
		"$1" "${2:+,$2}"
}

@test "realtime: change documents say what changed" {
	start_upstream
	use_upstream
	# row by row: document, what it removes of the two keys
	while IFS='|' read -r document left; do
		rcli MSET active_calls 1 call_duration_stats 1 >/dev/null
		event calls.changed "$document"
		assert_exit 0
		assert_equal "$(rcli MGET active_calls call_duration_stats | paste -sd,)" "$left"
	done <<-ROWS
		$(change update '"updateDescription":{"updatedFields":{"status":"completed"},"removedFields":[],"truncatedArrays":[]}')|,1
		$(change update '"updateDescription":{"updatedFields":{"duration":{"$numberInt":"7"}},"removedFields":[]}')|1,
		$(change update '"updateDescription":{"updatedFields":{"notes":"x","statusText":"y"},"removedFields":["tags"]}')|1,1
		$(change update '"updateDescription":{"updatedFields":{"status.code":3},"removedFields":["duration"]}')|,
		$(change update '"updateDescription":{"updatedFields":{},"removedFields":[],"truncatedArrays":[{"field":"status","newSize":2}]}')|,1
		$(change update '"updateDescription":{"updatedFields":{"duration.parts.0.s":3}}')|1,
		$(change insert '"fullDocument":{"status":"completed"}')|,
		$(change replace '"fullDocument":{"status":"failed"}')|,
		$(change delete)|,
		{"operationType":"update","ns":{"db":"app","coll":"users"},"updateDescription":{"updatedFields":{"status":1}}}|1,1
	ROWS
}

@test "realtime: a live call's change fetches active-calls again" {
	start_upstream
	use_upstream
	set_data /api/active-calls '{"active_calls":[{"sid":"CA1"}]}'
	rcli SET active_calls old >/dev/null
	event calls.changed "$(change insert '"fullDocument":{"status":"ringing"}')"
	assert_exit 0
	assert_json '[.steps[] | .action + " " + .outcome] | join(", ")' 'invalidate removed, invalidate absent, warm warmed, publish published'
	assert_equal "$(value_of active_calls)" '{"active_calls":[{"sid":"CA1"}]}'
	# a source that fails is told, exit code 3
	fault status path=/api/active-calls value=403
	event calls.changed "$(change insert '"fullDocument":{"status":"ringing"}')"
	assert_exit 3
	assert_json '.steps[2].outcome' failed
	assert_stderr_line 403
}

@test "sessions: created and updated write session and indexes, completed shortens all three" {
	local session='{"sessionId":"S1","leadId":"L1","conversationId":"C1","session":{"id":"S1","n":9007199254740993,"turns":[1,2.0]}}'
	event session.created "$session"
	assert_exit 0
	outcomes 'stored stored stored'
	assert_equal "$(value_of bici:sess:call:S1)" '{"id":"S1","n":9007199254740993,"turns":[1,2.0]}'
	assert_equal "$(value_of bici:sess:call:lead:L1) $(value_of bici:sess:call:conv:C1)" 'S1 S1'
	ttl_within bici:sess:call:lead:L1 60000 120000
	event session.updated '{"sessionId":"S1","leadId":"L1","session":{"id":"S1"}}'
	outcomes 'stored stored'
	assert_equal "$(value_of bici:sess:call:S1)" '{"id":"S1"}'
	# the lead has a new session by now: its index is not shortened
	rcli SET bici:sess:call:lead:L1 S2 KEEPTTL >/dev/null
	event session.completed '{"sessionId":"S1","leadId":"L1","conversationId":"C1"}'
	assert_exit 0
	outcomes 'expiring foreign expiring'
	ttl_within bici:sess:call:S1 1 30000
	ttl_within bici:sess:call:conv:C1 1 30000
	ttl_within bici:sess:call:lead:L1 30001 120000
	# never longer than it had
	rcli PEXPIRE bici:sess:call:S1 20000 >/dev/null
	event session.completed '{"sessionId":"S1"}'
	outcomes same
	ttl_within bici:sess:call:S1 1 20000
}

@test "sessions: human takeover keeps key and set together" {
	event human.started '{"leadId":"L7","session":{"agent":"Ann"}}'
	assert_exit 0
	outcomes 'stored added'
	assert_equal "$(value_of bici:sess:human:L7) $(rcli SMEMBERS bici:sess:human:all)" '{"agent":"Ann"} L7'
	ttl_within bici:sess:human:all 1700000 1800000
	event human.started '{"leadId":"L7","session":{"agent":"Bob"}}'
	outcomes 'stored same'
	event human.ended '{"leadId":"L7"}'
	outcomes 'removed removed'
	assert_equal "$(keys_now)" ''
	# the set's own key is no lead's
	event human.started '{"leadId":"all","session":{}}'
	assert_exit 2
	assert_stderr_line "belongs to namespace human-sessions"
	assert_equal "$(keys_now)" ''
}

@test "sessions: dashboards of one organisation, SMS state and cooldown" {
	rcli MSET bici:dashboard:stats:O1 1 bici:dashboard:leads:O1 1 bici:dashboard:stats:O2 1 >/dev/null
	event lead.changed '{"orgId":"O1","leadId":"L1"}'
	outcomes 'removed removed'
	event sms.sent '{"leadId":"L1","session":{"count":3},"automation":{"last":"hello"}}'
	outcomes 'stored stored'
	assert_equal "$(keys_now | paste -sd' ')" 'bici:dashboard:stats:O2 bici:sess:sms:L1 bici:sms:auto:L1'
	ttl_within bici:sms:auto:L1 500000 600000
	event sms.sent '{"leadId":"L2","session":{"count":3}}'
	outcomes stored
}

@test "messages: each event drops its message or conversation" {
	local name
	for name in message.sent message.received conversation.updated conversation.read; do
		rcli MSET conversation:c1 1 conversation:c2 1 message:m1 1 >/dev/null
		event "$name" '{"conversation_id":"c1","message_id":"m1","body":"hi"}'
		assert_exit 0
		assert_equal "$(keys_now | paste -sd' ')" 'conversation:c2 message:m1'
	done
	event message.status '{"message_id":"m1","status":"delivered","conversation_id":"c2"}'
	assert_equal "$(keys_now)" conversation:c2
}

@test "leads: lead.updated drops everything of one lead, every limit" {
	rcli MSET 17786528784:b0c1b1c1-0000-0000-0000-000000000001 1 bici:ctx:L1 1 bici:conv:L1:5 1 bici:conv:L1:10 1 bici:sess:L1 1 \
		bici:greet:L1 1 bici:conv:L10:5 1 bici:conv:L2:5 1 bici:ctx:L10 1 bici:sess:human:all 1 bici:org:+17786528784 1 \
		'cc:m:{bici:conv:L1:5}14:bici:conv:L1:5' 1 >/dev/null
	event lead.updated "$LEAD"
	assert_exit 0
	assert_json '[.keys, ([.steps[].outcome] | unique)]' '[6,["removed"]]'
	assert_equal "$(keys_now | paste -sd' ')" 'bici:conv:L10:5 bici:conv:L2:5 bici:ctx:L10 bici:org:+17786528784 bici:sess:human:all'
	event organization.updated '{"phone":"+17786528784"}'
	assert_json .keys 1
	assert_equal "$(rcli EXISTS bici:org:+17786528784)" 0
}

# --- patches ---

@test "patch: only what the merge names changes, in packed values too, and only what is cached" {
	own_config '"namespaces": { "doc": { "key": "doc:{id}", "ttl": "5m", "compress": "gzip" } }, "events": {
		"changed": { "do": [{ "patch": "doc", "ttl": "keep", "merge": { "s": "{/s}", "gone": null, "in": { "deep": "{/n}" }, "list": "{/list}", "text": "n={/n}" } }] } }'
	local data='{"id":"1","s":null,"n":12345678901234567890,"list":[1,{"a":"é"}]}'
	rcli SET doc:1 $'{\n  "keep": 1.50, "s": "x", "gone": [1,2],\n  "in": {"deep": 1, "b": "\\u00e9"}\n}\n' PX 50000 >/dev/null
	event changed "$data"
	assert_exit 0
	outcomes patched
	assert_equal "$(rcli GET doc:1)" $'{\n  "keep": 1.50,\n  "in": {"deep": 12345678901234567890, "b": "\\u00e9"},"list":[1,{"a":"é"}],"text":"n=12345678901234567890"\n}'
	ttl_within doc:1 1 50000
	event changed "$data"
	outcomes same
	# packed
	printf '{"id":1,"s":"%s","n":1}' "$(head -c 5000 /dev/zero | tr '\0' a)" | gzip -n | rcli -x SET doc:2 >/dev/null
	event changed '{"id":"2","s":"b","n":2,"list":[]}'
	outcomes patched
	assert_equal "$(value_of doc:2 | head -c2 | od -An -tx1)" ' 1f 8b'
	assert_equal "$(value_of doc:2 | gunzip)" '{"id":1,"s":"b","n":1,"in":{"deep":2},"list":[],"text":"n=2"}'
	assert_equal "$(rcli PTTL doc:2)" -1
	# not there
	event changed '{"id":"3","s":"b","n":2,"list":[]}'
	outcomes absent
	assert_equal "$(rcli EXISTS doc:3)" 0
}

@test "patch: a cached value that is no object fails, named, and stays" {
	own_config '"namespaces": { '"$DOC"' }, "events": { "changed": { "do": [{ "patch": "doc", "merge": { "a": 1 } }] } }'
	rcli MSET doc:1 '[1]' doc:2 'not json' >/dev/null
	rcli HSET doc:3 a 1 >/dev/null
	event changed '{"id":"1"}'
	assert_exit 3
	assert_stderr_line "no object but: array"
	event changed '{"id":"2"}'
	assert_exit 3
	assert_stderr_line "no JSON"
	event changed '{"id":"3"}'
	assert_exit 3
	assert_stderr_line WRONGTYPE
	assert_equal "$(value_of doc:1) $(value_of doc:2)" '[1] not json'
}

@test "patch: concurrent writers lose nothing" {
	own_config '"namespaces": { '"$DOC"' }, "events": { "changed": { "do": [{ "patch": "doc", "merge": { "{/not}": 1 } }] },
		"a": { "do": [{ "patch": "doc", "merge": { "a": "{/n}" } }] }, "b": { "do": [{ "patch": "doc", "merge": { "b": "{/n}" } }] } }'
	rcli SET doc:1 '{"a":0,"b":0}' >/dev/null
	local i pids=()
	for i in a b; do
		for n in {1..200}; do echo "{\"event\":\"$i\",\"id\":\"1\",\"n\":$n}"; done >"$DIR/$i.ndjson"
		"$CCACHE" invalidate --follow - <"$DIR/$i.ndjson" >"$DIR/$i.out" 2>&1 &
		pids+=($!)
	done
	wait "${pids[0]}" && wait "${pids[1]}"
	assert_equal "$(value_of doc:1)" '{"a":200,"b":200}'
}

@test "upsert and remove one element of a cached list by its id" {
	own_config '"namespaces": { '"$LIST"' }, "events": {
		"put": { "do": [{ "upsert": "list", "value": "/call", "match": "/call_id", "ttl": "keep" }] },
		"front": { "do": [{ "upsert": "list", "value": "/call", "match": "/call_id", "position": "first" }] },
		"del": { "do": [{ "remove": "list", "match": "/call_id" }] },
		"in": { "do": [{ "upsert": "list", "array": "/data/calls", "value": "/call", "match": "/id", "id": "{/callId}" }] },
		"out": { "do": [{ "remove": "list", "array": "/data/calls", "match": "/id", "id": "{/callId}" }] } }'
	rcli SET list:1 '[ {"call_id":9007199254740993,"s":1.0} , {"call_id":2} ]' PX 50000 >/dev/null
	event put '{"id":"1","call":{"call_id":2,"s":"new"}}'
	outcomes patched
	event put '{"id":"1","call":{"call_id":9007199254740994}}'
	event front '{"id":"1","call":{"call_id":"f"}}'
	assert_equal "$(value_of list:1)" '[{"call_id":"f"}, {"call_id":9007199254740993,"s":1.0} , {"call_id":2,"s":"new"},{"call_id":9007199254740994} ]'
	event del '{"id":"1","call_id":2}'
	outcomes removed
	event del '{"id":"1","call_id":2}'
	outcomes absent
	assert_equal "$(value_of list:1)" '[{"call_id":"f"}, {"call_id":9007199254740993,"s":1.0},{"call_id":9007199254740994} ]'
	event put '{"id":"2","call":{"call_id":2}}'
	outcomes absent
	rcli SET list:3 '{"data":{"calls":[]}}' >/dev/null
	event in '{"id":"3","callId":"x","call":{"id":"x","v":1}}'
	event in '{"id":"3","callId":"y","call":{"id":"y"}}'
	event out '{"id":"3","callId":"x"}'
	assert_equal "$(value_of list:3)" '{"data":{"calls":[{"id":"y"}]}}'
	rcli SET list:4 '{"data":{}}' >/dev/null
	event in '{"id":"4","callId":"x","call":{"id":"x"}}'
	assert_exit 3
	assert_stderr_line "/data/calls"
	event put '{"id":"1","call":{"v":1}}'
	assert_exit 2
	assert_stderr_line "no id at '/call_id'"
}

# --- counting ---

@test "count: all fields or none, fractions, numbers that are none" {
	own_config '"namespaces": { "h": { "key": "h:{id}", "type": "hash", "ttl": "1h" } }, "events": {
		"c": { "do": [{ "count": "h", "by": { "n": 1, "sum.{/kind}": "{/amount}" }, "once": "{/e}" }] },
		"d": { "do": [{ "count": "h", "by": { "n": "{/amount}" } }] } }'
	event c '{"id":"1","kind":"a","amount":2.5,"e":1}'
	event c '{"id":"1","kind":"a","amount":2,"e":2}'
	event c '{"id":"1","kind":"b","amount":-7,"e":3}'
	event c '{"id":"1","kind":"b","amount":-7,"e":3}'
	outcomes same
	assert_equal "$(rcli HGETALL h:1 | paste -sd' ')" 'n 3 sum.a 4.5 sum.b -7'
	ttl_within h:1 3000000 3600000
	# without `once` each counts
	event d '{"id":"1","amount":1}'
	event d '{"id":"1","amount":1}'
	assert_equal "$(rcli HGET h:1 n)" 5
	rcli HSET h:1 sum.a many >/dev/null
	event c '{"id":"1","kind":"a","amount":1,"e":4}'
	assert_exit 3
	assert_stderr_line 'sum.a holds no number'
	assert_equal "$(rcli HGET h:1 n)" 5
	rcli SET h:2 text >/dev/null
	event c '{"id":"2","kind":"a","amount":1,"e":5}'
	assert_exit 3
	assert_stderr_line WRONGTYPE
	event c '{"id":"1","kind":"a","amount":"lots","e":6}'
	assert_exit 2
	assert_stderr_line "'lots' is no number"
}

# --- wildcards and limits ---

@test "declared values make keys, '*' one scan, both within max_keys" {
	own_config '"namespaces": { "conv": { "key": "conv:{id}:{limit}", "ttl": "5m" } }, "events": {
		"some": { "do": [{ "invalidate": "conv", "vars": { "limit": ["5", "10"] } }] },
		"every": { "max_keys": 3, "do": [{ "invalidate": "conv", "vars": { "limit": "*" } }] },
		"soon": { "do": [{ "expire": "conv", "in": "10s", "vars": { "limit": "*" } }] } }'
	rcli MSET conv:a:5 1 conv:a:10 1 conv:a:20 1 conv:a:30 1 conv:b:5 1 >/dev/null
	event some '{"id":"a"}' --explain
	assert_json '[.steps[].key]' '["conv:a:5","conv:a:10"]'
	event some '{"id":"a"}' --max-keys 1
	assert_exit 7
	event some '{"id":"a"}'
	assert_json .keys 2
	event soon '{"id":"a"}'
	assert_json '[.keys, .steps[0].outcome]' '[2,"expiring"]'
	ttl_within conv:a:20 1 10000
	rcli MSET conv:a:1 1 conv:a:2 1 >/dev/null
	event every '{"id":"a"}'
	assert_exit 3
	assert_stderr_line 'more than 3 keys match'
	assert_equal "$(keys_now | wc -l)" 5
	rcli DEL conv:a:1 >/dev/null
	event every '{"id":"a"}'
	assert_json .keys 3
	assert_equal "$(keys_now)" conv:b:5
}

# --- what is shown and what is refused ---

@test "--explain shows rule, key and reason, and touches nothing" {
	rcli MSET active_calls 1 dashboard_summary 1 >/dev/null
	event call.status '{"callId":"c1","status":"ringing","direction":"inbound"}' --explain
	assert_exit 0
	assert_json '[.schema, .event, .steps_planned]' '["ccache.event-explain/1","call.status",3]'
	assert_json '[.steps[] | [.rule, .key, .outcome, .exists, .why] | map(tostring) | join("|")] | .[0,1,2,3]' \
		$'1|active_calls|would do|true|always\n2|null|skipped|null|the payload has no /campaignId\n3|null|skipped|null|/status is "ringing"\n4|call:c1|absent|false|always'
	event lead.updated "$LEAD" --dry-run
	assert_json '.steps[2] | [.key, .outcome]' '["bici:conv:L1:*","would do, every match"]'
	assert_equal "$(rcli DBSIZE)" 2
	rcli ACL SETUSER poor on '>pw' '~*' +@all -exists >/dev/null
	cc_run invalidate --event lead.updated --data "$LEAD" --explain --user poor -a pw
	assert_exit 0
	assert_stderr_line 'what is there was not looked at'
	[[ $output == *'17786528784:b0c1b1c1'*'would do'* ]] || fail "$output"
}

@test "a payload that would make another namespace's key is refused whole" {
	rcli MSET bici:ctx:L1 1 bici:sess:human:all 1 bici:ctx:a 1 17786528784:O1 1 >/dev/null
	local id
	for id in human:all 'a*' '*' 'a{b}' 'a}' 'a\u0000b' 'a\nb' 'a:b' '' '\u001b[2J'; do
		event lead.updated "{\"leadId\":\"$id\",\"phone\":\"+17786528784\",\"organizationId\":\"O1\"}"
		assert_exit 2
		assert_stderr_line "event 'lead.updated', rule"
		[[ $stderr != *$'\033'* ]]
	done
	assert_equal "$(rcli DBSIZE)" 4
}

@test "payloads that cannot be used are refused with the place and the remedy" {
	event lead.updated '{"leadId":"L1","phone":"1"}'
	assert_exit 2
	assert_stderr_line "event 'lead.updated', rule 1 (invalidate lead): the payload has no /organizationId"
	event lead.updated '{"leadId":{"id":1},"phone":"1","organizationId":"O"}'
	assert_stderr_line '/leadId is no text or number but: object'
	event lead.updated $'{"leadId":\n 01}'
	assert_exit 2
	assert_stderr_line 'line 2, column 2'
	event lead.updated '[]'
	assert_exit 2
	event lead.update "$LEAD"
	assert_exit 2
	assert_stderr_line "unknown event 'lead.update'; did you mean 'lead.updated'?"
	event xyz "$LEAD"
	assert_exit 2
	assert_stderr_line "unknown event 'xyz'; the configuration declares web-call.created, "
	event calls.changed '{"status":"x"}'
	assert_exit 2
	assert_stderr_line 'no change document'
	cc_run invalidate --event lead.updated
	assert_exit 2
	assert_stderr_line '--data'
	cc_run invalidate --event lead.updated --data @nowhere.json
	assert_exit 2
	assert_stderr_line 'nowhere.json'
	cc_run invalidate --event x --data '{}' --key a
	assert_exit 2
	cc_run invalidate --data '{}'
	assert_exit 2
	cc_run invalidate --explain
	assert_exit 2
}

@test "the payload from a file and from standard input, ten megabytes of it" {
	rcli MSET bici:ctx:L1 1 >/dev/null
	{
		printf '{"leadId":"L1","phone":"1","organizationId":"O","pad":"'
		head -c 10000000 /dev/zero | tr '\0' x
		printf '"}'
	} >"$DIR/big.json"
	event lead.updated @big.json
	assert_exit 0
	assert_json .keys 1
	rcli MSET bici:ctx:L1 1 >/dev/null
	run --separate-stderr bash -c '"$0" invalidate -o json --event lead.updated --data - <"$1"' "$CCACHE" "$DIR/big.json"
	assert_exit 0
	assert_json .keys 1
}

@test "REDIS_ENABLED=false does nothing and says so; a user without rights is told" {
	REDIS_ENABLED=false cc_run invalidate --event lead.updated --data "$LEAD"
	assert_exit 0
	assert_stderr_line 'does nothing'
	rcli ACL SETUSER poor on '>pw' '~*' +@all -unlink >/dev/null
	rcli MSET bici:ctx:L1 1 >/dev/null
	event lead.updated "$LEAD" --user poor -a pw
	assert_exit 3
	assert_stderr_line NOPERM
	assert_equal "$(rcli EXISTS bici:ctx:L1)" 1
}

@test "where scripts are forbidden every action watches its key" {
	rcli ACL SETUSER plain on '>pw' '~*' '&*' +@all -@scripting >/dev/null
	rcli SET call:c1 '{"status":"ringing","n":9007199254740993}' >/dev/null
	rcli SET 'cc:m:{call:c1}7:call:c1' side >/dev/null
	event call.status '{"callId":"c1","status":"ringing2"}' --user plain -a pw
	assert_exit 0
	assert_json '.steps[] | select(.action == "patch") | .outcome' patched
	[[ $(value_of call:c1) == '{"status":"ringing2","n":9007199254740993,"updatedAt":"'* ]]
	assert_equal "$(rcli EXISTS 'cc:m:{call:c1}7:call:c1')" 0
	ttl_within call:c1 250000 300000
}

@test "rules that could not be carried out are found by config check" {
	own_config '"namespaces": { '"$DOC"', "h": { "key": "h:{id}", "type": "hash", "ttl": "1h" } }, "events": {
		"a": { "do": [{ "patch": "doc", "merge": {}, "vars": { "id": "*" } }] },
		"b": { "do": [{ "set": "h" }] },
		"c": { "do": [{ "upsert": "doc", "match": "/id" }] },
		"d": { "max_keys": 0, "do": [{ "invalidate": "doc", "vars": { "nope": "x" } }] } }'
	cc_run config check -o json
	assert_exit 2
	assert_json '[.findings[] | select(.severity == "error")] | length' 5
}
