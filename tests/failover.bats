#!/usr/bin/env bats
# A primary of a cluster dies in the middle of a run, and its replica takes over (under every verb at once: promoted.bats).

load helpers
load verbs
load cluster

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
