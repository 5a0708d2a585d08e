#!/bin/bash
# inspect beside `redis-cli --memkeys`: KEYS (1000000) keys of the five systems
# over a unix socket, RUNS (3) in turns. First how long each takes and what it
# costs the server, then what a second client feels that GETs 1000 times a
# second. PARTS="speed stall large" chooses; large: what it feels beside a
# hash of a million fields and a value of 100 MB.
set -euo pipefail
. "$(dirname "$0")/common.bash"
keys=${KEYS:-1000000}

# Keys in the shares of a busy evening, values of 120 to 520 bytes, TTLs that outlast the benchmark.
generate() {
	LC_ALL=C awk -v keys="$keys" 'BEGIN {
		srand(7)
		for (i = 1; i <= keys; i++) {
			s = i % 20
			id = sprintf("%08x%016x", i * 2654435761 % 4294967296, i)
			if (s < 4) key = "call:logs:" id
			else if (s < 7) key = sprintf("message:msg-%08d", i)
			else if (s < 9) key = sprintf("conversation:conv-%07d", i)
			else if (s < 11) key = "bici:conv:lead-" i ":" (i % 2 ? 10 : 20)
			else if (s < 13) key = "bici:ctx:lead-" i
			else if (s < 14) key = "campaign_" i
			else if (s < 15) key = "campaign_" i "_contacts"
			else if (s < 16) key = "call:CA" id
			else if (s < 17) key = sprintf("1778%07d:b0c1b1c1-0000-4000-8000-%012d", i, i)
			else if (s < 18) key = "bici:sess:call:s-" i
			else if (s < 19) key = "bici:sess:human:lead-" i
			else key = sprintf("bici:org:+1604%07d", i)
			value = sprintf("{\"id\":%d,\"body\":\"%*s\"}", i, 120 + int(rand() * 400), "x")
			ttl = 7200000 + int(rand() * 86400000)
			printf "*5\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$2\r\nPX\r\n$%d\r\n%s\r\n",
				length(key), key, length(value), value, length(ttl), ttl
		} }'
}

# of_server COMMAND…: runs it; sets cpu to the CPU seconds that the server spent meanwhile.
of_server() {
	local before
	before=$(awk '{ print $14 + $15 }' "/proc/${pids[0]}/stat")
	"$@"
	cpu=$(awk -v before="$before" -v tick="$(getconf CLK_TCK)" '{ print ($14 + $15 - before) / tick }' "/proc/${pids[0]}/stat")
}

speed() {
	local name
	for ((run = 0; run < runs; run++)); do
		of_server timed memkeys redis-cli -s "$dir/s" --memkeys
		note memkeys.cpu "$cpu"
		of_server timed inspect "$ccache" -s "$dir/s" inspect -o json
		note inspect.cpu "$cpu"
		[[ $(jq -c '[.keys, .complete, .exact]' "$dir/out") == "[$((keys + 1)),true,true]" ]] || { cat "$dir/out" >&2; exit 1; }
		timed sample "$ccache" -s "$dir/s" inspect --sample 20000 -o json
		[[ $(jq -r .schema "$dir/out") == ccache.inspect-sample/1 ]] || { cat "$dir/out" >&2; exit 1; }
	done
	for name in memkeys inspect; do
		printf '%-24s %8.2f s CPU of the server\n' $name "$(median $name.cpu)"
	done
	bar 'inspect / redis-cli --memkeys' "$(ratio "$(median inspect)" "$(median memkeys)")" '<=' 0.20
	bar 'inspect --sample 20000 / redis-cli --memkeys' "$(ratio "$(median sample)" "$(median memkeys)")" '<=' 0.02
	bar 'MiB at the peak of inspect' "$(ratio "$(median inspect 3)" 1024)" '<=' 16
}

# beside NAME COMMAND…: runs it while a second client measures; notes median, p99 and worst in microseconds.
beside() {
	local name=$1 prober
	shift
	"$tools/stall" "$dir/s" probe >"$dir/stall.out" &
	prober=$!
	"$@" >"$dir/out" 2>"$dir/err" || { cat "$dir/err" >&2; exit 1; }
	kill "$prober"
	wait "$prober"
	note "$name" "$(cut -d' ' -f2- "$dir/stall.out")"
	awk -v name="$name" '{ printf "  beside %-16s p50 %6d us  p99 %6d us  worst %7d us  (%d GETs)\n", name, $2, $3, $4, $1 }' "$dir/stall.out"
}

pause() { read -rt 5 <> <(:) || true; }

stall() {
	for ((run = 0; run < runs; run++)); do
		beside idle pause
		beside memkeys redis-cli -s "$dir/s" --memkeys
		beside inspect "$ccache" -s "$dir/s" inspect
		beside sample "$ccache" -s "$dir/s" inspect --sample 20000
	done
	bar 'p99 of GETs beside inspect / beside --memkeys' "$(ratio "$(median inspect 2)" "$(median memkeys 2)")" '<=' 1
	bar 'ms of the worst GET beside inspect, above an idle server' \
		"$(awk -v a="$(median inspect 3)" -v b="$(median idle 3)" 'BEGIN { print (a - b) / 1000 }')" '<=' 2
}

often() { for ((turn = 0; turn < 50; turn++)); do "$ccache" -s "$dir/s" inspect "$@" || return; done; }
audited() { "$ccache" -s "$dir/s" inspect --audit || (($? == 1)); }

large() {
	cli EVAL 'for i = 1, 1000000, 500 do local t = {} for j = i, i + 499 do t[#t + 1] = j t[#t + 1] = j end
		redis.call("HSET", "analytics:daily:2025-03-26", unpack(t)) end' 0 >/dev/null
	cli SETRANGE call:logs:long 100000000 x >/dev/null
	for ((run = 0; run < runs; run++)); do
		beside idle pause
		beside overview "$ccache" -s "$dir/s" inspect
		beside value often --key call:logs:long
		beside fields often --key analytics:daily:2025-03-26
		beside sample often --sample 1000
		beside audit audited
	done
	for name in overview value fields sample audit; do
		bar "ms of the worst GET beside large keys ($name), above idle" \
			"$(awk -v a="$(median "$name" 3)" -v b="$(median idle 3)" 'BEGIN { print (a - b) / 1000 }')" '<=' 2
	done
}

start_redis --port 0
generate | cli --pipe >"$dir/fill.log"
cli SET probe value >/dev/null
for part in ${PARTS:-speed stall large}; do
	case $part in
	speed | stall | large) "$part" ;;
	*) echo "no part '$part'" >&2; exit 2 ;;
	esac
	rm -f "$dir"/figures.*
done
