#!/bin/bash
# ccache bench --max against redis-benchmark: the same commands (GET, and SET with
# a PX) on as many keys with names as long, all of which expire (a server looks that up
# for every GET), 50 connections, depth 1, 16 and 64, values of 3 B and 1 KB, over a unix
# socket, TCP and TLS, and beside memtier_benchmark where it is installed (Debian has
# none). The server has one core, the client the other. RUNS (5) in turns; medians of the
# client's CPU per operation (user and system time of the whole process, to the
# millisecond: at least 150 of them) and of operations a second.
# ONLY='unix GET 3 1' measures that line alone, ONLY='TLS*' those it matches;
# LENGTH (1) makes the runs longer.
set -euo pipefail
RUNS=${RUNS:-5}
. "$(dirname "$0")/common.bash"
keys=1000 prefix=cc:bench:redisbenchmk:key: only=${ONLY:-}
pin=() TIMEFORMAT='%3U %3S'
(($(nproc) > 1)) && pin=(taskset -c 1)

# The server's CPU time so far, in nanoseconds, over its threads.
server_cpu() { awk '{ sum += $1 } END { printf "%.0f", sum }' /proc/"${pids[0]}"/task/*/schedstat; }

# measure NAME COMMAND…: notes its CPU time per operation, and the server's.
measure() {
	local name=$1 before
	shift
	before=$(server_cpu)
	{ time "${pin[@]}" "$@" >"$dir/out" 2>"$dir/err"; } 2>"$dir/time" || { cat "$dir/err" >&2; exit 1; }
	note "$name.server" "$(awk -v n="$n" -v ns="$(($(server_cpu) - before))" 'BEGIN { printf "%.4f", ns / 1e3 / n }')"
	note "$name.cpu" "$(awk -v n="$n" '{ printf "%.4f", ($1 + $2) * 1e6 / n }' "$dir/time")"
}

ours() {
	measure ours "$ccache" "${way[@]}" bench --max --clients 50 --pipeline "$depth" --keys "$keys" --size "$size" \
		--mix "${command,,}=1" --requests "$n" -o json -q
	[[ $(jq -c '[.errors, .count, (.hit_ratio // 1)]' "$dir/out") == "[0,$n,1]" ]] || { cat "$dir/out" >&2; exit 1; }
	note ours.rate "$(jq -r .per_second "$dir/out")"
}

theirs() {
	local words=(GET "$prefix"__rand_int__)
	[[ $command == SET ]] && words=(SET "$prefix"__rand_int__ "$value" PX 3600000)
	measure theirs redis-benchmark "${way[@]}" -c 50 -P "$depth" -n "$n" -r "$keys" --csv "${words[@]}"
	note theirs.rate "$(tail -1 "$dir/out" | cut -d, -f2 | tr -d '"')"
}

# The third one: its own keys, filled by a run that writes each.
memtier() {
	local ratio=0:1
	[[ $command == SET ]] && ratio=1:0
	measure memtier memtier_benchmark "${memtier_way[@]}" -t 1 -c 50 -n "$((n / 50))" --pipeline "$depth" --ratio "$ratio" -d "$size" \
		--key-prefix "$prefix" --key-minimum 100000000000 --key-maximum "$((99999999999 + keys))" --hide-histogram
	note memtier.rate "$(awk '/^Totals/ { print $2 }' "$dir/out")"
}

# The keys that redis-benchmark reads, each of them.
fill() {
	awk -v keys="$keys" -v prefix="$prefix" -v value="$value" \
		'BEGIN { for (i = 0; i < keys; i++) printf "SET %s%012d %s PX 3600000\n", prefix, i, value }' | cli >/dev/null
}

# What the server did under each: its CPU time per operation, and the share of its core that this took. At 100 % it is
# the server that bounds the rate, and no client can get more out of it than it has with that cost.
server() {
	awk -v name="$1" -v us="$(median "$1.server")" -v rate="$(median "$1.rate")" \
		'BEGIN { printf "%s: %.2f us/op, %.0f %%", name, us, us * rate / 1e4 }'
}

# What DESIGN section 14 asks of a line: of the CPU, of the rate.
bars() {
	case "$socket $command $size $depth" in
	TLS*) echo 1.00 0.97 ;;
	unix*' 1') echo 0.45 1.8 ;;
	TCP*' 1') echo 0.65 1.4 ;;
	*'SET 1024 '*) echo 0.90 0.97 ;;
	*'GET 1024 64') echo 0.60 0.97 ;;
	*) echo 0.75 0.97 ;;
	esac
}

line() {
	# shellcheck disable=SC2053 # a pattern
	[[ ! $only || "$socket $command $size $depth" == $only ]] || return 0
	local cpu_bar rate_bar i what="$socket $command, $size B, depth $depth"
	local -A count=([1]=150000 [16]=700000 [64]=1500000)
	n=$((${count[$depth]} * ${LENGTH:-1}))
	value=$(printf "%${size}s" '' | tr ' ' x)
	rm -f "$dir"/figures.*
	cli FLUSHALL SYNC >/dev/null
	fill
	for ((i = 0; i < runs; i++)); do
		ours
		theirs
		[[ $with_memtier ]] && memtier
	done
	read -r cpu_bar rate_bar < <(bars)
	bar "$what: CPU $(median ours.cpu) of $(median theirs.cpu) us/op" "$(ratio "$(median ours.cpu)" "$(median theirs.cpu)")" '<=' "$cpu_bar"
	bar "$what: $(median ours.rate | cut -d. -f1)/s, $(median theirs.rate | cut -d. -f1)/s" \
		"$(ratio "$(median ours.rate)" "$(median theirs.rate)")" '>=' "$rate_bar"
	printf '    the server under %s; under %s\n' "$(server ours)" "$(server theirs)"
	[[ ! $with_memtier ]] || bar "$what: CPU, memtier_benchmark $(median memtier.cpu) us/op" \
		"$(ratio "$(median ours.cpu)" "$(median memtier.cpu)")" '<=' 1
}

with_memtier=$(command -v memtier_benchmark || true)
"$root/tests/certs/make.sh" "$dir/certs" >"$dir/certs.log" 2>&1 || { cat "$dir/certs.log" >&2; exit 1; }
port=$(free_port)
tls_port=$(free_port)
start_redis --port "$port" --tls-port "$tls_port" --tls-cert-file "$dir/certs/server.pem" --tls-key-file "$dir/certs/server.key" \
	--tls-ca-cert-file "$dir/certs/ca.pem" --tls-auth-clients no
((${#pin[@]})) && taskset -acp 0 "${pids[-1]}" >/dev/null
for socket in unix TCP TLS; do
	case $socket in
	unix) way=(-s "$dir/s") memtier_way=(-S "$dir/s") ;;
	TCP) way=(-h 127.0.0.1 -p "$port") memtier_way=("${way[@]}") ;;
	TLS) way=(-h 127.0.0.1 -p "$tls_port" --tls --cacert "$dir/certs/ca.pem") memtier_way=("${way[@]}") ;;
	esac
	for depth in 1 16 64; do
		for command in GET SET; do
			for size in 3 1024; do
				line
			done
		done
	done
done
