#!/bin/bash
# tools/capture.sh [--readme] : a session of `ccache repl`, typed by this script
# on a real terminal (tmux) against throwaway servers, as text on standard
# output; or put into README.md between its CAPTURE marks.
set -u
tool=capture
# shellcheck source=tools/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

tm() { tmux -f /dev/null -S "$dir/tmux" "$@"; }
screen() { tm capture-pane -p -S -; }

# until_shows TEXT: within a minute, as the end of what stands on the terminal.
until_shows() { until_true shows_last "$1"; }
shows_last() { [[ $(screen | sed '/^ *$/d' | tail -1) == *"$1" ]]; }

# keys KEY… / text TEXT: typed; enter waits for the next prompt.
keys() { tm send-keys "$@"; }
# Its end stands there before the next key: an old prompt must not be taken for a new one.
text() {
	tm send-keys -l "$1"
	until_shows "${1:$((${#1} > 2 ? ${#1} - 2 : 0))}"
}
enter() {
	keys Enter
	until_shows '>'
}

# Asks for them, again if a busy machine did not find all at once.
candidates() {
	[[ $(screen) == *439020\ *439029* ]] && return
	keys Tab Tab
	sleep 0.5
	[[ $(screen) == *439020\ *439029* ]]
}

session() {
	local id=507f1f77bcf86cd799439011
	ccache warm --all -q >/dev/null || exit 1
	cd "$dir" || exit 1
	TERM=xterm LC_ALL=C.UTF-8 tm new-session -d -x 80 -y 100 'exec ccache -s redis.sock repl --no-hints' </dev/null
	pids+=("$(tm display-message -p '#{pid}')")
	until_shows '0>'
	text 'use call-l'
	keys Tab
	until_shows 'call-logs'
	enter
	text 'ttl 507f1f77bcf86cd79943902'
	until_true candidates
	keys BSpace
	text 11
	until_shows "$id"
	enter
	text 'inspect --ttl'
	enter
	text "inval $id --dry"
	enter
	text "redis MEMORY USAGE call:logs:$id"
	enter
	text 'redis FLUSHALL'
	keys Enter
	until_shows '[y/N]'
	text n
	enter
	text 'inspct'
	enter
	screen | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' -e 's/ *$//' | sed '$d'
	echo '$'
}

start_servers
if [[ ${1:-} != --readme ]]; then
	session
	exit
fi
session >"$dir/session.txt"
awk -v file="$dir/session.txt" '
	/^<!-- END CAPTURE -->$/ { inside = 0 }
	!inside { print }
	/^<!-- BEGIN CAPTURE/ {
		inside = 1
		print "```"
		while ((getline line < file) > 0) print line
		print "```"
	}' "$root/README.md" >"$dir/README.md" && cp "$dir/README.md" "$root/README.md"
