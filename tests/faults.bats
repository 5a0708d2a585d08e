# One server that fails in the middle of every verb: the exit code, one line that names the server and its trouble, and
# counts that agree with what is there afterwards. tests/link/link.py stands between the program and the server: it
# holds the run at a chosen command while the server is hurt.
load helpers
load verbs
load link/link
load link/table
load link/clock

setup() { table_system; }

killed() { rcli CLIENT KILL TYPE normal >/dev/null; }

@test "CLIENT KILL: what may be repeated is, a walk and what may have run say so" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=4 [inspect-key]=0 [invalidate]=0 [unlink]=3 [follow]=0 [stats]=0 [bench]='4' [repl]=0
		[discover]=4)
	SAYS='connection' struck_by killed
}

restarted() {
	rcli SAVE >/dev/null
	stop "$REDIS_PID"
	start_redis
}

@test "a restart: the same, and what is gone with it is not called done" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=4 [inspect-key]=0 [invalidate]=0 [unlink]=3 [follow]=0 [stats]=0 [bench]=4 [repl]=0
		[discover]=4)
	SAYS=connection struck_by restarted
}

died() {
	kill -KILL "$REDIS_PID" "$LINK_PID"
	wait_for gone "$REDIS_PID"
	wait_for gone "$LINK_PID"
}
alive() {
	! gone "$REDIS_PID" || start_redis
	! gone "$LINK_PID" || start_link
}

@test "kill -9: every verb ends with 4, but get, which asks the source, and follow, which waits" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=3 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	own_clocks
	BLIND=1 FLIES=1 TIMEOUT=10s HEAL=alive SAYS='closed|refused|no such|hung up|reset|no answer|trying again' struck_by died
}
