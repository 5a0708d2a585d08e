# System 1, call logs: its document's own test section, what it promises, and what it wishes for.
load helpers
load verbs

OTHER=507f1f77bcf86cd799439012

setup() {
	sandbox
	start_system --items 6
	export CALLCACHE_PROFILE=call-logs
}

# profile_with JQ: from now on the profile with this change, as its operator would write it into a file.
profile_with() {
	"$CCACHE" config show --profile call-logs | jq "$1" >"$DIR/config.json" || fail "jq $1"
	unset CALLCACHE_PROFILE
	export CALLCACHE_CONFIG=$DIR/config.json
	cc_run config check "$DIR/config.json"
	assert_exit 0
}

logs() { cc_run get call-logs "$SUB" --meta "$@"; }
happens() { cc_run invalidate --event "$1" --data "$2" -o json; }
# calls IDS…: the voice API has these calls of the subaccount, and so has the database.
calls() {
	local ids
	ids=$(printf '%s\n' "$@" | jq -R . | jq -sc .)
	set_data "/api/calls/$SUB/logs" "$(jq -c '{data: map({call_id: ., status: "ended", cost: 1.5})}' <<<"$ids")"
	set_data "/api/subaccounts/$SUB/call-ids" "$(jq -c '{data: .}' <<<"$ids")"
}

@test "call-logs: its test section: miss, hit, a call is created, miss; nobody else suffers" {
	local name before n=0
	# 1. first request: miss, from the voice API, stored for the next
	logs
	assert_exit 0
	assert_no_stderr
	assert_json '[.success, .meta.cacheHit, .meta.stored]' '[true,false,true]'
	assert_json '.message | type' string
	assert_json '.meta | (.operationId | test("^[0-9a-f]{16}$")) and (.duration | test("^[0-9.]+ms$"))' true
	assert_json '.meta.count == (.data | length) and .meta.count > 1' true
	before=$(jq -c .data <<<"$output")
	# 2. second request: hit, the same data, and the API is not asked
	logs
	assert_json '[.success, .meta.cacheHit]' '[true,true]'
	assert_json .data "$before"
	assert_equal "$(upstream_count "/api/calls/$SUB/logs")" 1
	# 3. and 4. after each of the four events: miss, fresh data
	for name in web-call.created phone-call.created call.deleted call.updated; do
		cc_run get call-logs $OTHER
		calls "C$((++n))"
		happens $name "{\"subaccountId\":\"$SUB\",\"callId\":\"C$n\"}"
		assert_exit 0
		assert_json '[.keys, .steps[0].key, .steps[0].outcome]' "[1,\"call:logs:$SUB\",\"removed\"]"
		assert_equal "$(rcli EXISTS call:logs:$SUB call:logs:$OTHER)" 1 # isolation
		logs
		assert_json '[.meta.cacheHit, [.data[].call_id]]' "[false,[\"C$n\"]]"
		logs
		assert_json .meta.cacheHit true
	done
	# reading is no reason to invalidate, and one that is not cached is none to fail
	happens call.updated '{"subaccountId":"507f1f77bcf86cd799439013"}'
	assert_exit 0
	assert_json '.steps[0].outcome' absent
	# an event without its subaccount touches nothing
	happens call.updated '{}'
	assert_exit 2
	assert_equal "$(rcli EXISTS call:logs:$SUB call:logs:$OTHER)" 2
}

@test "call-logs: only calls that the database knows, at every read" {
	calls A B C
	set_data "/api/subaccounts/$SUB/call-ids" '{"data":["A","C","X"]}'
	logs
	assert_json '[[.data[].call_id], .meta.count]' '[["A","C"],2]'
	assert_equal "$(value_of call:logs:$SUB | jq -c 'map(.call_id)')" '["A","C"]'
	set_data "/api/subaccounts/$SUB/call-ids" '{"data":[]}'
	logs --refresh
	assert_json '[.data, .meta.count]' '[[],0]'
	# the database is down: nothing unfiltered is ever stored or shown
	happens call.deleted "{\"subaccountId\":\"$SUB\"}"
	CALLS_DB_URL=http://127.0.0.1:1 cc_run get call-logs $SUB
	assert_exit 5
	assert_equal "$output" ''
	assert_equal "$(rcli EXISTS call:logs:$SUB)" 0
}

@test "call-logs: the operator's questions: exists, content, TTL, remove, list, how many, how much memory" {
	cc_run warm call-logs
	assert_exit 0
	cc_run get call-logs $SUB --no-fetch -o json # EXISTS
	assert_exit 0
	cc_run inspect call-logs $SUB -o json # GET, TTL, MEMORY USAGE
	assert_json '[.exists, .type, (.value | type), .ttl_limit_ms]' '[true,"string","array",300000]'
	assert_json '.ttl_ms <= 300000 and .ttl_ms > 200000 and .bytes > 100' true
	cc_run inspect call-logs -o json # KEYS call:logs:*, and | wc -l
	assert_json '[.listed, ([.keys[].key | startswith("call:logs:")] | all)]' '[6,true]'
	cc_run inspect call-logs --summary -o json # INFO memory, of these alone
	assert_json '[.namespaces[] | select(.namespace == "call-logs") | .keys, (.bytes > 600)]' '[6,true]'
	cc_run invalidate call-logs $SUB --yes -q # DEL
	assert_exit 0
	cc_run get call-logs $SUB --no-fetch
	assert_exit 1
	cc_run ping -q
	assert_exit 0
}

# lives_for SECONDS: at most, and at least that less the jitter and the time gone by.
lives_for() {
	local ttl
	ttl=$(rcli PTTL call:logs:$SUB)
	((ttl <= $1 * 1000 && ttl > $1 * 1000 * 9 / 10 - 30000)) || fail "lives for $ttl ms, not $1 s"
}

@test "call-logs: the TTL by option and by configuration: 5, 1 and 15 minutes" {
	logs
	lives_for 300
	cc_run warm call-logs $SUB --ttl 60s
	lives_for 60
	cc_run warm call-logs $SUB --ttl 15m
	lives_for 900
	# what was stored for longer than agreed is found, and put right
	cc_run inspect --ttl -q
	assert_exit 1
	profile_with '.namespaces["call-logs"].ttl = "15m"'
	cc_run inspect --ttl -q
	assert_exit 0
	logs --refresh
	lives_for 900
	profile_with '.namespaces["call-logs"].ttl = 60'
	logs --refresh
	lives_for 60
}

@test "call-logs: Redis down: a warning, the API's answer, nothing breaks" {
	logs
	before=$(jq -c .data <<<"$output")
	stop_redis
	logs
	assert_exit 0
	assert_json '[.success, .meta.cacheHit, .meta.degraded]' '[true,false,true]'
	assert_json .data "$before"
	assert_stderr_line 'the source answered'
	happens web-call.created "{\"subaccountId\":\"$SUB\"}"
	assert_exit 4 # what is not invalidated must not pass for done
	start_redis
	logs
	assert_exit 0
	assert_no_stderr
	assert_json '[.meta.cacheHit, .meta.degraded]' '[false,false]'
	logs
	assert_json .meta.cacheHit true
}

@test "call-logs: wished for: one call is updated inside the cached list, the rest keep their bytes" {
	profile_with '.events["call.updated"].do = [{ "upsert": "call-logs", "value": "/call", "match": "/call_id", "ttl": "keep" }]
		| .events["call.deleted"].do = [{ "remove": "call-logs", "match": "/call_id", "id": "{/callId}" }]'
	set_data "/api/calls/$SUB/logs" '{"data":[{"call_id":"A","n":9007199254740993},{"call_id":"B","cost":1.10},{"call_id":"C"}]}'
	set_data "/api/subaccounts/$SUB/call-ids" '{"data":["A","B","C"]}'
	logs
	assert_json .meta.cacheHit false
	happens call.updated "{\"subaccountId\":\"$SUB\",\"call\":{\"call_id\":\"B\",\"cost\":2.20}}"
	assert_exit 0
	assert_json '.steps[0].outcome' patched
	assert_equal "$(value_of call:logs:$SUB)" '[{"call_id":"A","n":9007199254740993},{"call_id":"B","cost":2.20},{"call_id":"C"}]'
	logs
	assert_json '[.meta.cacheHit, .meta.count]' '[true,3]'
	happens call.deleted "{\"subaccountId\":\"$SUB\",\"callId\":\"A\"}"
	logs
	assert_json '[.meta.cacheHit, [.data[].call_id]]' '[true,["B","C"]]'
	assert_equal "$(upstream_count "/api/calls/$SUB/logs")" 1
	# one that is not cached stays so: a list of one call would be a lie
	happens call.updated "{\"subaccountId\":\"$OTHER\",\"call\":{\"call_id\":\"B\"}}"
	assert_json '.steps[0].outcome' absent
	assert_equal "$(rcli EXISTS call:logs:$OTHER)" 0
}

@test "call-logs: wished for: large lists are stored packed, and what it saves" {
	local calls plain
	calls=$(jq -nc '[range(400) | {call_id: "C\(.)", transcript: ("Agent: Hello, this is the voice assistant. User: Hi. " * 4), n: .}]')
	set_data "/api/calls/$SUB/logs" "{\"data\":$calls}"
	set_data "/api/subaccounts/$SUB/call-ids" "$(jq -c '{data: map(.call_id)}' <<<"$calls")"
	set_data "/api/calls/$OTHER/logs" '{"data":[{"call_id":"A"}]}'
	set_data "/api/subaccounts/$OTHER/call-ids" '{"data":["A"]}'
	cc_run get call-logs $SUB
	plain=$output
	cc_run inspect call-logs $SUB -o json
	local bytes=$(jq .bytes <<<"$output")
	profile_with '.namespaces["call-logs"].compress = { "codec": "zstd", "min": "1KiB" }'
	cc_run get call-logs $SUB --refresh
	assert_equal "$output" "$plain"
	cc_run get call-logs $SUB # a hit
	assert_equal "$output" "$plain"
	cc_run inspect call-logs $SUB -o json --max-value 1MiB
	assert_json '[.codec, (.value | length)]' '["zstd",400]'
	assert_json ".length > 10 * .stored_length and .bytes * 10 < $bytes" true
	cc_run get call-logs $OTHER
	cc_run inspect call-logs $OTHER -o json # too small to gain
	assert_json .codec null
}

@test "call-logs: wished for: warmed off-peak by the README's crontab line" {
	local line
	line=$(sed -n 's/^30 4 \* \* \* *\(ccache warm .*\)$/\1/p' "$ROOT/README.md")
	assert_regex "$line" '--expiring 60s --until 06:00'
	mkdir "$DIR/bin"
	ln -s "$CCACHE" "$DIR/bin/ccache"
	# as cron runs it: sh, no terminal, next to no environment
	off_peak() {
		run --separate-stderr env -i PATH="$DIR/bin:/usr/bin:/bin" HOME="$HOME" REDIS_URL="$REDIS_URL" CALLS_API_URL="$CALLS_API_URL" \
			CALLS_DB_URL="$CALLS_DB_URL" CALLCACHE_PROFILE=call-logs sh -c "$1" </dev/null
	}
	off_peak "$line"
	assert_exit 0
	assert_equal "$output$stderr" ''
	assert_equal "$(key_count)" 6
	# those that live long enough are left alone; what is about to go is fetched
	rcli PEXPIRE call:logs:$SUB 50000 >/dev/null
	curl -fsS -o /dev/null -X DELETE "$UPSTREAM_URL/_count"
	off_peak "$line"
	assert_exit 0
	assert_equal "$(upstream_count "/api/calls/$SUB/logs")" 1
	assert_equal "$(upstream_count "/api/calls/$OTHER/logs")" 0
	lives_for 300
	# users meet it warm
	logs
	assert_json .meta.cacheHit true
}

@test "call-logs: wished for: hits and misses are counted, and the API is asked 80 to 90 % less" {
	local i
	for ((i = 0; i < 10; i++)); do
		"$CCACHE" get call-logs $SUB >/dev/null
	done
	cc_run stats -o json
	assert_json '[.namespaces[] | select(.namespace == "call-logs") | .own_hits, .own_misses, .target_hit_ratio]' '[9,1,0.8]'
	cc_run stats -o prom
	assert_output --partial 'callcache_operations_total{operation="get",result="hit",namespace="call-logs"} 9'
	assert_equal "$(upstream_count "/api/calls/$SUB/logs")" 1
}

@test "call-logs: its before and after: what a hit saves of 350 ms" {
	fault delay path=/api/calls value=350
	cc_run bench call-logs --source --requests 2 -o json -q
	assert_exit 0
	assert_json '[.ids, .failed, .hit_ratio, .calls_avoided]' '[2,0,0.8,0.8]' # the target, and what follows of it
	assert_json '(.paths | map({(.path): .p50_us}) | add) | .source >= 350000 and .miss >= 350000 and .hit < .source' true
	assert_equal "$(key_count)" 0
}

@test "call-logs: wished for: the TTL follows how often the list changes" {
	profile_with '.namespaces["call-logs"] |= (.ttl = { "min": "1m", "max": "15m" } | .jitter = 0)'
	local want
	calls A B
	# nothing known: the shortest; then it doubles while every refresh finds the same
	for want in 60000 120000 240000 480000 900000 900000; do
		logs --refresh
		assert_json .meta.ttl_ms $want
	done
	# why is said
	cc_run inspect call-logs $SUB
	assert_regex "$output" 'TTL chosen +15m of 1m to 15m: the last 5 of 5 refreshes found it unchanged'
	cc_run inspect call-logs $SUB -o json
	assert_json '[.ttl_min_ms, .ttl_chosen_ms, .ttl_limit_ms, .refreshes, .refreshes_same, .refreshes_changed]' '[60000,900000,900000,5,5,0]'
	# a change halves it, by warm as by get; unchanged bytes are not written again
	calls A B C
	cc_run warm call-logs $SUB -o json
	assert_json '[.stored, .renewed]' '[1,0]'
	lives_for 450
	cc_run warm call-logs $SUB -o json
	assert_json '[.stored, .renewed]' '[0,1]'
	lives_for 900
	calls A
	logs --refresh
	assert_json .meta.ttl_ms 450000
	cc_run inspect call-logs $SUB
	assert_regex "$output" 'TTL chosen +7m30s of 1m to 15m: the last of 8 refreshes found it changed'
	# the history outlives the value: an expired list is no stranger
	rcli DEL call:logs:$SUB >/dev/null
	cc_run inspect --audit
	assert_exit 0
	logs
	assert_json '[.meta.cacheHit, .meta.ttl_ms]' '[false,900000]'
	# a source that fails takes nothing of it
	set_data "/api/calls/$SUB/logs" 'no JSON'
	logs --refresh
	assert_exit 3
	calls A
	logs --refresh
	assert_json .meta.ttl_ms 900000
	# an event says that it changes: it begins anew
	happens call.updated "{\"subaccountId\":\"$SUB\"}"
	logs
	assert_json .meta.ttl_ms 60000
	# --ttl wins for once; without sidecars nothing can be known
	cc_run warm call-logs $SUB --ttl 30s
	lives_for 30
	cc_run warm call-logs $SUB --ephemeral
	lives_for 60
	# both ends are checked
	cc_run inspect --ttl
	assert_exit 0
	rcli PEXPIRE call:logs:$SUB 1000000 >/dev/null
	cc_run inspect --ttl
	assert_exit 1
}

@test "call-logs: a TTL of min and max: what it needs is said" {
	local ttl text
	while IFS='|' read -r ttl text; do
		"$CCACHE" config show --profile call-logs | jq ".namespaces[\"call-logs\"] |= (. + $ttl)" >"$DIR/bad.json"
		cc_run config check "$DIR/bad.json"
		assert_exit 2
		assert_output --partial "$text"
	done <<-'BAD'
		{ ttl: { min: "5m", max: "5m" } }|its min is not below its max
		{ ttl: { min: "5m" } }|'max'
		{ ttl: { min: "0s", max: "5m" } }|out of range
		{ ttl: { min: "1m", max: "5m", day: "x" } }|unknown field
		{ ttl: { min: "1m", max: "5m" }, ttl_from: "cache-control" }|comes from what refreshes find
		{ ttl: { min: "1m", max: "5m" }, source: null, list: null }|expected
	BAD
	printf '{ "namespaces": { "x": { "key": "x:{id}", "ttl": { "min": "1m", "max": "5m" } } } }' >"$DIR/bad.json"
	cc_run config check "$DIR/bad.json"
	assert_exit 2
	assert_output --partial 'need a source whose answers are compared'
}

@test "call-logs: a TTL that follows, for a user who may run no scripts" {
	profile_with '.namespaces["call-logs"] |= (.ttl = { "min": "1m", "max": "15m" } | .jitter = 0)'
	calls A
	rcli ACL SETUSER default -@scripting >/dev/null
	local want
	for want in 60000 120000 240000; do
		logs --refresh
		assert_json .meta.ttl_ms $want
	done
	calls A B
	logs --refresh
	assert_json .meta.ttl_ms 120000
	set_data "/api/calls/$SUB/logs" 'no JSON'
	logs --refresh
	assert_exit 3
	calls A B
	logs --refresh
	assert_json .meta.ttl_ms 240000
}
