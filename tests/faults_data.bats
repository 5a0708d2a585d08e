# What is there vanishes, the server stands still or a clock jumps in the middle of every verb: as faults.bats.
load helpers
load verbs
load link/link
load link/table
load link/clock

setup() {
	table_system
	VERBS+=("${MORE_VERBS[@]}")
}

stat_of() { rcli INFO all | tr -d '\r' | sed -n "s/^$1://p"; }

flushed() { rcli FLUSHALL >/dev/null; }
vanish() {
	strike flushed
	output_is_true
}
# What vanished is not called removed, changed or stored, and nothing is missing in the counts.
output_is_true() {
	case $verb in
	warm) assert_json '[.requested, .stored + .skipped, .complete]' '[3,3,true]' && assert_json ".stored >= $(values_of 1 2 3 | grep -c v)" true ;;
	inspect | audit) assert_json '[.complete, .keys <= 150]' '[true,true]' ;;
	inspect-key) assert_json .exists "$( ((status)) && echo false || echo true)" ;;
	invalidate | unlink | soft) assert_adds_up && assert_json '[.requested, .removed + .shortened + .gone, .complete]' '[150,150,true]' ;;
	follow) assert_json '[.applied, .failed]' '[2,0]' ;;
	drift) assert_json '.sampled == 3 and .sampled == .same + .differs + .absent + .moved + .failed' true ;;
	undo) assert_json '[.changes, .restored, .complete]' '[150,150,true]' ;;
	bench) assert_json '[.count, .errors, (.operations[] | .hits + .misses)]' '[20,0,20]' ;;
	esac
}

@test "FLUSHALL: what is gone is counted so, what is asked for is done" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=0 [inspect-key]=1 [invalidate]=0 [unlink]=0 [follow]=0 [stats]=0 [bench]=0 [repl]=1
		[discover]=0 [audit]=0 [drift]=0 [undo]=0 [soft]=0)
	BLIND=1 each_verb vanish
}

# Half of all goes, and the server stays full.
evicted() {
	rcli CONFIG RESETSTAT >/dev/null
	rcli CONFIG SET maxmemory-policy allkeys-random >/dev/null
	if (($(key_count 'thing:*'))); then
		wait_for squeezed
	else
		rcli CONFIG SET maxmemory "$(($(stat_of used_memory) + 700000))" >/dev/null
	fi
}
squeezed() {
	(($(stat_of evicted_keys) < 40)) || return 0
	rcli CONFIG SET maxmemory "$(($(stat_of used_memory) - 100000))"
	return 1
}
roomy() { rcli CONFIG SET maxmemory 0 maxmemory-policy noeviction >/dev/null; }
evict() {
	local gone
	strike evicted
	output_is_true || return 1
	gone=$(stat_of evicted_keys)
	case $verb in
	invalidate | unlink) assert_json ".gone > 0 and .gone <= $gone" true ;;
	inspect) assert_json ".keys + .gone_keys <= 150 and .keys < 150" true ;;
	undo) (($(key_count 'thing:*') < 150)) || fail 'nothing was evicted' ;;
	esac
}

@test "eviction: a key that the server drops meanwhile is gone, not failed and not ours" {
	fill_with 10000
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=0 [inspect-key]='[01]' [invalidate]=0 [unlink]=0 [follow]=0 [stats]=0 [bench]=0 [repl]='[01]'
		[discover]=0 [audit]=1 [drift]='[01]' [undo]=0 [soft]=0)
	BLIND=1 HEAL=roomy each_verb evict
}

asleep() {
	kill -STOP "$REDIS_PID"
	(sleep 0.3 && kill -CONT "$REDIS_PID") 3>&- 4>&- &
}
stopped() { kill -STOP "$REDIS_PID"; }
awake() { kill -CONT "$REDIS_PID"; }

@test "a server that stands still: waited for, and for good every verb says so within --timeout" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=0 [invalidate]=0 [unlink]=0 [bench]=0 [undo]=0)
	struck_by asleep
	EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=4 [stats]=4 [bench]=4 [repl]=4 [discover]=4 [audit]=4 [drift]=4
		[undo]=4 [soft]=4)
	own_clocks
	BLIND=1 FLIES=1 TIMEOUT=10s HEAL_FIRST=1 HEAL=awake SAYS='no answer|unknown whether' struck_by stopped
}

# The server runs so many seconds ahead; jump: the program's wall clock is off by so many from now on.
server_ahead() {
	local ahead
	stop "$REDIS_PID"
	echo "$1" >"$DIR/server.clock"
	LD_PRELOAD=$DIR/clock.so CLOCK_OFFSET=$DIR/server.clock start_redis
	ahead=$(($(rcli TIME | head -1) - EPOCHSECONDS - $1))
	((-60 < ahead && ahead < 60)) || fail "the server's clock is $ahead seconds from where it should be"
}
jump() { echo "$1" >"$DIR/client.clock"; }
leap() {
	strike jump "$1"
	jump 0
	output_is_true || return 1
	# no life is longer than the configuration's, and none is shorter for the clocks
	local most=300000
	[[ $verb != soft ]] || most=100000
	rcli EVAL "local n = 0
		for _, key in ipairs(redis.call('KEYS', 'thing:*')) do
			local ttl = redis.call('PTTL', key)
			if ttl > $most or ttl < $most - 90000 then n = n + 1 end
		end
		return n" 0 >"$DIR/off_ttl"
	assert_equal "$(<"$DIR/off_ttl")" 0
}
@test "wall clocks an hour apart, and one that jumps: lives, counts and waits are the same" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=0 [inspect-key]=0 [invalidate]=0 [unlink]=0 [follow]=0 [stats]=0 [bench]=0 [repl]=0
		[discover]=0 [audit]=0 [undo]=0 [soft]=0)
	own_clocks
	server_ahead 3600
	each_verb leap -3600
	EXITS=([warm]=0 [invalidate]=0 [undo]=0 [soft]=0)
	server_ahead -3600
	each_verb leap 3600
}
