#!/usr/bin/env bats
# A node of a cluster that nobody stands in for, while every verb runs: it does not answer, or is gone for good. No verb
# calls a hole a success; each names the node, and counts what was done, no more and no less.

load helpers
load verbs
load cluster
load trouble

all_but_follow_are_over() {
	local name
	for name in "${NAMES[@]}"; do
		[[ $name == follow ]] || gone "${RUN_PIDS[$name]}" || return 1
	done
}
follow_waits() { grep -q 'trying again until it is back' "$DIR/follow.err"; }

@test "a node that is paused for longer than the timeout, while every verb runs" {
	TIMEOUT=4s in_trouble
	kill -STOP "${CLUSTER_PIDS[0]}"
	let_go
	wait_for all_but_follow_are_over
	wait_for follow_waits
	kill -CONT "${CLUSTER_PIDS[0]}" # what it got while it was paused, it does now
	wait_for gone "${RUN_PIDS[follow]}"
	look_at 0 1 2
	declare -A EXITS=([get]=0 [bulk]=3 [unlink]=3 [undo]=3 [follow]=0)
	check_runs
	check_repeats 0 1 2
}

@test "a node that is gone for good, while every verb runs" {
	TIMEOUT=4s in_trouble
	stop "${CLUSTER_PIDS[0]}"
	let_go
	wait_for all_but_follow_are_over
	wait_for follow_waits
	kill -TERM "${RUN_PIDS[follow]}"
	look_at 1 2
	declare -A EXITS=([get]=0 [bulk]=3 [unlink]=3 [undo]=3 [follow]=143)
	LOST=$IDS check_runs
}
