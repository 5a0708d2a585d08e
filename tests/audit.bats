#!/usr/bin/env bats
# inspect --ttl and --audit: what breaks the rules of its namespace, with a stable code, and the exit code of a check.
load helpers
load verbs

setup() {
	sandbox
	start_redis
	API_URL=http://127.0.0.1:1 # nothing is fetched
	export REDIS_URL=unix://$REDIS_SOCKET
}

# codes: "code namespace count" of the last audit, a line each, sorted.
codes() { jq -r '.findings[] | "\(.code) \(.namespace) \(.count)"' <<<"$output" | sort; }
# example CODE FIELD: of its first example.
example() { jq -r --arg code "$1" "[.examples[] | select(.code == \$code)][0].$2" <<<"$output"; }
# assert_codes LINE…: exactly these.
assert_codes() {
	assert_equal "$(codes)" "$(printf '%s\n' "$@" | sort)"
	assert_json '([.findings[] | select(.severity == "error").count] | add // 0) == .errors
		and ([.findings[] | select(.severity == "warning").count] | add // 0) == .warnings
		and ([.findings[] | select(.severity == "note").count] | add // 0) == .notes' true
}

# Nothing of it is wrong.
fill_well() {
	rcli SET call:logs:a '{}' EX 290 >/dev/null
	rcli SET bici:sess:call:S1 '{}' EX 100 >/dev/null
	rcli SET bici:sess:call:lead:L1 S1 EX 100 >/dev/null
	rcli SET bici:sess:human:L1 '{}' EX 100 >/dev/null
	rcli SADD bici:sess:human:all L1 >/dev/null
	rcli EXPIRE bici:sess:human:all 100 >/dev/null
	rcli HSET "analytics:daily:$(date -u +%F)" total 1 >/dev/null
	rcli EXPIRE "analytics:daily:$(date -u +%F)" 1000 >/dev/null
	rcli SET 'cc:m:{call:logs:a}11:call:logs:a' v:1 EX 300 >/dev/null
}

@test "nothing is wrong: exit 0, in every format" {
	fill_well
	cc_run inspect --audit -o json
	assert_exit 0
	assert_no_stderr
	assert_codes
	assert_json '[.keys, .sidecars, .errors, .warnings, .notes, .complete]' '[6,1,0,0,0,true]'
	local format
	for format in table ndjson csv prom; do
		cc_run inspect --audit -o $format
		assert_exit 0
		cc_run inspect --ttl -o $format
		assert_exit 0
	done
	assert_equal "$(rcli DBSIZE)" 7
}

@test "TTLs: missing and over, per namespace and per key" {
	fill_well
	rcli SET call:logs:ever '{}' >/dev/null
	rcli SET call:logs:long '{}' EX 900 >/dev/null
	rcli SET call:logs:edge '{}' PX 300400 >/dev/null # a clock tick over
	rcli SET api:free '{}' >/dev/null                 # as long as the answer says, but not for ever
	rcli SET stray 1 >/dev/null
	cc_run inspect --ttl -o json
	assert_exit 1
	assert_json '[.keys, .violations, .listed, .complete]' '[11,3,3,true]'
	assert_json '[.violating[] | [.key, .code, .ttl_limit_ms]] | sort' \
		'[["api:free","ttl-missing",null],["call:logs:ever","ttl-missing",300000],["call:logs:long","ttl-over",300000]]'
	assert_json '.namespaces[] | select(.namespace == "call-logs") | [.keys, .no_ttl, .over_policy, .ok]' '[4,1,1,false]'
	assert_json '.namespaces[] | select(.namespace == "(unclassified)") | [.keys, .no_ttl, .ok]' '[1,1,true]'
	assert_json '[.namespaces[].keys] | add' 11
	cc_run inspect --ttl --limit 1
	assert_exit 1
	assert_stderr_line 'the first 1 of 3 violations; --limit 0 lists all'
	cc_run inspect --audit -o json
	assert_exit 1
	assert_codes 'ttl-missing api-response 1' 'ttl-missing call-logs 1' 'ttl-over call-logs 1' 'unclassified (none) 1'
	# one namespace, one key, a pattern
	cc_run inspect call-session --ttl
	assert_exit 0
	cc_run inspect call-logs long --ttl -o json
	assert_exit 1
	assert_json '[.keys, .violating[0].code]' '[1,"ttl-over"]'
	cc_run inspect call-logs a --ttl
	assert_exit 0
	cc_run inspect --key call:logs:none --ttl
	assert_exit 1
	assert_stderr_line 'the key is not in Redis'
	cc_run inspect --match 'call:logs:l*' --ttl -o json
	assert_exit 1
	assert_json '[.keys, .violations]' '[1,1]'
	cc_run inspect lead --where organizationId=7 --ttl
	assert_exit 0
}

@test "a day that is over, a namespace without TTL" {
	api_config '"day": { "key": "d:{day}", "ttl": { "day": "day", "plus": "1h" } }, "ever": { "key": "e:{id}", "ttl": "none" }'
	rcli MSET d:2001-02-03 1 e:1 1 >/dev/null
	rcli EXPIRE d:2001-02-03 9000 >/dev/null
	cc_run inspect --ttl -o json
	assert_exit 1
	assert_json '[.violating[] | [.key, .code]]' '[["d:2001-02-03","ttl-over"]]'
}

@test "types and values" {
	rcli LPUSH call:logs:list x >/dev/null
	rcli SET call:logs:bad '{"a":01}' >/dev/null
	rcli SET call:logs:php 's:5:"hello";' >/dev/null
	printf '{"a":1}' | gzip -n | rcli -x SET call:logs:gz >/dev/null
	printf 'nonsense' | gzip -n | rcli -x SET call:logs:gzbad >/dev/null
	printf '{"a":1}' | gzip -n | head -c 20 | rcli -x SET call:logs:cut >/dev/null
	rcli SET $'call:logs:\x01\xff' $'\xff' >/dev/null
	rcli SET bici:sess:human:all '{}' >/dev/null
	local key
	for key in list bad php gz gzbad cut $'\x01\xff'; do rcli EXPIRE call:logs:$key 100 >/dev/null; done
	rcli EXPIRE bici:sess:human:all 100 >/dev/null
	cc_run inspect --audit --examples 10 -o json
	assert_exit 1
	assert_codes 'type call-logs 1' 'type human-sessions 1' 'json call-logs 4' 'packed call-logs 1'
	assert_equal "$(example type detail)" 'list, not string'
	assert_json '[.examples[] | select(.key == "call:logs:bad").detail]' '["byte 6: a number may not start with 0"]'
	assert_json '[.examples[] | select(.key == "call:logs:php").detail]' '["PHP serialize"]'
	assert_json '[.examples[] | select(.key_base64).key_base64]' "[\"$(printf 'call:logs:\x01\xff' | base64)\"]"
	cc_run inspect --audit --examples 10
	[[ $output != *$'\x01'* ]] || fail 'a control byte reached the terminal'
	# values that are longer than is read are said to be unread
	cc_run inspect call-logs bad --audit --max-value 4 -o json
	assert_json '[.unread, .errors]' '[1,0]'
	assert_stderr_line '1 values are longer than --max-value'
}

@test "no JSON is asked where the namespace holds none" {
	api_config '"raw": { "key": "raw:{id}", "ttl": "5m", "json": false }, "any": { "key": "any:{id}", "ttl": "5m" }'
	rcli SET raw:1 text EX 100 >/dev/null
	rcli SADD any:1 member >/dev/null
	rcli EXPIRE any:1 100 >/dev/null
	cc_run inspect --audit
	assert_exit 0
}

@test "indexes: dangling, and what makes no key" {
	fill_well
	rcli SET bici:sess:call:lead:L2 S2 EX 100 >/dev/null
	rcli SET bici:sess:call:conv:C1 S1 EX 100 >/dev/null
	rcli SET bici:sess:call:conv:C2 a:b EX 100 >/dev/null
	rcli SET bici:sess:call:conv:C3 '' EX 100 >/dev/null
	cc_run inspect --audit -o json
	assert_exit 1
	assert_codes 'index-dangling call-session-by-lead 1' 'index-value call-session-by-conversation 2'
	assert_equal "$(example index-dangling key),$(example index-dangling other),$(example index-dangling member)" \
		bici:sess:call:lead:L2,bici:sess:call:S2,S2
	cc_run inspect call-session-by-lead L1 --audit
	assert_exit 0
	cc_run inspect call-session-by-lead L2 --audit
	assert_exit 1
	rcli SET bici:sess:call:S2 '{}' EX 100 >/dev/null
	cc_run inspect call-session-by-lead --audit
	assert_exit 0
}

@test "sets: a member without key, a key without member, a large one" {
	fill_well
	local i members=()
	for ((i = 0; i < 1500; i++)); do members+=("gone$i"); done
	rcli SADD bici:sess:human:all "${members[@]}" x:y >/dev/null
	rcli SET bici:sess:human:L9 '{}' EX 100 >/dev/null
	cc_run inspect --audit --examples 1 -o json
	assert_exit 1
	assert_codes 'member-dangling human-sessions 1500' 'member-value human-sessions 1' 'member-missing human-session 1'
	assert_equal "$(example member-missing key),$(example member-missing other)" bici:sess:human:L9,bici:sess:human:all
	assert_equal "$(example member-value member)" x:y
	assert_json '[.examples[] | select(.code == "member-dangling")] | length' 1
	cc_run inspect human-session L9 --audit
	assert_exit 1
	cc_run inspect human-session L1 --audit
	assert_exit 0
}

@test "sets by a var: each key belongs to the set of its own" {
	api_config '"item": { "key": "o:{org}:item:{id}", "ttl": "5m" },
		"items": { "key": "o:{org}:items", "type": "set", "ttl": "5m", "members_of": "item", "member": "id" }'
	rcli MSET o:1:item:a 1 o:2:item:b 1 >/dev/null
	rcli SADD o:1:items a b >/dev/null
	local key
	for key in o:1:item:a o:2:item:b o:1:items; do rcli EXPIRE $key 100 >/dev/null; done
	cc_run inspect --audit -o json
	assert_codes 'member-dangling items 1' 'member-missing item 1'
	assert_equal "$(example member-dangling other),$(example member-missing other)" o:1:item:b,o:2:items
}

@test "sidecars: orphans only, and only when everything is looked at" {
	fill_well
	rcli SET 'cc:m:{gone}4:gone' v:1 EX 100 >/dev/null
	rcli SET 'cc:m:{under}5:under' f:1 EX 100 >/dev/null
	rcli SET 'cc:m:{absent}6:absent' n: EX 100 >/dev/null
	rcli SET 'cc:m:nonsense' v:1 EX 100 >/dev/null
	rcli SADD 'cc:m:{odd}3:odd' a >/dev/null
	cc_run inspect --audit -o json
	assert_exit 1
	assert_codes 'sidecar-orphan (none) 1'
	assert_json '[.keys, .sidecars]' '[6,5]'
	assert_equal "$(example sidecar-orphan other)" gone
	cc_run inspect --match '*' --audit -o json
	assert_exit 0
	assert_json .sidecars 0
}

@test "a note alone is no reason to fail" {
	rcli SET stray 1 >/dev/null
	cc_run inspect --audit -o json
	assert_exit 0
	assert_codes 'unclassified (none) 1'
}

@test "more keys than a batch, on every page the same" {
	local i
	for ((i = 0; i < 1200; i++)); do
		echo "SET call:logs:$i {} EX 100"
		echo "SET bici:sess:call:lead:$i S$i EX 100"
	done | rcli >/dev/null
	for ((i = 0; i < 600; i++)); do echo "SET bici:sess:call:S$i {} EX 100"; done | rcli >/dev/null
	rcli PERSIST call:logs:777 >/dev/null
	cc_run inspect --audit -o json
	assert_exit 1
	assert_json '[.keys, .complete]' '[3000,true]'
	assert_codes 'ttl-missing call-logs 1' 'index-dangling call-session-by-lead 600'
}

@test "a user without rights: what could not be checked is said, and the exit code tells" {
	fill_well
	rcli ACL SETUSER reader on '>pw' '~*' +@all -get -exists >/dev/null
	export REDIS_URL=unix://reader:pw@$REDIS_SOCKET
	cc_run inspect --audit -o json
	assert_exit 3
	assert_stderr_line 'this user may not run'
	assert_json .errors 0
	cc_run inspect --ttl
	assert_exit 0
	rcli SET call:logs:bad nope EX 100 >/dev/null
	rcli SET message:bad nope EX 100 >/dev/null
	rcli ACL SETUSER reader +@all -pttl >/dev/null
	cc_run inspect --audit -o json
	assert_exit 3
	assert_stderr_line 'this user may not run PTTL: the rules that need it were skipped'
	assert_codes 'json call-logs 1' 'json message 1'
	assert_json .complete true
	cc_run inspect call-logs bad --audit
	assert_exit 3
	cc_run inspect --audit --repair --yes # records when keys end
	assert_exit 4
	assert_stderr_line "may not run 'PTTL'"
	rcli ACL SETUSER reader reset on '>pw' '~call:logs:*' +@all >/dev/null
	cc_run inspect --audit -o json
	assert_exit 3
	assert_stderr_line "some keys are outside this user's key patterns"
	assert_codes 'json call-logs 1'
	assert_json .complete true
}

@test "prom has a figure per finding, csv the findings" {
	rcli SET call:logs:ever '{}' >/dev/null
	cc_run inspect --audit -o prom
	[[ $output == *'callcache_audit_findings{code="ttl-missing",severity="error",namespace="call-logs"} 1'* ]] || fail "$output"
	cc_run inspect --audit -o csv
	assert_equal "${lines[1]%,*}" 'ttl-missing,error,call-logs,1,true'
	cc_run inspect --ttl -o csv
	assert_equal "${lines[1]}" 'call-logs,1,300000,,,1,0,false'
}

@test "options that do not go together" {
	local bad
	for bad in '--audit --ttl' '--audit --limit 3' '--examples 3' 'call-logs --examples 3' 'call-logs a --examples 3' '--ttl --examples 3' '--ttl --raw' '--ttl --max-value 3' \
		'--audit --examples 1001'; do
		# shellcheck disable=SC2086 # words are meant
		cc_run inspect $bad
		assert_exit 2
	done
}
