# shellcheck shell=bash disable=SC2034
# Loaded by every tools/bench/*.sh: a directory, a throwaway server, medians, and the verdict on a ratio.
#
# A benchmark runs both sides in turns and judges the ratio of their medians;
# it exits 1 when a bar is missed. Nothing it starts outlives it.
# REDIS_SERVER=valkey-server: on another server, with its own -cli and -benchmark.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/${BUILD:-build}/bench
ccache=${CCACHE:-$root/${BUILD:-build}/${PROGRAM:-ccache}}
runs=${RUNS:-3}
missed=0
pids=()
dir=$(mktemp -d -p "${TMPDIR:-/tmp}" --suffix=.ccache-bench)
chmod 755 "$dir" # nginx' workers may be another user
bench_end() {
	local status=$?
	((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null
	wait
	rm -rf "$dir"
	exit $((status ? status : missed > 0))
}
trap bench_end EXIT
# shellcheck source=tools/stand-in.bash
. "$root/tools/stand-in.bash"
# shellcheck source=tools/port.bash
. "$root/tools/port.bash"
stand_in "$dir/servers" || exit 2
for name in $(compgen -e); do
	case $name in
	REDIS_* | REDISCLI_* | CALLCACHE_* | *_proxy | *_PROXY) unset "$name" ;;
	esac
done
unset name

# until_true PID COMMAND…: polls until it succeeds; ends the benchmark when PID is gone.
until_true() {
	local pid=$1
	shift
	until "$@" >/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || { cat "$dir"/*.log >&2; exit 1; }
		read -rt 0.05 <> <(:) || true
	done
}

cli() { redis-cli -s "$dir/s" "$@"; }

# start_redis [options]: a server on the socket $dir/s.
start_redis() {
	redis-server --unixsocket "$dir/s" --bind 127.0.0.1 --port 0 --save '' --appendonly no "$@" >"$dir/redis.log" &
	pids+=($!)
	until_true $! cli PING
}

# start_nginx DIRECTIVES [IN_HTTP]: serves $dir/www; sets url.
start_nginx() {
	local port user='' pid
	port=$(free_port)
	((EUID)) || user='user root;'
	mkdir -p "$dir/www" "$dir/nginx"
	cat >"$dir/nginx.conf" <<-CONF
		$user daemon off; worker_processes 1; pid $dir/nginx/pid; error_log stderr crit;
		events { worker_connections 1024; }
		http {
			access_log off; default_type application/json; keepalive_requests 100000000; keepalive_timeout 3600; ${2:-}
			client_body_temp_path $dir/nginx/a; proxy_temp_path $dir/nginx/b; fastcgi_temp_path $dir/nginx/c;
			uwsgi_temp_path $dir/nginx/d; scgi_temp_path $dir/nginx/e;
			server { listen 127.0.0.1:$port; root $dir/www; $1 }
		}
	CONF
	nginx -e stderr -p "$dir/nginx" -c "$dir/nginx.conf" 2>"$dir/nginx.log" &
	pid=$!
	pids+=("$pid")
	until_true "$pid" bash -c "exec 9<>/dev/tcp/127.0.0.1/$port"
	url=http://127.0.0.1:$port
}

# note NAME FIGURES…: one run's figures.
note() { echo "${@:2}" >>"$dir/figures.$1"; }

# median NAME [COLUMN]: of what was noted.
median() { sort -n -k"${2:-1},${2:-1}" "$dir/figures.$1" | awk -v column="${2:-1}" '{ v[NR] = $column } END { print v[int((NR + 1) / 2)] }'; }

# timed NAME COMMAND…: runs it and notes seconds, CPU seconds, peak KiB; its output is in $dir/out.
timed() {
	local name=$1
	shift
	command time -f '%e %U %S %M' -o "$dir/time" "$@" >"$dir/out" 2>"$dir/err" || { cat "$dir/err" "$dir/out" >&2; exit 1; }
	note "$name" "$(awk '{ print $1, $2 + $3, $4 }' "$dir/time")"
	awk -v name="$name" '{ printf "  %-22s %8.2f s  %7.2f s CPU  %7d KiB\n", name, $1, $2 + $3, $4 }' "$dir/time"
}

# bar TEXT FIGURE '>='|'<=' BAR: prints the verdict; a missed one makes the exit code.
bar() {
	local verdict=ok
	awk -v a="$2" -v b="$4" -v op="$3" 'BEGIN { exit !(op == ">=" ? a >= b : a <= b) }' || verdict=MISSED
	[[ $verdict == ok ]] || ((++missed))
	printf '%-58s %8.2f  (bar: %s %s) %s\n' "$1" "$2" "$3" "$4" "$verdict"
}

# ratio A B: A / B.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }
