#!/usr/bin/env bats
# --replica-reads on a real cluster while nodes are stuck, cut off, moved, promoted or gone.
load helpers
load verbs
load cluster
load replicas
load trouble

@test "a replica that does not answer is not read: its primary is, and that is said once" {
	fill 10
	kill -STOP "${CLUSTER_PIDS[4]}"
	TIMEOUT=30s inspect_replicas -o json
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
	REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[1]} TIMEOUT=5s inspect_replicas -o json
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

WALKS=(
	'overview|SCAN:2|inspect --replica-reads -o json'
	'top|SCAN:2|inspect --top 3 --by ttl --replica-reads -o json'
	'audit|SCAN:2|inspect --audit --replica-reads -o json'
	'ttl|SCAN:2|inspect --ttl --replica-reads -o json'
	'scan|SCAN:2|stats --scan --replica-reads -o json'
)
# walk_while NODE HURT…: all of them held in the middle of replica NODE while HURT runs; each ends well, with every key.
walk_while() {
	local name at=$1
	shift
	RUNS=("${WALKS[@]}") NAMES=(overview top audit ttl scan)
	rm -f "$DIR"/{open,held.*,gate.log}
	GATE_AT=$at start_gate
	start_runs
	"$@"
	let_go
	for name in "${NAMES[@]}"; do
		end_run "$name"
		assert_exit 0
		assert_json '[.complete, .ranked_keys // .keys]' '[true,7500]'
		[[ ! ${SAYS:-} ]] || assert_stderr_line "$SAYS"
	done
}
promote() {
	node_cli_ok "$1" CLUSTER FAILOVER TAKEOVER
	wait_for follows_now "$(($1 == 1 ? 4 : 1))"
	wait_for node_is_synced "$(($1 == 1 ? 4 : 1))"
}

@test "a replica that falls silent, or is promoted, in the middle of walks: they begin anew, and count every key once" {
	fill 2500
	TIMEOUT=3s SAYS='another server is read, from the beginning' walk_while 3 kill -STOP "${CLUSTER_PIDS[3]}"
	kill -CONT "${CLUSTER_PIDS[3]}"
	assert_json '[.read_from[].replica] | sort' '[false,true,true]'
	walk_while 4 promote 4
	cluster_talks 6
	promote 1
	wait_for everyone_knows_of 1
	wait_for replicas_are_announced
	NODE_TIMEOUT=60000 wait_for cluster_settles 6
}

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
	everyone_knows_of 3 && node_cli 1 CLUSTER SLOTS | grep -qx "${CLUSTER_PORTS[0]}"
}
# everyone_knows_of NODE: that it is a primary.
everyone_knows_of() {
	local i
	for i in 0 1 2 3; do
		[[ $(node_cli "$i" CLUSTER NODES | grep ":${CLUSTER_PORTS[$1]}@") == *master* ]] || return 1
	done
}
