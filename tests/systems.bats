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
