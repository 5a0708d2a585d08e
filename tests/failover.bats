#!/usr/bin/env bats
# A primary of a cluster dies in the middle of a run, and its replica takes over: by the cluster's own election, and
# under every verb at once.

load helpers
load verbs
load cluster
load trouble

setup_warm() {
	sandbox
	REPLICAS=1 NODE_TIMEOUT=30000 start_cluster
	start_upstream
	api_config "$THING"
	serve_things 60
	VICTIM=$(home_of "$(node_cli 0 CLUSTER KEYSLOT thing:60)")
	PORT=${CLUSTER_PORTS[(VICTIM + 1) % 3]} # of a node that stays
	export REDIS_URL=redis://127.0.0.1:$PORT
}

all_but_one() { (($(things) == 59 && $(upstream_count /things/60) > 0)); }
replica_has_all() { [[ $(node_cli "$VICTIM" DBSIZE) == "$(node_cli $((VICTIM + 3)) DBSIZE)" ]]; }

@test "warm waits for the replica: everything is stored once, nothing is counted that is not there" {
	setup_warm
	fault hold path=/things/60
	in_background warm.out "$CCACHE" warm thing -o json --timeout 60s
	local pid=$STARTED status=0 i
	wait_for all_but_one
	wait_for replica_has_all
	stop "${CLUSTER_PIDS[VICTIM]}"
	# until now, however busy the machine is, no node was to be taken for a dead one
	for i in 0 1 2 3 4 5; do
		((i == VICTIM)) || node_cli "$i" CONFIG SET cluster-node-timeout 1000 cluster-replica-validity-factor 0 >/dev/null
	done
	no_faults
	wait "$pid" || status=$?
	output=$(sed -n '/^{/,$p' "$DIR/warm.out" | sed '/^ccache:/d')
	assert_adds_up
	assert_equal "$status $(jq -c '[.stored, .failed, .complete]' <<<"$output")" '0 [60,0,true]'
	for i in {1..60}; do
		assert_equal "$(redis-cli -c -p "$PORT" GET "thing:$i")" "{\"id\":\"$i\"}"
	done
}

refused() { [[ -e $DIR/refused.$1 ]]; }

@test "a primary dies and its replica takes over, while every verb runs" {
	REPLICAS=1 in_trouble
	kill -KILL "${CLUSTER_PIDS[0]}"
	let_go
	wait_for refused get
	wait_for refused warm
	node_cli_ok 3 CLUSTER FAILOVER TAKEOVER
	wait_for all_are_over
	look_at 1 2 3
	declare -A EXITS=([get]=0 [warm]=0 [key]=0 [plan]=0 [follow]=0 [repl]=0 [bulk]=3 [unlink]=3 [undo]=3)
	check_runs
	check_repeats 1 2 3
}
all_are_over() {
	local name
	for name in "${NAMES[@]}"; do gone "${RUN_PIDS[$name]}" || return 1; done
}
