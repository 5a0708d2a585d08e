# shellcheck shell=bash disable=SC2034,SC2154 # bats and the test files set and use these
# What the tests on a cluster share; they load it behind helpers and verbs.

# A cluster for the whole file: share_cluster in setup_file, use_cluster in setup, stop_cluster in teardown_file.
share_cluster() {
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR sandbox
	start_cluster || return 1
	declare -p CLUSTER_PORTS CLUSTER_SOCKETS CLUSTER_PIDS PIDS | sed 's/^declare -/declare -g/' >"$BATS_FILE_TMPDIR/cluster"
}
use_cluster() {
	local own=("${PIDS[@]}")
	# shellcheck disable=SC1091 # written by share_cluster
	source "$BATS_FILE_TMPDIR/cluster"
	PIDS=("${own[@]}")
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[0]}
}
stop_cluster() {
	use_cluster
	# shellcheck disable=SC1091
	source "$BATS_FILE_TMPDIR/cluster"
	stop_all
}

# keys_on N GLOB, in one command: redis-cli --scan asks for ten keys at a time.
keys_on() { node_cli "$1" SCAN 0 MATCH "$2" COUNT 1000000 | tail -n +2; }
# things_on N: keys of the namespace that the node holds.
things_on() { keys_on "$1" 'thing:*' | grep -c . || true; }
things() { echo $(($(things_on 0) + $(things_on 1) + $(things_on 2))); }
# A cluster-wide redis-cli.
everywhere() { redis-cli -c -p "${CLUSTER_PORTS[0]}" "$@"; }

# keep_moving COUNT: in the background, moves the slots of thing:1 … thing:COUNT from primary to primary, over and
# over, their keys with them, as redis-cli --cluster reshard does. stop_moving ends it when no slot is under way.
keep_moving() {
	local i
	for ((i = 1; i <= $1; i++)); do echo "CLUSTER KEYSLOT thing:$i"; done |
		redis-cli -p "${CLUSTER_PORTS[0]}" | sort -n | uniq >"$DIR/slots"
	learn_node_ids
	rm -f "$DIR/moving.end"
	in_background moving.log move_slots
	MOVER=$STARTED
	wait_for has_moved 3
}
has_moved() { (($(grep -c '^moved' "$DIR/moving.log") >= $1)); }
stop_moving() {
	local seen
	seen=$(grep -c '^moved' "$DIR/moving.log") || true
	wait_for has_moved $((seen + 1)) # it went on to the end of what ran beside it
	touch "$DIR/moving.end"
	wait "$MOVER"
	MOVED=$(grep -c '^moved' "$DIR/moving.log")
}
# move_slot SLOT FROM TO: with its keys, as redis-cli --cluster reshard does; needs NODE_IDS.
move_slot() {
	local slot=$1 from=$2 to=$3 keys
	node_cli "$to" CLUSTER SETSLOT "$slot" IMPORTING "${NODE_IDS[from]}" >/dev/null
	node_cli "$from" CLUSTER SETSLOT "$slot" MIGRATING "${NODE_IDS[to]}" >/dev/null
	while keys=$(node_cli "$from" CLUSTER GETKEYSINSLOT "$slot" "${MOVED_AT_ONCE:-100}") && [[ $keys ]]; do
		# shellcheck disable=SC2086 # one word per key
		node_cli "$from" MIGRATE 127.0.0.1 "${CLUSTER_PORTS[to]}" '' 0 5000 KEYS $keys >/dev/null
	done
	node_cli "$to" CLUSTER SETSLOT "$slot" NODE "${NODE_IDS[to]}" >/dev/null
	node_cli "$from" CLUSTER SETSLOT "$slot" NODE "${NODE_IDS[to]}" >/dev/null
}
learn_node_ids() {
	local i
	NODE_IDS=()
	for i in 0 1 2; do NODE_IDS+=("$(node_cli "$i" CLUSTER MYID)"); done
}
move_slots() {
	local -A owner=()
	local slot from to
	while :; do
		while read -r slot; do
			[[ -e $DIR/moving.end ]] && return 0
			from=${owner[$slot]:-$(home_of "$slot")}
			to=$(((from + 1) % 3))
			move_slot "$slot" "$from" "$to"
			owner[$slot]=$to
			echo "moved $slot $from $to"
		done <"$DIR/slots"
	done
}
home_of() { echo $(($1 < 5461 ? 0 : $1 < 10923 ? 1 : 2)); }
