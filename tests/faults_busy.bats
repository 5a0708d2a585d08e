# One server that runs a script in the middle of every verb, for a while or for good: as faults.bats.
load helpers
load verbs
load link/link
load link/table
load link/clock

setup() { table_system --enable-debug-command yes; }

# A script that runs until it is killed; the server says so after a millisecond.
busy() {
	rcli CONFIG SET lua-time-limit 1 >/dev/null
	in_background script.log redis-cli -s "$REDIS_SOCKET" EVAL 'while true do end' 0
	wait_for says BUSY
}
says() { [[ $(rcli PING) == $1* ]]; }
idle() {
	! says BUSY || rcli SCRIPT KILL >/dev/null
	wait_for says PONG
}

# Nothing of what was sent has run: it is sent again, but by a benchmark, which counts it.
@test "BUSY for a while: waited for, also with drops under way" {
	declare -A EXITS=([get]=waits [warm]=waits [inspect]=waits [inspect-key]=waits [invalidate]=waits [unlink]=waits [follow]=waits
		[stats]=waits [bench]=waits:3 [repl]=waits [discover]=waits)
	HEAL=idle SAYS=BUSY struck_by busy
}

@test "BUSY for good: every verb says so within --timeout" {
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=4 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	own_clocks
	HEAL_FIRST=1 FLIES=1 TIMEOUT=10s HEAL=idle SAYS='BUSY|no answer' struck_by busy
}
