# ccache invalidate on a Redis Cluster: dropping, undo, cursors of each node, events.
load helpers
load verbs

setup() {
	sandbox
	start_cluster
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[0]}
}

# routed ARGS…: redis-cli that follows redirections. on_all ARGS…: on each node.
routed() { redis-cli -c -p "${CLUSTER_PORTS[0]}" "$@"; }
on_all() {
	local node
	for node in 0 1 2; do node_cli "$node" "$@"; done
}
keys_of_all() { on_all --scan --pattern "$1" | grep -cv ^cc: || true; }
has_cursors() {
	local node
	for node in 0 1 2; do
		(($(grep -ao "$(node_cli $node INFO server | tr -d '\r' | sed -n 's/^run_id://p')" "$DIR/undo" | wc -l) > (node == 0))) || return 1
	done
}

@test "cluster: killed in a walk, --resume goes on from each node's cursor, --undo brings all back; events route and are taken back" {
	local node
	for node in 0 1 2; do
		node_cli "$node" EVAL "for i = 1, 10000 do redis.call('SET', 'other{' .. ARGV[1] .. '}' .. i, i) end
			for i = 1, 120 do redis.call('SET', 'long{' .. ARGV[1] .. '}' .. string.rep('0', 30000) .. i, i, 'EX', 90000) end" 1 \
			"{$(tag_of "$node")}" "$(tag_of "$node")" >/dev/null
	done
	assert_equal "$(keys_of_all 'long*')" 360
	"$CCACHE" invalidate --match 'long*' --yes --backup "$DIR/undo" --throttle 8/s >/dev/null 2>&1 &
	local pid=$!
	wait_for --for 60 has_cursors
	kill -KILL $pid
	wait $pid || true
	local left
	left=$(keys_of_all 'long*')
	((left > 0 && left < 360)) || fail "$left left"
	cc_run invalidate --resume "$DIR/undo" --yes -o json
	assert_exit 0
	assert_adds_up
	assert_json .removed "$left"
	assert_equal "$(keys_of_all 'long*')" 0
	cc_run invalidate --undo "$DIR/undo" --yes -o json
	assert_json '[.failed, .restored]' '[0,360]'
	assert_equal "$(keys_of_all 'long*')" 360

	# a stream in one slot, its events' keys in all
	local i
	for i in {1..30}; do routed SET "call:logs:s$i" 1 >/dev/null; done
	for i in {1..30}; do routed XADD events '*' event call.updated subaccountId "s$i" >/dev/null; done
	routed XADD events '*' event human.started data '{"leadId":"L1","session":{}}' >/dev/null
	in_background log "$CCACHE" invalidate -o json --follow stream:events --timeout 60s --backup "$DIR/followed"
	local follower=$STARTED
	wait_for --for 60 all_followed
	kill -TERM "$follower"
	status=0
	wait "$follower" || status=$?
	assert_equal "$status" 143
	assert_equal "$(keys_of_all 'call:logs:*')" 0
	assert_equal "$(routed SMEMBERS bici:sess:human:all)" L1
	cc_run invalidate --undo "$DIR/followed" --yes -o json
	assert_json '[.failed, .kept, .expired]' '[0,0,0]'
	assert_equal "$(keys_of_all 'call:logs:*') $(keys_of_all 'bici:sess:human:*')" '30 0'
}
# Done and acknowledged.
all_followed() {
	[[ $(routed XPENDING events callcache | head -1) == 0 && $(routed XINFO GROUPS events | grep -A1 '^lag$' | tail -1) == 0 ]]
}

# tag_of NODE: a hash tag whose slot is the node's (slots 0, 5461 and 10923 begin them).
tag_of() {
	local tag slot
	for tag in {a..z}{a..z}; do
		slot=$(node_cli 0 CLUSTER KEYSLOT "$tag")
		((slot / 5462 == $1)) && break
	done
	echo "$tag"
}
