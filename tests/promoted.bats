#!/usr/bin/env bats
# A primary of a cluster dies and its replica takes over, in the middle of every verb's run.

load helpers
load verbs
load cluster
load trouble

refused() { [[ -e $DIR/refused.$1 ]]; }

@test "a primary dies and its replica takes over, while every verb runs" {
	REPLICAS=1 in_trouble
	kill -KILL "${CLUSTER_PIDS[0]}"
	let_go
	wait_for refused get
	wait_for refused warm
	node_cli_ok 3 CLUSTER FAILOVER TAKEOVER
	wait_for are_over
	end_watch
	end_stream 3
	look_at 1 2 3
	declare -A EXITS=([get]=0 [warm]=0 [key]=0 [plan]=0 [save]=0 [take]=0 [soft]=0 [one]=0 [event]=0 [follow]=0 [repl]=0
		[bulk]=3 [unlink]=3 [undo]=3 [stream]=143 [watch]=130)
	check_runs
	check_repeats 1 2 3
}
