#!/bin/bash
# A slow link beside a fast one: the same proxy in front of one server, without delay and with DELAY (50) ms each way.
# warm --from of ROWS (400000) rows, warm of IDS (100000) ids from nginx; then, over KEYS (100000) keys, what reads values
# behind a walk, drops what it saved, and undoes it. A walk itself (overview, top) has no bar: a page costs a round trip,
# and what stands behind one is judged against it where that is longer. RUNS (3) in turns. PARTS="warms values": some.
set -euo pipefail
. "$(dirname "$0")/common.bash"
parts=${PARTS:-warms values}
rows=${ROWS:-400000} ids=${IDS:-100000} keys=${KEYS:-100000}

# link NAME MS: a socket $dir/NAME before the server.
link() {
	python3 "$root/tests/link/link.py" "$dir/$1" "$dir/s" --delay "$2" >"$dir/link-$1.log" 2>&1 &
	pids+=($!)
	until_true $! redis-cli -s "$dir/$1" PING
}
# warms LINK
warms() {
	cli FLUSHALL SYNC >/dev/null
	timed "$1.rows" "$ccache" -s "$dir/$1" warm thing --from "$dir/rows" -o json
	[[ $(jq .stored "$dir/out") == "$rows" ]] || { cat "$dir/out" >&2; exit 1; }
	cli FLUSHALL SYNC >/dev/null
	timed "$1.ids" "$ccache" -s "$dir/$1" warm thing --ids "$dir/ids" -o json
	[[ $(jq .stored "$dir/out") == "$ids" ]] || { cat "$dir/out" >&2; exit 1; }
}
# values LINK: a walk over KEYS keys, and what reads their values.
values() {
	cli FLUSHALL SYNC >/dev/null
	head -n "$keys" "$dir/rows" | "$ccache" -q -s "$dir/s" warm thing --from - --ephemeral >/dev/null
	timed "$1.walk" "$ccache" -s "$dir/$1" inspect -o json
	[[ $(jq .keys "$dir/out") == "$keys" ]] || { cat "$dir/out" >&2; exit 1; }
	timed "$1.top" "$ccache" -s "$dir/$1" inspect --top 10 -o json
	timed "$1.audit" "$ccache" -s "$dir/$1" inspect --audit -o json
	rm -f "$dir/undo"
	timed "$1.take" "$ccache" -s "$dir/$1" invalidate thing --all --yes --max-keys "$keys" --backup "$dir/undo" -o json
	[[ $(jq .removed "$dir/out") == "$keys" ]] || { cat "$dir/out" >&2; exit 1; }
	timed "$1.undo" "$ccache" -s "$dir/$1" invalidate --undo "$dir/undo" --yes -o json
	[[ $(jq .restored "$dir/out") == "$keys" ]] || { cat "$dir/out" >&2; exit 1; }
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
	for part in $parts; do
		"$part" near
		"$part" far
	done
done
if [[ $parts == *warms* ]]; then
	bar 'warm --from, far / near (time)' "$(ratio "$(median far.rows)" "$(median near.rows)")" '<=' 3
	bar 'warm from a source, far / near (time)' "$(ratio "$(median far.ids)" "$(median near.ids)")" '<=' 3
fi
# figure NAME WHAT: keys a second far and near, beside the walk alone.
figure() {
	printf '%-26s far %8.0f keys/s, near %8.0f; of the walk alone, far %5.2f\n' "$2" "$(ratio "$keys" "$(median "far.$1")")" \
		"$(ratio "$keys" "$(median "near.$1")")" "$(ratio "$(median "far.$1")" "$(median far.walk)")"
}
if [[ $parts == *values* ]]; then
	figure walk inspect
	figure top 'inspect --top'
	figure audit 'inspect --audit'
	figure take 'invalidate, with undo'
	figure undo 'invalidate --undo'
	bar 'inspect --audit, far, against the walk alone' "$(ratio "$(median far.audit)" "$(median far.walk)")" '<=' 1.5
	bar 'invalidate --undo, far / near (time)' "$(ratio "$(median far.undo)" "$(median near.undo)")" '<=' 3
	bar 'invalidate with undo, far / near (time)' "$(ratio "$(median far.take)" "$(median near.take)")" '<=' 3
fi
