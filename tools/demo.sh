#!/bin/bash
# tools/demo.sh : tells what the program does, with the real program against a
# throwaway redis-server and the tests' upstream, in a directory of its own.
# DEMO_SHELL=1 leaves you in $SHELL against that sandbox before all is removed.
set -u
# shellcheck source=tools/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

columns=80
[[ ! -t 1 ]] || columns=$(tput cols 2>/dev/null) || columns=80
if [[ -t 1 && ! ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
	bold=$(tput bold) dim=$(tput dim) plain=$(tput sgr0)
else
	bold='' dim='' plain=''
fi

say() { printf '\n%s%s%s\n' "$bold" "$(fold -s -w "$columns" <<<"$*")" "$plain"; }

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
