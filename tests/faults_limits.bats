# One server that has no room for another client or a large answer, in the middle of every verb: as faults.bats.
load helpers
load verbs
load link/link
load link/table
load link/clock

setup() { table_system; }

# admin COMMAND…: over the one connection that is open before the server is full.
admin() {
	local lines
	if [[ ! -p $DIR/admin ]]; then
		mkfifo "$DIR/admin"
		: >"$DIR/admin.out" # before the fork: it is looked at at once
		redis-cli -s "$REDIS_SOCKET" <"$DIR/admin" >"$DIR/admin.out" 3>&- 4>&- &
		PIDS+=("$!")
		exec {ADMIN}>"$DIR/admin"
	fi
	lines=$(wc -l <"$DIR/admin.out")
	echo "$*" >&"$ADMIN"
	wait_for has_lines "$((lines + 1))"
}
has_lines() { (($(wc -l <"$DIR/admin.out") >= $1)); }
crowded() {
	admin CONFIG SET maxclients 1
	admin CLIENT KILL TYPE normal
}
empty() { admin CONFIG SET maxclients 1000; }

@test "maxclients: said at once, after a lost connection as before the first" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=3 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	admin PING
	BLIND=1 HEAL=empty SAYS='ERR max number of clients reached: raise the server.s maxclients|connection|hung up' struck_by crowded
	crowded
	for row in "${VERBS[@]}"; do
		IFS='|' read -r verb _ words <<<"$row"
		[[ $verb != follow ]] || continue
		eval "LINK=$REDIS_SOCKET start_run $words"
		end_run
		expected=4
		[[ $verb != get ]] || expected=0
		BLIND=1 SAYS='ERR max number of clients reached: raise the server.s maxclients' check_verb
	done
}

# Answers of more than 16 KiB wait in the client's output buffer, which may hold a single byte.
narrow() { rcli CONFIG SET client-output-buffer-limit 'normal 1 1 1' >/dev/null; }
wide() { rcli CONFIG SET client-output-buffer-limit 'normal 0 0 0' >/dev/null; }
# Redis 7.0 counts the slow log's entries last: its answer, of stats, waits in that buffer however small it is.
slowlog_fits() {
	local status=0
	narrow
	rcli SLOWLOG GET >/dev/null 2>&1 || status=1
	wide
	return "$status"
}

@test "an output buffer that is full: whose answer is large hears it is cut, the others go on" {
	local cut='again and again|connection|connected, but no answer' # the last when a busy machine takes the time
	fill_with 100000
	declare -A EXITS=([get]=0 [inspect-key]=4 [invalidate]=4)
	slowlog_fits || EXITS[stats]=4
	own_clocks
	FLIES=1 TIMEOUT=10s BLIND=1 HEAL=wide SAYS=$cut struck_by narrow
	# where many are asked at once, a busy machine may let their small answers pile up
	EXITS=([warm]=0 [inspect]='@(0|4)' [unlink]='@(0|3)' [follow]=0 [bench]='@(0|4)' [repl]=0 [discover]='@(0|4)')
	! slowlog_fits || EXITS[stats]=0
	BLIND=1 HEAL=wide SAYS=$cut struck_by narrow
}
