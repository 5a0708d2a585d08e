#!/bin/bash
# Eight stalls of 200 ms, one a second, at RATE (20000) operations a second: the
# server is stopped and continued. In an open loop everything that was due
# meanwhile waited, so p99 must be about 197 ms and no operation may be lost;
# redis-benchmark, beside it, sees one slow answer a connection.
set -euo pipefail
. "$(dirname "$0")/common.bash"
rate=${RATE:-20000}

start_redis --port 0
server=${pids[-1]}
is_read() { [[ $(cli INFO commandstats) == *cmdstat_get:* ]]; }
stall() {
	local i
	for ((i = 0; i < 8; i++)); do
		read -rt 0.8 <> <(:) || true
		kill -STOP "$server"
		read -rt 0.2 <> <(:) || true
		kill -CONT "$server"
	done
}
# measure NAME COMMAND…: runs it while the server stalls.
measure() {
	"$@" >"$dir/out" 2>"$dir/err" &
	local run=$!
	until_true "$run" is_read
	stall
	wait "$run" || { cat "$dir/err" >&2; exit 1; }
}

measure "$ccache" -s "$dir/s" bench --rate "$rate" --duration 10s --keys 1000 --size 100 -o json -q
jq -r '"ccache bench      offered \(.offered_per_second)/s, achieved \(.per_second * 10 | round / 10)/s, never sent \(.unsent), errors \(.errors); " +
	(.operations[0] | "p50 \(.p50_us / 1000 * 100 | round / 100) ms, p99 \(.p99_us / 1000 | round) ms, max \(.max_us / 1000 | round) ms")' "$dir/out"
p99=$(jq '.operations[0].p99_us / 1000' "$dir/out")
achieved=$(jq '.per_second / .offered_per_second' "$dir/out")
cli CONFIG RESETSTAT >/dev/null
measure redis-benchmark -s "$dir/s" -c 50 -n "$((rate * 10))" -r 1000 --csv GET key:__rand_int__
tail -1 "$dir/out" | tr -d '"' | awk -F, '{ printf "redis-benchmark   %s/s, p50 %s ms, p99 %s ms, max %s ms\n", $2, $5, $7, $8 }'
bar 'p99 of the open loop, ms' "$p99" '>=' 190
bar 'p99 of the open loop, ms' "$p99" '<=' 215
bar 'achieved / offered' "$achieved" '>=' 0.999
