# One server that fails in the middle of every verb: the exit code, one line that names the server and its trouble, and
# counts that agree with what is there afterwards. tests/link/link.py stands between the program and the server: it
# holds the run at a chosen command while the server is hurt.
load helpers
load verbs
load link/link
load link/table

setup() {
	sandbox
	start_system
	faults_config
}

# struck_by HURT…: each verb in turn is held at its command, HURT runs, and the run goes on. Its exit code is that of
# EXITS, its standard error holds SAYS and the server's name unless it is 0, and the counts are true.
struck_by() {
	local row verb at words bad=0
	for row in "${VERBS[@]}"; do
		IFS='|' read -r verb at words <<<"$row"
		[[ ${EXITS[$verb]:-} ]] || continue
		refill
		hold_run
		"$@"
		release
		if [[ ${EXITS[$verb]} == waits ]]; then # it says so, and goes on when the server is well again
			wait_for says_trouble
			$HEAL
			EXITS[$verb]=0
			end_run
		else
			end_run
		fi
		stop_link
		check_verb || bad=1
		${HEAL:-true}
	done
	((!bad))
}

# With a short --timeout, a machine that is busy elsewhere may end the run before it comes to its command.
hold_run() {
	local tries
	for tries in 1 2 3 4 5; do
		start_link --at "$at" --do hold
		eval "start_run $words"
		wait_for --for 120 held_or_over
		! is_held || return 0
		end_run
	done
	fail "$verb: never held, in $tries runs: $(cat "$DIR/run.err")"
}

says_trouble() { grep -qE "$SAYS" "$DIR/run.err"; }

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

@test "kill -9: every verb ends with 4, but get, which asks the source" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=3 [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	BLIND=1 TIMEOUT=500ms HEAL=start_redis SAYS='closed|refused|no such|hung up|reset|no answer' struck_by died
}

paused() { rcli CLIENT PAUSE 100 ALL >/dev/null; }

@test "CLIENT PAUSE: waited for" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=0 [inspect-key]=0 [invalidate]=0 [unlink]=0 [follow]=0 [stats]=0 [bench]=0 [repl]=0
		[discover]=0)
	struck_by paused
}

full() { rcli CONFIG SET maxmemory 1 >/dev/null; }
roomy() { rcli CONFIG SET maxmemory 0 >/dev/null; }

@test "OOM: what writes stops, what reads or drops goes on" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=0 [inspect-key]=0 [invalidate]=4 [unlink]=0 [follow]=0 [stats]=0 [bench]=0 [repl]=0
		[discover]=0)
	HEAL=roomy SAYS=OOM struck_by full
}

cannot_save() {
	rcli CONFIG SET save '3600 1' >/dev/null
	rm -r "$DIR/redis" # where it would save
	rcli BGSAVE >/dev/null
	wait_for misconf
}
misconf() { [[ $(rcli SET probe 1) == MISCONF* ]]; }
can_save() {
	rcli CONFIG SET save '' >/dev/null # else it does not end without having saved
	stop "$REDIS_PID"
	start_redis
}

@test "MISCONF: what writes or drops stops" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=0 [inspect-key]=0 [invalidate]=4 [unlink]=4 [follow]=waits [stats]=0 [bench]=4 [repl]=0
		[discover]=0)
	HEAL=can_save SAYS=MISCONF struck_by cannot_save
}

a_replica() { rcli REPLICAOF 127.0.0.1 1 >/dev/null; }
a_primary() { rcli REPLICAOF NO ONE >/dev/null; }

@test "READONLY: what writes or drops stops" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=0 [inspect-key]=0 [invalidate]=4 [unlink]=4 [follow]=waits [stats]=0 [bench]=4 [repl]=0
		[discover]=0)
	HEAL=a_primary SAYS=READONLY struck_by a_replica
}
