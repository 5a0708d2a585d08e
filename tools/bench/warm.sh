#!/bin/bash
# warm over HTTP, beside what does less: a bare download loop of the same URLs,
# and beside what people write by hand: xargs, curl and redis-cli.
#
# IDS (20000) bodies of 1 KB from nginx, keep-alive, concurrency 64, RUNS (3)
# in turns. Then a source that allows 50 requests/s, and the peak memory of
# MANY (1000000) ids. PARTS="download xargs limit memory" chooses.
set -euo pipefail
. "$(dirname "$0")/common.bash"
ids=${IDS:-20000} many=${MANY:-1000000}

# config MEMBERS: of the source.
config() {
	cat >"$dir/config.json" <<-JSON
		{ "sources": { "api": { "base_url": "$url", $1 } },
		  "namespaces": { "thing": { "key": "thing:{id}", "ttl": "5m", "source": { "use": "api", "get": "/${2:-things}/{id}" } } } }
	JSON
	export CALLCACHE_CONFIG=$dir/config.json
}

# shellcheck disable=SC2016 # nginx' variables
setup() {
	mkdir -p "$dir/www/things"
	LC_ALL=C awk -v n="$ids" -v dir="$dir/www/things" 'BEGIN {
		for (i = 1; i <= n; i++) {
			file = dir "/" i
			printf "{\"id\":%d,\"text\":\"%0990d\"}", i, i >file
			close(file)
		} }'
	seq "$ids" >"$dir/ids"
	start_redis --port 0
	local limit='limit_req_status 429; try_files /things/1 =404;'
	start_nginx "location /any/ { return 200 '{\"n\":1}'; }
		location /few/ { limit_req zone=few burst=5 nodelay; access_log $dir/few.log few; $limit }
		location /strict/ { limit_req zone=few; access_log $dir/strict.log few; $limit }" \
		'limit_req_zone $server_port zone=few:1m rate=50r/s; log_format few "$msec $status";'
	sed "s|^|$url/things/|" "$dir/ids" >"$dir/urls"
}

# warm_ids NAME FILE [options]: it must store them all.
warm_ids() {
	cli FLUSHALL SYNC >/dev/null
	timed "$1" "$ccache" -s "$dir/s" warm thing --ids "$2" -o json "${@:3}"
	[[ $(jq .stored "$dir/out") == $(wc -l <"$2") ]] || { cat "$dir/out" "$dir/err" >&2; exit 1; }
}

# The rate of the whole process, its start included, of both sides.
against_download() {
	config '"concurrency": { "initial": 64, "max": 64 }'
	for ((run = 0; run < runs; run++)); do
		timed download "$tools/download" "$dir/urls" 64
		[[ $(<"$dir/out") == "$ids answers"* ]] || { cat "$dir/out" >&2; exit 1; }
		warm_ids warm "$dir/ids"
		warm_ids ephemeral "$dir/ids" --ephemeral
	done
	printf '%-22s %8.0f/s\n' download "$(ratio "$ids" "$(median download)")" warm "$(ratio "$ids" "$(median warm)")"
	bar 'warm / bare curl-multi loop on the same URLs' "$(ratio "$(median download)" "$(median warm)")" '>=' 0.5
	bar 'warm --ephemeral / the same' "$(ratio "$(median download)" "$(median ephemeral)")" '>=' 0.5
}

against_xargs() {
	local few=400
	head -n "$few" "$dir/ids" >"$dir/few"
	config '"concurrency": { "initial": 64, "max": 64 }'
	# shellcheck disable=SC2016 # for the inner shell
	local each='curl -sS "$0/things/$1" | redis-cli -s "$2" -x SET "thing:$1" EX 300 >"$3"'
	for ((run = 0; run < runs; run++)); do
		timed xargs xargs -a "$dir/few" -P8 -I'{}' sh -c "$each" "$url" '{}' "$dir/s" /dev/null
		[[ ${PARTS:-download} == *download* ]] || warm_ids warm "$dir/ids"
	done
	bar 'warm / xargs -P8 curl | redis-cli' "$(ratio "$(ratio "$ids" "$(median warm)")" "$(ratio "$few" "$(median xargs)")")" '>=' 50
}

# What nginx served and turned away from the tenth second on, when the rate should have settled.
settled() {
	seq 1500 >"$dir/some"
	config '"retry": { "max": 20 }' "$1"
	warm_ids "$1" "$dir/some"
	awk 'NR == 1 { start = $1 } $1 > start + 10 { if ($2 == 200) { served++; end = $1 } else rejected++ }
		END { print served / (end - start - 10) / 50, 100 * rejected / (served + rejected) }' "$dir/$1.log"
}

# A limit that lets a few requests be early is judged; one that counts from each to the next is shown.
against_limit() {
	local rate rejected
	settled few >"$dir/settled"
	read -r rate rejected < <(tail -1 "$dir/settled")
	bar 'rate at a source of 50/s, of that' "$rate" '>=' 0.9
	bar '% of its requests rejected' "$rejected" '<=' 5
	settled strict >"$dir/settled"
	awk 'END { printf "without burst: %.2f of the limit, %.2f %% rejected\n", $1, $2 }' "$dir/settled"
}

peak_memory() {
	seq "$many" >"$dir/many"
	config '"concurrency": 64' any
	warm_ids memory "$dir/many"
	bar "MiB at the peak of $many ids" "$(ratio "$(median memory 3)" 1024)" '<=' 64
}

setup
for part in ${PARTS:-download xargs limit memory}; do
	case $part in
	download | xargs) "against_$part" ;;
	limit) against_limit ;;
	memory) peak_memory ;;
	*) echo "no part '$part'" >&2; exit 2 ;;
	esac
done
