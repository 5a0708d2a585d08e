#!/usr/bin/env bats
# A node of a cluster that nobody stands in for is gone for good, in the middle of every verb's run. No verb calls the
# hole a success; each names the node, and counts what was done, no more and no less.

load helpers
load verbs
load cluster
load trouble

@test "a node that is gone for good, while every verb runs" {
	TIMEOUT=3s in_trouble
	stop "${CLUSTER_PIDS[0]}"
	let_go
	wait_for are_over follow
	wait_for waits follow
	wait_for waits stream
	end_watch
	kill -TERM "${RUN_PIDS[follow]}" "${RUN_PIDS[stream]}"
	look_at 1 2
	declare -A EXITS=([get]=0 [warm]=3 [bulk]=3 [unlink]=3 [undo]=3 [follow]=143 [stream]=143 [watch]=130)
	LOST=$IDS check_runs
}
