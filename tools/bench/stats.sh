#!/bin/bash
# What `stats --sample` costs the server: throughput of redis-benchmark (GET and SET of 100 B, 20 clients, over a unix
# socket) without and with a sample running, RUNS (3) times in turns, medians and their ratio. And how many commands
# the own counters add to `warm --from` of ROWS (200,000) rows; the bar is 2 % of them.
set -euo pipefail
. "$(dirname "$0")/common.bash"
requests=${REQUESTS:-200000}
rows=${ROWS:-200000}

middle() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# rate TEST: requests a second, by redis-benchmark's own account.
rate() { redis-benchmark -s "$dir/s" -t "$1" -n "$requests" -c 20 -d 100 -r 10000 --csv | awk -F'"' -v t="${1^^}" '$2 == t { print $4 }'; }

start_redis --loglevel warning
for test in set get; do
	: >"$dir/without"
	: >"$dir/with"
	for ((run = 0; run < runs; run++)); do
		rate "$test" >>"$dir/without"
		"$ccache" -s "$dir/s" stats --sample 10m --max-lines 100000000 --max-bytes 1000GiB --max-latency 0 -o json >"$dir/stats.json" 2>/dev/null &
		sampler=$!
		pids+=("$sampler")
		until_true "$sampler" eval 'cli CLIENT LIST | grep -q " flags=O"'
		rate "$test" >>"$dir/with"
		kill -INT "$sampler"
		wait "$sampler" || true
	done
	awk -v test="$test" -v without="$(middle <"$dir/without")" -v with="$(middle <"$dir/with")" \
		'BEGIN { printf "%s: %d/s without a sample, %d/s with one: %.2f x\n", test, without, with, with / without }'
done

LC_ALL=C awk -v rows="$rows" 'BEGIN { for (i = 1; i <= rows; i++)
	printf "{\"ns\":\"message\",\"vars\":{\"message_id\":\"m%d\"},\"value\":{\"n\":%d}}\n", i, i }' >"$dir/rows.ndjson"
commands() { cli INFO commandstats | tr -d '\r' | sed -n 's/^cmdstat_[a-z|]*:calls=\([0-9]*\),.*/\1/p' | awk '{ n += $1 } END { print n }'; }
before=$(commands)
"$ccache" -s "$dir/s" -q warm --from "$dir/rows.ndjson" >/dev/null
own=$(cli INFO commandstats | tr -d '\r' | sed -n 's/^cmdstat_h[a-z]*:calls=\([0-9]*\),.*/\1/p' | awk '{ n += $1 } END { print n + 0 }')
awk -v own="$own" -v all="$(($(commands) - before))" \
	'BEGIN { printf "own counters: %d of the %d commands of a warm (%.4f %%)\n", own, all, 100 * own / all; exit own / all > 0.02 }' || missed=1
