# One server that is loading in the middle of every verb, for a while or for good: as faults.bats.
load helpers
load verbs
load link/link
load link/table
load link/clock

setup() { table_system --enable-debug-command yes; }

says() { [[ $(rcli PING) == $1* ]]; }

# A restart that takes most of a minute, until that is called off. The server answers after each kibibyte it has loaded.
loading() {
	rcli CONFIG SET rdbcompression no >/dev/null
	rcli -n 1 DEBUG POPULATE 2000 more 1100 >/dev/null
	rcli SAVE >/dev/null
	stop "$REDIS_PID"
	in_background redis.log redis-server --unixsocket "$REDIS_SOCKET" --dir "$DIR/redis" --port 0 --save '' \
		--loading-process-events-interval-bytes 1024 --key-load-delay 20000 --enable-debug-command yes
	REDIS_PID=$STARTED
	wait_for says LOADING
}
loaded() {
	rcli CONFIG SET key-load-delay 0 >/dev/null
	wait_for says PONG
}

@test "LOADING for a while: waited for; a walk and a benchmark are over, drops that may have run are not repeated" {
	declare -A EXITS=([get]=waits [warm]=waits [inspect]=waits:4 [inspect-key]=waits [invalidate]=waits [unlink]=waits:3 [follow]=waits
		[stats]=waits [bench]=waits:4 [repl]=waits [discover]=waits:4)
	fill_with 1100
	HEAL=loaded SAYS='LOADING|restarted|connection' struck_by loading
}

@test "LOADING for good: every verb says so within --timeout" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=3 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	fill_with 1100
	own_clocks
	HEAL_FIRST=1 FLIES=1 TIMEOUT=10s HEAL=loaded SAYS='LOADING|connection|no answer' struck_by loading
}
