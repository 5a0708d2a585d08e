# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120 # the test files set and use these
# Links that are slow or break at a chosen command (link.py), and runs over them.

NEAR=() FAR=() # how a command runs in our network and in the server's, see network.bash

# start_link ARGS…: before the test's Redis (or LINK_TO); sets LINK, its socket (OVER_TCP=1: its address).
start_link() {
	stop_link
	if [[ ${OVER_TCP:-} ]]; then
		start_on_port LINK_PORT link.log link_is_up python3 "$ROOT/tests/link/link.py" 127.0.0.1:@PORT@ "${LINK_TO:-$REDIS_SOCKET}" "$@" ||
			return 1
		LINK=127.0.0.1:$LINK_PORT LINK_PID=$STARTED FAR_LINK=$LINK
		return 0
	fi
	LINK=${FAR_LINK:-$DIR/link.sock}
	rm -f "$LINK"*
	in_background link.log "${FAR[@]}" python3 "$ROOT/tests/link/link.py" "$LINK" "${LINK_TO:-$REDIS_SOCKET}" "$@"
	LINK_PID=$STARTED
	wait_for started_or_gone "$LINK_PID" link_is_up
	link_is_up || { cat "$DIR/link.log" >&2; return 1; }
}
link_is_up() { grep -q '^listening' "$DIR/link.log"; }
stop_link() {
	[[ ${LINK_PID:-} ]] || return 0
	stop "$LINK_PID"
	LINK_PID=''
}
# order WORDS…: what the link does from the next connection on; it is started, if there is none.
order() {
	if [[ ! ${LINK_PID:-} ]] || gone "$LINK_PID"; then
		start_link || return 1
	fi
	rm -f "$LINK".{held,struck,errors,connections,rounds}
	printf '%q ' "$@" >"$LINK.orders.new"
	mv "$LINK.orders.new" "$LINK.orders"
}
# How many connections there were.
link_connections() { cat "$LINK.connections" 2>/dev/null || echo 0; }
is_held() { [[ -e $LINK.held ]]; }
release() { rm -f "$LINK.held"; }
# has_answered PATTERN: the server has answered with such an error.
has_answered() { grep -qE "$1" "$LINK.errors"; }

# start_run WORDS…: the program over the link, in the background; end_run waits for it: $status, $output, $stderr.
start_run() {
	local over=(-s "$LINK")
	[[ ! ${FAR_LINK:-} ]] || over=(-u "redis://$FAR_LINK")
	"${NEAR[@]}" env --default-signal=INT "$CCACHE" "${over[@]}" --timeout "${TIMEOUT:-60s}" "$@" >"$DIR/run.out" 2>"$DIR/run.err" <"${INPUT:-/dev/null}" 3>&- 4>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
}
end_run() {
	wait_for --for 120 gone "$RUN_PID"
	status=0
	wait "$RUN_PID" || status=$?
	output=$(<"$DIR/run.out") stderr=$(<"$DIR/run.err")
}
held_or_over() { is_held || gone "$RUN_PID"; }
struck_or_over() { [[ -e $LINK.struck ]] || gone "$RUN_PID"; }
