# ccache invalidate on a Redis Cluster: dropping, undo, cursors of each node, events.
load helpers
load verbs
load cluster

setup_file() { share_cluster; }
teardown_file() { stop_cluster; }
setup() {
	sandbox
	use_cluster
	on_all FLUSHALL >/dev/null
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

# killed_in_a_walk: 120 long names at each node, and the undo file of a run that left a cursor for each; left.
killed_in_a_walk() {
	local node
	for node in 0 1 2; do
		node_cli "$node" EVAL "for i = 1, 10000 do redis.call('SET', 'other{' .. ARGV[1] .. '}' .. i, i) end" 1 \
			"{$(tag_of "$node" o)}" "$(tag_of "$node" o)" >/dev/null
		node_cli "$node" EVAL "for i = 1, 120 do redis.call('SET', 'long{' .. ARGV[1] .. '}' .. string.rep('0', 30000) .. i, i, 'EX', 90000) end" 1 \
			"{$(tag_of "$node")}" "$(tag_of "$node")" >/dev/null
	done
	assert_equal "$(keys_of_all 'long*')" 360
	"$CCACHE" invalidate --match 'long*' --yes --backup "$DIR/undo" --throttle 8/s >/dev/null 2>&1 &
	local pid=$!
	wait_for --for 60 has_cursors
	kill -KILL $pid
	wait $pid || true
	left=$(keys_of_all 'long*')
	((left > 0 && left < 360)) || fail "$left left"
}

@test "cluster: killed in a walk, --resume goes on from each node's cursor, --undo brings all back; events route and are taken back" {
	local left
	killed_in_a_walk
	cc_run invalidate --resume "$DIR/undo" --yes -o json
	assert_exit 0
	assert_adds_up
	assert_json .removed "$left"
	assert_equal "$(keys_of_all 'long*')" 0
	! grep -q 'slots moved' <<<"$stderr" || fail "$stderr"
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

# tag_of NODE [END]: a hash tag whose slot is the node's (slots 0, 5461 and 10923 begin them).
tag_of() {
	local tag slot
	for tag in {a..z}{a..z}; do
		tag+=${2:-}
		slot=$(node_cli 0 CLUSTER KEYSLOT "$tag")
		((slot / 5462 == $1)) && break
	done
	echo "$tag"
}

# undo FILE: takes it back; its report.
undo() {
	cc_run invalidate --undo "$1" --yes -o json
	assert_adds_up
}
# A node's client that waits for the end of a pause with that command.
waits_with() { node_cli "$1" CLIENT LIST | grep -q "flags=[a-zA-Z]*b[a-zA-Z]* .*cmd=$2 "; }

@test "cluster: a value written between save and removal is never dropped unsaved, at no node" {
	local node key keys=()
	for node in 0 1 2; do
		key="k{$(tag_of "$node")}"
		keys+=(--key "$key")
		node_cli "$node" SET "$key" old EX 90000 >/dev/null
		# writes wait, reads do not: the application's write stands in line before the removal of what was saved
		node_cli "$node" CLIENT PAUSE 100000 WRITE >/dev/null
		in_background "application$node" redis-cli -s "${CLUSTER_SOCKETS[node]}" SET "$key" "new $node" KEEPTTL
		wait_for --for 60 waits_with "$node" set
	done
	in_background out "$CCACHE" invalidate "${keys[@]}" --yes -o json --timeout 100s --backup "$DIR/undo"
	for node in 0 1 2; do wait_for --for 60 waits_with "$node" evalsha; done
	on_all CLIENT UNPAUSE >/dev/null
	wait "$STARTED"
	output=$(sed -n '/^{/,$p' "$DIR/out" | sed '/^ccache:/d')
	assert_adds_up
	assert_json .removed 3
	assert_equal "$(keys_of_all '*')" 0
	undo "$DIR/undo"
	assert_json '[.changes, .restored]' '[3,3]'
	for node in 0 1 2; do assert_equal "$(node_cli "$node" GET "k{$(tag_of "$node")}")" "new $node"; done
}

@test "cluster: a writer racing the run: what is gone is in the file as it was last" {
	local node tags=()
	for node in 0 1 2; do tags+=("$(tag_of "$node")"); done
	cat >"$DIR/writer" <<-'LUA'
		for i = 1, 700 do redis.call('SET', 'raced{' .. ARGV[1] .. '}' .. i, 'written ' .. ARGV[2]) end
		redis.call('SET', 'last{' .. ARGV[1] .. '}', 'written ' .. ARGV[2])
	LUA
	in_background writer.log write_all "${tags[@]}"
	local writer=$STARTED
	wait_for --for 60 written "${tags[2]}"
	cc_run invalidate --match 'raced*' --yes -o json --backup "$DIR/undo" --timeout 60s
	touch "$DIR/enough"
	wait "$writer"
	assert_adds_up
	undo "$DIR/undo"
	assert_exit 0
	assert_json .failed 0
	assert_equal "$(keys_of_all 'raced*')" 2100
	for node in 0 1 2; do
		assert_equal "$(keys_on "$node" 'raced*' | sed 's/^/GET /' | node_cli "$node" | sort -u)" "$(node_cli "$node" GET "last{${tags[node]}}")"
	done
}
# write_all TAG…: gives every key of the node a new value at once, over and over.
write_all() {
	local n=0 node
	until [[ -e $DIR/enough ]]; do
		n=$((n + 1))
		for node in 0 1 2; do node_cli "$node" EVAL "$(<"$DIR/writer")" 1 "{${@:node + 1:1}}" "${@:node + 1:1}" $n; done
	done
}
written() { [[ $(node_cli 2 GET "raced{$1}700") == written* ]]; }

# Every type at every node, large ones too; states: what they hold, and until when.
fill_types() {
	local node tag
	for node in 0 1 2; do
		tag="{$(tag_of "$node")}"
		printf '%s\n' "SET text$tag \"bin\\x01ary\\r\\n\" PX 90000000" "SET empty$tag ''" "HSET hash$tag a 1 b 2" "RPUSH list$tag 3 1 2" \
			"SADD set$tag 2 1" "ZADD zset$tag 1.5 a -inf b" "PEXPIRE zset$tag 90000000" "XADD stream$tag 1-1 f v" |
			node_cli "$node" >/dev/null
		node_cli "$node" EVAL "for i = 1, 3000 do redis.call('HSET', KEYS[1], i, string.rep('v', 40)) end
			redis.call('SETRANGE', KEYS[2], 200000, 'end')" 2 "large:hash$tag" "large:text$tag" >/dev/null
	done
}
states() {
	local node key
	for node in 0 1 2; do
		keys_on "$node" '*{*' | grep -v ^cc: | sort | while read -r key; do
			case $key in
			large:hash*) echo "$key $(node_cli "$node" HGETALL "$key" | paste - - | sort | sha1sum)" ;;
			*) echo "$key $(node_cli "$node" PEXPIRETIME "$key") $(node_cli "$node" DUMP "$key" | sha1sum)" ;;
			esac
		done
	done
}

@test "cluster: every type comes back from every node; where scripts are forbidden too; a life that was shortened" {
	local before
	fill_types
	before=$(states)
	assert_equal "$(wc -l <<<"$before")" 27
	on_all CONFIG RESETSTAT >/dev/null
	cc_run invalidate --match '*{*' --yes -o json --backup "$DIR/by-script"
	assert_exit 0
	assert_adds_up
	assert_json '[.removed, .gone, .failed]' '[27,0,0]'
	assert_equal "$(keys_of_all '*')" 0
	# the large ones in pages, in a transaction of their own
	assert_equal "$(on_all INFO commandstats | tr -d '\r' | sed -n 's/^cmdstat_exec:calls=\([0-9]*\),.*/\1/p' | paste -sd' ')" '2 2 2'
	undo "$DIR/by-script"
	assert_json '[.restored, .failed]' '[27,0]'
	assert_equal "$(states)" "$before"

	on_all ACL SETUSER plain on '>secret' '~*' '&*' +@all -eval -evalsha -script >/dev/null
	REDISCLI_AUTH=secret cc_run --user plain invalidate --match '*{*' --yes -o json --backup "$DIR/by-watch"
	assert_exit 0
	assert_json '[.removed, .failed]' '[27,0]'
	on_all ACL SETUSER plain reset on '>secret' '~*' '&*' +@all -eval -evalsha >/dev/null
	undo "$DIR/by-watch"
	assert_equal "$(states)" "$before"
	REDISCLI_AUTH=secret cc_run --user plain invalidate --match '*{*' --yes -o json --backup "$DIR/half-way"
	assert_json '[.removed, .failed]' '[27,0]'
	undo "$DIR/half-way"
	assert_equal "$(states)" "$before"

	cc_run invalidate --match '*{*' --in 50s --yes -o json --backup "$DIR/lives"
	assert_exit 0
	assert_adds_up
	assert_json '[.shortened, .kept]' '[27,0]'
	cc_run invalidate --match '*{*' --in 9000s --yes -o json --no-backup
	assert_json '[.shortened, .kept]' '[0,27]'
	undo "$DIR/lives"
	assert_json '[.restored, .failed]' '[27,0]'
	assert_equal "$(states)" "$before"
}

@test "cluster: an undo file that may grow no further: what it does not hold stays" {
	local node
	for node in 0 1 2; do
		node_cli "$node" EVAL "for i = 1, 700 do redis.call('SET', 'wide{' .. ARGV[1] .. '}' .. i, string.rep('x', 1000) .. i, 'EX', 90000) end" 1 \
			"{$(tag_of "$node")}" "$(tag_of "$node")" >/dev/null
	done
	on_all ACL SETUSER default -memory >/dev/null # the limit is met on the way
	cc_run invalidate --match 'wide*' --yes --backup "$DIR/undo" --backup-limit 50KiB -o json
	assert_exit 7
	assert_adds_up
	cc_run invalidate --undo "$DIR/undo" --yes -o json
	on_all ACL SETUSER default +memory >/dev/null
	assert_exit 0
	assert_json '.restored == .changes and .changes < 2100' true
	assert_equal "$(keys_of_all 'wide*')" 2100
}

@test "cluster: slots that moved since the run was killed: whoever has others now is walked again" {
	local left slot
	learn_node_ids
	killed_in_a_walk
	slot=$(node_cli 0 CLUSTER KEYSLOT "$(tag_of 0)")
	MOVED_AT_ONCE=40 move_slot "$slot" 0 1
	cc_run invalidate --resume "$DIR/undo" --yes -o json --timeout 60s
	status_of_run=$status report=$output said=$stderr
	cc_run invalidate --undo "$DIR/undo" --yes -o json --timeout 60s
	assert_json '[.failed, .restored]' '[0,360]'
	MOVED_AT_ONCE=40 move_slot "$slot" 1 0
	output=$report stderr=$said status=$status_of_run
	assert_exit 0
	assert_adds_up
	assert_json '[.removed, .failed, .complete]' "[$left,0,true]"
	assert_stderr_line "slots moved between the cluster's nodes since that run: 2 of 3 primaries are walked from the beginning again"
}
