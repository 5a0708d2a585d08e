# shellcheck shell=bash disable=SC2034 # who sources this uses them
# tools/sandbox.sh : sourced by tools that show the real program: start_servers
# starts a throwaway redis-server and the tests' upstream in $dir, and makes
# `ccache` this build. Everything is stopped and removed at the end, also on
# Ctrl-C. REDIS_SERVER=valkey-server: another server (stand-in.bash).
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD:-build}
case $build in /*) ;; *) build=$root/$build ;; esac
program=$build/${PROGRAM:-ccache}
dir=$(mktemp -d -p "${TMPDIR:-/tmp}" --suffix=".ccache-${tool:-demo}")
pids=()

clean_up() {
	trap '' INT TERM PIPE
	if ((${#pids[@]})); then
		kill "${pids[@]}" 2>/dev/null
		wait "${pids[@]}" 2>/dev/null
	fi
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'echo; echo "${tool:-demo}: interrupted; stopping the servers"; exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE # its reader left

# shellcheck source=tools/stand-in.bash
. "$root/tools/stand-in.bash"
stand_in "$dir/servers" || exit 2

# until_true COMMAND…: within a minute.
until_true() {
	local deadline=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) && kill -0 "${pids[-1]}" 2>/dev/null && sleep 0.02 && continue
		echo "${tool:-demo}: not within a minute: $*; what the servers say:" >&2
		cat "$dir"/*.log >&2
		exit 1
	done
}

start_servers() {
	local url
	# An API takes its time; that makes the difference between miss and hit visible.
	"$build/upstream" --items "${DEMO_ITEMS:-25}" --delay "${API_DELAY_MS:-60}" >"$dir/upstream.log" 2>&1 &
	pids+=($!)
	until_true grep -q '^listening on' "$dir/upstream.log"
	url=http://$(sed -n 's/^listening on //p' "$dir/upstream.log")
	redis-server --port 0 --unixsocket "$dir/redis.sock" --unixsocketperm 700 --dir "$dir" --save '' \
		--appendonly no --daemonize no >"$dir/redis.log" 2>&1 &
	pids+=($!)
	until_true redis-cli -s "$dir/redis.sock" PING

	# Nothing of the operator's own settings may reach into the sandbox, or out of it.
	local name
	for name in $(compgen -e); do
		case $name in REDIS_* | REDISCLI_* | CALLCACHE_*) unset "$name" ;; esac
	done
	export REDIS_URL=unix://$dir/redis.sock XDG_CONFIG_HOME=$dir/config XDG_STATE_HOME=$dir/state
	export CALLS_API_URL=$url CALLS_DB_URL=$url REALTIME_API_URL=$url SESSIONS_API_URL=$url \
		MESSAGES_API_URL=$url LEADS_DB_URL=$url
	mkdir "$dir/bin"
	ln -s "$program" "$dir/bin/ccache"
	export PATH=$dir/bin:$PATH
}
