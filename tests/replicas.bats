#!/usr/bin/env bats
# --replica-reads: on a real cluster of three primaries with a replica each, and on one server with a replica.
load helpers
load verbs
load cluster
load replicas

forget_commands() {
	local i
	for i in 0 1 2 3 4 5; do node_cli "$i" CONFIG RESETSTAT >/dev/null; done
}
# commands_of NODE: what it was sent, sorted.
commands_of() { node_cli "$1" INFO commandstats | tr -d '\r' | sed -n 's/^cmdstat_\([a-z|]*\):calls=[1-9].*/\1/p' | sort; }
# assert_parts: the keys were read at replicas alone, and these were sent nothing but reads.
assert_parts() {
	local i read='scan|memory.usage|pttl|type|object.*|[a-z]*get.*|strlen|exists|[a-z]card|dbsize|randomkey|[hszl].*range|slowlog.*' sent
	for i in 0 1 2; do
		sent=$(commands_of "$i" | grep -v '^config|resetstat$' | grep -xE "$read" || true)
		assert_equal "primary $i: $sent" "primary $i: "
	done
	for i in 3 4 5; do
		sent=$(commands_of "$i" | grep -vxE "$read|client.setname|cluster.*|config.*|hello|info|ping|readonly|replconf|role|sismember" || true)
		assert_equal "replica $i: $sent" "replica $i: "
		[[ $(commands_of "$i") == *readonly* ]] || return 1
	done
}

@test "every kind of inspect, and stats, ask the replicas alone, and these nothing but reads" {
	fill 100
	everywhere HSET cc:c:thing get.hit 7 >/dev/null
	replicas_follow
	forget_commands
	inspect_replicas -o json
	assert_exit 0
	assert_no_stderr
	assert_json '[.complete, .exact, .keys, .own_keys, .namespaces[0].keys, .namespaces[0].no_ttl]' '[true,true,300,1,300,0]'
	assert_json "$READ_FROM" "$(read_from 3 4 5)"
	assert_json '[.read_from[].behind_bytes] | all(. >= 0)' true
	inspect_replicas thing --limit 0 -o ndjson
	assert_exit 0
	assert_equal "$(grep -c '"key":"thing:' <<<"$output")" 300
	inspect_replicas thing --limit 2 -o json
	assert_json "[.listed, ($READ_FROM | .[0])]" '[2,true]'
	inspect_replicas --key 'thing:{c}7' -o json
	assert_exit 0
	assert_json "[.value, ($READ_FROM | .[0])]" '[{},true]'
	inspect_replicas thing '{b}1' --raw
	assert_equal "$output" '{}'
	inspect_replicas --top 3 --by ttl -o json
	assert_json "[.ranked_keys, ($READ_FROM | .[0])]" '[300,true]'
	inspect_replicas --ttl -o json
	assert_exit 0
	assert_json "[.keys, .violations, ($READ_FROM | .[0])]" '[300,0,true]'
	inspect_replicas --audit -o json
	assert_exit 0
	assert_json "[.keys, ($READ_FROM | .[0])]" '[300,true]'
	cc_run stats --scan --replica-reads -o json
	assert_exit 0
	assert_no_stderr
	assert_json '[.complete, .role, .keys, .namespaces[0].keys, .namespaces[0].own_hits]' '[true,"slave",300,300,7]'
	assert_json "$READ_FROM" "$(read_from 3 4 5)"
	assert_json '[.nodes[] | [.node, .replica]] | sort' "$(jq -c '[.[1][] | .[:2]]' <<<"$(read_from 3 4 5)")"
	assert_parts
	inspect_replicas
	assert_output --regexp "Read from  replicas (127.0.0.1:[0-9]+, ){2}127.0.0.1:[0-9]+ \(at most [0-9.]+ [KM]?i?B behind\)"
	cc_run stats --replica-reads
	assert_output --partial 'slave, 3 replicas, up'
	assert_output --partial 'top: the sum of these nodes'
	cc_run stats -o json
	assert_json '[.role, .read_from, (.nodes | map(.replica) | unique)]' '["master",null,[false]]'
}

@test "values are compared with their source from replicas, too" {
	fill 1
	serve_things 3
	cc_run warm thing -o json
	assert_json .stored 3
	replicas_follow
	forget_commands
	inspect_replicas thing --drift 10 -o json
	assert_exit 1 # of thing:{a}0 and the like the source knows nothing
	assert_json "[.same, ($READ_FROM | .[0])]" '[3,true]'
	assert_parts
}

replica_is_up() { [[ $(redis-cli -p "$1" INFO replication) == *master_link_status:up* ]]; }
lists_replica() { [[ $(redis-cli -p "$1" ROLE | sed -n 4p) == "$2" ]]; }
@test "one server: the replica that it lists, if it can be reached where it says that it is" {
	TCP=1 start_redis --repl-diskless-sync-delay 0
	local primary=$REDIS_TCP_PORT
	export REDIS_URL=redis://127.0.0.1:$primary
	rcli SET thing:1 '{}' EX 300 >/dev/null
	inspect_replicas -o json
	assert_exit 0
	assert_json '[.keys, .replica, .read_from[0].node]' "[1,false,\"127.0.0.1:$primary\"]"
	assert_equal "$stderr" "ccache: warning: --replica-reads: primary 127.0.0.1:$primary is read (no replica of it is up)"
	REDIS_NAME=replica TCP=1 start_redis --replicaof 127.0.0.1 "$primary"
	local replica=$REDIS_TCP_PORT
	wait_for replica_is_up "$replica"
	wait_for lists_replica "$primary" "$replica"
	redis-cli -p "$primary" CONFIG RESETSTAT >/dev/null
	inspect_replicas --sample 5 -o json
	assert_exit 0
	assert_json '[.keys, .replica, .read_from]' "[1,true,[{\"node\":\"127.0.0.1:$replica\",\"replica\":true,\"primary\":\"127.0.0.1:$primary\",\"behind_bytes\":0}]]"
	assert_equal "$(redis-cli -p "$primary" INFO commandstats | grep -cE 'cmdstat_(scan|pttl|memory|type|dbsize|randomkey)')" 0
	cc_run stats --replica-reads -o json
	assert_json '[.role, .keys, .nodes[0].node, .nodes[0].replica]' "[\"slave\",1,\"127.0.0.1:$replica\",true]"
	cc_run stats --replica-reads
	assert_output --partial 'slave, 1 replica, up'
	cc_run repl -e 'inspect --replica-reads; get thing 1 --no-fetch' # what follows is the primary's again
	assert_exit 0
	assert_output --partial "Read from  replica 127.0.0.1:$replica"
	assert_equal "${lines[-1]}" '{}'
	# the replica is named, and its primary is gone
	stop "$(redis-cli -p "$primary" INFO server | tr -d '\r' | sed -n 's/^process_id://p')"
	wait_for link_is_gone "$replica"
	inspect_replicas -p "$replica" -o json
	assert_exit 0
	assert_json '[.keys, .replica, .read_from[0].primary]' "[1,true,\"127.0.0.1:$primary\"]"
	assert_equal "$stderr" "ccache: warning: --replica-reads: 127.0.0.1:$replica is read (its link to its primary 127.0.0.1:$primary is down: it may be old)"
}
link_is_gone() { [[ $(redis-cli -p "$1" INFO replication) == *master_link_status:down* ]]; }

@test "what would write, or watch the primaries' readers, is refused" {
	inspect_replicas --audit --repair --yes
	assert_exit 2
	assert_stderr_line '--replica-reads reads what may be a moment old, and --repair writes: leave one out'
	cc_run stats --replica-reads --reset --yes
	assert_exit 2
	assert_stderr_line '--reset writes, which a replica does not take'
	cc_run stats --replica-reads --sample 1s
	assert_exit 2
	assert_stderr_line '--sample watches what applications read, and most read at the primaries'
}
