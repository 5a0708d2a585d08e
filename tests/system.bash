# shellcheck shell=bash disable=SC2034,SC2154 # bats and the test files set and use these
# What the systems' test files share; they load it behind helpers and verbs.

# api_count PATH: how many things the upstream's list there has.
api_count() { curl -fsS "$UPSTREAM_URL$1?limit=1000" | jq '.data | length'; }
# api_value PATH: what the upstream says there, as it is.
api_value() { curl -fsS "$UPSTREAM_URL$1"; }

# event NAME DATA [options]: JSON on stdout.
event() { cc_run invalidate -o json --event "$1" --data "$2" "${@:3}"; }

# warmed STORED [MORE]: warms all of $CALLCACHE_PROFILE; as many keys are stored, MORE sets list them; every one is
# classified, has its TTL, and stands in $DIR/keys.
warmed() {
	local keys=$(($1 + ${2:-0}))
	WARMED_MS=$((${EPOCHREALTIME/./} / 1000))
	cc_run warm --all -o json
	assert_exit 0
	assert_adds_up
	assert_json '[.stored == .requested, .stored]' "[true,$1]"
	cc_run inspect -o json
	assert_json '[.keys, .complete]' "[$keys,true]"
	assert_json '[.namespaces[] | select(.namespace == "(unclassified)") | .keys]' '[0]'
	assert_json '[.namespaces[] | .no_ttl, .over_policy] | unique' '[0]'
	cc_run inspect --match '*' --limit 0 -o ndjson
	AGED_MS=$((${EPOCHREALTIME/./} / 1000 - WARMED_MS + 1000)) # at most so old, by a server whose clock ticks in steps
	jq -c 'select(.key)' <<<"$output" >"$DIR/keys"
	assert_equal "$(wc -l <"$DIR/keys")" "$keys"
}

# has NAMESPACE COUNT PATTERN SECONDS [JITTER_PERCENT]: of $DIR/keys so many are of it, all of that shape; their TTL is
# at most SECONDS, and at least that less its jitter and the time that has gone by.
has() {
	local ns=$1 count=$2 pattern=$3 seconds=$4 jitter=${5:-0}
	jq -e -s --arg ns "$ns" --arg pattern "^($pattern)\$" --argjson count "$count" --argjson ms "$((seconds * 1000))" --argjson jitter "$jitter" \
		--argjson aged "$AGED_MS" '
		map(select(.namespace == $ns)) | length == $count
			and all(.[]; .key | test($pattern))
			and all(.[]; .ttl_ms <= $ms and .ttl_ms >= $ms * (100 - $jitter) / 100 - $aged)' "$DIR/keys" >/dev/null ||
		fail "$ns: expected $count keys like $pattern for $seconds s, got $(jq -c -s --arg ns "$ns" 'map(select(.namespace == $ns))' "$DIR/keys")"
}

# ttl_at_most KEY MS: it is there, and lives no longer.
ttl_at_most() {
	local ttl
	ttl=$(rcli PTTL "$1")
	((ttl > 0 && ttl <= $2)) || fail "PTTL $1 is $ttl, not within 1..$2"
}

# same_without_redis ARGS…: the same bytes and exit code uncached, cached, and with the cache switched off.
same_without_redis() {
	local code=(0 0 0)
	"$CCACHE" "$@" >"$DIR/miss" 2>/dev/null || code[0]=$?
	"$CCACHE" "$@" >"$DIR/hit" 2>/dev/null || code[1]=$?
	REDIS_ENABLED=false "$CCACHE" "$@" >"$DIR/off" 2>/dev/null || code[2]=$?
	assert_equal "$* ${code[1]} ${code[2]}" "$* ${code[0]} ${code[0]}"
	assert_equal_files "$DIR/miss" "$DIR/hit"
	assert_equal_files "$DIR/miss" "$DIR/off"
}

# application KEY…: an application that reads these keys in turn, over and over; its pid in $APPLICATION.
application() {
	in_background app.log python3 "$ROOT/tests/traffic/reads.py" "$REDIS_SOCKET" "$@"
	APPLICATION=$STARTED
	wait_for application_reads
}
application_reads() { [[ $(rcli CLIENT LIST) == *cmd=get* ]]; }

# times N WORD…: the words N times, one a line.
times() { for ((n = 0; n < $1; n++)); do printf '%s\n' "${@:2}"; done; }

# A sample that ends after so many commands, however long they take, judged by the targets.
sample_targets() { cc_run stats --sample 10m --max-lines 2000 --max-latency 0 --check "$@"; }
