#!/bin/bash
# A slow link beside a fast one: the same proxy in front of one server, without delay and with DELAY (50) ms each way.
# warm --from of ROWS (400000) rows, warm of IDS (100000) ids from nginx, and the overview of KEYS (100000) keys, which
# has no bar of its own: a page costs a round trip. RUNS (3) in turns.
set -euo pipefail
. "$(dirname "$0")/common.bash"
rows=${ROWS:-400000} ids=${IDS:-100000} keys=${KEYS:-100000}

# link NAME MS: a socket $dir/NAME before the server.
link() {
	python3 "$root/tests/link/link.py" "$dir/$1" "$dir/s" --delay "$2" >"$dir/link-$1.log" 2>&1 &
	pids+=($!)
	until_true $! redis-cli -s "$dir/$1" PING
}
# work LINK: both warms, and a walk over what is there then.
work() {
	cli FLUSHALL SYNC >/dev/null
	timed "$1.rows" "$ccache" -s "$dir/$1" warm thing --from "$dir/rows" -o json
	[[ $(jq .stored "$dir/out") == "$rows" ]] || { cat "$dir/out" >&2; exit 1; }
	cli FLUSHALL SYNC >/dev/null
	timed "$1.ids" "$ccache" -s "$dir/$1" warm thing --ids "$dir/ids" -o json
	[[ $(jq .stored "$dir/out") == "$ids" ]] || { cat "$dir/out" >&2; exit 1; }
	cli FLUSHALL SYNC >/dev/null
	head -n "$keys" "$dir/rows" | "$ccache" -q -s "$dir/s" warm thing --from - --ephemeral >/dev/null
	timed "$1.walk" "$ccache" -s "$dir/$1" inspect -o json
	[[ $(jq .keys "$dir/out") == "$keys" ]] || { cat "$dir/out" >&2; exit 1; }
}

awk -v n="$rows" 'BEGIN { for (i = 1; i <= n; i++)
	printf "{\"vars\":{\"id\":%d},\"value\":{\"n\":%d,\"text\":\"%0200d\"}}\n", i, i, i }' >"$dir/rows"
seq "$ids" >"$dir/ids"
start_redis --port 0
start_nginx "location / { return 200 '{\"n\":1}'; }"
cat >"$dir/config.json" <<-JSON
	{ "sources": { "api": { "base_url": "$url", "concurrency": { "initial": 64, "max": 64 } } },
	  "namespaces": { "thing": { "key": "thing:{id}", "ttl": "1h", "source": { "use": "api", "get": "/{id}" } } } }
JSON
export CALLCACHE_CONFIG=$dir/config.json
link near 0
link far "${DELAY:-50}"
for ((run = 0; run < runs; run++)); do
	work near
	work far
done
bar 'warm --from, far / near (time)' "$(ratio "$(median far.rows)" "$(median near.rows)")" '<=' 3
bar 'warm from a source, far / near (time)' "$(ratio "$(median far.ids)" "$(median near.ids)")" '<=' 3
printf '%-58s %8.0f keys/s, near %.0f\n' 'inspect, far' "$(ratio "$keys" "$(median far.walk)")" "$(ratio "$keys" "$(median near.walk)")"
