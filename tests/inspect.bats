# ccache inspect: the overview's numbers, listings, and one key of every type.
load helpers
load verbs
load link/link

setup() {
	sandbox
	on_redis --enable-debug-command yes
}

# of NAMESPACE JQ: something of a namespace's row.
of() { jq -c --arg ns "$1" ".namespaces[] | select(.namespace == \$ns) | $2" <<<"$output"; }

overview() {
	cc_run inspect -o json "$@"
	assert_exit 0
}

@test "an empty database" {
	overview
	assert_json '[.schema, .target, .keys, .own_keys, .complete]' "[\"ccache.inspect/1\",\"unix:$REDIS_SOCKET/0\",0,0,true]"
	assert_json '.namespaces | length' 29
	assert_json '[.namespaces[] | .keys, .bytes, .no_ttl] | unique' '[0]'
	cc_run inspect
	assert_exit 0
}

@test "the overview against keys written by hand" {
	rcli SET call:logs:a x PX 250000 >/dev/null
	rcli SET call:logs:b x PX 59000 >/dev/null
	rcli SET call:logs:c x PX 200000 >/dev/null
	rcli SET call:logs:d "$(head -c 5000 /dev/zero | tr '\0' x)" PX 900000 >/dev/null # policy: 5 min
	rcli SET call:logs:e x >/dev/null
	rcli SADD bici:sess:human:all a b >/dev/null
	rcli SET stray 1 >/dev/null
	rcli SET $'stray\377\n' 1 EX 100 >/dev/null
	rcli SET 'cc:m:{call:logs:a}11:call:logs:a' etag EX 100 >/dev/null
	overview
	assert_json '[.keys, .own_keys, .complete]' '[8,1,true]'
	assert_equal "$(of call-logs '[.keys, .no_ttl, .over_policy, .expiring_10s, .expiring_60s, .largest_key]')" '[5,1,1,0,1,"call:logs:d"]'
	assert_equal "$(of call-logs '.ttl_min_ms > 0 and .ttl_min_ms <= 59000 and .ttl_max_ms > 600000 and .ttl_max_ms <= 900000')" true
	assert_equal "$(of call-logs .largest_bytes)" "$(rcli MEMORY USAGE call:logs:d)"
	local bytes=0 key
	for key in a b c d e; do bytes=$((bytes + $(rcli MEMORY USAGE call:logs:$key))); done
	assert_equal "$(of call-logs .bytes)" $bytes
	assert_equal "$(of human-sessions '[.keys, .no_ttl]')" '[1,1]'
	assert_equal "$(of '(unclassified)' '[.keys, .no_ttl, .over_policy]')" '[2,1,0]'
	assert_json '[.namespaces[].keys] | add' 8
}

@test "the overview in every format" {
	rcli SET call:logs:a x PX 250000 >/dev/null
	cc_run inspect
	assert_exit 0
	[[ $output == *call-logs* && $output != *human-sessions* ]] || fail "$output"
	cc_run inspect -o ndjson
	assert_equal "$(jq -s 'map(select(.namespace)) | length' <<<"$output")" 29
	cc_run inspect -o csv
	[[ $output == *$'\ncall-logs,1,'* ]] || fail "$output"
	cc_run inspect -o prom
	[[ $output == *'callcache_keys{namespace="call-logs"} 1'* ]] || fail "$output"
}

@test "one namespace, its keys only" {
	rcli MSET bici:sess:L1 1 bici:sess:call:L1 2 bici:sess:call:lead:L1 3 bici:sess:human:L1 4 bici:sess:human:all 5 bici:sess:sms:L1 6 >/dev/null
	local pair
	for pair in lead-session=bici:sess:L1 call-session=bici:sess:call:L1 call-session-by-lead=bici:sess:call:lead:L1 \
		human-session=bici:sess:human:L1 sms-session=bici:sess:sms:L1; do
		cc_run inspect "${pair%%=*}" -o json
		assert_exit 0
		assert_json '[.keys[].key]' "[\"${pair#*=}\"]"
		assert_json '[.keys[].namespace, .listed, .complete]' "[\"${pair%%=*}\",1,true]"
	done
	cc_run inspect mesage
	assert_exit 2
	assert_stderr_line "did you mean 'message'"
}

@test "--where, --match, --limit" {
	local i
	for i in 1 2 3 4 5; do rcli MSET bici:conv:L$i:5 x bici:conv:L$i:10 x >/dev/null; done
	rcli PEXPIRE bici:conv:L3:5 50000 >/dev/null
	cc_run inspect lead-conversations --where leadId=L3 -o json
	assert_json '[.keys[].key] | sort' '["bici:conv:L3:10","bici:conv:L3:5"]'
	assert_json '[.keys[] | select(.ttl_ms) | .ttl_ms > 40000]' '[true]'
	cc_run inspect lead-conversations L3 -o json
	assert_json .listed 2
	cc_run inspect lead-conversations --where limit=5 --where leadId='*' -o json
	assert_json .listed 5
	cc_run inspect --match '*:L[12]:*' -o json
	assert_json .listed 4
	cc_run inspect --match 'nothing*' -o json
	assert_exit 0
	assert_json .listed 0
	cc_run inspect lead-conversations --limit 3 -o json
	assert_json '[.listed, .complete]' '[3,false]'
	assert_stderr_line '--limit 0'
	cc_run inspect lead-conversations --limit 10 -o json
	assert_json '[.listed, .complete]' '[10,true]'
	assert_no_stderr
	local bad
	for bad in '--where leadId=L1' 'lead-conversations --where lead=L1' 'lead-conversations --where leadId=' 'message a b' 'message --key x' '--key a --match b'; do
		# shellcheck disable=SC2086 # words are meant
		cc_run inspect $bad
		assert_exit 2
	done
}

@test "one key of each type" {
	rcli SET s '{"a":[1.10,12345678901234567890]}' EX 100 >/dev/null
	rcli HSET h f1 v1 f2 v2 >/dev/null
	rcli SADD set m1 m2 >/dev/null
	rcli ZADD z 1.5 one 2 two >/dev/null
	rcli RPUSH l a b c >/dev/null
	rcli XADD x 5-1 field value >/dev/null
	cc_run inspect --key s -o json
	assert_json '[.type, .exists, .length, .encoding, .cut]' "[\"string\",true,33,\"$(rcli OBJECT ENCODING s)\",false]"
	assert_json '.ttl_ms > 90000 and .bytes > 0 and .idle_s >= 0' true
	[[ $output == *'{"a":[1.10,12345678901234567890]}'* ]] || fail "$output"
	local pair
	for pair in 'h=[["f1","v1"],["f2","v2"]]' 'set=[[null,"m1"],[null,"m2"]]' 'z=[["1.5","one"],["2","two"]]' \
		'l=[["0","a"],["1","b"],["2","c"]]' 'x=[["5-1","field value"]]'; do
		cc_run inspect --key "${pair%%=*}" -o json
		assert_exit 0
		assert_json '[.items[] | [.name, .value]] | sort' "${pair#*=}"
		assert_json '[.ttl_ms, .exists, .cut]' '[null,true,false]'
		cc_run inspect --key "${pair%%=*}" --raw
		assert_exit 2
	done
	cc_run inspect --key s
	assert_exit 0
	[[ $output == *'  "a": ['* ]] || fail "not pretty: $output"
}

@test "a namespace and its vars: policy beside the TTL" {
	rcli SET call:logs:a '[]' EX 1000 >/dev/null
	cc_run inspect call-logs a -o json
	assert_exit 0
	assert_json '[.key, .namespace, .ttl_limit_ms]' '["call:logs:a","call-logs",300000]'
	cc_run inspect call-logs nobody -o json
	assert_exit 1
	assert_json '[.exists, .key]' '[false,"call:logs:nobody"]'
	assert_stderr_line "'call:logs:nobody' is not in Redis"
	cc_run inspect human-sessions
	assert_exit 1
	cc_run inspect call-logs a:b
	assert_exit 2
}

@test "binary keys and values, exact with --raw, harmless on a terminal" {
	printf 'a\0b\377\r\n\033[2J\001' >"$DIR/want"
	redis-cli -s "$REDIS_SOCKET" -x SET $'k\377\033[2J\n' <"$DIR/want" >/dev/null
	"$CCACHE" inspect --key $'k\377\033[2J\n' --raw >"$DIR/got"
	assert_equal_files "$DIR/want" "$DIR/got"
	local format
	for format in table json ndjson csv; do
		cc_run inspect --key $'k\377\033[2J\n' -o $format
		assert_exit 0
		[[ $output != *[$'\033\001\r']* ]] || fail "control bytes with -o $format"
	done
	cc_run inspect --match 'k*' -o ndjson
	[[ $output != *$'\033'* ]] || fail "$output"
	assert_equal "$(jq -rs '.[0] | .key_base64 // .key' <<<"$output")" "$(printf 'k\377\033[2J\n' | base64)"
	rcli HSET bh $'f\377' $'v\033[1m' >/dev/null
	cc_run inspect --key bh
	[[ $output != *$'\033'* ]] || fail "$output"
	cc_run inspect --key absent --raw
	assert_exit 1
	assert_equal "$output" ''
}

@test "--max-value cuts and says so" {
	head -c 100000 /dev/urandom >"$DIR/want"
	redis-cli -s "$REDIS_SOCKET" -x SET big <"$DIR/want" >/dev/null
	truncate -s 100000 "$DIR/want"
	"$CCACHE" inspect --key big --raw --max-value 1000 >"$DIR/got" 2>"$DIR/err"
	assert_equal "$(wc -c <"$DIR/got")" 1000
	cmp -n 1000 "$DIR/want" "$DIR/got"
	grep -q 'cut at 1000 bytes of 10000[01]; raise --max-value' "$DIR/err"
	"$CCACHE" inspect --key big --raw --max-value 1MiB >"$DIR/got" 2>"$DIR/err"
	cmp -n 100000 "$DIR/want" "$DIR/got"
	assert_equal "$(<"$DIR/err")" ''
	cc_run inspect --key big -o json
	assert_json .cut true
	cc_run inspect --key big
	assert_stderr_line 'raise --max-value'
	seq 1000 | sed 's/^/SADD many /' | rcli >/dev/null
	cc_run inspect --key many -o json
	assert_json '[.cut, .length, (.items | length)]' '[true,1000,100]'
	assert_stderr_line 'the first 100 of 1000 elements'
	rcli RPUSH wide "$(head -c 2000 /dev/zero | tr '\0' x)" >/dev/null
	cc_run inspect --key wide --max-value 1KiB -o json
	assert_json '[.cut, (.items[0].value | length)]' '[true,1024]'
	assert_stderr_line 'elements are cut at 1024 bytes; raise --max-value'
}

@test "100,000 keys: complete in every way, while another client writes and deletes" {
	rcli DEBUG POPULATE 100000 call:logs 8 >/dev/null
	overview
	assert_json '[.keys, .complete]' '[100000,true]'
	assert_equal "$(of call-logs '[.keys, .no_ttl]')" '[100000,100000]'
	cc_run inspect call-logs --limit 0 -o ndjson
	assert_exit 0
	assert_equal "$(jq -r 'select(.key) | .key' <<<"$output" | sort -u | wc -l)" 100000
	(while :; do rcli EVAL 'for i = 1, 200 do redis.call("SET", "message:" .. math.random(5000), "x", "PX", math.random(3)) end' 0; done >/dev/null 2>&1) &
	local pid=$!
	PIDS+=("$pid")
	overview
	stop "$pid"
	assert_json .complete true
	(($(of call-logs .keys) >= 100000)) || fail "$(of call-logs .)"
	assert_no_stderr
}

@test "no MEMORY USAGE, no OBJECT: what may be learnt is shown, the rest is said" {
	rcli SET call:logs:a x >/dev/null
	rcli ACL SETUSER eye on '>pw' '~*' +@connection +scan +pttl +type +get +getrange +strlen >/dev/null
	export REDIS_USERNAME=eye REDIS_PASSWORD=pw
	overview
	assert_stderr_line 'MEMORY USAGE'
	assert_equal "$(of call-logs '[.keys, .bytes]')" '[1,null]'
	cc_run inspect call-logs a -o json
	assert_exit 0
	assert_json '[.value, .bytes, .idle_s, .type]' '["x",null,null,"string"]'
	rcli ACL SETUSER eye -scan >/dev/null
	cc_run inspect
	assert_exit 4
	assert_stderr_line NOPERM
}

@test "REDIS_ENABLED=false: exit 4" {
	REDIS_ENABLED=false cc_run inspect
	assert_exit 4
	assert_stderr_line REDIS_ENABLED
}

@test "Redis lost in the middle: exit 4, the overview says that it is not complete" {
	rcli DEBUG POPULATE 20000 call:logs 8 >/dev/null
	start_link --at SCAN:3 --do hold
	TIMEOUT=1s start_run inspect -o json
	wait_for held_or_over
	kill -KILL "$REDIS_PID"
	release
	end_run
	assert_exit 4
	assert_json '[.complete, .keys > 0, .keys < 20000]' '[false,true,true]'
}

@test "one key for people: what it is, a blank line, its value" {
	rcli SET call:logs:a '{"a":1}' EX 100 >/dev/null
	rcli SET call:logs:empty '' >/dev/null
	cc_run inspect call-logs a
	assert_exit 0
	assert_regex "$output" 'Idle +[0-9]+m?s'
	[[ $output == *$'\n\n{\n  "a": 1\n}' ]] || fail "$output"
	"$CCACHE" inspect call-logs empty >"$DIR/empty"
	[[ $(tail -1 "$DIR/empty") ]] || fail "a blank line and nothing behind it"
}
