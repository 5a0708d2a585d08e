#!/usr/bin/env bats
# --replica-reads: on a real cluster of three primaries with a replica each, and on one server with a replica.
load helpers
load verbs
load cluster

setup_file() {
	REPLICAS=1 NODE_TIMEOUT=60000 share_cluster || return 1
	# a replica is announced once it was heard to have data
	fill 0
	wait_for replicas_are_announced
}
setup() {
	sandbox
	use_cluster
	start_upstream
	api_config "$THING"
}
teardown_file() { stop_cluster; }

# Hash tags of which node 0, 1 and 2 hold the keys.
TAGS=(b c a)
# fill COUNT: so many keys on each primary, and nothing else.
fill() {
	local i
	for i in 0 1 2; do
		{
			echo FLUSHALL
			echo "SET thing:{${TAGS[i]}}0 {} EX 300"
			awk -v tag="${TAGS[i]}" -v count="$1" 'BEGIN { for (i = 1; i < count; i++) print "SET thing:{" tag "}" i " {} EX 300" }'
		} | node_cli "$i" >/dev/null
	done
	replicas_follow
}
replicas_are_announced() {
	local i
	for i in 0 1 2; do
		[[ $(node_cli "$i" CLUSTER SLOTS | grep -cxE "${CLUSTER_PORTS[3]}|${CLUSTER_PORTS[4]}|${CLUSTER_PORTS[5]}") == 3 ]] || return 1
	done
}
# The replica of node i is node i + 3, also when they changed their parts.
replicas_follow() {
	local i
	for i in 0 1 2; do
		gone "${CLUSTER_PIDS[i + 3]}" || wait_for caught_up "$i" $((i + 3))
	done
}
offset_of() { node_cli "$1" INFO replication | tr -d '\r' | sed -n 's/^master_repl_offset://p'; }
caught_up() { [[ $(offset_of "$1") == "$(offset_of "$2")" ]]; }
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
READ_FROM='[.replica, (.read_from | map([.node, .replica, .primary]) | sort)]'
# read_from NODE…: what READ_FROM gives when these were read in the places of 0, 1 and 2.
read_from() {
	local i all=true rows=
	for i in 0 1 2; do
		local at=127.0.0.1:${CLUSTER_PORTS[$1]} primary=127.0.0.1:${CLUSTER_PORTS[i]}
		if (($1 == i)); then
			all=false rows+="[\"$at\",false,null]"
		else
			rows+="[\"$at\",true,\"$primary\"]"
		fi
		shift
	done
	echo "[$all,$(jq -s -c sort <<<"$rows")]"
}
inspect_replicas() { cc_run inspect --replica-reads "$@"; }

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
	assert_equal "$stderr" "ccache: warning: --replica-reads: primary 127.0.0.1:$primary is read (it has no replica)"
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

@test "a replica that does not answer is not read: its primary is, and that is said once" {
	fill 10
	kill -STOP "${CLUSTER_PIDS[4]}"
	inspect_replicas -o json
	kill -CONT "${CLUSTER_PIDS[4]}"
	assert_exit 0
	assert_json '[.complete, .keys]' '[true,30]'
	assert_json "$READ_FROM" "$(read_from 3 1 5)"
	assert_equal "$(grep -c . <<<"$stderr")" 1
	assert_stderr_line "--replica-reads: primary 127.0.0.1:${CLUSTER_PORTS[1]} is read (its announced replica: redis 127.0.0.1:${CLUSTER_PORTS[4]}/0: "
}

@test "a replica that is cut off from its primary is not read" {
	fill 10
	node_cli 4 CONFIG SET masterauth wrong >/dev/null
	node_cli 1 CLIENT KILL TYPE replica >/dev/null
	wait_for link_is_down 4
	inspect_replicas -o json
	assert_exit 0
	assert_json "[.keys, $READ_FROM]" "[30,$(read_from 3 1 5)]"
	assert_stderr_line "127.0.0.1:${CLUSTER_PORTS[4]}/0: its link to its primary is down"
	node_cli 4 CONFIG SET masterauth '' >/dev/null
	wait_for node_is_synced 4
}
link_is_down() { [[ $(node_cli "$1" INFO replication) == *master_link_status:down* ]]; }

@test "a primary that is out of reach does not keep its replica from being read; what has expired there is no key" {
	fill 10
	node_cli 0 SET 'thing:{b}brief' x PX 700 >/dev/null
	replicas_follow
	kill -STOP "${CLUSTER_PIDS[0]}" # it drops nothing any more
	wait_for expired_at 3
	REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[1]} inspect_replicas -o json --timeout 1s
	kill -CONT "${CLUSTER_PIDS[0]}"
	assert_exit 0
	assert_json '[.complete, .exact, .keys]' '[true,false,30]'
	assert_json "$READ_FROM" "$(read_from 3 4 5)"
	assert_json '.read_from[] | select(.primary == "127.0.0.1:'"${CLUSTER_PORTS[0]}"'") | .behind_bytes' null
}
expired_at() { [[ $(printf 'READONLY\nPTTL thing:{b}brief\n' | node_cli "$1" | tail -1) == -2 ]]; }

# begin_listing COUNT: lists every key into a pipe that is read no further than its first line.
begin_listing() {
	mkfifo "$DIR/listing"
	"$CCACHE" inspect thing --limit 0 -o ndjson --replica-reads --timeout 2s >"$DIR/listing" 2>"$DIR/listing.err" 3>&- 4>&- &
	LISTING=$!
	PIDS+=("$LISTING")
	exec 8<"$DIR/listing"
	read -r -u 8
}
end_listing() {
	status=0
	cat <&8 >"$DIR/listed"
	exec 8<&-
	wait "$LISTING" || status=$?
	output=$(grep -v '"key":"thing:' "$DIR/listed") stderr=$(cat "$DIR/listing.err")
}

@test "slots that move while replicas are walked are noticed" {
	fill 8000
	begin_listing
	local slot=0 i
	for i in 0 1; do IDS[i]=$(node_cli "$i" CLUSTER MYID); done
	node_cli 1 CLUSTER SETSLOT $slot NODE "${IDS[1]}" >/dev/null
	node_cli 0 CLUSTER SETSLOT $slot NODE "${IDS[1]}" >/dev/null
	end_listing
	assert_exit 3
	assert_stderr_line "slots moved between the cluster's nodes during the walk"
	assert_equal "$(jq -s -c 'map(.complete | values)' <<<"$output")" '[false]'
	wait_for knows_of_move
	inspect_replicas -o json
	assert_exit 0
	assert_json '[.complete, .keys]' '[true,24000]'
}
knows_of_move() { [[ $(node_cli 0 CLUSTER NODES | grep myself) == *' 1-5460' && $(node_cli 2 CLUSTER NODES | grep "^${IDS[1]}") == *' 0 5461-10922' ]]; }

@test "a replica that dies between single reads: its primary is asked, and that is said" {
	fill 1
	serve_things 20
	cc_run warm thing
	replicas_follow
	local id=1 status=0
	until [[ $(home_of "$(node_cli 0 CLUSTER KEYSLOT "thing:$id")") == 2 ]]; do id=$((id + 1)); done
	fault hold "path=/things/$id"
	in_background drift.log "$CCACHE" inspect thing "$id" --drift 1 --replica-reads -o json --timeout 30s
	wait_for was_asked "$id"
	stop "${CLUSTER_PIDS[5]}"
	no_faults
	wait "$STARTED" || status=$?
	assert_equal "$status" 0
	output=$(grep -v '^ccache:' "$DIR/drift.log") stderr=$(grep '^ccache:' "$DIR/drift.log")
	assert_json "[.sampled, .same, .complete, $READ_FROM]" "[1,1,true,$(read_from 3 4 2)]"
	assert_stderr_line "--replica-reads: primary 127.0.0.1:${CLUSTER_PORTS[2]} is read (its announced replica: "
}
was_asked() { (($(upstream_count "/things/$1") > 1)); } # warm was first

@test "a replica that dies in the middle of a walk is named; the next run reads its primary" {
	fill 8000
	begin_listing
	stop "${CLUSTER_PIDS[4]}"
	end_listing
	assert_exit 4
	assert_stderr_line "127.0.0.1:${CLUSTER_PORTS[4]}"
	assert_equal "$(jq -s -c 'map(.complete | values)' <<<"$output")" '[false]'
	inspect_replicas -o json
	assert_exit 0
	assert_json "[.keys, $READ_FROM]" "[24000,$(read_from 3 1 2)]"
	assert_stderr_line "primary 127.0.0.1:${CLUSTER_PORTS[1]} is read (its announced replica: redis 127.0.0.1:${CLUSTER_PORTS[4]}/0: connection refused"
}

@test "after a failover the new replica is read" {
	fill 10
	# without a vote: one that a busy machine delays is not repeated for minutes
	node_cli_ok 3 CLUSTER FAILOVER TAKEOVER
	wait_for follows_now 0
	wait_for node_is_synced 0
	wait_for everyone_knows_of_it
	REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[1]} inspect_replicas -o json
	assert_exit 0
	assert_json '[.complete, .keys]' '[true,30]'
	assert_json '.read_from[] | select(.primary == "127.0.0.1:'"${CLUSTER_PORTS[3]}"'") | [.node, .replica]' "[\"127.0.0.1:${CLUSTER_PORTS[0]}\",true]"
}
follows_now() { [[ $(node_cli "$1" ROLE | head -1) == slave ]]; }
everyone_knows_of_it() {
	local i
	for i in 0 1 2 3; do
		[[ $(node_cli "$i" CLUSTER NODES | grep ":${CLUSTER_PORTS[3]}@") == *master* ]] || return 1
	done
	node_cli 1 CLUSTER SLOTS | grep -qx "${CLUSTER_PORTS[0]}"
}
