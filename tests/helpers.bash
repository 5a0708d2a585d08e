# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120 # bats and the test files set and use these
# Loaded by every .bats file (`load helpers`). Everything a test starts lives
# in its own directory $DIR and is stopped by pid when the test ends.
#
# Conventions: `cc_run ARGS…` runs the program with stdout in $output and
# stderr in $stderr; assertions print what was expected and what came. Wait for
# conditions with `wait_for`, never with sleep.

bats_require_minimum_version 1.5.0
for helper in bats-support bats-assert; do
	load "${BATS_LIB_DIR:-/usr/lib/bats}/$helper/load"
done

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD_DIR=${BUILD_DIR:-$ROOT/build}
CCACHE=${CCACHE:-$BUILD_DIR/ccache}
UPSTREAM=${UPSTREAM:-$BUILD_DIR/upstream}

# --- before and after each test; a file that needs more defines setup() and calls this first ---

sandbox() {
	DIR=$(mktemp -d -p "${BATS_TEST_TMPDIR:-${TMPDIR:-/tmp}}")
	PIDS=()
	local name
	for name in $(compgen -e); do
		case $name in
		DEPS | REDIS_* | REDISCLI_* | CALLCACHE_* | CALLS_* | REALTIME_* | SESSIONS_* | MESSAGES_* | LEADS_* | XDG_* | \
			*_proxy | *_PROXY | NO_COLOR | COLUMNS | LINES | SSL_CERT_*) unset "$name" ;;
		esac
	done
	export HOME=$DIR/home TMPDIR=$DIR TERM=dumb LC_ALL=C.UTF-8 TZ=UTC
	export XDG_CONFIG_HOME=$HOME/.config XDG_STATE_HOME=$HOME/.local/state XDG_CACHE_HOME=$HOME/.cache
	mkdir -p "$XDG_CONFIG_HOME"
	cd "$DIR" || return 1
}

setup() { sandbox; }

teardown() { stop_all; }

# Stops what the test started, newest first, and waits until it is gone.
stop_all() {
	local i
	for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do
		stop "${PIDS[i]}"
	done
	PIDS=()
	cd "$ROOT" || return 1
}

# stop PID: TERM, and KILL when that did not end it within five seconds.
stop() {
	kill -TERM "$1" 2>/dev/null || return 0
	kill -CONT "$1" 2>/dev/null || true # one that a test stalled takes its TERM only then
	wait_for --for 5 gone "$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# Ended, though perhaps not yet waited for.
gone() {
	local state
	{ read -r state <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ $state == *') Z '* ]]
}

# wait_for [--for SECONDS] COMMAND…: polls until it succeeds; fails after 90 (whole) seconds.
wait_for() {
	local seconds=90
	if [[ $1 == --for ]]; then
		seconds=$2
		shift 2
	fi
	local deadline=$((${EPOCHREALTIME/./} + seconds * 1000000))
	until "$@" >/dev/null 2>&1; do
		if ((${EPOCHREALTIME/./} > deadline)); then
			echo "wait_for: not within $seconds s: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

# in_background LOG COMMAND…: runs it with its output in $DIR/LOG, its pid in $STARTED.
in_background() {
	local log=$DIR/$1
	shift
	: >"$log" # before the fork: who waits for a line must not find a former run's
	"$@" >"$log" 2>&1 </dev/null 3>&- 4>&- &
	STARTED=$!
	PIDS+=("$STARTED")
}

# shellcheck source=tools/port.bash
. "$ROOT/tools/port.bash"

# start_on_port PORT_VARIABLE LOG CONDITION COMMAND…: "@PORT@" in the command
# is a free port; another one is tried when the program ends at once (two tests
# may pick the same).
start_on_port() {
	local variable=$1 log=$2 condition=$3 try port
	shift 3
	for try in 1 2 3 4 5; do
		port=$(free_port)
		printf -v "$variable" '%s' "$port"
		in_background "$log" "${@//@PORT@/$port}"
		if wait_for started_or_gone "$STARTED" "$condition" && ! gone "$STARTED"; then
			return 0
		fi
		echo "# $1 did not start on port $port (try $try):" >&2
		cat "$DIR/$log" >&2
	done
	return 1
}

started_or_gone() { gone "$1" || $2; }

# --- servers ---

# start_redis [redis-server options]: sets REDIS_SOCKET, REDIS_PID; a second
# one with REDIS_NAME=other gets its own socket and files.
# With TCP=1 also REDIS_TCP_PORT, with TLS=1 (after make_certs) REDIS_TLS_PORT.
start_redis() {
	local name=${REDIS_NAME:-redis} home options=()
	home=$DIR/$name
	mkdir -p "$home"
	REDIS_SOCKET=$DIR/$name.sock
	[[ ${TLS:-} ]] && options+=(--tls-port @TLS@ --tls-cert-file "$DIR/certs/server.pem"
		--tls-key-file "$DIR/certs/server.key" --tls-ca-cert-file "$DIR/certs/ca.pem" --tls-auth-clients "${TLS_CLIENTS:-no}")
	if [[ ${TLS:-} ]]; then
		REDIS_TLS_PORT=$(free_port)
		options=("${options[@]//@TLS@/$REDIS_TLS_PORT}")
	fi
	local server=(redis-server --unixsocket "$REDIS_SOCKET" --unixsocketperm 700 --bind 127.0.0.1 --dir "$home"
		--save '' --appendonly no --daemonize no "${options[@]}" "$@")
	if [[ ${TCP:-} ]]; then
		start_on_port REDIS_TCP_PORT "$name.log" redis_is_up "${server[@]}" --port @PORT@ || return 1
	else
		in_background "$name.log" "${server[@]}" --port 0
		wait_for started_or_gone "$STARTED" redis_is_up
		if gone "$STARTED"; then
			cat "$DIR/$name.log" >&2
			return 1
		fi
	fi
	REDIS_PID=$STARTED
}

# on_redis [redis-server options]: the same, and it is what the program works on.
on_redis() { start_redis "$@" && export REDIS_URL=unix://$REDIS_SOCKET; }

# start_cluster: three primaries over TCP that share the slots: CLUSTER_PORTS, CLUSTER_SOCKETS, CLUSTER_PIDS; with
# REPLICAS=1 three replicas behind them, with TLS=1 (after make_certs) all of it over TLS.
start_cluster() {
	local i j nodes=3
	((${REPLICAS:-0})) && nodes=6
	CLUSTER_PORTS=() CLUSTER_SOCKETS=() CLUSTER_PIDS=()
	for ((i = 0; i < nodes; i++)); do
		start_node "$i" || return 1
	done
	local first=(0 5461 10923) last=(5460 10922 16383)
	for ((i = 0; i < 3; i++)); do
		node_cli "$i" CLUSTER ADDSLOTSRANGE "${first[i]}" "${last[i]}" >/dev/null
	done
	# Else the nodes settle who is who by raising epochs, and a slot moved meanwhile comes back.
	for ((i = 0; i < nodes; i++)); do
		node_cli "$i" CLUSTER SET-CONFIG-EPOCH "$((i + 1))" >/dev/null
	done
	for ((i = 1; i < nodes; i++)); do echo "CLUSTER MEET 127.0.0.1 ${CLUSTER_PORTS[i]}"; done | node_cli 0 >/dev/null
	wait_for --for 60 cluster_agrees "$nodes" || return 1
	for ((i = 3, j = 0; i < nodes; i++, j++)); do
		wait_for --for 60 node_cli_ok "$i" CLUSTER REPLICATE "$(node_cli "$j" CLUSTER MYID)" || return 1
	done
	for ((i = 3; i < nodes; i++)); do
		wait_for --for 60 node_is_synced "$i" || return 1
	done
	if ((nodes > 3)); then
		# a replica is announced once it was heard to have data
		for i in 0 1 2; do node_cli "$i" FLUSHALL >/dev/null; done
		wait_for --for 60 replicas_are_announced || return 1
	fi
	wait_for --for 60 cluster_settles "$nodes"
}
replicas_are_announced() {
	local i
	for i in 0 1 2; do
		[[ $(node_cli "$i" CLUSTER SLOTS | grep -xE "${CLUSTER_PORTS[3]}|${CLUSTER_PORTS[4]}|${CLUSTER_PORTS[5]}" | sort -u | wc -l) == 3 ]] || return 1
	done
}
# cluster_talks N, cluster_settles N: its nodes ask each other every second, and nobody takes over; they are as slow to
# suspect as the test wants, unless one just was, who would be suspected for as long.
cluster_talks() {
	local i
	for ((i = 0; i < $1; i++)); do
		node_cli_ok "$i" CONFIG SET cluster-node-timeout 2000 cluster-replica-no-failover yes || return 1
	done
}
cluster_settles() {
	local i
	cluster_agrees "$1" || return 1
	for ((i = 0; i < $1; i++)); do
		node_cli_ok "$i" CONFIG SET cluster-node-timeout "${NODE_TIMEOUT:-5000}" cluster-replica-no-failover no || return 1
	done
	cluster_agrees "$1" && return
	cluster_talks "$1"
	return 1
}
start_node() {
	local try saved=${REDIS_SOCKET:-} port place
	for try in 1 2 3 4 5; do
		port=$(free_port)
		place=(--port "$port")
		[[ ${TLS:-} ]] && place=(--port 0 --tls-port "$port" --tls-cluster yes --tls-replication yes --tls-auth-clients no
			--tls-cert-file "$DIR/certs/server.pem" --tls-key-file "$DIR/certs/server.key" --tls-ca-cert-file "$DIR/certs/ca.pem"
			--tls-client-cert-file "$DIR/certs/client.pem" --tls-client-key-file "$DIR/certs/client.key")
		REDIS_SOCKET=$DIR/node$1.sock
		mkdir -p "$DIR/node$1"
		in_background "node$1.log" redis-server "${place[@]}" --bind 127.0.0.1 --unixsocket "$REDIS_SOCKET" --dir "$DIR/node$1" \
			--save '' --repl-diskless-sync-delay 0 --cluster-enabled yes --cluster-port "$((port + 10000))" --cluster-node-timeout 2000 --cluster-replica-no-failover yes
		if wait_for --for 60 started_or_gone "$STARTED" redis_is_up && ! gone "$STARTED"; then
			CLUSTER_PORTS+=("$port") CLUSTER_SOCKETS+=("$REDIS_SOCKET") CLUSTER_PIDS+=("$STARTED")
			REDIS_SOCKET=$saved
			return 0
		fi
	done
	cat "$DIR/node$1.log" >&2
	return 1
}
# node_cli N ARGS…: redis-cli on the cluster's Nth node.
node_cli() { redis-cli -s "${CLUSTER_SOCKETS[$1]}" "${@:2}"; }
node_cli_ok() { [[ $(node_cli "$@") == OK ]]; }
node_is_synced() { [[ $(node_cli "$1" INFO replication) == *master_link_status:up* ]]; }
cluster_agrees() {
	local i info
	for ((i = 0; i < $1; i++)); do
		info=$(node_cli "$i" CLUSTER INFO)
		[[ $info == *cluster_state:ok*slots_pfail:0*slots_fail:0*known_nodes:$1* ]] || return 1
	done
}

# Any answer will do: with a password it is NOAUTH.
redis_is_up() { [[ $(redis-cli -s "$REDIS_SOCKET" PING 2>&1) == @(PONG|NOAUTH*|*"Authentication required"*) ]]; }

stop_redis() { stop "${1:-$REDIS_PID}"; }

# rcli ARGS…: redis-cli on the test's server.
rcli() { redis-cli -s "$REDIS_SOCKET" "$@"; }

# db_size: how many keys there are, the program's own counters left out.
db_size() { echo $(($(rcli DBSIZE) - $(rcli KEYS 'cc:c:*' | grep -c . || true))); }

# start_upstream [options]: sets UPSTREAM_URL (http://127.0.0.1:PORT), UPSTREAM_PORT, UPSTREAM_PID.
start_upstream() {
	in_background upstream.log "$UPSTREAM" "$@"
	UPSTREAM_PID=$STARTED
	wait_for started_or_gone "$UPSTREAM_PID" upstream_is_up
	UPSTREAM_PORT=$(sed -n 's/^listening on 127\.0\.0\.1://p' "$DIR/upstream.log")
	if [[ ! $UPSTREAM_PORT ]]; then
		cat "$DIR/upstream.log" >&2
		return 1
	fi
	UPSTREAM_URL=http://127.0.0.1:$UPSTREAM_PORT
}

upstream_is_up() { grep -q '^listening on' "$DIR/upstream.log"; }

# The profiles' variables, so that every source is the upstream.
use_upstream() {
	export CALLS_API_URL=$UPSTREAM_URL CALLS_DB_URL=$UPSTREAM_URL REALTIME_API_URL=$UPSTREAM_URL \
		SESSIONS_API_URL=$UPSTREAM_URL MESSAGES_API_URL=$UPSTREAM_URL LEADS_DB_URL=$UPSTREAM_URL
}

# start_system [upstream options]: redis on a unix socket, the upstream, and the environment that joins them.
start_system() {
	on_redis && start_upstream "$@" || return 1
	use_upstream
}

# fault KIND [name=value…]: see tests/upstream/control.h.
fault() {
	local kind=$1 arguments=() argument
	shift
	for argument in "$@"; do
		arguments+=(--data-urlencode "$argument")
	done
	# POST with the arguments in the query, as -G alone would make it a GET.
	curl -fsS -o /dev/null -G -X POST "${arguments[@]}" --data-urlencode "kind=$kind" "$UPSTREAM_URL/_fault"
}

# Nothing goes wrong any more, and what was held is answered.
no_faults() { curl -fsS -o /dev/null -X DELETE "$UPSTREAM_URL/_fault"; }

# set_data PATH BODY [curl options]: the upstream answers PATH with BODY from now on.
set_data() {
	local path=$1 body=$2 type=(-H 'Content-Type: application/json')
	shift 2
	[[ $* == *Content-Type:* ]] && type=()
	curl -fsS -o /dev/null -X PUT "${type[@]}" --data-binary "$body" "$@" "$UPSTREAM_URL/_data$path"
}

# upstream_count [PATH]: requests so far, all or of one path.
upstream_count() { curl -fsS "$UPSTREAM_URL/_count" | jq --arg path "${1:-}" 'if $path == "" then .total else .paths[$path] // 0 end'; }

# upstream_last JQ: something of the last request, as in '.headers.Authorization'.
upstream_last() { curl -fsS "$UPSTREAM_URL/_last" | jq -r "$1"; }

# start_nginx 'DIRECTIVES': a server block's content; sets NGINX_PORT and NGINX_URL. "listen" is there already
# (NGINX_LISTEN=ssl for TLS with the certificates of make_certs).
start_nginx() {
	mkdir -p "$DIR/nginx/www"
	start_on_port NGINX_PORT nginx.log nginx_is_up start_nginx_on @PORT@ "$1" || return 1
	NGINX_PID=$STARTED
	NGINX_URL=http${NGINX_LISTEN:+s}://127.0.0.1:$NGINX_PORT
}

start_nginx_on() {
	local port=$1 tls='' user=''
	((EUID)) || user='user root;' # else its workers may not enter the test's directory
	[[ ${NGINX_LISTEN:-} ]] && tls="ssl_certificate $DIR/certs/${NGINX_CERT:-server}.pem; ssl_certificate_key $DIR/certs/${NGINX_CERT:-server}.key;"
	cat >"$DIR/nginx/nginx.conf" <<-CONF
		$user daemon off; worker_processes 1; pid $DIR/nginx/pid; error_log stderr;
		events { worker_connections 256; }
		http {
			access_log off; types { application/json json; } default_type application/json;
			client_body_temp_path $DIR/nginx/body; proxy_temp_path $DIR/nginx/proxy; fastcgi_temp_path $DIR/nginx/fastcgi;
			uwsgi_temp_path $DIR/nginx/uwsgi; scgi_temp_path $DIR/nginx/scgi;
			server { listen 127.0.0.1:$port ${NGINX_LISTEN:-}; root $DIR/nginx/www; $tls $2 }
		}
	CONF
	exec nginx -e stderr -p "$DIR/nginx" -c "$DIR/nginx/nginx.conf"
}

port_is_open() { (exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
nginx_is_up() { port_is_open "$NGINX_PORT"; }

# start_socks [USER PASSWORD]: a SOCKS5 proxy; sets SOCKS_PORT and SOCKS_URL.
start_socks() {
	start_on_port SOCKS_PORT socks.log socks_is_up microsocks -i 127.0.0.1 -p @PORT@ ${1:+-u "$1" -P "$2"} || return 1
	SOCKS_URL=socks5h://${1:+$1:$2@}127.0.0.1:$SOCKS_PORT
}
socks_is_up() { port_is_open "$SOCKS_PORT"; }

# start_terminal COLUMNS LINES COMMAND: runs it on a terminal of that size (tmux), which stays when it ends, until
# the test ends or another one is started.
start_terminal() {
	local columns=$1 lines=$2
	shift 2
	[[ ! ${TERMINAL_PID:-} ]] || stop "$TERMINAL_PID" # one that is about to go takes no other command
	TERM=xterm tmux -f /dev/null -S "$DIR/tmux" new-session -d -x "$columns" -y "$lines" "$*; sleep 60" </dev/null >/dev/null 2>&1 3>&- 4>&-
	TERMINAL_PID=$(tmux -S "$DIR/tmux" display-message -p '#{pid}')
	PIDS+=("$TERMINAL_PID")
}
# What stands on it now, and typing there.
screen() { tmux -S "$DIR/tmux" capture-pane -p "$@"; }
type_keys() { tmux -S "$DIR/tmux" send-keys "$@"; }
screen_shows() { [[ $(screen) == *"$1"* ]]; }

# make_certs: $DIR/certs/{ca,server,expired,othername,client,stranger}.{pem,key}; see tests/certs/make.sh.
make_certs() { "$ROOT/tests/certs/make.sh" "$DIR/certs" >"$DIR/certs.log" 2>&1 || { cat "$DIR/certs.log" >&2; return 1; }; }

# --- running the program and looking at what it said ---

# Who types "ccache" runs it.
put_on_path() {
	mkdir -p "$DIR/bin"
	ln -s "$CCACHE" "$DIR/bin/ccache"
	PATH=$DIR/bin:$PATH
}

# cc_run ARGS…: status in $status, stdout in $output, stderr in $stderr.
cc_run() { run --separate-stderr "$CCACHE" "$@"; }

dump() {
	printf 'exit status: %s\n--- stdout\n%s\n--- stderr\n%s\n---\n' "$status" "$output" "${stderr:-}"
}

assert_exit() {
	[[ $status == "$1" ]] && return 0
	echo "expected exit status $1; got:"
	dump
	return 1
}

# assert_stderr_line TEXT: some line of stderr holds it.
assert_stderr_line() {
	[[ ${stderr:-} == *"$1"* ]] && return 0
	printf 'expected on stderr: %s\ngot:\n' "$1"
	dump
	return 1
}

refute_stderr_line() {
	[[ ${stderr:-} != *"$1"* ]] && return 0
	printf 'not expected on stderr: %s\ngot:\n' "$1"
	dump
	return 1
}

assert_no_stderr() {
	[[ ! ${stderr:-} ]] && return 0
	echo 'expected nothing on stderr; got:'
	dump
	return 1
}

# assert_json FILTER EXPECTED: what jq -c -r makes of stdout.
assert_json() {
	local got
	if ! got=$(jq -c -r "$1" <<<"$output" 2>&1); then
		printf 'jq %s failed: %s\non:\n' "$1" "$got"
		dump
		return 1
	fi
	[[ $got == "$2" ]] && return 0
	printf 'jq filter: %s\nexpected:  %s\nactual:    %s\nof:\n' "$1" "$2" "$got"
	dump
	return 1
}

# assert_equal_files EXPECTED ACTUAL: byte for byte.
assert_equal_files() {
	cmp "$1" "$2" && return 0
	printf 'expected:\n%s\nactual:\n%s\n' "$(head -c 500 "$1" | od -c | head -20)" "$(head -c 500 "$2" | od -c | head -20)"
	return 1
}
