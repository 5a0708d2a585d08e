#!/bin/bash
# invalidate --follow: EVENTS (200,000) events, each of one key that is there,
# from standard input and from a stream's consumer group, beside `redis-cli
# --pipe` with the ready-made UNLINKs of the same keys (no rules, no JSON, no
# sidecars), RUNS (3) runs in turns. The bars are rates.
# shellcheck disable=SC2016,SC2119 # the shells below expand; no options for the server
set -euo pipefail
. "$(dirname "$0")/common.bash"
events=${EVENTS:-200000}

generate() {
	LC_ALL=C awk -v events="$events" -v dir="$dir" '
	function resp(file, n, words,    i) {
		printf "*%d\r\n", n >(dir file)
		for (i = 1; i <= n; i++)
			printf "$%d\r\n%s\r\n", length(words[i]), words[i] >(dir file)
	}
	BEGIN {
		for (i = 1; i <= events; i++) {
			id = sprintf("507f1f77bcf86cd7%08x", i)
			data = sprintf("{\"subaccountId\":\"%s\",\"callId\":\"CA%d\",\"at\":\"2025-03-26T08:15:00Z\"}", id, i)
			printf "{\"event\":\"call.updated\",%s\n", substr(data, 2) >(dir "/events.ndjson")
			split("SET call:logs:" id " [1]", words, " "); resp("/keys.resp", 3, words)
			split("UNLINK call:logs:" id, words, " "); resp("/unlink.resp", 2, words)
			split("XADD events * event call.updated data " data, words, " "); resp("/stream.resp", 7, words)
		}
	}'
}

# fill FILE…: an empty server with these commands carried out.
fill() {
	cli FLUSHALL SYNC >/dev/null
	for file; do cli --pipe <"$dir/$file" >/dev/null; done
}

no_keys() { [[ ! $(cli --scan --pattern 'call:logs:*' | head -1) ]]; }
read_all() { [[ $(cli XPENDING events callcache 2>/dev/null | head -1) == 0 && $(cli XINFO GROUPS events | grep -A1 '^lag$' | tail -1) == 0 ]]; }

# follow_stream: the group's whole life up to its last acknowledgement, and the end by TERM.
follow_stream() {
	local pid
	"$ccache" --profile call-logs -s "$dir/s" invalidate --follow stream:events -o json >"$dir/report" &
	pid=$!
	until_true "$pid" read_all
	kill -TERM "$pid"
	wait "$pid" || [[ $? == 143 ]]
}
# rate NAME: thousands of events a second.
rate() { awk -v n="$events" -v s="$(median "$1")" 'BEGIN { print n / s / 1000 }'; }
export -f follow_stream until_true read_all cli
export ccache dir

generate
start_redis
echo "$events events"
for ((i = 0; i < runs; i++)); do
	fill keys.resp
	timed redis-cli bash -c 'redis-cli -s "$dir/s" --pipe <"$dir/unlink.resp"'
	fill keys.resp
	timed lines bash -c '"$ccache" --profile call-logs -s "$dir/s" invalidate --follow - -o json <"$dir/events.ndjson"'
	no_keys || { echo 'keys are left' >&2; exit 1; }
	fill keys.resp stream.resp
	timed stream bash -c follow_stream
	no_keys || { echo 'keys are left' >&2; exit 1; }
done
bar 'lines: events/s, thousands' "$(rate lines)" '>=' 50
bar 'stream: events/s, thousands' "$(rate stream)" '>=' 20
printf 'lines take %.2f x the time of the bare UNLINKs, %.2f x their client CPU\n' \
	"$(ratio "$(median lines)" "$(median redis-cli)")" "$(ratio "$(median lines 2)" "$(median redis-cli 2)")"
