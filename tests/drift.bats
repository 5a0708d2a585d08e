#!/usr/bin/env bats
# inspect --drift: cached values beside what their source has now.
load helpers
load verbs

setup() {
	sandbox
	start_system
	api_config "$THING"
	local i
	for i in 1 2 3; do
		set_data /things/$i "{\"id\":$i,\"n\":{\"a\":[1,2,3],\"b\":1.0}}"
		"$CCACHE" get thing $i >/dev/null
	done
}

# In every report the outcomes add up.
assert_sums() { assert_json '.sampled == .same + .differs + .absent + .moved + .failed' true; }

@test "what is the same, however it is written, is no drift" {
	set_data /things/1 '{ "n": { "b": 1, "a": [1, 2, 3] }, "id": 1 }'
	cc_run inspect thing --drift 10 -o json
	assert_exit 0
	assert_no_stderr
	assert_json '[.eligible, .sampled, .same, .differs, .complete, .differences]' '[3,3,3,0,true,[]]'
	assert_sums
}

@test "what differs: path, cached, source" {
	set_data /things/2 '{"id":2,"n":{"a":[0,1,2,3],"b":1.0},"new":null}'
	set_data /things/3 '{"id":12345678901234567890,"n":{"b":"x"}}'
	cc_run inspect thing --drift 10 -o json
	assert_exit 1
	assert_json '[.same, .differs]' '[1,2]'
	assert_json '[.differences[] | select(.key == "thing:2") | [.path, .cached, .source, .detail]] | sort' \
		'[["/n/a/0",null,0,"only at the source"],["/new",null,null,"only at the source"]]'
	assert_json '[.differences[] | select(.key == "thing:3").path] | sort' '["/id","/n/a","/n/b"]'
	[[ $output == *'"source":12345678901234567890'* ]] || fail "$output"
	assert_sums
	# nothing was stored
	assert_equal "$(value_of thing:2)" '{"id":2,"n":{"a":[1,2,3],"b":1.0}}'
	local format
	for format in table csv ndjson; do
		cc_run inspect --drift 10 -o $format
		assert_exit 1
		[[ $output == */n/a/0* ]] || fail "$output"
	done
}

@test "one key, a filter, a sample smaller than the keys" {
	set_data /things/2 '{}'
	cc_run inspect thing 2 --drift 1 -o json
	assert_exit 1
	assert_json '[.eligible, .sampled, .differs]' '[1,1,1]'
	cc_run inspect thing 1 --drift 5 -o json
	assert_exit 0
	cc_run inspect --match 'thing:[13]' --drift 5 -o json
	assert_exit 0
	assert_json .sampled 2
	cc_run inspect --drift 2 -o json
	assert_json '[.eligible, .sampled]' '[3,2]'
	assert_sums
	cc_run inspect thing 9 --drift 1 -o json
	assert_exit 0
	assert_json '[.sampled, .moved]' '[1,1]'
}

@test "gone at the source, failing source, cached bytes that are no JSON" {
	fault status path=/things/1 value=404
	fault status path=/things/2 value=403
	rcli SET thing:3 $'\x01not json' EX 100 >/dev/null
	cc_run inspect thing --drift 10 -o json
	assert_exit 3
	assert_json '[.absent, .failed, .differs]' '[1,1,1]'
	assert_json '[.differences[] | select(.outcome == "failed").detail][0] | contains("403")' true
	assert_json '[.differences[] | select(.key == "thing:3").detail]' '["9 bytes cached, 34 at the source, and not both JSON"]'
	assert_sums
	no_faults
	fault status value=403
	cc_run inspect thing --drift 10
	assert_exit 5
	# a value that is not compared is no fault of the source's
	rcli SETRANGE thing:1 16777216 x >/dev/null
	cc_run inspect thing 1 --drift 1
	assert_exit 3
	assert_regex "$output" 'longer than 16 MiB'
}

@test "a value that changes while the source is asked is no drift" {
	set_data /things/1 '{"id":"other"}'
	fault hold path=/things/1
	in_background drift.json "$CCACHE" inspect thing 1 --drift 1 -o json -q
	local pid=$STARTED
	wait_for asked /things/1 2
	rcli SET thing:1 '{"id":"newer"}' >/dev/null
	no_faults
	wait "$pid"
	output=$(<"$DIR/drift.json")
	assert_json '[.moved, .differs]' '[1,0]'
}
asked() { (($(upstream_count "$1") >= $2)); }

@test "compressed values are compared expanded; keys without a source are left out" {
	api_config "${THING/'"ttl": "5m"'/'"ttl": "5m", "compress": "gzip"'}, \"plain\": { \"key\": \"plain:{id}\", \"ttl\": \"5m\" }"
	set_data /things/1 "{\"id\":\"$(printf 'x%.0s' {1..2000})\"}"
	"$CCACHE" get thing 1 --refresh >/dev/null
	(($(rcli STRLEN thing:1) < 200)) || fail 'not packed'
	rcli SET plain:1 1 EX 100 >/dev/null
	cc_run inspect --drift 10 -o json
	assert_exit 0
	assert_json '[.eligible, .same]' '[3,3]'
	cc_run inspect plain --drift 10
	assert_exit 0
	assert_stderr_line 'none of these keys has a source'
}

@test "many keys, more than are held at once; many changes of one" {
	local i
	for ((i = 10; i < 60; i++)); do
		set_data /things/$i "{\"id\":$i}"
		echo "SET thing:$i {} EX 200"
	done | rcli >/dev/null
	cc_run inspect thing --drift 40 -o json
	assert_exit 1
	assert_json '[.eligible, .sampled]' '[53,40]'
	assert_sums
	set_data /things/1 "$(jq -nc '[range(40)]')"
	rcli SET thing:1 "$(jq -nc '[range(40) | -1]')" >/dev/null
	cc_run inspect thing 1 --drift 1 -o json
	assert_json '[(.differences | length), .differences[-1].detail]' '[21,"20 more changes"]'
}

@test "options that do not go together" {
	local bad
	for bad in '--drift 0' '--drift 10001' '--drift 3 --audit' '--drift 3 --ttl' '--drift 3 --limit 4' '--drift 3 --raw' '--drift 3 --max-value 9'; do
		# shellcheck disable=SC2086 # words are meant
		cc_run inspect $bad
		assert_exit 2
	done
}
