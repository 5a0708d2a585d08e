#!/bin/bash
# Three primaries beside one server, over TCP: inspect of KEYS (300000) keys and warm --from of ROWS (200000) rows, RUNS
# (3) in turns; and what share of a core the client took, for on few cores it must not be the bottleneck.
set -euo pipefail
. "$(dirname "$0")/common.bash"
keys=${KEYS:-300000} rows=${ROWS:-200000}

node() { redis-cli -p "${ports[$1]}" "${@:2}"; }
agrees() { [[ $(node "$1" CLUSTER INFO) == *cluster_state:ok*known_nodes:3* ]]; }
start_nodes() {
	local i first=(0 5461 10923) last=(5460 10922 16383)
	ports=()
	for i in 0 1 2; do
		ports+=("$(free_port)")
		mkdir "$dir/node$i"
		redis-server --port "${ports[i]}" --bind 127.0.0.1 --dir "$dir/node$i" --save '' --cluster-enabled yes \
			--cluster-port "$((ports[i] + 10000))" >"$dir/node$i.log" &
		pids+=($!)
		until_true $! node "$i" PING
		node "$i" CLUSTER ADDSLOTSRANGE "${first[i]}" "${last[i]}" >/dev/null
		node "$i" CLUSTER SET-CONFIG-EPOCH "$((i + 1))" >/dev/null
		((i == 0)) || node 0 CLUSTER MEET 127.0.0.1 "${ports[i]}" >/dev/null
	done
	for i in 0 1 2; do until_true "${pids[-1]}" agrees "$i"; done
}
# rows_of COUNT: as warm --from takes them.
rows_of() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
		printf "{\"ns\":\"message\",\"vars\":{\"message_id\":\"m%d\"},\"value\":{\"n\":%d,\"text\":\"%0100d\"}}\n", i, i, i }'
}
# side NAME URL: both works there.
side() {
	timed "$1.warm" "$ccache" -u "$2" warm --from "$dir/rows" -o json
	[[ $(jq .stored "$dir/out") == "$rows" ]] || { cat "$dir/out" >&2; exit 1; }
	timed "$1.inspect" "$ccache" -u "$2" inspect -o json
	[[ $(jq '.keys, .complete' "$dir/out" | paste -sd' ') == "$keys true" ]] || { cat "$dir/out" >&2; exit 1; }
}

port=$(free_port)
redis-server --port "$port" --bind 127.0.0.1 --save '' >"$dir/one.log" &
pids+=($!)
until_true $! redis-cli -p "$port" PING
start_nodes
rows_of "$rows" >"$dir/rows"
rows_of "$keys" >"$dir/keys"
for url in "redis://127.0.0.1:$port" "redis://127.0.0.1:${ports[0]}"; do
	"$ccache" -q -u "$url" warm --from "$dir/keys" --ephemeral >/dev/null
done
for ((run = 0; run < runs; run++)); do
	side one "redis://127.0.0.1:$port"
	side three "redis://127.0.0.1:${ports[0]}"
done
for work in warm inspect; do
	for name in one three; do
		printf '%s: %s: %.0f %% of a core\n' "$work" "$name" "$(ratio "$(median "$name.$work" 2)e2" "$(median "$name.$work")")"
	done
	bar "$work of three primaries / of one server (time)" "$(ratio "$(median "three.$work")" "$(median "one.$work")")" '<=' "${BAR:-2}"
done
