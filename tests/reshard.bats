#!/usr/bin/env bats
# Slots of a live cluster move from node to node without an end while a verb runs.

load helpers
load verbs
load cluster

# Keys that make each node's walk take many pages: what moves, moves in its middle.
setup_file() {
	share_cluster
	local tag slot
	for tag in 1 2 3 4 5 6; do
		slot=$(node_cli 0 CLUSTER KEYSLOT "{$tag}")
		node_cli "$(home_of "$slot")" EVAL "for i = 1, 5000 do redis.call('SET', 'pad:' .. i .. ':{$tag}', '') end" 0
	done
}
teardown_file() { stop_cluster; }

setup() {
	sandbox
	use_cluster
	start_upstream
	api_config "$THING"
	serve_things 60
	drop_things
}
drop_things() {
	local i
	for i in 0 1 2; do keys_on "$i" '*thing*'; done | sed 's/^/UNLINK /' |
		redis-cli -c -p "${CLUSTER_PORTS[0]}" >/dev/null
}

# Each thing at its place, with its own value, and nothing beside.
assert_all_things() {
	local i
	for i in {1..60}; do echo "GET thing:$i"; done | redis-cli -c -p "${CLUSTER_PORTS[0]}" | grep '^{' >"$DIR/values"
	for i in {1..60}; do echo "{\"id\":\"$i\"}"; done | diff - "$DIR/values"
	assert_equal "$(things)" 60
}

# during_moves COUNT COMMAND…: over and over, until so many slots have moved meanwhile.
during_moves() {
	local end
	end=$(($(grep -c '^moved' "$DIR/moving.log") + $1))
	until has_moved "$end"; do
		if gone "$MOVER"; then fail "nothing moves any more: $(cat "$DIR/moving.log")"; fi
		"${@:2}" || return 1
	done
}

warm_all() {
	cc_run warm thing --if always -o json --timeout 60s
	assert_exit 0
	assert_adds_up
	assert_json '[.stored + .renewed, .failed, .complete]' '[60,0,true]'
}

@test "warm: every value is stored once, under its own key" {
	keep_moving 60
	during_moves 20 warm_all
	stop_moving
	assert_all_things
}

# A walk that no move fell into may end well, then it saw every key.
inspect_sees_a_move() {
	cc_run inspect thing --summary -o json --timeout 60s
	if ((status == 0)); then
		assert_json '[.complete, .namespaces[0].keys]' '[true,60]' || touch "$DIR/lied"
		return 1
	fi
}

@test "inspect: counts every key, or says that it cannot know" {
	cc_run warm thing
	keep_moving 60
	wait_for inspect_sees_a_move
	stop_moving
	assert_exit 3
	assert_stderr_line 'slots moved between the cluster'\''s nodes during the walk'
	assert_json .complete false
	[[ ! -e $DIR/lied ]]
	assert_all_things
	cc_run inspect thing --summary -o json
	assert_exit 0
	assert_json '[.complete, .namespaces[0].keys]' '[true,60]'
}

# What was counted is gone, what is left was not counted; nothing that was not asked for is missing; what was saved
# comes back.
invalidate_all() {
	cc_run warm thing -o json --timeout 60s
	assert_json .stored "$removed"
	cc_run invalidate thing --all --yes -o json --timeout 60s "$@"
	local undo
	removed=$(jq .removed <<<"$output") undo=$(jq -r '.undo // empty' <<<"$output")
	assert_adds_up
	if ((status == 0)); then
		assert_json '[.removed, .complete]' '[60,true]'
	else
		assert_exit 3
		assert_json .complete false
	fi
	[[ $(everywhere GET other) == kept ]] || return 1
	[[ $undo ]] || return 0
	cc_run invalidate --undo "$undo" --yes -o json --timeout 60s
	assert_exit 0
	assert_json .restored "$removed"
	removed=0
}

@test "invalidate: what it reports as gone is gone, and what it saved comes back" {
	everywhere SET other kept >/dev/null
	removed=60
	keep_moving 60
	during_moves 15 invalidate_all
	stop_moving
	assert_all_things
	removed=0
	keep_moving 60
	during_moves 10 invalidate_all --no-backup
	stop_moving
	assert_equal "$removed" "$((60 - $(things)))"
}

@test "warm --existing: renews what it finds, and says so when it may have missed one" {
	cc_run warm thing
	keep_moving 60
	cc_run warm thing --existing -o json --timeout 60s
	stop_moving
	assert_adds_up
	assert_json .failed 0
	if ((status == 0)); then
		((60 <= $(jq .requested <<<"$output")))
	else
		assert_exit 3
		assert_stderr_line 'some may have been missed'
		assert_json .complete false
	fi
	assert_all_things
}

@test "invalidate --follow: each event is applied once, wherever its key is by then" {
	jq '. + { events: { "thing.gone": { "do": [ { "invalidate": "thing", "vars": { "id": "{/id}" } } ] } } }' "$CALLCACHE_CONFIG" >"$DIR/events.json"
	export CALLCACHE_CONFIG=$DIR/events.json
	cc_run warm thing
	everywhere SET other kept >/dev/null
	local i
	for i in {1..60}; do echo "{\"event\":\"thing.gone\",\"id\":\"$i\"}"; done >"$DIR/lines"
	keep_moving 60
	run --separate-stderr bash -c '"$0" invalidate -o json --timeout 60s --follow - <"$1"' "$CCACHE" "$DIR/lines"
	stop_moving
	assert_exit 0
	assert_json '[.events, .applied, .failed]' '[60,60,0]'
	assert_equal "$(things)" 0
	assert_equal "$(everywhere GET other)" kept
}
