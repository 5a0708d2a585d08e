#!/usr/bin/env bats
# A node of a cluster does not answer for longer than the timeout, in the middle of every verb's run. No verb calls the
# hole a success; each names the node, and counts what was done, no more and no less.

load helpers
load verbs
load cluster
load trouble

@test "a node that is paused for longer than the timeout, while every verb runs" {
	TIMEOUT=3s in_trouble
	kill -STOP "${CLUSTER_PIDS[0]}"
	let_go
	wait_for are_over follow
	wait_for waits follow
	wait_for waits stream
	end_watch
	kill -CONT "${CLUSTER_PIDS[0]}" # what it got while it was paused, it does now
	wait_for gone "${RUN_PIDS[follow]}"
	end_stream 0
	look_at 0 1 2
	declare -A EXITS=([get]=0 [warm]=3 [bulk]=3 [unlink]=3 [undo]=3 [follow]=0 [stream]=143 [watch]=130)
	check_runs
	check_repeats 0 1 2
}
