# The program's own counters: what get, warm and invalidate did, per namespace.
load helpers
load verbs

setup() {
	sandbox
	start_system
	api_config "$THING, \"note\": { \"key\": \"note:{id}\", \"ttl\": \"5m\" }"
	set_data /things/1 '{"id":1}'
	set_data /things/2 '{"id":2}'
}

# counted FIELD [NAMESPACE]: one figure as it stands in Redis, 0 when it is not there.
counted() {
	local value
	value=$(rcli HGET "cc:c:${2-thing}" "$1")
	echo "${value:-0}"
}

@test "get: hits, misses, what was fetched and stored" {
	cc_run get thing 1
	assert_exit 0
	assert_equal "$(counted get.miss) $(counted get.hit) $(counted fetch.ok) $(counted set.ok)" '1 0 1 1'
	cc_run get thing 1
	cc_run get thing 1
	assert_equal "$(counted get.miss) $(counted get.hit) $(counted fetch.ok) $(counted set.ok)" '1 2 1 1'
	cc_run get thing 1 --refresh # was not looked up: neither hit nor miss
	assert_equal "$(counted get.miss) $(counted get.hit) $(counted fetch.ok) $(counted set.ok)" '1 2 2 2'
	cc_run get thing 2 --no-fetch
	assert_exit 1
	assert_equal "$(counted get.miss) $(counted fetch.ok)" '2 2'
	cc_run get thing 3
	assert_exit 3
	assert_equal "$(counted get.miss) $(counted fetch.absent) $(counted fetch.error)" '3 1 0'
	fault status path=/things/2 value=400
	cc_run get thing 2
	assert_exit 3
	assert_equal "$(counted get.miss) $(counted fetch.error)" '4 1'
	(($(counted since_ms) > 1700000000000)) || fail "$(counted since_ms)"
}

@test "warm: the report's figures; --ephemeral counts nothing" {
	printf '%s\n' 1 2 3 >ids
	cc_run warm thing --ids ids -o json
	assert_exit 3
	assert_json '[.stored, .absent]' '[2,1]'
	assert_equal "$(counted set.ok) $(counted fetch.ok) $(counted fetch.absent)" '2 2 1'
	cc_run warm thing 1 --ephemeral
	assert_exit 0
	assert_equal "$(counted set.ok)" 2
	printf '{"ns":"note","vars":{"id":"%s"},"value":{}}\n' 1 2 3 >rows.ndjson
	cc_run warm --from rows.ndjson
	assert_exit 0
	assert_equal "$(counted set.ok note) $(counted fetch.ok note)" '3 0'
}

@test "warm of a thousand items sends a handful of commands for its counters" {
	seq 1000 | sed 's|.*|{"ns":"note","vars":{"id":"&"},"value":1}|' >rows.ndjson
	cc_run warm --from rows.ndjson
	assert_exit 0
	assert_equal "$(counted set.ok note)" 1000
	run rcli INFO commandstats
	assert_output --partial 'cmdstat_hincrby:calls=1,'
}

@test "invalidate: ids, a namespace, keys of one and of several namespaces" {
	rcli MSET thing:1 a thing:2 b thing:3 c note:1 d note:2 e stray f >/dev/null
	cc_run invalidate thing 1 9 --yes
	assert_exit 0
	assert_equal "$(counted invalidate.ok)" 1
	cc_run invalidate thing --all --yes
	assert_equal "$(counted invalidate.ok)" 3
	cc_run invalidate --key note:1 --yes
	assert_equal "$(counted invalidate.ok note)" 1
	cc_run invalidate --key note:2 --key stray --yes
	assert_equal "$(counted invalidate.ok note) $(counted invalidate.ok '')" '1 2' # of several together nobody knows whose
}

@test "who may not write counters works on without them" {
	rcli ACL SETUSER eye on '>pw' '~thing:*' '~cc:m:*' +@all >/dev/null
	REDIS_USERNAME=eye REDIS_PASSWORD=pw cc_run get thing 1
	assert_exit 0
	assert_no_stderr
	assert_equal "$output" '{"id":1}'
	assert_equal "$(rcli EXISTS cc:c:thing)" 0
}

@test "with the cache switched off nothing is counted" {
	REDIS_ENABLED=false cc_run get thing 1
	assert_exit 0
	assert_equal "$(rcli DBSIZE)" 0
}

@test "Redis gone: get answers from the source and does not wait for counters" {
	stop_redis
	cc_run get thing 1
	assert_exit 0
	assert_equal "$output" '{"id":1}'
}
