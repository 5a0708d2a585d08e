# ccache warm when Redis refuses, stalls, restarts or goes away in the middle, and when the run is interrupted there:
# what is called stored was acknowledged, the rest is counted.
load helpers
load verbs

setup() { two_things; }

# What the report calls stored is in Redis.
assert_stored_is_there() { assert_json .stored "$(key_count 'thing:*')"; }

@test "OOM: stops, says why, exit 4, and what it stored is there" {
	many 2000
	warm thing 1 # what the first client and its scripts take is not of the margin
	rcli FLUSHALL >/dev/null
	rcli CONFIG SET maxmemory "$(($(rcli INFO memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p') + 150000))" >/dev/null
	warm thing --ids "$DIR/ids"
	assert_exit 4
	assert_stderr_line OOM
	assert_json '.failed_redis > 0 and .requested < 2000' true
	assert_stored_is_there
}

@test "a read-only replica: exit 4, names it" {
	local primary=$REDIS_SOCKET
	TCP=1 REDIS_NAME=primary start_redis
	redis-cli -s "$primary" REPLICAOF 127.0.0.1 "$REDIS_TCP_PORT" >/dev/null
	REDIS_URL=unix://$primary warm thing 1
	assert_exit 4
	assert_stderr_line READONLY
	assert_json '[.stored, .failed_redis]' '[0,1]'
}

@test "NOPERM on SET: exit 4, names command, key and remedy" {
	rcli ACL SETUSER reader on '>pw' '~*' +@read +@connection >/dev/null
	REDIS_USERNAME=reader REDIS_PASSWORD=pw warm thing 1 2
	assert_exit 4
	assert_stderr_line NOPERM
	assert_stderr_line SET
	assert_stderr_line "'thing:"
	assert_json .stored 0
}

# held N: warm is under way (pid in $WARM_PID) with N things, all stored but thing N, whose answer is held.
held() {
	local i
	for ((i = 1; i <= $1; i++)); do set_data "/things/$i" "$i"; done
	seq "$1" >"$DIR/ids"
	fault hold "path=/things/$1"
	env --default-signal=INT "$CCACHE" warm -o json --timeout "${WARM_TIMEOUT:-5s}" thing --ids "$DIR/ids" >"$DIR/out" 2>"$DIR/err" 3>&- 4>&- &
	WARM_PID=$!
	PIDS+=("$WARM_PID")
	wait_for all_but_one "$1"
}
all_but_one() { (($(key_count 'thing:*') == $1 - 1 && $(upstream_count "/things/$1") > 0)); }
# The end of what held began: its exit code, report and messages.
report() {
	wait_for gone "$WARM_PID"
	status=0
	wait "$WARM_PID" || status=$?
	output=$(<"$DIR/out") stderr=$(<"$DIR/err")
}

@test "Redis goes away in the middle: exit 4, the numbers add up" {
	held 40
	kill -KILL "$REDIS_PID"
	wait_for gone "$REDIS_PID"
	no_faults
	report
	assert_exit 4
	assert_adds_up
	assert_stderr_line "$REDIS_SOCKET"
	assert_json '[.requested, .stored, .failed_redis]' '[40,39,1]'
}

@test "Redis restarts in the middle: what is called stored was acknowledged, and it ends" {
	held 40
	stop "$REDIS_PID"
	start_redis
	no_faults
	report
	assert_exit 0
	assert_adds_up
	assert_json '[.requested, .stored]' '[40,40]' # the 39 before were acknowledged, though they are gone
	assert_equal "$(keys_now)" thing:40
}

@test "SIGINT and SIGTERM: a truthful summary, exit 130 and 143" {
	local signal
	for signal in INT:130 TERM:143; do
		rcli FLUSHALL >/dev/null
		no_faults
		curl -fsS -X DELETE "$UPSTREAM_URL/_count" >/dev/null
		held 40
		kill -"${signal%:*}" "$WARM_PID"
		report
		assert_exit "${signal#*:}"
		assert_adds_up
		assert_stderr_line interrupted
		assert_json '[.requested, .stored, .failed_cancelled]' '[40,39,1]'
		assert_stored_is_there
	done
}

@test "SIGTERM while Redis stalls: stops soon, and what was not acknowledged is not stored" {
	WARM_TIMEOUT=600s held 40
	kill -STOP "$REDIS_PID"
	no_faults
	kill -TERM "$WARM_PID"
	report
	kill -CONT "$REDIS_PID"
	assert_exit 143
	assert_adds_up
	assert_json '[.requested, .stored, .failed]' '[40,39,1]'
	assert_json '[.complete, .stopped_by]' '[false,"interrupted"]'
}

@test "SIGTERM while --from waits for a Redis that stalls" {
	mkfifo "$DIR/pipe"
	"$CCACHE" warm -o json --timeout 600s thing --from "$DIR/pipe" >"$DIR/out" 2>"$DIR/err" 3>&- 4>&- &
	WARM_PID=$!
	PIDS+=("$WARM_PID")
	exec 7>"$DIR/pipe"
	printf '{"vars":{"id":"%d"},"value":1}\n' 1 2 3 >&7
	wait_for has_keys 3
	kill -STOP "$REDIS_PID"
	printf '{"vars":{"id":"%d"},"value":1}\n' 4 5 >&7
	exec 7>&-
	kill -TERM "$WARM_PID"
	report
	kill -CONT "$REDIS_PID"
	assert_exit 143
	assert_adds_up
	assert_json '[.stored, .requested - .failed, .stopped_by]' '[3,3,"interrupted"]'
}

has_keys() { (($(key_count) == $1)); }

# READONLY and MISCONF that come in the middle: the rest is not begun.
stops_in_the_middle() {
	held 40
	"$@"
	no_faults
	report
	assert_exit 4
	assert_adds_up
	assert_json '[.complete, .stopped_by, .failed == .failed_redis, .failed > 0]' '[false,"redis",true,true]'
}
becomes_replica() { rcli REPLICAOF 127.0.0.1 1 >/dev/null; }
cannot_save() {
	rcli CONFIG SET save '3600 1' >/dev/null
	rm -r "$DIR/redis" # where it would save
	rcli BGSAVE >/dev/null
	wait_for misconf
}
misconf() { [[ $(rcli SET thing:1 1) == MISCONF* ]]; }

@test "the server becomes a replica in the middle: stops, names it" {
	stops_in_the_middle becomes_replica
	assert_stderr_line 'connect to its primary'
}

@test "the server can no longer save in the middle: stops, says so" {
	stops_in_the_middle cannot_save
	assert_stderr_line MISCONF
	rcli CONFIG SET save '' >/dev/null # else it would not end
}
