#!/bin/bash
# warm --from against `redis-cli --pipe` on ready-made RESP of the same data:
# ROWS rows (1,000,000; about 300 MB) into an empty throwaway server, RUNS (3)
# runs in turns; medians of the wall time and of the client's CPU, and their
# ratio. TCP=1 goes through loopback TCP instead of a unix socket.
set -euo pipefail
. "$(dirname "$0")/common.bash"
rows=${ROWS:-1000000}

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

# fill NAME INPUT COMMAND…: the server must hold every row afterwards.
fill() {
	local name=$1 input=$2
	shift 2
	cli FLUSHALL SYNC >/dev/null
	timed "$name" "$@" <"$input"
	[[ $(cli DBSIZE) -ge $rows ]] || { cli DBSIZE >&2; exit 1; } # and a few of the program's own
}

generate
way=(-s "$dir/s")
if [[ ${TCP:-} ]]; then
	port=$(free_port)
	start_redis --port "$port"
	way=(-h 127.0.0.1 -p "$port")
else
	start_redis
fi
printf '%d rows, %s of NDJSON, %s of RESP, %s\n' "$rows" "$(du -h "$dir/rows.ndjson" | cut -f1)" \
	"$(du -h "$dir/rows.resp" | cut -f1)" "$([[ ${TCP:-} ]] && echo TCP || echo 'unix socket')"
for ((i = 0; i < runs; i++)); do
	fill redis-cli "$dir/rows.resp" redis-cli "${way[@]}" --pipe
	fill warm /dev/null "$ccache" --profile messages "${way[@]}" warm --from "$dir/rows.ndjson" --output json
done
printf 'client CPU: %.2f x\n' "$(ratio "$(median warm 2)" "$(median redis-cli 2)")"
bar 'warm --from / redis-cli --pipe on ready-made RESP' "$(ratio "$(median redis-cli)" "$(median warm)")" '>=' 0.7
