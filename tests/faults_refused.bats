# One server that refuses what is asked in the middle of every verb: as faults.bats.
load helpers
load verbs
load link/link
load link/table
load link/clock

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

alone() { rcli CONFIG SET min-replicas-to-write 1 >/dev/null; }
in_company() { rcli CONFIG SET min-replicas-to-write 0 >/dev/null; }

@test "NOREPLICAS: what writes or drops stops" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=0 [inspect-key]=0 [invalidate]=4 [unlink]=4 [follow]=waits [stats]=0 [bench]=4 [repl]=0
		[discover]=0)
	HEAL=in_company SAYS=NOREPLICAS struck_by alone
}

stale() {
	rcli CONFIG SET replica-serve-stale-data no >/dev/null
	a_replica
}
fresh() {
	a_primary
	rcli CONFIG SET replica-serve-stale-data yes >/dev/null
}

@test "MASTERDOWN: every verb stops" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=4 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	HEAL=fresh HEAL_FIRST=1 BLIND=1 SAYS='MASTERDOWN|READONLY' struck_by stale
}

as_admin() { redis-cli -s "$REDIS_SOCKET" --user admin --pass pw --no-auth-warning "$@" >/dev/null; }
disowned() { as_admin ACL SETUSER default -@all +@connection; }
owning() { as_admin ACL SETUSER default +@all; }

@test "rights that are taken away: fewer figures, or what is missing is named" {
	rcli ACL SETUSER admin on '>pw' '~*' '&*' +@all >/dev/null
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=0 [invalidate]=4 [unlink]=4 [follow]=3 [stats]=0 [bench]=4 [repl]=4
		[discover]=4)
	HEAL_FIRST=1 HEAL=owning BLIND=1 SAYS='NOPERM|may not run' struck_by disowned
}

locked() {
	as_admin ACL SETUSER default resetpass '>new'
	as_admin CLIENT KILL TYPE normal SKIPME yes
}
unlocked() { as_admin ACL SETUSER default nopass; }

@test "a password that is changed, and the clients thrown out: told at once" {
	rcli ACL SETUSER admin on '>pw' '~*' '&*' +@all >/dev/null
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=3 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	HEAL_FIRST=1 HEAL=unlocked BLIND=1 SAYS='NOAUTH|connection' struck_by locked
}
