#!/bin/bash
# invalidate of one namespace among many keys, beside what people write by
# hand: redis-cli --scan | xargs redis-cli unlink.
#
# KEYS (1000000) keys, an eighth of them the namespace's, RUNS (3) in turns:
# with and without an undo file, the peak memory, and the worst wait of a
# second client that pings all the while.
set -euo pipefail
. "$(dirname "$0")/common.bash"
keys=${KEYS:-1000000}
part=$((keys / 8))

# ping_until_gone PID NAME: the worst answer, in ms, of a client that asks a hundred times a second.
ping_until_gone() {
	local worst=0 max
	while kill -0 "$1" 2>/dev/null; do
		read -r _ max _ < <(cli --raw --latency -i 1)
		((max > worst)) && worst=$max
	done
	note "$2.stall" "$worst"
}

# drop NAME COMMAND…: on a full server; none of the namespace's keys may be left, and no other may be missing.
drop() {
	local name=$1 pid
	shift
	cli DEBUG POPULATE "$part" call:logs 100 >/dev/null
	timed "$name" "$@" &
	pid=$!
	ping_until_gone $pid "$name"
	wait $pid
	cli DEL cc:c:call-logs >/dev/null # the program's own counters
	[[ $(cli DBSIZE) == "$((keys - part))" && $(cli --scan --pattern 'call:logs:*' | wc -l) == 0 ]] ||
		{ echo "$name: the wrong keys went" >&2; exit 1; }
}

by_hand() {
	cli --scan --pattern 'call:logs:*' | xargs -n 1000 redis-cli -s "$dir/s" unlink
}
export -f by_hand cli
export dir

invalidate() {
	"$ccache" --profile call-logs -s "$dir/s" invalidate call-logs --all --yes --max-keys "$keys" -o json "$@"
}
export -f invalidate
export ccache keys

start_redis --enable-debug-command yes
cli DEBUG POPULATE $((keys - part)) other 100 >/dev/null
echo "$part of $keys keys"
for ((i = 0; i < runs; i++)); do
	drop by-hand bash -c by_hand
	drop invalidate-no-undo bash -c 'invalidate --no-backup'
	drop invalidate bash -c "invalidate --backup $dir/undo.$i"
	rm "$dir/undo.$i"
done
printf 'worst wait of a second client: by hand %s ms, invalidate %s ms, with an undo file %s ms\n' \
	"$(median by-hand.stall)" "$(median invalidate-no-undo.stall)" "$(median invalidate.stall)"
bar 'invalidate --no-backup / scan | xargs unlink' "$(ratio "$(median invalidate-no-undo)" "$(median by-hand)")" '<=' 0.25
bar 'invalidate with its undo file / the same' "$(ratio "$(median invalidate)" "$(median by-hand)")" '<=' 0.6
bar 'worst wait of a second client / by hand' "$(ratio "$(median invalidate.stall)" "$(median by-hand.stall | sed 's/^0$/1/')")" '<=' 1
bar 'peak memory, MiB' "$(ratio "$(median invalidate 3)" 1024)" '<=' 16
