# A first walk through the five systems: warm all, then every key, its TTL and its namespace as the systems page has them.
load helpers
load verbs

setup() {
	sandbox
	start_system --items 12 --page 5
}

# warmed PROFILE KEYS: warms all of it; every key is stored, classified, and none is stray.
warmed() {
	export CALLCACHE_PROFILE=$1
	cc_run warm --all -o json
	assert_exit 0
	assert_adds_up
	assert_json '[.stored == .requested, .stored]' "[true,$2]"
	cc_run inspect -o json
	assert_json '[.keys, .complete]' "[$2,true]"
	assert_json '[.namespaces[] | select(.namespace == "(unclassified)") | .keys]' '[0]'
	assert_json '[.namespaces[] | .no_ttl, .over_policy] | unique' '[0]'
	cc_run inspect --match '*' --limit 0 -o ndjson
	jq -c 'select(.key)' <<<"$output" >"$DIR/keys"
	assert_equal "$(wc -l <"$DIR/keys")" "$2"
}

# has NAMESPACE COUNT PATTERN SECONDS [JITTER_PERCENT]: so many keys of it, all of that shape, and those shapes are its
# alone; they live at most SECONDS, at least that less its jitter and the time that has gone by.
has() {
	local ns=$1 count=$2 pattern=$3 seconds=$4 jitter=${5:-0}
	jq -e -s --arg ns "$ns" --arg pattern "^($pattern)\$" --argjson count "$count" --argjson ms "$((seconds * 1000))" --argjson jitter "$jitter" '
		map(select(.namespace == $ns)) | length == $count
			and all(.[]; .key | test($pattern))
			and all(.[]; .ttl_ms <= $ms and .ttl_ms > $ms * (100 - $jitter) / 100 - 10000)' "$DIR/keys" >/dev/null ||
		fail "$ns: expected $count keys like $pattern for $seconds s, got $(jq -c -s --arg ns "$ns" 'map(select(.namespace == $ns))' "$DIR/keys")"
}

@test "1: call-logs" {
	warmed call-logs 12
	has call-logs 12 'call:logs:[0-9a-f]{24}' 300 10
	# miss, hit, a call is created, miss; no other subaccount suffers
	cc_run get call-logs $SUB --meta
	assert_json '[.meta.cacheHit, .meta.count]' "[true,$(value_of call:logs:$SUB | jq length)]"
	cc_run invalidate call-logs $SUB --yes
	assert_exit 0
	assert_equal "$(key_count)" 11
	cc_run get call-logs $SUB --meta
	assert_json .meta.cacheHit false
	# the operator's questions: is it there, what is in it, how long does it live, how much memory, list, count
	cc_run inspect call-logs $SUB -o json
	assert_json '[.exists, .type, (.value | type)]' '[true,"string","array"]'
	assert_json '.ttl_ms > 260000 and .bytes > 100' true
	cc_run inspect call-logs -o json
	assert_json .listed 12
	# Redis down: warn, go to the source, keep working
	stop_redis
	cc_run get call-logs $SUB
	assert_exit 0
	assert_json 'length > 0' true
	assert_stderr_line 'the source answered'
}

@test "2: realtime" {
	warmed realtime "$(realtime_count)"
	has active-calls 1 active_calls 15
	has dashboard-summary 1 dashboard_summary 60
	has recent-calls 1 recent_calls 60
	has call-duration-stats 1 call_duration_stats 300
	has campaign "$(active_campaigns)" 'campaign_[0-9a-f]{24}' 30 10
	has campaign-contacts "$(active_campaigns)" 'campaign_[0-9a-f]{24}_contacts' 300 10
	has campaign-shard 12 'campaign:shard[0-9]:[0-9a-f]{24}' 30 10
	has call 12 'call:[0-9a-f]{24}' 300 10
	# JavaScript's shard, not the exact one
	set_data /api/campaigns/507f1f77bcf86cd799439011 '{"id":"507f1f77bcf86cd799439011"}'
	cc_run warm campaign-shard 507f1f77bcf86cd799439011
	assert_exit 0
	assert_equal "$(rcli EXISTS campaign:shard6:507f1f77bcf86cd799439011)" 1
	cc_run get api-response calls/66b17c09e2d1c3f400000000 --meta
	assert_json '[.meta.key, .meta.ttl_ms, .meta.cacheHit]' '["api:calls/66b17c09e2d1c3f400000000",300000,false]'
	# call.status by hand: what the event will do
	cc_run invalidate active-calls --yes
	assert_json_removed 1
	cc_run invalidate dashboard-summary --yes
	assert_equal "$(rcli EXISTS active_calls dashboard_summary)" 0
}

active_campaigns() { curl -sS "$UPSTREAM_URL/api/campaigns?status=active&limit=1000" | jq '.data | length'; }
realtime_count() { echo $((4 + 2 * $(active_campaigns) + 12 + 12)); }
assert_json_removed() { assert_regex "$output" "Removed +$1"; }

@test "4: messages" {
	warmed messages 24
	has message 12 'message:[^:]+' 300 10
	has conversation 12 'conversation:[^:]+' 300 10
	local id
	id=$(rcli --scan --pattern 'message:*' | head -1)
	cc_run get message "${id#message:}"
	assert_exit 0
	assert_json '[has("conversation_id", "provider", "direction", "status", "body", "meta_data")] | all' true
	unset REDIS_URL # its own configuration: REDIS_HOST, REDIS_PORT, REDIS_DB, REDIS_PASSWORD
	TCP=1 REDIS_NAME=tcp start_redis --requirepass sesame
	export REDIS_HOST=127.0.0.1 REDIS_PORT=$REDIS_TCP_PORT REDIS_DB=2 REDIS_PASSWORD=sesame
	cc_run warm message -o json
	assert_exit 0
	assert_json .target "127.0.0.1:$REDIS_TCP_PORT/2"
	assert_equal "$(redis-cli -p "$REDIS_TCP_PORT" -a sesame --no-auth-warning -n 2 --scan | grep -vc "^cc:")" 12
}

@test "5: leads" {
	local phones organizations
	phones=$(curl -sS "$UPSTREAM_URL/rpc/phones_page?limit=1000" | jq '.data | length')
	warmed leads $((5 * 12 + phones))
	has lead 12 '[0-9]+:[0-9a-f-]{36}' 300 10
	has org-by-phone "$phones" 'bici:org:[+]?[0-9]+' 600 10
	has lead-context 12 'bici:ctx:[^:]+' 300 10
	has lead-conversations 12 'bici:conv:[^:]+:(5|10)' 300 10
	has lead-session 12 'bici:sess:[^:]+' 120 10
	has lead-greeting 12 'bici:greet:[^:]+' 300 10
	# lead.updated by hand: every limit of one lead, nobody else's
	local lead
	lead=$(rcli --scan --pattern 'bici:conv:*' | head -1)
	lead=${lead#bici:conv:} lead=${lead%:*}
	rcli SET "bici:conv:$lead:99" '[]' EX 100 >/dev/null
	cc_run invalidate lead-conversations --where leadId="$lead" --yes -o json
	assert_json .removed 2
	assert_equal "$(key_count 'bici:conv:*')" 11
	# the same result cached and uncached
	local phone org
	read -r phone org < <(curl -sS "$UPSTREAM_URL/rpc/leads_page" | jq -r '.data[0] | "\(.phone) \(.organization_id)"')
	"$CCACHE" get lead "$phone" "$org" >"$DIR/cached"
	REDIS_ENABLED=false "$CCACHE" get lead "$phone" "$org" >"$DIR/uncached"
	assert_equal_files "$DIR/cached" "$DIR/uncached"
}

@test "all five at once: the patterns overlap, the keys do not mix" {
	cc_run warm --all -o json
	assert_exit 0
	assert_adds_up
	local stored
	stored=$(($(jq .stored <<<"$output") + 1)) # and the set of human sessions
	jq -c '[.namespaces[] | {(.namespace): .stored}] | add + {"human-sessions": 1}' <<<"$output" >"$DIR/stored"
	assert_equal "$(key_count)" "$stored"
	cc_run inspect -o json
	assert_equal "$(jq -S -c '[.namespaces[] | select(.keys > 0) | {(.namespace): .keys}] | add' <<<"$output")" "$(jq -S -c . "$DIR/stored")"
	# every namespace's keys dropped on their own leave the others' whole
	cc_run invalidate lead-session --all --yes -o json
	assert_json .removed 12
	cc_run invalidate lead --all --yes -o json
	assert_json .removed 12
	assert_equal "$(key_count)" $((stored - 24))
	cc_run stats --scan -o json
	assert_json "[.namespaces[].keys] | add == $stored - 24" true
}
