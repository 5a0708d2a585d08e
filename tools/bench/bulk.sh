#!/bin/bash
# warm --from against `redis-cli --pipe` on ready-made RESP of the same data:
# ROWS rows (1,000,000; about 300 MB) into an empty throwaway server, RUNS (3)
# interleaved runs; medians of the wall time and of the client's CPU, and their
# ratio. TCP=1 goes through loopback TCP instead of a unix socket.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
ccache=${CCACHE:-$root/${BUILD:-build}/ccache}
rows=${ROWS:-1000000} runs=${RUNS:-3}
dir=$(mktemp -d "${TMPDIR:-/tmp}/ccache-bulk.XXXXXX")
server=
trap '[[ $server ]] && kill "$server" 2>/dev/null; wait; rm -rf "$dir"' EXIT
unset REDIS_URL REDIS_HOST REDIS_PORT REDIS_DB CALLCACHE_CONFIG CALLCACHE_PROFILE

generate() {
	LC_ALL=C awk -v rows="$rows" -v dir="$dir" 'BEGIN {
		for (i = 1; i <= rows; i++) {
			id = sprintf("msg-%08d", i)
			value = sprintf("{\"id\":\"%s\",\"conversation_id\":\"conv-%06d\",\"direction\":\"%s\",\"status\":\"delivered\"," \
				"\"from_address\":\"+1778652%04d\",\"body\":\"Hello, your appointment no. %d is confirmed.\"," \
				"\"attachments\":[],\"sent_at\":\"2025-03-26T08:15:%02dZ\",\"unread\":%d}",
				id, i % 99991, i % 2 ? "inbound" : "outbound", i % 10000, i, i % 60, i % 7)
			printf "{\"ns\":\"message\",\"vars\":{\"message_id\":\"%s\"},\"value\":%s}\n", id, value >(dir "/rows.ndjson")
			key = "message:" id
			printf "*5\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$2\r\nPX\r\n$6\r\n300000\r\n",
				length(key), key, length(value), value >(dir "/rows.resp")
		}
	}'
}

cli() { redis-cli -s "$dir/s" "$@"; }

start_server() {
	port=0
	[[ ${TCP:-} ]] && port=$((20000 + RANDOM % 10000))
	redis-server --unixsocket "$dir/s" --bind 127.0.0.1 --port "$port" --save '' --appendonly no >"$dir/log" &
	server=$!
	until [[ $(cli PING 2>/dev/null) == PONG ]]; do
		kill -0 "$server" || { cat "$dir/log" >&2; exit 1; }
		read -rt 0.05 <> <(:) || true
	done
	way=(-s "$dir/s")
	if [[ ${TCP:-} ]]; then way=(-h 127.0.0.1 -p "$port"); fi
}

# measure NAME INPUT COMMAND…: appends "seconds cpu rss" to NAME's figures; the server must hold every row afterwards.
measure() {
	local name=$1 input=$2
	shift 2
	cli FLUSHALL SYNC >/dev/null
	command time -f '%e %U %S %M' -o "$dir/time" "$@" <"$input" >"$dir/out" 2>&1 || { cat "$dir/out" >&2; exit 1; }
	[[ $(cli DBSIZE) == "$rows" ]] || { echo "$name: $(cli DBSIZE) keys" >&2; exit 1; }
	awk -v name="$name" '{ printf "  %-16s %6.2f s  %6.2f s CPU  %7d KiB\n", name, $1, $2 + $3, $4 }' "$dir/time"
	awk '{ print $1, $2 + $3, $4 }' "$dir/time" >>"$dir/$name"
}

median() { sort -n -k"$2,$2" "$dir/$1" | awk -v column="$2" '{ v[NR] = $column } END { print v[int((NR + 1) / 2)] }'; }

generate
start_server
printf '%d rows, %s of NDJSON, %s of RESP, %s\n' "$rows" "$(du -h "$dir/rows.ndjson" | cut -f1)" \
	"$(du -h "$dir/rows.resp" | cut -f1)" "$([[ ${TCP:-} ]] && echo TCP || echo 'unix socket')"
for ((i = 0; i < runs; i++)); do
	measure redis-cli "$dir/rows.resp" redis-cli "${way[@]}" --pipe
	measure ccache /dev/null "$ccache" --profile messages "${way[@]}" warm --from "$dir/rows.ndjson" --output json
done
awk -v rate_theirs="$(median redis-cli 1)" -v rate_ours="$(median ccache 1)" \
	-v cpu_theirs="$(median redis-cli 2)" -v cpu_ours="$(median ccache 2)" -v rows="$rows" 'BEGIN {
	printf "rate: %.0f rows/s, %.2f x redis-cli --pipe (%.0f rows/s); client CPU %.2f x\n",
		rows / rate_ours, rate_theirs / rate_ours, rows / rate_theirs, cpu_ours / cpu_theirs }'
