# ccache bench on a Redis Cluster: every command to its slot's node, also while slots move; what each node did.
load helpers
load verbs
load cluster

setup() {
	sandbox
	# However busy the machine is: no node is taken for a dead one.
	NODE_TIMEOUT=600000 start_cluster
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[0]}
}

nothing_left() {
	local i
	for i in 0 1 2; do assert_equal "$(node_cli "$i" --scan --pattern 'cc:bench:*')" ''; done
}
# errors N CODE: how often the node answered so.
errors() {
	local count
	count=$(node_cli "$1" INFO errorstats | tr -d '\r' | sed -n "s/^errorstat_$2:count=//p")
	echo "${count:-0}"
}
# More answers than there are clients: the run has heard of some.
answered() { (($(errors "$1" "$2") > $3)); }
is_read() { [[ $(node_cli 0 INFO commandstats) == *cmdstat_get:* ]]; }
reads() { node_cli 0 INFO commandstats | sed -n 's/^cmdstat_get:calls=\([0-9]*\),.*/\1/p'; }
is_read_on() { (($(reads) > $1)); }
# begin ARGS…: a run that lasts; ends by finish, whose document is $output.
begin() {
	node_cli 0 CONFIG RESETSTAT >/dev/null
	in_background bench.log "$CCACHE" --timeout 60s bench --duration 1h -o json "$@"
	BENCH=$STARTED
	wait_for is_read
}
finish() {
	kill -INT "$BENCH" 2>/dev/null || true
	wait_for gone "$BENCH"
	CODE=0
	wait "$BENCH" || CODE=$?
	output=$(grep '^{' "$DIR/bench.log") stderr=
}
# keys_of_slot: those of $slot on node 0. Two keys may share a slot, and one with a key left is not given away.
keys_of_slot() { node_cli 0 CLUSTER GETKEYSINSLOT "$slot" 100; }
given_to() {
	# shellcheck disable=SC2046 # one word per key
	[[ ! $(keys_of_slot) ]] || node_cli 0 UNLINK $(keys_of_slot) >/dev/null
	node_cli_ok 0 CLUSTER SETSLOT "$slot" NODE "$1"
}
# a_key N: one of the run's keys on the node.
a_key() { node_cli "$1" --scan --pattern 'cc:bench:*:*:*' | head -1; }
keys_are() { (($(for i in 0 1 2; do node_cli "$i" --scan --pattern 'cc:bench:*:key:*'; done | wc -l) == $1)); }

@test "bench on a cluster: each node's share, verified, over threads; nothing is left on any" {
	cc_run bench message call-logs --max --requests 3000 --keys 200 --clients 6 --threads 2 --verify --mix get=2,set=1 -o json -q
	assert_exit 0
	assert_no_stderr
	assert_json '[.count, .errors, .wrong, .redirections, .hit_ratio]' '[3000,0,0,0,1]'
	assert_json '[.nodes[].count] | add' 3000
	assert_json '.nodes | length == 3 and all(.count > 300 and .errors == 0 and .service_p99_us > 0)' true
	assert_json '[.nodes[].node] | sort' "$(printf '"127.0.0.1:%s"\n' "${CLUSTER_PORTS[@]}" | jq -cs sort)"
	nothing_left
	cc_run bench human-sessions --max --requests 200 --mix get=1,set=1 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .hit_ratio]' '[200,0,1]'
	cc_run bench --rate 2000 --requests 400 --keys 300 --size 1-2000 --mix get=8,set=1,del=1 -q
	assert_exit 0
	[[ $output == *NODE*MOVED*"127.0.0.1:${CLUSTER_PORTS[2]}"* ]] || fail "$output"
	cc_run bench --max --requests 100 --keys 20 --size 9 --prepare 'HSET {key} f {value}' --command 'HGET {key} f' -o json -q
	assert_exit 0
	assert_json '.operations[0] | [.operation, .count, .hits]' '["command",100,100]'
	nothing_left
	begin --rate 100 --keys 60
	wait_for keys_are 60
	kill -KILL "$BENCH"
	wait_for gone "$BENCH"
	wait "$BENCH" || true
	cc_run bench --max --requests 10 --keys 1
	assert_exit 0
	assert_stderr_line 'removed 60 keys that 1 killed runs had left'
	nothing_left
}

# used N NAME: the node was given that command since its counters were reset.
used() { [[ $(node_cli "$1" INFO commandstats) == *"cmdstat_$2:"* ]]; }

@test "bench on a cluster: --source and --stampede meet every node, and leave nothing on any" {
	local i
	start_upstream --items 24
	use_upstream
	for i in 0 1 2; do node_cli "$i" CONFIG RESETSTAT >/dev/null; done
	cc_run bench message --source --requests 24 -o json -q
	assert_exit 0
	assert_json '[.schema, .ids, .failed, .absent]' '["ccache.bench-source/1",24,0,0]'
	assert_json '[.paths[] | [.path, .count]]' '[["source",24],["miss",24],["hit",240]]'
	for i in 0 1 2; do
		used "$i" set || fail "no value came to node $i"
		node_cli "$i" CONFIG RESETSTAT >/dev/null
	done
	nothing_left
	cc_run bench --stampede 40 --source-latency 20ms --size 10 -o json -q
	assert_exit 0
	assert_no_stderr
	assert_json '[.guards[] | .guard]' '["none","lock","jitter","early"]'
	assert_json '.guards | all(.source_calls > 0 and .reads > 0)' true
	assert_json '.guards[] | select(.guard == "lock").at_once_per_key <= 1' true
	for i in 0 1 2; do used "$i" get || fail "no reader came to node $i"; done
	nothing_left
	# killed in the middle: the next run finds the keys of either kind on every node
	node_cli 1 CONFIG RESETSTAT >/dev/null
	in_background bench.log "$CCACHE" bench --stampede 40 --source-latency 60s --size 10
	wait_for used 1 get
	kill -KILL "$STARTED"
	wait_for gone "$STARTED"
	wait "$STARTED" || true
	cc_run bench --max --requests 10 --keys 1
	assert_exit 0
	assert_stderr_line 'that 1 killed runs had left'
	nothing_left
}

@test "bench on a cluster: a slot that moves is followed, two nodes that disagree are not for ever, a dead one ends the run" {
	local key slot i ids=()
	ids=("$(node_cli 0 CLUSTER MYID)" "$(node_cli 1 CLUSTER MYID)")
	begin --max --keys 30 --clients 6 --threads 2 --verify --mix get=1,set=1
	key=$(a_key 0)
	slot=$(node_cli 0 CLUSTER KEYSLOT "$key")
	node_cli 1 CLUSTER SETSLOT "$slot" IMPORTING "${ids[0]}" >/dev/null
	node_cli 0 CLUSTER SETSLOT "$slot" MIGRATING "${ids[1]}" >/dev/null
	# shellcheck disable=SC2046 # one word per key
	node_cli 0 MIGRATE 127.0.0.1 "${CLUSTER_PORTS[1]}" '' 0 60000 KEYS $(keys_of_slot) >/dev/null
	wait_for answered 0 ASK 30
	node_cli 1 CLUSTER SETSLOT "$slot" NODE "${ids[1]}" >/dev/null
	node_cli 0 CLUSTER SETSLOT "$slot" NODE "${ids[1]}" >/dev/null
	wait_for answered 0 MOVED 0
	wait_for is_read_on "$(($(reads) + 1000))" # so often that it has met the slot, and heard the answer
	finish
	assert_equal "$CODE" 130
	assert_json '[.errors, .wrong, .partial]' '[0,0,true]'
	assert_json "[.nodes[] | select(.ask > 20 and .moved > 0).node]" "[\"127.0.0.1:${CLUSTER_PORTS[0]}\"]"
	assert_json '.redirections == ([.nodes[] | .moved + .ask] | add)' true
	nothing_left

	# back and forth: every answer is found, and every way that was wrong is counted
	learn_node_ids
	begin --max --keys 30 --clients 6 --threads 2 --verify --mix get=1,set=1
	key=$(a_key 0)
	slot=$(node_cli 0 CLUSTER KEYSLOT "$key")
	for i in {1..10}; do
		move_slot "$slot" 0 1
		move_slot "$slot" 1 0
	done
	until answered 0 MOVED 6 && answered 1 MOVED 6; do
		move_slot "$slot" 0 1
		move_slot "$slot" 1 0
	done
	finish
	assert_equal "$CODE" 130
	assert_json '[.wrong, .partial, .hit_ratio]' '[0,true,1]'
	assert_json '(.errors == ([.errors_by_code[].count] | add // 0)) and .errors < 20 and (.count == ([.nodes[].count] | add))' true
	assert_json '.redirections == ([.nodes[] | .moved + .ask + .try_again] | add) and ([.nodes[] | select(.moved > 0)] | length >= 2)' true
	nothing_left

	begin --rate 2000 --keys 30 --clients 3
	key=$(a_key 0)
	slot=$(node_cli 0 CLUSTER KEYSLOT "$key")
	wait_for given_to "${ids[1]}"
	wait_for answered 1 MOVED 200 || fail "$(cat "$DIR/bench.log")"
	node_cli 0 CLUSTER SETSLOT "$slot" NODE "${ids[0]}" >/dev/null
	finish
	assert_json '.errors > 0 and .errors == (.errors_by_code[] | select(.error == "MOVED").count)' true
	assert_json '.redirections >= 8 * .errors' true
	grep -q 'operations failed: MOVED' "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
	nothing_left

	begin --max --keys 100 --timeout 5s
	kill -STOP "${CLUSTER_PIDS[2]}"
	wait_for gone "$BENCH"
	finish
	kill -CONT "${CLUSTER_PIDS[2]}"
	assert_equal "$CODE" 4
	assert_json '.partial' true
	grep -q "error: redis 127.0.0.1:${CLUSTER_PORTS[2]}/0: no answer for 5000 ms" "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
	# what the run left is not waited for as long again
	grep -q 'may still be there: .*no answer within 1s' "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
	cc_run bench --max --requests 10 --keys 1
	assert_exit 0

	begin --max --keys 100 --timeout 5s
	stop "${CLUSTER_PIDS[2]}"
	wait_for gone "$BENCH"
	finish
	assert_equal "$CODE" 4
	assert_json '[.partial, .count > 0]' '[true,true]'
	grep -q "error: redis 127.0.0.1:${CLUSTER_PORTS[2]}/0: the " "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
}
