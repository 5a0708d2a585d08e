#!/usr/bin/env bats
# The verbs on a Redis Cluster: every node, every key at its place, and no hole that is called success.

load helpers
load verbs
load cluster

# No node is given up by the others while a test holds it up.
setup_file() { NODE_TIMEOUT=60000 share_cluster; }
teardown_file() { stop_cluster; }

setup() {
	local i
	sandbox
	use_cluster
	for i in 0 1 2; do node_cli "$i" FLUSHALL >/dev/null; done
	start_upstream
	api_config "$THING"
	serve_things 60
}

@test "warm stores each key where it belongs, its sidecar beside it; the second run renews" {
	cc_run warm thing -o json
	assert_exit 0
	assert_adds_up
	assert_json .stored 60
	assert_equal "$(things)" 60
	local i
	for i in 0 1 2; do
		(($(things_on "$i") > 5))
		assert_equal "$(node_cli "$i" --scan --pattern 'cc:m:*' | grep -c .)" "$(things_on "$i")"
	done
	cc_run warm thing -o json
	assert_json '[.stored, .renewed]' '[0,60]'
}

@test "get reads through, then hits" {
	cc_run get thing 7 --meta
	assert_exit 0
	assert_json '[.meta.cacheHit, .meta.stored]' '[false,true]'
	cc_run get thing 7 --meta
	assert_json '[.data.id, .meta.cacheHit]' '["7",true]'
	assert_equal "$(everywhere GET thing:7)" '{"id":"7"}'
	local slot
	slot=$(everywhere CLUSTER KEYSLOT thing:7)
	cc_run inspect thing 7 -o json
	assert_json '[.slot, .node]' "[$slot,\"127.0.0.1:${CLUSTER_PORTS[$(home_of "$slot")]}/0\"]"
}

@test "invalidate drops one id, and a whole namespace, on every node" {
	cc_run warm thing
	cc_run invalidate thing 7 --yes
	assert_exit 0
	assert_equal "$(everywhere EXISTS thing:7)" 0
	cc_run invalidate thing --all --yes -o json
	assert_exit 0
	assert_adds_up
	assert_json .removed 59
	assert_equal "$(things)" 0
}

@test "--existing refreshes the keys of all nodes" {
	cc_run warm thing
	cc_run warm thing --existing -o json
	assert_exit 0
	assert_json .requested 60
}

@test "warm while a slot moves: every key stored once, under its own name" {
	local slot from to id
	slot=$(everywhere CLUSTER KEYSLOT thing:7)
	from=$((slot < 5461 ? 0 : slot < 10923 ? 1 : 2))
	to=$(((from + 1) % 3))
	cc_run get thing 7
	node_cli "$to" CLUSTER SETSLOT "$slot" IMPORTING "$(node_cli "$from" CLUSTER MYID)"
	node_cli "$from" CLUSTER SETSLOT "$slot" MIGRATING "$(node_cli "$to" CLUSTER MYID)"
	node_cli "$from" --scan --pattern '*thing:7*' >"$DIR/keys"
	while read -r id; do
		node_cli "$from" MIGRATE 127.0.0.1 "${CLUSTER_PORTS[to]}" "$id" 0 5000
	done <"$DIR/keys"
	cc_run warm thing -o json
	assert_exit 0
	assert_json '[.stored, .renewed]' '[59,1]'
	id=$(node_cli "$to" CLUSTER MYID)
	node_cli "$to" CLUSTER SETSLOT "$slot" NODE "$id"
	node_cli "$from" CLUSTER SETSLOT "$slot" NODE "$id"
	cc_run get thing 7 --meta
	assert_json '[.data.id, .meta.cacheHit]' '["7",true]'
	assert_equal "$(things)" 60
}

# fill_node N PREFIX COUNT: as many keys as of PREFIX1 … PREFIXcount belong to the node.
fill_node() {
	node_cli "$1" EVAL 'for i = 1, ARGV[2] do redis.pcall("SET", ARGV[1] .. i, string.rep("x", i % 300), "EX", 25000) end' 0 "$2" "$3" >/dev/null
}

@test "--sample draws from every node, however unequal: the truth lies within bounds that chance misses once in 10^9 runs" {
	fill_node 0 message: 30000
	fill_node 1 call:logs: 4000
	fill_node 2 bici:ctx: 2000
	fill_node 0 call:logs: 2000
	cc_run inspect -o json
	assert_exit 0
	local whole=$output
	assert_json '.keys > 12000' true
	cc_run inspect --sample 2000 -o json
	assert_exit 0
	assert_json '[.schema, .complete, ([.namespaces[].sampled_keys] | add) == .sampled_keys]' '["ccache.inspect-sample/1",true,true]'
	assert_json '.sampled_keys > 1600 and .sampled_keys < 2500' true
	jq -e --argjson whole "$whole" '.keys == $whole.keys and all(.namespaces[]; . as $got | ($whole.namespaces[] | select(.namespace == $got.namespace)) as $truth
		| if $truth.keys < 500 then true else
			($got.keys - $truth.keys | fabs) <= ($got.keys_high - $got.keys_low) / 2 * 6.5 / 1.96 + 1
			and ($got.bytes - $truth.bytes | fabs) <= ($got.bytes_high - $got.bytes_low) / 2 * 6.5 / 1.96 end)' <<<"$output" ||
		fail "$whole $output"
	cc_run inspect --sample 10000 -o json
	assert_json '.keys' "$(jq .keys <<<"$whole")"
	assert_stderr_line 'all were looked at'
}

@test "invalidate on a cluster can be undone" {
	cc_run warm thing
	cc_run invalidate thing --all --yes -o json
	assert_json .removed 60
	assert_equal "$(things)" 0
	cc_run invalidate --undo "$(jq -r .undo <<<"$output")" --yes -o json
	assert_exit 0
	assert_equal "$(things)" 60
}

@test "a node that is paused for longer than the timeout is named, it alone; the others are counted, nothing is dropped" {
	cc_run warm thing
	local there
	there=$(($(things_on 0) + $(things_on 2)))
	kill -STOP "${CLUSTER_PIDS[1]}"
	cc_run inspect -o json --timeout 2s
	assert_exit 4
	assert_stderr_line "127.0.0.1:${CLUSTER_PORTS[1]}/0"
	[[ $stderr != *"node 127.0.0.1:${CLUSTER_PORTS[0]}"* && $stderr != *"node 127.0.0.1:${CLUSTER_PORTS[2]}"* ]]
	assert_json '[.complete, (.namespaces[] | select(.namespace == "thing") | .keys)]' "[false,$there]"
	cc_run invalidate thing --all --yes -o json --timeout 2s
	assert_exit 4
	assert_stderr_line "127.0.0.1:${CLUSTER_PORTS[1]}"
	kill -CONT "${CLUSTER_PIDS[1]}"
	assert_equal "$(things)" 60
}

# names_known COUNT: every node knows so many host names.
names_known() {
	local i
	for i in 0 1 2; do
		[[ $(node_cli "$i" CLUSTER NODES | grep -c ',localhost ') == "$1" ]] || return 1
	done
}
nobody_is_nowhere() {
	local i
	for i in 0 1 2; do [[ $(node_cli "$i" CLUSTER NODES) != *nowhere* ]] || return 1; done
}
announce() { # NODE HOSTNAME ENDPOINT-TYPE
	node_cli_ok "$1" CONFIG SET cluster-announce-hostname "$2" cluster-preferred-endpoint-type "$3"
}
# Through one seed, to all: who is asked is named as it announced itself.
reaches() { # SEED-HOST NAMES
	REDIS_URL=redis://$1:${CLUSTER_PORTS[0]} cc_run inspect -o json
	assert_exit 0
	assert_json '[.complete, (.namespaces[] | select(.namespace == "thing") | .keys)]' '[true,60]'
	REDIS_URL=redis://$1:${CLUSTER_PORTS[0]} cc_run stats -o json
	assert_exit 0
	assert_json '[.nodes[].node | split(":")[0]] | sort | join(" ")' "$2"
}

@test "nodes that announce host names, some of them, or nothing" {
	local i
	cc_run warm thing
	for i in 0 1 2; do announce "$i" localhost hostname; done
	wait_for names_known 3
	reaches 127.0.0.1 'localhost localhost localhost'
	cc_run invalidate thing 7 --yes
	assert_exit 0
	cc_run get thing 7 --meta
	assert_json '[.data.id, .meta.cacheHit]' '["7",false]'
	announce 1 nowhere.invalid hostname # it is the cluster that says so, and the others are reached
	wait_for names_known 2
	cc_run inspect -o json --timeout 2s
	assert_exit 4
	assert_stderr_line "nowhere.invalid:${CLUSTER_PORTS[1]}"
	assert_stderr_line "(so the cluster at 127.0.0.1:${CLUSTER_PORTS[0]} announces it: set cluster-announce-ip or -hostname there, or take --proxy into its network)"
	assert_json '[.complete, (.namespaces[] | select(.namespace == "thing") | .keys)]' "[false,$(($(things_on 0) + $(things_on 2)))]"
	announce 1 '' hostname
	wait_for nobody_is_nowhere
	reaches localhost '127.0.0.1 localhost localhost'
	for i in 0 1 2; do announce "$i" '' unknown-endpoint; done
	wait_for names_known 0
	reaches localhost 'localhost localhost localhost'
	for i in 0 1 2; do announce "$i" '' ip; done
}

@test "a session, and config discover: the whole cluster behind one prompt" {
	cc_run warm thing
	cc_run repl -e 'redis MSET {a}1 x {a}2 y; redis SET {b}1 z; redis SET {c}1 z; redis MGET {a}1 {a}2; redis GET {b}1' \
		-e 'use thing; get 7 --no-fetch; ttl 9; invalidate 9 --yes -q; redis EXISTS thing:9; redis EXISTS thing:8'
	assert_exit 0
	assert_equal "${lines[*]:0:6}" 'OK OK OK x y z'
	assert_equal "${lines[6]}" '{"id":"7"}Key            thing:9'
	assert_equal "${lines[*]: -2}" '0 1'
	assert_equal "$(everywhere GET '{a}2')$(everywhere GET '{b}1')$(everywhere EXISTS thing:9)" yz0
	cc_run repl -e 'redis MGET {a}1 {b}1'
	assert_exit 4
	[[ $output == *CROSSSLOT* ]]
	cc_run config check
	assert_exit 0
	CALLCACHE_CONFIG='' cc_run config discover
	assert_exit 0
	[[ $output == *': 63 looked at.'*'// 59 keys, such as thing:'*'"key": "thing:{id}"'* ]]
	start_terminal 80 24 "$CCACHE repl; echo left with \$?"
	wait_for screen_shows "127.0.0.1:${CLUSTER_PORTS[0]}/0>"
	type_keys -l 'redis SET {a}1 typed'
	type_keys Enter
	wait_for screen_shows $'\nOK'
	type_keys -l exit
	type_keys Enter
	wait_for screen_shows 'left with 0'
	assert_equal "$(everywhere GET '{a}1')" typed
}

# The last one: the cluster is not whole afterwards.
cluster_is() { [[ $(node_cli 0 CLUSTER INFO) == *cluster_state:$1* ]]; }

@test "while a slot is served by nobody keys are counted, and nobody is blamed for what is not answered" {
	cc_run warm thing
	node_cli 0 CLUSTER DELSLOTS 3 >/dev/null
	wait_for cluster_is fail
	cc_run inspect -o json
	assert_exit 0
	assert_json '[.namespaces[] | select(.namespace == "thing") | .keys]' '[60]'
	assert_stderr_line 'the cluster is down'
	refute_stderr_line 'this user may not'
	node_cli 0 CLUSTER ADDSLOTS 3 >/dev/null
	wait_for --for 60 cluster_agrees 3
}

@test "inspect counts the keys of all nodes; a node that is down is named, never called success" {
	cc_run warm thing
	cc_run inspect -o json
	assert_exit 0
	assert_json '[.namespaces[] | select(.namespace == "thing") | .keys]' '[60]'
	local there
	there=$(($(things_on 0) + $(things_on 2)))
	stop "${CLUSTER_PIDS[1]}"
	cc_run inspect -o json --timeout 1s
	assert_exit 4
	assert_stderr_line "127.0.0.1:${CLUSTER_PORTS[1]}"
	assert_json '[.complete, (.namespaces[] | select(.namespace == "thing") | .keys)]' "[false,$there]"

	local id
	yes '{"ns":"other","vars":{},"value":0}' | head -n 25 >rows # more than are named one by one
	for ((id = 1; id <= 60; id++)); do echo "{\"ns\":\"thing\",\"vars\":{\"id\":\"$id\"},\"value\":$id}"; done >>rows
	cc_run warm --from rows --ephemeral --failures failed -o json --timeout 2s
	assert_exit 3
	assert_stderr_line "127.0.0.1:${CLUSTER_PORTS[1]}"
	assert_json '[.stored, .failed]' "[$there,$((85 - there))]"
	assert_equal "$(sort <(jq -r 'select(.ns == "thing") | "thing:" + .vars.id' failed) <(keys_on 0 'thing:*') <(keys_on 2 'thing:*') | uniq | wc -l)" 60
	assert_equal "$(grep -c thing failed)" $((60 - there)) # the rows of that node, and no others
}
