#!/usr/bin/env bats
# A primary of a cluster dies in the middle of a run, and its replica takes over.

load helpers
load verbs

setup() {
	sandbox
	REPLICAS=1 NODE_TIMEOUT=30000 start_cluster
	start_upstream
	api_config "$THING"
	local i list= slot
	for ((i = 1; i <= 60; i++)); do
		set_data "/things/$i" "{\"id\":\"$i\"}"
		list+="${list:+,}{\"id\":\"$i\"}"
	done
	set_data /things "{\"data\":[$list],\"next\":null}"
	slot=$(node_cli 0 CLUSTER KEYSLOT thing:60)
	VICTIM=$((slot < 5461 ? 0 : slot < 10923 ? 1 : 2))
	PORT=${CLUSTER_PORTS[(VICTIM + 1) % 3]} # of a node that stays
	export REDIS_URL=redis://127.0.0.1:$PORT
}

things() { for i in 0 1 2; do node_cli "$i" --scan --pattern 'thing:*'; done | grep -c . || true; }
all_but_one() { (($(things) == 59 && $(upstream_count /things/60) > 0)); }
replica_has_all() { [[ $(node_cli "$VICTIM" DBSIZE) == "$(node_cli $((VICTIM + 3)) DBSIZE)" ]]; }

@test "warm waits for the replica: everything is stored once, nothing is counted that is not there" {
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
