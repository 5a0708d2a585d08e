#!/usr/bin/env bats
# A primary, its replica, and three sentinels that agree by two: found, and found again after a failover.

load helpers
load verbs

setup() {
	sandbox
	[[ $BATS_TEST_DESCRIPTION == *TLS* || $BATS_TEST_DESCRIPTION == *drops* ]] || start_watched
}

# A primary with its replica, three sentinels, and an upstream.
start_watched() {
	local i
	start_node_of a
	start_node_of b --replicaof 127.0.0.1 "${PORT_OF[a]}"
	wait_for --for 120 is_synced b
	SENTINELS=()
	for i in 1 2 3; do start_sentinel "$i"; done
	wait_for --for 120 sentinels_agree
	LIST=$(printf '127.0.0.1:%s,' "${SENTINELS[@]}")
	export REDIS_URL="redis-sentinel://${LIST%,}/0?sentinelMasterId=cache" REDIS_SENTINEL_PASSWORD=watch
	start_upstream
	API_TIMEOUT=600s api_config "$THING, \"old\": { \"key\": \"old:{id}\", \"ttl\": \"50m\" } }, \"events\": {
		\"old.gone\": { \"do\": [ { \"invalidate\": \"old\", \"vars\": { \"id\": \"{/id}\" } } ] }"
	local list=
	for i in {1..20}; do
		set_data "/things/$i" "{\"id\":\"$i\"}"
		list+="${list:+,}{\"id\":\"$i\"}"
	done
	set_data /things "{\"data\":[$list],\"next\":null}"
}

declare -gA PORT_OF PID_OF
start_node_of() { # NAME [redis-server options]
	NODE=$1
	start_on_port "PORT_OF[$1]" "$1.log" node_is_up redis-server --port @PORT@ --bind 127.0.0.1 --unixsocket "$DIR/$1.sock" \
		--dir "$DIR" --dbfilename "$1.rdb" --save '' --repl-diskless-sync-delay 0 "${@:2}"
	PID_OF[$1]=$STARTED
}
node_is_up() { [[ $(at "$NODE" PING) == PONG ]]; }
at() { redis-cli -s "$DIR/$1.sock" "${@:2}"; }
role_of() { at "$1" ROLE | head -1; }
is_synced() { [[ $(at "$1" INFO replication) == *master_link_status:up* ]]; }

start_sentinel() {
	cat >"$DIR/sentinel$1.conf" <<-CONF
		bind 127.0.0.1
		dir $DIR
		unixsocket $DIR/sentinel$1.sock
		requirepass watch
		sentinel sentinel-pass watch
		sentinel monitor cache 127.0.0.1 ${PORT_OF[a]} 2
		sentinel down-after-milliseconds cache 60000
		sentinel failover-timeout cache 10000
	CONF
	NODE=$1
	start_on_port "SENTINELS[$1]" "sentinel$1.log" sentinel_is_up redis-server "$DIR/sentinel$1.conf" --port @PORT@ --sentinel || return 1
	# since 7.0 they may be told to look at their servers, and speak to each other, more often
	ask_sentinel "$1" SENTINEL DEBUG info-period 500 ping-period 200 publish-period 200 ask-period 200 >/dev/null
}
ask_sentinel() { redis-cli -s "$DIR/sentinel$1.sock" -a watch --no-auth-warning "${@:2}"; }
sentinel_is_up() { [[ $(ask_sentinel "$NODE" PING) == PONG ]]; }
sentinels_agree() {
	local i said
	for i in 1 2 3; do
		said=$(ask_sentinel "$i" SENTINEL MASTER cache | paste - - | tr '\t' =)
		[[ $said == *num-slaves=1* && $said == *num-other-sentinels=2* ]] || return 1
		[[ $(ask_sentinel "$i" SENTINEL REPLICAS cache) == *master-link-status?ok* ]] || return 1
	done
}

@test "any sentinel that answers tells where the primary is; it is named, and so is what goes wrong" {
	cc_run ping -o json
	assert_exit 0
	assert_json .target "127.0.0.1:${PORT_OF[a]}/0"
	local dead
	dead=$(free_port)
	REDIS_URL="redis-sentinel://127.0.0.1:$dead,${LIST%,}/0?sentinelMasterId=cache" cc_run ping -o json
	assert_exit 0
	assert_json .target "127.0.0.1:${PORT_OF[a]}/0"
	cc_run ping --timeout 200ms -u "redis-sentinel://127.0.0.1:$dead/0?sentinelMasterId=cache"
	assert_exit 4
	assert_stderr_line "sentinel 127.0.0.1:$dead"
	wait_for is_refused_as "it watches no primary named 'other'" ping -u "redis-sentinel://${LIST%,}/0?sentinelMasterId=other"
	wait_for is_refused_as 'check --sentinel-user and --sentinel-pass (REDIS_SENTINEL_PASSWORD)' ping --sentinel-pass wrong
	REDIS_SENTINEL_PASSWORD='' wait_for is_refused_as "sentinel 127.0.0.1:${SENTINELS[1]}: it refused the login" ping
	cc_run ping --sentinel-user default --sentinel-pass watch
	assert_exit 0
	local i
	for i in 1 2 3; do ask_sentinel "$i" ACL SETUSER finder on '>eyes' '+@all' >/dev/null; done
	cc_run ping --sentinel-user finder --sentinel-pass eyes
	assert_exit 0
	wait_for is_refused_as 'it refused the login' ping --sentinel-user finder --sentinel-pass blind
	cc_run stats --timeout 60s -o json
	assert_exit 0
	assert_json '[.target, .sentinel, .sentinel_master, .role, .replicas]' "[\"127.0.0.1:${PORT_OF[a]}/0\",\"127.0.0.1:${SENTINELS[1]}\",\"cache\",\"master\",1]"
	cc_run stats
	assert_output --partial "Target   127.0.0.1:${PORT_OF[a]}/0, 'cache' of sentinel 127.0.0.1:${SENTINELS[1]}"
	cc_run inspect --timeout 60s --replica-reads -o json
	assert_exit 0
	assert_no_stderr
	assert_json '[.target, .replica, (.read_from[] | .node, .primary)]' \
		"[\"127.0.0.1:${PORT_OF[a]}/0\",true,\"127.0.0.1:${PORT_OF[b]}\",\"127.0.0.1:${PORT_OF[a]}\"]"
	cc_run ping -u "redis-sentinel://${LIST%,}/0"
	assert_exit 2
	assert_stderr_line 'sentinelMasterId=NAME'
	cc_run ping -u "redis://127.0.0.1:${SENTINELS[1]}" -a watch
	assert_exit 4
	assert_stderr_line 'this is a Sentinel, which holds no keys'
	cc_run ping -p "${PORT_OF[b]}" -o json # a named server is no sentinels' business
	assert_json .target "127.0.0.1:${PORT_OF[b]}/0"
	jq '. + {redis: {url: $url, sentinel_user: "default", sentinel_password: "${env:WATCH}"}}' --arg url "$REDIS_URL" \
		"$CALLCACHE_CONFIG" >"$DIR/full.json"
	unset REDIS_URL REDIS_SENTINEL_PASSWORD
	WATCH=watch cc_run ping --config "$DIR/full.json" -o json
	assert_exit 0
	assert_json .target "127.0.0.1:${PORT_OF[a]}/0"
}

# start_held_warm: a warm whose last item the upstream holds back, when the others are stored and replicated.
start_held_warm() {
	fault hold path=/things/20
	in_background warm.out "$CCACHE" warm thing -o json --timeout 60s
	WARM=$STARTED
	wait_for all_but_one
	wait_for replica_has_all
}
all_but_one() { (($(at a --scan --pattern 'thing:*' | wc -l) == 19 && $(upstream_count /things/20) > 0)); }
replica_has_all() { [[ $(at a DBSIZE) == "$(at b DBSIZE)" ]]; }
a_is_replica() { [[ $(role_of a) == slave ]]; }
b_is_primary() { [[ $(role_of b) == master ]]; }
assert_warmed() {
	local status=0 i
	no_faults
	wait "$WARM" || status=$?
	output=$(sed -n '/^{/,$p' "$DIR/warm.out" | sed '/^ccache:/d')
	assert_adds_up
	assert_equal "$status $(jq -c '[.stored, .failed, .complete]' <<<"$output")" '0 [20,0,true]'
	for i in {1..20}; do assert_equal "$(at b GET "thing:$i")" "{\"id\":\"$i\"}"; done
}

@test "a warm goes on at the promoted replica when its primary dies" {
	start_held_warm
	stop "${PID_OF[a]}"
	# until now, however busy the machine is, no primary was to be taken for a dead one
	local i
	for i in 1 2 3; do ask_sentinel "$i" SENTINEL SET cache down-after-milliseconds 1000 >/dev/null; done
	wait_for --for 120 b_is_primary
	assert_warmed
	cc_run ping -o json --timeout 60s
	assert_json .target "127.0.0.1:${PORT_OF[b]}/0"
	cc_run invalidate thing --all --yes -o json
	assert_exit 0
	assert_json .removed 20
}

# start_writers: verbs that write for as long as they are told to, each with something done and something to do.
start_writers() {
	local name
	at a MSET old:1 v old:2 v old:3 v old:4 v >/dev/null
	for name in follow repl; do mkfifo "$DIR/$name.in"; done
	exec {EVENTS}<>"$DIR/follow.in" {LINES}<>"$DIR/repl.in"
	"$CCACHE" invalidate --follow - -o json --timeout 60s <&"$EVENTS" >"$DIR/follow.out" 2>&1 3>&- 4>&- &
	FOLLOW=$!
	"$CCACHE" repl --timeout 60s <&"$LINES" >"$DIR/repl.out" 2>&1 3>&- 4>&- &
	REPL=$!
	PIDS+=("$FOLLOW" "$REPL")
	in_background bench.out "$CCACHE" bench --mix set=1 --rate 50 --duration 10m -o json --timeout 60s
	BENCH=$STARTED
	echo '{"event":"old.gone","id":1}' >&"$EVENTS"
	echo 'invalidate old 2 --yes' >&"$LINES"
	wait_for writers_have_begun
}
writers_have_begun() { [[ $(at a EXISTS old:1 old:2) == 0 && $(at a --scan --pattern 'cc:bench:*') ]]; }
# Those that go on do it at b, and the other one has said that it cannot; what it left the next one removes.
assert_writers() {
	local status=0
	echo '{"event":"old.gone","id":3}' >&"$EVENTS"
	echo 'invalidate old 4 --yes' >&"$LINES"
	wait_for --for 120 b_lost_the_old
	wait "$BENCH" || status=$?
	assert_equal "$status $(grep -c '^ccache: error: redis 127.0.0.1:'"${PORT_OF[a]}" "$DIR/bench.out")" '4 1'
	kill -TERM "$FOLLOW"
	wait "$FOLLOW" || status=$?
	assert_equal "$status $(sed -n '/^{/,/^}/p' "$DIR/follow.out" | jq -c '[.events, .keys, .failed]')" '143 [2,2,0]'
	echo exit >&"$LINES"
	wait "$REPL"
	exec {EVENTS}>&- {LINES}>&-
	cc_run bench --max --mix set=1 --requests 50 -o json
	assert_exit 0
	assert_equal "$(at b --scan --pattern 'cc:bench:*')" ''
}
b_lost_the_old() { [[ $(at b EXISTS old:1 old:2 old:3 old:4) == 0 ]]; }

@test "a primary that becomes a replica in the middle is left for the new one, by every verb that writes" {
	start_held_warm
	start_writers
	wait_for --for 120 failover_begins
	wait_for --for 120 b_is_primary
	wait_for --for 120 a_is_replica # until then it takes writes that are lost, whoever sends them
	assert_writers
	assert_warmed
}
failover_begins() { [[ $(ask_sentinel 1 SENTINEL FAILOVER cache) == OK ]]; }

# It says READONLY to what it has not run yet, on connections that stay as they are.
@test "drops in flight at a primary that becomes a replica are done by the new one, and their undo file is whole" {
	local i name
	start_node_of a
	start_node_of b --replicaof 127.0.0.1 "${PORT_OF[a]}"
	wait_for --for 120 is_synced b
	start_sentinel 1
	export REDIS_URL="redis-sentinel://127.0.0.1:${SENTINELS[1]}/0?sentinelMasterId=cache" REDIS_SENTINEL_PASSWORD=watch
	API_URL=http://127.0.0.1:9 api_config '"take": { "key": "take:{id}", "ttl": "50m" }, "soft": { "key": "soft:{id}", "ttl": "50m" },
		"unlink": { "key": "unlink:{id}", "ttl": "50m" }'
	for name in take soft unlink; do
		for i in {1..20}; do echo "SET $name:$i $name-$i EX 3000"; done
	done | at a >/dev/null
	wait_for replica_has_all
	start_on_port GATE_PORT gate.log gate_is_up python3 "$ROOT/tests/link/gate.py" "$DIR" @PORT@ "${PORT_OF[a]}" \
		take=MULTI soft=MULTI unlink=UNLINK
	start_drops take --backup "$DIR/take.undo"
	start_drops soft --backup "$DIR/soft.undo" --soft --in 20m
	start_drops unlink --no-backup
	{
		at b REPLICAOF NO ONE
		at a REPLICAOF 127.0.0.1 "${PORT_OF[b]}"
		ask_sentinel 1 SENTINEL REMOVE cache
		ask_sentinel 1 SENTINEL MONITOR cache 127.0.0.1 "${PORT_OF[b]}" 1
	} >/dev/null
	touch "$DIR/open"
	for name in take soft unlink; do assert_dropped "$name"; done
	assert_equal "$(kept_at b take) $(kept_at b soft) $(kept_at b unlink)" '0 20 0'
	(($(at b PTTL soft:7) <= 1200000))
	for name in take soft; do
		cc_run invalidate --undo "$DIR/$name.undo" --yes -o json
		assert_exit 0
		assert_json '[.restored, .failed]' '[20,0]'
	done
	assert_equal "$(at b GET take:7) $(kept_at b take)" 'take-7 20'
	(($(at b PTTL soft:7) > 1200000))
}
gate_is_up() { grep -q '^listening' "$DIR/gate.log"; }
kept_at() { at "$1" --scan --pattern "$2:*" | grep -c . || true; }
declare -gA DROPS
start_drops() { # NAME WORDS…: held at the gate with its first drop
	"$CCACHE" --proxy "http://$1:x@127.0.0.1:$GATE_PORT" --timeout 60s invalidate "$1" --all --yes -o json "${@:2}" \
		>"$DIR/$1.out" 2>"$DIR/$1.err" </dev/null 3>&- 4>&- &
	DROPS[$1]=$!
	PIDS+=($!)
	wait_for --for 120 drops_are_held "$1"
	[[ -e $DIR/held.$1 ]] || fail "$1 was never held: $(cat "$DIR/$1.out" "$DIR/$1.err")"
}
drops_are_held() { [[ -e $DIR/held.$1 ]] || gone "${DROPS[$1]}"; }
assert_dropped() { # NAME
	status=0
	wait "${DROPS[$1]}" || status=$?
	output=$(<"$DIR/$1.out") stderr=$(<"$DIR/$1.err")
	assert_exit 0
	assert_adds_up
	assert_json '[.removed + .shortened, .failed]' '[20,0]'
}

# --- over TLS ---

tls_options() { # NAME
	TLS_OPTIONS=(--port 0 --tls-replication yes --tls-auth-clients no --tls-ca-cert-file "$DIR/certs/ca.pem"
		--tls-cert-file "$DIR/certs/$1.pem" --tls-key-file "$DIR/certs/$1.key")
}
@test "sentinels and their primary over TLS, each with a password of its own" {
	make_certs
	tls_options server
	export REDIS_SENTINEL_PASSWORD=watch
	local ca=(--cacert "$DIR/certs/ca.pem")
	NODE=t
	start_on_port "PORT_OF[t]" t.log tls_node_is_up redis-server --tls-port @PORT@ --bind 127.0.0.1 --unixsocket "$DIR/t.sock" \
		--dir "$DIR" --save '' --requirepass data "${TLS_OPTIONS[@]}"
	cat >"$DIR/sentinel9.conf" <<-CONF
		bind 127.0.0.1
		dir $DIR
		unixsocket $DIR/sentinel9.sock
		requirepass watch
		sentinel monitor cache 127.0.0.1 ${PORT_OF[t]} 1
		sentinel auth-pass cache data
	CONF
	NODE=9
	start_on_port "SENTINELS[9]" sentinel9.log sentinel_is_up redis-server "$DIR/sentinel9.conf" --tls-port @PORT@ "${TLS_OPTIONS[@]}" --sentinel
	export REDIS_URL="rediss-sentinel://:data@127.0.0.1:${SENTINELS[9]}/0?sentinelMasterId=cache"
	cc_run "${ca[@]}" ping -o json
	assert_exit 0
	assert_json .target "tls://127.0.0.1:${PORT_OF[t]}/0"
	cc_run "${ca[@]}" stats -o json
	assert_exit 0
	assert_json '[.target, .sentinel]' "[\"tls://127.0.0.1:${PORT_OF[t]}/0\",\"127.0.0.1:${SENTINELS[9]}\"]"
	wait_for is_refused_as 'issued by an authority that is not trusted' ping
	REDIS_URL=${REDIS_URL/rediss/redis} wait_for is_refused_as "sentinel 127.0.0.1:${SENTINELS[9]}: " ping
	REDIS_URL=${REDIS_URL/:data@/:none@} wait_for is_refused_as 'WRONGPASS' "${ca[@]}" ping
}
# is_refused_as WORDS ARGS…: with a little more time at every try, as a busy machine may outlast what each sentinel has.
is_refused_as() {
	HAS_MS=$((${HAS_MS:-500} + 500))
	cc_run --timeout "${HAS_MS}ms" "${@:2}"
	((status == 4)) && [[ $stderr == *"$1"* ]]
}
tls_node_is_up() { [[ $(redis-cli -s "$DIR/t.sock" -a data --no-auth-warning PING) == PONG ]]; }
