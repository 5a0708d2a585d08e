#!/bin/bash
# tools/demo.sh : tells what the program does, with the real program against a
# throwaway redis-server and the tests' upstream, in a directory of its own.
# Everything is stopped and removed at the end, also on Ctrl-C. DEMO_SHELL=1
# leaves you in $SHELL against that sandbox before.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-build}
case $build in /*) ;; *) build=$root/$build ;; esac
program=$build/${PROGRAM:-ccache}
dir=$(mktemp -d "${TMPDIR:-/tmp}/ccache-demo.XXXXXX")
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
trap 'echo; echo "demo: interrupted; stopping the servers"; exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE # its reader left

if [[ -t 1 && ! ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
	bold=$(tput bold) dim=$(tput dim) plain=$(tput sgr0)
else
	bold='' dim='' plain=''
fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# Prints the command as an operator would type it and runs it; the demo ends with its failure.
run() {
	local status=0
	printf '%s$ %s%s\n' "$dim" "$*" "$plain"
	"$@" || status=$?
	((status == 0)) && return
	printf 'demo: this failed with exit status %d: %s\n' "$status" "$*" >&2
	exit 1
}

# The same, with the data of an envelope left out: here it is about the meta behind it.
run_for_meta() {
	run "$@" | sed 's/"data":.*,"meta":/"data":…,"meta":/'
	((PIPESTATUS[0] == 0)) || exit 1
}

# until_true COMMAND…: within ten seconds.
until_true() {
	local deadline=$((SECONDS + 10))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) && kill -0 "${pids[-1]}" 2>/dev/null && sleep 0.02 && continue
		echo "demo: a server did not start:" >&2
		cat "$dir"/*.log >&2
		exit 1
	done
}

start_servers() {
	local url
	# An API takes its time; that makes the difference between miss and hit visible.
	"$build/upstream" --items "${DEMO_ITEMS:-25}" --delay 60 >"$dir/upstream.log" 2>&1 &
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

tell_story() {
	local subaccount=507f1f77bcf86cd799439011

	say 'Five systems cache in one Redis. Fill every namespace from their APIs:'
	run ccache warm --all
	say 'What is in there now, and how long does it live?'
	run ccache inspect
	say "One key: a subaccount's call logs, with its value and its TTL:"
	run ccache inspect call-logs "$subaccount"
	say 'A call was deleted, so these logs are wrong now. Invalidate that subaccount, and no other:'
	run ccache invalidate call-logs "$subaccount" --yes
	say 'Read through: a miss goes to the API and is stored …'
	run_for_meta ccache get call-logs "$subaccount" --meta
	say '… a hit comes from Redis …'
	run_for_meta ccache get call-logs "$subaccount" --meta
	say '… and after the next invalidation it is a miss again.'
	run ccache invalidate call-logs "$subaccount" --yes
	run_for_meta ccache get call-logs "$subaccount" --meta
	say 'The server and the namespaces in figures:'
	run ccache stats
}

start_servers
tell_story
if [[ ${DEMO_SHELL:-} == 1 ]]; then
	say "Your shell: 'ccache' is this build, Redis and the APIs are the demo's. 'exit' removes it all."
	"${SHELL:-/bin/sh}" || true
fi
say 'The servers are stopped, their directory is removed.'
