# ccache inspect over many keys: figures, shapes, estimates, first keys; in small steps, and true when it was cut short.
load helpers
load verbs

setup() {
	sandbox
	on_redis --enable-debug-command yes
}

# of NAMESPACE JQ: something of a namespace's row.
of() { jq -c --arg ns "$1" ".namespaces[] | select(.namespace == \$ns) | $2" <<<"$output"; }

# look OPTIONS: an overview in JSON.
look() {
	cc_run inspect -o json "$@"
	assert_exit 0
}

# fill PREFIX COUNT [MILLISECONDS]: PREFIX1… with that TTL.
fill() {
	rcli EVAL 'for i = 1, ARGV[2] do redis.call("SET", ARGV[1] .. i, "value", unpack(ARGV, 3)) end' 0 "$1" "$2" ${3:+PX "$3"} >/dev/null
}

# Keys with short lives, looked at while they last: the caller tries again when that took too long.
short_lives_are_told() {
	fill call:logs:a 30 9500
	fill call:logs:b 20 55000
	fill call:logs:c 10 7000000
	look
	[[ $(of call-logs '[.keys, .expiring_10s, .expiring_60s]') == '[61,30,50]' ]] || return 1
	assert_equal "$(of call-logs '[.expiring_10s_share, .expiring_60s_share] | map(. * 61 | round)')" '[30,50]'
	assert_equal "$(of call-logs '[.ttl_histogram[].keys] | [(.[0] + .[1]), .[2], .[3], .[4], .[5], .[6]]')" '[30,20,0,0,10,0]'
	assert_equal "$(of call-logs '.worst_second_keys >= 10 and .worst_second_in_s <= 60')" true
	assert_json '[.expiring_10s, .expiring_60s]' '[30,50]'
}

@test "types, lives and the cliff, by hand" {
	rcli SADD call:logs:set x >/dev/null
	rcli SET bici:sess:human:all x PX 100000000 >/dev/null
	wait_for --for 60 short_lives_are_told
	fill call:logs:a 30 7000000
	fill call:logs:b 20 7000000
	look
	assert_json '[.keys, .complete, .exact, .types_sampled, .gone_keys]' '[62,true,true,false,0]'
	assert_equal "$(of call-logs '[.keys, .wrong_type, .types_checked, .no_ttl, .over_policy]')" '[61,1,61,1,60]'
	assert_equal "$(of human-sessions '[.wrong_type, .over_policy]')" '[1,1]'
	# PTTL and TYPE of each: what this adds to the server's hits is what it says
	assert_json .probe_hits 124
	cc_run inspect
	assert_regex "$output" 'NAMESPACE +KEYS +BYTES +NO TTL +OVER +WRONG TYPE'
	assert_regex "$output" 'Hits caused +124'
	fill call:logs:d 40 1800000
	cc_run inspect
	assert_regex "$output" 'Worst second +[0-9]+ keys, in (29m[0-9]+s|30m)'
}

@test "what is caused in the server's hits is what is said" {
	fill message: 500 900000
	local before after
	before=$(rcli INFO stats | tr -d '\r' | sed -n 's/^keyspace_hits://p')
	look
	after=$(rcli INFO stats | tr -d '\r' | sed -n 's/^keyspace_hits://p')
	assert_json .probe_hits $((after - before))
}

@test "unclassified keys by their shape" {
	local i
	for i in 1 2 3 4 5 6 7; do
		rcli MSET "user:$i:cart" x "user:$i:wishlist" x "sess:507f1f77bcf86cd79943901$i" y >/dev/null
	done
	rcli SET "tok:b0c1b1c1-0000-4000-8000-000000000001:x" 1 EX 500 >/dev/null
	rcli SET banner 1 >/dev/null
	rcli SET $'bin\377:\001' 1 >/dev/null
	look
	assert_json '[.shapes[] | [.shape, .keys, .no_ttl]] | sort' \
		'[["banner",1,1],["sess:{id}",7,7],["tok:{id}:x",1,0],["user:{id}:cart",7,7],["user:{id}:wishlist",7,7],["{id}:{id2}",1,1]]'
	assert_json '.shapes | map(.keys) | add' "$(jq '.namespaces[] | select(.namespace == "(unclassified)").keys' <<<"$output")"
	assert_json '[.shapes[] | select(.shape == "tok:{id}:x") | .ttl_max_ms > 400000, .example]' '[true,"tok:b0c1b1c1-0000-4000-8000-000000000001:x"]'
	assert_json .other_shapes_keys 0
	cc_run inspect
	assert_regex "$output" 'SHAPE +KEYS +BYTES'
	assert_regex "$output" 'user:\{id\}:cart +7 '
}

@test "--summary: the figures of a namespace, of some of its keys, of a pattern" {
	fill bici:conv:L1: 20 500000
	fill bici:conv:L2: 10 5000000
	fill message: 30
	look lead-conversations --summary
	assert_json '[.keys, (.namespaces | length), .namespaces[0].namespace, .namespaces[0].keys, .complete]' '[30,1,"lead-conversations",30,true]'
	look lead-conversations --where leadId=L2 --summary
	assert_json '[.namespaces[0].keys, .namespaces[0].ttl_min_ms > 4000000]' '[10,true]'
	look --match 'm*' --summary
	assert_equal "$(of message '[.keys, .no_ttl]')" '[30,30]'
	assert_equal "$(of lead-conversations .keys)" 0
	cc_run inspect lead-conversations --summary
	assert_regex "$output" 'to 10m +20 +66\.7 % +█+'
	LC_ALL=C cc_run inspect lead-conversations --summary
	assert_regex "$output" 'to 10m +20 +66\.7 % +#+'
	local bad
	for bad in '--summary' '--sample 5 message' '--sample 5 --top 3' '--by idle' '--top 0' '--top 5 --limit 3 message' \
		'--by size --top 3' 'message m1 --top 3' '--key x --summary' '--ttl --top 3' '--sample 0'; do
		# shellcheck disable=SC2086 # words are meant
		cc_run inspect $bad
		assert_exit 2
	done
}

@test "--sample: the truth lies within bounds that chance misses once in 10^9 runs" {
	fill message: 20000 9000000
	fill call:logs: 6000
	fill bici:ctx: 3000 9000000
	fill odd:thing: 1000
	rcli SET "call:logs:big" "$(head -c 3000 /dev/zero | tr '\0' x)" >/dev/null
	look
	local whole=$output
	look --sample 3000
	assert_json '[.schema, .keys, .complete]' '["ccache.inspect-sample/1",30001,true]'
	# half the width is 1.96 standard errors: 6.5 of them
	jq -e --argjson whole "$whole" 'all(.namespaces[]; . as $got | ($whole.namespaces[] | select(.namespace == $got.namespace)) as $truth
		| if $truth.keys < 500 then true else
			([$got.keys - $truth.keys | fabs] | .[0]) <= ($got.keys_high - $got.keys_low) / 2 * 6.5 / 1.96 + 1
			and ($got.bytes - $truth.bytes | fabs) <= ($got.bytes_high - $got.bytes_low) / 2 * 6.5 / 1.96 + 3100 * 30
			and $got.keys_low <= $got.keys and $got.keys <= $got.keys_high end)' <<<"$output" || fail "$output"
	assert_json '([.namespaces[].sampled_keys] | add) == .sampled_keys' true
	assert_json '.sampled_keys > 2000 and .sampled_keys < 4500' true
	cc_run inspect --sample 3000
	assert_exit 0
	assert_regex "$output" 'NAMESPACE +KEYS ~ +\+/- +BYTES ~'
	look --sample 20000
	assert_json '[.schema, .keys]' '["ccache.inspect/1",30001]'
	assert_stderr_line 'all were looked at'
}

@test "--top by bytes, idle time, use, life" {
	fill message:b 300 500000
	rcli SET message:huge "$(head -c 5000 /dev/zero | tr '\0' x)" EX 9000 >/dev/null
	rcli SET message:large "$(head -c 3000 /dev/zero | tr '\0' x)" EX 400 >/dev/null
	rcli SET call:logs:forever x >/dev/null
	look --top 2
	assert_json '[.by, .ranked_keys, [.keys[].key], .listed, .complete]' '["bytes",303,["message:huge","message:large"],2,true]'
	assert_json '.keys[0] | [.bytes > 5000, .ttl_ms > 900000, .namespace, .idle_s]' '[true,true,"message",null]'
	look --top 2 --by ttl
	assert_json '[.keys[] | .key, .ttl_ms == null]' '["call:logs:forever",true,"message:huge",false]'
	look message --top 1 --by expiry
	assert_json '[.keys[].key, .ranked_keys]' '["message:large",302]'
	look --match 'message:b1*' --top 500
	assert_json '[.listed, .ranked_keys, ([.keys[].key] | unique | length)]' '[111,111,111]'
	look --top 3 --by idle
	assert_json '[.listed, (.keys | all(.idle_s >= 0))]' '[3,true]'
	cc_run inspect --top 3 --by idle
	assert_regex "$output" 'KEY +NAMESPACE +TTL +BYTES +IDLE'
	cc_run inspect --top 3 --by freq
	assert_exit 4
	assert_stderr_line 'rank --by idle'
}

@test "--top by use, where the server counts it" {
	rcli CONFIG SET maxmemory-policy allkeys-lfu >/dev/null # before the keys: it says what their clock means
	fill message:b 100 900000
	rcli EVAL 'for i = 1, 5000 do redis.call("GET", "message:b7") end' 0 >/dev/null
	look --top 1 --by freq
	assert_json '[.keys[].key, .keys[0].frequency > 5]' '["message:b7",true]'
	cc_run inspect --top 1 --by freq
	assert_regex "$output" 'KEY +NAMESPACE +TTL +BYTES +FREQ'
	cc_run inspect --top 3 --by idle
	assert_exit 4
	assert_stderr_line 'rank --by freq'
}

@test "a user who may read and no more: fewer columns, said so" {
	fill call:logs: 200 900000
	rcli ACL SETUSER eye on '>pw' '~*' +@connection +scan +pttl >/dev/null
	export REDIS_USERNAME=eye REDIS_PASSWORD=pw
	look
	assert_equal "$(of call-logs '[.keys, .bytes, .types_checked, .wrong_type]')" '[200,null,0,null]'
	assert_json '[.complete, .exact]' '[true,false]'
	assert_stderr_line 'MEMORY USAGE'
	assert_stderr_line 'TYPE'
	cc_run inspect --top 3
	assert_exit 4
	assert_stderr_line 'rank --by ttl'
	look --top 3 --by ttl
	assert_json '[.listed, .keys[0].bytes]' '[3,null]'
	look call-logs --limit 5
	assert_json '[.listed, .keys[0].bytes]' '[5,null]'
	assert_stderr_line 'MEMORY USAGE'
}

# eye ACL RULES: everything from here on as this user.
eye() {
	rcli ACL SETUSER eye reset on '>pw' +@all "$@" >/dev/null
	export REDIS_USERNAME=eye REDIS_PASSWORD=pw
}

@test "a user who may not run PTTL, TYPE, OBJECT or MEMORY: the rest is known all the same" {
	fill call:logs: 200 900000
	eye '~*' -pttl
	look
	assert_equal "$(of call-logs '[.keys, .types_checked, .no_ttl, .over_policy, .expiring_60s_share, .ttl_max_ms]')" '[200,200,null,null,null,null]'
	assert_equal "$(of call-logs '.bytes > 0')" true
	assert_json '[.complete, .exact, .expiring_10s]' '[true,true,null]'
	assert_stderr_line 'may not run PTTL: no TTLs'
	rcli SET odd:thing x >/dev/null
	look
	assert_json '.shapes[0] | [.no_ttl, .bytes > 0]' '[null,true]'
	look call-logs --limit 3
	assert_json '[.listed, .keys[0].ttl_ms, .keys[0].bytes > 0]' '[3,null,true]'
	assert_stderr_line 'PTTL'
	look --sample 50
	assert_stderr_line 'PTTL'
	look --top 3
	assert_json '[.listed, .keys[0].ttl_ms]' '[3,null]'
	cc_run inspect --top 3 --by expiry
	assert_exit 4
	assert_stderr_line 'may not run PTTL: rank --by bytes'
	look --key call:logs:1
	assert_json '[.exists, .ttl_ms, .type]' '[true,null,"string"]'
	cc_run inspect --key call:logs:1
	[[ $output != *'lives for ever'* ]] || fail "$output"
	cc_run inspect --ttl # is about nothing else
	assert_exit 4
	assert_stderr_line "may not run 'PTTL'"
	eye '~*' -type -object '-memory'
	look
	assert_equal "$(of call-logs '[.keys, .bytes, .no_ttl, .types_checked, .ttl_max_ms > 0]')" '[200,null,0,0,true]'
	assert_json '.shapes[0] | [.no_ttl, .bytes, .largest_bytes]' '[1,null,null]'
	look call-logs --limit 3
	assert_json '[.listed, .keys[0].bytes, .keys[0].ttl_ms > 0]' '[3,null,true]'
}

@test "a user who may look at some keys only: those are known, the others counted" {
	fill call:logs: 200 900000
	fill message: 100 900000
	eye '~call:*'
	look
	assert_equal "$(of call-logs '[.keys, .types_checked, .no_ttl, .bytes > 0, .ttl_max_ms > 0]')" '[200,200,0,true,true]'
	assert_equal "$(of message '[.keys, .types_checked, .no_ttl, .bytes, .ttl_max_ms]')" '[100,0,0,0,null]'
	assert_json '[.complete, .forbidden_keys]' '[true,100]'
	assert_stderr_line "keys outside this user's key patterns: 100;"
	look --top 300 --by ttl
	assert_json .listed 200
	look message --limit 5
	assert_json '[.listed, .keys[0].bytes, .keys[0].ttl_ms]' '[5,null,null]'
}

@test "Ctrl-C in a list: what is known so far, marked partial" {
	fill message: 30000 900000
	mkfifo "$DIR/pipe"
	"$CCACHE" inspect message --limit 0 -o ndjson >"$DIR/pipe" 2>"$DIR/err" 3>&- 4>&- &
	local pid=$! line lines=0
	exec 7<"$DIR/pipe"
	read -r line <&7 # it writes, and must wait for us as long as we do not read
	kill -INT "$pid"
	cat <&7 >"$DIR/out"
	exec 7<&-
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 130
	output=$(tail -1 "$DIR/out")
	lines=$(wc -l <"$DIR/out")
	assert_json '[.schema, .complete]' '["ccache.inspect-keys/1",false]'
	assert_json .listed "$lines" # with the line that was read, without this one
	((lines < 30000)) || fail "all $lines"
	grep -q interrupted "$DIR/err"
}

@test "cut short: the overview says how far it came" {
	fill message: 3000 900000
	eye '~*' -scan '+scan|0' # the first page, no other
	cc_run inspect -o json
	assert_exit 4
	assert_json '[.complete, .exact]' '[false,false]'
	assert_stderr_line NOPERM
	cc_run inspect
	assert_exit 4
	assert_regex "$output" 'Partial +[0-9,]+ of about 3,000'
}

# sent: the commands the server has seen since the last RESETSTAT, without those of a connection.
sent() {
	rcli INFO commandstats | sed -n 's/^cmdstat_\([^:]*\):.*/\1/p' |
		grep -vE '^(config\|resetstat|info|select|auth|hello|client\|.*|ping)$' | sort | tr '\n' ' '
}

@test "a million fields, a value of 100 MB: looked at in pages, or not at all" {
	rcli EVAL 'for i = 1, 1000000, 500 do local t = {} for j = i, i + 499 do t[#t + 1] = j t[#t + 1] = j end
		redis.call("HSET", "analytics:daily:2025-03-26", unpack(t)) end
		for i = 1, 5000 do redis.call("SADD", "bici:sess:human:all", i) end' 0 >/dev/null
	rcli SETRANGE call:logs:long 100000000 x >/dev/null
	rcli EXPIRE call:logs:long 200 >/dev/null
	rcli CONFIG RESETSTAT >/dev/null
	look
	assert_equal "$(of call-logs '.largest_bytes > 100000000')" true
	assert_equal "$(of analytics-daily '[.keys, .wrong_type, .bytes > 10000000]')" '[1,0,true]'
	look --top 1
	assert_json '.keys[0].key' call:logs:long
	look --sample 10
	assert_equal "$(sent)" 'dbsize memory|usage pttl scan type '
	# one key: its beginning, and pages
	rcli CONFIG RESETSTAT >/dev/null
	look --key call:logs:long
	assert_json '[.length, .cut, (.value // "" | length) <= 65536]' '[100000001,true,true]'
	look --key analytics:daily:2025-03-26 --limit 300
	assert_json '[.length, (.items | length), .cut]' '[1000000,300,true]'
	[[ " $(sent)" != *' '@(get|getrange|hgetall|hkeys|hvals|smembers|dump|sort)' '* || " $(sent)" == *' getrange '* ]] || fail "$(sent)"
	[[ $(rcli INFO commandstats) != *cmdstat_@(get|hgetall|smembers|dump):* ]] || fail "$(sent)"
	# every rule, with members to check: no value that is longer than --max-value, no collection whole
	rcli CONFIG RESETSTAT >/dev/null
	cc_run inspect --audit -o json
	assert_exit 1
	assert_stderr_line '1 values are longer than --max-value'
	[[ " $(sent)" != *' '@(get|hgetall|smembers|dump)' '* ]] || fail "$(sent)"
}

@test "near its memory limit the server evicts nothing for us" {
	local name
	name=$(head -c 4000 /dev/zero | tr '\0' n)
	fill "message:$name" 1500 900000
	rcli CONFIG SET maxmemory-policy allkeys-lru >/dev/null
	# a page of 512 such keys would take 2 MB
	rcli CONFIG SET maxmemory $(($(rcli INFO memory | tr -d '\r' | sed -n 's/^used_memory://p') + 1500000)) >/dev/null
	rcli CONFIG RESETSTAT >/dev/null
	look
	assert_equal "$(of message .keys)" 1500
	look --top 10
	look message --summary
	assert_equal "$(rcli INFO stats | tr -d '\r' | sed -n 's/^evicted_keys://p')" 0
}

# pages: how many SCANs the server has served since the last RESETSTAT.
pages() { rcli INFO commandstats | sed -n 's/^cmdstat_scan:calls=\([0-9]*\),.*/\1/p'; }

@test "a walk goes in small steps; where a pattern leaves few keys, in longer ones" {
	fill message: 20000 9000000
	local args want
	for args in '' 'message --summary' '--top 2' 'message --limit 0'; do
		rcli CONFIG RESETSTAT >/dev/null
		# shellcheck disable=SC2086 # words are meant
		look $args
		assert_json .complete true
		(($(pages) >= 20000 / 64)) || fail "'$args': $(pages) pages"
	done
	rcli CONFIG RESETSTAT >/dev/null
	look --match 'nothing*' --summary
	want=$((20000 / 100))
	(($(pages) < want)) || fail "$(pages) pages for a pattern that leaves nothing"
}

@test "150,000 keys: exact, but for the types, of which some say how many are wrong" {
	rcli DEBUG POPULATE 150000 message 8 >/dev/null
	look
	assert_json '[.keys, .types_sampled, .complete, .exact]' '[150000,true,true,true]'
	assert_equal "$(of message '.types_checked >= 9000 and .types_checked < 20000')" true
	assert_equal "$(of message '[.wrong_type, .wrong_type_error, .wrong_type_low]')" '[0,null,0]'
	assert_equal "$(of message '.wrong_type_high > 5 and .wrong_type_high < 200')" true
	cc_run inspect
	assert_output --partial 'Types of 1 key in 16: none is wrong'
	rcli EVAL 'for i = 0, 5999 do redis.call("DEL", "message:" .. i) redis.call("RPUSH", "message:" .. i, i) end' 0 >/dev/null
	rcli SET bici:sess:human:all x >/dev/null
	look
	# half the width is 1.96 standard errors: 6.5 of them, which chance exceeds once in 10^9 runs
	assert_equal "$(of message '((.wrong_type - 6000) | fabs) <= (.wrong_type_high - .wrong_type_low) / 2 * 6.5 / 1.96')" true
	assert_equal "$(of message '.wrong_type_error > 0.02 and .wrong_type_error < 0.3')" true
	assert_equal "$(of human-sessions '[.wrong_type, .wrong_type_error, .wrong_type_low, .wrong_type_high]')" '[1,null,1,1]'
	cc_run inspect
	assert_output --partial 'WRONG TYPE ~'
	assert_regex "$output" 'Types of 1 key in 16: of them wrong, 19 times in 20: human-sessions 1, message [0-9,]+ to [0-9,]+; --audit'
	look message --summary
	assert_equal "$(of message '[.types_checked, .wrong_type, .wrong_type_low, .wrong_type_high]')" '[150000,6000,6000,6000]'
}
