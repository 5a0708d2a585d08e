# ccache invalidate --follow: events from standard input, a stream, a channel; outages, restarts, poison.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

# follow_lines [options]: events of standard input to their end, JSON on stdout; the numbers add up.
follow_lines() {
	cat >"$DIR/lines"
	run --separate-stderr bash -c '"$0" invalidate -o json --follow - "${@:2}" <"$1"' "$CCACHE" "$DIR/lines" "$@"
	assert_json '.events == .applied + .bad + .failed' true
}

# start_follower LOG ARGS…: in the background, its pid in $FOLLOWER; fd 8 writes to its standard input when ARGS begin with "-".
start_follower() {
	local log=$1
	shift
	PATIENCE=(--timeout 60s) # a slow machine is no outage
	[[ $* == *--timeout* ]] && PATIENCE=()
	if [[ $1 == - ]]; then
		[[ -p $DIR/pipe ]] || mkfifo "$DIR/pipe"
		# shellcheck disable=SC2016
		in_background "$log" bash -c 'exec "$0" invalidate -o json --follow "${@:2}" <"$1"' "$CCACHE" "$DIR/pipe" "$@" "${PATIENCE[@]}"
		exec 8>"$DIR/pipe"
	else
		in_background "$log" "$CCACHE" invalidate -o json --follow "$@" "${PATIENCE[@]}"
	fi
	FOLLOWER=$STARTED
}

# stop_follower: TERM; status in $status, what it said in $output.
stop_follower() {
	kill -TERM "$FOLLOWER"
	await_follower
}
await_follower() {
	status=0
	wait "$FOLLOWER" || status=$?
}
report_of() { grep -A9 '^{"schema"' "$DIR/$1" | jq -c "$2"; }

absent() { [[ $(rcli EXISTS "$@") == 0 ]]; }
present() { [[ $(rcli EXISTS "$@") == $# ]]; }
pending() { rcli XPENDING events "${1:-callcache}" 2>/dev/null | head -1; }
all_done() { [[ $(pending) == 0 && $(rcli XINFO GROUPS events | grep -A1 '^lag$' | tail -1) == 0 ]]; }
add() { rcli XADD events '*' "$@" >/dev/null; }

@test "lines: applied in order, bad ones named by their line" {
	rcli MSET call:logs:a 1 call:logs:b 2 conversation:c1 1 >/dev/null
	follow_lines <<-'LINES'
		{"event":"call.updated","subaccountId":"a"}
		{"event":"call.updated","subaccountId":

		{"event":"call.updat","subaccountId":"a"}
		{"event":"call.updated"}
		{"event":"call.updated","subaccountId":"a:b"}
		not json
		{"subaccountId":"a"}
		{"event":"conversation.read","conversation_id":"c1"}
	LINES
	assert_exit 3
	assert_json '[.events, .applied, .bad, .failed, .keys, .complete]' '[8,2,6,0,2,true]'
	assert_json '[.effects[] | select(.outcome == "removed") | .steps]' '[2]'
	assert_stderr_line 'line 2: the payload is no JSON'
	assert_stderr_line "line 4: unknown event 'call.updat'; did you mean 'call.updated'?"
	assert_stderr_line 'line 5: event '"'call.updated'"', rule 1 (invalidate call-logs): the payload has no /subaccountId'
	assert_stderr_line "line 6: "
	assert_stderr_line 'line 7: the payload is no JSON'
	assert_stderr_line "line 8: the event has no name at '/event'"
	assert_equal "$(keys_now)" call:logs:b
}

@test "lines: --bad-events stop ends there, with what came before applied" {
	rcli MSET call:logs:a 1 call:logs:b 2 >/dev/null
	follow_lines --bad-events stop <<-'LINES'
		{"event":"call.updated","subaccountId":"a"}
		{"event":"nope"}
		{"event":"call.updated","subaccountId":"b"}
	LINES
	assert_exit 3
	assert_json '[.events, .applied, .bad, .complete]' '[2,1,1,false]'
	assert_stderr_line 'line 2: unknown event'
	assert_equal "$(keys_now)" call:logs:b
}

@test "lines: the name in another field, CR LF, no line end at the end, a line of ten megabytes" {
	rcli MSET call:logs:a 1 call:logs:b 1 call:logs:c 1 >/dev/null
	follow_lines --event-field /type/name < <(
		printf '{"type":{"name":"call.updated"},"subaccountId":"a"}\r\n'
		printf '{"type":{"name":"call.updated"},"subaccountId":"b","pad":"'
		head -c 10000000 /dev/zero | tr '\0' x
		printf '"}\n{"type":{"name":"call.updated"},"subaccountId":"c"}'
	)
	assert_json '[.events, .applied]' '[3,3]'
	assert_equal "$(keys_now)" ''
}

@test "lines: change documents need no name" {
	rcli MSET active_calls 1 call_duration_stats 1 >/dev/null
	follow_lines <<-'LINES'
		{"operationType":"update","ns":{"db":"a","coll":"calls"},"updateDescription":{"updatedFields":{"duration":3},"removedFields":[]}}
		{"operationType":"insert","ns":{"db":"a","coll":"users"},"fullDocument":{}}
	LINES
	assert_exit 0
	assert_json '[.events, .applied, .keys]' '[2,2,1]'
	assert_equal "$(keys_now)" active_calls
}

@test "lines: the last word on a key counts" {
	follow_lines < <(
		for i in {1..300}; do
			printf '{"event":"human.started","leadId":"L%d","session":{"n":%d}}\n' $((i % 3)) "$i"
			((i % 5)) || printf '{"event":"human.ended","leadId":"L%d"}\n' $((i % 3))
		done
		printf '{"event":"human.started","leadId":"L9","session":{"n":1}}\n{"event":"human.ended","leadId":"L9"}\n{"event":"human.started","leadId":"L9","session":{"n":2}}\n'
	)
	assert_equal "$(value_of bici:sess:human:L9) $(rcli SMEMBERS bici:sess:human:all | sort | paste -sd' ')" '{"n":2} L1 L2 L9'
	assert_equal "$(value_of bici:sess:human:L1) $(value_of bici:sess:human:L2) $(rcli EXISTS bici:sess:human:L0)" '{"n":298} {"n":299} 0'
}

@test "lines: patterns of many events share scans, and spare what a later event writes" {
	cat >"$DIR/config.json" <<-'JSON'
		{ "namespaces": { "conv": { "key": "conv:{id}:{limit}", "ttl": "5m" } }, "events": {
			"drop": { "do": [{ "invalidate": "conv", "vars": { "limit": "*" } }] },
			"put": { "do": [{ "set": "conv", "value": "/v" }] } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
	for i in {1..400}; do echo "SET conv:L$i:5 1"; echo "SET conv:L$i:10 1"; done | rcli >/dev/null
	rcli SET other 1 >/dev/null
	rcli CONFIG RESETSTAT >/dev/null
	follow_lines < <(for i in {1..399}; do echo "{\"event\":\"drop\",\"id\":\"L$i\"}"; done)
	assert_json '[.applied, .keys]' '[399,798]'
	assert_equal "$(keys_now | paste -sd' ')" 'conv:L400:10 conv:L400:5 other'
	scans=$(rcli INFO commandstats | sed -n 's/^cmdstat_scan:calls=\([0-9]*\),.*/\1/p')
	((scans < 100)) || fail "$scans SCANs for 399 events"
	follow_lines <<-'LINES'
		{"event":"drop","id":"L400"}
		{"event":"put","id":"L400","limit":"7","v":{"new":1}}
	LINES
	assert_equal "$(keys_now | paste -sd' ')" 'conv:L400:7 other'
}

@test "lines: a restart of Redis in between is sat out" {
	start_follower log - --timeout 1s
	echo '{"event":"human.started","leadId":"L1","session":{}}' >&8
	wait_for present bici:sess:human:L1
	stop_redis 8>&-
	for i in 2 3; do echo "{\"event\":\"human.started\",\"leadId\":\"L$i\",\"session\":{}}" >&8; done
	wait_for --for 60 grep -q 'trying again until it is back' "$DIR/log"
	start_redis 8>&-
	wait_for --for 60 present bici:sess:human:L2 bici:sess:human:L3
	echo '{"event":"human.ended","leadId":"L2"}' >&8
	wait_for --for 60 absent bici:sess:human:L2
	exec 8>&-
	await_follower
	assert_equal "$status" 0
	grep -q 'Redis is back' "$DIR/log"
	assert_equal "$(report_of log '[.events, .applied, .bad, .failed, .complete, (.outages > 0)]')" '[4,4,0,0,true,true]'
}

@test "lines: TERM ends it with a true summary; so does the reader's end" {
	rcli SET call:logs:a 1 >/dev/null
	start_follower log -
	echo '{"event":"call.updated","subaccountId":"a"}' >&8
	wait_for absent call:logs:a
	stop_follower
	exec 8>&-
	assert_equal "$status" 143
	assert_equal "$(report_of log '[.events, .applied, .complete]')" '[1,1,false]'
}

@test "stream: the group is made, entries in three shapes are applied and acknowledged" {
	rcli MSET call:logs:a 1 call:logs:b 1 call:logs:c 1 call:logs:d 1 active_calls 1 >/dev/null
	add event call.updated data '{"subaccountId":"a"}'
	start_follower log stream:events
	wait_for absent call:logs:a
	add payload '{"event":"call.updated","subaccountId":"b"}'
	add event call.updated subaccountId c
	add data '{"operationType":"update","ns":{"coll":"calls"},"updateDescription":{"updatedFields":{"status":"x"}}}'
	wait_for absent call:logs:b call:logs:c active_calls
	wait_for all_done
	stop_follower
	assert_equal "$status" 143
	assert_equal "$(report_of log '[.events, .applied, .set_aside, .waiting, (.lag_ms >= 0)]')" '[4,4,0,0,true]'
	# its consumer is gone, the group stays
	assert_equal "$(rcli XINFO GROUPS events | grep -A1 '^consumers$' | tail -1)" 0
	assert_equal "$(keys_now | paste -sd' ')" 'call:logs:d events'
}

@test "stream: what a dead consumer left is taken over, counted once" {
	local i
	rcli XGROUP CREATE events g 0 MKSTREAM >/dev/null
	for i in 1 2 3 4 5; do
		add event call.status data "{\"callId\":\"c$i\",\"status\":\"completed\",\"direction\":\"inbound\",\"endTime\":\"2025-03-26T08:15:00Z\"}"
	done
	# this consumer applied two of them, and died before it said so
	rcli XREADGROUP GROUP g dead COUNT 5 STREAMS events '>' >/dev/null
	for i in 1 2; do
		cc_run invalidate --event call.status --data "{\"callId\":\"c$i\",\"status\":\"completed\",\"direction\":\"inbound\",\"endTime\":\"2025-03-26T08:15:00Z\"}"
	done
	assert_equal "$(pending g)" 5
	start_follower log stream:events --group g --consumer second --claim-after 1ms
	wait_for taken_over
	stop_follower
	assert_equal "$(rcli HGET "$(rcli --scan --pattern 'analytics:daily:*')" callVolume.total)" 5
	assert_equal "$(report_of log '[.events, .applied]')" '[5,5]'
	# a name that somebody chose stays
	[[ $(rcli XINFO CONSUMERS events g) == *second* ]]
}
taken_over() { [[ $(pending g) == 0 ]]; }

@test "stream: killed with -9 in the middle, nothing is lost" {
	local i
	for i in {1..3000}; do echo "SET call:logs:s$i 1"; done | rcli >/dev/null
	for i in {1..3000}; do echo "XADD events * event call.updated subaccountId s$i"; done | rcli >/dev/null
	start_follower log stream:events --claim-after 1ms
	wait_for absent call:logs:s1
	kill -KILL "$FOLLOWER"
	wait "$FOLLOWER" || true
	start_follower log2 stream:events --claim-after 1ms
	wait_for all_done
	stop_follower
	assert_equal "$(keys_now)" events
}

@test "stream: what can never be used is set aside at once, what fails after its tries" {
	rcli SET bici:sess:human:all 'no set' >/dev/null
	rcli SET call:logs:a 1 >/dev/null
	add event nope data '{}'
	add event human.ended leadId L1
	add event call.updated subaccountId $'a\xff'
	add event call.updated data '{"subaccountId":"a:b"}' note kept
	start_follower log stream:events --claim-after 1ms --max-tries 3 --dead-letter bad
	wait_for four_aside
	add event call.updated subaccountId a
	wait_for absent call:logs:a
	wait_for all_done
	stop_follower
	assert_equal "$(report_of log '[.set_aside, .bad, (.failed == 3)]')" '[4,3,true]'
	[[ $(rcli XRANGE bad - +) == *unknown\ event*UTF-8*"may not hold a ':'"* ]] || [[ $(rcli XRANGE bad - +) == *"unknown event"* ]]
	assert_equal "$(tries_of human.ended)" 3
	[[ $(rcli XRANGE bad - + | paste -sd' ') == *'call.updated data {"subaccountId":"a:b"} note kept cc:reason '* ]]
	[[ $(rcli XRANGE bad - +) == *WRONGTYPE* ]]
}
four_aside() { [[ $(rcli XLEN bad) == 4 ]]; }
# The deliveries that the entry of an event saw before it was set aside.
tries_of() { rcli XRANGE bad - + | paste -sd' ' | grep -o "event $1 .*" | grep -o 'cc:tries [0-9]*' | head -1 | cut -d' ' -f2; }

@test "stream: survives a restart that lost the stream and its group" {
	start_follower log stream:events --timeout 1s
	add event human.started data '{"leadId":"L1","session":{}}'
	wait_for present bici:sess:human:L1
	stop_redis
	wait_for --for 60 grep -q 'trying again until it is back' "$DIR/log"
	start_redis
	add event human.started data '{"leadId":"L2","session":{}}'
	wait_for --for 60 present bici:sess:human:L2
	wait_for all_done
	stop_follower
	assert_equal "$status" 143
	assert_equal "$(report_of log '[.events, .applied]')" '[2,2]'
}

@test "what never can be followed is no outage" {
	rcli SET events text >/dev/null
	cc_run invalidate --follow stream:events
	assert_exit 4
	assert_stderr_line WRONGTYPE
	rcli ACL SETUSER poor on '>pw' '~*' '&none' +@all -xreadgroup >/dev/null
	cc_run invalidate --follow stream:other --user poor -a pw
	assert_exit 4
	assert_stderr_line NOPERM
	cc_run invalidate --follow channel:news --user poor -a pw
	assert_exit 4
	assert_stderr_line NOPERM
	cc_run invalidate --follow nowhere:x
	assert_exit 2
	assert_stderr_line 'write -, stream:KEY or channel:NAME'
	cc_run invalidate --follow - --event x
	assert_exit 2
	cc_run invalidate --follow - --explain
	assert_exit 2
	cc_run invalidate --follow - --event-field ''
	assert_exit 2
}

@test "channel: applied as they come; what is published cannot come back" {
	cat >"$DIR/config.json" <<-'JSON'
		{ "namespaces": { "doc": { "key": "doc:{id}", "ttl": "5m" } }, "events": {
			"drop": { "do": [{ "invalidate": "doc" }] },
			"echo": { "do": [{ "publish": "{/to}", "message": { "event": "drop", "id": "{/id}" } }] } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
	rcli MSET doc:1 1 doc:2 1 doc:3 1 >/dev/null
	start_follower log channel:news
	wait_for subscribed news
	rcli PUBLISH news '{"event":"drop","id":"1"}' >/dev/null
	wait_for absent doc:1
	rcli PUBLISH news '{"event":"echo","id":"2","to":"news"}' >/dev/null
	rcli PUBLISH news nonsense >/dev/null
	rcli PUBLISH news '{"event":"drop","id":"3"}' >/dev/null
	wait_for absent doc:3
	stop_follower
	assert_equal "$status" 143
	assert_equal "$(report_of log '[.events, .applied, .bad, .failed]')" '[4,2,1,1]'
	grep -q 'this channel is the one that is followed' "$DIR/log"
	assert_equal "$(keys_now)" doc:2
}
subscribed() { [[ $(rcli PUBSUB NUMSUB "$1" | tail -1) == 1 ]]; }

@test "channel: subscribes again after a restart" {
	start_follower log channel:news --timeout 1s
	wait_for subscribed news
	stop_redis
	wait_for --for 60 grep -q 'trying again until it is back' "$DIR/log"
	start_redis
	wait_for --for 60 subscribed news
	rcli SET call:logs:a 1 >/dev/null
	rcli PUBLISH news '{"event":"call.updated","subaccountId":"a"}' >/dev/null
	wait_for absent call:logs:a
	stop_follower
	assert_equal "$(report_of log '[.events, .applied]')" '[1,1]'
}

@test "--report-every tells how it goes" {
	start_follower log stream:events --report-every 1ms --progress lines
	wait_for grep -q '0 events, 0 keys touched' "$DIR/log"
	add event call.updated subaccountId a
	wait_for grep -Eq '1 events, 0 keys touched, 0 bad, 0 failed, .*lag .*, 0 waiting' "$DIR/log"
	stop_follower
}
