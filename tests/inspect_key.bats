#!/usr/bin/env bats
# inspect of one key: everything there is to know about it.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

@test "TTL against policy, as a bar" {
	rcli SET call:logs:half '{}' EX 150 >/dev/null
	cc_run inspect call-logs half
	assert_exit 0
	assert_regex "$output" 'Left +█+.* (4|5)[0-9] % of 5m'
	LC_ALL=C cc_run inspect call-logs half
	assert_regex "$output" 'Left +#+ (4|5)[0-9] % of 5m'
	rcli EXPIRE call:logs:half 900 >/dev/null
	cc_run inspect call-logs half
	assert_regex "$output" 'of 5m, longer than its policy'
	rcli PERSIST call:logs:half >/dev/null
	cc_run inspect call-logs half
	[[ $output != *Left* && $output == *'lives for ever'* ]] || fail "$output"
}

@test "a type that is not the declared one is said to be none" {
	rcli RPUSH call:logs:list x >/dev/null
	cc_run inspect call-logs list
	assert_regex "$output" 'Type +list, not string as declared'
	cc_run inspect call-logs list -o json
	assert_json .type list
}

@test "slot and sidecar" {
	rcli SET call:logs:a '{}' EX 100 >/dev/null
	rcli SET 'cc:m:{call:logs:a}11:call:logs:a' "v:$(printf 'x%.0s' {1..40})"$'\n"tag-1"\nMon, 01 Jan 2024' EX 150 >/dev/null
	cc_run inspect call-logs a -o json
	assert_exit 0
	# redis.io's CLUSTER KEYSLOT, by hand: the program's is tested against vectors elsewhere
	assert_json '.slot >= 0 and .slot < 16384' true
	assert_json '[.relations[] | [.relation, .namespace, .key, .holds, .detail]]' \
		'[["sidecar",null,"cc:m:{call:logs:a}11:call:logs:a",true,"ETag \"tag-1\", last modified Mon, 01 Jan 2024"]]'
	assert_json '.relations[0].ttl_ms > 100000' true
	rcli SET 'cc:m:{call:logs:a}11:call:logs:a' f:abc EX 150 >/dev/null
	cc_run inspect call-logs a
	[[ $output == *'a fetch is under way'* ]] || fail "$output"
	rcli DEL 'cc:m:{call:logs:a}11:call:logs:a' >/dev/null
	cc_run inspect call-logs a -o json
	assert_json .relations '[]'
}

@test "an index, a set, a member: where they lead and whether it is there" {
	rcli SET bici:sess:call:lead:L1 S1 EX 100 >/dev/null
	cc_run inspect call-session-by-lead L1 -o json
	assert_json '[.relations[] | [.relation, .namespace, .key, .holds]]' '[["leads to","call-session","bici:sess:call:S1",false]]'
	rcli SET bici:sess:call:S1 '{}' EX 100 >/dev/null
	cc_run inspect call-session-by-lead L1 -o json
	assert_json '.relations[0].holds' true
	rcli SET bici:sess:call:lead:L1 a:b EX 100 >/dev/null
	cc_run inspect call-session-by-lead L1 -o json
	assert_json '.relations[0] | [.key, .holds, (.detail | contains("may not hold"))]' '[null,false,true]'
	rcli SET bici:sess:human:L1 '{}' EX 100 >/dev/null
	cc_run inspect human-session L1 -o json
	assert_json '[.relations[] | [.relation, .key, .holds]]' '[["listed in","bici:sess:human:all",false]]'
	rcli SADD bici:sess:human:all L1 >/dev/null
	cc_run inspect human-session L1
	assert_regex "$output" 'listed in +human-sessions +bici:sess:human:all +yes'
	cc_run inspect human-sessions -o json
	assert_json '[.relations[] | [.relation, .namespace]]' '[["lists","human-session"]]'
}

@test "collections by the page, of every type" {
	local i members=() fields=() scores=()
	for ((i = 0; i < 1000; i++)); do
		members+=("m$i")
		fields+=("f$i" "v$i")
		scores+=("$i" "m$i")
		echo "XADD stream $((i + 1))-1 n $i"
	done | rcli >/dev/null
	for ((i = 0; i < 1000; i++)); do
		members+=("m$i")
		fields+=("f$i" "v$i")
		scores+=("$i" "m$i")
	done
	rcli HSET hash "${fields[@]}" >/dev/null
	rcli SADD set "${members[@]}" >/dev/null
	rcli ZADD zset "${scores[@]}" >/dev/null
	rcli RPUSH list "${members[@]}" >/dev/null
	local key
	for key in hash set zset list stream; do
		cc_run inspect --key $key --limit 0 -o json
		assert_exit 0
		assert_no_stderr
		assert_json '[.length, (.items | length), ([.items[] | [.name, .value]] | unique | length), .cut]' '[1000,1000,1000,false]'
		cc_run inspect --key $key --limit 300 -o json
		assert_json '[(.items | length), .cut]' '[300,true]'
		assert_stderr_line 'the first 300 of 1000 elements; --limit 0 shows all'
		cc_run inspect --key $key -o json
		assert_json '.items | length' 100
		cc_run inspect --key $key --limit 0 -o csv
		assert_equal "${#lines[@]}" 1001
	done
	# in their order
	cc_run inspect --key zset --limit 0 -o json
	assert_json '[.items[0].value, .items[999].value, .items[999].name]' '["m0","m999","999"]'
	cc_run inspect --key list --limit 0 -o json
	assert_json '[.items[256].name, .items[256].value]' '["256","m256"]'
	cc_run inspect --key stream --limit 0 -o json
	assert_json '[.items[0].name, .items[999].value]' '["1-1","n 999"]'
}

@test "a hash: how many of its fields have a TTL, and the nearest, where the server knows such" {
	rcli EVAL "for i = 1, 600 do redis.call('HSET', 'fields', 'f' .. i, i) end" 0 >/dev/null
	rcli HSET plain a 1 >/dev/null
	if [[ $(rcli HEXPIRE fields 1000 FIELDS 2 f1 f600 2>&1) != *unknown* ]]; then
		rcli HEXPIRE fields 500 FIELDS 1 f300 >/dev/null
		cc_run inspect --key fields --limit 0 -o json
		assert_json '[.fields_with_ttl, .field_ttl_min_ms > 300000, .field_ttl_min_ms <= 500000, (.items | length)]' '[3,true,true,600]'
		cc_run inspect --key fields --limit 0
		assert_regex "$output" 'Fields with a TTL +3'
		assert_regex "$output" 'Nearest field TTL +([78]m|[45]00)'
		cc_run inspect --key fields --limit 599
		assert_regex "$output" 'Of those read with a TTL +[1-3]'
	else
		cc_run inspect --key fields -o json
		assert_json '[.fields_with_ttl, .field_ttl_min_ms]' '[null,null]'
		[[ $stderr != *HPTTL* ]]
	fi
	cc_run inspect --key plain
	[[ $output != *[Ff]ield* ]] || fail "$output"
}

@test "large elements: cut with a notice, and never many in one answer" {
	local i
	head -c 300000 /dev/zero | tr '\0' x >large
	for i in 1 2 3 4 5 6 7 8; do rcli -x RPUSH list <large >/dev/null; done
	cc_run inspect --key list --max-value 10 -o json
	assert_exit 0
	assert_json '[(.items | length), ([.items[].value | length] | max), .cut]' '[8,10,true]'
	assert_stderr_line 'elements are cut at 10 bytes'
	# about a MiB each: not all eight at once
	run rcli INFO commandstats
	assert_regex "$output" 'cmdstat_lrange:calls=[3-9]'
	rcli -x SET string <large >/dev/null
	cc_run inspect --key string -o json
	assert_json '[(.value | length), .cut]' '[65536,true]'
	assert_stderr_line 'cut at 65536 bytes of 300000'
}

@test "idle time and frequency come before the value" {
	rcli CONFIG SET maxmemory-policy allkeys-lfu >/dev/null
	rcli SET call:logs:a '{}' EX 100 >/dev/null
	cc_run inspect call-logs a -o json
	assert_json '.frequency >= 0' true
	assert_json .idle_s null
	rcli MONITOR >monitor.log 3>&- &
	PIDS+=($!)
	wait_for grep -q OK monitor.log
	cc_run inspect call-logs a -o json
	wait_for grep -qi getrange monitor.log
	run grep -niE '"(object|getrange)"' monitor.log
	assert_regex "${lines[0]}" '[Oo][Bb][Jj][Ee][Cc][Tt]'
	assert_regex "$(grep -iE '"(object|getrange)" .*call:logs:a"' monitor.log | tail -1)" '[Gg][Ee][Tt][Rr][Aa][Nn][Gg][Ee]'
}

@test "a user without rights: fewer fields, no failure" {
	rcli SET bici:sess:human:L1 '{}' EX 100 >/dev/null
	rcli ACL SETUSER reader on '>pw' '%R~bici:*' +@all -object -memory -sismember >/dev/null
	REDIS_URL=unix://reader:pw@$REDIS_SOCKET cc_run inspect human-session L1 -o json
	assert_exit 0
	assert_json '[.bytes, .encoding, .relations[0].holds, (.relations | length)]' '[null,null,null,1]'
	assert_json .value '{}'
}

# as RULES: a user of these rules beside what connecting takes.
as() {
	rcli ACL SETUSER eye reset on '>pw' '~*' +@connection "$@" >/dev/null
	export REDIS_USERNAME=eye REDIS_PASSWORD=pw
}

@test "a user without TYPE: the length commands tell it; what may not be run is named" {
	local key
	rcli SET call:logs:a '{"a":1}' >/dev/null
	rcli SET call:logs:none '' >/dev/null
	rcli HSET bici:hash f v >/dev/null
	rcli SADD bici:set m n >/dev/null
	rcli XADD bici:stream 1-1 f v >/dev/null
	as +@read -type
	for key in call:logs:a:string call:logs:none:string bici:hash:hash bici:set:set bici:stream:stream; do
		cc_run inspect --key "${key%:*}" -o json
		assert_exit 0
		assert_no_stderr
		assert_json .type "${key##*:}"
	done
	cc_run inspect --key bici:nothing
	assert_exit 1
	assert_stderr_line 'is not in Redis'
	as +@read -type -hlen -hscan -object
	cc_run inspect --key bici:hash -o json
	assert_exit 0
	assert_stderr_line 'this user may not run OBJECT or TYPE: fewer fields'
	assert_json '[.exists, .type, .length, .ttl_ms, .bytes > 0, .items, .cut]' '[true,null,null,null,true,[],true]'
	as +@read -hscan
	cc_run inspect --key bici:hash
	assert_exit 0
	assert_stderr_line 'may not run HSCAN'
	assert_regex "$output" 'Cut +yes'
	[[ $output != *$'\n\n'none* ]] || fail "$output"
}

@test "a user with GET alone sees the value; one without, everything else" {
	rcli SET call:logs:a '{"a":1}' EX 100 >/dev/null
	rcli SET call:logs:none '' >/dev/null
	rcli HSET bici:hash f v >/dev/null
	as +get +scan
	cc_run inspect --key call:logs:a -o json
	assert_exit 0
	assert_json '[.exists, .type, .ttl_ms, .length, .cut, .value]' '[true,"string",null,7,false,{"a":1}]'
	assert_stderr_line 'this user may not run OBJECT, PTTL or MEMORY USAGE: fewer fields'
	cc_run inspect --key call:logs:a --max-value 3 -o json
	assert_json '[.length, .cut]' '[7,true]'
	cc_run inspect --key call:logs:a --raw
	assert_exit 0
	assert_no_stderr
	assert_output '{"a":1}'
	cc_run inspect --key call:logs:none -o json
	assert_json '[.exists, .value]' '[true,""]'
	cc_run inspect --key call:logs:nothing
	assert_exit 1
	cc_run inspect --key bici:hash -o json
	assert_exit 0
	assert_json '[.exists, .type]' '[true,null]'
	as +@read -get -getrange
	cc_run inspect --key call:logs:a -o json
	assert_exit 0
	assert_json '[.type, .length, .ttl_ms > 0, .value]' '["string",7,true,null]'
	assert_stderr_line 'may not run GETRANGE or GET: fewer fields'
	cc_run inspect --key call:logs:a --raw
	assert_exit 4
	assert_stderr_line 'may not read'
	as +@read -getrange
	cc_run inspect --key call:logs:a --max-value 5 -o json # longer than that: no GET of the whole
	assert_json '[.length, .value]' '[7,null]'
	as +scan
	cc_run inspect --key call:logs:a
	assert_exit 4
	assert_stderr_line NOPERM
	as resetkeys '~other:*' +@read
	cc_run inspect --key call:logs:a
	assert_exit 4
	assert_stderr_line NOPERM
}
