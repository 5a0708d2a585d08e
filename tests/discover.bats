#!/usr/bin/env bats
# config discover: a configuration from the keys that are there, with what it is unsure of in comments.
load helpers

setup() {
	sandbox
	on_redis
}

# discover [options]: the configuration in found.json, which must be one without any finding.
discover() {
	run --separate-stderr "$CCACHE" config discover "$@"
	assert_exit 0
	printf '%s\n' "$output" >found.json
	run --separate-stderr "$CCACHE" config check found.json -o json
	assert_exit 0
	assert_json '[.errors, .warnings]' '[0,0]'
	shown=$("$CCACHE" config show --config found.json)
}

# has KEY: what the namespace of this template says, in one line without blanks.
has() { jq -c --arg key "$1" '.namespaces[] | select(.key == $key)' <<<"$shown"; }
assert_has() {
	assert_equal "$(has "$1" | jq -c "$2")" "$3"
}

# Every key, in the database of that number, of the profiles named.
fill() {
	local database=$1 count=$2
	shift 2
	local profile
	for profile; do
		"$CCACHE" config show --profile "$profile" >profile.json
		SLACK_MS=600000 "$ROOT/tests/keyspace" "$count" "$database" <profile.json >commands || return 1
		rcli -n "$database" <commands >/dev/null
	done
}

@test "the five systems mixed: at least 95 % of the keys of each are classified" {
	local profiles=(call-logs realtime sessions messages leads) i
	fill 0 60 all
	discover
	# other keys than those it saw, each system's for itself
	for i in 1 2 3 4 5; do
		fill $i 40 "${profiles[i - 1]}"
		cc_run inspect --config found.json -n $i -o json
		assert_exit 0
		assert_json '.keys >= 20' true
		assert_json '([.namespaces[] | select(.namespace == "(unclassified)").keys] | add) as $lost | $lost <= .keys * 0.05' true
	done
	# and told apart as the profiles tell them apart
	assert_has 'bici:sess:call:{id}' .type '"string"'
	assert_has 'bici:sess:human:all' '[.type, .members_of, .member]' '["set","bici-sess-human","id"]'
	assert_has 'bici:sess:call:lead:{id}' '[.index_of, .holds, .json]' '["bici-sess-call","id",false]'
	assert_has 'campaign_{id}_contacts' .type '"string"'
	assert_has 'campaign:shard{n}:{id}' .type '"string"'
	assert_has 'analytics:daily:{date}' .type '"hash"'
	assert_has 'api:{path|rest}' .type '"string"'
	assert_has '{id}:{id2}' .type '"string"'
}

@test "what the profiles declare, and what was found of it, agree on every key" {
	fill 0 50 all
	discover
	local all found
	all=$("$CCACHE" inspect --match '*' --limit 0 -o json | jq -c '[.keys[] | {(.key): .namespace}] | add')
	found=$("$CCACHE" inspect --config found.json --match '*' --limit 0 -o json | jq -c '[.keys[] | {(.key): .namespace}] | add')
	# no namespace found may hold keys of two that are declared
	run jq -n --argjson all "$all" --argjson found "$found" \
		'[$all | keys[] | {found: $found[.], declared: $all[.]}] | group_by(.found) | map(map(.declared) | unique | length) | max'
	assert_output 1
}

@test "TTLs: rounded to what people write, none, mixed, by the day" {
	local i now day
	for i in 1 2 3 4 5 6; do
		rcli SET "hour:1000$i" '{}' PX $((3590000 + i * 1000)) >/dev/null
		rcli SET "old:1000$i" '{}' PX $((4000000 + i)) >/dev/null
		rcli SET "ever:1000$i" '{}' >/dev/null
		rcli SET "mixed:1000$i" '{}' EX $((86000 + i)) >/dev/null
		rcli SET "rare:1000$i" '{}' >/dev/null
	done
	rcli PERSIST mixed:10001 >/dev/null
	rcli EXPIRE rare:10001 5000 >/dev/null
	for i in 1 2 3; do
		day=$((($(date +%s) / 86400 + i) * 86400))
		rcli HSET "day:$(date -u -d @$day +%F)" a 1 >/dev/null
		rcli EXPIREAT "day:$(date -u -d @$day +%F)" $((day + 3 * 86400)) >/dev/null
	done
	discover
	assert_has 'hour:{id}' .ttl '"3600s"'
	assert_has 'old:{id}' .ttl '"5400s"'
	assert_has 'ever:{id}' .ttl '"none"'
	assert_has 'mixed:{id}' .ttl '"86400s"'
	assert_has 'rare:{id}' .ttl '"none"'
	assert_has 'day:{date}' .ttl '{"day":"date","plus":"172800s"}'
	grep -q 'unsure: the longest TTL seen is 1h' found.json
	grep -q 'unsure: no key has a TTL' found.json
	grep -q 'unsure: 1 of them have no TTL' found.json
	grep -q 'unsure: most keys have no TTL' found.json
}

@test "TTLs of keys that are old: what they were idle counts, and doubt is said" {
	# 5-minute keys, all of them three minutes old, never read; then the same, but read just now
	rcli EVAL 'redis.call("SET", "x", "{}") local value = redis.call("DUMP", "x") redis.call("DEL", "x")
		for i = 1, 40 do
			redis.call("RESTORE", "idle:1000" .. i, 120000 + i * 10, value, "IDLETIME", 180)
			redis.call("RESTORE", "read:1000" .. i, 120000 + i * 10, value)
			redis.call("RESTORE", "flow:1000" .. i, 90000 * i - 100, value)
			if i <= 6 then redis.call("RESTORE", "less:1000" .. i, 280000 * i, value) end
		end' 0 >/dev/null
	discover
	assert_has 'idle:{id}' .ttl '"300s"'
	grep -q '"ttl": "2m"\|"ttl": "3m"' found.json # of the keys that were read no one can tell
	assert_equal "$(grep -c 'unsure: the longest TTL seen is .*, of keys that were written at about the same time' found.json)" 2
	assert_has 'flow:{id}' .ttl '"3600s"'
	assert_has 'less:{id}' .ttl '"1800s"'
	grep -q 'unsure: the longest TTL seen is 2[78]m.*; by the number of keys it may be up to 4' found.json
	sed -n '/"flow":/,/}/p' found.json >flow
	if grep unsure flow; then fail 'unsure of a steady flow'; fi
}

@test "types and values" {
	local i
	for i in 1 2 3 4; do
		rcli LPUSH "queue:9000$i" x >/dev/null
		rcli ZADD "rank:9000$i" 1 x >/dev/null
		rcli XADD "log:9000$i" '*' f v >/dev/null
		rcli SET "text:9000$i" 'plain text' >/dev/null
		rcli SET "gz:9000$i" x >/dev/null
		printf '{"a":[1,2,3,4,5]}' | gzip -n | rcli -x SET "gz:9000$i" >/dev/null
		rcli SET "both:9000$i" '{}' >/dev/null
	done
	rcli DEL both:90001 >/dev/null
	rcli SADD both:90001 m >/dev/null
	rcli SET text:90001 '{}' >/dev/null
	discover
	assert_has 'queue:{id}' .type '"list"'
	assert_has 'rank:{id}' .type '"zset"'
	assert_has 'log:{id}' .type '"stream"'
	assert_has 'text:{id}' '[.type, .json]' '["string",false]'
	assert_has 'gz:{id}' '[.type, .json]' '["string",true]'
	assert_has 'both:{id}' .type '"any"'
	grep -q 'unsure: 1 of 4 values that were read are JSON' found.json
	grep -q 'unsure: keys of several types: string, set' found.json
}

@test "hostile keys: the result is a configuration all the same" {
	printf '%s\n' 'SET "a\x00b:*/\n{x}\"" 1' 'SET "\xff\xfe" 1' 'SET "" 1' 'SET "{}" 1' 'SET "a}}b{:1" 1' 'SET "//x/*y" 1' 'SET "12345:{12345}12345:67890" 2' \
		'SET "\xf0\x9f\x98\x80:12345:\x1b[31m" 1' 'SET "\xe2\x80\xae:12345" 1' "SET \"$(printf 'k%.0s' {1..3000})\" 1" \
		"SET \"$(printf '12345:%.0s' {1..40})\" 1" 'SET "a\\:${env:HOME}:12345" 1' | rcli >/dev/null
	discover
	run grep -c $'[\x01-\x08\x0b-\x1f\x7f]' found.json
	assert_output 0
	grep -q '\\x1b\[31m' found.json
	grep -q "left out, 1 key ''" found.json
	cc_run inspect --config found.json -o json
	assert_exit 0
	assert_json '[.namespaces[] | select(.namespace == "(unclassified)").keys] | add' 1
}

@test "ids that are words, many families, a database that holds nothing" {
	cc_run config discover
	assert_exit 0
	assert_stderr_line '0 namespaces from 0 keys'
	local i
	for ((i = 0; i < 100; i++)); do echo "SET user:$(tr 0-9 g-p <<<"name$((i * 7919))"):cart x EX 1000"; done | rcli >/dev/null
	for ((i = 0; i < 400; i++)); do echo "SET family$(tr 0-9 g-p <<<$i):12345 x EX 1000"; done | rcli >/dev/null
	discover
	assert_has 'user:{id}:cart' .ttl '"1200s"'
	cc_run config names --config found.json
	((${#lines[@]} <= 200)) || fail "${#lines[@]} namespaces"
}

@test "random ids with too few digits to be told from words join the others" {
	local i
	for ((i = 0; i < 120; i++)); do
		printf 'SET PHPREDIS_SESSION:%s x EX 1000\n' "$(md5sum <<<$i | cut -c 1-9)qvx7z2$(tr 0-9 g-p <<<$i)k"
		printf 'SET view:%s:%d x EX 1000\n' "$(md5sum <<<$i | cut -c 1-20)" "$i"
	done | rcli >/dev/null
	for i in qkvewcxtjqrrhjlcauzfzikum sklxvzgsxiquewszvxzgtqvbjy short; do rcli SET PHPREDIS_SESSION:$i x EX 1000; done >/dev/null
	rcli SET view:abcdefabcdefabcdefab:5 x EX 1000 >/dev/null
	discover
	assert_has 'PHPREDIS_SESSION:{id}' .type '"string"'
	assert_regex "$(<found.json)" "122 keys, such as PHPREDIS_SESSION"
	assert_regex "$(<found.json)" "unsure: 3 shapes that differ in digits, in a long word or below"
	assert_has 'PHPREDIS_SESSION:short' .type '"string"' # a word of its own
	assert_has 'view:{id}:{id2}' .type '"string"'
	assert_equal "$(jq '.namespaces | length' <<<"$shown")" 3
}

@test "--max-keys: a part is looked at, and said to be one" {
	fill 0 40 all
	discover --max-keys 300
	grep -q 'looked at of' found.json
	cc_run inspect --config found.json -o json
	assert_json '([.namespaces[] | select(.namespace == "(unclassified)").keys] | add) <= .keys * 0.05' true
}

@test "a user without rights: types and values are not known, and said not to be" {
	local i
	for i in 1 2 3; do rcli SET "a:1000$i" '{}' EX 1000 >/dev/null; done
	rcli ACL SETUSER reader on '>pw' '~*' +@all -type -get -strlen >/dev/null
	export REDIS_URL=unix://reader:pw@$REDIS_SOCKET
	discover
	assert_has 'a:{id}' '[.ttl, .type]' '["1200s","any"]'
	grep -q 'unsure: type not known' found.json
}

@test "the keys are left as they were, ccache's own are none" {
	fill 0 20 leads
	rcli SET 'cc:m:{x}1:x' f: >/dev/null
	local before after
	before=$(rcli --scan | sort)
	discover
	after=$(rcli --scan | sort)
	assert_equal "$after" "$before"
	run grep -c 'cc:m' found.json
	assert_output 0
}

@test "what it cannot do" {
	cc_run config discover extra
	assert_exit 2
	cc_run config check --max-keys 3
	assert_exit 2
	assert_stderr_line '--max-keys goes with config discover'
	cc_run config discover -o csv
	assert_exit 2
	REDIS_ENABLED=false cc_run config discover
	assert_exit 4
	stop_redis
	cc_run config discover --timeout 100ms
	assert_exit 4
}
