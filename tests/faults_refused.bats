# One server that refuses what is asked in the middle of every verb: as faults.bats.
load helpers
load verbs
load link/link
load link/table

setup() { table_system --enable-debug-command yes; }

paused() { rcli CLIENT PAUSE 100 ALL >/dev/null; }

@test "CLIENT PAUSE: waited for" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=0 [inspect-key]=0 [invalidate]=0 [unlink]=0 [follow]=0 [stats]=0 [bench]=0 [repl]=0
		[discover]=0)
	struck_by paused
}

full() { rcli CONFIG SET maxmemory 1 >/dev/null; }
roomy() { rcli CONFIG SET maxmemory 0 >/dev/null; }

# Redis 7.0 queues nothing in a transaction then, not even what drops.
takes_drops() {
	local exit=4
	full
	[[ $(printf 'MULTI\nUNLINK no\nDISCARD\n' | rcli) != *QUEUED* ]] || exit=0
	roomy
	echo "$exit"
}

@test "OOM: what writes stops, what reads or drops goes on" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=0 [inspect-key]=0 [invalidate]=$(takes_drops) [unlink]=0 [follow]=0 [stats]=0
		[bench]=0 [repl]=0 [discover]=0)
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
