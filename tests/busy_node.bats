#!/usr/bin/env bats
# A node of a cluster runs a script in the middle of every verb's run: it is waited for as one server is, and the others
# go on.

load helpers
load verbs
load cluster
load trouble

told() { [[ -e $DIR/told.$1 ]] || gone "${RUN_PIDS[$1]}"; }
busy() { [[ $(node_cli 0 PING) == BUSY* ]]; }

@test "a node that is busy for a while, while every verb runs" {
	local name
	in_trouble
	node_cli 0 CONFIG SET lua-time-limit 1 >/dev/null
	in_background script.log redis-cli -s "${CLUSTER_SOCKETS[0]}" EVAL 'while true do end' 0
	wait_for busy
	let_go
	for name in "${NAMES[@]}"; do wait_for told "$name"; done
	node_cli 0 SCRIPT KILL >/dev/null
	wait_for are_over
	wait_for gone "${RUN_PIDS[follow]}"
	printf '\003' >&"$KEYS"
	wait_for gone "${RUN_PIDS[watch]}"
	end_stream 0
	look_at 0 1 2
	# what counts as an error of the bench, and what is listened to, is not asked again
	end_run bench
	assert_exit 3
	assert_json '.errors > 0' true
	end_run discover
	assert_exit 0
	declare -A EXITS=([stream]=143 [watch]=130 [traffic]=3)
	local rest=()
	for name in "${NAMES[@]}"; do
		EXITS[$name]=${EXITS[$name]:-0}
		[[ $name == bench || $name == discover ]] || rest+=("$name")
	done
	NAMES=("${rest[@]}")
	check_runs
	assert_equal "$(there warm 1) $(there existing 1) $(there bulk 1) $(there plan) $(there save) $(there take) $(there unlink) $(there undo 0)" \
		"$IDS $IDS $IDS 0 0 0 0 $IDS"
}
